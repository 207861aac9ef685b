"""A dataset as text: the columns and rows of a CSV file, and what is wrong with it for a training. Reads lines, never a disk.

A dataset is two CSV files with one heading row each, ``train.csv`` and ``test.csv``: commas, quotes as Excel writes them. A row
is numbered as a spreadsheet shows it: the heading is row 1.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import chain

from schema.job import Fault
from schema.problem import folded, shown
from schema.text import NOTHING
from schema.words import Fact, Words

TRAIN, TEST = "train.csv", "test.csv"
CLEARML_ID = re.compile("[0-9a-f]{32}")  # of a ClearML Dataset, where one is named instead of a folder
MISSING = NOTHING | {"na", "n/a", "#n/a", "nan", "null", "none"}
PLAIN = {0xFF01 + index: 0x21 + index for index in range(94)} | {0x2212: "-"}  # full-width forms, and the minus sign
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"([+-]?(?:0|[1-9][0-9]{0,14}))(?:\.0*)?")  # 007 and longer digits are names, not numbers
GREATEST = 3.4e38  # what single precision holds, in which trees look at numbers
MOST_NAMED, MOST_OFFERED = 20, 5
MOST_CLASSES, MOST_SHARE = 20, 1 / 5  # more different numbers than this, and than this share of the rows, are measured

Label = str | int


def digest(files: Mapping[str, str]) -> str:
    """The SHA-256 of a dataset, from those of its files by name (``train.csv``): that of the lines which sha256sum prints for them."""
    return hashlib.sha256("".join(f"{one}  raw/{file}\n" for file, one in files.items()).encode()).hexdigest()


def number(text: str) -> float | None:
    """A cell as a number, or None, its digits and signs of any width. No separators, nothing endless, no ① and no 10²."""
    plain = text.translate(PLAIN)
    if not NUMBER.fullmatch(plain):
        return None
    value = float(plain)
    return value if abs(value) <= GREATEST else None


def is_missing(text: str) -> bool:
    """Whether a cell of a column of numbers stands for "no value": an empty one, a dash of any width, a word for nothing."""
    return unicodedata.normalize("NFKC", text).strip().casefold() in MISSING


def labels(texts: Collection[str]) -> Mapping[str, Label]:
    """What each text of a target column means as a class: whole numbers if all of them are (1.0 is 1), else the texts themselves."""
    wholes = {text: WHOLE.fullmatch(text) for text in texts}
    if not all(wholes.values()):
        return {text: text for text in texts}
    return {text: int(whole[1]) for text, whole in wholes.items() if whole}


def records(lines: Iterable[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Every row that is not blank with its number, the heading first; None where the quotes or the size of a cell make it unreadable."""
    reader = csv.reader(lines, strict=True)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield row, None
            return
        if cells:
            yield row, [cell.strip() for cell in cells]


def header(lines: Iterable[str]) -> tuple[str, ...]:
    """The names of the columns; of a text without a heading, none."""
    _, cells = next(records(lines), (0, None))
    return tuple(cells or ())


@dataclass
class _Scan:
    """What one pass over a file finds out. By column: ``texts`` the first cell that is no number, ``blanks`` the first without a value."""

    file: str
    columns: tuple[str, ...] = ()
    rows: int = 0
    bad_row: int | None = None
    numeric: set[str] = field(default_factory=set)
    texts: dict[str, tuple[int, str]] = field(default_factory=dict)
    blanks: dict[str, int] = field(default_factory=dict)
    empty_row: int | None = None
    labels: set[str] = field(default_factory=set)

    def place(self, row: int) -> Words:
        return Words(f"{row} of {self.file}", ja=f"{self.file}の{row}")


def judge(train: Iterable[str], test: Iterable[str], target: str, task_type: str) -> list[Fault]:
    """Everything that keeps a dataset from being trained on, each fault once a file, at the answer to change.

    ``task_type`` is ``classification`` or ``regression``. Bytes that are not UTF-8 are the affair of whoever makes lines of them.
    """
    scans = (_scan(train, TRAIN, target), _scan(test, TEST, target))
    readable = all(scan.rows for scan in scans)
    return list(
        chain(
            *(_shape(scan) for scan in scans),
            _columns(*scans, target) if readable else (),
            _target(scans, target, task_type) if readable else (),
        )
    )


def judge_rows(lines: Iterable[str]) -> list[Fault]:
    """What keeps the rows of ``test.csv`` from being read, for those that only predict them."""
    return list(_shape(_scan(lines, TEST, None)))


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a file and the number of its rows, the heading not counted; or what is wrong with it, whatever it is used for."""

    columns: tuple[str, ...]
    rows: int
    faults: tuple[Fault, ...] = ()


def shape(lines: Iterable[str], file: str) -> Shape:
    """One pass over a file that is called so, in as much memory as its longest row needs."""
    scan = _scan(lines, file, None)
    return Shape(scan.columns, scan.rows, tuple(_shape(scan)))


def judge_pair(train: Iterable[str], test: Iterable[str]) -> tuple[Shape, Shape, list[Fault]]:
    """Both files of a dataset, and everything that keeps it from being trained on, whichever of its columns is predicted."""
    scans = (_scan(train, TRAIN, None), _scan(test, TEST, None))
    found = [tuple(_shape(scan)) for scan in scans]
    between = _between(*scans) if all(scan.rows for scan in scans) else ()
    shapes = [Shape(scan.columns, scan.rows, faults) for scan, faults in zip(scans, found, strict=True)]
    return shapes[0], shapes[1], [*found[0], *found[1], *between]


def _between(train: _Scan, test: _Scan) -> Iterator[Fault]:
    if len(train.columns) == 1:
        yield Fault("no_features", "dataset_id", {"column": shown(train.columns[0])})
    yield from _differences(train, test, train.columns)


def _scan(lines: Iterable[str], file: str, target: str | None) -> _Scan:
    rows = records(lines)
    number_of_row, heading = next(rows, (1, []))
    scan = _Scan(file, tuple(heading or ()), bad_row=None if heading is not None else number_of_row)
    for row, cells in rows:
        if cells is None or len(cells) != len(scan.columns):
            scan.bad_row = scan.bad_row or row
            continue
        scan.rows += 1
        for column, cell in zip(scan.columns, cells, strict=True):
            _note(scan, row, column, cell)
            if column == target:
                _note_target(scan, row, cell)
    return scan


def _note(scan: _Scan, row: int, column: str, cell: str) -> None:
    if column in scan.texts:
        return
    if is_missing(cell):
        scan.blanks.setdefault(column, row)
    elif number(cell) is None:
        scan.texts[column] = (row, cell)
        scan.numeric.discard(column)
    else:
        scan.numeric.add(column)


def _note_target(scan: _Scan, row: int, cell: str) -> None:
    if cell:
        scan.labels.add(cell)
    elif scan.empty_row is None:
        scan.empty_row = row


def _shape(scan: _Scan) -> Iterator[Fault]:
    if scan.bad_row is not None:
        yield Fault("bad_csv", "dataset_id", {"file": scan.file, "row": str(scan.bad_row)})
    elif not scan.rows:
        yield Fault("empty_dataset", "dataset_id", {"file": scan.file})
    seen: set[str] = set()
    for index, column in enumerate(scan.columns):
        if not column:
            yield Fault("unnamed_column", "dataset_id", {"file": scan.file, "column": str(index + 1)})
        elif column in seen:
            yield Fault("duplicate_column", "dataset_id", {"file": scan.file, "column": shown(column)})
        seen.add(column)


def _columns(train: _Scan, test: _Scan, target: str) -> Iterator[Fault]:
    for scan in (train, test):
        if target not in scan.columns:
            facts: dict[str, Fact] = {"column": shown(target), "columns": named(scan.columns)}
            yield Fault("no_column", "target", facts)
            break
    features = [column for column in train.columns if column != target]
    if not features:
        yield Fault("no_features", "dataset_id", {"column": shown(target)})
    yield from _differences(train, test, features)


def _differences(train: _Scan, test: _Scan, features: Collection[str]) -> Iterator[Fault]:
    """What of the columns to learn from is not the same in the test rows."""
    there = set(test.columns)
    absent = [column for column in features if column not in there]
    if absent:
        yield Fault("columns_differ", "dataset_id", {"file": test.file, "columns": named(absent)})
    texts = [column for column in features if column in train.numeric and column in test.texts]
    if texts:
        yield Fault("text_columns", "dataset_id", {"columns": named(texts)})


def named(names: Collection[str], most: int = MOST_NAMED) -> tuple[str, ...]:
    """Names of columns, classes or datasets, fit for a message: made visible, and not more of them than a person reads."""
    first = tuple(shown(one) for one in list(names)[:most])
    return first if len(names) <= most else (*first, "…")


def offered(wrong: str, names: Iterable[str]) -> tuple[str, ...]:
    """The datasets there are, for somebody who named one that is not: a few of them, the most similar name first."""
    meant = folded(wrong)
    alike = {one: SequenceMatcher(None, meant, folded(one)).ratio() for one in names}
    return named(sorted(alike, key=lambda one: (-alike[one], one)), MOST_OFFERED)


def _target(scans: tuple[_Scan, _Scan], target: str, task_type: str) -> Iterator[Fault]:
    for scan in (scan for scan in scans if target in scan.columns):
        blank = scan.blanks.get(target) if task_type == "regression" else None
        empty = scan.empty_row or blank
        if empty is not None:
            yield Fault("empty_target", "target", {"column": shown(target), "row": scan.place(empty)})
        if task_type == "regression" and target in scan.texts:
            row, text = scan.texts[target]
            facts: dict[str, Fact] = {"column": shown(target), "row": scan.place(row), "text": shown(text)}
            yield Fault("not_numeric", "target", facts)
    if task_type == "classification":
        yield from _measured(scans[0], target) or _classes(*scans, target)


def _measured(train: _Scan, target: str) -> list[Fault]:
    """The fault of a target that is measured and no name of a class; whatever else is said of its classes would be noise."""
    count = len(train.labels)
    if count <= max(MOST_CLASSES, train.rows * MOST_SHARE) or any(number(label) is None for label in train.labels):
        return []
    return [Fault("looks_numeric", "task_type", {"column": shown(target), "count": str(count)})]


def _classes(train: _Scan, test: _Scan, target: str) -> Iterator[Fault]:
    meaning = labels(train.labels | test.labels)
    known = {meaning[text] for text in train.labels}
    unseen = {meaning[text] for text in test.labels} - known
    if len(known) == 1:
        yield Fault("one_class", "target", {"column": shown(target)})
    if unseen and known:
        yield Fault(
            "unseen_class", "target", {"column": shown(target), "classes": named([str(one) for one in _sorted(unseen)])}
        )


def _sorted(values: Iterable[Label]) -> list[Label]:
    return sorted(values, key=lambda one: (isinstance(one, str), one))
