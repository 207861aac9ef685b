"""How numbers, days, lengths of time and columns are spelled. Imports nothing of ours, so that a process of its own starts quickly."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal

SMALLEST_PLAIN, LARGEST_PLAIN = 1e-15, 1e21
DAY_ZERO = date(1899, 12, 30)
"""The day before the one that Excel counts as 1, for all days from March 1900 on."""
FIRST_DAY = date(1950, 1, 1)
"""A day before it, in a cell that holds a number, is a number that somebody typed into a cell for dates: 8 becomes 1900-01-08."""


def number(value: float, *, grouped: bool = False) -> str:
    """The shortest decimal text that means this number, without an exponent at ordinary sizes: ``100``, ``0.03``, ``10,000``."""
    written = repr(value)
    if value and not grouped and "e" not in written:
        return written.removesuffix(".0")
    return _plain(Decimal(written), grouped) if _is_ordinary(value) else written


def percent(value: float) -> str:
    """A number in hundredths, hundredfold in decimals: 0.07 is ``7%``, though 0.07 × 100 is 7.000000000000001."""
    return f"{_plain(Decimal(repr(value)).scaleb(2)) if math.isfinite(value) else repr(value)}%"


def _is_ordinary(value: float) -> bool:
    return value == 0 or (math.isfinite(value) and SMALLEST_PLAIN < abs(value) < LARGEST_PLAIN)


def _plain(exact: Decimal, grouped: bool = False) -> str:
    written = format(exact, ",f" if grouped else "f")
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return "0" if written == "-0" else written


def day_number(value: datetime, *, from_1904: bool) -> str:
    """The number that Excel shows as this day: 8 is 1900-01-08, or 1904-01-09 where a workbook counts from 1904. Excel counts a
    29 February 1900 that never was; the parser makes the 28th of it."""
    before_leap_day = value < datetime(1900, 3, 1)
    start = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if before_leap_day else 30)
    return number((value - start) / timedelta(days=1))


def iso_duration(value: timedelta) -> str:
    """A length of time as ISO 8601 writes it, in hours, minutes and seconds: ``PT2H30M``."""
    length = abs(value)
    hours, minutes = length.days * 24 + length.seconds // 3600, length.seconds // 60 % 60
    parts = ((str(hours), "H"), (str(minutes), "M"), (seconds(length), "S"))
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}PT" + ("".join(count + unit for count, unit in parts if count != "0") or "0S")


def seconds(length: timedelta) -> str:
    """The seconds beside whole minutes, to the microsecond."""
    return _plain(Decimal(length.seconds % 60) + Decimal(length.microseconds).scaleb(-6))


def letters(column: int) -> str:
    """The letters of a column counted from 1: 27 is ``AA``."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found
