"""How a row of the table stands, in one short formula: a sum of terms, most of which look at many columns at once.

What they compare with stands on the hidden sheet, in rows as wide as the columns looked at, each under a defined name. The sum leads
 to one of ``live_texts``: 1 for each missing answer, 1,000 for each that is wrong, a thousandth for what only
``check`` can judge. What Excel itself refuses to let someone type is looked at less closely than in the form layout: a text in a
cell for a number, whatever it says, is left to ``check``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from generators.excel.alone import MOST_WHOLE, Answer
from generators.excel.entry import Entry
from generators.excel.findings import FEW, MANY, WEIGHTS, if_, literal
from generators.excel.form_live import quoted
from generators.excel.formulas import Sheet, option
from generators.excel.lists import SMALL_LETTERS
from generators.excel.offered import DASHES, nothing, plain
from generators.excel.spelling import CellValue, Value
from schema.job import IDENTIFIER
from schema.question import Condition, Question

MOST_NUMBER = 1.7e308
SMALLEST = 2.3e-308
"""The least number above 0 that Excel knows."""
MOST_LETTERS = 32_767
LONGEST_CODE = 63
BAR = "|"
PLAIN = 'LOWER(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({area}," ",""),"　",""),"_",""),"-",""))'
STRIPPED = 'TRIM(SUBSTITUTE(SUBSTITUTE({area},"　"," "),CHAR(10)," "))'

Across = Mapping[str, Sequence[CellValue]]
"""Rows of the hidden sheet by their names."""
Test = Callable[[Entry], bool]


@dataclass(frozen=True)
class Row:
    """One request on its row: the terms of its sum, and the rows of the hidden sheet that they compare it with."""

    sheet: Sheet
    asked: Sequence[Entry]

    def terms(self) -> Iterator[str]:
        for term in (self._missing, self._numbers, self._later, self._texts, self._choices, self._groups):
            yield from term()
        for entry in self.asked:
            question = self.question(entry)
            yield from self._alone(entry, question) if question else ()
        yield from self._hanging()

    @cached_property
    def across(self) -> Across:
        """What the terms compare with."""
        made: dict[str, Sequence[CellValue]] = {"live_keys": [one.key + BAR for one in self.asked]}
        numbers, texts = self.span(self._is_number), self.span(self._has_most_letters)
        bounds = [_bounds(self.question(one)) if self._is_number(one) else (0, 0) for one in numbers]
        made["live_number"] = [int(self._is_number(one)) for one in numbers]
        made["live_whole"] = [int(self._widget(one) == "whole_number") for one in numbers]
        made["live_least"], made["live_most"] = [one[0] for one in bounds], [one[1] for one in bounds]
        made["live_typed"] = [int(self._is_typed(one)) for one in self.span(self._is_typed)]
        made["live_counted"] = [
            int(self._is_typed(one) and not self._is_later(one)) for one in self.span(self._is_typed)
        ]
        made["live_must"] = [int(self._must(one)) for one in self.span(self._must)]
        made["live_longest"] = [self._most_letters(one) or MOST_LETTERS for one in texts]
        chosen = self.span(self._is_listed)
        made["live_listed"] = [int(self._is_listed(one)) for one in chosen]
        made["live_words"] = [_barred(one.options) if self._is_listed(one) else "" for one in chosen]
        made["live_alike"] = [_alike(one) if self._is_listed(one) else "" for one in chosen]
        for on, name in self._deciding.items():
            made[name] = [self._word(one, on) for one in self._hung_on(on)]
        return {name: row for name, row in made.items() if row}

    @cached_property
    def lists(self) -> Across:
        """And the lists that stand there in columns: how nothing is written, and which character of a code may be which."""
        said = dict.fromkeys(text for one in self.asked for text in one.nothing)
        inside = _barred(SMALL_LETTERS) + BAR
        allowed = (_barred(SMALL_LETTERS.replace("-", "")) + BAR, *[inside] * (LONGEST_CODE - 1), BAR + BAR)
        return {
            "live_nothing": (nothing(tuple(said)),),
            "live_places": tuple(range(1, LONGEST_CODE + 2)),
            "live_allowed": allowed,
        }

    def in_place(self, title: str, keys: int) -> str:
        """The formula that is an error where the columns no longer stand as the rows of the hidden sheet have them. A bar behind each
        key there: a sheet that holds keys themselves is taken for one that asks."""
        area = self.area(self.asked)
        head = re.sub("([A-Z]+)[0-9]+", f"$\\1${keys}", area)
        return f"IF(SUMPRODUCT(--({quoted(title)}!{head}&{literal(BAR)}=live_keys))={len(self.asked)},0,NA())"

    def question(self, entry: Entry) -> Question | None:
        return self.sheet.form.by_key.get(entry.key)

    def span(self, which: Test) -> Sequence[Entry]:
        """All answers from the first to the last of which this is true."""
        places = [place for place, one in enumerate(self.asked) if which(one)]
        return self.asked[places[0] : places[-1] + 1] if places else ()

    def area(self, entries: Sequence[Entry]) -> str:
        first, last = self.sheet.at(entries[0].key), self.sheet.at(entries[-1].key)
        return first if first == last else f"{first}:{last}"

    def _widget(self, entry: Entry) -> str:
        question = self.question(entry)
        return question.widget if question else ""

    def _conditions(self, entry: Entry) -> tuple[Condition, ...]:
        question = self.question(entry)
        return question.conditions if question else ()

    def _is_number(self, entry: Entry) -> bool:
        return self._widget(entry) in ("whole_number", "number")

    def _is_typed(self, entry: Entry) -> bool:
        """Whether a text in this cell is always left to ``check``."""
        return self._is_number(entry) or self._widget(entry) == "date" or self._is_later(entry)

    def _is_later(self, entry: Entry) -> bool:
        """Whether whatever stands in this cell is left to ``check``."""
        question = self.question(entry)
        if question is None or question.widget not in ("duration", "text", "identifier"):
            return False
        return question.widget == "duration" or question.limits.pattern not in (None, "", IDENTIFIER)

    def _most_letters(self, entry: Entry) -> int:
        """0 where it is no text, or may be as long as a cell."""
        question = self.question(entry)
        if question is None:
            return entry.longest
        longest = question.limits.longest or 0
        counted = question.widget == "text" and not question.limits.pattern
        return longest if counted and longest < MOST_LETTERS else 0

    def _has_most_letters(self, entry: Entry) -> bool:
        return self._most_letters(entry) > 0

    def _must(self, entry: Entry) -> bool:
        return entry.required and not entry.nothing and not self._conditions(entry)

    def _is_listed(self, entry: Entry) -> bool:
        return self._widget(entry) in ("choice", "yes_no") and _is_short(entry)

    def _missing(self) -> Iterator[str]:
        if must := self.span(self._must):
            yield f"SUMPRODUCT(live_must*{_is_nothing(self.area(must))})"

    def _numbers(self) -> Iterator[str]:
        """Out of range, or a fraction where a whole number is asked. INT of a text is an error, and so is 1/FALSE."""
        if not (numbers := self.span(self._is_number)):
            return
        area = self.area(numbers)
        fraction = f"+live_whole*ISERROR(1/(INT({area})={area}))" if any(self.across["live_whole"]) else ""
        bad = f"(({area}<live_least)+({area}>live_most){fraction}>0)"
        yield f"{MANY}*SUMPRODUCT(live_number*ISNUMBER({area})*{bad})"

    def _later(self) -> Iterator[str]:
        if typed := self.span(self._is_typed):
            area = self.area(typed)
            yield f'{FEW}*SUMPRODUCT(({area}<>"")*(live_typed-live_counted*ISNUMBER({area})))'

    def _texts(self) -> Iterator[str]:
        """``check`` counts a text without the blanks around it; TRIM takes some inside it too."""
        if texts := self.span(self._has_most_letters):
            area = self.area(texts)
            certain = f"{MANY}*(LEN({STRIPPED.format(area=area)})>live_longest)"
            yield f"SUMPRODUCT((LEN({area})>live_longest)*({FEW}+{certain}))"

    def _choices(self) -> Iterator[str]:
        if chosen := self.span(self._is_listed):
            area = self.area(chosen)
            spelled = PLAIN.format(area=area)
            other = f'ISERROR(FIND("|"&{spelled}&"|",live_alike))*ISERROR(FIND("|"&ASC({spelled})&"|",live_alike))'
            yield f'SUMPRODUCT(live_listed*({area}<>"")*ISERROR(FIND("|"&{area}&"|",live_words))*({FEW}+{MANY}*{other}))'

    @cached_property
    def _deciding(self) -> dict[str, str]:
        """By the key of a question that decides on others by one of its choices: the name of the row with their words."""
        found = dict.fromkeys(key for one in self.asked if (key := self._decided_by(one)))
        return {key: f"live_on_{number}" for number, key in enumerate(found, 1)}

    def _decided_by(self, entry: Entry) -> str:
        conditions, question = self._conditions(entry), self.question(entry)
        if question is None or len(conditions) != 1 or len(conditions[0].values) != 1:
            return ""
        other = self.sheet.form.deciding(question, conditions[0].on)
        return other.key if other.widget == "choice" and not other.conditions and not other.follows else ""

    def _hung_on(self, on: str) -> Sequence[Entry]:
        return self.span(lambda one: self._decided_by(one) == on)

    def _word(self, entry: Entry, on: str) -> str:
        """The choice of the question ``on`` by which this answer is asked."""
        if self._decided_by(entry) != on:
            return ""
        values: list[Value] = [one.value for one in self.sheet.form.by_key[on].choices]
        return self.sheet.entries[on].options[values.index(self._conditions(entry)[0].values[0])]

    def _groups(self) -> Iterator[str]:
        """Answers that are filled though they are not asked; and those that are asked and missing."""
        for on, name in self._deciding.items():
            yield self._off(on, name)
        for _, members in groupby(self.asked, self._conditions):
            yield from self._hung(list(members))

    def _off(self, on: str, name: str) -> str:
        cell, entry, question = self.sheet.at(on), self.sheet.entries[on], self.sheet.form.by_key[on]
        area = self.area(self._hung_on(on))
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
        if self._decided_by(members[0]):
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
            case "choice" | "yes_no" if not _is_short(entry):
                yield if_(self.sheet.is_empty(entry), "0", answer.formula())
            case "identifier" if limits.pattern == IDENTIFIER:
                yield self._code(entry)
            case "text" if not limits.pattern and (limits.shortest or 0) > 1:
                yield if_(self.sheet.is_empty(entry), "0", answer.least_letters())

    def _code(self, entry: Entry) -> str:
        """Each character beside those that may stand in its place; none in the 64th, and none behind the last. Between bars, because
        LibreOffice does not find an empty text."""
        cell = self.sheet.at(entry.key)
        characters = f'"|"&MID(TRIM(ASC({cell})),live_places,1)&"|"'
        bad = f"(SUMPRODUCT(--ISERROR(FIND({characters},live_allowed)))>0)"
        sure = f"EXACT({cell},TRIM(ASC({cell})))"
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


def _is_short(entry: Entry) -> bool:
    """Whether all options of a drop-down fit into one text, between bars."""
    barred = any(BAR in one for one in (*entry.options, *entry.alike, *entry.nothing))
    return not barred and max(len(_barred(entry.options)), len(_alike(entry))) <= MOST_LETTERS


def _barred(texts: Sequence[str]) -> str:
    return BAR + "".join(one + BAR for one in texts)


def _alike(entry: Entry) -> str:
    """What is understood as a choice or as nothing, however it is spelled."""
    empty = (plain(one) for one in (*DASHES, *entry.nothing))
    return BAR + _barred(tuple(dict.fromkeys(one for one in (*empty, *entry.alike) if one)))


def _is_nothing(area: str) -> str:
    return f'ISNUMBER(FIND("|"&TRIM({area})&"|",nothing))'


def _is_filled(area: str) -> str:
    """Not even with what means nothing in some of the sheet's cells."""
    return f'ISERROR(FIND("|"&TRIM({area})&"|",live_nothing))'


def _bounds(question: Question | None) -> tuple[float, float]:
    """The least and the greatest number; a bound that is not allowed itself is looked at apart, but for 0."""
    limits = question.limits if question else None
    if question is None or limits is None:
        return 0, 0
    most = MOST_WHOLE if question.widget == "whole_number" else MOST_NUMBER
    low = [-most, limits.least, SMALLEST if limits.above == 0 else limits.above]
    high = [most, limits.greatest, -SMALLEST if limits.below == 0 else limits.below]
    return max(one for one in low if _is_finite(one)), min(one for one in high if _is_finite(one))


def _is_finite(bound: object) -> bool:
    return isinstance(bound, int | float) and math.isfinite(bound)


def _apart(question: Question) -> Iterator[str]:
    for bound in (question.limits.above, question.limits.below):
        if bound and _is_finite(bound):
            yield repr(bound)
