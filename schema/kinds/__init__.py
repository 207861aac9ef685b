"""The registry of kinds: every ``*.py`` in this folder, and in the folders a desk adds, holds exactly one Job."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schema.history import refuse_wrong_history
from schema.job import Job, Script
from schema.question import Form, form_of

SHIPPED = Path(__file__).parent
NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")
WORKLOADS = ("inference", "train_supervised")
"""The files of ``jobs/`` that a kind may name; the others there serve these."""


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
        names = "".join(f", {one.__name__}" for one in jobs)
        raise KindError(f"{file}: exactly one subclass of Job must be defined here, found {len(jobs)}{names}")
    try:
        form = form_of(file.stem, jobs[0])
        refuse_wrong_history(jobs[0], form)
        _refuse_workload(file, jobs[0].workload)
    except Exception as error:  # a class may go wrong in any way; that too is the engineer's to read
        raise KindError(_line(file, jobs[0].__name__, error)) from error
    return Kind(file.stem, jobs[0], form, file)


def _line(file: Path, job: str, error: Exception) -> str:
    """A TypeError is a sentence of ours, or reads like one; of any other error the name says more than the text alone."""
    said = _said(error)
    named = said if isinstance(error, TypeError) else f"{type(error).__name__}: {said}"
    return f"{file}: {named}" if named.startswith((f"{job}.", f"{job}:")) else f"{file}: {job}: {named}"


def _said(error: Exception) -> str:
    """In one line, without the address that pydantic adds."""
    return " ".join(str(error).partition("For further information visit")[0].split())


def _refuse_workload(file: Path, workload: str | Script) -> None:
    if isinstance(workload, Script):
        if not workload.repository and not (file.parent / workload.entry).is_file():
            raise TypeError(f"its Script runs {workload.entry!r}, and no such file lies beside the kind's own")
    elif workload not in WORKLOADS:
        known = ", ".join(map(repr, WORKLOADS))
        raise TypeError(f"its workload {workload!r} is not in jobs/, where there are {known}; or write a Script")


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
        raise KindError(f"{file}: {type(error).__name__}: {_said(error)}{_place(file, error)}") from error
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Job) and value.__module__ == name:
            yield value


def _place(file: Path, error: Exception) -> str:
    """The line that failed, where Python ran any; the text of a SyntaxError names its own."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f" (line {lines[-1]})" if lines else ""
