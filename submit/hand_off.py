"""From the ledger to an engine and back: hand over what was allowed, and note what became of it. Never twice, never lost.

An entry *enqueuing* stands before the call and *queued* after it, so that a crash in between is seen and finished by asking the
engine for the run first. The per-run lock is the kernel's: it is free as soon as the process that held it is gone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.slip import Request, SlipError
from schema.words import text
from submit.desk import Desk, machine_user, now
from submit.engines import Engine, EngineDownError, Handle, Look, Ticket, engines
from submit.keeping import read_slip
from submit.ledger import Ledger, RequestRow, RunRow, Writing
from submit.ledger.files import held

WAIT = 30.0
OPEN = ("queued", "running")
OVER = ("done", "failed", "stopped")


def deliver(desk: Desk) -> None:
    """Hand every allowed run to its engine that is not there yet, whoever allowed it. One that cannot be handed over fails alone;
    when an engine does not answer, that is said (EngineDownError) after all others were tried."""
    down: EngineDownError | None = None
    with desk.ledger() as ledger:
        for row in ledger.runs(states=("accepted",)):
            folder = desk.runs / row.run
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with held(folder / "hand-off", WAIT):
                    _deliver(desk, ledger, row.run)
            except EngineDownError as error:
                down = error
    if down:
        raise down


def _deliver(desk: Desk, ledger: Ledger, run: str) -> None:
    row = ledger.run(run)
    if row is None or row.state != "accepted":
        return  # another process was quicker, or it was cancelled
    request = ledger.request(row.request)
    if request is None or request.slip is None:
        raise ValueError(f"{run} belongs to no request with a slip")
    reason, kept = _readable(desk, ledger, request)
    if kept is None:
        with ledger.writing() as tx:
            _note(tx, ledger, row, Look("failed", {"state": "failed", "reason": reason, "metrics": {}}))
        return
    engine = engines()[row.engine]
    with ledger.writing() as tx:
        _append(tx, f"enqueuing:{run}", "enqueuing", row, {"engine": row.engine, "queue": row.queue})
    ticket = Ticket(run, kept, ledger.folder / request.slip, row.queue)
    handle = engine.find(desk, run) or engine.enqueue(desk, ticket)
    with ledger.writing() as tx:
        _queued(tx, ledger, row, handle)


def _readable(desk: Desk, ledger: Ledger, request: RequestRow) -> tuple[str, Request | None]:
    """The kept slip as a Request; or why it can no longer be run, in the requester's language."""
    if ledger.recorded_slip(request) is None:
        return text("slip_changed", request.language), None
    try:
        return "", read_slip(desk, ledger, request)
    except SlipError as error:
        return " ".join(problem.message(request.language) for problem in error.problems), None


def _queued(tx: Writing, ledger: Ledger, row: RunRow, handle: Handle) -> None:
    _append(tx, f"queued:{row.run}", "queued", row, {"engine": row.engine, "engine_id": handle.engine_id})
    _move(tx, ledger, replace(row, state="queued", engine_id=handle.engine_id, url=handle.url))


def follow(desk: Desk) -> None:
    """Ask the engines what became of the open runs, and write down what has changed."""
    by_engine: dict[str, list[RunRow]] = defaultdict(list)
    with desk.ledger() as ledger:
        for row in ledger.runs(states=OPEN):
            by_engine[row.engine].append(row)
        for name, rows in by_engine.items():
            looks = engines()[name].look(desk, [row.run for row in rows])
            if any(row.run in looks and _goes_on(row, looks[row.run]) for row in rows):
                with ledger.writing() as tx:
                    for run, look in looks.items():
                        now_row = ledger.run(run)  # read again: another process may have followed it further
                        if now_row and _goes_on(now_row, look):
                            _note(tx, ledger, now_row, look)


def _goes_on(row: RunRow, look: Look) -> bool:
    """Whether a look tells something that comes after what is known: never from over to open, nor from running to queued."""
    return row.state in OPEN and look.state != row.state and (row.state, look.state) != ("running", "queued")


def _note(tx: Writing, ledger: Ledger, row: RunRow, look: Look) -> None:
    result = dict(look.result or {})
    detail: dict[str, Any] = (
        {"metrics": result.get("metrics", {}), "passed": result.get("passed")} if look.state in OVER else {}
    )
    _append(
        tx,
        f"{look.state}:{row.run}",
        look.state,
        row,
        detail,
        {"reason": result["reason"]} if result.get("reason") else {},
    )
    _move(
        tx,
        ledger,
        replace(row, state=look.state, result=json.dumps(result, ensure_ascii=False) if result else row.result),
    )


def cancel(desk: Desk, request: str) -> bool:
    """Ask for a request to be stopped. False where there is nothing to stop any more. One that was not handed over never is."""
    with desk.ledger() as ledger:
        follow(desk)
        rows = [row for row in ledger.runs(request) if row.state not in OVER]
        with ledger.writing() as tx:
            for row in rows:
                _append(tx, f"stopping:{row.run}", "stopping", row, {})
        for row in rows:
            _stop(desk, ledger, engines()[row.engine], row)
    follow(desk)
    return bool(rows)


def _stop(desk: Desk, ledger: Ledger, engine: Engine, row: RunRow) -> None:
    folder = desk.runs / row.run
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(folder / "hand-off", WAIT):
        if engine.find(desk, row.run) is None:
            with ledger.writing() as tx:
                _note(tx, ledger, row, Look("stopped"))
            return
    engine.stop(desk, row.run)


def _append(
    tx: Writing, key: str, action: str, row: RunRow, detail: Mapping[str, Any], beside: Mapping[str, Any] | None = None
) -> None:
    written = json.dumps(beside, ensure_ascii=False, sort_keys=True) if beside else ""
    at = now().isoformat(timespec="milliseconds")
    tx.append(
        key, action, at=at, user=machine_user(), request=row.request, detail={"run": row.run, **detail}, beside=written
    )


def _move(tx: Writing, ledger: Ledger, row: RunRow) -> None:
    at = now().isoformat(timespec="milliseconds")
    tx.put_run(replace(row, updated_at=at))
    request = ledger.request(row.request)
    if request:
        tx.put_request(replace(request, state=row.state, updated_at=at))
