"""What a sheet itself can tell of an answer, as Excel's formulas: whether it is asked, missing, wrong, or left to ``check``.

Nothing from a schema stands in a formula but numbers and names: words are looked up in the lists of the hidden sheet. Every
function here works in Excel 2016, in LibreOffice and in Google Sheets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from generators.excel.entry import Entry
from generators.excel.numbers import FIRST_DAY
from generators.excel.spelling import Value, number
from schema.job import IDENTIFIER, Choice
from schema.question import Condition, Form, Question
from schema.text import MOST_EXACT

DAY_ZERO = date(1899, 12, 30)
LAST_SERIAL = 2_958_465
MOST_WHOLE = MOST_EXACT - 2
"""Of a number in a formula Excel keeps 15 digits; this is the last one below ``MOST_EXACT`` that it keeps."""


class Finding(IntEnum):
    """What a sheet finds of one answer. From WRONG on it must be changed."""

    OFF = -1
    FINE = 0
    MISSING = 1
    UNSURE = 2
    WRONG = 3
    SWITCHED_OFF = 4
    NEEDS = 5
    ORDER = 6


Spelled = Mapping[Finding, str]
"""What a formula gives for each finding: its number, or its weight in a sum."""
NUMBERS: Spelled = {one: str(int(one)) for one in Finding}
FEW, MANY = "1E-3", "1E3"
WEIGHTS: Spelled = {
    one: "0" if one < 1 else {Finding.MISSING: "1", Finding.UNSURE: FEW}.get(one, MANY) for one in Finding
}


def if_(test: str, then: str, other: str) -> str:
    return then if then == other else f"IF({test},{then},{other})"


def any_of(tests: Iterable[str]) -> str:
    found = list(tests)
    return found[0] if len(found) == 1 else f"OR({','.join(found)})" if found else "FALSE"


def all_of(tests: Iterable[str]) -> str:
    found = list(tests)
    return found[0] if len(found) == 1 else f"AND({','.join(found)})" if found else "TRUE"


def literal(value: Value) -> str:
    """A value in a formula: text in quotes, with its own quotes doubled."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return number(value)
    doubled = str(value).replace('"', '""')
    return f'"{doubled}"'


def serial(iso: str) -> int:
    """The number by which Excel counts a day."""
    return (date.fromisoformat(iso) - DAY_ZERO).days


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answers of one request on a sheet: ``at`` says in which cell the answer to a question key stands."""

    form: Form
    entries: Mapping[str, Entry]
    at: Callable[[str], str]

    def finding(self, entry: Entry, spelled: Spelled) -> str:
        """The formula of what is to be said of one answer."""
        question = self.form.by_key.get(entry.key)
        if question is None or not question.conditions:
            return self.judged(entry, spelled)
        off, on, empty = self.fails(question), self.holds(question), self.is_empty(entry)
        unknown = spelled[Finding.UNSURE]
        idle = if_(self._open(question), spelled[Finding.OFF], unknown if question.required else spelled[Finding.FINE])
        waiting = if_(empty, idle, unknown)
        asked = if_(on, self.judged(entry, spelled), waiting)
        return if_(off, if_(empty, spelled[Finding.OFF], spelled[Finding.SWITCHED_OFF]), asked)

    def judged(self, entry: Entry, spelled: Spelled) -> str:
        """The formula for an answer that is asked."""
        question = self.form.by_key.get(entry.key)
        fine = spelled[Finding.FINE]
        blank = spelled[Finding.MISSING] if entry.required else fine
        if question is None:
            return if_(self.is_empty(entry), blank, _text(self.at(entry.key), 0, entry.longest, spelled))
        good = self.beside(question, spelled)
        blank = self.default_beside(question, spelled) if not entry.required else blank
        return if_(self.is_empty(entry), blank, Answer(self, question, entry, spelled, good).formula())

    def is_empty(self, entry: Entry) -> str:
        return f'ISNUMBER(FIND("|"&TRIM({self.at(entry.key)})&"|",{entry.nothing_name}))'

    def holds(self, question: Question) -> str:
        """Whether it is certain that a question is asked."""
        return all_of(self._holds(question, one) for one in question.conditions)

    def fails(self, question: Question) -> str:
        """Whether it is certain that it is not."""
        return any_of(self._fails(question, one) for one in question.conditions)

    def _open(self, question: Question) -> str:
        """Whether an answer that must be given, and decides, is still missing."""
        others = [self.form.deciding(question, one.on) for one in question.conditions]
        return any_of(f"LEN({self.at(one.key)})=0" for one in others if one.required)

    def _holds(self, question: Question, condition: Condition) -> str:
        other = self.form.deciding(question, condition.on)
        tests = [self.answer_is(other, value) for value in condition.values]
        if _default_is_in(other, condition.values):
            blank = f"LEN({self.at(other.key)})=0"
            tests.append(all_of([blank, self.holds(other)]) if other.conditions else blank)
        return any_of(tests)

    def _fails(self, question: Question, condition: Condition) -> str:
        other = self.form.deciding(question, condition.on)
        tests = [self.answered_otherwise(other, condition.values)]
        blank = f"LEN({self.at(other.key)})=0"
        if not other.follows and not other.required and not _default_is_in(other, condition.values):
            tests.append(blank)
        elif other.conditions and not other.follows:
            tests.append(all_of([blank, self.fails(other)]))
        return any_of(tests)

    def answer_is(self, question: Question, value: Value) -> str:
        """Whether a question has this answer, or has it among its answers."""
        cell, entry = self.at(question.key), self.entries[question.key]
        match question.widget:
            case "choice" | "yes_no":
                return f"{cell}={option(question, entry, value)}"
            case "many_choice":
                return f'ISNUMBER(FIND(";"&{option(question, entry, value)}&";",{_members(cell)}))'
            case "whole_number" | "number":
                return f"AND(ISNUMBER({cell}),{cell}={literal(value)})"
            case "text" if not question.limits.pattern:
                return f"EXACT(TRIM({cell}),{literal(value)})"
        return "FALSE"

    def answered_otherwise(self, question: Question, values: Sequence[Value]) -> str:
        """Whether it is certain that an answer was given, and none of these."""
        return f"AND({self._known(question)},NOT({any_of(self.answer_is(question, one) for one in values)}))"

    def _known(self, question: Question) -> str:
        cell, entry = self.at(question.key), self.entries[question.key]
        match question.widget:
            case "choice" | "yes_no":
                return f"SUMPRODUCT(--({entry.list_name}={cell}))>0"
            case "many_choice":
                return f"{_found(entry, cell)}={_count(cell)}"
            case "whole_number" | "number":
                return f"ISNUMBER({cell})"
            case "text" if not question.limits.pattern:
                return f"LEN(TRIM({cell}))>0"
        return "FALSE"

    def beside(self, question: Question, spelled: Spelled) -> str:
        """The formula for an answer that is good by itself: may it stand beside the others?"""
        good = spelled[Finding.FINE]
        order = self._out_of_order(question, None)
        if order:
            good = if_(order, spelled[Finding.ORDER], good)
        tests = [
            all_of([self.answer_is(question, one.value), self.refused(question, one)]) for one in _hanging(question)
        ]
        return if_(any_of(tests), spelled[Finding.NEEDS], good) if tests else good

    def default_beside(self, question: Question, spelled: Spelled) -> str:
        """The same for the value that an empty cell stands for."""
        good, default = spelled[Finding.FINE], question.default
        if default is None:
            return good
        order = self._out_of_order(question, default)
        if order:
            good = if_(order, spelled[Finding.ORDER], good)
        chosen = default if isinstance(default, tuple) else (default,)
        tests = [self.refused(question, one) for one in _hanging(question) if one.value in chosen]
        return if_(any_of(tests), spelled[Finding.NEEDS], good) if tests else good

    def refused(self, question: Question, choice: Choice) -> str:
        """Whether another answer forbids a choice."""
        condition = condition_of(question, choice)
        other = self.form.deciding(question, condition.on)
        tests = [self.answered_otherwise(other, condition.values)]
        if other.default is not None and not _default_is_in(other, condition.values):
            blank = f"LEN({self.at(other.key)})=0"
            tests.append(all_of([blank, self.holds(other)]) if other.conditions else blank)
        return any_of(tests)

    def _out_of_order(self, question: Question, default: Value) -> str:
        """Whether an answer, or the default that stands for it, is below the one that bounds it; "" where nothing does or no sheet
        can tell."""
        on = question.limits.more_than or question.limits.at_least
        if not on or question.widget == "duration":
            return ""
        other = self.form.deciding(question, on)
        mine = self.at(question.key) if default is None else _bound(question, default)
        sign, cell = "<=" if question.limits.more_than else "<", self.at(other.key)
        tests = [f"AND(ISNUMBER({cell}),{mine}{sign}{cell})"]
        if other.default is not None:
            tests.append(f"AND(LEN({cell})=0,{mine}{sign}{_bound(other, other.default)})")
        return any_of(tests)


def condition_of(question: Question, choice: Choice) -> Condition:
    """A choice's condition, by the name of the question beside this one."""
    when = choice.when
    return Condition(question.group + when.on, when.values) if when else Condition("", ())  # type: ignore[arg-type]


def _hanging(question: Question) -> list[Choice]:
    return [one for one in question.choices if one.when]


def _default_is_in(question: Question, values: Sequence[Value]) -> bool:
    default = question.default
    return any(one in values for one in (default if isinstance(default, tuple) else (default,)))


def option(question: Question, entry: Entry, value: Value) -> str:
    """The words for one choice, where the hidden sheet keeps them."""
    values: list[Value] = [one.value for one in question.choices] or [True, False]
    return f"INDEX({entry.list_name},{values.index(value) + 1})"


def _members(cell: str) -> str:
    return f'";"&SUBSTITUTE(TRIM({cell}),"; ",";")&";"'


def _count(cell: str) -> str:
    """How many members stand in a cell."""
    return f'LEN({cell})-LEN(SUBSTITUTE({cell},";",""))+1'


def _found(entry: Entry, cell: str) -> str:
    """How many choices of a list stand among the members of a cell."""
    return f'SUMPRODUCT(--ISNUMBER(FIND(";"&{entry.list_name}&";",{_members(cell)})))'


def _bound(question: Question, value: object) -> str:
    """A bound or default in a formula."""
    return str(serial(str(value))) if question.widget == "date" else number(float(str(value)))


@dataclass(frozen=True, slots=True)
class Answer:
    """The formula for one answer that is asked and not empty. ``good`` stands for an answer that is good by itself."""

    sheet: Sheet
    question: Question
    entry: Entry
    spelled: Spelled
    good: str

    @property
    def cell(self) -> str:
        return self.sheet.at(self.question.key)

    def formula(self) -> str:
        match self.question.widget:
            case "whole_number" | "number" | "date":
                return if_(f"ISNUMBER({self.cell})", self.number(), self._typed_number())
            case "choice" | "yes_no":
                return self._choice()
            case "many_choice":
                return self.many()
            case "identifier" if self.question.limits.pattern == IDENTIFIER:
                return self._identifier()
            case "duration":
                return if_(f"ISNUMBER({self.cell})", self.spelled[Finding.UNSURE], self._typed_number())
            case "text" if not self.question.limits.pattern:
                limits = self.question.limits
                return _text(self.cell, limits.shortest or 0, limits.longest or 0, self.spelled)
        return self.spelled[Finding.UNSURE]

    def _typed_number(self) -> str:
        """A text without any digit is no number, no day and no length of time; of others ``check`` knows more."""
        digit = f"SUMPRODUCT(--ISNUMBER(FIND(digits,{self.cell})))>0"
        return if_(digit, self.spelled[Finding.UNSURE], self.spelled[Finding.WRONG])

    def number(self) -> str:
        tests = [*self._bounds()]
        if self.question.widget != "number":
            tests.append(f"{self.cell}<>INT({self.cell})")
        found = if_(any_of(tests), self.spelled[Finding.WRONG], self.good) if tests else self.good
        if self.question.widget == "date":  # a number beyond all days may be one that was typed as 20261121
            return if_(f"{self.cell}>{LAST_SERIAL}", self.spelled[Finding.UNSURE], found)
        return found

    def _bounds(self) -> Iterable[str]:
        limits = self.question.limits
        if self.question.widget == "date":
            yield f"{self.cell}<{serial(FIRST_DAY.isoformat())}"
        if self.question.widget == "whole_number":
            yield f"ABS({self.cell})>{MOST_WHOLE}"
        signs = {"least": "<", "above": "<=", "greatest": ">", "below": ">="}
        for name, sign in signs.items():
            bound = getattr(limits, name)
            if bound is not None and math.isfinite(bound if isinstance(bound, int | float) else 0):
                yield f"{self.cell}{sign}{_bound(self.question, bound)}"

    def _choice(self) -> str:
        listed = f"SUMPRODUCT(--EXACT({self.entry.list_name},TRIM({self.cell})))>0"
        plain = f'LOWER(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({self.cell}," ",""),"　",""),"_",""),"-",""))'
        alike = f"SUMPRODUCT(({self.entry.alike_name}={plain})+({self.entry.alike_name}=ASC({plain})))>0"
        return if_(listed, self.good, if_(alike, self.spelled[Finding.UNSURE], self.spelled[Finding.WRONG]))

    def many(self) -> str:
        limits, count = self.question.limits, _count(self.cell)
        tests = [f"{count}<{limits.shortest}"] if limits.shortest and limits.shortest > 1 else []
        tests += [f"{count}>{limits.longest}"] if limits.longest else []
        found = if_(any_of(tests), self.spelled[Finding.WRONG], self.good) if tests else self.good
        return if_(f"{_found(self.entry, self.cell)}={count}", found, self.spelled[Finding.UNSURE])

    def least_letters(self) -> str:
        return _text(self.cell, self.question.limits.shortest or 0, 0, self.spelled)

    def _identifier(self) -> str:
        plain = f"TRIM(ASC({self.cell}))"
        good = f'SUMPRODUCT(LEN({plain})-LEN(SUBSTITUTE({plain},letters,"")))'
        wrong = f'OR(LEN({plain})>63,LEFT({plain})="-",{good}<LEN({plain}))'
        sure = if_(f"EXACT({self.cell},{plain})", self.good, self.spelled[Finding.UNSURE])
        return if_(wrong, self.spelled[Finding.WRONG], sure)


def _text(cell: str, shortest: int, longest: int, spelled: Spelled) -> str:
    """The length of a text. ``check`` counts it without the blanks around it; TRIM takes some inside it too."""
    fine, unsure, wrong = (spelled[one] for one in (Finding.FINE, Finding.UNSURE, Finding.WRONG))
    found, least = fine, f'LEN(TRIM(SUBSTITUTE(SUBSTITUTE({cell},"　"," "),CHAR(10)," ")))'
    if shortest > 1:
        found = if_(f"LEN({cell})<{shortest}", wrong, if_(f"{least}<{shortest}", unsure, found))
    if longest:
        found = if_(f"{least}>{longest}", wrong, if_(f"LEN({cell})>{longest}", unsure, found))
    return found
