"""Templates that another program saved: LibreOffice itself, and what Google Sheets and Numbers are known to write.

Google Sheets and Numbers cannot be run here, so their files are imitated. What Google Sheets exports is known from readers that
stumbled over it: no ``dimension`` element (github.com/tidyverse/readxl/issues/26), no ``docProps`` at all
(github.com/mgcrea/node-xlsx/pull/6); a very hidden sheet becomes a hidden one, protection is gone. Numbers puts a sheet "Export
Summary" before all others, which begins with "This document was exported from Numbers.", makes a sheet of every table, named
"SHEET - TABLE" where there are several, and shows what was hidden; it keeps neither lists nor limits.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.protection import SheetProtection
from openpyxl.worksheet.worksheet import Worksheet

from generators import Read
from generators.excel import Layout
from generators.excel.template import Filled, write
from schema.check import check
from tests.generators.excel.workbooks import (
    EVERYTHING,
    GOOD,
    KINDS,
    answer,
    edited,
    packed,
    parts_of,
    reading,
    sheet,
    with_receipts,
)

LAYOUTS: tuple[Layout, ...] = ("form", "table")
LANGUAGES = ("ja", "en")
SECOND = Filled({**GOOD.values, "name": "b-2", "why": "<&> 𠮷\n]]>"}, "suzuki@example.co.jp")
ID = "7k3m-9qx2-b4td"
INLINE = re.compile(rb'(<c r="[A-Z]+[0-9]+"(?: s="[0-9]+")?) t="inlineStr"><is>(.*?)</is></c>', re.DOTALL)
SHARED_STRINGS = {
    "[Content_Types].xml": (
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" '
        b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>',
    ),
    "xl/_rels/workbook.xml.rels": (
        b"</Relationships>",
        b'<Relationship Id="rIdStrings" Target="sharedStrings.xml" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/>',
    ),
}


def filled(layout: Layout, language: str) -> bytes:
    return write(EVERYTHING.form, language, layout, [GOOD] if layout == "form" else [GOOD, SECOND])


def answers(data: bytes) -> list[dict[str, object]]:
    reads, problems = reading(data)
    assert problems == []
    for read in reads:
        assert read.problems == ()
        assert not isinstance(check(read.answers, KINDS), list)
    return [_texts(read) for read in reads]


def _texts(read: Read) -> dict[str, object]:
    around = {"sender": read.answers.sender, "again": read.answers.again}
    given: dict[str, object] = {key: one.value for key, one in read.answers.given.items()}
    return given | {key: one and one.value for key, one in around.items()}


def sheets(workbook: Workbook) -> list[Worksheet]:
    return [sheet(workbook, name) for name in workbook.sheetnames]


def _as_google_sheets(data: bytes) -> bytes:
    def save(workbook: Workbook) -> None:
        for found in sheets(workbook):
            found.protection = SheetProtection()
            found.sheet_state = "hidden" if found.sheet_state == "veryHidden" else found.sheet_state

    shared = _with_shared_strings(edited(data, save))
    parts = {name: part for name, part in parts_of(shared).items() if not name.startswith("docProps/")}
    for name in ("[Content_Types].xml", "_rels/.rels"):
        parts[name] = re.sub(rb"<(Override|Relationship)[^>]*docProps/[^>]*/>", b"", parts[name])
    return packed({name: re.sub(rb"<dimension[^>]*/>", b"", part) for name, part in parts.items()})


def _as_numbers(data: bytes) -> bytes:
    def save(workbook: Workbook) -> None:
        summary = workbook.create_sheet("Export Summary", 0)
        summary["B3"] = "This document was exported from Numbers. Each table was converted to an Excel worksheet."
        summary["B7"], summary["C7"], summary["D7"] = "Numbers Sheet Name", "Numbers Table Name", "Excel Worksheet Name"
        for row, found in enumerate(sheets(workbook)[1:], 8):
            summary.cell(row, 2).value, summary.cell(row, 3).value = found.title, "Table 1"
            _shown(found)
        workbook.defined_names.clear()

    return edited(data, save)


def _shown(found: Worksheet) -> None:
    found.sheet_state = "visible"
    found.title = f"{found.title} - Table 1"
    found.data_validations.dataValidation.clear()
    found.conditional_formatting = type(found.conditional_formatting)()
    found.protection = SheetProtection()
    found.freeze_panes = None
    for dimension in (*found.row_dimensions.values(), *found.column_dimensions.values()):
        dimension.hidden = False


def _with_shared_strings(data: bytes) -> bytes:
    """Every text once for the whole workbook, as Excel, Google Sheets and Numbers keep them; what openpyxl saves has none."""
    parts, texts = parts_of(edited(data)), dict[bytes, int]()

    def share(cell: re.Match[bytes]) -> bytes:
        return b'%s t="s"><v>%d</v></c>' % (cell[1], texts.setdefault(cell[2], len(texts)))

    parts = {name: INLINE.sub(share, part) for name, part in parts.items()}
    main = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts["xl/sharedStrings.xml"] = b"<sst %s>%s</sst>" % (main, b"".join(b"<si>%s</si>" % text for text in texts))
    for name, (end, element) in SHARED_STRINGS.items():
        assert end in parts[name]
        parts[name] = parts[name].replace(end, element + end)
    return packed(parts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("saved", "warnings"),
    [
        pytest.param(_as_google_sheets, set(), id="Google Sheets"),
        pytest.param(_as_numbers, {"limits_lost"}, id="Numbers"),
        pytest.param(_with_shared_strings, set(), id="shared strings"),
    ],
)
def test_another_program_s_file_gives_the_same_answers(
    saved: Callable[[bytes], bytes], warnings: set[str], layout: Layout, language: str
) -> None:
    data = filled(layout, language)
    assert answers(saved(data)) == answers(data)
    assert {one.code for one in reading(saved(data))[0][0].warnings} == warnings


def _filter(workbook: Workbook) -> None:
    found = sheet(workbook)
    found.auto_filter.add_filter_column(1, ["a-1"])
    found.row_dimensions[answer(workbook, "name", 1).row].hidden = True


def _merge(workbook: Workbook) -> None:
    first, last = answer(workbook, "count"), answer(workbook, "count", 1)
    sheet(workbook).merge_cells(f"{first.coordinate}:{last.coordinate}")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice")
def test_libreoffice_keeps_answers_receipts_limits_filters_and_merged_cells(tmp_path: Path) -> None:
    files = {f"{layout}.{language}.xlsx": filled(layout, language) for layout in LAYOUTS for language in LANGUAGES}
    files |= {f"receipt.{layout}.xlsx": with_receipts(layout, f"{ID} 受付済み", filled=[GOOD]) for layout in LAYOUTS}
    files |= {
        "filter.xlsx": edited(filled("table", "ja"), _filter),
        "merged.xlsx": edited(filled("table", "ja"), _merge),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    profile, out = f"-env:UserInstallation=file://{tmp_path}/profile", tmp_path / "saved"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out)]
    subprocess.run([*command, *(str(tmp_path / name) for name in files)], check=True, capture_output=True, timeout=120)
    for name, data in files.items():
        assert reading((out / name).read_bytes()) == reading(data), name
    assert [one.code for one in reading((out / "filter.xlsx").read_bytes())[0][0].warnings] == ["filtered_rows"]
    assert reading((out / "receipt.table.xlsx").read_bytes())[0][0].answers.response == ID


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice")
@pytest.mark.parametrize(("code", "encoding"), [("76", ""), ("64", "shift_jis")], ids=["UTF-8", "Shift_JIS"])
def test_a_table_that_libreoffice_saved_as_csv_gives_the_answers_of_the_workbook(
    code: str, encoding: str, tmp_path: Path
) -> None:
    from generators.excel import csv_table
    from tests.generators.excel.test_csv_table import TABLE

    def fill(workbook: Workbook) -> None:
        found = sheet(workbook)
        for column, text in enumerate(TABLE[0], 1):
            found.cell(1, column).value = text or None
        for row, line in enumerate(TABLE[1:], 2):
            for column, text in enumerate(line, 1):
                found.cell(row, column).value = text or None
                found.cell(row, column).data_type = "s" if text else "n"

    source = tmp_path / "table.xlsx"
    source.write_bytes(edited(write(EVERYTHING.form, "ja", "table", []), fill))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    convert = f"csv:Text - txt - csv (StarCalc):44,34,{code},1,,0,false,true,false,false,false,1"
    command = ["soffice", profile, "--headless", "--convert-to", convert, "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (saved,) = tmp_path.glob("*.csv")
    reads, problems = csv_table.read(saved.read_bytes(), "request.csv", KINDS, encoding)
    assert problems == []
    assert reads[0].answers.given["colours"].value == "赤; 緑"
    assert len(reads) == 2
