"""The gate: bounds on everything that reaches the parser, and what the parser does not tell.

A workbook is unpacked here within limits; the parts that hold answers are read once as XML (no DOCTYPE, UTF-8 only), and the parser
gets a package packed anew from exactly those parts: whatever a ZIP can say twice, it says once.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generators.excel import formats
from generators.excel.archive import MIB, Archive, mib
from generators.excel.plain import facts_of
from generators.excel.refusal import broken, not_allowed, too_large
from generators.excel.scan import YES, Budget
from generators.excel.sheet import SheetFacts
from generators.excel.xml_part import elements
from schema.words import Words

LARGEST_FILE = 64 * MIB
FORBIDDEN = re.compile(
    r"(^|/)((externalLinks|embeddings|activeX|macrosheets|dialogsheets|customUI|queryTables)/|connections\.xml$)|vbaProject",
    re.IGNORECASE,
)
CONTENT_TYPES = "[Content_Types].xml"
SHEET_SORTS = ("worksheet", "chartsheet")
READ_SORTS = (*SHEET_SORTS, "sharedStrings", "styles")
"""The relationships of a workbook whose parts are read; all others are left out of what the parser gets."""
HYPERLINK = "/hyperlink"
"""The one relationship that may point outside: Excel makes one of every mail address that is typed."""
PERCENT_FORMATS = ("9", "10")
NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
"""Parts of a number format that are literal text or conditions."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet as the workbook lists it, and what its XML says beyond its values. ``from_1904``: how its days are counted."""

    name: str
    hidden: bool
    facts: SheetFacts
    from_1904: bool


@dataclass(frozen=True, slots=True)
class Package:
    """A workbook that passed: its sheets in their order, and the parts that hold them packed anew."""

    sheets: tuple[SheetPart, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Link:
    """A relationship: its id, the last word of its type, and the part it points to, in lower case."""

    id: str
    sort: str
    target: str


def admit(data: bytes) -> Package:
    """Unpack and bound a workbook. What may not pass is a RefusedError that names the part or the cell."""
    return _Workbook(opened(data)).package()


def opened(data: bytes) -> Archive:
    """The parts of a workbook as it lies in the file, none of them forbidden; what is inside the sheets is not looked at yet."""
    if len(data) > LARGEST_FILE:
        raise too_large("", Words("The file", ja="ファイル"), mib(LARGEST_FILE))
    formats.must_be_zip(data)
    parts = Archive(data)
    types = elements(parts[CONTENT_TYPES], CONTENT_TYPES, ("Default", "Override"))
    formats.must_hold_sheets([one.get("ContentType", "") for _, one in types])
    for name in parts:
        if FORBIDDEN.search(name):
            raise not_allowed(name)
    return parts


class _Workbook:
    """The parts of a package and how they hang together. Part names are compared without regard to case, as the standard says."""

    def __init__(self, parts: Archive) -> None:
        self.parts = parts
        self.names = {name.lower(): name for name in parts}
        self.links = {
            name.lower(): tuple(_links(name, parts[name])) for name in parts if name.lower().endswith(".rels")
        }
        self.main = next((one.target for one in self.links.get("_rels/.rels", ()) if one.sort == "officeDocument"), "")
        if self.main not in self.names:
            raise broken("_rels/.rels")
        folder, base = posixpath.split(self.main)
        self.rels = posixpath.join(folder, "_rels", f"{base}.rels")
        self.read = {one.id: one for one in self.links.get(self.rels, ()) if one.sort in READ_SORTS}

    def package(self) -> Package:
        main = elements(self.parts[self.names[self.main]], self.names[self.main], ("sheet", "workbookPr"))
        listed = [one for tag, one in main if tag == "sheet"]
        from_1904 = any(one.get("date1904") in YES for tag, one in main if tag == "workbookPr")
        targets = [self._target(one) for one in listed]
        names = {name.lower() for one in listed if (name := one.get("name"))}
        if not names or len(names) < len(listed):
            raise broken(self.names[self.main])
        spots = {target: one.get("name", "") for target, one in zip(targets, listed, strict=True)}
        budget, facts = Budget(self._percent_styles()), {}
        for target in {self.main: None} | {one.target: None for one in self.read.values()}:
            name = self._name(target)
            facts[target] = facts_of(self.parts[name], name, spots.get(target, name), budget)
        budget.settle()
        sheets = (
            SheetPart(one.get("name", ""), one.get("state", "visible") != "visible", facts[target], from_1904)
            for target, one in zip(targets, listed, strict=True)
        )
        return Package(tuple(sheets), self._packed())

    def _name(self, target: str) -> str:
        if target not in self.names:
            raise broken(target or self.main)
        return self.names[target]

    def _target(self, sheet: Mapping[str, str]) -> str:
        """The part of a sheet, by its ``r:id``, whatever prefix the file uses for that namespace."""
        id = next((value for name, value in sheet.items() if name.endswith(":id")), "")
        link = self.read.get(id)
        if link is None or link.sort not in SHEET_SORTS:
            raise broken(f"{self.names[self.main]} ({sheet.get('name', '')})")
        return link.target

    def _percent_styles(self) -> frozenset[str]:
        """The numbers of the cell styles that show a value as per cent: 0.85 in such a cell is what a person typed as 85%."""
        target = next((one.target for one in self.read.values() if one.sort == "styles"), "")
        if not target:
            return frozenset()
        found = elements(self.parts[self._name(target)], target, ("numFmt", "cellXfs", "cellStyles", "dxfs", "xf"))
        formats = {one.get("numFmtId", "") for tag, one in found if tag == "numFmt" and _shows_percent(one)}
        names = [tag for tag, _ in found]
        first = names.index("cellXfs") + 1 if "cellXfs" in names else len(found)
        last = next((at for at in range(first, len(found)) if names[at] != "xf"), len(found))
        styles = enumerate(one.get("numFmtId", "") for _, one in found[first:last])
        return frozenset(str(index) for index, format in styles if format in formats or format in PERCENT_FORMATS)

    def _packed(self) -> bytes:
        targets = {
            *(CONTENT_TYPES.lower(), "_rels/.rels", self.rels, self.main),
            *(one.target for one in self.read.values()),
        }
        return self.parts.packed([name for name in self.parts if name.lower() in targets])


def _shows_percent(number_format: Mapping[str, str]) -> bool:
    return "%" in NOT_SHOWN.sub("", number_format.get("formatCode", ""))


def _links(name: str, part: bytes) -> Iterator[_Link]:
    """The relationships of a part. One that points outside the file is refused."""
    base = posixpath.dirname(posixpath.dirname(name))
    for _, one in elements(part, name, ("Relationship",)):
        sort, target = one.get("Type", ""), one.get("Target", "")
        if one.get("TargetMode", "Internal").lower() == "internal":
            path = posixpath.normpath(posixpath.join("/", base, target)).lstrip("/").lower()
            yield _Link(one.get("Id", ""), sort.rpartition("/")[2], path)
        elif not sort.endswith(HYPERLINK):
            raise not_allowed(name)
