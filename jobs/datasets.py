"""Datasets on this machine: where they lie, and their bytes read once, so that what is hashed is what is used.

``DENPYO_DATASETS`` names the folders to look in, else ``datasets/``; the examples come last, those of the working directory,
of the checkout and of an installed wheel.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schema.dataset import TEST, TRAIN, digest, offered, records
from schema.job import IDENTIFIER, Fault
from schema.problem import shown

VARIABLE = "DENPYO_DATASETS"
EXAMPLES = Path("examples", "datasets")


@dataclass(frozen=True, slots=True)
class Dataset:
    """The text of a dataset's files by name. ``sha256`` is over one line ``SHA256  raw/NAME`` a file, as sha256sum prints them."""

    id: str
    texts: Mapping[str, str]
    sha256: str

    def lines(self, file: str) -> Iterable[str]:
        return io.StringIO(self.texts[file], newline="")

    def table(self, file: str) -> Table:
        """The rows of a file that was judged and found good."""
        (_, heading), *rows = records(self.lines(file))
        good = {place: cells for place, cells in rows if cells is not None}
        return Table(tuple(heading or ()), list(good.values()), tuple(good))


@dataclass(frozen=True, slots=True)
class Table:
    """``places`` are the numbers of the rows as a spreadsheet shows them, where they came from a file."""

    columns: tuple[str, ...]
    rows: list[list[str]]
    places: tuple[int, ...] = ()

    def column(self, name: str) -> list[str]:
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def folders() -> Iterator[Path]:
    """Where datasets are looked for, in this order."""
    named = os.environ.get(VARIABLE)
    yield from (Path(one) for one in named.split(os.pathsep) if one) if named else (Path("datasets"),)
    yield EXAMPLES
    yield Path(__file__).parent.parent / EXAMPLES  # a checkout
    yield Path(__file__).parent / EXAMPLES  # an installed wheel


def find(dataset_id: str) -> Path | None:
    """The folder of a dataset; a name that is no identifier never touches the disk."""
    if not re.fullmatch(IDENTIFIER, dataset_id):
        return None
    return next((folder / dataset_id for folder in folders() if (folder / dataset_id).is_dir()), None)


def names() -> list[str]:
    """The datasets there are, as a person may name them."""
    there = [folder for folder in folders() if folder.is_dir()]
    found = {one.name for folder in there for one in folder.iterdir() if (one / "raw").is_dir()}
    return sorted(name for name in found if re.fullmatch(IDENTIFIER, name))


def load(dataset_id: str, files: tuple[str, ...] = (TRAIN, TEST)) -> Dataset | list[Fault]:
    """A dataset's files as text, or everything that is missing or unreadable, blamed on the question for the dataset."""
    folder = find(dataset_id)
    if folder is None:
        return [
            Fault("no_dataset", "dataset_id", {"dataset": shown(dataset_id), "datasets": offered(dataset_id, names())})
        ]
    found = {file: _read(dataset_id, folder / "raw" / file) for file in files}
    faults = [one for one in found.values() if isinstance(one, Fault)]
    if faults:
        return faults
    data = {file: one for file, one in found.items() if isinstance(one, bytes)}
    texts = {file: one.decode("utf-8-sig") for file, one in data.items()}
    return Dataset(dataset_id, texts, digest({file: hashlib.sha256(one).hexdigest() for file, one in data.items()}))


def _read(dataset_id: str, path: Path) -> bytes | Fault:
    if not path.is_file():
        return Fault("no_dataset_file", "dataset_id", {"dataset": dataset_id, "file": f"raw/{path.name}"})
    data = path.read_bytes()
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Fault("bad_encoding", "dataset_id", {"file": path.name})
    return data
