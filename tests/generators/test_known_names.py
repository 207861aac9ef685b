"""Forms that are made on a desk offer the names it has; whoever reads them back does not care."""

from __future__ import annotations

import io
import json

import pytest
from openpyxl import load_workbook

from generators import google_form, issue_form
from generators.excel import Layout, template
from generators.excel.cells import read_cells
from generators.excel.entry import entries, wording
from generators.excel.read import answers_of
from schema.answers import Where
from tests.kinds_for_tests import SHIPPED

FORM = SHIPPED["train_supervised"].form
NAMES = ("diabetes", "sales-2026", "wine")
KNOWING = FORM.knowing("dataset", NAMES)


def test_what_a_form_offers_decides_nothing() -> None:
    assert KNOWING.fingerprint == FORM.fingerprint
    assert [one.key for one in KNOWING.questions if one.known] == ["dataset_id"]
    assert FORM.knowing("dataset", ()) == FORM
    assert wording(entries(KNOWING, "ja")) == wording(entries(FORM, "ja"))


def listed(data: bytes, sheet: int = 0) -> tuple[list[str], str, str, str]:
    """What the drop-down of the dataset offers, how Excel takes another answer, what it says then, and the cell's note."""
    book = load_workbook(io.BytesIO(data))
    rows = book.worksheets[sheet]
    keys = {cell.value: cell for row in rows.iter_rows() for cell in row if isinstance(cell.value, str)}
    key = keys["dataset_id"]
    place = f"C{key.row}" if key.column == 1 else f"{key.column_letter}10"
    (rule,) = [one for one in rows.data_validations.dataValidation if place in one.cells]
    assert rule.type == "list"
    (area,) = book.defined_names[rule.formula1].destinations
    cells = book[area[0]][area[1].replace("$", "")]
    return [row[0].value for row in cells], str(rule.errorStyle), str(rule.error), str(rule.prompt)


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_workbook_lists_the_names_and_lets_another_one_pass(layout: Layout) -> None:
    offered, style, error, prompt = listed(template.write(KNOWING, "ja", layout, rows=50))
    assert offered == [*NAMES]
    assert style == "warning"
    assert error == (
        "この依頼票を作ったとき、この名前のものはありませんでした。あとから登録されたものなら、このまま使えます。"
    )
    assert prompt.startswith("運用担当者が用意したデータセットの名前です。例：wine")


@pytest.mark.parametrize("layout", ["form", "table"])
def test_a_filled_workbook_that_lists_names_is_read_without_a_word_about_them(layout: Layout) -> None:
    filled = template.Filled({"dataset_id": "newer-one", "algorithm": "random_forest"})
    data = template.write(KNOWING, "ja", layout, [filled], rows=50)
    sheets = read_cells(data)
    assert isinstance(sheets, tuple)
    (read,), problems = answers_of([*sheets], Where("sheet.xlsx"), SHIPPED)
    assert (read.problems, read.warnings, problems) == ((), (), [])
    assert read.answers.given["dataset_id"].value == "newer-one"


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "There are today: diabetes, sales-2026, wine"), ("ja", "いまあるもの：diabetes、sales-2026、wine")],
)
def test_forms_at_services_say_the_names_below_the_question(language: str, line: str) -> None:
    google = json.loads(google_form.write(KNOWING, language))
    (said,) = [one["item"]["description"] for one in google["items"] if one["key"] == "dataset_id"]
    assert line in said.split("\n")
    assert line in issue_form.write(KNOWING, language).decode()
    assert line not in issue_form.write(FORM, language).decode()


def test_of_very_many_names_a_form_says_some_and_a_workbook_lists_a_thousand() -> None:
    form = FORM.knowing("dataset", [f"n{one:04d}" for one in range(2000)])
    google = json.loads(google_form.write(form, "en"))
    (said,) = [one["item"]["description"] for one in google["items"] if one["key"] == "dataset_id"]
    assert "n0019, …\n" in said
    assert "n0020" not in said
    offered, *_ = listed(template.write(form, "en", "form"))
    assert (len(offered), offered[-1]) == (1000, "n0999")
