from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from submit.ledger import RequestRow, Verdict, create, open_ledger, verify

AT = "2026-11-21T07:00:00+09:00"
ABC, DEF = "slips/2026/11/abc.yaml", "slips/2026/11/def.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six entries: 1 has text and a slip, 2 neither, 3 a slip, 4 text, 5 and 6 neither."""
    create(tmp_path)
    with open_ledger(tmp_path) as ledger, ledger.writing() as tx:
        for slip_id in ("abc", "def"):
            ledger.write_slips({slip_id: f"id: {slip_id}\n".encode()}, 2026, 11)
        tx.append("k1", "accepted", at=AT, user="dk", request="abc", beside="花子", slip=b"id: abc\n")
        tx.append("k2", "queued", at=AT, user="dk", request="abc", detail={"queue": "gpu-a100"})
        tx.append("k3", "accepted", at=AT, user="dk", request="def", slip=b"id: def\n")
        tx.append("k4", "refused", at=AT, user="dk", beside="太郎")
        tx.append("k5", "queued", at=AT, user="dk", request="def", detail={"queue": "gpu-a100"})
        tx.append("k6", "done", at=AT, user="dk", request="def", detail={"queue": "gpu-a100"})
        tx.put_request(RequestRow("abc", "infer", "queued", "ja", AT, ABC))
        tx.put_request(RequestRow("def", "infer", "done", "ja", AT, DEF))
    return tmp_path


def change(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db:
        db.executescript(script)


def test_a_ledger_as_it_was_written_is_sound(folder: Path) -> None:
    with open_ledger(folder) as ledger:
        assert verify(folder) == Verdict(True, 6, ledger.root(), "", ())


def test_an_empty_ledger_is_sound(tmp_path: Path) -> None:
    create(tmp_path)
    assert verify(tmp_path) == Verdict(True, 0, sha256(b"").hexdigest(), "", ())


EDIT = "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'gpu-a100', 'gpu-h100') AS BLOB) WHERE seq = "
SHIFTED = "UPDATE entries SET seq = -seq WHERE seq > 3; UPDATE entries SET seq = 1 - seq WHERE seq < 0;"


@pytest.mark.parametrize(
    ("script", "wrong"),
    [
        pytest.param(EDIT + "2", "entry 2: is not the one that entry 3 was written after", id="edited"),
        pytest.param(EDIT + "6", "entry 6: does not lead to the stored frontier", id="the last edited"),
        pytest.param(
            "UPDATE entries SET body = CAST(body || ' ' AS BLOB) WHERE seq = 2",
            "entry 2: is not the body of an entry",
            id="one byte more",
        ),
        pytest.param(
            "UPDATE entries SET body = CAST(body AS TEXT) WHERE seq = 2",
            "entry 2: is not the body of an entry",
            id="of another type",
        ),
        pytest.param(
            "UPDATE entries SET body = x'ff' WHERE seq = 2", "entry 2: is not the body of an entry", id="no text"
        ),
        pytest.param(
            "UPDATE entries SET body = '{}' WHERE seq = 1", "entry 1: is not the body of an entry", id="emptied"
        ),
        pytest.param(
            "UPDATE entries SET body = CAST('{\"action\":' || hex(zeroblob(60000)) AS BLOB) WHERE seq = 5",
            "entry 5: is not the body of an entry",
            id="no JSON",
        ),
        pytest.param(
            "INSERT INTO entries SELECT 7, 'k7', request, body FROM entries WHERE seq = 6",
            "entry 7: was written as entry 6",
            id="the last duplicated",
        ),
        pytest.param(
            SHIFTED + " INSERT INTO entries SELECT 4, 'again', request, body FROM entries WHERE seq = 3",  # noqa: S608
            "entry 4: was written as entry 3",
            id="one inserted",
        ),
        pytest.param(
            "INSERT INTO entries SELECT 0, 'k0', request, body FROM entries WHERE seq = 1",
            "entry 0: has no place before entry 1",
            id="one before the first",
        ),
        pytest.param("DELETE FROM entries WHERE seq = 1", "entry 1: is missing", id="the first deleted"),
        pytest.param("DELETE FROM entries WHERE seq = 3", "entry 3: is missing", id="deleted"),
        pytest.param(
            "DELETE FROM entries WHERE seq = 3; UPDATE entries SET seq = seq - 1 WHERE seq > 3",
            "entry 3: was written as entry 4",
            id="deleted and closed up",
        ),
        pytest.param(
            "DELETE FROM entries WHERE seq > 4",
            "entry 5: is missing, of the 6 that the frontier counts",
            id="truncated",
        ),
        pytest.param("DELETE FROM entries", "entry 1: is missing, of the 6 that the frontier counts", id="all deleted"),
        pytest.param(
            "UPDATE entries SET body = (SELECT body FROM entries AS other WHERE other.seq = 7 - entries.seq)"
            " WHERE seq IN (2, 5)",
            "entry 2: was written as entry 5",
            id="two swapped",
        ),
        pytest.param(
            "UPDATE entries SET key = 'other' WHERE seq = 2",
            "entry 2: stands under another key or request than it was written with",
            id="another key",
        ),
        pytest.param(
            "UPDATE entries SET request = NULL WHERE seq = 2",
            "entry 2: stands under another key or request than it was written with",
            id="no request",
        ),
        pytest.param(
            "UPDATE frontier SET size = 5, hashes = zeroblob(64)", "entry 6: is not in the frontier", id="behind"
        ),
        pytest.param(
            "UPDATE frontier SET hashes = zeroblob(64)",
            "entry 6: does not lead to the stored frontier",
            id="another frontier",
        ),
        pytest.param("DELETE FROM frontier", "frontier: is not that of the entries", id="no frontier"),
        pytest.param(
            "UPDATE beside SET text = 'x' WHERE seq = 1", "entry 1: the text beside it was changed", id="text"
        ),
        pytest.param(
            "UPDATE beside SET text = '' WHERE seq = 4", "entry 4: the text beside it was changed", id="no text"
        ),
        pytest.param(
            "UPDATE beside SET text = 'x' WHERE seq = 3", "entry 3: the text beside it was changed", id="added"
        ),
        pytest.param(
            "UPDATE beside SET text = CAST(x'ff' AS TEXT) WHERE seq = 1",
            "entry 1: the text beside it was changed",
            id="text that is none",
        ),
        pytest.param("UPDATE beside SET salt = x'00' WHERE seq = 3", f"entry 3: {DEF} was changed", id="salt"),
        pytest.param(
            "INSERT INTO beside VALUES (2, x'00', 'x')",
            "entry 2: nothing of the kind was written beside it",
            id="text beside an entry that has none",
        ),
        pytest.param(
            "INSERT INTO beside VALUES (99, x'00', 'x')",
            "beside: row 99 belongs to none of the entries",
            id="text beside no entry",
        ),
        pytest.param(
            "UPDATE requests SET slip = 'slips/2026/11/abc.yaml' WHERE id = 'def'",
            "request 'def': its slip is not the one that its entry recorded",
            id="the slip of another",
        ),
        pytest.param(
            "UPDATE requests SET slip_sha256 = 'x' WHERE id = 'abc'",
            "request 'abc': its slip is not the one that its entry recorded",
            id="another hash",
        ),
        pytest.param(
            "UPDATE requests SET slip = NULL, slip_sha256 = NULL WHERE id = 'abc'",
            "request 'abc': its slip is not the one that its entry recorded",
            id="a slip forgotten",
        ),
        pytest.param(
            "DROP TABLE requests",
            "ledger.sqlite: no such table: requests, after entry 6",
            id="a table dropped",
        ),
    ],
)
def test_a_changed_ledger_names_the_first_wrong_entry(folder: Path, script: str, wrong: str) -> None:
    change(folder, script)
    verdict = verify(folder)
    assert (verdict.ok, verdict.wrong) == (False, wrong)


def test_an_entry_chained_by_hand_is_not_in_the_frontier(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
        (last,) = db.execute("SELECT body FROM entries WHERE seq = 6").fetchone()
        forged = {**json.loads(last), "seq": 7, "key": "k7", "before": sha256(b"\x00" + last).hexdigest()}
        body = json.dumps(forged, sort_keys=True, separators=(",", ":")).encode()
        db.execute("INSERT INTO entries VALUES (7, 'k7', 'def', ?)", (body,))
    assert verify(folder).wrong == "entry 7: is not in the frontier"


def test_a_verdict_counts_the_entries_up_to_the_wrong_one(folder: Path) -> None:
    with open_ledger(folder) as ledger, ledger.writing() as tx:
        tx.append("k7", "noted", at=AT, user="dk")
    change(folder, "DELETE FROM entries WHERE seq = 7; UPDATE entries SET key = 'other' WHERE seq = 6")
    verdict = verify(folder)
    assert (verdict.entries, verdict.unrecorded) == (5, ())


def replace_slip(file: Path, content: bytes) -> None:
    file.unlink()
    file.write_bytes(content)


def test_a_changed_slip_names_its_entry_and_file(folder: Path) -> None:
    replace_slip(folder / DEF, b"id: deg\n")
    assert verify(folder).wrong == f"entry 3: {DEF} was changed"


def test_a_missing_slip_names_its_entry_and_request(folder: Path) -> None:
    (folder / DEF).unlink()
    assert verify(folder).wrong == "entry 3: the slip of request 'def' is missing"


def test_a_slip_in_another_month_is_not_the_one_of_its_request(folder: Path) -> None:
    (folder / "slips/2026/12").mkdir()
    (folder / DEF).rename(folder / "slips/2026/12/def.yaml")
    assert verify(folder).wrong == "request 'def': its slip is not the one that its entry recorded"


def test_a_link_in_the_place_of_a_slip_is_not_followed(folder: Path) -> None:
    (folder / DEF).rename(folder / "elsewhere")
    (folder / DEF).symlink_to(folder / "elsewhere")
    assert verify(folder).wrong == f"entry 3: {DEF} was changed"


def test_files_that_no_entry_names_are_listed_and_no_fault(folder: Path) -> None:
    for name in ("2026/11/ghi.yaml", "2026/11/.new", "2026/\x1b[31m.yaml", "2025/11/def.yaml"):
        (folder / "slips" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "slips" / name).write_bytes(b"")
    verdict = verify(folder)
    assert verdict.ok
    assert verdict.unrecorded == (
        "'slips/2026/11/.new'",
        "'slips/2026/\\x1b[31m.yaml'",
        "slips/2025/11/def.yaml",
        "slips/2026/11/ghi.yaml",
    )


def test_erased_text_and_slips_leave_the_tree_as_it_was(folder: Path) -> None:
    before = verify(folder)
    with open_ledger(folder) as ledger:
        with ledger.writing() as tx:
            assert tx.execute("DELETE FROM beside WHERE seq IN (1, 3, 4)") == 3
            tx.append("erased:1", "erased", at="2026-11-21T09:00:00Z", user="op", detail={"texts": 3})
        (folder / ABC).unlink()
        (folder / DEF).unlink()
        assert [entry.beside_text for entry in ledger.entries()] == [None, "", "", None, "", "", ""]
    after = verify(folder)
    assert (after.ok, after.entries, after.unrecorded) == (True, before.entries + 1, ())
    assert "花子".encode() not in (folder / "ledger.sqlite").read_bytes()


def test_the_slip_of_an_erased_entry_that_is_still_there_is_listed(folder: Path) -> None:
    with open_ledger(folder) as ledger, ledger.writing() as tx:
        tx.execute("DELETE FROM beside WHERE seq = 3")
        tx.append("erased:1", "erased", at="2026-11-21T09:00:00Z", user="op", detail={"texts": 1})
    verdict = verify(folder)
    assert (verdict.ok, verdict.unrecorded) == (True, (DEF,))


def test_a_text_that_is_gone_though_no_entry_says_that_it_was_erased_is_missed(folder: Path) -> None:
    change(folder, "DELETE FROM beside WHERE seq IN (1, 3)")
    assert verify(folder).wrong == (
        "entry 1: what was written beside it is gone, and beside 1 more; entries say that 0 were erased"
    )
    with open_ledger(folder) as ledger, ledger.writing() as tx:
        tx.append("erased:1", "erased", at="2026-11-21T09:00:00Z", user="op", detail={"texts": 1})
    assert verify(folder).wrong == (
        "entry 1: what was written beside it is gone, and beside 1 more; entries say that 1 were erased"
    )


def test_a_torn_page_is_a_wrong_verdict_wherever_it_is(folder: Path) -> None:
    whole = (folder / "ledger.sqlite").read_bytes()
    for start in range(0, len(whole), 4096):
        (folder / "ledger.sqlite").write_bytes(whole[:start] + bytes(4096) + whole[start + 4096 :])
        verdict = verify(folder)
        assert not verdict.ok, f"page at {start}"
        assert "\n" not in verdict.wrong


def test_a_file_cut_short_is_a_wrong_verdict_wherever_it_is_cut(folder: Path) -> None:
    whole = (folder / "ledger.sqlite").read_bytes()
    for length in range(0, len(whole) - 4096, 1500):
        (folder / "ledger.sqlite").write_bytes(whole[:length])
        assert not verify(folder).ok, f"{length} bytes"


def test_a_flipped_bit_is_found_or_changes_no_entry(folder: Path) -> None:
    sound = verify(folder)
    whole = (folder / "ledger.sqlite").read_bytes()
    for at in range(0, len(whole), 331):
        flipped = bytes([whole[at] ^ 1 << at % 8])
        (folder / "ledger.sqlite").write_bytes(whole[:at] + flipped + whole[at + 1 :])
        verdict = verify(folder)
        assert not verdict.ok or (verdict.entries, verdict.root) == (sound.entries, sound.root), f"byte {at}"
