"""The items of a Google form: pages, headings and questions, as the Forms API writes them.

Ids are derived from the question's key and its sort of control, so that the same question has the same ids wherever and whenever its
form is made; another sort of control is another question to the service. They are eight hexadecimal digits, as the service's own.
Titles and options hold no line breaks, which the service refuses. The API knows no limit but ``required``: all others are said in the
descriptions, and ``check`` decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from generators.excel.entry import help_lines, only_when, options, when_blank
from generators.google_pages import Page, Way, pages
from schema import words
from schema.question import Condition, Form, Question

MOST_BUTTONS = 5
"""Options beyond which a drop-down list is easier to look through than radio buttons."""
LONG = 100
"""Characters beyond which a text gets a box of several lines."""
SCALES = range(0, 2), range(2, 11)
"""What a scale of the service may begin and end with."""
LONGEST_PICKED = timedelta(hours=72)
"""The longest time that the service's question for a length of time takes."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """An item of the form; ``key`` is that of the question it asks, "" where it only heads or leads on. ``options`` says which choice
    each of its options stands for."""

    key: str
    item: Item
    options: Mapping[str, str] = field(default_factory=dict)


def items(form: Form, language: str) -> Iterator[Asked]:
    """All items of a form, in their order; one more than the questions for each page, heading and way on."""
    found = pages(form)
    for index, page in enumerate(found):
        below = found[index + 1] if index + 1 < len(found) else None
        section = form.title if index == 0 else page.questions[0].section
        if index:
            yield _page_break(form, page, language)
        for question in page.questions:
            if question.section != section:
                yield _heading(form, question, language)
                section = question.section
            yield _question(form, page, question, below, language)
        if page.decides is None and page.on.page is not below:
            yield _way_on(form, page, language)


def picked(question: Question) -> bool:
    """Whether a person picks the answer instead of typing it."""
    return sort(question) not in ("text", "paragraph")


def sort(question: Question) -> str:
    """What the service shows for a question: ``radio``, ``drop_down``, ``checkbox``, ``scale``, ``date``, ``duration``, ``paragraph``
    or ``text``."""
    limits = question.limits
    match question.widget:
        case "yes_no":
            return "radio"
        case "choice":
            return "drop_down" if len(question.choices) > MOST_BUTTONS else "radio"
        case "many_choice":
            return "checkbox"
        case "date":
            return "date"
        case "whole_number" if limits.least in SCALES[0] and limits.greatest in SCALES[1]:
            return "scale"
        case "duration" if _never_negative(question) and _short(question):
            return "duration"
        case "text" if not limits.pattern and (limits.longest is None or limits.longest > LONG):
            return "paragraph"
    return "text"


def _never_negative(question: Question) -> bool:
    least = question.limits.least if question.limits.above is None else question.limits.above
    return least is not None and least >= 0


def _short(question: Question) -> bool:
    most = question.limits.greatest if question.limits.below is None else question.limits.below
    return most is not None and most <= LONGEST_PICKED.total_seconds()


def option_values(question: Question, language: str) -> Mapping[str, str | bool]:
    """What each option stands for, in their order. Where two choices have the same label, their values stand beside it."""
    if question.widget == "yes_no":
        return dict(zip(options(question, language), (True, False), strict=True))
    labels = [one_line(one) for one in options(question, language)]
    named = zip(question.choices, labels, strict=True)
    return {label if labels.count(label) == 1 else f"{label} [{one.value}]": one.value for one, label in named}


def one_line(text: str) -> str:
    return " ".join(text.split())


def title(question: Question, language: str) -> str:
    """The label, with the unit in brackets."""
    unit = words.text("in_brackets", language, text=question.unit.say(language)) if question.unit else ""
    return one_line(question.label.say(language) + unit)


def _question(form: Form, page: Page, question: Question, below: Page | None, language: str) -> Asked:
    unsaid, decides = page.unsaid(question), question is page.decides
    asked: Item = {"questionId": id_of(form, question.key, f"question {sort(question)}")}
    if decides or (question.required and not unsaid):
        asked["required"] = True
    lines = [*(only_when(form, one, language) for one in unsaid), *_lines(form, question, decides, language)]
    leads = {value: _to(form, way, below) for value, way in page.leads.items()} if decides else {}
    return Asked(
        question.key,
        {
            "itemId": id_of(form, question.key, sort(question)),
            "title": title(question, language),
            "description": "\n".join(lines),
            "questionItem": {"question": asked | _control(question, leads, language)},
        },
        {text: value for text, value in option_values(question, language).items() if isinstance(value, str)},
    )


def _lines(form: Form, question: Question, decides: bool, language: str) -> Iterator[str]:
    yield from help_lines(form, question, language, typed=not picked(question))
    if not question.required:
        name = "google_unsure" if decides else "excel_blank_means"
        yield words.text(name, language, blank=when_blank(question, language))


def _control(question: Question, leads: Mapping[str | bool, Item], language: str) -> Item:
    limits, kind = question.limits, sort(question)
    match kind:
        case "scale":
            return {"scaleQuestion": {"low": limits.least, "high": limits.greatest}}
        case "date":
            return {"dateQuestion": {"includeYear": True}}
        case "duration":
            return {"timeQuestion": {"duration": True}}
        case "paragraph":
            return {"textQuestion": {"paragraph": True}}
        case "text":
            return {"textQuestion": {}}
    offered = option_values(question, language).items()
    return _choice(kind.upper(), [{"value": text} | leads.get(value, {}) for text, value in offered])


def _choice(kind: str, offered: Sequence[Item]) -> Item:
    return {"choiceQuestion": {"type": kind, "options": [*offered]}}


def _to(form: Form, way: Way, below: Page | None) -> Item:
    """Where an option leads, as the service says it."""
    if way.page is None:
        return {"goToAction": "SUBMIT_FORM"}
    return {"goToAction": "NEXT_SECTION"} if way.page is below else {"goToSectionId": _page_id(form, way.page)}


def _page_id(form: Form, page: Page) -> str:
    return id_of(form, page.questions[0].key, "page")


def _page_break(form: Form, page: Page, language: str) -> Asked:
    """A page is headed by its section, or by the answer that led there."""
    first = page.questions[0]
    head = first.section.say(language)
    if first.section == form.title:
        head = _answer(form, page.conditions[-1], language) if page.conditions else _others(language)
    said = [only_when(form, one, language) for one in page.conditions]
    described = {"description": "\n".join(said)} if said else {}
    item = {"itemId": _page_id(form, page), "title": one_line(head), **described, "pageBreakItem": {}}
    return Asked("", item)


def _answer(form: Form, condition: Condition, language: str) -> str:
    question = form.by_name[condition.on][0]
    named = {value: text for text, value in option_values(question, language).items()}
    chosen = tuple(named[value] for value in condition.values if isinstance(value, str | bool))
    return words.text("google_page", language, on=question.label, answer=chosen)


def _others(language: str) -> str:
    return words.text("excel_other_section", language)


def _heading(form: Form, question: Question, language: str) -> Asked:
    """A section that begins in the middle of a page."""
    head = _others(language) if question.section == form.title else question.section.say(language)
    return Asked("", {"itemId": id_of(form, question.key, "heading"), "title": one_line(head), "textItem": {}})


def _way_on(form: Form, page: Page, language: str) -> Asked:
    """What leads past the pages that belong to other answers."""
    first = page.questions[0].key
    leads = _to(form, page.on, None)
    offered = [{"value": words.text("google_go_on", language)} | leads]
    asked = {"questionId": id_of(form, first, "question way on"), "required": True, **_choice("RADIO", offered)}
    item = {
        "itemId": id_of(form, first, "way on"),
        "title": words.text("google_end_of_page", language),
        "questionItem": {"question": asked},
    }
    return Asked("", item)


def id_of(form: Form, key: str, what: str) -> str:
    """An id of the service's own form that follows from the question: eight hexadecimal digits, the first below 8."""
    digest = hashlib.sha256(f"{form.kind} {key} {what}".encode()).digest()
    return f"{int.from_bytes(digest[:4]) & 0x7FFF_FFFF:08x}"
