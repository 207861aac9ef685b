"""A table that somebody hands over: what is read of it, and what is said where it cannot be."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from submit import tables
from submit.csv_files import LONGEST_LINE
from submit.desk import DeskError


def read(file: Path, sheet: str = "", encoding: str = "") -> str:
    table = tables.opened(file, sheet, encoding)
    assert isinstance(table, tables.Table), table
    with table.lines() as lines:
        first = "".join(lines)
    with table.lines() as lines:
        assert "".join(lines) == first
    return first


def said(file: Path, language: str = "en", encoding: str = "") -> str:
    found = tables.opened(file, "", encoding)
    assert not isinstance(found, tables.Table)
    return found.line(language)


def workbook(file: Path, *sheets: tuple[str, list[list[Any]]], hidden: str = "") -> Path:
    book = Workbook()
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.remove(book.worksheets[0])
    book.save(file)
    return file


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        ("大きさ,種類\r\n1,ア\r\n".encode(), "", "大きさ,種類\r\n1,ア\r\n"),
        ("大きさ,種類\n".encode("utf-8-sig"), "", "大きさ,種類\n"),
        ("大きさ,髙①\n".encode("cp932"), "shift_jis", "大きさ,髙①\n"),
        ("大きさ\n".encode(), "shift_jis", "大きさ\n"),
        (b'=cmd|"/c calc"!A1,@SUM(A1)\n', "", '=cmd|"/c calc"!A1,@SUM(A1)\n'),
    ],
    ids=["utf-8", "a mark at its beginning", "shift_jis", "utf-8 though shift_jis was said", "formulas"],
)
def test_a_csv_is_read_as_it_is_written(data: bytes, encoding: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(data)
    assert read(file, encoding=encoding) == text


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            "大きさ\n".encode("cp932"),
            "table.csv: table.csvの文字コードがUTF-8ではありません。「CSV UTF-8」で保存し直して置き換えてください。 [bad_encoding]",
        ),
        (
            b"%PDF-1.7\n",
            "table.csv: Excelブック（.xlsx）ではなくPDFです。表を「CSV UTF-8」で保存し、それを渡してください。 [table_unreadable]",
        ),
        (
            b"PK\x03\x04broken",
            "table.csv: ファイルが途中で切れているか、壊れています。表を「CSV UTF-8」で保存し、それを渡してください。 [table_unreadable]",
        ),
    ],
    ids=["shift_jis", "a PDF", "a broken workbook"],
)
def test_what_is_no_table_says_what_it_is_and_what_to_hand_over(data: bytes, line: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(data)
    assert said(file, "ja") == line


def test_a_line_that_never_ends_is_not_taken_into_memory(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"a,b\n" + b"1," * LONGEST_LINE)
    table = tables.opened(file, "", "")
    assert isinstance(table, tables.Table)
    with table.lines() as lines:
        reading = iter(lines)
        assert next(reading) == "a,b\n"
        with pytest.raises(csv.Error, match="line too long"):
            next(reading)


def test_the_one_sheet_that_a_person_sees_is_the_table_wherever_it_begins(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[None], [None, "size", "kind"], [None, 1.5, "=not a formula"], [], [None, 2, "two\nlines"]]
    file = workbook(tmp_path / "t.xlsx", ("表", rows), ("lists", [["x"]]), ("empty", []), hidden="lists")
    from openpyxl import load_workbook

    book = load_workbook(file)
    book["表"]["C3"].data_type = "s"
    book.save(file)
    text = read(file)
    assert [*csv.reader(io.StringIO(text, newline=""))] == [
        ["size", "kind"],
        ["1.5", "=not a formula"],
        ["2", "two\nlines"],
    ]


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    file = workbook(tmp_path / "t.xlsx", ("one", [["a"], [1]]), ("two", [["b"], [2]]))
    assert read(file, "two") == "b\n2\n"
    for sheet in ("", "three"):
        with pytest.raises(DeskError) as error:
            tables.opened(file, sheet, "")
        assert str(error.value) == "t.xlsx: say with --sheet which sheet holds the table; there are: one, two"


def test_a_formula_in_a_workbook_is_refused_at_its_cell(tmp_path: Path) -> None:
    file = workbook(tmp_path / "t.xlsx", ("one", [["a", "b"], [1, "=A2+1"]]))
    assert said(file) == (
        "t.xlsx:one!B2: There is a formula in the table. "
        "Paste the table with “Values only”, or save it as “CSV UTF-8”, and hand that over. [table_formula]"
    )


def test_an_error_of_excels_stays_what_the_cell_shows(tmp_path: Path) -> None:
    file = workbook(tmp_path / "t.xlsx", ("one", [["a", "b"], [1, "#N/A"]]))
    assert read(file) == "a,b\n1,#N/A\n"


def test_a_cell_in_per_cent_is_its_number(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    rows: list[list[Any]] = [["share", "note"], [0.85, "85%"], [0.0001, "x"], [12, "100%"]]
    for row in rows:
        sheet.append(row)
    for number in (2, 3, 4):
        sheet[f"A{number}"].number_format = "0.0%"
    book.save(tmp_path / "t.xlsx")
    assert read(tmp_path / "t.xlsx") == "share,note\n0.85,85%\n0.0001,x\n12,100%\n"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeskError, match=r"there is no such file"):
        tables.opened(tmp_path / "absent.csv", "", "")
