"""Answers as people give them: good ones, and such as break one rule each, by the name of what they break. All seeded."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from generators.excel.spelling import Value
from schema.kinds import Kind
from schema.question import Question
from tests.generators.excel.workbooks import packed, parts_of

Answers = dict[str, Any]
"""Values by question key, as they are to be written into cells."""


@dataclass(frozen=True, slots=True)
class Case:
    """``broken`` says which rule was broken, "" for good answers; ``key`` names the answer that was changed for it."""

    answers: Mapping[str, Value]
    broken: str = ""
    key: str = ""


def typed(text: str) -> str:
    """A text that a template is to hold as it was typed, even where it means a number or a day; see ``as_typed``."""
    return f"⟦{text}⟧"


LOGICAL = typed("TRUE")
"""What Excel makes of TRUE where it is typed into a cell for a number or a day: no text, but a truth value."""
COMPUTED = typed("=1")
NO_TEXTS = {LOGICAL: 't="b"><v>1</v>', COMPUTED: "><f>1</f><v>1</v>"}


def as_typed(data: bytes) -> bytes:
    """A workbook in whose cells the texts of ``typed`` stand as people type them."""
    bare = str.maketrans("", "", "⟦⟧")
    parts = {name: part.decode() for name, part in parts_of(data).items()}
    for text, instead in NO_TEXTS.items():
        held = f't="inlineStr"><is><t>{text}</t></is>'
        parts = {name: part.replace(held, instead) for name, part in parts.items()}
    return packed({name: part.translate(bare).encode() for name, part in parts.items()})


def good(kind: Kind, dice: random.Random) -> Answers:
    """Answers that are each within their limits, to all questions that must be answered and to some that need not."""
    found: Answers = {}
    for question in kind.form.questions:
        must = question.required or _default_is_bound(question, found)
        if is_asked(kind, question, found) and (must or dice.random() < 0.5):
            found[question.key] = GOOD[question.widget](question, dice)
            _put_in_order(kind, question, found)
            _offered_only(kind, question, found, dice)
    return found


def _default_is_bound(question: Question, found: Answers) -> bool:
    """Whether the default would have to agree with an answer that was given."""
    on = question.limits.more_than or question.limits.at_least
    return question.default is not None and on in found


def value_of(kind: Kind, name: str, found: Mapping[str, Any]) -> Any:
    """The answer to a question by its name, or the default of the one that is asked."""
    for one in kind.form.by_name[name]:
        if one.key in found:
            return found[one.key]
    return next((one.default for one in kind.form.by_name[name] if is_asked(kind, one, found)), None)


def is_asked(kind: Kind, question: Question, found: Mapping[str, Any]) -> bool:
    return all(_meets(value_of(kind, one.on, found), one.values) for one in question.conditions)


def _meets(value: Any, values: tuple[Any, ...]) -> bool:
    return any(one in values for one in (value if isinstance(value, tuple) else (value,)))


def _put_in_order(kind: Kind, question: Question, found: Answers) -> None:
    on = question.limits.more_than or question.limits.at_least
    bound = value_of(kind, on, found) if on else None
    if bound is not None and not isinstance(bound, str):
        found[question.key] = max(found[question.key], bound + 1)
    elif bound is not None and question.widget == "date":
        later = date.fromisoformat(bound) + timedelta(days=1)
        found[question.key] = max(found[question.key], later.isoformat())
    elif on and question.widget == "duration":
        found[question.key] = "90日"


def _offered_only(kind: Kind, question: Question, found: Answers, dice: random.Random) -> None:
    offered = [
        one.value
        for one in question.choices
        if not one.when or _meets(value_of(kind, question.group + one.when.on, found), one.when.values)
    ]
    if question.widget == "choice":
        found[question.key] = dice.choice(offered)
    elif question.widget == "many_choice":
        most = question.limits.longest or len(offered)
        found[question.key] = tuple(dice.sample(offered, dice.randint(1, min(most, len(offered)))))


def _text(question: Question, dice: random.Random) -> str:
    if question.limits.pattern:
        return question.example
    least, most = question.limits.shortest or 1, min(question.limits.longest or 30, 30)
    middle = "".join(dice.choice("あいう水質abc ") for _ in range(dice.randint(max(least, 2), most) - 2))
    return f"題{middle}z"


def _number(question: Question, dice: random.Random) -> float:
    low, high = _range(question)
    return round(dice.uniform(low, high), 3) or high


def _whole(question: Question, dice: random.Random) -> int:
    low, high = _range(question)
    return dice.randint(int(low), int(high))


def _range(question: Question) -> tuple[float, float]:
    """Some values between the limits, bounds that are not allowed themselves left out."""
    limits = question.limits
    step = 1.0 if question.widget == "whole_number" else 0.001
    low = limits.least if limits.least is not None else limits.above + step if limits.above is not None else 0.0
    high = limits.greatest if limits.greatest is not None else limits.below - step if limits.below is not None else 500
    return float(low), float(max(low, min(high, low + 900)))


def _day(question: Question, dice: random.Random) -> str:
    first = date.fromisoformat(question.limits.least or question.limits.above or "2026-01-01") + timedelta(days=1)
    last = date.fromisoformat(question.limits.greatest or question.limits.below or "2030-12-31")
    return (first + timedelta(days=dice.randrange((last - first).days))).isoformat()


def _name(question: Question, dice: random.Random) -> str:
    return dice.choice(string.ascii_lowercase) + "".join(dice.choice("abc09-") for _ in range(dice.randint(0, 30)))


GOOD: Mapping[str, Callable[[Question, random.Random], Any]] = {
    "text": _text,
    "identifier": _name,
    "whole_number": _whole,
    "number": _number,
    "date": _day,
    "duration": lambda _, dice: f"{dice.randint(1, 9)}時間",
    "yes_no": lambda _, dice: dice.random() < 0.5,
    "choice": lambda question, _: question.choices[0].value,
    "many_choice": lambda question, _: (question.choices[0].value,),
}
DAY = timedelta(days=1)


def _missing(question: Question) -> Iterator[Value]:
    yield from [None, "", "－", " \n "] if question.required else []


def _wrong_type(question: Question) -> Iterator[Value]:
    if question.widget in ("whole_number", "number", "date", "duration"):
        yield from ("たくさん", "unknown", "いつか")
    if question.widget in ("whole_number", "number", "date"):
        yield LOGICAL
    if question.widget == "whole_number":
        yield 1.5
    if question.widget == "date":
        yield 2026
    if question.widget == "identifier":
        yield from ("Wine", "a_b", "a b", "-a", "ワイン", "a" * 64)


def _not_listed(question: Question) -> Iterator[Value]:
    if question.widget in ("choice", "yes_no"):
        yield from ("*", "?", "そのほか", "たぶん", 7)
    if question.widget == "many_choice":
        yield from ("そのほか", f"{question.choices[0].label.ja}; そのほか")


def _too_small(question: Question) -> Iterator[Value]:
    least, above = question.limits.least, question.limits.above
    if question.widget == "date" and (least or above):
        yield (date.fromisoformat(least) - DAY).isoformat() if least else above
    elif question.widget in ("whole_number", "number") and least is not None:
        yield from (least - 1, least - 1000)
    elif question.widget in ("whole_number", "number") and above is not None:
        yield from (above, above - 1)


def _too_big(question: Question) -> Iterator[Value]:
    greatest, below = question.limits.greatest, question.limits.below
    if question.widget == "date" and (greatest or below):
        yield (date.fromisoformat(greatest) + DAY).isoformat() if greatest else below
    elif question.widget in ("whole_number", "number") and greatest is not None:
        yield from (greatest + 1, greatest * 1000 + 1)
    elif question.widget in ("whole_number", "number") and below is not None:
        yield from (below, below + 1)


def _wrong_length(question: Question) -> Iterator[Value]:
    if question.widget == "text" and not question.limits.pattern:
        yield from ["あ" * (question.limits.longest + 1)] if question.limits.longest else []
        yield from ["あ" * (shortest - 1)] if (shortest := question.limits.shortest or 0) > 1 else []
    if question.widget == "many_choice" and (question.limits.longest or 9) < len(question.choices):
        yield tuple(one.value for one in question.choices)


FAULTS: Mapping[str, Callable[[Question], Iterator[Value]]] = {
    "required": _missing,
    "type": _wrong_type,
    "list": _not_listed,
    "least": _too_small,
    "greatest": _too_big,
    "length": _wrong_length,
}


def faults(kind: Kind, answers: Answers) -> Iterator[Case]:
    """Every single change of these answers that breaks a rule of one question, its order or its condition."""
    for question in kind.form.questions:
        if is_asked(kind, question, answers):
            for broken, make in FAULTS.items():
                yield from (Case({**answers, question.key: one}, broken, question.key) for one in make(question))
            yield from _disorder(kind, question, answers)
            yield from _forbidden(kind, question, answers)
        else:
            filled = GOOD[question.widget](question, random.Random(1))  # noqa: S311
            yield Case({**answers, question.key: filled}, "condition", question.key)


def _disorder(kind: Kind, question: Question, answers: Answers) -> Iterator[Case]:
    bound = value_of(kind, on, answers) if (on := question.limits.more_than or question.limits.at_least) else None
    if bound is None or question.widget == "duration":
        return
    days = question.widget == "date"
    below = (date.fromisoformat(bound) - DAY).isoformat() if days else bound - 1
    yield Case({**answers, question.key: below}, "date order" if days else "order of numbers", question.key)
    if question.limits.more_than:
        yield Case({**answers, question.key: bound}, "date order" if days else "order of numbers", question.key)


def _forbidden(kind: Kind, question: Question, answers: Answers) -> Iterator[Case]:
    """Choices that another answer forbids."""
    for one in question.choices:
        deciding = value_of(kind, question.group + one.when.on, answers) if one.when else None
        if one.when and deciding is not None and not _meets(deciding, one.when.values):
            value = one.value if question.widget == "choice" else (one.value,)
            yield Case({**answers, question.key: value}, "choice", question.key)


WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "whole_number": lambda value: f"{value:,}".translate(str.maketrans(string.digits, "０１２３４５６７８９")),
    "number": lambda value: f"{value}".replace(".", "．"),
    "date": lambda value: str(value).replace("-", "."),
    "yes_no": lambda value: "\n○" if value else "×\u3000\n",
    "identifier": lambda value: f"\u00a0{value} \n",
    "choice": lambda value: f"\u00a0{value}\n".upper().replace("_", " "),
}
"""As people write what a sheet cannot judge and ``check`` understands."""


def otherwise(kind: Kind, answers: Answers, dice: random.Random) -> Case:
    """The same answers, some of them as text that means the same."""
    changed = {
        key: typed(WRITTEN[kind.form.by_key[key].widget](value))
        for key, value in answers.items()
        if kind.form.by_key[key].widget in WRITTEN and dice.random() < 0.4
    }
    return Case({**answers, **changed})


def cases(kind: Kind, count: int, seed: int) -> list[Case]:
    """As many cases: a third good, some of these written in unusual ways, the others broken, every rule in turn."""
    dice = random.Random(f"{kind.name} {seed}")  # noqa: S311  (not a secret)
    found = [Case(good(kind, dice)) for _ in range(count // 5)]
    found += [otherwise(kind, good(kind, dice), dice) for _ in range(count // 8)]
    by_rule: dict[str, list[Case]] = {}
    for _ in range(12):
        for one in faults(kind, good(kind, dice)):
            by_rule.setdefault(one.broken, []).append(one)
    rules = sorted(by_rule)
    return found + [dice.choice(by_rule[rules[turn % len(rules)]]) for turn in range(count - len(found))]
