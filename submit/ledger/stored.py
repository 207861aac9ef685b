"""The entries of a ledger as they are stored: their bytes, their order and their hashes, without a look at what they say.

Canonical JSON has one form only, so that the place of an entry's number and of the hash before it are found in its bytes.
"""

from __future__ import annotations

import sqlite3
from binascii import hexlify
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from submit.ledger.merkle import Frontier
from submit.ledger.rows import NOTHING_BEFORE

BATCH = 1 << 13
"""Rows read at a time; a power of two makes whole subtrees."""
ROWS = "SELECT seq, body FROM entries ORDER BY seq"
BEFORE = b'"before":"'
HEX = 64


@dataclass
class Stored:
    """What was found: `frontier` is that of the entries up to the first that is not where it belongs, `last` the hash of the last of these;
    `is_whole` says that there was no such entry. `roots` has those of the sizes that were asked for and reached."""

    frontier: Frontier = field(default_factory=Frontier)
    last: bytes = NOTHING_BEFORE.encode()
    is_whole: bool = True
    roots: dict[int, bytes] = field(default_factory=dict)


def before_in(body: bytes) -> bytes:
    """The hash that an entry says it was written after. Nowhere but in a key can those quotes stand: in a text they have a backslash."""
    at = body.find(BEFORE) + len(BEFORE)
    return body[at : at + HEX]


def walk(
    db: sqlite3.Connection, found: Stored, sizes: Iterable[int] = (), rows: str = ROWS, values: tuple[int, ...] = ()
) -> Stored:
    """All entries, or those of a statement, in order, up to the first that is out of order or not linked to the one before it. How far it
    came stands in `found` even where the file cannot be read further."""
    due = sorted(set(sizes))
    if due[:1] == [0]:
        found.roots[due.pop(0)] = found.frontier.root()
    for leaves in leaf_hashes(db, found, rows, values):
        done = 0
        while due and due[0] <= found.frontier.size + len(leaves) - done:
            step = due[0] - found.frontier.size
            found.frontier = found.frontier.append_hashes(leaves[done : done + step])
            found.roots[due.pop(0)] = found.frontier.root()
            done += step
        found.frontier = found.frontier.append_hashes(leaves[done:])
    return found


def leaf_hashes(
    db: sqlite3.Connection, found: Stored, rows: str = ROWS, values: tuple[int, ...] = ()
) -> Iterator[list[bytes]]:
    """Those of the entries in order, some thousands at a time."""
    read, due = db.execute(rows, values), 1
    while found.is_whole and (batch := read.fetchmany(BATCH)):
        leaves = _linked(batch, due, found)
        found.is_whole = len(leaves) == len(batch)
        due += len(leaves)
        yield leaves


def _linked(batch: list[tuple[object, object]], due: int, found: Stored) -> list[bytes]:
    """The hashes of those that are in order and linked, found at once where all of them are."""
    bodies = [body if type(body) is bytes else b"" for _, body in batch]
    leaves = [sha256(b"\x00" + body).digest() for body in bodies]
    links = [body[(at := body.find(BEFORE) + 10) : at + HEX] for body in bodies]
    wanted = found.last + hexlify(b"".join(leaves))
    if [seq for seq, _ in batch] != list(range(due, due + len(batch))) or b"".join(links) != wanted[:-HEX]:
        del leaves[_first_odd(batch, links, due, wanted) :]
    found.last = wanted[HEX * len(leaves) : HEX * (len(leaves) + 1)]
    return leaves


def _first_odd(batch: list[tuple[object, object]], links: list[bytes], due: int, wanted: bytes) -> int:
    for at, (seq, _) in enumerate(batch):
        if seq != due + at or links[at] != wanted[HEX * at : HEX * (at + 1)]:
            return at
    return len(batch)
