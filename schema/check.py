"""Answers → a checked job, or every Problem at once, each with its place. Pure: what an engine must look up is judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schema.answers import Answers, Given, Located
from schema.job import By, Fault, Job, Part, Resources
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import RESOURCES, Form, Question
from schema.text import Misread, clean, invisible, is_blank, read
from schema.words import Fact, Words

LONGEST_AROUND = 200
LIMIT_CODES = {
    "greater_than_equal": ("too_small", "ge", "least"),
    "less_than_equal": ("too_big", "le", "greatest"),
    "greater_than": ("not_above", "gt", "above"),
    "less_than": ("not_below", "lt", "below"),
}
LENGTH_CODES = {
    "string_too_short": ("too_short", "min_length", "shortest", "characters"),
    "string_too_long": ("too_long", "max_length", "longest", "characters"),
    "too_short": ("too_short", "min_length", "shortest", "members"),
    "too_long": ("too_long", "max_length", "longest", "members"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was filled in or brought up to date for the person, who is told: question name, old and new value, and why."""

    question: str
    before: str
    after: str
    why: Words


@dataclass(frozen=True, slots=True)
class Checked:
    """A validated job with what it may take and what was changed for the person; not yet a Request: nobody has sent it."""

    kind: str
    job: Job
    resources: Resources
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement: the checked job or None, every Problem, and by question name those values that are good even so."""

    checked: Checked | None
    problems: tuple[Problem, ...]
    values: Mapping[str, Any]


def check(answers: Answers, kinds: Mapping[str, Kind]) -> Checked | list[Problem]:
    """Judge one response: the checked job, or all its Problems in the order of the form. A place with one gets no second."""
    judged = judge(answers, kinds)
    return judged.checked or list(judged.problems)


def judge(answers: Answers, kinds: Mapping[str, Kind]) -> Judged:
    """As ``check``, with the good values of a refused response too, so that what must be looked up can be judged in the same go."""
    kind = kinds.get(answers.kind)
    if kind is None:
        facts = {"kind": shown(answers.kind)}
        unknown = Problem("unknown_kind", answers.place("kind"), "kind", facts, nearest(answers.kind, kinds))
        return Judged(None, (unknown,), {})
    stale = _version_problem(answers, kind.form)
    if stale:
        return Judged(None, (stale,), {})
    return _judged(_Judge(kind, answers))


def _judged(judge: _Judge) -> Judged:
    judge.problems += _around(judge.answers)
    judge.read_all()
    job, resources = judge.validated(judge.kind.job, ""), judge.validated(Resources, f"{RESOURCES}.")
    judge.find_faults(judge.kind.job, "", judge.values)
    good = {name: value for name, value in judge.values.items() if name not in judge.broken}
    if judge.problems or not isinstance(job, Job) or not isinstance(resources, Resources):
        return Judged(None, tuple(judge.sorted_problems()), good)
    return Judged(Checked(judge.answers.kind, job, resources, tuple(judge.changes)), (), good)


def _around(answers: Answers) -> list[Problem]:
    """What is wrong with who asks, or why again: texts that the forms carry beside the questions."""
    found = []
    for name, located in (("request.sender", answers.sender), ("request.again", answers.again)):
        if located and (hidden := invisible(located.value)):
            found.append(Problem("hidden_character", located.where, name, {"character": hidden}))
        elif located and len(located.value) > LONGEST_AROUND:
            facts: dict[str, Fact] = {"length": _count(len(located.value), "characters"), "longest": _count(LONGEST_AROUND, "characters")}
            found.append(Problem("too_long", located.where, name, facts))
    return found


def _version_problem(answers: Answers, form: Form) -> Problem | None:
    if answers.version in (None, form.version):
        return None
    code = "old_template" if (answers.version or 0) < form.version else "newer_template"
    return Problem(
        code, answers.place("version"), "version", {"version": str(answers.version), "current": str(form.version)}
    )


@dataclass
class _Judge:
    """One judgement under way: values read so far by question name, names that are broken, and the problems found."""

    kind: Kind
    answers: Answers
    values: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    active: dict[str, Question] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    consumed: set[str] = field(default_factory=set)

    @property
    def form(self) -> Form:
        return self.kind.form

    def read_all(self) -> None:
        for question in (one for one in self.form.questions if not one.conditions):
            self._read_asked(question)
        self._complete()
        for question in (one for one in self.form.questions if one.conditions):
            self._read_conditional(question)
        for key, located in self.answers.given.items():
            if key not in self.consumed and not _empty(located):
                self._unasked(key, located)

    def _given(self, question: Question) -> Located[Given] | None:
        found = self.answers.given.get(question.key)
        self.consumed.add(question.key)
        if found is None and question.name != question.key:
            found = self.answers.given.get(question.name)
            self.consumed.add(question.name)
        return found

    def _read_asked(self, question: Question) -> None:
        """Read the answer of a question that is asked. An empty one is left to the default, or is missing."""
        self.active[question.name] = question
        located = self._given(question)
        value = read(question, located.value) if located else None
        if isinstance(value, Misread):
            self._blame(question, value.code, value.facts, value.suggestion)
        elif value is not None:
            self.values[question.name] = value
        elif question.required:
            self._blame(question, "missing", {})

    def _complete(self) -> None:
        given = {name: value for name, value in self.values.items() if "." not in name}
        for name, (value, why) in self.kind.job.complete(given).items():
            if name not in self.values and name not in self.broken:
                self.values[name] = value
                self.changes.append(Change(name, "", str(value), why))
        for question in self.form.questions:
            if (
                question.blank is not None
                and not _has_default(self.kind.job, question)
                and question.name not in self.values
            ):
                self.broken.add(
                    question.name
                )  # it follows from an answer that was refused: what hangs on it cannot be judged

    def _read_conditional(self, question: Question) -> None:
        if any(condition.on in self.broken for condition in question.conditions):
            self._read_undecided(question)
        elif all(self._holds(condition.on, condition.values) for condition in question.conditions):
            self._read_asked(question)

    def _holds(self, on: str, values: tuple[object, ...]) -> bool:
        value = self.values.get(on, self.active[on].default if on in self.active else None)
        return any(one in values for one in value) if isinstance(value, tuple) else value in values

    def _read_undecided(self, question: Question) -> None:
        """The answer that decides whether this is asked was refused: still say what is unreadable in a filled cell of its own."""
        located = self.answers.given.get(question.key)
        self.consumed |= {question.key, question.name}
        value = read(question, located.value) if located and question.key != question.name else None
        if isinstance(value, Misread):
            self._blame(question, value.code, value.facts, value.suggestion)

    def _unasked(self, key: str, located: Located[Given]) -> None:
        """An answer to a question that does not exist, or that another answer switches off."""
        question = self.form.by_key.get(key) or next(iter(self.form.by_name.get(key, ())), None)
        if question is None:
            facts = {"name": shown(key)}
            suggestion = nearest(key, self.form.by_name)
            self.problems.append(Problem("unknown_question", located.where, key, facts, suggestion))
            return
        condition = next(one for one in question.conditions if not self._holds(one.on, one.values))
        deciding = self.form.by_name[condition.on][0]
        facts_off: dict[str, Fact] = {"on": deciding.label, "values": _labels(deciding, condition.values)}
        self._blame(question, "switched_off", facts_off, where_key=key)

    def validated(self, part: type[Part], prefix: str) -> Part | None:
        """The model over what was read, or None with its problems noted."""
        mine = {
            name.removeprefix(prefix): value
            for name, value in self.values.items()
            if name.startswith(RESOURCES + ".") == bool(prefix)
        }
        if prefix:
            mine = self.kind.job.resources.model_dump() | mine
        try:
            return part.model_validate(_nested(mine))
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._from_pydantic(prefix, detail)
            return None

    def _from_pydantic(self, prefix: str, detail: ErrorDetails) -> None:
        if detail["type"] == "fault":
            return  # find_faults sees it too, and sees it among broken answers as well
        name = prefix + ".".join(str(step) for step in detail["loc"])
        question = self.active.get(name)
        if question is None:
            if not self.broken:
                self.problems.append(Problem("not_accepted", self.answers.where, name, {"text": name}))
        elif name not in self.broken:
            code, facts = _limit_problem(question, detail)
            self._blame(question, code, facts)

    def find_faults(self, part: type[Part], prefix: str, values: Mapping[str, Any]) -> None:
        """Rules, conditions and dependent choices among the answers that are fine so far, in this part and the parts inside it."""
        known = {
            name: value
            for name, value in _with_defaults(part, prefix, values).items()
            if prefix + name not in self.broken
        }
        for fault in part.faults(known):
            question = self.active.get(prefix + fault.field)
            if question and question.name not in self.broken:
                self._blame(question, fault.code, self._fault_facts(prefix, fault))
        for name, info in part.model_fields.items():
            by = next((mark for mark in info.metadata if isinstance(mark, By)), None)
            inner = by.members.get(str(known.get(by.on))) if by else info.annotation
            if isinstance(inner, type) and issubclass(inner, Part):
                self.find_faults(inner, f"{prefix}{name}.", values)

    def _fault_facts(self, prefix: str, fault: Fault) -> Mapping[str, Fact]:
        if fault.code != "choice_needs":
            return fault.facts
        question = self.form.by_name[prefix + fault.field][0]
        choice = next(one for one in question.choices if one.label == fault.facts["choice"])
        deciding = self.form.by_name[prefix + str(fault.facts["on"])][0]
        return {
            "choice": choice.label,
            "on": deciding.label,
            "values": _labels(deciding, choice.when.values if choice.when else ()),
        }

    def _blame(
        self, question: Question, code: str, facts: Mapping[str, Fact], suggestion: str = "", where_key: str = ""
    ) -> None:
        self.broken.add(question.name)
        located = self.answers.given.get(where_key or question.key) or self.answers.given.get(question.name)
        where = located.where if located else self.answers.place(question.key)
        text = shown(clean(located.value)) if located and isinstance(located.value, str) else ""
        everything: dict[str, Fact] = {"label": question.label, "text": text, "example": question.example, **facts}
        self.problems.append(Problem(code, where, question.key, everything, suggestion))

    def sorted_problems(self) -> list[Problem]:
        order = {question.key: index for index, question in enumerate(self.form.questions)}
        return sorted(self.problems, key=lambda one: order.get(one.question, len(order)))


def _empty(located: Located[Given]) -> bool:
    return is_blank(located.value) if isinstance(located.value, str) else not located.value


def _has_default(job: type[Job], question: Question) -> bool:
    info = job.model_fields.get(question.name)
    return info is None or not info.is_required()


def _labels(question: Question, values: tuple[object, ...]) -> tuple[str | Words, ...]:
    """How a person reads these values of a question: its choices' labels, yes and no, or the values themselves."""
    return tuple(_label(question, one) for one in values)


def _label(question: Question, value: object) -> str | Words:
    if isinstance(value, bool):
        return Words("“yes”", ja="「はい」") if value else Words("“no”", ja="「いいえ」")
    choice = question.choice(value)
    return Words(f"“{choice.label.en}”", ja=f"「{choice.label.ja}」") if choice else str(value)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` → ``{"a": {"b": 1}}``."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        branch = tree
        for step in path:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree


def _with_defaults(part: type[Part], prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {}
    for name, info in part.model_fields.items():
        if prefix + name in values:
            known[name] = values[prefix + name]
        elif not info.is_required():
            known[name] = info.get_default()
    return known


def _limit_problem(question: Question, detail: ErrorDetails) -> tuple[str, dict[str, Fact]]:
    """pydantic's error types, translated; the names of types and context keys are those of pydantic-core's list of errors."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in LIMIT_CODES:
        code, theirs, ours = LIMIT_CODES[kind]
        return code, {ours: plain(context[theirs])}
    if kind in LENGTH_CODES:
        code, theirs, ours, counted = LENGTH_CODES[kind]
        return code, {ours: _count(context[theirs], counted), "length": _count(len(detail["input"]), counted)}
    if kind == "string_pattern_mismatch":
        return "bad_pattern", {}
    return "not_accepted", {}


def _count(number: int, counted: str) -> Words:
    said = {"characters": ("{} characters", "{}文字"), "members": ("{} choices", "{}個")}[counted]
    return Words(said[0].format(number), ja=said[1].format(number))


def plain(value: object) -> str:
    """A bound as a person would type it: 1, not 1.0; 2026/11/21."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return value.strftime("%Y/%m/%d")
    return f"{value.total_seconds() / 60:g} min" if isinstance(value, timedelta) else str(value)
