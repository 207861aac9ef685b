"""The workload of every kind with a Script: a program of an engineer's own, which knows nothing of denpyo.

It is started in an empty folder (``DENPYO_OUT``, also its working directory) with every answer as ``--name value``: dotted names
as they are, one argument for each member of a list, ``true`` and ``false``, nothing for what was left open, and ``--name=value``
where the value begins with a hyphen. ``--answers FILE`` (also ``DENPYO_ANSWERS``) holds the same answers as YAML. It finds datasets
in the folders of ``DENPYO_DATASETS``. What it leaves in its folder are the artifacts; ``metrics.json``, if it is there, holds names
with one number each. An exit status other than 0 is a failure. The run ends with the script: whatever it started and left running
is ended with it. It lives in the process group of ``jobs``, so that whoever ends that group ends the script too.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from jobs import datasets, fetch, script_page
from jobs.asked import flat
from jobs.fetch import Deadline, FetchError
from jobs.outcome import Attempt, Done, Failed
from schema.job import Script
from schema.problem import shown
from schema.run_result import is_metric
from schema.yaml_text import dump

OUTPUT, ANSWERS, REPOSITORY, METRICS = "output", "answers.yaml", "repository", "metrics.json"
IMAGE_VARIABLE = "DENPYO_IMAGE"  # the container image that this process runs in, where somebody knows
OWN_PATHS = ("PYTHONPATH", "PYTHONSAFEPATH")  # where denpyo lies, which is no business of a script
LAST_LINES = 5
LONGEST_LINE = 65_536
LONGEST_SAID = 500
LONGEST_NAME = 100
LONGEST_PATH = 4_096
LONGEST_INTEGER = 20
MOST_ARTIFACTS = 1_000
STDOUT = 1
LAST_OUTPUT = 1.0  # seconds for what is still in the pipe when a script has ended
KILL_ROUNDS, KILL_PAUSE = 100, 0.02
PR_SET_CHILD_SUBREAPER = 36
AFTER_THE_WORKER = 2.0  # seconds: where a worker watches, it is the one that says that the time is over


def run(attempt: Attempt) -> Done | Failed:
    script = attempt.kind.job.workload
    if not isinstance(script, Script):
        raise TypeError(f"{attempt.kind.name} has no script")
    hours = attempt.request.resources.max_hours
    try:
        return _run(attempt, script, Deadline(time.monotonic() + hours * 3600 + AFTER_THE_WORKER))
    except subprocess.TimeoutExpired:
        return attempt.failed("reason_time", hours=f"{hours:g}")


def _run(attempt: Attempt, script: Script, deadline: Deadline) -> Done | Failed:
    home = _home(attempt, script, deadline)
    if isinstance(home, Failed):
        return home
    entry = home / script.entry
    if not entry.is_file():
        return attempt.failed("reason_no_entry", entry=script.entry)
    try:
        python = fetch.python_with(script.packages, deadline) if script.packages else Path(sys.executable)
    except FetchError as error:
        return attempt.failed("reason_packages", detail=str(error))
    source = _source(script, entry)
    code, last = _start(attempt, [str(python), str(entry), *_arguments(attempt)], deadline)
    if code:
        said = shown(" / ".join(last), LONGEST_SAID) or attempt.say("nothing_said")
        ended = attempt.failed("reason_exit", code=str(code), detail=said)
        return replace(ended, artifacts=_named(artifacts(attempt)), source=source)
    return _done(attempt, script, source)


def _home(attempt: Attempt, script: Script, deadline: Deadline) -> Path | Failed:
    """The folder that the entry lies in."""
    if script.image and os.environ.get(IMAGE_VARIABLE) != script.image:
        return attempt.failed("reason_container")
    if not script.repository:
        return attempt.kind.file.parent
    if fetch.has_secret(script.repository):
        return attempt.failed("reason_secret")
    if not fetch.is_allowed(script.repository):
        return attempt.failed("reason_address", address=shown(script.repository))
    target = attempt.out / REPOSITORY
    try:
        fetch.checkout(script.repository, script.commit, target, deadline)
    except FetchError as error:
        return attempt.failed("reason_fetch", commit=script.commit, detail=str(error))
    return target


def _source(script: Script, entry: Path) -> dict[str, Any]:
    """What ran: enough to run the same again."""
    return {
        "entry": script.entry,
        "sha256": hashlib.sha256(entry.read_bytes()).hexdigest(),
        "repository": script.repository or None,
        "commit": script.commit or None,
        "packages": list(script.packages),
    }


def _arguments(attempt: Attempt) -> list[str]:
    given = attempt.request.job.answers()
    file = attempt.out / ANSWERS
    file.write_text(dump(given), encoding="utf-8")
    return [*as_arguments(given), "--answers", str(file)]


def as_arguments(given: Mapping[str, Any]) -> Iterator[str]:
    """Answers as a command line."""
    for name, value in flat(given).items():
        for one in value if isinstance(value, list) else [value]:
            said = str(one).lower() if isinstance(one, bool) else str(one)
            if one is not None:
                yield from (f"--{name}={said}",) if said.startswith("-") else (f"--{name}", said)


def _start(attempt: Attempt, command: list[str], deadline: Deadline) -> tuple[int, list[str]]:
    """Run the script, its output passed on as it comes; the exit status and the last lines come back."""
    output = attempt.out / OUTPUT
    output.mkdir()
    found = os.pathsep.join(str(folder.resolve()) for folder in datasets.folders())
    passed = {name: value for name, value in os.environ.items() if name not in OWN_PATHS}
    ours = {"DENPYO_OUT": str(output), "DENPYO_ANSWERS": str(attempt.out / ANSWERS), datasets.VARIABLE: found}
    last: deque[str] = deque(maxlen=LAST_LINES)
    with _adopted_orphans() as others:
        process = subprocess.Popen(  # noqa: S603  # a list of arguments, never a shell
            command,
            cwd=output,
            env={**passed, "PYTHONUNBUFFERED": "1", **ours},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=attempt.kept,
        )
        reader = threading.Thread(target=_pass_on, args=(process.stdout, last), daemon=True)
        reader.start()
        try:
            code = process.wait(deadline.left())
            reader.join(LAST_OUTPUT)
        finally:
            _end(process, others)
            reader.join(LAST_OUTPUT)
    return code, [line for line in list(last) if line]


def _pass_on(output: IO[bytes], last: deque[str]) -> None:
    with output:
        for line in iter(lambda: output.readline(LONGEST_LINE), b""):
            text = line.decode("utf-8", "replace")
            last.append(text.strip())
            with suppress(OSError):  # the disk of the log may be full; the script must not wait for that
                os.write(STDOUT, text.encode())


@contextmanager
def _adopted_orphans() -> Iterator[set[int]]:
    """Within, a process whose parent dies becomes a child of this one (Linux, prctl(2)), so that none can slip away.

    The processes that are below this one already come along.
    """
    others = _below()
    _adopt(1)
    try:
        yield others
    finally:
        _adopt(0)


def _adopt(flag: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(flag), *[ctypes.c_ulong(0)] * 3)


def _end(process: subprocess.Popen[bytes], others: set[int]) -> None:
    """Kill a script and all that it started, however far below; ``others`` are none of it."""
    process.kill()
    process.wait(KILL_ROUNDS * KILL_PAUSE)
    for _ in range(KILL_ROUNDS):
        left = _below() - others
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # its parent has not died yet
                os.waitpid(pid, os.WNOHANG)
        time.sleep(KILL_PAUSE)


def _below() -> set[int]:
    """The children of this process, their children, and so on, as proc(5) tells them; without it, none."""
    parents = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended in the meantime
            parents[int(file.parent.name)] = int(file.read_text(errors="replace").rpartition(")")[2].split()[1])
    found: set[int] = set()
    more = {os.getpid()}
    while more:
        more = {pid for pid, parent in parents.items() if parent in more} - found
        found |= more
    return found


def _done(attempt: Attempt, script: Script, source: Mapping[str, Any]) -> Done | Failed:
    files = artifacts(attempt)
    try:
        metrics, left_out = read_metrics(attempt.out / OUTPUT / METRICS)
    except (OSError, ValueError) as error:
        ended = attempt.failed("reason_metrics", detail=shown(str(error), LONGEST_SAID))
        return replace(ended, artifacts=_named(files), source=source)
    warnings = (attempt.say("warn_metrics", names=", ".join(left_out)),) if left_out else ()
    page = script_page.write(attempt, script, source, metrics, files)
    return Done(metrics=metrics, summary=page, artifacts=_named(files), warnings=warnings, source=source)


def read_metrics(file: Path) -> tuple[dict[str, float], list[str]]:
    """Names with one number each, fit to be shown, and the names of what is no such number; without the file, none.

    What is not an object of JSON is a ValueError.
    """
    if not file.is_file():
        return {}, []
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"), parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    metrics: dict[str, float] = {}
    left_out = []
    for name, value in found.items():
        named = shown(name, LONGEST_NAME)
        if is_metric(value) and named not in metrics:
            metrics[named] = value
        else:
            left_out.append(named)
    return metrics, left_out


def _integer(digits: str) -> float:
    """Python reads no integer of thousands of digits, and this one is too large anyway."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else math.inf


def artifacts(attempt: Attempt) -> tuple[str, ...]:
    """The files that the script left in its folder, seen from the run's folder; links are not followed.

    A name need not be text: bytes that are no UTF-8 stand in it as lone surrogates.
    """
    found = (Path(folder, name) for folder, _, names in os.walk(attempt.out / OUTPUT) for name in names)
    files = (path for path in found if os.path.isfile(path) and not path.is_symlink())
    return tuple(sorted(path.relative_to(attempt.out).as_posix() for path in files)[:MOST_ARTIFACTS])


def _named(files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(shown(file, LONGEST_PATH) for file in files)
