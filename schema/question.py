"""A Job class, read once into a Form: a flat tuple of Questions. Doors see only Forms, never pydantic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schema import askable, canonical
from schema.job import Ask, AtLeast, By, Choice, Identifier, IsIdentifier, Job, Part, Refers, Resources, Unit, When
from schema.words import Words

Widget = Literal["text", "whole_number", "number", "yes_no", "choice", "many_choice", "date", "duration", "identifier"]

WIDGETS: Mapping[type, Widget] = {
    str: "text",
    bool: "yes_no",
    int: "whole_number",
    float: "number",
    date: "date",
    timedelta: "duration",
}
RESOURCES = "resources"


@dataclass(frozen=True, slots=True)
class Condition:
    """The question named ``on`` must have one of ``values`` (as they stand in a slip)."""

    on: str
    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an answer. Numbers: ``least`` and ``greatest`` are allowed themselves, ``above`` and ``below`` are not; dates are
    ISO texts, durations seconds. ``shortest`` and ``longest`` count characters of a text or members of a list; ``pattern`` is
    matched from the first character to the last. ``at_least`` and ``more_than`` name questions beside this one whose answers are a
    bound too, where they have one."""

    least: Any = None
    greatest: Any = None
    above: Any = None
    below: Any = None
    shortest: int | None = None
    longest: int | None = None
    pattern: str = ""
    at_least: str = ""
    more_than: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a kind, flattened for a door.

    ``name`` is dotted (``hyperparameters.n_estimators``). Several questions may share a name under exclusive conditions; ``key``
    tells them apart (``hyperparameters.n_estimators@xgboost``) and is what doors write beside an answer. ``conditions`` must all
    hold, or the question is not asked. ``default`` is as it stands in a slip; None means "no answer". ``follows``: an answer left
    out follows from the others (``Job.complete``), which only ``check`` can tell. ``known`` are the names that a desk has today for
    what an answer names: forms offer them, and ``check`` does not look at them, for others come later.
    """

    name: str
    key: str
    widget: Widget
    label: Words
    help: Words
    section: Words
    example: str = ""
    unit: Unit | None = None
    choices: tuple[Choice, ...] = ()
    limits: Limits = field(default_factory=Limits)
    required: bool = False
    default: Any = None
    blank: Words | None = None
    basic: bool = False
    conditions: tuple[Condition, ...] = ()
    refers: Refers | None = None
    follows: bool = False
    known: tuple[str, ...] = ()

    def choice(self, value: object) -> Choice | None:
        return next((one for one in self.choices if one.value == value), None)

    @property
    def is_first(self) -> bool:
        """Whether a beginner's sheet asks it; all others stand on the second sheet of the form layout."""
        return self.basic or self.required

    @property
    def is_share(self) -> bool:
        """Whether people write the answer in per cent, as its example is written: 0.85 in a slip is 85% to them."""
        return self.widget == "number" and not self.unit and self.example.endswith(("%", "％"))

    @property
    def group(self) -> str:
        """What its name begins with, as those of the questions beside it do: ``hyperparameters.``."""
        return _group(self.name)


@dataclass(frozen=True)
class Form:
    """Everything a door needs to know of a kind, in the order a person should read it."""

    kind: str
    version: int
    title: Words
    about: Words
    questions: tuple[Question, ...]

    @cached_property
    def by_key(self) -> Mapping[str, Question]:
        return {one.key: one for one in self.questions}

    @cached_property
    def by_name(self) -> Mapping[str, tuple[Question, ...]]:
        return {one.name: tuple(two for two in self.questions if two.name == one.name) for one in self.questions}

    def question(self, key: str) -> Question | None:
        """The question with this key, or else the first one of this name."""
        return self.by_key.get(key) or next(iter(self.by_name.get(key, ())), None)

    def deciding(self, question: Question, on: str) -> Question:
        """The question named ``on`` that is asked wherever ``question`` may be."""
        alike = self.by_name[on]
        return next((one for one in alike if set(one.conditions) <= set(question.conditions)), alike[0])

    @cached_property
    def referring(self) -> tuple[Question, ...]:
        """The questions whose answers name something that a desk must look up."""
        return tuple(one for one in self.questions if one.refers)

    def knowing(self, to: str, names: Sequence[str]) -> Form:
        """The same form with the names that there are today for what its answers refer ``to``."""
        mine = tuple(
            replace(one, known=tuple(names)) if one.refers and one.refers.to == to else one for one in self.questions
        )
        return replace(self, questions=mine)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all that decides which answers are good, without the words: mending a label changes no fingerprint."""
        body: dict[str, Any] = {
            "kind": self.kind,
            "version": self.version,
            "questions": [_meaning(one) for one in self.questions],
        }
        return hashlib.sha256(canonical.dumps(body)).hexdigest()


def form_of(kind: str, job: type[Job]) -> Form:
    """Read a Job class. A class that cannot be asked (a field without Ask, a By without its sibling) is a TypeError."""
    askable.refuse_wrong_class(job)
    found = [*_questions(job, "", (), job.title), *_resource_questions(job)]
    askable.refuse_wrong_conditions(found)
    return Form(kind, job.version, job.title, job.about, keyed(found))


def keyed(questions: Sequence[Question]) -> tuple[Question, ...]:
    """The questions with the keys that follow from their names and conditions. Two that nothing tells apart are a TypeError."""
    named: dict[str, list[Question]] = {}
    for one in questions:
        named.setdefault(one.name, []).append(one)
    found = tuple(replace(one, key=_key(one, named[one.name])) for one in questions)
    if len({one.key for one in found}) < len(found):
        raise TypeError("two questions share a name and a condition")
    return found


def _key(one: Question, same_name: list[Question]) -> str:
    """The name alone; where several share it, with the values of those conditions that exclude the others."""
    others = {condition for other in same_name for condition in other.conditions}
    telling = [
        str(mine.values[0])
        for mine in one.conditions
        if any(theirs.on == mine.on and theirs.values != mine.values for theirs in others)
    ]
    return "@".join([one.name, *(["+".join(telling)] if telling else [])])


def _resource_questions(job: type[Job]) -> Iterator[Question]:
    for one in _questions(Resources, f"{RESOURCES}.", (), Resources.title):
        yield replace(one, default=getattr(job.resources, one.name.removeprefix(f"{RESOURCES}.")))


def _questions(part: type[Part], prefix: str, conditions: tuple[Condition, ...], section: Words) -> Iterator[Question]:
    for name, info in part.model_fields.items():
        mine = (*conditions, *_conditions(part, prefix, name, info))
        by = next((mark for mark in info.metadata if isinstance(mark, By)), None)
        if by:
            askable.must_come_before(part, by.on, name, "By")
            askable.must_have_members(part, by, name, _values_of(part.model_fields[by.on]))
            for value, member in by.members.items():
                yield from _questions(
                    member, f"{prefix}{name}.", (*mine, Condition(prefix + by.on, (value,))), member.title
                )
        elif isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            yield from _questions(info.annotation, f"{prefix}{name}.", mine, info.annotation.title)
        else:
            askable.refuse_wrong_order(part, name, info)
            yield _question(prefix + name, info, mine, section)


def _conditions(part: type[Part], prefix: str, name: str, info: FieldInfo) -> Iterator[Condition]:
    for when in (mark for mark in info.metadata if isinstance(mark, When)):
        askable.must_come_before(part, when.on, name, "When")
        if info.is_required() or info.default is not None:
            raise TypeError(f"{part.__name__}: a field with When has the type X | None and the default None")
        yield Condition(prefix + when.on, when.values)  # type: ignore[arg-type]


def _question(name: str, info: FieldInfo, conditions: tuple[Condition, ...], section: Words) -> Question:
    annotation, marks = _unwrapped(info.annotation, list(info.metadata))
    ask = next((mark for mark in marks if isinstance(mark, Ask)), None)
    if ask is None:
        raise TypeError(f"{name}: a field needs an Ask")
    must = any(mark.required for mark in marks if isinstance(mark, When))
    question = Question(
        name=name,
        key=name,
        widget=_widget(name, annotation, marks),
        label=ask.label,
        help=ask.help,
        section=section,
        example=ask.example,
        unit=ask.unit,
        choices=_choices(name, annotation, ask),
        limits=_limits(name, marks),
        required=must or (info.is_required() and ask.blank is None),
        default=_plain(None if info.default is PydanticUndefined else info.default),
        blank=ask.blank,
        basic=ask.basic,
        conditions=conditions,
        refers=next((mark for mark in marks if isinstance(mark, Refers)), None),
        follows=info.is_required() and ask.blank is not None,
    )
    askable.refuse_wrong_question(question, _may_be_none(info.annotation), not info.is_required())
    return question


def _may_be_none(annotation: Any) -> bool:
    inner = get_args(annotation)
    return annotation is type(None) or (
        get_origin(annotation) in (Annotated, Union, UnionType) and any(map(_may_be_none, inner))
    )


def _unwrapped(annotation: Any, marks: list[Any]) -> tuple[Any, list[Any]]:
    """``Annotated[X | None, …]`` → X and every mark on the way."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _unwrapped(inner, [*marks, *more])
    if get_origin(annotation) in (Union, UnionType):
        inner, *others = (one for one in get_args(annotation) if one is not type(None))
        return (annotation, marks) if others else _unwrapped(inner, marks)
    return annotation, marks


def _widget(name: str, annotation: Any, marks: list[Any]) -> Widget:
    if any(isinstance(mark, IsIdentifier) for mark in marks):
        return "identifier"
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple and get_origin(get_args(annotation)[0]) is Literal:
        return "many_choice"
    if annotation in WIDGETS:
        return WIDGETS[annotation]
    known = ", ".join(one.__name__ for one in WIDGETS)
    raise TypeError(
        f"{name}: no door can ask for {annotation!r}; write one of {known}, Identifier, Literal[…], "
        "tuple[Literal[…], ...], or one of them | None"
    )


def _values_of(info: FieldInfo) -> tuple[Any, ...]:
    """The values of a choice; none of any other field."""
    annotation, _ = _unwrapped(info.annotation, [])
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _choices(name: str, annotation: Any, ask: Ask) -> tuple[Choice, ...]:
    literal = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
    values = get_args(literal) if get_origin(literal) is Literal else ()
    askable.refuse_wrong_choices(name, ask.choices, values)
    return ask.choices


def _limits(name: str, marks: list[Any]) -> Limits:
    found: dict[str, Any] = {}
    for mark in marks:
        match mark:
            case Ge(ge=value):
                found["least"] = _plain(value)
            case Le(le=value):
                found["greatest"] = _plain(value)
            case Gt(gt=value):
                found["above"] = _plain(value)
            case Lt(lt=value):
                found["below"] = _plain(value)
            case AtLeast():
                found |= _order(name, mark)
            case _:
                found |= _length_and_pattern(mark)
    return Limits(**found)


def _order(name: str, mark: AtLeast) -> dict[str, str]:
    """The sibling that a mark names, by the name of its question."""
    return {"more_than" if mark.strictly else "at_least": _group(name) + mark.on}


def _group(name: str) -> str:
    return name.removesuffix(name.rpartition(".")[2])


def _length_and_pattern(mark: Any) -> dict[str, Any]:
    """Lengths and patterns come as annotated_types' marks, as StringConstraints or as pydantic's own general metadata."""
    if isinstance(mark, MinLen):
        return {"shortest": mark.min_length}
    if isinstance(mark, MaxLen):
        return {"longest": mark.max_length}
    names = {"pattern": "pattern", "min_length": "shortest", "max_length": "longest"}
    return {ours: getattr(mark, theirs) for theirs, ours in names.items() if getattr(mark, theirs, None) is not None}


def _plain(value: Any) -> Any:
    """A default or bound as it stands in a slip: dates as ISO text, durations in seconds, lists as tuples of text."""
    if isinstance(value, date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _meaning(one: Question) -> dict[str, Any]:
    limits = {
        name: getattr(one.limits, name) for name in Limits.__slots__ if getattr(one.limits, name) not in (None, "")
    }
    return {
        "key": one.key,
        "widget": one.widget,
        "choices": [
            [choice.value, *([choice.when.on, list(choice.when.values)] if choice.when else [])]
            for choice in one.choices
        ],
        "limits": limits,
        "required": one.required,
        "default": list(one.default) if isinstance(one.default, tuple) else one.default,
        "unit": one.unit.en if one.unit else "",
        "conditions": [[condition.on, list(condition.values)] for condition in one.conditions],
    }


__all__ = ["RESOURCES", "Condition", "Form", "Identifier", "Limits", "Question", "Widget", "form_of", "keyed"]
