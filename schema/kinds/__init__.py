"""The registry of kinds: every ``*.py`` in this folder, and in the folders a desk adds, holds exactly one Job."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schema.job import Job
from schema.question import Form, form_of

SHIPPED = Path(__file__).parent
NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Kind:
    """A kind as found: its name, its class, its Form and the file it stands in."""

    name: str
    job: type[Job]
    form: Form
    file: Path


class KindError(Exception):
    """A kind's file that cannot be used: the engineer's mistake, in one line."""


def load(folders: Sequence[Path] = ()) -> Mapping[str, Kind]:
    """Every kind by name. A folder of a desk adds kinds; it never replaces a shipped one. Files are read again when they change."""
    files = [file for folder in (SHIPPED, *folders) for file in sorted(folder.resolve().glob("*.py"))]
    return _load(tuple((file, file.stat().st_mtime_ns) for file in files if not file.name.startswith("_")))


@cache
def _load(files: tuple[tuple[Path, int], ...]) -> Mapping[str, Kind]:
    found: dict[str, Kind] = {}
    for file, _ in files:
        if file.stem in found:
            raise KindError(f"{file}: a kind named {file.stem} is there already: {found[file.stem].file}")
        found[file.stem] = _read(file)
    return found


def _read(file: Path) -> Kind:
    if not NAME.fullmatch(file.stem):
        raise KindError(f"{file}: a kind's file is named with a-z, 0-9 and _, beginning with a letter or digit")
    jobs = list(_jobs(file))
    if len(jobs) != 1:
        raise KindError(f"{file}: exactly one subclass of Job must be defined here, found {len(jobs)}")
    try:
        return Kind(file.stem, jobs[0], form_of(file.stem, jobs[0]), file)
    except TypeError as error:
        raise KindError(f"{file}: {error}") from error


def _jobs(file: Path) -> Iterator[type[Job]]:
    name = f"schema.kinds.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise KindError(f"{file}: Python cannot load it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise KindError(f"{file}: {type(error).__name__}: {error}") from error
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Job) and value.__module__ == name:
            yield value
