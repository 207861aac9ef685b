"""A ledger as it lies there, read for looking at: what can be read of a damaged one is read too, and nothing is taken on trust.

Whether it is sound, ``submit.ledger.verify`` says; here every entry is hashed again and every slip held against its entry.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from submit.ledger import LedgerDamaged
from submit.ledger.files import UNREADABLE, meaning, open_database, read_slip_file, salted
from submit.ledger.merkle import leaf_hash

LARGEST_SLIP = 1024 * 1024
_COLUMNS = """
    SELECT entries.seq, key, request, CAST(body AS BLOB), salt, text FROM entries
    LEFT JOIN beside ON beside.seq = entries.seq WHERE """
_AMONG = _COLUMNS + "request IN (SELECT value FROM json_each(?)) ORDER BY entries.seq"  # noqa: S608 - no value in it
_BETWEEN = _COLUMNS + "entries.seq >= ? AND entries.seq <= ? ORDER BY entries.seq"
_AFTER = _COLUMNS + "entries.seq > ? ORDER BY entries.seq LIMIT ?"
_OF_DESK = _COLUMNS + "request IS NULL ORDER BY entries.seq"
_IDS = "SELECT request FROM entries WHERE request IS NOT NULL GROUP BY request ORDER BY min(seq)"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry as it lies there. ``body`` is its text, ``hash`` its leaf, hashed again; ``told`` what the body says, empty where it is
    none; ``beside`` what people wrote, "" where nothing was and None once it is erased; ``salt`` proves that, and its slip."""

    seq: int
    key: str
    request: str | None
    body: str
    hash: str
    told: dict[str, Any]
    beside: str | None
    salt: bytes | None

    def text(self, name: str) -> str:
        value = self.told.get(name)
        return value if isinstance(value, str) else ""

    @property
    def detail(self) -> dict[str, Any]:
        found = self.told.get("detail")
        return found if isinstance(found, dict) else {}

    def written(self) -> dict[str, Any]:
        """What lies beside, where it is a JSON object."""
        return _object(self.beside or "")


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """A ledger's database for reading alone: no lock is taken and no table made. LedgerError where there is none."""
    with closing(open_database(folder)) as db:
        db.text_factory = lambda text: text.decode("utf-8", "replace")
        db.execute("PRAGMA query_only = ON")
        yield db


def rows(db: sqlite3.Connection, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of one SELECT; LedgerDamaged where they cannot be read."""
    try:
        return db.execute(sql, values).fetchall()
    except UNREADABLE as error:
        raise meaning(error, LedgerDamaged(str(error))) from None


def table(db: sqlite3.Connection, name: str, ids: Iterable[str], by: str) -> list[tuple[Any, ...]]:
    """The rows of these requests in one of the tables beside the entries; none where it is not there, or cannot be read."""
    try:
        return rows(db, f"SELECT * FROM {name} WHERE {by} IN (SELECT value FROM json_each(?))", (json.dumps([*ids]),))  # noqa: S608
    except LedgerDamaged:
        return []


def requests(db: sqlite3.Connection) -> list[str]:
    """The ids of all requests that any entry speaks of, the first to come first."""
    return [str(one) for (one,) in rows(db, _IDS)]


def histories(db: sqlite3.Connection, ids: Sequence[str], last: int | None = None) -> dict[str, list[Stored]]:
    """The entries of each of these requests, in order, as far as number ``last``."""
    found: dict[str, list[Stored]] = defaultdict(list)
    for row in rows(db, _AMONG, (json.dumps([*ids]),)):
        if last is None or row[0] <= last:
            found[str(row[2])].append(_stored(*row))
    return found


def between(db: sqlite3.Connection, first: int, last: int) -> list[Stored]:
    return [_stored(*row) for row in rows(db, _BETWEEN, (first, last))]


def of_desk(db: sqlite3.Connection, last: int | None = None) -> list[Stored]:
    """The entries that belong to no request, as far as number ``last``: policy, schema, keys, datasets."""
    return [_stored(*row) for row in rows(db, _OF_DESK) if last is None or row[0] <= last]


def entries(db: sqlite3.Connection, since: int = 0) -> Iterator[Stored]:
    """All in order, those after number ``since``; read in pages."""
    while page := rows(db, _AFTER, (since, _PAGE)):
        yield from (_stored(*row) for row in page)
        since = page[-1][0]


def _stored(seq: int, key: str, request: str | None, body: bytes, salt: bytes | None, text: str | None) -> Stored:
    body = body if isinstance(body, bytes) else b""
    said = body.decode("utf-8", "replace")
    told = _object(said)
    beside = text if told.get("beside") else ""
    return Stored(seq, key, request, said, leaf_hash(body).hex(), told, beside, salt)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def slip(folder: Path, path: str | None, history: Sequence[Stored]) -> tuple[str, str]:
    """What a request's slip says, and what it is: ``kept`` as its entry recorded it, ``erased``, ``changed`` (or lost), or ``none``."""
    recorded = [one for one in history if one.told.get("slip")]
    if not recorded:
        return "", "none"
    if all(one.salt is None for one in recorded):
        return "", "erased"
    try:
        found = read_slip_file(folder / path) if path and path.startswith("slips/") and ".." not in path else None
    except OSError:
        found = None
    if found is None or len(found) > LARGEST_SLIP:
        return "", "changed"
    good = any(one.salt is not None and salted(one.salt, found) == one.told["slip"] for one in recorded)
    return (found.decode("utf-8", "replace"), "kept") if good else ("", "changed")
