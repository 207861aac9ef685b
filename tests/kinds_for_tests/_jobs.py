"""Jobs that people could send, drawn from a Form: values within their limits, conditions respected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from pydantic import ValidationError

from schema import text
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.question import Form, Limits, Question, Widget

VISIBLE = st.characters(exclude_categories=["Cs"])


def values(question: Question) -> st.SearchStrategy[Any]:
    """Every value that is within the limits of a question, as Python means it."""
    return VALUES[question.widget](question)


def _texts(question: Question) -> st.SearchStrategy[str]:
    limits = question.limits
    if limits.pattern:
        return st.from_regex(limits.pattern, fullmatch=True)
    return st.text(VISIBLE, min_size=limits.shortest or 0, max_size=limits.longest)


def _whole_numbers(question: Question) -> st.SearchStrategy[int]:
    limits = question.limits
    least = limits.least if limits.above is None else limits.above + 1
    greatest = limits.greatest if limits.below is None else limits.below - 1
    return st.integers(-(2**53) + 1 if least is None else least, 2**53 - 1 if greatest is None else greatest)


def _numbers(question: Question) -> st.SearchStrategy[float]:
    limits = question.limits
    return st.floats(
        limits.least if limits.above is None else limits.above,
        limits.greatest if limits.below is None else limits.below,
        exclude_min=limits.above is not None,
        exclude_max=limits.below is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def _many(question: Question) -> st.SearchStrategy[tuple[str, ...]]:
    limits = question.limits
    offered = st.sampled_from([one.value for one in question.choices])
    return st.lists(offered, min_size=limits.shortest or 0, max_size=limits.longest or 5).map(tuple)


def _dates(question: Question) -> st.SearchStrategy[date]:
    low, high = _bounds(question.limits, date.fromisoformat, timedelta(days=1))
    return st.dates(low or date.min, high or date.max)


def _durations(question: Question) -> st.SearchStrategy[timedelta]:
    low, high = _bounds(question.limits, lambda seconds: timedelta(seconds=seconds), timedelta.resolution)
    return st.timedeltas(low or timedelta.min, high or timedelta.max)


def _bounds(limits: Limits, meant: Callable[[Any], Any], step: timedelta) -> tuple[Any, Any]:
    """The least and greatest value that are allowed themselves."""
    low = meant(limits.least) if limits.least is not None else None
    high = meant(limits.greatest) if limits.greatest is not None else None
    low = meant(limits.above) + step if limits.above is not None else low
    return low, (meant(limits.below) - step if limits.below is not None else high)


VALUES: Mapping[Widget, Callable[[Question], st.SearchStrategy[Any]]] = {
    "text": _texts,
    "identifier": _texts,
    "whole_number": _whole_numbers,
    "number": _numbers,
    "yes_no": lambda _: st.booleans(),
    "choice": lambda question: st.sampled_from([one.value for one in question.choices]),
    "many_choice": _many,
    "date": _dates,
    "duration": _durations,
}


@st.composite
def filled(draw: st.DrawFn, form: Form, *, as_read: bool = False, printable: bool = False) -> dict[str, Any]:
    """Values by question name: of all questions that must be answered, and of some that need not. ``as_read``: only such values as
    come out of a door (text without blanks around it, choices in the order of the form); ``printable``, then: only such text as every
    door can hold, in one line."""
    found: dict[str, Any] = {}
    for question in form.questions:
        if not _asked(form, question, found) or not (question.required or draw(st.booleans())):
            continue
        asked = in_order(form, _as_offered(form, question, found), found)
        found[question.name] = draw(_as_read(asked, printable) if as_read else values(asked))
    return found


@lru_cache(maxsize=500)
def _as_read(question: Question, printable: bool) -> st.SearchStrategy[Any]:
    """Such values as come out of a door; with ``printable`` out of any. Kept, because Hypothesis validates each new strategy; and made
    of functions without a question in their text, because it writes a strategy out whenever it draws again."""

    def through_a_door(value: Any) -> Any:
        if isinstance(value, str) and question.widget == "text":
            if printable and not question.limits.pattern:
                value = "".join(one for one in value if one.isprintable())
            read = text.read(question, value)
            return read if isinstance(read, str) and len(read) >= (question.limits.shortest or 0) else None
        return text.read(question, value) if isinstance(value, tuple) else value

    def is_one(value: Any) -> bool:
        return value is not None

    return values(question).map(through_a_door).filter(is_one)


def _asked(form: Form, question: Question, found: Mapping[str, Any]) -> bool:
    return all(_meets(_value(form, one.on, found), one.values) for one in question.conditions)


def _value(form: Form, name: str, found: Mapping[str, Any]) -> Any:
    if name in found:
        return found[name]
    return next((one.default for one in form.by_name[name] if _asked(form, one, found)), None)


def _meets(value: Any, values: tuple[object, ...]) -> bool:
    return any(one in values for one in value) if isinstance(value, tuple) else value in values


def _as_offered(form: Form, question: Question, found: Mapping[str, Any]) -> Question:
    """The question with those choices that are offered beside the answers found so far."""
    offered = [
        one
        for one in question.choices
        if not one.when
        or _value(form, question.group + one.when.on, found) is None
        or _meets(_value(form, question.group + one.when.on, found), one.when.values)
    ]
    return replace(question, choices=tuple(offered))


def in_order(form: Form, question: Question, found: Mapping[str, Any]) -> Question:
    """The question with the bound that another answer sets, where that leaves room."""
    limits = question.limits
    if not (first := limits.at_least or limits.more_than) or (bound := _plain(_value(form, first, found))) is None:
        return question
    least = max(bound, bound if limits.least is None else limits.least)
    new = {"above": least, "least": None} if limits.more_than and least == bound else {"least": least}
    bounded = replace(question, limits=replace(limits, **new))
    try:
        values(bounded).validate()
    except InvalidArgument:  # no value lies between the bound and the greatest
        return question
    return bounded


def _plain(value: Any) -> Any:
    """A value as limits hold it: days as ISO texts, lengths of time in seconds."""
    if isinstance(value, date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def nested(flat: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"a.b": 1}`` → ``{"a": {"b": 1}}``."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.removeprefix(prefix).split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree


@st.composite
def jobs(draw: st.DrawFn, kind: Kind, *, as_read: bool = False, printable: bool = False) -> tuple[Job, Resources]:
    """A job that pydantic accepts, and what it may take. Only a rule or an order across fields may still refuse what was drawn."""
    found = draw(filled(kind.form, as_read=as_read, printable=printable))
    mine = {name: value for name, value in found.items() if not name.startswith("resources.")}
    taken = {name: value for name, value in found.items() if name.startswith("resources.")}
    try:
        job = kind.job.model_validate(nested(mine))
    except ValidationError as error:
        if not _broke_rules_alone(error):
            raise
        reject()
    return job, Resources.model_validate(kind.job.resources.model_dump() | nested(taken, "resources."))


def _broke_rules_alone(error: ValidationError) -> bool:
    return all(
        detail["type"] == "fault" and detail["ctx"]["fault"].code in ("rule", "order") for detail in error.errors()
    )
