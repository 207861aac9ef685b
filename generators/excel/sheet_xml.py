"""A sheet's XML, with looks and texts put into some of its cells and all else left as it is."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from generators.excel.refusal import broken
from generators.excel.scan import YES, column_number, place
from generators.excel.sheet import Place
from generators.excel.spelling import letters
from generators.excel.splice import (
    EMPTY,
    IN_TAG,
    Element,
    Splice,
    attribute,
    masked,
    spliced,
    tree,
    with_attributes,
    written,
)
from generators.excel.xml_part import guarded, parse

ORDER = (
    *("sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection"),
    *("protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells"),
    *("phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins"),
    *("pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors"),
    *("smartTags", "drawing", "legacyDrawing"),
)
"""The children of a worksheet up to the one that holds comments, in the order that ECMA-376 asks for (CT_Worksheet)."""
VIEW = re.compile(rb"<(?:[^\s/>:]+:)?sheetView(?=[\s/>])" + IN_TAG + b">")
WRITTEN = re.compile(rb"<(?:[^\s/>:]+:)?(?:v|is)[\s>]")
HEAD_LENGTH = 100_000
DEFAULT_WIDTH, DEFAULT_HEIGHT = 8.43, 15.0
MOST_MERGED = 1000
LENGTH = re.compile("[0-9]{1,4}(\\.[0-9]+)?")
DIGIT_PIXELS, CELL_PADDING, PIXELS_A_POINT = 7, 5, 4 / 3


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to a cell: ``style`` makes its new look from the one it has, ``text`` is written into it. A cell that is new
    may look ``like`` another."""

    style: Callable[[int], int] | None = None
    text: str | None = None
    like: Place | None = None

    def looking_like(self, sheet: SheetXml) -> Change:
        """The same with its look found in the sheet."""
        if self.like is None:
            return self
        look = sheet.style(*self.like)
        return Change(lambda _: look, self.text)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row's tag from ``start`` to ``inside``; what it holds ends at ``end``."""

    number: int
    start: int
    inside: int
    end: int


class SheetXml:
    """One sheet under edit. Its rows are found by strict patterns, because it was found to be XML before."""

    def __init__(self, part: bytes, name: str) -> None:
        self.part, self.name = part, name
        parse(guarded(name), part, name)
        self.root, self.shift, self.cut = tree_without_cells(part, name)
        data = self.root.one("sheetData")
        if data is None:
            raise broken(name)
        self.data, self.prefix = data, data.prefix
        self.masked = masked(part)
        tag = re.escape(self.prefix).encode()
        self.row_tag = re.compile(rb"<" + tag + rb"row(?=[\s/>])" + IN_TAG + b">")
        self.cell_tag = re.compile(rb"<" + tag + rb'c(?:\s+r="([A-Z]{1,3})[0-9]{1,7}")?(?=[\s/>])' + IN_TAG + b">")
        self.cell_end = re.compile(rb"</" + tag + rb"c\s*>")
        self.formula = re.compile(rb"<" + tag + rb"f[\s/>]")
        self.lost_formulas = False
        """Whether a text was put in place of a formula."""
        self.rows = {row.number: row for row in self._rows()}
        self.columns: dict[int, Mapping[str, str]] = {}
        self.splices: list[Splice] = []

    def _at(self, offset: int) -> int:
        """Where in the part an offset of the tree lies, which was made without the cells."""
        return offset + self.shift if offset > self.cut else offset

    def _tag(self, element: Element) -> bytes:
        return self.part[self._at(element.start) : self._at(element.inside)]

    def _rows(self) -> Iterator[_Row]:
        if self.data.is_empty:
            return
        last, number = self._at(self.data.close), 0
        tags = list(self.row_tag.finditer(self.masked, self.data.inside, last))
        ends = [*(one.start() for one in tags), last][1:]
        for tag, end in zip(tags, ends, strict=True):
            given = attribute(tag[0], b"r")
            number = whole(given) if given else number + 1
            yield _Row(number, tag.start(), tag.end(), end)

    def put(self, changes: Mapping[Place, Change]) -> None:
        """Change these cells; rows and cells that do not stand there yet are added in their order."""
        added: dict[int, bytes] = {}
        for number, places in groupby(sorted(changes), key=lambda one: one[0]):
            columns = {column: changes[number, column] for _, column in places}
            row = self.rows.get(number)
            if row is None:
                cells = (self._new(number, column, one, self._column_style(column)) for column, one in columns.items())
                added[number] = self._element("row", f' r="{number}"', b"".join(cells))
            else:
                self.splices += self._in_row(row, columns)
        self._add_rows(added)
        if changes:
            self._grow(max(row for row, _ in changes), max(column for _, column in changes))

    def _add_rows(self, added: Mapping[int, bytes]) -> None:
        if self.data.is_empty:
            self.splices += [self.data.append(b"".join(added.values()))] if added else []
            return
        there = sorted(self.rows)
        for number, row in sorted(added.items()):
            later = bisect(there, number)
            at = self.rows[there[later]].start if later < len(there) else self._at(self.data.close)
            self.splices.append(Splice(at, at, row))

    def _in_row(self, row: _Row, columns: Mapping[int, Change]) -> Iterator[Splice]:
        tag = self.part[row.start : row.inside]
        if tag.endswith(EMPTY):
            cells = b"".join(self._new_in(row, column, columns[column]) for column in sorted(columns))
            opened = with_attributes(tag, {"spans": None})[: -len(EMPTY)].rstrip()
            yield Splice(row.start, row.inside, opened + b">" + cells + f"</{self.prefix}row>".encode())
            return
        there = {column: (start, inside) for start, inside, column in self._cells(row)}
        order = sorted(there)
        if attribute(tag, b"spans") and columns.keys() - there.keys():
            yield Splice(row.start, row.inside, with_attributes(tag, {"spans": None}))
        for column, change in sorted(columns.items(), key=lambda one: one[0]):
            if column in there:
                yield self._changed(*there[column], (row.number, column), change)
            else:
                later = bisect(order, column)
                at = (
                    there[order[later]][0] if later < len(order) else self._after(row, there.get(max(order, default=0)))
                )
                yield Splice(at, at, self._new_in(row, column, change))

    def _after(self, row: _Row, last: tuple[int, int] | None) -> int:
        """Where a row's cells end."""
        return self._end_of_cell(last[1]) if last else row.inside

    def _cells(self, row: _Row) -> Iterator[tuple[int, int, int]]:
        """The tags of a row's cells, and their columns."""
        column = 0
        for tag in self.cell_tag.finditer(self.masked, row.inside, row.end):
            given = None if tag[1] else attribute(tag[0], b"r")
            column = column_number(tag[1].decode()) if tag[1] else place(given)[1] if given else column + 1
            yield tag.start(), tag.end(), column

    def _end_of_cell(self, inside: int) -> int:
        """Where the cell ends whose tag ends here."""
        if self.part[inside - len(EMPTY) : inside] == EMPTY:
            return inside
        found = self.cell_end.search(self.masked, inside)
        if found is None:
            raise broken(self.name)
        return found.end()

    def _changed(self, start: int, inside: int, at: Place, change: Change) -> Splice:
        tag = self.part[start:inside]
        style = whole(attribute(tag, b"s"))
        style = change.style(style) if change.style else style
        if change.text is None:
            return Splice(start, inside, with_attributes(tag, {"s": str(style)}))
        end = self._end_of_cell(inside)
        self.lost_formulas |= bool(self.formula.search(self.masked, inside, end))
        return Splice(start, end, self._cell(at, style, change.text))

    def _new_in(self, row: _Row, column: int, change: Change) -> bytes:
        style = self._row_style(self.part[row.start : row.inside])
        return self._new(row.number, column, change, self._column_style(column) if style is None else style)

    def _new(self, row: int, column: int, change: Change, style: int) -> bytes:
        return self._cell((row, column), change.style(style) if change.style else style, change.text)

    def _cell(self, at: Place, style: int, text: str | None) -> bytes:
        facts = f' r="{letters(at[1])}{at[0]}" s="{style}"'
        if text is None:
            return f"<{self.prefix}c{facts}/>".encode()
        shown = self._element("is", "", self._element("t", ' xml:space="preserve"', written(text)))
        return self._element("c", f'{facts} t="inlineStr"', shown)

    def _element(self, name: str, attributes: str, content: bytes) -> bytes:
        tag = self.prefix + name
        return f"<{tag}{attributes}>".encode() + content + f"</{tag}>".encode()

    def _row_style(self, tag: bytes) -> int | None:
        return whole(attribute(tag, b"s")) if attribute(tag, b"customFormat") in YES else None

    def style(self, row: int, column: int) -> int:
        """The number of the look of a cell, which may not stand there yet."""
        found = self.rows.get(row)
        for start, end, at in self._cells(found) if found else ():
            if at == column:
                return whole(attribute(self.part[start:end], b"s"))
        own = self._row_style(self.part[found.start : found.inside]) if found else None
        return self._column_style(column) if own is None else own

    def first_written(self, row: int, beside: int) -> int:
        """The first column of a row in which a person sees something that they wrote, 0 where there is none; not the one ``beside``."""
        found = self.rows.get(row)
        for _, inside, column in self._cells(found) if found else ():
            content = self.masked[inside : self._end_of_cell(inside)]
            written = WRITTEN.search(content) and not self.formula.search(content)
            if written and column != beside and self.pixels_wide(column):
                return column
        return 0

    def _columns(self) -> list[Element]:
        columns = self.root.one("cols")
        return columns.all("col") if columns else []

    def _column(self, column: int) -> Mapping[str, str]:
        if column not in self.columns:
            self.columns[column] = next((one.attributes for one in self._columns() if _spans(one, column)), {})
        return self.columns[column]

    def _column_style(self, column: int) -> int:
        return whole(self._column(column).get("style"))

    def pixels_wide(self, column: int) -> int:
        own = self._column(column)
        if own.get("hidden") in YES:
            return 0
        return int(_length(own.get("width"), DEFAULT_WIDTH) * DIGIT_PIXELS) + CELL_PADDING

    def pixels_high(self, row: int) -> int:
        found = self.rows.get(row)
        tag = self.part[found.start : found.inside] if found else b""
        if attribute(tag, b"hidden") in YES:
            return 0
        return int(_length(attribute(tag, b"ht"), DEFAULT_HEIGHT) * PIXELS_A_POINT)

    def widen(self, column: int, width: float) -> None:
        """Give a width to a column that has none of its own, so that its text can be read."""
        columns, new = self.root.one("cols"), f'col min="{column}" max="{column}" width="{width}" customWidth="1"/>'
        if columns is None or any(_spans(one, column) for one in columns.all("col")):
            return
        before = [one.end for one in columns.all("col") if whole(one.attributes.get("max")) < column]
        at = before[-1] if before else columns.inside
        self.splices.append(Splice(at, at, f"<{self.prefix}{new}".encode()))

    def anchor(self, at: Place) -> Place:
        """The cell that shows the value of a cell: another one where several are merged."""
        return next(
            (top for top, bottom in self._merged() if top[0] <= at[0] <= bottom[0] and top[1] <= at[1] <= bottom[1]), at
        )

    def _merged(self) -> Iterator[tuple[Place, Place]]:
        merged = self.root.one("mergeCells")
        for one in merged.all("mergeCell")[:MOST_MERGED] if merged else ():
            first, _, last = one.attributes.get("ref", "").partition(":")
            yield place(first), place(last or first)

    def stretch_filter(self, name: str, column: int) -> dict[str, tuple[str, str]]:
        """Let the filter, and with it the sorting, take along a column beside it. Returns by the sheet's name its old area and the
        new one; nothing where there is no filter."""
        found = self.root.one("autoFilter")
        old = found.attributes.get("ref", "") if found else ""
        (top, left), (bottom, right) = (place(one) for one in (old.partition(":")[0], old.partition(":")[2]))
        if found is None or not (top and bottom) or right >= column:
            return {}
        new = f"{letters(left)}{top}:{letters(column)}{bottom}"
        self._set(found, ref=new)
        return {name: (old, new)}

    def _set(self, element: Element, **attributes: str) -> None:
        tag, start = self._tag(element), self._at(element.start)
        self.splices.append(Splice(start, start + len(tag), with_attributes(tag, attributes)))

    @property
    def namespace(self) -> str:
        """The namespace of worksheets; strict workbooks have another one."""
        declared = f"xmlns:{self.root.prefix[:-1]}" if self.root.prefix else "xmlns"
        return self.root.attributes.get(declared, "")

    def draws_from(self) -> str:
        """The id of the relationship to the drawing of its comments, "" where it has none."""
        found = self.root.one("legacyDrawing")
        facts = found.attributes if found else {}
        return next((value for name, value in facts.items() if name.endswith(":id")), "")

    def draw_from(self, id: str, namespace: str) -> None:
        new = f'<{self.prefix}legacyDrawing xmlns:r="{namespace}" r:id="{id}"/>'.encode()
        before = [one.end for one in self.root.children if one.name in ORDER]
        at = self._at(before[-1])
        self.splices.append(Splice(at, at, new))

    def _grow(self, row: int, column: int) -> None:
        """Let the area that is said to be used cover a cell."""
        found = self.root.one("dimension")
        if found is None:
            return
        first, _, last = found.attributes.get("ref", "").partition(":")
        (top, left), (bottom, right) = place(first), place(last or first)
        if top and (row > bottom or column > right):
            area = f"{letters(left)}{top}:{letters(max(right, column))}{max(bottom, row)}"
            self._set(found, ref=area)

    def done(self) -> bytes:
        return spliced(self.part, self.splices) if self.splices else self.part


def not_chosen(part: bytes) -> bytes:
    """A sheet taken out of those that are chosen when the workbook opens: two of them would be edited together."""
    found = VIEW.search(masked(part[:HEAD_LENGTH]))
    if found is None or attribute(found[0], b"tabSelected") not in YES:
        return part
    tag = with_attributes(part[found.start() : found.end()], {"tabSelected": None})
    return part[: found.start()] + tag + part[found.end() :]


def tree_without_cells(part: bytes, name: str) -> tuple[Element, int, int]:
    """The elements of a sheet but for its rows; how many bytes were left out, and where."""
    plain = masked(part)
    start = re.search(rb"<(?:[^\s/>:]+:)?sheetData(?=[\s/>])" + IN_TAG + b">", plain)
    end = re.search(rb"</(?:[^\s/>:]+:)?sheetData\s*>", plain)
    if start is None or end is None or start[0].endswith(EMPTY):
        return tree(part, name), 0, len(part)
    return tree(part[: start.end()] + part[end.start() :], name), end.start() - start.end(), start.end() - 1


def _spans(column: Element, number: int) -> bool:
    facts = column.attributes
    return whole(facts.get("min")) <= number <= whole(facts.get("max"))


def whole(text: str | None) -> int:
    """The number that an attribute holds, 0 where it holds none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def _length(text: str | None, otherwise: float) -> float:
    return float(text) if text and LENGTH.fullmatch(text) else otherwise
