"""The table layout's formulas: one for each row, which says how it stands, and the looks of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from generators.excel import SUMMARY_NAME
from generators.excel.compact import Row
from generators.excel.entry import Entry
from generators.excel.findings import NUMBERS, Finding
from generators.excel.formulas import Sheet
from generators.excel.page import Look
from generators.excel.spelling import letters
from schema.question import Form

LONGEST_SUM = 7000
"""A formula of Excel's may have 8,192 characters."""


def sheet(form: Form, asked: Sequence[Entry], first_column: int, row: int) -> Sheet:
    """The answers of one row: their columns stay where they are, the row goes with the formula."""
    cells = {entry.key: f"${letters(column)}{row}" for column, entry in enumerate(asked, first_column)}
    return Sheet(form, {one.key: one for one in asked}, cells.__getitem__)


def row(form: Form, asked: Sequence[Entry], first_column: int, number: int) -> Row:
    """One request for its status: no column is fixed, which makes the formula shorter."""
    cells = {entry.key: f"{letters(column)}{number}" for column, entry in enumerate(asked, first_column)}
    return Row(Sheet(form, {one.key: one for one in asked}, cells.__getitem__), asked)


def status(row: Row, first_spare: int, number: int) -> tuple[str, list[str]]:
    """How a row stands, "" where it is empty: the weights of all its answers together lead to one of ``live_texts``. Where they
    are too long for one formula, parts of the sum stand in spare columns, from ``first_spare`` on."""
    sums = _joined(row.terms())
    spare = sums if len(sums) > 1 else []
    total = "+".join(f"{letters(first_spare + index)}{number}" for index in range(len(spare))) or sums[0]
    empty = f"COUNTA({row.area(row.asked)})=0"
    said = f'IF({empty},"",IFERROR(LOOKUP({total}+live_moved,live_scores,live_texts),live_lost))'
    return said, [f"IF({empty},0,{one})" for one in spare]


def _joined(weights: Iterable[str]) -> list[str]:
    """As few sums as there must be, because each must fit into a formula."""
    sums = [""]
    for one in weights:
        if sums[-1] and len(sums[-1]) + len(one) > LONGEST_SUM:
            sums.append("")
        sums[-1] = f"{sums[-1]}+{one}".lstrip("+")
    return sums


def shown(sheet: Sheet, asked: Sequence[Entry], status_column: int, bottom: int) -> Iterator[tuple[str, str, Look]]:
    """The looks of the cells: of a status by its text, of an answer by what is found of it. In a marked copy what is missing is
    marked already."""
    first = sheet.at(asked[0].key)
    row = first.lstrip("$ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    cell = f"${letters(status_column)}{row}"
    yield from _status_shown(f"{letters(status_column)}{row}:{letters(status_column)}{bottom}", cell, len(asked))
    last = sheet.at(asked[-1].key)
    for entry in asked:
        column = sheet.at(entry.key).strip("$0123456789")
        area, found = f"{column}{row}:{column}{bottom}", sheet.finding(entry, NUMBERS)
        yield area, f"IFERROR({found}>={int(Finding.WRONG)},TRUE)", "wrong"
        if entry.when:
            yield area, f"AND(COUNTA({first}:{last})>0,IFERROR({found}={int(Finding.OFF)},FALSE))", "off"
        if entry.required:
            lacking = f"IFERROR({found}={int(Finding.MISSING)},FALSE)"
            yield area, f"AND(NOT(ISTEXT({SUMMARY_NAME})),COUNTA({first}:{last})>0,{lacking})", "missing"


def _status_shown(area: str, cell: str, asked: int) -> Iterator[tuple[str, str, Look]]:
    """Texts stand in ``live_texts`` in this order: fine, unsure, so many missing, so many wrong."""
    found = f"IFERROR(MATCH({cell},live_texts,0),0)"
    yield area, f"{found}=1", "fine"
    yield area, f"{found}=2", "later"
    yield area, f"AND({found}>2,{found}<={asked + 2})", "missing"
    yield area, f"AND(LEN({cell})>0,OR({found}=0,{found}>{asked + 2}))", "wrong"
