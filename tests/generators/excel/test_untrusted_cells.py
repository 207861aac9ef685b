"""Cells whose answers cannot be trusted: each is named, and none is taken silently."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from generators.excel.template import Filled
from schema.answers import Where
from schema.check import check
from tests.generators.excel.workbooks import (
    GOOD,
    KINDS,
    edited,
    form_of_everything,
    one,
    packed,
    parts_of,
    reading,
    replaced,
    sheet,
    table_of_everything,
)


def _formula(workbook: Workbook) -> None:
    sheet(workbook)["C9"] = '="a"&"-1"'


def _array_formula(workbook: Workbook) -> None:
    sheet(workbook)["C9"] = ArrayFormula("C9:C9", '="a"')


def _error(workbook: Workbook) -> None:
    sheet(workbook)["C9"] = "#REF!"


def _hidden_row(workbook: Workbook) -> None:
    sheet(workbook).row_dimensions[9].hidden = True


def _hidden_column(workbook: Workbook) -> None:
    sheet(workbook).column_dimensions["C"].hidden = True


def _hidden_sheet(workbook: Workbook) -> None:
    sheet(workbook).sheet_state = "hidden"


@pytest.mark.parametrize(
    ("edit", "code", "count"),
    [
        (_formula, "formula", 1),
        (_array_formula, "formula", 1),
        (_error, "cell_error", 1),
        (_hidden_row, "hidden_answer", 1),
        (_hidden_column, "hidden_answer", 6),
        (_hidden_sheet, "hidden_answer", 6),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_cell_that_cannot_be_trusted_is_named_and_its_answer_left_out(
    edit: Callable[[Workbook], None], code: str, count: int
) -> None:
    found = one(edited(form_of_everything(), edit))
    assert [problem.code for problem in found.problems] == [code] * count
    problem = next(problem for problem in found.problems if problem.question == "name")
    assert problem.where == Where("request.xlsx", "入力!C9")
    assert "name" not in found.answers.given
    assert found.answers.places["name"] == problem.where
    assert found.answers.given["count"].value == "12"


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        pytest.param(rb'ht="[0-9.]+" r="9"', rb'ht="0" r="9"', id="a row without height"),
        pytest.param(rb'min="3" width="30"', rb'min="3" width="0"', id="a column without width"),
        pytest.param(rb' r="9"', rb' hidden="true" r="9"', id="hidden in other words"),
    ],
)
def test_an_answer_that_nobody_can_see_is_hidden(pattern: bytes, new: bytes) -> None:
    parts = parts_of(form_of_everything())
    changed, count = re.subn(pattern, new, parts["xl/worksheets/sheet1.xml"])
    assert count == 1
    found = one(packed({**parts, "xl/worksheets/sheet1.xml": changed}))
    assert ("hidden_answer", "入力!C9") in [(problem.code, problem.where.spot) for problem in found.problems]


def test_a_formula_over_several_cells_is_found_in_each_of_them() -> None:
    def spread(workbook: Workbook) -> None:
        sheet(workbook)["H1"] = ArrayFormula("C9:C11", "=1")

    found = one(edited(form_of_everything(), spread))
    assert [problem.where.spot for problem in found.problems] == ["入力!C9", "入力!C10", "入力!C11"]


def test_a_formula_behind_a_text_in_the_same_cell_is_found() -> None:
    parts = parts_of(form_of_everything())
    text = b"<is><r><rPr><b/></rPr><t>a-1</t></r></is>"
    cell = re.compile(rb'(<c r="C9"[^>]*>)<is><t>a-1</t></is></c>')
    changed, count = cell.subn(rb"\1" + text + b"<f>1+1</f></c>", parts["xl/worksheets/sheet1.xml"])
    assert count == 1
    found = one(packed({**parts, "xl/worksheets/sheet1.xml": changed}))
    assert [(problem.code, problem.where.spot) for problem in found.problems] == [("formula", "入力!C9")]


@pytest.mark.parametrize("formula", ["cmd|'/c calc'!A0", "1+1", "HYPERLINK(&quot;http://example.com&quot;)"])
def test_what_a_formula_claims_to_have_found_is_no_answer(formula: str) -> None:
    """A call of another program (DDE), and values that no formula gave: a good name stands behind each."""
    cell = rf'<c r="C9" t="str"><f>{formula}</f><v>a-1</v></c>'.encode()
    data = form_of_everything()
    part = parts_of(data)["xl/worksheets/sheet1.xml"]
    before = re.search(rb'<c r="C9"[^>]*?(?:/>|>.*?</c>)', part)
    assert before
    found = one(replaced(data, "xl/worksheets/sheet1.xml", before[0], cell))
    assert [(problem.code, problem.where.spot) for problem in found.problems] == [("formula", "入力!C9")]
    assert "name" not in found.answers.given


def test_the_problems_of_the_door_and_of_the_check_come_in_one_go() -> None:
    def break_three(workbook: Workbook) -> None:
        sheet(workbook)["C9"] = "=1"
        sheet(workbook)["C10"] = None
        sheet(workbook, "詳細設定")["C11"] = 7

    found = one(edited(form_of_everything(), break_three))
    judged = check(found.answers, KINDS)
    assert isinstance(judged, list)
    places = {problem.where.spot: problem.code for problem in (*judged, *found.problems)}
    assert places == {"入力!C9": "formula", "入力!C10": "missing", "詳細設定!C11": "too_big"}


def test_the_words_of_a_problem_name_the_question_and_the_error() -> None:
    found = one(edited(form_of_everything(), _error))
    assert found.problems[0].line("ja") == (
        "request.xlsx:入力!C9: Excelのエラー#REF!になっています。答えを入力し直してください。 [cell_error]"
    )


def test_a_question_answered_in_two_rows_is_a_problem_at_the_second() -> None:
    def copy(workbook: Workbook) -> None:
        for column in "ABC":
            sheet(workbook)[f"{column}20"] = sheet(workbook)[f"{column}9"].value

    found = one(edited(form_of_everything(), copy))
    assert [(problem.code, problem.where.spot) for problem in found.problems] == [("answered_twice", "入力!C20")]
    assert found.problems[0].line("en") == (
        "request.xlsx:入力!C20: “=Name” is answered here and in the cell 入力!C9 too. "
        "Keep one of the two answers and empty the other cell. [answered_twice]"
    )
    assert found.problems[0].line("ja") == (
        "request.xlsx:入力!C20: 「=名前」の答えが、ここと入力!C9の2か所にあります。"
        "片方を残し、もう片方のセルを空にしてください。 [answered_twice]"
    )
    assert found.answers.given["name"].where.spot == "入力!C9"


def test_a_copied_row_that_is_left_empty_is_no_problem_wherever_the_answer_stands() -> None:
    def move(workbook: Workbook) -> None:
        sheet(workbook)["A20"] = "name"
        sheet(workbook)["C20"] = sheet(workbook)["C9"].value
        sheet(workbook)["C9"] = None

    found = one(edited(form_of_everything(), move))
    assert found.problems == ()
    assert found.answers.given["name"].where.spot == "入力!C20"


def test_a_copied_column_is_a_question_answered_twice() -> None:
    def copy_column(workbook: Workbook) -> None:
        for row in range(1, 5):
            sheet(workbook)[f"AZ{row}"] = sheet(workbook)[f"D{row}"].value

    (found,), _ = reading(edited(table_of_everything(GOOD), copy_column))
    assert [(problem.code, problem.where.spot) for problem in found.problems] == [("answered_twice", "入力!AZ4")]
    assert found.problems[0].facts["other"] == "入力!D4"


def test_a_request_that_a_filter_hides_is_not_sent_unseen() -> None:
    def filtered(workbook: Workbook) -> None:
        sheet(workbook).row_dimensions[5].hidden = True
        sheet(workbook).row_dimensions[6].hidden = True

    reads, problems = reading(edited(table_of_everything(GOOD, Filled({"name": "b", "size": "small"})), filtered))
    assert problems == []
    assert [problem.code for problem in reads[0].problems] == []
    assert [(problem.code, problem.where.spot) for problem in reads[1].problems] == [
        ("hidden_answer", "入力!E5"),
        ("hidden_answer", "入力!F5"),
    ]


def test_the_door_s_problems_come_in_the_order_of_the_form_wherever_its_sheets_stand() -> None:
    def break_both(workbook: Workbook) -> None:
        workbook.move_sheet("詳細設定", -1)
        sheet(workbook, "詳細設定")["C11"] = "=1"
        sheet(workbook)["C9"] = "=1"

    found = one(edited(form_of_everything(), break_both))
    assert [problem.where.spot for problem in found.problems] == ["入力!C9", "詳細設定!C11"]
    assert found.answers.where == Where("request.xlsx", "入力")
    assert list(found.answers.given) == [
        key for key in one(form_of_everything()).answers.given if key not in ("name", "rate")
    ]
