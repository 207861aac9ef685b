"""The blank and the filled template, as Excel will show them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from generators.excel import AGAIN, RESPONSE, SENDER, Layout
from generators.excel.entry import entries, wording
from generators.excel.limits import rule_for
from generators.excel.read import read
from generators.excel.template import Filled
from generators.excel.template import write as write_template
from schema.kinds import load
from schema.question import Limits
from tests.generators.excel.workbooks import EVERYTHING, GOOD, ROOT, answer, edited, one, parts_of, reading
from tests.kinds_for_tests import KINDS

write = partial(write_template, rows=50)
ALL = {**KINDS, "everything": EVERYTHING}
LAYOUTS: tuple[Layout, ...] = ("form", "table")
LANGUAGES = ("ja", "en")
SORTS = {
    "choice": {"list"},
    "yes_no": {"list"},
    "many_choice": {"textLength"},
    "whole_number": {"whole"},
    "number": {"decimal", "custom"},
    "date": {"date"},
    "duration": {"textLength"},
    "identifier": {"textLength"},
    "text": {"textLength"},
}
every_template = pytest.mark.parametrize(
    ("name", "layout", "language"),
    [(name, layout, language) for name in ALL for layout in LAYOUTS for language in LANGUAGES],
    ids=lambda value: str(value),
)


def rules(data: bytes, layout: Layout) -> Iterator[tuple[str, Any, DataValidation]]:
    """Every key, its answer cell (of a table: the last prepared one), and the rule for it."""
    workbook = load_workbook(io.BytesIO(data))
    for sheet in workbook.worksheets:
        keys = sheet[1] if layout == "table" else sheet["A"]
        for key in keys if sheet["A1"].value in ("denpyo:form", "denpyo:table") else ():
            if key.value is None or key.value == RESPONSE or str(key.value).startswith("denpyo:"):
                continue
            place = f"{key.coordinate[:-1]}53" if layout == "table" else f"C{key.row}"
            found = [rule for rule in sheet.data_validations.dataValidation if place in rule.cells]
            assert len(found) == 1, place
            yield str(key.value), sheet[place], found[0]


@every_template
def test_every_answer_has_its_rule_prompt_and_error_message_within_what_excel_can_hold(
    name: str, layout: Layout, language: str
) -> None:
    form = ALL[name].form
    found = {key: rule for key, _, rule in rules(write(form, language, layout), layout)}
    assert set(found) == {SENDER, AGAIN, *form.by_key}
    for key, rule in found.items():
        sort = SORTS[form.by_key[key].widget] if key in form.by_key else {"textLength"}
        assert rule.type in sort
        assert rule.errorStyle == "stop"
        assert rule.showErrorMessage
        assert rule.showInputMessage
        assert 0 < len((rule.promptTitle or "").encode("utf-16-le")) <= 64
        assert 0 < len((rule.prompt or "").encode("utf-16-le")) <= 510
        assert 0 < len((rule.errorTitle or "").encode("utf-16-le")) <= 64
        assert 0 < len((rule.error or "").encode("utf-16-le")) <= 450


def test_a_rule_says_the_limits_of_its_question() -> None:
    found = {key: rule for key, _, rule in rules(write(EVERYTHING.form, "ja", "form"), "form")}
    formulas = {key: (rule.formula1, rule.formula2) for key, rule in found.items()}
    assert formulas["settings.depth@small"] == ("1", "9")
    assert formulas["settings.depth@large"] == ("11", "99")
    assert formulas["share"] == ("0", "100")
    assert formulas["rate"] == ("AND(ISNUMBER(C11),C11>0,C11<=1)", None)
    assert formulas["count"] == ("-999999999999999", "999999999999999")
    assert formulas["start"] == ("43831", "73050")
    assert formulas["why"] == ("2", "400")
    assert formulas["name"] == ("1", "63")
    assert found["settings.depth@large"].error == "ここに入力できるもの：整数、10より大きい、100より小さい。"
    assert found["rate"].prompt == "rateの説明\n数値、0より大きい、1以下。例：0.3"
    assert found["start"].error == "ここに入力できるもの：日付（年/月/日）、2020/01/01以後、2100/01/01より前。"


def test_a_text_of_a_set_form_is_asked_for_by_its_example_and_no_list_is_spoken_of() -> None:
    form = KINDS["every_field"].form
    (said,) = (rule for key, _, rule in rules(write(form, "ja", "form"), "form") if key == "code")
    assert said.prompt == "試験用です。\n「AB-123」のような形"
    assert said.error == "ここに入力できるもの：「AB-123」のような形。"
    code = form.by_key["code"]
    assert rule_for(replace(code, example=""), "ja", "", "").error == "ここに入力できるもの：32,767文字以下。"
    free = replace(code, limits=Limits())
    assert rule_for(free, "en", "", "").error == "What belongs here: at most 32,767 characters."
    layers = load()["train_supervised"].form.by_key["hyperparameters.hidden_layers"]
    assert rule_for(layers, "en", "", "").error == "What belongs here: something like “100, 50”."


def test_a_drop_down_chooses_from_a_named_range_on_a_hidden_sheet() -> None:
    data = write(EVERYTHING.form, "en", "form")
    workbook = load_workbook(io.BytesIO(data))
    (size,) = (rule.formula1 for key, _, rule in rules(data, "form") if key == "size")
    area = workbook.defined_names[size].attr_text
    assert area == "'choices'!$A$1:$A$2"
    choices = workbook["choices"]
    assert choices.sheet_state == "veryHidden"
    assert [(cell.value, cell.data_type) for (cell,) in choices["A1:A2"]] == [("=Small", "s"), ("Large, very; so", "s")]


@every_template
def test_no_list_is_inline_and_nothing_that_people_read_is_a_formula(name: str, layout: Layout, language: str) -> None:
    data = write(ALL[name].form, language, layout, [GOOD] if name == "everything" else [])
    workbook = load_workbook(io.BytesIO(data))
    for _, _, rule in rules(data, layout):
        assert rule.type != "list" or rule.formula1 in workbook.defined_names or "INDIRECT(" in str(rule.formula1)
    formulas = {
        (sheet.title == "choices", cell.coordinate.rstrip("0123456789"))
        for sheet in workbook
        for row in sheet
        for cell in row
        if cell.data_type == "f"
    }
    assert formulas == ({(False, one) for one in "EHIJ"} if layout == "form" else {(False, "B"), (True, "A")})


def test_answers_are_unlocked_and_keep_what_is_typed_and_everything_else_is_locked() -> None:
    data = write(EVERYTHING.form, "ja", "form", [GOOD])
    cells = {key: cell for key, cell, _ in rules(data, "form")}
    assert {key for key, cell in cells.items() if cell.protection.locked} == set()
    formats = {key: cell.number_format for key, cell in cells.items()}
    assert formats["start"] == "yyyy/mm/dd"
    assert {formats[key] for key in ("rate", "count", "settings.depth@small")} == {"General"}
    assert (formats["share"], formats["resources.gpus"]) == ('General"%"', 'General" 枚"')
    assert {formats[key] for key in ("name", "why", "size", "urgent", "colours", "length", SENDER, AGAIN)} == {"@"}
    for sheet in load_workbook(io.BytesIO(data)).worksheets:
        assert sheet.protection.sheet
        assert not sheet.protection.password
        unlocked = {cell.coordinate.rstrip("0123456789") for row in sheet for cell in row if not cell.protection.locked}
        assert unlocked <= {"C"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_share_whose_example_is_a_percentage_is_shown_asked_and_read_in_per_cent(layout: Layout) -> None:
    form = KINDS["every_field"].form
    data = write(form, "ja", layout, [Filled({"share": 0.2})])
    assert answer(load_workbook(io.BytesIO(data)), "share").number_format == "0.0#%"
    (rule,) = (rule for key, _, rule in rules(data, layout) if key == "share")
    assert rule.prompt == "試験用です。\n数値、0%より大きい、100%より小さい。50%のように書きます"
    assert rule.error == "ここに入力できるもの：数値、0%より大きい、100%より小さい。"
    assert str(rule.formula1).endswith("<1)")
    for typed, expected in ((0.2, "20%"), ("２０％", "２０％"), (0.125, "12.5%")):
        (found,), _ = read(edited(data, lambda workbook: _type(workbook, typed)), "a.xlsx", KINDS)  # noqa: B023
        assert found.answers.given["share"].value == expected


def _type(workbook: Workbook, typed: object) -> None:
    answer(workbook, "share").value = typed  # type: ignore[assignment]


def test_what_a_person_calls_a_share_is_in_per_cent_and_a_learning_rate_is_not() -> None:
    form = load()["train_supervised"].form
    formats = {key: cell.number_format for key, cell, _ in rules(write(form, "ja", "form"), "form")}
    assert {key for key, one in formats.items() if "%" in one} == {"evaluation_threshold", "hyperparameters.subsample"}
    sheet = load_workbook(io.BytesIO(write(form, "ja", "form")))["詳細設定"]
    (row,) = (row for row in sheet if row[0].value == "hyperparameters.subsample")
    assert row[5].value == "100%"


def test_a_beginner_sees_the_basic_and_the_required_questions_and_the_rest_has_a_sheet_of_its_own() -> None:
    workbook = load_workbook(io.BytesIO(write(load()["train_supervised"].form, "ja", "form")))
    assert workbook.sheetnames == ["入力", "詳細設定", "使い方", "choices", "denpyo"]
    assert [cell.value for cell in workbook["入力"]["A"] if cell.value] == [
        "denpyo:form",
        "request.response",
        "request.sender",
        "dataset_id",
        "target",
        "task_type",
        "algorithm",
        "evaluation_threshold",
        "request.again",
    ]
    assert "seed" in [cell.value for cell in workbook["詳細設定"]["A"]]
    assert [name for name in workbook.sheetnames if workbook[name].sheet_state == "veryHidden"] == ["choices", "denpyo"]


def test_what_an_empty_answer_means_stands_beside_it_and_not_in_it() -> None:
    sheet = load_workbook(io.BytesIO(write(EVERYTHING.form, "ja", "form")))["詳細設定"]
    meant = {row[0].value: row[5].value for row in sheet if row[0].value and row[0].value != "denpyo:form"}
    assert meant["length"] == "1時間30分"
    assert meant["colours"] == "赤"
    assert meant["share"] == "50"
    assert meant["start"] == "なし"
    assert meant["resources.queue"] == "default"
    assert {row[2].value for row in sheet if row[0].value in meant} == {None}


def test_a_condition_is_said_in_the_heading_or_in_the_help() -> None:
    workbook = load_workbook(io.BytesIO(write(EVERYTHING.form, "ja", "form")), rich_text=True)
    texts = [str(cell.value) for name in ("入力", "詳細設定") for row in workbook[name] for cell in row if cell.value]
    assert "小さい設定　「大きさ」が「=小さい」のときだけ答えます。" in texts
    assert any(text.startswith("「至急ですか」が「はい」のときだけ答えます。\nwhyの説明") for text in texts)


def test_a_table_is_prepared_with_its_heading_frozen_and_filtered() -> None:
    workbook = load_workbook(io.BytesIO(write(load()["inference"].form, "en", "table")))
    sheet = workbook["Request"]
    form = load()["inference"].form
    own = f"denpyo:status inference 1 {form.fingerprint} en {wording(entries(form, 'en'))}"
    heads = [cell.value for cell in sheet[1]][:5]
    assert heads == ["denpyo:table", own, "request.response", "request.sender", "model_id"]
    assert sheet.cell(1, sheet.max_column).value == "request.again"
    assert sheet.row_dimensions[1].hidden
    assert sheet.column_dimensions["A"].hidden
    assert sheet.freeze_panes == "D4"
    last = get_column_letter(sheet.max_column)
    assert sheet.auto_filter.ref == f"B3:{last}53"
    assert {str(rule.sqref).rpartition(":")[2][-2:] for rule in sheet.data_validations.dataValidation} == {"53"}
    assert not any(sheet.column_dimensions[column].protection.locked for column in "BCDE")
    assert sheet["E2"].value == "Which model?  ＊required"


@pytest.mark.parametrize(("filled", "last"), [(0, 53), (3, 53), (60, 63)])
def test_a_table_prints_its_headings_and_fifty_requests_or_as_many_as_are_filled(filled: int, last: int) -> None:
    sheet = load_workbook(io.BytesIO(write(EVERYTHING.form, "ja", "table", [GOOD] * filled)))["入力"]
    assert sheet.print_area == f"'入力'!$B$2:${get_column_letter(sheet.max_column)}${last}"
    assert sheet.print_title_rows == "$2:$3"


@pytest.mark.parametrize("name", sorted(load()))
def test_a_program_that_writes_a_tables_formulas_out_can_still_hold_ten_thousand_of_them(name: str) -> None:
    sheet = load_workbook(io.BytesIO(write(load()[name].form, "ja", "table")))["入力"]
    formulas = [str(cell.value) for cell in sheet[4] if cell.data_type == "f"]
    assert formulas
    assert 10_000 * sum(map(len, formulas)) <= 30_000_000


def test_columns_that_would_read_the_same_name_their_section() -> None:
    sheet = load_workbook(io.BytesIO(write(load()["train_supervised"].form, "ja", "table")))["入力"]
    labels = [cell.value for cell in sheet[2]]
    assert len(labels) == len(set(labels))
    assert "木の数（本）\nXGBoostの設定" in labels


def test_the_template_says_which_form_it_is_in_a_hidden_sheet_and_in_the_properties() -> None:
    form = EVERYTHING.form
    workbook = load_workbook(io.BytesIO(write(form, "en", "table")))
    told = {row[0].value: row[1].value for row in workbook["denpyo"].iter_rows(min_row=2)}
    assert told == {
        "kind": "everything",
        "version": "3",
        "fingerprint": form.fingerprint,
        "layout": "table",
        "language": "en",
        "wording": wording(entries(form, "en")),
    }
    properties = workbook.custom_doc_props  # type: ignore[attr-defined]
    assert {one.name: one.value for one in properties.props} == {
        f"denpyo.{name}": value for name, value in told.items()
    }
    assert workbook.properties.creator == "denpyo"


@every_template
def test_the_instructions_are_a_few_short_lines(name: str, layout: Layout, language: str) -> None:
    workbook = load_workbook(io.BytesIO(write(ALL[name].form, language, layout)))
    sheet = workbook["使い方" if language == "ja" else "How to use"]
    steps = [cell.value for cell in sheet["B"][1:] if cell.value]
    assert 5 <= len(steps) <= 8
    assert max(len(step) for step in steps) < 180


PROGRAM = """
import hashlib
from generators.excel.template import Filled, write
from schema.kinds import load
for kind in load().values():
    for language in ("ja", "en"):
        for layout in ("form", "table"):
            for filled in ([], [Filled({"dataset_id": "wine", "note": "a"}, "a@example.com")]):
                print(hashlib.sha256(write(kind.form, language, layout, filled)).hexdigest())
"""


def test_the_same_form_gives_the_same_bytes_in_every_process() -> None:
    written = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "4711")
    ]
    assert written[0] == written[1] == written[2]
    assert len(written[0].split()) == 16


PARTS = """
import json
from generators.excel.template import Filled, write
from tests.generators.excel.workbooks import EVERYTHING, GOOD, parts_of
from openpyxl import DEFUSEDXML, LXML
found = {"": [LXML, DEFUSEDXML]}
for layout in ("form", "table"):
    data = write(EVERYTHING.form, "ja", layout, [Filled({**GOOD.values, "why": " "}, " <a> ", "\\t\\n\u3000")])
    found |= {f"{layout} {name}": part.decode() for name, part in parts_of(data).items()}
print(json.dumps(found))
"""


def _parts_written_after(before: str) -> dict[str, Any]:
    ran = subprocess.run([sys.executable, "-c", before + PARTS], cwd=ROOT, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize(("module", "installed"), [("lxml", [False, True]), ("defusedxml", [True, False])])
def test_what_else_is_installed_changes_nothing_in_a_template(module: str, installed: list[bool]) -> None:
    for other in ("lxml", "defusedxml"):
        pytest.importorskip(other)
    without = f"import sys; sys.modules['{module}'] = None"
    written = [
        _parts_written_after(before) for before in (without, f"{without}; import openpyxl", "import openpyxl", "")
    ]
    assert [one.pop("") for one in written] == [installed, installed, [True, True], [True, True]]
    assert len(written[0]) == 27
    for name, part in written[0].items():
        assert [one[name] for one in written] == [part] * 4, name


def test_the_package_has_a_fixed_order_and_no_date_of_its_own() -> None:
    with zipfile.ZipFile(io.BytesIO(write(EVERYTHING.form, "ja", "form"))) as package:
        members = package.infolist()
    assert members[0].filename == "[Content_Types].xml"
    assert [one.filename for one in members][1:] == sorted(one.filename for one in members[1:])
    assert {one.date_time for one in members} == {(1980, 1, 1, 0, 0, 0)}
    core = parts_of(write(EVERYTHING.form, "ja", "form"))["docProps/core.xml"]
    assert core.count(b"1980-01-01T00:00:00Z") == 2
    assert core.count(b"T") == 2 + core.count(b"TF")


def test_a_form_holds_one_request_and_a_table_many() -> None:
    with pytest.raises(ValueError, match="holds one request"):
        write(EVERYTHING.form, "ja", "form", [GOOD, GOOD])
    reads, problems = reading(write(EVERYTHING.form, "ja", "table", [GOOD] * 3))
    assert (len(reads), problems) == (3, [])


def test_an_answer_that_the_form_does_not_ask_is_never_dropped() -> None:
    with pytest.raises(ValueError, match="everything asks no colour"):
        write(EVERYTHING.form, "ja", "form", [Filled({"colour": "red"})])


def test_an_answer_for_a_shared_name_goes_where_the_other_answers_ask_for_it() -> None:
    found = one(write(EVERYTHING.form, "ja", "form", [Filled({"size": "large", "settings.depth": 50})])).answers.given
    assert found["settings.depth@large"].value == "50"
    assert found["settings.depth@small"].value == ""
    unasked = one(write(EVERYTHING.form, "ja", "form", [Filled({"settings.depth": 50})])).answers.given
    assert unasked["settings.depth@small"].value == "50"


def test_a_sheet_says_a_share_in_per_cent_alone_because_its_cell_shows_per_cent() -> None:
    form = KINDS["train_supervised"].form
    (japanese,) = (one.help for one in entries(form, "ja") if one.key == "evaluation_threshold")
    (english,) = (one.help for one in entries(form, "en") if one.key == "evaluation_threshold")
    assert japanese.splitlines() == [
        "分類では正解率、回帰では決定係数R²です（テスト用の行で測ります）。",
        "数値、0%～100%。85%のように書きます",
    ]
    assert english.splitlines() == [
        "Accuracy for classification, R² for regression, measured on the test rows.",
        "Allowed: number, 0% to 100%. Write it as 85%",
    ]
