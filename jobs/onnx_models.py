"""A trained pipeline as an ONNX model that takes the raw columns, one tensor of shape [rows, 1] a column.

Classification gives two outputs, the label and the probability of every class; regression one, the predicted number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, checker, helper
from sklearn.pipeline import Pipeline

from jobs.features import Feature
from jobs.onnx_graph import (
    BRANCH_LEQ,
    BRANCH_LT,
    ML,
    Graph,
    Tree,
    added_in_order,
    columns,
    leaf,
    leaf_values,
)
from schema.dataset import Label

OPSETS = {"": 20, ML: 5}  # 5 is the first whose trees compare in double precision
IR_VERSION = 10
MOST_BYTES = 1_500_000_000  # a model file of this format ends at 2 GiB
BYTES_A_NODE = 40


class TooLargeError(Exception):
    """The trees have more nodes than a file of this format holds."""

    def __init__(self, nodes: int) -> None:
        super().__init__(f"{nodes} nodes")
        self.nodes = nodes


def convert(trained: Pipeline, features: Sequence[Feature], classes: Sequence[Label]) -> ModelProto:
    """``classes`` by their number in the pipeline; none for a regression."""
    names = frozenset(feature.name for feature in features)
    outputs = [_free(name, names) for name in (("label", "probabilities") if classes else ("prediction",))]
    graph = Graph(names | set(outputs))
    x = columns(graph, features, trained.named_steps["columns"])
    if classes:
        probabilities = _probabilities(graph, x, trained.named_steps["model"])
        _classification(graph, probabilities, classes, outputs)
    else:
        graph.add("Reshape", _number(graph, x, trained.named_steps["model"]), graph.constant([-1]), output=outputs[0])
    return _model(graph, features, classes, outputs)


def _free(name: str, taken: frozenset[str]) -> str:
    return _free(f"{name}_", taken) if name in taken else name


def _classification(graph: Graph, probabilities: str, classes: Sequence[Label], outputs: Sequence[str]) -> None:
    best = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    known = np.array(classes, dtype=object if isinstance(classes[0], str) else np.int64)
    graph.add("Gather", graph.constant(known), best, output=outputs[0])
    graph.add("Cast", probabilities, output=outputs[1], to=TensorProto.DOUBLE)


def _model(graph: Graph, features: Sequence[Feature], classes: Sequence[Label], outputs: Sequence[str]) -> ModelProto:
    elements = {"number": TensorProto.DOUBLE, "text": TensorProto.STRING}
    inputs = [_tensor(feature.name, elements[feature.type], ["rows", 1]) for feature in features]
    results = [_tensor(outputs[-1], TensorProto.DOUBLE, ["rows", len(classes)] if classes else ["rows"])]
    if classes:
        element = TensorProto.STRING if isinstance(classes[0], str) else TensorProto.INT64
        results.insert(0, _tensor(outputs[0], element, ["rows"]))
    body = helper.make_graph(graph.nodes, "denpyo", inputs, results, graph.constants)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="denpyo")
    checker.check_model(model)
    return model


def _tensor(name: str, element: int, shape: list[str | int]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, element, shape)


def _probabilities(graph: Graph, x: str, model: Any) -> str:
    match type(model).__name__:
        case "RandomForestClassifier":
            return _forest(graph, x, model)
        case "XGBClassifier":
            return _spread(graph, _boosted(graph, x, model), binary=len(model.classes_) == 2)
        case "MLPClassifier":
            return _spread(graph, _layers(graph, x, model.coefs_, model.intercepts_), binary=model.n_outputs_ == 1)
        case "LogisticRegression":
            return _spread(
                graph, _layers(graph, x, [model.coef_.T], [model.intercept_]), binary=len(model.classes_) == 2
            )
    raise TypeError(f"no ONNX for {type(model).__name__}")


def _number(graph: Graph, x: str, model: Any) -> str:
    match type(model).__name__:
        case "RandomForestRegressor":
            return _forest(graph, x, model)
        case "XGBRegressor":
            return graph.add("Cast", _boosted(graph, x, model), to=TensorProto.DOUBLE)
        case "TransformedTargetRegressor":
            inner, scaler = model.regressor_, model.transformer_
            scaled = _layers(graph, x, inner.coefs_, inner.intercepts_)
            stretched = graph.add("Mul", scaled, graph.constant(scaler.scale_))
            return graph.add("Add", stretched, graph.constant(scaler.mean_))
        case "Ridge":
            return _layers(graph, x, [model.coef_.reshape(-1, 1)], [np.atleast_1d(model.intercept_)])
    raise TypeError(f"no ONNX for {type(model).__name__}")


def _spread(graph: Graph, scores: str, *, binary: bool) -> str:
    """Scores as probabilities that add up to 1; of two classes there is a score for the second only."""
    if not binary:
        return graph.add("Softmax", scores, axis=1)
    second = graph.add("Sigmoid", graph.add("Cast", scores, to=TensorProto.DOUBLE))
    return graph.add("Concat", graph.add("Sub", graph.constant(1.0), second), second, axis=1)


def _layers(graph: Graph, x: str, weights: Sequence[Any], offsets: Sequence[Any]) -> str:
    """Fully connected layers with rectified cells between them; a linear model is one layer."""
    for index, (weight, offset) in enumerate(zip(weights, offsets, strict=True)):
        x = graph.add("Relu", x) if index else x
        x = graph.add("Add", graph.add("MatMul", x, graph.constant(weight)), graph.constant(offset))
    return x


def _forest(graph: Graph, x: str, model: Any) -> str:
    trees = [
        Tree(
            one.tree_.children_left,
            one.tree_.children_right,
            one.tree_.feature,
            one.tree_.threshold,
            one.tree_.value[:, 0],
        )
        for one in model.estimators_
    ]
    refuse_too_large(trees)
    total = added_in_order(graph, leaf_values(graph, x, trees, BRANCH_LEQ))
    return graph.add("Div", total, graph.constant(float(len(trees))))


def refuse_too_large(trees: Sequence[Tree]) -> None:
    size = sum(len(tree.left) * BYTES_A_NODE + tree.value.nbytes for tree in trees)
    if size > MOST_BYTES:
        raise TooLargeError(sum(len(tree.left) for tree in trees))


def _boosted(graph: Graph, x: str, model: Any) -> str:
    """xgboost's margins, in its own single precision: it starts from the base score and adds tree after tree, class by class."""
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    base = _base_margins(learner["learner_model_param"]["base_score"], learner["objective"]["name"])
    trees = [leaf(one) for one in base]
    for tree in learner["gradient_booster"]["model"]["trees"]:
        value = np.array(tree["split_conditions"], dtype=np.float32)
        left, right, feature = (np.array(tree[name]) for name in ("left_children", "right_children", "split_indices"))
        trees.append(Tree(left, right, feature, value, value))
    refuse_too_large(trees)
    flat = leaf_values(graph, x, trees, BRANCH_LT)
    return added_in_order(graph, graph.add("Reshape", flat, graph.constant([0, -1, len(base)])))


def _base_margins(base_score: str, objective: str) -> Any:
    """xgboost writes the base as ``[0.5]``, of two classes as a probability and of more as one margin a class."""
    base = np.array(json.loads(base_score), dtype=np.float32).reshape(-1)
    one = np.float32(1)
    return -np.log(one / base - one) if objective == "binary:logistic" else base
