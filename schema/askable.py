"""What an engineer may get wrong in a kind's class though Python accepts it: each would silently hide a question or lose a rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, get_args

from pydantic.fields import FieldInfo

from schema.job import AtLeast, By, Choice, Job, Part, Resources, Script
from schema.words import Words

if TYPE_CHECKING:
    from schema.question import Question

ORDERED: frozenset[object] = frozenset([date, int, float, timedelta])
OF_A_PART = (("title", Words, 'title: ClassVar[Words] = Words("…", ja="…")'),)
OF_A_JOB = (
    *OF_A_PART,
    ("about", Words, 'about: ClassVar[Words] = Words("…", ja="…")'),
    ("version", int, "version: ClassVar[int] = 1"),
    ("workload", (str, Script), 'workload: ClassVar[str] = "…", or workload: ClassVar[Script] = Script(entry="….py")'),
    ("resources", Resources, "resources: ClassVar[Resources] = Resources(max_hours=…)"),
)
"""What must stand in the class itself, of which type, and how it is written."""


def refuse_wrong_class(part: type[Part]) -> None:
    """A TypeError for a field with a name that is taken, for what the class does not say of itself, and for a rule that looks at
    no field; here and in every part inside. A NameError for a type that nobody defined."""
    part.model_rebuild()  # pydantic waits for a name that is not there yet, and meanwhile loses the marks beside it
    _refuse_taken_names(part)
    for name, types, written in OF_A_JOB if issubclass(part, Job) else OF_A_PART:
        if not isinstance(getattr(part, name, None), types):
            raise TypeError(f"{part.__name__}: write {written}")
    for one in part.rules():
        for name in (*one.needs, *one.blames):
            if name not in part.model_fields:
                raise TypeError(
                    f"{part.__name__}.{one.holds.__name__}: a rule looks at {name!r}, which is no field beside it"
                )
    for inner in _parts_inside(part):
        refuse_wrong_class(inner)


def _refuse_taken_names(part: type[Part]) -> None:
    base = Job if issubclass(part, Job) else Part
    for name in part.model_fields if part not in (Job, Part) else ():
        if hasattr(base, name) or name in base.__class_vars__:
            raise TypeError(
                f"{part.__name__}.{name}: every {base.__name__} has something named {name!r}; rename the field"
            )


def _parts_inside(part: type[Part]) -> Iterator[type[Part]]:
    for info in part.model_fields.values():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            yield info.annotation
        for by in (mark for mark in info.metadata if isinstance(mark, By)):
            yield from by.members.values()


def must_come_before(part: type[Part], on: str, name: str, mark: str) -> None:
    names = list(part.model_fields)
    if on not in names[: names.index(name)]:
        raise TypeError(f"{part.__name__}.{name}: its {mark} looks at {on!r}, which must be a field before it")


def refuse_wrong_order(part: type[Part], name: str, info: FieldInfo) -> None:
    """A TypeError for an AtLeast that looks at no field before it, or at one of another sort."""
    for mark in (mark for mark in info.metadata if isinstance(mark, AtLeast)):
        must_come_before(part, mark.on, name, "AtLeast")
        sorts = _sorts(info.annotation), _sorts(part.model_fields[mark.on].annotation)
        if sorts[0] != sorts[1] or not sorts[0] <= ORDERED:
            raise TypeError(
                f"{part.__name__}.{name}: its AtLeast compares dates, numbers or lengths of time of the same sort"
            )


def _sorts(annotation: object) -> frozenset[object]:
    """The types of a field without None."""
    return frozenset(get_args(annotation) or (annotation,)) - {type(None)}


def must_have_members(part: type[Part], by: By, name: str, choices: tuple[object, ...]) -> None:
    if set(by.members) != set(choices):
        expected = ", ".join(map(repr, choices)) or "the choices of a choice"
        raise TypeError(f"{part.__name__}.{name}: its By needs a member for each of {expected}")
    deciding = part.model_fields[by.on]
    if not deciding.is_required() and deciding.default is None:
        raise TypeError(f"{part.__name__}.{name}: its By looks at {by.on!r}, which may be left out")


def refuse_wrong_choices(name: str, choices: object, values: tuple[object, ...]) -> None:
    if not isinstance(choices, tuple) or not all(isinstance(one, Choice) for one in choices):
        raise TypeError(f'{name}: write choices=(Choice("…", "…", ja="…"), …)')
    if tuple(one.value for one in choices) != values:
        raise TypeError(f"{name}: choices must label {values}, in this order")


def refuse_wrong_question(one: Question, may_be_none: bool, has_default: bool) -> None:
    if may_be_none and (not has_default or one.default is not None):
        raise TypeError(f"{one.name}: a field that may be None has the default None")
    if one.limits.pattern and not (one.limits.pattern.startswith("^") and one.limits.pattern.endswith("$")):
        raise TypeError(f"{one.name}: a pattern must begin with ^ and end with $, because it is matched as a whole")


def refuse_wrong_conditions(questions: Iterable[Question]) -> None:
    """A TypeError for a question or choice that waits for an answer which nobody can give."""
    by_name: dict[str, list[Question]] = {}
    for one in questions:
        by_name.setdefault(one.name, []).append(one)
    for one in (one for named in by_name.values() for one in named):
        for condition in one.conditions:
            known = {choice.value for deciding in by_name[condition.on] for choice in deciding.choices}
            for value in (value for value in condition.values if known and value not in known):
                raise TypeError(
                    f"{one.name}: its condition on {condition.on!r} waits for {value!r}, which nobody can answer"
                )
        for choice in one.choices:
            if choice.when and one.group + choice.when.on not in by_name:
                raise TypeError(
                    f"{one.name}: its choice {choice.value!r} looks at {choice.when.on!r}, which is no field beside it"
                )
