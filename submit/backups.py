"""``denpyo audit backup`` and ``denpyo audit restore``: a desk's record in one file, and a new desk made from it.

What an engine has begun since a backup was made, the backup cannot know. Another engine is asked for each run before one is made, so that
it is found there. This machine's own queue lies in the record itself: its runs that had not ended then are never started by a restored
desk, and each is told as cut off. Whoever still wants one sends the request again, with a reason.

Nor can it know whom the desk has told of what since: nobody is told again of what stands in it (``denpyo replies retry`` does it), and the
single-use words that were mailed before are good no more, since some may have been spent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schema.words import FALLBACK, text
from submit import orders, outbox
from submit.desk import CONFIG, LEDGER, POLICY, SCHEMAS, Desk, DeskError, machine_user, now, open_desk
from submit.engines import local
from submit.kept_slip import show_schema
from submit.ledger import Ledger, LedgerDamaged, Writing, backup, open_ledger
from submit.ledger.backup import Backup
from submit.ledger.files import SLIPS, synced

OPEN = ("held", "accepted", "queued", "running")
PUBLIC = "*.pub"
"""What lies in the desk's folder for everybody to read, such as the key that checkpoints are verified with."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A desk made from a backup; ``cut_off`` are the runs of this machine that it will not start."""

    desk: Desk
    backup: Backup
    cut_off: tuple[str, ...]


def back_up(desk: Desk, out: Path) -> Backup:
    """``out`` is the new file, or the folder that it gets a name of its own in, by the time."""
    at = now()
    file = out / f"denpyo-{at:%Y%m%dT%H%M%SZ}.backup" if out.is_dir() else out
    return backup.back_up(desk.folder / LEDGER, file, at.isoformat(timespec="milliseconds"), dict(_beside(desk)))


def restore(file: Path, folder: Path) -> Restored:
    """DeskError where something is in ``folder`` already, LedgerDamaged where the backup is; then nothing is left of it there."""
    told = backup.look_into(file)
    if folder.exists() and any(folder.iterdir()):
        raise DeskError(f"{folder}/ is not empty: name a new folder")
    work = folder / "restoring"
    work.mkdir(mode=0o700, parents=True)
    try:
        backup.unpack(file, work)
        verdict = backup.judged(work, told)
        if not verdict.ok:
            raise LedgerDamaged(f"{file}: {verdict.wrong}")
        cut_off = _begun_anew(work / LEDGER, told)  # while this is no desk yet: killed later, it runs nothing again
        _into_place(work, folder)
    finally:
        shutil.rmtree(work)
    desk = open_desk(folder)
    _show_schemas(desk)
    return Restored(desk, told, cut_off)


def _beside(desk: Desk) -> Iterator[tuple[str, Path]]:
    """What a desk needs to read its record: configuration, policy, public keys and kinds. Never a secret."""
    secrets = {(desk.folder / path).resolve() for path in desk.config.secrets.values()}
    own = desk.folder / desk.config.kinds
    found = [desk.folder / CONFIG, desk.folder / POLICY, *desk.folder.glob(PUBLIC), *own.rglob("*.py")]
    for one in found:
        inside = one.resolve().is_relative_to(desk.folder.resolve())
        if inside and one.is_file() and not one.is_symlink() and one.resolve() not in secrets:
            yield one.relative_to(desk.folder).as_posix(), one


def _into_place(work: Path, folder: Path) -> None:
    """The ledger first and what makes the folder a desk last, so that half a desk is none."""
    (work / LEDGER).rename(folder / LEDGER)
    synced(folder)
    found = [one for one in (work / backup.DESK).rglob("*") if one.is_file()]
    for one in sorted(found, key=lambda one: one.name == CONFIG):
        to = folder / one.relative_to(work / backup.DESK)
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        one.rename(to)


def _show_schemas(desk: Desk) -> None:
    """Let the slips' schema pointers lead somewhere again."""
    for month in (desk.folder / LEDGER / SLIPS).glob("*/*"):
        for kind in desk.kinds.values():
            show_schema(desk, kind.form, month)
    (desk.folder / SCHEMAS).mkdir(exist_ok=True)


def _begun_anew(folder: Path, told: Backup) -> tuple[str, ...]:
    """The entry that says so, the end of this machine's open runs, and of what was to be told; in one transaction."""
    with open_ledger(folder) as ledger:
        outbox.ensure(ledger)
        orders.ensure(ledger)
        with ledger.writing() as tx:
            rows = [row for row in ledger.runs(states=OPEN) if row.engine == "local"]
            requests = ledger.requests_among([row.request for row in rows])
            results = [
                _cut_off(requests[row.request].language if row.request in requests else FALLBACK) for row in rows
            ]
            local.never(tx, rows, results)
            untold, words = _untold(ledger, tx), tx.execute("DELETE FROM words")
            begun = {"cut_off": len(rows), "untold": untold, "words": words}
            detail = {"backup": told.sha256, "entries": told.entries, "root": told.root, **begun}
            at = now().isoformat(timespec="milliseconds")
            tx.append(f"restored:{told.entries}:{at}", "restored", at=at, user=machine_user(), detail=detail)
            outbox.move_cursor(tx, tx.frontier.size)
    return tuple(row.run for row in rows)


def _untold(ledger: Ledger, tx: Writing) -> int:
    """How many were still to hear something, as far as the backup knows: whether they have heard it since, nobody can tell here."""
    items = outbox.in_state(ledger, outbox.WAITING, outbox.SENDING)
    outbox.end(tx, items, outbox.UNSURE, "the desk was restored from a backup")
    return len(items)


def _cut_off(language: str) -> dict[str, object]:
    return {"state": "failed", "code": "interrupted", "reason": text("interrupted", language), "metrics": {}}
