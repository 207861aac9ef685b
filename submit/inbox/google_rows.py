"""Receipts, states and links beside the responses of a form, in the spreadsheet that Google Forms is linked to.

The rows that Forms writes there carry no response id (only a time in the spreadsheet's own zone, and an address where one is collected;
an edited response overwrites its row), so nothing reliable says which row is whose. The desk therefore keeps a sheet of its own,
``denpyo``, with a row a request, and touches no other. What is written is raw: text, whatever it begins with (developers.google.com,
Sheets API, ``ValueInputOption``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schema.words import languages, text
from submit.desk import Desk
from submit.inbox import SourceDownError
from submit.inbox.google import Google
from submit.inbox.rows import Row, headings, receipt, rows_of

SHEET = "denpyo"
RANGE = f"{SHEET}!A1:D"
Line = tuple[str, str, str, str]


@dataclass
class Rows:
    """What a source writes back. ``inbox`` is its name in denpyo.toml; ``google`` may write spreadsheets and do nothing else;
    ``shown`` is the state that stands in each spreadsheet of each request, as far as this process knows."""

    desk: Desk
    inbox: str
    google: Google
    shown: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def beside(self, spreadsheet: str, answered: Mapping[str, str], language: str) -> None:
        """A row for each of these requests, by when its response was sent; and what changed since in all others there."""
        if not answered and not self._has_moved(spreadsheet):
            return
        with self.google:
            there = SHEET in self.google.sheets(spreadsheet)
            if not there and answered:
                self.google.add_sheet(spreadsheet, SHEET)
            lines = self.google.values(spreadsheet, RANGE) if there else []
            known = _known(lines)
            rows = rows_of(self.desk, self.inbox, {*known, *answered}, language)
            changes = [*_head(lines, language), *_moved(lines, known, rows), *_new(len(lines), known, answered, rows)]
            if (there or answered) and changes:
                self.google.put(spreadsheet, changes)
        self.shown[spreadsheet] = {id: row[1] for id, row in rows.items()}

    def _has_moved(self, spreadsheet: str) -> bool:
        before = self.shown.get(spreadsheet)
        return before is None or {id: one[1] for id, one in rows_of(self.desk, self.inbox, before).items()} != {
            **before
        }


def _known(lines: Sequence[Sequence[str]]) -> dict[str, int]:
    """The rows of requests by their receipts, counted from 1. SourceDownError where the sheet of that name is somebody else's."""
    ours = {text("rows_receipt", one) for one in languages()}
    if lines and (not lines[0] or lines[0][0] not in ours):
        raise SourceDownError(f"write_back: there is a sheet “{SHEET}” that is not the desk's")
    return {id: number for number, line in enumerate(lines, 1) if line and (id := receipt(line[0]))}


def _head(lines: Sequence[Sequence[str]], language: str) -> list[tuple[str, Sequence[str]]]:
    first, state, link = headings(language)
    return [] if lines else [(f"{SHEET}!A1:D1", (first, text("rows_time", language), state, link))]


def _moved(
    lines: Sequence[Sequence[str]], known: Mapping[str, int], rows: Mapping[str, Row]
) -> list[tuple[str, Sequence[str]]]:
    """State and link of those that stand there otherwise."""
    found = ((known[id], row[1:]) for id, row in rows.items() if id in known)
    return [(f"{SHEET}!C{at}:D{at}", said) for at, said in found if said != _padded(lines[at - 1])[2:]]


def _new(
    height: int, known: Mapping[str, int], answered: Mapping[str, str], rows: Mapping[str, Row]
) -> list[tuple[str, Sequence[str]]]:
    new = [(id, answered[id], *rows[id][1:]) for id in answered if id in rows and id not in known]
    return [(f"{SHEET}!A{at}:D{at}", one) for at, one in enumerate(new, max(height, 1) + 1)]


def _padded(line: Sequence[str]) -> Line:
    """The service leaves out empty cells at a line's end."""
    first, second, third, fourth = [*line, "", "", "", ""][:4]
    return first, second, third, fourth
