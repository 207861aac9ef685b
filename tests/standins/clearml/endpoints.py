"""Every endpoint that the stand-in answers, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tests.standins.clearml import access, events, models, projects, queues, status, tasks, workers
from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import Record, State, User

Endpoint = Callable[[State, User, Mapping[str, Any]], Record]


def _many(
    call: Endpoint, state: State, user: User, data: Mapping[str, Any], about: Callable[[Record], Record]
) -> Record:
    """The same call for each id: what is refused stands beside what succeeded, and nothing is undone (run_batch_operation)."""
    done: Record = {"succeeded": [], "failed": []}
    for one in data["ids"]:
        try:
            answer = call(state, user, {**{key: value for key, value in data.items() if key != "ids"}, "task": one})
        except Refused as refusal:
            error = {"codes": [refusal.status, refusal.subcode], "msg": str(refusal), "data": refusal.data}
            done["failed"].append({"id": one, "error": error})
        else:
            done["succeeded"].append({"id": one, **about(answer)})
    return done


def _archive(state: State, user: User, data: Mapping[str, Any]) -> Record:
    status.archive(state, user, state.task(data["task"]), data)
    return {"archived": True}


def _unarchive(state: State, user: User, data: Mapping[str, Any]) -> Record:
    status.unarchive(state, user, state.task(data["task"]), data)
    return {"unarchived": True}


def _archive_tasks(state: State, user: User, data: Mapping[str, Any]) -> Record:
    for one in data["tasks"]:
        _archive(state, user, {**data, "task": one})
    return {"archived": len(data["tasks"])}


def _enqueue_many(state: State, user: User, data: Mapping[str, Any]) -> Record:
    done = _many(status.enqueue, state, user, data, lambda one: {"queued": True, "updated": 1, "fields": one["fields"]})
    if data.get("verify_watched_queue") and done["succeeded"]:
        done["queue_watched"] = queues.watched(state, done["succeeded"][0]["fields"]["execution.queue"])
    return done


def _update_tags(state: State, user: User, data: Mapping[str, Any]) -> Record:
    for task in map(state.task, data["ids"]):
        left = set(task["tags"]) - set(data.get("remove_tags") or ())
        tasks.update(state, user, {"task": task["id"], "tags": sorted(left | set(data.get("add_tags") or ()))})
        task["tags"] = sorted(left | set(data.get("add_tags") or ()))
    return {"updated": len(data["ids"])}


def _edit_runtime(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = tasks.writable(state, data["task"], force=True)
    task["runtime"].update(data.get("add_or_update") or {})
    for name in data.get("remove") or ():
        task["runtime"].pop(name, None)
    tasks.changed(task, user)
    return {"updated": 1}


def _set_requirements(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = state.task(data["task"])
    if not task.get("script"):
        raise Refused("missing_task_fields", "Task has no script field", task=task["id"])
    task["script"]["requirements"] = data["requirements"]
    tasks.changed(task, user)
    return {"updated": 1, "fields": {"script.requirements": data["requirements"]}}


def _move(state: State, user: User, data: Mapping[str, Any]) -> Record:
    if not data.get("project") and not data.get("project_name"):
        raise Refused("missing_required_fields", "project or project_name is required")
    project = data.get("project") or projects.project_called(state, user, data["project_name"])
    for one in data["ids"]:
        state.task(one)["project"] = project
    return {"project_id": project}


def _ping(state: State, user: User, data: Mapping[str, Any]) -> Record:
    if data["task"] in state.tasks:
        tasks.changed(state.tasks[data["task"]], user)
    return {}


ENDPOINTS: dict[str, Endpoint] = {
    "auth.login": access.login,
    "users.get_all": access.get_all_users,
    "users.get_by_id": access.get_user_by_id,
    "users.get_current_user": access.get_current_user,
    "server.info": access.server_info,
    "server.config": lambda state, user, data: {},
    "projects.create": projects.create,
    "projects.get_all": projects.get_all,
    "projects.get_by_id": projects.get_by_id,
    "projects.update": projects.update,
    "tasks.create": tasks.create,
    "tasks.clone": tasks.clone,
    "tasks.get_all": tasks.get_all,
    "tasks.get_by_id": tasks.get_by_id,
    "tasks.edit": tasks.edit,
    "tasks.update": tasks.update,
    "tasks.update_tags": _update_tags,
    "tasks.edit_runtime": _edit_runtime,
    "tasks.set_requirements": _set_requirements,
    "tasks.move": _move,
    "tasks.ping": _ping,
    "tasks.get_hyper_params": tasks.get_hyper_params,
    "tasks.edit_hyper_params": tasks.edit_hyper_params,
    "tasks.delete_hyper_params": tasks.delete_hyper_params,
    "tasks.get_configurations": tasks.get_configurations,
    "tasks.get_configuration_names": tasks.get_configuration_names,
    "tasks.edit_configuration": tasks.edit_configuration,
    "tasks.delete_configuration": tasks.delete_configuration,
    "tasks.add_or_update_artifacts": models.add_or_update_artifacts,
    "tasks.delete_artifacts": models.delete_artifacts,
    "tasks.add_or_update_model": models.add_or_update_model,
    "tasks.delete_models": models.delete_models,
    "tasks.enqueue": status.enqueue,
    "tasks.enqueue_many": _enqueue_many,
    "tasks.dequeue": status.dequeue,
    "tasks.dequeue_many": partial(_many, status.dequeue, about=lambda one: {**one, "dequeued": True}),
    "tasks.started": status.started,
    "tasks.stop": status.stop,
    "tasks.stop_many": partial(_many, status.stop, about=lambda one: one),
    "tasks.stopped": status.stopped,
    "tasks.failed": status.failed,
    "tasks.completed": status.completed,
    "tasks.close": status.close,
    "tasks.publish": status.publish,
    "tasks.publish_many": partial(_many, status.publish, about=lambda one: one),
    "tasks.reset": status.reset,
    "tasks.delete": status.delete,
    "tasks.delete_many": partial(_many, status.delete, about=lambda one: one),
    "tasks.archive": _archive_tasks,
    "tasks.archive_many": partial(_many, _archive, about=lambda one: one),
    "tasks.unarchive_many": partial(_many, _unarchive, about=lambda one: one),
    "queues.create": queues.create,
    "queues.get_all": queues.get_all,
    "queues.get_by_id": queues.get_by_id,
    "queues.get_default": queues.get_default,
    "queues.get_num_entries": queues.get_num_entries,
    "queues.peek_task": queues.peek_task,
    "queues.get_next_task": queues.get_next_task,
    "queues.add_task": queues.add_task,
    "queues.remove_task": queues.remove_task,
    "queues.delete": queues.delete,
    "queues.update": queues.update,
    "workers.register": workers.register,
    "workers.unregister": workers.unregister,
    "workers.status_report": workers.status_report,
    "workers.get_all": workers.get_all,
    "workers.get_metric_keys": workers.get_metric_keys,
    "workers.get_stats": workers.get_stats,
    "models.create": models.create,
    "models.edit": models.edit,
    "models.update": models.update,
    "models.get_by_id": models.get_by_id,
    "models.get_all": models.get_all,
    "models.set_ready": models.set_ready,
    "models.add_or_update_metadata": models.add_or_update_metadata,
    "models.delete": models.delete,
    "events.add": events.add,
    "events.add_batch": events.add_batch,
    "events.get_task_log": events.get_task_log,
    "events.scalar_metrics_iter_histogram": events.scalar_metrics_iter_histogram,
    "events.multi_task_scalar_metrics_iter_histogram": events.multi_task_scalar_metrics_iter_histogram,
    "events.get_task_metrics": events.get_task_metrics,
    "events.get_task_single_value_metrics": events.get_task_single_value_metrics,
    "events.get_task_latest_scalar_values": events.get_task_latest_scalar_values,
    "events.get_scalar_metrics_and_variants": events.get_scalar_metrics_and_variants,
    "events.get_scalar_metric_data": events.get_scalar_metric_data,
    "events.get_task_events": events.get_task_events,
    "events.get_task_plots": events.get_task_plots,
}
