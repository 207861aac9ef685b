"""The ClearML door: a kind as a template task, which people clone, edit and enqueue on ClearML's own page, and such a clone read back.

``write`` makes what ``denpyo clearml sync`` brings the template up to: its ``name`` and ``comment``, and ``hyperparams`` as ClearML's
API has them (``tasks.create``: section → name → ``{section, name, type, value, description}``). The page has neither drop-down lists nor
limits (clearml#1029): all is said in the descriptions, which it shows beside each parameter, and ``check`` decides.

``read`` takes what ``tasks.get_all`` says of a task, as JSON: its ``id`` and its ``hyperparams``; more may stand there. A place is a
section and a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from generators import Read
from generators.excel.entry import help_lines, only_when, when_blank
from schema import parameters, words
from schema.answers import Where
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import Form, Question, Widget

TYPES: Mapping[Widget, str] = {"whole_number": "int", "number": "float", "yes_no": "bool"}
"""The types that ClearML's SDK knows; all else is text to it."""
QUEUE = "denpyo"
"""Where clones go to, unless a desk says otherwise."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
Sections = dict[str, dict[str, dict[str, str]]]


def write(form: Form, language: str, queue: str = QUEUE) -> bytes:
    """The definition of a kind's template, in bytes that follow from form, language and the queue that people are told alone."""
    title = words.text("clearml_name", language, title=form.title, kind=form.kind)
    definition = {
        "kind": form.kind,
        "version": form.version,
        "fingerprint": form.fingerprint,
        "language": language,
        "name": " ".join(title.split()),
        "comment": f"{form.about.say(language)}\n\n{words.text('clearml_how', language, queue=queue)}",
        "hyperparams": {**hyperparams(form, language), parameters.PROPERTIES: _noted(form, language)},
    }
    return (json.dumps(definition, ensure_ascii=False, indent=1) + "\n").encode()


def hyperparams(form: Form, language: str, values: Mapping[str, Any] = NOTHING) -> Sections:
    """Every question in its section, with its default, or where it is asked what ``values`` (as in a slip, by question name) say."""
    found: Sections = {}
    for key, (section, name) in parameters.places(form).items():
        question = form.by_key[key]
        value = values.get(question.name) if values and _asked(question, values) else question.default
        found.setdefault(section, {})[name] = {
            "section": section,
            "name": name,
            "type": TYPES.get(question.widget, "str"),
            "value": parameters.spelled(question, value),
            "description": "\n".join(one for one in _description(form, question, language) if one.strip()),
        }
    return found


def _noted(form: Form, language: str) -> dict[str, dict[str, str]]:
    """What a clone says of itself when it comes back."""
    told = {"kind": form.kind, "version": str(form.version), "language": language, "schema": form.fingerprint}
    return {
        name: {"section": parameters.PROPERTIES, "name": name, "type": "", "value": value, "description": ""}
        for name, value in told.items()
    }


def _asked(question: Question, values: Mapping[str, Any]) -> bool:
    return all(_meets(values.get(one.on), one.values) for one in question.conditions)


def _meets(value: object, wanted: tuple[object, ...]) -> bool:
    return any(one in wanted for one in value) if isinstance(value, list | tuple) else value in wanted


def _description(form: Form, question: Question, language: str) -> Iterator[str]:
    unit = words.text("in_brackets", language, text=question.unit.say(language)) if question.unit else ""
    yield question.label.say(language) + unit
    if question.required:
        yield words.text("excel_required", language)
    yield from (only_when(form, one, language) for one in question.conditions)
    yield from help_lines(form, question, language)
    yield from (f"- {one.value}: {one.label.say(language)}" for one in question.choices)
    if question.widget == "many_choice":
        yield words.text("clearml_several", language)
    if not question.required:
        yield words.text("excel_blank_means", language, blank=when_blank(question, language))


def read(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """The request that a task makes. A task that says nothing of a kind is no clone of a template."""
    where = Where(name)
    try:
        task = json.loads(data)
        id, given = str(task["id"]), _sections(task.get("hyperparams") or {})
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [], [Problem("broken_response", where, facts={"detail": "hyperparams"})]
    answers = parameters.answers(id, given, kinds, where)
    if not answers.kind:
        return [Read(answers, (Problem("not_from_template", where),))], []
    return [Read(answers)], []


def _sections(given: Mapping[str, Any]) -> Sections:
    return {
        section: {name: {"value": str(one.get("value") or "")} for name, one in members.items()}
        for section, members in given.items()
    }
