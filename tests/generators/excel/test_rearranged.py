"""What people do to a sheet: what they moved is still found, and what cannot be read is said with its cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from openpyxl import Workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from generators import Read
from generators.excel import Layout
from generators.excel.read import read
from generators.excel.template import Filled, write
from schema.check import check
from schema.job import Ask, Choice, Job
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.question import Question, form_of
from schema.words import Words
from tests.generators.excel.workbooks import (
    EVERYTHING,
    GOOD,
    KINDS,
    ROOT,
    answer,
    columns_inserted,
    edited,
    form_of_everything,
    help,
    one,
    reading,
    rows_inserted,
    sheet,
    spot,
    table_of_everything,
)

EMPTY = Filled({key: value for key, value in GOOD.values.items() if key not in ("count", "start", "why", "urgent")})
"""Some questions are left empty."""


def said(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.where.spot


def warned(read: Read) -> list[tuple[str, str]]:
    return [said(one) for one in read.warnings]


def beside(key: str, text: str, columns: int = 1) -> Callable[[Workbook], None]:
    def write(workbook: Workbook) -> None:
        cell = answer(workbook, key)
        cell.offset(column=columns).value = text

    return write


def place(data: bytes, key: str, columns: int = 0, rows: int = 0) -> str:
    found: list[str] = []
    edited(data, lambda workbook: found.append(spot(answer(workbook, key).offset(rows, columns))))
    return found[0]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_templates_as_they_are_give_no_warning(language: str) -> None:
    for data in (form_of_everything(language), table_of_everything(GOOD, language=language)):
        assert one(data).warnings == ()


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tests/released").rglob("*.xlsx")), ids=lambda file: f"{file.parent.name}-{file.stem}"
)
def test_templates_that_were_released_are_read_without_a_word(file: Path) -> None:
    def fill(workbook: Workbook) -> None:
        answer(workbook, "dataset_id").value = "wine"

    found = one(edited(file.read_bytes(), fill))
    assert (found.problems, found.warnings) == ((), ())


MENDED = Words("Mended words: a name of 3 letters", ja="直したあとの言葉：3文字の名前")


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_template_from_before_its_words_were_mended_is_read_without_a_word(layout: Layout) -> None:
    form = replace(EVERYTHING.form, questions=tuple(map(_before, EVERYTHING.form.questions)))
    assert form.fingerprint == EVERYTHING.form.fingerprint
    assert one(write(form, "ja", layout, [EMPTY])).warnings == ()


def _before(question: Question) -> Question:
    mended = question.key in ("count", "start", "length")
    return replace(question, label=MENDED, help=MENDED) if mended else question


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_released_template_with_other_words_is_read_without_a_word(layout: str) -> None:
    def fill(workbook: Workbook) -> None:
        answer(workbook, "dataset_id").value = "wine"
        if layout == "form":
            answer(workbook, "note").offset(column=-1).value = "むかしの名前"
            answer(workbook, "note").offset(column=4).value = "むかしの説明"
        else:
            answer(workbook, "dataset_id").offset(-2).value = "むかしの名前"
            answer(workbook, "dataset_id").offset(-1).value = "むかしの説明"

    file = ROOT / f"tests/released/v1/ja/inference.{layout}.xlsx"
    found = one(edited(file.read_bytes(), fill))
    assert (found.problems, found.warnings) == ((), ())


def test_an_answer_beside_its_cell_is_a_problem_in_a_template_of_any_wording() -> None:
    data = (ROOT / "tests/released/v1/ja/inference.form.xlsx").read_bytes()
    _, problems = reading(edited(data, beside("dataset_id", "wine")))
    assert [said(one) for one in problems][1:] == [("answer_beside", place(data, "dataset_id", 1))]


# What was typed outside the answer cells


@pytest.mark.parametrize(
    "columns", [-1, 1, 2], ids=["over the label", "into the unit", "over what an empty cell means"]
)
def test_an_answer_beside_its_empty_cell_is_a_problem_that_names_both(columns: int) -> None:
    data = edited(form_of_everything(filled=EMPTY), beside("count", "77", columns))
    found = one(data)
    assert [said(problem) for problem in found.problems] == [("answer_beside", place(data, "count", columns))]
    assert found.problems[0].message("en") == (
        "“77” stands beside the answer to “Count”, which is empty. "
        f"Move it into the cell {place(data, 'count')}, or delete it if it is not the answer."
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [("start", "2026/12/1"), ("urgent", "はい"), ("size", "small"), ("length", "3時間"), ("name", "b-2")],
)
def test_every_sort_of_answer_is_known_beside_its_cell(key: str, text: str) -> None:
    def move(workbook: Workbook) -> None:
        answer(workbook, key).value = None

    data = edited(form_of_everything(filled=EMPTY), move, beside(key, text))
    assert said(one(data).problems[0]) == ("answer_beside", place(data, key, 1))


def behind(key: str, text: str) -> Callable[[Workbook], None]:
    def write(workbook: Workbook) -> None:
        label = answer(workbook, key).offset(column=-1)
        label.value = f"{label.value}{text}"

    return write


@pytest.mark.parametrize(("key", "text"), [("count", "：77"), ("size", "  大きい；とても"), ("urgent", " = はい")])
def test_an_answer_behind_the_label_of_its_empty_cell_is_a_problem(key: str, text: str) -> None:
    def empty(workbook: Workbook) -> None:
        answer(workbook, key).value = None

    data = edited(form_of_everything(filled=EMPTY), empty, behind(key, text))
    found = one(data)
    assert [said(problem) for problem in found.problems] == [("answer_beside", place(data, key, -1))]
    assert found.problems[0].facts["text"] == text.strip(" =：")


def test_a_note_behind_a_label_is_a_warning_and_behind_that_of_a_filled_cell_none() -> None:
    data = edited(form_of_everything(filled=EMPTY), behind("count", "（部長に確認中）"), behind("name", "（仮）"))
    found = one(data)
    assert found.problems == ()
    assert warned(found) == [("text_beside", place(data, "count", -1))]


def test_answers_that_all_stand_one_column_aside_are_said_each() -> None:
    written = {
        "name": "b-2",
        "size": "大きい；とても",
        "urgent": "はい",
        "why": "急ぎ",
        "request.sender": "abe@example.jp",
    }
    data = edited(form_of_everything(filled=None), *(beside(key, text) for key, text in written.items()))
    reads, problems = reading(data)
    assert reads == []
    assert [said(problem) for problem in problems] == [
        ("no_answers", "入力"),
        ("answer_beside", place(data, "name", 1)),
        ("answer_beside", place(data, "size", 1)),
        ("answer_beside", place(data, "urgent", 1)),
    ]


def test_text_over_the_title_of_a_section_and_in_a_row_of_ones_own_is_said_with_its_cell() -> None:
    def write(workbook: Workbook) -> None:
        found = sheet(workbook)
        section = answer(workbook, "name").row - 1
        found.cell(section, 2).value = "a-1"
        rows_inserted(found, section + 2)
        found.cell(section + 2, 3).value = "b-2"

    found = one(edited(form_of_everything(filled=EMPTY), write))
    assert found.problems == ()
    assert [warning.line("ja") for warning in found.warnings] == [
        "request.xlsx:入力!B8: 「a-1」はどの質問の答えでもないため、読み取っていません（ほか1か所）。"
        "ご自身のメモであれば、そのままでかまいません。 [text_elsewhere]"
    ]


def test_text_in_the_receipt_of_a_form_is_said_not_to_be_read() -> None:
    data = edited(form_of_everything(), lambda found: setattr(answer(found, "request.response"), "value", "田中です"))
    assert [warning.line("ja") for warning in one(data).warnings] == [
        "request.xlsx:入力!C4: 受付の欄に「田中です」とありますが、受付番号ではないため読み取っていません。"
        "答えであれば、その質問の黄色のセルに書いてください。"
        "以前の依頼を直したものであれば、戻ってきたファイルの受付番号を写してください。 [text_in_receipt]"
    ]
    assert one(data).warnings[0].message("en") == (
        "“田中です” stands where a receipt number belongs and was not read. If it is an answer, write it into the yellow cell of its "
        "question. If this is to replace an earlier request, copy the receipt number of the workbook that came back."
    )


def test_who_asks_is_known_beside_its_cell() -> None:
    data = edited(form_of_everything(filled=EMPTY), beside("request.sender", "tanaka@example.co.jp"))
    assert warned(one(data)) == [("text_beside", place(data, "request.sender", 1))]


def test_free_text_beside_an_empty_cell_is_a_warning_and_beside_a_filled_one_a_note() -> None:
    data = edited(
        form_of_everything(filled=EMPTY), beside("why", "明日の会議で使うため"), beside("name", "名前は仮です")
    )
    found = one(data)
    assert found.problems == ()
    assert warned(found) == [("text_beside", place(data, "why", 1))]
    assert found.warnings[0].message("ja") == (
        "「理由」の答えのセルが空で、その横に「明日の会議で使うため」とあります。これは読み取っていません。"
        f"答えであれば{place(data, 'why')}に移してください。"
    )


def test_text_below_the_form_and_a_column_of_ones_own_are_said_once() -> None:
    def note(workbook: Workbook) -> None:
        found = sheet(workbook, "詳細設定")
        for row in range(1, found.max_row + 1):
            found.cell(row, 8).value = f"メモ{row}"
        found.cell(found.max_row + 2, 2).value = "追伸"

    found = one(edited(form_of_everything(filled=EMPTY), note))
    assert found.problems == ()
    assert [code for code, _ in warned(found)] == ["text_elsewhere", "text_elsewhere"]


def test_answers_that_all_stand_beside_their_cells_are_said_with_where_they_belong() -> None:
    data = edited(form_of_everything(filled=None), beside("count", "77"), beside("start", "2026/12/1"))
    reads, problems = reading(data)
    assert reads == []
    assert [said(problem) for problem in problems] == [
        ("no_answers", "入力"),
        ("answer_beside", place(data, "count", 1)),
        ("answer_beside", place(data, "start", 1)),
    ]


def above(key: str, value: str, rows: int = 1) -> Callable[[Workbook], None]:
    return lambda workbook: setattr(answer(workbook, key).offset(-rows), "value", value)


@pytest.mark.parametrize("rows", [1, 2], ids=["over the help", "over the headings"])
def test_answers_above_the_first_row_of_a_table_are_said_with_their_cell(rows: int) -> None:
    data = edited(table_of_everything(), above("request.sender", "abe@example.jp", rows), above("name", "a-1", rows))
    reads, problems = reading(data)
    assert reads == []
    assert [said(problem) for problem in problems] == [
        ("no_answers", "入力"),
        ("answer_above", place(data, "request.sender", rows=-rows)),
    ]
    assert problems[1].message("en") == (
        "“abe@example.jp” stands above the rows for requests, so it was not read as the answer to “Who asks (e-mail or name)” "
        "(and 1 more). Write requests in row 4 and below. If this is no answer, delete it here."
    )
    assert problems[1].message("ja") == (
        "「abe@example.jp」は依頼を書く行より上にあるため、「依頼者（メールアドレスまたは名前）」の答えとして読み取っていません（ほか1か所）。"
        "依頼は4行目から下に書いてください。答えでなければ、ここから削除してください。"
    )


def test_an_answer_in_a_row_put_in_above_the_others_is_a_problem_beside_good_ones() -> None:
    data = edited(
        table_of_everything(GOOD), lambda workbook: rows_inserted(sheet(workbook), 3), above("name", "b-2", 2)
    )
    (found,), problems = reading(data)
    assert problems == []
    assert [said(problem) for problem in found.problems] == [("answer_above", place(data, "name", rows=-2))]


def test_a_note_of_ones_own_over_the_help_of_a_table_is_no_problem() -> None:
    found = one(edited(table_of_everything(GOOD), above("count", "12個まで無料です")))
    assert found.problems == ()
    assert [code for code, _ in warned(found)] == ["text_elsewhere"]


def test_text_in_a_column_of_a_table_that_has_no_key_is_said_once() -> None:
    def note(workbook: Workbook) -> None:
        columns_inserted(sheet(workbook), 5)
        for row in (2, 4, 5):
            sheet(workbook).cell(row, 5).value = f"メモ{row}"

    reads, _ = reading(edited(table_of_everything(GOOD, Filled({**GOOD.values, "name": "b"})), note))
    assert [read.problems for read in reads] == [(), ()]
    assert warned(reads[0]) == [("text_elsewhere", "入力!E4")]
    assert reads[0].warnings[0].message("en") == (
        "“メモ4” belongs to no question and was not read (and 1 more). Nothing need be done if these are notes of your own."
    )


# Labels and keys


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_label_that_was_moved_without_its_key_makes_no_answer_of_another_question(layout: str) -> None:
    def swap(workbook: Workbook) -> None:
        rows, columns = (0, -1) if layout == "form" else (-2, 0)
        first, second = (answer(workbook, key).offset(rows, columns) for key in ("rate", "count"))
        first.value, second.value = second.value, first.value

    data = edited(form_of_everything() if layout == "form" else table_of_everything(GOOD), swap)
    reads, problems = reading(data)
    assert reads == []
    assert [problem.code for problem in problems] == ["labels_moved", "labels_moved"]
    assert problems[0].message("ja").startswith("ここには「個数」とありますが、本来は「率」の場所です。")


def test_a_heading_that_now_says_something_else_is_said() -> None:
    def rename(workbook: Workbook) -> None:
        answer(workbook, "count").offset(-2).value = "回数"
        answer(workbook, "start").offset(-2).value = "いつから"
        answer(workbook, "start").value = None

    data = edited(table_of_everything(GOOD), rename)
    found = one(data)
    assert found.answers.given["count"].value == "12"
    assert warned(found) == [("renamed_heading", place(data, "count", rows=-2))]


# Merged cells


@pytest.mark.parametrize("layout", ["form", "table"])
def test_an_answer_cell_that_was_merged_into_another_is_named(layout: str) -> None:
    def merge(workbook: Workbook) -> None:
        first, second = answer(workbook, "rate"), answer(workbook, "count")
        sheet_of(workbook, "rate").merge_cells(f"{first.coordinate}:{second.coordinate}")

    data = edited(form_of_everything() if layout == "form" else table_of_everything(GOOD), merge)
    found = one(data)
    assert [said(problem) for problem in found.problems] == [("merged_cell", place_of_merged(data, layout))]
    assert found.problems[0].question == "count"
    assert "count" not in found.answers.given
    assert found.answers.given["rate"].value == "0.07"


def sheet_of(workbook: Workbook, key: str) -> Worksheet:
    found = answer(workbook, key).parent
    assert isinstance(found, Worksheet)
    return found


def place_of_merged(data: bytes, layout: str) -> str:
    return place(data, "rate", *((0, 1) if layout == "form" else (1, 0)))


def test_an_answer_cell_that_was_merged_into_its_label_is_named() -> None:
    def merge(workbook: Workbook) -> None:
        sheet(workbook).merge_cells("B9:C9")

    found = one(edited(form_of_everything(filled=EMPTY), merge))
    assert [said(problem) for problem in found.problems] == [("merged_cell", "入力!C9")]
    assert found.problems[0].message("en") == (
        "入力!B9:C9 is merged, so the answer to “=Name” cannot be told. "
        "Undo the merging and write an answer into each cell."
    )


def test_rows_of_a_table_that_are_merged_downwards_name_every_cell_whose_answer_is_unsure() -> None:
    rows = [Filled({**GOOD.values, "name": f"a-{number}"}) for number in range(3)]

    def merge(workbook: Workbook) -> None:
        first, last = answer(workbook, "count"), answer(workbook, "count", 2)
        sheet(workbook).merge_cells(f"{first.coordinate}:{last.coordinate}")

    reads, problems = reading(edited(table_of_everything(*rows), merge))
    assert problems == []
    assert [[problem.code for problem in read.problems] for read in reads] == [["merged_cell"]] * 3


def test_merged_cells_of_rows_that_are_empty_are_no_requests() -> None:
    def merge(workbook: Workbook) -> None:
        first, last = answer(workbook, "count"), answer(workbook, "count", 9)
        sheet(workbook).merge_cells(f"{first.coordinate}:{last.coordinate}")

    assert len(reading(edited(table_of_everything(GOOD), merge))[0]) == 1


# Limits that were pasted over


def test_a_sheet_whose_limits_were_pasted_over_is_said_with_the_first_cell() -> None:
    def strip(workbook: Workbook) -> None:
        sheet(workbook).data_validations.dataValidation.clear()

    data = edited(form_of_everything(), strip)
    found = one(data)
    assert warned(found) == [("limits_lost", place(data, "request.sender"))]
    assert found.warnings[0].message("en") == (
        "The drop-down lists and limits are gone from 6 answer cells of the sheet “入力”, from here on. They may have been pasted "
        "over. The answers were checked all the same. It helps to paste with “Values only”."
    )
    assert found.problems == ()


def test_rows_of_a_table_whose_limits_were_pasted_over_are_said_and_no_others() -> None:
    def paste(workbook: Workbook) -> None:
        at = answer(workbook, "count", 1).coordinate
        for rule in list(sheet(workbook).data_validations.dataValidation):
            if at in rule.sqref:
                top, bottom = answer(workbook, "count").coordinate, answer(workbook, "count", 2).coordinate
                end = f"{at.rstrip('0123456789')}9000"
                rule.sqref = DataValidation(sqref=f"{top} {bottom}:{end}").sqref

    rows = [Filled({**GOOD.values, "name": f"a-{number}"}) for number in range(4)]
    data = edited(table_of_everything(*rows), paste)
    reads, _ = reading(data)
    assert warned(reads[0]) == [("limits_lost", place(data, "count", rows=1))]
    assert "gone from 1 answer cells" in reads[0].warnings[0].message("en")


def test_rows_beyond_those_that_are_prepared_never_had_limits() -> None:
    def fill(workbook: Workbook) -> None:
        last = max(area.max_row for one in sheet(workbook).data_validations.dataValidation for area in one.sqref)
        answer(workbook, "name", last + 500).value = "late"

    reads, _ = reading(edited(table_of_everything(GOOD), fill))
    assert [(len(reads), read.warnings) for read in reads] == [(2, ()), (2, ())]


# Shares that LibreOffice made small


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_share_far_below_its_example_is_said_with_what_may_be_meant(layout: Layout) -> None:
    training = {"dataset_id": "wine", "algorithm": "random_forest"}
    shares = (0.0085, 0.85, 0.01, 0.05, 0.0)[: 1 if layout == "form" else 5]
    rows = [Filled({**training, "evaluation_threshold": share}) for share in shares]
    data = write(KINDS["train_supervised"].form, "ja", layout, rows, rows=9)
    (first, *_), problems = reading(data)
    assert (problems, first.problems) == ([], ())
    ja = {
        "form": "「合格とする精度」は0.85%と読み取りました。",
        "table": "「合格とする精度」は0.85%と読み取りました（ほか1か所）。",
    }
    assert [(one.code, one.message("ja")) for one in first.warnings] == [
        (
            "small_share",
            f"{ja[layout]}85%のつもりであれば、セルに「85%」と書き直してください。0.85%でよければ、そのままで構いません。",
        )
    ]
    assert first.warnings[0].where == first.answers.place("evaluation_threshold")


# Filters and hidden rows


def _hide(*nths: int) -> Callable[[Workbook], None]:
    def hide(workbook: Workbook) -> None:
        for nth in nths:
            sheet(workbook).row_dimensions[answer(workbook, "name", nth).row].hidden = True

    return hide


def _filter(workbook: Workbook) -> None:
    sheet(workbook).auto_filter.add_filter_column(1, ["a-0"])


def test_rows_that_a_filter_hides_are_read_and_said() -> None:
    rows = [Filled({**GOOD.values, "name": f"a-{number}"}) for number in range(4)]
    reads, problems = reading(edited(table_of_everything(*rows), _hide(1, 3), _filter))
    assert problems == []
    assert [(read.answers.given["name"].value, read.problems) for read in reads] == [
        ("a-0", ()),
        ("a-1", ()),
        ("a-2", ()),
        ("a-3", ()),
    ]
    assert warned(reads[0]) == [("filtered_rows", reads[1].answers.where.spot)]
    assert reads[0].warnings[0].message("ja") == (
        "フィルターで隠れている行も読み取りました（ここから2行）。実行しない行であれば、削除するか別のファイルに分けてください。"
    )


def test_rows_that_somebody_hid_by_hand_are_refused_as_before() -> None:
    reads, _ = reading(edited(table_of_everything(GOOD, Filled({**GOOD.values, "name": "b"})), _hide(1)))
    assert [bool(read.problems) for read in reads] == [False, True]
    assert {problem.code for problem in reads[1].problems} == {"hidden_answer"}


def test_a_hidden_column_is_refused_though_a_filter_is_at_work() -> None:
    def hide(workbook: Workbook) -> None:
        sheet(workbook).column_dimensions[answer(workbook, "count").column_letter].hidden = True

    found = one(edited(table_of_everything(GOOD), hide, _filter))
    assert [(problem.code, problem.question) for problem in found.problems] == [("hidden_answer", "count")]


# Sheets that were copied, and sheets that lost their hidden cells


def _copied(title: str, *edits: Callable[[Worksheet], object]) -> Callable[[Workbook], None]:
    def copy(workbook: Workbook) -> None:
        copied = workbook.copy_worksheet(sheet(workbook))
        copied.title = title
        for rule in sheet(workbook).data_validations.dataValidation:
            copied.add_data_validation(rule)
        for edit in edits:
            edit(copied)

    return copy


def test_a_second_filled_copy_of_a_form_is_one_problem() -> None:
    found = one(edited(form_of_everything(), _copied("入力 (2)")))
    assert [problem.line("ja") for problem in found.problems] == [
        "request.xlsx:入力 (2): シートを写したようです。入力!C7からの質問がここにもう一度あり、どちらの答えか分かりません。"
        "使うほうだけを残し、もう片方を削除してください。"
        "依頼が2件以上あるときは、1件ずつ別のファイルにするか、一覧の依頼票を使ってください。 [copied_sheet]"
    ]
    assert found.problems[0].line("en") == (
        "request.xlsx:入力 (2): This looks like a copy of the form: the questions from 入力!C7 on stand here once more, so nobody "
        "can tell which answers count. Keep the one that is meant and delete the other. Send several requests in a file each, "
        "or use the table. [copied_sheet]"
    )


def test_a_form_that_was_pasted_below_itself_is_one_problem_where_the_second_begins() -> None:
    def paste(workbook: Workbook) -> None:
        found = sheet(workbook)
        last = found.max_row
        for row in range(2, last + 1):
            for column in (1, 2, 3):
                cell = found.cell(row, column)
                if not isinstance(cell, MergedCell):
                    found.cell(last + row, column).value = cell.value

    data = edited(form_of_everything(), paste)
    found = one(data)
    sender = found.answers.places["request.sender"].spot
    assert [problem.code for problem in found.problems] == ["copied_sheet"]
    assert found.problems[0].facts == {"other": shown(sender)}
    assert found.answers.given["name"].value == "a-1"


def test_an_empty_copy_of_a_form_is_no_problem() -> None:
    def empty(found: Worksheet) -> None:
        for row in range(6, found.max_row + 1):
            if not isinstance(found.cell(row, 3), MergedCell):
                found.cell(row, 3).value = None

    assert one(edited(form_of_everything(), _copied("入力 (2)", empty))).problems == ()


def test_a_row_that_stands_on_two_sheets_is_said_with_the_other_and_new_rows_are_read() -> None:
    def change(found: Worksheet) -> None:
        name = answer(found.parent, "name", 1)  # type: ignore[arg-type]  # the stubs know a chart's workbook too
        rows_inserted(found, name.row - 1)
        found.cell(name.row + 1, name.column).value = "c-3"

    data = edited(
        table_of_everything(GOOD, Filled({"name": "b"})),
        lambda workbook: setattr(answer(workbook, "request.again"), "value", None),
        _copied("控え", change),
    )
    reads, problems = reading(data)
    assert problems == []
    copied = [read for read in reads if read.problems]
    assert [said(problem) for read in copied for problem in read.problems] == [("copied_row", "控え!5")]
    assert copied[0].problems[0].facts["other"] == "入力!4"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ({"name": "合計", "count": "=SUM(A4:A4)"}, "合計"),
        ({"request.again": "小計", "count": 12}, "小計"),
        ({"count": 12, "why": "合計"}, "合計"),
        ({"name": "〃", "size": "〃", "rate": "〃"}, "〃"),
        ({"name": " Total ", "size": "-"}, "Total"),
    ],
    ids=["a sum", "a sum of values", "a sum behind its value", "marks of repetition", "a dash"],
)
def test_a_row_that_is_no_request_has_one_problem(written: dict[str, object], text: str) -> None:
    def add(workbook: Workbook) -> None:
        for key, value in written.items():
            answer(workbook, key, 1).value = value  # type: ignore[assignment]  # whatever a cell may hold

    (good, none), _ = reading(edited(table_of_everything(GOOD), add))
    assert good.problems == ()
    assert [problem.line("ja") for problem in none.problems] == [
        f"request.xlsx:入力!5: 「{text}」とありますが、必須の答えが1つもない行です。合計など、依頼でない行なら消してください。"
        "依頼なら、必須の列に記入してください（「〃」や「同上」も読めないので、答えをもう一度書いてください）。 [no_request]"
    ]


def test_a_row_of_formulas_alone_is_no_request() -> None:
    def add(workbook: Workbook) -> None:
        answer(workbook, "count", 1).value = "=SUM(A4:A4)"
        answer(workbook, "name", 2).value = "合計"

    (_, none, _), _ = reading(edited(table_of_everything(GOOD), add))
    assert [problem.message("ja").partition("、")[0] for problem in none.problems] == ["「数式」とありますが"]
    assert [problem.message("en").partition(",")[0] for problem in none.problems] == ["“a formula” stands here"]


def test_a_row_that_lacks_all_required_answers_but_says_nothing_of_a_sum_is_a_request() -> None:
    def add(workbook: Workbook) -> None:
        answer(workbook, "count", 1).value = 12
        answer(workbook, "urgent", 1).value = "はい"

    (_, forgotten), _ = reading(edited(table_of_everything(GOOD), add))
    assert forgotten.problems == ()
    assert [(problem.code, problem.question) for problem in check(forgotten.answers, KINDS)] == [  # type: ignore[union-attr]
        ("missing", "name"),
        ("missing", "size"),
        ("missing", "why"),
    ]


class Reckon(Job):
    title: ClassVar[Words] = Words("Reckon", ja="集計")
    about: ClassVar[Words] = Words("Reckons", ja="集計します")
    workload: ClassVar[str] = "reckon"
    how: Annotated[
        Literal["sum", "mean"],
        Ask(
            "How?",
            ja="方法",
            help=help("how"),
            choices=(Choice("sum", "Total", ja="合計"), Choice("mean", "Average", ja="平均")),
        ),
    ]


class Remark(Job):
    title: ClassVar[Words] = Words("Remark", ja="一言")
    about: ClassVar[Words] = Words("Remarks", ja="一言を残します")
    workload: ClassVar[str] = "remark"
    what: Annotated[str, Ask("What?", ja="内容", help=help("what"))]


@pytest.mark.parametrize(
    ("job", "key", "text", "codes"),
    [
        pytest.param(Reckon, "how", "合計", [], id="a choice"),
        pytest.param(Reckon, "how", "小計", ["no_request"], id="no choice"),
        pytest.param(Remark, "what", "total", [], id="a text"),
        pytest.param(Remark, "what", "〃", ["no_request"], id="a text repeated by a mark"),
    ],
)
def test_a_word_for_a_sum_that_is_the_answer_asked_for_is_a_request(
    job: type[Job], key: str, text: str, codes: list[str]
) -> None:
    kind = Kind("reckon", job, form_of("reckon", job), Path(__file__))
    data = edited(write(kind.form, "ja", "table", [], rows=9), lambda found: setattr(answer(found, key), "value", text))
    reads, problems = read(data, "request.xlsx", {"reckon": kind})
    assert problems == []
    assert [problem.code for one in reads for problem in one.problems] == codes


def test_sums_that_say_the_same_below_two_tables_are_no_copies() -> None:
    def add(workbook: Workbook) -> None:
        answer(workbook, "name", 1).value = "合計"

    def other(found: Worksheet) -> None:
        name = next(one.column for line in found.iter_rows(max_row=9) for one in line if one.value == "name")
        found.cell(4, name).value = "b-2"

    reads, _ = reading(edited(table_of_everything(GOOD), add, _copied("控え", other)))
    assert [[problem.code for problem in one.problems] for one in reads] == [[], ["no_request"], [], ["no_request"]]


def test_a_row_with_one_required_answer_or_an_error_in_its_place_hears_of_each_cell() -> None:
    def add(workbook: Workbook) -> None:
        answer(workbook, "name", 1).value = "合計です"
        answer(workbook, "name", 2).value = "#N/A"

    (_, wrong, error), _ = reading(edited(table_of_everything(GOOD), add))
    assert wrong.problems == ()
    assert [problem.code for problem in check(wrong.answers, KINDS)] == ["bad_identifier", "missing"]  # type: ignore[union-attr]
    assert [problem.code for problem in error.problems] == ["cell_error"]


def test_rows_of_one_sheet_may_say_the_same() -> None:
    reads, _ = reading(table_of_everything(EMPTY, EMPTY))
    assert [read.problems for read in reads] == [(), ()]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda found: found.delete_rows(1), id="the row of keys deleted"),
        pytest.param(lambda found: setattr(found["A1"], "value", None), id="the corner emptied"),
        pytest.param(lambda found: found.delete_cols(1), id="the corner's column deleted"),
    ],
)
def test_a_table_that_lost_its_keys_is_said_though_an_intact_one_stands_beside_it(
    edit: Callable[[Worksheet], object],
) -> None:
    reads, problems = reading(edited(table_of_everything(GOOD), _copied("12月", edit)))
    assert (reads, [said(problem) for problem in problems]) == ([], [("damaged_template", "12月")])


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_sheet_that_shows_the_questions_without_any_key_is_said_not_to_be_read(layout: str) -> None:
    def bare(found: Worksheet) -> None:
        found.delete_rows(1)
        found.delete_cols(1)

    data = form_of_everything() if layout == "form" else table_of_everything(GOOD)
    name = "詳細設定" if layout == "form" else "入力"

    def copy(workbook: Workbook) -> None:
        copied = workbook.copy_worksheet(sheet(workbook, name))
        copied.title = "控え"
        bare(copied)

    found = one(edited(data, copy))
    assert (found.problems, warned(found)) == ((), [("unread_sheet", "控え")])


def test_sheets_of_ones_own_are_nobodys_business() -> None:
    def add(workbook: Workbook) -> None:
        own = workbook.create_sheet("会議")
        own["A1"], own["B3"], own["C9"] = "議題", "個数", "=1+1"

    found = one(edited(form_of_everything(), add))
    assert (found.problems, found.warnings) == ((), ())
    assert not isinstance(check(found.answers, KINDS), list)
