"""The ClearML door: the template task of a kind, and what people make of a clone of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from generators import clearml_task
from generators.clearml_task import hyperparams, read, write
from schema.check import Checked, check
from schema.kinds import Kind
from schema.parameters import places
from schema.yaml_text import dump
from tests.generators.clearml_person import ID, clone
from tests.generators.test_every_door import _flat, only
from tests.kinds_for_tests import KINDS
from tests.kinds_for_tests._jobs import jobs

TRAIN = KINDS["train_supervised"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "hyperparams", "properties", "kind", "value", "1 Job"]), inner)
    ),
    max_leaves=12,
)


def task(sections: dict[str, dict[str, str]], noted: str = "train_supervised") -> bytes:
    """A task as somebody could leave it."""
    given = {section: {name: {"value": value} for name, value in some.items()} for section, some in sections.items()}
    properties = {"kind": {"value": noted}, "version": {"value": "1"}, "language": {"value": "en"}} if noted else {}
    return json.dumps({"id": ID, "hyperparams": {"properties": properties, **given}}).encode()


def test_a_parameter_says_its_sort_its_limits_its_choices_and_what_an_empty_one_means() -> None:
    found = json.loads(write(TRAIN.form, "en"))["hyperparams"]
    assert found["3 hyperparameters xgboost"]["learning_rate"] == {
        "section": "3 hyperparameters xgboost",
        "name": "learning_rate",
        "type": "float",
        "value": "0.3",
        "description": "Learning rate\nOnly if “Which algorithm?” is “XGBoost”.\nSmaller steps need more trees.\n"
        "Allowed: number, more than 0, at most 1. Example: 0.3\nIf left empty: 0.3",
    }
    assert found["1 Job"]["task_type"]["description"] == (
        "What kind of prediction?\nClassification predicts a class, regression a number.\n"
        "- classification: Classification\n- regression: Regression\n"
        "If left empty: regression for linear regression, else classification"
    )
    assert found["1 Job"]["dataset_id"]["description"].startswith("Which dataset?\n＊required\n")


def test_a_template_speaks_the_language_of_whoever_chose_it() -> None:
    found = json.loads(write(TRAIN.form, "ja"))
    assert found["name"] == "正解つきデータでモデルを学習する（train_supervised）"
    assert (
        found["hyperparams"]["8 resources"]["max_hours"]["description"].splitlines()[0]
        == "最長で何時間実行しますか（時間）"
    )
    assert {name: one["value"] for name, one in found["hyperparams"]["properties"].items()} == {
        "kind": "train_supervised",
        "version": "1",
        "language": "ja",
        "schema": TRAIN.form.fingerprint,
    }


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_template_asks_every_question_once_and_nothing_else_may_be_edited(kind: Kind) -> None:
    found = json.loads(write(kind.form, "en"))["hyperparams"]
    del found["properties"]
    asked = [(section, name) for section, members in found.items() for name in members]
    assert asked == list(places(kind.form).values())
    assert sorted(found) == list(found)  # as the page sorts sections


def test_a_clone_that_nobody_edited_lacks_what_is_required_and_nothing_else() -> None:
    problems = check(only(read(clone(TRAIN, {}, "ja"), "task", KINDS)).answers, KINDS)
    assert isinstance(problems, list)
    assert [(one.code, str(one.where)) for one in problems] == [
        ("missing", "task:1 Job/dataset_id"),
        ("missing", "task:1 Job/algorithm"),
    ]


def test_a_task_that_is_no_clone_of_a_template_is_told_what_to_clone() -> None:
    found = only(read(task({"Args": {"epochs": "4"}}, noted=""), "task", KINDS))
    assert [one.line("en") for one in found.problems] == [
        "task: This task is no copy of a template. "
        "Clone a task of the project with the templates, edit the clone and enqueue that. [not_from_template]"
    ]


def test_a_clone_of_a_template_whose_kind_has_changed_without_a_version_is_refused() -> None:
    document = json.loads(clone(TRAIN, {"dataset_id": "wine", "algorithm": "xgboost"}, "en"))
    document["hyperparams"]["properties"]["schema"]["value"] = "0" * 64
    problems = check(only(read(json.dumps(document).encode(), "task", KINDS)).answers, KINDS)
    assert isinstance(problems, list)
    assert [one.code for one in problems] == ["changed_template"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_clone_of_a_run_asks_for_the_same_job(kind: Kind, data: st.DataObject) -> None:
    job, resources = data.draw(jobs(kind, as_read=True, printable=True))
    values = dict(_flat({**job.answers(), "resources": resources.answers()}))
    assume(
        not {"None", "null"} & {one for one in values.values() if isinstance(one, str)}
    )  # ClearML's words for nothing
    sections = hyperparams(kind.form, "en", values)
    sections["properties"] = {"kind": {"value": kind.name}}
    found = check(only(read(json.dumps({"id": ID, "hyperparams": sections}).encode(), "t", KINDS)).answers, KINDS)
    assert isinstance(found, Checked), found
    assert dump(found.job.answers()) == dump(job.answers())
    assert dump(found.resources.answers()) == dump(resources.answers())


@given(document=JSON)
@settings(max_examples=60, deadline=None)
def test_a_task_of_any_shape_is_read_or_refused(document: Any) -> None:
    found, problems = clearml_task.read(json.dumps(document).encode(), "task", KINDS)
    assert len(found) + len(problems) == 1
