"""How good a model is on rows it has not seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ClassMeasure:
    """One class: its test rows, how many of them were found, and how many of the rows that were called so are so (None: none was)."""

    name: str
    rows: int
    found: float | None
    right: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """``score`` is what a threshold is compared with: accuracy, or R². ``baseline`` is the same for a guess that looks at no
    column: the most frequent class of the training rows. ``confusion`` counts test rows by true class and predicted class."""

    score: float
    metrics: Mapping[str, float]
    baseline: float | None = None
    classes: tuple[ClassMeasure, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()


def classification(
    true: Array, predicted: Array, probabilities: Array | None, names: Sequence[str], train: Array | None = None
) -> Measured:
    """``true``, ``predicted`` and ``train`` (the target of the training rows) are numbers of classes."""
    everyone = range(len(names))
    found = {
        "accuracy": float(metrics.accuracy_score(true, predicted)),
        "macro_f1": float(
            metrics.f1_score(true, predicted, labels=sorted(set(true.tolist())), average="macro", zero_division=0)
        ),
    }
    if probabilities is not None:
        shares = np.asarray(probabilities, dtype=np.float64)
        shares /= shares.sum(axis=1, keepdims=True)
        found["log_loss"] = float(metrics.log_loss(true, shares, labels=list(everyone)))
    confusion = metrics.confusion_matrix(true, predicted, labels=list(everyone))
    return Measured(
        found["accuracy"],
        found,
        None if train is None else float(np.mean(true == np.bincount(train).argmax())),
        tuple(_class_measure(confusion, index, name) for index, name in enumerate(names)),
        tuple(tuple(int(count) for count in row) for row in confusion),
    )


def _class_measure(confusion: Array, index: int, name: str) -> ClassMeasure:
    hits, rows, called = int(confusion[index, index]), int(confusion[index].sum()), int(confusion[:, index].sum())
    return ClassMeasure(name, rows, hits / rows if rows else None, hits / called if called else None)


def regression(true: Array, predicted: Array, train: Array | None = None) -> Measured:
    """R² needs two test rows; without them it is left out and the score is nothing that could pass."""
    found = {"r2": float(metrics.r2_score(true, predicted))} if len(true) > 1 else {}
    found["mae"] = float(metrics.mean_absolute_error(true, predicted))
    found["rmse"] = float(metrics.root_mean_squared_error(true, predicted))
    if train is not None:
        found["mae_of_average"] = float(np.mean(np.abs(true - train.mean())))
    return Measured(found.get("r2", -math.inf), found)
