"""The lists of the hidden sheet: the words that drop-downs offer and that formulas look up, each under a defined name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from generators.excel.entry import Entry
from generators.excel.offered import nothing
from generators.excel.page import TEXT, Cell, Formula, Page
from generators.excel.spelling import CellValue, letters
from schema import words

LIST_SHEET = "choices"
SMALL_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
DIGITS = "0123456789０１２３４５６７８９"
UNSURE, WRONG = 0.001, 1000
"""What an answer that only ``check`` can judge, and one that is wrong, weigh in a sum in which a missing one is 1."""
FOUND_FIRST = 2
"""How many texts of ``live_texts`` stand before that for one missing answer."""
HERE, THERE = "#1", "#2"
"""In ``live_parted``: how many answers are wrong on the first sheet, and on the second."""

Lists = Mapping[str, Sequence[CellValue]]


def lists(asked: Sequence[Entry], language: str) -> Lists:
    """Every list by its name, in the order of the hidden sheet's columns."""
    found: dict[str, Sequence[CellValue]] = {one.list_name: one.options for one in asked if one.options}
    found |= {one.list_name: one.known for one in asked if one.known}
    for one in asked:
        found |= {f"{one.list_name}_{index}": options for index, options in enumerate(one.offered)}
        found |= {one.alike_name: one.alike} if one.alike else {}
        found |= {one.nothing_name: (nothing(one.nothing),)}
    scores = _scores(len(asked), language)
    found |= {"live_scores": tuple(scores), "live_texts": tuple(scores.values())}
    details = words.text("excel_sheet_details", language)
    found |= {f"live_{name}": (words.text(f"excel_live_{name}", language),) for name in SINGLE}
    found |= {"live_details": (words.text("excel_live_details", language, sheet=details),)}
    found |= {"live_parted": (_parted(details, language),)}
    return {**found, "digits": tuple(DIGITS), "letters": tuple(SMALL_LETTERS)}


def _parted(details: str, language: str) -> str:
    first = words.text("excel_sheet_form", language)
    return words.text("excel_live_parted", language, first=first, here=HERE, sheet=details, there=THERE)


SINGLE = ("missing", "unsure", "start", "and", "lost")


def _scores(most: int, language: str) -> dict[CellValue, str]:
    """What the live line says from which sum on: nothing found, something unsure, so many missing, so many wrong."""
    said: dict[CellValue, str] = {
        0: words.text("excel_live_fine", language),
        UNSURE: words.text("excel_live_later", language),
    }
    said |= {count: _counted("go", count, language) for count in range(1, most + 1)}
    return said | {count * WRONG: _counted("mend", count, language) for count in range(1, most + 1)}


def _counted(name: str, count: int, language: str) -> str:
    if count == 1:
        return words.text(f"excel_live_{name}_1", language)
    return words.text(f"excel_live_{name}", language, count=str(count))


def page(found: Lists, across: Lists = MappingProxyType({}), moved: str = "") -> Page:
    """The hidden sheet: every list a column, and below them the rows that a table's formulas compare whole rows with. ``moved`` is
    the formula that is an error where the table's columns stand in another order."""
    cells = {
        (row, column): _key(value)
        for column, values in enumerate(found.values(), 1)
        for row, value in enumerate(values, 1)
    }
    below = _height(found) + 1
    for row, values in enumerate(across.values(), below):
        cells |= {(row, column): _key(value) for column, value in enumerate(values, 1) if value != ""}
    if moved:
        cells[below + len(across), 1] = Cell(Formula(moved), "key")
    return Page(LIST_SHEET, cells, hidden=True)


def _key(value: CellValue) -> Cell:
    return Cell(value, "key", TEXT) if isinstance(value, str) else Cell(value, "key")


def _height(found: Lists) -> int:
    return max(len(values) for values in found.values())


def names(found: Lists, across: Lists = MappingProxyType({}), moved: str = "") -> dict[str, str]:
    """The area of every list. One that is empty has an empty cell."""
    below = _height(found) + 1
    named = {
        name: _area(1, column, max(len(values), 1), column) for column, (name, values) in enumerate(found.items(), 1)
    }
    named |= {name: _area(row, 1, row, len(values)) for row, (name, values) in enumerate(across.items(), below)}
    last = below + len(across)
    return named | ({"live_moved": _area(last, 1, last, 1)} if moved else {})


def _area(top: int, left: int, bottom: int, right: int) -> str:
    return f"'{LIST_SHEET}'!${letters(left)}${top}:${letters(right)}${bottom}"
