"""What cannot go back as it came, as a marked workbook: a fresh template with their answers in it, for CSV, YAML and old versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from generators.excel import AGAIN, FORM, HEAD, RESPONSE, SENDER, TABLE, Layout
from generators.excel.annotate import Verdict, annotate
from generators.excel.answer_cell import Asking, keyed_rows
from generators.excel.cells import read_cells
from generators.excel.corner import corner_of
from generators.excel.refusal import Refusal
from generators.excel.template import Filled, write
from schema.answers import Answers, Where
from schema.problem import Problem
from schema.question import Form


def marked_template(
    form: Form,
    language: str,
    answers: Sequence[Answers],
    name: str,
    verdicts: Sequence[Verdict],
    problems: Sequence[Problem],
    warnings: Sequence[Problem] = (),
    layout: Layout = "table",
    filled: Sequence[Filled] = (),
) -> bytes:
    """A workbook of the kind with a request for each of ``answers``, marked as ``annotate`` marks one; the form layout holds one.

    ``filled`` is what stands in it, if it is not the answers as they were written. What cannot be understood stands in its cell
    as it was written. Places of the file that came in become the cells that hold the answers now, or would; what has none is
    said of its request. ``verdicts`` stand in the order of ``answers``.
    """
    data = write(form, language, layout, filled or [_filled(one, form) for one in answers])
    fresh = _Fresh(data, name, form, layout)
    places = [dict(fresh.places(number, one)) for number, one in enumerate(answers)]
    here = [fresh.moved(number, *pair) for number, pair in enumerate(zip(verdicts, places, strict=True))]
    moved = {old: new for some in places for old, new in some.items()}
    whole, said = (
        [replace(one, where=moved.get(one.where, one.where)) for one in some] for some in (problems, warnings)
    )
    marked = annotate(data, name, here, whole, language, said, form)
    if marked is None:
        raise ValueError("a template of ours cannot be marked")
    return marked


def _filled(answers: Answers, form: Form) -> Filled:
    values = {key: one.value for key, one in answers.given.items() if key in form.by_key or key in form.by_name}
    return Filled(
        {key: value for key, value in values.items() if value},
        answers.sender.value if answers.sender else "",
        answers.again.value if answers.again else "",
    )


@dataclass(frozen=True)
class _Fresh:
    """A template that was just filled, and where its answer cells are."""

    data: bytes
    name: str
    form: Form
    layout: Layout

    @cached_property
    def _asking(self) -> list[Asking]:
        cells = read_cells(self.data)
        corners = [] if isinstance(cells, Refusal) else [corner_of(one) for one in cells]
        mark = FORM if self.layout == "form" else TABLE
        return [Asking(one, Where(self.name)) for one in corners if one and one.mark == mark]

    @cached_property
    def _keys(self) -> Mapping[str, tuple[Asking, int, int]]:
        """Where the first request has its answer to a key: row and column."""
        if self.layout == "table":
            (asking,) = self._asking
            return {key: (asking, self._first, column) for column, key in asking.columns}
        found: dict[str, tuple[Asking, int, int]] = {}
        for asking in self._asking:
            column = asking.columns[0][0]
            found |= {key: (asking, row, column) for row, key in keyed_rows(asking.corner)}
        return found

    @cached_property
    def _first(self) -> int:
        """The row of a table's first request."""
        corner = self._asking[0].corner
        return 1 + max(row for row, line in enumerate(corner.sheet.rows, 1) if line[corner.column - 1] in (TABLE, HEAD))

    def request(self, number: int) -> Where:
        asking = self._asking[0]
        return (
            asking.spots.row_place(self._first + number)
            if self.layout == "table"
            else Where(self.name, asking.corner.sheet.name)
        )

    def cell(self, number: int, key: str) -> Where | None:
        """Where a request has its answer to a question: of those that share a name, the one that is filled in."""
        same = [key] if key in self._keys else [one.key for one in self.form.by_name.get(key, ())]
        found = [(asking, row + number, column) for asking, row, column in map(self._keys.__getitem__, same)]
        held = [one for one in found if one[0].text(*one[1:])]
        return next((asking.place(row, column) for asking, row, column in (*held, *found)), None)

    def places(self, number: int, answers: Answers) -> Iterator[tuple[Where, Where]]:
        """Where each answer came from, and where it is now."""
        there: Mapping[str, Where] = {
            **answers.places,
            **{key: one.where for key, one in answers.given.items()},
            **({SENDER: answers.sender.where} if answers.sender else {}),
            **({AGAIN: answers.again.where} if answers.again else {}),
        }
        for key, where in there.items():
            if new := self.cell(number, key):
                yield where, new
        yield answers.where, self.request(number)

    def moved(self, number: int, verdict: Verdict, moved: Mapping[Where, Where]) -> Verdict:
        problems = tuple(self._moved(number, verdict.problems, moved))
        return replace(verdict, where=self.request(number), receipt=self.cell(number, RESPONSE), problems=problems)

    def _moved(self, number: int, problems: Iterable[Problem], moved: Mapping[Where, Where]) -> Iterator[Problem]:
        request = self.request(number)
        for one in problems:
            place = moved.get(one.where, request)
            own = self.cell(number, one.question) if place == request and one.question else None
            yield replace(one, where=own or place)
