"""The headings of a workbook of responses: which column is whose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from generators.excel.sheet import Sheet
from generators.microsoft import Mark, in_brackets, mark_in, tags_of
from schema.question import Form
from schema.text import clean

ID, EMAIL, AGAIN = "id", "email", "again"
COMPLETED = "completed"
OWN: Mapping[str, str] = {
    "id": ID,
    "start time": "started",
    "開始時刻": "started",
    "completion time": COMPLETED,
    "完了時刻": COMPLETED,
    "email": EMAIL,
    "メール": EMAIL,
    "name": "name",
    "名前": "name",
    "language": "language",
    "言語": "language",
    "last modified time": "modified",
    "最終変更時刻": "modified",
}
"""What Forms calls its own columns, in English and in Japanese. Those of a quiz hold the title of a question: ``Points - X``."""
QUIZ = re.compile(r"(points|feedback|点数|ポイント|フィードバック) - ", re.IGNORECASE)
TAG = re.compile(r"[a-z2-7]{4}|[a-z2-7]{10}")
LOOKED_AT = 20
"""Rows in which the headings are looked for: somebody may have put lines above them."""


@dataclass(frozen=True)
class Headings:
    """The row of headings of a sheet. Rows and columns are counted from 1."""

    sheet: Sheet
    row: int

    @property
    def line(self) -> Sequence[str]:
        return self.sheet.rows[self.row - 1]

    @cached_property
    def own(self) -> Mapping[str, int]:
        """The columns of Forms itself, the first of each name, and that of the mark under ``AGAIN``."""
        found: dict[str, int] = {}
        for column, title in self._titles():
            name = AGAIN if mark_in(title) else OWN.get(clean(title).casefold(), "")
            if name:
                found.setdefault(name, column)
        return found

    @cached_property
    def mark(self) -> Mark | None:
        """The mark of the form; None where no title has one."""
        return next((mark for _, title in self._titles() if (mark := mark_in(title))), None)

    def _titles(self) -> Iterator[tuple[int, str]]:
        """Every title, but for the columns of a quiz, whose titles end in that of a question in whatever language."""
        titles = [clean(one) for one in self.line]
        for column, title in enumerate(titles, 1):
            of_quiz = QUIZ.match(title) or any(title.endswith(f" - {one}") for one in titles if in_brackets(one))
            if title and not of_quiz:
                yield column, self.line[column - 1]

    @cached_property
    def tagged(self) -> Mapping[int, tuple[str, ...]]:
        """By column, what may be a tag in its title."""
        found = {column: tuple(filter(TAG.fullmatch, in_brackets(title))) for column, title in self._titles()}
        return {column: tags for column, tags in found.items() if tags and column != self.own.get(AGAIN)}

    def columns(self, form: Form) -> Mapping[str, Sequence[int]]:
        """The columns by question key: several where somebody copied the question."""
        keys = {tag: key for key, tag in tags_of(form).items()}
        found: dict[str, list[int]] = {}
        for column, tags in self.tagged.items():
            key = next((keys[tag] for tag in tags if tag in keys), "")
            if key:
                found.setdefault(key, []).append(column)
        return found

    def missing(self, form: Form) -> Mapping[str, str]:
        """The tags that no title has, by question key."""
        there = self.columns(form)
        return {key: tag for key, tag in tags_of(form).items() if key not in there}

    def untold(self, form: Form) -> list[int]:
        """The columns whose tag no question has."""
        known = {column for columns in self.columns(form).values() for column in columns}
        return [column for column in self.tagged if column not in known]


def found_in(sheets: Sequence[Sheet]) -> Headings | None:
    """The headings with a mark, or else those that only Forms writes; None where nothing looks like its responses."""
    rows = ((sheet, row) for sheet in sheets for row in range(1, min(len(sheet.rows), LOOKED_AT) + 1))
    found = [Headings(sheet, row) for sheet, row in rows if _is_ours(sheet.rows[row - 1])]
    whole = (one for one in found if {ID, EMAIL, COMPLETED} <= one.own.keys() and not one.sheet.hidden)
    return next((one for one in found if one.mark), None) or next(whole, None)


def _is_ours(line: Sequence[str]) -> bool:
    """Whether Forms has written this row: a table of ours has other headings."""
    names = {OWN.get(clean(one).casefold(), "") for one in line}
    return (bool(names & {ID, EMAIL}) and COMPLETED in names) or {ID, EMAIL} <= names
