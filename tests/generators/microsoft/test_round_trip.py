"""What people answer in a form is what its job holds, through the workbook and through the flow, in both languages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import Read
from generators.excel.sheet import Sheet, SheetFacts
from generators.excel.spelling import cell_value, day, in_xml, number
from generators.microsoft import Mark, flow, responses, tags_of
from generators.microsoft.asked import asked
from schema import words
from schema.answers import Where
from schema.check import Checked, check
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.question import Question
from tests.generators.excel.workbooks import EVERYTHING
from tests.generators.microsoft.workbooks import headings
from tests.kinds_for_tests import KINDS
from tests.kinds_for_tests._jobs import jobs

ALL = {**KINDS, "everything": EVERYTHING}
LANGUAGES = ("ja", "en")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def typed(question: Question, value: Any, language: str) -> str:
    """An answer as Forms holds it: options by their labels, a day with its year first, everything else as people type it."""
    if isinstance(value, tuple | list):
        return "".join(f"{label(question, one, language)};" for one in value)
    if question.choices:
        return label(question, value, language)
    if isinstance(value, bool):
        return words.text("yes" if value else "no", language)
    if question.widget == "date":
        return day(str(value))
    if isinstance(value, int | float) and question.widget != "duration":
        return number(value)
    return str(cell_value(question, value, language))


def label(question: Question, value: Any, language: str) -> str:
    choice = question.choice(value)
    assert choice is not None
    return " ".join(choice.label.say(language).split())


def answered(kind: Kind, job: Job, resources: Resources, language: str) -> dict[str, str]:
    """The answers by question key, of the questions that this job asks."""
    values = dict(_flat({**job.answers(), "resources": resources.answers()}))
    found = {}
    for question in kind.form.questions:
        mine = all(_meets(values.get(one.on), one.values) for one in question.conditions)
        if mine and values.get(question.name) is not None:
            found[question.key] = typed(question, values[question.name], language)
    return found


def _meets(value: Any, wanted: tuple[Any, ...]) -> bool:
    return any(one in wanted for one in (value if isinstance(value, list | tuple) else (value,)))


def by_workbook(kind: Kind, given: Mapping[str, str], language: str) -> Read:
    line = [
        "17",
        "2026-11-21T09:00:05",
        "",
        "a@example.com",
        "A",
        *(given.get(one.key, "") for one in asked(kind.form, "en")),
    ]
    sheet = Sheet("Sheet1", False, (tuple(headings(kind.form, language)), tuple(line)), SheetFacts())
    found = responses.answers_of([sheet], Where("r.xlsx"), {kind.name: kind})
    assert found is not None
    ((one,), problems) = found
    assert problems == []
    return one


def by_flow(kind: Kind, given: Mapping[str, str], language: str) -> Read:
    tags = tags_of(kind.form)
    document = {
        "denpyo": "microsoft forms 1",
        "form": str(Mark(kind.form.kind, kind.form.version, language)),
        "response": 17,
        "email": "a@example.com",
        "answers": {tags[key]: text for key, text in given.items()},
    }
    ((one,), problems) = flow.read(json.dumps(document).encode(), "r.json", {kind.name: kind})
    assert problems == []
    return one


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ALL.values(), ids=lambda kind: str(kind.name))
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_a_job_that_is_answered_in_a_form_is_the_job_that_is_read(
    kind: Kind, language: str, data: st.DataObject
) -> None:
    job, resources = data.draw(jobs(kind, as_read=True))
    given = {key: in_xml(text) for key, text in answered(kind, job, resources, language).items()}
    reads = by_workbook(kind, given, language), by_flow(kind, given, language)
    assert reads[0].answers.named == reads[1].answers.named
    for one in reads:
        assert one.problems == ()
        found = check(one.answers, {kind.name: kind})
        assert isinstance(found, Checked), found
        assert (found.job, found.resources) == (job, resources)
