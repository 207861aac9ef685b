"""Where marked copies go, and that none takes the place of another file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from submit.desk import Desk
from submit.marked import marked
from submit.response import Kept, Source

SUFFIX = ".marked.xlsx"
LONGEST_NAME = 255
"""Bytes that a file system takes for a name."""


class NotWrittenError(Exception):
    """A marked copy that would take the place of another file."""


def files_of(files: Sequence[Path], folder: Path, *, force: bool) -> list[Path]:
    """Where the marked copies of these files go. NotWrittenError where two would go to one place, or over a file that is there; over
    a file that was handed in even with ``force``."""
    found: list[Path] = []
    for file in files:
        target = marked_name(folder / file.name)
        if target in found:
            raise NotWrittenError(f"{target}: two of the files would be written there: annotate them one by one")
        if target.exists() and any(one.exists() and target.samefile(one) for one in files):
            raise NotWrittenError(f"{target} was handed in itself: name another folder with --annotate")
        if target.exists() and not force:
            raise NotWrittenError(f"{target} is there already: --force replaces it")
        found.append(target)
    _must_take_files(folder)
    return found


def marked_name(file: Path) -> Path:
    """The name of a file's marked copy, beside it."""
    stem = file.name.removesuffix(SUFFIX).removesuffix(file.suffix)
    while len(os.fsencode(f".{stem}{SUFFIX}.new")) > LONGEST_NAME:
        stem = stem[:-1]
    return file.with_name(f"{stem}{SUFFIX}")


def _must_take_files(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise NotWrittenError(f"{folder}: no files can be written there ({error.strerror})") from error


def write(
    desk: Desk,
    sources: Sequence[Source],
    responses: Sequence[Kept],
    targets: Sequence[Path],
    *,
    kept: bool,
    encoding: str = "",
) -> tuple[list[Path], list[Path]]:
    """Write the marked copy of each source to its target: those that were written, and those that could not be made."""
    written: list[Path] = []
    unmade: list[Path] = []
    for number, (source, target) in enumerate(zip(sources, targets, strict=True)):
        data = marked(desk, source, [one for one in responses if one.source == number], kept=kept, encoding=encoding)
        if data is None:
            unmade.append(target)
            continue
        new = target.with_name(f".{target.name}.new")
        new.write_bytes(data)
        new.replace(target)
        written.append(target)
    return written, unmade
