"""A form of Microsoft Forms compared with its kind, by its workbook of responses."""

from __future__ import annotations

from generators.excel.cells import read_cells
from generators.excel.refusal import Refusal
from generators.microsoft.verify import verify
from schema.question import Form
from tests.generators.microsoft.test_responses import GOOD
from tests.generators.microsoft.workbooks import exported, headings, row, workbook
from tests.kinds_for_tests import KINDS, SHIPPED

INFERENCE = SHIPPED["inference"].form


def compared(data: bytes, form: Form = INFERENCE, language: str = "en") -> tuple[list[str], list[str]]:
    sheets = read_cells(data)
    assert not isinstance(sheets, Refusal)
    problems, warnings = verify(sheets, "r.xlsx", form)
    return [one.line(language) for one in problems], [one.line(language) for one in warnings]


def test_a_form_as_it_was_imported_has_nothing_to_mend() -> None:
    for language in ("en", "ja"):
        assert compared(exported(INFERENCE, language)) == ([], [])
        given = {"metrics": "F1;AUC値;", "urgent": "no", "colour": "紺", "extras": "Log"}
        assert compared(exported(KINDS["every_field"].form, language, given), KINDS["every_field"].form) == ([], [])


def test_what_is_missing_reworded_or_offers_other_options_is_said() -> None:
    heads = headings(INFERENCE, "en")
    heads[6] = "Data [vhpu]2"
    heads[8] = "Remarks"
    rows = [
        row(INFERENCE, 1, GOOD),
        row(INFERENCE, 2, {**GOOD, "output_format": "XML"}),
        row(INFERENCE, 3, {"output_format": "XML"}),
    ]
    problems, warnings = compared(workbook(heads, rows))
    assert problems == [
        "r.xlsx:Sheet1!H3: “XML” was chosen for “In which format do you want the predictions?”, which is no option of the form as it "
        "was made. Set the options of the form to: CSV, Excel (xlsx), JSON [form_other_option]"
    ]
    assert warnings == [
        "r.xlsx:Sheet1!1: The form does not ask “Note”: no title has [f6l7] in it. It counts as left empty. Nothing need be done if "
        "this is meant. Otherwise add a question with this title: Note [f6l7] [form_optional_question]",
        "r.xlsx:Sheet1!G1: The title here is now “Data [vhpu]2”. Nothing need be done as long as it asks for the same. "
        "It was made as: Which dataset? [vhpu] [form_other_title]",
    ]


def test_it_is_said_in_japanese_too() -> None:
    heads = headings(INFERENCE, "ja")
    del heads[6]
    assert compared(workbook(heads, []), language="ja")[0] == [
        "r.xlsx:Sheet1!1: フォームに「どのデータセットですか」の質問がありません（題名に[vhpu]がありません）。"
        "次の題名の質問をフォームに追加してください：どのデータセットですか [vhpu] [form_without_question]"
    ]


def test_a_choice_that_takes_several_answers_is_said() -> None:
    problems, _ = compared(exported(INFERENCE, "en", {**GOOD, "output_format": "CSV;JSON;"}))
    assert problems == [
        "r.xlsx:Sheet1!H2: “In which format do you want the predictions?” takes several answers in this form. "
        "Switch “Multiple answers” off at this question. [form_several_answers]"
    ]


def test_titles_in_the_other_language_and_with_a_number_of_forms_are_no_other_titles() -> None:
    heads = [title.replace("Note [", "メモ [").replace("[vhpu]", "[vhpu]2") for title in headings(INFERENCE, "en")]
    assert compared(workbook(heads, [])) == ([], [])


def test_a_form_of_another_kind_or_version_and_a_file_without_responses_are_told() -> None:
    assert compared(exported(SHIPPED["train_supervised"].form, "en"))[0] == [
        "r.xlsx:Sheet1!AF1: This document asks for “train_supervised”, the template is for “inference”. "
        "Name the kind of the document. [another_kind]"
    ]
    heads = [title.replace("[inference 1 en]", "[inference 2 en]") for title in headings(INFERENCE, "en")]
    assert compared(workbook(heads, []))[1] == [
        "r.xlsx:Sheet1!M1: The form was made for version 2 of its kind; the current one is 1. Its responses can still be read. "
        "Set the form up anew when it suits you, by the page of the current version. [form_other_version]"
    ]
    assert compared(workbook(["a", "b"], [])) == (
        [
            "r.xlsx: This workbook holds no responses of Microsoft Forms. Open the responses of the form in Excel, download the "
            "workbook and give that. [not_responses]"
        ],
        [],
    )
