"""The columns of a table as the formula of a row looks at them: which ones together, and what stands on the hidden sheet for them,
in rows as wide as the columns looked at, each under a defined name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from generators.excel.alone import MOST_WHOLE_OF_A_FORMULA
from generators.excel.entry import Entry
from generators.excel.findings import literal
from generators.excel.form_live import quoted
from generators.excel.formulas import Sheet
from generators.excel.lists import SMALL_LETTERS
from generators.excel.offered import DASHES, nothing, plain
from generators.excel.spelling import CellValue, Value
from schema.job import IDENTIFIER
from schema.marks import LONGEST_IDENTIFIER
from schema.question import Condition, Question

MOST_NUMBER_OF_A_FORMULA = 1.7e308
SMALLEST = 2.3e-308
"""The least number above 0 that Excel knows."""
MOST_LETTERS = 32_767
BAR = "|"

Across = Mapping[str, Sequence[CellValue]]
"""Rows of the hidden sheet by their names."""
Test = Callable[[Entry], bool]


@dataclass(frozen=True)
class Columns:
    """The columns in their order, with the cells of one row."""

    sheet: Sheet
    asked: Sequence[Entry]

    @cached_property
    def across(self) -> Across:
        """What the terms compare with."""
        made: dict[str, Sequence[CellValue]] = {"live_keys": [one.key + BAR for one in self.asked]}
        numbers, texts = self.span(self.is_number), self.span(self.has_most_letters)
        limits = [_bounds(self.question(one)) if self.is_number(one) else (0, 0) for one in numbers]
        made["live_number"] = [int(self.is_number(one)) for one in numbers]
        made["live_whole"] = [int(self._widget(one) == "whole_number") for one in numbers]
        made["live_least"], made["live_most"] = [one[0] for one in limits], [one[1] for one in limits]
        made["live_typed"] = [int(self.is_typed(one)) for one in self.span(self.is_typed)]
        made["live_counted"] = [int(self.is_typed(one) and not self._is_later(one)) for one in self.span(self.is_typed)]
        made["live_must"] = [int(self.must(one)) for one in self.span(self.must)]
        made["live_longest"] = [self._most_letters(one) or MOST_LETTERS for one in texts]
        chosen = self.span(self.is_listed)
        made["live_listed"] = [int(self.is_listed(one)) for one in chosen]
        made["live_words"] = [_barred(one.options) if self.is_listed(one) else "" for one in chosen]
        made["live_alike"] = [_alike(one) if self.is_listed(one) else "" for one in chosen]
        for on, name in self.deciding.items():
            made[name] = [self._word(one, on) for one in self.hung_on(on)]
        return {name: row for name, row in made.items() if row}

    @cached_property
    def lists(self) -> Across:
        """And the lists that stand there in columns: how nothing is written, and which character of a code may be which."""
        said = dict.fromkeys(text for one in self.asked for text in one.nothing)
        inside = _barred(SMALL_LETTERS) + BAR
        allowed = (_barred(SMALL_LETTERS.replace("-", "")) + BAR, *[inside] * (LONGEST_IDENTIFIER - 1), BAR + BAR)
        return {
            "live_nothing": (nothing(tuple(said)),),
            "live_places": tuple(range(1, LONGEST_IDENTIFIER + 2)),
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

    def conditions(self, entry: Entry) -> tuple[Condition, ...]:
        question = self.question(entry)
        return question.conditions if question else ()

    def is_number(self, entry: Entry) -> bool:
        return self._widget(entry) in ("whole_number", "number")

    def is_typed(self, entry: Entry) -> bool:
        """Whether a text in this cell is always left to ``check``."""
        return self.is_number(entry) or self._widget(entry) == "date" or self._is_later(entry)

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

    def has_most_letters(self, entry: Entry) -> bool:
        return self._most_letters(entry) > 0

    def must(self, entry: Entry) -> bool:
        return entry.required and not entry.nothing and not self.conditions(entry)

    def is_listed(self, entry: Entry) -> bool:
        return self._widget(entry) in ("choice", "yes_no") and is_short(entry)

    @cached_property
    def deciding(self) -> dict[str, str]:
        """By the key of a question that decides on others by one of its choices: the name of the row with their words."""
        found = dict.fromkeys(key for one in self.asked if (key := self.decided_by(one)))
        return {key: f"live_on_{number}" for number, key in enumerate(found, 1)}

    def decided_by(self, entry: Entry) -> str:
        conditions, question = self.conditions(entry), self.question(entry)
        if question is None or len(conditions) != 1 or len(conditions[0].values) != 1:
            return ""
        other = self.sheet.form.deciding(question, conditions[0].on)
        return other.key if other.widget == "choice" and not other.conditions and not other.follows else ""

    def hung_on(self, on: str) -> Sequence[Entry]:
        return self.span(lambda one: self.decided_by(one) == on)

    def _word(self, entry: Entry, on: str) -> str:
        """The choice of the question ``on`` by which this answer is asked."""
        if self.decided_by(entry) != on:
            return ""
        values: list[Value] = [one.value for one in self.sheet.form.by_key[on].choices]
        return self.sheet.entries[on].options[values.index(self.conditions(entry)[0].values[0])]


def is_short(entry: Entry) -> bool:
    """Whether all options of a drop-down fit into one text, between bars."""
    barred = any(BAR in one for one in (*entry.options, *entry.alike, *entry.nothing))
    return not barred and max(len(_barred(entry.options)), len(_alike(entry))) <= MOST_LETTERS


def _barred(texts: Sequence[str]) -> str:
    return BAR + "".join(one + BAR for one in texts)


def _alike(entry: Entry) -> str:
    """What is understood as a choice or as nothing, however it is spelled."""
    empty = (plain(one) for one in (*DASHES, *entry.nothing))
    return BAR + _barred(tuple(dict.fromkeys(one for one in (*empty, *entry.alike) if one)))


def _bounds(question: Question | None) -> tuple[float, float]:
    """The least and the greatest number; a bound that is not allowed itself is looked at apart, but for 0."""
    limits = question.limits if question else None
    if question is None or limits is None:
        return 0, 0
    most = MOST_WHOLE_OF_A_FORMULA if question.widget == "whole_number" else MOST_NUMBER_OF_A_FORMULA
    low = [-most, limits.least, SMALLEST if limits.above == 0 else limits.above]
    high = [most, limits.greatest, -SMALLEST if limits.below == 0 else limits.below]
    return max(one for one in low if is_finite(one)), min(one for one in high if is_finite(one))


def is_finite(bound: object) -> bool:
    return isinstance(bound, int | float) and math.isfinite(bound)
