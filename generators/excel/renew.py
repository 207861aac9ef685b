"""The current template, filled with the answers of an older one that could be carried over: what goes back to a person instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic_core import to_jsonable_python

from generators.excel.spelling import Value
from generators.excel.template import Filled
from schema.answers import Answers, Given
from schema.check import judge
from schema.history import oldest
from schema.kinds import Kind
from schema.question import Form, Question
from schema.text import is_blank
from schema.versions import bring_up_to_date


def renewed(answers: Answers, kind: Kind, kinds: Mapping[str, Kind]) -> Filled:
    """What the current template is filled with, to answer for these.

    Answers stand as the person gave them where their meaning is the same, in today's words where it changed, and as raw text where
    nobody could understand them. An answer that was left empty and meant a default of that time is filled in. What today's form
    does not ask, and a choice that is gone, are left out.
    """
    sender, again = (one.value if one else "" for one in (answers.sender, answers.again))
    return Filled(dict(_values(answers, kind, kinds)), sender, again)


def _values(answers: Answers, kind: Kind, kinds: Mapping[str, Kind]) -> Iterator[tuple[str, Value]]:
    if answers.version is not None and not oldest(kind.job) <= answers.version <= kind.form.version:
        yield from _known(
            answers, kind.form
        )  # nobody knows what changed; what has the same name is shown to be looked at
        return
    current = bring_up_to_date(answers, kind.job, kind.form)
    given = dict(_known(current.answers, kind.form))
    judged = judge(answers, kinds)
    meant = {name: value for name, value in judged.values.items() if _stood_for(name, current.instead, kind.form)}
    yield from to_jsonable_python(meant).items()
    yield from given.items()


def _stood_for(name: str, instead: Mapping[str, object], form: Form) -> bool:
    return any(key in instead for key in (name, *(one.key for one in form.by_name[name])))


def _known(answers: Answers, form: Form) -> Iterator[tuple[str, Value]]:
    for key, located in answers.given.items():
        question = form.question(key)
        if question and not _nothing(located.value):
            yield key, _value(question, located.value)


def _nothing(given: Given) -> bool:
    """An empty answer, or the mark of one that could not be brought up to date."""
    return (is_blank(given) or given == "\0") if isinstance(given, str) else not given


def _value(question: Question, given: Given) -> Value:
    return given if question.widget == "many_choice" or isinstance(given, str) else "; ".join(given)
