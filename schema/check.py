"""Answers → a checked job, or every Problem at once, each with its place. Pure: what an engine must look up is judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schema.answers import Answers, Given, Located
from schema.change import Change as Change
from schema.history import oldest, template_facts, unknown_kind
from schema.job import By, Fault, Job, Part, Resources
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import RESOURCES, Form, Question
from schema.refusals import count, limit_problem, percentage_meant, relation, said_bound
from schema.short_way import nested, short_way
from schema.text import Misread, clean, hidden, is_blank, read
from schema.versions import Current, bring_up_to_date
from schema.words import Fact, Words, both

LONGEST_AROUND = 200


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
        forms = {name: one.form for name, one in kinds.items()}
        unknown = unknown_kind(answers.kind, answers.place("kind"), forms)
        return Judged(None, (unknown,), {})
    stale = _version_problem(answers, kind)
    if stale:
        return Judged(None, (stale,), {})
    if answers.version not in (None, kind.form.version):
        current = bring_up_to_date(answers, kind.job, kind.form)
        return _judged(_Judge(kind, current.answers, outdated=current, changes=list(current.changes)))
    good = None if _around(answers) else short_way(kind).take(answers)
    if good:
        changes = tuple(Change(name, "", value, why) for name, value, why in good.filled)
        return Judged(Checked(answers.kind, good.job, good.resources, changes), (), good.values)
    return judge_carefully(kind, answers)


def judge_carefully(kind: Kind, answers: Answers) -> Judged:
    """As ``judge``, for answers to this version of a kind: the way that says what is wrong."""
    return _judged(_Judge(kind, answers))


def _judged(judge: _Judge) -> Judged:
    judge.problems += _around(judge.answers)
    judge.read_all()
    job, resources = judge.validated(judge.kind.job, ""), judge.validated(Resources, f"{RESOURCES}.")
    judge.find_faults(judge.kind.job, "", judge.values)
    if not judge.problems and not (judge.outdated and judge.outdated.problems):
        judge.say_why_it_was_refused()
    good = {name: value for name, value in judge.values.items() if name not in judge.broken}
    problems = judge.sorted_problems()
    if problems or not isinstance(job, Job) or not isinstance(resources, Resources):
        return Judged(None, tuple(problems), good)
    return Judged(Checked(judge.answers.kind, job, resources, tuple(judge.changes)), (), good)


def _around(answers: Answers) -> list[Problem]:
    """What is wrong with who asks, or why again: texts that the forms carry beside the questions."""
    found = []
    for name, located in (("request.sender", answers.sender), ("request.again", answers.again)):
        if located and (unseen := hidden(located.value)):
            found.append(Problem(unseen.code, located.where, name, unseen.facts))
        elif located and len(located.value) > LONGEST_AROUND:
            facts: dict[str, Fact] = {
                "length": count(len(located.value), "characters"),
                "longest": count(LONGEST_AROUND, "characters"),
            }
            found.append(Problem("too_long", located.where, name, facts))
    return found


def _version_problem(answers: Answers, kind: Kind) -> Problem | None:
    """Why answers of this version cannot be judged: those of an older one that the kind's history reaches can."""
    form, version = kind.form, answers.version
    if version is not None and oldest(kind.job) <= version < form.version:
        return None
    if version in (None, form.version):
        same = answers.fingerprint in ("", form.fingerprint)
        return None if same else Problem("changed_template", answers.place("version"), "version")
    code = "old_template" if (version or 0) < form.version else "newer_template"
    facts: dict[str, Fact] = {"version": str(version), **template_facts(form)}
    return Problem(code, answers.place("version"), "version", facts)


@dataclass
class _Judge:
    """One judgement under way: values read so far by question name, names that are broken, and the problems found."""

    kind: Kind
    answers: Answers
    values: dict[str, Any] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    active: dict[str, Question] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    consumed: set[str] = field(default_factory=set)
    details: list[tuple[str, ErrorDetails]] = field(default_factory=list)
    outdated: Current | None = None

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

    def _located(self, question: Question) -> Located[Given] | None:
        """The answer to a question, by its key or, where a door cannot tell members apart, by its plain name."""
        mine, shared = (self.answers.given.get(name) for name in (question.key, question.name))
        return shared if shared and (mine is None or _empty(mine)) else mine

    def _given(self, question: Question) -> Located[Given] | None:
        self.consumed |= {question.key, question.name}
        shared, found = self.answers.given.get(question.name), self._located(question)
        if question.key != question.name and shared and not _empty(shared) and found is not shared:
            facts = {"label": question.label}
            self.problems.append(Problem("duplicate_question", shared.where, question.name, facts))
        return found

    def _read_asked(self, question: Question) -> None:
        """Read the answer of a question that is asked. An empty one is left to the default, or is missing."""
        self.active[question.name] = question
        located = self._given(question)
        value = read(question, located.value) if located else None
        if value is None and self.outdated:
            value = self._meant_before(question, self.outdated)
        if isinstance(value, Misread):
            self._blame(question, value.code, value.facts, value.suggestion)
        elif value is not None:
            self.values[question.name] = value
        elif question.required:
            self._blame(question, "missing", {})

    def _meant_before(self, question: Question, outdated: Current) -> Any:
        """What an empty answer stood for in the older form that it was given in."""
        found = outdated.instead.get(question.key) or outdated.instead.get(question.name)
        if found is None:
            return None
        value = read(question, found.text)
        if not isinstance(value, Misread):
            self.changes.append(found.change)
        return value

    def _complete(self) -> None:
        given = {name: value for name, value in self.values.items() if "." not in name}
        for name, (value, why) in self.kind.job.complete(given).items():
            if name not in self.values and name not in self.broken:
                self.values[name] = value
                self.changes.append(Change(name, "", str(value), why))
        refused = bool(self.broken)
        for question in self.form.questions:
            if self._stays_open(question):
                if refused:  # it follows from an answer that was refused: what hangs on it cannot be judged
                    self.broken.add(question.name)
                else:
                    self._blame(question, "missing", {})

    def _stays_open(self, question: Question) -> bool:
        """Whether an answer that was to follow from others did not."""
        follows = question.follows and "." not in question.name
        return follows and question.name not in self.values and question.name not in self.broken

    def _read_conditional(self, question: Question) -> None:
        if any(condition.on in self.broken | self.undecided for condition in question.conditions):
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
        self.undecided.add(question.name)
        value = read(question, located.value) if located else None
        if isinstance(value, Misread):
            self._blame(question, value.code, value.facts, value.suggestion)

    def _unasked(self, key: str, located: Located[Given]) -> None:
        """An answer to a question that does not exist, or that another answer switches off."""
        question = self.form.question(key)
        if question is None:
            facts = {"name": shown(key)}
            suggestion = nearest(key, self.form.by_name)
            self.problems.append(Problem("unknown_question", located.where, key, facts, suggestion))
            return
        if read(question, located.value) is None:
            return  # it says "nothing" in the words that the form shows for an empty answer
        if self.outdated and (gone := self.outdated.defaults.get(key)):
            self.changes = [*(one for one in self.changes if one.question != gone.question), gone]
            return
        condition = next(one for one in question.conditions if not self._holds(one.on, one.values))
        alike = (question,) if key == question.key else self.form.by_name[question.name]
        values = tuple(
            value for two in alike for other in two.conditions if other.on == condition.on for value in other.values
        )
        deciding = self._deciding(condition.on)
        facts_off: dict[str, Fact] = {"on": deciding.label, "values": _labels(deciding, values)}
        self._blame(question, "switched_off", facts_off, where_key=key)

    def _deciding(self, on: str) -> Question:
        return self.active.get(on) or self.form.by_name[on][0]

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
            return part.model_validate(nested(mine))
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._from_pydantic(prefix, detail)
            return None

    def _from_pydantic(self, prefix: str, detail: ErrorDetails) -> None:
        name = prefix + ".".join(str(step) for step in detail["loc"])
        self.details.append((name, detail))
        if detail["type"] == "fault":
            return  # find_faults sees it too, and sees it among broken answers as well
        question = self.active.get(name)
        if question and name not in self.broken:
            code, facts = limit_problem(question, detail)
            located = self._located(question)
            meant = percentage_meant(question, detail["input"], located and located.value) if code == "too_big" else ""
            self._blame(question, code, facts, meant)

    def say_why_it_was_refused(self) -> None:
        """What pydantic refused though nothing above blamed an answer for it: a refusal never comes without a reason."""
        for name, detail in self.details:
            fault = detail.get("ctx", {}).get("fault")
            rule = fault.facts if isinstance(fault, Fault) and fault.code == "rule" else None
            facts: Mapping[str, Fact] = rule or {"text": name}
            self.problems.append(Problem("rule" if rule else "not_accepted", self.answers.place(name), name, facts))

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
        if fault.code not in ("choice_needs", "order"):
            return fault.facts
        question, deciding = self._deciding(prefix + fault.field), self._deciding(prefix + str(fault.facts["on"]))
        if fault.code == "order":
            return {"on": deciding.label, "relation": relation(question)}
        choice = next(one for one in question.choices if one.label == fault.facts["choice"])
        values = choice.when.values if choice.when else ()
        return {"choice": choice.label, "on": deciding.label, "values": _labels(deciding, values)}

    def _blame(
        self,
        question: Question,
        code: str,
        facts: Mapping[str, Fact],
        suggestion: str | Words = "",
        where_key: str = "",
    ) -> None:
        self.broken.add(question.name)
        located = self.answers.given.get(where_key) if where_key else self._located(question)
        where = located.where if located else self.answers.place(question.key)
        text = shown(clean(located.value)) if located and isinstance(located.value, str) else ""
        everything: dict[str, Fact] = {"label": question.label, "text": text, "example": question.example, **facts}
        if code == "leave_empty":
            everything["blank"] = _when_empty(question)
        self.problems.append(Problem(code, where, question.key, everything, suggestion))

    def sorted_problems(self) -> list[Problem]:
        order = {question.key: index for index, question in enumerate(self.form.questions)}
        found = self.outdated.own_words(self.problems) if self.outdated else self.problems
        return sorted(found, key=lambda one: order.get(one.question, len(order)))


def _empty(located: Located[Given]) -> bool:
    return is_blank(located.value) if isinstance(located.value, str) else not located.value


def _when_empty(question: Question) -> Fact:
    """What an answer that is left empty stands for, as the sheet shows it."""
    values = question.default if isinstance(question.default, tuple) else (question.default,)
    said = tuple(_plain_label(question, one) for one in values if one is not None)
    return question.blank or said or both("excel_nothing")


def _plain_label(question: Question, value: object) -> str | Words:
    if isinstance(value, bool):
        return both("yes" if value else "no")
    choice = question.choice(value)
    return choice.label if choice else said_bound(question, value)


def _labels(question: Question, values: tuple[object, ...]) -> tuple[str | Words, ...]:
    """How a person reads these values of a question: its choices' labels, yes and no, or the values themselves."""
    return tuple(_label(question, one) for one in values)


def _label(question: Question, value: object) -> str | Words:
    if isinstance(value, bool):
        return Words("“yes”", ja="「はい」") if value else Words("“no”", ja="「いいえ」")
    choice = question.choice(value)
    return Words(f"“{choice.label.en}”", ja=f"「{choice.label.ja}」") if choice else str(value)


def _with_defaults(part: type[Part], prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    known = {}
    for name, info in part.model_fields.items():
        if prefix + name in values:
            known[name] = values[prefix + name]
        elif not info.is_required():
            known[name] = info.get_default()
    return known
