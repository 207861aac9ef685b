"""A workbook for a kind, blank or filled: its sheets, the lists its drop-downs choose from, and which form it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from generators.excel import AGAIN, SENDER, SUMMARY_NAME, TABLE_ROWS, TEMPLATE, Layout, form_page, lists, table_page
from generators.excel.entry import Entry, entries, wording
from generators.excel.page import TEXT, Book, Cell, Page
from generators.excel.save import save
from generators.excel.spelling import CellValue, Value, cell_value, lines
from schema import words
from schema.question import Form, Question

FONTS = {"ja": "Yu Gothic"}
OTHER_FONT = "Calibri"
ABOUT_SHEET = "denpyo"


@dataclass(frozen=True, slots=True)
class Filled:
    """One request to put into a template: answers by question key or name, who asks, and why it should run again.

    Where several questions share a name, the one that the other answers ask takes the value.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    sender: str = ""
    again: str = ""


def write(form: Form, language: str, layout: Layout, filled: Sequence[Filled] = (), rows: int = TABLE_ROWS) -> bytes:
    """The .xlsx of a kind; the same arguments give the same bytes. A form holds at most one request, a table any number;
    ``rows`` of it are prepared.

    A request with an answer to no question of the form is a ValueError: it must be checked before.
    """
    if layout == "form" and len(filled) > 1:
        raise ValueError("the form layout holds one request; several go into the table layout")
    asked = entries(form, language)
    values = [cells_of(form, one, language) for one in filled]
    pages = (
        [table_page.page(form, asked, values, language, rows)]
        if layout == "table"
        else list(form_page.pages(form, asked, values[0] if values else {}, language))
    )
    about = _about(form, asked, language, layout)
    found, across, moved = _lists(form, asked, language, layout)
    unmarked = {SUMMARY_NAME: "FALSE"} if layout == "table" else {}
    return save(
        Book(
            pages=(
                *pages,
                _guide(layout, len(pages) > 1, language),
                lists.page(found, across, moved),
                _about_page(about),
            ),
            names={**lists.names(found, across, moved), **unmarked},
            properties={f"denpyo.{name}": value for name, value in about.items()},
            header=form.title.say(language),
            font=FONTS.get(language, OTHER_FONT),
        )
    )


def _lists(form: Form, asked: Sequence[Entry], language: str, layout: Layout) -> tuple[lists.Lists, lists.Lists, str]:
    """What stands on the hidden sheet: its columns, its rows, and a formula that looks after the table's columns."""
    found = lists.lists(asked, language)
    if layout != "table":
        return found, {}, ""
    row = table_page.row(form, asked)
    return {**found, **row.lists}, row.across, table_page.moved(form, asked, language)


def _about(form: Form, asked: Sequence[Entry], language: str, layout: Layout) -> dict[str, str]:
    return {
        "kind": form.kind,
        "version": str(form.version),
        "fingerprint": form.fingerprint,
        "layout": layout,
        "language": language,
        "wording": wording(asked),
    }


def _about_page(about: Mapping[str, str]) -> Page:
    cells = {(1, 1): Cell(TEMPLATE, "key")}
    for row, (name, value) in enumerate(about.items(), 2):
        cells |= {(row, 1): Cell(name, "key"), (row, 2): Cell(value, "key", TEXT)}
    return Page(ABOUT_SHEET, cells, widths={1: 20.0, 2: 70.0}, hidden=True)


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


def cells_of(form: Form, filled: Filled, language: str) -> dict[str, CellValue]:
    """What stands in the answer cells of a filled template, by question key."""
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
