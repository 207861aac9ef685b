"""Requests that were kept before their kind changed, found by what they ask for today.

The id of a request follows from what it asked for in the words of that time. Where the same answers come again and read differently
by now, the slips that their sender had kept are brought up to date and compared instead, so that nothing runs a second time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.slip import SlipError
from submit.desk import Desk
from submit.kept_slip import read_slip
from submit.ledger import Ledger, RequestRow
from submit.prepared import Handed, Preparing, content_of_slip

OF_SENDER = """
    SELECT DISTINCT entries.request FROM entries JOIN beside ON beside.seq = entries.seq
        JOIN requests ON requests.id = entries.request
    WHERE requests.kind = ? AND requests.slip IS NOT NULL AND json_extract(CAST(body AS TEXT), '$.detail.version') < ?
        AND CASE WHEN json_valid(text) THEN json_extract(text, '$.requested_by') END = ? ORDER BY entries.seq"""
IS_OLDER = "SELECT 1 FROM entries WHERE request = ? AND json_extract(CAST(body AS TEXT), '$.detail.version') < ?"
FIRST = 1


@dataclass
class Older:
    """The requests of older versions that a submission may speak of. What was erased beside an entry is not found again."""

    desk: Desk
    ledger: Ledger
    preparing: Preparing
    _found: dict[tuple[str, str], Mapping[str, list[str]]] = field(default_factory=dict)

    def named(self, handed: Handed, ordinal: int) -> str:
        """The request that these answers made before their kind changed, the ``ordinal``-th of those that ask for the same; or ""."""
        if handed.good is None or not handed.any_version or handed.good.version == FIRST:
            return ""
        asked = (handed.kind, handed.sender)
        if asked not in self._found:
            self._found[asked] = self._of(*asked, handed.good.version)
        same = self._found[asked].get(handed.good.meant, [])
        return same[ordinal - 1] if ordinal <= len(same) else ""

    def _of(self, kind: str, sender: str, version: int) -> Mapping[str, list[str]]:
        """The requests of a sender by what they ask for now, the first to come first."""
        ids = [one for (one,) in self.ledger.query(OF_SENDER, (kind, version, sender))]
        rows, reasons = self.ledger.requests_among(ids), self.ledger.first_beside(ids)
        found: dict[str, list[str]] = defaultdict(list)
        for one in ids:
            found[self.content(rows[one], str(json.loads(reasons[one] or "{}").get("again", "")))].append(one)
        return found

    def is_older(self, row: RequestRow) -> bool:
        version = self.desk.kinds[row.kind].form.version if row.kind in self.desk.kinds else FIRST
        return version > FIRST and bool(self.ledger.query(IS_OLDER, (row.id, version)))

    def content(self, row: RequestRow, again: str) -> str:
        """What a kept slip asks for today, as ``Good.meant`` has it; "" where it was erased, or cannot be asked for any more."""
        if row.slip is None or self.ledger.slip_is_erased(row):
            return ""
        try:
            return content_of_slip(self.preparing, read_slip(self.desk, self.ledger, row), again)
        except SlipError:  # a kind that is gone, or has changed too far
            return ""
