"""The steps of a kind's history: each says what one version changed in the one before it, and undoes it on a Form.

``pairs`` gives, for the Form after the step, every question before it beside the one it became (None: there was none, or none is
left). ``converted`` takes a value that was read with the question before the step to the text that says it after the step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic_core import to_jsonable_python

from schema.answers import Given
from schema.job import Choice, Unit, When
from schema.question import Condition, Form, Limits, Question, Widget
from schema.words import Fact, Words

Pairs = Iterator[tuple[Question | None, Question | None]]
FACTOR = re.compile("[0-9]{1,30}([.][0-9]{1,30})?")


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that no text of the version after the step says: the choice that is gone."""

    choice: Words


class Step:
    """One change. ``name`` is a question's name, or its key where one of several is meant."""

    def means(self, question: Question) -> bool:
        """Whether the step changes the answers of this question, as it is named before the step."""
        raise NotImplementedError

    def pairs(self, after: Form) -> Pairs:
        raise NotImplementedError

    def converted(self, question: Question, value: Any, text: Given) -> Given | Refused:
        return text

    def words(self, changed: bool) -> str:
        """Which text of words/ says why; none where nothing is to be told."""
        return ""

    def facts(self) -> Mapping[str, Fact]:
        return {}


def _is(question: Question, name: str) -> bool:
    return name in (question.name, question.key)


def _must_know(after: Form, name: str) -> None:
    if not any(_is(one, name) for one in after.questions):
        raise TypeError(f"there is no question {name!r} after this step")


def _must_not_know(after: Form, name: str) -> None:
    if any(one.name == name for one in after.questions):
        raise TypeError(f"the question {name!r} is still there after this step")


def _each(after: Form, name: str, change: Any) -> Pairs:
    """Every question of the form; those of this name changed."""
    _must_know(after, name)
    for one in after.questions:
        yield (change(one) if _is(one, name) else one), one


def _alternatives(whens: tuple[When, ...]) -> list[tuple[Condition, ...]]:
    """The conditions of each question that stood where one of ``whens`` held; none of one that was always asked."""
    found: list[tuple[Condition, ...]] = [(Condition(one.on, one.values),) for one in whens]  # type: ignore[arg-type]
    return found or [()]


@dataclass(frozen=True, slots=True)
class Renamed(Step):
    """A question, or a group of questions, had the name ``was`` and has the name ``now``; the answers stay what they are."""

    was: str
    now: str

    def means(self, question: Question) -> bool:
        return _inside(question.name, self.was)

    def pairs(self, after: Form) -> Pairs:
        if not any(_inside(one.name, self.now) for one in after.questions):
            raise TypeError(f"there is no question {self.now!r} after this step")
        _must_not_know(after, self.was)
        for one in after.questions:
            conditions = tuple(replace(two, on=self._before(two.on)) for two in one.conditions)
            yield replace(one, name=self._before(one.name), conditions=conditions), one

    def _before(self, name: str) -> str:
        return self.was + name.removeprefix(self.now) if _inside(name, self.now) else name

    def words(self, changed: bool) -> str:
        return "version_renamed"

    def facts(self) -> Mapping[str, Fact]:
        return {"before": self.was}


def _inside(name: str, group: str) -> bool:
    return name == group or name.startswith(f"{group}.")


@dataclass(frozen=True, slots=True)
class Moved(Step):
    """A question stood at ``was`` and stands at ``now``: into a part or out of it, into the members of a By or out of them.

    ``when`` are the conditions under which it was asked: one for each member that it stood in, none where it was always asked.
    """

    was: str
    now: str
    when: tuple[When, ...] = ()

    def means(self, question: Question) -> bool:
        return question.name == self.was

    def pairs(self, after: Form) -> Pairs:
        _must_know(after, self.now)
        _must_not_know(after, self.was)
        moved = [one for one in after.questions if _is(one, self.now)]
        whens = _alternatives(self.when)
        before = [replace(moved[0], name=self.was, key=self.was, conditions=conditions) for conditions in whens]
        for one in after.questions:
            if not _is(one, self.now):
                yield one, one
            elif one is moved[0]:
                yield from ((old, new) for old in before for new in moved)

    def words(self, changed: bool) -> str:
        return "version_moved"


@dataclass(frozen=True, slots=True)
class RenamedChoice(Step):
    """What is the choice ``now`` was another value, or had another label: the old one is given whole."""

    name: str
    was: Choice
    now: str

    def means(self, question: Question) -> bool:
        return _is(question, self.name)

    def pairs(self, after: Form) -> Pairs:
        _must_know(after, self.name)
        for one in after.questions:
            if self.means(one):
                _must_offer(one, self.now)
                yield self._undone(one), one
            else:
                yield replace(one, conditions=tuple(map(self._condition, one.conditions))), one

    def _undone(self, question: Question) -> Question:
        choices = tuple(self.was if one.value == self.now else one for one in question.choices)
        default: Any = question.default
        default = tuple(map(self._value, default)) if isinstance(default, tuple) else self._value(default)
        return replace(question, choices=choices, default=default)

    def _condition(self, condition: Condition) -> Condition:
        if condition.on != self.name:
            return condition
        return replace(condition, values=tuple(map(self._value, condition.values)))

    def _value(self, value: Any) -> Any:
        return self.was.value if value == self.now else value

    def converted(self, question: Question, value: Any, text: Given) -> Given | Refused:
        return _chosen(value, text, self.was.value, self.now)

    def words(self, changed: bool) -> str:
        return "version_choice_renamed" if changed else ""


@dataclass(frozen=True, slots=True)
class RemovedChoice(Step):
    """The choice ``was`` is gone. ``instead`` is the one that took its place; without it an answer that chose it is refused."""

    name: str
    was: Choice
    instead: str | None = None

    def means(self, question: Question) -> bool:
        return _is(question, self.name)

    def pairs(self, after: Form) -> Pairs:
        for one in after.questions if self.instead else ():
            if self.means(one):
                _must_offer(one, str(self.instead))
        yield from _each(after, self.name, self._undone)

    def _undone(self, question: Question) -> Question:
        if question.choice(self.was.value):
            raise TypeError(f"{self.name} still offers {self.was.value!r}")
        return replace(question, choices=(*question.choices, self.was))

    def converted(self, question: Question, value: Any, text: Given) -> Given | Refused:
        chosen = value if isinstance(value, tuple) else (value,)
        if self.instead is None and self.was.value in chosen:
            return Refused(self.was.label)
        return _chosen(value, text, self.was.value, self.instead or "")

    def words(self, changed: bool) -> str:
        return "version_choice_removed" if changed else ""


def _must_offer(question: Question, value: str) -> None:
    if not question.choice(value):
        raise TypeError(f"{question.name} does not offer {value!r} after this step")


def _chosen(value: Any, text: Given, was: str, now: str) -> Given:
    """The values chosen, as a slip has them; the text as it stands where another choice was made."""
    if isinstance(value, tuple):
        return tuple(dict.fromkeys(now if one == was else one for one in value)) if was in value else text
    return now if value == was else text


@dataclass(frozen=True, slots=True)
class DefaultChanged(Step):
    """An empty answer meant ``was`` (as it stands in a slip; None: no answer), and means something else now."""

    name: str
    was: Any

    def means(self, question: Question) -> bool:
        return _is(question, self.name)

    def pairs(self, after: Form) -> Pairs:
        yield from _each(after, self.name, self._undone)

    def _undone(self, question: Question) -> Question:
        if question.default == self.was and not question.required:
            raise TypeError(f"{self.name} still has the default {self.was!r}")
        return replace(question, default=self.was, required=False)


@dataclass(frozen=True, slots=True)
class UnitChanged(Step):
    """A number was given in the unit ``was``; times ``factor`` it is what it is now: hours to minutes is ``UnitChanged(…, 60)``.

    ``factor`` is a whole number or a decimal text (``"0.001"``), never a float, so that 1.5 hours are 90 minutes to the last digit.
    """

    name: str
    was: Unit | None
    factor: int | str

    def __post_init__(self) -> None:
        if isinstance(self.factor, float):
            raise TypeError('UnitChanged: write the factor as a whole number or as a text such as "0.001"')
        if not FACTOR.fullmatch(str(self.factor)) or not Decimal(self.factor):
            raise TypeError(f'UnitChanged: {self.factor!r} is no factor above 0; write it as 60 or as "0.001"')

    def means(self, question: Question) -> bool:
        return _is(question, self.name)

    def pairs(self, after: Form) -> Pairs:
        for one in after.questions:
            if self.means(one) and one.widget not in ("number", "whole_number"):
                raise TypeError(f"{self.name} is no number")
        yield from _each(after, self.name, self._undone)

    def _undone(self, question: Question) -> Question:
        default: Any = question.default
        if isinstance(default, int | float):
            default = float(Decimal(repr(default)) / Decimal(self.factor))
        return replace(question, unit=self.was, widget="number", default=default, limits=Limits())

    def converted(self, question: Question, value: Any, text: Given) -> Given | Refused:
        return plain(Decimal(repr(value)) * Decimal(self.factor))

    def words(self, changed: bool) -> str:
        return "version_unit"


@dataclass(frozen=True, slots=True)
class Removed(Step):
    """The question is gone. ``label`` and ``default`` are what it showed; an answer that said more than the default is refused."""

    name: str
    label: Words
    default: Any = None
    when: tuple[When, ...] = ()
    choices: tuple[Choice, ...] = ()
    unit: Unit | None = None

    def means(self, question: Question) -> bool:
        return question.name == self.name

    def pairs(self, after: Form) -> Pairs:
        whens = _alternatives(self.when)
        for conditions in whens:
            yield self._question(conditions), None
        yield from ((one, one) for one in after.questions)

    def _question(self, conditions: tuple[Condition, ...]) -> Question:
        nothing = Words("", ja="")
        return Question(
            name=self.name,
            key=self.name,
            widget=_widget(self.default, self.choices),
            label=self.label,
            help=nothing,
            section=nothing,
            unit=self.unit,
            choices=self.choices,
            default=self.default,
            conditions=conditions,
        )


def _widget(default: object, choices: tuple[Choice, ...]) -> Widget:
    if choices:
        return "many_choice" if isinstance(default, tuple) else "choice"
    if isinstance(default, bool):
        return "yes_no"
    return "number" if isinstance(default, int | float) else "text"


@dataclass(frozen=True, slots=True)
class Added(Step):
    """A question, or a group of them, is new. ``value`` answers it for those who were never asked; without it its default does, and
    where it is required old answers are refused."""

    name: str
    value: Any = None

    def means(self, question: Question) -> bool:
        return _inside(question.name, self.name) or question.key == self.name

    def pairs(self, after: Form) -> Pairs:
        if not any(map(self.means, after.questions)):
            raise TypeError(f"there is no question {self.name!r} after this step")
        yield from ((None if self.means(one) else one, one) for one in after.questions)


def typed(question: Question, value: Any) -> Given:
    """A default as a person, or a slip, would write it: read with the question it gives the value again."""
    if isinstance(value, tuple):
        return tuple(str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if question.widget == "duration" and isinstance(value, int | float):
        return str(to_jsonable_python(timedelta(seconds=value)))
    return plain(Decimal(repr(value))) if isinstance(value, int | float) else str(value)


def plain(exact: Decimal) -> str:
    """A number without an exponent and without zeros that say nothing."""
    written = format(exact, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
