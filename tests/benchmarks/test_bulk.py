"""The bulk benchmark in small: what it plants is found at its cells by everybody, so that its figures compare the same work."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import bulk, bulk_rows
from benchmarks.bulk import Book
from generators.excel.read import read
from schema.check import judge

ROWS, FAULTS = 200, 28


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return bulk.book(tmp_path_factory.mktemp("bulk"), ROWS, FAULTS)


def test_fourteen_sorts_of_faults_are_planted_in_rows_of_their_own() -> None:
    rows, faults = bulk_rows.planted(ROWS, FAULTS)
    assert len(rows) == ROWS
    assert len({one.row for one in faults}) == FAULTS
    assert Counter(Counter((one.key, one.code) for one in faults).values()) == {2: 14}


def test_the_same_seed_plants_the_same(book: Book) -> None:
    assert bulk_rows.planted(ROWS, FAULTS) == bulk_rows.planted(ROWS, FAULTS)
    assert bulk_rows.planted(ROWS, FAULTS, seed=1) != bulk_rows.planted(ROWS, FAULTS)


@pytest.mark.parametrize("party", ["denpyo check", "denpyo submit", bulk.EXPERT, bulk.PEOPLE])
def test_every_planted_fault_is_found_at_its_cell_and_nothing_else(party: str, book: Book, tmp_path: Path) -> None:
    if party == bulk.EXPERT:
        pytest.importorskip("jsonschema_rs", reason="comes with the extra bench")
    cost, blamed = bulk.PARTIES[party](book, tmp_path)
    assert len(book.cells) == FAULTS
    assert blamed == book.cells
    assert cost.cpu > 0
    assert cost.peak > 1


def test_a_fault_keeps_the_code_it_was_planted_for(book: Book) -> None:
    kinds = {"bulk": bulk_rows.kind()}
    reads, _ = read(book.file.read_bytes(), book.file.name, kinds)
    problems = [problem for one in reads for problem in (*one.problems, *judge(one.answers, kinds).problems)]
    rows = {one.where.spot.rpartition("!")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"): one for one in problems}
    planted = bulk_rows.planted(ROWS, FAULTS)[1]
    assert {(row, one.question, one.code) for row, one in rows.items()} == {
        (str(one.row), one.key, one.code) for one in planted
    }


def test_a_bar_says_what_was_allowed_and_what_was_reached() -> None:
    assert bulk.bar("check", 0.75, 0.8) == "| check | ≤ 0.80 | 0.75 | reached |"
    assert bulk.bar("one form", 351.2, 350, "ms") == "| one form | ≤ 350 ms | 351 ms | missed |"


def test_a_program_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        bulk.measured(["-c", "raise SystemExit(3)"])
