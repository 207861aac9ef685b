"""A second reader of workbooks, written apart from the first one: ElementTree, dictionaries, no gate. For comparing what both read.

It reads what the fuzz makes of our own templates, not every workbook there is.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree
from xml.parsers import expat

from generators.excel.sheet import Sheet, SheetFacts

Element = ElementTree.Element
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
LENGTH_FORMATS = {46}
REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.I | re.A)
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def local(element: Element) -> str:
    return element.tag.rpartition(":")[2]


def _tree(part: bytes) -> Element:
    """A part as a tree. Prefixes stay in the names: which namespace they stand for, and whether any, is nobody's concern here."""
    building, parser = ElementTree.TreeBuilder(), expat.ParserCreate("UTF-8")
    parser.StartElementHandler, parser.EndElementHandler = building.start, building.end
    parser.CharacterDataHandler = building.data
    parser.Parse(part, True)
    return building.close()


def below(element: Element, *names: str) -> list[Element]:
    return [one for one in element.iter() if local(one) in names]


def sheets_of(data: bytes) -> tuple[Sheet, ...]:
    """Every sheet of a workbook that the first reader accepted."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return _Book(package).sheets()


class _Parts:
    """Parts by name, without regard to case, each read when it is needed."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self.package, self.names = package, {name.lower(): name for name in package.namelist()}

    def __getitem__(self, name: str) -> bytes:
        return self.package.read(self.names[name.lower()])


class _Book:
    def __init__(self, package: zipfile.ZipFile) -> None:
        parts = self.parts = _Parts(package)
        main = next(target for _, sort, target in self._links("_rels/.rels", "") if sort == "officeDocument")
        folder, base = posixpath.split(main)
        self.book = _tree(parts[main])
        self.links = self._links(f"{folder}/_rels/{base}.rels", folder)
        self.by_sort = {sort: target for _, sort, target in self.links}
        self.from_1904 = any(one.get("date1904") in ("1", "true") for one in below(self.book, "workbookPr"))
        self.styles = self._styles()
        self.strings = self._strings()

    def _links(self, name: str, folder: str) -> list[tuple[str, str, str]]:
        found = below(_tree(self.parts[name]), "Relationship")
        return [
            (
                one.get("Id", ""),
                one.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/").lower(),
            )
            for one in found
            if one.get("TargetMode", "Internal").lower() == "internal"
        ]

    def _strings(self) -> list[str]:
        if "sharedStrings" not in self.by_sort:
            return []
        root = _tree(self.parts[self.by_sort["sharedStrings"]])
        return [_words(one) for one in below(root, "si")]

    def _styles(self) -> list[str]:
        """What each cell style shows: a day, a length of time, per cent, or nothing special."""
        if "styles" not in self.by_sort:
            return []
        root = _tree(self.parts[self.by_sort["styles"]])
        codes = {one.get("numFmtId", ""): one.get("formatCode", "") for one in below(root, "numFmt")}
        own = next(iter(below(root, "cellXfs")), None)
        styles = [one for one in own if local(one) == "xf"] if own is not None else []
        return [_shows(one.get("numFmtId", "0"), codes) for one in styles]

    def sheets(self) -> tuple[Sheet, ...]:
        return tuple(self._sheet(one) for one in below(self.book, "sheet"))

    def _sheet(self, listed: Element) -> Sheet:
        id = next(value for name, value in listed.attrib.items() if name.endswith(":id"))
        target = next(target for link, sort, target in self.links if link == id and sort == "worksheet")
        return _Grid(self, _tree(self.parts[target])).sheet(listed)


class _Grid:
    """The cells of one sheet."""

    def __init__(self, book: _Book, root: Element) -> None:
        self.book, self.root = book, root
        self.texts: dict[tuple[int, int], str] = {}
        self.formulas: set[tuple[int, int]] = set()
        self.errors: dict[tuple[int, int], str] = {}
        self.hidden: set[int] = set()
        row = 0
        for line in below(root, "row"):
            row = int(line.get("r", row + 1))
            if line.get("hidden") in ("1", "true") or line.get("ht") in ("0", "0.0"):
                self.hidden.add(row)
            self._cells(line, row)

    def _cells(self, line: Element, row: int) -> None:
        column = 0
        for cell in (one for one in line if local(one) == "c"):
            reference = REFERENCE.fullmatch(cell.get("r", ""))
            column = _column(reference[1]) if reference else column + 1
            parts = {local(one): one for one in cell}
            if "f" in parts:
                self.formulas.add((row, column))
            if parts:
                self.texts[row, column] = self._text(cell, parts, (row, column))

    def _text(self, cell: Element, parts: Mapping[str, Element], at: tuple[int, int]) -> str:
        sort, value = cell.get("t", "n"), (parts["v"].text or "") if "v" in parts else ""
        if "is" in parts or sort == "inlineStr":
            return _words(parts["is"]) if "is" in parts else ""
        if sort == "s":
            return self.book.strings[int(value)] if value.strip() else ""
        if sort == "e":
            self.errors[at] = value.strip()
            return ""
        if sort == "d":
            return value
        if sort == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value.strip(), "")
        return _unescaped(value) if sort == "str" else self._number(value, cell) if value.strip() else ""

    def _number(self, value: str, cell: Element) -> str:
        style = _whole(cell.get("s", "0"))
        shows = self.book.styles[style] if style < len(self.book.styles) else ""
        if not NUMBER.fullmatch(value.strip()):
            return value
        number = float(value)
        return {"day": self._day, "length": _length, "percent": _percent}.get(shows, _plain)(number)

    def _day(self, number: float) -> str:
        start = datetime(1904, 1, 1) if self.book.from_1904 else datetime(1899, 12, 30)
        if number < (16_803 if self.book.from_1904 else 18_264):
            return _plain(number)
        day = start + timedelta(milliseconds=round(number * 86_400_000))
        return (
            day.date().isoformat() if not (day.hour or day.minute or day.second or day.microsecond) else day.isoformat()
        )

    def sheet(self, listed: Element) -> Sheet:
        height = max((row for row, _ in self.texts), default=0)
        width = max((column for _, column in self.texts), default=0)
        rows = tuple(
            tuple(self.texts.get((row, column), "") for column in range(1, width + 1)) for row in range(1, height + 1)
        )
        facts = SheetFacts(
            formulas=frozenset(self.formulas),
            errors=self.errors,
            hidden_rows=frozenset(self.hidden),
            hidden_columns=tuple(
                (int(one.get("min", "0")), int(one.get("max", "0")))
                for one in below(self.root, "col")
                if one.get("hidden") in ("1", "true") or one.get("width") in ("0", "0.0")
            ),
        )
        return Sheet(listed.get("name", ""), listed.get("state", "visible") != "visible", rows, facts)


def _words(element: Element) -> str:
    """The text of a string, without what says how to pronounce it."""
    runs = [one for child in element for one in (below(child, "t") if local(child) in ("r", "t") else [])]
    return "".join(_unescaped(_kept(one)) for one in runs)


def _kept(element: Element) -> str:
    """A text as Excel takes it: blanks around it count only where the file says so."""
    text = element.text or ""
    return text if element.get("xml:space") == "preserve" else text.strip(" \t\r\n")


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _column(letters: str) -> int:
    number = 0
    for one in letters:
        number = number * 26 + ord(one) - 64
    return number


def _shows(format: str, codes: Mapping[str, str]) -> str:
    code = re.sub(r'"[^"]*"|\\.', "", codes.get(format, ""))
    if re.search(r"\[[hms]+\]", code, re.I) or _whole(format) in LENGTH_FORMATS:
        return "length"
    bare = re.sub(r"\[[^\]]*\]", "", code)
    if "%" in bare or format in ("9", "10"):
        return "percent"
    return "day" if re.search("[dmyhs]", bare.replace("General", ""), re.I) or _whole(format) in DATE_FORMATS else ""


def _whole(text: str) -> int:
    """A number that counts; what is none counts as the first, as it does for the first reader."""
    return int(text) if text.isascii() and text.isdigit() else 0


def _plain(number: float) -> str:
    return _spelled(Decimal(repr(number))) if 1e-15 < abs(number) < 1e21 else "0" if number == 0 else repr(number)


def _percent(number: float) -> str:
    return (_spelled(Decimal(repr(number)) * 100) if 1e-15 < abs(number) < 1e21 else _plain(number)) + "%"


def _spelled(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _length(number: float) -> str:
    seconds = round(number * 86_400)
    parts = ((seconds // 3600, "H"), (seconds // 60 % 60, "M"), (seconds % 60, "S"))
    return "PT" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0S")
