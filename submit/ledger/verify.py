"""Whether a ledger still says what it said: every leaf, link, text and slip is computed again from what is on the disk.

This proves that the ledger agrees with itself, and with the checkpoints that are given: whoever rewrote all of it cannot have rewritten
those that others keep.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from submit.ledger import stored
from submit.ledger.files import (
    DATABASE,
    UNREADABLE,
    LedgerDamaged,
    LedgerError,
    meaning,
    open_database,
    read_slip_file,
    salted,
    slip_files,
)
from submit.ledger.merkle import Frontier
from submit.ledger.stored import Stored, before_in

if TYPE_CHECKING:
    from submit.ledger.checkpoint import Checkpoint
    from submit.ledger.keys import PublicKey

_decode = json.JSONDecoder().raw_decode  # twice as fast as json.loads, which guesses the encoding first
_FIELDS = {"action", "at", "before", "beside", "detail", "key", "request", "seq", "slip", "user"}
ERASED, HANDED = "erased", "enqueuing"
LET_GO = ("allowed", "approved")
_ROWS = """
    SELECT entries.seq, key, request, body, salt, text FROM entries LEFT JOIN beside ON beside.seq = entries.seq
    ORDER BY entries.seq LIMIT ?"""
_UP_TO = "SELECT seq, body FROM entries WHERE seq <= ? ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds for reading the stored bytes, their order and hashes; for the parsing of bodies and what lies beside; for the slips."""

    hashes: float = 0.0
    bodies: float = 0.0
    slips: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` and `root` are those of the tree as far as it was read; `wrong` is one line on the first fault, or "".

    `unrecorded` are the files under slips/ that no entry of a sound ledger names, as a crash between file and entry
    leaves one. `compared` are the checkpoints that the ledger agrees with; it `is_sound` where nothing but a checkpoint that proves nothing
    is wrong.
    """

    ok: bool
    entries: int
    root: str
    wrong: str
    unrecorded: tuple[str, ...]
    compared: tuple[Checkpoint, ...] = field(default=(), compare=False)
    took: Took = field(default=Took(), compare=False)
    is_sound: bool = field(default=True, compare=False)


@dataclass
class _Walk:
    """How far the reading has come. `slips` has for each request the path by recorded hash, None for an erased one; `gone` are the entries
    beside which nothing stands any more, `erased` is of how many of them entries say that they were erased; `allowed` are the requests
    that an entry has let go."""

    folder: Path
    checkpoints: Sequence[Checkpoint] = ()
    files: list[tuple[str, str]] = field(default_factory=list)
    stored: Stored = field(default_factory=Stored)
    slips: dict[str, dict[str, str | None]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    erased: int = 0
    allowed: set[str] = field(default_factory=set)
    hashed: float = 0.0
    parsed: float = 0.0
    compared: float = 0.0

    @property
    def frontier(self) -> Frontier:
        return self.stored.frontier


def verify(folder: Path, keys: Sequence[PublicKey] = (), notes: Iterable[tuple[str, str]] = ()) -> Verdict:
    """Of a ledger at rest or in use, and of checkpoints of it: those of `notes`, each with the name of where it was found, and those that
    the ledger keeps itself, if signed by one of the keys. LedgerError where it cannot be judged: missing, busy, or of a newer format."""
    from submit.ledger.compare import gathered

    walk = _Walk(folder)
    unproven = ""
    try:
        walk.checkpoints, unproven = gathered(folder, keys, notes)
        wrong = _judge(walk)
    except LedgerDamaged as error:
        wrong = f"{error}, after entry {walk.frontier.size}" if walk.frontier.size else str(error)
    is_sound, wrong = not wrong, wrong or unproven
    recorded = {path for paths in walk.slips.values() for path in paths.values()}
    unrecorded = () if wrong else tuple(path for path, _ in walk.files if path not in recorded)
    compared = () if wrong else tuple(walk.checkpoints)
    took = Took(walk.hashed, walk.parsed, walk.compared)
    size, root = walk.frontier.size, walk.frontier.root().hex()
    return Verdict(not wrong, size, root, wrong, unrecorded, compared, took, is_sound)


def _judge(walk: _Walk) -> str:
    try:
        with closing(open_database(walk.folder)) as db:
            return _first_wrong(db, walk)
    except UNREADABLE as error:
        raise meaning(error, LedgerDamaged(f"{DATABASE}: {error}")) from error
    except OSError as error:
        raise LedgerError(f"{error.filename}: {error.strerror}") from error


def _first_wrong(db: sqlite3.Connection, walk: _Walk) -> str:
    from submit.ledger.compare import beyond, contradiction

    db.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    db.execute("BEGIN")
    counted = db.execute("SELECT size, hashes FROM frontier").fetchall()
    walk.files = slip_files(walk.folder)  # after the first read, which keeps writers from adding to what we compare
    begun = time.perf_counter()
    stored.walk(db, walk.stored, (one.size for one in walk.checkpoints))
    walk.hashed = time.perf_counter() - begun
    wrong = _wrong_entry(db, walk)
    walk.parsed = time.perf_counter() - begun - walk.hashed - walk.compared
    return (
        contradiction(walk.checkpoints, walk.stored.roots, walk.frontier.size)
        or wrong
        or _wrong_frontier(counted, walk.frontier)
        or beyond(walk.checkpoints, walk.frontier.size)
        or _wrong_erasure(walk)
        or _wrong_request(db, walk)
        or _wrong_owner(db)
        or _wrong_page(db)
    )


def _wrong_entry(db: sqlite3.Connection, walk: _Walk) -> str:
    """Of the entries up to the first whose bytes are wrong, and that one, the first that is wrong in any way."""
    by_request: dict[str, list[str]] = {}
    for path, request in walk.files:
        if request:
            by_request.setdefault(request, []).append(path)
    good = walk.frontier.size
    for due, (seq, key, request, body, salt, text) in enumerate(db.execute(_ROWS, (good + 1,)), 1):
        entry = _parsed(body)
        before = before_in(body).decode("ascii", "replace") if due <= good else walk.stored.last.decode()
        wrong = _wrong_link(entry, seq, key, request, due, before) or _wrong_beside(entry, salt, text)
        if not wrong and entry["slip"] is not None:
            wrong = _wrong_slip_in_time(entry, salt, by_request.get(request, []), walk)
        wrong = wrong or _wrong_step(entry, walk)
        if wrong:
            walk.stored = _back_to(db, walk.stored, min(due - 1, good))
            return wrong
        _count_erased(entry, salt, walk)
    return "" if walk.stored.is_whole else f"entry {good + 1}: is not the body of an entry"


def _wrong_step(entry: dict[str, Any], walk: _Walk) -> str:
    """Nothing is handed over that no rule and nobody has let go."""
    request = entry["request"]
    if entry["action"] in LET_GO:
        walk.allowed.add(request)
    if entry["action"] == HANDED and request not in walk.allowed:
        return f"entry {entry['seq']}: request {request!r} was handed over, and no entry before allows that"
    return ""


def _count_erased(entry: dict[str, Any], salt: bytes | None, walk: _Walk) -> None:
    if salt is None and (entry["beside"] or entry["slip"]):
        walk.gone.append(entry["seq"])
    if entry["action"] == ERASED and isinstance(entry["detail"], dict):
        texts = entry["detail"].get("texts")
        walk.erased += texts if type(texts) is int and texts > 0 else 0


def _wrong_erasure(walk: _Walk) -> str:
    """Which text went cannot be told, only that more went than entries say."""
    if len(walk.gone) <= walk.erased:
        return ""
    return (
        f"entry {walk.gone[0]}: what was written beside it is gone, and beside {len(walk.gone) - 1} more; entries say that "
        f"{walk.erased} were erased"
    )


def _back_to(db: sqlite3.Connection, found: Stored, size: int) -> Stored:
    """What was found of the entries up to a number."""
    if size == found.frontier.size:
        return found
    return stored.walk(db, Stored(roots=found.roots), (), _UP_TO, (size,))


def _parsed(body: object) -> dict[str, Any]:
    """Empty where it is not the body of an entry."""
    try:
        text = body.decode() if isinstance(body, bytes) else ""
        entry, end = _decode(text)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) and entry.keys() == _FIELDS and end == len(text) else {}


def _wrong_link(entry: dict[str, Any], seq: object, key: object, request: object, due: int, before: str) -> str:
    if isinstance(seq, int) and seq > due:
        return f"entry {due}: is missing"
    if seq != due:
        return f"entry {seq!r}: has no place before entry {due}"
    if not entry:
        return f"entry {seq}: is not the body of an entry"
    if entry["seq"] != seq:
        return f"entry {seq}: was written as entry {entry['seq']!r}"
    if (entry["key"], entry["request"]) != (key, request):
        return f"entry {seq}: stands under another key or request than it was written with"
    if entry["before"] != before:
        return f"entry {max(due - 1, 1)}: is not the one that entry {due} was written after"
    return ""


def _wrong_beside(entry: dict[str, Any], salt: object, text: object) -> str:
    if salt is None and text is None:
        return ""
    if not isinstance(salt, bytes) or not isinstance(text, str) or not (entry["beside"] or entry["slip"]):
        return f"entry {entry['seq']}: nothing of the kind was written beside it"
    if entry["beside"] != (salted(salt, text.encode("utf-8", "surrogateescape")) if text else None):
        return f"entry {entry['seq']}: the text beside it was changed"
    return ""


def _wrong_slip_in_time(entry: dict[str, Any], salt: bytes | None, paths: list[str], walk: _Walk) -> str:
    begun = time.perf_counter()
    wrong = _wrong_slip(entry, salt, paths, walk)
    walk.compared += time.perf_counter() - begun
    return wrong


def _wrong_slip(entry: dict[str, Any], salt: bytes | None, paths: list[str], walk: _Walk) -> str:
    found = walk.slips.setdefault(entry["request"], {})
    found[entry["slip"]] = None
    if salt is None:
        return ""
    for path in paths:
        slip = read_slip_file(walk.folder / path)
        if slip is not None and salted(salt, slip) == entry["slip"]:
            found[entry["slip"]] = path
            return ""
    named = f"{paths[0]} was changed" if paths else f"the slip of request {entry['request']!r} is missing"
    return f"entry {entry['seq']}: {named}"


def _wrong_frontier(stored: list[tuple[Any, ...]], frontier: Frontier) -> str:
    if stored == [(frontier.size, frontier.pack())]:
        return ""
    if len(stored) != 1 or not isinstance(stored[0][0], int):
        return "frontier: is not that of the entries"
    if stored[0][0] > frontier.size:
        return f"entry {frontier.size + 1}: is missing, of the {stored[0][0]} that the frontier counts"
    if stored[0][0] < frontier.size:
        return f"entry {stored[0][0] + 1}: is not in the frontier"
    return f"entry {frontier.size}: does not lead to the stored frontier"


def _wrong_request(db: sqlite3.Connection, walk: _Walk) -> str:
    for request, slip, recorded in db.execute("SELECT id, slip, slip_sha256 FROM requests ORDER BY rowid"):
        known = walk.slips.get(request, {})
        kept = any(known.values())
        if (slip is None and kept) or (slip is not None and known.get(recorded, "") not in (None, slip)):
            return f"request {request!r}: its slip is not the one that its entry recorded"
    return ""


def _wrong_owner(db: sqlite3.Connection) -> str:
    stray = db.execute("PRAGMA foreign_key_check").fetchone()
    return f"{stray[0]}: row {stray[1]} belongs to none of the {stray[2]}" if stray else ""


def _wrong_page(db: sqlite3.Connection) -> str:
    """Indexes too: an entry that is missing in one could be written a second time."""
    found = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    return "" if found == "ok" else f"{DATABASE}: {found.splitlines()[-1]}"
