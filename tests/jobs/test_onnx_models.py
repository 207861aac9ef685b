from __future__ import annotations

import numpy as np
import pytest

from jobs import algorithms, features, onnx_models, proof
from jobs.datasets import Table
from jobs.onnx_graph import Tree
from jobs.onnx_models import TooLargeError
from jobs.proof import Predicted, Proof


def test_classes_that_are_as_good_as_equal_get_the_same_label() -> None:
    """Few small trees over few values: many rows in which two classes have the same share of the votes."""
    chance = np.random.default_rng(5)
    for seed in range(15):
        train = Table(("a", "b"), [[str(one) for one in row] for row in chance.integers(0, 4, (60, 2))])
        test = Table(("a", "b"), [[str(one) for one in row] for row in chance.integers(0, 4, (2000, 2))])
        found = features.find(train, "target")
        settings = {"n_estimators": int(chance.integers(2, 30)), "max_depth": 3}
        pipeline = algorithms.pipeline("random_forest", "classification", settings, seed, found)
        pipeline.fit(features.frame(train, found.used), chance.integers(0, 3, 60))
        by_onnx = proof.by_onnx(
            onnx_models.convert(pipeline, found.used, [0, 1, 2]).SerializeToString(), test, found.used
        )
        frame = features.frame(test, found.used)
        known = Predicted(pipeline.predict(frame), pipeline.predict_proba(frame))
        assert proof.compare(known, by_onnx) == Proof(2000, 0, 0.0, 1e-4)


def test_a_number_of_another_width_is_compared_as_the_libraries_do() -> None:
    """0.1 + 1e-9 is 0.1 in single precision, in which trees look at features."""
    train = Table(("a",), [[repr(0.1 + index * 1e-8)] for index in range(40)])
    test = Table(("a",), [[repr(0.1 + index * 1e-9)] for index in range(400)])
    found = features.find(train, "target")
    for algorithm, settings in (("random_forest", {"n_estimators": 5}), ("xgboost", {"n_estimators": 5})):
        pipeline = algorithms.pipeline(algorithm, "regression", settings, 1, found)
        pipeline.fit(features.frame(train, found.used), np.arange(40.0))
        model = onnx_models.convert(pipeline, found.used, []).SerializeToString()
        known = Predicted(pipeline.predict(features.frame(test, found.used)))
        assert proof.compare(known, proof.by_onnx(model, test, found.used)).largest == 0.0


def test_names_of_columns_do_not_meet_names_of_ours() -> None:
    names = ("label", "probabilities", "v0", "v1", "v3_", "prediction")
    train = Table(names, [[str(row * column % 7) for column in range(1, 7)] for row in range(20)])
    found = features.find(train, "target")
    pipeline = algorithms.pipeline("logistic_regression", "classification", {"c": 1.0, "max_iter": 100}, 1, found)
    pipeline.fit(features.frame(train, found.used), np.arange(20) % 2)
    model = onnx_models.convert(pipeline, found.used, ["no", "yes"])
    assert [one.name for one in model.graph.input] == list(names)
    assert [one.name for one in model.graph.output] == ["label_", "probabilities_"]
    assert set(proof.by_onnx(model.SerializeToString(), train, found.used).values) <= {"no", "yes"}


def test_a_forest_too_large_for_its_file_is_refused() -> None:
    nodes = np.broadcast_to(np.int64(-1), 40_000_000)
    tree = Tree(nodes, nodes, nodes, nodes, nodes)
    with pytest.raises(TooLargeError, match="40000000 nodes"):
        onnx_models.refuse_too_large([tree])


@pytest.mark.parametrize(
    ("one", "two", "holds"),
    [
        pytest.param([1.0, 2.0], [1.0, 2.00009], True, id="less than a ten thousandth"),
        pytest.param([1.0, 2.0], [1.0, 2.0002], False, id="more"),
        pytest.param([1.0, 1e6], [1.0, 1e6 + 2e-4], False, id="more, among large numbers"),
        pytest.param([1.0, 1e12], [1.0, 1e12 + 0.05], True, id="the last digits of doubles"),
    ],
)
def test_numbers_agree_to_a_ten_thousandth(one: list[float], two: list[float], holds: bool) -> None:
    assert proof.compare(Predicted(np.array(one)), Predicted(np.array(two))).holds is holds


def test_another_label_breaks_the_proof_however_close_the_probabilities() -> None:
    near = np.array([[0.5, 0.5]])
    assert not proof.compare(Predicted(np.array(["a"]), near), Predicted(np.array(["b"]), near)).holds
