"""What clearml-agent 3.0.3 does with a task, without its clone and its environment: seconds become tenths, for what needs many runs.

``clearml_agent/commands/worker.py``: takes from the queue, marks as started, runs the entry point, sends what it prints, ends the
process with all its children when the task is to stop or has left its running status, and reports its exit code otherwise. The
real daemon runs in ``tests/standins/agent.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from submit.engines.clearml_server import Server, ServerError

BEAT = 0.1
CLONE = Path(__file__).parents[2]
"""The working tree stands for the commit of the task."""


class QuickAgent:
    """Takes tasks from one queue, in ``folder``. ``environment`` is what its tasks get beside."""

    def __init__(self, server: Server, folder: Path, queue: str, environment: dict[str, str]) -> None:
        self._server, self._folder, self._queue = server, folder, queue
        self._environment = environment
        folder.mkdir(parents=True, exist_ok=True)

    def drain(self) -> int:
        """Run what waits, one task after the other; how many there were."""
        ran = 0
        queues = self._server.call("queues.get_all", name=f"^{self._queue}$")["queues"]
        while queues and (entry := self._server.call("queues.get_next_task", queue=queues[0]["id"]).get("entry")):
            self._run(entry["task"])
            ran += 1
        return ran

    def _run(self, task: str) -> None:
        self._server.call("tasks.started", task=task, status_reason="pulled by agent")
        printed = self._folder / f"{task}.log"
        with printed.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-u", "-m", "jobs"],
                cwd=CLONE,
                env={**os.environ, **self._environment, "CLEARML_TASK_ID": task, "CLEARML_WORKER_ID": "quick:0"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        asked_to_stop = self._watched(task, process)
        self._send(task, printed.read_text(encoding="utf-8", errors="replace"))
        if asked_to_stop == "stopping":
            self._server.call("tasks.stopped", task=task, status_reason="task stopped by user")
        elif not asked_to_stop:
            name = "tasks.failed" if process.returncode else "tasks.completed"
            self._server.call(name, task=task, status_reason=f"worker execution exit code {process.returncode}")

    def _watched(self, task: str, process: subprocess.Popen[bytes]) -> str:
        """Why the process was ended; "" when it ended by itself."""
        while process.poll() is None:
            now = self._server.call("tasks.get_by_id", task=task)["task"]
            if now["status"] != "in_progress" or now.get("status_message") == "stopping":
                _end(process)
                return "stopping" if now["status"] == "in_progress" else "left"
            time.sleep(BEAT)
        return ""

    def _send(self, task: str, printed: str) -> None:
        lines: list[dict[str, Any]] = [
            {"type": "log", "task": task, "level": "info", "worker": "quick:0", "msg": line, "timestamp": number}
            for number, line in enumerate(printed.splitlines(), int(time.time() * 1000))
        ]
        for line in lines:
            try:
                self._server.call("events.add", **line)
            except ServerError:
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    for one in psutil.Process(process.pid).children(recursive=True):
        one.kill()
    process.kill()
    process.wait()
