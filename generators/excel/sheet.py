"""A sheet as the parser and the gate tell it: plain data, known to both sides where the parser runs in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Place = tuple[int, int]
Area = tuple[int, int, int, int]
"""First row and column, last row and column."""


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What a sheet's XML says beyond its values. ``areas`` are filled by one formula, ``validated`` have limits or lists, of the
    ``merged`` only the first cell is seen; ``filtered`` is where a filter is at work, its heading the first row."""

    formulas: frozenset[Place] = frozenset()
    areas: tuple[Area, ...] = ()
    errors: Mapping[Place, str] = field(default_factory=dict)
    percents: frozenset[Place] = frozenset()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: tuple[tuple[int, int], ...] = ()
    merged: tuple[Area, ...] = ()
    validated: tuple[Area, ...] = ()
    filtered: Area | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as a person sees it: ``rows`` of text from A1 on, "" where a cell is empty, in error or not computed."""

    name: str
    hidden: bool
    rows: tuple[tuple[str, ...], ...]
    facts: SheetFacts
