"""An ONNX graph in the making: raw columns in, the numbers that a model sees, and the sum of many trees.

We write the graph ourselves and in double precision. The ready-made converters work in single precision, which misses the
promised 1e-4 as soon as a target is in the thousands, and they rename columns such as ``od280/od315``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer

from jobs.features import Feature

ML = "ai.onnx.ml"
BRANCH_LEQ, BRANCH_LT, SUM = 0, 1, 1  # enumerations of the operator TreeEnsemble

Array = npt.NDArray[Any]


@dataclass
class Graph:
    """Nodes and constants so far. ``taken`` are the names of the inputs and outputs, which are people's column names."""

    taken: frozenset[str]
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, value: Any) -> str:
        name = self._name()
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        """One more node; the name of its only output comes back."""
        name = output or self._name()
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def _name(self) -> str:
        name = f"v{len(self.nodes) + len(self.constants)}"
        while name in self.taken:
            name += "_"
        return name


def columns(graph: Graph, features: Sequence[Feature], trained: ColumnTransformer) -> str:
    """The raw columns, prepared as the trained pipeline does: medians for what is missing, scaled, texts as zeros and ones."""
    numbers = [feature.name for feature in features if feature.type == "number"]
    parts = [_numbers(graph, numbers, trained.named_transformers_["numbers"].named_steps)] if numbers else []
    for feature in (feature for feature in features if feature.type == "text"):
        same = graph.add("Equal", feature.name, graph.constant(np.array([feature.categories], dtype=object)))
        parts.append(graph.add("Cast", same, to=TensorProto.DOUBLE))
    return graph.add("Concat", *parts, axis=1)


def _numbers(graph: Graph, names: Sequence[str], steps: Any) -> str:
    raw = graph.add("Concat", *names, axis=1)
    filled = graph.add("Where", graph.add("IsNaN", raw), graph.constant([steps["impute"].statistics_]), raw)
    if "scale" not in steps:
        return filled
    centred = graph.add("Sub", filled, graph.constant([steps["scale"].mean_]))
    return graph.add("Div", centred, graph.constant([steps["scale"].scale_]))


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree by node: its children (-1 in a leaf), the feature and threshold it asks for, and the value a leaf gives."""

    left: Array
    right: Array
    feature: Array
    threshold: Array
    value: Array


def leaf(value: Array) -> Tree:
    """A tree that asks nothing."""
    nothing = np.array([-1])
    return Tree(nothing, nothing, np.array([0]), np.array([0.0]), np.array([value]))


def leaf_values(graph: Graph, x: str, trees: Sequence[Tree], mode: int) -> str:
    """What each tree gives for each row, [rows, trees, …]. Both libraries look at features in single precision, so we do too.

    The operator can only add numbers up: here it has a column a tree, and what it "adds up" is the index of the leaf.
    """
    single = graph.add("Cast", x, to=TensorProto.FLOAT)
    double = graph.add("Cast", single, to=TensorProto.DOUBLE)
    index = graph.add("TreeEnsemble", double, domain=ML, **_ensemble(trees, mode))
    index = graph.add("Cast", index, to=TensorProto.INT64)
    return graph.add("Gather", graph.constant(np.concatenate([tree.value for tree in trees])), index)


def added_in_order(graph: Graph, values: str) -> str:
    """[rows, trees, outputs] → [rows, outputs], added one after the other as the libraries do, which a plain sum does not promise:
    the last bit decides between two classes that are as good as equal."""
    running = graph.add("CumSum", values, graph.constant(np.int64(1)))
    return graph.add("Gather", running, graph.constant(np.int64(-1)), axis=1)


@dataclass
class _Branches:
    """Where the branches of all trees lead, in the two numberings of the operator: inner nodes and leaves."""

    to: list[int] = field(default_factory=list)
    is_leaf: list[int] = field(default_factory=list)

    def extend(self, children: Array, leaves: Array, place: Array) -> None:
        self.to.extend(place[children].tolist())
        self.is_leaf.extend(leaves[children].astype(int).tolist())


def _ensemble(trees: Sequence[Tree], mode: int) -> dict[str, Any]:
    yes, no = _Branches(), _Branches()
    roots: list[int] = []
    asked: list[Array] = []
    leaves_before, inner_before, nodes_before = 0, 0, 0
    for tree in trees:
        leaves = tree.left == -1
        place = np.where(leaves, leaves_before + np.cumsum(leaves) - 1, inner_before + np.cumsum(~leaves) - 1)
        inner = np.flatnonzero(~leaves)
        roots.append(inner_before)
        lone = len(inner) == 0  # a root that is a leaf is written as a question with one answer
        asked.append(np.array([0]) if lone else inner)
        yes.extend(np.array([0]) if lone else tree.left[inner], leaves, place)
        no.extend(np.array([0]) if lone else tree.right[inner], leaves, place)
        leaves_before += int(leaves.sum())
        inner_before += len(asked[-1])
        nodes_before += len(leaves)
    return {
        "n_targets": len(trees),
        "aggregate_function": SUM,
        "tree_roots": roots,
        "nodes_truenodeids": yes.to,
        "nodes_trueleafs": yes.is_leaf,
        "nodes_falsenodeids": no.to,
        "nodes_falseleafs": no.is_leaf,
        **_questions(trees, asked, mode),
        **_leaves(trees),
    }


def _questions(trees: Sequence[Tree], asked: Sequence[Array], mode: int) -> dict[str, Any]:
    features = np.concatenate([tree.feature[nodes] for tree, nodes in zip(trees, asked, strict=True)])
    splits = np.concatenate([tree.threshold[nodes] for tree, nodes in zip(trees, asked, strict=True)])
    return {
        "nodes_featureids": np.maximum(features, 0).tolist(),
        "nodes_splits": numpy_helper.from_array(splits.astype(np.float64)),
        "nodes_modes": numpy_helper.from_array(np.full(len(splits), mode, dtype=np.uint8)),
    }


def _leaves(trees: Sequence[Tree]) -> dict[str, Any]:
    """For each leaf the tree it belongs to and its index among all nodes of all trees, as a number to be "added up"."""
    sizes = np.array([len(tree.left) for tree in trees])
    starts = np.cumsum(sizes) - sizes
    places = [np.flatnonzero(tree.left == -1) for tree in trees]
    index = np.concatenate([start + place for start, place in zip(starts, places, strict=True)])
    return {
        "leaf_targetids": np.repeat(np.arange(len(trees)), [len(place) for place in places]).tolist(),
        "leaf_weights": numpy_helper.from_array(index.astype(np.float64)),
    }
