"""Receipt cells for templates of the first release, which had none: a row below a form, a column beside a table.

They stand where the keys of the other answers stand, so that the id is found when the file comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from generators.excel import ANSWER, HEAD, RESPONSE, TABLE, TEMPLATE
from generators.excel.cells import read_cells
from generators.excel.corner import Corner, corner_of
from generators.excel.refusal import Refusal
from generators.excel.sheet import Place
from generators.excel.sheet_xml import Change
from schema import words

WIDTH = 30.0

Receipt = tuple[str, int, str]
"""The sheet of a request, its row (0 in a form), and what its receipt says."""


@dataclass(frozen=True, slots=True)
class Added:
    """What is written into a sheet besides its marks; ``column`` is one that was added for receipts."""

    changes: dict[Place, Change] = field(default_factory=dict)
    column: int = 0
    width: float = WIDTH


def added_receipts(data: bytes, receipts: Sequence[Receipt], language: str) -> Mapping[str, Added]:
    """The cells to add for these receipts, by sheet. A sheet that has lost its corner gets none."""
    cells = read_cells(data)
    found = () if isinstance(cells, Refusal) else (corner_of(one) for one in cells)
    corners = {one.sheet.name: one for one in found if one and one.mark != TEMPLATE}
    return {
        name: _beside(corners[name], list(wanted), language)
        for name, wanted in groupby(sorted(receipts), key=lambda one: one[0])
        if name in corners
    }


def _beside(corner: Corner, receipts: Sequence[Receipt], language: str) -> Added:
    label = words.text("excel_response", language)
    if corner.mark == TABLE:
        return _column(corner, receipts, (label, words.text("excel_response_help", language)))
    return Added(dict(_row(corner, receipts[0][2], label))) if corner.has_answers else Added()


def _column(corner: Corner, receipts: Sequence[Receipt], heads: Iterable[str]) -> Added:
    """A column right of everything that stands in the sheet."""
    rows = corner.sheet.rows
    keys = rows[corner.row - 1]
    if RESPONSE in keys:
        column = keys.index(RESPONSE) + 1
        return Added({(row, column): Change(text=said) for _, row, said in receipts})
    column, like = len(keys) + 1, max(at for at, key in enumerate(keys, 1) if key)
    marked = [row for row, line in enumerate(rows, 1) if line[corner.column - 1] == HEAD]
    texts = {corner.row: RESPONSE, **dict(zip(marked, heads, strict=False)), **{row: said for _, row, said in receipts}}
    return Added({(row, column): Change(text=text, like=(row, like)) for row, text in texts.items()}, column)


def _row(corner: Corner, said: str, label: str) -> Iterable[tuple[Place, Change]]:
    """A row below the last question."""
    rows = corner.sheet.rows
    keys, answer = [line[corner.column - 1] for line in rows], rows[corner.row - 1].index(ANSWER) + 1
    if RESPONSE in keys:
        return [((keys.index(RESPONSE) + 1, answer), Change(text=said))]
    row = len(rows) + 1
    last = max(at for at, key in enumerate(keys, 1) if key)
    texts = {corner.column: RESPONSE, answer: said}
    if corner.column < answer - 1:
        texts[answer - 1] = label
    like = {corner.column: corner.column, answer: max(answer - 1, 1), answer - 1: answer - 1}
    return [((row, column), Change(text=text, like=(last, like[column]))) for column, text in texts.items()]
