"""What a run looks like as a ClearML task, and what an ended task says of its run. Plain values; nothing here asks a server."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from generators import clearml_task
from schema import run_result, slip
from schema.job import Script
from schema.parameters import PROPERTIES
from schema.problem import shown
from schema.question import RESOURCES, Form
from schema.slip import Request, Via
from schema.words import FALLBACK, text
from submit.desk import LEDGER, Desk, DeskError, now, shipped
from submit.engines import Look, Ticket
from submit.ledger import LedgerDamaged, checkpoint
from submit.recorded_datasets import recorded_at

TAG = "denpyo"
MOVED_ON = frozenset({(400, 110), (400, 706), (400, 101), (400, 125)})
ON_REQUEST = "denpyo: stopped on request"
LONGEST = 2_000
TYPES = {"inference": "inference"}
TAKEN_OUT = 1_800.0
"""Seconds that somebody may take to edit a run that they took out of its queue; then it counts as stopped."""
SHORTEST_NAME = 3
"""Characters, of tasks, queues and the last part of a project's name; a shorter one is refused as blank."""
LOCKS = ("jobs/requirements/task.txt", "requirements/task.txt")
"""In an installed wheel, in a checkout."""
HASHES = re.compile(r"(?:\s*\\\n)?\s+--hash=\S+")
PYPY = re.compile(r" ; [^\n]*!= 'PyPy'$", re.MULTILINE)
"""A marker of what PyPy does not need: agents run CPython, and one of two clauses would be broken."""


def property_of(name: str, value: str, description: str = "") -> dict[str, str]:
    """A user property, as ``tasks.edit_hyper_params`` takes it."""
    return {"section": PROPERTIES, "name": name, "value": value, "type": "", "description": description}


def taken_back(task: str) -> str:
    """What stands in place of the ticket once a run was withdrawn or stopped before it began."""
    return f"taken back from {task}"


def property_in(task: Mapping[str, Any], name: str) -> str:
    """What a user property of a task says, as ``tasks.get_all`` gives it; "" where there is none."""
    found = ((task.get("hyperparams") or {}).get(PROPERTIES) or {}).get(name) or {}
    return str(found.get("value") or "")


@dataclass
class Making:
    """The tasks of one hand-off: what they share is looked up once. ``project`` gives the id of a project by name."""

    desk: Desk
    project: Callable[[str], str]

    def __post_init__(self) -> None:
        self._projects: dict[str, str] = {}
        self.via: dict[str, Via] = {}
        """By run, what its request came with, once its body was made."""

    @cached_property
    def _datasets(self) -> dict[str, str]:
        """The ids of the ClearML Datasets of this desk, by the names they have here."""
        return {name: one.clearml for name, one in recorded_at(self.desk).items() if one.clearml}

    def _dataset(self, form: Form, values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Which ClearML Dataset the dataset of a request is, for agents that have no folder of its name."""
        named = [values.get(one.name) for one in form.referring if one.refers and one.refers.to == "dataset"]
        found = [self._datasets[str(one)] for one in named if str(one) in self._datasets]
        told = ("clearml_dataset", found[0], "what the name of the dataset stands for") if found else None
        return {told[0]: property_of(*told)} if told else {}

    @cached_property
    def _record(self) -> str:
        """The log as it is now, for whoever looks at the task later: a checkpoint where the desk has a key. That the log contradicts
        what was signed is for those to say who verify it; a hand-over is not where to find it out."""
        with self.desk.ledger() as ledger:
            frontier = ledger.frontier()
        said = f"audit log: {frontier.size} entries, root {frontier.root().hex()}"
        with suppress(LedgerDamaged):
            return checkpoint.newest(self.desk) or said
        return said

    def body(self, ticket: Ticket) -> dict[str, Any]:
        """What ``tasks.create`` is asked for a run."""
        data = (self.desk.folder / LEDGER / ticket.slip).read_bytes()
        found = slip.read(data, self.desk.kinds)
        values = _flat(found.job.answers()) | _flat({RESOURCES: found.resources.answers()})
        self.via[ticket.run] = found.via
        settings, kind = self.desk.config.clearml, self.desk.kinds[found.kind]
        workload = kind.job.workload
        image = (workload.image if isinstance(workload, Script) else "") or settings.image
        name = f"{settings.project}/{found.kind if len(found.kind) >= SHORTEST_NAME else f'kind {found.kind}'}"
        if name not in self._projects:
            self._projects[name] = self.project(name)
        return {
            "name": f"{found.kind} {ticket.run}",
            "type": TYPES.get(str(workload), "training"),
            "project": self._projects[name],
            "tags": [TAG, found.kind, f"rid:{found.id}", f"run:{ticket.run}"],
            "comment": f"{kind.form.title.say(found.language)}\n\n{self._record}",
            "configuration": {"slip": slip_object(data)},
            "hyperparams": {
                **clearml_task.hyperparams(kind.form, found.language, values),
                PROPERTIES: _properties(ticket, found, data) | self._dataset(kind.form, values),
            },
            "script": script(self.desk),
            **({"container": {"image": image}} if image else {}),
        }


def slip_object(data: bytes) -> dict[str, str]:
    """The slip as a configuration object of a task."""
    return {
        "name": "slip",
        "type": "yaml",
        "value": data.decode(),
        "description": "what was checked, recorded and allowed",
    }


def _properties(ticket: Ticket, found: Request, data: bytes) -> dict[str, dict[str, str]]:
    told = {
        "request": (found.id, "the id that whoever asked knows"),
        "run": (ticket.run, "the attempt of this request"),
        "slip_sha256": (hashlib.sha256(data).hexdigest(), "of the configuration object `slip`"),
        "kind": (found.kind, ""),
        "version": (str(found.version), "of the kind"),
        "language": (found.language, ""),
        "schema": (found.schema, "fingerprint of the questions"),
    }
    return {name: property_of(name, *said) for name, said in told.items()}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def script(desk: Desk) -> dict[str, Any]:
    """Where agents get the program from, pinned: the repository and commit of denpyo.toml, or else of the checkout denpyo runs in."""
    settings = desk.config.clearml
    repository, commit = settings.repository, settings.commit
    if not repository and not commit:
        repository, commit = _git("config", "--get", "remote.origin.url"), _git("rev-parse", "HEAD")
    if not repository or not commit:
        raise DeskError(
            "clearml.repository and clearml.commit must stand in denpyo.toml, both: agents get denpyo from there"
        )
    lock = _lock(desk.folder / settings.requirements if settings.requirements else _own_lock())
    return {
        "repository": without_secrets(repository),
        "version_num": commit,
        "branch": "",
        "entry_point": "-m jobs",
        "working_dir": ".",
        "binary": "python",  # the agent's own version; of "python3" it makes one below 3.9, and installs Cython first
        "diff": "",
        "requirements": {"pip": lock},
    }


def without_secrets(repository: str) -> str:
    """The address without what a pipeline may have put into it to log in: the page of a task shows it to everybody."""
    scheme, mark, rest = repository.partition("://")
    if scheme not in ("http", "https") or not mark:
        return repository
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


@cache
def _git(*words: str) -> str:
    """What git says of the checkout this program runs in; "" where it runs in none: a folder around an installed program is not it."""
    if not shipped(".git").exists():
        return ""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(shipped("")), *words],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _own_lock() -> Path:
    return next(filter(Path.is_file, map(shipped, LOCKS)), shipped(LOCKS[-1]))


def _lock(file: Path) -> str:
    """A lock file as clearml-agent 3.0.3 can read it: a line a requirement, ``name==version``. Of continued lines and hashes it would make
    requirements of their own; the run says whether what is installed agrees with the file."""
    try:
        return PYPY.sub("", HASHES.sub("", file.read_text(encoding="utf-8")))
    except OSError as error:
        raise DeskError(f"clearml.requirements: {file}: {error.strerror}") from error


def ended(desk: Desk, run: str, state: str, task: Mapping[str, Any]) -> Look:
    """What an ended task says: the result its job has left, or why there is none, in the language of who asked."""
    left = run_result.read(((task.get("configuration") or {}).get("result") or {}).get("value"))
    if left and left["state"] == "done" and not property_in(task, "started").startswith(str(task["id"])):
        left = None  # that of the run it was cloned from: it never began
    if left is not None and state != "stopped":
        return Look(str(left["state"]), left)
    with desk.ledger() as ledger:
        row = ledger.run(run)
        request = ledger.request(run.rpartition(".")[0])
    code = "stopped_on_request" if state == "stopped" else "interrupted"
    if state != "stopped" and row is not None and _seconds(task) > row.max_hours * 3600:
        code = "time_limit"
    said = str(task.get("status_message") or "") if code == "interrupted" else ""
    reason = text(code, request.language if request else FALLBACK)
    if said:
        reason = f"{reason} ({shown(' '.join(said.split()), LONGEST)})"
    state = "stopped" if code == "stopped_on_request" else "failed"
    return Look(state, {"state": state, "code": code, "reason": reason, "metrics": {}})


def is_taken_out(task: Mapping[str, Any]) -> bool:
    """Whether a run that was handed over has been taken out of its queue by somebody on ClearML's page, and left there as a draft or
    in the archive for longer than it takes to edit it."""
    out = task["status"] == "created" or (task["status"] == "queued" and "archived" in (task.get("system_tags") or ()))
    return out and property_in(task, "ticket") == task["id"] and age(task) > TAKEN_OUT


def age(task: Mapping[str, Any]) -> float:
    """Seconds since a task has its status; 0 where it does not say."""
    try:
        changed = datetime.fromisoformat(str(task.get("status_changed")))
    except ValueError:
        return 0.0
    return (now() - (changed if changed.tzinfo else changed.replace(tzinfo=UTC))).total_seconds()


def taken_out(desk: Desk, run: str) -> Look:
    with desk.ledger() as ledger:
        request = ledger.request(run.rpartition(".")[0])
    reason = text("taken_out", request.language if request else FALLBACK)
    return Look("stopped", {"state": "stopped", "code": "taken_out", "reason": reason, "metrics": {}})


def _seconds(task: Mapping[str, Any]) -> float:
    """How long a task ran, by the server's clock."""
    begun, over = task.get("started"), task.get("completed") or task.get("last_update")
    try:
        return (datetime.fromisoformat(str(over)) - datetime.fromisoformat(str(begun))).total_seconds()
    except (ValueError, TypeError):
        return 0.0
