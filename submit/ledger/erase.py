"""What a ledger keeps of a person, and how it goes: rows that lie beside the tree, and never an entry.

With the row beside an entry its salt goes, so that nobody can test a guess against the hash that stays. SQLite overwrites what it deletes
(``secure_delete``). Who keeps personal text in a table of the ledger's file names it here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from submit.ledger import Ledger, Writing

OF_REQUEST = (("asked", "request"), ("outbox", "request"), ("words", "request"), ("lots", "request"))
"""Tables whose rows go with a request, each with the column that names it."""
OF_PERSON = (("asked", "subject"), ("outbox", "receiver"))
"""Columns that name a person: such a row goes with them, also where it belongs to a request of somebody else, as an approver's does."""
OF_HASH = (("outbox", "who"), ("words", "who"))
"""Columns that hold a keyed hash of an address: whoever has the desk's salt can test a guess against it, so it goes with them, too."""
OF_FILE = (("written_back", "path"),)
"""Columns that name a file: such a row goes with it."""
RESULTS = (("runs", "result"), ("local_queue", "result"))
"""Results of runs: figures stay, what was said goes."""
FIGURES = ("state", "code", "metrics", "passed", "model")
ASKER, NAMING = "requested_by", ("requested_by", "by", "who", "to", "subject")
"""The key beside an entry that names who asked, and those that name anybody."""
HASHED = "of"
"""The key beside an entry that holds the keyed hash of an address."""
SORTS = ("", "person:", "mail:", "user:", "github:", "clearml:")
FILES = "CREATE TABLE IF NOT EXISTS erasing (path TEXT PRIMARY KEY NOT NULL)"
BESIDE = "SELECT beside.seq, request, text FROM beside JOIN entries ON entries.seq = beside.seq WHERE text != ''"
OF_REQUESTS = """SELECT entries.seq, json_extract(CAST(body AS TEXT), '$.action'), text FROM entries
    JOIN beside ON beside.seq = entries.seq WHERE request IN (SELECT value FROM json_each(?))"""
APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Found:
    """What a ledger keeps of those that were named: whole requests, and texts and rows that name them in requests of others.
    ``hashes`` are the keyed hashes of their addresses, ``rows`` how many rows there are with a name or a hash of theirs."""

    names: frozenset[str]
    hashes: frozenset[str]
    requests: tuple[str, ...]
    texts: tuple[int, ...]
    rows: int


def find(ledger: Ledger, wanted: Sequence[str], hashes: frozenset[str] = frozenset()) -> Found:
    """``wanted`` are ids of requests, or names, addresses and subjects of people, in any case of letters."""
    ids = {row.id for row in ledger.requests_among([_folded(one) for one in wanted]).values()}
    names = frozenset(sort + _folded(one) for one in wanted if _folded(one) not in ids for sort in SORTS)
    texts = set[int]()
    for seq, request, told in _naming(ledger, names, hashes):
        if request and _folded(told.get(ASKER)) in names:
            ids.add(request)
        else:
            texts.add(seq)
    ids |= {str(id) for id, who in _rows(ledger, "SELECT request, subject FROM asked") if _folded(who) in names}
    there = [id for id in ledger.requests_among(ids)]
    of_requests = ledger.query(OF_REQUESTS, (json.dumps(there),))
    texts |= {seq for seq, action, text in of_requests if not _is_of_another(action, text, names)}
    rows = sum(_count(ledger, table, which, values) for table, which, values in _of_person(ledger, names, hashes))
    return Found(names, hashes, tuple(sorted(there)), tuple(sorted(texts)), rows)


def _is_of_another(action: str, text: str, names: frozenset[str]) -> bool:
    """Whether a text beside an entry of an erased request says no more than that somebody else approved it: nobody approves their own.
    Any text with a reason in it goes, since that may speak of the person."""
    told = _object(text) if action == APPROVED else {}
    by = _folded(told.get("by"))
    return bool(by) and by not in names and not any(said for key, said in told.items() if key != "by")


def delete(ledger: Ledger, tx: Writing, found: Found, files: Sequence[str]) -> dict[str, int]:
    """How many texts and rows went, in this transaction; ``files`` are to go when it is kept, whatever happens between."""
    count = _each(tx, "DELETE FROM beside WHERE seq IN (SELECT value FROM json_each(?))", found.texts)
    rows = 0
    for table, column in OF_REQUEST:
        rows += _each(tx, _deleting(table, column), found.requests) if _there(ledger, table, column) else 0
    for table, which, values in _of_person(ledger, found.names, found.hashes):
        rows += _each(tx, _deleting(table, which), sorted(values))
    for table, column in OF_FILE:
        rows += _each(tx, _deleting(table, column), files) if _there(ledger, table, column) else 0
    for table, column in RESULTS:
        if _there(ledger, table, column):
            _keep_figures(ledger, tx, table, found.requests)
    tx.execute(FILES)
    tx.execute_all("INSERT OR IGNORE INTO erasing (path) VALUES (?)", [(one,) for one in files])
    return {"texts": count, "rows": rows}


def results(ledger: Ledger, requests: Sequence[str]) -> list[str]:
    """The runs of these requests, whose folders hold what they left."""
    return [row.run for rows in ledger.runs_among(requests).values() for row in rows]


def sources(ledger: Ledger) -> dict[str, set[str]]:
    """The requests that each file brought, by the file's SHA-256, as far as it is still known."""
    found: dict[str, set[str]] = {}
    for _, request, told in _told(ledger):
        hashed = told.get("source_sha256")
        if isinstance(hashed, str) and request:
            found.setdefault(hashed, set()).add(request)
    return found


def waiting(ledger: Ledger) -> list[str]:
    """The files that an erasure before still has to delete."""
    return [str(path) for (path,) in _rows(ledger, "SELECT path FROM erasing ORDER BY path")]


def gone(tx: Writing, file: str) -> None:
    tx.execute("DELETE FROM erasing WHERE path = ?", (file,))


def _of_person(
    ledger: Ledger, names: frozenset[str], hashes: frozenset[str]
) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Tables with what to compare there, and with which values."""
    for table, column in OF_PERSON:
        if _there(ledger, table, column):
            yield table, f"lower({column})", names
    for table, column in OF_HASH:
        if _there(ledger, table, column):
            yield table, column, hashes


def _count(ledger: Ledger, table: str, which: str, values: frozenset[str]) -> int:
    sql = f"SELECT count(*) FROM {table} WHERE {which} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names
    return int(ledger.query(sql, (json.dumps(sorted(values)),))[0][0])


def _naming(
    ledger: Ledger, names: frozenset[str], hashes: frozenset[str]
) -> Iterator[tuple[int, str | None, Mapping[str, Any]]]:
    for seq, request, told in _told(ledger):
        if str(told.get(HASHED)) in hashes or any(_folded(told.get(key)) in names for key in NAMING):
            yield seq, request, told


def _told(ledger: Ledger) -> Iterator[tuple[int, str | None, Mapping[str, Any]]]:
    for seq, request, text in ledger.query(BESIDE):
        if told := _object(text):
            yield seq, request, told


def _object(text: str) -> Mapping[str, Any]:
    """Nothing for what is no JSON object."""
    try:
        told = json.loads(text) if text else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _keep_figures(ledger: Ledger, tx: Writing, table: str, requests: Sequence[str]) -> None:
    of = "WHERE result IS NOT NULL AND substr(run, 1, instr(run, '.') - 1) IN (SELECT value FROM json_each(?))"
    rows = ledger.query(f"SELECT run, result FROM {table} {of}", (json.dumps([*requests]),))  # noqa: S608 - our own names
    tx.execute_all(f"UPDATE {table} SET result = ? WHERE run = ?", [(_figures(one), run) for run, one in rows])  # noqa: S608


def _figures(result: str) -> str:
    told = json.loads(result)
    return json.dumps({key: told[key] for key in FIGURES if key in told}, ensure_ascii=False)


def _there(ledger: Ledger, table: str, column: str) -> bool:
    """Whether this ledger has such a table: each is made by what first needs it."""
    return bool(ledger.query("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column)))


def _deleting(table: str, column: str) -> str:
    return f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names


def _each(tx: Writing, sql: str, values: Sequence[Any]) -> int:
    return tx.execute(sql, (json.dumps([*values]),)) if values else 0


def _rows(ledger: Ledger, sql: str) -> list[tuple[Any, ...]]:
    """None where the table is not there yet."""
    table = sql.split(" FROM ")[1].split(" ")[0]
    there = ledger.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return ledger.query(sql) if there else []


def _folded(value: object) -> str:
    return " ".join(value.split()).casefold() if isinstance(value, str) else ""
