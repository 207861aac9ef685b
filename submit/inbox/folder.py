"""A folder that filled forms are dropped into. What was read is moved to ``done/`` or ``refused/`` in it, with its marked copy.

A file counts as complete when nobody holds it open for writing and it has not changed between two looks. Links, hidden files and
what editors and browsers leave while they write are left alone.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from schema.problem import shown
from submit import marked_files
from submit.desk import LEDGER, SCHEMAS, Desk, DeskError
from submit.inbox import Delivery, SourceDownError, StuckError
from submit.judging import Outcome
from submit.response import USER, Source
from submit.sources import Folder

DONE, REFUSED = "done", "refused"
REASONS = ".txt"
BEGUN = (".", "~$", ".~lock.")
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", ".filepart")
LARGEST = 64 * 1024 * 1024
"""Bytes that are read of a file; what is longer is refused by its first part, as too large."""
Seen = tuple[int, int, int]


def open_inbox(desk: Desk, name: str, settings: Folder) -> FolderInbox:
    """A folder inside the desk is made where it is not there yet. DeskError for one that holds what must not be moved: the desk itself,
    its ledger, or another source's folder."""
    folder = (desk.folder / settings.path).resolve()
    for other in _not_to_be_moved(desk, name):
        if folder == other or folder in other.parents or other in folder.parents:
            raise DeskError(
                f"sources.{name}: {folder} is, holds or lies in {other}, whose files must stay where they are"
            )
    if folder == desk.folder.resolve() or folder in desk.folder.resolve().parents:
        raise DeskError(f"sources.{name}: {folder} holds the desk itself, whose files must stay where they are")
    if not Path(settings.path).is_absolute():
        with suppress(OSError):  # said at the first look
            folder.mkdir(exist_ok=True)
    return FolderInbox(desk, folder, settings.every)


def _not_to_be_moved(desk: Desk, name: str) -> Iterator[Path]:
    own = (LEDGER, SCHEMAS, desk.config.kinds, *desk.config.datasets, *desk.config.secrets.values())
    yield from ((desk.folder / one).resolve() for one in own)
    for other, settings in desk.config.sources.items():
        if other != name and isinstance(settings, Folder):
            yield (desk.folder / settings.path).resolve()


@dataclass
class FolderInbox:
    """``pause``: seconds between two looks at a file that may still be written."""

    desk: Desk
    folder: Path
    pause: float
    _seen: dict[str, Seen] = field(default_factory=dict)

    def look(self, place: str) -> Iterator[Delivery]:
        """The files that are complete, the oldest first. The folder itself is the place: what was read is no longer there.
        SourceDownError where it is not there or may not be written."""
        self._make_room()
        before, self._seen = self._seen, self._there()
        new = {name: seen for name, seen in self._seen.items() if before.get(name) != seen}
        if new and not before:
            time.sleep(min(self.pause, 0.5))
            self._seen = {name: seen for name, seen in self._there().items() if self._seen.get(name) == seen}
            new = {}
        stuck = []
        for name in sorted(self._seen.keys() - new.keys(), key=lambda one: (self._seen[one][1], one)):
            try:
                source = self._read(name)
            except OSError as error:
                stuck.append(f"{self.folder / name}: {error.strerror}")
                continue
            if source:
                yield Delivery((source,), place, partial(self._settle, name, self._seen[name], source))
        if stuck:
            raise StuckError("; ".join(stuck))

    def _make_room(self) -> None:
        for one in (DONE, REFUSED):
            try:
                (self.folder / one).mkdir(exist_ok=True)
            except OSError as error:
                raise SourceDownError(f"{self.folder / one}: {error.strerror}") from error

    def _there(self) -> dict[str, Seen]:
        try:
            entries = [*os.scandir(self.folder)]
        except OSError as error:
            raise SourceDownError(f"{self.folder}: {error.strerror}") from error
        found = {}
        for one in entries:
            if one.name.startswith(BEGUN) or one.name.lower().endswith(UNFINISHED):
                continue
            if seen := _seen(one):
                found[one.name] = seen
        return found

    def _read(self, name: str) -> Source | None:
        """None where it is gone by now, is no plain file any more, or is still being written."""
        try:
            fd = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or _is_written(fd):
                return None
            return Source(shown(name, 200), file.read(LARGEST), subject=f"{USER}{_owner(found.st_uid)}", thread=name)

    def _settle(self, name: str, seen: Seen, source: Source, outcome: Outcome) -> None:
        """Put the file away, its marked copy first: after a crash between the two there is one copy too many, and never one too few. No
        file that is there is written over, because what comes back corrected bears the name of a marked copy. What was put in the
        file's place meanwhile is another file, and stays."""
        folder = self.folder / (REFUSED if outcome.problems else DONE)
        try:
            target = _free(folder, name, source.data)
            copy = marked_files.marked_name(target)
            made, _ = marked_files.write(self.desk, [source], outcome.responses, [_unused(copy, target)], kept=True)
            if outcome.problems and not made:
                _write_reasons(_unused(copy.with_suffix(REASONS), target), outcome)
            if _seen(self.folder / name) == seen:
                (self.folder / name).replace(target)
        except OSError as error:
            raise SourceDownError(f"{self.folder / name}: cannot be put away: {error.strerror}") from error


def _write_reasons(file: Path, outcome: Outcome) -> None:
    """What is wrong with a file of which there can be no marked copy, for whoever dropped it: text that opens anywhere."""
    lines = [problem.line(language) for problem, language in outcome.problems]
    file.write_text("\r\n".join([*lines, ""]), encoding="utf-8-sig", newline="")


def _seen(file: Path | os.DirEntry[str]) -> Seen | None:
    """What tells a plain file from another of its name; None for anything else."""
    try:
        found = file.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _free(folder: Path, name: str, data: bytes) -> Path:
    """A name that no other file has there."""
    names = _numbered(folder / name)
    return next(
        one for one in names if not one.exists() or (one.stat().st_size == len(data) and one.read_bytes() == data)
    )


def _unused(file: Path, but: Path) -> Path:
    """A name that no file has there, nor will have."""
    return next(one for one in _numbered(file) if one != but and not one.exists())


def _numbered(file: Path) -> Iterator[Path]:
    """``request.xlsx``, ``request (2).xlsx``, …"""
    yield file
    for number in count(2):
        yield file.with_stem(f"{file.stem} ({number})")


def _is_written(fd: int) -> bool:
    """Whether somebody has the file open for writing, as far as the kernel tells: it gives a lease on none of those (fcntl(2))."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:  # another user's file, or a file system without leases: two equal looks must do
        return False
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
