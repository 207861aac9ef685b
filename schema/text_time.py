"""Dates and lengths of time as people write them, the eras of Japan among them. What is not one is the code of a Problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

ERAS = {
    "令和": (2018, date(2019, 5, 1), date.max),
    "平成": (1988, date(1989, 1, 8), date(2019, 4, 30)),
    "昭和": (1925, date(1926, 12, 25), date(1989, 1, 7)),
}
"""Era → the year before its first, its first day and its last (the Cabinet's era ordinances)."""
ERA_LETTERS = {"r": "令和", "h": "平成", "s": "昭和"}

YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日")
COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
ERA_DATE = re.compile(
    r"(令和|平成|昭和)([0-9]{1,2}|元)年([0-9]{1,2})月([0-9]{1,2})日|([rhs])([0-9]{1,2})([-/.])([0-9]{1,2})\7([0-9]{1,2})"
)
SHORT_YEAR = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}([-/.][0-9]{2,4})?|[0-9]{1,4}")
WEEKDAYS = ("月mon", "火tue", "水wed", "木thu", "金fri", "土sat", "日sun")
WEEKDAY = re.compile(
    r"(?<=[0-9日])(?:\(([月火水木金土日])(?:曜日?)?\)|([月火水木金土日])曜日?"
    r"|(\()?(mon|tue|wed|thu|fri|sat|sun)(?:\.|s|rs|[a-z]*day)?(?(3)\)))$"
)
MIDNIGHT = re.compile(r"[ t]00?:00(:00(\.0+)?)?$")

AMOUNT = r"[0-9]+(?:\.[0-9]+)?"
PLAIN_AMOUNT = re.compile(AMOUNT)
SIGNED_NUMBER = re.compile(rf"[+-]?(?:{AMOUNT}|\.[0-9]+|[0-9]+\.)")
ISO_DURATION = re.compile(
    rf"(-?)p(?:({AMOUNT})y)?(?:({AMOUNT})d)?(?:t(?:({AMOUNT})h)?(?:({AMOUNT})m)?(?:({AMOUNT})s)?)?"
)
ISO_SECONDS = (365 * 86_400, 86_400, 3_600, 60, 1)
HOURS_AND_MINUTES = re.compile(r"[0-9]+:[0-5][0-9]")
CLOCK = re.compile(r"([0-9]+):([0-5][0-9]):([0-5][0-9])")
DURATION_PART = re.compile(rf"({AMOUNT})([a-z日時間分秒週]+)")
HALF_HOUR = re.compile(r"(?<![0-9.])([0-9]+時間)半$")
GROUPED_AMOUNT = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9,])")
SECONDS: Mapping[str, int] = {
    **dict.fromkeys(("週", "週間", "week", "weeks", "w"), 604_800),
    **dict.fromkeys(("日", "日間", "day", "days", "d"), 86_400),
    **dict.fromkeys(("時間", "時", "hour", "hours", "hr", "hrs", "h"), 3_600),
    **dict.fromkeys(("分", "分間", "minute", "minutes", "min", "mins"), 60),
    **dict.fromkeys(("秒", "秒間", "second", "seconds", "sec", "secs", "s"), 1),
}


def read_date(cleaned: str) -> date | str:
    """A day with its year first, or in an era of Japan; an order of day and month that only its writer knows is unsure."""
    plain = _closed_up(MIDNIGHT.sub("", cleaned.casefold()))
    weekday = WEEKDAY.search(plain)
    found = _plain_date(plain[: weekday.start()] if weekday else plain)
    if weekday is None or isinstance(found, str):
        return found
    name = weekday[1] or weekday[2] or weekday[4]
    return found if name in WEEKDAYS[found.weekday()] else "unsure_date"


def _plain_date(plain: str) -> date | str:
    if found := YEAR_FIRST.fullmatch(plain):
        year, month, day = (found[1], found[3], found[4]) if found[1] else (found[5], found[6], found[7])
        return _day(int(year), int(month), int(day)) or "not_a_date"
    if found := COMPACT.fullmatch(plain):
        return _day(int(found[1]), int(found[2]), int(found[3])) or "not_a_date"
    if found := ERA_DATE.fullmatch(plain):
        return _era_day(found) or "not_a_date"
    return "unsure_date" if SHORT_YEAR.fullmatch(plain) else "not_a_date"


def _closed_up(cleaned: str) -> str:
    """Without the spaces that cannot part two numbers: ``2026 / 11 / 21`` is one date, ``2026/11/2 1`` is none."""
    return re.sub(r"(?<![0-9]) | (?![0-9])", "", cleaned)


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


def read_duration(cleaned: str, unit: str) -> timedelta | str:
    """A length with its units, as a clock with seconds, or as ISO 8601; a bare number is meant in the ``unit`` of the question."""
    plain = cleaned.casefold().replace("−", "-")
    plain = GROUPED_AMOUNT.sub(lambda found: found[0].replace(",", ""), plain)
    plain = _closed_up(re.sub(r", |、|\band\b", " ", plain))
    plain = HALF_HOUR.sub(r"\g<1>30分", plain)
    if "半" in plain or re.fullmatch(r"[0-9]+:[0-9]{1,2}", plain):
        return "unsure_duration"
    if SIGNED_NUMBER.fullmatch(plain):
        known = SECONDS.get(unit) if PLAIN_AMOUNT.fullmatch(plain.rstrip(".")) else None
        return _length([(plain, known)]) if known else "unsure_duration"
    known_forms = (form(plain) for form in (_clock, _iso_duration, _spoken_duration))
    return next((length for length in known_forms if length is not None), "not_a_duration")


def read_amount(cleaned: str, unit: str) -> Decimal | None:
    """A length with its own units as a number of this one: ``2時間30分`` is 2.5 hours. Nothing where it is none, or no time is asked."""
    scale = SECONDS.get(unit.casefold())
    clock = scale == SECONDS["hours"] and HOURS_AND_MINUTES.fullmatch(cleaned)
    length = read_duration(f"{cleaned}:00" if clock else cleaned, "") if scale else None
    return (
        Decimal(length // timedelta(microseconds=1)) / 1_000_000 / scale
        if isinstance(length, timedelta) and scale
        else None
    )


def _length(parts: list[tuple[str, int]], sign: int = 1) -> timedelta | str:
    try:
        return sign * sum((timedelta(seconds=float(amount) * scale) for amount, scale in parts), timedelta(0))
    except OverflowError:  # longer than Python can count: 2.7 million years
        return "not_a_duration"


def _clock(plain: str) -> timedelta | str | None:
    found = CLOCK.fullmatch(plain)
    return _length(list(zip(found.groups(), (3_600, 60, 1), strict=True))) if found else None


def _iso_duration(plain: str) -> timedelta | str | None:
    """``PT1H30M``, as ISO 8601 writes it and slips do; a year in it is 365 days, as pydantic writes and reads it."""
    found = ISO_DURATION.fullmatch(plain)
    if not found or not any(found.groups()[1:]):
        return None
    parts = [(amount, scale) for amount, scale in zip(found.groups()[1:], ISO_SECONDS, strict=True) if amount]
    return _length(parts, -1 if found[1] else 1)


def _spoken_duration(plain: str) -> timedelta | str | None:
    parts = list(DURATION_PART.finditer(plain))
    scales = [SECONDS.get(part[2], 0) for part in parts]
    if not parts or "".join(part[0] for part in parts) != plain:
        return None
    if 0 in scales or scales != sorted(set(scales), reverse=True):
        return None
    return _length([(part[1], scale) for part, scale in zip(parts, scales, strict=True)])
