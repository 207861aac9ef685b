"""The receipt of a marked copy: the id of a response comes back with it, and one that was destroyed makes no new request silently."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

from generators.excel import RESPONSE, STATUS
from generators.excel.template import Filled
from schema.problem import Problem
from tests.generators.excel.workbooks import (
    EVERYTHING,
    GOOD,
    answer,
    columns_inserted,
    edited,
    form_of_everything,
    one,
    reading,
    sheet,
    spot,
    table_of_everything,
    with_receipts,
)

ID = "7k3m-9qx2-b4td"
OTHER = "0000-zzzz-a1b2"
ROWS = [Filled({**GOOD.values, "name": f"a-{number}"}) for number in range(3)]


def said(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.where.spot


@pytest.mark.parametrize(
    "text", [ID, f"{ID} 受付済み", f"  {ID}\n要修正 2件", f"{ID.upper()} accepted", "７ｋ３ｍ－９ｑｘ２－ｂ４ｔｄ"]
)
def test_the_first_word_of_a_receipt_names_the_response(text: str) -> None:
    found = one(with_receipts("form", text, filled=[GOOD]))
    assert (found.answers.response, found.problems) == (ID, ())
    assert RESPONSE not in found.answers.given


def test_the_place_of_a_receipt_is_known_in_both_layouts_and_an_empty_one_names_nothing() -> None:
    def note(workbook: Workbook) -> None:
        places.append(spot(answer(workbook, RESPONSE)))

    places: list[str] = []
    for layout in ("form", "table"):
        data = with_receipts(layout, filled=[GOOD])
        edited(data, note)
        found = one(data)
        assert (found.answers.response, found.problems) == ("", ())
        assert found.answers.places[RESPONSE].spot == places[-1]


def test_each_row_of_a_table_has_the_response_of_its_own() -> None:
    reads, problems = reading(with_receipts("table", f"{ID} 受付済み", "", f"{OTHER} 要修正 1件", filled=ROWS))
    assert problems == []
    assert [read.answers.response for read in reads] == [ID, "", OTHER]
    assert [read.answers.given["name"].value for read in reads] == ["a-0", "a-1", "a-2"]


@pytest.mark.parametrize("text", ["7k3m-9qx2 受付済み", "7k3m9qx2b4td", "7k3m-9qx2-b4t_", "-", "7", "7K3M-9QX2-B4TD-1"])
@pytest.mark.parametrize("layout", ["form", "table"])
def test_an_id_that_somebody_destroyed_makes_no_new_request(layout: str, text: str) -> None:
    data = with_receipts("form" if layout == "form" else "table", text, filled=[GOOD])
    found = one(data)
    assert [said(problem) for problem in found.problems] == [("wrong_receipt", found.answers.places[RESPONSE].spot)]
    assert found.answers.response == ""
    assert f"“{text.split()[0]}” is not a receipt number" in found.problems[0].message("en")


def test_a_receipt_of_words_alone_is_a_new_request_and_that_is_said() -> None:
    found, *_ = reading(with_receipts("table", "受付済み", "要修正 2件", filled=ROWS))[0]
    assert (found.answers.response, found.problems) == ("", ())
    assert [said(warning) for warning in found.warnings] == [("lost_receipt", found.answers.places[RESPONSE].spot)]
    assert (
        found.warnings[0]
        .message("en")
        .startswith("The receipt number is missing here; the row was read as a new request (and 1 more).")
    )


def test_a_receipt_whose_row_was_emptied_changes_nothing_and_that_is_said() -> None:
    reads, problems = reading(with_receipts("table", ID, f"{OTHER} 受付済み", filled=[GOOD]))
    assert (problems, [read.answers.response for read in reads]) == ([], [ID])
    assert [warning.code for warning in reads[0].warnings] == ["receipt_alone"]
    assert reads[0].warnings[0].message("ja").startswith("受付番号だけがあり答えがないため、何も変更していません。")
    assert reading(with_receipts("form", ID))[1][0].code == "no_answers"


def test_a_response_that_stands_twice_is_a_problem_at_the_second_that_names_the_first() -> None:
    reads, problems = reading(with_receipts("table", f"{ID} 受付済み", "", ID, filled=ROWS))
    assert problems == []
    first, _, second = (read.answers.places[RESPONSE].spot for read in reads)
    assert [[said(problem) for problem in read.problems] for read in reads] == [
        [],
        [],
        [("duplicate_response", second)],
    ]
    assert [read.answers.response for read in reads] == [ID, "", ""]
    assert reads[2].problems[0].message("en") == (
        f"The receipt number {ID} stands here and in {first}. Keep it where it belongs. If this is a new request, empty this cell."
    )
    assert reads[2].problems[0].message("ja") == (
        f"受付番号{ID}が、ここと{first}の2か所にあります。正しい方だけに残してください。新しい依頼であれば、このセルを空にしてください。"
    )


def test_a_formula_in_a_receipt_is_no_id() -> None:
    def compute(workbook: Workbook) -> None:
        answer(workbook, RESPONSE).value = f'="{ID}"'

    found = one(edited(with_receipts("table", filled=[GOOD]), compute))
    assert [problem.code for problem in found.problems] == ["formula"]
    assert found.answers.response == ""


def _with_status(workbook: Workbook) -> None:
    """What the cell above the live status says; templates that have none get one."""
    found = sheet(workbook)
    if not any(str(cell.value).startswith(STATUS) for cell in found[1]):
        columns_inserted(found, 2)
        found.cell(4, 2).value = '=IF(D4="","",1)'
    at = next((cell.coordinate for cell in found[1] if str(cell.value).startswith(STATUS)), "B1")
    found[at] = f"{STATUS} everything 3 {EVERYTHING.form.fingerprint} ja"


def _alone(workbook: Workbook) -> None:
    for name in workbook.sheetnames:
        if name != "入力":
            del workbook[name]


def test_a_table_that_was_copied_into_another_workbook_still_says_which_it_is() -> None:
    data = edited(table_of_everything(GOOD), _with_status, _alone)
    found = one(data)
    assert (found.answers.kind, found.answers.version, found.answers.language) == ("everything", 3, "ja")
    assert found.answers.fingerprint == EVERYTHING.form.fingerprint
    assert found.problems == ()
    assert set(found.answers.given) == set(EVERYTHING.form.by_key)
    assert found.answers.places["version"].spot.startswith("入力!")


def test_a_table_of_another_version_beside_todays_is_not_read_as_todays() -> None:
    def older(workbook: Workbook) -> None:
        copied = workbook.copy_worksheet(sheet(workbook))
        copied.title = "前回"
        for cell in copied[1]:
            if str(cell.value).startswith(STATUS):
                cell.value = f"{STATUS} everything 2 0 ja"

    reads, problems = reading(edited(table_of_everything(GOOD), _with_status, older))
    assert reads == []
    assert [problem.code for problem in problems] == ["mixed_templates"]
    assert problems[0].where.spot.startswith("前回!")


@pytest.mark.parametrize("told", ["", " everything", " everything three 0 ja"])
def test_a_status_that_says_too_little_tells_of_no_template(told: str) -> None:
    def destroy(workbook: Workbook) -> None:
        for cell in sheet(workbook)[1]:
            if str(cell.value).startswith(STATUS):
                cell.value = f"{STATUS}{told}"

    problem = reading(edited(table_of_everything(GOOD), _with_status, _alone, destroy))[1][0]
    assert problem.code == ("not_a_template" if told else "template_sheet_missing")


def test_a_form_that_was_taken_out_of_its_workbook_is_said_to_be_that() -> None:
    def alone(workbook: Workbook) -> None:
        del workbook["denpyo"]

    _, (problem,) = reading(edited(form_of_everything(), alone))
    assert problem.message("en") == (
        "The hidden sheet “denpyo”, which says what this form asks for, is missing: the sheet “入力” was taken out of its "
        "workbook. Send the whole workbook, or take a new template and copy the answers into it."
    )
