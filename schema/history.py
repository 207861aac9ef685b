"""What a kind was before: the Form of every version, and which question became which, from the steps that the kind declares.

Steps are walked backwards from the Form of today, so that old sheets are read by their own keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from schema.answers import Where
from schema.job import Choice, Job
from schema.problem import Problem, nearest, shown
from schema.question import Form, Question, form_of, keyed
from schema.steps import Step
from schema.words import Fact, Words

FIRST = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One step with the Forms before and after it, and which questions became which."""

    version: int
    step: Step
    before: Form
    after: Form
    became: Mapping[str, tuple[str, ...]]
    """Keys after the step by the key before it."""


def form_at(job: type[Job], form: Form, version: int) -> Form | None:
    """The Form of a version of a kind, as far as reading needs it; None where its history does not reach so far."""
    if version == form.version:
        return form
    if not oldest(job) <= version < form.version:
        return None
    found = next((one.before for one in stages(job, form.kind) if one.version > version), form)
    return replace(found, version=version, questions=tuple(map(_offers_all, found.questions)))


def _offers_all(question: Question) -> Question:
    """Conditions of single choices name siblings as they are called today, which says nothing of an old form."""
    choices = tuple(Choice(one.value, one.label.en, ja=one.label.ja) for one in question.choices)
    return replace(question, choices=choices)


def oldest(job: type[Job]) -> int:
    """The oldest version whose answers can be brought up to date."""
    return min(job.history, default=job.version + 1) - 1


@cache
def stages(job: type[Job], kind: str) -> tuple[Stage, ...]:
    """Every step of a kind's history, the oldest first. A step that does not fit the Forms around it is a TypeError."""
    after, found = form_of(kind, job), []
    for version in sorted(job.history, reverse=True):
        for step in reversed(job.history[version]):
            stage = _stage(version, step, after)
            found.append(stage)
            after = stage.before
    return tuple(reversed(found))


def _stage(version: int, step: Step, after: Form) -> Stage:
    try:
        pairs = list(step.pairs(after))
        before = keyed(list({id(one): one for one, _ in pairs if one}.values()))
    except TypeError as error:
        raise TypeError(f"history[{version}]: {type(step).__name__}: {error}") from error
    keys = dict(zip({id(one): one for one, _ in pairs if one}, (one.key for one in before), strict=True))
    became: dict[str, list[str]] = {one.key: [] for one in before}
    for old, new in pairs:
        if old and new:
            became[keys[id(old)]].append(new.key)
    form = Form(after.kind, version - 1, after.title, after.about, before)
    return Stage(version, step, form, after, {key: tuple(keys) for key, keys in became.items()})


def refuse_wrong_history(job: type[Job], form: Form) -> None:
    """A TypeError where a history skips a version, holds what is no step, or speaks of questions that were not there."""
    history: Any = job.history
    if not isinstance(history, Mapping) or not all(isinstance(steps, tuple) for steps in history.values()):
        raise TypeError("write history: ClassVar = {2: (Renamed(…), …), 3: ()}")
    for version, steps in history.items():
        strange = next((one for one in steps if not isinstance(one, Step)), None)
        if strange is not None:
            raise TypeError(f"history[{version}]: {strange!r} is no step of schema.versions")
    if history and sorted(history) != list(range(max(FIRST + 1, min(history)), job.version + 1)):
        raise TypeError(
            f"history must speak of every version up to {job.version}, from 2 on at the earliest; () where no step is needed"
        )
    stages(job, form.kind)


def template_facts(form: Form) -> dict[str, Fact]:
    """Which template to use instead, as a person finds it."""
    return {"template": f"{form.kind}.form.xlsx", "current": str(form.version)}


def unknown_kind(kind: str, where: Where, forms: Mapping[str, Form]) -> Problem:
    """The Problem of a request for a kind that is not there, with the kinds there are by title and name."""
    known = tuple(Words(f"{one.title.en} ({name})", ja=f"{one.title.ja}（{name}）") for name, one in forms.items())
    return Problem("unknown_kind", where, "kind", {"kind": shown(kind), "kinds": known}, nearest(kind, forms))


def templates_there_are(forms: Iterable[Form]) -> dict[str, Fact]:
    """Which templates there are, by the titles that they show, for somebody who sent something else."""
    return {"templates": tuple(form.title for form in forms)}
