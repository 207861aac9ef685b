"""Models, and the artifacts and models of a task: services/models.py, bll/task/artifacts.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.standins.clearml.errors import Refused
from tests.standins.clearml.search import Options, find
from tests.standins.clearml.state import COMPANY, Record, State, User, named, new_id, now, tagged
from tests.standins.clearml.tasks import changed, writable

SEARCHED = Options(
    patterns=("name", "comment"),
    lists=("tags", "system_tags", "framework", "uri", "id", "project", "task", "parent", "user"),
    equal=("ready",),
    times=("last_update",),
)
FIELDS = (
    "name",
    "tags",
    "system_tags",
    "task",
    "comment",
    "uri",
    "project",
    "parent",
    "framework",
    "design",
    "labels",
    "ready",
)


def create(state: State, user: User, data: Mapping[str, Any]) -> Record:
    fields = _checked(state, data)
    model: Record = {
        "id": new_id(),
        "user": user.id,
        "company": COMPANY,
        "created": now(),
        "last_update": now(),
        "ready": False,
        "tags": [],
        "system_tags": [],
        "labels": {},
        "design": {},
        "metadata": {},
        **fields,
    }
    state.models[model["id"]] = model
    return {"id": model["id"], "created": True}


def _checked(state: State, data: Mapping[str, Any]) -> Record:
    tagged(data.get("tags"), data.get("system_tags"))
    fields = {key: data[key] for key in FIELDS if data.get(key) is not None}
    if "name" in fields:
        fields["name"] = named(fields["name"])
    if "project" in fields and fields["project"] not in state.projects:
        raise Refused("invalid_project_id", id=fields["project"])
    if "metadata" in data:
        fields["metadata"] = {one["key"]: one for one in data["metadata"]}
    return fields


def _model(state: State, model: str) -> Record:
    if model not in state.models:
        raise Refused("invalid_model_id", "no such public or company model", id=model, company=COMPANY)
    return state.models[model]


def edit(state: State, user: User, data: Mapping[str, Any]) -> Record:
    model = _model(state, data["model"])
    fields = {**_checked(state, data), "last_update": now()}
    model.update(fields)
    task = state.tasks.get(model.get("task") or "")
    if task and data.get("iteration") is not None:
        task["last_iteration"] = max(task["last_iteration"], data["iteration"])
    return {"updated": 1, "fields": fields}


update = edit


def get_by_id(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"model": _model(state, data["model"])}


def get_all(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"models": find(state.models.values(), data, SEARCHED)}


def set_ready(state: State, user: User, data: Mapping[str, Any]) -> Record:
    _model(state, data["model"])["ready"] = True
    return {"updated": 1}


def add_or_update_metadata(state: State, user: User, data: Mapping[str, Any]) -> Record:
    model = _model(state, data["model"])
    given = {one["key"]: one for one in data["metadata"]}
    model["metadata"] = given if data.get("replace_metadata") else {**model["metadata"], **given}
    return {"updated": 1}


def delete(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"deleted": True, "url": state.models.pop(_model(state, data["model"])["id"]).get("uri")}


def add_or_update_model(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A task names a model; another of the same name is replaced. Drafts and what runs alone."""
    task = writable(state, data["task"], force=True)
    item = {"name": data["name"], "model": data["model"], "updated": now()}
    others = [one for one in task["models"][data["type"]] if one["name"] != data["name"]]
    task["models"][data["type"]] = [*others, item]
    task["last_iteration"] = max(task["last_iteration"], data.get("iteration") or 0)
    changed(task, user)
    return {"updated": 1}


def delete_models(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = writable(state, data["task"], force=True)
    for asked in data["models"]:
        task["models"][asked["type"]] = [one for one in task["models"][asked["type"]] if one["name"] != asked["name"]]
    changed(task, user)
    return {"updated": 1}


def add_or_update_artifacts(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """One artifact a key and mode (artifacts.py: get_artifact_id)."""
    task = writable(state, data["task"], force=True)
    have = {_artifact(one): one for one in task["execution"].get("artifacts", [])}
    have.update({_artifact(one): {"mode": "output", **one} for one in data["artifacts"]})
    task["execution"]["artifacts"] = list(have.values())
    changed(task, user)
    return {"updated": 1}


def _artifact(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["key"], one.get("mode") or "output"


def delete_artifacts(state: State, user: User, data: Mapping[str, Any]) -> Record:
    task = writable(state, data["task"], force=True)
    gone = {_artifact(one) for one in data["artifacts"]}
    task["execution"]["artifacts"] = [
        one for one in task["execution"].get("artifacts", []) if _artifact(one) not in gone
    ]
    changed(task, user)
    return {"deleted": 1}
