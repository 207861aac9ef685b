"""What stands in a workbook twice: rows on several sheets, and a form that was copied as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from generators import Read
from generators.excel.answer_cell import AnswerCell
from schema.answers import Where
from schema.problem import Problem, shown

FEWEST = 3
"""Questions that stand twice before it is a form that was copied, and not a row of it."""


def without_copies(tables: Sequence[Sequence[Read]]) -> Iterator[Read]:
    """The requests of all tables. A row that says what a row of an earlier sheet says has a Problem: it would run twice, and nobody
    can tell whether the sheet was copied to that end. Rows of one sheet may say the same, and so may those that give a reason."""
    seen: dict[tuple[object, ...], Where] = {}
    several = sum(1 for one in tables if one) > 1
    for reads in tables:
        said = {_said_in(one): one.answers.where for one in reversed(reads)} if several else {}
        for one in reads:
            other = seen.get(_said_in(one)) if seen and not one.answers.again and not _is_no_request(one) else None
            yield replace(one, problems=(*one.problems, _copied(one, other))) if other else one
        seen = said | seen


def _said_in(read: Read) -> tuple[object, ...]:
    """Everything that a row asks for."""
    given = sorted((key, one.value) for key, one in read.answers.given.items() if one.value)
    return (read.answers.sender and read.answers.sender.value, *given)


def _is_no_request(read: Read) -> bool:
    return any(problem.code == "no_request" for problem in read.problems)


def _copied(read: Read, other: Where) -> Problem:
    return Problem("copied_row", read.answers.where, facts={"other": shown(other.spot)})


def once_for_each_copy(read: Read, sheets: Sequence[Sequence[AnswerCell]], names: Sequence[Where]) -> Read:
    """The request of a form, with one Problem for each copy of the form instead of one for each of its answers. ``sheets`` are the
    cells of its sheets, ``names`` the places of those."""
    first: dict[str, AnswerCell] = {}
    problems = read.problems
    for cells, name in zip(sheets, names, strict=True):
        again = _again(cells, first)
        if len(again) < FEWEST or 2 * len(again) < len(cells):
            continue
        places = {cell.where for cell in again}
        kept = tuple(one for one in problems if one.code != "answered_twice" or one.where not in places)
        if len(problems) - len(kept) > 1:
            place = name if len(again) == len(cells) else again[0].where
            problems = (*kept, Problem("copied_sheet", place, facts={"other": shown(first[again[0].key].where.spot)}))
    return replace(read, problems=problems)


def _again(cells: Iterable[AnswerCell], first: dict[str, AnswerCell]) -> list[AnswerCell]:
    """The cells whose key has come before; the others are noted as the first of theirs."""
    return [one for one in cells if first.setdefault(one.key, one) is not one]
