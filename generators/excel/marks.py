"""Marks put into a workbook: red cells with their comments, receipts, and the summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generators.excel.book import Book, Listed
from generators.excel.notes import Note, put_notes
from generators.excel.order import Order, Remark, Request
from generators.excel.parts import Parts
from generators.excel.receipt_cells import Added, added_receipts
from generators.excel.reds import Reds
from generators.excel.refusal import RefusedError
from generators.excel.scan import place
from generators.excel.sheet import Place
from generators.excel.sheet_xml import Change, SheetXml, not_chosen
from generators.excel.summary import Line, Summary, sheet_of
from schema import words
from schema.problem import shown

MOST_COMMENTS = 5_000
"""Comments in one workbook; beyond them cells are red without one, because spreadsheet programs draw a box for each."""
MOST_REQUESTS = 200
"""Requests that the summary lists; in larger tables each row says itself what became of it."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a place is in the workbook: the sheet, if it is one of its sheets, and the cell, if it is one."""

    sheet: Listed | None
    cell: Place
    text: str

    @property
    def marks(self) -> bool:
        """Whether there is a cell, or a row of them, that a person can see."""
        return bool(self.sheet and not self.sheet.hidden and self.cell[0])

    @property
    def link(self) -> str:
        if self.sheet is None or self.sheet.hidden or not self.cell[0]:
            return ""
        name = self.sheet.name.replace("'", "''")
        return f"'{name}'!{self.text.rpartition('!')[2] if self.cell[1] else f'B{self.cell[0]}'}"


def mark(data: bytes, order: Order) -> bytes | None:
    """The marked copy of a workbook; None for a file that is refused as a whole, which cannot be marked."""
    try:
        copy = _Copy(data, order.language)
        copy.mark(order.problems, order.requests)
        copy.summarise(order)
        return copy.parts.packed()
    except RefusedError:
        return None


class _Copy:
    """A workbook that is being marked."""

    def __init__(self, data: bytes, language: str) -> None:
        self.data, self.language = data, language
        self.parts = Parts(data)
        self.book = Book(self.parts, data)
        self.reds = Reds(self.parts, self.book.covered(), self.book.earlier)
        self.sheets = {one.name: one for one in self.book.sheets}
        self.receipts: dict[str, int] = {}
        """By sheet: the column of its receipts."""
        self.red = 0
        """How many problems have a red cell."""

    def spot(self, text: str) -> _Spot:
        """``Sheet!C7``, ``Sheet!7``, ``Sheet``, or none of them."""
        name, _, rest = text.rpartition("!")
        sheet = self.sheets.get(name)
        if sheet and rest.isascii() and rest.isdigit() and len(rest) <= 7:
            return _Spot(sheet, (int(rest), 0), text)
        return _Spot(sheet or self.sheets.get(text), place(rest) if sheet else (0, 0), text)

    def mark(self, problems: Sequence[Remark], requests: Sequence[Request]) -> None:
        receipts = self._receipts(requests)
        spots = (self.spot(one.receipt) for one in requests if one.receipt)
        self.receipts = {one.sheet.name: one.cell[1] for one in spots if one.sheet}
        said: dict[str, dict[Place, list[str]]] = defaultdict(lambda: defaultdict(list))
        for problem in problems:
            spot = self.spot(problem.spot)
            if spot.sheet and spot.marks:
                said[spot.sheet.name][spot.cell].append(problem.said)
                self.red += 1
        left = MOST_COMMENTS
        for listed in self.book.sheets:
            self.parts.held[listed.part] = not_chosen(self.parts[listed.part])
            here, added = said.get(listed.name, {}), receipts.get(listed.name, Added())
            comments = self.book.earlier and self.parts.linked(listed.part, "comments")
            if here or added.changes or comments:
                notes = dict(list(here.items())[:left])
                left -= len(notes)
                self._mark(listed, here, notes, added)

    def _mark(
        self, listed: Listed, said: Mapping[Place, list[str]], noted: Mapping[Place, list[str]], added: Added
    ) -> None:
        sheet = SheetXml(self.parts[listed.part], listed.part)
        changes, cells = dict(added.changes), {at: self._cell(listed, sheet, at) for at in said}
        for at in {sheet.anchor(one) for one in cells.values() if one[1]}:
            changes[at] = Change(self.reds, changes[at].text if at in changes else None)
        notes: dict[Place, list[str]] = defaultdict(list)
        for at, texts in noted.items():
            if cells[at][1]:
                notes[sheet.anchor(cells[at])] += texts
        sheet.put({at: one.looking_like(sheet) for at, one in changes.items()})
        if added.column:
            sheet.widen(added.column, added.width)
            self.book.filters |= sheet.stretch_filter(listed.name, added.column)
        lines = {at: Note("\n".join(dict.fromkeys(texts)), self.language) for at, texts in notes.items()}
        put_notes(self.parts, sheet, lines)
        self.parts.held[listed.part] = sheet.done()
        chain = self.parts.linked(self.parts.main, "calcChain")
        if (
            sheet.lost_formulas and chain
        ):  # it lists every formula; Excel makes it anew, but repairs a file where it is wrong
            self.parts.unlink(self.parts.main, chain)

    def _cell(self, listed: Listed, sheet: SheetXml, at: Place) -> Place:
        """The cell that is marked for a place: of a row the first in which a person wrote something."""
        row, column = at
        return (row, column or sheet.first_written(row, self.receipts.get(listed.name, 0)))

    def _receipts(self, requests: Sequence[Request]) -> Mapping[str, Added]:
        """What is written into receipt cells, by sheet; templates of the first release get such cells."""
        found: dict[str, Added] = {}
        named = [(self.spot(one.receipt or one.spot), one) for one in requests if one.response]
        for spot, one in named:
            if one.receipt and spot.sheet:
                text = f"{one.response} {one.said}".strip()
                found.setdefault(spot.sheet.name, Added()).changes[spot.cell] = Change(text=text)
        without = [
            (spot.sheet.name, spot.cell[0], f"{one.response} {one.said}".strip())
            for spot, one in named
            if not one.receipt and spot.sheet
        ]
        return {**found, **added_receipts(self.data, without, self.language)} if without else found

    def summarise(self, order: Order) -> None:
        good, requests = sum(one.good for one in order.requests), order.requests[:MOST_REQUESTS]
        summary = Summary(
            language=self.language,
            file=shown(order.file, 100),
            good=good,
            bad=len(order.requests) - good,
            red=self.red,
            standing=order.standing,
            problems=self._lines(order.problems),
            warnings=self._lines(order.warnings),
            changes=[self._line(self.spot(one.spot), one) for one in order.changes],
            requests=[self._request(one) for one in requests if one.response or one.said],
            more_requests=max(0, len(order.requests) - MOST_REQUESTS),
        )
        sheet = sheet_of(summary, self.reds, self.book.namespace)
        self.reds.done()
        self.book.add_summary(self.language, sheet, self.reds.covers)

    def _lines(self, remarks: Sequence[Remark]) -> list[Line]:
        order = {one.name: number for number, one in enumerate(self.book.sheets, 1)}
        found = [(self.spot(one.spot), one) for one in remarks]
        found.sort(key=lambda one: (order[one[0].sheet.name], one[0].cell) if one[0].sheet else (0, (0, 0)))
        return [self._line(spot, one) for spot, one in found]

    def _line(self, spot: _Spot, remark: Remark) -> Line:
        place = self._place(spot)
        if remark.more:
            place = words.text("changed_more", self.language, where=place, count=f"{remark.more:,}")
        return Line(place, spot.link, shown(remark.about, 200), remark.said)

    def _request(self, request: Request) -> Line:
        spot = self.spot(request.spot)
        return Line(self._place(spot), spot.link, request.response, request.said)

    def _place(self, spot: _Spot) -> str:
        """A place as a person says it."""
        if spot.sheet and spot.cell[0] and not spot.cell[1]:
            facts = {"sheet": shown(spot.sheet.name, 80), "row": str(spot.cell[0])}
            return words.text("excel_marked_row", self.language, **facts)
        return shown(spot.text, 100) or words.text("excel_marked_whole", self.language)
