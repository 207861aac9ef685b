"""What a task may become, and what becomes of its place in a queue: bll/task/utils.py, task_operations.py, task_bll.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.standins.clearml import queues
from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import Record, State, User, age, now
from tests.standins.clearml.tasks import changed

Call = Callable[[State, User, Mapping[str, Any]], Record]

ALLOWED: dict[str, set[str]] = {
    "created": {"queued", "in_progress"},
    "queued": {"created", "in_progress", "stopped"},
    "in_progress": {"stopped", "failed", "created", "completed"},
    "stopped": {"closed", "created", "failed", "queued", "in_progress", "published", "publishing", "completed"},
    "closed": {"created", "failed", "published", "publishing", "stopped"},
    "failed": {"created", "stopped", "published", "queued"},
    "publishing": {"published"},
    "published": set(),
    "completed": {"published", "in_progress", "created"},
}
"""bll/task/utils.py: state_machine. What is already there may always be asked for again."""
A_WORKER_IS_SILENT = 600.0
"""Seconds after which a task counts as run by nobody: apiserver.workers.task_update_timeout."""
_GONE_AFTER_RESET = ("started", "completed", "published", "active_duration", "last_worker", "last_worker_report")


def become(user: User, task: Record, status: str, data: Mapping[str, Any], **more: Any) -> Record:
    """Reason and message are those of the call, also when it has none; a queued task is no longer "development"."""
    current = task["status"]
    if not data.get("force") and status != current and status not in ALLOWED[current]:
        raise _not_allowed(current, status)
    texts = {key: data.get(key) or "" for key in ("status_reason", "status_message")}
    fields = {"status": status, **texts, "status_changed": now(), **changed(task, user), **more}
    task.update(fields)
    if status == "queued":
        task["system_tags"] = [one for one in task["system_tags"] if one != "development"]
    return {"updated": 1, "fields": {key: value for key, value in fields.items() if value is not None}}


def _not_allowed(current: str, new: str) -> Refused:
    return Refused("invalid_task_status", "Invalid status change", current_status=current, new_status=new)


def _to(status: str, **more: Callable[[], Any]) -> Call:
    def call(state: State, user: User, data: Mapping[str, Any]) -> Record:
        return become(user, state.task(data["task"]), status, data, **{key: value() for key, value in more.items()})

    return call


stopped, failed, close = _to("stopped", completed=now), _to("failed", completed=now), _to("closed")


def completed(state: State, user: User, data: Mapping[str, Any]) -> Record:
    done = become(user, state.task(data["task"]), "completed", data, completed=now())
    if data.get("publish"):
        done["published"] = publish(state, user, data)["updated"]
    return done


def started(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Asked again while it runs, the first time of start stays."""
    task = state.task(data["task"])
    at = task["started"] if task["status"] == "in_progress" and task.get("started") else now()
    return {**become(user, task, "in_progress", data, started=at, completed=None, active_duration=None), "started": 1}


def publish(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Not twice: here what is already published is no exception."""
    task = state.task(data["task"])
    if not data.get("force") and task["status"] == "published":
        raise _not_allowed("published", "published")
    done = become(user, task, "published", data, published=now())
    for item in task["models"]["output"][-1:]:
        if item["model"] in state.models and data.get("publish_model", True):
            state.models[item["model"]]["ready"] = True
    return done


def enqueue(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A queue that is named and not there is made. Who is queued already is refused with 706 after its status was written again.

    created, stopped, failed and queued tasks may be enqueued, archived ones too; in another queue a task is in no other.
    """
    if data.get("queue") and data.get("queue_name"):
        raise Refused("validation_error", "Either queue id or queue name should be provided")
    task = state.task(data["task"])
    queue = _asked_queue(state, data)
    before = task["status"]
    if before == "queued" and state.enqueue_status.get(task["id"]):
        before = str(state.enqueue_status[task["id"]])
    was = task["status"]
    done = become(user, task, "queued", data)
    state.enqueue_status[task["id"]] = before
    try:
        queues.put(state, queue, task["id"])
    except Refused:
        become(user, task, was, {"force": True, "status_reason": "failed enqueueing"})
        state.enqueue_status[task["id"]] = None
        raise
    task["execution"]["queue"] = done["fields"]["execution.queue"] = queue
    queues.take_out(state, task["id"], but=queue)
    watched = {"queue_watched": queues.watched(state, queue)} if data.get("verify_watched_queue") else {}
    return {"queued": 1, **done, **watched}


def _asked_queue(state: State, data: Mapping[str, Any]) -> str:
    if data.get("queue_name"):
        return queues.queue_called(state, data["queue_name"])
    return str(state.queue(data["queue"])["id"]) if data.get("queue") else str(queues.default(state)["id"])


def dequeue(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"dequeued": 1, **_dequeued(state, user, state.task(data["task"]), data)}


def _dequeued(state: State, user: User, task: Record, data: Mapping[str, Any], running_becomes: str = "") -> Record:
    """Out of its queue, and what it was before; what is neither queued nor running stays as it is (dequeue_and_change_status)."""
    queue = task["execution"].get("queue")
    if task["status"] == "queued" and queue in state.queues:
        queues.take_out(state, task["id"], only=queue)
    if data.get("remove_from_all_queues"):
        queues.take_out(state, task["id"])
    if task["status"] not in ("queued", "in_progress"):
        return {"updated": 0}
    running = running_becomes if task["status"] == "in_progress" else ""
    new = running or data.get("new_status") or state.enqueue_status.get(task["id"]) or "created"
    state.enqueue_status[task["id"]] = None
    return become(user, task, new, {**data, "force": True})


def stop(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A queued task, one in development and one that no worker runs are stopped; of others the message becomes "stopping"."""
    task = state.task(data["task"])
    by_worker = bool(task.get("last_worker")) and age(task["last_update"]) < A_WORKER_IS_SILENT
    asked = {"force": data.get("force"), "status_reason": data.get("status_reason")}
    if task["status"] != "queued" and by_worker and "development" not in task["system_tags"]:
        return become(user, task, task["status"], {**asked, "status_message": "stopping"})
    queue = task["execution"].get("queue") if task["status"] == "queued" else None
    done = become(user, task, "stopped", {**asked, "status_message": f"Stopped by {user.name}"})
    if queue:
        queues.take_out(state, task["id"], only=queue)
    return done


def reset(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A draft again, without what a run left: metrics, console, output models and artifacts, runtime, dates, worker, queue."""
    task = state.task(data["task"])
    if not data.get("force") and task["status"] == "published":
        raise Refused("invalid_task_status", task_id=task["id"], status=task["status"])
    done = become(
        user, task, "created", {"force": data.get("force"), "status_reason": "reset", "status_message": "reset"}
    )
    queues.take_out(state, task["id"])
    state.events.pop(task["id"], None)
    state.enqueue_status.pop(task["id"], None)
    for item in task["models"]["output"]:
        state.models.pop(item["model"], None)
    task["execution"].pop("queue", None)
    if task["execution"].get("artifacts"):
        task["execution"]["artifacts"] = [one for one in task["execution"]["artifacts"] if one.get("mode") == "input"]
    if data.get("clear_all"):
        task["execution"], task["script"] = {}, {}
    task.update(last_iteration=0, last_metrics={}, runtime={}, models={**task["models"], "output": []})
    task.update(dict.fromkeys(_GONE_AFTER_RESET))
    return {"dequeued": {}, "deleted_models": 0, **done}


def archive(state: State, user: User, task: Record, data: Mapping[str, Any]) -> None:
    """Out of every queue; what was queued is what it was before, what ran is stopped (task_operations.py: archive_task)."""
    _dequeued(
        state, user, task, {**data, "remove_from_all_queues": True, "new_status": None}, running_becomes="stopped"
    )
    task.update(status_message=data.get("status_message") or "", status_reason=data.get("status_reason") or "")
    task["system_tags"] = sorted({*task["system_tags"], "archived"})
    changed(task, user, update=False)


def unarchive(state: State, user: User, task: Record, data: Mapping[str, Any]) -> None:
    task.update(status_message=data.get("status_message") or "", status_reason=data.get("status_reason") or "")
    task["system_tags"] = [one for one in task["system_tags"] if one != "archived"]
    changed(task, user, update=False)


def delete(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = state.task(data["task"])
    if task["status"] != "created" and "archived" not in task["system_tags"] and not data.get("force"):
        raise Refused(
            "task_cannot_be_deleted",
            "due to status, use force=True",
            task=task["id"],
            expected="created",
            current=task["status"],
        )
    queues.take_out(state, task["id"])
    state.events.pop(task["id"], None)
    del state.tasks[task["id"]]
    return {"deleted": True}
