"""What is still to be told, on which channel and to whom: a row for each event, channel and receiver, in the ledger's database.

Rows are made from the ledger's entries after a cursor, in the transaction that moves the cursor, so that none is missed or made twice. A
row is ``sending`` from before the last step that cannot be taken back until its outcome is known. An address stands in its row until the
message is out, and no longer; ``who`` is a keyed hash of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass

from submit.ledger import Ledger, Writing

WAITING, SENDING, SENT, GIVEN_UP, UNSURE = "waiting", "sending", "sent", "given_up", "unsure"
TABLES = (
    """CREATE TABLE IF NOT EXISTS outbox (
        number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, event TEXT NOT NULL, request TEXT NOT NULL, channel TEXT NOT NULL,
        role TEXT NOT NULL, who TEXT NOT NULL, receiver TEXT NOT NULL, language TEXT NOT NULL, lot TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting', message TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
        since TEXT NOT NULL, next_at TEXT NOT NULL, said TEXT NOT NULL DEFAULT '', UNIQUE (seq, channel, who))""",
    "CREATE INDEX IF NOT EXISTS outbox_by_state ON outbox (state, next_at)",
    "CREATE INDEX IF NOT EXISTS outbox_by_lot ON outbox (lot, who, channel)",
    "CREATE TABLE IF NOT EXISTS outbox_cursor (seq INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS outbox_begun (seq INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lots (request TEXT PRIMARY KEY NOT NULL, lot TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS lots_by_lot ON lots (lot)",
)
PUT = """
    INSERT INTO outbox (seq, event, request, channel, role, who, receiver, language, lot, since, next_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq, channel, who) DO NOTHING"""
SELECT = """SELECT number, seq, event, request, channel, role, who, receiver, language, lot, state, message, attempts, since,
    next_at, said FROM outbox"""
BEGIN = "UPDATE outbox SET state = 'sending', message = ? WHERE number IN (SELECT value FROM json_each(?))"
SENT_NOW = "UPDATE outbox SET state = 'sent', receiver = '', said = '', next_at = ? WHERE number IN (SELECT value FROM json_each(?))"
PUT_OFF = """
    UPDATE outbox SET state = 'waiting', attempts = attempts + 1, next_at = ?, said = ? WHERE number IN (SELECT value FROM json_each(?))"""
END = "UPDATE outbox SET state = ?, said = ? WHERE number IN (SELECT value FROM json_each(?))"
AGAIN = """
    UPDATE outbox SET state = 'waiting', attempts = 0, since = ?, next_at = ? WHERE number IN (SELECT value FROM json_each(?))"""
STILL_OPEN = """
    SELECT 1 FROM lots JOIN requests ON requests.id = lots.request
    WHERE lot = ? AND state NOT IN ('refused', 'rejected', 'expired', 'done', 'failed', 'stopped', 'superseded') LIMIT 1"""
HEARD = "SELECT count(DISTINCT who) FROM outbox WHERE seq = ? AND role = ?"
LATELY = """
    SELECT count(DISTINCT message), max(next_at) FROM outbox
    WHERE lot = ? AND who = ? AND channel = ? AND state = 'sent' AND next_at > ?"""


@dataclass(frozen=True, slots=True)
class Told:
    """One event that one receiver is to hear of on one channel: ``seq`` is its entry. ``role`` says why they hear of it (``sender``,
    ``approver``, ``operator``, ``channel``); what waits of one ``lot`` for one receiver goes in one message. Times are RFC 3339."""

    seq: int
    event: str
    request: str
    channel: str
    role: str
    who: str
    receiver: str
    language: str
    lot: str
    since: str
    next_at: str


@dataclass(frozen=True, slots=True)
class Item(Told):
    """A row: ``since`` is when it was written, ``next_at`` when it is tried (again), or, once sent, when that was; ``message`` names the
    message that it goes in from the first try on; ``said`` is what was wrong at the last."""

    number: int
    state: str
    message: str
    attempts: int
    said: str


COLUMNS = [one.strip() for one in SELECT.removeprefix("SELECT ").removesuffix(" FROM outbox").split(",")]


def ensure(ledger: Ledger) -> None:
    for table in TABLES:
        ledger.ensure(table)


def keyed(ledger: Ledger, *words: str) -> str:
    """A name that tells nothing of what it is for, and is the same for the same."""
    return hmac.new(ledger.salt, "\0".join(words).encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:32]


def heard(ledger: Ledger, seq: int, role: str) -> int:
    """How many hear of an entry in this role."""
    return int(ledger.query(HEARD, (seq, role))[0][0])


def cursor(ledger: Ledger) -> int | None:
    """The number of the last entry that was read; None where none ever was."""
    found = ledger.query("SELECT seq FROM outbox_cursor")
    return int(found[0][0]) if found else None


def move_cursor(tx: Writing, seq: int) -> None:
    tx.execute("DELETE FROM outbox_cursor")
    tx.execute("INSERT INTO outbox_cursor (seq) VALUES (?)", (seq,))


def begun(ledger: Ledger) -> int | None:
    """The number of the last entry that there was when they were first read; None until then."""
    found = ledger.query("SELECT seq FROM outbox_begun")
    return int(found[0][0]) if found else None


def begin_reading(tx: Writing, seq: int) -> None:
    tx.execute("INSERT INTO outbox_begun (seq) VALUES (?)", (seq,))


def put(tx: Writing, told: Iterable[Told]) -> None:
    tx.execute_all(PUT, [astuple(one) for one in told])


def put_lots(tx: Writing, lots: Iterable[tuple[str, str]]) -> None:
    """What was handed in together, by request."""
    tx.execute_all("INSERT OR IGNORE INTO lots (request, lot) VALUES (?, ?)", [*lots])


def lots_of(ledger: Ledger, requests: Collection[str]) -> dict[str, str]:
    sql = "SELECT request, lot FROM lots WHERE request IN (SELECT value FROM json_each(?))"
    return {request: lot for request, lot in ledger.query(sql, (json.dumps([*requests]),))}


def of_lot(ledger: Ledger, lot: str) -> list[str]:
    """The requests that were handed in together, the first to come first."""
    return [str(one) for (one,) in ledger.query("SELECT request FROM lots WHERE lot = ? ORDER BY rowid", (lot,))]


def size_of(ledger: Ledger, lot: str) -> int:
    return int(ledger.query("SELECT count(*) FROM lots WHERE lot = ?", (lot,))[0][0])


def is_over(ledger: Ledger, lot: str) -> bool:
    """Whether nothing of what was handed in together can change any more."""
    return not ledger.query(STILL_OPEN, (lot,))


def lately(ledger: Ledger, item: Item, since: str) -> tuple[int, str]:
    """How many messages of its lot its receiver has had since then, and when the last was."""
    count, last = ledger.query(LATELY, (item.lot, item.who, item.channel, since))[0]
    return int(count), str(last or "")


def due(ledger: Ledger, channel: str, at: str) -> list[Item]:
    """What may be sent on a channel now, in the order it was written."""
    return _items(ledger, "state = 'waiting' AND channel = ? AND next_at <= ?", (channel, at))


def in_state(ledger: Ledger, *states: str) -> list[Item]:
    return _items(ledger, "state IN (SELECT value FROM json_each(?))", (json.dumps(states),))


def counts(ledger: Ledger) -> dict[str, int]:
    """How many rows there are in each state that is not ``sent``."""
    found = dict(ledger.query("SELECT state, count(*) FROM outbox GROUP BY state"))
    return {state: int(found.get(state, 0)) for state in (WAITING, UNSURE, GIVEN_UP)}


def begin(tx: Writing, items: Sequence[Item], message: str) -> None:
    tx.execute(BEGIN, (message, _numbers(items)))


def sent(tx: Writing, items: Sequence[Item], at: str) -> None:
    tx.execute(SENT_NOW, (at, _numbers(items)))


def put_off(tx: Writing, items: Sequence[Item], next_at: str, said: str) -> None:
    tx.execute(PUT_OFF, (next_at, said, _numbers(items)))


def hold_back(tx: Writing, channel: str, next_at: str) -> None:
    """A whole channel waits: what does not answer is not asked for each of its messages."""
    sql = "UPDATE outbox SET next_at = ? WHERE channel = ? AND state = 'waiting' AND next_at < ?"
    tx.execute(sql, (next_at, channel, next_at))


def end(tx: Writing, items: Sequence[Item], state: str, said: str) -> None:
    """Given up, or unsure: nothing is tried any more until somebody asks for it."""
    tx.execute(END, (state, said, _numbers(items)))


def again(tx: Writing, items: Sequence[Item], at: str) -> None:
    tx.execute(AGAIN, (at, at, _numbers(items)))


def prune(tx: Writing, before: str) -> None:
    tx.execute("DELETE FROM outbox WHERE state = 'sent' AND next_at < ?", (before,))


def _items(ledger: Ledger, where: str, values: Sequence[str]) -> list[Item]:
    rows = ledger.query(f"{SELECT} WHERE {where} ORDER BY number", values)
    return [Item(**dict(zip(COLUMNS, row, strict=True))) for row in rows]


def _numbers(items: Sequence[Item]) -> str:
    return json.dumps([one.number for one in items])
