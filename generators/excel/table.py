"""The rows of a table → one request each. Most rows have nothing but text in them, and those cost no more than a look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain
from operator import itemgetter

from generators import Read
from generators.excel import AGAIN, HEAD, RESPONSE, SENDER
from generators.excel.answer_cell import AROUND, Asking, Spots, request
from generators.excel.receipt import EMPTY, receipt, wrong
from schema.answers import Answers, Located, Row, Where
from schema.problem import Problem, shown
from schema.question import Form, Question
from schema.text import Misread, clean, is_blank, read
from schema.words import Fact, both

REPEATS = frozenset(("〃", "々", "同上", "同じ", "上と同じ", '"', "”", "ditto"))
"""What people write for the answer above."""
NO_ANSWERS = REPEATS | frozenset(
    ("合計", "小計", "総計", "計", "平均", "total", "grand total", "subtotal", "sum", "average")
)
"""And into the rows between and below their requests."""


class RowPlaces(Mapping[str, Where]):
    """Where the answers of one row stand by question key, and when called with the index of a column: each place is made when
    somebody looks. ``others`` are the places of the whole file."""

    __slots__ = ("_columns", "_others", "_row", "_spots")

    def __init__(self, spots: Spots, row: int, columns: Mapping[str, int], others: Mapping[str, Where]) -> None:
        self._spots, self._row, self._columns, self._others = spots, row, columns, others

    def __call__(self, index: int) -> Where:
        return self._spots.place(self._row, index + 1)

    def __getitem__(self, key: str) -> Where:
        return self(self._columns[key]) if key in self._columns else self._others[key]

    def __iter__(self) -> Iterator[str]:
        return chain(self._columns, (key for key in self._others if key not in self._columns))

    def __len__(self) -> int:
        return len(self._columns.keys() | self._others.keys())


@dataclass(frozen=True)
class Table:
    """A sheet with one request a row."""

    asking: Asking

    @cached_property
    def heads(self) -> tuple[int, ...]:
        """The rows of headings."""
        corner = self.asking.corner
        return tuple(row for row, line in enumerate(corner.sheet.rows, 1) if line[corner.column - 1] == HEAD)

    @property
    def first(self) -> int:
        """The row below the last one of headings."""
        return max([self.asking.corner.row, *self.heads]) + 1

    @cached_property
    def filled(self) -> Sequence[int]:
        """The rows in which anything was written or is wrong. A receipt alone is no request."""
        text_of = _picked([at - 1 for at, key in self.asking.columns if key != RESPONSE])
        special, first = self._special, self.first
        return [
            row
            for row, line in enumerate(self.asking.corner.sheet.rows[first - 1 :], first)
            if "".join(text_of(line)).strip() or (special[row] and self._holds(row))
        ]

    def _holds(self, row: int) -> bool:
        return any(self.asking.cell(key, row, at).holds for at, key in self.asking.columns if key != RESPONSE)

    def requests(self, blank: Answers, form: Form) -> Iterator[Read]:
        """One Read for each filled row. ``blank`` is what all of them have in common."""
        keys = {key: at - 1 for at, key in self.asking.columns}
        asked = {key: at for key, at in keys.items() if key not in AROUND}
        same = len(keys) < len(self.asking.columns)
        careful = same or any(self.asking.hides(0, at) for at, _ in self.asking.columns)
        for row in self.filled:
            where = self.asking.spots.row_place(row)
            if careful or self._special[row]:
                cells = (self.asking.cell(key, row, at) for at, key in self.asking.columns)
                yield request(cells, replace(blank, where=where), form)
            else:
                yield _plain(self.asking, row, where, keys, asked, blank)

    def told_apart(self, reads: Iterable[Read], form: Form) -> Iterator[Read]:
        """The requests, with one Problem instead of all others for each row that is none."""
        keys = {key: at - 1 for at, key in self.asking.columns}
        required = {keys[key]: one for key, one in form.by_key.items() if key in keys and _must_be_answered(one)}
        sure = required and len(keys) == len(self.asking.columns)
        for row, one in zip(self.filled, reads, strict=True):
            mark = self._mark(row) if sure and self._asks_nothing(row, required) else ""
            yield replace(one, problems=(_no_request(one, mark),)) if mark else one

    def _asks_nothing(self, row: int, required: Mapping[int, Question]) -> bool:
        """Whether not a single answer that is required stands in a row."""
        line = self.asking.corner.sheet.rows[row - 1]
        if any(_may_answer(line[at], question) for at, question in required.items()):
            return False
        return not (self._special[row] and any(self.asking.cell("", row, at + 1).code for at in required))

    def _mark(self, row: int) -> Fact:
        """By what a row is known to be a sum, or to repeat what stands above; nothing where somebody may only have forgotten the rest."""
        columns = [at for at, key in self.asking.columns if key != RESPONSE]
        texts = {at: text for at in columns if (text := self.asking.text(row, at).strip())}
        mark = next((text for text in texts.values() if _spelled(text) in NO_ANSWERS), "")
        typed = any((row, at) not in self.asking.corner.sheet.facts.formulas for at in texts)
        return shown(mark) if mark or typed else both("a_formula")

    @cached_property
    def _special(self) -> bytearray:
        """By row: whether some answer cell may be other than plain text."""
        sheet, columns = self.asking.corner.sheet, {at for at, _ in self.asking.columns}
        found, last = bytearray(len(sheet.rows) + 2), len(sheet.rows)
        cells = chain(sheet.facts.formulas, sheet.facts.errors, self.asking.merged, self.asking.computed)
        hidden = (row for row in sheet.facts.hidden_rows if not self.asking.is_filtered(row))
        for row in chain((row for row, column in cells if column in columns), hidden):
            if row <= last:
                found[row] = 1
        return found


def _must_be_answered(question: Question) -> bool:
    return question.required and not question.conditions


@lru_cache(4096)
def _spelled(text: str) -> str:
    return "" if is_blank(text) else clean(text).casefold()


def _may_answer(text: str, question: Question) -> bool:
    """A sum may be the choice, or the text, that is asked for; who repeats a text by a mark has not written it."""
    said = _spelled(text)
    if question.choices and said in NO_ANSWERS:
        return not isinstance(read(question, text), Misread)
    return bool(said) and said not in (REPEATS if question.widget == "text" else NO_ANSWERS)


def _no_request(row: Read, mark: Fact) -> Problem:
    return Problem("no_request", row.answers.where, facts={"text": mark})


def _picked(indexes: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """A function that takes these out of a row."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    return lambda line: [line[index] for index in indexes]


def _plain(
    asking: Asking, row: int, where: Where, keys: Mapping[str, int], asked: Mapping[str, int], blank: Answers
) -> Read:
    """A row of plain text. ``keys`` says where in the row each answer stands, ``asked`` leaves out what stands around them."""
    line, place = asking.corner.sheet.rows[row - 1], RowPlaces(asking.spots, row, keys, blank.places)
    mark = receipt(line[keys[RESPONSE]]) if RESPONSE in keys else EMPTY
    answers = Answers(
        kind=blank.kind,
        where=where,
        given=Row(asked, line, place),
        language=blank.language,
        version=blank.version,
        fingerprint=blank.fingerprint,
        sender=_said(line, SENDER, keys, place),
        again=_said(line, AGAIN, keys, place),
        response=mark.id,
        places=place,
    )
    return Read(answers, (wrong(mark, place[RESPONSE]),) if mark.damaged else ())


def _said(line: Sequence[str], key: str, keys: Mapping[str, int], place: RowPlaces) -> Located[str] | None:
    text = line[keys[key]].strip() if key in keys else ""
    return Located(text, place[key]) if text else None
