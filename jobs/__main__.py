"""``python -P -m jobs SLIP --out DIR --run ID.ATTEMPT``: run one attempt of one slip and leave ``result.json`` in DIR. Without any
argument, under a ClearML agent: run the task that it named (``on_agent.py``).

The exit status: 0 done, 1 failed (``result.json`` says why), 2 wrong use, 75 another process is running this attempt, 76 this
attempt has already started. With 75 and 76 nothing is run. ``DENPYO_KINDS`` names the folders of a desk's own kinds; a worker
keeps the output of this process in ``DIR/log``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from jobs import attempt as marks
from jobs.asked import changes
from jobs.outcome import Attempt, Done, Failed, Workload, failed
from jobs.result import now, result
from jobs.texts import say
from schema import kinds, slip
from schema.job import Script
from schema.problem import shown
from schema.words import FALLBACK, languages

DONE, FAILED, RUNNING, STARTED = 0, 1, 75, 76
LONGEST_DETAIL = 1_000
LANGUAGE = re.compile(rb"(?m)^language: ([a-z-]+)$")


def _inference() -> Workload:
    from jobs import inference

    return inference


def _script() -> Workload:
    from jobs import script

    return script


def _train_supervised() -> Workload:
    from jobs import train_supervised

    return train_supervised


SCRIPT = "script"
WORKLOADS: Mapping[str, Callable[[], Workload]] = {
    "inference": _inference,
    "train_supervised": _train_supervised,
    SCRIPT: _script,
}
"""Each is imported when it is run: what trains brings a second of libraries along, what runs a script none."""


def main(arguments: list[str] | None = None) -> int:
    if arguments is None and not sys.argv[1:] and os.environ.get("CLEARML_TASK_ID"):
        from jobs import on_agent

        return on_agent.main()
    parser = argparse.ArgumentParser(prog="python -P -m jobs", description="Run one attempt of one slip.")
    parser.add_argument("slip", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the folder of this run")
    parser.add_argument("--run", required=True, help="ID.ATTEMPT")
    given = parser.parse_args(arguments)
    run = slip.RUN.fullmatch(given.run)
    if not run:
        parser.error(f"--run must be ID.ATTEMPT, not {given.run!r}")
    try:
        data = given.slip.read_bytes()
    except OSError as error:
        parser.error(f"{given.slip}: {error.strerror}")
    return _alone(data, given.out.resolve(), run[1], int(run[2]))


def _alone(data: bytes, out: Path, request: str, number: int) -> int:
    """Run it unless somebody does or did."""
    out.mkdir(parents=True, exist_ok=True)
    held = marks.hold_alive(out)
    if held is None:
        print(f"{request}.{number}: already running", file=sys.stderr)
        return RUNNING
    started_at = now()
    if not marks.mark_started(out, f"{request}.{number}", started_at):
        print(f"{request}.{number}: this attempt has already started", file=sys.stderr)
        return STARTED
    language = _language(data)
    changed: list[str] = []
    ended: Done | Failed
    try:
        ended, changed = _judged(data, out, request, number, held)
    except kinds.KindError as error:
        ended = failed("reason_kind", language, detail=shown(str(error), LONGEST_DETAIL))
    except Exception:  # ours, and the last place to say so
        ended = _program_error(out, language)
    try:
        marks.write_result(out, result(ended, language, started_at, changed))
    except Exception:  # a full disk, or what cannot be written: a short result may still find its place
        ended = _program_error(out, language)
        marks.write_result(out, result(ended, language, started_at, []))
    _tell(ended, language)
    return DONE if isinstance(ended, Done) else FAILED


def _program_error(out: Path, language: str) -> Failed:
    """The exception under way goes to the log, and where the log is into the result."""
    with suppress(OSError):  # the disk of the log may be full
        traceback.print_exc()
    log = out / marks.LOG
    named = shown(str(log), LONGEST_DETAIL) if log.exists() else say("log_of_run", language)
    return failed("reason_program_error", language, log=named)


def _judged(data: bytes, out: Path, request: str, number: int, held: int) -> tuple[Done | Failed, list[str]]:
    """Check the slip once more with the schema of here, then do what it says. Also: what was changed for the person."""
    known = kinds.load([Path(one) for one in os.environ.get("DENPYO_KINDS", "").split(os.pathsep) if one])
    try:
        found = slip.read(data, known)
    except slip.SlipError as error:
        return failed("reason_problems", _language(data), tuple(error.problems)), []
    attempt = Attempt(found, known[found.kind], number, out, (held,))
    changed = changes(attempt)
    if found.id != request:
        return attempt.failed("reason_other_run", found=found.id, wanted=f"{request}.{number}"), changed
    marks.limit_time(found.resources.max_hours)
    named = attempt.kind.job.workload
    return WORKLOADS[SCRIPT if isinstance(named, Script) else named]().run(attempt), changed


def _language(data: bytes) -> str:
    """The language of a slip that may not be readable otherwise."""
    found = LANGUAGE.search(data)
    wanted = found[1].decode() if found else FALLBACK
    return wanted if wanted in languages() else FALLBACK


def _tell(ended: Done | Failed, language: str) -> None:
    if isinstance(ended, Failed):
        with suppress(OSError):  # it stands in the result, whether or not anybody can be told
            print(ended.reason, file=sys.stderr)
            for problem in ended.problems:
                print(problem.line(language), file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
