"""Questions in the words of JSON Schema: what an answer may be, and which answers belong together.

What JSON Schema cannot say (a rule across fields, a bound of a date, what ``Job.complete`` fills in) is left out: the schema never
refuses what ``check`` accepts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from schema import text
from schema.question import Condition, Limits, Question
from schema.refusals import share_spellings
from schema.words import Words

Schema = dict[str, Any]
TYPES: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "identifier": {"type": "string"},
    "whole_number": {"type": "integer"},
    "number": {"type": "number"},
    "yes_no": {"type": "boolean"},
    "choice": {"type": "string"},
    "many_choice": {"type": "array"},
    "date": {"type": "string", "format": "date"},
    "duration": {"type": "string", "format": "duration"},
}
NUMBER_WORDS = {"least": "minimum", "greatest": "maximum", "above": "exclusiveMinimum", "below": "exclusiveMaximum"}
TEXT_WORDS = {"shortest": "minLength", "longest": "maxLength", "pattern": "pattern"}
LIST_WORDS = {"shortest": "minItems", "longest": "maxItems"}
LIMIT_WORDS = {"number": NUMBER_WORDS, "whole_number": NUMBER_WORDS, "many_choice": LIST_WORDS}
EMPTY = Words("Left empty", ja="空欄のとき")
ONE_OF_SEVERAL = Words(
    "Which names stand here depends on another answer.", ja="ここに書く項目は、ほかの答えによって決まります。"
)


def both(words: Words) -> str:
    return f"{words.en} / {words.ja}" if words.ja and words.ja != words.en else words.en


def lines(*texts: Words) -> str:
    return "\n".join(said for one in texts for said in (one.en, one.ja) if said)


def group(questions: Sequence[Question], prefix: str, assumed: tuple[Condition, ...]) -> Schema:
    """The mapping that holds these questions, whose names begin with ``prefix``, where the ``assumed`` conditions hold."""
    properties: Schema = {}
    rules: list[Schema] = []
    required: list[str] = []
    beside = {one.name: one for one in questions}
    for step, members in _by_step(questions, prefix).items():
        variants = _variants(members, prefix, assumed)
        if members[0].name == prefix + step:
            properties[step] = _leaf(members[0], conditional=() not in variants)
            rules += [
                *_when(members[0], step, next(iter(variants)), beside),
                *_offered(members[0], step, prefix, beside),
            ]
            needed = members[0].required and () in variants
        elif () in variants:
            properties[step] = {"title": both(members[0].section), **group(members, f"{prefix}{step}.", assumed)}
            needed = "required" in properties[step]
        else:
            properties[step] = {"description": lines(ONE_OF_SEVERAL), **_names(members, f"{prefix}{step}.")}
            rules += _by(step, prefix, variants, assumed, beside)
            needed = False
        required += [step] if needed else []
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {}) | ({"allOf": rules} if rules else {})


def _by_step(questions: Sequence[Question], prefix: str) -> dict[str, list[Question]]:
    """Questions by the next step of their dotted names."""
    found: dict[str, list[Question]] = {}
    for one in questions:
        found.setdefault(one.name.removeprefix(prefix).split(".")[0], []).append(one)
    return found


Variants = Mapping[tuple[Condition, ...], list[Question]]


def _variants(questions: Sequence[Question], prefix: str, assumed: tuple[Condition, ...]) -> Variants:
    """Questions by those of their conditions that look at this level of names."""
    found: dict[tuple[Condition, ...], list[Question]] = {}
    for one in questions:
        here = tuple(
            two for two in one.conditions if two not in assumed and two.on.rpartition(".")[0] == prefix.rstrip(".")
        )
        found.setdefault(here, []).append(one)
    return found


def _names(questions: Sequence[Question], prefix: str) -> Schema:
    """The names alone that any member of a By knows, so that a wrong one is seen whichever member is chosen."""
    steps = _by_step(questions, prefix)
    properties = {
        step: True if members[0].name == prefix + step else _names(members, f"{prefix}{step}.")
        for step, members in steps.items()
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _by(
    step: str, prefix: str, variants: Variants, assumed: tuple[Condition, ...], beside: Mapping[str, Question]
) -> Iterator[Schema]:
    for conditions, members in variants.items():
        inner = {"title": both(members[0].section), **group(members, f"{prefix}{step}.", (*assumed, *conditions))}
        needed = {"required": [step]} if "required" in inner else {}
        yield {"if": _all_hold(conditions, beside), "then": {"properties": {step: inner}, **needed}}
    deciding = beside[next(iter(variants))[0].on]
    known = {value for conditions in variants for value in conditions[0].values}
    bare = tuple(one.value for one in deciding.choices if one.value not in known)
    if bare:
        yield {"if": _holds(deciding, bare), "then": {"properties": {step: {"maxProperties": 0}}}}


def _when(
    question: Question, step: str, conditions: tuple[Condition, ...], beside: Mapping[str, Question]
) -> Iterator[Schema]:
    """A question that is not asked has no answer. Where what decides is left out and may be completed, nothing is said."""
    if not conditions:
        return
    holds = _all_hold(conditions, beside)
    if question.required:
        yield {"if": holds, "then": {"properties": {step: {"not": {"type": "null"}}}, "required": [step]}}
    follows = [one.on.rpartition(".")[2] for one in conditions if _may_follow(beside[one.on])]
    yield {
        "if": {"not": holds} | ({"required": follows} if follows else {}),
        "then": {"properties": {step: {"type": "null"}}},
    }


def _may_follow(question: Question) -> bool:
    return question.default is None and question.blank is not None and not question.required and not question.conditions


def _all_hold(conditions: Sequence[Condition], beside: Mapping[str, Question]) -> Schema:
    held = [_holds(beside[one.on], one.values) for one in conditions]
    return held[0] if len(held) == 1 else {"allOf": held}


def _holds(deciding: Question, values: Sequence[object]) -> Schema:
    """That an answer, or the default where there is none, is one of ``values``."""
    step = deciding.name.rpartition(".")[2]
    required = {} if _meets(deciding.default, values) else {"required": [step]}
    return {"properties": {step: _is_one_of(deciding, values)}, **required}


def _is_one_of(deciding: Question, values: Sequence[object]) -> Schema:
    one = {"enum": list(values)}
    return {"type": "array", "contains": one} if deciding.widget == "many_choice" else one


def _meets(value: object, values: Sequence[object]) -> bool:
    return any(one in values for one in value) if isinstance(value, tuple) else value in values


def _offered(question: Question, step: str, prefix: str, beside: Mapping[str, Question]) -> Iterator[Schema]:
    """A choice that is offered only beside another answer."""
    for choice in (one for one in question.choices if one.when):
        when = choice.when
        if when is None:
            continue
        deciding = beside[prefix + when.on]
        other = {when.on: {"not": {"anyOf": [_is_one_of(deciding, when.values), {"type": "null"}]}}}
        silent = deciding.default is None or _meets(deciding.default, when.values)
        barred: Schema = {"not": {"const": choice.value}}
        barred = {"items": barred} if question.widget == "many_choice" else barred
        yield {
            "if": {"properties": other, **({"required": [when.on]} if silent else {})},
            "then": {"properties": {step: barred}},
        }


def _leaf(question: Question, *, conditional: bool) -> Schema:
    blank = [Words(f"{EMPTY.en}: {question.blank.en}", ja=f"{EMPTY.ja}：{question.blank.ja}")] if question.blank else []
    found: Schema = {
        "title": both(question.label),
        "description": lines(question.help, *share_spellings(question), *blank),
        **TYPES[question.widget],
    }
    if question.widget == "many_choice":
        found["items"] = {"type": "string", **_enum(question)}
    elif question.choices:
        found |= _enum(question)
    found |= _limits(question)
    if question.default is None and (conditional or not question.required):
        found["type"] = [found["type"], "null"]
        found |= {"enum": [*found["enum"], None]} if "enum" in found else {}
    if question.default is not None:
        found["default"] = _iso(question.default) if question.widget == "duration" else json_value(question.default)
    example = text.read(question, question.example)
    found |= {} if example is None or isinstance(example, text.Misread) else {"examples": [json_value(example)]}
    return found | ({"x-unit": {"en": question.unit.en, "ja": question.unit.ja}} if question.unit else {})


def _enum(question: Question) -> Schema:
    return {
        "enum": [one.value for one in question.choices],
        "enumDescriptions": [both(one.label) for one in question.choices],
    }


def _limits(question: Question) -> Schema:
    """Bounds in the words of JSON Schema; those of dates and times, for which it has none, are told and not enforced."""
    given = {name: getattr(question.limits, name) for name in Limits.__slots__}
    given = {name: value for name, value in given.items() if value not in (None, "")}
    if question.widget in ("date", "duration"):
        return {"x-limits": given} if given else {}
    words = LIMIT_WORDS.get(question.widget, TEXT_WORDS)
    return {words[name]: value for name, value in given.items() if name in words}


def json_value(value: Any) -> Any:
    if isinstance(value, timedelta):
        return _iso(value.total_seconds())
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value


def _iso(seconds: float) -> str:
    """A length of time as ISO 8601: ``PT1H30M``."""
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(f"{hours:.0f}", "H"), (f"{minutes:.0f}", "M"), (f"{rest:.6f}".rstrip("0").rstrip("."), "S")]
    written = "".join(f"{amount}{unit}" for amount, unit in parts if amount != "0")
    return ("-" if seconds < 0 else "") + "PT" + (written or "0S")
