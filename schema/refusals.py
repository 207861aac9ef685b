"""What pydantic says against one answer, as a code of ``words/`` with its facts: bounds and lengths as a person would type them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from pydantic_core import ErrorDetails

from schema.question import Question
from schema.text import clean, is_share, read
from schema.words import Fact, Words, both

LIMIT_CODES = {
    "greater_than_equal": ("too_small", "least"),
    "less_than_equal": ("too_big", "greatest"),
    "greater_than": ("not_above", "above"),
    "less_than": ("not_below", "below"),
}
LENGTH_CODES = {
    "string_too_short": ("too_short", "min_length", "shortest", "characters"),
    "string_too_long": ("too_long", "max_length", "longest", "characters"),
    "too_short": ("too_short", "min_length", "shortest", "members"),
    "too_long": ("too_long", "max_length", "longest", "members"),
}
DATE_CODES = {"too_small": "too_early", "too_big": "too_late", "not_above": "not_after", "not_below": "not_before"}
OTHER_CODES = {"string_pattern_mismatch": "bad_pattern", "missing": "missing"}
COUNTED = {"characters": ("character", "文字"), "members": ("choice", "個")}
TIMES = (
    (86_400, "day", "days", "日"),
    (3_600, "hour", "hours", "時間"),
    (60, "minute", "minutes", "分"),
    (1, "second", "seconds", "秒"),
)

RELATIONS = {
    ("date", False): "on_or_after",
    ("date", True): "after",
    ("duration", True): "longer_than",
    ("number", False): "at_least",
    ("number", True): "more_than",
}


def relation(question: Question) -> Words:
    """How an answer must stand to that of the question which its ``AtLeast`` names."""
    strictly = bool(question.limits.more_than)
    return both(RELATIONS.get((question.widget, strictly)) or RELATIONS["number", strictly])


def limit_problem(question: Question, detail: ErrorDetails) -> tuple[str, dict[str, Fact]]:
    """The names of types and context keys are those of pydantic-core's list of errors; bounds are the question's own, because
    pydantic says those of dates and times in English."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in LIMIT_CODES:
        code, bound = LIMIT_CODES[kind]
        code = DATE_CODES[code] if question.widget == "date" else code
        return code, {bound: said_bound(question, getattr(question.limits, bound))}
    if kind in LENGTH_CODES:
        code, theirs, ours, counted = LENGTH_CODES[kind]
        return code, {ours: count(context[theirs], counted), "length": count(len(detail["input"]), counted)}
    return OTHER_CODES.get(kind, "not_accepted"), {}


def percentage_meant(question: Question, value: object, typed: object) -> str:
    """``85%`` for a share that was answered 85; nothing where the answer said its percent, or cannot have meant one."""
    if question.widget != "number" or question.limits.greatest != 1 or not isinstance(value, float):
        return ""
    percentage = f"{plain(value)}%"
    if (isinstance(typed, str) and is_share(clean(typed))) or not 1 < value <= 100:
        return ""
    share = read(question, percentage)
    return percentage if isinstance(share, float) and share <= 1 else ""


def share_spellings(question: Question) -> tuple[Words, ...]:
    """How a share is typed where no cell shows per cent: 85% as 0.85 or 85%."""
    value = read(question, question.example) if question.is_share else None
    if not isinstance(value, float):
        return ()
    return (both("share_spellings", share=question.example, number=plain(value)),)


def count(number: int, counted: str) -> Words:
    en, ja = COUNTED[counted]
    return Words(f"{number} {en}{'' if number == 1 else 's'}", ja=f"{number}{ja}")


def said_bound(question: Question, bound: object) -> str | Words:
    """A bound of ``Question.limits`` as a person would type it: 2026/11/21; 100%; 90 minutes, or 90分."""
    if question.is_share and isinstance(bound, int | float):
        return f"{plain(float(Decimal(repr(bound)) * 100))}%"  # 0.07 × 100 is 7.000000000000001
    if question.widget == "date":
        return plain(date.fromisoformat(str(bound)))
    return _time(bound) if question.widget == "duration" and isinstance(bound, int | float) else plain(bound)


def _time(seconds: float) -> Words:
    scale, one, many, ja = next((row for row in TIMES if seconds % row[0] == 0), TIMES[-1])
    number = plain(seconds / scale)
    return Words(f"{number} {one if number == '1' else many}", ja=f"{number}{ja}")


def plain(value: object) -> str:
    """A bound as a person would type it: 1, not 1.0; 2026/11/21."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return value.strftime("%Y/%m/%d")
    return _time(value.total_seconds()).en if isinstance(value, timedelta) else str(value)
