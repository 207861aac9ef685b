"""The fuzz of the Excel door, on a few workbooks; `.ci/run` takes 20,000 and `make fuzz` a million."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

from benchmarks import fuzz
from benchmarks.second_reader import sheets_of
from generators.excel.cells import read_cells
from generators.excel.read import read
from generators.excel.sheet import Sheet
from schema.answers import Where
from schema.problem import Problem
from tests.generators.excel.workbooks import (
    GOOD,
    KINDS,
    ROOT,
    answer,
    edited,
    form_of_everything,
    packed,
    parts_of,
    table_of_everything,
)


def test_the_same_number_gives_the_same_workbook() -> None:
    assert [fuzz.workbook(7, number) for number in range(40)] == [fuzz.workbook(7, number) for number in range(40)]
    assert fuzz.workbook(7, 1) != fuzz.workbook(8, 1)


def test_the_second_reader_reads_our_templates_as_the_first_does() -> None:
    for data in (form_of_everything(), table_of_everything(GOOD, GOOD), form_of_everything("en", None)):
        first, second = read_cells(data), sheets_of(data)
        assert isinstance(first, tuple)
        assert [texts(one) for one in first] == [texts(one) for one in second]


def texts(sheet: Sheet) -> tuple[str, bool, dict[tuple[int, int], str]]:
    """What stands in a sheet, wherever it ends."""
    cells = ((row, column, text) for row, line in enumerate(sheet.rows) for column, text in enumerate(line) if text)
    return sheet.name, sheet.hidden, {(row, column): text for row, column, text in cells}


def start(state: Path, workers: int) -> subprocess.Popen[str]:
    words = ["--count", "120", "--block", "40", "--seed", "5", "--state", str(state), "--workers", str(workers)]
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fuzz", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_what_is_no_style_is_none_for_the_second_reader_either() -> None:
    parts = parts_of(form_of_everything())
    before, middle, after = parts["xl/styles.xml"].partition(b"<cellXfs")
    broken = before + middle + after.replace(b"<xf ", b'<row r="5"/><xf ', 1)
    data = packed({**parts, "xl/styles.xml": broken})
    first = read_cells(data)
    assert isinstance(first, tuple)
    assert [texts(one) for one in sheets_of(data)] == [texts(one) for one in first]


@pytest.mark.untraced
def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "a folder that is not there yet/fuzz.json"
    with start(state, 1) as run:
        until = time.monotonic() + 300
        while not state.exists() and time.monotonic() < until:
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
    before = json.loads(state.read_text(encoding="utf-8"))["done"]
    assert before
    with start(state, 2) as run:
        said, _ = run.communicate()
    assert run.returncode == 0, said
    kept = json.loads(state.read_text(encoding="utf-8"))
    assert kept["done"] == [0, 40, 80]
    assert sum(kept["counts"].values()) == 120
    assert "| findings | 0 |" in said


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    fuzz.save(tmp_path / "found", 3, "a", b"bytes", "why")
    assert (tmp_path / "found/3.xlsx").read_bytes() == b"bytes"
    assert (tmp_path / "found/3.txt").read_text(encoding="utf-8").splitlines()[2] == "why"
    assert fuzz._unlike(b"no zip") == ""
    end, why = fuzz.judged(form_of_everything(), 1)
    assert (end, why) == ("accepted, the same by two readers", "")


def test_each_good_row_beside_a_bad_one_is_read_again() -> None:
    """The second row has a formula: the slips of the first and the third are compared, response by response."""
    data = edited(table_of_everything(GOOD, GOOD, GOOD), with_a_formula_in_the_second_row)
    assert fuzz.judged(data, 1) == ("accepted in part, the same by two readers", "")
    reads, _ = read(data, fuzz.NAME, KINDS)
    slips = [fuzz._slip(one) for one in reads]
    assert [bool(one) for one in slips] == [True, False, True]
    for wrong in (0, 2):
        other = [
            replace(one, answers=replace(one.answers, language="")) if at == wrong else one
            for at, one in enumerate(reads)
        ]
        lies = [b"another" if at == wrong else one for at, one in enumerate(slips)]
        assert fuzz._different(data, other, lies).startswith("other slips: ")
    assert fuzz._different(data, reads[:2], slips[:2]).startswith("2 responses and 3")


def with_a_formula_in_the_second_row(workbook: Workbook) -> None:
    answer(workbook, "name", 1).value = '="a-1"'


def test_a_problem_says_where_unless_it_is_of_the_whole_file() -> None:
    file = Where(fuzz.NAME)
    assert fuzz.unplaced([Problem("not_a_workbook", file, facts={"format": "PDF"})]) == ""
    assert fuzz.unplaced([Problem("broken_file", file.at("xl/workbook.xml"), facts={"part": "xl/workbook.xml"})]) == ""
    nowhere = Problem("broken_file", file, facts={"part": "ZIP"})
    assert fuzz.unplaced([nowhere]).startswith("no place or no words: ")
    assert fuzz.unplaced([Problem("not_a_workbook", Where("other.xlsx"), facts={"format": "PDF"})])


MEASURED = """
from benchmarks import fuzz
fuzz.forget_peak()
before = fuzz.peak_memory()
large = bytearray(b"x") * 64 * 1024 * 1024
assert fuzz.peak_memory() - before > len(large) // 2
del large
fuzz.forget_peak()
assert fuzz.peak_memory() < before + 32 * 1024 * 1024
"""


def test_the_memory_of_each_workbook_is_measured_by_itself() -> None:
    subprocess.run([sys.executable, "-c", MEASURED], cwd=ROOT, check=True)


def test_a_workbook_that_takes_too_much_memory_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "MEMORY", 1024 * 1024)
    assert fuzz._one(7, 1, tmp_path)[0] == "finding"
    assert (tmp_path / "1.txt").read_text(encoding="utf-8").splitlines()[2].endswith(" MB of memory")
