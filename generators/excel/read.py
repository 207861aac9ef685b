"""A filled workbook → Answers, every value at its cell. Answers are joined by the keys in the hidden cells, never by position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from generators import Read
from generators.excel import AGAIN, ANSWER, FORM, HEAD, SENDER, TABLE, TEMPLATE
from generators.excel.cells import Sheet, read_cells
from generators.excel.corner import Corner, corner_of, in_order, lost
from generators.excel.refusal import Refusal
from generators.excel.spelling import both, letters
from schema.answers import Answers, Given, Located, Where
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import Form
from schema.words import FALLBACK, Fact, Words, languages


@dataclass(frozen=True, slots=True)
class _Cell:
    """An answer cell: its key and text, where it stands, and what the door finds wrong with it."""

    key: str
    text: str
    where: Where
    code: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return bool(self.code or self.text.strip())


def read(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """Every request of a workbook in either layout, and what is wrong with the file as a whole.

    A request with a Problem of the door (a formula, an error of Excel's, an answer twice or hidden) is returned too, so that
    ``check`` can find the rest: the faulty answer is absent from ``given`` and its cell stands in ``places``. Its reader must refuse
    it, and leave out what ``check`` says of a place that has a Problem here. ``name`` only names the file in places.
    """
    file = Where(name)
    sheets = read_cells(data)
    if isinstance(sheets, Refusal):
        return [], [Problem(sheets.code, file.at(sheets.spot), "", sheets.facts)]
    corners = [corner for sheet in sheets if (corner := corner_of(sheet))]
    about = next((_about(one, file) for one in corners if one.mark == TEMPLATE), {})
    asking = [one for one in corners if one.mark != TEMPLATE]
    problem = _unusable(about, file, kinds)
    if problem:
        return [], [problem]
    blank, form = _blank(about, file), kinds[about["kind"].value].form
    where_lost = lost(sheets, asking, form, blank.language)
    if where_lost is not None:
        return [], [_damaged(file, where_lost)]
    found = list(_requests(asking, blank, form))
    return found, [] if found else [Problem("no_answers", file.at(asking[0].sheet.name))]


def _about(corner: Corner, file: Where) -> dict[str, Located[str]]:
    """Kind, version, fingerprint, layout and language, as the template's own sheet tells them."""
    found = {}
    for row, line in enumerate(corner.sheet.rows[corner.row :], corner.row + 1):
        name, value = (*line[corner.column - 1 :], "", "")[:2]
        found[name] = Located(value, _place(file, corner.sheet, row, corner.column + 1))
    return found


def _unusable(about: Mapping[str, Located[str]], file: Where, kinds: Mapping[str, Kind]) -> Problem | None:
    """Why no answers can be read: no template of ours, of an unknown kind, or of another version."""
    kind, version = about.get("kind"), about.get("version")
    if not (kind and kind.value and version and version.value.isascii() and version.value.isdigit()):
        return Problem("not_a_template", file)
    if kind.value not in kinds:
        return Problem("unknown_kind", kind.where, "kind", {"kind": shown(kind.value)}, nearest(kind.value, kinds))
    current = kinds[kind.value].form.version
    if int(version.value[:9]) == current:
        return None
    code = "old_template" if int(version.value[:9]) < current else "newer_template"
    return Problem(code, version.where, "version", {"version": shown(version.value), "current": str(current)})


def _damaged(file: Where, sheet: str) -> Problem:
    name = Words(f"the sheet “{shown(sheet)}”", ja=f"シート「{shown(sheet)}」")
    return Problem(
        "damaged_template", file.at(sheet), facts={"sheet": name if sheet else Words("the workbook", ja="ブック")}
    )


def _blank(about: Mapping[str, Located[str]], file: Where) -> Answers:
    """Answers without answers: what all requests of a file have in common."""
    language = about["language"].value if "language" in about else FALLBACK
    return Answers(
        kind=about["kind"].value,
        where=file,
        given={},
        language=language if language in languages() else FALLBACK,
        version=int(about["version"].value),
        fingerprint=about["fingerprint"].value if "fingerprint" in about else "",
        places={name: about[name].where for name in ("kind", "version")},
    )


def _requests(asking: Sequence[Corner], blank: Answers, form: Form) -> Iterator[Read]:
    """The sheets of the form layout are one request together; every row of a table is one."""
    forms = in_order([one for one in asking if one.mark == FORM], form)
    cells = [cell for corner in forms for cell in _form_cells(corner, blank.where)]
    if any(one.holds for one in cells):
        yield _request(cells, replace(blank, where=blank.where.at(forms[0].sheet.name)), form)
    for corner in (one for one in asking if one.mark == TABLE):
        for row, cells in _table_rows(corner, blank.where):
            if any(one.holds for one in cells):
                spot = f"{corner.sheet.name}!{row}"
                yield _request(cells, replace(blank, where=blank.where.at(spot)), form)


def _form_cells(corner: Corner, file: Where) -> Iterator[_Cell]:
    """Answers stand where the row of a key meets the column of the mark ANSWER."""
    column = corner.sheet.rows[corner.row - 1].index(ANSWER) + 1
    for row, line in enumerate(corner.sheet.rows[corner.row :], corner.row + 1):
        key = line[corner.column - 1]
        if key:
            yield _cell(key, corner.sheet, row, column, file)


def _table_rows(corner: Corner, file: Where) -> Iterator[tuple[int, list[_Cell]]]:
    """Requests stand below the last row of headings, each answer in the column of its key."""
    rows = corner.sheet.rows
    columns = [(at, key) for at, key in enumerate(rows[corner.row - 1], 1) if key and at != corner.column]
    heads = [row for row, line in enumerate(rows, 1) if line[corner.column - 1] == HEAD]
    for row in range(max([corner.row, *heads]) + 1, len(rows) + 1):
        yield row, [_cell(key, corner.sheet, row, column, file) for column, key in columns]


def _cell(key: str, sheet: Sheet, row: int, column: int, file: Where) -> _Cell:
    text, where = sheet.rows[row - 1][column - 1], _place(file, sheet, row, column)
    if sheet.facts.has_formula(row, column):
        return _Cell(key, "", where, "formula")
    if (row, column) in sheet.facts.errors:
        return _Cell(key, "", where, "cell_error", {"error": shown(sheet.facts.errors[row, column])})
    if text.strip() and (sheet.hidden or sheet.facts.hides(row, column)):
        return _Cell(key, "", where, "hidden_answer")
    return _Cell(key, text, where)


def _place(file: Where, sheet: Sheet, row: int, column: int) -> Where:
    return file.at(f"{sheet.name}!{letters(column)}{row}")


def _request(cells: Iterable[_Cell], blank: Answers, form: Form) -> Read:
    chosen: dict[str, _Cell] = {}
    faulty: list[_Cell] = []
    for cell in cells:
        before = chosen.get(cell.key)
        if before and before.holds:
            twice = replace(cell, code="answered_twice", facts={"other": shown(before.where.spot)})
            faulty += [twice] if cell.holds else []
            continue
        faulty += [cell] if cell.code else []
        chosen[cell.key] = cell if before is None or cell.holds else before
    given: dict[str, Located[Given]] = {
        key: Located(one.text, one.where) for key, one in chosen.items() if not one.code and key not in (SENDER, AGAIN)
    }
    answers = replace(
        blank,
        given=given,
        sender=_around(chosen.get(SENDER)),
        again=_around(chosen.get(AGAIN)),
        places={**blank.places, **{key: one.where for key, one in chosen.items()}},
    )
    return Read(answers, tuple(_problem(one, form) for one in faulty))


def _around(cell: _Cell | None) -> Located[str] | None:
    return Located(cell.text.strip(), cell.where) if cell and cell.text.strip() else None


def _problem(cell: _Cell, form: Form) -> Problem:
    return Problem(cell.code, cell.where, cell.key, {"label": _label(cell.key, form), **cell.facts})


def _label(key: str, form: Form) -> Words:
    if key in (SENDER, AGAIN):
        return both(f"excel_{key.rpartition('.')[2]}")
    question = form.by_key.get(key)
    return question.label if question else Words(shown(key))
