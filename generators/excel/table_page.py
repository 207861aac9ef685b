"""The table layout: one request a row, as many as one likes; every question is a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from generators.excel import HEAD, TABLE, TABLE_ROWS
from generators.excel.entry import Entry
from generators.excel.form_page import LINE, PADDING, SMALL_LINE
from generators.excel.page import Cell, Page, Run
from generators.excel.spelling import CellValue, letters, lines, width
from schema import words

KEYS, LABELS, HELPS, FIRST = range(1, 5)
CORNER, FIRST_COLUMN = 1, 2
NARROWEST, WIDEST = 20.0, 34.0
HIGHEST = 200.0
MARK_WIDTH = 12
SMALLER = 1.2
"""How many more letters of the small print fit into a column."""
PAPER_WIDTH = 190.0
"""How many narrow letters fit on A4 across before the print becomes too small to read."""

Values = Mapping[str, CellValue]


def page(asked: Sequence[Entry], filled: Sequence[Values], language: str) -> Page:
    """The whole table. Row 1 holds the keys, 2 the labels, 3 what may be written; requests begin in row 4."""
    widths = {column: _width(entry) for column, entry in enumerate(asked, FIRST_COLUMN)}
    heads = dict(_head(asked, language))
    last, bottom = letters(FIRST_COLUMN + len(asked) - 1), FIRST + max(TABLE_ROWS, len(filled)) - 1
    return Page(
        title=words.text("excel_sheet_form", language),
        cells={**heads, **dict(_body(asked, filled))},
        widths={CORNER: 3.0, **widths},
        heights=_heights(heads, widths),
        hidden_columns=(CORNER,),
        hidden_rows=(KEYS,),
        columns={column: _empty(entry) for column, entry in enumerate(asked, FIRST_COLUMN)},
        rules=tuple(
            (f"{letters(column)}{FIRST}:{letters(column)}{bottom}", entry.rule)
            for column, entry in enumerate(asked, FIRST_COLUMN)
        ),
        chosen=f"{letters(FIRST_COLUMN + 1)}{FIRST}",
        frozen=f"{letters(FIRST_COLUMN + 1)}{FIRST}",
        filtered=f"{letters(FIRST_COLUMN)}{HELPS}:{last}{bottom}",
        repeated_rows=f"{LABELS}:{HELPS}",
        landscape=True,
        grid=True,
        pages_wide=ceil(sum(widths.values()) / PAPER_WIDTH),
    )


def _head(asked: Sequence[Entry], language: str) -> Iterator[tuple[tuple[int, int], Cell]]:
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
    unit = words.text("excel_in_brackets", language, text=entry.unit) if entry.unit else ""
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
