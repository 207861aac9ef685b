"""What was filled in or brought up to date for a person, who is told."""

from __future__ import annotations

from dataclasses import dataclass

from schema import words
from schema.problem import shown
from schema.question import Form
from schema.words import Words


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was filled in or brought up to date for the person, who is told: question name, old and new value, and why."""

    question: str
    before: str
    after: str
    why: Words


def change_line(change: Change, form: Form, language: str) -> str:
    """A change as a sentence, with the labels of the form: what was filled in or brought up to date, and why."""
    found = form.question(change.question)

    def said(value: str) -> str:
        choice = found.choice(value) if found else None
        return choice.label.say(language) if choice else shown(value)

    empty = words.text("left_empty", language)
    return words.text(
        "changed",
        language,
        label=found.label if found else shown(change.question),
        before=said(change.before) or empty,
        after=said(change.after) or empty,
        why=change.why,
    )
