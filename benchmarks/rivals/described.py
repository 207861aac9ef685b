"""The survey as plain data, read from our Form, so that every program is asked the same; ``changed`` renames one question."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schema.kinds import load
from schema.question import Question

KINDS = Path(__file__).parent / "kinds"
KIND = "survey"
RENAMED = {"contact": "phone"}
"""What the changed schema calls otherwise."""
DEPENDENT = {"instrument": "medium"}
ORDERED = ("begins", "ends")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: its name, sort (a Widget of ours), labels, limits, choices (value, label), the condition it hangs on, and whether
    it is ``needed`` while that holds."""

    name: str
    sort: str
    label: str
    help: str
    required: bool
    choices: tuple[tuple[str, str], ...]
    offered: dict[str, str]
    limits: dict[str, Any]
    example: str
    unit: str
    when: tuple[str, tuple[Any, ...]] | None
    needed: bool


@cache
def survey(language: str = "ja", changed: bool = False) -> tuple[Asked, ...]:
    """The 20 questions of the survey, without those about where it runs."""
    form = load([KINDS])[KIND].form
    questions = [one for one in form.questions if not one.name.startswith("resources.")]
    return tuple(_asked(one, language, changed) for one in questions)


def _asked(one: Question, language: str, changed: bool) -> Asked:
    return Asked(
        name=RENAMED.get(one.name, one.name) if changed else one.name,
        sort=one.widget,
        label=one.label.say(language) + ("（変更後）" if changed and one.name in RENAMED else ""),
        help=one.help.say(language),
        required=one.required and not one.conditions,
        choices=tuple((choice.value, choice.label.say(language)) for choice in one.choices),
        offered={choice.value: str(choice.when.values[0]) for choice in one.choices if choice.when},
        limits={name: bound for name, bound in asdict(one.limits).items() if bound not in (None, "")},
        example=one.example,
        unit=one.unit.say(language) if one.unit else "",
        when=(one.conditions[0].on, one.conditions[0].values) if one.conditions else None,
        needed=one.required and bool(one.conditions),
    )
