"""Job, the base of every kind, and what a kind is written with: Ask, Unit, Choice, When, AtLeast, By, Refers, Script, rule.

A kind is one file in ``kinds/`` with one Job in it. The class is the only place where a field is described; every form, check
and slip follows from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Annotated, Any, ClassVar, NamedTuple, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticUseDefault, ValidationError, core_schema

from schema.marks import (
    IDENTIFIER,
    Ask,
    AtLeast,
    Choice,
    Identifier,
    IsIdentifier,
    Refers,
    Script,
    Unit,
    When,
)
from schema.words import Fact, Words

RELATED = (When, AtLeast)
"""The marks that look at another field of the same part."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong between answers that are each fine alone: a code of words/, the field to blame, and facts for the message."""

    code: str
    field: str
    facts: Mapping[str, Fact] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule across the fields that its function names as parameters; it returns whether the rule holds."""

    blames: tuple[str, ...]
    words: Words
    holds: Callable[..., bool]
    needs: tuple[str, ...]


def rule(*blames: str, en: str, ja: str) -> Callable[[Callable[..., bool]], Any]:
    """Mark a function of a kind's class as a rule across fields. Its parameters are the fields it looks at, by name.

    It is asked only when all of them have values, so that it never meets None from a question that was not asked. ``blames`` are
    the fields whose answers should be changed; ``en`` and ``ja`` say what is wrong and what to do.
    """

    def mark(function: Callable[..., bool]) -> Any:
        function.__rule__ = Rule(blames, Words(en, ja), function, tuple(signature(function).parameters))  # type: ignore[attr-defined]
        return staticmethod(function)

    return mark


class By:
    """A nested model chosen by the sibling ``on``: ``By("algorithm", random_forest=RandomForest, xgboost=XGBoost)``.

    The members need not share fields. An answer left out takes the member's defaults.
    """

    def __init__(self, on: str, **members: type[Part]) -> None:
        self.on = on
        self.members = members

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self._read)

    def _read(self, value: Any, info: ValidationInfo) -> Part:
        member = self.members.get(info.data.get(self.on, ""))
        if member is None:
            raise PydanticUseDefault  # the answer that chooses was refused already: one problem, not one a field
        return value if isinstance(value, member) else member.model_validate(value)


class Part(BaseModel):
    """A group of fields inside a Job. Its title heads a section of the forms."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    title: ClassVar[Words]

    @classmethod
    def rules(cls) -> Iterator[Rule]:
        for name in dir(cls):
            found = getattr(getattr(cls, name, None), "__rule__", None)
            if isinstance(found, Rule):
                yield found

    @classmethod
    def faults(cls, values: Mapping[str, Any]) -> Iterator[Fault]:
        """What is wrong between those fields of this part that have values; fields that were refused are simply absent."""
        for mark in _siblings(cls).marked:
            if mark.name in values:
                if mark.whens:
                    yield from _condition_faults(mark, values)
                if mark.choices:
                    yield from _choice_faults(mark, values)
                if mark.bounds:
                    yield from _order_faults(mark, values)
        for one in _siblings(cls).rules:
            known = [values.get(name) for name in one.needs]
            if None not in known and not one.holds(*known):
                yield from (Fault("rule", blamed, {"rule": one.words}) for blamed in one.blames)

    @classmethod
    def by(cls) -> dict[str, By]:
        return {name: mark for name, info in cls.model_fields.items() for mark in info.metadata if isinstance(mark, By)}

    @model_validator(mode="before")
    @classmethod
    def _members_default(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        groups = _siblings(cls).groups
        return {**{name: {} for name in groups}, **data} if groups else data

    @classmethod
    def _groups(cls) -> Iterator[str]:
        """Fields that hold a part and have no default: what is inside may have defaults, so that nothing need be answered."""
        yield from cls.by()
        for name, info in cls.model_fields.items():
            if info.is_required() and isinstance(info.annotation, type) and issubclass(info.annotation, Part):
                yield name

    @model_validator(mode="after")
    def _siblings_agree(self) -> Part:
        details = [
            InitErrorDetails(
                type=PydanticCustomError("fault", "{code}", {"code": one.code, "fault": one}),
                loc=(one.field,),
                input=None,
            )
            for one in self.faults(self.__dict__)
        ]
        if details:
            raise ValidationError.from_exception_data(type(self).__name__, details, hide_input=True)
        return self

    def answers(self) -> dict[str, Any]:
        """The values as they stand in a slip: JSON types, defaults written out, questions that were not asked left out."""
        plain = self.model_dump(mode="json")
        siblings, values = _siblings(type(self)), self.__dict__
        for name in siblings.parts:
            if isinstance(value := values[name], Part):
                plain[name] = value.answers()
        for mark in siblings.marked:
            if mark.whens and not all(asked(one, values) for one in mark.whens):
                plain.pop(mark.name)
        return plain


class _Marked(NamedTuple):
    """A field whose marks look at a sibling: its conditions, those of its choices that have one, and its bounds."""

    name: str
    whens: tuple[When, ...]
    choices: tuple[tuple[Choice, When], ...]
    bounds: tuple[AtLeast, ...]

    @classmethod
    def of(cls, name: str, marks: Sequence[object]) -> _Marked:
        choices = (choice for mark in marks if isinstance(mark, Ask) for choice in mark.choices)
        return cls(
            name,
            tuple(mark for mark in marks if isinstance(mark, When)),
            tuple((choice, choice.when) for choice in choices if choice.when),
            tuple(mark for mark in marks if isinstance(mark, AtLeast)),
        )


@dataclass(frozen=True, slots=True)
class _Siblings:
    """What a class says of its fields together, gathered once: those whose marks look at a sibling, its rules, the groups that need
    not be answered, and the fields that may hold a part."""

    marked: tuple[_Marked, ...]
    rules: tuple[Rule, ...]
    groups: tuple[str, ...]
    parts: tuple[str, ...]


def _siblings(part: type[Part]) -> _Siblings:
    """A class that waits for a name to be defined is looked at anew each time: its marks are not there yet."""
    return _gathered(part) if part.__pydantic_complete__ else _gathered.__wrapped__(part)


@cache
def _gathered(part: type[Part]) -> _Siblings:
    fields = part.model_fields.items()
    return _Siblings(
        marked=tuple(
            _Marked.of(name, info.metadata) for name, info in fields if any(map(_looks_at_a_sibling, info.metadata))
        ),
        rules=tuple(part.rules()),
        groups=tuple(part._groups()),
        parts=tuple(name for name, info in fields if name in part.by() or _holds_part(info.annotation)),
    )


def _looks_at_a_sibling(mark: object) -> bool:
    return isinstance(mark, RELATED) or (isinstance(mark, Ask) and any(one.when for one in mark.choices))


def _holds_part(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return issubclass(annotation, Part)
    return any(_holds_part(one) for one in get_args(annotation))


def asked(when: When, values: Mapping[str, Any]) -> bool:
    """Whether a condition holds among these values; a list of choices fulfils it with any of its members."""
    value = values.get(when.on)
    return any(one in when.values for one in value) if isinstance(value, tuple) else value in when.values


def _condition_faults(mark: _Marked, values: Mapping[str, Any]) -> Iterator[Fault]:
    name, whens = mark.name, mark.whens
    if any(when.on not in values for when in whens):
        return
    on = all(asked(when, values) for when in whens)
    if not on and values[name] is not None:
        yield Fault("switched_off", name)
    if on and values[name] is None and any(when.required for when in whens):
        yield Fault("missing", name)


def _choice_faults(mark: _Marked, values: Mapping[str, Any]) -> Iterator[Fault]:
    value = values[mark.name]
    chosen = value if isinstance(value, tuple) else (value,)
    for choice, when in mark.choices:
        if choice.value in chosen and values.get(when.on) is not None and not asked(when, values):
            yield Fault(
                "choice_needs",
                mark.name,
                {"choice": choice.label, "on": when.on, "values": ", ".join(map(str, when.values))},
            )


def _order_faults(mark: _Marked, values: Mapping[str, Any]) -> Iterator[Fault]:
    for least in mark.bounds:
        mine, bound = values[mark.name], values.get(least.on)
        if mine is not None and bound is not None and (mine < bound or (least.strictly and mine == bound)):
            yield Fault("order", mark.name, {"on": least.on})


class Resources(Part):
    """What a run may take: the queue it waits in, how many GPUs, and how long it may run. Both engines enforce it."""

    title: ClassVar[Words] = Words("Where and how long it runs", ja="実行する場所と時間")

    queue: Annotated[
        Identifier,
        Ask(
            "Which queue?",
            ja="どのキューで実行しますか",
            help=Words(
                "The queue that the run waits in. Ask your operator before you change it.",
                ja="実行を待つ列の名前です。変えるときは運用担当者に確認してください。",
            ),
            example="default",
        ),
    ] = "default"
    gpus: Annotated[
        int,
        Field(ge=0, le=64),
        Ask(
            "How many GPUs?",
            ja="GPUは何枚使いますか",
            help=Words("0 means that the run needs no GPU.", ja="0ならGPUを使いません。"),
            example="0",
            unit=Unit("GPUs", ja="枚"),
        ),
    ] = 0
    max_hours: Annotated[
        float,
        Field(gt=0, le=720),
        Ask(
            "At most how many hours may it run?",
            ja="最長で何時間実行しますか",
            help=Words("The run is stopped when this time is over.", ja="この時間を過ぎると実行を打ち切ります。"),
            example="2",
            unit=Unit("hours", ja="時間"),
        ),
    ] = 1.0


class Job(Part):
    """One validated thing to run; a subclass is a kind, named as its file is.

    ``workload`` names a file of ``jobs/`` or is a Script. ``version`` rises with every change of what may be answered, and
    ``history`` says what each version changed in the one before it, in steps of ``schema.versions``: ``{2: (Renamed(…), …), 3: ()}``.
    ``known_by`` are the names and values by which a document of answers alone, without ``kind:``, is known to ask for this kind.
    """

    version: ClassVar[int] = 1
    history: ClassVar[Mapping[int, tuple[Any, ...]]] = {}
    known_by: ClassVar[Mapping[str, str]] = {}
    about: ClassVar[Words]
    workload: ClassVar[str | Script]
    resources: ClassVar[Resources] = Resources()

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, tuple[Any, Words]]:
        """Answers that were left out and follow from the others: field → value and why. The person is told of each."""
        return {}

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not completes(cls):
            return data
        return {**data, **{name: value for name, (value, _) in cls.complete(data).items() if data.get(name) is None}}


def completes(job: type[Job]) -> bool:
    """Whether this kind lets answers follow from others at all."""
    return job.complete.__func__ is not Job.complete.__func__  # type: ignore[attr-defined]


__all__ = [
    "IDENTIFIER",
    "Ask",
    "AtLeast",
    "By",
    "Choice",
    "Fault",
    "Identifier",
    "IsIdentifier",
    "Job",
    "Part",
    "Refers",
    "Resources",
    "Rule",
    "Script",
    "Unit",
    "When",
    "asked",
    "completes",
    "rule",
]
