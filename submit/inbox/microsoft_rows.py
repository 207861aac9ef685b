"""Receipts, states and links written back into a live workbook of responses, by Graph's workbook API (learn.microsoft.com/graph/api,
``workbook-createsession``, ``worksheet-usedrange``, ``tablecolumncollection-add``, ``range-update``).

Only columns of the desk's own are written, at the right edge of the table; a cell that says so already is left alone (null in an array
of values changes nothing, as the pages on ``range-update`` say). Graph lets persons write so and no applications: a source that writes
back signs in by a code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from generators.excel.numbers import letters
from submit.desk import Desk
from submit.inbox import SourceDownError
from submit.inbox.microsoft_graph import Drive, Item
from submit.inbox.rows import COLUMNS, Row, headings, own_columns, receipt, rows_of
from submit.judging import Outcome

CORNER = re.compile(r"(?:.*!)?\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})(?::.*)?")
ROW = re.compile(r"(?:(.*)!)?([1-9][0-9]{0,6})")
LOOKED_AT = 20
"""Rows in which the headings are looked for, as the reader does."""
TEXT = "@"
"""The format of numbers that makes a cell text."""


@dataclass(frozen=True, slots=True)
class Used:
    """The used range of a sheet: its values as text, and the row and column of its first cell, counted from 1."""

    top: int
    left: int
    values: Sequence[Sequence[str]]

    def line(self, row: int) -> Sequence[str]:
        at = row - self.top
        return self.values[at] if 0 <= at < len(self.values) else ()


@dataclass
class Rows:
    """What a source writes back. ``inbox`` is its name in denpyo.toml."""

    desk: Desk
    inbox: str
    drive: Drive

    def of_outcome(self, item: Item, outcome: Outcome) -> None:
        """Beside each response that was just read. Nothing is written where the workbook has changed since: it is read again then."""
        there = {int(found[2]): one for one in outcome.responses if one.id and (found := ROW.fullmatch(one.where.spot))}
        sheets = {found[1] for one in outcome.responses if (found := ROW.fullmatch(one.where.spot))}
        shown = rows_of(self.desk, self.inbox, [one.id for one in there.values()])
        wanted = {row: shown[one.id] for row, one in there.items() if one.id in shown}
        if not wanted or len(sheets) != 1 or not self._is_still(item):
            return
        language = next(iter(there.values())).language or self.desk.config.language
        with self._book(item) as book:
            book.write(str(sheets.pop() or ""), wanted, language)

    def anew(self, item: str) -> dict[str, str]:
        """What changed since, beside the receipts that stand in a workbook; every request there with what is shown of it."""
        with self._book(Item(item, "", "", "", False, False)) as book:
            sheet, found = book.receipts()
            shown = rows_of(self.desk, self.inbox, [*found.values()])
            wanted = {row: shown[id] for row, id in found.items() if id in shown}
            if wanted:
                book.write(sheet, wanted, self.desk.config.language)
            return {id: one[1] for id, one in shown.items()}

    def shown(self, requests: Sequence[str]) -> dict[str, str]:
        """What is to be shown of these now."""
        return {id: one[1] for id, one in rows_of(self.desk, self.inbox, requests).items()}

    def _is_still(self, item: Item) -> bool:
        return self.drive.now(item.id).tag == item.tag

    @contextmanager
    def _book(self, item: Item) -> Iterator[Book]:
        base = f"items/{quote(item.id, safe='')}/workbook"
        session = str(self.drive.ask("POST", f"{base}/createSession", {"persistChanges": True}).get("id", ""))
        try:
            yield Book(self.drive, base, session)
        finally:
            with suppress(SourceDownError):  # it ends by itself, five minutes later
                self.drive.ask("POST", f"{base}/closeSession", {}, session)


@dataclass(frozen=True, slots=True)
class Book:
    """One workbook, opened for writing."""

    drive: Drive
    base: str
    session: str

    def write(self, sheet: str, wanted: Mapping[int, Row], language: str) -> None:
        """These rows, beneath headings of our own; as few calls as there are columns in which anything differs."""
        used = self.used(sheet)
        head = self._head(used, min(wanted))
        if not head:
            return
        columns = own_columns(used.line(head))
        if len(columns) < len(COLUMNS):
            self._add_columns(sheet, used, head, columns, language)
            used = self.used(sheet)
            columns = own_columns(used.line(head))
        for number, name in enumerate(COLUMNS):
            if name in columns:
                self._write_column(sheet, used, columns[name], {row: one[number] for row, one in wanted.items()})

    def receipts(self) -> tuple[str, dict[int, str]]:
        """The first sheet with a column of receipts of ours, and the requests in it by their rows."""
        for one in self._list("worksheets"):
            used = self.used(str(one["name"]))
            for head in range(used.top, used.top + min(LOOKED_AT, len(used.values))):
                column = own_columns(used.line(head)).get("receipt")
                if column is not None:
                    below = range(head + 1, used.top + len(used.values))
                    return str(one["name"]), {row: id for row in below if (id := receipt(used.line(row)[column]))}
        return "", {}

    def used(self, sheet: str) -> Used:
        found = self._ask("GET", f"{self._sheet(sheet)}/usedRange(valuesOnly=true)?$select=address,values")
        values, corner = found.get("values"), CORNER.fullmatch(str(found.get("address", "")))
        if not isinstance(values, list) or not all(isinstance(one, list) for one in values) or not corner:
            raise SourceDownError("graph.microsoft.com answers without a range")
        return Used(int(corner[2]), _number(corner[1]), [[str(cell) for cell in line] for line in values])

    def _head(self, used: Used, first: int) -> int:
        """The row of headings: the last one with text above the first response."""
        above = range(max(used.top, first - LOOKED_AT), first)
        return next((row for row in reversed(above) if any(one.strip() for one in used.line(row))), 0)

    def _add_columns(self, sheet: str, used: Used, head: int, columns: Mapping[str, int], language: str) -> None:
        """Those that are missing: in the table, so that they move with its rows, or else beside all that is there. A column is added
        by a call that is made once: whether it was done, the next look sees."""
        missing = [title for name, title in zip(COLUMNS, headings(language), strict=True) if name not in columns]
        tables = self._list(f"{self._sheet(sheet)}/tables")
        if tables:
            path = f"tables/{quote(str(tables[0]['id']), safe='')}"
            height = _height(str(self._ask("GET", f"{path}/range?$select=address").get("address", "")))
            for title in missing:
                self._ask("POST", f"{path}/columns", {"values": [[title], *([[""]] * (height - 1))]}, once=True)
            return
        left = used.left + max(len(one) for one in used.values)
        address = f"{letters(left)}{head}:{letters(left + len(missing) - 1)}{head}"
        self._patch(sheet, address, [missing])

    def _write_column(self, sheet: str, used: Used, column: int, wanted: Mapping[int, str]) -> None:
        differs = {row: said for row, said in wanted.items() if said != _cell(used.line(row), column)}
        if not differs:
            return
        first, last = min(differs), max(differs)
        name = letters(used.left + column)
        self._patch(sheet, f"{name}{first}:{name}{last}", [[differs.get(row)] for row in range(first, last + 1)])

    def _patch(self, sheet: str, address: str, values: Sequence[Sequence[str | None]]) -> None:
        """Values as text; null leaves a cell as it is."""
        formats = [[None if one is None else TEXT for one in line] for line in values]
        self._ask(
            "PATCH", f"{self._sheet(sheet)}/range(address='{address}')", {"numberFormat": formats, "values": values}
        )

    def _sheet(self, name: str) -> str:
        return f"worksheets/{quote(name, safe='')}"

    def _list(self, path: str) -> list[dict[str, Any]]:
        found = self._ask("GET", f"{path}?$select=id,name").get("value")
        if not isinstance(found, list) or not all(
            isinstance(one, dict) and {"id", "name"} <= one.keys() for one in found
        ):
            raise SourceDownError("graph.microsoft.com answers without a list")
        return found

    def _ask(self, method: str, path: str, body: Any = None, *, once: bool = False) -> dict[str, Any]:
        return self.drive.ask(method, f"{self.base}/{path}", body, self.session, once=once)


def _cell(line: Sequence[str], column: int) -> str:
    return line[column] if column < len(line) else ""


def _number(name: str) -> int:
    """The number of a column by its letters: A is 1."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _height(address: str) -> int:
    """How many rows a range has: ``Sheet1!A1:K5`` has five."""
    rows = re.findall(r"[A-Z]+\$?([0-9]+)", address.rpartition("!")[2])
    return int(rows[-1]) - int(rows[0]) + 1 if rows else 1
