"""What was asked, as the person reads it: the labels of the form, in their language, with their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jobs.outcome import Attempt
from schema import answered
from schema.change import change_line
from schema.question import RESOURCES, Question

flat = answered.flat


@dataclass(frozen=True, slots=True)
class Answered:
    """One question with its answer in words; ``is_default`` where the answer is the one that stands there by itself."""

    label: str
    value: str
    is_default: bool


def answers(attempt: Attempt) -> dict[str, Any]:
    """Every answer by question name, those about resources too."""
    return flat(attempt.request.job.answers()) | flat(attempt.request.resources.answers(), f"{RESOURCES}.")


def questions(attempt: Attempt) -> Iterator[Question]:
    """The questions that were asked, in the order of the form."""
    return answered.questions(attempt.kind.form, answers(attempt))


def question(attempt: Attempt, name: str) -> Question:
    return next(one for one in questions(attempt) if one.name == name)


def asked(attempt: Attempt) -> dict[str, list[Answered]]:
    """Every question that was asked with its answer, by the section of the form it stands in."""
    given, language = answers(attempt), attempt.language
    sections: dict[str, list[Answered]] = {}
    for one in questions(attempt):
        value = given[one.name]
        told = Answered(one.label.say(language), answered.said(one, value, language), value == one.default)
        sections.setdefault(one.section.say(language), []).append(told)
    return sections


def changes(attempt: Attempt) -> list[str]:
    """What was filled in or brought up to date for the person, a sentence each."""
    return [change_line(one, attempt.kind.form, attempt.language) for one in attempt.request.changes]
