"""What a GitHub issue form asks: its elements in their order, each with the heading under which the issue's body will hold the answer.

GitHub's rules (docs.github.com, "Syntax for GitHub's form schema" and "Common validation errors when creating issue forms"): headings
are told apart by their text alone, since the body keeps no id; ids hold letters, digits, ``-`` and ``_``; no heading may contain
"password", no option may be "None".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from generators.excel.entry import options
from generators.excel.spelling import said
from schema import words
from schema.problem import folded
from schema.question import Form, Question

MARK = "denpyo"
"""Key of the element that says which form this is."""
MARKED = re.compile(r"([a-z0-9_]+) v([0-9]{1,9}) ([a-z-]+)")
"""What it holds: kind, version, language."""
LONGEST_LINE = 100
"""Free answers that may be longer get an area of several lines."""
FORBIDDEN = re.compile("pass(?=word)", re.IGNORECASE)
RESERVED = "none"
NO_WORD = re.compile(r"[^a-z0-9_-]+")

Element = Literal["input", "textarea", "dropdown", "checkboxes"]


@dataclass(frozen=True, slots=True)
class Field:
    """One element that people fill in. ``options`` are shown in this order; ``means`` says what each stands for, as ``schema.text``
    reads it. ``several``: more than one may be chosen."""

    key: str
    label: str
    element: Element
    means: Mapping[str, str]
    several: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.means)

    @property
    def id(self) -> str:
        return self.key.replace(".", "-").replace("@", "--").replace("+", "-")


@cache
def fields(form: Form, language: str) -> tuple[Field, ...]:
    """The elements of a form: every question, and last which form it is."""
    labels = _labels(form, language)
    mark = f"{form.kind} v{form.version} {language}"
    last = Field(MARK, one_line(words.text("issue_mark", language)), "dropdown", {mark: mark})
    return (*(_field(one, labels[one.key], language) for one in form.questions), last)


def _field(question: Question, label: str, language: str) -> Field:
    several = question.widget == "many_choice"
    means = dict(_meanings(question, language))
    return Field(question.key, label, _element(question, means), means, several)


def _element(question: Question, means: Mapping[str, str]) -> Element:
    """Several options are chosen from a drop-down, which GitHub joins by ``, ``; options that hold a comma get a line each."""
    if means:
        return "checkboxes" if question.widget == "many_choice" and any("," in one for one in means) else "dropdown"
    free = question.widget == "text" and not question.limits.pattern
    return "textarea" if free and (question.limits.longest or LONGEST_LINE + 1) > LONGEST_LINE else "input"


def _meanings(question: Question, language: str) -> list[tuple[str, str]]:
    """Every option as it is shown, and as it is read: those that GitHub would refuse, or not tell apart, carry their value too."""
    shown = [one_line(one) for one in options(question, language)]
    values = [one.value for one in question.choices] or shown
    counted = Counter(map(folded, shown))
    return [
        (f"{label}{words.text('in_brackets', language, text=value)}", value)
        if counted[folded(label)] > 1 or folded(label) == RESERVED
        else (label, label)
        for label, value in zip(shown, values, strict=True)
    ]


def one_line(text: str) -> str:
    return FORBIDDEN.sub(lambda found: f"{found[0]} ", " ".join(text.split()))


def _labels(form: Form, language: str) -> dict[str, str]:
    """A heading by question key: its label; where labels are alike, also the answer that the question hangs on, or its name."""
    found = {one.key: one_line(one.label.say(language)) for one in form.questions}
    ways: tuple[Callable[[Question], str], ...] = (
        lambda one: _hangs_on(form, one, language),
        lambda one: one.name,
        lambda one: one.key,
    )
    for tell in ways:
        taken = Counter([alike(one_line(words.text("issue_mark", language))), *map(alike, found.values())])
        for one in form.questions:
            if taken[alike(found[one.key])] > 1 and (more := tell(one)):
                plain = one_line(one.label.say(language))
                found[one.key] = one_line(f"{plain}{words.text('in_brackets', language, text=more)}")
    return found


def _hangs_on(form: Form, question: Question, language: str) -> str:
    """``XGBoost``: the values of the last answer that decides whether this is asked."""
    last = question.conditions[-1:]
    values = [said(form.by_name[one.on][0], value, language) for one in last for value in one.values]
    return words.said(tuple(values), language)


def alike(label: str) -> str:
    """Equal for headings that GitHub, or a person, would take for the same. GitHub turns all but Latin letters, digits, ``_`` and
    ``-`` into hyphens; of a heading in other letters nothing would be left, so that it is compared as it is read."""
    return NO_WORD.sub("-", folded(label)).strip("-") if label.isascii() else folded(label)
