"""What a person typed → what the schema means, Japanese habits first. What cannot be sure is a code of words/, never a guess.

Each reader takes one cleaned text and returns the value, or a Misread that says why not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from schema.problem import nearest, shown
from schema.question import Question, Widget
from schema.text_time import read_amount, read_date, read_duration
from schema.words import Fact, Words, both

NOTHING = frozenset({"", "-", "‐", "‑", "–", "—", "―", "−", "ー"})
YES = frozenset(
    (
        *("はい", "yes", "y", "true", "真", "有", "有り", "あり", "on", "する", "○"),
        *("〇", "◯", "◎", "⭕", "✓", "✔", "☑", "レ", "可", "1"),
    )
)
NO = frozenset(
    (
        *("いいえ", "no", "n", "false", "偽", "無", "無し", "なし", "off", "しない"),
        *("×", "✕", "✖", "✗", "❌", "☒", "否", "不可", "0"),
    )
)
NONE = frozenset(
    (
        *("なし", "無し", "無", "ない", "特になし", "特に無し", "該当なし", "無制限", "制限なし"),
        *("none", "nothing", "n/a", "no limit", "unlimited"),
    )
)
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?")
GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")
TENTHS = re.compile(r"([0-9]+)割(?:([0-9])分)?(?:([0-9])厘)?|([0-9]+\.[0-9]+)割")
RAISED = re.compile("[0-9０-９.][\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089]")
SIGN_GAP = re.compile(r"^([+-]) +(?=[0-9.])")
UNSURE = re.compile(r"[+-]?[0-9][0-9,.' ]*")
BETWEEN_NUMBERS = re.compile("(?<=[0-9]) ?、 ?(?=[0-9])")
EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]\ufe0f?[\u200d\U000e0020-\U000e007f]")
VARIATION = re.compile("[\ufe0e\ufe0f]")
MOST_EXACT = 2**53
CHOSEN = ("yes_no", "choice", "many_choice")
LIST_SEPARATORS = re.compile(r"[;,、・/]")


@dataclass(frozen=True, slots=True)
class Misread:
    """Why a text is not an answer: a problem code, facts for its message, and what was probably meant."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    suggestion: str | Words = ""


def read(question: Question, given: str | tuple[str, ...]) -> Any | Misread | None:
    """The value of an answer as Python means it (int, date, tuple of choice values …), None for no answer, or a Misread."""
    if isinstance(given, tuple):
        return _choices(question, given) if question.widget == "many_choice" else Misread("several_answers")
    unseen = hidden(given)
    if unseen:
        return unseen
    found = _one(question, given)
    chosen = question.widget in CHOSEN and not isinstance(found, Misread)
    if _says_blank(question, given) and not chosen:
        return None
    none = isinstance(found, Misread) and says_none(question, given)
    return Misread("leave_empty", {"text": shown(clean(given))}) if none else found


def _one(question: Question, given: str) -> Any | Misread | None:
    if question.widget == "text":
        typed = given.replace("\r\n", "\n").replace("\r", "\n").strip()
        return None if is_blank(typed) else _text(question, typed)
    cleaned = clean(_as_list(given) if question.widget == "many_choice" else given)
    if question.widget in ("number", "whole_number") and RAISED.search(given):
        return Misread("unsure_number", _number_facts(question, cleaned))  # 10² would become 102
    return None if is_blank(cleaned) else READERS[question.widget](question, cleaned)


def _says_blank(question: Question, given: str) -> bool:
    """Whether the answer is what the sheet itself shows for an empty one: 上限なし, no limit."""
    return clean(given).casefold() in _words_for_empty(question)


@cache
def _words_for_empty(question: Question) -> frozenset[str]:
    return frozenset(clean(one).casefold() for one in shown_for_empty(question))


def shown_for_empty(question: Question) -> tuple[str, ...]:
    """What a sheet shows for an empty answer, where that is no value: words of the question's own, or that there is none. Free text
    may say the latter itself."""
    free = question.widget == "text" and not question.limits.pattern
    nothing = None if question.required or free or question.default is not None else both("excel_nothing")
    found = question.blank or nothing
    return tuple(one for one in (found.en, found.ja) if one) if found else ()


def says_none(question: Question, given: str) -> bool:
    """Whether a person wrote that there is no answer, in words that might as well mean another thing than an empty cell does."""
    return not question.required and clean(given).casefold() in NONE


def _as_list(given: str) -> str:
    """Line breaks in a cell part the members of a list."""
    return re.sub(r"\s*[\r\n]+\s*", ";", given.strip())


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


def hidden(given: str) -> Misread | None:
    """What is wrong with a text of characters that cannot be seen; of an emoji, people see the whole."""
    named = invisible(given)
    if named and EMOJI.search(given):
        return Misread("emoji")
    return Misread("hidden_character", {"character": named}) if named else None


def _text(question: Question, typed: str) -> str | Misread:
    """Free text stays as typed; a text with a pattern is a code of some sort, so full-width characters in it become plain."""
    if not question.limits.pattern:
        return typed
    plain, fits = clean(typed), re.compile(question.limits.pattern).search
    if not fits(plain) and says_none(question, plain):
        return Misread("leave_empty")
    listed = BETWEEN_NUMBERS.sub(",", plain)
    return listed if fits(listed) and not fits(plain) else plain


def _identifier(question: Question, cleaned: str) -> str | Misread:
    """An identifier as it stands; one that only differs by capitals, blanks or underscores gets a suggestion, never a silent change."""
    if re.fullmatch(question.limits.pattern.strip("^$"), cleaned):
        return cleaned
    better = re.sub(r"[ _]+", "-", cleaned.lower())
    fits = re.fullmatch(question.limits.pattern.strip("^$"), better)
    return Misread("bad_identifier", {"text": shown(cleaned)}, better if fits else "")


def _yes_no(question: Question, cleaned: str) -> bool | Misread:
    folded = VARIATION.sub("", cleaned.casefold())
    if folded in YES:
        return True
    return False if folded in NO else Misread("not_yes_no", {"text": shown(cleaned)})


def _number(question: Question, cleaned: str) -> float | Misread:
    exact = _exact(question, cleaned)
    if isinstance(exact, Misread):
        return exact
    value = float(exact)
    return value if abs(value) < float("inf") else Misread("too_precise", _number_facts(question, cleaned))


def _exact(question: Question, cleaned: str) -> Decimal | Misread:
    """The number as it was typed, to its last digit."""
    facts = _number_facts(question, cleaned)
    plain = _percent(SIGN_GAP.sub(r"\1", _without_unit(question, cleaned.replace("−", "-"))))
    number = plain.removesuffix("%").rstrip()
    percent = number != plain and not _counts_percent(question)
    if GROUPED.fullmatch(number):
        number = number.replace(",", "")
    if not NUMBER.fullmatch(number.lower()):
        length = read_amount(cleaned, question.unit.en if question.unit else "")
        if length is not None:
            return length
        return Misread("unsure_number" if UNSURE.fullmatch(number) else "not_a_number", facts)
    if percent:
        return Decimal(f"{number}e-2") if "e" not in number.lower() else Misread("unsure_number", facts)
    return Decimal(number)


def _percent(cleaned: str) -> str:
    """Tenths as Japanese counts shares, in per cent: ``8割`` is 80%, ``2割5分`` is 25%. Any other text as it stands."""
    found = TENTHS.fullmatch(cleaned.replace(" ", ""))
    if not found:
        return cleaned
    whole, hundredths, thousandths, broken = found.groups("0")
    return f"{Decimal(broken) * 10}%" if "." in broken else f"{whole}{hundredths}.{thousandths}%"


def is_share(cleaned: str) -> bool:
    """Whether a number is typed as a part of the whole: ``85%``, ``8割``."""
    return _percent(cleaned).endswith("%")


def _number_facts(question: Question, cleaned: str) -> dict[str, Fact]:
    return {
        "text": shown(cleaned),
        "example": question.example or ("10" if question.widget == "whole_number" else "0.5"),
    }


def _counts_percent(question: Question) -> bool:
    return question.unit is not None and "%" in (clean(question.unit.en), clean(question.unit.ja))


def _whole_number(question: Question, cleaned: str) -> int | Misread:
    value = _exact(question, cleaned)
    if isinstance(value, Misread):
        return value
    if abs(value) >= MOST_EXACT:
        return Misread("too_precise", _number_facts(question, cleaned))
    whole = value == int(value) and (_counts_percent(question) or not is_share(cleaned))
    return int(value) if whole else Misread("not_whole", _number_facts(question, cleaned))


def _without_unit(question: Question, cleaned: str) -> str:
    """``2 時間`` → ``2`` where the question's own unit is hours; any other word stays and makes the answer a Problem."""
    if question.unit:
        words = {clean(word) for word in (question.unit.en, question.unit.ja, question.unit.en.removesuffix("s"))}
        for word in sorted(words, key=len, reverse=True):
            if word and cleaned.casefold().endswith(word.casefold()) and cleaned.casefold() != word.casefold():
                return cleaned[: -len(word)].strip()
    return cleaned


def _date(question: Question, cleaned: str) -> date | Misread:
    found = read_date(cleaned)
    return Misread(found, {"text": shown(cleaned)}) if isinstance(found, str) else found


def _duration(question: Question, cleaned: str) -> timedelta | Misread:
    found = read_duration(cleaned, question.unit.en if question.unit else "")
    return Misread(found, {"text": shown(cleaned), "unit": question.unit or ""}) if isinstance(found, str) else found


def _choice(question: Question, cleaned: str) -> str | Misread:
    exact, folded = _options(question)
    return exact.get(cleaned) or folded.get(_fold(cleaned)) or _unknown(question, cleaned)


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
def _options(question: Question) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Every way to write a choice → its value: as it stands; and folded, where that means one choice only."""
    written = [(clean(text), one.value) for one in question.choices for text in (one.label.ja, one.label.en, one.value)]
    meant: dict[str, set[str]] = {}
    for text, value in written:
        meant.setdefault(_fold(text), set()).add(value)
    return dict(written), {folded: min(values) for folded, values in meant.items() if len(values) == 1}


def _fold(cleaned: str) -> str:
    return re.sub(r"[\s_-]+", "", cleaned.casefold())


def _unknown(question: Question, cleaned: str) -> Misread:
    labels: tuple[str | Words, ...] = tuple(one.label for one in question.choices)
    names: dict[str, str | Words] = {one.value: one.value for one in question.choices}
    names |= {text.casefold(): one.label for one in question.choices for text in (one.label.en, one.label.ja)}
    meant = nearest(cleaned, names)
    return Misread("unknown_choice", {"text": shown(cleaned), "choices": labels}, names[meant] if meant else "")


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
