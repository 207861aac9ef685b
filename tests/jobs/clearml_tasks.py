"""Tasks on the stand-in as the desk leaves them, and ``python -m jobs`` started for one as an agent starts it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from schema import slip
from schema.slip import Request
from tests.jobs.runs import EXAMPLES, ROOT
from tests.standins.clearml import ClearML

QUEUE = "train"


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
        script={"entry_point": "-m jobs", "working_dir": ".", "binary": "python3", **script},
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
    return subprocess.run(
        [sys.executable, "-u", "-m", "jobs"],
        cwd=ROOT,
        env=environment(server, task, home, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
