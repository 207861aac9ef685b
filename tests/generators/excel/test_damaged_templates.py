"""Templates that lost some of the hidden keys which join answers to questions: nothing is read as if it had been left empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from openpyxl import Workbook

from tests.generators.excel.workbooks import (
    GOOD,
    edited,
    form_of_everything,
    only_problem,
    sheet,
    table_of_everything,
)


def _without(*names: str) -> Callable[[Workbook], None]:
    def remove(workbook: Workbook) -> None:
        for name in names:
            del workbook[name]

    return remove


def _of_version_2(workbook: Workbook) -> None:
    sheet(workbook, "denpyo")["B3"] = "2"


def _key_column_deleted(name: str) -> Callable[[Workbook], None]:
    return lambda workbook: sheet(workbook, name).delete_cols(1)


def _key_column_emptied(workbook: Workbook) -> None:
    for (cell,) in sheet(workbook)["A1:A20"]:
        cell.value = None


def _key_emptied(cell: str, name: str = "入力") -> Callable[[Workbook], None]:
    def empty(workbook: Workbook) -> None:
        sheet(workbook, name)[cell] = None

    return empty


def _renamed_and_key_column_deleted(workbook: Workbook) -> None:
    sheet(workbook).delete_cols(1)
    sheet(workbook).title = "依頼"


def _row_of_a_question_deleted(workbook: Workbook) -> None:
    sheet(workbook, "詳細設定").delete_rows(12)


@pytest.mark.parametrize(
    ("edit", "spot"),
    [
        pytest.param(_key_column_deleted("入力"), "入力", id="the keys of the first sheet deleted"),
        pytest.param(_key_column_emptied, "入力", id="the keys of the first sheet emptied"),
        pytest.param(_key_column_deleted("詳細設定"), "詳細設定", id="the keys of the second sheet deleted"),
        pytest.param(_key_emptied("A10"), "入力", id="one required key emptied"),
        pytest.param(_key_emptied("A14"), "入力", id="the key of why again emptied"),
        pytest.param(_key_emptied("A12", "詳細設定"), "詳細設定", id="one other key emptied"),
        pytest.param(_row_of_a_question_deleted, "詳細設定", id="a row deleted"),
        pytest.param(_key_emptied("A1"), "入力", id="the corner emptied"),
        pytest.param(_key_emptied("C1"), "入力", id="the mark of the answers emptied"),
    ],
)
def test_a_form_that_lost_some_of_its_keys_is_refused_with_where_they_are_gone(
    edit: Callable[[Workbook], None], spot: str
) -> None:
    problem = only_problem(edited(form_of_everything(), edit))
    assert (problem.code, problem.where.spot) == ("damaged_template", spot)


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        pytest.param(_without("詳細設定"), "詳細設定", id="the second sheet deleted"),
        pytest.param(_without("入力", "詳細設定"), "入力", id="both sheets deleted"),
        pytest.param(_renamed_and_key_column_deleted, "入力", id="a sheet renamed that lost its keys"),
    ],
)
def test_a_form_without_one_of_its_sheets_hears_which(edit: Callable[[Workbook], None], name: str) -> None:
    problem = only_problem(edited(form_of_everything(), edit))
    assert problem.line("ja") == (
        f"request.xlsx: シート「{name}」がこのファイルにありません。答えが失われないよう、ほかのシートも読み取っていません。"
        "削除したシートを元に戻したファイルを送るか、新しいテンプレートに答えを写して送ってください。 [sheet_missing]"
    )
    assert problem.message("en") == (
        f"The sheet “{name}” is missing from this workbook. The other sheets were not read either, so that no answer gets lost. "
        "Send a workbook that still has the sheet, or take a new template and copy the answers into it."
    )


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda workbook: sheet(workbook).delete_rows(1), id="the row of keys deleted"),
        pytest.param(lambda workbook: sheet(workbook).delete_cols(1), id="the corner deleted"),
        pytest.param(lambda workbook: sheet(workbook).delete_cols(4), id="a column deleted"),
        pytest.param(_key_emptied("N1"), id="one key emptied"),
    ],
)
def test_a_table_that_lost_some_of_its_keys_is_refused_at_its_sheet(edit: Callable[[Workbook], None]) -> None:
    problem = only_problem(edited(table_of_everything(GOOD), edit))
    assert (problem.code, problem.where.spot) == ("damaged_template", "入力")


def test_a_second_table_that_lost_its_keys_does_not_hide_behind_the_first() -> None:
    def copy(workbook: Workbook) -> None:
        copied = workbook.copy_worksheet(sheet(workbook))
        copied.title = "12月"
        copied["E1"] = None

    problem = only_problem(edited(table_of_everything(GOOD), copy))
    assert (problem.code, problem.where.spot) == ("damaged_template", "12月")


def test_a_copied_sheet_without_the_mark_of_the_answers_is_damaged_though_the_first_has_every_key() -> None:
    def copy(workbook: Workbook) -> None:
        copied = workbook.copy_worksheet(sheet(workbook))
        copied.title = "入力 (2)"
        copied["C1"] = None

    problem = only_problem(edited(form_of_everything(), copy))
    assert (problem.code, problem.where.spot) == ("damaged_template", "入力 (2)")


def test_what_a_damaged_template_lacks_is_said_with_what_to_do() -> None:
    known = only_problem(edited(form_of_everything(), _key_column_deleted("入力")))
    assert known.line("en") == (
        "request.xlsx:入力: This template is damaged: the hidden names that tell which answer belongs to which question "
        "are gone from the sheet “入力”. Take a new template, copy the answers into it and send that file. "
        "[damaged_template]"
    )
    assert known.line("ja") == (
        "request.xlsx:入力: 依頼票が壊れています。答えと質問を結び付ける非表示の名前がシート「入力」から失われています。"
        "新しいテンプレートに答えを写して送ってください。 [damaged_template]"
    )
    column = only_problem(edited(table_of_everything(GOOD), lambda workbook: sheet(workbook).delete_cols(4)))
    assert "are gone from the sheet “入力” (“Who asks (e-mail or name)”)." in column.line("en")
    assert "名前がシート「入力」から失われています（「依頼者（メールアドレスまたは名前）」）。" in column.line("ja")


def test_a_template_of_another_version_is_that_and_not_damaged() -> None:
    data = edited(form_of_everything(), _of_version_2, _key_column_deleted("入力"))
    assert only_problem(data).code == "old_template"
