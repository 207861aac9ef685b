"""The workbook of responses that Microsoft Forms writes, downloaded or live → Answers, one response a row.

Columns are found by what stands in the brackets of their titles, wherever people move them and however they reword them; those of
Forms itself by their names in English or Japanese. A response is named by its form (``Mark.form``), its number there and who gave it.
A workbook has no identity that a copy keeps: its name, sheet, dates and order of rows all differ between two downloads, and times are
those of whoever downloads; but these three are the same in each copy, in the live workbook and in what a flow hands over, and an edited
response keeps them. A form made anew counts from 1 again: its responses are others because others gave them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from generators import Read
from generators.excel.answer_cell import Spots
from generators.excel.sheet import Sheet
from generators.excel.table import RowPlaces
from generators.microsoft import Mark
from generators.microsoft.given import NUMBER, blank, form_of, given
from generators.microsoft.headings import AGAIN, EMAIL, ID, Headings, found_in
from generators.microsoft.lacking import NOT_ASKED, lost, not_asked
from schema.answers import Given, Located, Where
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.question import Form, Question
from schema.text import clean
from schema.words import Fact


def answers_of(
    sheets: Sequence[Sheet], file: Where, kinds: Mapping[str, Kind]
) -> tuple[list[Read], list[Problem]] | None:
    """Every response, and what is wrong with the workbook as a whole; None where it holds no responses of Microsoft Forms."""
    headings = found_in(sheets)
    if headings is None:
        return None
    spots = Spots(file.file, headings.sheet.name)
    if headings.mark is None:
        return [], [Problem("form_without_mark", spots.row_place(headings.row))]
    table = _Table(headings, headings.mark, spots)
    form = form_of(headings.mark, table.marked, kinds)
    if isinstance(form, Problem):
        return [], [form]
    lacking = list(not_asked(headings, form, headings.mark, spots))
    wrong = [*lost(headings, spots), *(one for one in lacking if one.code == NOT_ASKED)]
    if wrong:
        return [], wrong
    reads, warnings = list(table.reads(form)), (*lacking, *table.strange(form))
    return [replace(one, warnings=warnings if number == 0 else ()) for number, one in enumerate(reads)], []


@dataclass
class _Table:
    """The rows below the headings. Rows and columns are counted from 1. ``numbers`` are those of the responses read so far."""

    headings: Headings
    mark: Mark
    spots: Spots
    numbers: dict[str, Where] = field(default_factory=dict)

    @property
    def marked(self) -> Where:
        return self.spots.place(self.headings.row, self.headings.own[AGAIN])

    def strange(self, form: Form) -> Iterator[Problem]:
        """Columns with a tag that no question has, if anything was answered there."""
        for column in self.headings.untold(form):
            rows = self.headings.sheet.rows[self.headings.row :]
            if any(line[column - 1].strip() for line in rows):
                text = shown(clean(self.headings.line[column - 1]))
                facts = {"text": text, "more": ""}
                yield Problem("text_elsewhere", self.spots.place(self.headings.row, column), "", facts)

    def reads(self, form: Form) -> Iterator[Read]:
        columns = self.headings.columns(form)
        rows = enumerate(self.headings.sheet.rows[self.headings.row :], self.headings.row + 1)
        for row, line in rows:
            if any(one.strip() for one in line):
                yield self._read(row, line, columns, form)

    def _read(self, row: int, line: Sequence[str], columns: Mapping[str, Sequence[int]], form: Form) -> Read:
        problems: list[Problem] = []
        found: dict[str, Located[Given]] = {}
        for key, several in columns.items():
            cell = self._cell(row, line, several, form.by_key[key], problems)
            if cell:
                found[key] = Located(given(form.by_key[key], cell.value, self.mark.dates), cell.where)
        number, email, again = (self._own(row, line, name, problems) for name in (ID, EMAIL, AGAIN))
        problems += self._wrong_number(number)
        answers = blank(self.mark, clean(number.value), email, again, self.spots.row_place(row))
        first = {key: several[0] - 1 for key, several in columns.items()}
        others = {"kind": self.marked, "version": self.marked}
        return Read(replace(answers, given=found, places=RowPlaces(self.spots, row, first, others)), tuple(problems))

    def _own(self, row: int, line: Sequence[str], name: str, problems: list[Problem]) -> Located[str]:
        column = self.headings.own[name]
        wrong = self._wrong_cell(row, column, "", shown(clean(self.headings.line[column - 1])))
        problems += [wrong] if wrong else []
        return Located("" if wrong else line[column - 1], self.spots.place(row, column))

    def _wrong_number(self, said: Located[str]) -> Iterator[Problem]:
        number = clean(said.value)
        if not NUMBER.fullmatch(number):
            yield Problem("form_bad_id", said.where, "", {"text": shown(number)})
        elif number in self.numbers:
            yield Problem("form_same_id", said.where, "", {"id": number, "other": str(self.numbers[number])})
        else:
            self.numbers[number] = said.where

    def _wrong_cell(self, row: int, column: int, key: str, label: Fact) -> Problem | None:
        """What people cannot have filled in a form."""
        facts, at = self.headings.sheet.facts, (row, column)
        if at in facts.formulas:
            return Problem("formula", self.spots.place(*at), key, {"label": label})
        if at in facts.errors:
            return Problem("cell_error", self.spots.place(*at), key, {"label": label, "error": shown(facts.errors[at])})
        return None

    def _cell(
        self, row: int, line: Sequence[str], several: Sequence[int], question: Question, problems: list[Problem]
    ) -> Located[str] | None:
        """What was answered in one of the columns of a question: who copies a question in Forms copies its tag."""
        chosen: Located[str] | None = None
        for column in several:
            text = line[column - 1]
            if wrong := self._wrong_cell(row, column, question.key, question.label):
                problems.append(wrong)
            elif text.strip() and chosen is None:
                chosen = Located(text, self.spots.place(row, column))
            elif text.strip() and chosen and text != chosen.value:
                twice: dict[str, Fact] = {"label": question.label, "other": shown(chosen.where.spot)}
                problems.append(Problem("answered_twice", self.spots.place(row, column), question.key, twice))
        return chosen
