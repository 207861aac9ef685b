"""What people send back: answers found by their keys, every value at its cell."""

from __future__ import annotations

import io
import pickle
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from generators.excel.cells import read_cells
from generators.excel.template import Filled, write
from schema.answers import Where
from schema.check import check
from schema.kinds import load
from tests.generators.excel.workbooks import (
    EVERYTHING,
    GOOD,
    KINDS,
    answer,
    columns_inserted,
    edited,
    form_of_everything,
    one,
    only_problem,
    packed,
    parts_of,
    reading,
    rows_inserted,
    sheet,
    spot,
    table_of_everything,
)

FORM_PLACES = {
    "name": ("a-1", "入力!C9"),
    "size": ("大きい；とても", "入力!C10"),
    "urgent": ("はい", "入力!C11"),
    "why": ("=急ぎ\n今日中", "入力!C12"),
    "settings.depth@small": ("", "詳細設定!C6"),
    "settings.depth@large": ("50", "詳細設定!C8"),
    "share": ("85", "詳細設定!C10"),
    "rate": ("0.07", "詳細設定!C11"),
    "count": ("12", "詳細設定!C12"),
    "start": ("2026-11-21", "詳細設定!C13"),
    "length": ("2時間30分", "詳細設定!C14"),
    "colours": ("赤; 緑", "詳細設定!C15"),
    "resources.queue": ("", "詳細設定!C17"),
    "resources.gpus": ("", "詳細設定!C18"),
    "resources.max_hours": ("", "詳細設定!C19"),
}
ANSWERED = {key: text for key, (text, _) in FORM_PLACES.items()}


def texts(data: bytes) -> dict[str, object]:
    return {key: located.value for key, located in one(data).answers.given.items()}


def test_a_form_gives_every_question_its_text_and_its_cell() -> None:
    answers = one(form_of_everything()).answers
    assert {key: (found.value, found.where.spot) for key, found in answers.given.items()} == FORM_PLACES
    assert answers.where == Where("request.xlsx", "入力")
    assert (answers.kind, answers.version, answers.language) == ("everything", 3, "ja")
    assert answers.fingerprint == EVERYTHING.form.fingerprint
    assert answers.sender is not None
    assert (answers.sender.value, answers.sender.where.spot) == ("tanaka@example.co.jp", "入力!C7")
    assert answers.again is not None
    assert (answers.again.value, answers.again.where.spot) == ("もう一度", "入力!C14")
    assert answers.places["version"].spot == "denpyo!B3"


def test_a_row_of_a_table_is_a_request_with_its_own_place() -> None:
    data = table_of_everything(GOOD, Filled({"name": "b"}), language="en")
    book = load_workbook(io.BytesIO(data))
    reads, problems = reading(data)
    assert problems == []
    first, second = (read.answers for read in reads)
    assert (first.where.spot, second.where.spot) == ("Request!4", "Request!5")
    assert first.given["settings.depth@large"].where.spot == spot(answer(book, "settings.depth@large"))
    assert (second.given["name"].value, second.given["name"].where.spot) == ("b", spot(answer(book, "name", 1)))
    assert (second.given["why"].value, second.given["why"].where.spot) == ("", spot(answer(book, "why", 1)))
    assert (first.language, second.sender, second.again) == ("en", None, None)
    assert second.places["request.sender"].spot == spot(answer(book, "request.sender", 1))


def _rows_go_down(workbook: Workbook) -> None:
    rows_inserted(sheet(workbook), 1, 3)
    rows_inserted(sheet(workbook, "詳細設定"), 9, 2)


def _columns_go_right(workbook: Workbook) -> None:
    columns_inserted(sheet(workbook), 1)
    columns_inserted(sheet(workbook), 3, 2)


def _a_row_moves_to_the_end(workbook: Workbook) -> None:
    sheet(workbook).move_range("A9:F9", rows=30)


def _sheets_are_renamed_and_moved(workbook: Workbook) -> None:
    sheet(workbook).title = "依頼 11月!"
    sheet(workbook, "詳細設定").title = "その他"
    workbook.move_sheet("その他", -1)


def _the_label_is_merged(workbook: Workbook) -> None:
    sheet(workbook).merge_cells("C9:D9")


@pytest.mark.parametrize(
    ("edit", "spot"),
    [
        (_rows_go_down, "入力!C12"),
        (_columns_go_right, "入力!F9"),
        (_a_row_moves_to_the_end, "入力!C39"),
        (_sheets_are_renamed_and_moved, "依頼 11月!!C9"),
        (_the_label_is_merged, "入力!C9"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_form_that_was_rearranged_is_still_joined_by_its_keys(edit: Callable[[Workbook], None], spot: str) -> None:
    data = edited(form_of_everything(), edit)
    assert texts(data) == ANSWERED
    assert one(data).answers.given["name"].where.spot == spot


def test_a_table_whose_columns_were_moved_and_inserted_is_still_joined_by_its_keys() -> None:
    def rearrange(workbook: Workbook) -> None:
        found = sheet(workbook)
        name = answer(workbook, "name")
        found.move_range(f"{name.column_letter}1:{name.coordinate}", cols=40)
        found.insert_cols(1, 2)
        found.insert_rows(2)
        found["A5"] = "my own note"
        found.title = "T"

    data = edited(table_of_everything(GOOD), rearrange)
    assert texts(data) == ANSWERED
    place = spot(answer(load_workbook(io.BytesIO(data)), "name"))
    assert one(data).answers.given["name"].where.spot == place
    assert place.startswith("T!A")
    assert one(data).answers.where.spot == "T!5"


def test_empty_rows_are_no_requests_and_rows_beyond_the_prepared_ones_are() -> None:
    def fill(workbook: Workbook) -> None:
        answer(workbook, "name", 1496).value = "late"
        answer(workbook, "name", 3).value = "　 "

    reads, problems = reading(edited(table_of_everything(GOOD), fill))
    assert problems == []
    assert [read.answers.where.spot for read in reads] == ["入力!4", "入力!1500"]


@pytest.mark.parametrize(
    ("data", "spot"),
    [(form_of_everything(filled=None), "入力"), (table_of_everything(), "入力")],
    ids=["form", "table"],
)
def test_an_untouched_template_holds_no_answers(data: bytes, spot: str) -> None:
    problem = only_problem(data)
    assert (problem.code, problem.where.spot) == ("no_answers", spot)


def test_who_asks_alone_makes_a_request_so_that_nothing_written_is_dropped() -> None:
    answers = one(form_of_everything(filled=Filled({}, "tanaka@example.co.jp"))).answers
    assert {located.value for located in answers.given.values()} == {""}
    found = check(answers, KINDS)
    assert isinstance(found, list)
    assert [(problem.code, problem.where.spot) for problem in found] == [
        ("missing", "入力!C9"),
        ("missing", "入力!C10"),
    ]


def test_strict_open_xml_gives_the_same_answers() -> None:
    names = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
            b"http://purl.oclc.org/ooxml/officeDocument/relationships"
        ),
    }
    parts = parts_of(form_of_everything())
    for old, new in names.items():
        parts = {name: part.replace(old, new) for name, part in parts.items()}
    assert texts(packed(parts)) == ANSWERED


def _told(name: str, value: str | None) -> Callable[[Workbook], None]:
    def tell(workbook: Workbook) -> None:
        for row in sheet(workbook, "denpyo"):
            if row[0].value == name:
                row[1].value = value

    return tell


def _without(*names: str) -> Callable[[Workbook], None]:
    def remove(workbook: Workbook) -> None:
        for name in names:
            del workbook[name]

    return remove


def _without_any_mark(workbook: Workbook) -> None:
    sheet(workbook)["C1"] = None
    del workbook["denpyo"]


@pytest.mark.parametrize(
    ("edit", "code", "spot"),
    [
        pytest.param(_told("kind", "everythink"), "unknown_kind", "denpyo!B2", id="another kind"),
        pytest.param(_told("kind", None), "not_a_template", "", id="no kind"),
        pytest.param(_told("version", "2"), "old_template", "denpyo!B3", id="an older version"),
        pytest.param(_told("version", "4"), "newer_template", "denpyo!B3", id="a newer version"),
        pytest.param(_told("version", "9" * 20), "newer_template", "denpyo!B3", id="a version nobody reaches"),
        pytest.param(_told("version", "three"), "not_a_template", "", id="a version that is no number"),
        pytest.param(_without("denpyo"), "template_sheet_missing", "入力", id="without what it says of itself"),
        pytest.param(_without("denpyo", "入力"), "template_sheet_missing", "詳細設定", id="without the most of it"),
        pytest.param(
            *(_without_any_mark, "template_sheet_missing", "入力"),
            id="without all that it says and the mark of the answers",
        ),
    ],
)
def test_a_file_that_is_no_template_of_today_is_refused_as_a_whole(
    edit: Callable[[Workbook], None], code: str, spot: str
) -> None:
    problem = only_problem(edited(form_of_everything(), edit))
    assert (problem.code, problem.where.spot) == (code, spot)


def test_a_kind_that_was_misspelt_gets_a_suggestion() -> None:
    assert only_problem(edited(form_of_everything(), _told("kind", "everythink"))).suggestion == "everything"


@pytest.mark.parametrize(("told", "language"), [("en", "en"), ("ja", "ja"), ("xx", "en"), (None, "en")])
def test_the_language_is_the_template_s_or_english(told: str | None, language: str) -> None:
    assert one(edited(form_of_everything(), _told("language", told))).answers.language == language


def test_a_question_that_the_kind_does_not_have_is_left_to_the_check() -> None:
    def add(workbook: Workbook) -> None:
        sheet(workbook)["A20"] = "nom"
        sheet(workbook)["C20"] = "a-1"

    found = check(one(edited(form_of_everything(), add)).answers, KINDS)
    assert isinstance(found, list)
    assert [(problem.code, problem.where.spot) for problem in found] == [("unknown_question", "入力!C20")]


def test_an_address_that_excel_made_a_link_is_still_an_answer() -> None:
    def link(workbook: Workbook) -> None:
        sheet(workbook)["C7"].hyperlink = "mailto:tanaka@example.co.jp"

    found = one(edited(form_of_everything(), link)).answers
    assert found.sender is not None
    assert found.sender.value == "tanaka@example.co.jp"


def test_what_the_parser_gives_can_go_through_a_pipe() -> None:
    sheets = read_cells(form_of_everything())
    assert pickle.loads(pickle.dumps(sheets)) == sheets  # noqa: S301  (our own bytes)
    refused = read_cells(b"")
    assert pickle.loads(pickle.dumps(refused)) == refused  # noqa: S301  (our own bytes)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice")
def test_a_template_saved_by_libreoffice_gives_the_same_answers(tmp_path: Path) -> None:
    inference = Filled({"model_id": "m-1", "dataset_id": "wine", "note": "=1"}, "a@example.com")
    files = {
        "form.xlsx": form_of_everything(),
        "escape.xlsx": form_of_everything(filled=Filled({"why": "_x000D_ <&> 𠮷"})),
        "table.xlsx": table_of_everything(GOOD, Filled({"name": "b"})),
        "inference.xlsx": write(load()["inference"].form, "en", "table", [inference]),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    profile, out = f"-env:UserInstallation=file://{tmp_path}/profile", tmp_path / "saved"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out)]
    subprocess.run([*command, *(str(tmp_path / name) for name in files)], check=True, capture_output=True, timeout=120)
    for name, data in files.items():
        assert reading((out / name).read_bytes()) == reading(data)
