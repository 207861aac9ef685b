"""What the ledger knows of datasets: which were added, when, by whom, and with which bytes.

The entry ``dataset_added`` holds hashes and counts. The headings are what people wrote: they lie beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from schema.dataset import TEST, TRAIN, digest, judge_pair
from schema.job import Fault
from schema.problem import shown
from submit.csv_files import csv_lines, decodes
from submit.desk import Desk, machine_user, now
from submit.ledger import Entry, Ledger, LedgerError, Writing

ADDED = "dataset_added"
KEY = "dataset"
FILES = (TRAIN, TEST)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a dataset holds: its columns, and by file (``train.csv``, ``test.csv``) the number of its rows and its SHA-256."""

    columns: tuple[str, ...]
    rows: Mapping[str, int]
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        return digest({file: self.files[file] for file in FILES})


@dataclass(frozen=True, slots=True)
class Recorded:
    """A dataset as it was when it was added. ``columns`` is empty once what people wrote was erased; ``width`` is their number;
    ``clearml`` the id of the ClearML Dataset that it is, if it is one."""

    name: str
    contents: Contents
    width: int
    at: str
    by: str
    clearml: str = ""


def recorded(ledger: Ledger) -> dict[str, Recorded]:
    """Every dataset that was added to this desk, by name."""
    return {one.name: one for one in map(_recorded, ledger.entries_keyed(KEY))}


def recorded_at(desk: Desk) -> dict[str, Recorded]:
    """The same, where whoever only checks may not be able to read the ledger: then nothing is known of any."""
    try:
        with desk.ledger() as ledger:
            return recorded(ledger)
    except LedgerError:
        return {}


def _recorded(entry: Entry) -> Recorded:
    told = entry.detail
    beside = json.loads(entry.beside_text) if entry.beside_text else {}
    contents = Contents(tuple(beside.get("columns", ())), told["rows"], told["files"])
    return Recorded(told["dataset"], contents, told["columns"], entry.at, entry.user, told.get("clearml", ""))


def record(tx: Writing, name: str, found: Contents, source: str, clearml: str = "") -> None:
    """The entry that a dataset of this name was added. A name is given once: it stands for the same bytes for ever."""
    detail = {
        "dataset": name,
        "columns": len(found.columns),
        "rows": dict(found.rows),
        "files": dict(found.files),
        "sha256": found.sha256,
        **({"clearml": clearml} if clearml else {}),
    }
    beside = json.dumps({"columns": found.columns, "source": source}, ensure_ascii=False)
    at = now().isoformat(timespec="milliseconds")
    tx.append(f"{KEY}:{name}", ADDED, at=at, user=machine_user(), detail=detail, beside=beside)


def contents(folder: Path) -> Contents | list[Fault]:
    """What lies in the folder of a dataset, read piece by piece, or everything that is wrong with it."""
    files = {file: folder / "raw" / file for file in FILES}
    lacking = [file for file, path in files.items() if not path.is_file()]
    if lacking:
        facts = {"dataset": shown(folder.name)}
        return [Fault("no_dataset_file", "dataset_id", {**facts, "file": f"raw/{file}"}) for file in lacking]
    try:
        with csv_lines(files[TRAIN]) as lines, csv_lines(files[TEST]) as others:
            train, test, faults = judge_pair(lines, others)
    except UnicodeDecodeError:
        broken = next(file for file, path in files.items() if not decodes(path))
        return [Fault("bad_encoding", "dataset_id", {"file": broken})]
    return faults or Contents(train.columns, {TRAIN: train.rows, TEST: test.rows}, hashes(folder))


def hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of those files of a dataset that lie there."""
    return {file: sha256(folder / "raw" / file) for file in FILES if (folder / "raw" / file).is_file()}


def sha256(file: Path) -> str:
    with file.open("rb") as there:
        return hashlib.file_digest(there, "sha256").hexdigest()
