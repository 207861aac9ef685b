"""Cells put into a sheet's XML: at the right place, in the sheet's own manner, and nothing else touched."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from generators.excel.refusal import RefusedError
from generators.excel.sheet import Place
from generators.excel.sheet_xml import Change, SheetXml, not_chosen
from generators.excel.spelling import letters
from tests.generators.excel.workbooks import packed, parts_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = f'<worksheet xmlns="{MAIN}">'
NEW = '<c r="{}" s="0" t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>'


def put(part: str, changes: dict[Place, Change]) -> str:
    sheet = SheetXml(part.encode(), "xl/worksheets/sheet1.xml")
    sheet.put(changes)
    return sheet.done().decode()


def said(text: str) -> Change:
    return Change(text=text)


def red(style: int) -> int:
    return style + 100


@pytest.mark.parametrize(
    ("before", "at", "after"),
    [
        pytest.param("<sheetData/>", (2, 2), '<sheetData><row r="2">{B2}</row></sheetData>', id="no rows, one tag"),
        pytest.param(
            "<sheetData></sheetData>", (2, 2), '<sheetData><row r="2">{B2}</row></sheetData>', id="no rows, two tags"
        ),
        pytest.param(
            '<sheetData><row r="1"/><row r="3"/></sheetData>',
            (2, 2),
            '<sheetData><row r="1"/><row r="2">{B2}</row><row r="3"/></sheetData>',
            id="between rows",
        ),
        pytest.param(
            '<sheetData><row r="2" spans="1:1" ht="20"/></sheetData>',
            (2, 2),
            '<sheetData><row r="2" ht="20">{B2}</row></sheetData>',
            id="a row that is one tag",
        ),
        pytest.param(
            '<sheetData><row r="2"><c r="A2"><v>1</v></c><c r="C2"/></row></sheetData>',
            (2, 2),
            '<sheetData><row r="2"><c r="A2"><v>1</v></c>{B2}<c r="C2"/></row></sheetData>',
            id="between cells",
        ),
        pytest.param(
            '<sheetData><row r="2"><c r="A2"><v>1</v></c ></row></sheetData>',
            (2, 2),
            '<sheetData><row r="2"><c r="A2"><v>1</v></c >{B2}</row></sheetData>',
            id="behind the last cell",
        ),
        pytest.param(
            '<sheetData><row r="2"><c r="B2" t="str"><f>A1</f><v>x</v></c><extLst/></row></sheetData>',
            (2, 2),
            '<sheetData><row r="2">{B2}<extLst/></row></sheetData>',
            id="in place of a formula",
        ),
        pytest.param(
            "<sheetData><row><c><v>1</v></c></row><row><c/><c/><c><v>3</v></c></row></sheetData>",
            (2, 2),
            "<sheetData><row><c><v>1</v></c></row><row><c/>{B2}<c><v>3</v></c></row></sheetData>",
            id="rows and cells that do not say where they are",
        ),
        pytest.param(
            '<sheetData><!-- <row r="2"> --><row r="1"><c r="A1" t="str"><v><![CDATA[<c r="B2"/>]]></v></c></row></sheetData>',
            (2, 2),
            '<sheetData><!-- <row r="2"> --><row r="1"><c r="A1" t="str"><v><![CDATA[<c r="B2"/>]]></v></c></row>'
            '<row r="2">{B2}</row></sheetData>',
            id="what only looks like cells",
        ),
        pytest.param(
            """<sheetData><row r='2' x='>"'><c t='n' r='B2'/></row></sheetData>""",
            (2, 2),
            """<sheetData><row r='2' x='>"'>{B2}</row></sheetData>""",
            id="single quotes",
        ),
    ],
)
def test_a_text_is_put_where_it_belongs(before: str, at: Place, after: str) -> None:
    found = put(f"{HEAD}{before}<pageMargins/></worksheet>", {at: said("a<b")})
    assert found == f"{HEAD}{after.format(B2=NEW.format('B2', 'a&lt;b'))}<pageMargins/></worksheet>"


def test_a_sheet_keeps_the_prefix_it_is_written_with() -> None:
    before = f'\N{BOM}<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1" s="4"/></x:row></x:sheetData></x:worksheet>'
    after = put(before, {(1, 1): Change(red), (1, 2): said("a")})
    assert after == before.replace(
        '<x:c r="A1" s="4"/>',
        '<x:c r="A1" s="104"/><x:c r="B1" s="0" t="inlineStr"><x:is><x:t xml:space="preserve">a</x:t></x:is></x:c>',
    )


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        ('<c r="B2"/>', '<c r="B2" s="100"/>'),
        ('<c r="B2" s="3" t="s"><v>7</v></c>', '<c r="B2" s="103" t="s"><v>7</v></c>'),
        ("<c s='3' r='B2' ph='1' />", "<c s=\"103\" r='B2' ph='1' />"),
        ("", '<c r="B2" s="105"/>'),
    ],
    ids=["no look", "a look", "single quotes", "no cell"],
)
def test_a_look_changes_and_what_a_cell_holds_does_not(cell: str, after: str) -> None:
    head = f'{HEAD}<cols><col min="2" max="3" style="5"/></cols><sheetData><row r="2">'
    assert put(f"{head}{cell}</row></sheetData></worksheet>", {(2, 2): Change(red)}) == (
        f"{head}{after}</row></sheetData></worksheet>"
    )


def test_a_cell_in_a_row_that_has_a_look_takes_that_look() -> None:
    sheet = f'{HEAD}<cols><col min="2" max="2" style="5"/></cols><sheetData><row r="2" s="6" customFormat="1"/></sheetData></worksheet>'
    assert '<c r="B2" s="106"/>' in put(sheet, {(2, 2): Change(red)})


def test_the_area_in_use_grows_with_a_new_cell() -> None:
    sheet = f'{HEAD}<dimension ref="A1:C3"/><sheetData/></worksheet>'
    assert '<dimension ref="A1:D3"/>' in put(sheet, {(2, 4): said("a")})
    assert '<dimension ref="A1:C3"/>' in put(sheet, {(2, 2): said("a")})


def test_a_cell_that_a_merged_one_covers_is_shown_by_its_first_cell() -> None:
    sheet = SheetXml(
        f'{HEAD}<sheetData/><mergeCells><mergeCell ref="B2:D4"/></mergeCells></worksheet>'.encode(), "sheet1.xml"
    )
    assert (sheet.anchor((4, 3)), sheet.anchor((5, 3))) == ((2, 2), (5, 3))


def test_a_drawing_of_comments_stands_where_the_standard_wants_it() -> None:
    tail = "<pageSetup/><drawing/><mc:AlternateContent/><tableParts/><extLst/></worksheet>"
    sheet = SheetXml(f'<worksheet xmlns="{MAIN}" xmlns:mc="m"><sheetData><row r="1"/></sheetData>{tail}'.encode(), "a")
    sheet.draw_from("rId4", "urn:r")
    assert (
        sheet.done()
        .decode()
        .endswith(
            '<pageSetup/><drawing/><legacyDrawing xmlns:r="urn:r" r:id="rId4"/><mc:AlternateContent/><tableParts/><extLst/></worksheet>'
        )
    )


def test_a_sheet_is_taken_out_of_those_that_are_chosen() -> None:
    part = f'{HEAD}<sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews><sheetData/></worksheet>'.encode()
    assert not_chosen(part) == part.replace(b' tabSelected="1"', b"")
    assert not_chosen(not_chosen(part)) == not_chosen(part)


@pytest.mark.parametrize(
    "part",
    ["<worksheet>", f"{HEAD}</worksheet>", f'{HEAD}<sheetData><row r="1"><c r="A1"></row></sheetData></worksheet>'],
    ids=["not XML", "no cells", "cells that are not XML"],
)
def test_what_is_no_sheet_is_refused(part: str) -> None:
    with pytest.raises(RefusedError):
        SheetXml(part.encode(), "sheet1.xml")


CELLS = st.dictionaries(st.tuples(st.integers(1, 6), st.integers(1, 6)), st.text("ab<&é ", min_size=1, max_size=4))


@given(before=CELLS, changes=CELLS, places_said=st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_a_sheet_its_cells_are_read_back(
    before: dict[Place, str], changes: dict[Place, str], places_said: bool
) -> None:
    sheet = SheetXml(_written(before, places_said), "xl/worksheets/sheet1.xml")
    sheet.put({at: said(text) for at, text in changes.items()})
    assert _cells(sheet.done()) == {**before, **changes}


def _written(cells: dict[Place, str], places_said: bool) -> bytes:
    """A sheet as programs write it: cells that follow one another need not say where they are."""
    rows = ""
    for row in sorted({row for row, _ in cells}):
        shown, last = "", 0
        for column in sorted(column for at, column in cells if at == row):
            text = cells[row, column].replace("&", "&amp;").replace("<", "&lt;")
            place = f' r="{letters(column)}{row}"' if places_said or column != last + 1 else ""
            shown += f'<c{place} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
            last = column
        rows += f'<row r="{row}">{shown}</row>'
    return f"{HEAD}<sheetData>{rows}</sheetData></worksheet>".encode()


def _cells(part: bytes) -> dict[Place, Any]:
    data = io.BytesIO()
    Workbook().save(data)
    sheet = load_workbook(io.BytesIO(packed({**parts_of(data.getvalue()), "xl/worksheets/sheet1.xml": part}))).active
    assert sheet is not None
    return {(one.row, one.column): one.value for row in sheet.iter_rows() for one in row if one.value is not None}
