"""What a workbook of ours holds, as plain data. The layouts make it; only ``save`` knows the library that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from generators.excel.spelling import CellValue

Style = Literal[
    "key",
    "title",
    "about",
    "head",
    "section",
    "label",
    "answer",
    "unit",
    "blank",
    "help",
    "top",
    "note",
    "row",
    "step",
    "live",
    "finding",
    "status",
    "receipt",
    "kept",
]
Format = str
"""A number format as Excel writes it."""
GENERAL, TEXT, DATE, PERCENT = "General", "@", "yyyy/mm/dd", "0.0#%"
Sort = Literal["list", "whole", "decimal", "date", "textLength", "custom"]
Operator = Literal[
    "between", "equal", "greaterThan", "greaterThanOrEqual", "lessThan", "lessThanOrEqual", "notBetween", "notEqual"
]

Look = Literal["wrong", "missing", "off", "fine", "later"]

OWN_CELL = "{cell}"
"""In a formula of a Rule: the address of the cell that the rule is for."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a cell's text with a look of its own."""

    text: str
    look: Literal["plain", "alert", "faint"] = "plain"


@dataclass(frozen=True, slots=True)
class Formula:
    """What a cell computes, without the sign that begins it. ``to``: the cell of the last row that computes the same, each row of
    its own cells."""

    text: str
    to: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    value: CellValue | tuple[Run, ...] | Formula = None
    style: Style = "label"
    format: Format = GENERAL


@dataclass(frozen=True, slots=True)
class Rule:
    """What Excel itself refuses in an answer cell, and what it shows when the cell is chosen. ``first`` and ``second`` are formulas.
    One that does not stop asks whether the answer is meant."""

    sort: Sort
    operator: Operator
    first: str
    second: str
    prompt_title: str
    prompt: str
    error_title: str
    error: str
    stops: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet. Rows and columns are counted from 1. ``columns`` are the looks of columns whose cells are still empty.
    ``shown`` are areas with a formula for their first cell, and the look of those cells for which it is true. ``printed`` is the area
    that goes to paper, where it is not the whole sheet."""

    title: str
    cells: Mapping[tuple[int, int], Cell]
    widths: Mapping[int, float] = field(default_factory=dict)
    heights: Mapping[int, float] = field(default_factory=dict)
    hidden_columns: tuple[int, ...] = ()
    hidden_rows: tuple[int, ...] = ()
    columns: Mapping[int, Cell] = field(default_factory=dict)
    merged: tuple[str, ...] = ()
    shown: tuple[tuple[str, str, Look], ...] = ()
    rules: tuple[tuple[str, Rule], ...] = ()
    chosen: str = "A1"
    frozen: str = ""
    filtered: str = ""
    repeated_rows: str = ""
    printed: str = ""
    landscape: bool = False
    grid: bool = False
    pages_wide: int = 1
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook. ``names`` are defined names, ``properties`` the document's own properties; ``header`` heads every printed page."""

    pages: tuple[Page, ...]
    names: Mapping[str, str]
    properties: Mapping[str, str]
    header: str
    font: str
