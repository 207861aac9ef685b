"""The workload of every kind with a Script: a program of an engineer's own, which knows nothing of denpyo.

It is started in an empty folder (``DENPYO_OUT``, also its working directory) with every answer as ``--name value``: dotted names
as they are, one argument for each member of a list, ``true`` and ``false``, nothing for what was left open, and ``--name=value``
where the value begins with a hyphen. ``--answers FILE`` (also ``DENPYO_ANSWERS``) holds the same answers as YAML. It finds datasets
in the folders of ``DENPYO_DATASETS``. What it leaves in its folder are the artifacts; ``metrics.json``, if it is there, holds names
with one number each. An exit status other than 0 is a failure.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs import datasets, fetch, script_page
from jobs.asked import flat
from jobs.fetch import Deadline, FetchError
from jobs.outcome import Attempt, Done, Failed
from schema.job import Script
from schema.problem import shown
from schema.yaml_text import dump

OUTPUT, ANSWERS, REPOSITORY, METRICS = "output", "answers.yaml", "repository", "metrics.json"
OWN_PATHS = ("PYTHONPATH", "PYTHONSAFEPATH")  # where denpyo lies, which is no business of a script
LAST_LINES = 5
LONGEST_LINE = 65_536
LONGEST_SAID = 500
MOST_ARTIFACTS = 1_000
AFTER_THE_WORKER = 2.0  # seconds: where a worker watches, it is the one that says that the time is over


def run(attempt: Attempt) -> Done | Failed:
    script = attempt.kind.job.workload
    if not isinstance(script, Script):
        raise TypeError(f"{attempt.kind.name} has no script")
    hours = attempt.request.resources.max_hours
    try:
        return _run(attempt, script, Deadline(time.monotonic() + hours * 3600 + AFTER_THE_WORKER))
    except subprocess.TimeoutExpired:
        return Failed(attempt.say("reason_time", hours=f"{hours:g}"))


def _run(attempt: Attempt, script: Script, deadline: Deadline) -> Done | Failed:
    home = _home(attempt, script, deadline)
    if isinstance(home, Failed):
        return home
    entry = home / script.entry
    if not entry.is_file():
        return Failed(attempt.say("reason_no_entry", entry=script.entry))
    try:
        python = fetch.python_with(script.packages, deadline) if script.packages else Path(sys.executable)
    except FetchError as error:
        return Failed(attempt.say("reason_packages", detail=str(error)))
    source = _source(script, entry)
    code, last = _start(attempt, [str(python), str(entry), *_arguments(attempt)], deadline)
    if code:
        said = shown(" / ".join(last), LONGEST_SAID) or attempt.say("nothing_said")
        return Failed(attempt.say("reason_exit", code=str(code), detail=said), (), artifacts(attempt), source)
    return _done(attempt, script, source)


def _home(attempt: Attempt, script: Script, deadline: Deadline) -> Path | Failed:
    """The folder that the entry lies in."""
    if script.image:
        return Failed(attempt.say("reason_container"))
    if not script.repository:
        return attempt.kind.file.parent
    if not fetch.is_allowed(script.repository):
        return Failed(attempt.say("reason_address", address=shown(script.repository)))
    target = attempt.out / REPOSITORY
    try:
        fetch.checkout(script.repository, script.commit, target, deadline)
    except FetchError as error:
        return Failed(attempt.say("reason_fetch", commit=script.commit, detail=str(error)))
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
    with subprocess.Popen(  # noqa: S603  # a list of arguments, never a shell
        command,
        cwd=output,
        env={**passed, "PYTHONUNBUFFERED": "1", **ours},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=attempt.kept,
    ) as process:
        stop = threading.Timer(deadline.left(), process.kill)
        stop.start()
        for line in iter(lambda: process.stdout.readline(LONGEST_LINE) if process.stdout else b"", b""):
            text = line.decode("utf-8", "replace")
            print(text, end="", flush=True)
            last.append(text.strip())
        code = process.wait()
        stop.cancel()
    if time.monotonic() >= deadline.at:
        raise subprocess.TimeoutExpired(command, attempt.request.resources.max_hours * 3600)
    return code, [line for line in last if line]


def _done(attempt: Attempt, script: Script, source: Mapping[str, Any]) -> Done | Failed:
    try:
        metrics = read_metrics(attempt.out / OUTPUT / METRICS)
    except ValueError as error:
        reason = attempt.say("reason_metrics", detail=shown(str(error), LONGEST_SAID))
        return Failed(reason, (), artifacts(attempt), source)
    files = artifacts(attempt)
    page = script_page.write(attempt, script, source, metrics, files)
    return Done(metrics=metrics, summary=page, artifacts=files, source=source)


def read_metrics(file: Path) -> dict[str, float]:
    """Names with one finite number each; without the file, none. Anything else is a ValueError."""
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name}: {value!r}")
    return found


def artifacts(attempt: Attempt) -> tuple[str, ...]:
    """The files that the script left in its folder, seen from the run's folder; links are not followed."""
    found = (path for path in (attempt.out / OUTPUT).rglob("*") if path.is_file() and not path.is_symlink())
    return tuple(sorted(path.relative_to(attempt.out).as_posix() for path in found)[:MOST_ARTIFACTS])
