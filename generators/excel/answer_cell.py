"""One answer cell with all that may be wrong with it, and the request that such cells make together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from generators import Read
from generators.excel import AGAIN, ANSWER, FORM, RESPONSE, SENDER, TABLE
from generators.excel.corner import Corner
from generators.excel.receipt import EMPTY, Receipt, receipt, wrong
from generators.excel.refusal import too_large
from generators.excel.sheet import Area, Place
from generators.excel.spelling import letters
from schema.answers import Answers, Given, Located, Where
from schema.problem import Problem, shown
from schema.question import Form
from schema.words import Fact, Words, both

AROUND = (SENDER, AGAIN, RESPONSE)
"""Keys of what stands around the questions."""
OURS = "denpyo:"
"""What keys begin with that stand above no answers."""
MOST_COVERED = 200_000
"""Answer cells of a sheet that may lie in merged areas, or in areas that one formula fills."""


_letters = cache(letters)


@dataclass(frozen=True, slots=True)
class AnswerCell:
    """An answer cell: its key and text, where it stands, and what the door finds wrong with it."""

    key: str
    text: str
    where: Where
    code: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether somebody wrote something here. Of a merged cell that is said of its first one."""
        return bool(self.text.strip() or self.code not in ("", "merged_cell"))


@dataclass(frozen=True, slots=True)
class Spots:
    """Where the cells of a sheet stand. It knows the sheet by name alone, so that a place keeps no cells in memory."""

    file: str
    sheet: str

    def place(self, row: int, column: int) -> Where:
        return Where(self.file, self.spot(row, column))

    def spot(self, row: int, column: int) -> str:
        return f"{self._before}{_letters(column)}{row}"

    def row_place(self, row: int) -> Where:
        return Where(self.file, f"{self._before}{row}")

    @property
    def _before(self) -> str:
        """What stands before a cell's address; nothing in a file that has no sheets."""
        return f"{self.sheet}!" if self.sheet else ""


@dataclass(frozen=True)
class Asking:
    """A sheet that asks, in its file. Rows and columns are counted from 1."""

    corner: Corner
    file: Where

    @cached_property
    def spots(self) -> Spots:
        return Spots(self.file.file, self.corner.sheet.name)

    def place(self, row: int, column: int) -> Where:
        return self.spots.place(row, column)

    def spot(self, row: int, column: int) -> str:
        return self.spots.spot(row, column)

    def text(self, row: int, column: int) -> str:
        """What stands there; "" beyond what is written."""
        rows = self.corner.sheet.rows
        return rows[row - 1][column - 1] if row <= len(rows) and column <= len(rows[row - 1]) else ""

    def cell(self, key: str, row: int, column: int) -> AnswerCell:
        """The cell, judged: a formula, an error of Excel's, one that is merged into another or hidden is no answer."""
        facts, where, text = self.corner.sheet.facts, self.place(row, column), self.text(row, column)
        if (row, column) in facts.formulas or (row, column) in self.computed:
            return AnswerCell(key, "", where, "formula")
        if (row, column) in facts.errors:
            return AnswerCell(key, "", where, "cell_error", {"error": shown(facts.errors[row, column])})
        area = self.merged_over(row, column)
        if area and (text.strip() or self.text(*area[:2]).strip()):
            return AnswerCell(key, "", where, "merged_cell", {"area": shown(self._named(area))})
        if text.strip() and self.hides(row, column):
            return AnswerCell(key, "", where, "hidden_answer")
        return AnswerCell(key, text, where)

    def hides(self, row: int, column: int) -> bool:
        """Whether a person who looks at the sheet does not see this cell. What a table's filter hides is not meant to be hidden."""
        sheet = self.corner.sheet
        if sheet.hidden or column in self.hidden_columns:
            return True
        return row in sheet.facts.hidden_rows and not (self.corner.mark == TABLE and self.is_filtered(row))

    @cached_property
    def hidden_columns(self) -> frozenset[int]:
        """The columns of answers that nobody sees."""
        spans = self.corner.sheet.facts.hidden_columns
        return frozenset(at for at, _ in self.columns if any(first <= at <= last for first, last in spans))

    def is_filtered(self, row: int) -> bool:
        area = self.corner.sheet.facts.filtered
        return area is not None and area[0] < row <= area[2] and row in self.corner.sheet.facts.hidden_rows

    def merged_over(self, row: int, column: int) -> Area | None:
        """The merged area that makes a riddle of this cell: one that it is not the first of, or that makes one answer of several
        rows of a table, where nobody can tell whose it is."""
        area = self.merged.get((row, column))
        several = area is not None and self.corner.mark == TABLE and area[0] < area[2]
        return area if area and (several or area[:2] != (row, column)) else None

    def _named(self, area: Area) -> str:
        """``Sheet!E4:E6``."""
        return f"{self.spot(*area[:2])}:{self.spot(*area[2:]).rpartition('!')[2]}"

    @cached_property
    def columns(self) -> tuple[tuple[int, str], ...]:
        """The columns of answers, from 1 on: a table's with their keys, a form's one with the mark it is known by."""
        corner = self.corner
        line = enumerate(corner.sheet.rows[corner.row - 1], 1)
        if corner.mark == FORM:
            return tuple((at, mark) for at, mark in line if mark == ANSWER)[:1]
        return tuple((at, key) for at, key in line if key and at != corner.column and not key.startswith(OURS))

    @cached_property
    def merged(self) -> Mapping[Place, Area]:
        """The answer cells that lie in merged areas."""
        return self._covered(self.corner.sheet.facts.merged)

    @cached_property
    def computed(self) -> Mapping[Place, Area]:
        """The answer cells that a formula of another cell fills too."""
        return self._covered(self.corner.sheet.facts.areas)

    def _covered(self, areas: Iterable[Area]) -> dict[Place, Area]:
        columns, last = sorted(at for at, _ in self.columns), len(self.corner.sheet.rows)
        found: dict[Place, Area] = {}
        for area in areas:
            top, left, bottom, right = area
            for column in columns[bisect_left(columns, left) : bisect_right(columns, right)]:
                if len(found) + min(bottom, last) - top > MOST_COVERED:
                    raise too_large(self.corner.sheet.name, self.corner.sheet.name, f"{MOST_COVERED:,}")
                found.update(((row, column), area) for row in range(top, min(bottom, last) + 1))
        return found


def keyed_rows(corner: Corner) -> Iterator[tuple[int, str]]:
    """The rows of a form that have a key, each with its key."""
    for row, line in enumerate(corner.sheet.rows[corner.row :], corner.row + 1):
        key = line[corner.column - 1]
        if key and not key.startswith(OURS):
            yield row, key


def form_cells(asking: Asking) -> Iterator[AnswerCell]:
    """Answers stand where the row of a key meets the column of the mark ANSWER."""
    column = asking.columns[0][0]
    return (asking.cell(key, row, column) for row, key in keyed_rows(asking.corner))


def request(cells: Iterable[AnswerCell], blank: Answers, form: Form) -> Read:
    """The request that these cells make. A faulty answer is absent from ``given`` and its cell stands in ``places``."""
    chosen, faulty = _chosen(cells)
    found, problems = _receipt(chosen.get(RESPONSE)), [_problem(one, form) for one in faulty]
    if found.damaged:
        problems.append(wrong(found, chosen[RESPONSE].where))
    given: dict[str, Located[Given]] = {
        key: Located(one.text, one.where) for key, one in chosen.items() if not one.code and key not in AROUND
    }
    answers = replace(
        blank,
        given=given,
        sender=_around(chosen.get(SENDER)),
        again=_around(chosen.get(AGAIN)),
        response=found.id,
        places={**blank.places, **{key: one.where for key, one in chosen.items()}},
    )
    return Read(answers, tuple(problems))


def _chosen(cells: Iterable[AnswerCell]) -> tuple[dict[str, AnswerCell], list[AnswerCell]]:
    """One cell for each key, and those that are faulty: a second answer to the same question too."""
    chosen: dict[str, AnswerCell] = {}
    faulty: list[AnswerCell] = []
    for cell in cells:
        before = chosen.get(cell.key)
        if before and before.holds:
            same = cell.key == RESPONSE and cell.text == before.text
            twice = replace(cell, code="answered_twice", facts={"other": shown(before.where.spot)})
            faulty += [twice] if cell.holds and not same else []
            continue
        faulty += [cell] if cell.code else []
        chosen[cell.key] = cell if before is None or cell.holds else before
    return chosen, faulty


def _receipt(cell: AnswerCell | None) -> Receipt:
    return receipt(cell.text) if cell else EMPTY


def _around(cell: AnswerCell | None) -> Located[str] | None:
    return Located(cell.text.strip(), cell.where) if cell and cell.text.strip() else None


def _problem(cell: AnswerCell, form: Form) -> Problem:
    return Problem(cell.code, cell.where, cell.key, {"label": label_of(cell.key, form), **cell.facts})


def label_of(key: str, form: Form) -> Words:
    """What a person knows this key by."""
    if key in AROUND:
        return both(f"excel_{key.rpartition('.')[2]}")
    question = form.by_key.get(key)
    return question.label if question else Words(shown(key))
