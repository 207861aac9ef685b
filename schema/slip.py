"""Request ⇄ YAML. The slip is the public file format; its bytes follow from the request alone, so that they can be hashed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from schema import canonical
from schema.answers import Answers, Given, Located, Where
from schema.check import Change, Checked, check
from schema.envelope import BARE_KEYS, FORMAT, SLIP_KEYS, VERSION, envelope_problems
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import RESOURCES
from schema.versions import old_version
from schema.words import Words, languages
from schema.yaml_text import Node, dump, load, string

MOST_RESOURCES = 64
NO_CHANGES = "changes: []\n"
RUN = re.compile(r"([a-z0-9][a-z0-9-]*)\.([1-9][0-9]{0,5})")
"""A run as it is named: the id of its request, and which attempt of it."""
ONE_SLIP = Words("one slip", ja="伝票1枚")


@dataclass(frozen=True, slots=True)
class Via:
    """Through which door a request came, from which bytes: the source's name, its SHA-256, and the place inside it."""

    door: str
    source: str
    sha256: str
    where: str


@dataclass(frozen=True, slots=True)
class Request:
    """A validated job and who asked for it, when, through which door. ``trust`` says how far ``requested_by`` is known to be true:
    ``machine`` (the user this process runs as, or the owner of a file), ``verified`` (whoever carried it vouches for it),
    ``claimed`` (somebody wrote it). ``schema`` is the Form's fingerprint."""

    id: str
    kind: str
    version: int
    schema: str
    denpyo: str
    requested_by: str
    trust: str
    requested_at: datetime
    via: Via
    language: str
    job: Job
    resources: Resources
    changes: tuple[Change, ...] = ()


class SlipError(Exception):
    """A slip that may not be run. ``problems`` say why, each with its line and column."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.line("en") for problem in problems))
        self.problems = problems


def canonical_job(job: Job) -> bytes:
    """The job as RFC 8785 JSON: equal for equal jobs, whatever the door or the order of the answers."""
    return canonical.dumps(job.answers())


def write(request: Request, answers: Mapping[str, Any] | None = None) -> bytes:
    """The slip as UTF-8 YAML. Its schema pointer is relative to the folder the slip lies in. ``answers`` are those of the job, where
    the caller has them already."""
    via, by = request.via, string(f"denpyo {request.denpyo}")
    job = dump({"job": request.job.answers() if answers is None else answers})
    return (
        f"# yaml-language-server: $schema=schemas/{request.kind}.v{request.version}.json\n"
        f"denpyo: {FORMAT}\nid: {string(request.id)}\nkind: {string(request.kind)}\nversion: {request.version}\n"
        f"schema: {string(f'sha256:{request.schema}')}\nby: {by}\n"
        f"requested_by:\n  name: {string(request.requested_by)}\n  trust: {string(request.trust)}\n"
        f"requested_at: {string(request.requested_at.isoformat(timespec='seconds'))}\n"
        f"via:\n  door: {string(via.door)}\n  source: {string(via.source)}\n  sha256: {string(via.sha256)}\n"
        f"  where: {string(via.where)}\nlanguage: {string(request.language)}\n{job}{_resources(request.resources)}"
        f"{dump({'changes': [_change_out(change) for change in request.changes]}) if request.changes else NO_CHANGES}"
    ).encode()


@lru_cache(MOST_RESOURCES)
def _resources(resources: Resources) -> str:
    """Most rows of a table ask for the same."""
    return dump({"resources": resources.answers()})


def read(data: bytes, kinds: Mapping[str, Kind], file: str = "slip.yaml") -> Request:
    """A slip that denpyo wrote, checked again with the schema of today. Anything wrong is a SlipError, all of it at once."""
    documents = load(data, file)
    if len(documents) != 1 or not isinstance(documents[0], Node):
        problems = [one for one in documents if isinstance(one, Problem)]
        raise SlipError(problems or [Problem("yaml_shape", Where(file), "", {"expected": ONE_SLIP})])
    problems = list(envelope_problems(documents[0]))
    if problems:
        raise SlipError(problems)
    checked = check(answers(documents[0]), kinds)
    if isinstance(checked, list):
        raise SlipError(checked)
    return _request(documents[0], checked, kinds[checked.kind])


def answers(document: Node) -> Answers:
    """A slip or a bare ``kind:`` + ``job:`` document as Answers, so that it is judged as every other door's."""
    given: dict[str, Located[Given]] = {}
    for part, prefix in (("job", ""), (RESOURCES, f"{RESOURCES}.")):
        node = document.get(part)
        for key, located in _flat(node, prefix) if node else ():
            inside = part == "job" and key.split(".")[0] == RESOURCES  # they stand beside the job, never in it
            given[f"job.{key}" if inside else key] = located
    kind, version, by, again, slip_id = (
        document.get(name) for name in ("kind", "version", "requested_by", "again", "id")
    )
    name = by.get("name") if by and isinstance(by.value, dict) else by
    places = {label: node.where for label, node in (("kind", kind), ("version", version), ("id", slip_id)) if node}
    language = document.get("language")
    fingerprint = document.get("schema")
    return Answers(
        kind=kind.text() if kind else "",
        where=document.where,
        given=given,
        language=language.text() if language and language.text() in languages() else "",
        version=int(version.text()) if version and VERSION.fullmatch(version.text()) else None,
        sender=Located(name.text(), name.where) if name and name.text() else None,
        again=Located(again.text(), again.where) if again and again.text() else None,
        fingerprint=fingerprint.text().removeprefix("sha256:") if fingerprint else "",
        response=slip_id.text() if slip_id and document.get("denpyo") else "",
        places=places,
    )


def _flat(node: Node, prefix: str) -> Iterator[tuple[str, Located[Given]]]:
    for name, member in node.value.items() if isinstance(node.value, dict) else ():
        if isinstance(member.value, dict):
            yield from _flat(member, f"{prefix}{name}.")
        elif isinstance(member.value, list):
            yield prefix + name, Located(tuple(one.text() for one in member.value), member.where)
        else:
            yield prefix + name, Located(member.value, member.where)


def _request(document: Node, checked: Checked, kind: Kind) -> Request:
    """The envelope of a slip that has every key. What it says about its own making is kept as it stands; a job that was brought up to
    date is of the current version, and the changes say so."""

    def text(*path: str) -> str:
        node: Node | None = document
        for name in path:
            node = node.get(name) if node else None
        return node.text() if node else ""

    changes = document.get("changes")
    old = old_version(answers(document), kind.form)
    made = tuple(_change_in(one) for one in changes.value) if changes and isinstance(changes.value, list) else ()
    return Request(
        id=text("id"),
        kind=checked.kind,
        version=kind.form.version if old else int(text("version")),
        schema=kind.form.fingerprint if old else text("schema").removeprefix("sha256:"),
        denpyo=text("by").removeprefix("denpyo "),
        requested_by=text("requested_by", "name"),
        trust=text("requested_by", "trust"),
        requested_at=datetime.fromisoformat(text("requested_at")),
        via=Via(*(text("via", name) for name in ("door", "source", "sha256", "where"))),
        language=text("language"),
        job=checked.job,
        resources=checked.resources,
        changes=(*made, *(checked.changes if old else ())),
    )


def _change_out(change: Change) -> dict[str, Any]:
    return {
        "question": change.question,
        "before": change.before,
        "after": change.after,
        "why": {"en": change.why.en, "ja": change.why.ja},
    }


def _change_in(node: Node) -> Change:
    question, before, after = (
        found.text() if (found := node.get(name)) else "" for name in ("question", "before", "after")
    )
    why = node.get("why")
    en, ja = (found.text() if why and (found := why.get(name)) else "" for name in ("en", "ja"))
    return Change(question, before, after, Words(en, ja))


__all__ = [
    "BARE_KEYS",
    "SLIP_KEYS",
    "Request",
    "SlipError",
    "Via",
    "answers",
    "canonical_job",
    "envelope_problems",
    "read",
    "write",
]
