"""The summary of an inference: what was predicted, in words for the person who asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from jobs import summary
from jobs.datasets import Dataset
from jobs.measures import Measured
from jobs.models import Model
from jobs.outcome import Attempt
from jobs.predictions import Predictions, typed
from jobs.proof import Predicted
from jobs.summary import Fact, percent, plain

ROWS_SHOWN = 20
CLASSES_SHOWN = 30
LIBRARIES = ("denpyo", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was predicted with which model, how good it was where that could be measured, and the file that holds it."""

    model: Model
    dataset: Dataset
    result: Predictions
    predicted: Predicted
    measured: Measured | None
    file: str


@dataclass(frozen=True, slots=True)
class Share:
    """A class with the number of rows predicted to be of it, and that as a share of all."""

    name: str
    rows: int
    share: float


def write(attempt: Attempt, forecast: Forecast, warnings: list[str]) -> str:
    """Write the page; its name comes back."""
    result, measured = forecast.result, forecast.measured
    first = result.rows(typed)[:ROWS_SHOWN]
    added = len(result.added)
    rows = len(result.table.rows)
    return summary.write(
        attempt,
        "prediction.html",
        attempt.say("title_prediction"),
        _origin(attempt, forecast),
        rows=rows,
        warnings=warnings,
        file=forecast.file,
        target=forecast.model.target,
        measures=summary.measures(attempt, measured.metrics) if measured else [],
        classes=measured.classes if measured else (),
        percent=percent,
        shares=list(_shares(forecast)),
        spread=_spread(attempt, forecast),
        first=attempt.say("prediction_first", shown=str(len(first)), rows=str(rows)),
        columns=[*result.columns[-added:], *result.columns[:-added]],
        cells=[[_shown(cell) for cell in (*row[-added:], *row[:-added])] for row in first],
        added=added,
    )


def _shown(cell: str | int | float) -> str:
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _shares(forecast: Forecast) -> Iterator[Share]:
    if forecast.predicted.probabilities is None:
        return
    count = Counter(forecast.predicted.values.tolist())
    for label, rows in count.most_common(CLASSES_SHOWN):
        yield Share(str(label), rows, rows / count.total())


def _spread(attempt: Attempt, forecast: Forecast) -> list[Fact]:
    if forecast.predicted.probabilities is not None:
        return []
    values = forecast.predicted.values
    found = {"least": values.min(), "average": values.mean(), "greatest": values.max()}
    return [Fact(attempt.say(f"prediction_{name}"), plain(float(value))) for name, value in found.items()]


def _origin(attempt: Attempt, forecast: Forecast) -> list[Fact]:
    rows = attempt.say("origin_test_rows", test=str(len(forecast.result.table.rows)))
    return [
        Fact(attempt.say("origin_dataset"), f"{forecast.dataset.id} ({rows})", f"sha256 {forecast.dataset.sha256}"),
        Fact(attempt.say("origin_model"), forecast.model.id, f"sha256 {forecast.model.sha256}"),
        Fact(attempt.say("origin_versions"), summary.listed(summary.versions(*LIBRARIES))),
    ]
