"""How values are spelled in cells and in the words beside them."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, timedelta

from generators.excel.numbers import FIRST_DAY, iso_duration, seconds
from generators.excel.numbers import letters as letters
from generators.excel.numbers import number as number
from generators.excel.numbers import percent as percent
from schema import words
from schema.question import Question
from schema.text import Misread, read

Value = str | int | float | bool | tuple[str, ...] | list[str] | None
"""An answer as it stands in a slip: choices by value, dates and durations as ISO text."""
CellValue = str | int | float | date | None
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LITERAL_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
LONGEST_CELL = 32_767


def spoken_duration(value: timedelta, language: str) -> str:
    """A length of time as a person writes it, and as ``schema.text`` reads it: ``2時間30分``."""
    if value < timedelta(0):
        return iso_duration(value)
    hours, minutes = value.seconds // 3600, value.seconds // 60 % 60
    counts = {"days": str(value.days), "hours": str(hours), "minutes": str(minutes), "seconds": seconds(value)}
    parts = [words.text(f"excel_{unit}", language, count=count) for unit, count in counts.items() if count != "0"]
    return ("" if language == "ja" else " ").join(parts) or words.text("excel_seconds", language, count="0")


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
    if question.is_share and isinstance(value, int | float):
        return percent(value)
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


def shortened(text: str, most: int) -> str:
    """A text of at most ``most`` UTF-16 units, as Excel counts them; one that is cut ends in an ellipsis."""
    while len(text.encode("utf-16-le")) // 2 > most:
        text = text[: min(len(text) - 2, most - 1)] + "…"
    return text


def in_xml(text: str) -> str:
    """A text without what XML cannot hold: each control character and half of a character becomes a visible mark."""
    return NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def cell_text(text: str) -> str:
    """A text as a cell can hold it, to be read as it is: without control characters, its ends of lines those of cells, never taken
    for an escape of Excel's; what is too long ends in an ellipsis."""
    plain = in_xml(text.replace("\r\n", "\n").replace("\r", "\n"))
    return shortened(LITERAL_ESCAPE.sub("_x005F_", plain), LONGEST_CELL)
