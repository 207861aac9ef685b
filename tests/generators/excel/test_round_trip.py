"""What is written into a template is what is read from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.excel import Layout
from generators.excel.read import read
from generators.excel.template import Filled, write
from schema.check import Checked, check
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.question import Form
from tests.generators.excel.workbooks import EVERYTHING, one
from tests.kinds_for_tests import KINDS
from tests.kinds_for_tests._jobs import jobs

ALL = {**KINDS, "everything": EVERYTHING}
LAYOUTS: tuple[Layout, ...] = ("form", "table")
LANGUAGES = ("ja", "en")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+81 90",
        "-5 %",
        "@home",
        "\t=x",
        "_x0041_",
        "_x005F_x000D_",
        " a ",
        "１２３",
        "#N/A",
        "TRUE",
        "]]>&lt;",
        "𠮷😀",
        "a\nb",
        "1e5",
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_text_stays_the_text_that_was_written(layout: Layout, text: str) -> None:
    found = one(
        write(EVERYTHING.form, "ja", layout, [Filled({"name": text, "why": text}, "a@example.com", text)], rows=20)
    ).answers
    assert (found.given["name"].value, found.given["why"].value) == (text, text)
    assert found.again is not None
    assert found.again.value == text.strip()


@pytest.mark.parametrize(
    ("text", "held"),
    [
        pytest.param(
            "a\x07b\ud800c\uffffd",
            "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d",
            id="no XML",
        ),
        pytest.param("a\r\nb\rc", "a\nb\nc", id="line breaks"),
        pytest.param("あ" * 40_000, "あ" * 32_766 + "…", id="too long for a cell"),
    ],
)
def test_what_no_cell_can_hold_is_seen_to_be_changed(text: str, held: str) -> None:
    assert one(write(EVERYTHING.form, "ja", "form", [Filled({"why": text})])).answers.given["why"].value == held


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _sent(form: Form, job: Job, resources: Resources) -> Filled:
    answers = dict(_flat({**job.answers(), "resources": resources.answers()}))
    return Filled({name: value for name, value in answers.items() if value is not None}, "a@example.com", "again")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ALL.values(), ids=lambda kind: str(kind.name))
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_job_that_is_written_into_a_template_is_the_job_that_is_read_from_it(
    kind: Kind, layout: Layout, data: st.DataObject
) -> None:
    job, resources = data.draw(jobs(kind, as_read=True))
    language = data.draw(st.sampled_from(LANGUAGES))
    rows = data.draw(st.sampled_from([1, 1000]), "prepared rows")  # a large sheet is read by patterns
    found = one_of(kind, write(kind.form, language, layout, [_sent(kind.form, job, resources)], rows))
    assert isinstance(found, Checked), found
    assert (found.job, found.resources) == (job, resources)


def one_of(kind: Kind, data: bytes) -> object:
    (request,), problems = read(data, "request.xlsx", {kind.name: kind})
    assert (problems, request.problems) == ([], ())
    return check(request.answers, {kind.name: kind})
