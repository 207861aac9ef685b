"""Bytes → the text of every cell, and what is to be known of it. The only file that knows the parser, python-calamine.

What comes out is plain data that can be pickled, so that this can run in a process of its own.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from python_calamine import CalamineError, CalamineWorkbook

from generators.excel import spelling
from generators.excel.gate import Package, SheetPart, admit
from generators.excel.refusal import Refusal, RefusedError, broken
from generators.excel.scan import SheetFacts

Parsed = str | float | bool | date | datetime | time | timedelta
PANIC = "PanicException"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as a person sees it: ``rows`` of text from A1 on, "" where a cell is empty, in error or not computed."""

    name: str
    hidden: bool
    rows: tuple[tuple[str, ...], ...]
    facts: SheetFacts


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
    return tuple(
        one
        if isinstance(one, str)
        else text(one, percent=(row, column) in part.facts.percents, from_1904=part.from_1904)
        for column, one in enumerate(line, 1)
    )


def text(value: Parsed, *, percent: bool = False, from_1904: bool = False) -> str:
    """A value as a person would type it: ``100``, ``85%``, ``2026-11-21``, ``PT2H30M``, ``TRUE``. A day of long ago is a number
    that was typed into a cell for dates."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return spelling.percent(value) if percent else spelling.number(value)
    if isinstance(value, date):
        return _day(value if isinstance(value, datetime) else datetime(value.year, value.month, value.day), from_1904)
    if isinstance(value, timedelta):
        return spelling.iso_duration(value)
    return value if isinstance(value, str) else value.isoformat()


def _day(value: datetime, from_1904: bool) -> str:
    if value.date() < spelling.FIRST_DAY:
        return spelling.day_number(value, from_1904=from_1904)
    return value.date().isoformat() if value.time() == time() else value.isoformat()
