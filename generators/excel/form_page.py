"""The form layout: one request a workbook, one question a row; what a beginner need not see stands on a second sheet.

The rest is a sheet of its own, not a folded group: Excel does not unfold groups on a protected sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from generators.excel import ANSWER, FORM
from generators.excel.entry import Entry
from generators.excel.page import Cell, Page, Rule, Run
from generators.excel.spelling import CellValue, lines
from schema import words
from schema.question import Form

KEY, LABEL, VALUE, UNIT, BLANK, HELP = range(1, 7)
WIDTHS = {KEY: 3.0, LABEL: 31.0, VALUE: 30.0, UNIT: 8.0, BLANK: 20.0, HELP: 52.0}
WHOLE_WIDTH = sum(WIDTHS.values()) - WIDTHS[KEY]
LINE, SMALL_LINE, PADDING = 17.0, 14.0, 9.0
SMALLER = 1.1
"""How many more letters of the small print fit into a column."""
LONG_TEXT = 200
"""An answer that may be longer than this gets a cell of several lines."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell, and how high its row must be for it."""

    row: int
    column: int
    cell: Cell
    height: float = 0.0


def pages(form: Form, asked: Sequence[Entry], values: Mapping[str, CellValue], language: str) -> Iterator[Page]:
    """The beginner's sheet, and one with all other questions where there are any."""
    first = [one for one in asked if one.first]
    about, hint = form.about.say(language), words.text("excel_hint", language)
    title = words.text("excel_sheet_form", language)
    yield _page(title, (form.title.say(language), about, hint), "main", first, values, language)
    rest = [one for one in asked if not one.first]
    if rest:
        title, about = (words.text(f"excel_{name}", language) for name in ("sheet_details", "details_about"))
        yield _page(title, (title, about), "other", rest, values, language)


def _page(
    title: str, tops: tuple[str, ...], unnamed: str, asked: list[Entry], values: Mapping[str, CellValue], language: str
) -> Page:
    placed = [*_top(tops), *_head(len(tops) + 2, language), *_body(len(tops) + 3, unnamed, asked, values, language)]
    rows = {one.cell.value: one.row for one in placed if one.column == KEY}
    places: list[tuple[str, Rule]] = [(f"C{rows[entry.key]}", entry.rule) for entry in asked]
    return Page(
        title=title,
        cells={(one.row, one.column): one.cell for one in placed},
        widths=WIDTHS,
        heights=_heights(placed),
        hidden_columns=(KEY,),
        hidden_rows=(1,),
        merged=tuple(f"B{row}:F{row}" for row in _merged(placed)),
        rules=tuple(places),
        chosen=places[0][0],
        repeated_rows=f"{len(tops) + 2}:{len(tops) + 2}",
    )


def _heights(placed: list[Placed]) -> dict[int, float]:
    heights: dict[int, float] = {}
    for one in placed:
        heights[one.row] = max(heights.get(one.row, 0.0), one.height)
    return {row: height for row, height in heights.items() if height}


def _merged(placed: list[Placed]) -> list[int]:
    return [one.row for one in placed if one.column == LABEL and one.cell.style in ("about", "section")]


def _top(tops: tuple[str, ...]) -> Iterator[Placed]:
    yield Placed(1, KEY, Cell(FORM, "key"))
    yield Placed(1, VALUE, Cell(ANSWER, "key"))
    yield Placed(2, LABEL, Cell(tops[0], "title"), 32.0)
    for row, text in enumerate(tops[1:], 3):
        yield Placed(row, LABEL, Cell(text, "about"), lines(text, WHOLE_WIDTH) * LINE + PADDING)


def _head(row: int, language: str) -> Iterator[Placed]:
    for column, name in enumerate(("question", "answer", "unit", "blank", "help"), LABEL):
        yield Placed(row, column, Cell(words.text(f"excel_column_{name}", language), "head"), 24.0)


def _body(
    row: int, unnamed: str, asked: list[Entry], values: Mapping[str, CellValue], language: str
) -> Iterator[Placed]:
    for section, group in groupby(asked, key=lambda one: one.section):
        members = list(group)
        conditions = {one.when for one in members}
        shared = conditions.pop() if len(conditions) == 1 else ""
        name = section or words.text(f"excel_{unnamed}_section", language)
        yield from _section(row, name, shared)
        for row, entry in enumerate(members, row + 1):  # noqa: B020  (each section goes on where the last one ended)
            yield from _entry(row, entry, values.get(entry.key), "" if shared else entry.when, language)
        row += 1


def _section(row: int, name: str, when: str) -> Iterator[Placed]:
    runs = (Run(name), Run(f"　{when}", "faint")) if when else (Run(name),)
    text = "".join(run.text for run in runs)
    yield Placed(row, LABEL, Cell(runs, "section"), lines(text, WHOLE_WIDTH) * LINE + PADDING)


def _entry(row: int, entry: Entry, value: CellValue, when: str, language: str) -> Iterator[Placed]:
    help = "\n".join(one for one in (when, entry.help) if one)
    yield Placed(row, KEY, Cell(entry.key, "key"))
    yield Placed(row, LABEL, Cell(label(entry, language), "label"), _high(_text(label(entry, language)), LABEL))
    yield Placed(row, VALUE, Cell(value, "answer", entry.format), _answer_height(entry, value))
    yield Placed(row, UNIT, Cell(entry.unit or None, "unit"))
    yield Placed(row, BLANK, Cell(entry.blank, "blank"), _high(entry.blank, BLANK))
    yield Placed(row, HELP, Cell(help, "help"), lines(help, (WIDTHS[HELP] - 2) * SMALLER) * SMALL_LINE + PADDING)


def label(entry: Entry, language: str) -> tuple[Run, ...]:
    """A question's label, with a mark where it must be answered."""
    mark = words.text("excel_required", language)
    return (Run(entry.label), Run(f"  {mark}", "alert")) if entry.required else (Run(entry.label),)


def _text(runs: tuple[Run, ...]) -> str:
    return "".join(run.text for run in runs)


def _high(text: str, column: int) -> float:
    return lines(text, WIDTHS[column] - 2) * LINE + PADDING


def _answer_height(entry: Entry, value: CellValue) -> float:
    rule = entry.rule
    long = rule.sort == "textLength" and int(rule.second) > LONG_TEXT
    written = lines(value, WIDTHS[VALUE]) if isinstance(value, str) else 1
    return min(max(written, 3 if long else 1), 20) * LINE + PADDING
