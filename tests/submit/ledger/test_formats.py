"""A ledger that a released denpyo wrote, kept as it was: tests/released/ledger_v1."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from submit.ledger import LedgerError, create, open_ledger, verify
from submit.ledger.files import FORMAT, open_database
from submit.ledger.formats import STEPS, upgrade

RELEASED = Path(__file__).parents[2] / "released"
AT = "2027-01-01T00:00:00Z"
ROOTS = {"ledger_v1": (16, "de85a30cbac2d01fc247a0d6847a6c828fe95248e2a41f06f8fe16c723b6518d")}
STEP = {
    1: ("ALTER TABLE runs ADD COLUMN place TEXT NOT NULL DEFAULT ''",),
    2: ("CREATE TABLE places_of_runs (run TEXT)",),
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RELEASED / "ledger_v1", tmp_path / "ledger"))


@pytest.mark.parametrize("name", sorted(ROOTS))
def test_a_ledger_of_a_released_format_is_opened_verified_and_written_on(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(RELEASED / name, tmp_path / "ledger"))
    entries, root = ROOTS[name]
    verdict = verify(folder)
    assert (verdict.ok, verdict.entries, verdict.root, verdict.unrecorded) == (True, entries, root, ())
    with open_ledger(folder) as ledger:
        assert [row.state for row in ledger.requests()] == ["done", "done", "refused"]
        assert [entry.action for entry in ledger.entries()][:2] == ["made", "changed"]
        assert '"requested_by": "太郎@example.com"' in "".join(entry.beside_text or "" for entry in ledger.entries())
        assert all(ledger.recorded_slip(row) for row in ledger.requests(("done",)))
        with ledger.writing() as tx:
            tx.append("new", "noted", at=AT, user="dk")
    assert (verify(folder).ok, verify(folder).entries) == (True, entries + 1)


def test_there_is_a_way_from_every_format_there_ever_was_and_a_ledger_of_each_is_kept() -> None:
    assert sorted(STEPS) == list(range(1, FORMAT))
    assert sorted(ROOTS) == [f"ledger_v{format}" for format in range(1, FORMAT + 1)]


def test_an_older_format_is_said_with_what_to_do(old: Path) -> None:
    told = r"^ledger\.sqlite: format 1 is older than this program's 2: `denpyo audit upgrade` first$"
    with pytest.raises(LedgerError, match=told):
        open_database(old, known=2)


def test_an_older_format_is_brought_up_step_by_step_and_each_is_an_entry(old: Path) -> None:
    before = verify(old)
    assert upgrade(old, at=AT, user="dk", steps=STEP, to=3) == (1, 3)
    with pytest.raises(LedgerError, match=r"format 3 is newer than this program, which knows 1$"):
        open_ledger(old)
    db = open_database(old, known=3)
    assert db.execute("SELECT count(*) FROM runs WHERE place = ''").fetchone() == (2,)
    bodies = [body.decode() for (body,) in db.execute("SELECT body FROM entries ORDER BY seq")]
    db.execute("UPDATE meta SET value = 1 WHERE key = 'format'")
    db.close()
    assert len(bodies) == before.entries + 2
    assert '"action":"changed"' in bodies[-1]
    assert '"detail":{"from":2,"to":3,"what":"format"}' in bodies[-1]
    assert '"user":"dk"' in bodies[-1]
    assert verify(old).ok


def test_a_step_that_fails_leaves_the_ledger_as_it_was(old: Path) -> None:
    before = (old / "ledger.sqlite").read_bytes()
    with pytest.raises(Exception, match="no such table"):
        upgrade(old, at=AT, user="dk", steps={**STEP, 2: ("INSERT INTO nowhere VALUES (1)",)}, to=3)
    assert verify(old).ok
    with open_ledger(old) as ledger:
        assert ledger.size() == 16
    assert len((old / "ledger.sqlite").read_bytes()) == len(before)


def test_a_format_without_a_way_is_said(old: Path) -> None:
    with pytest.raises(LedgerError, match=r"/ledger: no way is known from format 1 to 4$"):
        upgrade(old, at=AT, user="dk", steps=STEP, to=4)


def test_the_present_format_is_left_as_it_is(tmp_path: Path) -> None:
    create(tmp_path)
    assert upgrade(tmp_path, at=AT, user="dk") == (FORMAT, FORMAT)
    assert verify(tmp_path).entries == 0
