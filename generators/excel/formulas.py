"""What a sheet itself can tell of an answer, as Excel's formulas: whether it is asked, missing, wrong, or left to ``check``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from generators.excel.alone import Answer, choices_in, count_in, members_in, of_length
from generators.excel.entry import Entry
from generators.excel.findings import Finding, Spelled, all_of, any_of, if_, limit, literal
from generators.excel.spelling import Value
from schema.job import Choice
from schema.question import Condition, Form, Question


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
            return if_(self.is_empty(entry), blank, of_length(self.at(entry.key), 0, entry.longest, spelled))
        good = self.beside(question, spelled)
        blank = self.default_beside(question, spelled) if not entry.required else blank
        return if_(self.is_empty(entry), blank, Answer(self.at(entry.key), question, entry, spelled, good).formula())

    def is_empty(self, entry: Entry) -> str:
        return f'ISNUMBER(FIND("|"&TRIM(CLEAN({self.at(entry.key)}))&"|",{entry.nothing_name}))'

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
                return f'ISNUMBER(FIND(";"&{option(question, entry, value)}&";",{members_in(cell)}))'
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
                return f"{choices_in(entry, cell)}={count_in(cell)}"
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
        mine = self.at(question.key) if default is None else limit(question, default)
        sign, cell = "<=" if question.limits.more_than else "<", self.at(other.key)
        tests = [f"AND(ISNUMBER({cell}),{mine}{sign}{cell})"]
        if other.default is not None:
            tests.append(f"AND(LEN({cell})=0,{mine}{sign}{limit(other, other.default)})")
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
