"""``python -m jobs`` under a ClearML agent, which names a task: what the task asks is run as anywhere else, and reported to the task.

A task that the desk sent carries its own id as its ticket, and the slip; a copy of it has another id. A copy runs only where the
desk allows it (``direct``): then its hyperparameters are the answers. The run is a process of its own that knows nothing of ClearML;
this one hands it the data it needs, ends it when its time is over, and reports what it leaves.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jobs import attempt as marks
from jobs import from_clearml, origin, reporting
from jobs.asked import flat
from jobs.attempt import GRACE_SECONDS
from jobs.outcome import Failed, failed
from jobs.report_clearml import ReportError, Reports, Task, is_started
from jobs.result import now, result
from jobs.script import IMAGE_VARIABLE
from jobs.texts import say
from schema import kinds, parameters, slip, words
from schema.answers import Where
from schema.check import check
from schema.job import Script
from schema.kinds import Kind
from schema.problem import shown
from schema.slip import Request, Via
from schema.words import FALLBACK, languages

VARIABLE = "CLEARML_TASK_ID"
FOLDER_VARIABLE = "DENPYO_RUNS"
STARTED = (75, 76)
LONGEST = 1_000
BEAT, TELLS, REPORTS = 2.0, 60.0, 600.0
"""Seconds: how often somebody who stands aside looks; for how long word that a run goes on is good; what a report may take."""
AGENT_LOOKS = 60.0
"""Seconds: an agent looks at the task's status every few; see ``_wait_for_the_agent``."""
PASSED_ON = re.compile(
    "PATH|HOME|USER|LANG|LC_[A-Z]+|TZ|TMPDIR|LD_LIBRARY_PATH|CUDA_[A-Z_]+|NVIDIA_[A-Z_]+|OMP_NUM_THREADS|PIP_[A-Z_]+"
    "|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|SSH_AUTH_SOCK|GIT_SSH_COMMAND|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY"
    "|DENPYO_(?:DATASETS|KINDS|MODELS|CACHE)"
)
"""What a run hears of the agent's environment: enough to compute and to fetch a script, and no credentials of ClearML."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a task asks: the bytes of the slip, the run it is for, and the request and kind that were read from it."""

    slip: bytes
    run: str
    request: Request
    kind: Kind


def main() -> int:
    """Run the task that the agent named. The exit status: 0 done, 1 failed; the task says why."""
    try:
        return _said_at_least(Reports(os.environ[VARIABLE]))
    except ReportError as error:
        print(f"denpyo: {error}", file=sys.stderr)
        return 1


def _said_at_least(reports: Reports) -> int:
    """Run the task; what nobody foresaw becomes the reason it failed for, its traceback in the console."""
    language = _language(reports.task)
    try:
        return _run(reports)
    except ReportError:
        raise
    except kinds.KindError as error:
        return _refused(reports, failed("reason_kind", language, detail=shown(str(error), LONGEST)))
    except Exception:  # ours, and the last place to say so
        traceback.print_exc()
        return _refused(reports, failed("reason_program_error", language, log=say("log_of_run", language)))


def _run(reports: Reports) -> int:
    if "result" in reports.task.configuration and not is_started(reports.task.id, reports.task.hyperparams):
        reports.result("{}")  # of the run that this is a copy of
    known = kinds.load([Path(one) for one in os.environ.get("DENPYO_KINDS", "").split(os.pathsep) if one])
    order = _order(reports, known)
    if is_started(reports.task.id, reports.task.hyperparams) and reports.is_at_work():
        return _stand_aside(reports, _language(reports.task))
    if isinstance(order, Order) and reports.started_elsewhere(order.run):
        order = failed("reason_already_started", order.request.language)
    if isinstance(order, Failed):
        return _refused(reports, order)
    if not reports.note_started(TELLS):
        return _stand_aside(reports, order.request.language)
    print(f"denpyo: {order.request.kind} {order.run}", flush=True)
    folder = _folder(order.run)
    found = _at_work(order, reports, folder)
    with suppress(ReportError):
        reports.note_alive(REPORTS)
    if found is None:
        return _refused(reports, failed("reason_already_started", order.request.language))
    if _edited(reports.task, order, known):
        found["warnings"] = [*found["warnings"], say("warn_edited", order.request.language)]
        print(found["warnings"][-1], flush=True)
    return _over(reports, order, folder, found)


def _edited(task: Task, order: Order, known: Mapping[str, Kind]) -> bool:
    """Whether the answers on the task's page are others than those that ran: somebody edited them after the desk had checked them."""
    if not set(task.hyperparams) - {parameters.PROPERTIES}:
        return False
    asked = check(parameters.answers(task.id, task.hyperparams, known, Where(task.name)), known)
    return not isinstance(asked, list) and _said(asked.job.answers()) != _said(order.request.job.answers())


def _said(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers but for those that ClearML cannot tell from none."""
    return {
        name: value for name, value in flat(answers).items() if value is not None and value not in parameters.NOTHING
    }


def _stand_aside(reports: Reports, language: str) -> int:
    """Another process runs this task: it is not ours to end or to fail. An agent reports the end of a process over what the task says, but
    for a task that is no longer running; one whose process has gone silent has started before, and that is said."""
    print(f"denpyo: {reports.task.id}: another process runs it", file=sys.stderr, flush=True)
    while reports.is_at_work():
        time.sleep(BEAT)
    return _refused(reports, failed("reason_already_started", language)) if reports.is_running() else 0


def _language(task: Task) -> str:
    """The language of whoever asked, as the task says it."""
    noted = parameters.properties(task.hyperparams).get("language", "")
    return noted if noted in languages() else FALLBACK


def _order(reports: Reports, known: Mapping[str, Kind]) -> Order | Failed:
    """What the task asks, or why it may not run."""
    task, language = reports.task, _language(reports.task)
    noted = parameters.properties(task.hyperparams)
    if is_started(task.id, task.hyperparams):
        return failed("reason_already_started", language)
    if noted.get("ticket") == task.id:
        return _sent_by_the_desk(task, noted, language, known)
    if noted.get("direct") == "true":
        return _asked_directly(reports, known)
    return failed("reason_no_ticket", language)


def _sent_by_the_desk(task: Task, noted: Mapping[str, str], language: str, known: Mapping[str, Kind]) -> Order | Failed:
    data, run = task.configuration.get("slip", "").encode(), slip.RUN.fullmatch(noted.get("run", ""))
    if run is None or hashlib.sha256(data).hexdigest() != noted.get("slip_sha256"):
        return failed("reason_slip_changed", language)
    try:
        request = slip.read(data, known)
    except slip.SlipError as error:
        return failed("reason_problems", language, tuple(error.problems))
    return Order(data, run[0], request, known[request.kind])


def _asked_directly(reports: Reports, known: Mapping[str, Kind]) -> Order | Failed:
    """The hyperparameters of a copy, judged as those of any door."""
    task = reports.task
    where = Where(f"{task.name} ({task.id})")
    answers = parameters.answers(task.id, task.hyperparams, known, where)
    checked = check(answers, known)
    if isinstance(checked, list):
        return failed("reason_problems", answers.language, tuple(checked))
    form = known[checked.kind].form
    asked = json.dumps(task.hyperparams, ensure_ascii=False, sort_keys=True).encode()
    request = Request(
        id=task.id,
        kind=checked.kind,
        version=form.version,
        schema=form.fingerprint,
        denpyo=marks.denpyo_version(),
        requested_by=reports.name_of_user(),
        trust="claimed",
        requested_at=datetime.now(UTC),
        via=Via("clearml", f"clearml:{task.id}", hashlib.sha256(asked).hexdigest(), task.name),
        language=answers.language,
        job=checked.job,
        resources=checked.resources,
        changes=checked.changes,
    )
    return Order(slip.write(request), f"{task.id}.1", request, known[checked.kind])


def _folder(run: str) -> Path:
    """The folder of this attempt, outside of the clone, which the agent empties."""
    named = os.environ.get(FOLDER_VARIABLE)
    folder = Path(named) if named else _cache() / "runs"
    (folder / run).mkdir(parents=True, exist_ok=True, mode=0o700)
    return (folder / run).resolve()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "denpyo")


def _at_work(order: Order, reports: Reports, folder: Path) -> dict[str, Any] | None:
    """Let the run come to its end; its result, or None where this attempt has run here before."""
    file = folder / "slip.yaml"
    started_at = now()
    if not (folder / marks.STARTED).exists():
        file.write_bytes(order.slip)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", "jobs", str(file), "--out", str(folder), "--run", order.run],
        cwd=folder,
        env=_environment(order, reports, folder),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    code = _waited(process, order.request.resources.max_hours * 3600, partial(reports.note_alive, TELLS))
    if process.returncode in STARTED:
        return None
    if (folder / marks.RESULT).exists():
        found: dict[str, Any] = json.loads((folder / marks.RESULT).read_text(encoding="utf-8"))
        return found
    return _cut_off(order, folder, code, started_at)


def _waited(process: subprocess.Popen[bytes], seconds: float, tell: Callable[[], None]) -> str:
    """Why the run was cut off, should it have left no result. Word is given now and then that it goes on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, min(TELLS / 2, until - time.monotonic())))
            _end(process, signal.SIGKILL)  # whoever is left of what it started
            return "interrupted"
        with suppress(ReportError):
            tell()
    _end(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    _end(process, signal.SIGKILL)
    process.wait()
    return "time_limit"


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, how)


def _cut_off(order: Order, folder: Path, code: str, started_at: str) -> dict[str, Any]:
    reasons = {one: words.text(code, one) for one in languages()}
    ended = Failed(reasons[order.request.language], reasons=reasons)
    found = {**result(ended, order.request.language, started_at, []), "code": code}
    marks.write_result(folder, found)
    return found


def _environment(order: Order, reports: Reports, folder: Path) -> dict[str, str]:
    """What the run may know, with the folders that hold its data and models, and the lock file its libraries are of."""
    lock = origin.lock_of(reports.task.requirements)
    if lock is None:
        lock = folder / "requirements.txt"
        lock.write_text(reports.task.requirements, encoding="utf-8")
    passed = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    workload = order.kind.job.workload
    image = workload.image if isinstance(workload, Script) and os.environ.get("CLEARML_DOCKER_IMAGE") else ""
    return {
        **passed,
        "PYTHONPATH": str(origin.ROOT),
        origin.LOCK_VARIABLE: str(lock),
        **from_clearml.folders(order.kind.form, order.request.job.answers(), reports, _cache()),
        **({IMAGE_VARIABLE: image} if image else {}),
    }


def _over(reports: Reports, order: Order, folder: Path, found: dict[str, Any]) -> int:
    lost = reporting.report(reports, order.request, folder, found)
    with suppress(ReportError):
        reports.note_alive(0)
    if found["state"] == "done":
        if not lost and FOLDER_VARIABLE not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)  # the task has all of it, and the mark that it has started
        return 0
    return _failed(reports, order.request.language, found)


def _refused(reports: Reports, ended: Failed) -> int:
    """Nothing was run. Where answers are to be put right, they stand in a result too; a refusal leaves that of an earlier run alone."""
    language = next((one for one, said in ended.reasons.items() if said == ended.reason), FALLBACK)
    found = result(ended, language, now(), [])
    if ended.problems:
        reports.result(reporting.text(found))
    return _failed(reports, language, found)


def _failed(reports: Reports, language: str, found: Mapping[str, Any]) -> int:
    message = reporting.message(found, language)
    print(message, file=sys.stderr, flush=True)
    reports.failed(str(found["reason"]), message)
    _wait_for_the_agent()
    return 1


def _wait_for_the_agent() -> None:
    """Stay until the agent ends this process, as it does when it sees the task failed (clearml-agent 3.0.3, ``TaskStopSignal``): it
    then leaves the status as it is. Of a process that has ended by itself it reports the exit code, over what we have said."""
    if os.environ.get("CLEARML_WORKER_ID"):
        time.sleep(AGENT_LOOKS)
