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
            question = form.by_key[key]
            cell = self._cell(row, line, several, question, problems)
            if cell:
                found[key] = Located(given(question, cell.value, self.mark.dates), cell.where)
        own, number = self.headings.own, clean(line[self.headings.own[ID] - 1])
        email, again = (Located(line[own[name] - 1], self.spots.place(row, own[name])) for name in (EMAIL, AGAIN))
        where = self.spots.row_place(row)
        problems += self._wrong_number(number, self.spots.place(row, own[ID]))
        answers = blank(self.mark, number, email, again, where)
        first = {key: several[0] - 1 for key, several in columns.items()}
        others = {"kind": self.marked, "version": self.marked}
        return Read(replace(answers, given=found, places=RowPlaces(self.spots, row, first, others)), tuple(problems))

    def _wrong_number(self, number: str, where: Where) -> Iterator[Problem]:
        if not NUMBER.fullmatch(number):
            yield Problem("form_bad_id", where, "", {"text": shown(number)})
        elif number in self.numbers:
            yield Problem("form_same_id", where, "", {"id": number, "other": str(self.numbers[number])})
        else:
            self.numbers[number] = where

    def _cell(
        self, row: int, line: Sequence[str], several: Sequence[int], question: Question, problems: list[Problem]
    ) -> Located[str] | None:
        """What was answered in one of the columns of a question: who copies a question in Forms copies its tag."""
        facts, chosen = self.headings.sheet.facts, None
        for column in several:
            where, text = self.spots.place(row, column), line[column - 1]
            if (row, column) in facts.formulas or (row, column) in facts.errors:
                code = "formula" if (row, column) in facts.formulas else "cell_error"
                more: dict[str, Fact] = {"error": shown(facts.errors.get((row, column), ""))}
                problems.append(Problem(code, where, question.key, {"label": question.label, **more}))
            elif chosen and text.strip() and text != chosen.value:
                other: dict[str, Fact] = {"label": question.label, "other": shown(chosen.where.spot)}
                problems.append(Problem("answered_twice", where, question.key, other))
            elif text.strip() and not chosen:
                chosen = Located(text, where)
        return chosen
