"""The files of a dataset on their way to the disk: a folder beside their place, and one table parted into two."""

from __future__ import annotations

import csv
import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

BEGUN = ".adding-"
"""What the folder of a dataset begins with until it is whole: no name that anybody can write into a form."""
LEFT_BEHIND = 60.0
"""Seconds after which a folder that no process holds is what a crash left."""
BITS = 64


@contextmanager
def room(home: Path) -> Iterator[Path]:
    """A new folder in ``home`` that is gone afterwards, unless it was moved; what a crash left there goes too."""
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(f"{BEGUN}*"):
        _removed_if_left(left)
    folder = home / f"{BEGUN}{token_hex(8)}"
    folder.mkdir()
    try:
        with _held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Whether this process alone holds the folder now. The kernel lets go of it when the process dies."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        mine = False
        with suppress(
            OSError
        ):  # another process has it; or a file system that knows no such locks, where nothing is cleared away
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        yield mine
    finally:
        os.close(fd)


def _removed_if_left(folder: Path) -> None:
    with suppress(OSError):
        if time.time() - folder.lstat().st_mtime > LEFT_BEHIND:
            with _held(folder) as mine:
                if mine:
                    shutil.rmtree(folder, ignore_errors=True)


def copy(lines: Iterable[str], file: Path) -> None:
    """Write lines as they are, as UTF-8, onto the disk."""
    with file.open("w", encoding="utf-8", newline="") as out:
        out.writelines(lines)
        out.flush()
        os.fsync(out.fileno())


def in_parts(lines: Iterable[str], rows: int, share: float, seed: int, train: Path, test: Path) -> None:
    """Part a good table of so many rows: each row goes as it is written, and in its order, into one of the files; the heading into both."""
    records = _records(lines)
    heading = next(records)
    chosen = drawn(rows, share, seed)
    with train.open("w", encoding="utf-8", newline="") as one, test.open("w", encoding="utf-8", newline="") as other:
        for out in (one, other):
            out.write(heading)
        for record in records:
            (other if next(chosen, False) else one).write(record)
        for out in (one, other):
            out.flush()
            os.fsync(out.fileno())


def drawn(rows: int, share: float, seed: int) -> Iterator[bool]:
    """For each of so many rows, at least two, whether it is drawn for the test: exactly the share of them, rounded, at least one and
    never all. The same arguments draw the same rows everywhere (Knuth's algorithm S with SHA-256 in place of chance)."""
    wanted = max(1, min(rows - 1, int(rows * share + 0.5)))
    for row in range(rows):
        number = int.from_bytes(sha256(f"{seed}:{row}".encode()).digest()[: BITS // 8], "big")
        taken = number * (rows - row) < wanted << BITS
        wanted -= taken
        yield taken


def _records(lines: Iterable[str]) -> Iterator[str]:
    """The text of each row that is not blank, however many lines it has, with an end of line behind it."""
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    for cells in csv.reader(noted(), strict=True):
        text = "".join(taken)
        taken.clear()
        if cells:
            yield text if text.endswith(("\n", "\r")) else text + "\n"
