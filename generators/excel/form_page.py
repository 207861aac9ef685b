"""The form layout: one request a workbook, one question a row; what a beginner need not see stands on a second sheet.

The rest is a sheet of its own, not a folded group: Excel does not unfold groups on a protected sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from generators.excel import ANSWER, FORM, RESPONSE, form_live
from generators.excel.entry import Entry
from generators.excel.formulas import Sheet
from generators.excel.page import TEXT, Cell, Page, Run
from generators.excel.spelling import CellValue, lines
from schema import words
from schema.question import Form

KEY, LABEL, VALUE, UNIT, NOTE, BLANK, HELP = range(1, 8)
WIDTHS = {KEY: 3.0, LABEL: 30.0, VALUE: 30.0, UNIT: 7.0, NOTE: 28.0, BLANK: 18.0, HELP: 48.0}
WHOLE_WIDTH = sum(WIDTHS.values()) - WIDTHS[KEY]
TITLE_WIDTH = (WIDTHS[LABEL] + WIDTHS[VALUE] + WIDTHS[UNIT]) / 1.6
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


@dataclass(frozen=True, slots=True)
class _Draft:
    """One sheet before its formulas: its title, what stands on it, which questions it asks, and the row of its headings."""

    title: str
    placed: tuple[Placed, ...]
    asked: tuple[Entry, ...]
    head: int

    @property
    def rows(self) -> dict[str, int]:
        keys = {one.cell.value: one.row for one in self.placed if one.column == KEY}
        return {entry.key: keys[entry.key] for entry in self.asked}


def pages(form: Form, asked: Sequence[Entry], values: Mapping[str, CellValue], language: str) -> Iterator[Page]:
    """The beginner's sheet, and one with all other questions where there are any."""
    drafts = [_first(form, [one for one in asked if one.first], values, language)]
    rest = [one for one in asked if not one.first]
    drafts += [_details(rest, values, language)] if rest else []
    places = {key: (one.title, row) for one in drafts for key, row in one.rows.items()}
    main = drafts[0].title
    for draft in drafts:
        live = form_live.live(places, main, len(asked)) if draft is drafts[0] else form_live.live_again(main)
        yield _page(draft, form_live.sheet(form, asked, places, draft.title), dict(live), language)


def _first(form: Form, asked: list[Entry], values: Mapping[str, CellValue], language: str) -> _Draft:
    title = words.text("excel_sheet_form", language)
    about = f"{form.about.say(language)}\n{words.text('excel_hint', language)}"
    top = [*_top(form.title.say(language), about), *_receipt(4, language), *_head(5, language)]
    return _Draft(title, (*top, *_body(6, "main", asked, values, language)), tuple(asked), 5)


def _details(asked: list[Entry], values: Mapping[str, CellValue], language: str) -> _Draft:
    title, about = (words.text(f"excel_{name}", language) for name in ("sheet_details", "details_about"))
    top = [*_top(title, about), *_head(4, language)]
    return _Draft(title, (*top, *_body(5, "other", asked, values, language)), tuple(asked), 4)


def _page(draft: _Draft, sheet: Sheet, live: Mapping[tuple[int, int], Cell], language: str) -> Page:
    cells = {**{(one.row, one.column): one.cell for one in draft.placed}, **live}
    for entry in draft.asked:
        cells |= dict(form_live.beside(draft.rows[entry.key], entry, sheet, language))
    rules = [(f"C{draft.rows[entry.key]}", form_live.offering(entry, sheet)) for entry in draft.asked]
    return Page(
        title=draft.title,
        cells=cells,
        widths=WIDTHS,
        heights=_heights(draft.placed),
        hidden_columns=(KEY, *form_live.HIDDEN),
        hidden_rows=(1,),
        merged=("B2:D2", "E2:G2", *(f"B{row}:G{row}" for row in _merged(draft.placed))),
        rules=tuple(rules),
        shown=(*form_live.shown(list(draft.rows.values())), *form_live.line_shown()),
        chosen=rules[0][0],
        frozen=f"A{draft.head + 1}",
        repeated_rows=f"{draft.head}:{draft.head}",
        landscape=True,
    )


def _heights(placed: Sequence[Placed]) -> dict[int, float]:
    heights: dict[int, float] = {}
    for one in placed:
        heights[one.row] = max(heights.get(one.row, 0.0), one.height)
    return {row: height for row, height in heights.items() if height}


def _merged(placed: Sequence[Placed]) -> list[int]:
    """The rows whose text runs over all columns."""
    whole = {one.row for one in placed if one.column == LABEL and one.cell.style in ("about", "section")}
    return sorted(whole - {one.row for one in placed if one.column == VALUE})


def _top(title: str, about: str) -> Iterator[Placed]:
    yield Placed(1, KEY, Cell(FORM, "key"))
    yield Placed(1, VALUE, Cell(ANSWER, "key"))
    yield Placed(2, LABEL, Cell(title, "title"), lines(title, TITLE_WIDTH) * 22.0 + 14.0)
    yield Placed(3, LABEL, Cell(about, "about"), lines(about, WHOLE_WIDTH) * LINE + PADDING)


def _receipt(row: int, language: str) -> Iterator[Placed]:
    """Where a marked copy carries the id of its response; empty in a blank template."""
    yield Placed(row, KEY, Cell(RESPONSE, "key"))
    yield Placed(row, LABEL, Cell(words.text("excel_response", language), "about"), LINE + PADDING)
    yield Placed(row, VALUE, Cell(None, "receipt", TEXT))
    yield Placed(row, NOTE, Cell(words.text("excel_response_help", language), "about"))


def _head(row: int, language: str) -> Iterator[Placed]:
    names = ("column_question", "column_answer", "column_unit", "live_column", "column_blank", "column_help")
    for column, name in enumerate(names, LABEL):
        yield Placed(row, column, Cell(words.text(f"excel_{name}", language), "head"), 24.0)


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
    note = form_live.longest_note(entry, language)
    yield Placed(row, NOTE, Cell(None, "finding"), lines(note, (WIDTHS[NOTE] - 2) * SMALLER) * SMALL_LINE + PADDING)
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
