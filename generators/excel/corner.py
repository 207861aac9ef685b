"""Sheets that ask or tell: where their corner stands, which keys they hold, and whether a template has lost some of its keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generators.excel import AGAIN, ANSWER, FORM, SENDER, TABLE, TEMPLATE
from generators.excel.sheet import Sheet
from schema import words
from schema.question import Form

CORNERS = (FORM, TABLE, TEMPLATE)


@dataclass(frozen=True, slots=True)
class Corner:
    """A sheet that asks or tells, and where the mark stands that makes it one."""

    sheet: Sheet
    mark: str
    row: int
    column: int

    @property
    def keys(self) -> frozenset[str]:
        """What stands below a form's corner, or beside a table's."""
        rows = self.sheet.rows
        return frozenset(
            rows[self.row - 1] if self.mark == TABLE else (line[self.column - 1] for line in rows[self.row :])
        )

    @property
    def has_answers(self) -> bool:
        """Whether a column of a form is marked as its answers."""
        return ANSWER in self.sheet.rows[self.row - 1]


def corner_of(sheet: Sheet) -> Corner | None:
    """The first cell of a sheet that holds one of our marks."""
    for row, line in enumerate(sheet.rows, 1):
        mark = next((one for one in CORNERS if one in line), "")
        if mark:
            return Corner(sheet, mark, row, line.index(mark) + 1)
    return None


def in_order(forms: Sequence[Corner], form: Form) -> list[Corner]:
    """The sheets of the form layout as the template has them, wherever a person moved them."""
    places = {key: place for place, key in enumerate(_titles(form))}
    return sorted(forms, key=lambda one: min((places[key] for key in one.keys if key in places), default=len(places)))


def lost(sheets: Sequence[Sheet], asking: Sequence[Corner], form: Form, language: str) -> str | None:
    """The name of the sheet that lost keys, "" where nobody can tell which; None where every question still has its key.

    A sheet that was deleted as a whole counts too, even if only answers stood there that may be left empty: it looks the same as
    one that lost its keys and got another name, and what was answered there must not silently become the default.
    """
    asked, tables = _titles(form), [one for one in asking if one.mark == TABLE]
    forms = [one for one in asking if one.mark == FORM]
    torn = next((one.sheet.name for one in forms if not one.has_answers), None)
    if torn is None and (forms or not tables):
        kept = frozenset().union(*(one.keys for one in forms))
        gone = next((key for key in asked if key not in kept), None)
        if gone is not None:
            return _sheet_of(asked, asked[gone], sheets, forms, language)
    return next((one.sheet.name for one in tables if not asked.keys() <= one.keys), torn)


def lost_keys(asking: Sequence[Corner], form: Form) -> tuple[str, ...]:
    """The keys that some table lacks, or else all sheets of the form layout together, in the order of the questions."""
    forms = [one.keys for one in asking if one.mark == FORM]
    held = [one.keys for one in asking if one.mark == TABLE] + ([frozenset().union(*forms)] if forms else [])
    return next((gone for keys in held if (gone := tuple(key for key in _titles(form) if key not in keys))), ())


def page_of(key: str, form: Form) -> str:
    """The fixed text that is the title of the form layout's sheet with this key."""
    return _titles(form)[key]


def _titles(form: Form) -> dict[str, str]:
    """Every key in the order of the form layout's sheets, with the fixed text that is the title of its sheet."""
    first = (SENDER, *(one.key for one in form.questions if one.is_first), AGAIN)
    return dict.fromkeys(first, "excel_sheet_form") | {
        one.key: "excel_sheet_details" for one in form.questions if not one.is_first
    }


def _sheet_of(
    asked: Mapping[str, str], title: str, sheets: Sequence[Sheet], forms: Sequence[Corner], language: str
) -> str:
    """The sheet that has other keys of the same page, or has the page's title; "" where neither is there."""
    beside = frozenset(key for key, one in asked.items() if one == title)
    named = words.text(title, language)
    holding = [one.sheet.name for one in forms if one.keys & beside]
    return next(iter([*holding, *(one.name for one in sheets if one.name == named)]), "")
