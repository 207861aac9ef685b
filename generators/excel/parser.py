"""Bytes → the text of every cell, and what is to be known of it. The only file that knows the parser, python-calamine.

What comes out is plain data, so that this can run in a process of its own.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeVar

from python_calamine import CalamineError, CalamineWorkbook

from generators.excel import numbers
from generators.excel.gate import Package, SheetPart, admit
from generators.excel.refusal import Refusal, RefusedError, broken
from generators.excel.sheet import Sheet

Parsed = str | float | bool | date | datetime | time | timedelta
PANIC = "PanicException"
T = TypeVar("T")


def read_cells(data: bytes) -> tuple[Sheet, ...] | Refusal:
    """Every sheet of a workbook, or why the file as a whole is refused. Never an exception for what a file holds."""
    try:
        package = admit(data)
        return tuple(_parsed(package))
    except RefusedError as refused:
        return refused.refusal


def _parsed(package: Package) -> list[Sheet]:
    workbook = _at("xl/workbook.xml", lambda: CalamineWorkbook.from_filelike(io.BytesIO(package.data)))
    if workbook.sheet_names != [one.name for one in package.sheets]:
        raise broken("xl/workbook.xml")
    return [_sheet(workbook, index, one) for index, one in enumerate(package.sheets)]


def _sheet(workbook: CalamineWorkbook, index: int, part: SheetPart) -> Sheet:
    found = _at(part.name, lambda: workbook.get_sheet_by_index(index).to_python(skip_empty_area=False))
    rows = tuple(_texts(row, line, part) for row, line in enumerate(found, 1))
    return Sheet(part.name, part.hidden, rows, part.facts)


def _at(spot: str, parse: Callable[[], T]) -> T:
    """One step of the parser. What it raises means a broken file at this spot; a panic of its Rust side is no Exception."""
    try:
        return parse()
    except (CalamineError, ValueError, OverflowError, OSError) as error:
        raise broken(spot) from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise broken(spot) from error


def _texts(row: int, line: Iterable[Parsed], part: SheetPart) -> tuple[str, ...]:
    percents = part.facts.percents
    if not percents:
        return tuple([one if type(one) is str else _text(one, False, part.from_1904) for one in line])
    return tuple(
        one if type(one) is str else _text(one, (row, column) in percents, part.from_1904)
        for column, one in enumerate(line, 1)
    )


@lru_cache(maxsize=20_000, typed=True)
def _text(value: Parsed, percent: bool, from_1904: bool) -> str:
    """In a column the same numbers and days come again and again."""
    return text(value, percent=percent, from_1904=from_1904)


def text(value: Parsed, *, percent: bool = False, from_1904: bool = False) -> str:
    """A value as a person would type it: ``100``, ``85%``, ``2026-11-21``, ``PT2H30M``, ``TRUE``. A day of long ago is a number
    that was typed into a cell for dates."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return numbers.percent(value) if percent else numbers.number(value)
    if isinstance(value, date):
        return _day(value if isinstance(value, datetime) else datetime(value.year, value.month, value.day), from_1904)
    if isinstance(value, timedelta):
        return numbers.iso_duration(value)
    return value if isinstance(value, str) else value.isoformat()


def _day(value: datetime, from_1904: bool) -> str:
    if value.date() < numbers.FIRST_DAY:
        return numbers.day_number(value, from_1904=from_1904)
    return value.date().isoformat() if value.time() == time() else value.isoformat()
