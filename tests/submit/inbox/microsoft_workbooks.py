"""Graph's workbook API as far as rows are written back: sessions, used ranges, tables and ranges, over a real workbook (openpyxl).

As learn.microsoft.com/graph/api has it: ``workbook-createsession``, ``worksheet-usedrange``, ``table-post-columns``, ``range-update``. A
call without a session that was given out, an array that does not fit its range, or a property that a range has not is refused.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.table import TableColumn
from openpyxl.worksheet.worksheet import Worksheet

RANGE = re.compile(r"worksheets/([^/]+)/range\(address='([A-Z]+[0-9]+(?::[A-Z]+[0-9]+)?)'\)")
USED = re.compile(r"worksheets/([^/]+)/usedRange\(valuesOnly=true\)")
TABLES = re.compile(r"worksheets/([^/]+)/tables")
TABLE_RANGE = re.compile(r"tables/([^/]+)/range")
COLUMNS = re.compile(r"tables/([^/]+)/columns")
Found = tuple[int, Any]


class WrongCallError(Exception):
    """What Graph answers with 400."""


@dataclass
class Workbooks:
    """``sessions`` are open; ``written`` has the address of every range that was written."""

    sessions: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)
    count: int = 0

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, data: bytes
    ) -> tuple[int, Any, bytes]:
        """Status, document and the workbook's bytes after the call."""
        given = json.loads(body) if body else None
        if (method, path) == ("POST", "createSession"):
            if given != {"persistChanges": True}:
                raise WrongCallError
            self.count += 1
            self.sessions.add(f"session-{self.count}")
            return 201, {"id": f"session-{self.count}", "persistChanges": True}, data
        if headers.get("workbook-session-id") not in self.sessions:
            raise WrongCallError
        if (method, path) == ("POST", "closeSession"):
            self.sessions.discard(headers["workbook-session-id"])
            return 204, None, data
        book = load_workbook(io.BytesIO(data))
        status, found = self._called(book, method, path, given)
        if method == "GET":
            return status, found, data
        out = io.BytesIO()
        book.save(out)
        return status, found, out.getvalue()

    def _called(self, book: Any, method: str, path: str, given: Any) -> Found:
        if (method, path) == ("GET", "worksheets"):
            return 200, {"value": [{"id": f"{{{number}}}", "name": one} for number, one in enumerate(book.sheetnames)]}
        if method == "GET" and (found := USED.fullmatch(path)):
            return 200, used(book[found[1]])
        if method == "GET" and (found := TABLES.fullmatch(path)):
            return 200, {"value": [{"id": one.name, "name": one.name} for one in book[found[1]].tables.values()]}
        if method == "GET" and (found := TABLE_RANGE.fullmatch(path)):
            sheet, table = _table(book, found[1])
            return 200, {"address": f"{sheet.title}!{table.ref}"}
        if method == "POST" and (found := COLUMNS.fullmatch(path)):
            return 201, self._add_column(*_table(book, found[1]), given)
        if method == "PATCH" and (found := RANGE.fullmatch(path)):
            self.written.append(found[2])
            return 200, patch(book[found[1]], found[2], given)
        raise WrongCallError

    def _add_column(self, sheet: Worksheet, table: Any, given: Any) -> Any:
        left, top, right, bottom = _bounds(table.ref)
        if set(given) - {"id", "name", "index", "values"} or len(given["values"]) != bottom - top + 1:
            raise WrongCallError
        for row, (value,) in enumerate(given["values"], top):
            sheet.cell(row, right + 1).value = value or None
        table.ref = f"{get_column_letter(left)}{top}:{get_column_letter(right + 1)}{bottom}"
        table.tableColumns.append(TableColumn(id=right - left + 2, name=given["values"][0][0]))
        table.autoFilter = None
        return {"id": str(right - left + 2), "name": given["values"][0][0]}


def _bounds(address: str) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    left, top, right, bottom = (one or 0 for one in range_boundaries(address))
    return left, top, right, bottom


def _table(book: Any, name: str) -> tuple[Worksheet, Any]:
    for sheet in book.worksheets:
        if name in sheet.tables:
            return sheet, sheet.tables[name]
    raise WrongCallError


def used(sheet: Worksheet) -> Any:
    values = [["" if one.value is None else one.value for one in line] for line in sheet.iter_rows()]
    plain = [[one if isinstance(one, str | int | float | bool) else 46000.5 for one in line] for line in values]
    return {"address": f"{sheet.title}!{sheet.dimensions}", "values": plain}


def patch(sheet: Worksheet, address: str, given: Any) -> Any:
    if not isinstance(given, dict) or set(given) - {"values", "formulas", "numberFormat"}:
        raise WrongCallError
    left, top, right, bottom = _bounds(address)
    for one in given.values():
        if len(one) != bottom - top + 1 or any(len(line) != right - left + 1 for line in one):
            raise WrongCallError
    for name, lines in given.items():
        for row, line in enumerate(lines, top):
            for column, value in enumerate(line, left):
                if value is not None:
                    setattr(sheet.cell(row, column), "number_format" if name == "numberFormat" else "value", value)
    return {"address": f"{sheet.title}!{address}"}
