"""Where ClearML keeps each answer, and how the answers of a task are read."""

from __future__ import annotations

import pytest

from schema import kinds
from schema.answers import Located, Where
from schema.check import Checked, check
from schema.parameters import answers, places, properties, spelled

KINDS = kinds.load()
TRAIN = KINDS["train_supervised"]
TASK = Where("ClearML task 3f2a")
NOTED = {
    "kind": {"section": "properties", "name": "kind", "value": "train_supervised"},
    "version": {"section": "properties", "name": "version", "value": "1"},
    "language": {"section": "properties", "name": "language", "value": "ja"},
}


def parameters(typed: dict[str, dict[str, str]]) -> dict[str, dict[str, dict[str, str]]]:
    """As ClearML's API has them, which leaves out an empty value."""
    sections = {
        section: {name: {"name": name, **({"value": value} if value else {})} for name, value in members.items()}
        for section, members in typed.items()
    }
    return {"properties": NOTED, **sections}


def test_sections_sorted_by_name_stand_in_the_order_of_the_form() -> None:
    assert list(dict.fromkeys(section for section, _ in places(TRAIN.form).values())) == [
        "1 Job",
        "2 hyperparameters random_forest",
        "3 hyperparameters xgboost",
        "4 hyperparameters neural_network",
        "5 hyperparameters logistic_regression",
        "6 hyperparameters linear_regression",
        "7 Job",
        "8 resources",
    ]


def test_a_parameter_is_named_as_its_question_without_the_group_and_the_condition_that_its_section_says() -> None:
    found = places(TRAIN.form)
    assert found["dataset_id"] == ("1 Job", "dataset_id")
    assert found["hyperparameters.max_depth@xgboost"] == ("3 hyperparameters xgboost", "max_depth")
    assert found["resources.max_hours"] == ("8 resources", "max_hours")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_two_questions_share_a_place(kind: kinds.Kind) -> None:
    found = places(kind.form)
    assert list(found) == [one.key for one in kind.form.questions]
    assert len(set(found.values())) == len(found)


def test_what_is_typed_on_the_page_is_an_answer_at_its_section_and_name() -> None:
    found = answers("3f2a", parameters({"1 Job": {"dataset_id": "wine"}}), KINDS, TASK)
    assert (found.kind, found.version, found.language, found.named) == ("train_supervised", 1, "ja", "clearml:3f2a")
    assert found.given == {"dataset_id": Located("wine", Where("ClearML task 3f2a", "1 Job/dataset_id"))}
    assert found.place("algorithm") == Where("ClearML task 3f2a", "1 Job/algorithm")


def test_an_empty_value_and_what_clearml_makes_of_nothing_are_no_answer() -> None:
    written = parameters({"1 Job": {"target": "None", "task_type": "null", "algorithm": ""}})
    found = answers("3f2a", written, KINDS, TASK)
    assert {key: one.value for key, one in found.given.items()} == {"target": "", "task_type": "", "algorithm": ""}


def test_defaults_of_questions_that_are_not_asked_refuse_nothing() -> None:
    written = parameters(
        {
            "1 Job": {"dataset_id": "wine", "algorithm": "xgboost"},
            "2 hyperparameters random_forest": {"n_estimators": "100", "min_samples_split": "2"},
            "3 hyperparameters xgboost": {"n_estimators": "300"},
        }
    )
    found = check(answers("3f2a", written, KINDS, TASK), KINDS)
    assert isinstance(found, Checked)
    assert found.job.answers()["hyperparameters"]["n_estimators"] == 300


def test_an_answer_to_a_question_that_is_not_asked_is_said_at_its_place() -> None:
    written = parameters(
        {
            "1 Job": {"dataset_id": "wine", "algorithm": "xgboost"},
            "2 hyperparameters random_forest": {"n_estimators": "300"},
        }
    )
    found = check(answers("3f2a", written, KINDS, TASK), KINDS)
    assert isinstance(found, list)
    assert [(one.code, str(one.where)) for one in found] == [
        ("switched_off", "ClearML task 3f2a:2 hyperparameters random_forest/n_estimators")
    ]


def test_the_number_of_a_section_is_for_the_eye() -> None:
    found = answers("3f2a", parameters({"3 Job": {"seed": "7"}}), KINDS, TASK)
    assert found.given["seed"].value == "7"


def test_a_parameter_that_is_no_question_is_named_where_it_stands() -> None:
    found = answers("3f2a", parameters({"Args": {"n_jobs": "4"}}), KINDS, TASK)
    assert found.given == {"Args/n_jobs": Located("4", Where("ClearML task 3f2a", "Args/n_jobs"))}
    problems = check(found, KINDS)
    assert isinstance(problems, list)
    assert "unknown_question" in {one.code for one in problems}


def test_a_task_that_says_nothing_of_a_kind_has_none() -> None:
    found = answers("3f2a", {"Args": {"epochs": {"value": "4"}}}, KINDS, TASK)
    assert (found.kind, found.version, found.language) == ("", None, "en")
    assert properties({}) == {}


def test_values_are_spelled_as_they_are_read() -> None:
    by_key = TRAIN.form.by_key
    assert spelled(by_key["algorithm"], "xgboost") == "xgboost"
    assert spelled(by_key["resources.max_hours"], 2.0) == "2"
    assert spelled(by_key["hyperparameters.learning_rate@xgboost"], 0.3) == "0.3"
    assert spelled(by_key["note"], None) == ""
