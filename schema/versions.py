"""Answers given to an older version of a kind, brought up to date, with a list of what changed.

A kind declares its history as ``{version: steps}``, each step one change that this version made. Steps are applied in the order in
which they stand; a name in a step is the question's name at that moment, or its key where one of several is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schema import words
from schema.answers import Answers, Given, Located, Where
from schema.change import Change
from schema.history import Stage, form_at, stages, template_facts
from schema.job import Job
from schema.problem import Problem, shown
from schema.question import Form, Question
from schema.steps import (
    Added,
    DefaultChanged,
    Moved,
    Refused,
    Removed,
    RemovedChoice,
    Renamed,
    RenamedChoice,
    Step,
    UnitChanged,
    typed,
)
from schema.text import Misread, read
from schema.words import Fact, Words

UNREADABLE = "\0"
"""Stands in for an answer that cannot be brought up to date: no question takes it, so that what hangs on it stays undecided."""


@dataclass(frozen=True, slots=True)
class Instead:
    """What an empty answer of an old form meant, by which it is answered if the question is asked; the change that says so."""

    text: Given
    change: Change


@dataclass(frozen=True, slots=True)
class Current:
    """Answers as the current version asks for them. ``instead`` and ``refused`` go by question key or plain name: what empty answers
    stand for, and the Problem of each answer that is UNREADABLE by now. ``problems`` speak of questions that are gone."""

    answers: Answers
    changes: tuple[Change, ...] = ()
    instead: Mapping[str, Instead] = field(default_factory=dict)
    refused: Mapping[str, Problem] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    defaults: Mapping[str, Change] = field(default_factory=dict)
    """Answers that said no more than the form of that time showed, as slips do: where today's form does not ask them, they go."""

    def own_words(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems of a judgement, those of UNREADABLE answers in the words of the step that refused them."""
        mine = [self._own(one) for one in problems]
        return [*self.problems, *mine]

    def _own(self, problem: Problem) -> Problem:
        name = problem.question.partition("@")[0]
        found = self.refused.get(problem.question) or self.refused.get(name)
        if found is None or problem.code != "hidden_character":
            return problem
        return replace(found, where=problem.where, question=problem.question)


@dataclass(frozen=True, slots=True)
class _Item:
    """An answer on its way: how it stands now and stood at first. ``empty``: what an empty answer meant; ``default``: it said what
    an empty answer would have meant."""

    text: Given
    where: Where
    first: Given
    empty: bool = False
    default: bool = False
    whys: tuple[Words, ...] = ()
    refusal: Problem | None = None


def old_version(answers: Answers, form: Form) -> bool:
    return answers.version is not None and answers.version < form.version


def bring_up_to_date(answers: Answers, job: type[Job], form: Form) -> Current:
    """Answers of an older version as the current one asks for them; each stays at its place. The version must not be before ``oldest``."""
    version = answers.version if answers.version is not None else form.version
    road = _Road(answers, form_at(job, form, version) or form, form)
    for stage in (one for one in stages(job, form.kind) if one.version > version):
        road.walk(stage)
    return road.arrived()


@dataclass
class _Road:
    """Answers on their way through the stages."""

    answers: Answers
    old: Form
    form: Form
    items: dict[str, _Item] = field(default_factory=dict)
    places: dict[str, Where] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.items = {key: _Item(one.value, one.where, one.value) for key, one in self.answers.given.items()}
        self.items = {key: replace(one, default=self._is_default(key, one)) for key, one in self.items.items()}
        self.places = dict(self.answers.places)

    def _is_default(self, key: str, item: _Item) -> bool:
        question = self.old.by_key.get(key) or self._asked_of(self.old, key)
        return question is not None and question.default is not None and read(question, item.text) == question.default

    def walk(self, stage: Stage) -> None:
        self._fill_in(stage)
        moved: dict[str, _Item] = {}
        for key, item in self.items.items():
            self._carry(stage, key, item, moved)
        self.places = {new: where for key, where in self.places.items() for new in self._targets(stage, key)} | {
            key: where for key, where in self.places.items() if key not in stage.before.by_key
        }
        self.items = moved
        if isinstance(stage.step, Added):
            self._add(stage, stage.step)

    def _fill_in(self, stage: Stage) -> None:
        """An empty answer to a question whose default changes stands for the old one."""
        if not isinstance(stage.step, DefaultChanged):
            return
        for question in (one for one in stage.before.questions if stage.step.means(one)):
            key, item = self._found(question)
            if item is None or (not item.empty and _is_empty(question, item.text)):
                self._stand_in(stage, question, key)

    def _found(self, question: Question) -> tuple[str, _Item | None]:
        """The answer to a question and the key it goes by: its own, or the name alone where that is what was written."""
        mine, shared = self.items.get(question.key), self.items.get(question.name)
        if shared and (mine is None or _is_empty(question, mine.text)):
            return question.name, shared
        return question.key, mine

    def _stand_in(self, stage: Stage, question: Question, key: str) -> None:
        where = self.items[key].where if key in self.items else self.places.get(key, self.answers.where)
        if question.default is None:
            refusal = self._problem("blank_changed", where, question, stage)
            self.items[question.key] = _Item(UNREADABLE, where, "", empty=True, refusal=refusal)
        else:
            why = _words("version_default", {"version": str(stage.version)})
            self.items[question.key] = _Item(typed(question, question.default), where, "", empty=True, whys=(why,))

    def _add(self, stage: Stage, step: Added) -> None:
        """A question that old forms lack is answered as its step says, or by its default; a required one cannot be."""
        for question in (one for one in stage.after.questions if step.means(one)):
            value = question.default if step.value is None else step.value
            if question.key in self.items or (value is None and not question.required):
                continue
            if value is None:
                refusal = self._problem("added_question", self.answers.where, question, stage)
                self.items[question.key] = _Item(UNREADABLE, self.answers.where, "", empty=True, refusal=refusal)
            else:
                why = _words("version_added", {"version": str(stage.version)})
                text = typed(question, value)
                self.items[question.key] = _Item(text, self.answers.where, "", empty=True, whys=(why,))

    def _carry(self, stage: Stage, key: str, item: _Item, moved: dict[str, _Item]) -> None:
        question = stage.before.by_key.get(key) or self._asked_of(stage.before, key)
        if question is None:
            moved[key] = item
            return
        targets = self._targets(stage, key, question)
        if not targets:
            self._drop(stage, question, item)
        for target in targets:
            self._put(stage, question, target, self._converted(stage, question, item, target), moved)

    def _targets(self, stage: Stage, key: str, question: Question | None = None) -> tuple[str, ...]:
        """Where the answer goes: to a key, to the plain name where it came by one or several questions share it, or nowhere."""
        question = question or stage.before.by_key.get(key)
        if question is None:
            return ()
        keys = stage.became[question.key]
        names = tuple(dict.fromkeys(stage.after.by_key[one].name for one in keys))
        return keys if len(keys) == 1 and key == question.key else names

    def _asked_of(self, form: Form, name: str) -> Question | None:
        """Of the questions that share a name the one that the answers ask."""
        same = form.by_name.get(name, ())
        return next((one for one in same if self._asks(form, one)), same[0] if same else None)

    def _asks(self, form: Form, question: Question) -> bool:
        return all(self._holds(form, condition.on, condition.values) for condition in question.conditions)

    def _holds(self, form: Form, on: str, values: tuple[object, ...]) -> bool:
        deciding = self._asked_of(form, on)
        if deciding is None:
            return False
        _, item = self._found(deciding)
        value = read(deciding, item.text) if item else None
        value = deciding.default if value is None else value
        return any(one in values for one in value) if isinstance(value, tuple) else value in values

    def _put(self, stage: Stage, question: Question, target: str, item: _Item, moved: dict[str, _Item]) -> None:
        """One of several answers that become one: what was asked and filled in stays, another one filled in is a Problem."""
        there = moved.get(target)
        if there is None or (there.empty and self._asks(stage.before, question)) or _says_nothing(there):
            moved[target] = item
        elif not item.empty and not _says_nothing(item):
            if there.empty:
                moved[target] = item
            else:
                self.problems.append(Problem("duplicate_question", item.where, target, {"label": question.label}))

    def _converted(self, stage: Stage, question: Question, item: _Item, target: str) -> _Item:
        if item.text == UNREADABLE or not stage.step.means(question):
            return item
        value = read(question, item.text)
        if value is None or isinstance(value, Misread):
            return item
        found = stage.step.converted(question, value, item.text)
        if isinstance(found, Refused):
            after = stage.after.by_key.get(target) or stage.after.by_name[target][0]
            facts: dict[str, Fact] = {"choice": found.choice, "choices": tuple(one.label for one in after.choices)}
            return replace(
                item, text=UNREADABLE, refusal=self._problem("removed_choice", item.where, question, stage, facts)
            )
        name = stage.step.words(found != item.text)
        if not name:
            return replace(item, text=found)
        why = _words(name, {"version": str(stage.version), **stage.step.facts()})
        return replace(item, text=found, whys=(*item.whys, why))

    def _drop(self, stage: Stage, question: Question, item: _Item) -> None:
        value = read(question, item.text)
        if value is None:
            return
        before = _said(item.first)
        if isinstance(value, Misread) or value != question.default:
            facts: dict[str, Fact] = {"text": shown(before)}
            self.problems.append(self._problem("removed_question", item.where, question, stage, facts))
        elif not item.empty:
            why = _words("version_removed", {"version": str(stage.version)})
            self.changes.append(Change(question.name, before, "", why))

    def _problem(
        self, code: str, where: Where, question: Question, stage: Stage, facts: Mapping[str, Fact] | None = None
    ) -> Problem:
        around = {"label": question.label, "version": str(stage.version), **template_facts(self.form)}
        return Problem(code, where, question.key, {**around, **(facts or {})})

    def arrived(self) -> Current:
        given = {key: Located(one.text, one.where) for key, one in self.items.items() if not one.empty}
        instead = {key: Instead(one.text, _change(key, one)) for key, one in self.items.items() if one.empty}
        changed = [_change(key, one) for key, one in self.items.items() if one.whys and not one.empty]
        return Current(
            answers=replace(
                self.answers,
                given=given,
                places={**_left_empty(self.items), **self.places},
                version=self.form.version,
                fingerprint="",
            ),
            changes=(*self.changes, *changed),
            instead=instead,
            refused={key: one.refusal for key, one in self.items.items() if one.refusal},
            problems=tuple(self.problems),
            defaults={key: _not_asked(key, one) for key, one in self.items.items() if one.default},
        )


def _left_empty(items: Mapping[str, _Item]) -> dict[str, Where]:
    return {key: one.where for key, one in items.items() if one.empty}


def _change(key: str, item: _Item) -> Change:
    why = Words("; ".join(one.en for one in item.whys), ja="、".join(one.ja for one in item.whys))
    return Change(key.partition("@")[0], _said(item.first), _said(item.text), why)


def _not_asked(key: str, item: _Item) -> Change:
    return Change(key.partition("@")[0], _said(item.first), "", _words("version_not_asked", {}))


def _said(text: Given) -> str:
    return text if isinstance(text, str) else ", ".join(text)


def _is_empty(question: Question, text: Given) -> bool:
    return read(question, text) is None


def _says_nothing(item: _Item) -> bool:
    return not (item.text.strip() if isinstance(item.text, str) else item.text)


def _words(name: str, facts: Mapping[str, Fact]) -> Words:
    return Words(words.text(name, "en", **facts), ja=words.text(name, "ja", **facts))


__all__ = [
    "Added",
    "Current",
    "DefaultChanged",
    "Instead",
    "Moved",
    "Removed",
    "RemovedChoice",
    "Renamed",
    "RenamedChoice",
    "Step",
    "UnitChanged",
    "bring_up_to_date",
    "old_version",
]
