"""The formula for one answer by itself, whatever stands beside it: is it of the right type, in the list, within its limits?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from generators.excel.entry import Entry
from generators.excel.findings import BARE, PLAIN, Finding, Spelled, any_of, if_, limit, serial
from generators.excel.numbers import FIRST_DAY
from schema.job import IDENTIFIER
from schema.marks import LONGEST_IDENTIFIER
from schema.question import Question
from schema.text import MOST_EXACT

LAST_SERIAL = 2_958_465
MOST_WHOLE_OF_A_FORMULA = MOST_EXACT - 2
"""Of a number in a formula Excel keeps 15 digits; this is the last one below ``MOST_EXACT`` that it keeps."""
NO_NUMBER = "OR(ISLOGICAL({cell}),_xlfn.ISFORMULA({cell}))"
"""TRUE, and a number that a formula gives, which is refused. LibreOffice takes TRUE for a number, and one from Excel for a formula."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The formula for one answer that is asked and not empty. ``good`` stands for an answer that is good by itself."""

    cell: str
    question: Question
    entry: Entry
    spelled: Spelled
    good: str

    @property
    def bare(self) -> str:
        return BARE.format(cell=self.cell)

    def formula(self) -> str:
        match self.question.widget:
            case "whole_number" | "number" | "date":
                typed = if_(f"ISNUMBER({self.cell})", self.number(), self._typed_number())
                return if_(NO_NUMBER.format(cell=self.cell), self.spelled[Finding.WRONG], typed)
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
                return of_length(self.cell, limits.shortest or 0, limits.longest or 0, self.spelled)
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
            yield f"ABS({self.cell})>{MOST_WHOLE_OF_A_FORMULA}"
        signs = {"least": "<", "above": "<=", "greatest": ">", "below": ">="}
        for name, sign in signs.items():
            bound = getattr(limits, name)
            if bound is not None and math.isfinite(bound if isinstance(bound, int | float) else 0):
                yield f"{self.cell}{sign}{limit(self.question, bound)}"

    def _choice(self) -> str:
        listed = f"SUMPRODUCT(--EXACT({self.entry.list_name},TRIM({self.bare})))>0"
        plain = PLAIN.format(cell=self.cell)
        alike = f"SUMPRODUCT(({self.entry.alike_name}={plain})+({self.entry.alike_name}=ASC({plain})))>0"
        return if_(listed, self.good, if_(alike, self.spelled[Finding.UNSURE], self.spelled[Finding.WRONG]))

    def many(self) -> str:
        limits, count = self.question.limits, count_in(self.cell)
        tests = [f"{count}<{limits.shortest}"] if limits.shortest and limits.shortest > 1 else []
        tests += [f"{count}>{limits.longest}"] if limits.longest else []
        found = if_(any_of(tests), self.spelled[Finding.WRONG], self.good) if tests else self.good
        return if_(f"{choices_in(self.entry, self.cell)}={count}", found, self.spelled[Finding.UNSURE])

    def least_letters(self) -> str:
        return of_length(self.cell, self.question.limits.shortest or 0, 0, self.spelled)

    def _identifier(self) -> str:
        plain = f"TRIM(ASC({self.bare}))"
        good = f'SUMPRODUCT(LEN({plain})-LEN(SUBSTITUTE({plain},letters,"")))'
        wrong = f'OR(LEN({plain})>{LONGEST_IDENTIFIER},LEFT({plain})="-",{good}<LEN({plain}))'
        sure = if_(f"EXACT({self.cell},{plain})", self.good, self.spelled[Finding.UNSURE])
        return if_(wrong, self.spelled[Finding.WRONG], sure)


def of_length(cell: str, shortest: int, longest: int, spelled: Spelled) -> str:
    """The length of a text. ``check`` counts it without the blanks around it; TRIM takes some inside it too."""
    fine, unsure, wrong = (spelled[one] for one in (Finding.FINE, Finding.UNSURE, Finding.WRONG))
    found, least = fine, f'LEN(TRIM(SUBSTITUTE(SUBSTITUTE({cell},"　"," "),CHAR(10)," ")))'
    if shortest > 1:
        found = if_(f"LEN({cell})<{shortest}", wrong, if_(f"{least}<{shortest}", unsure, found))
    if longest:
        found = if_(f"{least}>{longest}", wrong, if_(f"LEN({cell})>{longest}", unsure, found))
    return found


def members_in(cell: str) -> str:
    return f'";"&SUBSTITUTE(TRIM({cell}),"; ",";")&";"'


def count_in(cell: str) -> str:
    """How many members stand in a cell."""
    return f'LEN({cell})-LEN(SUBSTITUTE({cell},";",""))+1'


def choices_in(entry: Entry, cell: str) -> str:
    """How many choices of a list stand among the members of a cell."""
    return f'SUMPRODUCT(--ISNUMBER(FIND(";"&{entry.list_name}&";",{members_in(cell)})))'
