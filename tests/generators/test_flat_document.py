"""Documents of answers alone, which a kind knows by a name of its own."""

from __future__ import annotations

import pytest

from generators import json_schema
from schema.check import Checked, check
from schema.kinds import Kind
from tests.kinds_for_tests import KINDS, SHIPPED


def read(text: str) -> Checked:
    responses, problems = json_schema.read(text.encode(), "request.yaml", KINDS)
    assert problems == []
    assert [one.problems for one in responses] == [()]
    checked = check(responses[0].answers, KINDS)
    assert isinstance(checked, Checked)
    return checked


@pytest.mark.parametrize(
    ("text", "algorithm", "task", "hyperparameters", "threshold"),
    [
        (
            "learning_type: supervised\nalgorithm: random_forest  # または xgboost, neural_network\n"
            "task_type: classification\ndataset_id: classification-dataset-001\n"
            "hyperparameters:\n  n_estimators: 100\n  max_depth: 10\nevaluation_threshold: 0.85  # Accuracy閾値\n",
            "random_forest",
            "classification",
            {"n_estimators": 100, "max_depth": 10, "min_samples_split": 2, "min_samples_leaf": 1},
            0.85,
        ),
        (
            "learning_type: supervised\nalgorithm: linear_regression  # または xgboost, neural_network\n"
            "task_type: regression\ndataset_id: regression-dataset-001\n"
            "hyperparameters:\n  alpha: 0.1\nevaluation_threshold: 0.9  # R²閾値\n",
            "linear_regression",
            "regression",
            {"alpha": 0.1},
            0.9,
        ),
    ],
    ids=["classification", "regression"],
)
def test_it_becomes_a_request_exactly_as_written(
    text: str, algorithm: str, task: str, hyperparameters: dict[str, object], threshold: float
) -> None:
    job = read(text).job.answers()
    assert (job["algorithm"], job["task_type"], job["hyperparameters"]) == (algorithm, task, hyperparameters)
    assert job["evaluation_threshold"] == threshold


def test_what_stands_around_a_job_may_stand_beside_the_answers() -> None:
    checked = read(
        "learning_type: Supervised\ndataset_id: wine\nalgorithm: xgboost\nresources: {queue: large, gpus: 1}\n"
    )
    assert (checked.resources.queue, checked.resources.gpus) == ("large", 1)


def test_a_name_that_the_kind_does_not_ask_is_said_at_its_place() -> None:
    text = b"learning_type: supervised\ndataset_id: wine\nalgorithm: xgboost\nepochs: 3\n"
    responses, _ = json_schema.read(text, "request.yaml", KINDS)
    assert [problem.line("en") for problem in responses[0].problems] == [
        "request.yaml:4:1: There is no question named “epochs” here. Remove it or mend the name. [unknown_question]"
    ]


def test_every_shipped_kind_is_known_by_names_that_it_does_not_ask() -> None:
    taken = [kind for kind in SHIPPED.values() for name in kind.job.known_by if name in kind.form.by_name]
    assert taken == list[Kind]()
