"""Formulas that go on down a sheet: each written once and shared by all its rows, as Excel does. Written out, 10,000 of them would be
megabytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.excel.page import Formula, Page
from generators.excel.spelling import letters

ROW = re.compile('<row r="([0-9]+)"[^>]*>(.*?)</row>', re.S)
DIMENSION = re.compile('(<dimension ref="A1:[A-Z]+)[0-9]+')


@dataclass(frozen=True, slots=True)
class _Going:
    """A formula's first cell, its last row, and its number on the sheet."""

    row: int
    column: int
    last: int
    number: int

    @property
    def cell(self) -> str:
        return f"{letters(self.column)}{self.row}"


def going_on(part: str, page: Page) -> str:
    """A sheet's XML in which each formula goes on to the row that its page names. All of them begin in one row and end in another,
    and stand to the left or right of everything else between."""
    going = _going(page)
    if not going:
        return part
    styles = [_style(part, one) for one in going]
    for one in going:
        area = f'ref="{one.cell}:{letters(one.column)}{one.last}" si="{one.number}" t="shared"'
        part = part.replace(f"{_start(one, styles[one.number])}<f>", f"{_start(one, styles[one.number])}<f {area}>", 1)
    cells = [
        f'<c r="{letters(one.column)}{{row}}" s="{style}"><f si="{one.number}" t="shared"></f></c>'
        for one, style in zip(going, styles, strict=True)
    ]
    return _continued(part, going[0], cells)


def _going(page: Page) -> list[_Going]:
    found = [
        (row, column, cell.value.to)
        for (row, column), cell in sorted(page.cells.items())
        if isinstance(cell.value, Formula) and cell.value.to > row
    ]
    return [_Going(*one, number) for number, one in enumerate(found)]


def _start(one: _Going, style: str) -> str:
    return f'<c r="{one.cell}" s="{style}">'


def _style(part: str, one: _Going) -> str:
    found = re.search(f'<c r="{one.cell}" s="([0-9]+)"><f>', part)
    if found is None:
        raise ValueError(f"no formula in {one.cell}")
    return found[1]


def _continued(part: str, first: _Going, cells: Sequence[str]) -> str:
    """The rows behind the first: those that are there with the cells put into them, and all others. The first cell stands left of
    what a row holds, the others right of it."""
    before, _, body = part.partition(f'<row r="{first.row}"')
    own, end, rest = body.partition("</row>")
    rows, close, after = rest.partition("</sheetData>")
    there = {int(one[1]): (one[0], one[2]) for one in ROW.finditer(rows)}
    left, right = cells[0], "".join(cells[1:])
    new = "".join(_row(row, there.get(row), left, right) for row in range(first.row + 1, first.last + 1))
    before = DIMENSION.sub(f"\\g<1>{first.last}", before)
    return f'{before}<row r="{first.row}"{own}{end}{new}{close}{after}'


def _row(row: int, there: tuple[str, str] | None, left: str, right: str) -> str:
    whole, inside = there or (f'<row r="{row}"></row>', "")
    start = whole[: len(whole) - len(inside) - len("</row>")]
    return f"{start}{left.format(row=row)}{inside}{right.format(row=row)}</row>"
