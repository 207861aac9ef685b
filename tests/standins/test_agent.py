"""The real daemon takes a task from the stand-in, clones its repository, runs it and reports."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.standins.agent import PROGRAM, Agent
from tests.standins.clearml import ClearML
from tests.standins.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.untraced,
    pytest.mark.skipif(not PROGRAM.exists() and not os.environ.get("CI"), reason="needs the agent (make agent)"),
]
SCRIPT = """
from clearml import Task

task = Task.init()
asked = task.connect({"rows": 1, "check": False}, name="hyperparameters")
print("rows:", repr(asked["rows"]), "check:", repr(asked["check"]), "slip:", task.get_configuration_object("slip"))
for row in range(asked["rows"]):
    task.get_logger().report_scalar("loss", "train", value=1 / (row + 1), iteration=row)
"""


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    made.mkdir()
    (made / "run.py").write_text(SCRIPT, encoding="utf-8")
    _git(made, "init", "--quiet", "--initial-branch=main")
    _git(made, "add", ".")
    _git(made, "commit", "--quiet", "--message=run")
    return made


def _call(server: ClearML, endpoint: str, fields: dict[str, Any]) -> dict[str, Any]:
    who = server.user("person")
    answer = requests.post(f"{server.url}/{endpoint}", json=fields, auth=(who.access_key, who.secret_key), timeout=10)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_a_queued_task_runs_on_a_real_agent_and_its_console_and_metrics_come_back(
    clearml_server: ClearML, repository: Path, tmp_path: Path
) -> None:
    server = clearml_server
    parameters = {"rows": ("3", "int"), "check": ("True", "bool")}
    items = {
        name: {"section": "hyperparameters", "name": name, "value": value, "type": kind}
        for name, (value, kind) in parameters.items()
    }
    script = {"repository": repository.as_uri(), "version_num": _git(repository, "rev-parse", "HEAD"), "branch": "main"}
    fields = {
        "name": "a run",
        "type": "training",
        "script": {**script, "entry_point": "run.py", "working_dir": ".", "binary": "python3"},
        "hyperparams": {"hyperparameters": items},
        "configuration": {"slip": {"name": "slip", "value": "kind: a\n", "type": "yaml"}},
    }
    task = _call(server, "tasks.create", fields)["id"]
    with Agent(tmp_path / "agent", server.write_conf(tmp_path, "agent"), "cpu-small"):
        assert _call(server, "tasks.enqueue", {"task": task, "queue_name": "cpu-small", "verify_watched_queue": True})[
            "queue_watched"
        ]
        wait_until(lambda: server.tasks[task]["status"] in ("completed", "failed", "stopped"), within=120)
    console = "".join(one["msg"] for one in server.state.events[task] if one["type"] == "log")
    assert server.tasks[task]["status"] == "completed", console
    assert "rows: 3 check: True slip: kind: a" in console
    assert f"version_num = {script['version_num']}" in console
    curves = _call(server, "events.scalar_metrics_iter_histogram", {"task": task})
    assert curves == {"loss": {"train": {"name": "train", "x": [0, 1, 2], "y": [1.0, 0.5, 1 / 3]}}}
    assert server.tasks[task]["last_worker"] == "stand-in:cpu:0"
    assert server.tasks[task]["user"] == server.user("person").id
