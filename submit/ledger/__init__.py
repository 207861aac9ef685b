"""The ledger of one desk: requests, their runs, and the entries that say what happened, none of which ever changes.

The canonical JSON (RFC 8785) of an entry is a leaf of a Merkle tree (RFC 9162) and holds the hash of the leaf before.
What people wrote stands in entries as salted hashes only: the text lies beside, a slip in its file. Once the row beside
an entry is deleted, its salt is gone too, nobody can test a guess against the hash any more, and the tree still verifies.

Times are RFC 3339 with a zone, hashes are SHA-256 in hexadecimal.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from submit.ledger.files import (
    LOCK,
    SLIPS,
    UNREADABLE,
    WAIT_SECONDS,
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    LedgerExists,
    LedgerMissing,
    NetworkFileSystem,
    create,
    held,
    meaning,
    open_database,
    read_slip_file,
    refuse_network,
    salted,
    slip_path,
    write_slip_files,
)
from submit.ledger.merkle import Frontier
from submit.ledger.rows import (
    ALLOWED_AMONG,
    ENTRIES,
    ENTRIES_KEYED,
    ENTRIES_OF,
    FIRST_AMONG,
    KEYS_AMONG,
    RECORDED_AMONG,
    REQUESTS,
    REQUESTS_AMONG,
    REQUESTS_IN,
    RUNS,
    RUNS_AMONG,
    RUNS_IN,
    RUNS_OF,
    RUNS_STILL,
    SLIPS_OF,
    Entry,
    New,
    RequestRow,
    RunRow,
)
from submit.ledger.verify import Verdict, verify
from submit.ledger.writing import Values, Writing, stored_frontier

__all__ = [
    "Entry",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "LedgerError",
    "LedgerExists",
    "LedgerMissing",
    "NetworkFileSystem",
    "New",
    "RequestRow",
    "RunRow",
    "Verdict",
    "Writing",
    "create",
    "open_ledger",
    "verify",
]

_PAGE = 1000


class Ledger:
    """An open ledger. It belongs to the thread that opened it and not to a forked child; `with` closes it.

    `salt` is the desk's own: 32 random bytes, made once.
    """

    def __init__(self, folder: Path, db: sqlite3.Connection, wait: float) -> None:
        self.folder = folder
        self._db, self._wait, self._pid = db, wait, os.getpid()
        self._writing: Writing | None = None
        self.salt: bytes = dict(self.query("SELECT key, value FROM meta"))["salt"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def writing(self, wait: float | None = None) -> Iterator[Writing]:
        """One transaction, alone: LedgerBusy if others write for longer than we wait, or than ``wait`` seconds."""
        if self._writing is not None:
            raise RuntimeError("this ledger is being written already")
        with held(self.folder / LOCK, self._wait if wait is None else wait):
            tx = Writing(self._here())
            try:
                tx.begin()
                self._writing = tx
                yield tx
                tx.commit()
            finally:
                self._writing = None
                tx.end()

    def write_slips(self, slips: Mapping[str, bytes], year: int, month: int) -> dict[str, str]:
        """The paths of the written files by id, all on the disk. Only while writing: nobody may replace a file before its entry
        is kept.

        A file that no entry has recorded is replaced; LedgerError where one has, with other bytes.
        """
        paths = {slip_id: slip_path(slip_id, year, month) for slip_id in slips}
        if self._writing is None:
            raise RuntimeError("a slip is written inside `with ledger.writing()`")
        for (slip_id,) in self.query(RECORDED_AMONG, (json.dumps([*slips]),)):
            for recorded, salt in self.query(SLIPS_OF, (slip_id,)):
                if salt is None or salted(salt, slips[slip_id]) != recorded:
                    raise LedgerError(f"{paths[slip_id]}: is recorded with other bytes")
        write_slip_files(
            self.folder, f"{SLIPS}/{year:04d}/{month:02d}", {paths[one]: slip for one, slip in slips.items()}
        )
        return paths

    def recorded_slip(self, row: RequestRow) -> bytes | None:
        """The bytes of a request's slip if they are those that its entry recorded; None if they are others, or gone."""
        try:
            slip = read_slip_file(self.folder / row.slip) if row.slip else None
        except (FileNotFoundError, NotADirectoryError):
            slip = None
        if slip is None:
            return None
        known = self.query(SLIPS_OF, (row.id,))
        return slip if any(salt is not None and salted(salt, slip) == recorded for recorded, salt in known) else None

    def slip_is_erased(self, row: RequestRow) -> bool:
        """Whether what proves the bytes of a request's slip was deleted, as the slip then is."""
        return all(salt is None for _, salt in self.query(SLIPS_OF, (row.id,)))

    def query(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of one SELECT of the caller's own."""
        try:
            return self._here().execute(sql, values).fetchall()
        except UNREADABLE as error:
            raise meaning(error, error) from None

    def _here(self) -> sqlite3.Connection:
        if os.getpid() != self._pid:
            raise RuntimeError("a ledger is not carried over a fork: open it again")
        return self._db

    def ensure(self, sql: str) -> None:
        """One `CREATE ... IF NOT EXISTS`, for what an engine or inbox keeps in the same file. It waits for no writer once that is there."""
        self.query(sql)

    def has(self, key: str) -> bool:
        return bool(self.query("SELECT 1 FROM entries WHERE key = ?", (key,)))

    def keys_among(self, keys: Collection[str]) -> set[str]:
        """Those that an entry has."""
        return {key for (key,) in self.query(KEYS_AMONG, (json.dumps([*keys]),))}

    def entries(self, request: str | None = None, since: int = 0) -> Iterator[Entry]:
        """In order, those after number `since`; read in pages, so that a slow reader keeps no writer waiting."""
        while page := self._page(request, since):
            yield from page
            since = page[-1].seq

    def entries_keyed(self, sort: str) -> Iterator[Entry]:
        """In order, those whose keys begin with `sort` and a colon."""
        return (_entry(*row) for row in self.query(ENTRIES_KEYED, (f"{sort}:", f"{sort};")))

    def _page(self, request: str | None, since: int) -> list[Entry]:
        if request is None:
            return [_entry(*row) for row in self.query(ENTRIES, (since, _PAGE))]
        return [_entry(*row) for row in self.query(ENTRIES_OF, (since, request, _PAGE))]

    def request(self, request: str) -> RequestRow | None:
        return next((RequestRow(*row) for row in self.query("SELECT * FROM requests WHERE id = ?", (request,))), None)

    def requests_among(self, ids: Collection[str]) -> dict[str, RequestRow]:
        """Those of the ids that there are."""
        return {row[0]: RequestRow(*row) for row in self.query(REQUESTS_AMONG, (json.dumps([*ids]),))}

    def runs_among(self, requests: Collection[str]) -> dict[str, list[RunRow]]:
        """The runs of these requests, by request; the first to come first."""
        found: dict[str, list[RunRow]] = {}
        for row in self.query(RUNS_AMONG, (json.dumps([*requests]),)):
            found.setdefault(row[1], []).append(RunRow(*row))
        return found

    def runs_still(self, state: str, runs: Collection[str]) -> set[str]:
        """Those of these runs that are in this state now."""
        return {run for (run,) in self.query(RUNS_STILL, (state, json.dumps([*runs])))}

    def allowed_among(self, requests: Collection[str]) -> set[str]:
        """Those of these requests that an entry has let go: by a rule, or because somebody approved them."""
        return {request for (request,) in self.query(ALLOWED_AMONG, (json.dumps([*requests]),))}

    def first_beside(self, requests: Collection[str]) -> dict[str, str]:
        """What lies beside the first entry of each of these requests; "" where nothing does, or not any more."""
        return {request: text or "" for request, text in self.query(FIRST_AMONG, (json.dumps([*requests]),))}

    def requests(self, states: Collection[str] = (), limit: int | None = None) -> list[RequestRow]:
        """Those in one of the states, or all; the first to come first."""
        most = -1 if limit is None else limit
        rows = self.query(REQUESTS_IN, (json.dumps([*states]), most)) if states else self.query(REQUESTS, (most,))
        return [RequestRow(*row) for row in rows]

    def run(self, run: str) -> RunRow | None:
        return next((RunRow(*row) for row in self.query("SELECT * FROM runs WHERE run = ?", (run,))), None)

    def runs(self, request: str | None = None, states: Collection[str] = ()) -> list[RunRow]:
        """Those of the request and in one of the states; the first to come first."""
        if request is not None:
            of_request = [RunRow(*row) for row in self.query(RUNS_OF, (request,))]
            return [run for run in of_request if not states or run.state in states]
        rows = self.query(RUNS_IN, (json.dumps([*states]),)) if states else self.query(RUNS)
        return [RunRow(*row) for row in rows]

    def root(self) -> str:
        return self.frontier().root().hex()

    def size(self) -> int:
        return self.frontier().size

    def frontier(self) -> Frontier:
        """Size and root in one, as they are now."""
        if self._writing is not None:
            return self._writing.frontier
        return stored_frontier(self.query("SELECT size, hashes FROM frontier"))


def open_ledger(folder: Path, wait: float = WAIT_SECONDS) -> Ledger:
    """Never creates: LedgerMissing, LedgerDamaged, NetworkFileSystem, or a plain LedgerError for a newer format.

    Others may hold the ledger for `wait` seconds before this one says LedgerBusy.
    """
    refuse_network(folder)
    db = open_database(folder, wait)
    try:
        return Ledger(folder, db, wait)
    except BaseException:
        db.close()
        raise


def _entry(seq: int, key: str, body: bytes, text: str | None) -> Entry:
    try:
        told = json.loads(body)
        beside = text if told["beside"] else ""
        return Entry(seq, key, told["at"], told["user"], told["action"], told["request"], told["detail"], beside)
    except (KeyError, TypeError, ValueError) as error:
        raise LedgerDamaged(f"entry {seq}: cannot be read") from error
