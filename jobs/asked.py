"""What was asked, as the person reads it: the labels of the form, in their language, with their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.outcome import Attempt
from schema import words
from schema.change import change_line
from schema.question import RESOURCES, Question


@dataclass(frozen=True, slots=True)
class Answered:
    """One question with its answer in words; ``is_default`` where the answer is the one that stands there by itself."""

    label: str
    value: str
    is_default: bool


def flat(answers: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` → ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for name, value in answers.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = value
    return found


def answers(attempt: Attempt) -> dict[str, Any]:
    """Every answer by question name, those about resources too."""
    return flat(attempt.request.job.answers()) | flat(attempt.request.resources.answers(), f"{RESOURCES}.")


def questions(attempt: Attempt) -> Iterator[Question]:
    """The questions that were asked, in the order of the form."""
    given = answers(attempt)
    for question in attempt.kind.form.questions:
        asked = all(_holds(given.get(one.on), one.values) for one in question.conditions)
        if asked and question.name in given:
            yield question


def _holds(value: Any, values: tuple[object, ...]) -> bool:
    return any(one in values for one in value) if isinstance(value, list) else value in values


def question(attempt: Attempt, name: str) -> Question:
    return next(one for one in questions(attempt) if one.name == name)


def asked(attempt: Attempt) -> dict[str, list[Answered]]:
    """Every question that was asked with its answer, by the section of the form it stands in."""
    given, language = answers(attempt), attempt.language
    sections: dict[str, list[Answered]] = {}
    for one in questions(attempt):
        value = given[one.name]
        answered = Answered(one.label.say(language), _said(one, value, language), value == one.default)
        sections.setdefault(one.section.say(language), []).append(answered)
    return sections


def _said(question: Question, value: Any, language: str) -> str:
    if value is None:
        return question.blank.say(language) if question.blank else "—"
    if isinstance(value, list):
        return words.text("list_separator", language).join(_one(question, member, language) for member in value)
    one = _one(question, value, language)
    if not question.unit:
        return one
    return f"{one} {question.unit.say(language)}" if language != "ja" else f"{one}{question.unit.ja}"


def _one(question: Question, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return words.text("yes" if value else "no", language)
    choice = question.choice(value)
    if choice:
        return choice.label.say(language)
    return f"{value:g}" if isinstance(value, float) and value == round(value, 5) else str(value)


def changes(attempt: Attempt) -> list[str]:
    """What was filled in or brought up to date for the person, a sentence each."""
    return [change_line(one, attempt.kind.form, attempt.language) for one in attempt.request.changes]
