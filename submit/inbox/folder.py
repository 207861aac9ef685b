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
from pathlib import Path

from schema.problem import shown
from submit import marked_files
from submit.desk import Desk
from submit.inbox import Delivery, SourceDownError
from submit.judging import Outcome
from submit.response import USER, Source
from submit.sources import Folder

DONE, REFUSED = "done", "refused"
BEGUN = (".", "~$", ".~lock.")
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", ".filepart")
LARGEST = 64 * 1024 * 1024
"""Bytes that are read of a file; what is longer is refused by its first part, as too large."""
Seen = tuple[int, int, int]


def open_inbox(desk: Desk, name: str, settings: Folder) -> FolderInbox:
    return FolderInbox(desk, desk.folder / settings.path, settings.every)


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
        for name in sorted(self._seen.keys() - new.keys(), key=lambda one: (self._seen[one][1], one)):
            source = self._read(name)
            if source:
                yield Delivery((source,), place, partial(self._settle, name, self._seen[name], source))

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
            with suppress(FileNotFoundError):
                seen = one.stat(follow_symlinks=False)
                if stat.S_ISREG(seen.st_mode):
                    found[one.name] = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
        return found

    def _read(self, name: str) -> Source | None:
        """None where it is gone by now, is no plain file any more, or is still being written."""
        try:
            fd = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceDownError(f"{self.folder / name}: {error.strerror}") from error
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or _is_written(fd):
                return None
            return Source(shown(name, 200), file.read(LARGEST), subject=f"{USER}{_owner(found.st_uid)}")

    def _settle(self, name: str, seen: Seen, source: Source, outcome: Outcome) -> None:
        """Put the file away, its marked copy first: after a crash between the two, both are made again under the same names. What was
        put in its place meanwhile is another file, and stays."""
        folder = self.folder / (REFUSED if outcome.problems else DONE)
        target = _free(folder, name, source.data)
        marked_files.write(self.desk, [source], outcome.responses, [marked_files.marked_name(target)], kept=True)
        if self._there().get(name) == seen:
            (self.folder / name).replace(target)


def _free(folder: Path, name: str, data: bytes) -> Path:
    """A name that no other file has there: ``request.xlsx``, ``request (2).xlsx``."""
    first, number = folder / name, 1
    target = first
    while target.exists() and target.read_bytes() != data:
        number += 1
        target = first.with_stem(f"{first.stem} ({number})")
    return target


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
