"""What a blank workbook holds, seen with openpyxl: lists, limits, prompts, conditions, protection; and whether its bytes are stable."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from benchmarks.rivals.described import DEPENDENT, Asked, survey
from benchmarks.rivals.program import Program

CHOOSING = re.compile(r"INDIRECT|OFFSET|INDEX|CHOOSE|IF\(")


@dataclass(frozen=True)
class Looked:
    """One blank workbook of a program."""

    program: Program
    file: Path

    @cached_property
    def sheet(self) -> Worksheet:
        return cast(Worksheet, load_workbook(self.file)[self.program.sheet])

    @cached_property
    def columns(self) -> Mapping[str, int]:
        return self.program.columns(self.file)

    def cell(self, question: str) -> str:
        return f"{get_column_letter(self.columns[question])}{self.program.first_row}"

    def rules(self, question: str) -> Iterator[DataValidation]:
        """The data validations that judge an answer to this question."""
        for rule in self.sheet.data_validations.dataValidation:
            if self.cell(question) in rule.sqref:
                yield rule

    def count(self, asked: list[Asked], holds: Callable[[Asked], bool]) -> str:
        return f"{sum(map(holds, asked))} of {len(asked)}"


def seen(program: Program, file: Path) -> dict[str, str]:
    """Feature → what was seen in the blank workbook."""
    looked = Looked(program, file)
    asked = survey("ja")
    numbers = [one for one in asked if one.sort in ("whole_number", "number")]
    listed = [one for one in asked if one.choices or one.sort == "yes_no"]
    dates = [one for one in asked if one.sort == "date"]
    texts = [one for one in asked if one.sort == "text" and "longest" in one.limits]
    return {
        "size of the blank table": f"{file.stat().st_size / 1024:.0f} KB, {_sheets(file)}",
        "heading of one question": f"“{_heading(looked)}”",
        "drop-downs": looked.count(listed, lambda one: _offers(looked, one.name)),
        "drop-downs that refuse anything else": looked.count(listed, lambda one: _blocks(looked, one.name)),
        "drop-down of 47 choices (over 255 characters)": "yes" if _offers(looked, "office") else "no",
        "a list that follows another answer": "yes" if _follows(looked) else "no",
        "numbers limited as the schema says": looked.count(numbers, lambda one: _limited(looked, one)),
        "dates limited as the schema says": looked.count(dates, lambda one: bool(_typed(looked, one.name, "date"))),
        "text lengths limited": looked.count(texts, lambda one: _length(looked, one.name)),
        "help at the cell": _help(looked),
        "wrong answers coloured while it is filled": looked.count(list(asked), lambda one: _coloured(looked, one.name)),
        "greyed while another answer switches it off": "yes" if _conditional(looked) else "no",
        "protection": _protection(looked),
    }


def _sheets(file: Path) -> str:
    book = load_workbook(file)
    hidden = sum(sheet.sheet_state != "visible" for sheet in book)
    return f"{len(book.sheetnames)} sheet(s), {hidden} of them hidden"


def _heading(looked: Looked) -> str:
    above = (looked.sheet.cell(row, looked.columns["office"]).value for row in (2, 1))
    texts = [str(text) for text in above if text]
    return texts[-1 if looked.program.first_row == 3 and len(texts) > 1 else 0].split("  ")[0].split("\n")[0]


def _typed(looked: Looked, question: str, sort: str) -> list[DataValidation]:
    return [rule for rule in looked.rules(question) if rule.type in (sort, "custom")]


def _offers(looked: Looked, question: str) -> bool:
    return any(rule.type == "list" for rule in looked.rules(question))


def _blocks(looked: Looked, question: str) -> bool:
    """A list with an error message shown; without ``errorStyle`` Excel stops whoever types something else."""
    return any(
        rule.type == "list" and rule.showErrorMessage and rule.errorStyle in (None, "stop")
        for rule in looked.rules(question)
    )


def _follows(looked: Looked) -> bool:
    return any(
        rule.type == "list" and CHOOSING.search(str(rule.formula1))
        for question in DEPENDENT
        for rule in looked.rules(question)
    )


def _limited(looked: Looked, one: Asked) -> bool:
    """Whether some rule of the cell holds every bound of the schema as a number."""
    bounds = {float(one.limits[name]) for name in ("least", "greatest", "above", "below") if name in one.limits}
    texts = (f"{rule.formula1} {rule.formula2}" for rule in looked.rules(one.name) if rule.type != "list")
    found = ({float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)} for text in texts)
    return any(bounds <= numbers for numbers in found)


def _length(looked: Looked, question: str) -> bool:
    return any(rule.type == "textLength" or "LEN(" in str(rule.formula1) for rule in looked.rules(question))


def _help(looked: Looked) -> str:
    prompts = sum(any(rule.prompt for rule in looked.rules(question)) for question in looked.columns)
    comments = sum(cell.comment is not None for row in looked.sheet.iter_rows(max_row=3) for cell in row)
    return f"{prompts} prompts, {comments} comments on headings"


def _coloured(looked: Looked, question: str) -> bool:
    return any(looked.cell(question) in formats.cells for formats in looked.sheet.conditional_formatting)


def _conditional(looked: Looked) -> bool:
    """Whether how the cell of ``samples`` looks depends on the answer to ``method``."""
    method = re.compile(rf"\$?{get_column_letter(looked.columns['method'])}\$?{looked.program.first_row}\b")
    return any(
        looked.cell("samples") in formats.cells and method.search(str(rule.formula))
        for formats in looked.sheet.conditional_formatting
        for rule in formats.rules
    )


def _protection(looked: Looked) -> str:
    if not looked.sheet.protection.sheet:
        return "none"
    free = not looked.sheet[looked.cell("site")].protection.locked or not _column_locked(looked)
    return "all but the answers" if free else "the answers too"


def _column_locked(looked: Looked) -> bool:
    """Columns that look the same are stored as one, under the first of them."""
    dimensions = looked.sheet.column_dimensions.values()
    column = looked.columns["site"]
    return all(one.protection.locked for one in dimensions if (one.min or 1) <= column <= (one.max or 1))


def stable(first: Path, second: Path) -> str:
    """Two workbooks made one after the other, compared as files and part by part."""
    if first.read_bytes() == second.read_bytes():
        return "the same bytes"
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as two:
        parts = sorted(
            name for name in one.namelist() if name not in two.namelist() or one.read(name) != two.read(name)
        )
    return f"differs in {', '.join(parts)}" if parts else "the same parts, other times in the zip"
