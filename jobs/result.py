"""What ``result.json`` holds: how a run ended, what it found, and what it came from."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from jobs import origin
from jobs.attempt import denpyo_version
from jobs.outcome import Done, Failed
from jobs.texts import say
from schema.problem import Problem, shown
from schema.run_result import is_metric
from schema.words import languages


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def result(ended: Done | Failed, language: str, started_at: str, changed: Sequence[str]) -> dict[str, Any]:
    """``reason``, ``problems`` and ``warnings`` are in the person's language; ``reasons`` and ``messages`` in every language.

    ``commit`` is that of the checkout which ran, ``lock_sha256`` that of the lock file its libraries were installed from; each is
    null where it is not known.
    """
    return {
        "state": "failed",
        "metrics": {},
        "series": {},
        "passed": None,
        "model": None,
        "summary": None,
        "artifacts": list(ended.artifacts),
        "changes": list(changed),
        "warnings": [],
        "problems": [],
        "reason": None,
        "reasons": {},
        "dataset_sha256": None,
        "seed": None,
        "source": ended.source,
        "commit": origin.commit(),
        "lock_sha256": origin.lock_sha256(),
        "denpyo": denpyo_version(),
        "python": platform.python_version(),
        "started_at": started_at,
        "ended_at": now(),
        **(_done(ended, language) if isinstance(ended, Done) else _failed(ended, language)),
    }


def _done(ended: Done, language: str) -> dict[str, Any]:
    metrics = {name: value for name, value in ended.metrics.items() if is_metric(value)}
    left_out = [shown(name) for name in ended.metrics if name not in metrics]
    warning = [say("warn_metrics", language, names=", ".join(left_out))] if left_out else []
    return {
        "state": "done",
        "metrics": metrics,
        "series": {name: list(values) for name, values in ended.series.items() if all(map(is_metric, values))},
        "passed": ended.passed,
        "model": asdict(ended.model) if ended.model else None,
        "summary": ended.summary,
        "warnings": [*ended.warnings, *warning],
        "dataset_sha256": ended.dataset_sha256,
        "seed": ended.seed,
    }


def _failed(ended: Failed, language: str) -> dict[str, Any]:
    return {
        "reason": ended.reason,
        "reasons": dict(ended.reasons),
        "problems": [_problem(one, language) for one in ended.problems],
    }


def _problem(problem: Problem, language: str) -> Mapping[str, Any]:
    return {
        "code": problem.code,
        "question": problem.question,
        "message": problem.message(language),
        "where": shown(str(problem.where), 300),
        "messages": {one: problem.message(one) for one in languages()},
    }
