"""The summary of a training: what the figures mean, in words for the person who asked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.inspection import permutation_importance

from jobs import algorithms, features, plots, summary
from jobs.algorithms import CLASSIFICATION
from jobs.datasets import Dataset
from jobs.model_files import LIBRARIES, Saved
from jobs.outcome import Attempt
from jobs.plots import Say
from jobs.summary import Fact, Meter, Picture, percent, plain
from jobs.texts import say
from jobs.training import Course, Trained
from schema import kinds

MOST_COLUMNS_SHUFFLED = 100
MOST_ROWS_SHUFFLED = 300
SHUFFLES = 3
Z = 1.96  # of the 95 % interval
VERDICTS = {None: "verdict_open", True: "verdict_passed", False: "verdict_failed"}
SNIPPET = """\
import csv
import numpy as np
import onnxruntime

rows = list(csv.DictReader(open("test.csv", encoding="utf-8-sig")))
session = onnxruntime.InferenceSession("model/model.onnx")

def column(asked):
    cells = [row[asked.name].strip() for row in rows]
    if asked.type == "tensor(string)":
        return np.array(cells, dtype=object).reshape(-1, 1)
    return np.array([float(cell or "nan") for cell in cells]).reshape(-1, 1)

predicted = session.run(None, {asked.name: column(asked) for asked in session.get_inputs()})
print(predicted[0])
"""


def write(attempt: Attempt, dataset: Dataset, course: Course, saved: Saved, warnings: list[str]) -> str:
    """Write the page; its name comes back."""
    classified, kept = course.plan.task_type == CLASSIFICATION, course.kept
    shown, missing = _pictures(attempt, course)
    return summary.write(
        attempt,
        "training.html",
        attempt.say("title_training"),
        _origin(attempt, dataset, course, saved),
        passed=course.passed,
        verdict=attempt.say(VERDICTS[course.passed]),
        figure=_score(course, kept),
        figure_name=attempt.say("metric_accuracy" if classified else "metric_r2"),
        headlines=[*(_classified if classified else _numbered)(attempt, course), *_required(attempt, course)],
        meter=_meter(attempt, course),
        warnings=warnings,
        model_id=attempt.model_id,
        use=_use(attempt),
        onnx=_agreement(attempt, saved),
        snippet=SNIPPET,
        measures=summary.measures(attempt, kept.measured.metrics),
        pictures=shown,
        missing_pictures=missing,
        classes=kept.measured.classes,
        percent=percent,
        trainings=_trainings(attempt, course),
    )


def _score(course: Course, one: Trained) -> str:
    if math.isinf(one.measured.score):
        return "—"
    return percent(one.measured.score) if course.data.classes else f"{one.measured.score:.3f}"


def _classified(attempt: Attempt, course: Course) -> Iterator[str]:
    rows, score = len(course.data.y_test), course.kept.measured.score
    low, high = interval(score, rows)
    yield attempt.say("headline_accuracy", hits=str(round(score * rows)), rows=str(rows))
    yield attempt.say("headline_baseline", baseline=percent(course.kept.measured.baseline or 0.0))
    yield attempt.say("headline_interval", low=percent(low), high=percent(high))


def _numbered(attempt: Attempt, course: Course) -> Iterator[str]:
    found = course.kept.measured.metrics
    if found.get("r2", 0.0) > 0:
        yield attempt.say("headline_r2", share=percent(found["r2"]))
    elif "r2" in found:
        yield attempt.say("headline_r2_none")
    yield attempt.say("headline_mae", mae=plain(found["mae"]), baseline=plain(found["mae_of_average"]))


def _required(attempt: Attempt, course: Course) -> Iterator[str]:
    wanted = course.plan.threshold
    if wanted is not None:
        yield attempt.say("headline_required", threshold=percent(wanted) if course.data.classes else f"{wanted:.3g}")


def _meter(attempt: Attempt, course: Course) -> Meter:
    """A threshold is what the bar is held against; without one, what guessing would reach."""
    measured, wanted = course.kept.measured, course.plan.threshold
    value = min(1.0, max(0.0, measured.score))
    if wanted is not None:
        return Meter(value, course.passed, ((wanted, attempt.say("mark_required")),))
    guessing = measured.baseline
    return Meter(value, None, () if guessing is None else ((guessing, attempt.say("mark_baseline")),))


def interval(share: float, rows: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share that was counted in ``rows`` rows."""
    middle = (share + Z * Z / (2 * rows)) / (1 + Z * Z / rows)
    half = Z / (1 + Z * Z / rows) * math.sqrt(share * (1 - share) / rows + Z * Z / (4 * rows * rows))
    return max(0.0, middle - half), min(1.0, middle + half)


def _trainings(attempt: Attempt, course: Course) -> list[Fact]:
    kept = attempt.say("training_kept")
    return [Fact(str(one.seed), _score(course, one), kept if one is course.kept else "") for one in course.made]


def _use(attempt: Attempt) -> str:
    form = kinds.load()["inference"].form
    label = form.by_name["model_id"][0].label.say(attempt.language)
    return attempt.say("use_form", form=form.title.say(attempt.language), question=label)


def _agreement(attempt: Attempt, saved: Saved) -> str:
    same = attempt.say("use_numbers" if saved.proof.numbers else "use_labels")
    largest = f"{saved.proof.largest:.1g}"
    return attempt.say("use_onnx", rows=str(saved.proof.rows), agreement=same, largest=largest)


def _origin(attempt: Attempt, dataset: Dataset, course: Course, saved: Saved) -> list[Fact]:
    data = course.data
    counts = attempt.say("origin_rows", train=str(len(data.y_train)), test=str(len(data.y_test)))
    return [
        Fact(attempt.say("origin_dataset"), f"{dataset.id} ({counts})", f"sha256 {dataset.sha256}"),
        Fact(attempt.say("origin_seed"), str(course.kept.seed)),
        Fact(attempt.say("origin_model"), saved.model.path, f"sha256 {saved.model.sha256}"),
        Fact(attempt.say("origin_versions"), summary.listed(summary.versions("denpyo", *LIBRARIES))),
    ]


def _pictures(attempt: Attempt, course: Course) -> tuple[list[Picture], list[str]]:
    """The plots that can be drawn, and a sentence for each that cannot."""
    language = plots.language(attempt.language)
    label = partial(say, language=language)
    found = [
        _result_picture(attempt, course, label),
        _importance_picture(attempt, course, label),
        _loss_picture(attempt, course, label),
    ]
    return [one for one in found if isinstance(one, Picture)], [one for one in found if isinstance(one, str)]


def _picture(attempt: Attempt, name: str, source: str) -> Picture:
    return Picture(attempt.say(name), attempt.say(f"{name}_help"), source)


def _result_picture(attempt: Attempt, course: Course, label: Say) -> Picture | str:
    data, kept = course.data, course.kept
    if not data.classes:
        source = plots.predicted_against_true(data.y_test, kept.predicted, label)
        return _picture(attempt, "plot_true_against", source)
    if len(data.classes) > plots.MOST_CLASSES:
        return attempt.say("plot_no_confusion")
    names = [str(one) for one in data.classes]
    return _picture(attempt, "plot_confusion", plots.confusion(kept.measured.confusion, names, label))


def _importance_picture(attempt: Attempt, course: Course, label: Say) -> Picture | str:
    columns = [feature.name for feature in course.data.features.used]
    if len(columns) > MOST_COLUMNS_SHUFFLED:
        return attempt.say("plot_no_importance", most=str(MOST_COLUMNS_SHUFFLED))
    axis = label("plot_drop" if course.data.classes else "plot_rise")
    return _picture(attempt, "plot_importance", plots.importance(columns, _losses(course), axis))


def _losses(course: Course) -> Any:
    """How much worse the result is when a raw column is shuffled, measured on at most 300 test rows."""
    data, seed = course.data, course.plan.seed
    chosen = np.random.default_rng(seed).permutation(len(data.y_test))[:MOST_ROWS_SHUFFLED]
    found = permutation_importance(
        course.kept.pipeline,
        features.frame(data.test, data.features.used).iloc[chosen],
        data.y_test[chosen],
        scoring="accuracy" if data.classes else "neg_mean_absolute_error",
        n_repeats=SHUFFLES,
        random_state=seed,
    )
    return found.importances_mean


def _loss_picture(attempt: Attempt, course: Course, label: Say) -> Picture | None:
    curve = algorithms.loss_curve(course.kept.pipeline)
    return _picture(attempt, "plot_loss_curve", plots.loss(curve, label)) if len(curve) > 1 else None
