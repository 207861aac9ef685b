"""What a person typed → what the schema means, Japanese habits first. What cannot be sure is a code of words/, never a guess.

Each reader takes one cleaned text and returns the value, or a Misread that says why not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from schema.problem import nearest, shown
from schema.question import Question, Widget
from schema.words import Fact, Words

NOTHING = frozenset({"", "-", "‐", "‑", "–", "—", "―", "−", "ー"})
YES = frozenset(
    [
        "はい",
        "yes",
        "y",
        "true",
        "真",
        "有",
        "有り",
        "あり",
        "on",
        "する",
        "○",
        "〇",
        "◯",
        "◎",
        "⭕",
        "✓",
        "✔",
        "☑",
        "レ",
        "可",
        "1",
    ]
)
NO = frozenset(
    [
        "いいえ",
        "no",
        "n",
        "false",
        "偽",
        "無",
        "無し",
        "なし",
        "off",
        "しない",
        "×",
        "✕",
        "✖",
        "✗",
        "❌",
        "☒",
        "否",
        "不可",
        "0",
    ]
)
ERAS = {
    "令和": (2018, date(2019, 5, 1), date.max),
    "平成": (1988, date(1989, 1, 8), date(2019, 4, 30)),
    "昭和": (1925, date(1926, 12, 25), date(1989, 1, 7)),
}
"""Era → the year before its first, its first day and its last (the Cabinet's era ordinances)."""
ERA_LETTERS = {"r": "令和", "h": "平成", "s": "昭和"}

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?")
GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日")
COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
ERA_DATE = re.compile(
    r"(令和|平成|昭和)([0-9]{1,2}|元)年([0-9]{1,2})月([0-9]{1,2})日|([rhs])([0-9]{1,2})([-/.])([0-9]{1,2})\7([0-9]{1,2})"
)
MIDNIGHT = re.compile(r"[ t]00?:00(:00(\.0+)?)?$")
ISO_DURATION = re.compile(r"p(?:([0-9.]+)d)?(?:t(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?)?")
CLOCK = re.compile(r"([0-9]+):([0-5][0-9]):([0-5][0-9])")
DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-z日時間分秒週]+)")
SECONDS = {
    **dict.fromkeys(("週", "週間", "week", "weeks", "w"), 604_800),
    **dict.fromkeys(("日", "日間", "day", "days", "d"), 86_400),
    **dict.fromkeys(("時間", "時", "hour", "hours", "hr", "hrs", "h"), 3_600),
    **dict.fromkeys(("分", "分間", "minute", "minutes", "min", "mins"), 60),
    **dict.fromkeys(("秒", "秒間", "second", "seconds", "sec", "secs", "s"), 1),
}
MOST_EXACT = 2**53
LIST_SEPARATORS = re.compile(r"[;,、；\n]")


@dataclass(frozen=True, slots=True)
class Misread:
    """Why a text is not an answer: a problem code, facts for its message, and what was probably meant."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    suggestion: str = ""


def read(question: Question, given: str | tuple[str, ...]) -> Any | Misread | None:
    """The value of an answer as Python means it (int, date, tuple of choice values …), None for no answer, or a Misread."""
    if isinstance(given, tuple):
        return _choices(question, given) if question.widget == "many_choice" else Misread("several_answers")
    hidden = invisible(given)
    if hidden:
        return Misread("hidden_character", {"character": hidden})
    if question.widget == "text":
        typed = given.replace("\r\n", "\n").replace("\r", "\n").strip()
        return None if is_blank(typed) else _text(question, typed)
    cleaned = clean(given)
    return None if is_blank(cleaned) else READERS[question.widget](question, cleaned)


def clean(given: str) -> str:
    """NFKC (full-width digits and letters become plain), white space and line breaks in a cell folded into single spaces."""
    return " ".join(unicodedata.normalize("NFKC", given).split())


def is_blank(given: str) -> bool:
    """Whether a person means "nothing": an empty cell, or a lone dash of any width."""
    return unicodedata.normalize("NFKC", given).strip() in NOTHING


def invisible(given: str) -> str:
    """The first character a person cannot have meant: controls, bidirectional marks, zero width. Named ``U+202E``; "" if none."""
    for one in given:
        if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co") and one not in "\n\r\t":
            return f"U+{ord(one):04X}"
    return ""


def _text(question: Question, typed: str) -> str:
    """Free text stays as typed; a text with a pattern is a code of some sort, so full-width characters in it become plain."""
    return clean(typed) if question.limits.pattern else typed


def _identifier(question: Question, cleaned: str) -> str | Misread:
    """An identifier as it stands; one that only differs by capitals, blanks or underscores gets a suggestion, never a silent change."""
    if re.fullmatch(question.limits.pattern.strip("^$"), cleaned):
        return cleaned
    better = re.sub(r"[ _]+", "-", cleaned.lower())
    fits = re.fullmatch(question.limits.pattern.strip("^$"), better)
    return Misread("bad_identifier", {"text": shown(cleaned)}, better if fits else "")


def _yes_no(question: Question, cleaned: str) -> bool | Misread:
    folded = cleaned.casefold()
    if folded in YES:
        return True
    return False if folded in NO else Misread("not_yes_no", {"text": shown(cleaned)})


def _number(question: Question, cleaned: str) -> float | Misread:
    facts: dict[str, Fact] = {"text": shown(cleaned), "example": question.example or "0.5"}
    plain = _without_unit(question, cleaned).replace("−", "-").replace(" ", "")
    percent = plain.endswith("%") and not (question.unit and question.unit.en == "%")
    plain = plain.removesuffix("%")
    if GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not NUMBER.fullmatch(plain.lower()):
        return Misread("unsure_number" if re.fullmatch(r"[+-]?[0-9][0-9,.' ]*", plain) else "not_a_number", facts)
    if percent:
        return float(f"{plain}e-2") if "e" not in plain.lower() else Misread("unsure_number", facts)
    value = float(plain)
    return value if abs(value) < float("inf") else Misread("too_precise", facts)


def _whole_number(question: Question, cleaned: str) -> int | Misread:
    facts: dict[str, Fact] = {"text": shown(cleaned), "example": question.example or "10"}
    value = _number(question, cleaned)
    if isinstance(value, Misread):
        return Misread(value.code, facts)
    if cleaned.endswith("%") and not (question.unit and question.unit.en == "%"):
        return Misread("not_whole", facts)
    if value != int(value):
        return Misread("not_whole", facts)
    return int(value) if abs(value) < MOST_EXACT else Misread("too_precise", facts)


def _without_unit(question: Question, cleaned: str) -> str:
    """``2 時間`` → ``2`` where the question's own unit is hours; any other word stays and makes the answer a Problem."""
    if question.unit:
        for word in sorted(
            {question.unit.en, question.unit.ja, question.unit.en.removesuffix("s")}, key=len, reverse=True
        ):
            if word and cleaned.casefold().endswith(word.casefold()) and cleaned.casefold() != word.casefold():
                return cleaned[: -len(word)].strip()
    return cleaned


def _date(question: Question, cleaned: str) -> date | Misread:
    plain = MIDNIGHT.sub("", cleaned.casefold()).replace(" ", "")
    facts: dict[str, Fact] = {"text": shown(cleaned)}
    if found := YEAR_FIRST.fullmatch(plain):
        year, month, day = (found[1], found[3], found[4]) if found[1] else (found[5], found[6], found[7])
        return _day(int(year), int(month), int(day)) or Misread("not_a_date", facts)
    if found := COMPACT.fullmatch(plain):
        return _day(int(found[1]), int(found[2]), int(found[3])) or Misread("not_a_date", facts)
    if found := ERA_DATE.fullmatch(plain):
        return _era_day(found) or Misread("not_a_date", facts)
    return Misread(
        "unsure_date" if re.fullmatch(r"[0-9]{1,2}[-/.][0-9]{1,2}([-/.][0-9]{2,4})?", plain) else "not_a_date", facts
    )


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # the 31st of February: the caller says so with the text that was typed
        return None


def _era_day(found: re.Match[str]) -> date | None:
    era = found[1] or ERA_LETTERS[found[5]]
    year, month, day = (found[2], found[3], found[4]) if found[1] else (found[6], found[8], found[9])
    before, first, last = ERAS[era]
    when = _day(before + (1 if year == "元" else int(year)), int(month), int(day))
    return when if when and first <= when <= last else None


def _duration(question: Question, cleaned: str) -> timedelta | Misread:
    plain = cleaned.casefold().replace(" ", "").replace(",", "").replace("and", "")
    facts: dict[str, Fact] = {"text": shown(cleaned), "unit": question.unit or ""}
    if found := CLOCK.fullmatch(plain):
        return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3]))
    if re.fullmatch(r"[0-9]+:[0-9]{1,2}", plain):
        return Misread("unsure_duration", facts)
    if NUMBER.fullmatch(plain):
        unit = SECONDS.get(question.unit.en) if question.unit else None
        return (
            timedelta(seconds=float(plain) * unit) if unit and float(plain) >= 0 else Misread("unsure_duration", facts)
        )
    found_length = next(
        (length for length in (_iso_duration(plain), _spoken_duration(plain)) if length is not None), None
    )
    return Misread("not_a_duration", facts) if found_length is None else found_length


def _iso_duration(plain: str) -> timedelta | None:
    """``PT1H30M``, as ISO 8601 writes it, and as slips do."""
    found = ISO_DURATION.fullmatch(plain)
    if not found or not any(found.groups()) or any(part and part.count(".") > 1 for part in found.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _spoken_duration(plain: str) -> timedelta | None:
    parts = list(DURATION_PART.finditer(plain))
    scales = [SECONDS.get(part[2]) for part in parts]
    if not parts or "".join(part[0] for part in parts) != plain:
        return None
    known = [scale for scale in scales if scale is not None]
    if len(known) < len(scales) or known != sorted(set(known), reverse=True):
        return None
    return timedelta(seconds=sum(float(part[1]) * scale for part, scale in zip(parts, known, strict=True)))


def _choice(question: Question, cleaned: str) -> str | Misread:
    return _options(question).get(_fold(cleaned)) or _unknown(question, cleaned)


def _many_choice(question: Question, cleaned: str) -> tuple[str, ...] | Misread | None:
    return _choices(question, tuple(_split(question, cleaned)))


def _choices(question: Question, given: tuple[str, ...]) -> tuple[str, ...] | Misread | None:
    chosen: set[str] = set()
    for one in given:
        found = _choice(question, clean(one))
        if isinstance(found, Misread):
            return found
        chosen.add(found)
    return tuple(one.value for one in question.choices if one.value in chosen) or None


def _split(question: Question, cleaned: str) -> list[str]:
    """Members of a list typed into one cell. A label that itself holds a separator is found first, the longest first."""
    labels = sorted(
        (clean(label) for one in question.choices for label in (one.label.en, one.label.ja, one.value)),
        key=len,
        reverse=True,
    )
    members, rest = [], cleaned
    for label in (label for label in labels if LIST_SEPARATORS.search(label)):
        if label in rest:
            members.append(label)
            rest = rest.replace(label, ";")
    return members + [part.strip() for part in LIST_SEPARATORS.split(rest) if part.strip()]


@cache
def _options(question: Question) -> Mapping[str, str]:
    """Every way to write a choice → its value: the value and the label in each language."""
    return {
        _fold(clean(text)): one.value for one in question.choices for text in (one.label.ja, one.label.en, one.value)
    }


def _fold(cleaned: str) -> str:
    return re.sub(r"[\s_-]+", "", cleaned.casefold())


def _unknown(question: Question, cleaned: str) -> Misread:
    labels: tuple[str | Words, ...] = tuple(one.label for one in question.choices)
    names = {text: text for one in question.choices for text in (one.value, one.label.en, one.label.ja)}
    return Misread("unknown_choice", {"text": shown(cleaned), "choices": labels}, nearest(cleaned, names))


READERS: Mapping[Widget, Callable[[Question, str], Any]] = {
    "identifier": _identifier,
    "yes_no": _yes_no,
    "whole_number": _whole_number,
    "number": _number,
    "date": _date,
    "duration": _duration,
    "choice": _choice,
    "many_choice": _many_choice,
}
