"""Running an ONNX model, and the proof that it says what the trained one says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import onnxruntime

from jobs import features as columns
from jobs.datasets import Table
from jobs.features import Feature

ROWS_AT_ONCE = 64  # trees × classes × rows are in memory at once: 10,000 trees of 100 classes take half a gigabyte
TOLERANCE = 1e-4
DOUBLES_END = 1e-13  # of the largest prediction: from 1e9 on, a sum of doubles in another order may differ by as much

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Predicted:
    """A prediction a row: a label or a number; for a classification the probability of every class too."""

    values: Array
    probabilities: Array | None = None


def by_onnx(model: bytes, table: Table, features: Sequence[Feature]) -> Predicted:
    """Let onnxruntime predict every row."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {feature.name: columns.values(table, feature).reshape(-1, 1) for feature in features}
    parts = [session.run(None, part) for part in _parts(feed, len(table.rows))]
    outputs = [np.concatenate(output) for output in zip(*parts, strict=True)]
    return Predicted(outputs[0], outputs[1] if len(outputs) > 1 else None)


def _parts(feed: Mapping[str, Array], rows: int) -> list[dict[str, Array]]:
    return [
        {name: column[start : start + ROWS_AT_ONCE] for name, column in feed.items()}
        for start in range(0, rows, ROWS_AT_ONCE)
    ]


def by_joblib(path: Path, table: Table, features: Sequence[Feature]) -> Predicted:
    """Let the trained pipeline predict, as it comes back from its own file. Only for a file that this very run has written."""
    saved = joblib.load(path)
    frame = columns.frame(table, features)
    found = saved["pipeline"].predict(frame)
    if not saved["classes"]:
        return Predicted(np.asarray(found, dtype=np.float64))
    return Predicted(np.array(saved["classes"])[found], saved["pipeline"].predict_proba(frame))


@dataclass(frozen=True, slots=True)
class Proof:
    """How two models compare over all rows: rows with another label, and the largest difference of a probability,
    or of the predicted ``numbers`` themselves."""

    rows: int
    other_labels: int
    largest: float
    allowed: float
    numbers: bool = False

    @property
    def holds(self) -> bool:
        return self.other_labels == 0 and self.largest <= self.allowed


def compare(one: Predicted, two: Predicted) -> Proof:
    if one.probabilities is None or two.probabilities is None:
        largest = float(np.max(np.abs(one.values - two.values)))
        allowed = max(TOLERANCE, DOUBLES_END * float(np.max(np.abs(one.values))))
        return Proof(len(one.values), 0, largest, allowed, numbers=True)
    other = int(np.sum(one.values.astype(str) != two.values.astype(str)))
    return Proof(len(one.values), other, float(np.max(np.abs(one.probabilities - two.probabilities))), TOLERANCE)
