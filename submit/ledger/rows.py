"""What the tables of a ledger hold, the same as values, and the statements between the two.

A row is read into its class in the order of its columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOTHING_BEFORE = "0" * 64  # the leaf hash before the first entry

TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL)",
    "CREATE TABLE entries (seq INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, request TEXT, body BLOB NOT NULL)",
    "CREATE INDEX entries_by_request ON entries (request) WHERE request IS NOT NULL",
    "CREATE TABLE frontier (size INTEGER NOT NULL, hashes BLOB NOT NULL)",
    "CREATE TABLE beside (seq INTEGER PRIMARY KEY REFERENCES entries, salt BLOB NOT NULL, text TEXT NOT NULL)",
    """CREATE TABLE requests (
        id TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, language TEXT NOT NULL,
        updated_at TEXT NOT NULL, slip TEXT, slip_sha256 TEXT, CHECK ((slip IS NULL) = (slip_sha256 IS NULL)))""",
    "CREATE INDEX requests_by_state ON requests (state)",
    """CREATE TABLE runs (
        run TEXT PRIMARY KEY NOT NULL, request TEXT NOT NULL REFERENCES requests DEFERRABLE INITIALLY DEFERRED,
        attempt INTEGER NOT NULL, engine TEXT NOT NULL, queue TEXT NOT NULL, max_hours REAL NOT NULL,
        state TEXT NOT NULL, updated_at TEXT NOT NULL, engine_id TEXT, url TEXT, result TEXT,
        CHECK (run = request || '.' || attempt))""",
    "CREATE INDEX runs_by_request ON runs (request)",
    "CREATE INDEX runs_by_state ON runs (state)",
    "INSERT INTO frontier VALUES (0, x'')",
)

PUT_REQUEST = """
    INSERT INTO requests (id, kind, state, language, updated_at, slip, slip_sha256) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET (kind, state, language, updated_at, slip, slip_sha256) = (
        excluded.kind, excluded.state, excluded.language, excluded.updated_at, excluded.slip, excluded.slip_sha256)"""
PUT_RUN = """
    INSERT INTO runs (run, request, attempt, engine, queue, max_hours, state, updated_at, engine_id, url, result)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run) DO UPDATE SET (engine, queue, max_hours, state, updated_at, engine_id, url, result) = (
        excluded.engine, excluded.queue, excluded.max_hours, excluded.state, excluded.updated_at,
        excluded.engine_id, excluded.url, excluded.result)"""
MOVE_RUN = "UPDATE runs SET state = ?, updated_at = ?, engine_id = ?, url = ? WHERE run = ?"
MOVE_REQUEST = "UPDATE requests SET state = ?, updated_at = ? WHERE id = ?"
ENTRIES = """
    SELECT entries.seq, key, body, text FROM entries LEFT JOIN beside ON beside.seq = entries.seq
    WHERE entries.seq > ? ORDER BY entries.seq LIMIT ?"""
ENTRIES_OF = """
    SELECT entries.seq, key, body, text FROM entries LEFT JOIN beside ON beside.seq = entries.seq
    WHERE entries.seq > ? AND request = ? ORDER BY entries.seq LIMIT ?"""
ENTRIES_KEYED = """
    SELECT entries.seq, key, body, text FROM entries LEFT JOIN beside ON beside.seq = entries.seq
    WHERE key >= ? AND key < ? ORDER BY entries.seq"""
SLIPS_OF = """
    SELECT json_extract(CAST(body AS TEXT), '$.slip') AS slip, salt
    FROM entries LEFT JOIN beside ON beside.seq = entries.seq WHERE request = ? AND slip IS NOT NULL"""
RECORDED_AMONG = """
    SELECT DISTINCT request FROM entries WHERE request IN (SELECT value FROM json_each(?))"""
KEYS_AMONG = "SELECT key FROM entries WHERE key IN (SELECT value FROM json_each(?))"
ALLOWED_AMONG = """
    SELECT DISTINCT request FROM entries WHERE request IN (SELECT value FROM json_each(?))
    AND json_extract(CAST(body AS TEXT), '$.action') IN ('allowed', 'approved')"""
REQUESTS_AMONG = "SELECT * FROM requests WHERE id IN (SELECT value FROM json_each(?))"
RUNS_AMONG = "SELECT * FROM runs WHERE request IN (SELECT value FROM json_each(?)) ORDER BY attempt"
FIRST_AMONG = """
    SELECT request, text FROM entries LEFT JOIN beside ON beside.seq = entries.seq WHERE entries.seq IN (
        SELECT min(seq) FROM entries WHERE request IN (SELECT value FROM json_each(?)) GROUP BY request)"""
REQUESTS = "SELECT * FROM requests ORDER BY rowid LIMIT ?"
REQUESTS_IN = "SELECT * FROM requests WHERE state IN (SELECT value FROM json_each(?)) ORDER BY rowid LIMIT ?"
RUNS = "SELECT * FROM runs ORDER BY rowid"
RUNS_IN = "SELECT * FROM runs WHERE state IN (SELECT value FROM json_each(?)) ORDER BY rowid"
RUNS_STILL = "SELECT run FROM runs WHERE state = ? AND run IN (SELECT value FROM json_each(?))"
RUNS_OF = "SELECT * FROM runs WHERE request = ? ORDER BY attempt"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `beside_text` is what a person wrote, "" where nothing was, None once it is erased."""

    seq: int
    key: str
    at: str
    user: str
    action: str
    request: str | None
    detail: dict[str, Any]
    beside_text: str | None


@dataclass(frozen=True, slots=True)
class New:
    """An entry to be. `beside` and `slip` enter as salted hashes, `detail` as it is."""

    key: str
    action: str
    request: str | None = None
    detail: Mapping[str, Any] | None = None
    beside: str = ""
    slip: bytes | None = None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Where a request stands now. `slip` is a path relative to the ledger's folder.

    `slip_sha256` is the salted hash of the slip's bytes in the entry that recorded it; `put_request` finds it when the
    entry was appended in the same transaction.
    """

    id: str
    kind: str
    state: str
    language: str
    updated_at: str
    slip: str | None = None
    slip_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """Where one attempt of one request stands now. `run` is `<request>.<attempt>`; `result` is JSON."""

    run: str
    request: str
    attempt: int
    engine: str
    queue: str
    max_hours: float
    state: str
    updated_at: str
    engine_id: str | None = None
    url: str | None = None
    result: str | None = None
