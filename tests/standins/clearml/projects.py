"""Projects; apiserver/bll/project/project_bll.py and sub_projects.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.standins.clearml.errors import Refused
from tests.standins.clearml.search import Options, find
from tests.standins.clearml.state import COMPANY, Record, State, User, new_id, now, tagged

SEARCHED = Options(patterns=("name", "description"), lists=("tags", "system_tags", "id", "parent", "path"))
UPDATABLE = ("name", "description", "tags", "system_tags", "default_output_destination")


def create(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """Parents that are not there are made. A name that is there is refused; so is a part of fewer than 3 characters."""
    tagged(data.get("tags"), data.get("system_tags"))
    name = cleaned(data["name"])
    if called(state, name):
        raise Refused(
            "expected_unique_data", instead="Project with the same name already exists", name=name, company=COMPANY
        )
    given = {key: value for key, value in data.items() if key in UPDATABLE and value is not None and key != "name"}
    return {"id": _made(state, user, name, given)["id"]}


def cleaned(name: str) -> str:
    """A name without empty parts, and no part shorter than 3 characters: of the leaf, the real server 2.3.0 says that it is blank."""
    parts = [one.strip() for one in name.split("/") if one]
    if not parts:
        raise Refused("invalid_project_name", name=name)
    if any(len(one) < 3 for one in parts):
        raise Refused("validation_error", "Project name cannot be blank")
    return "/".join(parts)


def called(state: State, name: str) -> Record | None:
    return next((one for one in state.projects.values() if one["name"] == name), None)


def project_called(state: State, user: User, name: str) -> str:
    """The id of the project of this name; ProjectBLL.find_or_create makes it where it is not there."""
    clean = cleaned(name)
    found = called(state, clean) or _made(state, user, clean, {"description": ""})
    return str(found["id"])


def _made(state: State, user: User, name: str, fields: Mapping[str, Any]) -> Record:
    above, _, basename = name.rpartition("/")
    parent = (called(state, above) or _made(state, user, above, {"description": ""})) if above else None
    at = now()
    project: Record = {
        "id": new_id(),
        "user": user.id,
        "company": COMPANY,
        "name": name,
        "basename": basename,
        "created": at,
        "last_update": at,
        "tags": [],
        "system_tags": [],
        **({"parent": parent["id"], "path": [*parent.get("path", []), parent["id"]]} if parent else {}),
        **fields,
    }
    state.projects[project["id"]] = project
    return project


def _project(state: State, project: str) -> Record:
    if project not in state.projects:
        raise Refused("invalid_project_id", id=project)
    return state.projects[project]


def get_all(state: State, user: User, data: Mapping[str, Any]) -> Record:
    seen = (
        _answered(one)
        for one in state.projects.values()
        if data.get("search_hidden") or data.get("id") or data.get("name") or "hidden" not in one["system_tags"]
    )
    return {"projects": find(seen, data, SEARCHED)}


def _answered(project: Record) -> Record:
    """``path`` is not answered (exclude_by_default)."""
    return {key: value for key, value in project.items() if key != "path"}


def get_by_id(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"project": _answered(_project(state, data["project"]))}


def update(state: State, user: User, data: Mapping[str, Any]) -> Record:
    project = _project(state, data["project"])
    tagged(data.get("tags"), data.get("system_tags"))
    fields = {key: value for key, value in data.items() if key in UPDATABLE and value is not None}
    if "name" in fields:
        fields["name"] = cleaned(fields["name"])
        fields["basename"] = fields["name"].rpartition("/")[2]
    project.update(fields, last_update=now())
    return {"updated": 1, "fields": fields}
