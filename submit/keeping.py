"""What a desk keeps of a response: the slip, the entries, and where the request stands; all of a submission in one transaction."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from generators import json_schema
from schema import slip
from schema.answers import Answers, Where
from schema.check import Checked
from schema.problem import Problem
from schema.question import Form
from schema.slip import Request, SlipError, Via, canonical_job
from schema.text import clean, is_blank
from submit import policy
from submit.desk import POLICY, SCHEMAS, Desk, denpyo_version, machine_user, now
from submit.identity import request_id
from submit.ledger import Ledger, RequestRow, RunRow, Writing

NO_REASON = frozenset(["なし", "無し", "無", "特になし", "特に無し", "いいえ", "ない", "no", "none", "n/a", "nothing"])
KNOWN = "CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)"


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes somebody handed in, and the name they came under."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line adds to the answers: who it is for, queue, engine, and why it should run again."""

    sender: str = ""
    queue: str = ""
    engine: str = ""
    again: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One response after it was judged: good, with its Checked, or refused, with its Problems."""

    source: Source
    door: str
    answers: Answers | None
    checked: Checked | None
    problems: tuple[Problem, ...]
    language: str

    @property
    def where(self) -> Where:
        return self.answers.where if self.answers else Where(self.source.name)


@dataclass(frozen=True, slots=True)
class Kept:
    """A request of this submission: its id, where it stands in what was handed in, whether it had been handed in before, and why
    it may not run, if so. No id: nothing was kept."""

    id: str
    where: Where
    known: bool
    problems: tuple[Problem, ...] = ()


@dataclass
class Keeper:
    """One submission being kept. ``ordinals`` counts identical rows of a source, which are requests of their own."""

    desk: Desk
    ledger: Ledger
    tx: Writing
    wishes: Wishes
    ordinals: Counter[str]

    def accept(self, response: Response, *, queue: bool) -> Kept:
        """Keep a good response, or find it kept already. With ``queue`` it is put to the policy, unless it has been."""
        answers, checked = response.answers, response.checked
        if answers is None or checked is None:
            raise ValueError("only a good response can be accepted")
        request = self._request(response, answers, checked)
        row, runs = self.ledger.request(request.id), self.ledger.runs(request.id)
        known = row is not None and (bool(runs) or not queue)
        if answers.response and (wrong := self._wrong_slip(row, request)):
            return Kept("", answers.where, known, (Problem(wrong, answers.place("id"), "id"),))
        if row is None:
            row = self._write(response, request, "accepted" if queue else "converted")
        problems = self._decide(row, request, answers.where) if queue and not runs else ()
        return Kept(request.id, answers.where, known, problems)

    def refuse(self, response: Response) -> None:
        """A refusal is an entry too: its codes in the tree, what was written beside it. The same refusal twice is one entry."""
        told = [
            {
                "spot": one.where.spot,
                "question": one.question,
                "code": one.code,
                "message": one.message(response.language),
            }
            for one in response.problems
        ]
        identity = {"refused": _sha256(response.source.data), "where": str(response.where)}
        name = request_id(self.ledger.salt, identity)
        kind = response.answers.kind if response.answers and response.answers.kind in self.desk.kinds else ""
        written = self._append(
            f"refused:{name}:{request_id(self.ledger.salt, {'told': told})}",
            "refused",
            name,
            {"door": response.door, "kind": kind, "codes": sorted(one.code for one in response.problems)},
            self._beside(response) | {"problems": told},
        )
        if written:
            self.tx.put_request(RequestRow(name, kind, "refused", response.language, self._at))

    @cached_property
    def _now(self) -> datetime:
        return now()

    @property
    def _at(self) -> str:
        return self._now.isoformat(timespec="milliseconds")

    @cached_property
    def _policy(self) -> policy.Read:
        found = policy.read(self.desk.folder / POLICY)
        self._note_change("policy", found.sha256)
        return found

    def _append(
        self, key: str, action: str, request: str | None, detail: Mapping[str, Any], beside: Mapping[str, Any]
    ) -> bool:
        text = json.dumps(beside, ensure_ascii=False, sort_keys=True) if beside else ""
        return self.tx.append(
            key, action, at=self._at, user=machine_user(), request=request, detail=detail, beside=text
        )

    def _note_change(self, name: str, value: str) -> None:
        """An entry when the policy or a schema is not the one that was last seen here."""
        last = self.ledger.query("SELECT value FROM known WHERE name = ?", (name,))
        if not last or last[0][0] != value:
            self._append(
                f"{name}:{self.ledger.size()}:{value[:16]}", "changed", None, {"what": name, "sha256": value}, {}
            )
            self.tx.execute("INSERT OR REPLACE INTO known (name, value) VALUES (?, ?)", (name, value))

    def _sender(self, answers: Answers) -> tuple[str, str]:
        """Who asks, and how far that is known: a name on the command line or in the sheet is claimed."""
        written = clean(answers.sender.value) if answers.sender else ""
        return (written, "claimed") if written else (machine_user(), "machine")

    def _request(self, response: Response, answers: Answers, checked: Checked) -> Request:
        sender, trust = self._sender(answers)
        form = self.desk.kinds[checked.kind].form
        return Request(
            id=answers.response or self._id(response, answers, checked, sender),
            kind=checked.kind,
            version=form.version,
            schema=form.fingerprint,
            denpyo=denpyo_version(),
            requested_by=sender,
            trust=trust,
            requested_at=self._now.replace(microsecond=0),
            via=Via(response.door, response.source.name, _sha256(response.source.data), answers.where.spot),
            language=answers.language,
            job=checked.job,
            resources=checked.resources,
            changes=checked.changes,
        )

    def _id(self, response: Response, answers: Answers, checked: Checked, sender: str) -> str:
        """From sender, kind, job, resources and the reason to run again; and the ordinal among identical rows of this source."""
        identity: dict[str, Any] = {
            "sender": sender,
            "kind": checked.kind,
            "job": canonical_job(checked.job).decode(),
            "resources": checked.resources.answers(),
            "again": self._again(answers),
        }
        row = f"{id(response.source)} {json.dumps(identity, sort_keys=True)}"
        self.ordinals[row] += 1
        return request_id(self.ledger.salt, identity | {"ordinal": self.ordinals[row]})

    def _again(self, answers: Answers | None) -> str:
        """Why it should run again. What only says "no reason" is none."""
        written = clean(answers.again.value) if answers and answers.again else ""
        return "" if is_blank(written) or written.casefold() in NO_REASON else written

    def _beside(self, response: Response) -> dict[str, Any]:
        answers = response.answers
        sender = self._sender(answers)[0] if answers else ""
        source = {
            "source": response.source.name,
            "source_sha256": _sha256(response.source.data),
            "where": response.where.spot,
        }
        return source | {"requested_by": sender, "again": self._again(answers)}

    def _write(self, response: Response, request: Request, action: str) -> RequestRow:
        self._note_change(f"schema {request.kind}", request.schema)
        written = slip.write(request)
        path = self.ledger.write_slip(request.id, written, request.requested_at.year, request.requested_at.month)
        show_schema(self.desk, self.desk.kinds[request.kind].form, self.ledger.folder / path)
        detail = {
            "kind": request.kind,
            "version": request.version,
            "schema": request.schema,
            "door": request.via.door,
            "trust": request.trust,
        }
        text = json.dumps(self._beside(response), ensure_ascii=False, sort_keys=True)
        key = f"{action}:{request.id}"
        self.tx.append(
            key, action, at=self._at, user=machine_user(), request=request.id, detail=detail, beside=text, slip=written
        )
        row = RequestRow(request.id, request.kind, "accepted", request.language, self._at, path)
        self.tx.put_request(row)
        return row

    def _wrong_slip(self, row: RequestRow | None, request: Request) -> str:
        """Why a slip with an id cannot go on as that request: this desk does not know it, or it says something else by now."""
        if row is None:
            return "unknown_slip"
        try:
            kept = read_slip(self.desk, self.ledger, row) if row.slip else None
        except SlipError:
            kept = None
        same = kept and all(getattr(kept, name) == getattr(request, name) for name in ("kind", "job", "resources"))
        return "" if same else "changed_slip"

    def _decide(self, row: RequestRow, request: Request, where: Where) -> tuple[Problem, ...]:
        """Put the request to the policy. Allowed: its first run is noted, to be handed over. Denied: it is refused."""
        queue = self.wishes.queue or request.resources.queue
        who = f"user:{machine_user()}"
        decision = policy.decide(self._policy, {who}, request.kind, queue)
        run = f"{request.id}.1"
        detail = {"rule": decision.rule, "policy": decision.sha256, "queue": queue, "reason": decision.reason}
        if not decision.allowed:
            self._append(f"denied:{request.id}:{decision.sha256[:16]}", "denied", request.id, detail, {})
            self._move(row, "refused")
            facts = {"who": who.removeprefix("user:"), "kind": request.kind, "queue": queue, "reason": decision.reason}
            return (Problem("not_allowed" if self._policy.policy else "no_policy", where, "", facts),)
        self._append(f"allowed:{run}", "allowed", request.id, detail | {"run": run}, {})
        engine = self.wishes.engine or self.desk.config.engine
        self.tx.put_run(RunRow(run, request.id, 1, engine, queue, request.resources.max_hours, "accepted", self._at))
        self._move(row, "accepted")
        return ()

    def _move(self, row: RequestRow, state: str) -> None:
        self.tx.put_request(replace(row, state=state, updated_at=self._at))


def show_schema(desk: Desk, form: Form, file: Path) -> None:
    """Let a slip's schema pointer lead somewhere: the desk's schemas, which grow with its kinds, seen from the slip's folder."""
    schema = desk.folder / SCHEMAS / f"{form.kind}.v{form.version}.json"
    if not schema.exists():
        schema.parent.mkdir(exist_ok=True)
        schema.write_bytes(json_schema.write(form))
    link = file.parent / SCHEMAS
    if not link.exists():
        link.symlink_to(os.path.relpath(schema.parent, file.parent), target_is_directory=True)


def read_slip(desk: Desk, ledger: Ledger, row: RequestRow) -> Request:
    """The Request of a kept slip."""
    if row.slip is None:
        raise ValueError(f"{row.id} was refused and has no slip")
    file = ledger.folder / row.slip
    return slip.read(file.read_bytes(), desk.kinds, file.name)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
