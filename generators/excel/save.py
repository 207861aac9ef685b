"""Book → bytes. The only file that knows openpyxl; the zip is written anew, so that the same book gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import canonicalize

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as Target
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.formatting.rule import FormulaRule
from openpyxl.formatting.rule import Rule as OpenpyxlRule
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Color, Font, PatternFill, Protection, Side
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from generators.excel.archive import ZIP_DATE
from generators.excel.page import OWN_CELL, Book, Cell, Format, Formula, Look, Page, Rule, Run, Style
from generators.excel.shared import going_on
from generators.excel.spelling import cell_text, letters

EPOCH = datetime(*ZIP_DATE)
NAVY, BLUE, PALE, YELLOW, GREY, RED, LINE = "1F3864", "2F5597", "DDE7F5", "FFF9DB", "6B6B6B", "C00000", "B9C3D3"
MODIFIED = re.compile("(<dcterms:modified[^>]*>)[^<]*")
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
BLANK_TEXT = re.compile("<t>(?=\\s+</t>)")

SIDE = Side(style="thin", color=LINE)
BOX, UNDERLINE = Border(SIDE, SIDE, SIDE, SIDE), Border(bottom=SIDE)
SIZES: Mapping[Style, float] = {
    "title": 16,
    "live": 13,
    "finding": 9,
    "kept": 9,
    "receipt": 10,
    "section": 11,
    "help": 9,
    "note": 9,
    "blank": 9.5,
    "unit": 9.5,
    "about": 10,
}
COLOURS: Mapping[Style, str] = {
    "title": NAVY,
    "head": "FFFFFF",
    "top": "FFFFFF",
    "section": NAVY,
    "blank": GREY,
    "note": GREY,
    "about": GREY,
    "unit": GREY,
    "finding": RED,
    "receipt": GREY,
    "kept": GREY,
}
FILLS: Mapping[Style, str] = {
    "head": BLUE,
    "top": BLUE,
    "section": PALE,
    "answer": YELLOW,
    "note": PALE,
    "receipt": "F2F2F2",
    "kept": "F2F2F2",
}
BORDERS: Mapping[Style, Border] = {
    **dict.fromkeys(("answer", "row", "top", "note", "live", "receipt", "status", "kept"), BOX),
    **dict.fromkeys(("label", "unit", "blank", "help", "finding"), UNDERLINE),
}
LOOKS: Mapping[Look, tuple[str, str]] = {
    "wrong": ("FBD9D7", "9C0006"),
    "missing": ("FFE699", "7F4F00"),
    "off": ("E3E3E3", "8C8C8C"),
    "fine": ("D8EFD9", "1E6B2B"),
    "later": ("DDE7F5", "1F3864"),
}
"""Fill and text of a cell, by what a formula finds of it."""
BOLD: frozenset[Style] = frozenset(["title", "head", "section", "label", "top", "live"])
UNLOCKED: frozenset[Style] = frozenset(["answer", "row", "status", "kept"])
"""Status and receipt of a table too: Excel sorts a protected sheet only where every cell of the range is unlocked."""
INDENTED: frozenset[Style] = frozenset(
    ["section", "label", "answer", "blank", "help", "title", "about", "step", "finding"]
)
AT_TOP: frozenset[Style] = frozenset(["note", "top", "step", "row", "status", "kept"])
SHRUNK: frozenset[Style] = frozenset(["status", "kept"])
"""What we write into rows whose height nobody sets: a text of several lines would run over the next row."""
CENTRED: frozenset[Style] = frozenset(["unit", "head", "live", "status"])


def save(book: Book) -> bytes:
    """The workbook as .xlsx. What people wrote goes into cells as text: never a formula, never a control character."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    looks = _Looks(book.font)
    for page in book.pages:
        _page(workbook.create_sheet(page.title), page, book.header, looks)
    for name, area in book.names.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=area)
    for name, value in book.properties.items():
        workbook.custom_doc_props.append(StringProperty(name=name, value=value))  # type: ignore[attr-defined]
    workbook.properties.creator, workbook.properties.title = "denpyo", book.header
    workbook.properties.created = EPOCH
    written = io.BytesIO()
    workbook.save(written)
    return _same_bytes(
        written.getvalue(), {f"xl/worksheets/sheet{at}.xml": one for at, one in enumerate(book.pages, 1)}
    )


def _same_bytes(data: bytes, pages: Mapping[str, Page]) -> bytes:
    """The same parts in a fixed order with fixed dates, and without the time of saving."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in sorted(source.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 0, 0
            part = _same_xml(source.read(name))
            if name == "docProps/core.xml":
                part = MODIFIED.sub(r"\g<1>1980-01-01T00:00:00Z", part)
            if name in pages:
                part = going_on(part, pages[name])
            target.writestr(entry, part.encode(), compresslevel=9)
    return fixed.getvalue()


def _same_xml(part: bytes) -> str:
    """A part in canonical XML (W3C C14N 2.0): openpyxl writes otherwise where lxml is installed, and then alone marks a text of
    nothing but spaces to be kept."""
    return DECLARATION + BLANK_TEXT.sub('<t xml:space="preserve">', canonicalize(part.decode()))


class _Looks:
    """The looks of one workbook. openpyxl is slow at making a look, so that each is made once and then copied."""

    def __init__(self, font: str) -> None:
        self.font = font
        self.made: dict[tuple[Style, Format], Any] = {}

    def put(self, target: Target | ColumnDimension, cell: Cell) -> None:
        styled: Any = target  # the library's type stubs leave _style out
        made = self.made.get((cell.style, cell.format))
        if made is None:
            _look(target, cell, self.font)
            self.made[cell.style, cell.format] = styled._style
        else:
            styled._style = copy(made)


def _page(sheet: Worksheet, page: Page, header: str, looks: _Looks) -> None:
    _dimensions(sheet, page, looks)
    for (row, column), cell in page.cells.items():
        _cell(sheet.cell(row, column), cell, looks)  # type: ignore[arg-type]
    for area in page.merged:
        sheet.merge_cells(area)
    for area, rule in page.rules:
        sheet.add_data_validation(_validation(area, rule))
    for area, formula, look in page.shown:
        sheet.conditional_formatting.add(area, _shown(formula, look))
    sheet.sheet_view.showGridLines = page.grid
    sheet.sheet_view.selection[0].activeCell = sheet.sheet_view.selection[0].sqref = page.chosen
    sheet.sheet_state = "veryHidden" if page.hidden else "visible"
    if page.frozen:
        sheet.freeze_panes = page.frozen
    if page.filtered:
        sheet.auto_filter.ref = page.filtered
    _protect(sheet)
    _print(sheet, page, header)


def _dimensions(sheet: Worksheet, page: Page, looks: _Looks) -> None:
    for column, wide in page.widths.items():
        sheet.column_dimensions[letters(column)].width = wide
    for column, cell in page.columns.items():
        looks.put(sheet.column_dimensions[letters(column)], cell)
    for column in page.hidden_columns:
        sheet.column_dimensions[letters(column)].hidden = True
    for row, high in page.heights.items():
        sheet.row_dimensions[row].height = high
    for row in page.hidden_rows:
        sheet.row_dimensions[row].hidden = True


def _cell(target: Target, cell: Cell, looks: _Looks) -> None:
    value = cell.value
    if isinstance(value, Formula):
        target.value = f"={value.text}"
        return looks.put(target, cell)
    if isinstance(value, tuple):
        target.value = _rich(value, cell.style, looks.font) if len(value) > 1 else cell_text(value[0].text)
    else:
        target.value = cell_text(value) if isinstance(value, str) else value
    if isinstance(target.value, str) and not isinstance(target.value, CellRichText):
        target.data_type = "s"
    looks.put(target, cell)


def _rich(runs: tuple[Run, ...], style: Style, font: str) -> CellRichText:
    colours = {"alert": RED if style not in ("top", "head") else "FFD9D9", "faint": GREY if style != "top" else PALE}
    return CellRichText([TextBlock(_run_font(run, style, font, colours), cell_text(run.text)) for run in runs])


def _run_font(run: Run, style: Style, font: str, colours: Mapping[str, str]) -> InlineFont:
    return InlineFont(
        rFont=font,
        sz=SIZES.get(style, 10.5) - (0 if run.look == "plain" else 1.5),
        b=style in BOLD and run.look != "faint",
        color=Color(colours.get(run.look, COLOURS.get(style, "000000"))),
    )


def _look(target: Target | ColumnDimension, cell: Cell, font: str) -> None:
    style = cell.style
    target.font = Font(name=font, size=SIZES.get(style, 10.5), bold=style in BOLD, color=COLOURS.get(style, "000000"))
    if style in FILLS:
        target.fill = PatternFill("solid", start_color=FILLS[style])
    if style in BORDERS:
        target.border = BORDERS[style]
    target.number_format = cell.format
    target.protection = Protection(locked=style not in UNLOCKED)
    target.alignment = Alignment(
        horizontal="center" if style in CENTRED else "left",
        vertical="top" if style in AT_TOP else "center",
        wrap_text=style not in ("title", "key") and style not in SHRUNK,
        shrink_to_fit=style in SHRUNK or None,
        indent=1 if style in INDENTED else 0,
    )


def _validation(area: str, rule: Rule) -> DataValidation:
    own = area.partition(":")[0]
    return DataValidation(
        type=rule.sort,
        operator=rule.operator if rule.sort not in ("list", "custom") else None,
        formula1=rule.first.replace(OWN_CELL, own),
        formula2=rule.second or None,
        allow_blank=True,
        showInputMessage=True,
        showErrorMessage=True,
        errorStyle="stop" if rule.stops else "warning",
        promptTitle=rule.prompt_title,
        prompt=rule.prompt,
        errorTitle=rule.error_title,
        error=rule.error,
        sqref=area,
    )


def _shown(formula: str, look: Look) -> OpenpyxlRule:
    fill, colour = LOOKS[look]
    font = Font(color=colour, bold=True if look in ("wrong", "missing", "fine") else None)
    filled = PatternFill(bgColor=fill)
    rule: OpenpyxlRule = FormulaRule([formula], font=font, fill=filled, stopIfTrue=True)  # type: ignore[no-untyped-call]
    return rule


def _protect(sheet: Worksheet) -> None:
    """Everything but the answers is locked, without a password. openpyxl's False means that it stays allowed."""
    protection = sheet.protection
    protection.sheet = True
    protection.formatColumns = protection.formatRows = False
    protection.autoFilter = protection.sort = False


def _print(sheet: Worksheet, page: Page, header: str) -> None:
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.orientation = "landscape" if page.landscape else "portrait"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = page.pages_wide, 0
    sheet.page_margins.left = sheet.page_margins.right = 0.5
    sheet.oddHeader.right.text = header.replace("&", "&&")  # type: ignore[union-attr]
    sheet.oddFooter.center.text = "&P / &N"  # type: ignore[union-attr]
    if page.repeated_rows:
        sheet.print_title_rows = page.repeated_rows
    if page.printed:
        sheet.print_area = page.printed
