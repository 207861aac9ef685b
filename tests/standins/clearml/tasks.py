"""Tasks: create, clone, edit, read. The rules: apiserver/services/tasks.py, bll/task/task_bll.py, bll/task/hyperparams.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from tests.standins.clearml import state as kept
from tests.standins.clearml.errors import Refused
from tests.standins.clearml.projects import project_called
from tests.standins.clearml.search import Options, find, projected
from tests.standins.clearml.state import COMPANY, Record, State, User, named, new_id, now, tagged

EDITABLE = (
    *("name", "tags", "system_tags", "type", "comment", "parent", "project", "models", "container", "execution"),
    *("hyperparams", "configuration", "script", "runtime"),
)
UPDATABLE = ("name", "comment", "project", "tags", "system_tags")
MERGED = ("script", "execution", "models")
"""Embedded documents: an edit changes the fields it names and leaves the others (services/tasks.py: edit)."""
SEARCHED = Options(
    patterns=("name", "comment"),
    lists=("id", "user", "tags", "system_tags", "type", "status", "project", "parent"),
    times=("status_changed", "last_update"),
)
PROPERTIES = "properties"
_FORMS: dict[str, Callable[[Any], Any]] = {
    "hyperparams": kept.parameters,
    "configuration": kept.configurations,
    "tags": lambda tags: sorted(set(tags)),
    "system_tags": lambda tags: sorted(set(tags)),
    "container": lambda fields: {key: value for key, value in fields.items() if value is not None},
}
"""How a field is kept."""


def create(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A draft. An ``id`` sent along is ignored."""
    task = _draft(user, _checked(state, data))
    if "output_dest" in data:
        task["output"]["destination"] = data["output_dest"]
    state.tasks[task["id"]] = task
    return {"id": task["id"]}


def _draft(user: User, fields: Mapping[str, Any]) -> Record:
    at = now()
    return {
        "id": new_id(),
        "user": user.id,
        "company": COMPANY,
        "status": "created",
        "created": at,
        "last_update": at,
        "last_change": at,
        "last_changed_by": user.id,
        "last_iteration": 0,
        "last_metrics": {},
        "tags": [],
        "system_tags": [],
        "output": {},
        "execution": {},
        "models": {"input": [], "output": []},
        "hyperparams": {},
        "configuration": {},
        "runtime": {},
        "container": {},
        "script": {"binary": "python", "repository": "", "entry_point": "", "requirements": {}},
        **fields,
    }


def _checked(state: State, data: Mapping[str, Any], fields: Iterable[str] = EDITABLE) -> Record:
    """What of a request becomes fields of a task; TaskBLL.validate looks for parent and project."""
    tagged(data.get("tags"), data.get("system_tags"))
    checked = {key: deepcopy(data[key]) for key in fields if data.get(key) is not None}
    if "name" in checked:
        checked["name"] = named(checked["name"])
    if checked.get("parent") and checked["parent"] not in state.tasks:
        raise Refused("invalid_task_id", "invalid parent", parent=checked["parent"])
    if checked.get("project") and checked["project"] not in state.projects:
        raise Refused("invalid_project_id", id=checked["project"])
    for one, form in _FORMS.items():
        if one in checked:
            checked[one] = form(checked[one])
    return checked


def clone(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A draft with what the other has: name, comment, project, tags, script, container, hyperparams, configuration, input models,
    execution without queue and without output artifacts; without runtime, metrics, output models and dates.

    What is given replaces the whole of it (tags and hyperparams are not merged); what is given empty counts as not given. Of the
    system tags "development" and "archived" stay behind. The parent is the other's parent, or the other. TaskBLL.clone_task.
    """
    tagged(data.get("new_task_tags"), data.get("new_task_system_tags"))
    other = state.task(data["task"])
    given = {
        key.removeprefix("new_task_"): value for key, value in data.items() if key.startswith("new_task_") and value
    }
    if data.get("new_project_name") and "project" not in given:
        given["project"] = project_called(state, user, data["new_project_name"])
    checked = _checked(state, given, (*UPDATABLE, "parent", "hyperparams", "configuration", "container"))
    execution = {**deepcopy(other["execution"]), **data.get("execution_overrides", {})}
    execution.pop("queue", None)
    if "artifacts" in execution:
        execution["artifacts"] = [one for one in execution["artifacts"] if one.get("mode") == "input"]
    copied = ("name", "comment", "project", "tags", "type", "script", "container", "hyperparams", "configuration")
    task = _draft(
        user,
        {
            **{key: deepcopy(other[key]) for key in copied if key in other},
            "system_tags": [one for one in other["system_tags"] if one not in ("development", "archived")],
            "parent": other.get("parent") or other["id"],
            "execution": execution,
            "models": {"input": given.get("input_models") or deepcopy(other["models"]["input"]), "output": []},
            "output": {key: value for key, value in other["output"].items() if key == "destination"},
            **checked,
        },
    )
    named(task["name"])
    state.tasks[task["id"]] = task
    new = (
        {"new_project": {"id": given["project"], "name": data["new_project_name"]}}
        if data.get("new_project_name")
        else {}
    )
    return {"id": task["id"], **new}


def get_by_id(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"task": answered(state.task(data["task"]))}


def get_all(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """At most 500 at once; without ``only_fields`` whole tasks, with it those fields alone; hidden ones only when asked for."""
    hidden, lag = data.get("search_hidden") or data.get("id"), state.search_lag
    seen = (
        one
        for one in state.tasks.values()
        if (hidden or "hidden" not in one["system_tags"]) and not (lag and kept.age(one["created"]) < lag)
    )
    asked = {**data, "project": _with_children(state, data)} if data.get("project") else data
    whole = {key: value for key, value in asked.items() if key != "only_fields"}
    only = data.get("only_fields") or []
    return {"tasks": [projected(answered(one), only) for one in find(seen, whole, SEARCHED)]}


def _with_children(state: State, data: Mapping[str, Any]) -> list[str]:
    asked = list(data["project"])
    if not data.get("include_subprojects"):
        return asked
    return [*asked, *(one["id"] for one in state.projects.values() if set(one.get("path", [])) & set(asked))]


def answered(task: Record) -> Record:
    """A task as it is answered: tags and artifacts in order, and nothing that is not set."""
    shown = {key: value for key, value in task.items() if value is not None}
    shown.update({one: sorted(task[one]) for one in ("tags", "system_tags")})
    if artifacts := task["execution"].get("artifacts"):
        in_order = sorted(artifacts, key=lambda one: (one["key"], one.get("mode") or "output"))
        shown["execution"] = {**task["execution"], "artifacts": in_order}
    return shown


def edit(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Drafts alone, unless forced. Hyperparameters and configuration are replaced as a whole; script, execution, models are merged."""
    task = state.task(data["task"])
    if not data.get("force") and task["status"] != "created":
        raise Refused("invalid_task_status", expected="created", status=task["status"])
    fields = _checked(state, data)
    for one in MERGED:
        if one in fields:
            fields[one] = {**task.get(one, {}), **fields[one]}
    if "output_dest" in data:
        fields["output"] = {**task["output"], "destination": data["output_dest"]}
    if not fields:
        return {"updated": 0}
    task.update(fields)
    return {"updated": 1, "fields": {**fields, **changed(task, user)}}


def update(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Whatever the status: name, comment, status message, project, tags, and nothing else of what may be sent."""
    task = state.task(data["task"])
    fields = _checked(state, data, (*UPDATABLE, "status_message"))
    task.update(fields)
    return {"updated": 1, "fields": {**fields, **changed(task, user, update=False)}} if fields else {"updated": 0}


def changed(task: Record, user: User, update: bool = True) -> Record:
    at = now()
    fields = {"last_change": at, "last_changed_by": user.id, **({"last_update": at} if update else {})}
    task.update(fields)
    return fields


def writable(state: State, task: str, force: Any, whatever_status: bool = False) -> Record:
    """A task whose parameters may be changed: a draft; forced, also one that runs; utils.py: get_task_for_update."""
    found = state.task(task)
    if not whatever_status and found["status"] not in (("created", "in_progress") if force else ("created",)):
        raise Refused("invalid_task_status", expected="created", status=found["status"])
    return found


def get_hyper_params(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Sorted by section and name."""
    found = []
    for task in map(state.task, data["tasks"]):
        items = [item for section in task["hyperparams"].values() for item in section.values()]
        found.append({"task": task["id"], "hyperparams": sorted(items, key=lambda one: (one["section"], one["name"]))})
    return {"params": found}


def edit_hyper_params(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Drafts alone (forced: also what runs); user properties, which are the section "properties" in any case, whatever the status."""
    items, alone = _sections(data["hyperparams"])
    task = writable(state, data["task"], data.get("force"), whatever_status=alone)
    sections: dict[str, Any] = {}
    for item in items:
        sections.setdefault(str(item.get("section") or ""), {})[str(item.get("name") or "")] = item
    sections = kept.parameters(sections)
    match data.get("replace_hyperparams", "none"):
        case "all":
            task["hyperparams"] = sections
        case "section":
            task["hyperparams"] |= sections
        case _:
            for section, values in sections.items():
                task["hyperparams"].setdefault(section, {}).update(values)
    changed(task, user)
    return {"updated": 1}


def _sections(items: Iterable[Record]) -> tuple[list[Record], bool]:
    """The parameters with "Properties" in small letters, and whether there are no others."""
    small = [
        {**one, "section": PROPERTIES if one.get("section", "").lower() == PROPERTIES else one.get("section")}
        for one in items
    ]
    return small, all(one["section"] == PROPERTIES for one in small)


def delete_hyper_params(state: State, user: User, data: Mapping[str, Any]) -> Record:
    items, alone = _sections(data["hyperparams"])
    task = writable(state, data["task"], data.get("force"), whatever_status=alone)
    whole = {one["section"] for one in items if not one.get("name")}
    for item in (one for one in items if one.get("name")):
        if item["section"] in whole:
            raise Refused(
                "fields_conflict", "Cannot delete section field if the whole section was scheduled for deletion"
            )
        task["hyperparams"].get(item["section"], {}).pop(item["name"], None)
    for section in whole:
        task["hyperparams"].pop(section, None)
    changed(task, user)
    return {"deleted": 1}


def get_configurations(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Sorted by name."""
    names = data.get("names")
    found = []
    for task in map(state.task, data["tasks"]):
        items = [one for name, one in sorted(task["configuration"].items()) if not names or name in names]
        found.append({"task": task["id"], "configuration": items})
    return {"configurations": found}


def get_configuration_names(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"configurations": {one: {"names": sorted(state.task(one)["configuration"])} for one in data["tasks"]}}


def edit_configuration(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = writable(state, data["task"], data.get("force"))
    given = kept.configurations({str(one.get("name") or ""): one for one in data["configuration"]})
    task["configuration"] = given if data.get("replace_configuration") else {**task["configuration"], **given}
    changed(task, user)
    return {"updated": 1}


def delete_configuration(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = writable(state, data["task"], data.get("force"))
    for name in data["configuration"]:
        task["configuration"].pop(name, None)
    changed(task, user)
    return {"deleted": 1}
