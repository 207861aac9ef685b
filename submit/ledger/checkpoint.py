"""Checkpoints: how many entries a log has and their root, signed. Whoever keeps one can tell later that nothing before it was changed.

The text is that of https://c2sp.org/tlog-checkpoint: a line with the name of the log, one with the size, one with the root in base64.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from submit.desk import DeskError, machine_user, now
from submit.ledger import LedgerDamaged, LedgerError
from submit.ledger import keys as signing
from submit.ledger.keys import NoteError, PublicKey, Signer
from submit.ledger.merkle import HASH_BYTES, Frontier

if TYPE_CHECKING:
    from submit.desk import Desk
    from submit.ledger import Ledger, Writing

TABLE = """CREATE TABLE IF NOT EXISTS checkpoints (
    size INTEGER NOT NULL, root TEXT NOT NULL, at TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (size, note))"""
NEWEST = "SELECT size, root, note FROM checkpoints ORDER BY size DESC, rowid DESC LIMIT 1"
PUT = "INSERT OR IGNORE INTO checkpoints (size, root, at, note) VALUES (?, ?, ?, ?)"
FORGET = "DELETE FROM checkpoints WHERE size < (SELECT size FROM checkpoints ORDER BY size DESC LIMIT 1 OFFSET ?)"
KEPT = 1000
"""Checkpoints that a desk keeps of its own; what proves something are those that others keep."""
STORING = 1.0
"""Seconds to wait for the ledger in order to keep one that was made."""
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_NOTE = re.compile(r"(?m)^\S++\n[0-9]+\n[A-Za-z0-9+/]{43}=\n(?:\S[^\n]*+\n){0,100}+\n(?:\u2014 \S+ [A-Za-z0-9+/=]+\n)+")
"""A checkpoint among other lines; found in a time that grows as the text does, whatever stands in it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log had said of itself. ``by`` is the id of the key that signed it, ``source`` where it was found."""

    origin: str
    size: int
    root: bytes
    note: str
    by: str
    source: str = ""


def origin(salt: bytes) -> str:
    """The name of a log, no other's: that of its desk's salt, which its first entry and all copies of it have in common."""
    return f"denpyo/{sha256(salt).hexdigest()[:32]}"


def root_of(leaves: list[bytes]) -> bytes:
    return Frontier().append_hashes(leaves).root()


def text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def read(note: str, keys: Iterable[PublicKey], source: str = "") -> Checkpoint:
    """Of a note that one of the keys signed under the log's own name; NoteError for any other."""
    said, key = signing.opened(note, keys)
    lines = said.split("\n")[:-1]
    if len(lines) < 3 or "" in lines or not _SIZE.fullmatch(lines[1]):
        raise NoteError("is no checkpoint")
    try:
        root = b64decode(lines[2], validate=True)
    except ValueError:
        root = b""
    if len(root) != HASH_BYTES or b64encode(root).decode() != lines[2]:
        raise NoteError("is no checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root, note, key.id, source)


def found_in(said: str) -> str:
    """The last checkpoint in a text that came with others lines around it or quoted, such as a mail or a comment. NoteError for none."""
    lines = "\n".join(line.lstrip("> \t").rstrip() for line in said.splitlines()) + "\n"
    notes = _NOTE.findall(lines)
    if not notes:
        raise NoteError("has no checkpoint in it")
    return str(notes[-1])


def newest(desk: Desk) -> str:
    """The checkpoint of all that the log has now, signed if need be; "" where the desk has no key.

    LedgerDamaged where the log has less than what was signed before, or other things: nothing is signed that contradicts it.
    """
    key = signing.signer_of(desk.folder)
    if key is None:
        return ""
    with desk.ledger() as ledger:
        return _newest(ledger, key)


def _newest(ledger: Ledger, key: Signer) -> str:
    ledger.ensure(TABLE)
    before = ledger.query(NEWEST)  # before the log's size: another process may append and sign between the two
    frontier = ledger.frontier()
    refuse_contradiction(frontier, before)
    if before and before[0][0] == frontier.size:
        with suppress(NoteError):  # one that the key before this one signed
            return read(before[0][2], [key.public]).note
    note = key.note(text(origin(ledger.salt), frontier.size, frontier.root()))
    with suppress(LedgerError), ledger.writing(STORING) as tx:  # one that is not kept here is as good a proof
        _put(tx, frontier, note)
    return note


def refuse_contradiction(frontier: Frontier, before: list[tuple[int, str, str]]) -> None:
    for size, root, _ in before:
        if size > frontier.size:
            raise LedgerDamaged(f"entry {frontier.size + 1}: is missing, of the {size} that were signed here")
        if size == frontier.size and root != frontier.root().hex():
            raise LedgerDamaged(f"entry {size}: the log up to it is not the one that was signed here")


def _put(tx: Writing, frontier: Frontier, note: str) -> None:
    tx.execute(PUT, (frontier.size, frontier.root().hex(), now().isoformat(timespec="seconds"), note))
    tx.execute(FORGET, (KEPT - 1,))


def kept(ledger: Ledger) -> list[str]:
    """The notes that this desk has made, the oldest first."""
    ledger.ensure(TABLE)
    return [str(note) for (note,) in ledger.query("SELECT note FROM checkpoints ORDER BY size, rowid")]


def init(desk: Desk, *, renew: bool) -> PublicKey:
    """The key of a desk that had none, or with ``renew`` one in the place of the one before, whose last signature is over the entry that
    says so. DeskError where there is a key already."""
    before = signing.signer_of(desk.folder)
    if before is not None and not renew:
        raise DeskError(f"{desk.folder / signing.KEY}: is there already; --renew puts another in its place")
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        with ledger.writing() as tx:
            made = signing.begin(desk.folder, origin(ledger.salt)).public
            _enter(tx, made, before)
            if before is not None:
                _put(tx, tx.frontier, before.note(text(origin(ledger.salt), tx.frontier.size, tx.frontier.root())))
    signing.finish(desk.folder)
    return made


def _enter(tx: Writing, made: PublicKey, before: Signer | None) -> None:
    detail = {"what": "key", **said_of(made), **({"before": before.public.id} if before else {})}
    at = now().isoformat(timespec="milliseconds")
    tx.append(f"changed:key:{made.id}", "changed", at=at, user=machine_user(), detail=detail)


def said_of(key: PublicKey) -> dict[str, str]:
    """What an entry says of a key."""
    return {"key": key.id, "key_sha256": sha256(key.line().encode()).hexdigest()}
