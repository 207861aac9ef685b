"""What a sheet finds of an answer, and the pieces that its formulas are made of.

What a schema says stands in a formula as a number, a name or a text in quotes, its own quotes doubled; the words of choices are
looked up in the lists of the hidden sheet. Every function in them works in Excel 2016, in LibreOffice and in Google Sheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import IntEnum

from generators.excel.numbers import DAY_ZERO
from generators.excel.spelling import Value, number
from schema.question import Question


class Finding(IntEnum):
    """What a sheet finds of one answer. From WRONG on it must be changed."""

    OFF = -1
    FINE = 0
    MISSING = 1
    UNSURE = 2
    WRONG = 3
    SWITCHED_OFF = 4
    NEEDS = 5
    ORDER = 6


Spelled = Mapping[Finding, str]
"""What a formula gives for each finding: its number, or its weight in a sum."""
NUMBERS: Spelled = {one: str(int(one)) for one in Finding}
FEW, MANY = "1E-3", "1E3"
WEIGHTS: Spelled = {
    one: "0" if one < 1 else {Finding.MISSING: "1", Finding.UNSURE: FEW}.get(one, MANY) for one in Finding
}

BARE = 'SUBSTITUTE(CLEAN({cell}),"\u00a0"," ")'
"""What stands in a cell without line breaks, and with a plain blank for each that is kept from breaking a line."""
PLAIN = f'LOWER(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({BARE}," ",""),"　",""),"_",""),"-",""))'
"""A choice however it is spelled, as ``offered.plain`` has it."""


def if_(test: str, then: str, other: str) -> str:
    return then if then == other else f"IF({test},{then},{other})"


def any_of(tests: Iterable[str]) -> str:
    found = list(tests)
    return found[0] if len(found) == 1 else f"OR({','.join(found)})" if found else "FALSE"


def all_of(tests: Iterable[str]) -> str:
    found = list(tests)
    return found[0] if len(found) == 1 else f"AND({','.join(found)})" if found else "TRUE"


def literal(value: Value) -> str:
    """A value in a formula: text in quotes, with its own quotes doubled."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return number(value)
    doubled = str(value).replace('"', '""')
    return f'"{doubled}"'


def serial(iso: str) -> int:
    """The number by which Excel counts a day."""
    return (date.fromisoformat(iso) - DAY_ZERO).days


def limit(question: Question, value: object) -> str:
    """A bound or default in a formula."""
    return str(serial(str(value))) if question.widget == "date" else number(float(str(value)))
