"""Bytes → cells in this process, for whoever does not fear for it; ``submit.child`` does the same in a process of its own.

The parser is imported with the first workbook, so that who lets another process parse does not wait for it.
"""

from __future__ import annotations

from generators.excel.refusal import Refusal
from generators.excel.sheet import Sheet as Sheet


def read_cells(data: bytes) -> tuple[Sheet, ...] | Refusal:
    """Every sheet of a workbook, or why the file as a whole is refused. Never an exception for what a file holds."""
    from generators.excel import parser

    return parser.read_cells(data)
