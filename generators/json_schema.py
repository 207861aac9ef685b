"""The YAML door: a kind as JSON Schema (draft 2020-12), which editors complete and check by, and documents written by hand, read back.

The schema describes both a bare ``kind:`` + ``job:`` document and a whole slip.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generators import Read
from generators.flat_document import unfolded
from generators.json_schema_questions import Schema, both, group, json_value, lines
from schema import slip, text
from schema.answers import Answers, Where
from schema.envelope import (
    BARE_KEYS,
    CHANGE_KEYS,
    FORMAT,
    LIST,
    MAPPING,
    SENDER_KEYS,
    SLIP_KEYS,
    VALUE,
    VIA_KEYS,
    WHY_KEYS,
    envelope_problems,
)
from schema.history import form_at
from schema.job import IDENTIFIER
from schema.kinds import Kind
from schema.problem import Problem, nearest, shown
from schema.question import RESOURCES, Form
from schema.words import Words, languages
from schema.yaml_text import Node, load

if TYPE_CHECKING:
    from jsonschema import ValidationError

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def write(form: Form) -> bytes:
    """The JSON Schema of a kind, in bytes that follow from the form alone."""
    return (json.dumps(_document(form), ensure_ascii=False, indent=1) + "\n").encode()


def _document(form: Form) -> Schema:
    properties = {name: {"title": both(title), **shape} for name, (title, shape) in _envelope(form).items()}
    slip_only = [name for name in SLIP_KEYS if name not in BARE_KEYS]
    return {
        "$schema": DRAFT,
        "title": both(form.title),
        "description": lines(form.about),
        "x-denpyo-kind": form.kind,
        "x-denpyo-version": form.version,
        "x-denpyo-fingerprint": form.fingerprint,
        "type": "object",
        "properties": properties,
        "required": ["kind", "job"],
        "additionalProperties": False,
        "if": {"required": ["denpyo"]},
        "then": {
            "properties": {"again": False, "requested_by": {"type": "object", "required": [*SENDER_KEYS]}},
            "required": [name for name in SLIP_KEYS if name != "id"],
        },
        "else": {"properties": dict.fromkeys(slip_only, False)},
    }


def _envelope(form: Form) -> dict[str, tuple[Words, Schema]]:
    """Every name around the job, in the order of a slip: its title and what it holds."""
    job = [one for one in form.questions if not one.name.startswith(f"{RESOURCES}.")]
    taken = [one for one in form.questions if one.name.startswith(f"{RESOURCES}.")]
    change = _texts(CHANGE_KEYS[:3]) | {"why": _mapping(_texts(WHY_KEYS))}
    return {
        "denpyo": (Words("Format of the slip", ja="伝票の形式"), {"const": FORMAT}),
        "id": (Words("Number of the request", ja="受付番号"), {"type": "string", "pattern": IDENTIFIER}),
        "kind": (Words("Kind of job", ja="依頼の種類"), {"const": form.kind}),
        "version": (Words("Version of the kind", ja="種類の版"), {"const": form.version}),
        "schema": (
            Words("Fingerprint of the questions", ja="質問の指紋"),
            {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        ),
        "by": (Words("Written by", ja="作成したプログラム"), {"type": "string"}),
        "requested_by": (
            Words("Who asks", ja="依頼者"),
            {"anyOf": [{"type": "string"}, _mapping(_texts(SENDER_KEYS), required=["name"])]},
        ),
        "requested_at": (Words("When it was asked", ja="依頼日時"), {"type": "string", "format": "date-time"}),
        "via": (Words("Where it came from", ja="届いた経路"), _mapping(_texts(VIA_KEYS))),
        "again": (Words("Why it should run again", ja="再実行の理由"), {"type": "string"}),
        "language": (Words("Language of the answers", ja="返事の言語"), {"enum": sorted(languages())}),
        "job": (form.title, group(job, "", ())),
        "resources": (taken[0].section, group(taken, f"{RESOURCES}.", ())),
        "changes": (
            Words("Changed for the sender", ja="代わりに補った内容"),
            {"type": "array", "items": _mapping(change)},
        ),
    }


def _texts(names: Sequence[str]) -> Schema:
    return {name: {"type": "string"} for name in names}


def _mapping(properties: Schema, required: Sequence[str] | None = None) -> Schema:
    needed = list(properties if required is None else required)
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def read(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """Every document of a file, bare or a whole slip; and what is wrong with the file itself, in place of what cannot be read.

    ``Read.problems`` is what ``check`` cannot see, as it sees answers alone: the names and shapes around the job, names that no
    question has, and a mapping where a value belongs or the other way round. Everything else is left to ``check``, which finds
    the places of missing answers in ``Answers.places``. Where both find something at one place, the one of the door counts.
    A slip may come without its id, to be a new request.
    """
    documents = [unfolded(one, kinds) if isinstance(one, Node) else one for one in load(data, name)]
    broken = [one for one in documents if isinstance(one, Problem)]
    filled = [one for one in documents if isinstance(one, Node) and one.value]
    if not filled:
        return [], broken or [Problem("no_answers", Where(name))]
    strange = [problem for one in filled if not isinstance(one.value, dict) for problem in envelope_problems(one)]
    return [_read(one, kinds) for one in filled if isinstance(one.value, dict)], [*broken, *strange]


def _read(node: Node, kinds: Mapping[str, Kind]) -> Read:
    keys = SLIP_KEYS if node.get("denpyo") else BARE_KEYS
    found = [one for one in envelope_problems(node, keys) if (one.code, one.question) != ("missing", "id")]
    answers = slip.answers(node)
    kind = kinds.get(answers.kind)
    version = kind.form.version if kind and answers.version is None else answers.version
    form = form_at(kind.job, kind.form, version) if kind and version is not None else None
    if form is None:
        return Read(answers, tuple(found))
    misplaced = _misplaced(node, form)
    return Read(_answers(node, form, answers, misplaced), (*found, *misplaced))


def _answers(root: Node, form: Form, answers: Answers, misplaced: Sequence[Problem]) -> Answers:
    """The answers without those that a Problem speaks of already; and where each answer that is missing would stand."""
    spoken = {problem.question: problem.where for problem in misplaced}
    given = {name: located for name, located in answers.given.items() if _spoken_of(name, spoken) is None}
    meant = {str(problem.suggestion): problem.where for problem in misplaced if problem.suggestion} | spoken
    places = {one.key: _spoken_of(one.name, meant) or _place(root, one.name) for one in form.questions}
    return replace(answers, given=given, places={**places, **answers.places})


def _spoken_of(name: str, spoken: Mapping[str, Where]) -> Where | None:
    return next((where for group, where in spoken.items() if name == group or name.startswith(f"{group}.")), None)


def _place(root: Node, name: str) -> Where:
    """The name of the innermost mapping that is there and would hold the answer."""
    where, node = root.where, root
    for step in _steps(name)[:-1]:
        inner = node.get(step)
        if inner is None:
            break
        where, node = (node.keys[step], inner) if isinstance(inner.value, dict) else (inner.where, inner)
    return where


def _steps(name: str) -> list[str]:
    steps = name.split(".")
    return steps if steps[0] == RESOURCES else ["job", *steps]


def _misplaced(root: Node, form: Form) -> list[Problem]:
    """Unknown names and wrong shapes inside job and resources, in the order of the document; none twice at one place."""
    from jsonschema import Draft202012Validator  # takes 58 ms, which only those who write by hand should wait

    found: dict[Where, Problem] = {}
    for error in Draft202012Validator(_document(form)).iter_errors(_instance(root, form)):
        for problem in _problems_of(error, root, form):
            found.setdefault(problem.where, problem)
    return sorted(found.values(), key=lambda one: [int(number) for number in one.where.spot.split(":")])


def _instance(root: Node, form: Form) -> dict[str, Any]:
    """The document as JSON, its answers as ``check`` will understand them; what stands around the job is judged elsewhere."""
    parts = {name: root.get(name) for name in ("job", RESOURCES)}
    filled = {
        name: _filled(node, form, "" if name == "job" else f"{name}.")
        for name, node in parts.items()
        if node and isinstance(node.value, dict)
    }
    return {"kind": form.kind, "job": {}, **filled}


def _filled(node: Node, form: Form, prefix: str) -> dict[str, Any]:
    found = {}
    for name, member in node.value.items() if isinstance(node.value, dict) else ():
        value = _value(member, form, prefix + name)
        if value is not None or prefix + name not in _known(form):
            found[name] = value
    return found


def _value(node: Node, form: Form, name: str) -> Any:
    """A scalar as the first question of that name reads it, or as it was typed; None where nothing was."""
    if isinstance(node.value, dict):
        return _filled(node, form, f"{name}.")
    if isinstance(node.value, list) and not all(isinstance(one.value, str) for one in node.value):
        return [_value(one, form, name) for one in node.value]
    typed = node.value if isinstance(node.value, str) else tuple(one.text() for one in node.value)
    values = [text.read(question, typed) for question in form.by_name.get(name, ())]
    value = next((one for one in values if not isinstance(one, text.Misread)), typed or None)
    return json_value(value)


def _known(form: Form) -> set[str]:
    """The names of all questions, and of the mappings they stand in."""
    names = [name.split(".") for name in form.by_name]
    return {".".join(steps[:length]) for steps in names for length in range(1, len(steps) + 1)}


def _problems_of(error: ValidationError, root: Node, form: Form) -> Iterator[Problem]:
    """What ``check`` does not see of an error: it judges every value itself, and which answers belong together."""
    path = list(error.absolute_path)
    part = root.get(str(path[0])) if path else None
    if part is None or not isinstance(part.value, dict):
        return
    node, name = _at(root, path), _dotted(path)
    if error.validator == "additionalProperties":
        yield from _unknown_names(node, path, error, {one for one in _known(form) if _steps(one)[0] == path[0]})
    elif error.validator == "type":
        types: Any = error.validator_value
        expected = types if isinstance(types, list) else [types]
        if ("object" in expected) != isinstance(node.value, dict):
            yield Problem("yaml_shape", node.where, name, {"expected": _said(expected)})


def _dotted(path: Sequence[str | int]) -> str:
    steps = [step for step in path if isinstance(step, str)]
    return ".".join(steps if steps[0] == RESOURCES else steps[1:])


def _at(root: Node, path: Sequence[str | int]) -> Node:
    node = root
    for step in path:
        members: Any = node.value
        node = members[step]
    return node


def _said(expected: Sequence[str]) -> Words:
    return MAPPING if "object" in expected else LIST if "array" in expected else VALUE


def _unknown_names(node: Node, path: Sequence[str | int], error: ValidationError, known: set[str]) -> Iterator[Problem]:
    schema: Any = error.schema
    for step in (step for step in node.keys if step not in schema["properties"]):
        name = f"job.{step}" if [*path, step] == ["job", RESOURCES] else _dotted([*path, step])
        if name not in known or "." in step:
            meant = nearest(name, known)
            facts = {"name": shown(name)}
            yield Problem("unknown_question", node.keys[step], name, facts, meant if meant != name else "")
