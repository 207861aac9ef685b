"""The short way to a checked job, for answers with nothing wrong in them: a kind is looked at once, ten thousand rows are read by it.

It knows good answers alone. Whatever it does not take is judged the careful way, by ``schema.check``, which says what is wrong and
where; so that this file has no message, no place and no opinion. What it takes, the careful way takes too, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from schema.answers import Answers, Row
from schema.job import Job, Part, Resources, completes
from schema.kinds import Kind
from schema.question import RESOURCES, Condition, Question
from schema.quick_text import WRONG, Reader, reader
from schema.text import is_blank
from schema.words import Words

MOST_PLANS = 8
MOST_RESOURCES = 1024

Filled = tuple[str, str, Words]
"""What followed from other answers: question name, value as text, and why."""


class Good(NamedTuple):
    """What good answers become: the job, what it may take, what was filled in, and the values by question name."""

    job: Job
    resources: Resources
    filled: tuple[Filled, ...]
    values: Mapping[str, Any]


class _Step(NamedTuple):
    """One question of a plan: where its answer stands (-1: nowhere), and whether it must have one."""

    name: str
    at: int
    read: Reader
    required: bool
    conditions: tuple[Condition, ...]
    default: Any


class _Answered(NamedTuple):
    """Questions that are asked whatever the others say: those that have a column, each with what looks into it, and whether one that
    has none must be answered."""

    steps: tuple[tuple[str, int, Reader, bool], ...]
    lacking: bool

    @classmethod
    def of(cls, steps: Sequence[_Step]) -> _Answered:
        there = tuple((one.name, one.at, one.read, one.required) for one in steps if one.at >= 0)
        return cls(there, any(one.required and one.at < 0 for one in steps))


@dataclass(frozen=True, slots=True)
class _Plan:
    """The steps for one set of columns: questions without conditions, those with, and those of the resources; ``odd`` are columns
    that nobody may have filled."""

    first: _Answered
    then: tuple[_Step, ...]
    resources: _Answered
    odd: tuple[int, ...]


class ShortWay:
    """A kind, ready to take good answers. Bounded: it remembers texts that come again, never all of them."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.open = not _shadowed(kind.form.questions)
        self._readers = {one.key: reader(one) for one in kind.form.questions}
        deciding = {condition.on for one in kind.form.questions for condition in one.conditions}
        self._defaults = {
            one.name: one.default for one in kind.form.questions if not one.conditions and one.name in deciding
        }
        self._left_open = tuple(_left_open(kind))
        self._completes = completes(kind.job) or bool(self._left_open)
        self._nested = any("." in one.name and not one.name.startswith(f"{RESOURCES}.") for one in kind.form.questions)
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._last: tuple[Mapping[str, int] | None, _Plan | None] = (None, None)
        self._resources: dict[tuple[tuple[str, Any], ...], Resources] = {}

    def take(self, answers: Answers) -> Good | None:
        """The outcome of answers with nothing wrong in them; None of all others, and of those that cannot be sure."""
        if not self.open:
            return None
        given = answers.given
        if isinstance(given, Row):
            plan, cells = self._plan_of(given.columns), given.cells
        else:
            plan = self._plan(dict(zip(given, range(len(given)), strict=True)))
            cells = [one.value for one in given.values()]  # type: ignore[misc]  # a list of answers is seen by the next line
            if not all(type(one) is str for one in cells):
                return None
        if not all(is_blank(cells[at]) for at in plan.odd):
            return None
        values, taken = _read(plan.first, cells), _read(plan.resources, cells)
        return None if values is None or taken is None else self._good(plan, cells, values, taken)

    def _plan_of(self, columns: Mapping[str, int]) -> _Plan:
        """Rows of one table share their columns."""
        known, plan = self._last
        if columns is not known or plan is None:
            plan = self._plan(columns)
            self._last = (columns, plan)
        return plan

    def _plan(self, columns: Mapping[str, int]) -> _Plan:
        key = tuple(f"{name} {at}" for name, at in columns.items())
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            plan = self._plans[key] = self._made(columns)
        return plan

    def _made(self, columns: Mapping[str, int]) -> _Plan:
        by_key = self.kind.form.by_key
        steps = [
            _Step(one.name, columns.get(key, -1), self._readers[key], one.required, one.conditions, one.default)
            for key, one in by_key.items()
        ]
        return _Plan(
            first=_Answered.of([one for one in steps if not (one.conditions or one.name.startswith(f"{RESOURCES}."))]),
            then=tuple(one for one in steps if one.conditions),
            resources=_Answered.of([one for one in steps if one.name.startswith(f"{RESOURCES}.")]),
            odd=tuple(at for name, at in columns.items() if name not in by_key),
        )

    def _complete(self, values: dict[str, Any]) -> tuple[Filled, ...] | None:
        """Fill in what follows from other answers; None where one that should follow does not."""
        filled: list[Filled] = []
        given = {name: value for name, value in values.items() if "." not in name}
        for name, (value, why) in self.kind.job.complete(given).items():
            if name not in values:
                values[name] = value
                filled.append((name, str(value), why))
        return tuple(filled) if all(name in values for name in self._left_open) else None

    def _follow(self, steps: Sequence[_Step], cells: Sequence[str], values: dict[str, Any]) -> bool:
        """Read the questions that other answers decide on. One that is not asked must not be answered."""
        defaults = dict(self._defaults)
        for name, at, read, required, conditions, default in steps:
            asked = all(_holds(values.get(one.on, defaults.get(one.on)), one.values) for one in conditions)
            value = read(text) if at >= 0 and (text := cells[at]) else None
            if value is WRONG or (value is None and asked and required) or (value is not None and not asked):
                return False
            if asked:
                defaults[name] = default
                if value is not None:
                    values[name] = value
        return True

    def _good(self, plan: _Plan, cells: Sequence[str], values: dict[str, Any], taken: dict[str, Any]) -> Good | None:
        filled = self._complete(values) if self._completes else ()
        if filled is None or (plan.then and not self._follow(plan.then, cells, values)):
            return None
        tree = nested(values) if self._nested else values
        try:
            job = self.kind.job.model_validate(tree)
            resources = self._resources.get(key := tuple(taken.items())) or self._validated(key)
        except ValidationError:
            return None
        return Good(job, resources, filled, values | taken if taken else values) if _as_read(job, tree) else None

    def _validated(self, key: tuple[tuple[str, Any], ...]) -> Resources:
        """Few rows name resources of their own; those that do not share the kind's."""
        asked = {name.removeprefix(f"{RESOURCES}."): value for name, value in key}
        found = Resources.model_validate(self.kind.job.resources.model_dump() | asked)
        if len(self._resources) >= MOST_RESOURCES:
            self._resources.clear()
        self._resources[key] = found
        return found


def _read(asked: _Answered, cells: Sequence[str]) -> dict[str, Any] | None:
    """The values of questions that are asked, or None where an answer is missing or cannot be read."""
    if asked.lacking:
        return None
    values: dict[str, Any] = {}
    for name, at, read, required in asked.steps:
        text = cells[at]
        value = read(text) if text else None
        if value is not None:
            if value is WRONG:
                return None
            values[name] = value
        elif required:
            return None
    return values


_WAYS: dict[type[Job], ShortWay] = {}


def short_way(kind: Kind) -> ShortWay:
    """The short way of a kind, made when it is first wanted."""
    found = _WAYS.get(kind.job)
    if found is None or found.kind.form is not kind.form:
        found = _WAYS[kind.job] = ShortWay(kind)
    return found


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` → ``{"a": {"b": 1}}``."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree


def _holds(value: Any, wanted: tuple[object, ...]) -> bool:
    return any(one in wanted for one in value) if isinstance(value, tuple) else value in wanted


def _left_open(kind: Kind) -> Iterator[str]:
    """Questions whose empty answer is to follow from others, and must."""
    for one in kind.form.questions:
        info = kind.job.model_fields.get(one.name)
        if one.blank is not None and info is not None and info.is_required():
            yield one.name


def _shadowed(questions: Sequence[Question]) -> bool:
    """Whether one question's key is the shared name of others, so that a door's column could mean either."""
    keys = {one.key for one in questions}
    return any(one.key != one.name and one.name in keys for one in questions)


def _as_read(part: Part, values: Mapping[str, Any]) -> bool:
    """Whether pydantic took every value as it was read. A class with validators of its own may change one; then its rules, which
    look at both, are left to the careful way."""
    taken = part.__dict__
    if values.items() <= taken.items():
        return True
    for name, value in values.items():
        mine = taken[name]
        if mine != value and not (isinstance(mine, Part) and isinstance(value, dict) and _as_read(mine, value)):
            return False
    return True
