"""What a run reports: console lines, scalars, plots. services/events.py, bll/event/event_bll.py."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import Record, State, User, now

KINDS = ("training_stats_scalar", "training_stats_vector", "training_debug_image", "plot", "log")
SINGLE = -(2**31)
"""The iteration under which a single value is reported."""
MOST_IN_A_PAGE = 10_000
MOST_SAMPLES = 6000
"""Limits of apimodels/events.py, and of the search behind it."""


def add(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return add_batch(state, user, {"requests": [data]})


def add_batch(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Events of a task that is not there or is published are left out and counted; none left is a refusal, 131."""
    errors: dict[str, Any] = {}
    added = 0
    for event in data["requests"]:
        if fault := _fault(state, event):
            errors[fault] = errors.get(fault, 0) + 1
        else:
            _keep(state, user, dict(event))
            added += 1
    if not added:
        raise Refused("events_not_added", **errors)
    return {"added": added, "errors": sum(errors.values()), "errors_info": errors}


def _fault(state: State, event: Mapping[str, Any]) -> str:
    if event.get("type") not in KINDS:
        return f"Invalid event type {event.get('type')}"
    if event.get("model_event"):
        return "" if event["task"] in state.models else f"Invalid model id {event['task']}"
    task = state.tasks.get(event["task"])
    locked = task is not None and task["status"] in ("publishing", "published") and not event.get("allow_locked")
    return f"Invalid task id {event['task']}" if task is None or locked else ""


def _keep(state: State, user: User, event: Record) -> None:
    """A scalar or plot of the same iteration, metric and variant replaces the one before; console lines do not."""
    event.pop("allow_locked", None)
    event.setdefault("timestamp", int(time.time() * 1000))
    event.setdefault("metric", "")
    event.setdefault("variant", "")
    event["@timestamp"] = now()
    kept = state.events.setdefault(event["task"], [])
    if event["type"] != "log":
        kept[:] = [one for one in kept if one["type"] == "log" or _identity(one) != _identity(event)]
    kept.append(event)
    if task := state.tasks.get(event["task"]):
        at = now()
        task.update(last_update=at, last_change=at, last_changed_by=user.id)
        task["last_iteration"] = max(task["last_iteration"], event.get("iter") or 0)
        if event["type"] == "training_stats_scalar":
            _last(task["last_metrics"], event)


def _identity(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(event.get(one) for one in ("type", "iter", "metric", "variant", "key"))


def _last(metrics: Record, event: Mapping[str, Any]) -> None:
    """``last_metrics``: by the MD5 of the metric's name, then of the variant's."""
    variants = metrics.setdefault(_hash(event["metric"]), {})
    one = variants.setdefault(_hash(event["variant"]), {"metric": event["metric"], "variant": event["variant"]})
    value, iteration = event.get("value"), event.get("iter") or 0
    one["value"] = value
    for which, best in (("min", min), ("max", max)):
        old = one.get(f"{which}_value")
        if value is not None and (old is None or best(value, old) != old):
            one.update({f"{which}_value": value, f"{which}_value_iteration": iteration})


def _hash(name: str) -> str:
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def _of(state: State, task: str, *kinds: str) -> list[Record]:
    if task not in state.tasks and task not in state.models:
        state.task(task)
    return [one for one in state.events.get(task, []) if one["type"] in kinds]


def get_task_log(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """The latest first, unless ``navigate_earlier`` is false or ``order`` says otherwise; a page is at most 10,000."""
    events = sorted(_of(state, data["task"], "log"), key=lambda one: one["timestamp"])
    total, earlier, start = len(events), data.get("navigate_earlier", True), data.get("from_timestamp")
    if start is not None:
        events = [one for one in events if (one["timestamp"] < start if earlier else one["timestamp"] > start)]
    size = min(data.get("batch_size") or 5000, MOST_IN_A_PAGE)
    page = events[-size:][::-1] if earlier else events[:size]
    if data.get("order"):
        page = sorted(page, key=lambda one: one["timestamp"], reverse=data["order"] == "desc")
    return {"events": page, "returned": len(page), "total": total}


def scalar_metrics_iter_histogram(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """metric -> variant -> {name, x, y}; more than ``samples`` (2,000; at most 6,000) points are averaged in equal steps."""
    names = {one["metric"]: one.get("variants") for one in data.get("metrics", ())}
    series: dict[str, dict[str, list[Record]]] = {}
    for event in _of(state, data["task"], "training_stats_scalar"):
        wanted = not names or (
            event["metric"] in names and event["variant"] in (names[event["metric"]] or [event["variant"]])
        )
        if wanted and event.get("iter") != SINGLE:
            series.setdefault(event["metric"], {}).setdefault(event["variant"], []).append(event)
    key, samples = data.get("key") or "iter", data.get("samples", 2000)
    if not 1 <= samples <= MOST_SAMPLES:
        raise Refused("validation_error", f"samples: {samples} is not within 1 and {MOST_SAMPLES}")
    return {
        metric: {variant: {"name": variant, **_curve(events, key, samples)} for variant, events in variants.items()}
        for metric, variants in series.items()
    }


def _curve(events: Iterable[Record], key: str, samples: int) -> Record:
    points = sorted((one["iter"] if key == "iter" else one["timestamp"], one["value"]) for one in events)
    step = -(-len(points) // samples)
    parts = [points[start : start + step] for start in range(0, len(points), step)]
    return {"x": [one[0][0] for one in parts], "y": [fmean(value for _, value in one) for one in parts]}


def multi_task_scalar_metrics_iter_histogram(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """metric -> variant -> task -> {name, x, y}."""
    found: Record = {}
    for task in data["tasks"]:
        for metric, variants in scalar_metrics_iter_histogram(state, user, {**data, "task": task}).items():
            for variant, curve in variants.items():
                named = {**curve, "name": state.task(task)["name"]}
                found.setdefault(metric, {}).setdefault(variant, {})[task] = named
    return {"metrics": found}


def get_task_metrics(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """The kind of event is needed, whatever the SDK's schema says."""
    if not data.get("event_type"):
        raise Refused("validation_error", "event_type: field is required!")
    return {
        "metrics": [
            {
                "task": task,
                "metrics": sorted({one["metric"] for one in _of(state, task, data["event_type"]) if one["metric"]}),
            }
            for task in data["tasks"]
        ]
    }


def get_task_single_value_metrics(state: State, user: User, data: Mapping[str, Any]) -> Record:
    found = []
    for task in data["tasks"]:
        events = [one for one in _of(state, task, "training_stats_scalar") if one.get("iter") == SINGLE]
        values = [{key: one[key] for key in ("metric", "variant", "value", "timestamp")} for one in events]
        found.append({"task": task, "values": values})
    return {"tasks": found}


def get_task_latest_scalar_values(state: State, user: User, data: Mapping[str, Any]) -> Record:
    latest: dict[str, dict[str, list[float]]] = {}
    for event in _of(state, data["task"], "training_stats_scalar"):
        latest.setdefault(event["metric"], {}).setdefault(event["variant"], []).append(event["value"])
    return {
        "metrics": [
            {
                "name": metric,
                "variants": [
                    {"name": variant, "last_value": values[-1], "last_100_value": fmean(values[-100:])}
                    for variant, values in variants.items()
                ],
            }
            for metric, variants in latest.items()
        ]
    }


def get_scalar_metrics_and_variants(state: State, user: User, data: Mapping[str, Any]) -> Record:
    found: dict[str, list[str]] = {}
    for event in _of(state, data["task"], "training_stats_scalar"):
        found[event["metric"]] = sorted({*found.get(event["metric"], []), event["variant"]})
    return {"metrics": found}


def get_scalar_metric_data(state: State, user: User, data: Mapping[str, Any]) -> Record:
    events = [one for one in _of(state, data["task"], "training_stats_scalar") if one["metric"] == data.get("metric")]
    return _page(events[::-1], data)


def _page(events: list[Record], data: Mapping[str, Any]) -> Record:
    """The scroll's next events; a scroll without any is at its end."""
    start, size = int(data.get("scroll_id") or 0), min(data.get("batch_size") or 500, MOST_IN_A_PAGE)
    page = events[start : start + size]
    return {"events": page, "returned": len(page), "total": len(events), "scroll_id": str(start + len(page))}


def get_task_events(state: State, user: User, data: Mapping[str, Any]) -> Record:
    kinds = (data["event_type"],) if data.get("event_type") else KINDS
    events = sorted(_of(state, data["task"], *kinds), key=lambda one: one["timestamp"])
    return _page(events[::-1] if data.get("order") == "desc" else events, data)


def get_task_plots(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """The last ``iters`` (1) of each metric and variant."""
    newest: dict[tuple[str, str], list[Record]] = {}
    events = [] if data.get("scroll_id") else _of(state, data["task"], "plot")
    for event in sorted(events, key=lambda one: -(one.get("iter") or 0)):
        newest.setdefault((event["metric"], event["variant"]), []).append(event)
    plots = [one for found in newest.values() for one in found[: data.get("iters") or 1]]
    return {"plots": plots, "returned": len(plots), "total": len(plots), "scroll_id": "FFFF"}
