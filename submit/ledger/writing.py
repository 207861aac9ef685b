"""One transaction on a ledger: the only place where entries are made."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

import rfc8785

from submit.ledger.files import SLIP_ID, UNREADABLE, LedgerDamaged, meaning, salted
from submit.ledger.merkle import Frontier, leaf_hash
from submit.ledger.rows import NOTHING_BEFORE, PUT_REQUEST, PUT_RUN, RequestRow, RunRow

Values = Sequence[Any] | Mapping[str, Any]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")
_APPEND = "INSERT INTO entries (seq, key, request, body) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"


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
        if not _TIME.fullmatch(at):
            raise ValueError(f"{at!r} is no RFC 3339 time with a zone")
        if slip is not None and not (request and SLIP_ID.fullmatch(request)):
            raise ValueError(f"request {request!r} cannot have a slip")
        salt = secrets.token_bytes(16)
        body = {
            "action": action,
            "at": at,
            "before": self._before,
            "beside": salted(salt, beside.encode()) if beside else None,
            "detail": dict(detail or {}),
            "key": key,
            "request": request,
            "seq": self.frontier.size + 1,
            "slip": salted(salt, slip) if slip is not None else None,
            "user": user,
        }
        return self._append(body, salt, beside)

    def _append(self, body: dict[str, Any], salt: bytes, beside: str) -> bool:
        leaf_data = rfc8785.dumps(body)
        if not self.execute(_APPEND, (body["seq"], body["key"], body["request"], leaf_data)):
            return False
        leaf = leaf_hash(leaf_data)
        self.frontier, self._before = self.frontier.append_hash(leaf), leaf.hex()
        if body["beside"] or body["slip"]:
            self.execute("INSERT INTO beside (seq, salt, text) VALUES (?, ?, ?)", (body["seq"], salt, beside))
        if body["slip"]:
            self._slips[body["request"]] = body["slip"]
        return True

    def put_request(self, row: RequestRow) -> None:
        """Inserted, or put in the place of the row of that id. ValueError for a slip that no entry has recorded."""
        if row.slip is not None and row.slip_sha256 is None:
            if row.id not in self._slips:
                raise ValueError(f"append the entry with the slip of {row.id} before its request")
            row = replace(row, slip_sha256=self._slips[row.id])
        self.execute(PUT_REQUEST, astuple(row))

    def put_run(self, row: RunRow) -> None:
        """Inserted, or put in the place of the row of that run."""
        self.execute(PUT_RUN, astuple(row))

    def execute(self, sql: str, values: Values = ()) -> int:
        """One statement of the caller's own, for tables of its own; how many rows it changed."""
        if self._db is None or not self._db.in_transaction:
            raise RuntimeError("this transaction is over")
        return self._execute(sql, values).rowcount

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


def stored_frontier(rows: list[tuple[Any, ...]]) -> Frontier:
    try:
        return Frontier.unpack(*rows[0])
    except (IndexError, TypeError, ValueError) as error:
        raise LedgerDamaged("frontier: cannot be read") from error
