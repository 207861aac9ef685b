"""What ``schema.text`` reads, read fast: the plain spellings at a glance, the others once for all rows that hold the same text.

A quick reader gives exactly what ``text.read`` gives, or WRONG where that is a Misread; it says nothing else about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from schema.marks import IDENTIFIER
from schema.question import Question, Widget
from schema.text import Misread, clean, is_blank, read

MOST_KNOWN = 4096
"""How many texts are remembered for each question."""


class _Wrong:
    """The mark of a text that is no answer."""


WRONG: Final = _Wrong()
Reader = Callable[[str], Any]
"""A text → its value, None for no answer, or WRONG."""


def reader(question: Question) -> Reader:
    """The quick reader of one question."""
    known = _remembered(question)
    quick = QUICK.get(question.widget)
    return quick(question, known) if quick and (question.widget == "text" or not question.blank) else known


def _remembered(question: Question) -> Reader:
    """Texts come again: choices, days, yes and no."""

    @lru_cache(MOST_KNOWN)
    def look(text: str) -> Any:
        found = read(question, text)
        return WRONG if isinstance(found, Misread) else found

    return look


def _text(question: Question, known: Reader) -> Reader:
    fits = re.compile(question.limits.pattern).search if question.limits.pattern else None
    blanks = frozenset(
        clean(one).casefold() for one in ((question.blank.en, question.blank.ja) if question.blank else ()) if one
    )

    def look(text: str) -> Any:
        if not text.isprintable():  # line breaks, controls, blanks of other widths
            return known(text)
        typed = text.strip()
        if is_blank(typed) or (blanks and clean(typed).casefold() in blanks):
            return None
        if fits is None:
            return typed
        plain = clean(typed)
        return plain if fits(plain) else known(text)

    return look


def _identifier(question: Question, known: Reader) -> Reader:
    fits = re.compile(IDENTIFIER.strip("^$")).fullmatch
    return (lambda text: text if fits(text) else known(text)) if question.limits.pattern == IDENTIFIER else known


def _whole_number(question: Question, known: Reader) -> Reader:
    fits = re.compile("-?[0-9]{1,15}").fullmatch
    return (lambda text: int(text) if fits(text) else known(text)) if _has_worded_unit(question) else known


def _number(question: Question, known: Reader) -> Reader:
    fits = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?").fullmatch
    return (lambda text: float(text) if fits(text) else known(text)) if _has_worded_unit(question) else known


def _has_worded_unit(question: Question) -> bool:
    """Whether no number can end in the question's unit, which would be taken off it."""
    return question.unit is None or not re.search("[0-9.-]", clean(question.unit.en + question.unit.ja))


QUICK: Mapping[Widget, Callable[[Question, Reader], Reader]] = {
    "text": _text,
    "identifier": _identifier,
    "whole_number": _whole_number,
    "number": _number,
}
