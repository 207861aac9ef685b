"""Request ⇄ YAML. The slip is the public file format; its bytes follow from the request alone, so that they can be hashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from schema.answers import Answers, Given, Located, Where
from schema.check import Change, Checked, check
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import RESOURCES
from schema.words import Fact, Words, languages
from schema.yaml_text import Node, dump, load

FORMAT = 1
MAPPING = Words("a mapping (name: value)", ja="「名前: 値」の並び")
VALUE = Words("a single value", ja="1つの値")


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
    ``machine`` (the user this process runs as), ``claimed`` (somebody wrote it). ``schema`` is the Form's fingerprint."""

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
    return rfc8785.dumps(job.answers())


def write(request: Request) -> bytes:
    """The slip as UTF-8 YAML. Its schema pointer is relative to the folder the slip lies in."""
    body = {
        "denpyo": FORMAT,
        "id": request.id,
        "kind": request.kind,
        "version": request.version,
        "schema": f"sha256:{request.schema}",
        "by": f"denpyo {request.denpyo}",
        "requested_by": {"name": request.requested_by, "trust": request.trust},
        "requested_at": request.requested_at.isoformat(timespec="seconds"),
        "via": {
            "door": request.via.door,
            "source": request.via.source,
            "sha256": request.via.sha256,
            "where": request.via.where,
        },
        "language": request.language,
        "job": request.job.answers(),
        "resources": request.resources.answers(),
        "changes": [_change_out(change) for change in request.changes],
    }
    pointer = f"# yaml-language-server: $schema=schemas/{request.kind}.v{request.version}.json\n"
    return (pointer + dump(body)).encode()


def read(data: bytes, kinds: Mapping[str, Kind], file: str = "slip.yaml") -> Request:
    """A slip that denpyo wrote, checked again with the schema of today. Anything wrong is a SlipError, all of it at once."""
    documents = load(data, file)
    if len(documents) != 1 or not isinstance(documents[0], Node):
        problems = [one for one in documents if isinstance(one, Problem)]
        raise SlipError(
            problems or [Problem("yaml_shape", Where(file), "", {"expected": Words("one slip", ja="伝票1枚")})]
        )
    problems = list(envelope_problems(documents[0]))
    if problems:
        raise SlipError(problems)
    checked = check(answers(documents[0]), kinds)
    if isinstance(checked, list):
        raise SlipError(checked)
    return _request(documents[0], checked)


def answers(document: Node) -> Answers:
    """A slip or a bare ``kind:`` + ``job:`` document as Answers, so that it is judged as every other door's."""
    given: dict[str, Located[Given]] = {}
    for part, prefix in (("job", ""), (RESOURCES, f"{RESOURCES}.")):
        node = document.get(part)
        if node:
            given.update(_flat(node, prefix))
    kind, version, by, again = (document.get(name) for name in ("kind", "version", "requested_by", "again"))
    name = by.get("name") if by and isinstance(by.value, dict) else by
    places = {label: node.where for label, node in (("kind", kind), ("version", version)) if node}
    language = document.get("language")
    return Answers(
        kind=kind.text() if kind else "",
        where=document.where,
        given=given,
        language=language.text() if language else "en",
        version=int(version.text()) if version and version.text().isascii() and version.text().isdigit() else None,
        sender=Located(name.text(), name.where) if name and name.text() else None,
        again=Located(again.text(), again.where) if again and again.text() else None,
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


SLIP_KEYS = (
    "denpyo",
    "id",
    "kind",
    "version",
    "schema",
    "by",
    "requested_by",
    "requested_at",
    "via",
    "language",
    "job",
    "resources",
    "changes",
)
BARE_KEYS = ("kind", "version", "requested_by", "again", "language", "job", "resources")


def envelope_problems(document: Node, keys: tuple[str, ...] = SLIP_KEYS) -> Iterator[Problem]:
    """What is wrong with a document around its job: its shape, names nobody knows, and (of a slip) names that are missing."""
    if not isinstance(document.value, dict):
        yield Problem("yaml_shape", document.where, "", {"expected": MAPPING})
        return
    for name in document.value:
        if name not in keys:
            yield Problem("unknown_key", document.keys[name], name, {"name": shown(name)}, nearest(name, keys))
    required = keys if keys is SLIP_KEYS else ("kind", "job")
    for name in (name for name in required if name not in document.value):
        yield Problem("missing", document.where, name, {"label": name})
    yield from _shape_problems(document)


def _shape_problems(document: Node) -> Iterator[Problem]:
    for name in ("job", RESOURCES, "via"):
        node = document.get(name)
        if node and not isinstance(node.value, dict):
            yield Problem("yaml_shape", node.where, name, {"expected": MAPPING})
    for name in ("kind", "version", "again", "language", "id", "requested_at"):
        node = document.get(name)
        if node and not isinstance(node.value, str):
            yield Problem("yaml_shape", node.where, name, {"expected": VALUE})
    version = document.get("version")
    if version and isinstance(version.value, str) and not (version.value.isascii() and version.value.isdigit()):
        yield Problem("not_whole", version.where, "version", {"text": shown(version.value), "example": "1"})
    language = document.get("language")
    if language and isinstance(language.value, str) and language.value not in languages():
        facts: dict[str, Fact] = {"text": shown(language.value), "choices": languages()}
        yield Problem("unknown_choice", language.where, "language", facts, nearest(language.value, languages()))


def _request(document: Node, checked: Checked) -> Request:
    """The envelope of a slip that has every key. What it says about its own making is kept as it stands."""

    def text(*path: str) -> str:
        node: Node | None = document
        for name in path:
            node = node.get(name) if node else None
        return node.text() if node else ""

    try:
        at = datetime.fromisoformat(text("requested_at"))
    except ValueError as error:
        raise SlipError(
            [Problem("not_a_date", document.where, "requested_at", {"text": shown(text("requested_at"))})]
        ) from error
    changes = document.get("changes")
    return Request(
        id=text("id"),
        kind=checked.kind,
        version=int(text("version")),
        schema=text("schema").removeprefix("sha256:"),
        denpyo=text("by").removeprefix("denpyo "),
        requested_by=text("requested_by", "name"),
        trust=text("requested_by", "trust"),
        requested_at=at,
        via=Via(*(text("via", name) for name in ("door", "source", "sha256", "where"))),
        language=text("language"),
        job=checked.job,
        resources=checked.resources,
        changes=tuple(_change_in(one) for one in changes.value) if changes and isinstance(changes.value, list) else (),
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
