#!/usr/bin/env python3
"""Whether the audit log of a denpyo desk is what it says, for auditors who do not install denpyo: this file, Python 3.11 and cryptography.

    python verify.py LEDGER [--key audit.pub] [--checkpoint FILE]...
    python verify.py --key audit.pub --older FILE --newer FILE --proof FILE

LEDGER is a copy of a desk's folder ledger/. FILE holds a checkpoint: a signed note, or a mail or comment with one in it. The second form
needs no ledger: it asks whether the log of the newer checkpoint has grown out of that of the older one. It ends with 0 where all is well,
with 4 where not, with 2 where it could not look. docs/verify.md describes the formats; nothing here is shared with denpyo.
"""

from __future__ import annotations

import argparse
import base64
import email
import hashlib
import json
import os
import re
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GOOD, CANNOT, WRONG = 0, 2, 4
FIELDS = {"action", "at", "before", "beside", "detail", "key", "request", "seq", "slip", "user"}
SLIP = re.compile(r"slips/[0-9]{4}/[0-9]{2}/([a-z0-9][a-z0-9-]{0,62})\.yaml")
NOTE = re.compile(r"(?m)^\S++\n[0-9]+\n[A-Za-z0-9+/]{43}=\n(?:\S[^\n]*+\n){0,100}+\n(?:— \S+ [A-Za-z0-9+/=]+\n)+")
ROWS = """SELECT entries.seq, key, request, body, salt, text FROM entries LEFT JOIN beside ON beside.seq = entries.seq
    ORDER BY entries.seq"""
OWN = "this desk's own list"


class Refused(Exception):
    """What a note, a key or a file has wrong, half a line."""


class Wrong(Exception):
    """The first thing that is wrong with a log."""


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    key: str
    source: str

    def __str__(self) -> str:
        return f"the checkpoint of {self.size} entries in {self.source}"


class Verdict(NamedTuple):
    """Entries, root, the first thing that is wrong or "", the checkpoints that were compared, and whether the log itself is sound."""

    size: int
    root: str
    wrong: str
    compared: list[Checkpoint]
    is_sound: bool


Keys = dict[tuple[str, str], bytes]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def decoded(code: str) -> bytes:
    """Nothing for what is not the one spelling of some bytes."""
    try:
        data = base64.b64decode(code, validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == code else b""


def is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not any(char.isspace() or char == "+" for char in name)


def keys_in(file: Path) -> Keys:
    """Public keys, a line each: NAME+ID+BASE64 of 0x01 and the key; ID is the start of SHA-256 of name, newline, 0x01 and key."""
    found: Keys = {}
    for line in filter(None, map(str.strip, file.read_text(encoding="utf-8").splitlines())):
        name, _, rest = line.partition("+")
        given, _, code = rest.partition("+")
        data = decoded(code)
        if not is_name(name) or data[:1] != b"\x01" or len(data) != 33:
            raise Refused(f"{file}: is no Ed25519 key of the form NAME+ID+KEY")
        if sha256(name.encode() + b"\n" + data)[:4].hex() != given:
            raise Refused(f"{file}: is a key with the id of another")
        found[name, given] = data[1:]
    if not found:
        raise Refused(f"{file}: lists no key")
    return found


def note_in(file: Path) -> str:
    """The last checkpoint in a text, or in the texts of a mail as it was saved; the text itself where there is none."""
    data = file.read_bytes()
    said = data.decode("utf-8", "replace")
    for text in (said, texts_of_mail(data)):
        if notes := NOTE.findall("\n".join(line.lstrip("> \t").rstrip() for line in text.splitlines()) + "\n"):
            return str(notes[-1])
    return said


def texts_of_mail(data: bytes) -> str:
    """The texts of a mail, each decoded as its part says (MIME: base64, quoted-printable); "" where it has none."""
    parts = (part for part in email.message_from_bytes(data).walk() if part.get_content_maintype() == "text")
    found = (part.get_payload(decode=True) for part in parts)
    return "\n".join(body.decode("utf-8", "replace") for body in found if isinstance(body, bytes))


def opened(note: str, keys: Keys) -> tuple[str, str]:
    """The text of a signed note and the id of the first key that signed it."""
    text, end, lines = note.rpartition("\n\n")
    signatures = lines.split("\n")[:-1]
    odd = any(char < " " and char != "\n" for char in note)
    if not end or not lines.endswith("\n") or not 1 <= len(signatures) <= 100 or odd:
        raise Refused("is no signed note")
    by = [key for line in signatures if (key := signed(line, text + "\n", keys))]
    if not by:
        raise Refused("is signed by none of the keys that are known")
    return text + "\n", by[0]


def signed(line: str, text: str, keys: Keys) -> str:
    """The id of the key that made a signature; "" for one that is not known."""
    name, _, code = line.removeprefix("— ").partition(" ")
    data = decoded(code)
    if not line.startswith("— ") or not is_name(name) or len(data) <= 4:
        raise Refused("is no signed note")
    key = data[:4].hex()
    if (name, key) not in keys:
        return ""
    try:
        Ed25519PublicKey.from_public_bytes(keys[name, key]).verify(data[4:], text.encode())
    except InvalidSignature:
        raise Refused(f"has a wrong signature under the name of key {key}") from None
    return key


def checkpoint(note: str, keys: Keys, source: str) -> Checkpoint:
    text, key = opened(note, keys)
    lines = text.split("\n")[:-1]
    if (
        len(lines) < 3
        or "" in lines
        or not re.fullmatch("0|[1-9][0-9]{0,17}", lines[1])
        or len(decoded(lines[2])) != 32
    ):
        raise Refused("is no checkpoint")
    return Checkpoint(lines[0], int(lines[1]), decoded(lines[2]), key, source)


def root_of(frontier: list[bytes]) -> bytes:
    """Of the perfect subtrees of a Merkle tree (RFC 9162), the largest first."""
    if not frontier:
        return sha256(b"")
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = sha256(b"\x01" + left + root)
    return root


class Log:
    """A ledger as it is read, entry by entry."""

    def __init__(self, folder: Path, checkpoints: list[Checkpoint]) -> None:
        self.folder, self.checkpoints = folder, checkpoints
        self.size, self.frontier, self.before, self.agreed = 0, list[bytes](), "0" * 64, 0
        self.rewritten, self.gone, self.erased = "", list[int](), 0
        self.allowed: set[Any] = set()
        self.slips: dict[str, dict[str, str | None]] = {}
        self.files: dict[str, list[str]] = {}
        for path in sorted(
            os.path.join(where, name) for where, _, names in os.walk(folder / "slips") for name in names
        ):
            if named := SLIP.fullmatch(Path(path).relative_to(folder).as_posix()):
                self.files.setdefault(named[1], []).append(named[0])

    def grow(self, body: bytes) -> None:
        leaf, rest = sha256(b"\x00" + body), self.size
        self.before = leaf.hex()
        while rest & 1:
            leaf, rest = sha256(b"\x01" + self.frontier.pop() + leaf), rest >> 1
        self.frontier.append(leaf)
        self.size += 1

    def compare(self) -> None:
        """With the checkpoints of the size that has been reached."""
        while self.checkpoints and self.checkpoints[0].size == self.size:
            one = self.checkpoints.pop(0)
            if one.root != root_of(self.frontier):
                low = self.agreed + 1
                which = f"entries {low} to {one.size} are" if low < one.size else f"entry {one.size} is"
                wrong = f"the log was rewritten before entry {one.size + 1}: {which} not what {one} covers"
                self.rewritten = self.rewritten or wrong
            self.agreed = one.size

    def beyond(self) -> None:
        if self.checkpoints:
            cut = any(one.source == OWN for one in self.checkpoints)
            why = "it was cut short" if cut else "it was cut short, or is a copy from before that checkpoint"
            raise Wrong(f"entry {self.size + 1}: is missing, of those that {self.checkpoints[-1]} covers: {why}")

    def entry(self, seq: Any, key: Any, request: Any, body: Any, salt: Any, text: Any) -> None:
        due, said = self.size + 1, parsed(body)
        if seq != due:
            later = isinstance(seq, int) and seq > due
            raise Wrong(f"entry {due}: is missing" if later else f"entry {seq!r}: has no place before entry {due}")
        if not said:
            raise Wrong(f"entry {seq}: is not the body of an entry")
        if said["seq"] != seq:
            raise Wrong(f"entry {seq}: was written as entry {said['seq']!r}")
        if (said["key"], said["request"]) != (key, request):
            raise Wrong(f"entry {seq}: stands under another key or request than it was written with")
        if said["before"] != self.before:
            raise Wrong(f"entry {max(due - 1, 1)}: is not the one that entry {due} was written after")
        at = body.find(b'"before":"') + 10
        if body[at : at + 64] != self.before.encode():
            raise Wrong(f"entry {seq}: is not the body of an entry")
        self.beside(said, salt, text)
        if said["slip"] is not None:
            self.slip(said, salt)
        self.step(said)
        self.count(said, salt)

    def step(self, said: dict[str, Any]) -> None:
        """Nothing is handed over that no rule and nobody has let go."""
        if said["action"] in ("allowed", "approved"):
            self.allowed.add(said["request"])
        if said["action"] == "enqueuing" and said["request"] not in self.allowed:
            raise Wrong(
                f"entry {said['seq']}: request {said['request']!r} was handed over, and no entry before allows that"
            )

    def count(self, said: dict[str, Any], salt: Any) -> None:
        """What lies beside no longer, and how much of it entries say was erased."""
        if salt is None and (said["beside"] or said["slip"]):
            self.gone.append(said["seq"])
        texts = said["detail"].get("texts") if said["action"] == "erased" and isinstance(said["detail"], dict) else 0
        self.erased += texts if type(texts) is int and texts > 0 else 0

    def unsaid(self) -> None:
        if len(self.gone) > self.erased:
            more = f"and beside {len(self.gone) - 1} more; entries say that {self.erased} were erased"
            raise Wrong(f"entry {self.gone[0]}: what was written beside it is gone, {more}")

    def beside(self, said: dict[str, Any], salt: Any, text: Any) -> None:
        if salt is None and text is None:
            return
        if not isinstance(salt, bytes) or not isinstance(text, str) or not (said["beside"] or said["slip"]):
            raise Wrong(f"entry {said['seq']}: nothing of the kind was written beside it")
        hashed = sha256(salt + text.encode("utf-8", "surrogateescape")).hex() if text else None
        if said["beside"] != hashed:
            raise Wrong(f"entry {said['seq']}: the text beside it was changed")

    def slip(self, said: dict[str, Any], salt: bytes | None) -> None:
        """The file with the bytes that an entry recorded; what was erased has no salt any more."""
        found = self.slips.setdefault(said["request"], {})
        found[said["slip"]] = None
        paths = self.files.get(said["request"], [])
        for path in paths if salt is not None else []:
            file = self.folder / path
            if stat.S_ISREG(file.lstat().st_mode) and sha256((salt or b"") + file.read_bytes()).hex() == said["slip"]:
                found[said["slip"]] = path
                return
        if salt is not None:
            what = f"{paths[0]} was changed" if paths else f"the slip of request {said['request']!r} is missing"
            raise Wrong(f"entry {said['seq']}: {what}")


def parsed(body: Any) -> dict[str, Any]:
    """Nothing where it is not the body of an entry."""
    try:
        text = body.decode() if isinstance(body, bytes) else ""
        said, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) and said.keys() == FIELDS and end == len(text) else {}


def judge(db: sqlite3.Connection, log: Log) -> None:
    """Wrong for the first thing that is."""
    counted = db.execute("SELECT size, hashes FROM frontier").fetchall()
    log.compare()
    for row in db.execute(ROWS):
        log.entry(*row)
        log.grow(row[3])
        log.compare()
    wrong_frontier(counted, log)
    log.beyond()
    log.unsaid()
    for request, slip, recorded in db.execute("SELECT id, slip, slip_sha256 FROM requests ORDER BY rowid"):
        known = log.slips.get(request, {})
        if (slip is None and any(known.values())) or (slip is not None and known.get(recorded, "") not in (None, slip)):
            raise Wrong(f"request {request!r}: its slip is not the one that its entry recorded")
    stray = db.execute("PRAGMA foreign_key_check").fetchone()
    if stray:
        raise Wrong(f"{stray[0]}: row {stray[1]} belongs to none of the {stray[2]}")
    sound = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if sound != "ok":
        raise Wrong(f"ledger.sqlite: {sound.splitlines()[-1]}")


def wrong_frontier(counted: list[tuple[Any, ...]], log: Log) -> None:
    if counted == [(log.size, b"".join(log.frontier))]:
        return
    if len(counted) != 1 or not isinstance(counted[0][0], int):
        raise Wrong("frontier: is not that of the entries")
    if counted[0][0] > log.size:
        raise Wrong(f"entry {log.size + 1}: is missing, of the {counted[0][0]} that the frontier counts")
    if counted[0][0] < log.size:
        raise Wrong(f"entry {counted[0][0] + 1}: is not in the frontier")
    raise Wrong(f"entry {log.size}: does not lead to the stored frontier")


def gathered(db: sqlite3.Connection, keys: Keys, given: list[tuple[str, str]]) -> tuple[list[Checkpoint], str]:
    """The checkpoints that one of the keys signed for this log, the smallest first; and what is wrong with the first other one."""
    (salt,) = db.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()
    there = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'checkpoints'").fetchone()
    kept = db.execute("SELECT note FROM checkpoints ORDER BY size, rowid").fetchall() if there and keys else []
    origin, found, wrong = f"denpyo/{sha256(salt).hex()[:32]}", [], ""
    for source, note in [*given, *((OWN, str(note)) for (note,) in kept)]:
        try:
            one = checkpoint(note, keys, source)
            if one.origin != origin:
                raise Refused(f"is a checkpoint of {one.origin}, and this log is {origin}")
            found.append(one)
        except Refused as error:
            wrong = wrong or (f"{source}: {error}" if source != OWN else "")
    return sorted(found, key=lambda one: one.size), wrong


def verify(folder: Path, keys: Keys, given: list[tuple[str, str]]) -> Verdict:
    file = folder / "ledger.sqlite"
    file.stat()
    log = Log(folder, [])
    compared: list[Checkpoint] = []
    wrong = unproven = ""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
            db.execute("PRAGMA trusted_schema = OFF")
            stray = db.execute("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')").fetchone()
            if stray:
                raise Wrong(f"ledger.sqlite: holds {stray[0]} {stray[1]!a}, which no ledger has")
            known = dict(db.execute("SELECT key, value FROM meta").fetchall())
            if known.get("format") != 1 or not isinstance(known.get("salt"), bytes):
                raise Wrong("ledger.sqlite: is not marked as a ledger of format 1")
            compared, unproven = gathered(db, keys, given)
            db.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            db.execute("BEGIN")
            log.checkpoints = list(compared)
            judge(db, log)
            wrong = log.rewritten
    except Wrong as error:
        wrong = log.rewritten or str(error)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        wrong = f"ledger.sqlite: {error}" + (f", after entry {log.size}" if log.size else "")
    return Verdict(log.size, root_of(log.frontier).hex(), wrong or unproven, compared, not wrong)


def has_grown(older: Checkpoint, newer: Checkpoint, proof: list[bytes]) -> bool:
    """Whether the proof shows that the newer log begins with all of the older one: RFC 9162, section 2.1.4.2."""
    if older.size in (0, newer.size):
        return not proof and (older.size == 0 or older.root == newer.root)
    if older.size > newer.size:
        return False
    path = iter([older.root, *proof] if older.size.bit_count() == 1 else proof)
    node, last = older.size - 1, newer.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = next(path, b"")
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = sha256(b"\x01" + sibling + first), sha256(b"\x01" + sibling + second)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            second = sha256(b"\x01" + second + sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and (first, second) == (older.root, newer.root)


def grown(older: Path, newer: Path, proof: Path, keys: Keys) -> str:
    """What is wrong with a newer checkpoint beside an older one; "" for nothing."""
    found: list[Checkpoint] = []
    for file in (older, newer):
        try:
            found.append(checkpoint(note_in(file), keys, str(file)))
        except Refused as error:
            return f"{file}: {error}"
    before, after = found
    nodes = [decoded(line) for line in proof.read_text(encoding="utf-8").split()]
    if before.origin != after.origin:
        return f"{older} is of {before.origin}, and {newer} of {after.origin}"
    if before.size > after.size:
        return f"{after} is behind {before}: the log was cut short, or is a copy from before"
    if not has_grown(before, after, nodes):
        return f"the log was rewritten before entry {before.size + 1}: nothing shows that {after} has grown out of {before}"
    return ""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Whether the audit log of a denpyo desk is what it says."
    )
    parser.add_argument("ledger", type=Path, nargs="?", help="a copy of a desk's folder ledger/")
    parser.add_argument("--key", type=Path, help="the public keys to believe: audit.pub")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint that was kept")
    for name in ("older", "newer", "proof"):
        parser.add_argument(f"--{name}", type=Path, help="to compare two checkpoints without a ledger")
    given = parser.parse_args(words)
    try:
        keys = keys_in(given.key) if given.key else {}
        if given.older and given.newer and given.proof and keys:
            return said(grown(given.older, given.newer, given.proof, keys), f"good: {given.newer}")
        if given.ledger is None or (given.checkpoint and not keys):
            parser.error(
                "name a ledger, and with --checkpoint the --key to believe; or --key, --older, --newer and --proof"
            )
        notes = [(str(file), note_in(file)) for file in given.checkpoint]
        found = verify(given.ledger, keys, notes)
    except (OSError, Refused, UnicodeDecodeError) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return CANNOT
    how = "good" if not found.wrong else "NOT PROVEN" if found.is_sound else "DAMAGED"
    print(f"{how}: {found.size} entries, root {found.root}")
    return said(found.wrong, *[f"agrees with {one}, key {one.key}" for one in found.compared if one.source != OWN])


def said(wrong: str, *good: str) -> int:
    if wrong:
        print(wrong, file=sys.stderr)
        return WRONG
    for line in good:
        print(line)
    return GOOD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
