"""The parts of a workbook that is being marked, and how they hang together."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from generators.excel.archive import ZIP_DATE
from generators.excel.gate import CONTENT_TYPES, opened
from generators.excel.refusal import broken
from generators.excel.splice import Element, Splice, quoted, spliced, tree
from generators.excel.xml_part import Link, relationships

PACKED_TIGHT = 6
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
ROOT_LINKS = "_rels/.rels"


class Parts:
    """The parts of a package by name. Names are compared without regard to case, as the standard says."""

    def __init__(self, data: bytes) -> None:
        self.held = dict(opened(data))
        self._names = {name.lower(): name for name in self.held}
        main = next((one for one in self.links("") if one.sort == "officeDocument"), None)
        if main is None or main.target not in self.held:
            raise broken(ROOT_LINKS)
        self.main = main.target
        self.family = main.type.rpartition("/")[0]
        """What the type of every relationship begins with, and the namespace of their ids; strict workbooks have their own."""

    def __contains__(self, name: str) -> bool:
        return name in self.held

    def __getitem__(self, name: str) -> bytes:
        return self.held[name]

    def tree(self, name: str) -> Element:
        return tree(self.held[name], name)

    def splice(self, name: str, *changes: Splice) -> None:
        if changes:
            self.held[name] = spliced(self.held[name], changes)

    def links(self, of: str) -> list[Link]:
        """The relationships of a part, "" for those of the package."""
        name = self._links_name(of)
        return self._links(name) if name in self.held else []

    def _links(self, name: str) -> list[Link]:
        found = relationships(self.held[name], name)
        return [replace(one, target=self._names.get(one.target.lower(), one.target)) for one in found]

    def _links_name(self, of: str) -> str:
        folder, base = posixpath.split(of)
        name = posixpath.join(folder, "_rels", f"{base}.rels")
        return self._names.get(name.lower(), name)

    def linked(self, of: str, sort: str) -> str:
        """The part that a part has a relationship of this sort with, or ""."""
        return next((one.target for one in self.links(of) if one.sort == sort and one.target in self.held), "")

    def link(self, of: str, sort: str, target: str) -> str:
        """A new relationship's id."""
        name = self._links_name(of)
        if name not in self.held:
            self._put(name, f'<Relationships xmlns="{PACKAGE}relationships"></Relationships>'.encode())
        taken = {one.id for one in self.links(of)}
        id = next(one for number in range(1, len(taken) + 2) if (one := f"rId{number}") not in taken)
        root = self.tree(name)
        new = f'<{root.prefix}Relationship Id="{id}" Type="{self.family}/{sort}" Target='.encode()
        self.splice(name, root.append(new + quoted(f"/{target}") + b"/>"))
        return id

    def unlink(self, of: str, target: str) -> None:
        """Forget a relationship, and the part it points to with all that only this part had."""
        name = self._links_name(of)
        ids = {one.id for one in self.links(of) if one.target == target}
        gone = [one for one in self.tree(name).all("Relationship") if one.attributes.get("Id") in ids]
        self.splice(name, *(Splice(one.start, one.end, b"") for one in gone))
        self._drop(self._lonely(target))

    def _lonely(self, target: str) -> dict[str, None]:
        """A part that no other one points to any more, and all that only this part had."""
        pointed = {owner: {link.target for link in links} for owner, links in self._all_links()}
        left = Counter(one for targets in pointed.values() for one in targets)
        lonely: dict[str, None] = {}
        looked_at = [target]
        while looked_at:
            one = looked_at.pop()
            if one in self.held and one not in lonely and not left[one]:
                lonely[one] = None
                left.subtract(pointed.get(one, ()))
                looked_at += pointed.get(one, ())
        return lonely

    def _all_links(self) -> Iterator[tuple[str, list[Link]]]:
        """The relationships of every part that has some, by its name."""
        for name in [one for one in self.held if one.lower().endswith(".rels")]:
            folder, base = posixpath.split(name)
            owner = posixpath.join(posixpath.dirname(folder), base[: -len(".rels")])
            owner = self._names.get(owner.lower(), owner)
            yield owner, self._links(name)

    def _drop(self, names: Collection[str]) -> None:
        for name in names:
            for one in (name, self._links_name(name)):
                self.held.pop(one, None)
        said = {f"/{name}".lower() for name in names}
        types = self.tree(CONTENT_TYPES)
        gone = [one for one in types.all("Override") if one.attributes.get("PartName", "").lower() in said]
        self.splice(CONTENT_TYPES, *(Splice(one.start, one.end, b"") for one in gone))

    def add(self, folder: str, stem: str, extension: str, content: bytes, sort: str) -> str:
        """A new part under a name that is free, and its content type. Returns the name."""
        names = (posixpath.join(folder, f"{stem}{number or ''}.{extension}") for number in range(len(self.held) + 1))
        name = next(one for one in names if one.lower() not in self._names)
        self._put(name, content)
        root = self.tree(CONTENT_TYPES)
        known = {one.attributes.get("Extension", "").lower() for one in root.all("Default")}
        if extension == "xml":
            new = b"Override PartName=" + quoted(f"/{name}")
        elif extension not in known:
            new = b"Default Extension=" + quoted(extension)
        else:
            return name
        self.splice(
            CONTENT_TYPES, root.append(b"<" + root.prefix.encode() + new + b" ContentType=" + quoted(sort) + b"/>")
        )
        return name

    def _put(self, name: str, content: bytes) -> None:
        self.held[name] = content
        self._names[name.lower()] = name

    def packed(self) -> bytes:
        """The package; the same parts give the same bytes."""
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as package:
            for name, part in self.held.items():
                entry = zipfile.ZipInfo(name, ZIP_DATE)
                entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 0, 0
                package.writestr(entry, part, compresslevel=PACKED_TIGHT)
        return data.getvalue()
