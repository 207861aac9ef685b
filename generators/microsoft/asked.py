"""The questions as Microsoft Forms asks them: numbered, with titles, in the sorts that it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from generators.excel import SENDER
from generators.excel.entry import Entry, entries
from generators.microsoft import Mark, tags_of
from schema import words
from schema.question import Form, Question
from schema.refusals import share_spellings

Sort = Literal["choice", "many", "date", "text"]
MOST_OPTIONS = 26
"""Options that can be imported: they are told by the letters A to Z."""
SORTS: dict[str, Sort] = {"choice": "choice", "yes_no": "choice", "many_choice": "many", "date": "date"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the form. ``number`` counts from 1; ``question`` is None for the one that asks why to run again, which bears
    the mark of the form. ``title`` ends in brackets; ``subtitle`` is one paragraph for below it, and ``when`` what must stand before it
    where people meet the question who are not asked it."""

    number: int
    key: str
    title: str
    when: str
    subtitle: str
    sort: Sort
    options: tuple[str, ...]
    question: Question | None


def asked(form: Form, language: str) -> tuple[Asked, ...]:
    """Every question in the order of the form; nobody is asked who they are, because Forms records it."""
    shown = [one for one in entries(form, language) if one.key != SENDER]
    tags, mark = tags_of(form), str(Mark(form.kind, form.version, language))
    return tuple(
        _asked(number, form.by_key.get(one.key), one, tags.get(one.key, mark), language)
        for number, one in enumerate(shown, 1)
    )


def title_of(question: Question, tag: str, language: str) -> str:
    """The title of a question as it was made."""
    return _title(question.label.say(language), question.unit.say(language) if question.unit else "", tag, language)


def _title(label: str, unit: str, tag: str, language: str) -> str:
    """A title in one line: what is asked, its unit unless that says it already, and the tag."""
    name = " ".join(label.split())
    said = unit.casefold() in name.casefold()
    return f"{name}{'' if said else words.text('in_brackets', language, text=unit)} [{tag}]"


def _asked(number: int, question: Question | None, entry: Entry, tag: str, language: str) -> Asked:
    return Asked(
        number=number,
        key=entry.key,
        title=_title(entry.label, entry.unit, tag, language),
        when=" ".join(entry.when.split("\n")),
        subtitle=("" if language == "ja" else " ").join(
            _sentences(entry, question, language) if question else [words.text("microsoft_again", language)]
        ),
        sort=SORTS.get(question.widget, "text") if question else "text",
        options=tuple(" ".join(one.split()) for one in entry.options),
        question=question,
    )


def _sentences(entry: Entry, question: Question | None, language: str) -> Iterator[str]:
    """What stands beside the answer in a workbook, but for how to write several choices into one cell."""
    choices = "; ".join(entry.options)
    many = words.text("excel_choose_many", language, choices=choices)
    lines = [one for one in entry.help.split("\n") if one != many]
    lines += [one.say(language) for one in share_spellings(question)] if question else []
    lines += [] if entry.required else [words.text("excel_blank_means", language, blank=entry.blank)]
    for line in filter(None, map(str.strip, lines)):
        yield line if line.endswith((".", "。", "?", "？")) else words.text("microsoft_sentence", language, text=line)
