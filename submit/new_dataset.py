"""``denpyo datasets add``: what somebody hands over becomes a dataset of this desk: judged, written whole, recorded.

It is written beside its place and moved there in one step, so that neither a crash nor a full disk leaves half a dataset. A name stands
for the same bytes for ever: what a run was trained on must not become something else behind its name.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from schema.answers import Where
from schema.dataset import TEST, TRAIN, shape
from schema.job import IDENTIFIER, Fault
from schema.marks import LONGEST_IDENTIFIER
from schema.problem import Problem, shown
from submit import datasets
from submit.dataset_parts import copy, in_parts, room
from submit.desk import Desk, DeskError
from submit.engines.clearml import fetch_dataset
from submit.ledger.files import synced
from submit.recorded_datasets import FILES, Contents, contents, hashes, record, recorded
from submit.tables import Table, opened

MOST_TOLD = 100
"""Problems of one table that are said: a heading of a million commas has as many."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was handed over: a CSV, a workbook, or a folder with both files; ``file`` None names what lies in its place already.

    Without ``test`` a ``share`` of the rows is drawn for the test, with ``seed``. ``clearml`` is the id of a ClearML Dataset
    that is handed over instead: a copy lies on the desk to be judged by, agents fetch it by the id.
    """

    file: Path | None = None
    test: Path | None = None
    share: float = 0.2
    seed: int = 0
    sheet: str = ""
    encoding: str = ""
    clearml: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """A dataset in its place. ``parted``: its rows were parted into two files here; ``known``: it was there before, the same."""

    name: str
    folder: Path
    contents: Contents
    given: Given
    parted: bool
    known: bool

    def data(self) -> dict[str, Any]:
        found, given = self.contents, self.given
        return {
            "name": self.name,
            "folder": str(self.folder),
            "rows": dict(found.rows),
            "columns": [*found.columns],
            "sha256": found.sha256,
            "parted": {"share": given.share, "seed": given.seed} if self.parted else None,
            "known": self.known,
        }

    def lines(self) -> Iterator[str]:
        rows, width = self.contents.rows, len(self.contents.columns)
        counted = f"{rows[TRAIN]:,} rows to train on, {rows[TEST]:,} to test on, {width} columns"
        yield f"{self.name}: {counted}, sha256 {self.contents.sha256[:12]}"
        if self.parted:
            yield f"the test rows were drawn with --share {self.given.share:g} --seed {self.given.seed}"
        yield f"it was added before, and nothing changed: {self.folder}" if self.known else f"it lies in {self.folder}"


def add(
    desk: Desk, name: str, given: Given, fetch: Callable[[Desk, str], Path] = fetch_dataset
) -> Added | list[Problem]:
    """Add a dataset under this name, or say everything that is wrong with the table. ``fetch`` gets a ClearML Dataset by its id and says
    in which folder its files are.

    DeskError where the name cannot be one or stands for other bytes, where there is no such file, and where the disk does not take it.
    """
    if not re.fullmatch(IDENTIFIER, name):
        raise DeskError(
            f"“{shown(name)}” cannot name a dataset: a to z, 0 to 9 and hyphens, at most {LONGEST_IDENTIFIER} characters"
        )
    if not 0 < given.share < 1:
        raise DeskError(f"--share {given.share:g}: the share of the rows to test on lies between 0 and 1")
    if given.clearml:
        if given.file or given.test:
            raise DeskError("hand over a file, or name a ClearML Dataset; not both")
        given = replace(given, file=fetch(desk, given.clearml))
    if given.file and given.test and given.file.exists() and given.test.exists() and given.file.samefile(given.test):
        raise DeskError("--test names the same file: the rows to test on must be others than those to train on")
    return _there(desk, name, given) if given.file is None else _new(desk, name, given, given.file)


def _there(desk: Desk, name: str, given: Given) -> Added | list[Problem]:
    folder = datasets.find(desk, name)
    if folder is None:
        raise DeskError(
            f"{name}: no dataset of this name lies in {desk.dataset_folders()[0]}; hand over a file or folder"
        )
    found = contents(folder)
    if not isinstance(found, Contents):
        return [_problem(one, f"{name}/raw") for one in found]
    known = _settled(desk, name, None, found)
    return Added(name, folder, found, given, parted=False, known=known)


def _new(desk: Desk, name: str, given: Given, file: Path) -> Added | list[Problem]:
    tables, problems = _tables(given, file)
    if problems:
        return problems[:MOST_TOLD]
    home = desk.dataset_folders()[0]
    try:
        with room(home) as staged:
            _write(tables, given, staged / "raw")
            found = contents(staged)
            if not isinstance(found, Contents):
                return [_problem(one, shown(file.name)) for one in found[:MOST_TOLD]]
            known = _settled(desk, name, staged, found, shown(file.name), given.clearml)
    except OSError as error:
        raise DeskError(f"{home}: {error.strerror}; nothing was added") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DeskError(f"{file}: changed while it was read; nothing was added") from error
    folder = datasets.find(desk, name) or home / name
    return Added(name, folder, found, given, parted=TEST not in tables, known=known)


def _tables(given: Given, file: Path) -> tuple[Mapping[str, Table], list[Problem]]:
    """The tables by the file that each becomes, and what is wrong with each by itself."""
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    for becomes, path in _files(given, file).items():
        table = opened(path, given.sheet if path == file else "", given.encoding)
        if isinstance(table, Problem):
            problems.append(table)
            continue
        with table.lines() as lines:
            found = shape(lines, table.name)
        tables[becomes] = replace(table, rows=found.rows)
        problems += [_problem(one, table.name) for one in found.faults]
        if not found.faults and given.test is None and not file.is_dir() and found.rows < len(FILES):
            problems.append(Problem("few_rows", Where(table.name), "", {"file": table.name}))
    return tables, problems


def _files(given: Given, file: Path) -> Mapping[str, Path]:
    if not file.is_dir():
        return {TRAIN: file, **({TEST: given.test} if given.test else {})}
    inside = file / "raw" if given.clearml or (file / "raw").is_dir() else file
    if given.test:
        raise DeskError(f"{file}: a folder holds its own {TEST}; leave out --test")
    return {one: inside / one for one in FILES}


def _write(tables: Mapping[str, Table], given: Given, raw: Path) -> None:
    raw.mkdir()
    if TEST in tables:
        for name, table in tables.items():
            with table.lines() as lines:
                copy(lines, raw / name)
    else:
        with tables[TRAIN].lines() as lines:
            in_parts(lines, tables[TRAIN].rows, given.share, given.seed, raw / TRAIN, raw / TEST)
    synced(raw)


def _settled(desk: Desk, name: str, staged: Path | None, found: Contents, source: str = "", clearml: str = "") -> bool:
    """Move it into its place and record it, alone. Whether both had been done before."""
    lying = datasets.find(desk, name)
    before = (
        hashes(lying) if lying else None
    )  # of what may be large, outside of the time in which nobody else can write
    with desk.ledger() as ledger, ledger.writing() as tx:
        known, lies = recorded(ledger).get(name), datasets.find(desk, name)
        if lies and before is None:
            before = hashes(lies)
        if (known and known.contents.files != found.files) or (before is not None and before != found.files):
            raise DeskError(
                f"{name} is there already with other bytes, and a name stands for the same ones for ever: "
                f"choose another, such as {_free(desk, name, recorded(ledger))}"
            )
        if known and clearml not in ("", known.clearml):
            raise DeskError(f"{name} was added already, and not as this ClearML Dataset: choose another name")
        if lies is None and staged is not None:
            os.rename(staged, desk.dataset_folders()[0] / name)
            synced(desk.dataset_folders()[0])
        if known is None:
            record(tx, name, found, source, clearml)
    return known is not None and lies is not None


def _free(desk: Desk, name: str, taken: Mapping[str, object]) -> str:
    """``sales-2``: the first name of this sort that nothing has."""
    base = re.sub("-[0-9]+$", "", name)
    names = (f"{base[: LONGEST_IDENTIFIER - len(str(one)) - 1]}-{one}" for one in count(2))
    return next(one for one in names if one not in taken and datasets.find(desk, one) is None)


def _problem(fault: Fault, file: str) -> Problem:
    row = fault.facts.get("row", "")
    return Problem(fault.code, Where(file, row if isinstance(row, str) else ""), "", fault.facts)
