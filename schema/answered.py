"""What was asked and what was answered, as a person reads it: the questions of a form with their answers in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schema import words
from schema.question import Form, Question


def flat(answers: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"a": {"b": 1}}`` → ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for name, value in answers.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = value
    return found


def questions(form: Form, given: Mapping[str, Any]) -> Iterator[Question]:
    """The questions that were asked, in the order of the form. ``given`` are the answers by question name."""
    for question in form.questions:
        asked = all(_holds(given.get(one.on), one.values) for one in question.conditions)
        if asked and question.name in given:
            yield question


def _holds(value: Any, values: tuple[object, ...]) -> bool:
    return any(one in values for one in value) if isinstance(value, list) else value in values


def said(question: Question, value: Any, language: str) -> str:
    """An answer as it stands in a slip, in words, with its unit."""
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
