"""The JSON that a Power Automate flow writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from generators.microsoft import flow, tags_of
from generators.microsoft.asked import asked
from schema.check import Checked, check
from tests.generators.microsoft.test_responses import GOOD, one
from tests.generators.microsoft.workbooks import WHO, exported
from tests.kinds_for_tests import KINDS, SHIPPED

INFERENCE = SHIPPED["inference"].form
TAGS = tags_of(INFERENCE)
WHOLE: dict[str, Any] = {
    "denpyo": "microsoft forms 1",
    "form": "inference 1 en",
    "response": 1,
    "email": WHO,
    "answers": {
        TAGS["model_id"]: "m-1",
        TAGS["dataset_id"]: "wine",
        TAGS["output_format"]: "JSON",
        TAGS["note"]: None,
        TAGS["resources.gpus"]: 1,
        TAGS["resources.max_hours"]: "",
    },
    "again": None,
}


def read(document: object) -> Any:
    return flow.read(document if isinstance(document, bytes) else json.dumps(document).encode(), "r.json", KINDS)


def test_a_flow_hands_over_what_the_workbook_holds_under_the_same_name() -> None:
    ((found,), problems) = read(WHOLE)
    assert problems == []
    assert found.problems == ()
    answers, in_workbook = found.answers, one(exported(INFERENCE, "en", GOOD)).answers
    assert answers.named == in_workbook.named
    assert answers.sender.value == WHO
    assert str(answers.given["model_id"].where) == f"r.json:answers.{TAGS['model_id']}"
    here, there = check(answers, KINDS), check(in_workbook, KINDS)
    assert isinstance(here, Checked)
    assert isinstance(there, Checked)
    assert (here.job, here.resources) == (there.job, there.resources)


def test_the_text_that_the_page_shows_is_read_once_its_titles_are_replaced() -> None:
    shown = flow.written(asked(INFERENCE, "en"))
    assert list(shown) == list(WHOLE)
    assert list(shown["answers"]) == list(TAGS.values())
    filled = {**shown, "response": "7", "email": "anonymous", "answers": WHOLE["answers"], "again": "once more"}
    ((found,), problems) = read(filled)
    assert problems == []
    assert found.answers.sender is None
    assert found.answers.again.value == "once more"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('["Accuracy, plain","F1"]', ("Accuracy, plain", "F1")),
        ("Accuracy, plain;F1;", ("Accuracy, plain", "F1")),
        ("[broken", "[broken"),
        ("[1]", "[1]"),
    ],
)
def test_several_choices_stand_as_forms_hands_them_over(said: str, meant: object) -> None:
    tag = tags_of(KINDS["every_field"].form)["metrics"]
    ((found,), _) = read({**WHOLE, "form": "every_field 3 en", "answers": {tag: said}})
    assert found.answers.given["metrics"].value == meant


def test_a_text_that_looks_like_a_list_stays_a_text() -> None:
    ((found,), _) = read({**WHOLE, "answers": {TAGS["note"]: '["a"]'}})
    assert found.answers.given["note"].value == '["a"]'


WRONG: Mapping[str, tuple[object, str, str]] = {
    "no JSON": (b"{", "r.json", "it is not JSON"),
    "another encoding": ('{"denpyo": "髙"}'.encode("cp932"), "r.json", "it is not JSON"),
    "a name twice": (b'{"denpyo": 1, "denpyo": 2}', "r.json", "it is not JSON"),
    "a number that is none": (b'{"denpyo": NaN}', "r.json", "it is not JSON"),
    "far too deep": (b"[" * 100_000, "r.json", "it is not JSON"),
    "far too large": (b" " * (1024 * 1024 + 1), "r.json", "the file is larger than 1 MiB"),
    "a list": ([], "r.json", "it is not a JSON object"),
    "a name missing": ({**WHOLE, "email": None} and {"denpyo": 1}, "r.json", "“form” is missing"),
    "a name too many": ({**WHOLE, "x": 1}, "r.json:x", "there is no such name in it"),
    "another format": ({**WHOLE, "denpyo": "2"}, "r.json:denpyo", "“microsoft forms 1” belongs here"),
    "no mark": ({**WHOLE, "form": "inference"}, "r.json:form", "“train_supervised 1 ja” belongs here"),
    "answers in a list": ({**WHOLE, "answers": []}, "r.json:answers", "“{…}” belongs here"),
    "an unknown tag": ({**WHOLE, "answers": {"zzzz": "1"}}, "r.json:answers.zzzz", "no question has this tag"),
    "an answer in a list": (
        {**WHOLE, "answers": {TAGS["note"]: ["x"]}},
        f"r.json:answers.{TAGS['note']}",
        "it is not a text",
    ),
    "a truth value": ({**WHOLE, "answers": {TAGS["note"]: True}}, f"r.json:answers.{TAGS['note']}", "it is not a text"),
    "an endless number": (
        json.dumps({**WHOLE, "answers": {TAGS["note"]: "@"}}).replace('"@"', "1e999").encode(),
        f"r.json:answers.{TAGS['note']}",
        "it is no number",
    ),
    "a title that was not replaced": (
        {**WHOLE, "answers": {TAGS["note"]: "Note [f6l7]"}},
        f"r.json:answers.{TAGS['note']}",
        "“Note [f6l7]” still stands here instead of the dynamic content",
    ),
    "an address that was not replaced": (
        {**WHOLE, "email": "Responders' Email"},
        "r.json:email",
        "“Responders' Email” still stands here instead of the dynamic content",
    ),
    "no number of a response": (
        {**WHOLE, "response": "Response Id"},
        "r.json:response",
        "it is not the number of a response",
    ),
}


@pytest.mark.parametrize(("document", "place", "detail"), WRONG.values(), ids=WRONG)
def test_what_no_flow_of_ours_writes_is_refused_with_its_place(document: object, place: str, detail: str) -> None:
    reads, (problem,) = read(document)
    assert reads == []
    assert problem.line("en") == (
        f"{place}: This is not what the flow of the form writes: {detail}. "
        "Compare the step “Compose” of the flow with the page of the form. [flow_shape]"
    )


@settings(max_examples=40)
@drawn(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*WHOLE, *TAGS.values()]) | st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=5,
    ),
    st.sampled_from([*WHOLE, *TAGS.values()]),
)
def test_whatever_stands_in_the_file_is_read_or_refused_and_never_an_error(value: object, name: str) -> None:
    document = {**WHOLE, name: value} if name in WHOLE else {**WHOLE, "answers": {name: value}}
    for data in (json.dumps(document).encode(), json.dumps(value).encode()):
        reads, problems = flow.read(data, "r.json", KINDS)
        assert len(reads) + len(problems) == 1
        for each in reads:
            check(each.answers, KINDS)
