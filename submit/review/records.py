"""Everything that a desk knows of each request, gathered once: from its entries, what lies beside them, its slip and its runs.

Read in batches: no query a request, and never more than one batch in memory for whoever lets go of what was read.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from schema.answered import flat
from schema.question import RESOURCES
from submit.ledger import RequestRow, RunRow
from submit.review import stored
from submit.review.stored import Stored

BATCH = 500
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_OURS = re.compile(r"^ *(?:- )*(?:[^\s\"':]+: )?\[*[&*!]", re.MULTILINE)
"""Anchors, aliases and tags: our own slips have none, and what expands must not be expanded."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request. ``state`` is where it stands now; ``who`` asked, as they named themselves, and ``subject`` as the policy knows them,
    both "" once erased (``erased``); ``again`` is why it runs again; ``answers`` are those of its slip by question name.

    ``slip`` is the text of its slip, ``slip_is`` whether that is ``kept`` as recorded, ``erased``, ``changed`` or ``none``;
    ``previous`` is the request of the same person and kind before this one, with ``previous_answers``.
    """

    id: str
    kind: str
    version: int
    state: str
    language: str
    at: str
    who: str
    subject: str
    erased: bool
    trust: str
    door: str
    source: str
    source_sha256: str
    where: str
    again: str
    slip: str
    slip_is: str
    answers: Mapping[str, Any]
    changes: Sequence[Mapping[str, Any]]
    history: Sequence[Stored]
    runs: Sequence[RunRow]
    follows: str
    next: str
    previous: str = ""
    previous_answers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def run(self) -> RunRow | None:
        return self.runs[-1] if self.runs else None

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What was refused about it, the newest refusal alone: code, place, question and the words its sender heard."""
        told = self._refusal.written().get("problems", []) if self._refusal else []
        return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []

    @property
    def codes(self) -> list[str]:
        """The codes of the newest refusal, by the check or by the policy, which stand in the tree and outlive what lies beside."""
        if self._refusal is None:
            return []
        detail = self._refusal.detail
        if self._refusal.text("action") == "refused":
            return _texts(detail.get("codes"))
        if self.state != "refused":  # it was denied, and the rules are others by now
            return []
        return _texts(detail.get("over")) or (["no_policy"] if detail.get("reason") else ["not_allowed"])

    @property
    def _refusal(self) -> Stored | None:
        return next((one for one in reversed(self.history) if one.text("action") in ("refused", "denied")), None)

    @property
    def result(self) -> dict[str, Any]:
        return result_of(self.run) if self.run else {}

    @property
    def metrics(self) -> dict[str, Any]:
        """As they stand in the entry that says the run ended."""
        ended = [found for one in self.history if isinstance(found := one.detail.get("metrics"), dict)]
        return ended[-1] if ended else {}


def _texts(found: Any) -> list[str]:
    return [str(one) for one in found] if isinstance(found, list) else []


def result_of(run: RunRow) -> dict[str, Any]:
    """What a run left as its result; nothing where it left none, or what lies there cannot be read."""
    try:
        found = json.loads(run.result or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def records(db: sqlite3.Connection, folder: Path, last: int | None = None) -> Iterator[Record]:
    """All requests of a ledger, the first to come first; as far as entry number ``last``, where others may have written since."""
    ids = stored.requests(db)
    latest: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = {}
    for start in range(0, len(ids), BATCH):
        for one in _batch(db, folder, ids[start : start + BATCH], last):
            yield _compared(one, latest)


def record(db: sqlite3.Connection, folder: Path, request: str) -> Record | None:
    """One request, without a look at the ones before it."""
    return next(iter(_batch(db, folder, [request])), None)


def _compared(one: Record, latest: dict[tuple[str, str], tuple[str, Mapping[str, Any]]]) -> Record:
    """With what the same person asked of the same kind before."""
    if not one.answers or not one.who:
        return one
    before = latest.get((one.who, one.kind))
    latest[one.who, one.kind] = one.id, one.answers
    return _replaced(one, *before) if before else one


def _replaced(one: Record, previous: str, answers: Mapping[str, Any]) -> Record:
    values = {name: getattr(one, name) for name in Record.__slots__}
    return Record(**{**values, "previous": previous, "previous_answers": answers})


def _batch(db: sqlite3.Connection, folder: Path, ids: Sequence[str], last: int | None = None) -> Iterator[Record]:
    histories = stored.histories(db, ids, last)
    rows = {row[0]: RequestRow(*row) for row in stored.table(db, "requests", ids, "id")}
    links = {row[0]: row for row in stored.table(db, "versions", ids, "id")}
    asked = {row[0]: row for row in stored.table(db, "asked", ids, "request")}
    runs: dict[str, list[RunRow]] = {}
    for row in sorted(stored.table(db, "runs", ids, "request"), key=lambda row: row[2]):
        runs.setdefault(row[1], []).append(RunRow(*row))
    for one in ids:
        if history := histories.get(one):
            follows, after = (links[one][1:3]) if one in links else (None, None)
            subject = str(asked[one][1]) if one in asked else ""
            yield _record(folder, one, history, rows.get(one), runs.get(one, []), (follows or "", after or "", subject))


def _record(
    folder: Path,
    id_: str,
    history: Sequence[Stored],
    row: RequestRow | None,
    runs: Sequence[RunRow],
    linked: tuple[str, str, str],
) -> Record:
    first, beside = history[0], _beside(history)
    slip, slip_is = stored.slip(folder, row.slip if row else None, history)
    told = read_slip(slip)
    via, by = _mapping(told.get("via")), _mapping(told.get("requested_by"))
    detail = next((one.detail for one in history if one.told.get("slip")), first.detail)
    return Record(
        id=id_,
        kind=row.kind if row else str(detail.get("kind", "")),
        version=int(told.get("version") or 0),
        state=row.state if row else "",
        language=row.language if row else "",
        at=first.text("at"),
        who=str(by.get("name") or beside.get("requested_by", "")),
        subject=linked[2],
        erased=first.beside is None,
        trust=str(by.get("trust") or detail.get("trust", "")),
        door=str(via.get("door") or detail.get("door", "")),
        source=str(via.get("source") or beside.get("source", "")),
        source_sha256=str(via.get("sha256") or beside.get("source_sha256", "")),
        where=str(via.get("where") or beside.get("where", "")),
        again=str(beside.get("again", "")),
        slip=slip,
        slip_is=slip_is,
        answers=_answers(told),
        changes=[one for one in told.get("changes") or () if isinstance(one, dict)],
        history=history,
        runs=runs,
        follows=linked[0],
        next=linked[1],
    )


def _beside(history: Sequence[Stored]) -> dict[str, Any]:
    """What lies beside the entry that accepted the request, or else the first that has anything of who asked."""
    accepted = [one for one in history if one.told.get("slip")]
    return next((found for one in [*accepted, *history] if "requested_by" in (found := one.written())), {})


def _answers(told: Mapping[str, Any]) -> dict[str, Any]:
    return flat(_mapping(told.get("job"))) | flat(_mapping(told.get(RESOURCES)), f"{RESOURCES}.")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def read_slip(text: str) -> dict[str, Any]:
    """A slip as it was written, whatever its kind is today; nothing where it is no slip of ours."""
    if not text or _NOT_OURS.search(text):
        return {}
    head, between, changes = text.partition("\nchanges:")
    try:
        found = yaml.load(head, _LOADER)  # noqa: S506 - a safe loader, the fast one where there is one
        return {**found, **_changes(between + changes)} if isinstance(found, dict) else {}
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}


@lru_cache(1024)
def _changes(text: str) -> Mapping[str, Any]:
    """Most rows of a table were filled in alike."""
    found = yaml.load(text, _LOADER) if text else {}  # noqa: S506
    return found if isinstance(found, dict) else {}
