"""Places of a workbook in the order in which a person who looks through it comes upon them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schema.answers import Where
from schema.problem import Problem

SPOT = re.compile(r"(?:(?P<sheet>.*)!)?(?P<column>[A-Z]{0,3})(?P<row>[0-9]{1,7})", re.DOTALL)


def by_place(problems: Iterable[Problem], places: Iterable[Where]) -> list[Problem]:
    """The problems of one request sheet by sheet, row by row. ``places`` are its cells as the sheets have them."""
    found = [(_cell(one.where.spot), one) for one in problems]
    sheets: dict[str, int] = {}
    if len({sheet for (sheet, _, _), _ in found}) > 1:
        for where in places:
            sheets.setdefault(_cell(where.spot)[0], len(sheets))
    return [one for _, one in sorted(found, key=lambda pair: (sheets.get(pair[0][0], len(sheets)), *pair[0][1:]))]


def _cell(spot: str) -> tuple[str, int, tuple[int, str]]:
    """Sheet, row and column; of a whole row or sheet what comes before its cells."""
    cell = SPOT.fullmatch(spot)
    return (
        (cell["sheet"] or "", int(cell["row"]), (len(cell["column"]), cell["column"])) if cell else (spot, 0, (0, ""))
    )
