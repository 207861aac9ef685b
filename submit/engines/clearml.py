"""The engine ``clearml``: every run is a task on a ClearML server, which agents take from its queues. The one importer of clearml here.

A task carries the tag ``run:<request>.<attempt>``, and is looked for by it before one is made; one process at a time does so, by
the desk's lock. Calls are plain REST over one kept-alive connection, never repeated by themselves: what came through without an
answer is found the next time. What the server does with each call: its source, ``apiserver/bll/task/task_operations.py``.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from schema.answers import Answers
from schema.job import Resources
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.words import Fact
from submit.desk import Desk, DeskError
from submit.engines import EngineDownError, Handle, Look, Model, Ticket, clearml_task
from submit.engines.clearml_adopt import adopted
from submit.engines.clearml_server import SIDE_BY_SIDE, Server, ServerError
from submit.engines.clearml_tasks import (
    LOOKED_AT,
    listed,
    page,
    project_id,
    put_into,
    queue_id,
    tasks_of,
    unless_moved_on,
    write_ticket,
)

AT_ONCE = 100
SAID_BY = (
    "CLEARML_CONFIG_FILE",
    "CLEARML_API_HOST",
    "CLEARML_WEB_HOST",
    "CLEARML_API_ACCESS_KEY",
    "CLEARML_API_SECRET_KEY",
)
BEAT = 2.0
ASTRAY = 60.0
"""Seconds after which a task that says it is queued must be in a queue: an agent takes it out a moment before it marks it as started."""
STATES = {
    "created": "queued",
    "queued": "queued",
    "in_progress": "running",
    "completed": "done",
    "published": "done",
    "publishing": "done",
    "closed": "done",
    "failed": "failed",
    "stopped": "stopped",
}
UNKNOWN_STATE = "running"
ENDED = [
    "id",
    "status_message",
    "status_reason",
    "started",
    "completed",
    "last_update",
    "configuration",
    "hyperparams.properties",
]


def server(desk: Desk) -> Server:
    """The server of ``clearml.conf`` or of ClearML's environment variables, as the SDK reads both; one connection a process.
    DeskError where neither says which, or where others may read the file."""
    return _server(*(os.environ.get(name, "") for name in SAID_BY))


@cache
def _server(*said: str) -> Server:
    try:
        from clearml.backend_config.defs import get_config_file
    except ImportError:
        raise DeskError("the engine clearml needs the extra `clearml`: pip install 'denpyo[clearml]'") from None
    file = Path(get_config_file())
    _refuse_open(file)
    try:
        api, web, keys = _named()
    except Exception as error:  # the SDK's parser raises whatever it meets, with lines of the file in it
        raise DeskError(f"{file} cannot be read: {type(error).__name__}") from None
    if not all(keys):
        raise DeskError(
            "no credentials for ClearML: run `clearml-init`, or set CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY"
        )
    if not web:
        raise DeskError("api.web_server is missing in clearml.conf (or CLEARML_WEB_HOST)")
    return Server(api, web, keys)


def _named() -> tuple[str, str, tuple[str, str]]:
    """The addresses of API and pages ("" where it cannot be told) and the credentials, as the SDK reads them."""
    from clearml.backend_api.session import Session
    from clearml.backend_api.session.defs import ENV_ACCESS_KEY, ENV_SECRET_KEY
    from clearml.config import config_obj

    access = str(ENV_ACCESS_KEY.get(default=config_obj.get("api.credentials.access_key", "")))
    secret = str(ENV_SECRET_KEY.get(default=config_obj.get("api.credentials.secret_key", "")))
    api = str(Session.get_api_server_host())
    try:
        return api, str(Session.get_app_server_host()), (access, secret)
    except ValueError:
        return api, "", (access, secret)


def _refuse_open(file: Path) -> None:
    """``clearml.conf`` holds a secret: others must not read it."""
    if file.exists() and (file.stat().st_uid != os.getuid() or stat.S_IMODE(file.stat().st_mode) & 0o077):
        raise DeskError(f"{file} holds your credentials and must be your own, with mode 0600: chmod 600 {file}")


def problems(desk: Desk, kind: Kind, answers: Answers, wanted: Resources) -> list[Problem]:
    """A queue that this desk does not name: agents, GPUs and containers are ClearML's business."""
    if wanted.queue in desk.config.queues:
        return []
    facts: dict[str, Fact] = {"queue": wanted.queue, "queues": desk.config.queues}
    return [Problem("no_queue", answers.place("resources.queue"), "resources.queue", facts)]


def enqueue(desk: Desk, tickets: Sequence[Ticket]) -> Mapping[str, Handle]:
    """Make the tasks that are not there yet, write into each the ticket that only the desk gives, and enqueue those that are drafts:
    two calls a run, and two for all of them."""
    if not tickets:
        return {}
    there, wanted = server(desk), {one.run: one for one in tickets}
    found = tasks_of(there, wanted)
    drafts = {run: task for run, task in found.items() if task["status"] == "created"}
    made = clearml_task.Making(desk, partial(project_id, there))
    missing = {one.run: made.body(one) for one in tickets if one.run not in found}
    refused: dict[str, str] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        taken = pool.map(partial(_unless_refused, partial(_taken_up_or_made, there, made)), missing, missing.values())
        for run, task in zip(missing, taken, strict=True):
            if isinstance(task, str):
                refused[run] = task
                continue
            found[run] = task
            drafts |= {run: task} if task["status"] == "created" else {}
        list(pool.map(partial(write_ticket, there), [task["id"] for task in drafts.values()]))
    waits: dict[str, str] = {}
    for queue in dict.fromkeys(wanted[run].queue for run in drafts):
        mine = {run: str(task["id"]) for run, task in drafts.items() if wanted[run].queue == queue}
        watched, kept_out = put_into(there, queue, mine)
        refused |= kept_out
        waits |= {} if watched else dict.fromkeys(mine, queue)
    handles = {run: Handle(task["id"], page(there, task), waits.get(run, "")) for run, task in found.items()}
    return handles | {run: Handle("", "", refused=said) for run, said in refused.items()}


def _unless_refused(
    make: Callable[[str, Mapping[str, Any]], dict[str, Any]], run: str, body: Mapping[str, Any]
) -> dict[str, Any] | str:
    """The task of a run, or why the server refuses this one: a run that cannot be handed over keeps no other waiting."""
    try:
        return make(run, body)
    except ServerError as error:
        return f"{run}: {error}"


def _create(there: Server, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": there.call("tasks.create", **body)["id"], "project": {"id": body["project"]}, "status": "created"}


def _taken_up_or_made(there: Server, made: clearml_task.Making, run: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The task that a request came with, where it came as one; else a new one."""
    direct = made.desk.config.clearml.direct
    return adopted(there, made.via[run], body, direct=direct) or _create(there, body)


def find(desk: Desk, run: str) -> Handle | None:
    there = server(desk)
    task = tasks_of(there, [run]).get(run)
    return Handle(task["id"], page(there, task)) if task and task["status"] != "created" else None


def look(desk: Desk, runs: Sequence[str]) -> Mapping[str, Look]:
    there = server(desk)
    found = tasks_of(there, runs)
    over = [task["id"] for task in found.values() if STATES.get(task["status"]) in ("done", "failed", "stopped")]
    ended = {one["id"]: one for one in listed(there, ENDED, id=over, order_by=["id"])} if over else {}
    astray = _astray(there, found)
    looks = {}
    for run, task in found.items():
        state = STATES.get(task["status"], UNKNOWN_STATE)
        looks[run] = clearml_task.ended(desk, run, state, ended[task["id"]]) if task["id"] in ended else Look(state)
        if clearml_task.is_taken_out(task) and _taken_back(there, task):
            looks[run] = clearml_task.taken_out(desk, run)
        looks[run] = replace(looks[run], astray=run in astray)
        _keep_card(there, desk, run, task["id"], looks[run])
    return looks


def _astray(there: Server, tasks: Mapping[str, Mapping[str, Any]], since: float = ASTRAY) -> set[str]:
    """Runs that have been queued for so many seconds and stand in no queue: a call that was cut off half way has left them so. The queues
    are asked once in a minute at most."""
    waiting = {
        run: task for run, task in tasks.items() if task["status"] == "queued" and clearml_task.age(task) >= since
    }
    if not waiting or time.monotonic() < there.queues_asked + ASTRAY:
        return set()
    there.queues_asked = time.monotonic()
    queues = there.call("queues.get_all", only_fields=["entries"], search_hidden=True).get("queues", ())
    queued = {entry["task"] for queue in queues for entry in queue.get("entries") or ()}
    return {run for run, task in waiting.items() if task["id"] not in queued}


def put_back(desk: Desk, run: str, queue: str) -> None:
    """The task stays queued all the while, so that it is astray, and nothing else, where this is cut off."""
    there = server(desk)
    task = tasks_of(there, [run]).get(run)
    there.queues_asked = -ASTRAY
    if task and task["status"] == "queued" and _astray(there, {run: task}, since=0):
        id = queue_id(there, queue) or there.call("queues.create", name=queue)["id"]
        there.call("queues.add_task", queue=id, task=task["id"])


def _keep_card(there: Server, desk: Desk, run: str, task: str, look: Look) -> None:
    """The description of a model that a run has made lies on the desk as that of a run of this machine does: who asks for a
    prediction with it is told at once what the model needs."""
    made, file = (look.result or {}).get("model"), desk.runs / run / "model" / "model.json"
    if look.state != "done" or not isinstance(made, Mapping) or file.exists():
        return
    name = f"^{re.escape(str(made.get('id')))}$"
    asked = {"task": [task], "name": name, "only_fields": ["name", "design"], "order_by": ["created"]}
    for one in there.call("models.get_all", **asked).get("models", ())[:1]:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_suffix(".part")
        draft.write_text(str((one.get("design") or {}).get("design", "")), encoding="utf-8")
        draft.replace(file)


def fetch_dataset(desk: Desk, dataset: str) -> Path:
    """The folder in ClearML's cache on this machine with a copy of a ClearML Dataset. EngineDownError where it cannot be had."""
    server(desk)
    from clearml import Dataset

    try:
        return Path(Dataset.get(dataset_id=dataset).get_local_copy())
    except Exception as error:  # the SDK raises ValueError, and whatever its storage raises
        said = shown(" ".join(str(error).split()), 200)
        raise EngineDownError(
            f"the ClearML Dataset {shown(dataset)} cannot be had: {type(error).__name__}: {said}"
        ) from None


def stop(desk: Desk, run: str) -> None:
    there = server(desk)
    task = tasks_of(there, [run]).get(run)
    if task is None or task["status"] not in ("created", "queued", "in_progress") or _taken_back(there, task):
        return
    unless_moved_on(there, "tasks.stop", task=task["id"], status_reason=clearml_task.ON_REQUEST)


def withdraw(desk: Desk, run: str) -> bool:
    there = server(desk)
    task = tasks_of(there, [run], [*LOOKED_AT, "started"]).get(run)
    if task is None:
        return False
    if task["status"] in ("created", "queued"):
        return _taken_back(there, task)
    return task["status"] == "stopped" and not task.get("started")


def _taken_back(there: Server, task: Mapping[str, Any]) -> bool:
    """Out of its queue, without its ticket, and stopped: an agent that gets it all the same refuses it. False where one has it."""
    if task["status"] == "queued" and not unless_moved_on(there, "tasks.dequeue", task=task["id"]):
        return False
    if task["status"] not in ("created", "queued"):
        return False
    write_ticket(there, task["id"], clearml_task.taken_back(task["id"]))
    return unless_moved_on(there, "tasks.stopped", task=task["id"], force=True, status_reason=clearml_task.ON_REQUEST)


def log(desk: Desk, run: str) -> str:
    """The end of the task's console, as far as the server keeps it."""
    there = server(desk)
    task = tasks_of(there, [run]).get(run)
    if task is None:
        return ""
    events = there.call("events.get_task_log", task=task["id"], batch_size=5_000, navigate_earlier=True).get(
        "events", ()
    )
    lines = sorted(reversed(list(events)), key=lambda one: one.get("timestamp") or 0)  # the last comes first
    return "\n".join(str(one.get("msg", "")).rstrip("\n") for one in lines)


def models(desk: Desk, run: str) -> list[Model]:
    there = server(desk)
    task = tasks_of(there, [run]).get(run)
    if task is None:
        return []
    found = there.call("models.get_all", task=[task["id"]], only_fields=["id", "name", "uri"], order_by=["created"])
    return [Model(str(one["name"]), f"{there.web}/projects/*/models/{one['id']}/general") for one in found["models"]]


def links(url: str) -> Mapping[str, str]:
    """Where a person finds what of a run on ClearML's pages, given the address of its task's console."""
    task = url.removesuffix("/output/log")
    return {
        "task": url,
        "results": f"{task}/info-output/metrics/scalar",
        "artifacts": f"{task}/artifacts/output-model",
    }
