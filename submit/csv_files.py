"""The lines of a CSV file, read piece by piece, however large it is."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

LONGEST_LINE = 2 * 1024 * 1024
"""Characters of a line: what is longer is no table, and must not be taken into memory as a whole."""
PIECE = 1024 * 1024


def decodes(file: Path, code: str = "utf-8-sig") -> bool:
    """Whether all of a file is text in this encoding; read piece by piece."""
    try:
        with file.open(encoding=code, newline="") as text:
            while text.read(PIECE):
                pass
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def csv_lines(file: Path, code: str = "utf-8-sig") -> Iterator[Iterator[str]]:
    """The lines of a CSV with their ends. One that never ends is a ``csv.Error``, as any other row that cannot be read."""
    with file.open(encoding=code, newline="") as text:
        yield _bounded(text)


def _bounded(text: TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise csv.Error("line too long")
        yield line
