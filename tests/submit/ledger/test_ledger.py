from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from submit.ledger import (
    Entry,
    Ledger,
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    RequestRow,
    RunRow,
    create,
    open_ledger,
    verify,
)

AT = "2026-11-21T07:00:00+09:00"
ABC = RequestRow("abc", "train_supervised", "accepted", "ja", AT)
ABC_1 = RunRow("abc.1", "abc", 1, "local", "gpu", 2.5, "queued", AT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "ledger")
    return tmp_path / "ledger"


def append(ledger: Ledger, *keys: str) -> list[bool]:
    with ledger.writing() as tx:
        return [tx.append(key, "noted", at=AT, user="dk") for key in keys]


def test_an_entry_is_read_back_as_it_was_written(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            tx.append("k1", "refused", at=AT, user="dk", detail={"problems": ["blank"], "数": 1.5}, beside="=1+1 山田")
            tx.append("k2", "accepted", at=AT, user="dk", request="abc")
        assert list(ledger.entries()) == [
            Entry(1, "k1", AT, "dk", "refused", None, {"problems": ["blank"], "数": 1.5}, "=1+1 山田"),
            Entry(2, "k2", AT, "dk", "accepted", "abc", {}, ""),
        ]


def test_the_body_is_canonical_json_and_its_hash_the_root(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            tx.append("k1", "noted", at=AT, user="dk", request="abc", detail={"b": 1, "a": "é"})
        body = (
            '{"action":"noted","at":"2026-11-21T07:00:00+09:00",'
            '"before":"0000000000000000000000000000000000000000000000000000000000000000","beside":null,'
            '"detail":{"a":"é","b":1},"key":"k1","request":"abc","seq":1,"slip":null,"user":"dk"}'
        ).encode()
        assert ledger.query("SELECT body FROM entries") == [(body,)]
        assert ledger.root() == sha256(b"\x00" + body).hexdigest()
        root = ledger.root()
        append(ledger, "k2")
        assert json.loads(ledger.query("SELECT body FROM entries WHERE seq = 2")[0][0])["before"] == root


def test_what_a_person_wrote_enters_as_a_salted_hash_only(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            tx.append("k1", "noted", at=AT, user="dk", beside="山田")
            tx.append("k2", "noted", at=AT, user="dk", beside="山田")
        (body_1, salt_1), (body_2, salt_2) = ledger.query("SELECT body, salt FROM entries JOIN beside USING (seq)")
    assert "山田".encode() not in body_1
    assert len(salt_1) == 16
    assert salt_1 != salt_2
    assert json.loads(body_1)["beside"] == sha256(salt_1 + "山田".encode()).hexdigest()
    assert json.loads(body_2)["beside"] == sha256(salt_2 + "山田".encode()).hexdigest()


def test_a_key_that_stands_already_writes_nothing(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        assert append(ledger, "k1", "k1", "k2") == [True, False, True]
        root = ledger.root()
        assert append(ledger, "k2") == [False]
        assert (ledger.size(), ledger.root()) == (2, root)
        assert ledger.has("k2")
        assert not ledger.has("k3")


def test_size_and_root_follow_the_appends_of_an_open_transaction(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        empty = ledger.root()
        with ledger.writing() as tx:
            tx.append("k1", "noted", at=AT, user="dk")
            assert ledger.size() == 1
            assert ledger.root() != empty
            assert ledger.has("k1")


def append_and_fail(ledger: Ledger) -> None:
    with ledger.writing() as tx:
        tx.append("k2", "noted", at=AT, user="dk", beside="text")
        tx.put_request(ABC)
        _ = 1 / 0


def test_a_transaction_that_fails_leaves_nothing(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        append(ledger, "k1")
        with pytest.raises(ZeroDivisionError):
            append_and_fail(ledger)
        assert (ledger.size(), ledger.has("k2"), ledger.requests()) == (1, False, [])
        append(ledger, "k3")
    assert verify(folder).ok


def test_a_transaction_that_is_over_takes_no_more(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            pass
        with pytest.raises(RuntimeError, match=r"^this transaction is over$"):
            tx.append("k1", "noted", at=AT, user="dk")


def test_one_ledger_is_not_written_twice_at_once(folder: Path) -> None:
    with (
        open_ledger(folder) as ledger,
        ledger.writing(),
        pytest.raises(RuntimeError, match=r"^this ledger is being written already$"),
        ledger.writing(),
    ):
        pass


@pytest.mark.parametrize("at", ["2026-11-21T07:00:00", "2026-11-21", "２０２６-11-21T07:00:00Z", ""])
def test_a_time_without_a_zone_is_a_mistake_of_the_program(folder: Path, at: str) -> None:
    with open_ledger(folder) as ledger, pytest.raises(ValueError, match=r"is no RFC 3339 time with a zone$"):  # noqa: SIM117
        with ledger.writing() as tx:
            tx.append("k1", "noted", at=at, user="dk")


def test_entries_are_read_by_request_and_from_a_number_on(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            for number in range(2500):
                tx.append(f"k{number}", "noted", at=AT, user="dk", request="odd" if number % 2 else "even")
        assert [entry.seq for entry in ledger.entries()] == list(range(1, 2501))
        assert [entry.seq for entry in ledger.entries("odd", since=2000)] == list(range(2002, 2501, 2))
        assert list(ledger.entries("none")) == []


def test_requests_are_put_in_place_and_stay_in_the_order_they_came(folder: Path) -> None:
    later = replace(ABC, id="aaa", state="held")
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            tx.put_request(ABC)
            tx.put_request(later)
        with ledger.writing() as tx:
            tx.put_request(replace(ABC, state="queued"))
        assert ledger.request("abc") == replace(ABC, state="queued")
        assert ledger.request("none") is None
        assert [row.id for row in ledger.requests()] == ["abc", "aaa"]
        assert ledger.requests(states=("held", "done")) == [later]
        assert ledger.requests(limit=1) == [replace(ABC, state="queued")]


def test_runs_are_put_in_place_and_found_by_request_and_state(folder: Path) -> None:
    again = replace(ABC_1, run="abc.2", attempt=2, result='{"loss": 0.5}', url="file:///run")
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            tx.put_run(ABC_1)
            tx.put_run(again)
            tx.put_request(ABC)
            tx.put_run(replace(ABC_1, state="failed", engine_id="7"))
        failed = replace(ABC_1, state="failed", engine_id="7")
        assert ledger.run("abc.1") == failed
        assert ledger.run("abc.3") is None
        assert ledger.runs() == [failed, again]
        assert ledger.runs("abc", states=("queued",)) == [again]
        assert ledger.runs(states=("failed", "done")) == [failed]
        assert ledger.runs("none") == []


@pytest.mark.parametrize(
    "row",
    [pytest.param(ABC_1, id="of no request"), pytest.param(replace(ABC_1, run="abc.7"), id="under another number")],
)
def test_a_run_that_belongs_nowhere_is_a_mistake_of_the_program(folder: Path, row: RunRow) -> None:
    with open_ledger(folder) as ledger:
        with pytest.raises(sqlite3.IntegrityError), ledger.writing() as tx:
            tx.put_run(row)
        assert ledger.runs() == []


def test_an_engine_keeps_a_table_of_its_own_in_the_same_transactions(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        ledger.ensure("CREATE TABLE IF NOT EXISTS local_queue (run TEXT PRIMARY KEY, pid INTEGER)")
        with ledger.writing() as tx:
            assert tx.execute("INSERT INTO local_queue VALUES (?, ?)", ("abc.1", 7)) == 1
            assert tx.execute("UPDATE local_queue SET pid = :pid", {"pid": 8}) == 1
            with open_ledger(folder) as other:
                other.ensure("CREATE TABLE IF NOT EXISTS local_queue (run TEXT PRIMARY KEY, pid INTEGER)")
        assert ledger.query("SELECT pid FROM local_queue WHERE run = ?", ("abc.1",)) == [(8,)]
    assert verify(folder).ok


def test_the_salt_of_the_desk_is_made_once(folder: Path, tmp_path: Path) -> None:
    create(tmp_path / "other")
    with open_ledger(folder) as ledger, open_ledger(folder) as again, open_ledger(tmp_path / "other") as other:
        assert len(ledger.salt) == 32
        assert ledger.salt == again.salt != other.salt


def test_a_ledger_held_by_another_is_busy_after_the_wait(folder: Path) -> None:
    with open_ledger(folder, wait=0.05) as ledger, (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LedgerBusy, match=r"/lock: another process has been writing for too long$"):
            append(ledger, "k1")
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert append(ledger, "k1") == [True]


def test_a_database_held_by_another_is_busy_after_the_wait(folder: Path) -> None:
    with open_ledger(folder, wait=0.05) as ledger, closing(sqlite3.connect(folder / "ledger.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerBusy, match=r"^ledger\.sqlite: another process has been using it for too long$"):
            ledger.size()


def test_a_reader_sees_what_was_kept_while_another_writes(folder: Path) -> None:
    with open_ledger(folder) as writer, open_ledger(folder) as reader:
        append(writer, "k1")
        with writer.writing() as tx:
            tx.append("k2", "noted", at=AT, user="dk")
            assert (reader.size(), reader.has("k2"), verify(folder).entries) == (1, False, 1)
        assert (reader.size(), reader.root()) == (2, writer.root())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            "DELETE FROM entries WHERE seq = 2", "entry 2: is not both in the ledger and in its frontier", id="cut"
        ),
        pytest.param("DELETE FROM frontier", "frontier: cannot be read", id="no frontier"),
        pytest.param("UPDATE frontier SET hashes = x'00'", "frontier: cannot be read", id="torn frontier"),
    ],
)
def test_nothing_is_appended_to_a_ledger_whose_end_is_damaged(folder: Path, damage: str, message: str) -> None:
    with open_ledger(folder) as ledger:
        append(ledger, "k1", "k2")
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
            db.execute(damage)
        with pytest.raises(LedgerDamaged, match=f"^{message}$"):
            append(ledger, "k3")


def test_a_body_that_is_no_json_is_damage_and_no_traceback(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        append(ledger, "k1")
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
            db.execute("UPDATE entries SET body = x'7b'")
        with pytest.raises(LedgerDamaged, match=r"^entry 1: cannot be read$"):
            list(ledger.entries())


def test_text_that_is_no_text_any_more_is_damage_and_no_traceback(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            tx.append("k1", "noted", at=AT, user="dk", beside="花子")
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
            db.execute("UPDATE beside SET text = CAST(x'ff' AS TEXT)")
        with pytest.raises(LedgerDamaged, match=r"^ledger\.sqlite: Could not decode"):
            list(ledger.entries())


def test_a_link_in_the_place_of_the_lock_is_refused(folder: Path) -> None:
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(folder / "elsewhere")
    with open_ledger(folder) as ledger, pytest.raises(LedgerError, match=r"/lock: Too many levels of symbolic links$"):
        append(ledger, "k1")
    assert not (folder / "elsewhere").exists()


def test_an_open_ledger_is_not_carried_over_a_fork(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        child = os.fork()
        if child == 0:
            try:
                ledger.has("k1")
            except RuntimeError as error:
                os._exit(7 if str(error) == "a ledger is not carried over a fork: open it again" else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
