"""``denpyo clearml sync`` and ``rollback``: the template tasks of a desk's kinds on a ClearML server, one a kind and language.

A template is never changed into another: a new one is made beside it and the old one archived, so that ``rollback`` has it back. The
order of things is that in which a crash does no harm. A new template is made archived, under a tag that follows from the desk, so that
the next try finds it; the ledger says which one is to be live before anything becomes live; then all others are archived, and at last
that one is shown. What a person edited in a template, or made of it, is put right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from generators import clearml_task as door
from schema.parameters import PROPERTIES
from schema.words import languages
from submit.datasets import offering
from submit.desk import LEDGER, Desk, DeskError, machine_user, now
from submit.engines import EngineDownError, clearml, clearml_task
from submit.engines.clearml_adopt import NO_CONTAINER
from submit.engines.clearml_server import Server
from submit.engines.clearml_tasks import project_id, queue_id
from submit.identity import id_of
from submit.ledger import Ledger
from submit.ledger.files import held
from submit.made_templates import ARCHIVED, TEMPLATE, Json, Template, Templates, archived, keep, same, templates_of
from submit.sources import ClearML

DOOR = "clearml"
FOLDER = "templates"
WAIT_SECONDS = 1.0
LOOKED_AT = [
    "id",
    "name",
    "comment",
    "tags",
    "system_tags",
    "status",
    "project",
    "parent",
    "hyperparams",
    "script",
    "container",
]
ANY_STATUS = ("name", "comment", "tags", "project")
"""What ``tasks.update`` changes whatever became of a task; the rest ``tasks.edit`` changes in a draft."""


@dataclass(frozen=True, slots=True)
class Report:
    """The live template of a kind in a language, where it is, and what was done to it, or with ``dry_run`` would be."""

    kind: str
    language: str
    number: int
    url: str
    steps: tuple[str, ...]


def sync(desk: Desk, kinds: Sequence[str], *, dry_run: bool = False, newest: bool = False) -> list[Report]:
    """Bring the templates of these kinds, or of all, to what the kinds say, and the queue into being. One that was rolled back stays so
    until its kind changes, or until the ``newest`` is asked for. One synchroniser of a desk at a time."""
    wanted = kinds or list(desk.kinds)
    if unknown := [one for one in wanted if one not in desk.kinds]:
        raise DeskError(f"there is no kind {unknown[0]}: `denpyo kinds` lists those there are")
    with held(desk.folder / LEDGER / "publishing", WAIT_SECONDS), desk.ledger() as ledger:
        there = _There(desk, ledger, dry_run)
        there.have_queue()
        found = [_Syncing(there, kind, language).run(newest=newest) for kind in wanted for language in languages()]
        gone = [] if kinds else [one for one in templates_of(ledger) if one.kind not in desk.kinds]
        return [*found, *(_Syncing(there, one.kind, one.language).retire() for one in gone)]


def rollback(desk: Desk, kind: str) -> list[Report]:
    """Return to the templates of a kind before the present ones, in every language. DeskError where there are none."""
    with held(desk.folder / LEDGER / "publishing", WAIT_SECONDS), desk.ledger() as ledger:
        there = _There(desk, ledger, dry_run=False)
        syncing = [_Syncing(there, kind, language) for language in languages()]
        found = [one for one in syncing if one.before()]
        if not found:
            raise DeskError(f"there is no earlier template of {kind} to return to")
        for one in found:
            one.return_to(one.before())
        return [one.settled() for one in found]


@dataclass
class _There:
    """The server and the ledger, and what all templates of a desk share. With ``dry_run`` nothing is written to either."""

    desk: Desk
    ledger: Ledger
    dry_run: bool

    def __post_init__(self) -> None:
        self.server: Server = clearml.server(self.desk)
        self.script = clearml_task.script(self.desk)
        self.project_name = f"{self.desk.config.clearml.project}/{FOLDER}"
        named = {"name": f"^{re.escape(self.project_name)}$", "only_fields": ["id"], "search_hidden": True}
        found = self.server.call("projects.get_all", **named).get("projects", ())
        self._project = str(found[0]["id"]) if found else ""
        self.steps: list[str] = []

    def project(self) -> str:
        """The project of the templates, made where it is not there."""
        if not self._project and not self.dry_run:
            self._project = project_id(self.server, self.project_name)
        return self._project

    @property
    def queue(self) -> str:
        """The queue that people put their clones into: that of the first source of this kind."""
        return next((one.queue for one in self.desk.config.sources.values() if isinstance(one, ClearML)), door.QUEUE)

    def have_queue(self) -> None:
        if queue_id(self.server, self.queue):
            return
        self.steps.append(f"make the queue {self.queue}")
        if not self.dry_run:
            self.server.call("queues.create", name=self.queue)

    def keep(self, row: Templates, action: str, detail: Json) -> None:
        with self.ledger.writing() as tx:
            keep(tx, row)
            key = f"{action}:{DOOR}:{row.kind}:{row.language}:{self.ledger.size()}"
            self._append(tx, key, action, {"kind": row.kind, "language": row.language, **detail})

    def announce(self, key: str, detail: Json) -> None:
        with self.ledger.writing() as tx:
            self._append(tx, key, "publishing", detail)

    def _append(self, tx: Any, key: str, action: str, detail: Json) -> None:
        at = now().isoformat(timespec="milliseconds")
        tx.append(key, action, at=at, user=machine_user(), detail={"door": DOOR, **detail})


@dataclass
class _Syncing:
    """The templates of one kind in one language. ``steps`` is what was done so far."""

    there: _There
    kind: str
    language: str
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        found = [
            one for one in templates_of(self.there.ledger) if (one.kind, one.language) == (self.kind, self.language)
        ]
        self.row = found[0] if found else Templates(self.kind, self.language)
        self.live = self._looked([one.task for one in self.row.made])
        self.steps, self.there.steps = self.there.steps, []

    def run(self, *, newest: bool) -> Report:
        wanted = self._today()
        last = self.row.made[-1] if self.row.made else None
        if last is None or last.definition != wanted or not self._is_there(self.row.current):
            self._add(wanted)
        elif newest and self.row.current != last.number:
            self._choose(last.number, "published")
        return self.settled()

    def _today(self) -> Json:
        """What the kind says, whatever names of datasets the desk has: a new name makes no new template."""
        kind = self.there.desk.kinds.get(self.kind)
        return json.loads(door.write(kind.form, self.language, self.there.queue)) if kind else {}

    def before(self) -> int:
        """The number of the template that was live before the present one and is still there; 0 for none."""
        return max(
            (one.number for one in self.row.made if one.number < self.row.current and one.task in self.live), default=0
        )

    def return_to(self, number: int) -> None:
        self.steps.append(f"return to template {number}")
        self._choose(number, "rolled_back")

    def retire(self) -> Report:
        """A kind that is gone has no live template."""
        self._archive(self.row.made)
        return Report(self.kind, self.language, 0, "", tuple(self.steps))

    def _is_there(self, number: int) -> bool:
        return any(one.number == number and one.task in self.live for one in self.row.made)

    def _choose(self, number: int, action: str) -> None:
        task = next(one.task for one in self.row.made if one.number == number)
        self.row = replace(self.row, current=number)
        if not self.there.dry_run:
            self.there.keep(self.row, action, {"number": number, "task": task})

    def _looked(self, tasks: Sequence[str]) -> dict[str, Json]:
        if not tasks:
            return {}
        asked = {"id": list(tasks), "only_fields": LOOKED_AT, "search_hidden": True}
        return {str(one["id"]): one for one in self.there.server.call("tasks.get_all", **asked).get("tasks", ())}

    def _add(self, wanted: Json) -> None:
        """A template with the next number: one that a try before this made and did not live to record, or a new one."""
        number = max((one.number for one in self.row.made), default=0) + 1
        self.steps.append(f"make template {number} (version {wanted['version']})")
        new = Template(number, "", wanted)
        if not self.there.dry_run:
            told = {"kind": self.kind, "language": self.language, "number": number}
            self.there.announce(f"publishing:{DOOR}:{self.kind}:{self.language}:{number}", told)
            new = replace(new, task=self._found_or_made(new))
            self.live |= self._looked([new.task])
        self.row = replace(self.row, made=(*self.row.made, new))
        self._choose(number, "published")

    def _found_or_made(self, new: Template) -> str:
        """A clone has the tags of its template, and a parent."""
        asked = {"tags": ["__$all", self._tag(new)], "only_fields": ["id", "parent"], "order_by": ["created"]}
        found = self.there.server.call("tasks.get_all", **asked, search_hidden=True).get("tasks", ())
        mine = [str(one["id"]) for one in found if not one.get("parent")]
        if mine:
            return mine[0]
        made = self.there.server.call("tasks.create", **self._wanted(new), type="training", system_tags=[ARCHIVED])
        return str(made["id"])

    def _tag(self, one: Template) -> str:
        """What the task of a template is found by: other desks may share the server."""
        return (
            f"{TEMPLATE}:{id_of(self.there.ledger.salt, f'{DOOR} {self.kind} {self.language} {one.number}'.encode())}"
        )

    def _wanted(self, one: Template) -> Json:
        """All that a template says, as ``tasks.create`` takes it; one that asks what its kind asks today names the datasets of today."""
        desk = self.there.desk
        settings = desk.config.clearml
        today = one.definition == self._today()
        offered = door.hyperparams(offering(desk, desk.kinds[self.kind].form), self.language) if today else {}
        noted = {TEMPLATE: str(one.number), **({"direct": "true"} if settings.direct else {})}
        hyperparams = {
            **one.definition["hyperparams"],
            **offered,
            PROPERTIES: one.definition["hyperparams"][PROPERTIES]
            | {name: clearml_task.property_of(name, value) for name, value in noted.items()},
        }
        return {
            "name": one.definition["name"],
            "comment": one.definition["comment"],
            "tags": sorted([clearml_task.TAG, TEMPLATE, self.kind, self._tag(one)]),
            "project": self.there.project(),
            "hyperparams": hyperparams,
            "script": self.there.script,
            "container": {**NO_CONTAINER, "image": settings.image},
        }

    def settled(self) -> Report:
        """The current one as it should be and live, all others archived."""
        current = next(one for one in self.row.made if one.number == self.row.current)
        self._archive([one for one in self.row.made if one is not current])
        if current.task in self.live:
            self._mend(current, self.live[current.task])
        if not current.task or archived(self.live.get(current.task)):
            self.steps.append(f"show template {current.number}")
            self._call("tasks.unarchive_many", ids=[current.task])
        url = f"{self.there.server.web}/projects/{self.there.project()}/tasks/{current.task}/hyper-params"
        return Report(self.kind, self.language, current.number, url if current.task else "", tuple(self.steps))

    def _archive(self, made: Sequence[Template]) -> None:
        if shown := [one for one in made if one.task in self.live and not archived(self.live[one.task])]:
            self.steps += [f"archive template {one.number}" for one in shown]
            self._call("tasks.archive_many", ids=[one.task for one in shown])

    def _mend(self, one: Template, live: Json) -> None:
        """What somebody edited is as it was made; a template that somebody put into a queue or ran is a draft again."""
        wrong = {name: value for name, value in self._wanted(one).items() if not same(name, live.get(name), value)}
        if wrong:
            self.steps.append(f"mend template {one.number}: {', '.join(wrong)}")
        if live.get("status") != "created":
            self.steps.append(f"make template {one.number} a draft again")
            self._call("tasks.reset", task=one.task)
        if around := {name: value for name, value in wrong.items() if name in ANY_STATUS}:
            self._call("tasks.update", task=one.task, **around)
        if inside := {name: value for name, value in wrong.items() if name not in ANY_STATUS}:
            self._call("tasks.edit", task=one.task, **inside)

    def _call(self, call: str, /, **asked: Any) -> None:
        if self.there.dry_run:
            return
        failed = self.there.server.call(call, **asked).get("failed")
        if failed:
            raise EngineDownError(f"ClearML could not do {call}: {failed[0].get('error', {}).get('msg', '')}")
