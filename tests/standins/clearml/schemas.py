"""The vendor's own schemas, as the SDK carries them: every request and every answer of the stand-in is held against them.

The real server takes unknown fields in silence; here they are refused, so that a misspelt one is found. What the real SDK or the real
agent sends, or the real server knows, beyond these schemas is named below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import jsonschema_rs
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

SERVICES = ("auth", "tasks", "projects", "queues", "workers", "models", "events", "organization")

TEXT = {"type": ["string", "null"]}
TEXTS = {"type": ["array", "null"], "items": {"type": "string"}}
NUMBER = {"type": ["integer", "null"]}
YES = {"type": ["boolean", "null"]}
THING = {"type": ["object", "null"]}

BY_THE_SDK: dict[str, Any] = {"method": TEXT}
"""What every request of the SDK carries beside its fields: a property of its base class (backend_api/session/request.py)."""
MORE_IN_REQUESTS: dict[str, dict[str, Any]] = {
    "tasks.create": {
        "id": TEXT,
        "runtime": THING,
    },  # an id sent along is taken and ignored; services/tasks.py: create_fields
    "tasks.enqueue": {"force": YES},  # apimodels/tasks.py: EnqueueRequest, since API 2.26
    "tasks.dequeue": {"remove_from_all_queues": YES, "new_status": TEXT},  # apimodels/tasks.py: DequeueRequest
    "tasks.update": {"status_message": TEXT},  # database/model/task/task.py: user_set_allowed
    "tasks.get_all": {"last_update": TEXTS, "include_subprojects": YES},  # database/model/task/task.py: datetime_fields
    "projects.get_all": {
        "parent": TEXTS,
        "allow_public": YES,
    },  # database/model/project.py: list_fields; the SDK's Dataset
    "workers.get_all": {"worker_pattern": TEXT},  # apimodels/workers.py: GetAllRequest
    "workers.status_report": {
        "is_daemon": YES,
        "tags": TEXTS,
        "machine_stats": THING,
    },  # the agent: nothing as null, fractions
    "workers.unregister": {"queues": TEXTS},  # the agent
}
MORE_IN_ANSWERS: dict[str, dict[str, Any]] = {
    "events.scalar_metrics_iter_histogram": {
        "*": THING
    },  # metric -> variant -> {name, x, y}; the schema speaks of "images"
    "events.multi_task_scalar_metrics_iter_histogram": {"metrics": THING},
}
ANSWERED_FIELDS: dict[frozenset[str], dict[str, Any]] = {
    frozenset({"last_metrics", "script"}): {"last_change": TEXT, "last_changed_by": TEXT, "last_worker_report": TEXT},
    frozenset({"entries", "name"}): {"last_update": TEXT, "display_name": TEXT},
    frozenset({"basename", "default_output_destination"}): {"parent": TEXT},
    frozenset({"model", "name"}): {"updated": TEXT},
}
"""By fields that tell a task, a queue, a project, a model of a task: what the real server 2.3.0 answers beside what the SDK's schemas know
(database/model/task/task.py, queue.py, project.py)."""
EVENT_FIELDS: dict[str, Any] = {**BY_THE_SDK, "allow_locked": YES, "model_event": YES, "worker": TEXT}
"""Fields of an event beside those of its kind; bll/event/event_bll.py: add_events."""


def _shape(required: Mapping[str, Any] | None = None, /, **optional: Any) -> dict[str, Any]:
    """The schema of an endpoint that the SDK has none for."""
    needed = dict(required or {})
    return {"type": "object", "properties": {**needed, **optional}, "required": sorted(needed)}


_FOUND: dict[str, Any] = {
    "page": NUMBER,
    "page_size": NUMBER,
    "only_fields": TEXTS,
    "order_by": TEXTS,
    "id": TEXTS,
    "name": TEXT,
}
NOT_IN_THE_SDK: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "users.get_all": (_shape(**_FOUND), _shape({"users": {"type": "array", "items": {"type": "object"}}})),
    "users.get_by_id": (_shape({"user": {"type": "string"}}), _shape({"user": {"type": "object"}})),
    "users.get_current_user": (
        _shape(get_supported_features=YES),
        _shape({"user": {"type": "object"}}, getting_started=THING, settings=THING),
    ),
    "tasks.update_tags": (
        _shape({"ids": TEXTS}, add_tags=TEXTS, remove_tags=TEXTS),
        _shape({"updated": {"type": "integer"}}),
    ),
    "tasks.edit_runtime": (
        _shape({"task": {"type": "string"}}, add_or_update=THING, remove=TEXTS, force=YES),
        _shape({"updated": {"type": "integer"}}),
    ),
    "server.info": (_shape(), _shape({"version": TEXT, "build": TEXT, "commit": TEXT})),
    "server.config": (_shape(path=TEXT), {"type": "object"}),
}


@cache
def _bundled() -> dict[str, dict[str, Any]]:
    """``service.action`` -> {"Request": schema, "Response": schema}."""
    found: dict[str, dict[str, Any]] = {}
    for service in SERVICES:
        module = import_module(f"clearml.backend_api.services.v2_23.{service}")
        for name, one in vars(module).items():
            schema = getattr(one, "_schema", None)
            if isinstance(schema, dict) and hasattr(one, "_action"):
                side = "Response" if name.endswith("Response") else "Request"
                found.setdefault(f"{one._service}.{one._action}", {})[side] = schema
    return found


def known() -> frozenset[str]:
    """Every endpoint that there is a schema for."""
    return frozenset(_bundled()) | frozenset(NOT_IN_THE_SDK)


@dataclass(frozen=True)
class Check:
    """A schema, twice: the quick one says whether, the other says what."""

    quick: jsonschema_rs.Draft7Validator
    telling: Draft7Validator

    def faults(self, value: Any) -> list[str]:
        """What is wrong with a request or an answer, each with its place."""
        if self.quick.is_valid(value):
            return []
        found = (best_match([one]) for one in self.telling.iter_errors(value))
        return [f"{'.'.join(map(str, one.absolute_path)) or '.'}: {one.message[:300]}" for one in found]


@cache
def request_of(endpoint: str) -> Check:
    schema = NOT_IN_THE_SDK[endpoint][0] if endpoint in NOT_IN_THE_SDK else _bundled()[endpoint]["Request"]
    return _check(_closed(schema, {**BY_THE_SDK, **MORE_IN_REQUESTS.get(endpoint, {})}, answer=False))


@cache
def answer_of(endpoint: str) -> Check:
    schema = NOT_IN_THE_SDK[endpoint][1] if endpoint in NOT_IN_THE_SDK else _bundled()[endpoint]["Response"]
    return _check(_closed(schema, MORE_IN_ANSWERS.get(endpoint, {}), answer=True))


def _check(schema: dict[str, Any]) -> Check:
    return Check(jsonschema_rs.Draft7Validator(schema, validate_formats=False), Draft7Validator(schema))


def _closed(schema: Mapping[str, Any], more: Mapping[str, Any], *, answer: bool) -> dict[str, Any]:
    """The schema that takes no field which it does not name."""
    closed: dict[str, Any] = _close(schema, answer)
    named = {key: value for key, value in more.items() if key != "*"}
    closed["properties"] = {**closed.get("properties", {}), **named}
    if "anyOf" in closed:  # an event: each kind is closed for itself
        del closed["properties"], closed["additionalProperties"]
    else:
        closed["additionalProperties"] = more.get("*", schema.get("additionalProperties", False))
    return closed


def _close(part: Any, answer: bool) -> Any:
    if isinstance(part, list):
        return [_close(one, answer) for one in part]
    if not isinstance(part, Mapping):
        return part
    closed = {key: _close(value, answer) for key, value in part.items()}
    properties = closed.get("properties")
    if part.get("type") in ("object", ["object", "null"]) and isinstance(properties, dict):
        for tell, more in ANSWERED_FIELDS.items():
            properties.update(more if answer and tell <= set(properties) else {})
        if "const" in properties.get(
            "type", {}
        ):  # an event; the SDK sends levels in capitals, and the real server takes them
            properties.update(EVENT_FIELDS | ({"level": TEXT} if "level" in properties else {}))
        closed.setdefault("additionalProperties", False)
    return closed
