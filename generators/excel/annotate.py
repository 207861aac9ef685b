"""A person's own workbook, marked: red cells with a comment that says what to do, receipts, and a summary sheet that leads to them.

Their file is never changed; what comes out is a copy in which a few parts differ, at a few places, and everything else is there
byte for byte. Sent again it is read like any other, and marking it again takes the marks of the first time away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from generators.excel import AGAIN, SENDER
from generators.excel.marks import mark
from generators.excel.order import Order, Remark, Request, Standing
from schema import words
from schema.answers import Where
from schema.change import Change as Made
from schema.change import change_line
from schema.problem import Problem
from schema.question import Form

Marking = Callable[[bytes, Order], bytes | None]

IDLE_WARNINGS = frozenset(("receipt_alone", "replaced_since", "unread_sheet"))
IDLE_STATES = ("left_out", "refused", "rejected", "expired", "failed", "stopped")
"""What starts nothing though nothing in it is to be corrected."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one request of a workbook.

    ``where`` is the place of the request (``Sheet`` or ``Sheet!ROW``), ``receipt`` that of its receipt cell, None in templates
    that have none. ``response`` is the id that the receipt cell gets, followed by the state in words, ``said``; without an id the
    cell stays as it is. ``problems`` are those of this request, ``changes`` what was filled in or brought up to date in it.
    """

    where: Where
    receipt: Where | None
    response: str
    said: str
    good: bool
    problems: tuple[Problem, ...]
    changes: tuple[Made, ...] = ()


def annotate(
    data: bytes,
    name: str,
    verdicts: Sequence[Verdict],
    problems: Sequence[Problem],
    language: str,
    warnings: Sequence[Problem] = (),
    form: Form | None = None,
    marking: Marking = mark,
) -> bytes | None:
    """The marked copy of a workbook; None for a file that is refused as a whole, which cannot be marked.

    ``problems`` are those that belong to no request; ``warnings`` are listed and mark nothing. ``form`` names the questions whose
    problems do not say their label themselves. ``marking`` may let another process take the workbook apart.
    """
    found = _distinct((*problems, *(one for verdict in verdicts for one in verdict.problems)))
    order = Order(
        language=language,
        file=name,
        problems=[_remark(one, form, language) for one in found],
        warnings=[_remark(one, form, language) for one in warnings],
        changes=_once(_changed(where, one, form, language) for where, one in _changes(verdicts)) if form else [],
        requests=[_request(one) for one in verdicts],
        standing=_standing(verdicts, warnings, language),
    )
    return marking(data, order)


def _standing(verdicts: Sequence[Verdict], warnings: Sequence[Problem], language: str) -> Standing:
    codes = {one.code for one in warnings}
    if "renewed_template" in codes and not any(one.response for one in verdicts):
        return "fresh"
    idle = {words.text(f"receipt_{one}", language) for one in IDLE_STATES}
    return "quiet" if codes & IDLE_WARNINGS or any(one.said in idle for one in verdicts) else "judged"


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    """One of each, at the first of its places: the cells of a merged area are one to a person."""
    found: dict[tuple[object, ...], Problem] = {}
    for one in problems:
        found.setdefault((one.code, one.facts.get("area", one.where), one.question), one)
    return list(found.values())


def _remark(problem: Problem, form: Form | None, language: str) -> Remark:
    return Remark(problem.where.spot, _label(problem, form, language), problem.message(language))


def _changed(where: Where, change: Made, form: Form, language: str) -> Remark:
    return Remark(where.spot, _asked(change.question, form, language), change_line(change, form, language))


def _once(remarks: Iterable[Remark]) -> list[Remark]:
    """The same remark of many places, said at the first of them."""
    found: dict[tuple[str, str], list[Remark]] = {}
    for one in remarks:
        found.setdefault((one.about, one.said), []).append(one)
    return [replace(same[0], more=len(same) - 1) for same in found.values()]


def _request(one: Verdict) -> Request:
    return Request(one.where.spot, one.receipt.spot if one.receipt else None, one.response, one.said, one.good)


def _label(problem: Problem, form: Form | None, language: str) -> str:
    """What a person calls the question that a problem is about."""
    if problem.question in (SENDER, AGAIN):
        return words.text(f"excel_{problem.question.rpartition('.')[2]}", language)
    if "label" in problem.facts:
        return words.said(problem.facts["label"], language)
    return _asked(problem.question, form, language) if form else ""


def _asked(name: str, form: Form, language: str) -> str:
    found = form.question(name)
    return found.label.say(language) if found else ""


def _changes(verdicts: Iterable[Verdict]) -> Iterator[tuple[Where, Made]]:
    return ((verdict.where, one) for verdict in verdicts for one in verdict.changes)
