"""A ledger beside the checkpoints of it: which of them are to be believed, and what they say about its entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from schema.problem import shown
from submit.ledger.files import UNREADABLE, LedgerDamaged, LedgerError, meaning, open_database

if TYPE_CHECKING:
    from submit.ledger.checkpoint import Checkpoint
    from submit.ledger.keys import PublicKey

LONGEST_NAME = 200
HERE = "this desk's own list"
_KEPT = "SELECT note FROM checkpoints ORDER BY size, rowid"
_THERE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'checkpoints'"


def gathered(folder: Path, keys: Sequence[PublicKey], notes: Iterable[tuple[str, str]]) -> tuple[list[Checkpoint], str]:
    """Those that are signed by a key and of this log, the smallest first; and in a line what is wrong with the first that is not."""
    given = list(notes)
    if not keys and not given:
        return [], ""
    from submit.ledger import checkpoint  # with cryptography: for those alone who compare
    from submit.ledger.keys import NoteError

    salt, kept = _own(folder)
    name, found, wrong = checkpoint.origin(salt), [], ""
    for source, note in [*given, *((HERE, note) for note in kept)]:
        try:
            one = checkpoint.read(note, keys, source)
        except NoteError as error:
            one, said = None, str(error)
        if one is not None and one.origin == name:
            found.append(one)
        elif source != HERE:  # what this desk lists is no more than a help
            wrong = (
                wrong
                or f"{source}: {said if one is None else f'is a checkpoint of {one.origin}, and this log is {name}'}"
            )
    return sorted(found, key=attrgetter("size")), wrong


def _own(folder: Path) -> tuple[bytes, list[str]]:
    """The salt of a ledger, and the notes that lie in it."""
    try:
        with closing(open_database(folder)) as db:
            (salt,) = db.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()
            there = db.execute(_THERE).fetchone()
            return salt, [str(note) for (note,) in db.execute(_KEPT)] if there else []
    except UNREADABLE as error:
        raise meaning(error, LedgerDamaged(f"checkpoints: {error}")) from error


def contradiction(checkpoints: Sequence[Checkpoint], roots: Mapping[int, bytes], entries: int) -> str:
    """The first of them that the entries do not lead to: before its end the log was rewritten, after the one before it."""
    low = 0
    for one in checkpoints:
        if one.size > entries or one.size not in roots:
            break
        if roots[one.size] != one.root:
            which = f"entries {low + 1} to {one.size} are" if low + 1 < one.size else f"entry {one.size} is"
            return f"the log was rewritten before entry {one.size + 1}: {which} not what {named(one)} covers"
        low = one.size
    return ""


def beyond(checkpoints: Sequence[Checkpoint], entries: int) -> str:
    """Whether one of them covers more than there is. A copy from before would have an older list of its own."""
    more = [one for one in checkpoints if one.size > entries]
    if not more:
        return ""
    cut = any(one.source == HERE for one in more)
    why = "it was cut short" if cut else "it was cut short, or is a copy from before that checkpoint"
    return f"entry {entries + 1}: is missing, of those that {named(more[-1])} covers: {why}"


def told(file: Path) -> tuple[str, str]:
    """A checkpoint in a file, which may be a mail or a comment around it, under the file's name. What has none in it is given as it is;
    of a mail as it was saved (RFC 5322, MIME), its texts."""
    from submit.ledger.checkpoint import found_in
    from submit.ledger.keys import NoteError

    source = shown(str(file), LONGEST_NAME)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise LedgerError(f"{source}: {error.strerror}") from error
    said = data.decode("utf-8", "replace")
    for text in (said, _texts_of_mail(data)):
        with suppress(NoteError):
            return source, found_in(text)
    return source, said


def _texts_of_mail(data: bytes) -> str:
    """The texts of a mail, each decoded as its part says; "" where it has none."""
    from email import message_from_bytes

    parts = (part for part in message_from_bytes(data).walk() if part.get_content_maintype() == "text")
    found = (part.get_payload(decode=True) for part in parts)
    return "\n".join(body.decode("utf-8", "replace") for body in found if isinstance(body, bytes))


def named(one: Checkpoint) -> str:
    return f"the checkpoint of {one.size} entries in {one.source}"
