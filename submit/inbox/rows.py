"""What is written back into a table beside a response: its receipt, how its request stands, and where its run can be looked at.

The table itself says what stands there already, so that nothing is remembered here: a receipt in the desk's own column leads to the
request, as far as it came by that very source.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from schema.words import languages, text
from submit import asked, standing
from submit.desk import Desk
from submit.orders import ID

COLUMNS = ("receipt", "state", "link")
Row = tuple[str, str, str]
"""Receipt, state and link, as they stand in cells: text, never a formula."""
FORMULA = re.compile(r"^[=+\-@\t\r]")


def headings(language: str) -> Row:
    receipt, state, link = (text(f"rows_{one}", language) for one in COLUMNS)
    return receipt, state, link


def own_columns(titles: Sequence[str]) -> dict[str, int]:
    """Where the desk's own columns stand among these titles, counted from 0, in whichever language they were made."""
    known = {text(f"rows_{one}", language): one for language in languages() for one in COLUMNS}
    found: dict[str, int] = {}
    for number, title in enumerate(titles):
        if title.strip() in known:
            found.setdefault(known[title.strip()], number)
    return found


def receipt(cell: str) -> str:
    """The request that a cell of our own column names; "" for whatever else people put there."""
    return cell if ID.fullmatch(cell) else ""


def rows_of(desk: Desk, inbox: str, requests: Collection[str], language: str = "") -> Mapping[str, Row]:
    """What is to stand beside each of these requests that came by this source."""
    with desk.ledger() as ledger:
        mine = {id for id, one in asked.asked(ledger, requests).items() if one.inbox == inbox}
    found = standing.standings(desk, mine)
    return {id: _row(one, language or one.request.language) for id, one in found.items()}


def _row(one: standing.Standing, language: str) -> Row:
    url = (one.run.url if one.run else "") or ""
    link = url if url.startswith("https://") and len(url) < 2000 else ""
    return _plain(one.request.id), _plain(text(one.receipt, language)), _plain(link)


def _plain(cell: str) -> str:
    """Never what a spreadsheet takes for a formula; none of ours begins so, and none ever shall."""
    return "" if FORMULA.match(cell) else cell
