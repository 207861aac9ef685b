"""The witness: a branch of a repository that keeps the newest checkpoint of the log, where nobody on this machine can take it back.

Before a checkpoint is added there, the one that is there must be one of this log: who rewrote the log, cut it short or put an older copy in
its place is told so by what is kept there. Where no repository is named, the replies that people keep are the witness.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from submit import witness_branch
from submit.desk import LEDGER, Desk, DeskError, Witness, now
from submit.inbox import SourceDownError
from submit.ledger import Ledger, LedgerDamaged, LedgerError, checkpoint, compare, keys, stored
from submit.ledger.checkpoint import Checkpoint
from submit.ledger.files import open_database
from submit.ledger.merkle import consistency_proof
from submit.witness_branch import Branch, Head, MovedError

TABLE = """CREATE TABLE IF NOT EXISTS witness (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, at TEXT NOT NULL, commit_id TEXT NOT NULL,
    tried TEXT NOT NULL, wrong TEXT NOT NULL)"""
GET = "SELECT size, at, commit_id, tried, wrong FROM witness"
PUT = "INSERT OR REPLACE INTO witness (one, size, at, commit_id, tried, wrong) VALUES (1, ?, ?, ?, ?, ?)"
AGAIN = 60.0
"""Seconds until a witness that did not answer, or holds something else, is asked again."""
TRIES = 3
LATE = 2.0
"""Times ``every``: so long may the log grow without the witness having seen it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the witness has: the checkpoint of so many entries since when ("" for never), in which commit; when it was tried last, and what
    was wrong then."""

    size: int = 0
    at: str = ""
    commit: str = ""
    tried: str = ""
    wrong: str = ""


def step(desk: Desk, *, at_once: bool = False) -> None:
    """Show the witness the newest checkpoint, every so often or now. LedgerDamaged where what it has is not of this log."""
    settings = desk.config.witness
    if settings is None:
        return
    with desk.ledger() as ledger:
        seen = _seen(ledger)
    wait = min(settings.every, AGAIN) if seen.wrong else settings.every
    if not at_once and 0 <= _ago(seen.tried) < wait:
        if seen.wrong:  # said for as long as it is so
            raise SourceDownError(seen.wrong)
        return
    try:
        _keep(desk, replace(_shown(desk, settings, seen), tried=_at(), wrong=""))
    except (SourceDownError, DeskError, LedgerError) as error:
        said = "; ".join(filter(None, (" ".join(str(error).split()), missed(desk))))
        with suppress(LedgerError):
            _keep(desk, replace(seen, tried=_at(), wrong=said))
        raise type(error)(said) from error


def show(desk: Desk) -> None:
    """The newest checkpoint to the witness, now. DeskError where none is named."""
    _settings(desk)
    step(desk, at_once=True)


def _settings(desk: Desk) -> Witness:
    if desk.config.witness is None:
        raise DeskError(
            f"{desk.folder}/ has no witness: name one in denpyo.toml, or give what you kept with --checkpoint"
        )
    return desk.config.witness


def _shown(desk: Desk, settings: Witness, seen: Seen) -> Seen:
    with witness_branch.opened(desk.folder, settings) as branch:
        for _ in range(TRIES):
            head = branch.head()
            with suppress(MovedError):
                return _added(desk, branch, head, seen)
    raise SourceDownError(f"{settings.branch}: others add to it all the time")


def _added(desk: Desk, branch: Branch, head: Head | None, seen: Seen) -> Seen:
    """What the witness has after it was compared and, where the log has grown, given a newer checkpoint."""
    note = checkpoint.newest(desk)
    if not note:
        raise DeskError("[witness] needs a key to sign with: run `denpyo audit init`")
    known = keys.published(desk.folder / keys.PUBLIC)
    newest = checkpoint.read(note, known)
    there = _there(branch.settings, head, seen, known)
    proof = _proof(desk, newest, there)
    if there is not None and head is not None and there.size == newest.size:
        return Seen(there.size, _at(), head.commit)
    files = {witness_branch.CHECKPOINT: note, witness_branch.PROOF: "".join(f"{one}\n" for one in proof)}
    return Seen(newest.size, _at(), branch.add(files, f"{newest.size} entries", head))


def _there(settings: Witness, head: Head | None, seen: Seen, known: list[keys.PublicKey]) -> Checkpoint | None:
    """The checkpoint of the branch. LedgerDamaged for one of another log, for an older one than was put there, or where it is gone."""
    source = name_of(settings)
    if head is None or not head.note:
        if seen.size:
            raise LedgerDamaged(f"{source}: the checkpoint of {seen.size} entries that was put there is gone")
        return None
    try:
        found = checkpoint.read(head.note, known, source)
    except keys.NoteError as error:
        raise LedgerDamaged(f"{source}: {error}: another desk's, or put there by others") from error
    if found.size < seen.size:
        raise LedgerDamaged(
            f"{source}: was set back: {found.size} entries, after a checkpoint of {seen.size} was put there"
        )
    return found


def _proof(desk: Desk, newest: Checkpoint, there: Checkpoint | None) -> list[str]:
    """What shows that the log, all of which is read, has grown out of what the witness has, in base64. LedgerDamaged where it has not."""
    found, leaves = stored.Stored(), list[bytes]()
    with closing(open_database(desk.folder / LEDGER)) as db:
        for some in stored.leaf_hashes(db, found):
            leaves += some
    if there is not None and there.origin != newest.origin:
        raise LedgerDamaged(f"{there.source}: has a checkpoint of {there.origin}, and this log is {newest.origin}")
    compared = sorted((one for one in (there, newest) if one is not None), key=lambda one: one.size)
    roots = {one.size: checkpoint.root_of(leaves[: one.size]) for one in compared}
    wrong = compare.contradiction(compared, roots, len(leaves)) or compare.beyond(compared, len(leaves))
    if wrong:
        raise LedgerDamaged(wrong)
    if there is None or there.size == 0:
        return []
    return [b64encode(node).decode() for node in consistency_proof(leaves[: newest.size], there.size)]


def name_of(settings: Witness) -> str:
    return f"the witness's branch {settings.branch}"


def note_there(desk: Desk, known: list[keys.PublicKey]) -> tuple[str, str, str]:
    """Where the witness has its checkpoint, what stands there, and in a line what is wrong with that: nothing was ever put there, what was
    put there is gone or was set back, or one of these keys has not signed it. DeskError where no witness is named."""
    settings = _settings(desk)
    with witness_branch.opened(desk.folder, settings) as branch:
        head = branch.head()
    seen = Seen()
    with suppress(LedgerError), desk.ledger() as ledger:
        seen = _seen(ledger)
    name, note = name_of(settings), head.note if head else ""
    try:
        there = _there(settings, head, seen, known)
    except LedgerDamaged as error:
        return name, note, str(error)
    return (
        name,
        note,
        "" if there else f"{name}: has no checkpoint yet: `denpyo audit checkpoint --witness` puts it there",
    )


def missed(desk: Desk) -> str:
    """In a line, where the log has grown and the witness has not heard of it for too long; "" where it has, or where there is none."""
    settings = desk.config.witness
    if settings is None:
        return ""
    with desk.ledger() as ledger:
        seen, size = _seen(ledger), ledger.size()
        since = seen.at or next((one.at for one in ledger.entries()), _at())
    if size <= seen.size or _ago(since) <= LATE * settings.every:
        return ""
    return f"the witness has seen {seen.size} of {size} entries, and nothing since {since}"


def data(desk: Desk) -> dict[str, Any]:
    """The contract of the witness in ``denpyo status --inbox --json``; empty where there is none."""
    if desk.config.witness is None:
        return {}
    with desk.ledger() as ledger:
        seen = _seen(ledger)
    wrong = seen.wrong or missed(desk)
    return {"witness": {"entries": seen.size, "at": seen.at, "tried": seen.tried, "error": wrong}}


def _seen(ledger: Ledger) -> Seen:
    ledger.ensure(TABLE)
    return next((Seen(*row) for row in ledger.query(GET)), Seen())


def _keep(desk: Desk, seen: Seen) -> None:
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute(PUT, (seen.size, seen.at, seen.commit, seen.tried, seen.wrong))


def _ago(at: str) -> float:
    """Seconds since then; below zero for never and for what a clock that was set back has yet to reach."""
    return (now() - datetime.fromisoformat(at)).total_seconds() if at else -1.0


def _at() -> str:
    return now().isoformat(timespec="seconds")
