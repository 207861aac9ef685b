"""The workload ``inference``: let a trained model predict every row of a dataset's ``raw/test.csv``, from its ONNX file alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jobs import datasets, features, inference_page, measures, models, predictions, proof
from jobs.datasets import Dataset, Table
from jobs.inference_page import Forecast
from jobs.measures import Measured
from jobs.models import Model
from jobs.outcome import Attempt, Done, Failed
from jobs.predictions import Cell, Predictions
from jobs.proof import Predicted
from schema.dataset import TEST, WHOLE, Label, judge_rows, named, number
from schema.job import Fault
from schema.problem import shown


def run(attempt: Attempt) -> Done | Failed:
    job: Any = attempt.request.job
    model, dataset = models.load(job.model_id), datasets.load(job.dataset_id, (TEST,))
    if isinstance(model, Fault) or isinstance(dataset, list):
        faults = [*([model] if isinstance(model, Fault) else []), *(dataset if isinstance(dataset, list) else [])]
        return attempt.refused(faults)
    faults = judge_rows(dataset.lines(TEST)) or list(_faults(model, dataset.table(TEST)))
    if faults:
        return attempt.refused(faults)
    table = dataset.table(TEST)
    if job.output_format == "xlsx" and len(table.rows) > predictions.MOST_ROWS:
        most, rows = f"{predictions.MOST_ROWS:,}", f"{len(table.rows):,}"
        return attempt.failed("reason_too_many_rows", most=most, rows=rows)
    return _predict(attempt, model, dataset, table, job.output_format)


def _faults(model: Model, table: Table) -> Iterator[Fault]:
    missing = [feature.name for feature in model.features if feature.name not in table.columns]
    if missing:
        yield Fault("missing_columns", "dataset_id", {"columns": named(missing)})
        return
    texts = features.texts_among_numbers(table, model.features)
    if texts:
        yield Fault("text_columns", "dataset_id", {"columns": named(texts)})


def _predict(attempt: Attempt, model: Model, dataset: Dataset, table: Table, output_format: str) -> Done:
    predicted = proof.by_onnx(model.onnx, table, model.features)
    result = Predictions(table, _added(table, predicted))
    file = f"predictions.{output_format}"
    cut = predictions.FORMATS[output_format](result, attempt.out / file)
    measured = measure(model, table, predicted)
    warnings = list(_warnings(attempt, model, table, measured, cut))
    forecast = Forecast(model, dataset, result, predicted, measured, file)
    return Done(
        metrics=measured.metrics if measured else {},
        summary=inference_page.write(attempt, forecast, warnings),
        artifacts=(file,),
        warnings=tuple(warnings),
        dataset_sha256=dataset.sha256,
    )


def _warnings(attempt: Attempt, model: Model, table: Table, measured: Measured | None, cut: int) -> Iterator[str]:
    if measured is None and model.target in table.columns and any(table.column(model.target)):
        yield attempt.say("warn_not_measured", column=shown(model.target))
    unknown = features.unknown_texts(table, model.features)
    if unknown:
        yield attempt.say("warn_unknown_texts", columns=", ".join(named(unknown)))
    if cut:
        yield attempt.say("warn_cut", count=str(cut))


def _added(table: Table, predicted: Predicted) -> dict[str, list[Cell]]:
    name = predictions.free("prediction", table.columns)
    added: dict[str, list[Cell]] = {name: predicted.values.tolist()}
    if predicted.probabilities is not None:
        likely = predictions.free("probability", (*table.columns, name))
        added[likely] = predicted.probabilities.max(axis=1).round(6).tolist()
    return added


def measure(model: Model, table: Table, predicted: Predicted) -> Measured | None:
    """How good the predictions are, where the table has the target in every row."""
    if model.target not in table.columns:
        return None
    cells = table.column(model.target)
    if predicted.probabilities is None:
        true = [number(cell) for cell in cells]
        return None if None in true else measures.regression(np.array(true, dtype=np.float64), predicted.values)
    if not all(cells):
        return None
    return _measure_classes(model, [_label(model, cell) for cell in cells], predicted)


def _label(model: Model, cell: str) -> Label:
    whole = WHOLE.fullmatch(cell)
    return int(whole[1]) if whole and isinstance(model.classes[0], int) else cell


def _measure_classes(model: Model, true: list[Label], predicted: Predicted) -> Measured:
    """A class that the model does not know can only be wrong; then there are no probabilities to judge either."""
    unknown = sorted({str(label) for label in true} - {str(label) for label in model.classes})
    names = [*(str(label) for label in model.classes), *unknown]
    index = {name: place for place, name in enumerate(names)}
    actual = np.array([index[str(label)] for label in true])
    called = np.array([index[str(label)] for label in predicted.values.tolist()])
    return measures.classification(actual, called, None if unknown else predicted.probabilities, names)
