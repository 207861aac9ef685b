"""How a row of the table stands, in one short formula: a sum of terms, most of which look at many columns at once.

The sum leads to one of ``live_texts``: 1 for each missing answer, 1,000 for each that is wrong, a thousandth for what only
``check`` can judge. What Excel itself refuses to let someone type is looked at less closely than in the form layout: a text in a
cell for a number, whatever it says, is left to ``check``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from generators.excel.alone import Answer
from generators.excel.columns import Columns, is_finite, is_short
from generators.excel.entry import Entry
from generators.excel.findings import BARE, FEW, MANY, PLAIN, WEIGHTS, if_
from generators.excel.formulas import option
from schema.job import IDENTIFIER
from schema.question import Question

STRIPPED = 'TRIM(SUBSTITUTE(SUBSTITUTE({area},"　"," "),CHAR(10)," "))'


@dataclass(frozen=True)
class Row(Columns):
    """One request on its row: the terms of its sum."""

    def terms(self) -> Iterator[str]:
        for term in (self._missing, self._numbers, self._later, self._texts, self._choices, self._groups):
            yield from term()
        for entry in self.asked:
            question = self.question(entry)
            yield from self._alone(entry, question) if question else ()
        yield from self._hanging()

    def _missing(self) -> Iterator[str]:
        if must := self.span(self.must):
            yield f"SUMPRODUCT(live_must*{_is_nothing(self.area(must))})"

    def _numbers(self) -> Iterator[str]:
        """Out of range, or a fraction where a whole number is asked. INT of a text is an error, and so is 1/FALSE."""
        if not (numbers := self.span(self.is_number)):
            return
        area = self.area(numbers)
        fraction = f"+live_whole*ISERROR(1/(INT({area})={area}))" if any(self.across["live_whole"]) else ""
        bad = f"(({area}<live_least)+({area}>live_most){fraction}>0)"
        yield f"{MANY}*SUMPRODUCT(live_number*ISNUMBER({area})*{bad})"

    def _later(self) -> Iterator[str]:
        """A formula is refused; from Excel, LibreOffice takes TRUE for one, and for a number."""
        if typed := self.span(self.is_typed):
            area = self.area(typed)
            number = f"(ISNUMBER({area})-_xlfn.ISFORMULA({area}))"
            yield f'{FEW}*SUMPRODUCT(({area}<>"")*(live_typed-live_counted*{number}))'

    def _texts(self) -> Iterator[str]:
        """``check`` counts a text without the blanks around it; TRIM takes some inside it too."""
        if texts := self.span(self.has_most_letters):
            area = self.area(texts)
            certain = f"{MANY}*(LEN({STRIPPED.format(area=area)})>live_longest)"
            yield f"SUMPRODUCT((LEN({area})>live_longest)*({FEW}+{certain}))"

    def _choices(self) -> Iterator[str]:
        if chosen := self.span(self.is_listed):
            area = self.area(chosen)
            spelled = PLAIN.format(cell=area)
            other = f'ISERROR(FIND("|"&{spelled}&"|",live_alike))*ISERROR(FIND("|"&ASC({spelled})&"|",live_alike))'
            yield f'SUMPRODUCT(live_listed*({area}<>"")*ISERROR(FIND("|"&{area}&"|",live_words))*({FEW}+{MANY}*{other}))'

    def _groups(self) -> Iterator[str]:
        """Answers that are filled though they are not asked; and those that are asked and missing."""
        for on, name in self.deciding.items():
            yield self._off(on, name)
        for _, members in groupby(self.asked, self.conditions):
            yield from self._hung(list(members))

    def _off(self, on: str, name: str) -> str:
        cell, entry, question = self.sheet.at(on), self.sheet.entries[on], self.sheet.form.by_key[on]
        area = self.area(self.hung_on(on))
        given = (
            cell if question.default is None else f'IF({cell}="",{option(question, entry, question.default)},{cell})'
        )
        known = f'(({cell}="")+SUMPRODUCT(--({entry.list_name}={cell})))'
        return f'SUMPRODUCT(({name}<>"")*({name}<>{given})*({MANY}*{known}*{_is_filled(area)}+{FEW}*({area}<>"")))'

    def _hung(self, members: Sequence[Entry]) -> Iterator[str]:
        """The same for some that stand side by side and have the same conditions."""
        question = self.question(members[0])
        if question is None or not question.conditions:
            return
        must = [one for one in members if one.required]
        missing = "+".join(f"{self.sheet.is_empty(one)}*1" for one in must)
        if self.decided_by(members[0]):
            yield from [f"({self.sheet.holds(question)})*({missing})"] if must else []
            return
        area = self.area(members)
        filled = f'({MANY}*{_is_filled(area)}+{FEW}*({area}<>""))'
        unsure = FEW if must else f'{FEW}*SUMPRODUCT(--({area}<>""))'
        asked = if_(self.sheet.holds(question), missing or "0", unsure)
        yield if_(self.sheet.fails(question), f"SUMPRODUCT({filled})", asked)

    def _alone(self, entry: Entry, question: Question) -> Iterator[str]:
        """What is to be said of this answer that no term for many says."""
        cell, limits = self.sheet.at(entry.key), question.limits
        answer = Answer(cell, question, entry, WEIGHTS, "0")
        if entry.required and entry.nothing and not question.conditions:
            yield f"{self.sheet.is_empty(entry)}*1"
        match question.widget:
            case "whole_number" | "number":
                yield from (f"{MANY}*({cell}={bound})" for bound in _apart(question))
            case "date":
                yield f"IF(ISNUMBER({cell}),{answer.number()},0)"
            case "many_choice":
                yield f'IF({cell}="",0,{answer.many()})'
            case "choice" | "yes_no" if not is_short(entry):
                yield if_(self.sheet.is_empty(entry), "0", answer.formula())
            case "identifier" if limits.pattern == IDENTIFIER:
                yield self._code(entry)
            case "text" if not limits.pattern and (limits.shortest or 0) > 1:
                yield if_(self.sheet.is_empty(entry), "0", answer.least_letters())

    def _code(self, entry: Entry) -> str:
        """Each character beside those that may stand in its place; none in the 64th, and none behind the last. Between bars, because
        LibreOffice does not find an empty text."""
        cell = self.sheet.at(entry.key)
        plain = f"TRIM(ASC({BARE.format(cell=cell)}))"
        characters = f'"|"&MID({plain},live_places,1)&"|"'
        bad = f"(SUMPRODUCT(--ISERROR(FIND({characters},live_allowed)))>0)"
        sure = f"EXACT({cell},{plain})"
        return f"IF({self.sheet.is_empty(entry)},0,{MANY}*{bad}+{FEW}*NOT({sure}))"

    def _hanging(self) -> Iterator[str]:
        """Answers that are good by themselves and may not stand beside others."""
        for entry in self.asked:
            question = self.question(entry)
            if question is None:
                continue
            good = self.sheet.beside(question, WEIGHTS)
            blank = "0" if entry.required else self.sheet.default_beside(question, WEIGHTS)
            found = if_(f'{self.sheet.at(entry.key)}=""', blank, good)
            if found != "0":
                yield if_(self.sheet.holds(question), found, "0") if question.conditions else found


def _is_nothing(area: str) -> str:
    return f'ISNUMBER(FIND("|"&TRIM(CLEAN({area}))&"|",nothing))'


def _is_filled(area: str) -> str:
    """Not even with what means nothing in some of the sheet's cells."""
    return f'ISERROR(FIND("|"&TRIM(CLEAN({area}))&"|",live_nothing))'


def _apart(question: Question) -> Iterator[str]:
    for bound in (question.limits.above, question.limits.below):
        if bound and is_finite(bound):
            yield repr(bound)
