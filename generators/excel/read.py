"""A filled workbook → Answers, every value at its cell. Answers are joined by the keys in the hidden cells, never by position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from generators import Read
from generators.excel import FORM, RESPONSE, SENDER, STATUS, TABLE, TEMPLATE, beside
from generators.excel.answer_cell import Asking, form_cells, keyed_rows, label_of, request
from generators.excel.cells import read_cells
from generators.excel.copies import once_for_each_copy, without_copies
from generators.excel.corner import Corner, corner_of, in_order, lost, lost_keys, page_of
from generators.excel.left_behind import labels_of, left_behind
from generators.excel.receipt import each_once
from generators.excel.refusal import Refusal, RefusedError, too_large
from generators.excel.remarks import remarks
from generators.excel.remnant import torn, unread
from generators.excel.sheet import Sheet
from generators.excel.table import Table
from schema.answers import Answers, Located, Where
from schema.history import form_at, template_facts, templates_there_are, unknown_kind
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.question import Form
from schema.words import FALLBACK, Fact, Words, both, languages, text

Cells = Callable[[bytes], tuple[Sheet, ...] | Refusal]
TOLD = ("kind", "version", "fingerprint", "language", "wording")
"""What the cell with STATUS says after it."""
MOST_ASKED = 2_000
"""Rows that the forms of a file may ask in together: what stands in each and beside it may be a Problem."""
MOST_NAMED = 3
"""Questions that a message names, of those that a template lost."""


def read(
    data: bytes, name: str, kinds: Mapping[str, Kind], cells: Cells = read_cells
) -> tuple[list[Read], list[Problem]]:
    """Every request of a workbook in either layout, and what is wrong with the file as a whole.

    A request with a Problem of the door (a formula, an error of Excel's, an answer twice or hidden) is returned too, so that
    ``check`` can find the rest: the faulty answer is absent from ``given`` and its cell stands in ``places``. Its reader must refuse
    it, and leave out what ``check`` says of a place that has a Problem here, and all that it says of a row with ``no_request``. ``name``
    only names the file in places.
    """
    file = Where(name)
    sheets = cells(data)
    if isinstance(sheets, Refusal):
        return [], [_refusal(sheets, file)]
    return answers_of(sheets, file, kinds)


def answers_of(sheets: Sequence[Sheet], file: Where, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """As ``read``, from the cells of a file."""
    try:
        return _answers(sheets, file, kinds)
    except RefusedError as refused:
        return [], [_refusal(refused.refusal, file)]


def _refusal(refusal: Refusal, file: Where) -> Problem:
    return Problem(refusal.code, file.at(refusal.spot), "", refusal.facts)


def _answers(sheets: Sequence[Sheet], file: Where, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    corners = [corner for sheet in sheets if (corner := corner_of(sheet))]
    asking = [one for one in corners if one.mark != TEMPLATE]
    about, problem = _told(corners, file)
    problem = problem or _unusable(about, file, kinds)
    if problem:
        return [], [problem]
    blank, form = _blank(about, file), _form(about, kinds)
    where_lost = lost(sheets, asking, form, blank.language)
    where_lost = torn(sheets, corners, form) if where_lost is None else where_lost
    if where_lost is not None:
        gone = lost_keys(asking, form)
        if not where_lost and all(one.mark != TABLE for one in asking):
            return [], [_without_sheet(file, page_of(next(iter(gone), SENDER), form), blank.language)]
        return [], [_damaged(file, where_lost, _named_in(form, gone))]
    wording = about["wording"].value if "wording" in about else ""
    return _read([Asking(one, file) for one in asking], unread(sheets, corners, form, file), blank, form, wording)


def _read(
    asking: Sequence[Asking], warnings: Sequence[Problem], blank: Answers, form: Form, wording: str
) -> tuple[list[Read], list[Problem]]:
    forms = _of_bounded_size([one for one in asking if one.corner.mark == FORM])
    tables = [Table(one) for one in asking if one.corner.mark == TABLE]
    current = blank.version == form.version and blank.fingerprint in ("", form.fingerprint)
    outside = beside.found(forms, tables, form, blank.language, wording) if current else beside.Outside()
    if outside.moved:
        return [], list(outside.moved)
    rows = without_copies([list(one.told_apart(one.requests(blank, form), form)) for one in tables])
    found = list(each_once(chain(_of_forms(forms, blank, form), rows)))
    said = (*warnings, *outside.warnings, *remarks(forms, tables, form))
    if not found:
        nothing = Problem("no_answers", asking[0].file.at(asking[0].corner.sheet.name))
        return [], [nothing, *outside.problems, *outside.warnings]
    problems = (*found[0].problems, *outside.problems)
    return [replace(found[0], problems=problems, warnings=said), *found[1:]], []


def beyond_history(sheets: Sequence[Sheet], name: str, kinds: Mapping[str, Kind]) -> list[Read]:
    """What was answered in a template that is older than its kind's history reaches; nothing in any other file. Nobody knows what
    changed since: what still has the same key can be carried over, to be looked at, and each answer that has none is a warning."""
    file, corners = Where(name), [corner for sheet in sheets if (corner := corner_of(sheet))]
    about, problem = _told(corners, file)
    problem = problem or _unusable(about, file, kinds)
    if problem is None or problem.code != "old_template":
        return []
    blank, form = _blank(about, file), kinds[about["kind"].value].form
    tables = [Table(Asking(one, file)) for one in corners if one.mark == TABLE]
    try:
        forms = _of_bounded_size([Asking(one, file) for one in corners if one.mark == FORM and one.has_answers])
        labels = labels_of((*forms, *(one.asking for one in tables)))
        rows = [row for one in tables for row in one.requests(blank, form)]
        return [left_behind(one, labels, form) for one in (*_of_forms(forms, blank, form), *rows)]
    except RefusedError:
        return []


def _told(corners: Sequence[Corner], file: Where) -> tuple[Mapping[str, Located[str]], Problem | None]:
    """Which template this is: the sheet that says so tells, or else the cells above the status of a table's rows."""
    told = next((_about(one, file) for one in corners if one.mark == TEMPLATE), None)
    beside_status = [found for one in corners if (found := _status(one, file))]
    if told is None and corners and not beside_status:
        name = corners[0].sheet.name
        return {}, Problem("template_sheet_missing", file.at(name), facts={"sheet": _named(name)})
    about = told if told is not None else next(iter(beside_status), {})
    for one in beside_status:
        if any(one[name].value != about[name].value for name in ("kind", "version") if name in one and name in about):
            return {}, Problem("mixed_templates", one["kind"].where)
    return about, None


def _about(corner: Corner, file: Where) -> dict[str, Located[str]]:
    """Kind, version, fingerprint, layout and language, as the template's own sheet tells them."""
    found = {}
    for row, line in enumerate(corner.sheet.rows[corner.row :], corner.row + 1):
        name, value = (*line[corner.column - 1 :], "", "")[:2]
        found[name] = Located(value, Asking(corner, file).place(row, corner.column + 1))
    return found


def _status(corner: Corner, file: Where) -> dict[str, Located[str]]:
    """What a table's own cell tells of its template; nothing where there is none."""
    line = corner.sheet.rows[corner.row - 1] if corner.mark == TABLE else ()
    at = next((column for column, key in enumerate(line, 1) if key.startswith(f"{STATUS} ")), 0)
    if not at:
        return {}
    where = Asking(corner, file).place(corner.row, at)
    told = zip(TOLD, line[at - 1].split()[1:], strict=False)
    return {"kind": Located("", where), **{name: Located(value, where) for name, value in told}}


def _unusable(about: Mapping[str, Located[str]], file: Where, kinds: Mapping[str, Kind]) -> Problem | None:
    """Why no answers can be read: no template of ours, of an unknown kind, or of another version."""
    kind, version = about.get("kind"), about.get("version")
    if not (kind and kind.value and version and version.value.isascii() and version.value.isdigit()):
        return Problem("not_a_template", file, facts=templates_there_are(one.form for one in kinds.values()))
    if kind.value not in kinds:
        return unknown_kind(kind.value, kind.where, {name: one.form for name, one in kinds.items()})
    current, given = kinds[kind.value], int(version.value[:9])
    if form_at(current.job, current.form, given):
        return None
    code = "old_template" if given < current.form.version else "newer_template"
    facts: dict[str, Fact] = {"version": shown(version.value), **template_facts(current.form)}
    return Problem(code, version.where, "version", facts)


def _form(about: Mapping[str, Located[str]], kinds: Mapping[str, Kind]) -> Form:
    """The questions as the template's own version asked them, by whose keys its answers are found."""
    kind = kinds[about["kind"].value]
    return form_at(kind.job, kind.form, int(about["version"].value[:9])) or kind.form


def _without_sheet(file: Where, title: str, language: str) -> Problem:
    return Problem("sheet_missing", file, facts={"sheet": text(title, language)})


def _damaged(file: Where, sheet: str, questions: Words) -> Problem:
    return Problem("damaged_template", file.at(sheet), facts={"sheet": _named(sheet), "questions": questions})


def _named_in(form: Form, lost: Sequence[str]) -> Words:
    """The questions whose column or row is gone, in brackets; nothing where they are too many to be told."""
    if not lost or len(lost) > MOST_NAMED:
        return Words("", ja="")
    labels = tuple(both("quoted", text=label_of(key, form)) for key in lost)
    return both("in_brackets", text=labels)


def _named(sheet: str) -> Words:
    return both("the_sheet", sheet=shown(sheet)) if sheet else both("the_workbook")


def _blank(about: Mapping[str, Located[str]], file: Where) -> Answers:
    """Answers without answers: what all requests of a file have in common."""
    language = about["language"].value if "language" in about else FALLBACK
    return Answers(
        kind=about["kind"].value,
        where=file,
        given={},
        language=language if language in languages() else FALLBACK,
        version=int(about["version"].value[:9]),
        fingerprint=about["fingerprint"].value if "fingerprint" in about else "",
        places={name: about[name].where for name in ("kind", "version")},
    )


def _of_bounded_size(forms: Sequence[Asking]) -> Sequence[Asking]:
    rows = 0
    for one in forms:
        rows += sum(1 for _ in keyed_rows(one.corner))
        if rows > MOST_ASKED:
            name = one.corner.sheet.name
            raise too_large(name, _named(name), both("rows", count=f"{MOST_ASKED:,}"))
    return forms


def _of_forms(forms: Sequence[Asking], blank: Answers, form: Form) -> list[Read]:
    """The sheets of the form layout are one request together."""
    sheets = {id(one.corner): one for one in forms}
    ordered = [sheets[id(one)] for one in in_order([one.corner for one in forms], form)]
    cells = [[cell for cell in form_cells(one) if cell.key != RESPONSE] for one in ordered]
    if not any(one.holds for one in chain(*cells)):
        return []
    names = [blank.where.at(one.corner.sheet.name) for one in ordered]
    found = request(chain(*map(form_cells, ordered)), replace(blank, where=names[0]), form)
    return [once_for_each_copy(found, cells, names)]
