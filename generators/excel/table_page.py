"""The table layout: one request a row, as many as one likes; every question is a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from generators.excel import HEAD, RESPONSE, STATUS, TABLE, table_live
from generators.excel.compact import Row
from generators.excel.entry import Entry, wording
from generators.excel.form_live import offering
from generators.excel.form_page import LINE, PADDING, SMALL_LINE
from generators.excel.formulas import Sheet
from generators.excel.limits import rule
from generators.excel.page import TEXT, Cell, Formula, Page, Rule, Run
from generators.excel.spelling import CellValue, letters, lines, width
from schema import words
from schema.question import Form

KEYS, LABELS, HELPS, FIRST = range(1, 5)
CORNER, STATUS_COLUMN, RECEIPT, FIRST_COLUMN = range(1, 5)
STATUS_WIDTH, RECEIPT_WIDTH = 32.0, 34.0
NARROWEST, WIDEST = 20.0, 34.0
HIGHEST = 200.0
MARK_WIDTH = 12
SMALLER = 1.2
"""How many more letters of the small print fit into a column."""
PAPER_WIDTH = 190.0
"""How many narrow letters fit on A4 across before the print becomes too small to read."""
PRINTED = 50
"""How many requests go to paper, unless more are filled. Excel and LibreOffice would print every row that holds a formula, though
it shows nothing; LibreOffice knows no area that a formula makes."""

Values = Mapping[str, CellValue]


def page(form: Form, asked: Sequence[Entry], filled: Sequence[Values], language: str, rows: int) -> Page:
    """The whole table. Row 1 holds the keys, 2 the labels, 3 what may be written; requests begin in row 4."""
    widths = {column: _width(entry) for column, entry in enumerate(asked, FIRST_COLUMN)}
    heads = dict(_head(form, asked, language))
    bottom = FIRST + max(rows, len(filled)) - 1
    sheet = table_live.sheet(form, asked, FIRST_COLUMN, FIRST)
    spare = FIRST_COLUMN + len(asked)
    status, sums = table_live.status(row(form, asked), spare, FIRST)
    live = {(FIRST, STATUS_COLUMN): Cell(Formula(status, bottom), "status")}
    live |= {(FIRST, column): Cell(Formula(one, bottom), "key") for column, one in enumerate(sums, spare)}
    return Page(
        title=words.text("excel_sheet_form", language),
        cells={**heads, **dict(_body(asked, filled)), **live},
        widths={CORNER: 3.0, STATUS_COLUMN: STATUS_WIDTH, RECEIPT: RECEIPT_WIDTH, **widths},
        heights=_heights(heads, widths),
        hidden_columns=(CORNER, *range(spare, spare + len(sums))),
        hidden_rows=(KEYS,),
        columns=dict(_columns(asked)),
        rules=tuple(_rules(sheet, asked, bottom, language)),
        shown=tuple(table_live.shown(sheet, asked, STATUS_COLUMN, bottom)),
        chosen=f"{letters(FIRST_COLUMN)}{FIRST}",
        frozen=f"{letters(FIRST_COLUMN)}{FIRST}",
        filtered=f"{letters(STATUS_COLUMN)}{HELPS}:{letters(spare - 1)}{bottom}",
        repeated_rows=f"{LABELS}:{HELPS}",
        printed=f"{letters(STATUS_COLUMN)}{LABELS}:{letters(spare - 1)}{FIRST - 1 + max(PRINTED, len(filled))}",
        landscape=True,
        grid=True,
        pages_wide=ceil(sum(widths.values()) / PAPER_WIDTH),
    )


def row(form: Form, asked: Sequence[Entry]) -> Row:
    """The first request, as its status sees it."""
    return table_live.row(form, asked, FIRST_COLUMN, FIRST)


def moved(form: Form, asked: Sequence[Entry], language: str) -> str:
    """The formula on the hidden sheet that is an error where this table's columns stand in another order."""
    return row(form, asked).in_place(words.text("excel_sheet_form", language), KEYS)


def _columns(asked: Sequence[Entry]) -> Iterator[tuple[int, Cell]]:
    yield STATUS_COLUMN, Cell(None, "status")
    yield RECEIPT, Cell(None, "kept", TEXT)
    yield from ((column, _empty(entry)) for column, entry in enumerate(asked, FIRST_COLUMN))


def _rules(sheet: Sheet, asked: Sequence[Entry], bottom: int, language: str) -> Iterator[tuple[str, Rule]]:
    """What Excel refuses in each column. Nothing may be typed where the sheet and denpyo write; locked cells could not be sorted."""
    title, said = (words.text(f"excel_{name}", language) for name in ("response", "response_error"))
    nobody = rule(("custom", "between", "FALSE", ""), title, said, said, language)
    yield f"{letters(STATUS_COLUMN)}{FIRST}:{letters(RECEIPT)}{bottom}", nobody
    for column, entry in enumerate(asked, FIRST_COLUMN):
        yield f"{letters(column)}{FIRST}:{letters(column)}{bottom}", offering(entry, sheet)


def _head(form: Form, asked: Sequence[Entry], language: str) -> Iterator[tuple[tuple[int, int], Cell]]:
    own = f"{STATUS} {form.kind} {form.version} {form.fingerprint} {language} {wording(asked)}"
    for column, key, name in ((STATUS_COLUMN, own, "status"), (RECEIPT, RESPONSE, "response")):
        yield (KEYS, column), Cell(key, "key")
        yield (LABELS, column), Cell((Run(words.text(f"excel_{name}", language)),), "top")
        yield (HELPS, column), Cell(words.text(f"excel_{name}_help", language), "note")
    yield (KEYS, CORNER), Cell(TABLE, "key")
    yield (LABELS, CORNER), Cell(HEAD, "key")
    yield (HELPS, CORNER), Cell(HEAD, "key")
    twice = Counter(one.label for one in asked)
    for column, entry in enumerate(asked, FIRST_COLUMN):
        yield (KEYS, column), Cell(entry.key, "key")
        yield (LABELS, column), Cell(tuple(_label(entry, twice[entry.label] > 1, language)), "top")
        yield (HELPS, column), Cell(_help(entry, language), "note")


def _label(entry: Entry, ambiguous: bool, language: str) -> Iterator[Run]:
    """Label, unit, the mark of required ones; the section too where two columns would read the same."""
    unit = words.text("in_brackets", language, text=entry.unit) if entry.unit else ""
    yield Run(entry.label + unit)
    if entry.required:
        yield Run(f"  {words.text('excel_required', language)}", "alert")
    if ambiguous or entry.when:
        yield Run(f"\n{entry.section}", "faint")


def _help(entry: Entry, language: str) -> str:
    blank = words.text("excel_blank_means", language, blank=entry.blank)
    return "\n".join(one for one in (entry.when, entry.help, "" if entry.required else blank) if one)


def _body(asked: Sequence[Entry], filled: Sequence[Values]) -> Iterator[tuple[tuple[int, int], Cell]]:
    for row, values in enumerate(filled, FIRST):
        for column, entry in enumerate(asked, FIRST_COLUMN):
            if values.get(entry.key) is not None:
                yield (row, column), Cell(values[entry.key], "row", entry.format)


def _empty(entry: Entry) -> Cell:
    return Cell(None, "row", entry.format)


def _width(entry: Entry) -> float:
    """Wide enough for its longest option; a label may take two lines."""
    longest = max((width(one) for one in entry.options), default=0) + 4
    label = width(entry.label) / 2 + 4 if not entry.required else width(entry.label) + MARK_WIDTH
    return min(max(float(longest), label, NARROWEST), WIDEST)


def _heights(heads: Mapping[tuple[int, int], Cell], widths: Mapping[int, float]) -> dict[int, float]:
    tops = max(lines(_text(heads[LABELS, column]), wide) for column, wide in widths.items())
    helps = max(lines(_text(heads[HELPS, column]), wide * SMALLER) for column, wide in widths.items())
    return {LABELS: tops * LINE + PADDING, HELPS: min(helps * SMALL_LINE + PADDING, HIGHEST)}


def _text(cell: Cell) -> str:
    return "".join(run.text for run in cell.value) if isinstance(cell.value, tuple) else str(cell.value)
