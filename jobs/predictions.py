"""A table with predictions beside its rows, as CSV, Excel or JSON. What stands in a cell stays text, whatever it begins with."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from jobs.datasets import Table
from schema.dataset import WHOLE, number

Cell = str | int | float
MOST_ROWS = 1_048_575  # of an Excel sheet, without the heading
LONGEST_TEXT = 32_767  # of an Excel cell
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
BOLD = Font(bold=True)


@dataclass(frozen=True, slots=True)
class Predictions:
    """The rows as they came and the columns to put beside them, by name."""

    table: Table
    added: Mapping[str, Sequence[Cell]]

    @property
    def columns(self) -> list[str]:
        return [*self.table.columns, *self.added]

    def rows(self, read: Callable[[str], Cell] = str) -> list[list[Cell]]:
        """Every row with what was put beside it; ``read`` says what a text of the table becomes."""
        beside = list(self.added.values())
        return [[*map(read, row), *(column[index] for column in beside)] for index, row in enumerate(self.table.rows)]


def typed(text: str) -> Cell:
    """A cell that is a number as a number; the rest, 007 too, as the text it is."""
    if WHOLE.fullmatch(text):
        return float(text) if "." in text else int(text)
    value = number(text)
    named = text.lstrip("+-").startswith("0") and not text.lstrip("+-").startswith("0.")
    named = named or not text.isascii()  # what was typed full-width stays as it was typed
    return text if value is None or named or text.lstrip("+-").isdigit() else value


def free(name: str, taken: Sequence[str]) -> str:
    """A name for a new column: the wanted one, with a number behind it where the table has such a column already."""
    names = (name, *(f"{name}_{index}" for index in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)


def is_formula(cell: Cell) -> bool:
    """Whether a spreadsheet would take this text for a formula."""
    is_number = isinstance(cell, str) and cell.isascii() and number(cell) is not None
    return isinstance(cell, str) and len(cell) > 1 and cell.startswith(FORMULA_STARTS) and not is_number


def write_csv(predictions: Predictions, path: Path) -> int:
    """UTF-8 with a byte order mark, so that Excel reads it; an apostrophe before what would be a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        rows: list[Sequence[Cell]] = [predictions.columns, *predictions.rows()]
        for row in rows:
            writer.writerow([f"'{cell}" if is_formula(cell) else cell for cell in row])
    return 0


def write_xlsx(predictions: Predictions, path: Path) -> int:
    """One sheet; texts are written explicitly as texts. The number of texts that had to be cut comes back."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("predictions")
    sheet.freeze_panes = "A2"
    cut = 0

    def cell(value: Cell) -> Any:
        nonlocal cut
        if not isinstance(value, str) or not value:
            return WriteOnlyCell(sheet, None if value == "" else value)
        shown = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
        cut += len(shown) > LONGEST_TEXT
        made = WriteOnlyCell(sheet, shown[:LONGEST_TEXT])
        made.data_type = "s"
        made.quotePrefix = is_formula(shown)
        return made

    headings = [cell(name) for name in predictions.columns]
    for heading in headings:
        heading.font = BOLD
    sheet.append(headings)
    for row in predictions.rows(typed):
        sheet.append([cell(value) for value in row])
    book.save(path)
    return cut


def write_json(predictions: Predictions, path: Path) -> int:
    """A list with one object a row."""
    records = [dict(zip(predictions.columns, row, strict=True)) for row in predictions.rows(typed)]
    text = json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return 0


FORMATS: Mapping[str, Callable[[Predictions, Path], int]] = {"csv": write_csv, "xlsx": write_xlsx, "json": write_json}
