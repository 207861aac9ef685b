"""The workbook of responses, as Forms writes it and as people change it."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.table import Table

from generators import Read
from generators.excel.cells import read_cells
from generators.excel.refusal import Refusal
from generators.excel.sheet import Sheet, SheetFacts
from generators.microsoft import responses
from generators.microsoft.verify import verify
from schema.answers import Where
from schema.check import Checked, check
from schema.problem import Problem
from tests.generators.microsoft.workbooks import (
    ENGLISH,
    JAPANESE,
    WHO,
    Value,
    exported,
    headings,
    row,
    titles,
    workbook,
)
from tests.kinds_for_tests import KINDS, SHIPPED
from tests.kinds_for_tests.versions import AT

INFERENCE = SHIPPED["inference"].form
GOOD: dict[str, Value] = {"model_id": "m-1", "dataset_id": "wine", "output_format": "JSON", "resources.gpus": 1}


def read(data: bytes, name: str = "r.xlsx") -> tuple[list[Read], list[Problem]]:
    sheets = read_cells(data)
    assert not isinstance(sheets, Refusal)
    found = responses.answers_of(sheets, Where(name), KINDS)
    assert found is not None
    return found


def one(data: bytes) -> Read:
    reads, problems = read(data)
    assert problems == []
    assert len(reads) == 1
    return reads[0]


def said(problems: Sequence[Problem], language: str = "en") -> list[str]:
    return [each.line(language) for each in problems]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_row_is_a_response_with_its_sender_its_language_and_its_name(language: str) -> None:
    answers = one(exported(INFERENCE, language, GOOD)).answers
    given = {key: located.value for key, located in answers.given.items()}
    assert given == {"model_id": "m-1", "dataset_id": "wine", "output_format": "JSON", "resources.gpus": "1"}
    assert (answers.kind, answers.version, answers.language) == ("inference", 1, language)
    assert answers.sender is not None
    assert (answers.sender.value, str(answers.sender.where)) == (WHO, "r.xlsx:Sheet1!D2")
    assert str(answers.given["model_id"].where) == "r.xlsx:Sheet1!F2"
    assert str(answers.place("note")) == "r.xlsx:Sheet1!I2"
    assert answers.named.startswith(f"microsoft:inference.{language}:1:")
    assert WHO not in answers.named


def test_the_same_response_has_the_same_name_in_every_copy_and_after_an_edit() -> None:
    first = one(exported(INFERENCE, "en", GOOD)).answers.named
    heads = headings(INFERENCE, "en", later=True)
    edited = row(INFERENCE, 1, {**GOOD, "dataset_id": "iris"}, f" {WHO.upper()} ", later=2)
    edited[1:3] = ["7/27/26 19:06:23", "10/9/2024 11:02"]
    assert one(workbook(heads, [edited], "Form1")).answers.named == first
    assert one(workbook(headings(INFERENCE, "en"), [row(INFERENCE, 2, GOOD)])).answers.named != first
    assert (
        one(workbook(headings(INFERENCE, "en"), [row(INFERENCE, 1, GOOD, "taro@example.co.jp")])).answers.named != first
    )


@pytest.mark.parametrize("nobody", ["anonymous", "", "匿名"])
def test_a_response_without_a_recorded_name_has_no_sender(nobody: str) -> None:
    answers = one(workbook(headings(INFERENCE, "en"), [row(INFERENCE, 3, GOOD, nobody)])).answers
    assert answers.sender is None
    assert answers.named == "microsoft:inference.en:3:anonymous"


def test_columns_are_found_wherever_they_were_moved_and_however_they_were_reworded() -> None:
    heads, line = headings(INFERENCE, "ja", later=True), row(INFERENCE, 5, GOOD, later=2)
    heads = [
        one.replace("どのモデルを使いますか", "モデル [番号] は？").upper().replace("[", "［").replace("]", "］ ")
        for one in heads
    ]
    order = list(range(len(heads)))[::-1]
    answers = one(workbook([heads[at] for at in order], [[line[at] for at in order]])).answers
    assert {key: located.value for key, located in answers.given.items()} == {
        "model_id": "m-1",
        "dataset_id": "wine",
        "output_format": "JSON",
        "resources.gpus": "1",
    }
    assert isinstance(check(answers, KINDS), Checked)


def test_columns_of_a_quiz_are_left_out_in_any_language() -> None:
    heads, line = headings(INFERENCE, "en"), row(INFERENCE, 1, GOOD)
    for before in ("Points - ", "Feedback - ", "Punkte - "):
        heads += [f"{before}{title}" for title in titles(INFERENCE, "en").values()]
        line += ["9"] * len(titles(INFERENCE, "en"))
    heads[5:5], line[5:5] = ["Total points", "Quiz feedback"], [7, "well done"]
    read_ = one(workbook(heads, [line]))
    assert [located.value for located in read_.answers.given.values()] == ["m-1", "wine", "JSON", "1"]
    assert (read_.problems, read_.warnings) == ((), ())


EVERY = KINDS["every_field"].form
MANY = {
    "A;B; of Forms": ("metrics", "Accuracy, plain;F1;", ("Accuracy, plain", "F1")),
    "one without its semicolon": ("metrics", "AUC", ("AUC",)),
    "in the other language": ("metrics", "正解率;F1値;", ("正解率", "F1値")),
    "one choice with a semicolon": ("colour", "Red;", "Red"),
    "two where one is expected": ("colour", "Red;Dark blue;", ("Red", "Dark blue")),
    "text that ends in a semicolon": ("subject", "a;b;", "a;b;"),
}


@pytest.mark.parametrize(("key", "typed", "meant"), MANY.values(), ids=MANY)
def test_several_choices_are_told_apart(key: str, typed: str, meant: Any) -> None:
    reads, _ = read(exported(EVERY, "en", {key: typed}))
    assert reads[0].answers.given[key].value == meant


DATES = {
    "month first": ("mdy", "7/27/26", "2026-07-27"),
    "day first": ("dmy", "27/7/2026 00:00:00", "2026-07-27"),
    "both would do, month first": ("mdy", "10/9/2024 11:02", "2024-10-09"),
    "both would do, day first": ("dmy", "10/9/2024 11:02", "2024-09-10"),
    "no such month in the declared order": ("mdy", "27/7/2026", "27/7/2026"),
    "no order declared": ("", "10/9/2024", "10/9/2024"),
    "both orders declared": ("mdy dmy", "10/9/2024", "10/9/2024"),
    "the year first": ("mdy", "2026/07/27", "2026/07/27"),
    "a cell that holds a date": ("dmy", datetime(2026, 7, 27), "2026-07-27"),
}


@pytest.mark.parametrize(("declared", "typed", "meant"), DATES.values(), ids=DATES)
def test_a_day_is_read_in_the_order_that_the_form_declares(declared: str, typed: Value, meant: str) -> None:
    heads = [title.replace(" 3 en]", f" 3 en {declared}]".replace(" ]", "]")) for title in headings(EVERY, "en")]
    reads, problems = read(workbook(heads, [row(EVERY, 1, {"due": typed})]))
    assert problems == []
    assert reads[0].answers.given["due"].value == meant


def test_a_day_in_no_declared_order_is_a_problem_and_never_a_guess() -> None:
    reads, _ = read(exported(EVERY, "en", {"due": "10/9/2026"}))
    found = check(reads[0].answers, KINDS)
    assert isinstance(found, list)
    assert [(each.code, each.where.spot) for each in found if each.question == "due"] == [("unsure_date", "Sheet1!S2")]


def _without(name: str) -> Callable[[list[str], list[Value]], None]:
    def change(heads: list[str], line: list[Value]) -> None:
        at = next(at for at, title in enumerate(heads) if name in title)
        del heads[at], line[at]

    return change


def _renamed(name: str, new: str) -> Callable[[list[str], list[Value]], None]:
    def change(heads: list[str], line: list[Value]) -> None:
        at = next(at for at, title in enumerate(heads) if name in title)
        heads[at] = heads[at].replace(name, new)

    return change


WRONG_FILES = {
    "the column ID": (
        _without("ID"),
        "r.xlsx:Sheet1!1: The column “ID” of Microsoft Forms is missing. Download the responses from Microsoft Forms again and "
        "leave its columns in place. [form_without_column]",
    ),
    "the column Email": (
        _without("Email"),
        "r.xlsx:Sheet1!1: The column “Email” of Microsoft Forms is missing. Download the responses from Microsoft Forms again and "
        "leave its columns in place. [form_without_column]",
    ),
    "a question that must be answered": (
        _without("Which dataset?"),
        "r.xlsx:Sheet1!1: The form does not ask “Which dataset?”: no title has [vhpu] in it. "
        "Add the question to the form with this title: Which dataset? [vhpu] [form_without_question]",
    ),
    "a tag": (
        _renamed("Which dataset? [vhpu]", "Which dataset?"),
        "r.xlsx:Sheet1!1: The form does not ask “Which dataset?”: no title has [vhpu] in it. "
        "Add the question to the form with this title: Which dataset? [vhpu] [form_without_question]",
    ),
    "the mark": (
        _without("Run again because"),
        "r.xlsx:Sheet1!1: These are responses of Microsoft Forms, but no title ends in a mark such as [train_supervised 1 en], so it "
        "cannot be told which form they belong to. Put the mark back at the end of the last question's title, as the page of the "
        "form shows it, and download the responses again. [form_without_mark]",
    ),
    "a newer version": (
        _renamed("[inference 1 en]", "[inference 9 en]"),
        "r.xlsx:Sheet1!M1: This template has version 9, which is newer than the 1 known here. Ask your operator to update denpyo. "
        "[newer_template]",
    ),
}


@pytest.mark.parametrize(("change", "line"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_what_a_workbook_lacks_is_said_once_with_what_to_do(
    change: Callable[[list[str], list[Value]], None], line: str
) -> None:
    heads, answers = headings(INFERENCE, "en"), row(INFERENCE, 1, GOOD)
    change(heads, answers)
    reads, problems = read(workbook(heads, [answers, answers]))
    assert reads == []
    assert said(problems) == [line]


def test_a_mark_of_a_kind_that_nobody_knows_says_which_there_are() -> None:
    heads = [title.replace("[inference 1 en]", "[inferense 1 en]") for title in headings(INFERENCE, "en")]
    sheets = read_cells(workbook(heads, [row(INFERENCE, 1, GOOD)]))
    assert not isinstance(sheets, Refusal)
    found = responses.answers_of(sheets, Where("r.xlsx"), {"inference": SHIPPED["inference"]})
    assert found is not None
    assert said(found[1]) == [
        "r.xlsx:Sheet1!M1: There is no kind of job named “inferense”. Use one of: Predict with a trained model (inference). "
        "Did you mean “inference”? [unknown_kind]"
    ]


def test_a_question_that_need_not_be_answered_may_be_left_out_and_that_is_told_once() -> None:
    heads, line = headings(INFERENCE, "ja"), row(INFERENCE, 1, GOOD)
    del heads[8], line[8]
    reads, problems = read(workbook(heads, [line, [2, *line[1:]]]))
    assert problems == []
    assert said(reads[0].warnings, "ja") == [
        "r.xlsx:Sheet1!1: フォームに「メモ」の質問がありません（題名に[f6l7]がありません）。空欄として扱います。"
        "意図したとおりなら何もする必要はありません。尋ねるときは次の題名の質問を追加してください：メモ [f6l7] [form_optional_question]"
    ]
    assert reads[1].warnings == ()
    assert isinstance(check(reads[0].answers, KINDS), Checked)


def test_a_copied_question_counts_where_it_was_answered() -> None:
    heads = [*headings(INFERENCE, "en"), "Which model? [t274]2"]
    blank = {key: value for key, value in GOOD.items() if key != "model_id"}
    rows = [
        [*row(INFERENCE, 1, blank), "m-2"],
        [*row(INFERENCE, 2, GOOD), None],
        [*row(INFERENCE, 3, GOOD), "m-1"],
        [*row(INFERENCE, 4, GOOD), "m-9"],
    ]
    reads, _ = read(workbook(heads, rows))
    assert [str(each.answers.given["model_id"].where) for each in reads[:3]] == [
        "r.xlsx:Sheet1!N2",
        "r.xlsx:Sheet1!F3",
        "r.xlsx:Sheet1!F4",
    ]
    assert said(reads[3].problems) == [
        "r.xlsx:Sheet1!N5: “Which model?” is answered here and in the cell Sheet1!F5 too. "
        "Keep one of the two answers and empty the other cell. [answered_twice]"
    ]


def test_rows_that_are_no_single_response_are_refused_each_for_itself() -> None:
    lines = [row(INFERENCE, number, GOOD) for number in (1, "x", 1, None, "0", 4)]
    reads, problems = read(workbook(headings(INFERENCE, "en"), [*lines[:3], [None] * 13, *lines[3:]]))
    assert problems == []
    assert [said(each.problems) for each in reads] == [
        [],
        [
            "r.xlsx:Sheet1!A3: “x” is not the number of a response. Download the responses from Microsoft Forms again and leave "
            "the column ID as it is. [form_bad_id]"
        ],
        [
            "r.xlsx:Sheet1!A4: The response 1 stands here and in r.xlsx:Sheet1!A2. Download the responses from Microsoft Forms "
            "again; a workbook holds each response once. [form_same_id]"
        ],
        [
            "r.xlsx:Sheet1!A6: “” is not the number of a response. Download the responses from Microsoft Forms again and leave "
            "the column ID as it is. [form_bad_id]"
        ],
        [
            "r.xlsx:Sheet1!A7: “0” is not the number of a response. Download the responses from Microsoft Forms again and leave "
            "the column ID as it is. [form_bad_id]"
        ],
        [],
    ]


def test_a_formula_that_somebody_put_into_the_workbook_is_no_answer() -> None:
    reads, _ = read(exported(INFERENCE, "en", {**GOOD, "note": '=HYPERLINK("http://x.example","y")'}))
    assert said(reads[0].problems) == [
        "r.xlsx:Sheet1!I2: There is a formula here instead of an answer. Type the value itself. [formula]"
    ]
    assert "note" not in reads[0].answers.given
    (sender,), _ = read(workbook(headings(INFERENCE, "en"), [row(INFERENCE, 1, GOOD, '=CONCATENATE("a@","b.jp")')]))
    assert said(sender.problems) == [
        "r.xlsx:Sheet1!D2: There is a formula here instead of an answer. Type the value itself. [formula]"
    ]
    assert sender.answers.sender is None


def test_a_table_with_a_filter_and_lines_above_it_loses_no_response() -> None:
    book = load_workbook(io.BytesIO(exported(INFERENCE, "ja", GOOD, GOOD, GOOD)))
    page = book["Sheet1"]
    page.insert_rows(1, 2)
    page["A1"] = "回答一覧（社外秘）"
    page.add_table(Table(displayName="Table1", ref=f"A3:{page.cell(6, page.max_column).coordinate}"))
    page.row_dimensions[4].hidden = page.column_dimensions["D"].hidden = True
    book.create_sheet("メモ", 0)["A1"] = "x"
    data = io.BytesIO()
    book.save(data)
    reads, problems = read(data.getvalue())
    assert problems == []
    assert [(each.problems, str(each.answers.where)) for each in reads] == [
        ((), "r.xlsx:Sheet1!4"),
        ((), "r.xlsx:Sheet1!5"),
        ((), "r.xlsx:Sheet1!6"),
    ]


def test_answers_to_a_question_that_nobody_asks_are_mentioned() -> None:
    heads, line = (
        [*headings(INFERENCE, "en"), "Old question [zzzz]", "Your team?"],
        [*row(INFERENCE, 1, GOOD), "x", "y"],
    )
    assert said(one(workbook(heads, [line])).warnings) == [
        "r.xlsx:Sheet1!N1: “Old question [zzzz]” belongs to no question and was not read. "
        "Nothing need be done if these are notes of your own. [text_elsewhere]"
    ]


def test_a_form_of_an_older_version_is_read_by_its_own_questions() -> None:
    form = AT[1]["growing"].form
    asked = [each for each in form.questions if each.required and not each.conditions]
    required: dict[str, Value] = {each.key: each.example or each.choices[0].label.en for each in asked}
    sheets = read_cells(exported(form, "en", required))
    assert not isinstance(sheets, Refusal)
    found = responses.answers_of(sheets, Where("r.xlsx"), AT[3])
    assert found is not None
    assert found[1] == []
    assert (found[0][0].answers.version, set(found[0][0].answers.given)) == (1, {"data", "method"})
    told = check(found[0][0].answers, AT[3])
    assert isinstance(told, list)
    assert [(each.code, each.question) for each in told] == [("blank_changed", "wait")]


@pytest.mark.parametrize(
    "heads", [("ID", "Email"), ("ID", "Start time", "Completion time"), ("model_id", "dataset_id")]
)
def test_a_workbook_that_forms_has_not_written_is_left_to_the_other_door(heads: tuple[str, ...]) -> None:
    sheets = read_cells(workbook([*heads, "Your name?", "Which [year]"], [[1]]))
    assert not isinstance(sheets, Refusal)
    assert responses.answers_of(sheets, Where("r.xlsx"), KINDS) is None


@pytest.mark.parametrize("heads", [ENGLISH, JAPANESE])
def test_responses_of_somebody_elses_form_are_told_apart_from_a_template(heads: tuple[str, ...]) -> None:
    _, problems = read(workbook([*heads, "Your name?"], [[1]]))
    assert [each.code for each in problems] == ["form_without_mark"]


PIECES = st.sampled_from(
    [
        *ENGLISH,
        *JAPANESE,
        *titles(INFERENCE, "ja").values(),
        "Points - ",
        "[",
        "]]",
        "［inference 1 ja］",
        "Note [f6l7]2",
        "7",
        "",
    ]
)


@settings(max_examples=30)
@drawn(st.lists(st.lists(PIECES | st.text(max_size=4), min_size=9, max_size=9), max_size=6))
def test_whatever_stands_in_a_sheet_is_read_or_refused_and_never_an_error(rows: list[list[str]]) -> None:
    heads = headings(INFERENCE, "ja")
    facts = SheetFacts(formulas=frozenset({(2, 1)}), errors={(2, 2): "#REF!"})
    for lines in (rows, [heads, *(one + [""] * (len(heads) - 9) for one in rows)]):
        sheet = Sheet("S", False, tuple(map(tuple, lines)), facts)
        for each in (responses.answers_of([sheet], Where("r.xlsx"), KINDS) or ([], []))[0]:
            check(each.answers, KINDS)
        verify([sheet], "r.xlsx", INFERENCE)
