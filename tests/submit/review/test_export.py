"""What leaves a desk as lines: exact as JSON, harmless as CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.desk import Desk
from submit.ledger.merkle import leaf_hash
from submit.review import export
from submit.review.stored import Stored
from submit.review.wanted import wanted
from tests.submit.review.desks import HOSTILE, HOSTILE_NOTE


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param("=1+1", "'=1+1", id="formula"),
        pytest.param("+81-3", "'+81-3", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("＝１＋１", "'＝１＋１", id="full width"),
        pytest.param("＠SUM", "'＠SUM", id="full-width at"),
        pytest.param("  =1", "'  =1", id="behind blanks"),
        pytest.param("\u3000=1", "'\u3000=1", id="behind a wide blank"),
        pytest.param("\u200b=1", "'\u200b=1", id="behind what nobody sees"),
        pytest.param("\t1", "'\t1", id="tab"),
        pytest.param("\r1", "'\r1", id="return"),
        pytest.param("\n=1", "'\n=1", id="line"),
        pytest.param("'=1", "''=1", id="with an apostrophe already"),
        pytest.param("山田 太郎", "山田 太郎", id="a name"),
        pytest.param("a=b", "a=b", id="not in front"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_no_text_is_a_formula(text: str, cell: str) -> None:
    assert export.harmless(text) == cell


@given(st.text(alphabet=st.sampled_from("=+-@＝＋－＠\t\r\n' \u3000\u200b\ufeffa1,;\"")))
def test_every_text_comes_back_and_none_begins_like_a_formula(text: str) -> None:
    written = export.harmless(text)
    assert export.as_written(written) == text
    assert not written.strip(" \u3000\u200b\ufeff").startswith(export.FORMULA)


def test_numbers_stay_numbers_and_lists_are_json() -> None:
    found = [export.cell(one) for one in (-0.5, 3, True, None, ["a"], {"x": 1})]
    assert found == [-0.5, 3, True, "", '["a"]', '{"x": 1}']


def written(desk: Desk, folder: Path, name: str, of: str, **asked: str) -> list[dict[str, Any]]:
    count = export.write(desk, folder / name, of, wanted(**asked))
    with (folder / name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file)) if name.endswith(".csv") else [json.loads(line) for line in file]
    assert len(rows) == count
    return rows


def test_json_lines_hold_every_entry_as_it_is_stored(desk: Desk, tmp_path: Path) -> None:
    rows = written(desk, tmp_path, "all.jsonl", "entries")
    with desk.ledger() as ledger:
        stored = [body for (body,) in ledger.query("SELECT body FROM entries ORDER BY seq")]
    assert [one["body"].encode() for one in rows] == stored
    assert [one["hash"] for one in rows] == [leaf_hash(body).hex() for body in stored]
    assert [one["before"] for one in rows[1:]] == [one["hash"] for one in rows[:-1]]


def test_a_csv_of_requests_has_one_row_each_and_every_answer_a_column(desk: Desk, tmp_path: Path) -> None:
    rows = written(desk, tmp_path, "all.csv", "requests")
    exact = written(desk, tmp_path, "all.jsonl", "requests")
    assert len(rows) == 200
    assert [one["id"] for one in rows] == [one["id"] for one in exact]
    assert {one["answers.dataset_id"] for one in rows} == {"", "wine", "diabetes", "sales", "churn-2026"}
    assert HOSTILE in {one["who"] for one in rows}
    assert HOSTILE_NOTE in {export.as_written(one["again"]) for one in rows}
    assert [one["answers.note"] for one in rows if one["answers.note"].startswith(("=", "+"))] == []


def test_excel_is_told_that_it_is_unicode(desk: Desk, tmp_path: Path) -> None:
    written(desk, tmp_path, "entries.csv", "entries")
    assert (tmp_path / "entries.csv").read_bytes().startswith(b'\xef\xbb\xbf"seq","at"')
    assert (tmp_path / "entries.csv").stat().st_mode & 0o077 == 0


def test_a_filter_leaves_what_is_asked_for(desk: Desk, tmp_path: Path) -> None:
    def entries(**asked: str) -> list[dict[str, Any]]:
        return written(desk, tmp_path, "some.jsonl", "entries", **asked)

    assert {one["action"] for one in entries(action="rejected")} == {"rejected"}
    assert {one["at"][:10] for one in entries(since="2026-10-05", until="2026-10-05")} == {"2026-10-05"}
    assert {one["request"] for one in entries(request=entries()[5]["request"].upper())} == {entries()[5]["request"]}
    whose = {one["id"] for one in written(desk, tmp_path, "who.jsonl", "requests", who="ALICE")}
    assert {one["request"] for one in entries(who="alice")} == whose
    decided = entries(who="boss@")
    assert {one["action"] for one in decided} == {"approved", "rejected"}
    states = written(desk, tmp_path, "state.jsonl", "requests", state="failed", kind="inference")
    assert {(one["state"], one["kind"]) for one in states} == {("failed", "inference")}


def test_what_was_erased_matches_no_name(own_desk: Desk, tmp_path: Path) -> None:
    with own_desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("DELETE FROM beside WHERE seq IN (SELECT seq FROM beside WHERE text LIKE '%alice%')")
        tx.execute("DELETE FROM asked WHERE subject LIKE '%alice%'")
    for slip in (own_desk.folder / "ledger" / "slips").rglob("*.yaml"):
        if "alice" in slip.read_text(encoding="utf-8"):
            slip.unlink()
    assert written(own_desk, tmp_path, "who.jsonl", "requests", who="alice") == []
    assert sum(one["erased"] for one in written(own_desk, tmp_path, "all.jsonl", "requests")) > 5


def test_an_entry_is_one_line_whatever_stands_in_it() -> None:
    told = {"at": "2026-11-21\n", "user": "a\x1b[31m", "action": "done", "detail": {"rule\n": "x\ny", "sha": "0" * 64}}
    one = Stored(7, "k", "id\r", "", "", told, "", None)
    said = export.line(one)
    assert said == "     7  2026-11-21   a�[31m  done  id   rule  x y, sha 000000000000…"
