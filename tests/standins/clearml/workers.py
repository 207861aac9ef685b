"""Workers and what they report of their machines: bll/workers/__init__.py and stats.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Any

from tests.standins.clearml import queues
from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import COMPANY, Record, State, User, age, now

SILENT_AFTER = 600
"""Seconds after which a worker is forgotten, unless it registers with a ``timeout``."""
_OVER: dict[str, Callable[[list[float]], float]] = {"avg": fmean, "min": min, "max": max}


def register(state: State, user: User, data: Mapping[str, Any]) -> Record:
    for queue in data.get("queues") or ():
        if queue not in state.queues:
            raise Refused("invalid_queue_id", ids=[queue])
    state.workers[data["worker"]] = {
        "id": data["worker"],
        "user": user.id,
        "queues": list(data.get("queues") or ()),
        "tags": list(data.get("tags") or ()),
        "system_tags": list(data.get("system_tags") or ()),
        "register_time": now(),
        "last_activity_time": now(),
        "timeout": data.get("timeout") or SILENT_AFTER,
    }
    return {}


def unregister(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Who never registered is no error (apiserver.workers.auto_unregister)."""
    state.workers.pop(data["worker"], None)
    return {}


def status_report(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Who never registered is registered (apiserver.workers.auto_register); a task that is named gets this worker as its last."""
    worker = state.workers.get(data["worker"])
    if worker is None:
        register(state, user, {key: data[key] for key in ("worker", "queues", "tags") if key in data})
        worker = state.workers[data["worker"]]
    worker.update(last_activity_time=now(), queue=data.get("queue"), task=data.get("task"))
    worker.update({key: data[key] for key in ("queues", "tags", "system_tags") if data.get(key)})
    if data.get("task"):
        state.task(data["task"]).update(last_worker=data["worker"], last_worker_report=now(), last_update=now())
    if data.get("machine_stats"):
        state.statistics.append({"worker": data["worker"], "at": data["timestamp"] / 1000, **data["machine_stats"]})
    worker["last_report_time"] = now()
    return {}


def get_all(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Those who were heard of within ``last_seen`` seconds, and within their own time limit."""
    seen = data.get("last_seen") or 0
    alive = [one for one in queues.alive(state) if not seen or age(one["last_activity_time"]) <= max(1, seen)]
    return {"workers": [_answered(state, one) for one in alive]}


def _answered(state: State, worker: Record) -> Record:
    task = state.tasks.get(worker.get("task") or "")
    return {
        **{key: worker[key] for key in ("id", "tags", "system_tags", "register_time", "last_activity_time")},
        **{key: worker[key] for key in ("last_report_time",) if key in worker},
        "key": f"worker_{COMPANY}_{worker['user']}_{worker['id']}",
        "ip": "127.0.0.1",
        "user": {"id": worker["user"], "name": state.user(worker["user"]).name},
        "company": {"id": COMPANY, "name": "stand-in"},
        "queues": [_queue(state, one) for one in worker["queues"] if one in state.queues],
        **({"queue": _queue(state, worker["queue"])} if worker.get("queue") in state.queues else {}),
        **(
            {"task": {"id": task["id"], "name": task["name"], "last_iteration": task["last_iteration"]}} if task else {}
        ),
    }


def _queue(state: State, queue: str) -> Record:
    found = state.queues[queue]
    following = [{"id": one["task"], "name": state.tasks[one["task"]]["name"]} for one in found["entries"][:1]]
    return {
        "id": queue,
        "name": found["name"],
        "num_tasks": len(found["entries"]),
        **({"next_task": following[0]} if following else {}),
    }


def get_metric_keys(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Categories are what stands before the first "_": gpu_usage is of "gpu"."""
    keys = {key for one in _reports(state, data) for key in one if key not in ("worker", "at")}
    categories = sorted({one.partition("_")[0] for one in keys})
    return {
        "categories": [
            {"name": one, "metric_keys": sorted(key for key in keys if key.startswith(one))} for one in categories
        ]
    }


def get_stats(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """One value an interval, over everything a worker reported in it; a figure per GPU is averaged over the GPUs."""
    reports = [one for one in _reports(state, data) if data["from_date"] <= one["at"] <= data["to_date"]]
    workers = dict.fromkeys(one["worker"] for one in reports)
    return {
        "workers": [
            {
                "worker": worker,
                "metrics": [_metric([one for one in reports if one["worker"] == worker], item, data) for item in items],
            }
            for items in [data["items"]]
            for worker in workers
        ]
    }


def _reports(state: State, data: Mapping[str, Any]) -> list[Record]:
    return [one for one in state.statistics if not data.get("worker_ids") or one["worker"] in data["worker_ids"]]


def _metric(reports: list[Record], item: Mapping[str, Any], data: Mapping[str, Any]) -> Record:
    interval, key = max(1, data["interval"]), item.get("key") or ""
    buckets: dict[int, list[float]] = {}
    for report in (one for one in reports if one.get(key) is not None):
        value = report[key]
        start = int(data["from_date"] + (report["at"] - data["from_date"]) // interval * interval)
        buckets.setdefault(start, []).append(fmean(value) if isinstance(value, list) else value)
    over = str(item.get("category") or "avg")
    values = [float(_OVER[over](one)) for one in buckets.values()]
    return {"metric": key, "dates": list(buckets), "stats": [{"aggregation": over, "values": values}]}
