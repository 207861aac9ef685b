"""Queues, and the workers that watch them: bll/queue/queue_bll.py, bll/workers/__init__.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.standins.clearml.errors import Refused
from tests.standins.clearml.search import Options, find
from tests.standins.clearml.state import COMPANY, Record, State, User, age, named, new_id, now, tagged

SEARCHED = Options()


def create(state: State, user: User, data: Mapping[str, Any]) -> Record:
    tagged(data.get("tags"), data.get("system_tags"))
    name = named(data["name"])
    if any(one["name"] == name for one in state.queues.values()):
        raise Refused("expected_unique_data", name=name, company=COMPANY)
    return {"id": _made(state, name, data.get("tags"), data.get("system_tags"))["id"]}


def _made(state: State, name: str, tags: list[str] | None = None, system_tags: list[str] | None = None) -> Record:
    at = now()
    queue: Record = {
        "id": new_id(),
        "name": name,
        "company": COMPANY,
        "created": at,
        "last_update": at,
        "tags": tags or [],
        "system_tags": system_tags or [],
        "entries": [],
    }
    state.queues[queue["id"]] = queue
    return queue


def queue_called(state: State, name: str) -> str:
    """The id of the queue of this name, which is made where it is not there."""
    found = next((one for one in state.queues.values() if one["name"] == name), None)
    return str((found or _made(state, named(name)))["id"])


def default(state: State) -> Record:
    found = [one for one in state.queues.values() if "default" in one["system_tags"]]
    if not found:
        raise Refused("no_default_queue")
    return found[0]


def put(state: State, queue: str, task: str) -> None:
    """At the end; a task that is in this queue is refused with 706."""
    found = state.queue(queue)
    if any(one["task"] == task for one in found["entries"]):
        raise Refused("task_already_queued", task=task)
    found["entries"].append({"task": task, "added": now()})
    found["last_update"] = now()


def take_out(state: State, task: str, *, but: str | None = None, only: str | None = None) -> int:
    taken = 0
    for queue in state.queues.values():
        if queue["id"] != but and (only is None or queue["id"] == only):
            left = [one for one in queue["entries"] if one["task"] != task]
            taken += len(queue["entries"]) - len(left)
            queue["entries"] = left
    return taken


def watched(state: State, queue: str) -> bool:
    return any(queue in one["queues"] for one in alive(state))


def get_all(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"queues": find(state.queues.values(), data, SEARCHED)}


def get_by_id(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"queue": state.queue(data["queue"])}


def get_default(state: State, user: User, data: Mapping[str, Any]) -> Record:
    found = default(state)
    return {"id": found["id"], "name": found["name"]}


def get_num_entries(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"num": len(state.queue(data["queue"])["entries"])}


def peek_task(state: State, user: User, data: Mapping[str, Any]) -> Record:
    entries = state.queue(data["queue"])["entries"]
    return {"task": entries[0]["task"] if entries else None}


def get_next_task(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """The first entry, which leaves the queue; nothing at all when it is empty. A stopped task is queued again (services/queues.py)."""
    entries = state.queue(data["queue"])["entries"]
    if not entries or (data.get("task") and entries[0]["task"] != data["task"]):
        return {}
    entry = entries.pop(0)
    task = state.tasks.get(entry["task"])
    if task and task["status"] == "stopped":
        task["status"] = "queued"
    info = (
        {"task_info": {"company": task["company"], "user": task["user"]}} if task and data.get("get_task_info") else {}
    )
    return {"entry": entry, **info}


def add_task(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Into the queue, whatever the status of the task."""
    put(state, data["queue"], data["task"])
    return {"added": 1}


def remove_task(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Out of the queue; the task stays "queued"."""
    taken = take_out(state, data["task"], only=data["queue"]) if data["queue"] in state.queues else 0
    if not taken:
        raise Refused("invalid_queue_or_task_not_queued", task=data["task"], id=data["queue"], company=COMPANY)
    return {"removed": taken}


def delete(state: State, user: User, data: Mapping[str, Any]) -> Record:
    queue = state.queue(data["queue"])
    if queue["entries"] and not data.get("force"):
        raise Refused("queue_not_empty", "use force=true to delete", id=queue["id"])
    del state.queues[queue["id"]]
    return {"deleted": 1}


def update(state: State, user: User, data: Mapping[str, Any]) -> Record:
    queue = state.queue(data["queue"])
    tagged(data.get("tags"), data.get("system_tags"))
    fields = {key: data[key] for key in ("name", "tags", "system_tags") if key in data}
    queue.update(fields)
    return {"updated": int(bool(fields)), "fields": fields}


def alive(state: State) -> list[Record]:
    """The workers that were heard of within their own time limit."""
    return [one for one in state.workers.values() if age(one["last_activity_time"]) < one["timeout"]]
