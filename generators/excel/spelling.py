"""How values are spelled in cells and in the words beside them."""

from __future__ import annotations

import math
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal

from schema import words
from schema.question import Question
from schema.text import Misread, read
from schema.words import Words

Value = str | int | float | bool | tuple[str, ...] | list[str] | None
"""An answer as it stands in a slip: choices by value, dates and durations as ISO text."""
CellValue = str | int | float | date | None

SMALLEST_PLAIN, LARGEST_PLAIN = 1e-15, 1e21
FIRST_DAY = date(1950, 1, 1)
"""A day before it, in a cell that holds a number, is a number that somebody typed into a cell for dates: 8 becomes 1900-01-08."""


def number(value: float, *, grouped: bool = False) -> str:
    """The shortest decimal text that means this number, without an exponent at ordinary sizes: ``100``, ``0.03``, ``10,000``."""
    return _plain(Decimal(repr(value)), grouped) if _is_ordinary(value) else repr(value)


def percent(value: float) -> str:
    """A number in hundredths, hundredfold in decimals: 0.07 is ``7%``, though 0.07 × 100 is 7.000000000000001."""
    return f"{_plain(Decimal(repr(value)).scaleb(2)) if _is_ordinary(value) else repr(value)}%"


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
    parts = ((str(hours), "H"), (str(minutes), "M"), (_seconds(length), "S"))
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}PT" + ("".join(count + unit for count, unit in parts if count != "0") or "0S")


def spoken_duration(value: timedelta, language: str) -> str:
    """A length of time as a person writes it, and as ``schema.text`` reads it: ``2時間30分``."""
    if value < timedelta(0):
        return iso_duration(value)
    hours, minutes = value.seconds // 3600, value.seconds // 60 % 60
    counts = {"days": str(value.days), "hours": str(hours), "minutes": str(minutes), "seconds": _seconds(value)}
    parts = [words.text(f"excel_{unit}", language, count=count) for unit, count in counts.items() if count != "0"]
    return ("" if language == "ja" else " ").join(parts) or words.text("excel_seconds", language, count="0")


def _seconds(length: timedelta) -> str:
    """The seconds beside whole minutes, to the microsecond."""
    return _plain(Decimal(length.seconds % 60) + Decimal(length.microseconds).scaleb(-6))


def day(iso: str) -> str:
    return iso.replace("-", "/")


def said(question: Question, value: object, language: str) -> str:
    """A default or a bound of a question as a person reads it: the choice's label, ``はい``, ``10,000``, ``2026/11/21``."""
    if value is None:
        return words.text("excel_nothing", language)
    if isinstance(value, tuple):
        return "; ".join(said(question, one, language) for one in value)
    if isinstance(value, bool):
        return words.text("yes" if value else "no", language)
    if isinstance(value, int | float):
        return (
            spoken_duration(timedelta(seconds=value), language)
            if question.widget == "duration"
            else number(value, grouped=True)
        )
    choice = question.choice(value)
    if choice:
        return choice.label.say(language)
    return day(str(value)) if question.widget == "date" else str(value)


def cell_value(question: Question, value: Value, language: str) -> CellValue:
    """What to write into the answer cell so that it is read back as ``value``. What cannot be understood is written as it stands,
    and as text every number of more than 15 digits, because Excel keeps no more of one that is edited, and every day before FIRST_DAY.
    """
    if isinstance(value, str) and question.widget not in ("text", "identifier"):
        found = read(question, value)
        value = value if isinstance(found, Misread) else found
    if isinstance(value, tuple | list):
        return "; ".join(said(question, one, language) for one in value)
    if isinstance(value, bool):
        return words.text("yes" if value else "no", language)
    if isinstance(value, int | float):
        return value if float(f"{value:.15g}") == value else number(value)
    if isinstance(value, timedelta):
        return spoken_duration(value, language)
    if isinstance(value, date):
        return value if value >= FIRST_DAY else day(value.isoformat())
    return said(question, value, language) if question.choice(value) else value


def width(text: str) -> int:
    """How many narrow letters wide a text is; Chinese characters and kana take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def lines(text: str, wide: float) -> int:
    """How many lines a text takes in a column that is ``wide`` narrow letters wide."""
    return sum(max(1, math.ceil(width(line) / (wide - 1))) for line in text.split("\n"))


def letters(column: int) -> str:
    """The letters of a column counted from 1: 27 is ``AA``."""
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def shortened(text: str, most: int) -> str:
    """A text of at most ``most`` UTF-16 units, as Excel counts them; one that is cut ends in an ellipsis."""
    while len(text.encode("utf-16-le")) // 2 > most:
        text = text[: min(len(text) - 2, most - 1)] + "…"
    return text


def both(name: str) -> Words:
    """A fixed text of ours as Words, to be said in a language that is not known yet."""
    return Words(words.text(name, "en"), ja=words.text(name, "ja"))
