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

from submit.desk import Desk, machine_user, now
from submit.engines import Engine, Handle, Look, Ticket, engines
from submit.keeping import read_slip
from submit.ledger import Ledger, RunRow, Writing
from submit.ledger.files import held

WAIT = 30.0
OPEN = ("queued", "running")
OVER = ("done", "failed", "stopped")


def deliver(desk: Desk) -> None:
    """Hand every allowed run to its engine that is not there yet, whoever allowed it."""
    with desk.ledger() as ledger:
        for row in ledger.runs(states=("accepted",)):
            folder = desk.runs / row.run
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with held(folder / "hand-off", WAIT):
                _deliver(desk, ledger, row.run)


def _deliver(desk: Desk, ledger: Ledger, run: str) -> None:
    row = ledger.run(run)
    if row is None or row.state != "accepted":
        return  # another process was quicker, or it was cancelled
    request = ledger.request(row.request)
    if request is None or request.slip is None:
        raise ValueError(f"{run} belongs to no request with a slip")
    engine = engines()[row.engine]
    with ledger.writing() as tx:
        _append(tx, f"enqueuing:{run}", "enqueuing", row, {"engine": row.engine, "queue": row.queue})
    ticket = Ticket(run, read_slip(desk, ledger, request), ledger.folder / request.slip, row.queue)
    handle = engine.find(desk, run) or engine.enqueue(desk, ticket)
    with ledger.writing() as tx:
        _queued(tx, ledger, row, handle)


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
            changed = [(row, looks[row.run]) for row in rows if row.run in looks and looks[row.run].state != row.state]
            if changed:
                with ledger.writing() as tx:
                    for row, look in changed:
                        _note(tx, ledger, row, look)


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
    text = json.dumps(beside, ensure_ascii=False, sort_keys=True) if beside else ""
    at = now().isoformat(timespec="milliseconds")
    tx.append(
        key, action, at=at, user=machine_user(), request=row.request, detail={"run": row.run, **detail}, beside=text
    )


def _move(tx: Writing, ledger: Ledger, row: RunRow) -> None:
    at = now().isoformat(timespec="milliseconds")
    tx.put_run(replace(row, updated_at=at))
    request = ledger.request(row.request)
    if request:
        tx.put_request(replace(request, state=row.state, updated_at=at))
