"""Answers of an old sheet to questions that are not asked any more: the person hears of each, in the words of their own sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from generators import Read
from generators.excel import FORM, HEAD
from generators.excel.answer_cell import AROUND, Asking, keyed_rows
from schema.answers import Given
from schema.problem import Problem, shown
from schema.question import Form
from schema.text import is_blank

MARK = "＊"
"""What begins the words "required" behind a label."""
FAULTY = "…"
"""Stands for the text of an answer that cannot be read."""


def labels_of(asking: Iterable[Asking]) -> Mapping[str, str]:
    """What these sheets call each of their questions, by key."""
    return {
        key: label for one in asking for key, label in (_of_form(one) if one.corner.mark == FORM else _of_table(one))
    }


def _of_form(asking: Asking) -> Iterator[tuple[str, str]]:
    column, lines = asking.columns[0][0], asking.corner.sheet.rows
    for row, key in keyed_rows(asking.corner):
        before = lines[row - 1][asking.corner.column : column - 1]
        yield key, _label(next((one for one in before if one.strip()), key))


def _of_table(asking: Asking) -> Iterator[tuple[str, str]]:
    at = asking.corner.column - 1
    heads = (row for row, line in enumerate(asking.corner.sheet.rows, 1) if line[at] == HEAD)
    row = next(heads, asking.corner.row)
    for column, key in asking.columns:
        yield key, _label(asking.text(row, column) or key)


def _label(text: str) -> str:
    return shown(text.strip().split("\n")[0].partition(MARK)[0].strip())


def left_behind(read: Read, labels: Mapping[str, str], form: Form) -> Read:
    """The request without the answers that ``form`` does not ask, and a warning for each of those."""
    answers = read.answers
    known = {key: one for key, one in answers.given.items() if form.question(key)}
    gone = {key: one.value for key, one in answers.given.items() if key not in known and not _is_blank(one.value)}
    problems = tuple(one for one in read.problems if one.question in AROUND or form.question(one.question))
    gone |= {one.question: FAULTY for one in read.problems if one not in problems}
    warnings = (
        Problem(
            "not_carried_over",
            answers.where,
            facts={"label": labels.get(key, key), "text": _shown(text), "place": shown(answers.place(key).spot)},
        )
        for key, text in gone.items()
    )
    return Read(replace(answers, given=known), problems, (*read.warnings, *warnings))


def _is_blank(given: Given) -> bool:
    return is_blank(given) if isinstance(given, str) else not given


def _shown(given: Given) -> str:
    return shown(given if isinstance(given, str) else "; ".join(given))
