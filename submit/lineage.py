"""Which request is the next version of which: a marked copy that comes back corrected or edited goes on with its response.

``follows`` leads from a request to the one it is the next version of, ``next`` the other way. Both stand in entries too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from submit.ledger import Ledger, RequestRow, RunRow, Writing

TABLE = """CREATE TABLE IF NOT EXISTS versions (
    id TEXT PRIMARY KEY NOT NULL, follows TEXT, next TEXT, said TEXT NOT NULL, meant TEXT NOT NULL)"""
THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'versions'"
AMONG = "SELECT * FROM versions WHERE id IN (SELECT value FROM json_each(?))"
PUT = """INSERT INTO versions (id, follows, next, said, meant) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET (follows, next, said, meant) = (
        coalesce(excluded.follows, follows), coalesce(excluded.next, next), excluded.said, excluded.meant)"""
BEFORE = """
    WITH RECURSIVE older (id) AS (
        SELECT follows FROM versions WHERE id = ? AND follows IS NOT NULL
        UNION SELECT follows FROM versions JOIN older USING (id) WHERE follows IS NOT NULL)
    SELECT runs.* FROM runs JOIN older ON runs.request = older.id ORDER BY runs.rowid"""
OPEN = ("held", "accepted", "queued", "running")
"""States of a run that has not ended."""


@dataclass(slots=True)
class Link:
    """A request's place among its versions, and the keyed hashes of what it asks for ("" where that is not known)."""

    id: str
    follows: str = ""
    next: str = ""
    said: str = ""
    meant: str = ""


@dataclass
class Lineage:
    """What the ledger has of the requests that a submission speaks of; and, as ``planned``, what the submission adds to it."""

    ledger: Ledger
    rows: dict[str, RequestRow] = field(default_factory=dict)
    runs: dict[str, list[RunRow]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    planned: set[str] = field(default_factory=set)
    _loaded: set[str] = field(default_factory=set)

    def load(self, ids: Iterable[str]) -> None:
        """Read these in one go; what is asked for later is read then."""
        new = {one for one in ids if one not in self._loaded}
        if not new:
            return
        self._loaded |= new
        self.rows |= self.ledger.requests_among(new)
        self.runs |= self.ledger.runs_among(new)
        for id_, follows, next_, said, meant in self._links(new):
            self.links.setdefault(id_, Link(id_, follows or "", next_ or "", said, meant))

    def _links(self, ids: Iterable[str]) -> list[tuple[Any, ...]]:
        return self.ledger.query(AMONG, (json.dumps([*ids]),)) if self._is_kept else []

    @cached_property
    def _is_kept(self) -> bool:
        """Whether the ledger has links at all. Who only looks makes no table for them."""
        return bool(self.ledger.query(THERE))

    def _know(self, request: str) -> None:
        if request not in self._loaded:
            self.load((request,))

    def row(self, request: str) -> RequestRow | None:
        self._know(request)
        return self.rows.get(request)

    def link(self, request: str) -> Link:
        self._know(request)
        return self.links.get(request) or self.links.setdefault(request, Link(request))

    def chain(self, request: str) -> list[str]:
        """The request and its next versions, the newest last."""
        found = [request]
        while (after := self.link(found[-1]).next) and after not in found:
            found.append(after)
        return found

    def before(self, request: str) -> Iterator[str]:
        """The versions before a request, the nearest first."""
        seen = {request}
        while (earlier := self.link(request).follows) and earlier not in seen:
            seen.add(earlier)
            yield earlier
            request = earlier

    def waits(self, request: str) -> bool:
        """Whether an earlier version has a run that has not ended, or will have one."""
        earlier = [*self.before(request)]
        self.load(earlier)
        return any(one in self.planned or any(run.state in OPEN for run in self.runs.get(one, ())) for one in earlier)


def ensure(ledger: Ledger) -> None:
    ledger.ensure(TABLE)


def keep(tx: Writing, links: Iterable[Link]) -> None:
    tx.execute_all(PUT, [(one.id, one.follows or None, one.next or None, one.said, one.meant) for one in links])


def open_before(ledger: Ledger, request: str) -> list[RunRow]:
    """The runs of the versions before a request that have not ended."""
    ensure(ledger)
    return [run for run in (RunRow(*row) for row in ledger.query(BEFORE, (request,))) if run.state in OPEN]


def next_of(ledger: Ledger, request: str) -> str:
    """The next version of a request, or ""."""
    ensure(ledger)
    found = ledger.query("SELECT next FROM versions WHERE id = ? AND next IS NOT NULL", (request,))
    return str(found[0][0]) if found else ""
