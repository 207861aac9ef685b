"""What stands around one answer, in words: made once from a Question, laid out by both layouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from generators.excel import AGAIN, SENDER
from generators.excel.limits import at_most, in_words, most_letters, rule, rule_for, says_form
from generators.excel.offered import alike, nothing_words, offers
from generators.excel.page import DATE, GENERAL, PERCENT, TEXT, Format, Rule
from generators.excel.spelling import said
from schema import words
from schema.check import LONGEST_AROUND
from schema.job import Choice, When
from schema.question import Condition, Form, Question
from schema.refusals import relation
from schema.words import Words

MOST_LISTED = 1000
"""Names in a drop-down list: beyond that nobody looks one up there."""
MOST_SAID = 20
"""Names in a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer to be given. ``when`` says on which other answer it depends, ``blank`` what an empty cell means. ``first`` marks
    what a beginner's sheet shows.

    ``options`` are the members of its drop-down list, which the workbook keeps under the name ``list_name``; where they hang on
    the answer to the question ``offered_on``, ``offered`` has those for an empty answer there, and then for each of its options.
    ``alike`` are other spellings that are understood, ``nothing`` those of an empty answer, ``longest`` the most characters of a
    text that is no question's. ``needs`` and ``order`` say what must agree with other answers. ``known`` are names that its list
    offers and that it may differ from."""

    key: str
    label: str
    section: str
    required: bool
    first: bool
    unit: str
    when: str
    help: str
    blank: str
    options: tuple[str, ...]
    list_name: str
    format: Format
    rule: Rule
    offered_on: str = ""
    offered: tuple[tuple[str, ...], ...] = ()
    alike: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    longest: int = 0
    needs: str = ""
    order: str = ""
    known: tuple[str, ...] = ()

    @property
    def alike_name(self) -> str:
        return f"alike{self.list_name.removeprefix('list')}"

    @property
    def nothing_name(self) -> str:
        return f"nothing{self.list_name.removeprefix('list')}" if self.nothing else "nothing"


def wording(asked: Sequence[Entry]) -> str:
    """A short hash of what a template says around its answers. The fingerprint of a form leaves out the words: a template of the same
    version with another wording was made before some of them were mended."""
    said = [(one.key, one.label, one.section, one.unit, one.when, one.help, one.blank) for one in asked]
    return sha256(repr(said).encode()).hexdigest()[:12]


def entries(form: Form, language: str) -> tuple[Entry, ...]:
    """Who asks, every question in the form's order, and why it should run again."""
    questions = [_entry(form, index, one, language) for index, one in enumerate(form.questions, 1)]
    return (_around(SENDER, "sender", language), *questions, _around(AGAIN, "again", language))


def _around(key: str, name: str, language: str) -> Entry:
    label, help, blank, section = (
        words.text(f"excel_{name}{part}", language) for part in ("", "_help", "_blank", "_section")
    )
    error = words.text("excel_error", language, allowed=most_letters(LONGEST_AROUND, language))
    return Entry(
        key=key,
        label=label,
        section=section,
        required=False,
        first=True,
        unit="",
        when="",
        help=help,
        blank=blank,
        options=(),
        list_name="",
        format=TEXT,
        longest=LONGEST_AROUND,
        rule=rule(at_most(LONGEST_AROUND), label, help, error, language),
    )


def _entry(form: Form, index: int, question: Question, language: str) -> Entry:
    when = "\n".join(only_when(form, one, language) for one in question.conditions)
    help = "\n".join(_help(form, question, language))
    list_name = f"list_{index}"
    offered_on, offered = offers(form, question, language)
    return Entry(
        key=question.key,
        label=question.label.say(language),
        section=question.section.say(language) if question.section != form.title else "",
        required=question.required,
        first=question.is_first,
        unit=question.unit.say(language) if question.unit else "",
        when=when,
        help=help,
        blank=when_blank(question, language),
        options=options(question, language),
        list_name=list_name,
        format=_format(question, language),
        rule=rule_for(question, language, f"{when}\n{help}".strip(), list_name),
        offered_on=offered_on,
        offered=offered,
        alike=alike(question),
        nothing=nothing_words(question),
        needs=_needs(form, question, language),
        order=_order(form, question, language),
        known=question.known[:MOST_LISTED],
    )


def _format(question: Question, language: str) -> Format:
    if question.widget == "date":
        return DATE
    if question.widget not in ("whole_number", "number"):
        return TEXT
    if question.is_share:
        return PERCENT
    unit = question.unit.say(language).replace('"', "") if question.unit else ""
    gap = "" if unit in ("%", "％") else " "
    return f'{GENERAL}"{gap}{unit}"' if unit else GENERAL


def options(question: Question, language: str) -> tuple[str, ...]:
    """What a person may choose from, as it is labelled; nothing where the answer is typed."""
    if question.widget == "yes_no":
        return words.text("yes", language), words.text("no", language)
    return tuple(one.label.say(language) for one in question.choices)


def _help(form: Form, question: Question, language: str) -> Iterator[str]:
    help, *more = help_lines(form, replace(question, known=()), language)  # a workbook lists the names
    yield help
    if question.widget == "many_choice":
        choices = "; ".join(options(question, language))
        yield words.text("excel_choose_many", language, choices=choices)
    yield from more


def help_lines(form: Form, question: Question, language: str, *, typed: bool = True) -> Iterator[str]:
    """The help of a question, what must agree with other answers, and what may be answered. Who picks an answer instead of typing
    one needs neither its sort nor an example."""
    yield question.help.say(language)
    if question.known:
        more = ("…",) if len(question.known) > MOST_SAID else ()
        yield words.text("known_names", language, names=(*question.known[:MOST_SAID], *more))
    yield from (_choice_when(form, question, one, language) for one in question.choices if one.when)
    yield from [order] if (order := _order(form, question, language)) else []
    allowed = in_words(question, language, typed=typed)
    allowed = allowed and words.text("excel_allowed", language, allowed=allowed)
    help = question.help.say(language)
    shows = typed and question.example and question.example not in help and not says_form(question)
    how = "excel_share_example" if question.is_share else "excel_example"
    example = shows and words.text(how, language, example=question.example)
    if allowed or example:
        yield words.text("excel_sentence", language).join(one for one in (allowed, example) if one)


def when_blank(question: Question, language: str) -> str:
    """What an answer that is left empty means."""
    if question.required:
        return words.text("excel_required_blank", language)
    return question.blank.say(language) if question.blank else said(question, question.default, language)


def only_when(form: Form, condition: Condition, language: str) -> str:
    """On which other answer a question depends."""
    on = form.by_name[condition.on][0]
    return words.text("excel_when", language, on=on.label, values=_quoted(on, condition.values, language))


def _choice_when(form: Form, question: Question, choice: Choice, language: str) -> str:
    """A choice's condition names a sibling: the question whose name differs in its last step alone."""
    when = choice.when or When("")
    on = form.by_name[question.group + when.on][0]
    values = _quoted(on, when.values, language)
    return words.text("excel_choice_when", language, choice=choice.label, on=on.label, values=values)


def _needs(form: Form, question: Question, language: str) -> str:
    """What to say of a choice that another answer forbids."""
    on = dict.fromkeys(form.by_name[question.group + one.when.on][0].label for one in question.choices if one.when)
    return words.text("excel_live_needs", language, on=tuple(on)) if on else ""


def _order(form: Form, question: Question, language: str) -> str:
    """On which side of another answer this one must be."""
    on = question.limits.more_than or question.limits.at_least
    if not on:
        return ""
    return words.text("excel_order", language, on=form.by_name[on][0].label, relation=relation(question))


def _quoted(question: Question, values: tuple[object, ...], language: str) -> tuple[str | Words, ...]:
    return tuple(words.text("quoted", language, text=said(question, one, language)) for one in values)
