"""A judged response made ready to be kept: all that can be done before the ledger is held, and no more than it will keep.

10,000 rows wait here for one transaction, so that each is a few strings and neither a model nor a cell.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any

from generators.excel import RESPONSE
from schema import slip
from schema.answers import Answers, Where
from schema.canonical import dumps, string
from schema.check import Change, Checked
from schema.job import Resources
from schema.problem import Problem
from schema.slip import Request, Via, canonical_job
from schema.text import clean, is_blank
from schema.yaml_text import dump
from submit.desk import Desk, denpyo_version, machine_user, now
from submit.response import GPUS, HOURS, QUEUE, UNVERIFIED, USER, VERIFIED, Response, Source, Wishes, outdated

ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
NO_REASON = frozenset(["なし", "無し", "無", "特になし", "特に無し", "いいえ", "ない", "no", "none", "n/a", "nothing"])
_ID = "xxxx-xxxx-xxxx"
_ID_LINE = f"\n{dump({'id': _ID})}".encode()


@dataclass(frozen=True, slots=True)
class Good:
    """What is kept of a good response. ``identity`` is canonical JSON, parted where the ordinal among identical rows belongs;
    ``said`` and ``meant`` are keyed hashes of what the sheet asks for, and of that with the command line's wishes."""

    schema: str
    version: int
    trust: str
    identity: tuple[bytes, bytes]
    said: str
    meant: str
    slip: tuple[bytes, bytes]
    resources: Resources
    changes: tuple[Change, ...]

    def slip_of(self, request: str) -> bytes:
        return self.slip[0] + f"\n{dump({'id': request})}".encode() + self.slip[1]

    def identity_of(self, ordinal: int, follows: str = "") -> bytes:
        before, after = self.identity
        return b"%b%d%b%b" % (before, ordinal, after, follows.encode())


@dataclass(frozen=True, slots=True)
class Handed:
    """One response, ready to be kept (``good``) or to be recorded as refused. ``carried`` is the id that it came with, its place
    ``receipt``; ``named`` is its name at an online service; the policy is asked for ``subject``; ``refusal`` names it among the
    refused; ``datasets`` are the SHA-256 of those that it names."""

    source: int
    where: Where
    door: str
    kind: str
    language: str
    carried: str
    receipt: Where | None
    named: str
    subject: str
    sender: str
    again: str
    refusal: bytes
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    good: Good | None = None
    outdated: bool = False
    any_version: bool = False
    """Whether it may have been handed in before its kind changed: it is of an older version, or names none."""
    datasets: tuple[str, ...] = ()
    places: tuple[Where, Where] | None = None
    """Where it says, or would say, how many GPUs and how many hours it wants."""

    @property
    def is_slip(self) -> bool:
        """Whether the id is that of a slip, which is one request and no other, and not that of a marked copy."""
        return bool(self.carried) and self.door == "yaml"

    def place(self, question: str) -> Where:
        """Where the answer to one of those stands; the whole response for anything else."""
        gpus, hours = self.places or (self.where, self.where)
        return {GPUS: gpus, HOURS: hours}.get(question, self.where)


@dataclass
class Preparing:
    """The responses of one submission on their way into the ledger. ``at`` is when it was handed in."""

    desk: Desk
    salt: bytes
    wishes: Wishes
    sources: Mapping[int, Source] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: now().replace(microsecond=0))
    _sha256: dict[int, str] = field(default_factory=dict)
    _resources: dict[Resources, tuple[Resources, bytes]] = field(default_factory=dict)

    def ready(self, response: Response) -> Handed:
        answers = response.answers
        where = answers.where if answers else Where(self.sources[response.source].name)
        checked = response.checked
        good = self._good(response, answers, checked) if answers and checked else None
        return Handed(
            response.source,
            where,
            response.door,
            answers.kind if answers and answers.kind in self.desk.kinds else "",
            response.language,
            answers.response if answers else "",
            answers.places.get("id" if response.door == "yaml" else RESPONSE) if answers else None,
            answers.named if answers else "",
            _subject(self.sources[response.source], answers),
            _sender(self.sources[response.source], answers)[0] if answers else "",
            _again(answers),
            b"" if good else self._refusal(response, where),
            response.problems,
            response.warnings,
            good,
            outdated(answers, self.desk),
            answers is not None and (answers.version is None or outdated(answers, self.desk)),
            response.datasets,
            (answers.place(GPUS), answers.place(HOURS)) if answers else None,
        )

    def queue(self, good: Good) -> str:
        """Where a request goes: as the command line wishes, or as it asks itself."""
        return self.wishes.queue or good.resources.queue

    def _good(self, response: Response, answers: Answers, checked: Checked) -> Good:
        source = self.sources[response.source]
        sender, trust = _sender(source, answers)
        form = self.desk.kinds[checked.kind].form
        resources, as_json = self._shared(checked.resources)
        given, again = checked.job.answers(), _again(answers)
        job = dumps(given)
        request = Request(
            id=_ID,
            kind=checked.kind,
            version=form.version,
            schema=form.fingerprint,
            denpyo=denpyo_version(),
            requested_by=sender,
            trust=trust,
            requested_at=self.at,
            via=Via(response.door, source.name, self._hashed(response.source), answers.where.spot),
            language=answers.language,
            job=checked.job,
            resources=resources,
            changes=checked.changes,
        )
        head, _, tail = slip.write(request, given).partition(_ID_LINE)
        meant = self.content(checked.kind, job, as_json, "" if response.door == "yaml" and answers.response else again)
        return Good(
            schema=form.fingerprint,
            version=form.version,
            trust=trust,
            identity=_named(answers.named) if answers.named else _identity(sender, checked.kind, job, as_json, again),
            said=self._said(response, checked, job) or meant,
            meant=meant,
            slip=(head, tail),
            resources=resources,
            changes=checked.changes,
        )

    def content(self, kind: str, job: bytes, resources: bytes, again: str) -> str:
        """A keyed hash of what is asked for, whoever asks."""
        parts = b"%b%b%b%b" % (string(kind), string(again), job, resources)
        return hmac.digest(self.salt, parts, "sha256").hex()

    def _said(self, response: Response, checked: Checked, job: bytes) -> str:
        """The hash without what the command line wished instead; "" where it wished for nothing."""
        written = response.unwished
        if written is None or not (self.wishes.queue or self.wishes.again):
            return ""
        queue = written.given.get(QUEUE)
        asked = clean(queue.value) if queue and isinstance(queue.value, str) else ""
        as_written = {"queue": self.desk.kinds[checked.kind].job.resources.queue if is_blank(asked) else asked}
        resources = self._shared(checked.resources.model_copy(update=as_written))[1]
        return self.content(checked.kind, job, resources, _again(written))

    def _shared(self, resources: Resources) -> tuple[Resources, bytes]:
        """The first of all equal ones and its canonical JSON: most rows of a table ask for the same."""
        found = self._resources.get(resources)
        if found is None:
            found = self._resources[resources] = (resources, dumps(resources.answers()))
        return found

    def _hashed(self, source: int) -> str:
        if source not in self._sha256:
            self._sha256[source] = hashlib.sha256(self.sources[source].data).hexdigest()
        return self._sha256[source]

    def beside(self, handed: Handed) -> str:
        """What lies beside its entry: who asked, why again, where it stood, and what its datasets were then. Made when it is written,
        not ten thousand before."""
        texts = (handed.again, handed.sender, self.sources[handed.source].name, handed.where.spot)
        again, requested_by, source, spot = map(encode_basestring, texts)
        data = f'"datasets": {json.dumps(handed.datasets)}, ' if handed.datasets else ""
        return (
            f'{{"again": {again}, {data}"requested_by": {requested_by}, "source": {source},'
            f' "source_sha256": "{self._hashed(handed.source)}", "where": {spot}}}'
        )

    def _refusal(self, response: Response, where: Where) -> bytes:
        """What names a refused response: its answers, and not the bytes of the file, which differ each time it is saved."""
        if response.answers is None:
            return dumps({"refused": self._hashed(response.source), "where": str(where)})
        answers = response.answers
        if answers.named:
            return b"%b%d%b" % (_named(answers.named)[0], 0, _named(answers.named)[1])
        given = {key: one.value for key, one in answers.given.items() if one.value}
        asked = _sender(self.sources[response.source], answers)[0]
        named = {"refused": [answers.kind, asked, _again(answers)], "given": given}
        return json.dumps(named, sort_keys=True).encode()


def _identity(sender: str, kind: str, job: bytes, resources: bytes, again: str) -> tuple[bytes, bytes]:
    """``{again, job, kind, ordinal, resources, sender}`` as canonical JSON, parted around the ordinal."""
    before = b'{"again":%b,"job":%b,"kind":%b,"ordinal":' % (string(again), string(job.decode()), string(kind))
    return before, b',"resources":%b,"sender":%b}' % (resources, string(sender))


def _named(name: str) -> tuple[bytes, bytes]:
    """The identity of a response of an online form: its name there, whatever it says."""
    return b'{"named":%b,"ordinal":' % string(name), b"}"


def _sender(source: Source, answers: Answers) -> tuple[str, str]:
    """Who asks, and how far that is known: a name on the command line or in the sheet is claimed, unless the carrier vouches for it."""
    written = source.sender or (clean(answers.sender.value) if answers.sender else "")
    owner = source.subject.removeprefix(USER) if source.subject.startswith(USER) else machine_user()
    return (written, source.trust or "claimed") if written else (owner, "machine")


def _subject(source: Source, answers: Answers | None) -> str:
    """For whom the policy is asked: the address that the carrier vouches for, or the user of this machine who brought it."""
    if source.subject or answers is None:
        return source.subject
    who, trust = _sender(source, answers)
    if trust == VERIFIED:
        return f"mail:{who.casefold()}" if ADDRESS.fullmatch(who) else UNVERIFIED
    return f"{USER}{machine_user()}"


def _again(answers: Answers | None) -> str:
    """Why it should run again. What only says "no reason" is none."""
    written = clean(answers.again.value) if answers and answers.again else ""
    return "" if is_blank(written) or written.casefold() in NO_REASON else written


def content_of_slip(preparing: Preparing, request: Request, again: str) -> str:
    """The hash of what a kept slip asks for, as ``Good.meant`` has it."""
    return preparing.content(request.kind, canonical_job(request.job), dumps(request.resources.answers()), again)


def refused(handed: Handed, problems: tuple[Problem, ...]) -> Handed:
    """A good response that the ledger has found something wrong with, as a refused one."""
    name = handed.good.identity_of(0) if handed.good else handed.refusal
    return replace(handed, good=None, problems=problems, refusal=b"refused" + name)


def told(handed: Handed) -> list[dict[str, Any]]:
    """The problems of a refusal as its sender heard them."""
    return [
        {
            "spot": one.where.spot,
            "question": one.question,
            "code": one.code,
            "message": one.message(handed.language),
        }
        for one in handed.problems
    ]
