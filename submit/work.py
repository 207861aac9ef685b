"""``denpyo work``: take runs from the local queue, one at a time, and see each to its end, also after a worker was killed.

Exactly one process works on a run: the one that holds the run's ``worker`` lock. A run whose job lives on without its worker is
watched to its end, not started again; one that died after it had started has failed, because what it did cannot be undone.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema import words
from schema.words import FALLBACK
from submit.desk import LEDGER, Desk, kind_folders, now, shipped
from submit.engines import local
from submit.ledger import LedgerBusy

BEAT = 0.1
PASSED_ON = re.compile(
    "PATH|HOME|LANG|TZ|LD_LIBRARY_PATH|PIP_[A-Z_]+|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|SSH_AUTH_SOCK|GIT_SSH_COMMAND"
    "|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY"
)
"""What a job hears of this process's environment: enough to fetch a script and its packages."""
GRACE = 5.0
ALREADY = (75, 76)
"""Exit codes of ``jobs``: this attempt runs in another process, or has started before."""


Told = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Queued:
    """One row of the local queue, as a worker needs it."""

    run: str
    slip: str
    max_hours: float
    gpus: int


def work(desk: Desk, *, drain: bool, told: Told, idle: Callable[[], bool] = lambda: False, only: str = "") -> int:
    """Run what waits; with ``drain`` until nothing does, else until interrupted. ``told`` hears (run, state) as it changes,
    ``idle`` is called whenever nothing waits, and says whether something does now.

    Returns how many runs this worker has brought to their end.
    """
    ended = 0
    while True:
        waits = True
        try:
            ran, waits = _one_pass(desk, told, only)
            ended += ran
            if not waits:
                waits = idle()
        except LedgerBusy:
            if drain:
                raise
        if not waits and drain:
            return ended
        time.sleep(BEAT if waits else 5 * BEAT)


def _one_pass(desk: Desk, told: Told, only: str) -> tuple[int, bool]:
    """How many runs were brought to their end, and whether any waited, for this worker or for another."""
    ended, waits = 0, False
    for run in _waiting(desk, only):
        with _sole_worker(local.folder(desk, run)) as mine:
            waits = True
            ended += mine and _see_to_its_end(desk, run, told)
    return ended, waits


def _waiting(desk: Desk, only: str) -> list[str]:
    with desk.ledger() as ledger:
        return [run for run in local.waiting(ledger) if only in ("", run)]


@contextmanager
def _sole_worker(folder: Path) -> Iterator[bool]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _open(folder / "worker") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _open(file: Path) -> Any:
    return open(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def _see_to_its_end(desk: Desk, run: str, told: Told) -> bool:
    """Start the run, or take up where a dead worker left it. False where it ended or was stopped in the meantime."""
    row = _claim(desk, run)
    if row is None:
        return False
    told(run, "running")
    state, result = _outcome(desk, row)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute(
            "UPDATE local_queue SET state = ?, result = ?, ended_at = ? WHERE run = ?",
            (state, json.dumps(result), now().isoformat(), run),
        )
    told(run, state)
    return True


def _claim(desk: Desk, run: str) -> Queued | None:
    with desk.ledger() as ledger:
        with ledger.writing() as tx:
            tx.execute(
                "UPDATE local_queue SET state = 'running', started_at = coalesce(started_at, ?) WHERE run = ? AND state = 'queued'",
                (now().isoformat(), run),
            )
        rows = ledger.query(
            "SELECT run, slip, max_hours, gpus FROM local_queue WHERE run = ? AND state = 'running'", (run,)
        )
    return Queued(*rows[0]) if rows else None


def _outcome(desk: Desk, row: Queued) -> tuple[str, Mapping[str, Any]]:
    folder = local.folder(desk, row.run)
    ended: str | None = None
    while ended is None and not (folder / "result.json").exists():
        started = (folder / "started").exists()  # looked at before ``alive``, which a job takes first
        if _alive(folder) is not None:
            ended = (
                _watch(desk, row, folder, lambda: _alive(folder) is None, lambda how: _kill(_alive(folder), how))
                or None
            )
        elif started:
            break  # it died half way: a job that ends by itself leaves its result before it lets go of ``alive``
        else:
            ended = _start(desk, row, folder)
    return _result(desk, row, ended or "")


def _alive(folder: Path) -> int | None:
    """The process that runs this job now, which holds ``alive``; 0 while its number is not written yet; None if there is none."""
    file = folder / "alive"
    if not file.exists():
        return None
    with _open(file) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = lock.read()
            return int(text) if text.isdigit() else 0
    return None


def _start(desk: Desk, row: Queued, folder: Path) -> str | None:
    """Run the job in a process group of its own, so that it outlives this worker and can be ended with all it started.

    None when another process had this attempt already, as happens when a worker dies just after it started one.
    """
    if not _slip_is_whole(desk, row):
        return "slip_changed"
    slip = str((desk.folder / LEDGER / row.slip).resolve())
    command = [sys.executable, "-P", "-m", "jobs", slip, "--out", ".", "--run", row.run]
    with open(os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=_environment(desk, row),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,  # what it leaves holds the answers, and who asked
        )

    def over() -> bool:  # what a job started may outlive it
        return process.poll() is not None and (process.returncode in ALREADY or _alive(folder) is None)

    ended = _watch(desk, row, folder, over, lambda how: _kill(process.pid, how))
    return None if not ended and process.returncode in ALREADY else ended


def _slip_is_whole(desk: Desk, row: Queued) -> bool:
    """Whether the slip still is what was accepted: nothing runs that the record does not show."""
    with desk.ledger() as ledger:
        request = ledger.request(row.run.rpartition(".")[0])
        return request is not None and ledger.recorded_slip(request) is not None


def _environment(desk: Desk, row: Queued) -> dict[str, str]:
    """What a job may know: no more of this process's environment than it needs, for secrets may stand in it."""
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    join = os.pathsep.join
    return passed | {
        "PYTHONPATH": str(shipped("")),
        "DENPYO_DATASETS": join(str(folder.resolve()) for folder in desk.dataset_folders()),
        "DENPYO_KINDS": join(str(folder.resolve()) for folder in kind_folders(desk.folder, desk.config)),
        "DENPYO_MODELS": str(desk.runs.resolve()),
        "DENPYO_CACHE": str((desk.folder / "cache").resolve()),
        "CUDA_VISIBLE_DEVICES": ",".join(_visible_gpus()[: row.gpus]),
    }


def _visible_gpus() -> list[str]:
    """The GPUs that this worker may use, in the driver's order; ``CUDA_VISIBLE_DEVICES`` of the worker parts them among workers."""
    mine = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [str(one) for one in range(local.gpus())] if mine is None else [one for one in mine.split(",") if one]


def _watch(desk: Desk, row: Queued, folder: Path, over: Callable[[], bool], kill: Callable[[int], None]) -> str:
    """Wait for a job: "" when it ended by itself, else why it was ended."""
    begun = time.monotonic() - max(0.0, time.time() - _begun(folder))
    beats = 0
    while not over():
        reason = "time_limit" if time.monotonic() - begun > row.max_hours * 3600 else ""
        if not reason and beats % 5 == 0 and _stop_wanted(desk, row.run):
            reason = "stopped_on_request"
        if reason:
            _end(over, kill)
            return reason
        time.sleep(BEAT)
        beats += 1
    return ""


def _begun(folder: Path) -> float:
    marker = folder / "started"
    return marker.stat().st_mtime if marker.exists() else time.time()


def _stop_wanted(desk: Desk, run: str) -> bool:
    with desk.ledger() as ledger:
        return bool(ledger.query("SELECT stop FROM local_queue WHERE run = ?", (run,))[0][0])


def _end(over: Callable[[], bool], kill: Callable[[int], None]) -> None:
    """End a job and all it started: asked first, then made to."""
    kill(signal.SIGTERM)
    patience = time.monotonic() + GRACE
    while not over():
        if time.monotonic() > patience:
            kill(signal.SIGKILL)
        time.sleep(BEAT)
    kill(signal.SIGKILL)  # whoever is left of the group


def _kill(pid: int | None, how: int) -> None:
    if pid:
        with suppress(
            ProcessLookupError, PermissionError
        ):  # it ended by itself in this moment, which is what was wanted
            os.killpg(pid, how)


def _result(desk: Desk, row: Queued, ended: str) -> tuple[str, Mapping[str, Any]]:
    """The state a run ended in and its result: the job's own, or why it has none, in the requester's language."""
    folder = local.folder(desk, row.run)
    if (folder / "result.json").exists():
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        return str(result["state"]), result
    code = ended or _why_cut_off(desk, row, folder)
    with desk.ledger() as ledger:
        request = ledger.request(row.run.rpartition(".")[0])
    language = request.language if request else FALLBACK
    state = "stopped" if code == "stopped_on_request" else "failed"
    return state, {"state": state, "code": code, "reason": words.text(code, language), "metrics": {}}


def _why_cut_off(desk: Desk, row: Queued, folder: Path) -> str:
    """Why a job is gone without a result: a worker that ended it may have died before it could say so."""
    if _stop_wanted(desk, row.run):
        return "stopped_on_request"
    return "time_limit" if time.time() - _begun(folder) > row.max_hours * 3600 else "interrupted"
