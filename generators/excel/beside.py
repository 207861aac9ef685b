"""Text outside the answer cells: answers typed over a label or beside their cell, labels that were moved without their keys."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from generators.excel import RESPONSE, SENDER
from generators.excel.answer_cell import Asking, keyed_rows, label_of
from generators.excel.entry import Entry, entries, wording
from generators.excel.receipt import receipt
from generators.excel.remarks import more
from generators.excel.table import Table
from schema import words
from schema.problem import Problem, shown
from schema.question import Form
from schema.text import Misread, read
from schema.words import Fact

Stray = tuple[int, int, str]
"""Row, column and the text there."""
BEHIND_LABELS = " \n　:：=＝→"
"""What people write between a label and their answer."""


@dataclass(frozen=True, slots=True)
class Outside:
    """``moved``: labels over the wrong keys, so that no answer can be trusted. ``problems``: answers that would be lost."""

    moved: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def found(forms: Sequence[Asking], tables: Sequence[Table], form: Form, language: str, told: str) -> Outside:
    """What stands outside the answer cells of the sheets that ask, made from a template of today's questions in this language.

    ``told`` is the wording that the template has, as it says itself. Where it is not today's, or not known, a strange text may be one
    of the template's own: then only what is surely an answer or another question's label is told."""
    texts, empty = _Texts(form, language, told), all(map(_is_empty, forms))
    said = [
        *(two for one in forms for two in _form(one, texts, empty)),
        *(two for one in tables for two in _table(one, texts)),
    ]
    by_code = defaultdict(list)
    for one in said:
        by_code[one.code].append(one)
    moved, beside, above = (by_code.pop(code, []) for code in ("labels_moved", "answer_beside", "answer_above"))
    return Outside(tuple(moved), (*beside, *above), tuple(one for group in by_code.values() for one in group))


@dataclass(frozen=True)
class _Texts:
    """What the template itself writes, compared without regard to white space and width."""

    form: Form
    language: str
    told: str

    @cached_property
    def known(self) -> bool:
        """Whether all that the template itself says is known."""
        return self.told == wording(self.entries)

    @cached_property
    def entries(self) -> Sequence[Entry]:
        return entries(self.form, self.language)

    @cached_property
    def labels(self) -> Mapping[str, frozenset[str]]:
        """Keys by label."""
        found: dict[str, frozenset[str]] = {}
        for one in self.form.questions:
            label = _plain(one.label.say(self.language))
            found[label] = found.get(label, frozenset()) | {one.key}
        return found

    @cached_property
    def beside(self) -> Mapping[str, frozenset[str]]:
        """The texts in the row of each key, as the form layout has them, and by "" those of the other rows: who reads a table does
        not wait for its import."""
        from generators.excel import form_page

        found: dict[str, frozenset[str]] = {}
        for page in form_page.pages(self.form, self.entries, {}, self.language):
            keys = {row: str(cell.value) for (row, column), cell in page.cells.items() if column == form_page.KEY}
            for (row, _), cell in page.cells.items():
                key = keys.get(row, "")
                found[key] = found.get(key, frozenset()) | {_plain(_said(cell.value))}
        return found

    def strange(self, key: str, text: str) -> str:
        """What of a text in the row of this key is not the template's own, in today's wording or around today's label and help: all
        of it, what was typed behind the label, or ""."""
        if _plain(text) in self.beside.get(key, ()):
            return ""
        question = self.form.by_key.get(key)
        label = question.label.say(self.language) if question else ""
        if label and self.known and text.strip().startswith(label):
            mark = words.text("excel_required", self.language)
            return text.strip().removeprefix(label).replace(mark, "").strip(BEHIND_LABELS)
        return "" if self.is_about(key, text) else text

    def is_about(self, key: str, text: str) -> bool:
        """Whether this says today's label or help of this key."""
        question = self.form.by_key.get(key)
        if question is None:
            return key != SENDER or "@" not in text
        return _plain(question.help.say(self.language)) in _plain(text) or self.is_label(key, text)

    def is_label(self, key: str, text: str) -> bool:
        question = self.form.by_key.get(key)
        return question is not None and _plain(text).startswith(_plain(question.label.say(self.language)))

    def of_another(self, key: str, text: str) -> str:
        """The key of another question whose label this is, with its unit and mark if they are there."""
        mark = words.text("excel_required", self.language)
        plain = _plain(text.partition("\n")[0].replace(mark, ""))
        for label, keys in self.labels.items():
            units = [self.form.by_key[one].unit for one in keys]
            brackets = [words.text("in_brackets", self.language, text=one.say(self.language)) for one in units if one]
            if key not in keys and plain in (label, *(_plain(label + one) for one in brackets)):
                return min(keys)
        return ""


def _said(value: object) -> str:
    return "".join(run.text for run in value) if isinstance(value, tuple) else str(value or "")


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _is_empty(asking: Asking) -> bool:
    column = asking.columns[0][0]
    return not any(asking.text(row, column).strip() for row, key in keyed_rows(asking.corner) if key != RESPONSE)


def _form(asking: Asking, texts: _Texts, empty: bool) -> Iterator[Problem]:
    """Each text beside an empty answer cell. Where most rows differ in a column, it is another wording or a column of one's own, but
    for answers to a form that is ``empty`` but for them."""
    rows = {row: key for row, key in keyed_rows(asking.corner) if key != RESPONSE}
    columns: dict[int, list[Stray]] = defaultdict(list)
    for row, column, text in _beside(asking, rows):
        if strange := texts.strange(rows[row], text):
            columns[column].append((row, column, strange))
    for strays in columns.values():
        found = [problem for one in strays for problem in _one_beside(asking, rows[one[0]], one, texts)]
        answers = [one for one in found if one.code == "answer_beside"] if empty else []
        if len(strays) <= len(rows) / 2:
            yield from found
        elif answers or texts.known:
            yield from answers or [_elsewhere(asking, strays)]
    yield from _receipt(asking)
    others = [*_between(asking, texts), *_strays(asking, max(rows, default=0) + 1)]
    others = [one for one in others if one[1] != asking.corner.column]
    yield from [_elsewhere(asking, others)] if others else []


def _receipt(asking: Asking) -> Iterator[Problem]:
    """A text in the receipt's cell that is no id."""
    column = asking.columns[0][0]
    for row, key in keyed_rows(asking.corner):
        text = asking.text(row, column)
        if key == RESPONSE and receipt(text).words:
            yield Problem("text_in_receipt", asking.place(row, column), RESPONSE, {"text": shown(text)})


def _between(asking: Asking, texts: _Texts) -> Iterator[Stray]:
    """The strange texts in rows without a key, from the first row with one to the last."""
    keyed = [row for row, _ in keyed_rows(asking.corner)]
    for row in sorted({*range(min(keyed, default=0), max(keyed, default=0))} - {*keyed}) if texts.known else ():
        yield from (one for one in _line(asking, row) if _plain(one[2]) not in texts.beside[""])


def _beside(asking: Asking, rows: Mapping[int, str]) -> Iterator[Stray]:
    """The texts in the rows of the questions, without the keys and the answers."""
    skipped = (asking.corner.column, asking.columns[0][0])
    for row in rows:
        yield from (one for one in _line(asking, row) if one[1] not in skipped)


def _strays(asking: Asking, first: int) -> list[Stray]:
    return [one for row in range(first, len(asking.corner.sheet.rows) + 1) for one in _line(asking, row)]


def _line(asking: Asking, row: int) -> Iterator[Stray]:
    formulas = asking.corner.sheet.facts.formulas
    for column, text in enumerate(asking.corner.sheet.rows[row - 1], 1):
        if text and text.strip() and (row, column) not in formulas:
            yield row, column, text


def _one_beside(asking: Asking, key: str, stray: Stray, texts: _Texts) -> Iterator[Problem]:
    row, column, text = stray
    answer = asking.columns[0][0]
    other = texts.of_another(key, text)
    facts: dict[str, Fact] = {
        "label": label_of(key, texts.form),
        "text": shown(text),
        "cell": shown(asking.spot(row, answer)),
    }
    if other:
        facts["other"] = label_of(other, texts.form)
        yield Problem("labels_moved", asking.place(row, column), key, facts)
    elif not asking.text(row, answer).strip():
        sure = _answers(texts.form, key, text)
        if sure or texts.known:
            yield Problem("answer_beside" if sure else "text_beside", asking.place(row, column), key, facts)


def _answers(form: Form, key: str, text: str) -> bool:
    """Whether this is surely an answer: a number, a choice, a name, other than the default, which stands beside anyway."""
    question = form.by_key.get(key)
    if question is None or question.widget == "text":
        return False
    value = read(question, text)
    return value is not None and not isinstance(value, Misread) and value != question.default


def _elsewhere(asking: Asking, strays: Sequence[Stray]) -> Problem:
    row, column, text = strays[0]
    return Problem(
        "text_elsewhere", asking.place(row, column), "", {"text": shown(text), "more": more("more_cells", strays)}
    )


def _table(table: Table, texts: _Texts) -> Iterator[Problem]:
    yield from _headings(table, texts)
    yield from _above(table, texts)
    asking, corner = table.asking, table.asking.corner
    keys, below = corner.sheet.rows[corner.row - 1], range(table.first, len(corner.sheet.rows) + 1)
    for column in (at for at, key in enumerate(keys, 1) if not key and at != corner.column):
        strays = [(row, column, text) for row in below if (text := asking.text(row, column).strip())]
        yield from [_elsewhere(asking, strays)] if strays else []


def _headings(table: Table, texts: _Texts) -> Iterator[Problem]:
    """Headings that say another thing than the key above them."""
    asking, row = table.asking, next(iter(table.heads), 0)
    for column, key in asking.columns if row else ():
        text = asking.text(row, column)
        if not text.strip() or key not in texts.form.by_key or texts.is_label(key, text):
            continue
        facts: dict[str, Fact] = {"label": label_of(key, texts.form), "text": shown(text)}
        other = texts.of_another(key, text)
        if other:
            yield Problem(
                "labels_moved", asking.place(row, column), key, {**facts, "other": label_of(other, texts.form)}
            )
        elif texts.known and any(asking.text(one, column).strip() for one in table.filled):
            yield Problem("renamed_heading", asking.place(row, column), key, facts)


def _above(table: Table, texts: _Texts) -> Iterator[Problem]:
    """Answers between the keys and the first request: over the help, in a row that was put in, or over the headings of an empty table."""
    asking, heading = table.asking, next(iter(table.heads), 0)
    rows = [row for row in range(asking.corner.row + 1, table.first) if row != heading or not table.filled]
    strays = [
        (row, column, text, key)
        for row in rows
        for column, key in asking.columns
        if (text := asking.text(row, column).strip()) and key != RESPONSE and not texts.is_about(key, text)
    ]
    answers = [one for one in strays if one[3] == SENDER or _answers(texts.form, one[3], one[2])]
    if answers:
        row, column, text, key = answers[0]
        facts: dict[str, Fact] = {
            "label": label_of(key, texts.form),
            "text": shown(text),
            "row": str(table.first),
            "more": more("more_cells", answers),
        }
        yield Problem("answer_above", asking.place(row, column), key, facts)
    elif strays and texts.known:
        yield _elsewhere(asking, [one[:3] for one in strays])
