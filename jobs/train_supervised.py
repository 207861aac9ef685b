"""The workload ``train_supervised``: learn a target column from ``raw/train.csv`` and measure it on ``raw/test.csv``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from jobs import algorithms, asked, datasets, model_files, models, training, training_page
from jobs.datasets import Dataset
from jobs.features import MOST_CATEGORIES, Features
from jobs.outcome import Attempt, Done, Failed
from jobs.training import Course, DivergedError, Plan
from schema.dataset import MOST_NAMED, TEST, TRAIN, judge, named
from schema.job import Fault
from schema.problem import shown


def run(attempt: Attempt) -> Done | Failed:
    job: Any = attempt.request.job
    plan = _plan(job)
    dataset = datasets.load(job.dataset_id)
    if isinstance(dataset, list):
        return attempt.refused(dataset)
    faults = judge(dataset.lines(TRAIN), dataset.lines(TEST), plan.target, plan.task_type)
    if faults:
        return attempt.refused(faults)
    data = training.rows(dataset.table(TRAIN), dataset.table(TEST), plan)
    if not data.features.used:
        return attempt.refused([Fault("no_features", "dataset_id", {"column": plan.target})])
    try:
        course = training.train(plan, data)
    except DivergedError:
        return attempt.failed("reason_diverged")
    return _finish(attempt, dataset, course)


def _plan(job: Any) -> Plan:
    return Plan(
        target=job.target,
        task_type=job.task_type,
        algorithm=job.algorithm,
        settings=job.hyperparameters.model_dump(),
        threshold=job.evaluation_threshold,
        max_retry=job.max_retry,
        seed=job.seed,
    )


def _finish(attempt: Attempt, dataset: Dataset, course: Course) -> Done | Failed:
    saved = model_files.save(attempt, dataset, course)
    if isinstance(saved, Failed):
        return saved
    warnings = list(_warnings(attempt, course))
    return Done(
        metrics={**course.kept.measured.metrics, "trainings": len(course.made)},
        passed=course.passed,
        model=saved.model,
        summary=training_page.write(attempt, dataset, course, saved, warnings),
        artifacts=tuple(f"{models.FOLDER}/{name}" for name in (models.ONNX, models.JOBLIB, models.CARD)),
        warnings=tuple(warnings),
        dataset_sha256=dataset.sha256,
        seed=course.kept.seed,
        series=_series(course),
    )


def _series(course: Course) -> dict[str, list[float]]:
    """The score of every training where there were several, and the loss after every pass of the one that was kept."""
    name = "accuracy" if course.data.classes else "r2"
    scores = [one.measured.score for one in course.made]
    losses = [float(one) for one in algorithms.loss_curve(course.kept.pipeline)]
    return {**({name: scores} if len(scores) > 1 else {}), **({"loss": losses} if len(losses) > 1 else {})}


def _warnings(attempt: Attempt, course: Course) -> Iterator[str]:
    """What the person should know beside the figures, in their language."""
    kept, features = course.kept, course.data.features
    if not kept.converged:
        setting = asked.question(attempt, "hyperparameters.max_iter").label.say(attempt.language)
        yield attempt.say("warn_not_converged", setting=setting, value=str(course.plan.settings["max_iter"]))
    if len(course.made) > 1:
        yield attempt.say("warn_best_of", count=str(len(course.made)))
    if course.stopped_early:
        yield attempt.say("warn_no_retry")
    if math.isinf(kept.measured.score):
        yield attempt.say("warn_no_r2")
    for name, columns in (("warn_empty_columns", features.empty), ("warn_crowded_columns", features.crowded)):
        if columns:
            yield attempt.say(name, columns=", ".join(named(columns)), most=str(MOST_CATEGORIES))
    yield from _stray_warnings(attempt, features)
    yield from (attempt.say("warn_library", text=text) for text in kept.remarks)


def _stray_warnings(attempt: Attempt, features: Features) -> Iterator[str]:
    for one in features.strays[:MOST_NAMED]:
        facts = {"column": shown(one.column), "row": str(one.row), "file": TRAIN, "text": shown(one.text)}
        yield attempt.say("warn_stray_text", **facts)
