"""A good row, 16 faults one a row, and five things that people type and mean well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from benchmarks.rivals.program import Program


class Typed(str):
    """Text exactly as a person typed it, not to be spelled the program's way."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet: what it shows, and what differs from the good one. ``wrong`` is the question to blame, "" if it is good."""

    name: str
    wrong: str
    answers: Mapping[str, Any]


GOOD: Mapping[str, Any] = {
    "site": "site-1",
    "subject": "Lake",
    "office": "nagano",
    "medium": "water",
    "instrument": "turbidity",
    "method": "sampled",
    "samples": 20,
    "share": 0.8,
    "temperature": 12.5,
    "humidity": 55,
    "repeats": 3,
    "urgent": False,
    "notify": True,
    "begins": date(2026, 12, 1),
    "ends": date(2026, 12, 20),
    "code": "AB-123",
    "budget": 50000,
    "contact": "Tanaka",
    "note": "none",
}

FAULTS = (
    Row("required answer missing", "subject", {"subject": None}),
    Row("not in the list", "office", {"office": Typed("Atlantis")}),
    Row("typing mistake in a choice", "medium", {"medium": Typed("watre")}),
    Row("text for a number", "temperature", {"temperature": Typed("warm")}),
    Row("fraction for a whole number", "repeats", {"repeats": 2.5}),
    Row("below the least", "humidity", {"humidity": -1}),
    Row("above the greatest", "budget", {"budget": 10_000_001}),
    Row("equal to an open bound", "share", {"share": 0}),
    Row("text too long", "contact", {"contact": "x" * 101}),
    Row("wrong pattern", "code", {"code": Typed("ab123")}),
    Row("not a date", "begins", {"begins": Typed("2026-02-30")}),
    Row("date before the least", "begins", {"begins": date(2025, 12, 31)}),
    Row("dates in the wrong order", "ends", {"ends": date(2026, 11, 30)}),
    Row("answer that a condition switches off", "samples", {"method": "full", "samples": 20}),
    Row("missing answer that a condition requires", "samples", {"samples": None}),
    Row("choice that another answer rules out", "instrument", {"instrument": "ozone"}),
)

MEANT_WELL = (
    Row("full-width digits １２", "", {"repeats": Typed("１２")}),
    Row("85％", "", {"share": Typed("85％")}),
    Row("50,000円", "", {"budget": Typed("50,000円")}),
    Row("令和8年12月1日", "", {"begins": Typed("令和8年12月1日")}),
    Row("yes, typed as はい", "", {"notify": Typed("はい")}),
)


def fill(program: Program, template: Path, rows: tuple[Row, ...], made: Path) -> dict[str, str]:
    """Fill a template with the good row changed by each of ``rows``; returns row name → the cell to blame."""
    book = load_workbook(template)
    sheet, columns = book[program.sheet], program.columns(template)
    cells = {}
    for number, row in enumerate(rows, program.first_row):
        if "submitter_id" in columns:  # its own key, nothing that we ask
            sheet.cell(number, columns["submitter_id"], f"row-{number}")
        for question, value in {**GOOD, **row.answers}.items():
            if value is not None:
                right = str(value) if isinstance(value, Typed) else program.spell(question, value)
                sheet.cell(number, columns[question], right)
        cells[row.name] = sheet.cell(number, columns[row.wrong or "site"]).coordinate
    book.save(made)
    return cells
