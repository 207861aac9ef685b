"""The engine ``local``: a queue in the ledger, and ``work``, which runs each job of it in a process of its own on this machine.

Who holds ``worker`` in a run's folder works on that run; the kernel lets go of it when that process dies. The job itself holds
``alive`` and makes ``started``, so that an attempt starts once, whatever became of the workers (see ``jobs/attempt.py``).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from schema.answers import Answers
from schema.job import Resources, Script
from schema.kinds import Kind
from schema.problem import Problem
from schema.words import Fact
from submit.desk import Desk, now
from submit.engines import Handle, Look, Model, Ticket

if TYPE_CHECKING:
    from submit.ledger import Ledger, RunRow, Writing

TABLE = """CREATE TABLE IF NOT EXISTS local_queue (
    run TEXT PRIMARY KEY NOT NULL, queue TEXT NOT NULL, slip TEXT NOT NULL, max_hours REAL NOT NULL, gpus INTEGER NOT NULL,
    state TEXT NOT NULL, stop INTEGER NOT NULL DEFAULT 0, queued_at TEXT NOT NULL, started_at TEXT, ended_at TEXT, result TEXT)"""

AT_ONCE = 10_000
BEAT = 0.5

NEEDED = {True: ("jinja2",), False: ("jinja2", "sklearn", "onnxruntime")}
"""What a Script and what a workload of ours need beside the core: the extra ``jobs``."""


def problems(desk: Desk, kind: Kind, answers: Answers, wanted: Resources) -> list[Problem]:
    """A queue that is not there, more GPUs than this machine has, or a Script that needs a container."""
    found = []
    if wanted.queue not in desk.config.queues:
        facts: dict[str, Fact] = {"queue": wanted.queue, "queues": desk.config.queues}
        found.append(Problem("no_queue", answers.place("resources.queue"), "resources.queue", facts))
    if wanted.gpus and wanted.gpus > (available := gpus()):
        counts: dict[str, Fact] = {"gpus": str(wanted.gpus), "available": str(available)}
        found.append(Problem("too_many_gpus", answers.place("resources.gpus"), "resources.gpus", counts))
    if isinstance(kind.job.workload, Script) and kind.job.workload.image:
        found.append(Problem("needs_container", answers.place("kind"), "kind"))
    if lacking := [name for name in NEEDED[isinstance(kind.job.workload, Script)] if find_spec(name) is None]:
        found.append(Problem("cannot_run_here", answers.place("kind"), "kind", {"libraries": tuple(lacking)}))
    return found


def gpus() -> int:
    """How many GPUs the driver lists; none where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return 0  # a driver that does not answer gives nobody a GPU
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0


def enqueue(desk: Desk, tickets: Sequence[Ticket]) -> Mapping[str, Handle]:
    at = now().isoformat()
    rows = [(one.run, one.queue, one.slip, one.wanted.max_hours, one.wanted.gpus, at) for one in tickets]
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        with ledger.writing() as tx:
            tx.execute_all(
                "INSERT OR IGNORE INTO local_queue (run, queue, slip, max_hours, gpus, queued_at, state)"
                " VALUES (?, ?, ?, ?, ?, ?, 'queued')",
                rows,
            )
    address = desk.runs.resolve().as_uri()
    return {one.run: _handle(address, one.run) for one in tickets}


def find(desk: Desk, run: str) -> Handle | None:
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        found = ledger.query("SELECT 1 FROM local_queue WHERE run = ?", (run,))
    return _handle(desk.runs.resolve().as_uri(), run) if found else None


def _handle(runs: str, run: str) -> Handle:
    return Handle(run, f"{runs}/{run}/summary.html")


def look(desk: Desk, runs: Sequence[str]) -> Mapping[str, Look]:
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        rows = ledger.query(
            "SELECT run, state, result FROM local_queue WHERE run IN (SELECT value FROM json_each(?))",
            (json.dumps(list(runs)),),
        )
    return {run: Look(state, json.loads(result) if result else None) for run, state, result in rows}


def put_back(desk: Desk, run: str, queue: str) -> None:
    """Its queue is its state: none is ever astray."""


def stop(desk: Desk, run: str) -> None:
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        with ledger.writing() as tx:
            tx.execute("UPDATE local_queue SET stop = 1 WHERE run = ?", (run,))
            tx.execute(
                "UPDATE local_queue SET state = 'stopped', ended_at = ? WHERE run = ? AND state = 'queued'",
                (now().isoformat(), run),
            )


def withdraw(desk: Desk, run: str) -> bool:
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        with ledger.writing() as tx:
            tx.execute(
                "UPDATE local_queue SET state = 'stopped', ended_at = ? WHERE run = ? AND state = 'queued'",
                (now().isoformat(), run),
            )
            found = ledger.query("SELECT state, started_at FROM local_queue WHERE run = ?", (run,))
    return found == [("stopped", None)]


def log(desk: Desk, run: str) -> str:
    file = folder(desk, run) / "log"
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def models(desk: Desk, run: str) -> list[Model]:
    result = look(desk, [run]).get(run)
    made = (result.result or {}).get("model") if result else None
    return [Model(str(made["id"]), str((folder(desk, run) / "model").resolve()))] if made else []


def links(url: str) -> Mapping[str, str]:
    return {}


def never(tx: Writing, rows: Sequence[RunRow], results: Sequence[Mapping[str, object]]) -> None:
    """Let these runs be over without ever beginning here, those too that are only handed over later: what became of them elsewhere
    nobody can tell. ``results`` are what is told of each."""
    at = now().isoformat()
    tx.execute(TABLE)
    tx.execute_all(
        "INSERT INTO local_queue (run, queue, slip, max_hours, gpus, queued_at, ended_at, state, result)"
        " VALUES (?, ?, '', ?, 0, ?, ?, 'failed', ?) ON CONFLICT (run) DO UPDATE SET (ended_at, state, result) ="
        " (excluded.ended_at, excluded.state, excluded.result) WHERE state IN ('queued', 'running')",
        [
            (row.run, row.queue, row.max_hours, at, at, json.dumps(result, ensure_ascii=False))
            for row, result in zip(rows, results, strict=True)
        ],
    )


def folder(desk: Desk, run: str) -> Path:
    return desk.runs / run


def waiting(ledger: Ledger) -> list[str]:
    """Runs that a worker should look at: those that nobody has begun, and those whose worker may have died."""
    ledger.ensure(TABLE)
    rows = ledger.query("SELECT run FROM local_queue WHERE state IN ('running', 'queued') ORDER BY state DESC, rowid")
    return [str(run) for (run,) in rows]
