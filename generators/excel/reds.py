"""The looks of a marked workbook: a red that remembers what it covers, and those of our summary, added to its styles."""

from __future__ import annotations

import re
from collections.abc import Mapping

from generators.excel.parts import Parts
from generators.excel.sheet_xml import whole
from generators.excel.splice import EMPTY, TAG, Element, Splice, spliced, tree, with_attributes
from generators.excel.xml_part import local

STYLES = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
BLANK_STYLES = '<styleSheet xmlns="{}"></styleSheet>'
GROUPS = {
    "numFmts": "",
    "fonts": '<font><sz val="11"/><name val="Calibri"/></font>',
    "fills": '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>',
    "borders": "<border><left/><right/><top/><bottom/><diagonal/></border>",
    "cellStyleXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',
    "cellXfs": '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
    "cellStyles": '<cellStyle name="Normal" xfId="0" builtinId="0"/>',
}
"""What a group of styles must hold at least, in the order of the groups."""
BLANK_XF = b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
SHADE = "FFC9{:02X}"
"""Our red. Its last two digits say which fill it covers, so that it can be taken away again wherever the cell has gone since:
every program keeps a colour, while numbers of styles change whenever a workbook is saved."""
FIRST_SHADE, SHADES = 0xC0, 64
OURS = re.compile("FFC9([C-F][0-9A-F])")
ANSWER = "FFF9DB"
"""The first two shades cover no fill, and the yellow of our own answer cells. What the others cover, the workbook notes."""


class Reds:
    """The styles of a workbook under edit. ``covered`` is what an earlier marked copy noted: a fill's XML by its shade."""

    def __init__(self, parts: Parts, covered: Mapping[int, str], earlier: bool) -> None:
        self.name = parts.linked(parts.main, "styles") or _styles(parts)
        self.part, self.parts = _complete(parts[self.name], self.name), parts
        self.root = tree(self.part, self.name)
        self.xfs, self.fills = self._of("cellXfs", "xf"), self._of("fills", "fill")
        self.added: dict[str, list[bytes]] = {"fonts": [], "fills": [], "borders": [], "cellXfs": []}
        self.red: dict[int, int] = {}
        self.shades: dict[int, int] = {}
        self.covers: dict[int, str] = {}
        self.fill_of = [whole(one.attributes.get("fillId")) for one in self.xfs]
        self.splices: list[Splice] = []
        if earlier:
            self._uncover(covered)

    def _of(self, group: str, name: str) -> list[Element]:
        found = self.root.one(group)
        return found.all(name) if found else []

    def _bytes(self, element: Element) -> bytes:
        return self.part[element.start : element.end]

    def _uncover(self, covered: Mapping[int, str]) -> None:
        """Give every look that is red of ours the fill back that it had."""
        for index, xf in enumerate(self.xfs):
            shade = self._shade(self.fill_of[index])
            if shade is not None:
                self.fill_of[index] = self._fill_under(shade, covered)
                self.splices.append(xf.set(self.part, fillId=str(self.fill_of[index])))

    def _shade(self, fill: int) -> int | None:
        """Which red of ours a fill is."""
        colour = _solid(self.fills[fill]) if fill < len(self.fills) else ""
        found = OURS.fullmatch(colour)
        return int(found[1], 16) - FIRST_SHADE if found else None

    def _fill_under(self, shade: int, covered: Mapping[int, str]) -> int:
        if shade == 0:
            return 0
        if shade == 1:
            known = (index for index, one in enumerate(self.fills) if _solid(one) == ANSWER)
            return next(known, None) or self._add("fills", self._solid_fill(ANSWER))
        content = covered.get(shade, "").encode()
        same = (index for index, one in enumerate(self.fills) if self.part[one.inside : one.close] == content)
        found = next(same, None) if content else 0
        return self._add("fills", self._element("fill", content)) if found is None else found

    def __call__(self, style: int) -> int:
        """The look of a cell, with another fill."""
        if style not in self.red:
            fill = self._red_fill(self.fill_of[style] if style < len(self.fill_of) else 0)
            xf = self._bytes(self.xfs[style]) if style < len(self.xfs) else self._named(BLANK_XF)
            self.red[style] = self._add("cellXfs", _with_fill(xf, fill))
        return self.red[style]

    def _red_fill(self, under: int) -> int:
        if under not in self.shades:
            shade = self._shade_for(under)
            red = None if shade is None else self._solid_fill(SHADE.format(FIRST_SHADE + shade))
            self.shades[under] = self._add("fills", red) if red else under
        return self.shades[under]

    def _shade_for(self, under: int) -> int | None:
        """The red for cells with this fill; None where all shades cover other fills, so that this one stays to be seen."""
        fill, part = self._fill(under)
        if under == 0 or fill is None:
            return 0
        if _solid(fill) == ANSWER:
            return 1
        shade = len(self.covers) + 2
        if shade >= SHADES:
            return None
        self.covers[shade] = "" if fill.is_empty else part[fill.inside : fill.close].decode()
        return shade

    def _fill(self, number: int) -> tuple[Element | None, bytes]:
        """A fill, one that was just added too, and the XML it stands in."""
        if number < len(self.fills):
            return self.fills[number], self.part
        added = self.added["fills"][number - len(self.fills) :][:1]
        return (tree(added[0], self.name), added[0]) if added else (None, b"")

    def look(self, font: str, fill: str, border: str, alignment: str) -> int:
        """A look of our own: the XML of its font, its colour, the XML of its border, and the attributes of its alignment."""
        font_id = self._add("fonts", self._named(f"<font>{font}</font>".encode()))
        fill_id = self._add("fills", self._solid_fill(fill)) if fill else 0
        border_id = self._add("borders", self._named(f"<border>{border}</border>".encode())) if border else 0
        facts = f'numFmtId="49" fontId="{font_id}" fillId="{fill_id}" borderId="{border_id}" xfId="0"'
        applied = 'applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1"'
        return self._add("cellXfs", self._named(f"<xf {facts} {applied}><alignment {alignment}/></xf>".encode()))

    def _add(self, group: str, new: bytes) -> int:
        """The number of a new member of a group; the same one is not added twice."""
        before = self.root.one(group)
        count = len(before.children) if before else 0
        if new not in self.added[group]:
            self.added[group].append(new)
        return count + self.added[group].index(new)

    def _named(self, xml: bytes) -> bytes:
        return named(xml, self.root.prefix)

    def _element(self, name: str, content: bytes) -> bytes:
        tag = self.root.prefix + name
        return f"<{tag}>".encode() + content + f"</{tag}>".encode()

    def _solid_fill(self, colour: str) -> bytes:
        pattern = f'<patternFill patternType="solid"><fgColor rgb="FF{colour}"/><bgColor indexed="64"/></patternFill>'
        return self._named(f"<fill>{pattern}</fill>".encode())

    def done(self) -> None:
        """Put what was added into the workbook."""
        changes = list(self.splices)
        for group, new in self.added.items():
            found = self.root.one(group)
            if new and found:
                changes += _appended(self.part, found, new)
        if changes:
            self.parts.held[self.name] = spliced(self.part, changes)


def named(xml: bytes, prefix: str) -> bytes:
    """XML of ours with the prefix that a part uses for its namespace."""
    return re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1" + prefix.encode(), xml) if prefix else xml


def _complete(part: bytes, name: str) -> bytes:
    """Styles with every group that looks are made of; some programs leave out those they do not need."""
    root = tree(part, name)
    if root.is_empty:
        return _complete(spliced(part, [root.append(b"")]), name)
    at, new = root.inside, []
    for group, content in GROUPS.items():
        found = root.one(group)
        at = found.end if found else at
        if found is None and content:
            new.append(Splice(at, at, named(f"<{group}>{content}</{group}>".encode(), root.prefix)))
    return spliced(part, new)


def _appended(part: bytes, group: Element, new: list[bytes]) -> list[Splice]:
    tag = with_attributes(part[group.start : group.inside], {"count": str(len(group.children) + len(new))})
    if group.is_empty:
        return [
            Splice(group.start, group.inside, tag[: -len(EMPTY)] + b">" + b"".join(new) + f"</{group.tag}>".encode())
        ]
    return [Splice(group.start, group.inside, tag), Splice(group.close, group.close, b"".join(new))]


def _with_fill(xf: bytes, fill: int) -> bytes:
    tag = TAG.match(xf)
    end = tag.end() if tag else len(xf)
    return with_attributes(xf[:end], {"fillId": str(fill), "applyFill": "1"}) + xf[end:]


def _solid(fill: Element) -> str:
    """The colour of a fill that is nothing but one, in six digits."""
    pattern = next(iter(fill.children), None)
    if pattern is None or local(pattern.tag) != "patternFill" or pattern.attributes.get("patternType") != "solid":
        return ""
    colour = pattern.one("fgColor")
    return colour.attributes.get("rgb", "")[-6:].upper() if colour else ""


def _styles(parts: Parts) -> str:
    """Styles for a workbook that has none."""
    strict = parts.family.startswith("http://purl.oclc.org/")
    name = parts.add("xl", "styles", "xml", BLANK_STYLES.format(STRICT_MAIN if strict else MAIN).encode(), STYLES)
    parts.link(parts.main, "styles", name)
    return name
