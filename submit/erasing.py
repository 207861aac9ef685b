"""``denpyo audit erase``: what a desk keeps of a person or of a request goes, and the record still verifies.

Texts and rows go in one transaction with the entry that says how many they were, and not whose; then files: slips, what runs said, and the
dropped files that are kept beside a folder that is watched. Models stay, and the marks that keep a run from starting twice.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from submit import marked_files, orders, outbox, policy
from submit.desk import LEDGER, Desk, DeskError, machine_user, now
from submit.inbox.folder import DONE, REFUSED
from submit.ledger import Ledger, erase
from submit.ledger.erase import Found
from submit.replies.files import page_of
from submit.replies.tell import CHANNELS
from submit.sources import Folder
from submit.standing import OVER

MODEL = "model"
MARKS = frozenset(["started", "alive", "worker", MODEL])
"""What stays in the folder of a run."""
Mark = tuple[int, int, int, int]
"""By which it is seen that a file is still as it was: inode, size in bytes, times of its last changes in ns."""
Hashes = Mapping[Path, tuple[Mark, str]]
"""SHA-256 of files, with the mark that each had then."""
NONE: Hashes = {}


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to go, or has gone. ``files`` are relative to the desk; ``shared`` are dropped files with others' answers too, which stay,
    as do ``models``, the folders of what was trained."""

    found: Found
    files: tuple[str, ...]
    shared: tuple[str, ...]
    open: tuple[str, ...]
    models: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return not (self.found.requests or self.found.texts or self.found.rows or self.files)


def planned(desk: Desk, wanted: Sequence[str]) -> Erasure:
    """What would go. ``open`` are requests that may still run: nothing goes while there are such."""
    with desk.ledger() as ledger:
        return _planned(desk, ledger, wanted)


def erase_all(desk: Desk, wanted: Sequence[str]) -> Erasure:
    """DeskError where a request may still run. What a crash left of an erasure before is finished first."""
    with desk.ledger() as ledger:
        _delete_files(desk, ledger)
        hashes = _hashes(desk, NONE)  # here, since nobody else can write during a transaction
        with ledger.writing() as tx:
            plan = _planned(desk, ledger, wanted, hashes)  # again: what came meanwhile belongs to it
            if plan.open:
                raise DeskError(f"may still run: {', '.join(plan.open)}; `denpyo cancel` first")
            if plan.nothing:
                return plan
            counted = erase.delete(ledger, tx, plan.found, plan.files)
            detail = {"requests": len(plan.found.requests), "files": len(plan.files), **counted}
            at = now().isoformat(timespec="milliseconds")
            tx.append(f"erased:{ledger.size()}:{at}", "erased", at=at, user=machine_user(), detail=detail)
        _delete_files(desk, ledger)
    return plan


def _planned(desk: Desk, ledger: Ledger, wanted: Sequence[str], before: Hashes = NONE) -> Erasure:
    names = _also_known_as(desk, wanted)
    found = erase.find(ledger, [*names], frozenset(_keyed(ledger, names)))
    rows, runs = ledger.requests_among(found.requests), ledger.runs_among(found.requests)
    may_run = tuple(id for id, row in rows.items() if row.state not in OVER and (runs.get(id) or row.state == "held"))
    mine, shared = _dropped(ledger, found, _hashes(desk, before))
    slips = [f"{LEDGER}/{row.slip}" for row in rows.values() if row.slip and (ledger.folder / row.slip).exists()]
    ran = erase.results(ledger, found.requests)
    left = [path for run in ran for path in _said_by(desk, run)]
    models = tuple(one.relative_to(desk.folder).as_posix() for run in ran if (one := desk.runs / run / MODEL).is_dir())
    return Erasure(found, (*slips, *left, *mine), shared, may_run, models)


def _also_known_as(desk: Desk, wanted: Sequence[str]) -> set[str]:
    """These, and all names that the policy knows the same people by."""
    rules, found = policy.read_of(desk).policy, set(wanted)
    for one in (sort + name for name in wanted for sort in erase.SORTS if rules and not name.startswith("group:")):
        for contact in rules.reach(one) if rules else ():
            found |= {name for name in (*contact.subjects, contact.mail) if name}
    return found


def _keyed(ledger: Ledger, names: Iterable[str]) -> Iterator[str]:
    """As what the single-use words and the messages of each channel know these addresses."""
    for address in {name.strip().casefold().removeprefix("mail:") for name in names}:
        yield orders.hashed(ledger, address)
        yield from (outbox.keyed(ledger, channel, address) for channel in CHANNELS)


def _said_by(desk: Desk, run: str) -> Iterator[str]:
    """What a run left that may speak of people: its page, its log, its answers, its output."""
    folder = desk.runs / run
    for one in sorted(folder.iterdir()) if folder.is_dir() else ():
        if one.name not in MARKS:
            yield one.relative_to(desk.folder).as_posix()


def _dropped(ledger: Ledger, found: Found, hashes: Hashes) -> tuple[list[str], tuple[str, ...]]:
    """The files that were dropped into a folder and put away: those with these requests alone, and those with others' too."""
    brought, mine, shared = erase.sources(ledger), list[str](), list[str]()
    for file, (_, hashed) in hashes.items():
        requests = brought.get(hashed, set())
        if requests & set(found.requests):
            whole = requests <= set(found.requests)
            copy = marked_files.marked_name(file)
            names = [str(one) for one in (file, copy, copy.with_suffix(".txt"), page_of(file)) if one.is_file()]
            (mine if whole else shared).extend(names)
    return mine, tuple(shared)


def _hashes(desk: Desk, before: Hashes) -> Hashes:
    """Of each file that was put away, by the file; one that is as it was ``before`` is not read again."""
    found: dict[Path, tuple[Mark, str]] = {}
    for file in _put_away(desk):
        stat = file.stat()
        mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        known = before.get(file)
        found[file] = known if known and known[0] == mark else (mark, hashlib.sha256(file.read_bytes()).hexdigest())
    return found


def _put_away(desk: Desk) -> Iterator[Path]:
    for settings in desk.config.sources.values():
        if isinstance(settings, Folder):
            for name in (DONE, REFUSED):
                folder = (desk.folder / settings.path / name).resolve()
                yield from (one for one in sorted(folder.glob("*")) if one.is_file() and not one.is_symlink())


def _delete_files(desk: Desk, ledger: Ledger) -> None:
    for path in erase.waiting(ledger):
        file = desk.folder / path
        try:
            shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink(missing_ok=True)
        except OSError as error:
            raise DeskError(f"{error.filename}: {error.strerror}; it is still to be erased: run this again") from error
        with ledger.writing() as tx:
            erase.gone(tx, path)
