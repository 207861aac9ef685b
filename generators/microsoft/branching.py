"""Which question Microsoft Forms is to go on with after which answer, so that nobody meets a question that is not asked of them.

Forms knows two sorts of branches, both forward alone: after one option of a choice, and after a question as a whole. What it met on
the way it forgets; so each question's way on follows from what is certain wherever people come to it from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generators.microsoft.asked import Asked

Value = str | int | float | bool
Facts = Mapping[str, frozenset[Value]]
"""By the name of a question: the only answers that it can have had."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on from the question ``number``: after the option with this index, or after any answer; to the question ``to``."""

    number: int
    option: int | None
    to: int


@dataclass(frozen=True, slots=True)
class Branches:
    """``all`` are those that do not lead to the next question anyway. ``deciding`` are the numbers of the questions that must be
    answered, because a way on hangs on their answers; ``sure`` of those that only people come to who are asked them."""

    all: tuple[Branch, ...]
    deciding: frozenset[int]
    sure: frozenset[int]


def branches(questions: Sequence[Asked]) -> Branches:
    """Follow every way through the form. The last question is asked of everybody."""
    arriving: dict[int, Facts] = {1: {}}
    found: list[Branch] = []
    for one in questions[:-1]:
        if one.number in arriving:
            for option, facts in _ways(one, arriving[one.number]):
                to = next(later.number for later in questions[one.number :] if _possible(later, facts))
                found.append(Branch(one.number, option, to))
                arriving[to] = _both(arriving[to], facts) if to in arriving else facts
    sure = frozenset(one.number for one in questions if one.number in arriving and _certain(one, arriving[one.number]))
    several = {one.number for one in found if one.option is not None and len(_targets(found, one.number)) > 1}
    return Branches(tuple(_shortened(found, several)), frozenset(several), sure)


def _ways(one: Asked, facts: Facts) -> list[tuple[int | None, Facts]]:
    """Every answer that leads on by itself, with what is known then. A question that others may come to must not be required, so that
    nothing can hang on its answer."""
    values = _values(one)
    if one.question is None or not values or not _certain(one, facts):
        return [(None, facts)]
    return [(index, {**facts, one.question.name: frozenset([value])}) for index, value in enumerate(values)]


def _values(one: Asked) -> Sequence[Value]:
    if one.question is None or one.sort != "choice":
        return ()
    return [choice.value for choice in one.question.choices] or [True, False]


def _possible(one: Asked, facts: Facts) -> bool:
    conditions = one.question.conditions if one.question else ()
    return all(each.on not in facts or facts[each.on] & set(each.values) for each in conditions)


def _certain(one: Asked, facts: Facts) -> bool:
    conditions = one.question.conditions if one.question else ()
    return all(each.on in facts and facts[each.on] <= set(each.values) for each in conditions)


def _both(one: Facts, two: Facts) -> Facts:
    """What is certain whichever of two ways people came."""
    return {name: one[name] | two[name] for name in one.keys() & two.keys()}


def _targets(found: Sequence[Branch], number: int) -> set[int]:
    return {one.to for one in found if one.number == number}


def _shortened(found: Sequence[Branch], several: set[int]) -> list[Branch]:
    """Without the ways to the next question, and once for a question all of whose options lead to the same one."""
    merged = [one if one.number in several else Branch(one.number, None, one.to) for one in found]
    return [one for one in dict.fromkeys(merged) if one.to != one.number + 1]
