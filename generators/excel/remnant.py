"""Sheets that were once ours and lost the mark of their corner: what stands in them is not read, and that is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from generators.excel import ANSWER, HEAD, STATUS
from generators.excel.corner import Corner
from generators.excel.sheet import Sheet
from schema.answers import Where
from schema.problem import Problem, shown
from schema.question import Form

LOOKED_AT = 200
"""Rows of a sheet that may be headings, and columns that may be labels."""
FEWEST = 3


def torn(sheets: Sequence[Sheet], corners: Sequence[Corner], form: Form) -> str | None:
    """The name of a sheet without a corner that still holds a mark or the keys of ours: answers may stand in it."""
    keys = frozenset(form.by_key)
    for sheet in _others(sheets, corners):
        for line in _lines(sheet):
            if HEAD in line or ANSWER in line or any(one.startswith(STATUS) for one in line) or _most(keys, line):
                return sheet.name
    return None


def unread(sheets: Sequence[Sheet], corners: Sequence[Corner], form: Form, file: Where) -> list[Problem]:
    """Sheets that show the labels of the questions but not a single key: a copy without its hidden cells, or a list of one's own."""
    labels = [frozenset(one.label.say(language) for one in form.questions) for language in ("ja", "en")]
    return [
        Problem("unread_sheet", file.at(sheet.name), facts={"sheet": shown(sheet.name)})
        for sheet in _others(sheets, corners)
        if not sheet.hidden and any(_most(known, line) for known in labels for line in _labels(sheet))
    ]


def _others(sheets: Sequence[Sheet], corners: Sequence[Corner]) -> list[Sheet]:
    with_corner = {id(one.sheet) for one in corners}
    return [one for one in sheets if id(one) not in with_corner]


def _lines(sheet: Sheet) -> Iterator[Sequence[str]]:
    """The rows and columns that may hold keys or labels."""
    top = [line[:LOOKED_AT] for line in sheet.rows[:LOOKED_AT]]
    yield from top
    yield from zip_longest(*top, fillvalue="")


def _labels(sheet: Sheet) -> Iterator[frozenset[str]]:
    """As a template writes them: the label, then its unit and mark."""
    for line in _lines(sheet):
        yield frozenset(one.partition("\n")[0].partition("  ")[0].partition(" (")[0].partition("（")[0] for one in line)


def _most(known: frozenset[str], line: Sequence[str] | frozenset[str]) -> bool:
    return len(known.intersection(line)) >= max(FEWEST, len(known) // 2)
