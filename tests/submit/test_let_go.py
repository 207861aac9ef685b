"""Nothing is handed over that no entry has let go, whatever stands in the working tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from submit import hand_off
from submit.desk import LEDGER
from submit.ledger import LedgerDamaged, RunRow, verify
from submit.ledger.rows import New
from submit.standing import standing
from tests.desks.asking import Wanted, ask_one, desk_with

HELD = """version: 1
rules:
- who: ["mail:*@example.jp", "mail:*@example.com"]
  kinds: ["*"]
  queues: ["*"]
  approve: {always: true, by: ["mail:boss@example.com"]}
"""


def test_a_run_that_somebody_wrote_into_the_table_beside_a_held_request_is_not_handed_over(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, HELD)
    request = ask_one(desk, Wanted("one"))
    with desk.ledger() as ledger, ledger.writing() as tx:
        row = ledger.request(request)
        assert row is not None
        assert row.state == "held"
        tx.put_run(RunRow(f"{request}.1", request, 1, "local", "default", 1.0, "accepted", row.updated_at))
        tx.put_request(replace(row, state="accepted"))
    hand_off.deliver(desk)
    found = standing(desk, request)
    assert (found.request.state, found.result["reason"]) == (
        "failed",
        "No entry of the record allows this run, so it was not started. Please tell your operator.",
    )


def test_an_entry_that_hands_over_what_nothing_allowed_is_damage(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, HELD)
    request = ask_one(desk, Wanted("one"))
    with desk.ledger() as ledger, ledger.writing() as tx:
        entry = New(f"enqueuing:{request}.1", "enqueuing", request, {"run": f"{request}.1"})
        tx.append_all([entry], at="2026-11-21T09:00:00Z", user="op")
        size = tx.frontier.size
    assert verify(desk.folder / LEDGER).wrong == (
        f"entry {size}: request '{request}' was handed over, and no entry before allows that"
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("CREATE TRIGGER quiet AFTER INSERT ON runs BEGIN DELETE FROM budget; END", "trigger 'quiet'"),
        ("CREATE VIEW other AS SELECT * FROM beside", "view 'other'"),
    ],
)
def test_a_ledger_with_a_program_in_it_is_not_opened(tmp_path: Path, made: str, said: str) -> None:
    desk = desk_with(tmp_path, HELD)
    ask_one(desk, Wanted("one"))
    with closing(sqlite3.connect(desk.folder / LEDGER / "ledger.sqlite")) as db:
        db.execute(made)
        db.commit()
    with pytest.raises(LedgerDamaged, match=f"ledger.sqlite: holds {said}, which no ledger has"):
        desk.ledger()
    assert verify(desk.folder / LEDGER).wrong == f"ledger.sqlite: holds {said}, which no ledger has"
