"""What may be answered, twice: in words beside the cell, and as the rule by which Excel refuses the rest.

Excel's rules help while someone types; pasting goes past them, so they are never relied upon.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from generators.excel.numbers import DAY_ZERO
from generators.excel.page import OWN_CELL, Operator, Rule, Sort
from generators.excel.spelling import LONGEST_CELL, number, said, shortened
from schema import words
from schema.marks import LONGEST_IDENTIFIER
from schema.question import Limits, Question
from schema.text import CHOSEN

LONGEST_DURATION = 60
LONGEST_TITLE, LONGEST_PROMPT, LONGEST_ERROR = 32, 255, 225
MOST_WHOLE_OF_A_RULE = 10**15 - 1
"""Of a formula, too, Excel keeps 15 digits."""
MOST_NUMBER_OF_A_RULE = "9.99999999999999E+307"
LAST_DAY = date(9999, 12, 31)

Formulas = tuple[Sort, Operator, str, str]


def in_words(question: Question, language: str, *, typed: bool = True) -> str:
    """The sort of answer, where it is typed, and its limits, in one line: ``整数、1～10,000``."""
    sort = _sort(question, language) if typed else ()
    parts = (*sort, *_bounds(question, language), *_lengths(question, language))
    return words.said(parts, language)


def _sort(question: Question, language: str) -> Iterator[str]:
    if says_form(question):
        yield words.text("excel_sort_pattern", language, example=question.example)
    elif (name := f"excel_sort_{question.widget}") in words.table(language)["texts"]:
        yield words.text(name, language)


def says_form(question: Question) -> bool:
    """Whether the answer is a text of a set form, which only its example can show a person."""
    return question.widget == "text" and bool(question.limits.pattern and question.example)


def _bounds(question: Question, language: str) -> Iterator[str]:
    limits = question.limits
    if limits.least is not None and limits.greatest is not None:
        least, greatest = (said(question, one, language) for one in (limits.least, limits.greatest))
        yield words.text("excel_between", language, least=least, greatest=greatest)
        return
    for name in ("least", "above", "greatest", "below"):
        if getattr(limits, name) is not None:
            kind = f"excel_date_{name}" if question.widget == "date" else f"excel_{name}"
            yield words.text(kind, language, bound=said(question, getattr(limits, name), language))


def _lengths(question: Question, language: str) -> Iterator[str]:
    counted = "members" if question.widget == "many_choice" else "characters"
    if question.limits.shortest and question.limits.shortest > 1:
        count = words.text(counted, language, count=number(question.limits.shortest, grouped=True))
        yield words.text("excel_least", language, bound=count)
    if question.limits.longest:
        count = words.text(counted, language, count=number(question.limits.longest, grouped=True))
        yield words.text("excel_greatest", language, bound=count)


def rule_for(question: Question, language: str, explained: str, options: str) -> Rule:
    """The rule of a question's cell. ``options`` is the defined name of its list, where it has one."""
    title = question.label.say(language)
    if question.known:
        error = words.text("excel_error_known", language)
        return replace(rule(("list", "between", options, ""), title, explained, error, language), stops=False)
    return rule(_formulas(question, options), title, explained, _error(question, language), language)


def _error(question: Question, language: str) -> str:
    if question.widget in CHOSEN and not in_words(question, language):
        return words.text("excel_error_list", language)
    allowed = in_words(question, language) or most_letters(LONGEST_CELL, language)
    return words.text("excel_error", language, allowed=allowed)


def most_letters(longest: int, language: str) -> str:
    bound = words.text("characters", language, count=number(longest, grouped=True))
    return words.text("excel_greatest", language, bound=bound)


def rule(formulas: Formulas, title: str, explained: str, error: str, language: str) -> Rule:
    return Rule(
        *formulas,
        shortened(title, LONGEST_TITLE),
        shortened(explained, LONGEST_PROMPT),
        shortened(words.text("excel_error_title", language), LONGEST_TITLE),
        shortened(error, LONGEST_ERROR),
    )


def at_most(longest: int, shortest: int = 0) -> Formulas:
    return "textLength", "between", str(shortest), str(longest)


def _formulas(question: Question, options: str) -> Formulas:
    limits = question.limits
    match question.widget:
        case "choice" | "yes_no":
            return "list", "between", options, ""
        case "whole_number":
            return _whole(limits)
        case "number":
            return _number(limits)
        case "date":
            return _date(limits)
        case "identifier":
            return at_most(LONGEST_IDENTIFIER, 1)
        case "duration":
            return at_most(LONGEST_DURATION)
        case "many_choice":
            return at_most(LONGEST_CELL)
    return at_most(min(limits.longest or LONGEST_CELL, LONGEST_CELL), limits.shortest or 0)


def _whole(limits: Limits) -> Formulas:
    least = limits.least if limits.above is None else math.floor(limits.above) + 1
    greatest = limits.greatest if limits.below is None else math.ceil(limits.below) - 1
    least = -MOST_WHOLE_OF_A_RULE if least is None else max(math.ceil(least), -MOST_WHOLE_OF_A_RULE)
    greatest = MOST_WHOLE_OF_A_RULE if greatest is None else min(math.floor(greatest), MOST_WHOLE_OF_A_RULE)
    return "whole", "between", str(least), str(greatest)


def _number(limits: Limits) -> Formulas:
    if limits.above is None and limits.below is None:
        least = f"-{MOST_NUMBER_OF_A_RULE}" if limits.least is None else number(limits.least)
        return (
            "decimal",
            "between",
            least,
            MOST_NUMBER_OF_A_RULE if limits.greatest is None else number(limits.greatest),
        )
    signs = {"least": ">=", "above": ">", "greatest": "<=", "below": "<"}
    tests = [
        f"{OWN_CELL}{sign}{number(getattr(limits, name))}"
        for name, sign in signs.items()
        if getattr(limits, name) is not None
    ]
    return "custom", "between", f"AND(ISNUMBER({OWN_CELL}),{','.join(tests)})", ""


def _date(limits: Limits) -> Formulas:
    least, greatest = limits.least or limits.above, limits.greatest or limits.below
    first = date.fromisoformat(least) if least else date(1900, 1, 1)
    last = date.fromisoformat(greatest) if greatest else LAST_DAY
    first += timedelta(days=1 if limits.above and not limits.least else 0)
    last -= timedelta(days=1 if limits.below and not limits.greatest else 0)
    return "date", "between", str(max(1, (first - DAY_ZERO).days)), str(max(1, (last - DAY_ZERO).days))
