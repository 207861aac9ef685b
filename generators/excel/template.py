"""A workbook for a kind, blank or filled: its sheets, the lists its drop-downs choose from, and which form it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from generators.excel import AGAIN, SENDER, TEMPLATE, Layout, form_page, table_page
from generators.excel.entry import Entry, entries
from generators.excel.page import Book, Cell, Page
from generators.excel.save import save
from generators.excel.spelling import CellValue, Value, cell_value, letters, lines
from schema import words
from schema.question import Form, Question

FONTS = {"ja": "Yu Gothic"}
OTHER_FONT = "Calibri"
ABOUT_SHEET, LIST_SHEET = "denpyo", "choices"


@dataclass(frozen=True, slots=True)
class Filled:
    """One request to put into a template: answers by question key or name, who asks, and why it should run again.

    Where several questions share a name, the one that the other answers ask takes the value.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    sender: str = ""
    again: str = ""


def write(form: Form, language: str, layout: Layout, filled: Sequence[Filled] = ()) -> bytes:
    """The .xlsx of a kind; the same arguments give the same bytes. A form holds at most one request, a table any number.

    A request with an answer to no question of the form is a ValueError: it must be checked before.
    """
    if layout == "form" and len(filled) > 1:
        raise ValueError("the form layout holds one request; several go into the table layout")
    asked = entries(form, language)
    values = [_values(form, one, language) for one in filled]
    pages = (
        [table_page.page(asked, values, language)]
        if layout == "table"
        else list(form_page.pages(form, asked, values[0] if values else {}, language))
    )
    about = _about(form, language, layout)
    lists = [one for one in asked if one.options]
    return save(
        Book(
            pages=(*pages, _guide(layout, len(pages) > 1, language), _lists(lists), _about_page(about)),
            names={one.list_name: _list_area(column, one) for column, one in enumerate(lists, 1)},
            properties={f"denpyo.{name}": value for name, value in about.items()},
            header=form.title.say(language),
            font=FONTS.get(language, OTHER_FONT),
        )
    )


def _about(form: Form, language: str, layout: Layout) -> dict[str, str]:
    return {
        "kind": form.kind,
        "version": str(form.version),
        "fingerprint": form.fingerprint,
        "layout": layout,
        "language": language,
    }


def _about_page(about: Mapping[str, str]) -> Page:
    cells = {(1, 1): Cell(TEMPLATE, "key")}
    for row, (name, value) in enumerate(about.items(), 2):
        cells |= {(row, 1): Cell(name, "key"), (row, 2): Cell(value, "key", "text")}
    return Page(ABOUT_SHEET, cells, widths={1: 20.0, 2: 70.0}, hidden=True)


def _lists(lists: Sequence[Entry]) -> Page:
    cells = {
        (row, column): Cell(option, "key", "text")
        for column, entry in enumerate(lists, 1)
        for row, option in enumerate(entry.options, 1)
    }
    return Page(LIST_SHEET, cells, hidden=True)


def _list_area(column: int, entry: Entry) -> str:
    return f"'{LIST_SHEET}'!${letters(column)}$1:${letters(column)}${len(entry.options)}"


def _guide(layout: Layout, details: bool, language: str) -> Page:
    names = [f"{layout}_{step}" for step in (1, 2, 3) if details or layout == "table" or step < 3]
    steps = [
        words.text(f"excel_how_{name}", language) for name in (*names, "values", "moves", "send", "checked", "run")
    ]
    wide = 100.0
    cells = {(1, 2): Cell(words.text("excel_how_title", language), "title")}
    for row, step in enumerate(steps, 3):
        cells |= {(row, 1): Cell(f"{row - 2}.", "step"), (row, 2): Cell(step, "step")}
    heights = {row: lines(step, wide) * form_page.LINE + form_page.PADDING for row, step in enumerate(steps, 3)}
    return Page(words.text("excel_sheet_how", language), cells, widths={1: 6.0, 2: wide}, heights={1: 32.0, **heights})


def _values(form: Form, filled: Filled, language: str) -> dict[str, CellValue]:
    unknown = set(filled.values) - set(form.by_key) - set(form.by_name)
    if unknown:
        raise ValueError(f"{form.kind} asks no {', '.join(sorted(unknown))}")
    found: dict[str, CellValue] = {SENDER: filled.sender or None, AGAIN: filled.again or None}
    for question, value in _placed(form, filled.values):
        found[question.key] = cell_value(question, value, language)
    return found


def _placed(form: Form, values: Mapping[str, Value]) -> Iterator[tuple[Question, Value]]:
    for name, value in values.items():
        if name in form.by_key:
            yield form.by_key[name], value
        else:
            same = form.by_name[name]
            yield next((one for one in same if _asked(form, one, values)), same[0]), value


def _asked(form: Form, question: Question, values: Mapping[str, Value]) -> bool:
    for condition in question.conditions:
        given = values.get(condition.on, form.by_name[condition.on][0].default)
        if not any(one in condition.values for one in (given if isinstance(given, tuple) else (given,))):
            return False
    return True
