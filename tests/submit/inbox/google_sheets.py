"""Spreadsheets as the Sheets API keeps them, as far as rows are written back: sheets, ranges of text, and what a person wrote there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

RANGE = re.compile(r"([^!]+)!([A-Z])([0-9]+):([A-Z])([0-9]*)")


class UnknownError(Exception):
    """What the service answers with 400 or 404."""


class Sheets:
    """``books`` are spreadsheets by id: the lines of each sheet by its title."""

    def __init__(self) -> None:
        self.books: dict[str, dict[str, list[list[str]]]] = {}

    def call(self, method: str, where: Mapping[str, str], asked: Mapping[str, str], body: Any) -> dict[str, Any]:
        if where["spreadsheetId"] not in self.books:
            raise UnknownError
        book = self.books[where["spreadsheetId"]]
        match method:
            case "sheets.spreadsheets.get":
                assert asked["fields"] == "sheets(properties(title))"
                return {"sheets": [{"properties": {"title": one}} for one in book]}
            case "sheets.spreadsheets.batchUpdate":
                _add(book, [one["addSheet"]["properties"]["title"] for one in body["requests"]])
                return {"spreadsheetId": where["spreadsheetId"]}
            case "sheets.spreadsheets.values.get":
                return _got(book, where["range"])
            case "sheets.spreadsheets.values.batchUpdate":
                assert body["valueInputOption"] == "RAW"
                _put_all(book, body["data"])
                return {"spreadsheetId": where["spreadsheetId"]}
        raise UnknownError


def _add(book: dict[str, list[list[str]]], titles: Sequence[str]) -> None:
    for title in titles:
        if title in book:
            raise UnknownError
        book[title] = []


def _range(book: Mapping[str, Any], text: str) -> tuple[str, int, int, int, int]:
    found = RANGE.fullmatch(text)
    if not found or found[1] not in book:
        raise UnknownError
    return found[1], ord(found[2]) - 65, int(found[3]), ord(found[4]) - 65, int(found[5] or 0)


def _got(book: Mapping[str, list[list[str]]], text: str) -> dict[str, Any]:
    """Empty cells at the end of a line, and empty lines at the end, are left out."""
    sheet, left, top, right, _ = _range(book, text)
    lines = [line[left : right + 1] for line in book[sheet][top - 1 :]]
    for line in lines:
        while line and not line[-1]:
            line.pop()
    while lines and not lines[-1]:
        lines.pop()
    return {"range": text, "majorDimension": "ROWS"} | ({"values": lines} if lines else {})


def _put_all(book: dict[str, list[list[str]]], data: Sequence[Mapping[str, Any]]) -> None:
    for one in data:
        _put(book, one["range"], one["values"])


def _put(book: dict[str, list[list[str]]], text: str, values: Sequence[Sequence[str]]) -> None:
    sheet, left, top, right, bottom = _range(book, text)
    if len(values) != bottom - top + 1 or any(len(line) != right - left + 1 for line in values):
        raise UnknownError
    lines = book[sheet]
    for row, line in enumerate(values, top - 1):
        while len(lines) <= row:
            lines.append([])
        lines[row] += [""] * (right + 1 - len(lines[row]))
        lines[row][left : right + 1] = line
