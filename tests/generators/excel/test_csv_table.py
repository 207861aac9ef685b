"""The table layout as CSV: in every encoding and with every separator that office programs write, and nothing silently misread."""

from __future__ import annotations

import codecs
import csv
import io
from typing import get_args

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

import commands
import denpyo
from generators import Read
from generators.excel import HEAD, RESPONSE, STATUS, Encoding, csv_table, formats
from generators.excel.cells import read_cells
from generators.excel.template import Filled
from schema.answers import Where
from schema.check import check
from schema.problem import Problem
from submit import doors
from tests.generators.excel.workbooks import (
    EVERYTHING,
    GOOD,
    KINDS,
    form_of_everything,
    reading,
    table_of_everything,
    with_receipts,
)

FORMULAS = Filled({**GOOD.values, "name": "b-2", "why": '=SUM(A1)"+,;\t-@'}, "suzuki@example.co.jp")
ID = "7k3m-9qx2-b4td"


def cells_of(data: bytes) -> list[list[str]]:
    """The first sheet as a program saves it: every cell as text, hidden ones too."""
    sheets = read_cells(data)
    assert isinstance(sheets, tuple)
    return [[*line] for line in sheets[0].rows]


def rows_of(data: bytes) -> list[list[str]]:
    """A table as it is saved. Templates without a status column get one."""
    rows = cells_of(data)
    rows = rows[: first_of(rows) + 2]
    if any(key.startswith(STATUS) for key in rows[0]):
        return rows
    told = f"{STATUS} everything 3 {EVERYTHING.form.fingerprint} ja"
    return [[line[0], "入力OK" if row else told, *line[1:]] for row, line in enumerate(rows)]


def first_of(rows: list[list[str]]) -> int:
    """The index of the first request."""
    return max(row for row, line in enumerate(rows) if HEAD in line) + 1


TABLE = rows_of(table_of_everything(GOOD, FORMULAS))
FORM = cells_of(form_of_everything())
FIRST = first_of(TABLE)
NAME = TABLE[0].index("name")


def saved(separator: str = ",", rows: list[list[str]] = TABLE, ends: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=ends).writerows(rows)
    return text.getvalue()


def changed(key: str, text: str, row: int = FIRST) -> list[list[str]]:
    found = [[*line] for line in TABLE]
    found[row][found[0].index(key)] = text
    return found


def read(data: bytes, encoding: str = "") -> tuple[list[Read], list[Problem]]:
    return csv_table.read(data, "request.csv", KINDS, encoding)


def said(data: bytes, encoding: str = "") -> tuple[str, str]:
    reads, (problem,) = read(data, encoding)
    assert reads == []
    for language in ("en", "ja"):
        assert problem.line(language).startswith("request.csv")
    return problem.code, problem.where.spot


def texts(found: Read) -> dict[str, object]:
    return {key: one.value for key, one in found.answers.given.items()}


WORKBOOK, _ = reading(table_of_everything(GOOD, FORMULAS))


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("ends", ["\r\n", "\n"], ids=["crlf", "lf"])
@pytest.mark.parametrize(
    ("mark", "code"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with its mark", "unicode text", "big-endian"],
)
def test_a_table_saved_as_text_gives_the_answers_of_the_workbook(
    separator: str, ends: str, mark: bytes, code: str
) -> None:
    reads, problems = read(mark + saved(separator, ends=ends).encode(code))
    assert problems == []
    assert [texts(one) for one in reads] == [texts(one) for one in WORKBOOK]
    assert [(one.problems, one.warnings) for one in reads] == [((), ()), ((), ())]
    assert [one.answers.sender and one.answers.sender.value for one in reads] == [GOOD.sender, FORMULAS.sender]


def test_a_place_is_the_cell_that_excel_shows() -> None:
    first, second = read(saved().encode())[0]
    letter = chr(ord("A") + NAME)
    assert first.answers.given["name"].where == Where("request.csv", f"{letter}{FIRST + 1}")
    assert second.answers.place("name") == Where("request.csv", f"{letter}{FIRST + 2}")
    assert (first.answers.where, second.answers.where) == (
        Where("request.csv", f"{FIRST + 1}"),
        Where("request.csv", f"{FIRST + 2}"),
    )
    assert (first.answers.kind, first.answers.version, first.answers.language) == ("everything", 3, "ja")


def test_what_begins_like_a_formula_and_what_holds_line_breaks_stays_text() -> None:
    reads, _ = read(saved(";").encode())
    assert [one.answers.given["why"].value for one in reads] == ["=急ぎ\n今日中", '=SUM(A1)"+,;\t-@']


def test_values_are_read_as_excel_shows_them() -> None:
    rows = changed("start", "2026/11/21")
    rows[FIRST][rows[0].index("count")] = "1,200"
    rows[FIRST][rows[0].index("share")] = "85%"
    rows[FIRST][rows[0].index("urgent")] = "TRUE"
    found = check(read(saved(rows=rows).encode())[0][0].answers, KINDS)
    assert not isinstance(found, list), found
    assert (found.job.answers()["start"], found.job.answers()["count"]) == ("2026-11-21", 1200)


def test_an_error_of_excels_is_named_at_its_cell() -> None:
    (found, _), _ = read(saved(rows=changed("count", "#DIV/0!")).encode())
    assert [(one.code, one.question, one.facts["error"]) for one in found.problems] == [
        ("cell_error", "count", "#DIV/0!")
    ]
    (found, _), _ = read(saved(rows=changed("why", "#1 in the list")).encode())
    assert found.problems == ()


def test_empty_columns_and_rows_at_the_end_and_a_line_that_names_the_separator_change_nothing() -> None:
    padded = [[*line, "", "", ""] for line in TABLE] + [[""] * 5] * 40
    plain = [texts(one) for one in WORKBOOK]
    for text in (saved(rows=padded), f"sep=;\r\n{saved(';')}", saved(rows=[line[: NAME + 20] for line in padded])):
        reads, problems = read(text.encode())
        assert (problems, [texts(one) for one in reads]) == ([], plain)
        assert reads[0].answers.where.spot == f"{FIRST + 1}"
        assert reads[0].warnings == ()


def test_moved_columns_and_rows_above_are_found_by_their_keys() -> None:
    rows = [[""] * 3, *([*reversed(line)] for line in TABLE)]
    reads, problems = read(saved("\t", rows).encode())
    assert (problems, [texts(one) for one in reads]) == ([], [texts(one) for one in WORKBOOK])
    assert reads[0].answers.where.spot == f"{FIRST + 2}"


def test_a_receipt_comes_back_in_a_csv_too() -> None:
    receipts = with_receipts("table", f"{ID} 受付済み", filled=[GOOD])
    reads, _ = read(saved(rows=rows_of(receipts)).encode())
    assert reads[0].answers.response == ID
    assert RESPONSE not in reads[0].answers.given


# Encodings


def test_every_encoding_that_an_operator_may_declare_is_known_to_the_reader() -> None:
    assert set(get_args(Encoding)) == {str(one) for one in commands.Encoding} == set(formats.ENCODINGS)


@pytest.mark.parametrize("name", ["shift_jis", "Shift-JIS", "sjis", "cp932", "ms932"])
def test_an_operator_may_call_shift_jis_what_others_call_it(name: str) -> None:
    check = typer.main.get_command(denpyo.app).commands["check"]  # type: ignore[attr-defined]
    assert check.make_context("check", ["--encoding", name, "a.csv"]).params["encoding"] == "shift_jis"


def test_shift_jis_is_read_where_it_was_declared() -> None:
    rows = changed("why", "髙橋①㈱～ｶﾅ")
    reads, problems = read(saved(rows=rows).encode("cp932"), "shift_jis")
    assert problems == []
    assert reads[0].answers.given["why"].value == "髙橋①㈱～ｶﾅ"


def test_what_is_unicode_stays_unicode_where_shift_jis_was_declared() -> None:
    for data in (saved().encode(), codecs.BOM_UTF8 + saved().encode(), saved().encode("utf-16")):
        reads, problems = read(data, "shift_jis")
        assert (problems, [texts(one) for one in reads]) == ([], [texts(one) for one in WORKBOOK])


def test_another_encoding_is_refused_with_what_to_do() -> None:
    reads, (problem,) = read(saved().encode("cp932"))
    assert reads == []
    assert problem.line("en") == (
        "request.csv: The text of this file cannot be read: it is not UTF-8. Save it in Excel as “CSV UTF-8”, or as a workbook "
        "(.xlsx). Your operator can also allow Shift_JIS (--encoding shift_jis). [csv_encoding]"
    )
    assert problem.line("ja") == (
        "request.csv: 文字コードがUTF-8ではないため、このファイルの文字を読み取れません。Excelで「CSV UTF-8」または「Excelブック（.xlsx）」"
        "として保存してください。運用担当者がShift_JISを指定することもできます（--encoding shift_jis）。 [csv_encoding]"
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(saved().encode("utf-16-le"), "csv_encoding", id="UTF-16 without its mark"),
        pytest.param(saved().encode().replace(b"a-1", b"a\0b"), "csv_encoding", id="NUL"),
        pytest.param(saved().encode().replace(b"a-1", b"\xed\xa0\x80"), "csv_encoding", id="half a character"),
        pytest.param(
            saved().encode("utf-16").replace(b"a\0-\x001\0", b"\x00\xd8b\0b\0"), "csv_encoding", id="half of UTF-16"
        ),
        pytest.param(saved().encode()[:-1] + b"\xe3\x81", "csv_encoding", id="cut in a character"),
        pytest.param(codecs.BOM_UTF16_LE + saved().encode("utf-16-le")[:-1], "csv_encoding", id="cut in UTF-16"),
        pytest.param(saved().encode("euc-jp", "replace"), "csv_encoding", id="another encoding"),
        pytest.param(b"name,size\r\na-1,small\r\n", "not_a_template", id="a table of one's own"),
        pytest.param(saved(rows=TABLE[1:]).encode(), "csv_without_keys", id="without the row of keys"),
        pytest.param(
            saved(rows=[line[1:] for line in TABLE[1:]]).encode(), "csv_without_keys", id="what can be seen alone"
        ),
        pytest.param(saved(rows=FORM).encode(), "csv_of_a_form", id="a form"),
        pytest.param(saved(";", FORM).encode("utf-16"), "csv_of_a_form", id="a form as Unicode text"),
        pytest.param(b"", "not_a_workbook", id="empty"),
        pytest.param(codecs.BOM_UTF8, "not_a_workbook", id="a mark alone"),
        pytest.param(b"%PDF-1.7", "not_a_workbook", id="a PDF"),
        pytest.param(b"<html><table>", "not_a_workbook", id="a web page"),
        pytest.param(saved("|").encode(), "not_a_template", id="a separator that nobody writes"),
        pytest.param(saved(rows=TABLE[:FIRST]).encode(), "no_answers", id="no rows"),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(data: bytes, code: str) -> None:
    assert said(data) == (code, "")


def test_a_form_saved_as_csv_hears_what_to_send() -> None:
    _, (form,) = read(saved(rows=FORM).encode())
    assert form.line("ja") == (
        "request.csv: 単票をCSVとして保存したファイルです。CSVには、答えを見分けるための情報が残りません。"
        "単票は、Excelブック（.xlsx）のまま送ってください。 [csv_of_a_form]"
    )
    assert form.message("en") == (
        "This is a form that was saved as CSV, which does not keep what tells its answers apart. "
        "Send the form as an Excel workbook (.xlsx)."
    )


def test_a_table_that_lost_a_key_is_damaged_and_one_of_another_version_is_that() -> None:
    rows = [[*line] for line in TABLE]
    rows[0][NAME] = ""
    assert said(saved(rows=rows).encode()) == ("damaged_template", "")
    told = next(key for key in TABLE[0] if key.startswith(STATUS))
    older = saved().replace(told, told.replace(" 3 ", " 2 "))
    assert said(older.encode())[0] == "old_template"


def test_a_table_without_the_cell_that_says_which_it_is_cannot_be_told() -> None:
    at = next(at for at, key in enumerate(TABLE[0]) if key.startswith(STATUS))
    rows = [[text for column, text in enumerate(line) if column != at] for line in TABLE]
    assert said(saved(rows=rows).encode())[0] == "template_sheet_missing"


# Hostile

BELOW = f"{len(TABLE) + 1}"


@pytest.mark.parametrize(
    ("text", "code", "spot"),
    [
        pytest.param(f'{saved()}"never closed,\r\nand on\r\n', "csv_quotes", BELOW, id="a quote that is never closed"),
        pytest.param(f'{saved()}"a"b,c\r\n', "csv_quotes", BELOW, id="text behind a quote"),
        pytest.param(f"{saved()}{'x' * 10_000_000},\r\n", "too_large", BELOW, id="a field of 10 MB"),
        pytest.param(f"{saved()}{',' * 600}\r\n", "too_large", BELOW, id="too many columns"),
        pytest.param(saved() + "\r\n" * 100_100, "too_large", "100101", id="too many rows"),
    ],
)
def test_what_no_sheet_holds_is_refused_at_its_row(text: str, code: str, spot: str) -> None:
    assert said(text.encode()) == (code, spot)


def test_more_cells_than_are_read_are_refused() -> None:
    wide = f"{saved()}{',' * 400}x\r\n" + "x\r\n" * 8000
    assert said(wide.encode())[0] == "too_large"


def test_a_file_of_more_than_64_mib_is_refused_unread() -> None:
    assert said(b"\xff" * (64 * 1024**2 + 1)) == ("too_large", "")


@given(st.binary(max_size=400), st.sampled_from(["", "shift_jis"]), st.integers(0, 3000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_anything_but_answers_or_problems(noise: bytes, encoding: str, at: int) -> None:
    data = saved().encode()
    for changed_data in (noise, data[:at] + noise + data[at:]):
        reads, problems = read(changed_data, encoding)
        assert bool(reads) != bool(problems)
        for problem in (*problems, *(one for found in reads for one in (*found.problems, *found.warnings))):
            assert problem.line("ja")


# The door


@pytest.mark.parametrize("name", ["request.csv", "request.CSV", "request.tsv", "request.txt"])
def test_the_door_takes_text_under_each_of_its_names(name: str) -> None:
    door, reads, problems = doors.read(saved("\t").encode("utf-16"), name, KINDS)
    assert (door, len(reads), problems) == ("excel", 2, [])


def test_the_door_passes_on_what_was_declared_and_knows_a_workbook_under_the_name_of_a_csv() -> None:
    assert doors.read(saved().encode("cp932"), "a.csv", KINDS)[2][0].code == "csv_encoding"
    assert len(doors.read(saved().encode("cp932"), "a.csv", KINDS, "shift_jis")[1]) == 2
    assert len(doors.read(form_of_everything(), "a.csv", KINDS, "shift_jis")[1]) == 1


def test_a_csv_under_the_name_of_a_workbook_is_named() -> None:
    assert doors.read(saved().encode(), "a.xlsx", KINDS)[2][0].code == "not_a_workbook"


@pytest.mark.parametrize(
    ("name", "ja", "en"),
    [
        ("依頼票.PDF", "「.pdf」のファイル", "A file of the sort “.pdf”"),
        ("画面.png", "「.png」のファイル", "A file of the sort “.png”"),
        ("依頼票", "名前に「.xlsx」などの拡張子がないファイル", "A file whose name has no ending such as .xlsx"),
    ],
)
def test_a_file_of_another_sort_is_called_what_it_is_and_hears_what_is_taken(name: str, ja: str, en: str) -> None:
    door, reads, (problem,) = doors.read(b"%PDF-1.7", name, KINDS)
    assert (door, reads) == ("", [])
    assert problem.line("ja") == (
        f"{name}: {ja}は受け付けていません。記入した依頼票を、Excelブック（.xlsx）のまま送ってください。"
        "一覧の依頼票はCSV（.csv）でも、手書きの依頼はYAML（.yaml）でも送れます。 [unknown_file]"
    )
    assert problem.message("en").startswith(f"{en} is not accepted here. Send the filled form as the Excel workbook")
