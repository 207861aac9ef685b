"""Which words a drop-down offers, and which others are understood: what stands in the lists of the hidden sheet."""

from __future__ import annotations

from collections.abc import Iterator

from generators.excel.spelling import Value
from schema.job import Choice, When
from schema.question import Form, Question
from schema.text import NO, NOTHING, YES, clean, shown_for_empty

DASHES = (*sorted(NOTHING - {""}), "\N{FULLWIDTH HYPHEN-MINUS}", "\N{IDEOGRAPHIC SPACE}")
"""How a person may write nothing into a cell."""


def offers(form: Form, question: Question, language: str) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The key of the question on which the choices hang, and those that are offered: for an empty answer there, then for each of
    its options. Nothing where all are always offered, or where no list can follow."""
    names = {question.group + one.when.on for one in question.choices if one.when}
    if len(names) != 1 or question.widget != "choice":
        return "", ()
    other = form.deciding(question, names.pop())
    if other.widget not in ("choice", "yes_no"):
        return "", ()
    answers = [other.default, *(one.value for one in other.choices)] if other.choices else [other.default, True, False]
    return other.key, tuple(tuple(_said(question, answer, language)) for answer in answers)


def _said(question: Question, answer: Value, language: str) -> Iterator[str]:
    yield from (one.label.say(language) for one in question.choices if _is_offered(one, answer))


def _is_offered(choice: Choice, answer: Value) -> bool:
    when = choice.when or When("")
    return choice.when is None or answer is None or answer in when.values


def alike(question: Question) -> tuple[str, ...]:
    """Other spellings of a choice than the list's own, small and without blanks, underscores and hyphens."""
    if question.widget == "yes_no":
        return tuple(sorted(plain(one) for one in YES | NO))
    if question.widget != "choice":
        return ()
    texts = [text for one in question.choices for text in (one.label.ja, one.label.en, one.value)]
    return tuple(sorted({plain(one) for text in texts for one in (text, clean(text))}))


def plain(text: str) -> str:
    return "".join(one for one in text.lower() if one not in " 　_-")


def nothing_words(question: Question) -> tuple[str, ...]:
    """What the sheet shows for an empty answer, and so may be copied into it; none of a choice's own words."""
    chosen = {plain(clean(one)) for one in alike(question)}
    shown = (one for one in shown_for_empty(question) if "|" not in one and plain(clean(one)) not in chosen)
    return tuple(dict.fromkeys(shown))


def nothing(said: tuple[str, ...]) -> str:
    """One text that holds every way to write nothing, each between two bars."""
    return "||" + "".join(f"{one}|" for one in (*DASHES, *said))
