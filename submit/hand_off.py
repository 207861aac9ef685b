"""From the ledger to an engine and back: hand over what was allowed, and note what became of it. Never twice, never lost.

An entry *enqueuing* stands before the call and *queued* after it, so that a crash in between is seen and finished by asking the
engine for the run first. The lock is the kernel's: it is free as soon as the process that held it is gone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from schema.job import Resources
from schema.slip import SlipError
from schema.words import FALLBACK, text
from submit import budget, lineage
from submit.desk import Desk, DeskError, machine_user, now
from submit.engines import Engine, EngineDownError, Handle, Look, Ticket, engines
from submit.kept_slip import read_slip
from submit.ledger import Ledger, LedgerDamaged, New, RequestRow, RunRow, Writing
from submit.ledger.files import held

NOTHING: Mapping[str, Resources] = MappingProxyType({})
WAIT = 30.0
SEARCH_LAG = 600.0
"""Seconds that an engine may take until it finds by its tag what it was given."""
ANOTHER_SERVER = 24 * 3600.0
"""The same where it finds none of the runs: most likely the desk was sent to another server for a while."""
OPEN = ("queued", "running")
OVER = ("done", "failed", "stopped", "superseded")


def deliver(desk: Desk, wanted: Mapping[str, Resources] = NOTHING) -> dict[str, Handle]:
    """Hand every allowed run to its engine that is not there yet, whoever allowed it; the handles of those that were. One that cannot
    be handed over waits alone; when an engine does not answer, or lacks what it needs, that is said (EngineDownError, DeskError) after
    all others were tried.

    ``wanted`` is what runs may take whose slips this process has just written; the slips of the others are read again first.
    """
    handed: dict[str, Handle] = {}
    down = Down()
    with desk.ledger() as ledger:
        with down.noted():
            _release(desk, ledger)
        for name, rows in _by_engine(ledger.runs(states=("accepted",))).items():
            engine = engines()[name]
            with down.noted():  # an engine that did not answer is not asked again for the rest of its runs
                for start in range(0, len(rows), engine.AT_ONCE):
                    with alone_with(desk, name):
                        handed |= _deliver(desk, ledger, engine, rows[start : start + engine.AT_ONCE], wanted)
    down.note(*(EngineDownError(one.refused) for one in handed.values() if one.refused))
    down.say()
    return handed


class Down:
    """What engines did not answer, or lacked what they need, while others were tried."""

    def __init__(self) -> None:
        self._error: EngineDownError | DeskError | None = None

    @contextmanager
    def noted(self) -> Iterator[None]:
        try:
            yield
        except (EngineDownError, DeskError) as error:
            self._error = error

    def note(self, *errors: EngineDownError) -> None:
        self._error = next(iter(errors), self._error)

    def say(self) -> None:
        """Raise what was noted last, if anything was."""
        if self._error:
            raise self._error


def _by_engine(rows: Iterable[RunRow]) -> dict[str, list[RunRow]]:
    found: dict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        found[row.engine].append(row)
    return found


def alone_with(desk: Desk, engine: str) -> AbstractContextManager[None]:
    """Alone with an engine: what is handed over, withdrawn or stopped here is so for nobody else in this moment."""
    desk.runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    return held(desk.runs / f"hand-off.{engine}", WAIT)


def _deliver(
    desk: Desk, ledger: Ledger, engine: Engine, rows: Sequence[RunRow], wanted: Mapping[str, Resources]
) -> Mapping[str, Handle]:
    still = ledger.runs_still("accepted", [row.run for row in rows])
    rows = [row for row in rows if row.run in still]  # others were quicker
    unwanted = _unwanted(ledger, rows)
    for row in (one for one in rows if one.run in unwanted):
        _taken_back(desk, ledger, engine, row, Look("stopped"))
    rows = [row for row in rows if row.run not in unwanted]
    tickets = _tickets(desk, ledger, rows, wanted)
    rows = [row for row in rows if row.run in tickets]
    with ledger.writing() as tx:
        _append_all(
            tx, [_new(f"enqueuing:{row.run}", "enqueuing", row, engine=row.engine, queue=row.queue) for row in rows]
        )
    handles = engine.enqueue(desk, list(tickets.values()))  # it finds those that a call before a crash brought there
    with ledger.writing() as tx:
        _queued(tx, [row for row in rows if not handles[row.run].refused], handles)
    return handles


def _unwanted(ledger: Ledger, rows: Sequence[RunRow]) -> set[str]:
    """Those of the runs that somebody has asked to end, whether or not their engine has heard of it."""
    keys = ledger.keys_among([f"stopping:{row.run}" for row in rows])
    return {key.removeprefix("stopping:") for key in keys}


def _taken_back(desk: Desk, ledger: Ledger, engine: Engine, row: RunRow, look: Look, by: str = "") -> bool:
    """Note the end of a run that has not begun, once its engine has given it back or has never had it; whether that was so."""
    if not engine.withdraw(desk, row.run) and engine.find(desk, row.run):
        return False
    with ledger.writing() as tx:
        now_row = ledger.run(row.run)
        if now_row and now_row.state not in OVER:
            _note(tx, ledger, now_row, look, by=by)
    return True


def _tickets(desk: Desk, ledger: Ledger, rows: Sequence[RunRow], wanted: Mapping[str, Resources]) -> dict[str, Ticket]:
    """What the engine is handed, by run. A run whose slip can no longer be run has failed."""
    requests = ledger.requests_among([row.request for row in rows])
    allowed = ledger.allowed_among([row.request for row in rows if row.run not in wanted])
    tickets = {}
    for row in rows:
        request = requests.get(row.request)
        if request is None or request.slip is None:
            raise ValueError(f"{row.run} belongs to no request with a slip")
        reason, resources = "", wanted.get(row.run)
        if resources is None and row.request not in allowed:
            reason = text("run_not_allowed", request.language)
        elif resources is None:
            reason, resources = _readable(desk, ledger, request)
        if resources is None:
            with ledger.writing() as tx:
                _note(tx, ledger, row, Look("failed", {"state": "failed", "reason": reason, "metrics": {}}))
        else:
            tickets[row.run] = Ticket(row.run, resources, request.slip, row.queue)
    return tickets


def _readable(desk: Desk, ledger: Ledger, request: RequestRow) -> tuple[str, Resources | None]:
    """What the kept slip may take; or why it can no longer be run, in the requester's language."""
    try:
        return "", read_slip(desk, ledger, request).resources
    except LedgerDamaged:
        return text("slip_changed", request.language), None
    except SlipError as error:
        return " ".join(problem.message(request.language) for problem in error.problems), None


def _queued(tx: Writing, rows: Sequence[RunRow], handles: Mapping[str, Handle]) -> None:
    at = _at()
    _append_all(
        tx,
        [
            _new(f"queued:{row.run}", "queued", row, engine=row.engine, engine_id=handles[row.run].engine_id)
            for row in rows
        ],
    )
    tx.move_runs("queued", at, [(row.run, handles[row.run].engine_id, handles[row.run].url) for row in rows])
    tx.move_requests("queued", at, [row.request for row in rows])


def _release(desk: Desk, ledger: Ledger) -> None:
    """Let go on what waits for an earlier version of itself: that one is withdrawn if it has not begun, and waited for if it has."""
    waiting = ledger.runs(states=("held",))
    down = Down()
    if waiting:
        with down.noted():
            follow(desk)
    for row in waiting:
        with down.noted():
            _release_one(desk, ledger, row)
    down.say()


def _release_one(desk: Desk, ledger: Ledger, row: RunRow) -> None:
    for earlier in lineage.open_before(ledger, row.request):
        _withdraw(desk, ledger, earlier, by=row.request)
    if lineage.open_before(ledger, row.request):
        return
    with ledger.writing() as tx:
        now_row = ledger.run(row.run)
        if now_row and now_row.state == "held":  # nobody cancelled or released it meanwhile
            _append_all(tx, [_new(f"released:{row.run}", "released", row)])
            _move(tx, ledger, replace(now_row, state="accepted"))


def _withdraw(desk: Desk, ledger: Ledger, row: RunRow, by: str) -> None:
    """Take a run back before it begins, because its request has a next version. One that has begun goes on."""
    with alone_with(desk, row.engine):
        _taken_back(desk, ledger, engines()[row.engine], row, Look("superseded"), by)


def follow(desk: Desk) -> None:
    """Ask the engines what became of the open runs, and write down what has changed. When one does not answer, or lacks what it needs,
    that is said (EngineDownError, DeskError) after all others were asked."""
    down = Down()
    with desk.ledger() as ledger:
        for name, rows in _by_engine(ledger.runs(states=OPEN)).items():
            with down.noted():
                engine = engines()[name]
                looks = dict(engine.look(desk, [row.run for row in rows]))
                lag = SEARCH_LAG if looks else ANOTHER_SERVER
                looks |= {row.run: _gone(ledger, row) for row in rows if row.run not in looks and _ago(row) > lag}
                _follow(ledger, rows, looks)
                _see_to(desk, ledger, engine, rows, looks)
    down.say()


def _see_to(desk: Desk, ledger: Ledger, engine: Engine, rows: Sequence[RunRow], looks: Mapping[str, Look]) -> None:
    """What is still to do about open runs: those that somebody asked to end, whose engine did not answer then; those that are astray."""
    unwanted = _unwanted(ledger, rows)
    for row in (one for one in rows if one.run in looks and looks[one.run].state in OPEN):
        if row.run in unwanted:
            engine.stop(desk, row.run)
        elif looks[row.run].astray:
            with alone_with(desk, row.engine):
                engine.put_back(desk, row.run, row.queue)


def _follow(ledger: Ledger, rows: Sequence[RunRow], looks: Mapping[str, Look]) -> None:
    if any(row.run in looks and _goes_on(row, looks[row.run]) for row in rows):
        with ledger.writing() as tx:
            for run, look in looks.items():
                now_row = ledger.run(run)  # read again: another process may have followed it further
                if now_row and _goes_on(now_row, look):
                    _note(tx, ledger, now_row, look)


def _gone(ledger: Ledger, row: RunRow) -> Look:
    """A run that its engine had taken and knows no more: somebody has deleted it there."""
    request = ledger.request(row.request)
    reason = text("run_gone", request.language if request else FALLBACK)
    return Look("failed", {"state": "failed", "code": "run_gone", "reason": reason, "metrics": {}})


def _ago(row: RunRow) -> float:
    """Seconds since something was noted of a run."""
    return (now() - datetime.fromisoformat(row.updated_at)).total_seconds()


def _goes_on(row: RunRow, look: Look) -> bool:
    """Whether a look tells something that comes after what is known: never from over to open, nor from running to queued."""
    return row.state in OPEN and look.state != row.state and (row.state, look.state) != ("running", "queued")


def _note(tx: Writing, ledger: Ledger, row: RunRow, look: Look, by: str = "") -> None:
    """Write down what became of a run. One that stopped though nobody asked for that was withdrawn for its next version."""
    if look.state == "stopped" and not ledger.has(f"stopping:{row.run}"):
        by = lineage.next_of(ledger, row.request)
    state = "superseded" if by else look.state
    result = dict(look.result or {})
    detail: dict[str, Any] = {"by": by} if by else {}
    if look.state in OVER and not by:
        detail = {"metrics": result.get("metrics", {}), "passed": result.get("passed")}
    entry = _new(f"{state}:{row.run}", state, row, **detail)
    if result.get("reason"):
        entry = replace(entry, beside=json.dumps({"reason": result["reason"]}, ensure_ascii=False, sort_keys=True))
    _append_all(tx, [entry])
    if state in OVER:
        budget.settle(tx, ledger, row, result, now())
    _move(
        tx, ledger, replace(row, state=state, result=json.dumps(result, ensure_ascii=False) if result else row.result)
    )


def cancel(desk: Desk, request: str, beside: str = "") -> bool:
    """Ask for a request to be stopped. False where there is nothing to stop any more. One that was not handed over never is.
    ``beside`` says who asks."""
    with desk.ledger() as ledger:
        with suppress(EngineDownError, DeskError):  # it is asked again below
            follow(desk)
        rows = [row for row in ledger.runs(request) if row.state not in OVER]
        with ledger.writing() as tx:
            _append_all(tx, [replace(_new(f"stopping:{row.run}", "stopping", row), beside=beside) for row in rows])
        for row in rows:
            _stop(desk, ledger, engines()[row.engine], row)
    follow(desk)
    return bool(rows)


def _stop(desk: Desk, ledger: Ledger, engine: Engine, row: RunRow) -> None:
    with alone_with(desk, row.engine):
        if _taken_back(desk, ledger, engine, row, Look("stopped")):
            return
    engine.stop(desk, row.run)


def _new(key: str, action: str, row: RunRow, **detail: Any) -> New:
    return New(key, action, row.request, {"run": row.run, **detail})


def _append_all(tx: Writing, entries: Sequence[New]) -> set[str]:
    return tx.append_all(entries, at=_at(), user=machine_user())


def _at() -> str:
    return now().isoformat(timespec="milliseconds")


def _move(tx: Writing, ledger: Ledger, row: RunRow) -> None:
    at = _at()
    tx.put_run(replace(row, updated_at=at))
    request = ledger.request(row.request)
    if request:
        tx.put_request(replace(request, state=row.state, updated_at=at))
