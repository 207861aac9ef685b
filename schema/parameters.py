"""A kind's answers as the hyperparameters of a ClearML task: which section and name each question has there, and the answers read back.

ClearML's page lists sections by their names and the parameters of a section in the order they were sent in (clearml-web,
``experiment-hyper-params-navbar``, ``selectExperimentHyperParamsSelectedSectionParams``). So a section is numbered in the order of the
form, ``2 hyperparameters random_forest``: a stretch of questions of one group that are asked under the same conditions; ``Job`` are
those of no group. The number is for the eye: reading goes by the rest of the name.

ClearML knows texts alone. No answer is the empty text; ``None`` and ``null`` are what it makes of nothing in a clone that somebody
edits (clearml#1175, #1235).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from pydantic_core import to_jsonable_python

from schema.answers import Answers, Given, Located, Where
from schema.history import form_at
from schema.kinds import Kind
from schema.question import Form, Question
from schema.words import FALLBACK, languages

PROPERTIES = "properties"
"""The section that ClearML keeps for user properties: what denpyo notes about a task stands there, and no answer."""
JOB = "Job"
NOTHING = ("None", "null")
NUMBERED = re.compile(r"[0-9]+ (.*)", re.DOTALL)
Parameters = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""``hyperparams`` of a task as ClearML's API has it: section → name → ``{section, name, value, type, description}``."""


def places(form: Form) -> dict[str, tuple[str, str]]:
    """Section and name of every question's parameter, by its key, in the order of the form."""
    stretches = [list(members) for _, members in groupby(form.questions, key=lambda one: (_group(one), one.section))]
    labels = [_label(members) for members in stretches]
    alike = Counter((label, _short(one)) for label, members in zip(labels, stretches, strict=True) for one in members)
    wide = len(str(len(stretches)))
    return {
        one.key: (f"{number:0{wide}} {label}", _short(one) if alike[label, _short(one)] == 1 else _long(one))
        for number, (label, members) in enumerate(zip(labels, stretches, strict=True), 1)
        for one in members
    }


def _group(question: Question) -> str:
    """The first step of a dotted name; none where there is one step alone."""
    return question.name.partition(".")[0] if "." in question.name else ""


def _label(members: Sequence[Question]) -> str:
    """The group, and the answers under which all of these are asked. A slash would part section and name for ClearML's SDK."""
    group = _group(members[0])
    shared = [one for one in members[0].conditions if all(one in two.conditions for two in members)]
    told = [str(value) for one in shared for value in one.values] if group else []
    return " ".join([group or JOB, *told]).replace("/", "-")


def _short(question: Question) -> str:
    return question.name.removeprefix(f"{_group(question)}.")


def _long(question: Question) -> str:
    return question.key.removeprefix(f"{_group(question)}.")


def spelled(question: Question, value: Any) -> str:
    """A value as it stands in a slip, or a default, as the text of a parameter: a choice by its value, "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    if question.widget == "duration" and isinstance(value, int | float):
        return str(to_jsonable_python(timedelta(seconds=value)))
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def properties(hyperparams: Parameters) -> dict[str, str]:
    """What is noted about a task, by name."""
    return {name: _value(one) for name, one in hyperparams.get(PROPERTIES, {}).items()}


def answers(task: str, hyperparams: Parameters, kinds: Mapping[str, Kind], where: Where) -> Answers:
    """The answers that a ClearML task carries, ``task`` its id. The properties say of which kind, version and language they are.

    A default that stands where the template put it is nothing that the person said: the question may not even be asked."""
    noted = properties(hyperparams)
    kind, version = kinds.get(noted.get("kind", "")), _version(noted.get("version", ""))
    form = (form_at(kind.job, kind.form, version or kind.form.version) or kind.form) if kind else None
    there = places(form) if form else {}
    keys = {(_plain(section), name): key for key, (section, name) in there.items()}
    given: dict[str, Located[Given]] = {}
    for section, name, text in _rows(hyperparams):
        key = keys.get((_plain(section), name), f"{section}/{name}")
        question = form.by_key.get(key) if form else None
        unsaid = text in NOTHING or (question is not None and text == spelled(question, question.default))
        given[key] = Located("" if unsaid else text, where.at(f"{section}/{name}"))
    language = noted.get("language", "")
    return Answers(
        kind=noted.get("kind", ""),
        where=where,
        given=given,
        language=language if language in languages() else FALLBACK,
        version=version,
        fingerprint=noted.get("schema", ""),
        named=f"clearml:{task}",
        places={key: where.at(f"{section}/{name}") for key, (section, name) in there.items()},
    )


def _rows(hyperparams: Parameters) -> Iterator[tuple[str, str, str]]:
    for section, members in hyperparams.items():
        if section.lower() != PROPERTIES:
            yield from ((section, name, _value(one)) for name, one in members.items())


def _value(parameter: Mapping[str, Any]) -> str:
    """ClearML leaves an empty value out of its answers."""
    return str(parameter.get("value") or "")


def _plain(section: str) -> str:
    found = NUMBERED.fullmatch(section)
    return found[1] if found else section


def _version(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,6}", text) else None
