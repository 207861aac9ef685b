"""What the stand-in remembers, and the shapes it remembers it in: those of the answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from tests.standins.clearml.errors import Refused

Record = dict[str, Any]
COMPANY = "d1bd92a3b039400cbafc60a7a5b1e52b"  # the one company of an open-source server
OPERATORS_OF_TAGS = "__$"


@dataclass(frozen=True)
class User:
    """One who has credentials; ``id`` is what stands in ``task.user``."""

    id: str
    name: str
    access_key: str
    secret_key: str


def _user(name: str, number: int) -> User:
    return User(f"{number:032x}", name, f"{name.upper():_<20}"[:20], f"{name}-secret-of-the-stand-in-{number}")


USERS = (_user("desk", 1), _user("agent", 2), _user("person", 3), _user("another", 4))


@dataclass
class State:
    """Everything the server knows. Hold ``lock`` around a call, as one document of the real database is changed at a time."""

    users: tuple[User, ...] = USERS
    tasks: dict[str, Record] = field(default_factory=dict)
    projects: dict[str, Record] = field(default_factory=dict)
    queues: dict[str, Record] = field(default_factory=dict)
    models: dict[str, Record] = field(default_factory=dict)
    workers: dict[str, Record] = field(default_factory=dict)
    events: dict[str, list[Record]] = field(default_factory=dict)
    """By task id, in the order in which they came."""
    statistics: list[Record] = field(default_factory=list)
    """What workers reported of their machine: worker, timestamp (ms), and the machine_stats of the report."""
    enqueue_status: dict[str, str | None] = field(default_factory=dict)
    """What a task was before it was queued; the real server never answers this field."""
    search_lag: float = 0.0
    """Seconds for which tasks.get_all does not see a new task."""
    lock: RLock = field(default_factory=RLock)

    def task(self, task: str) -> Record:
        found = self.tasks.get(task)
        if found is None:
            raise Refused("invalid_task_id", id=task, company=COMPANY)
        return found

    def queue(self, queue: str) -> Record:
        found = self.queues.get(queue)
        if found is None:
            raise Refused("invalid_queue_id", id=queue, company=COMPANY)
        return found

    def user(self, user: str) -> User:
        return next(one for one in self.users if one.id == user)


def new_id() -> str:
    return uuid.uuid4().hex


def now() -> str:
    """As the real server writes times: its database keeps milliseconds."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000).isoformat()


def age(at: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(at)) / timedelta(seconds=1)


def named(name: Any, shortest: int = 3) -> str:
    """A name as it is kept: without spaces around it, three characters at least; database/model/{task,queue,model}.py: min_length=3."""
    stripped = str(name or "").strip()
    if len(stripped) < shortest:
        raise Refused("data_validation_error", name="String value is too short")
    return stripped


def tagged(*lists: Iterable[str] | None) -> None:
    """Tags may not look like an operator of the search; services/utils.py: validate_tags."""
    for tags in lists:
        if unsupported := [one for one in tags or () if one.startswith(OPERATORS_OF_TAGS)]:
            raise Refused("fields_value_error", "unsupported tag prefix", values=unsupported)


def parameters(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Record]]:
    """Hyperparameters as they are kept; database/model/task/task.py: ParamsItem needs section, name and value, and no key is empty."""
    for section, items in sections.items():
        for name, item in items.items():
            if not section or not name:
                raise Refused("data_validation_error", hyperparams="Empty keys are not allowed in a MapField")
            _whole(item, "hyperparams", ("section", "name", "value"))
    return {section: {name: _kept(item) for name, item in items.items()} for section, items in sections.items()}


def configurations(objects: Mapping[str, Any]) -> dict[str, Record]:
    """Configuration objects as they are kept; ConfigurationItem needs name and value."""
    for name, item in objects.items():
        if not name:
            raise Refused("data_validation_error", configuration="Empty keys are not allowed in a MapField")
        _whole(item, "configuration", ("name", "value"))
    return {name: _kept(item) for name, item in objects.items()}


def _whole(item: Mapping[str, Any], where: str, needed: Iterable[str]) -> None:
    if lacking := [one for one in needed if item.get(one) is None]:
        raise Refused("data_validation_error", **{where: f"Field is required: {lacking}"})


def _kept(item: Mapping[str, Any]) -> Record:
    return {key: value for key, value in item.items() if value is not None}
