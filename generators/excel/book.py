"""The list of a workbook's sheets: our summary put first, the one of an earlier marked copy taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from generators.excel import SUMMARY_NAME
from generators.excel.cells import read_cells
from generators.excel.parts import Parts
from generators.excel.reds import named
from generators.excel.refusal import Refusal, broken
from generators.excel.sheet_xml import whole
from generators.excel.splice import Element, Splice, quoted, written
from generators.excel.summary import MARK
from schema import words
from schema.words import languages

FILL_NAME = "denpyo_fill_"
"""What begins the defined names that say which fills our reds cover."""
WORKSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
MAIN_ORDER = (
    *("fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups"),
    "externalReferences",
)
"""The children of a workbook before its defined names, in the order that ECMA-376 asks for (CT_Workbook)."""
FILTER_NAME = "_xlnm._FilterDatabase"
LONGEST_TEXT = 120
"""Letters of one text in a formula; several are joined."""
TEXT = re.compile('"((?:[^"]|"")*)"')


@dataclass(frozen=True, slots=True)
class Listed:
    """A sheet as the workbook lists it: its name, whether it is shown, and its part."""

    name: str
    hidden: bool
    part: str
    element: Element


class Book:
    """A workbook's main part under edit."""

    def __init__(self, parts: Parts, data: bytes) -> None:
        self.parts = parts
        self.root = parts.tree(parts.main)
        group = self.root.one("sheets")
        if group is None or group.is_empty:
            raise broken(parts.main)
        self.group = group
        targets = {one.id: one.target for one in parts.links(parts.main)}
        self.all = [_listed(one, targets) for one in group.all("sheet")]
        if not self.all or any(one.part not in parts for one in self.all):
            raise broken(parts.main)
        names = self.root.one("definedNames")
        self.names = names.all("definedName") if names else []
        self.old = self._old_summary(data)
        self.filters: dict[str, tuple[str, str]] = {}
        """By sheet: the area of its filter, and the one it gets."""
        self.sheets = [one for one in self.all if one is not self.old]

    @property
    def earlier(self) -> bool:
        """Whether this is a marked copy that comes back."""
        return self.old is not None or any(_name(one).startswith(FILL_NAME) for one in self.names)

    @property
    def namespace(self) -> str:
        """The namespace of the workbook, and of its sheets; strict ones have another."""
        declared = f"xmlns:{self.root.prefix[:-1]}" if self.root.prefix else "xmlns"
        return self.root.attributes.get(declared, "")

    def _old_summary(self, data: bytes) -> Listed | None:
        pointed = next((one.text for one in self.names if _name(one) == SUMMARY_NAME), "")
        name = pointed.rpartition("!")[0].removeprefix("'").removesuffix("'").replace("''", "'")
        titles = tuple(words.text("excel_marked_sheet", one) for one in languages())
        pointed_at = next((one for one in self.all if one.name == name), None)
        likely = [one for one in self.all if one.name.startswith(titles)]
        if pointed_at or not likely:
            return pointed_at
        cells = read_cells(data)
        marked = () if isinstance(cells, Refusal) else (one.name for one in cells if one.rows and MARK in one.rows[0])
        found = set(marked)
        return next((one for one in likely if one.name in found), None)

    def covered(self) -> dict[int, str]:
        """The XML of the fills that the reds of an earlier marked copy cover, by shade."""
        found = {}
        for one in self.names:
            shade = whole(_name(one).removeprefix(FILL_NAME))
            if shade and _name(one).startswith(FILL_NAME):
                found[shade] = "".join(text.replace('""', '"') for text in TEXT.findall(one.text))
        return found

    def add_summary(self, language: str, sheet: bytes, covers: Mapping[int, str]) -> None:
        """Put the summary first, and choose it alone."""
        title = self._free(words.text("excel_marked_sheet", language))
        if self.old:
            self.parts.unlink(self.parts.main, self.old.part)
        name = self.parts.add("xl/worksheets", "denpyo_summary", "xml", sheet, WORKSHEET)
        id = self.parts.link(self.parts.main, "worksheet", name)
        self.parts.splice(self.parts.main, *self._sheets(title, id), *self._views(), *self._defined(title, covers))

    def _free(self, title: str) -> str:
        taken = {one.name.lower() for one in self.sheets}
        names = (f"{title} ({number})" if number > 1 else title for number in range(1, len(taken) + 2))
        return next(one for one in names if one.lower() not in taken)

    def _sheets(self, title: str, id: str) -> list[Splice]:
        number = max(whole(one.element.attributes.get("sheetId")) for one in self.all) + 1
        facts = f'name={quoted(title).decode()} sheetId="{number}" xmlns:r="{self.parts.family}" r:id="{id}"'
        new = named(f"<sheet {facts}/>".encode(), self.root.prefix)
        gone = [Splice(self.old.element.start, self.old.element.end, b"")] if self.old else []
        return [Splice(self.group.inside, self.group.inside, new), *gone]

    def _views(self) -> list[Splice]:
        views = self.root.one("bookViews")
        part = self.parts[self.parts.main]
        return [one.set(part, activeTab="0", firstSheet="0") for one in views.all("workbookView")] if views else []

    def _defined(self, title: str, covers: Mapping[int, str]) -> list[Splice]:
        """The names that belong to one sheet count the sheets, which are one more now; ours are written anew."""
        part = self.parts[self.parts.main]
        moved = {self.all.index(one): number for number, one in enumerate(self.sheets, 1)}
        changes = []
        for one in self.names:
            local = one.attributes.get("localSheetId")
            if _is_ours(one) or (local is not None and whole(local) not in moved):
                changes.append(Splice(one.start, one.end, b""))
            elif local is not None:
                changes += [one.set(part, localSheetId=str(moved[whole(local)])), *self._filter(one, whole(local))]
        place = "'" + title.replace("'", "''") + "'!$A$1"
        new = [(SUMMARY_NAME, place), *((f"{FILL_NAME}{shade}", _formula(xml)) for shade, xml in covers.items())]
        return [*changes, self._new_names(b"".join(self._name_element(*one) for one in new))]

    def _filter(self, name: Element, sheet: int) -> list[Splice]:
        """The hidden name of a sheet's filter says the same area as the filter."""
        old, new = self.filters.get(self.all[sheet].name, ("", ""))
        text = name.text.replace(_fixed(old), _fixed(new)) if old and _name(name) == FILTER_NAME else name.text
        return [Splice(name.inside, name.close, written(text))] if text != name.text else []

    def _name_element(self, name: str, text: str) -> bytes:
        tag = f"{self.root.prefix}definedName"
        return f'<{tag} name="{name}" hidden="1">'.encode() + written(text) + f"</{tag}>".encode()

    def _new_names(self, new: bytes) -> Splice:
        group = self.root.one("definedNames")
        if group:
            return group.append(new)
        at = max(one.end for one in self.root.children if one.name in MAIN_ORDER)
        start, end = (named(one, self.root.prefix) for one in (b"<definedNames>", b"</definedNames>"))
        return Splice(at, at, start + new + end)


def _listed(element: Element, targets: Mapping[str, str]) -> Listed:
    facts = element.attributes
    id = next((value for name, value in facts.items() if name.endswith(":id")), "")
    return Listed(facts.get("name", ""), facts.get("state", "visible") != "visible", targets.get(id, ""), element)


def _name(element: Element) -> str:
    return element.attributes.get("name", "")


def _is_ours(element: Element) -> bool:
    return _name(element) == SUMMARY_NAME or _name(element).startswith(FILL_NAME)


def _formula(text: str) -> str:
    """A formula whose value is a text."""
    pieces = [text[at : at + LONGEST_TEXT] for at in range(0, len(text), LONGEST_TEXT)] or [""]
    return "&".join('"' + one.replace('"', '""') + '"' for one in pieces)


def _fixed(area: str) -> str:
    """``B3:J1003`` as a name says it: ``$B$3:$J$1003``."""
    return re.sub("([A-Z]+)([0-9]+)", r"$\1$\2", area)
