"""Training: once, and again from other seeds while the result is not good enough."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from jobs import algorithms, features, measures
from jobs.algorithms import CLASSIFICATION
from jobs.datasets import Table
from jobs.features import Features
from jobs.measures import Measured
from schema.dataset import Label, labels, number

Array = npt.NDArray[Any]


class DivergedError(Exception):
    """The numbers of a training ran away to infinity: a matter of its settings or of the data."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked, as plain values. ``settings`` are the hyperparameters of the algorithm."""

    target: str
    task_type: str
    algorithm: str
    settings: Mapping[str, Any]
    threshold: float | None
    max_retry: int
    seed: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Both halves of a dataset, the target as numbers: the values of a regression, or the index in ``classes``."""

    train: Table
    test: Table
    features: Features
    classes: tuple[Label, ...]
    y_train: Array
    y_test: Array


@dataclass(frozen=True, slots=True)
class Trained:
    """One training. ``remarks`` are what the libraries warned of, apart from not having converged."""

    seed: int
    pipeline: Pipeline
    predicted: Array
    measured: Measured
    converged: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that was trained for one request, in order."""

    plan: Plan
    data: Rows
    made: tuple[Trained, ...]

    @property
    def kept(self) -> Trained:
        """The best, the earliest among equals."""
        return max(self.made, key=lambda one: one.measured.score)

    @property
    def passed(self) -> bool | None:
        """Whether it is as good as was asked for; None where nothing was."""
        return None if self.plan.threshold is None else self.kept.measured.score >= self.plan.threshold

    @property
    def stopped_early(self) -> bool:
        """Whether further trainings were allowed and not made, because each would give the same model."""
        settings = algorithms.depends_on_seed(self.plan.algorithm, self.plan.settings)
        return self.passed is False and self.plan.max_retry > 0 and not settings


def rows(train: Table, test: Table, plan: Plan) -> Rows:
    """The rows of a dataset that ``schema.dataset.judge`` found nothing wrong with."""
    y_train, y_test = train.column(plan.target), test.column(plan.target)
    found = features.find(train, plan.target)
    if plan.task_type != CLASSIFICATION:
        return Rows(train, test, found, (), _numbers(y_train), _numbers(y_test))
    meaning = labels({*y_train, *y_test})
    classes = sorted(set(meaning.values()))
    index = {label: place for place, label in enumerate(classes)}
    numbered = [np.array([index[meaning[text]] for text in texts]) for texts in (y_train, y_test)]
    return Rows(train, test, found, tuple(classes), *numbered)


def _numbers(texts: Sequence[str]) -> Array:
    return np.array([number(text) for text in texts], dtype=np.float64)


def train(plan: Plan, data: Rows) -> Course:
    """Train with the seed that was asked for, and again from the next ones while the result is below the threshold."""
    made = [_once(plan, data, plan.seed)]
    tries = plan.max_retry if algorithms.depends_on_seed(plan.algorithm, plan.settings) else 0
    for seed in range(plan.seed + 1, plan.seed + 1 + tries):
        if plan.threshold is None or made[-1].measured.score >= plan.threshold:
            break
        made.append(_once(plan, data, seed))
    return Course(plan, data, tuple(made))


def _once(plan: Plan, data: Rows, seed: int) -> Trained:
    print(f"training {plan.algorithm} with seed {seed} on {len(data.y_train)} rows", flush=True)
    pipeline = algorithms.pipeline(plan.algorithm, plan.task_type, plan.settings, seed, data.features)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _fit(pipeline, features.frame(data.train, data.features.used), data.y_train)
        frame = features.frame(data.test, data.features.used)
        predicted = pipeline.predict(frame)
        measured = _measure(data, predicted, pipeline.predict_proba(frame) if data.classes else predicted)
    return Trained(
        seed,
        pipeline,
        predicted,
        measured,
        not any(issubclass(one.category, ConvergenceWarning) for one in caught),
        tuple(sorted({str(one.message) for one in caught if not issubclass(one.category, ConvergenceWarning)})),
    )


def _fit(pipeline: Pipeline, frame: Any, y: Array) -> None:
    try:
        pipeline.fit(frame, y)
    except ValueError as error:
        if "non-finite" in str(error):  # scikit-learn's words when the weights of a neural network overflow
            raise DivergedError from error
        raise


def _measure(data: Rows, predicted: Array, shares: Array) -> Measured:
    """``shares`` are the probabilities of a classification, else the predictions once more."""
    if not np.isfinite(shares).all():
        raise DivergedError
    if data.classes:
        names = [str(one) for one in data.classes]
        return measures.classification(data.y_test, predicted, shares, names, data.y_train)
    measured = measures.regression(data.y_test, predicted, data.y_train)
    if not np.isfinite(list(measured.metrics.values())).all():
        raise DivergedError
    return measured
