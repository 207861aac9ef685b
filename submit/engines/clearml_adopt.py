"""A task that somebody cloned from a template and that becomes the run it asks for, so that they find what became of it where they look.

The slip says which task it came with. What the task holds is replaced by what was checked and recorded, whatever has happened to it
since; a task that is gone, or that holds the results of another run, is left alone, and the run gets a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schema.slip import Via
from submit.engines import clearml_task
from submit.engines.clearml_server import Server

DOOR = "clearml"
NAMED = re.compile(r"ClearML task ([0-9a-f]{32})")
KEPT = ("name", "project", "type")
"""What stays as its owner has it."""
LOOKED_AT = ["id", "status", "project", "hyperparams.properties"]
NO_CONTAINER = {"image": "", "arguments": "", "setup_shell_script": ""}
NOT_THEIRS = {"container": NO_CONTAINER, "output_dest": ""}
"""What the desk alone decides: what an agent runs a task in, and where its models go."""
DIRECT = ("in_progress", "completed", "failed", "stopped", "published", "publishing", "closed")
"""What becomes of a clone that went straight to an agent."""


def name_of(task: str) -> str:
    """What a clone is called as the source of a request: in its slip, and wherever a place in it is told."""
    return f"ClearML task {task}"


def adopted(there: Server, via: Via, body: Mapping[str, Any], *, direct: bool) -> dict[str, Any] | None:
    """The task that a request came with, as the run that ``body`` (of ``tasks.create``) describes; None where a new one must be made.

    A clone that went straight to an agent, where that is allowed (``direct``), is only marked as the run that it has been."""
    named = NAMED.fullmatch(via.source) if via.door == DOOR else None
    asked = {"id": [named[1]], "only_fields": LOOKED_AT, "search_hidden": True} if named else {}
    found = there.call("tasks.get_all", **asked).get("tasks") or () if named else ()
    for task in found:
        went_direct = direct and clearml_task.property_in(task, "direct") == "true"
        if went_direct and task["status"] in DIRECT:
            there.call("tasks.update", task=task["id"], tags=body["tags"])
            return dict(task)
        if task["status"] in ("created", "queued", "stopped", "failed"):
            return _made_into(there, task, body)
    return None


def _made_into(there: Server, task: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """A draft out of every queue, that says what was recorded."""
    if task["status"] != "created":
        there.call("tasks.reset", task=task["id"], delete_output_models=False)
    said = {name: value for name, value in body.items() if name not in KEPT}
    there.call("tasks.edit", task=task["id"], **{**NOT_THEIRS, **said})
    return {**task, "status": "created"}
