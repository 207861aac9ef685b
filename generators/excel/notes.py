"""Comments on the cells of a sheet: ours added and taken away again, everybody else's left as they are.

A comment stands in two parts: its text in one, the box it is shown in in a drawing (VML). Ours stands between two marks, so that it
is known wherever it went: beside a person's own words, and in files that other programs have saved since.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from generators.excel.parts import Parts
from generators.excel.reds import named
from generators.excel.scan import place
from generators.excel.sheet import Place
from generators.excel.sheet_xml import SheetXml, whole
from generators.excel.spelling import letters, lines
from generators.excel.splice import Element, Splice, spliced, tree, written
from schema import words

AUTHOR = "denpyo"
BEGIN, END = "▼", "▲"
BLOCK = re.compile(f"\n?{BEGIN}[^\n{BEGIN}{END}]*{AUTHOR}[^\n{BEGIN}{END}]*\n[^{END}]*{END}")
THREAD = "tc="
"""Authors of comments that only stand in for a thread; what is shown is the thread."""
COMMENTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
VML = "application/vnd.openxmlformats-officedocument.vmlDrawing"
NAMESPACES = {
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
}
DECLARED = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
BLANK_VML = f"<xml{DECLARED}></xml>".encode()
BOX_TYPE = (
    f'<v:shapetype{DECLARED} id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
).encode()
BOX = (
    '<v:shape{declared} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;visibility:hidden" '
    'fillcolor="#fff4f2" o:insetmode="auto"><v:fill color2="#fff4f2"/><v:shadow color="black" obscured="t"/>'
    '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>'
    "<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
SHAPE = re.compile(rb"<(?:\w+:)?shape\s.*?</(?:\w+:)?shape\s*>", re.DOTALL)
SHAPE_NUMBER = re.compile(rb"_x0000_s([0-9]{1,9})\b")
ROW, COLUMN = (re.compile(rb"<(?:\w+:)?" + one + rb">\s*([0-9]{1,7})\s*<") for one in (b"Row", b"Column"))
FIRST_SHAPE = 1025
LETTERS_WIDE, WIDE, LINE_HIGH, MOST_LINES = 46, 330, 17, 24
ASIDE, MOST_SPANNED = 14, 200
"""Pixels between a cell and the comment on it."""


@dataclass(frozen=True, slots=True)
class Note:
    """A comment to be put on a cell: what is to be said, and the language it is said in."""

    text: str
    language: str

    @property
    def title(self) -> str:
        return f"{BEGIN} {words.text('excel_marked_comment', self.language)} ({AUTHOR})\n"

    @property
    def body(self) -> str:
        return f"{self.text.replace(BEGIN, '▽').replace(END, '△')}\n{END}"


def put_notes(parts: Parts, sheet: SheetXml, notes: Mapping[Place, Note]) -> None:
    """Take the comments of an earlier marked copy off a sheet, and put these on it."""
    held = parts.linked(sheet.name, "comments")
    drawing = _drawing(parts, sheet)
    if drawing is None or not (held or notes):
        return
    held = held or _new_comments(parts, sheet)
    comments = _Comments(parts[held], held)
    comments.clear()
    added = comments.put(notes)
    parts.held[held] = comments.done()
    if drawing or added:
        _draw(parts, sheet, drawing, comments.emptied, added)


def _drawing(parts: Parts, sheet: SheetXml) -> str | None:
    """The part that the boxes of a sheet's comments stand in, "" where it has none; None where it is not there."""
    id = sheet.draws_from()
    if not id:
        return ""
    return next((one.target for one in parts.links(sheet.name) if one.id == id and one.target in parts), None)


def _new_comments(parts: Parts, sheet: SheetXml) -> str:
    space = sheet.namespace
    blank = f'<comments xmlns="{space}"><authors></authors><commentList></commentList></comments>'.encode()
    name = parts.add("xl", "denpyo_comments", "xml", blank, COMMENTS)
    parts.link(sheet.name, "comments", name)
    return name


class _Comments:
    """The texts of a sheet's comments under edit."""

    def __init__(self, part: bytes, name: str) -> None:
        self.part, self.name = part, name
        self._read()
        self.emptied: set[Place] = set()

    def _read(self) -> None:
        self.root = tree(self.part, self.name)
        self.all = list(self.root.every("comment"))
        authors = self.root.one("authors")
        self.authors = [one.text for one in authors.all("author")] if authors else []

    def clear(self) -> None:
        """Take our own words out; a comment that held nothing else goes."""
        changes: list[Splice] = []
        for comment in self.all:
            texts = list(comment.every("t"))
            said = "".join(one.text for one in texts)
            kept = BLOCK.sub("", said)
            if kept.strip() and kept != said:
                changes += _without_block(texts, said)
            elif kept != said:
                self.emptied.add(_cell(comment))
                changes.append(Splice(comment.start, comment.end, b""))
        if changes:
            self.part = spliced(self.part, changes)
            self._read()

    def put(self, notes: Mapping[Place, Note]) -> dict[Place, Note]:
        """Say these; beside what somebody else has said of a cell. Returns those that need a box of their own."""
        there = {_cell(one): one for one in self.all}
        changes: list[Splice] = []
        for at in notes.keys() & there.keys():
            if not self._author(there[at]).startswith(THREAD):
                changes += self._beside(there[at], notes[at])
        added = {at: note for at, note in sorted(notes.items()) if at not in there}
        changes += self._new(added)
        self.part = spliced(self.part, changes)
        return added

    def done(self) -> bytes:
        return self.part

    def _author(self, comment: Element) -> str:
        number = whole(comment.attributes.get("authorId"))
        return self.authors[number] if number < len(self.authors) else ""

    def _new(self, notes: Mapping[Place, Note]) -> Iterator[Splice]:
        authors, listed = self.root.one("authors"), self.root.one("commentList")
        if not notes or authors is None or listed is None:
            return
        if AUTHOR not in self.authors:
            yield authors.append(named(f"<author>{AUTHOR}</author>".encode(), self.root.prefix))
        author = (*self.authors, AUTHOR).index(AUTHOR)
        yield listed.append(b"".join(self._comment(at, note, author) for at, note in notes.items()))

    def _comment(self, at: Place, note: Note, author: int) -> bytes:
        start = named(f'<comment ref="{letters(at[1])}{at[0]}" authorId="{author}"><text>'.encode(), self.root.prefix)
        return start + self._runs(note) + named(b"</text></comment>", self.root.prefix)

    def _runs(self, note: Note, before: str = "") -> bytes:
        font = "Yu Gothic" if note.language == "ja" else "Calibri"
        runs = ((before + note.title, "<b/>"), (note.body, ""))
        return b"".join(self._run(text, f'{bold}<sz val="10"/><rFont val="{font}"/>') for text, bold in runs)

    def _run(self, text: str, look: str) -> bytes:
        shown = f"<r><rPr>{look}</rPr>".encode(), b'<t xml:space="preserve">', b"</t></r>"
        look_, start, end = (named(one, self.root.prefix) for one in shown)
        return look_ + start + written(text) + end

    def _beside(self, comment: Element, note: Note) -> Iterator[Splice]:
        text = comment.one("text")
        if text is None:
            return
        plain = text.one("t")
        if plain:  # text without a look of its own may not stand beside text that has one
            yield Splice(plain.start, plain.start, named(b"<r>", self.root.prefix))
            yield Splice(plain.end, plain.end, named(b"</r>", self.root.prefix))
        said = [one for one in text.children if one.name in ("t", "r")]
        at = said[-1].end if said else text.inside
        yield Splice(at, at, self._runs(note, "\n" if said else "")) if said else text.append(self._runs(note))


def _cell(comment: Element) -> Place:
    return place(comment.attributes.get("ref", ""))


def _without_block(texts: list[Element], said: str) -> Iterator[Splice]:
    """The texts of a comment without those of their letters that are ours."""
    gone = [one.span() for one in BLOCK.finditer(said)]
    start = 0
    for one in texts:
        end = start + len(one.text)
        kept = "".join(
            letter for at, letter in enumerate(one.text, start) if not any(first <= at < last for first, last in gone)
        )
        if kept != one.text:
            yield Splice(one.inside, one.close, written(kept))
        start = end


def _draw(parts: Parts, sheet: SheetXml, drawing: str, gone: set[Place], added: Mapping[Place, Note]) -> None:
    """Take these boxes out of a sheet's drawing and put boxes for these comments in."""
    part = parts[drawing] if drawing else BLANK_VML
    part = SHAPE.sub(lambda found: b"" if _note_of(found[0]) in gone else found[0], part)
    end = part.rfind(b"</")
    if added and end >= 0:
        part = part[:end] + b"".join(_boxes(part, sheet, added)) + part[end:]
    if drawing:
        parts.held[drawing] = part
        return
    name = parts.add("xl/drawings", "denpyo_comments", "vml", part, VML)
    sheet.draw_from(parts.link(sheet.name, "vmlDrawing", name), parts.family)


def _note_of(shape: bytes) -> Place | None:
    """The cell that a box is the comment of."""
    row, column = ROW.search(shape), COLUMN.search(shape)
    return (int(row[1]) + 1, int(column[1]) + 1) if row and column and b"Note" in shape else None


def _boxes(part: bytes, sheet: SheetXml, notes: Mapping[Place, Note]) -> Iterator[bytes]:
    if b'id="_x0000_t202"' not in part:
        yield BOX_TYPE
    declared = "" if all(f'xmlns:{name}="{uri}"'.encode() in part for name, uri in NAMESPACES.items()) else DECLARED
    first = max([FIRST_SHAPE - 1, *(int(one) for one in SHAPE_NUMBER.findall(part))]) + 1
    for number, ((row, column), note) in enumerate(notes.items(), first):
        anchor = ", ".join(str(one) for one in _anchor(sheet, row, column, note))
        yield BOX.format(declared=declared, number=number, anchor=anchor, row=row - 1, column=column - 1).encode()


def _anchor(sheet: SheetXml, row: int, column: int, note: Note) -> tuple[int, ...]:
    """Where a box stands: column, pixels in it, row, pixels in it, of its first and of its last corner; counted from 0."""
    high = min(lines(note.title + note.body, LETTERS_WIDE), MOST_LINES) * LINE_HIGH + ASIDE
    right, right_rest = _span(sheet.pixels_wide, column + 1, ASIDE + WIDE)
    bottom, bottom_rest = _span(sheet.pixels_high, row, high)
    return column, ASIDE, row - 1, 0, right - 1, right_rest, bottom - 1, bottom_rest


def _span(size: Callable[[int], int], first: int, pixels: int) -> tuple[int, int]:
    """Which row or column lies so many pixels behind the start of another, and how many of them lie in it."""
    at = first
    while pixels > size(at) and at < first + MOST_SPANNED:
        pixels -= size(at)
        at += 1
    return at, min(pixels, size(at))
