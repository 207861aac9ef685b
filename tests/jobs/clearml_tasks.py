"""Tasks on the stand-in as the desk leaves them, and ``python -m jobs`` started for one as an agent starts it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from schema import kinds, parameters, slip
from schema.slip import Request
from tests.jobs.runs import EXAMPLES, ROOT
from tests.standins.clearml import ClearML

QUEUE = "train"
KINDS = ROOT / "tests" / "desks" / "kinds"
SCRIPT = {"entry_point": "-m jobs", "working_dir": ".", "binary": "python"}
EACH = """
import os, sys
from jobs import on_agent
for task in sys.argv[1:]:
    os.environ["CLEARML_TASK_ID"] = task
    print("status", on_agent.main())
"""


def call(server: ClearML, endpoint: str, **asked: Any) -> dict[str, Any]:
    """One call as the desk's user; whatever the server refuses is an error of the test."""
    who = server.user("desk")
    answer = requests.post(f"{server.url}/{endpoint}", json=asked, auth=(who.access_key, who.secret_key), timeout=30)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["data"])


def said(name: str, value: str, section: str = "properties") -> dict[str, str]:
    return {"section": section, "name": name, "value": value, "type": "", "description": ""}


def properties(request: Request, run: str) -> dict[str, str]:
    return {
        "request": request.id,
        "run": run,
        "slip_sha256": hashlib.sha256(slip.write(request)).hexdigest(),
        "kind": request.kind,
        "version": str(request.version),
        "language": request.language,
    }


def project(server: ClearML, name: str) -> str:
    found = call(server, "projects.get_all", name=f"^{name}$")["projects"]
    return str(found[0]["id"] if found else call(server, "projects.create", name=name, description="")["id"])


def sent(server: ClearML, request: Request, **script: Any) -> str:
    """A task for the first attempt, made, given its ticket and enqueued as the desk does it; its id."""
    run = f"{request.id}.1"
    told = {name: said(name, value) for name, value in properties(request, run).items()}
    text = slip.write(request).decode()
    task = call(
        server,
        "tasks.create",
        name=f"{request.kind} {run}",
        type="training",
        project=project(server, f"denpyo/{request.kind}"),
        tags=["denpyo", request.kind, f"rid:{request.id}", f"run:{run}"],
        configuration={"slip": {"name": "slip", "type": "yaml", "value": text, "description": ""}},
        hyperparams={"properties": told},
        script={**SCRIPT, **script},
    )["id"]
    call(server, "tasks.edit_hyper_params", task=task, hyperparams=[said("ticket", task)])
    call(server, "tasks.enqueue", task=task, queue_name=QUEUE)
    return str(task)


def copied(server: ClearML, task: str, *edited: Mapping[str, str]) -> str:
    """A copy that a person made of a task and put into a queue of agents, with these parameters changed."""
    copy = call(server, "tasks.clone", task=task, new_task_name="a copy of it")["id"]
    if edited:
        call(server, "tasks.edit_hyper_params", task=copy, hyperparams=[dict(one) for one in edited])
    call(server, "tasks.enqueue", task=copy, queue_name=QUEUE)
    return str(copy)


def copied_template(server: ClearML, folder: Path, edited: Mapping[str, str] | None = None, **script: Any) -> str:
    """A copy of a template that a person sent to an agent straight away, with these answers; the desk allows it."""
    form = kinds.load([KINDS])["count_starts"].form
    answers = {one.key: parameters.spelled(one, one.default) for one in form.questions}
    answers |= {"name": "one", "file": str(folder / "count"), **(edited or {})}
    there = parameters.places(form)
    hyperparams: dict[str, dict[str, Any]] = {}
    for key, value in answers.items():
        section, name = there[key]
        hyperparams.setdefault(section, {})[name] = said(name, value, section)
    noted = {"kind": "count_starts", "version": "1", "language": "ja", "direct": "true"}
    made = call(
        server,
        "tasks.create",
        name="count_starts",
        type="training",
        project=project(server, "denpyo/templates"),
        tags=["denpyo", "template", "count_starts"],
        hyperparams={**hyperparams, "properties": {name: said(name, value) for name, value in noted.items()}},
        script={**SCRIPT, **script},
    )["id"]
    return copied(server, str(made))


def environment(server: ClearML, task: str, home: Path, **more: str) -> dict[str, str]:
    """What an agent's process gives to the program it starts, as far as the program looks at it."""
    home.mkdir(exist_ok=True)
    passed = {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
    return {
        **passed,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "CLEARML_CONFIG_FILE": str(server.write_conf(home)),
        "CLEARML_TASK_ID": task,
        "DENPYO_DATASETS": str(EXAMPLES),
        **more,
    }


def run(server: ClearML, task: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """``python -m jobs`` to its end, in the working directory that an agent gives it: the checkout."""
    call(server, "tasks.started", task=task, force=True)
    return _ended(["-m", "jobs"], environment(server, task, home, **more))


def run_each(server: ClearML, tasks: Sequence[str], home: Path, **more: str) -> list[int]:
    """The same for several tasks one after the other in one process, which imports the SDK once; the exit status of each."""
    for task in tasks:
        call(server, "tasks.started", task=task, force=True)
    ended = _ended(["-c", EACH, *tasks], environment(server, tasks[0], home, **more))
    assert ended.returncode == 0, ended.stderr
    return [int(one) for one in re.findall(r"(?m)^status ([0-9]+)$", ended.stdout)]


def _ended(words: list[str], told: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-u", *words]
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False, timeout=120)
