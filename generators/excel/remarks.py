"""What is said of a file's sheets though nothing in it is wrong: limits that were pasted over, filtered rows, receipts alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from generators.excel import RESPONSE
from generators.excel.answer_cell import AROUND, Asking, keyed_rows
from generators.excel.numbers import percent
from generators.excel.receipt import receipt
from generators.excel.sheet import Area, Place
from generators.excel.table import Table
from schema.problem import Problem, shown
from schema.question import Form
from schema.text import read
from schema.words import Fact, both

Spans = Sequence[tuple[int, int]]
"""First and last rows, in order and apart."""
FAR_BELOW = 20
"""How many times smaller than its example a share is that may have been meant as another number."""
PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def remarks(forms: Sequence[Asking], tables: Sequence[Table], form: Form) -> Iterator[Problem]:
    """The warnings of every sheet that asks."""
    for one in forms:
        yield from _limits_of_form(one, form)
        answers = ((key, (row, one.columns[0][0])) for row, key in keyed_rows(one.corner))
        yield from _small_shares(one, ((key, [at]) for key, at in answers), form)
    for table in tables:
        yield from _limits_of_table(table, form)
        columns = ((key, ((row, at) for row in table.filled)) for at, key in table.asking.columns)
        yield from _small_shares(table.asking, columns, form)
        yield from _filtered(table)
        yield from _receipts(table)


def _limits_of_form(asking: Asking, form: Form) -> Iterator[Problem]:
    spans = covered(asking.corner.sheet.facts.validated, asking.columns[0][0])
    rows = [row for row, key in keyed_rows(asking.corner) if _is_asked(key, form) and not _within(spans, row)]
    yield from _lost(asking, [(row, asking.columns[0][0]) for row in rows])


def _is_asked(key: str, form: Form) -> bool:
    return key in form.by_key or (key in AROUND and key != RESPONSE)


def _limits_of_table(table: Table, form: Form) -> Iterator[Problem]:
    """Below the rows that a template prepares there are no limits to be lost, and none in a file that has no sheets."""
    if not table.asking.corner.sheet.name:
        return
    asking, areas = table.asking, table.asking.corner.sheet.facts.validated
    last = max((bottom for _, _, bottom, _ in areas), default=table.first)
    rows = [row for row in table.filled if row <= last] or table.filled[:1]
    lost: list[tuple[int, int]] = []
    for column, key in asking.columns:
        spans = covered(areas, column)
        if rows and _is_asked(key, form) and not _spanned(spans, rows[0], rows[-1]):
            lost += [(row, column) for row in rows if asking.text(row, column).strip() and not _within(spans, row)]
    yield from _lost(asking, sorted(lost))


def _lost(asking: Asking, cells: Sequence[tuple[int, int]]) -> Iterator[Problem]:
    if cells:
        facts = {"sheet": shown(asking.corner.sheet.name), "count": f"{len(cells):,}"}
        yield Problem("limits_lost", asking.place(*cells[0]), facts=facts)


def more(name: str, alike: Sequence[object]) -> Fact:
    """How many there are beside the one that is told of; nothing where that is the only one."""
    return both(name, count=f"{len(alike) - 1:,}") if len(alike) > 1 else ""


def covered(areas: Iterable[Area], column: int) -> Spans:
    """The rows of a column that lie in any of these areas."""
    found: list[tuple[int, int]] = []
    for top, bottom in sorted((one[0], one[2]) for one in areas if one[1] <= column <= one[3]):
        if found and top <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], bottom))
        else:
            found.append((top, bottom))
    return found


def _within(spans: Spans, row: int) -> bool:
    at = bisect_right(spans, (row, row + 2**21)) - 1
    return at >= 0 and spans[at][0] <= row <= spans[at][1]


def _spanned(spans: Spans, first: int, last: int) -> bool:
    return any(top <= first and last <= bottom for top, bottom in spans)


def _small_shares(asking: Asking, answers: Iterable[tuple[str, Iterable[Place]]], form: Form) -> Iterator[Problem]:
    """Shares that are so small beside the question's example that 0.85% may mean 85%: LibreOffice puts per cent behind whatever number
    is typed into a cell that shows per cent, where Excel takes 0.85 for what it is."""
    for key, cells in answers:
        question = form.by_key.get(key)
        usual = read(question, question.example) if question and question.is_share else None
        if not question or not isinstance(usual, float):
            continue
        small = [at for at in cells if 0 < _percent(asking.text(*at)) <= min(1, usual * 100 / FAR_BELOW)]
        if small:
            text = asking.text(*small[0])
            facts: dict[str, Fact] = {
                "label": question.label,
                "share": shown(text),
                "meant": percent(_percent(text)),
                "more": more("more_cells", small),
            }
            yield Problem("small_share", asking.place(*small[0]), key, facts)


def _percent(text: str) -> float:
    """``0.85`` for ``0.85%``, and 0 for whatever is not written in this way."""
    number = text.removesuffix("%")
    return float(number) if number != text and PLAIN_NUMBER.fullmatch(number) else 0.0


def _filtered(table: Table) -> Iterator[Problem]:
    rows = [row for row in table.filled if table.asking.is_filtered(row)]
    if rows:
        yield Problem("filtered_rows", table.asking.spots.row_place(rows[0]), facts={"count": f"{len(rows):,}"})


def _receipts(table: Table) -> Iterator[Problem]:
    """A receipt whose row was emptied takes nothing back; one that lost its id cannot be known again."""
    at = next((column for column, key in table.asking.columns if key == RESPONSE), 0)
    if not at:
        return
    filled, lines = set(table.filled), enumerate(table.asking.corner.sheet.rows[table.first - 1 :], table.first)
    written = [(row, receipt(line[at - 1])) for row, line in lines if line[at - 1]]
    without = [row for row, one in written if one.words and row in filled]
    alone = [row for row, one in written if one.id and row not in filled]
    for code, rows in (("lost_receipt", without), ("receipt_alone", alone)):
        if rows:
            yield Problem(code, table.asking.place(rows[0], at), RESPONSE, {"more": more("more_rows", rows)})
