"""The tasks of runs on a ClearML server: found by the tag of their run, given their ticket, put into queues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from submit.engines import EngineDownError, clearml_task
from submit.engines.clearml_server import Server, ServerError

PAGE = 500
"""How many tasks the server lists in one answer."""
LOOKED_AT = ["id", "status", "status_changed", "system_tags", "tags", "project", "hyperparams.properties"]


def write_ticket(there: Server, task: str, ticket: str | None = None) -> None:
    """The task's own id among its user properties: a copy has another id, and is not the desk's."""
    given = clearml_task.property_of("ticket", task if ticket is None else ticket)
    there.call("tasks.edit_hyper_params", task=task, hyperparams=[given])


def put_into(there: Server, queue: str, tasks: Mapping[str, str]) -> tuple[bool, dict[str, str]]:
    """Put the drafts of these runs into a queue, which is made if it is not there; whether an agent takes from it, and which runs were
    refused and why. One that somebody else has moved on meanwhile (400/110, 400/706) is left as it is: the next look tells its state."""
    try:
        answer = there.call("tasks.enqueue_many", ids=list(tasks.values()), queue_name=queue, verify_watched_queue=True)
    except ServerError as error:
        return True, {run: f"{run}: {error}" for run in tasks}
    runs, refused = {task: run for run, task in tasks.items()}, {}
    for failed in answer.get("failed") or ():
        why, run = failed.get("error") or {}, runs.get(failed.get("id"), "")
        code, subcode = (*(why.get("codes") or ()), 0, 0)[:2]
        if run and (code, subcode) not in clearml_task.MOVED_ON:
            refused[run] = f"{run}: {ServerError('tasks.enqueue_many', code, subcode, str(why.get('msg', '')))}"
    return bool(answer.get("queue_watched", True)), refused


def tasks_of(there: Server, runs: Iterable[str], fields: Sequence[str] = LOOKED_AT) -> dict[str, dict[str, Any]]:
    """The task of each run that has one. A copy that somebody made of it carries its tags too, but another's ticket."""
    wanted, found = list(runs), dict[str, dict[str, Any]]()
    for start in range(0, len(wanted), PAGE):
        tags = [f"run:{run}" for run in wanted[start : start + PAGE]]
        for task in listed(there, fields, tags=tags, order_by=["created"]):
            run = next((tag[4:] for tag in task.get("tags", ()) if tag in tags), "")
            mine = ("", task["id"], clearml_task.taken_back(task["id"]))
            if run and run not in found and clearml_task.property_in(task, "ticket") in mine:
                found[run] = task
    return found


def listed(there: Server, fields: Sequence[str], **which: Any) -> Iterator[dict[str, Any]]:
    for number in count():
        asked = {"only_fields": list(fields), "page": number, "page_size": PAGE, "search_hidden": True}
        tasks = there.call("tasks.get_all", **which, **asked).get("tasks", ())
        yield from tasks
        if len(tasks) < PAGE:
            return


def unless_moved_on(there: Server, name: str, /, **asked: Any) -> bool:
    try:
        there.call(name, **asked)
    except ServerError as error:
        if (error.code, error.subcode) not in clearml_task.MOVED_ON:
            raise
        return False
    return True


def page(there: Server, task: Mapping[str, Any]) -> str:
    return f"{there.web}/projects/{_id(task['project'])}/tasks/{task['id']}/output/log"


def _id(project: Any) -> str:
    return str(project["id"] if isinstance(project, Mapping) else project)


def project_id(there: Server, name: str) -> str:
    """The id of a project, which is made where it is not there; two who make it at once get the same (400/801)."""
    for _ in range(2):
        found = there.call("projects.get_all", name=f"^{re.escape(name)}$", only_fields=["id"], search_hidden=True)[
            "projects"
        ]
        if found:
            return str(found[0]["id"])
        try:
            return str(there.call("projects.create", name=name, description="")["id"])
        except ServerError as error:
            if (error.code, error.subcode) != (400, 801):
                raise
    raise EngineDownError(f"the project {name} of ClearML cannot be found, nor made")


def queue_id(there: Server, name: str) -> str:
    """The id of a queue; "" where there is none of this name."""
    asked = {"name": f"^{re.escape(name)}$", "only_fields": ["id"]}
    return next((str(one["id"]) for one in there.call("queues.get_all", **asked).get("queues", ())), "")
