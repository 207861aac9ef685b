"""The page that leads a person through what Quick import cannot carry: what to click, question by question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from generators.excel.spelling import in_xml, number
from generators.microsoft import Mark
from generators.microsoft.asked import MOST_OPTIONS, Asked, asked
from generators.microsoft.branching import Branches, branches
from generators.microsoft.flow import written
from schema import words
from schema.question import Form, Limits, Question

HERE = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
LONG_TEXT = 100
"""A text that may be longer than this gets a box of several lines."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and what to copy for it."""

    text: str
    copy: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What is to be done at one question."""

    asked: Asked
    sort: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """A question at which people go different ways: after which answer to which question."""

    asked: Asked
    ways: tuple[tuple[str, Asked], ...]


def write(form: Form, language: str) -> bytes:
    """The page for one kind in one language: HTML that holds all it needs and runs nothing."""
    import jinja2  # takes 0.1 s, which only those who build forms should wait

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    questions = asked(form, language)
    ways = branches(questions)
    page = environment.get_template("page.html").render(
        say=partial(words.text, language=language),
        language=language,
        policy=POLICY,
        form=form,
        title=form.title.say(language),
        about=form.about.say(language),
        mark=Mark(form.kind, form.version, language),
        file=f"{form.kind}.{language}",
        cards=[_card(one, ways, language) for one in questions],
        turns=list(_turns(questions, ways, language)),
        flow=json.dumps(written(questions), ensure_ascii=False, indent=1),
    )
    return in_xml(page).encode()


def _card(one: Asked, ways: Branches, language: str) -> Card:
    return Card(one, words.text(f"microsoft_sort_{one.sort}", language), tuple(_steps(one, ways, language)))


def _steps(one: Asked, ways: Branches, language: str) -> Iterator[Step]:
    say = partial(words.text, language=language)
    if one.sort == "date":
        yield Step(say("microsoft_date"))
    if one.number in ways.deciding:
        yield Step(say("microsoft_decides"))
    elif one.question and one.question.required and one.number in ways.sure:
        yield Step(say("microsoft_required"))
    if one.sort == "many":
        yield Step(say("microsoft_many"))
    if more := one.options[MOST_OPTIONS:]:
        yield Step(say("microsoft_options"), "\n".join(more))
    if _is_long(one):
        yield Step(say("microsoft_long"))
    if rule := _restriction(one, language):
        yield Step(say("microsoft_restriction", rule=rule))
    when = one.when if one.number not in ways.sure else ""
    gap = "" if language == "ja" else " "
    yield Step(say("microsoft_subtitle"), gap.join(filter(None, (when, one.subtitle))))


def _is_long(one: Asked) -> bool:
    if one.question is None or one.question.widget != "text":
        return False
    limits = one.question.limits
    return not limits.pattern and (limits.longest is None or limits.longest > LONG_TEXT)


def _restriction(one: Asked, language: str) -> str:
    """The one rule for numbers that Forms takes. Of shares people write 85% as well, which no rule lets pass."""
    question = one.question
    if question is None or question.widget not in ("whole_number", "number") or question.is_share:
        return ""
    name, low, high = _rule(question, question.limits)
    return words.text(f"microsoft_{name}", language, low=low, high=high)


def _rule(question: Question, limits: Limits) -> tuple[str, str, str]:
    """The closest rule that refuses nothing good: between two bounds Forms lets the bounds themselves pass."""
    low = limits.least if limits.least is not None else limits.above
    high = limits.greatest if limits.greatest is not None else limits.below
    bounds = ("" if low is None else number(low), "" if high is None else number(high))
    if low is not None and high is not None:
        return "between", *bounds
    names = ("least", "above", "greatest", "below")
    return next((name for name in names if getattr(limits, name) is not None), "number"), *bounds


def _turns(questions: Sequence[Asked], ways: Branches, language: str) -> Iterator[Turn]:
    for one in questions:
        mine = [each for each in ways.all if each.number == one.number]
        if mine:
            named = (words.text("microsoft_any_answer", language), *one.options)
            targets = ((named[0 if each.option is None else each.option + 1], questions[each.to - 1]) for each in mine)
            yield Turn(one, tuple(targets))
