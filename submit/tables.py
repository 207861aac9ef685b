"""A table that somebody hands over, as lines of CSV: a CSV on the disk, read piece by piece, or one sheet of a workbook.

What stands in a cell is data: nothing is computed, and a text that begins with = stays one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

from generators.excel.bounds import LARGEST_FILE, mib
from generators.excel.formats import ENCODINGS, must_be_text
from generators.excel.refusal import Refusal, RefusedError
from generators.excel.sheet import Sheet
from generators.excel.spelling import letters
from schema import words
from schema.answers import Where
from schema.problem import Problem, shown
from schema.words import Words
from submit.csv_files import csv_lines, decodes
from submit.desk import DeskError

HEAD = 4096
WORKBOOK = b"PK"


@dataclass(frozen=True, slots=True)
class Table:
    """``name`` is what people know it by. ``lines`` opens it at its beginning, as often as it is wanted; ``rows`` are those below its
    heading, once somebody counted."""

    name: str
    lines: Callable[[], AbstractContextManager[Iterable[str]]]
    rows: int = 0


def opened(file: Path, sheet: str, encoding: str) -> Table | Problem:
    """The table in a file, or why it cannot be read as one. ``sheet`` names one of several in a workbook, ``encoding`` is what a CSV
    is written in that is not UTF-8. DeskError where there is no such file or sheet."""
    if not file.is_file():
        raise DeskError(f"{file}: there is no such file")
    name = shown(file.name, 200)
    with file.open("rb") as there:
        head = there.read(HEAD)
    if head.startswith(WORKBOOK):
        return _of_workbook(file, name, sheet)
    try:
        must_be_text(head)
    except RefusedError as refused:
        return _unreadable(name, refused.refusal)
    code = next((one for one in ("utf-8-sig", ENCODINGS[encoding or "utf-8"]) if decodes(file, one)), "")
    if not code:
        return Problem("bad_encoding", Where(name), "", {"file": name})
    return Table(name, partial(csv_lines, file, code))


def _of_workbook(file: Path, name: str, wanted: str) -> Table | Problem:
    from submit.child import read_cells

    if file.stat().st_size > LARGEST_FILE:
        return _unreadable(name, Refusal("too_large", "", {"part": words.both("the_file"), "limit": mib(LARGEST_FILE)}))
    sheets = read_cells(file.read_bytes())
    if isinstance(sheets, Refusal):
        return _unreadable(name, sheets)
    sheet = _chosen(sheets, name, wanted)
    if sheet.facts.formulas:
        row, column = min(sheet.facts.formulas)
        return Problem("table_formula", Where(name, shown(f"{sheet.name}!{letters(column)}{row}")), "")
    text = "".join(_as_csv(sheet))
    return Table(name, lambda: nullcontext(io.StringIO(text, newline="")))


def _chosen(sheets: Sequence[Sheet], name: str, wanted: str) -> Sheet:
    """The sheet of this name; without a name, the only one that a person sees and that holds anything."""
    found = [one for one in sheets if (one.name == wanted if wanted else not one.hidden and any(map(any, one.rows)))]
    if len(found) == 1:
        return found[0]
    there = ", ".join(shown(one.name) for one in sheets)
    raise DeskError(f"{name}: say with --sheet which sheet holds the table; there are: {there}")


def _as_csv(sheet: Sheet) -> Iterator[str]:
    """The rows and columns that hold something: a table need not begin at A1."""
    columns = [at for at in range(len(next(iter(sheet.rows), ()))) if any(row[at] for row in sheet.rows)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(sheet.rows, 1):
        if any(row):
            writer.writerow([_plain(sheet, number, at, row[at]) for at in columns])
            yield out.getvalue()
            out.seek(0)
            out.truncate()


def _plain(sheet: Sheet, row: int, at: int, text: str) -> str:
    """A cell as a program reads it: of one that is shown in per cent its number (0.85), of an error of Excel's its name."""
    place = (row, at + 1)
    if place in sheet.facts.percents and text.endswith("%"):
        with suppress(InvalidOperation):
            return format(Decimal(text.removesuffix("%")).scaleb(-2).normalize(), "f")
    return text or sheet.facts.errors.get(place, "")


def _unreadable(name: str, refusal: Refusal) -> Problem:
    en, ja = (
        words.fill(words.table(language)["problems"][refusal.code]["what"], language, refusal.facts)  # type: ignore[index]
        for language in ("en", "ja")
    )
    return Problem("table_unreadable", Where(name, refusal.spot), "", {"why": Words(en, ja=ja)})
