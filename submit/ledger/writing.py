"""One transaction on a ledger: the only place where entries are made."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from schema import canonical
from submit.ledger.files import SLIP_ID, UNREADABLE, LedgerDamaged, meaning, salted
from submit.ledger.merkle import Frontier, leaf_hash
from submit.ledger.rows import (
    KEYS_AMONG,
    MOVE_REQUEST,
    MOVE_RUN,
    NOTHING_BEFORE,
    PUT_REQUEST,
    PUT_RUN,
    New,
    RequestRow,
    RunRow,
)

Values = Sequence[Any] | Mapping[str, Any]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")
SALT = 16
_of_run = attrgetter(*(one.name for one in fields(RunRow)))


class Writing:
    """One transaction: all of it is kept, on the disk, when the `with` block ends, or none of it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db: sqlite3.Connection | None = db
        self._slips: dict[str, str] = {}
        self._stored = self.frontier = Frontier()
        self._before = NOTHING_BEFORE

    def begin(self) -> None:
        self._execute("BEGIN IMMEDIATE")
        self._stored = self.frontier = stored_frontier(self._execute("SELECT size, hashes FROM frontier").fetchall())
        last = self._execute("SELECT seq, CAST(body AS BLOB) FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        if last is not None:
            self._before = leaf_hash(last[1]).hex()
        end = last[0] if last else 0
        if end != self._stored.size:
            first = end + 1 if isinstance(end, int) and end < self._stored.size else self._stored.size + 1
            raise LedgerDamaged(f"entry {first}: is not both in the ledger and in its frontier")

    def append(
        self,
        key: str,
        action: str,
        *,
        at: str,
        user: str,
        request: str | None = None,
        detail: Mapping[str, Any] | None = None,
        beside: str = "",
        slip: bytes | None = None,
    ) -> bool:
        """Whether the entry is new: where one of that key stands already, nothing is written.

        `user` is the operating system's; `beside` and `slip` enter as salted hashes, `detail` as it is.
        """
        return bool(self.append_all([New(key, action, request, detail, beside, slip)], at=at, user=user))

    def append_all(self, entries: Sequence[New], *, at: str, user: str) -> set[str]:
        """The keys of those that are new, in one go. Where an entry of a key stands already, nothing is written."""
        if not _TIME.fullmatch(at):
            raise ValueError(f"{at!r} is no RFC 3339 time with a zone")
        there = {key for (key,) in self._execute(KEYS_AMONG, (json.dumps([one.key for one in entries]),))}
        new = {one.key: one for one in reversed(entries) if one.key not in there}
        mine = [one for one in entries if new.get(one.key) is one]
        self._append_new(mine, canonical.string(at), canonical.string(user))
        return set(new)

    def _append_new(self, entries: Sequence[New], at: bytes, user: bytes) -> None:
        leaves: list[bytes] = []
        rows: list[tuple[int, str, str | None, bytes]] = []
        beside: list[tuple[int, bytes, str]] = []
        salts, before = secrets.token_bytes(SALT * len(entries)), self._before
        for seq, one in enumerate(entries, self.frontier.size + 1):
            salt = salts[SALT * len(rows) : SALT * (len(rows) + 1)]
            hashes = self._salted(one, salt)
            body = _body(one, seq, at, user, before, *hashes)
            leaf = leaf_hash(body)
            before = leaf.hex()
            leaves.append(leaf)
            rows.append((seq, one.key, one.request, body))
            if any(hashes):
                beside.append((seq, salt, one.beside))
        self._execute_all("INSERT INTO entries (seq, key, request, body) VALUES (?, ?, ?, ?)", rows)
        self._execute_all("INSERT INTO beside (seq, salt, text) VALUES (?, ?, ?)", beside)
        self.frontier, self._before = self.frontier.append_hashes(leaves) if leaves else self.frontier, before

    def _salted(self, one: New, salt: bytes) -> tuple[str, str]:
        """The hashes of what lies beside an entry and of its slip; "" for what it has not."""
        slip = ""
        if one.slip is not None:
            if not (one.request and SLIP_ID.fullmatch(one.request)):
                raise ValueError(f"request {one.request!r} cannot have a slip")
            slip = self._slips[one.request] = salted(salt, one.slip)
        return salted(salt, one.beside.encode()) if one.beside else "", slip

    def put_request(self, row: RequestRow) -> None:
        """Inserted, or put in the place of the row of that id. ValueError for a slip that no entry has recorded."""
        self.put_requests((row,))

    def put_requests(self, rows: Iterable[RequestRow]) -> None:
        self.execute_all(PUT_REQUEST, [self._columns(row) for row in rows])

    def _columns(self, row: RequestRow) -> tuple[Any, ...]:
        recorded = row.slip_sha256
        if row.slip is not None and recorded is None:
            recorded = self._slips.get(row.id)
            if recorded is None:
                raise ValueError(f"append the entry with the slip of {row.id} before its request")
        return row.id, row.kind, row.state, row.language, row.updated_at, row.slip, recorded

    def put_run(self, row: RunRow) -> None:
        """Inserted, or put in the place of the row of that run."""
        self.put_runs((row,))

    def put_runs(self, rows: Iterable[RunRow]) -> None:
        self.execute_all(PUT_RUN, [_of_run(row) for row in rows])

    def move_runs(self, state: str, at: str, runs: Iterable[tuple[str, str, str]]) -> None:
        """The state of these runs from now on, each given with its engine's id for it and its address."""
        self.execute_all(MOVE_RUN, [(state, at, engine_id, url, run) for run, engine_id, url in runs])

    def move_requests(self, state: str, at: str, requests: Iterable[str]) -> None:
        self.execute_all(MOVE_REQUEST, [(state, at, request) for request in requests])

    def execute(self, sql: str, values: Values = ()) -> int:
        """One statement of the caller's own, for tables of its own; how many rows it changed."""
        if self._db is None or not self._db.in_transaction:
            raise RuntimeError("this transaction is over")
        return self._execute(sql, values).rowcount

    def query(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT of the caller's own, with what this transaction has written."""
        return self._execute(sql, values).fetchall()

    def execute_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement of the caller's own for each of the rows."""
        if self._db is None or not self._db.in_transaction:
            raise RuntimeError("this transaction is over")
        self._execute_all(sql, rows)

    def _execute_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if self._db is None:
            raise RuntimeError("this transaction is over")
        try:
            self._db.executemany(sql, rows)
        except UNREADABLE as error:
            raise meaning(error, error) from None

    def _execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        if self._db is None:
            raise RuntimeError("this transaction is over")
        try:
            return self._db.execute(sql, values)
        except UNREADABLE as error:
            raise meaning(error, error) from None

    def commit(self) -> None:
        if self.frontier is not self._stored:
            self.execute("UPDATE frontier SET size = ?, hashes = ?", (self.frontier.size, self.frontier.pack()))
        self.execute("COMMIT")

    def end(self) -> None:
        """Nothing is kept of what was not committed."""
        if self._db is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._db = None


def _body(one: New, seq: int, at: bytes, user: bytes, before: str, beside: str, slip: str) -> bytes:
    """The canonical JSON of an entry (RFC 8785): its keys in their order, with the pieces that many entries share made once."""
    return (
        b'{"action":%b,"at":%b,"before":"%b","beside":%b,"detail":%b,"key":%b,"request":%b,"seq":%d,"slip":%b,"user":%b}'
    ) % (
        canonical.string(one.action),
        at,
        before.encode(),
        b'"%b"' % beside.encode() if beside else b"null",
        canonical.dumps(dict(one.detail or {})),
        canonical.string(one.key),
        canonical.string(one.request) if one.request is not None else b"null",
        seq,
        b'"%b"' % slip.encode() if slip else b"null",
        user,
    )


def stored_frontier(rows: list[tuple[Any, ...]]) -> Frontier:
    try:
        return Frontier.unpack(*rows[0])
    except (IndexError, TypeError, ValueError) as error:
        raise LedgerDamaged("frontier: cannot be read") from error
