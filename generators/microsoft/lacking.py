"""What a workbook of responses lacks: columns of Forms itself, and questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generators.excel.answer_cell import Spots
from generators.microsoft import Mark
from generators.microsoft.asked import title_of
from generators.microsoft.headings import EMAIL, ID, Headings
from schema.problem import Problem
from schema.question import Form
from schema.words import Fact, Words

OWN: Mapping[str, str | Words] = {ID: "ID", EMAIL: Words("Email", ja="メール")}
NOT_ASKED = "form_without_question"


def lost(headings: Headings, spots: Spots) -> Iterator[Problem]:
    """The columns without which nobody can tell which response this is, or whose."""
    for name, said in OWN.items():
        if name not in headings.own:
            yield Problem("form_without_column", spots.row_place(headings.row), "", {"column": said})


def not_asked(headings: Headings, form: Form, mark: Mark, spots: Spots) -> Iterator[Problem]:
    """The questions that no title belongs to: ``NOT_ASKED`` where no response can be good without an answer."""
    for key, tag in headings.missing(form).items():
        question = form.by_key[key]
        code = NOT_ASKED if question.required and not question.conditions else "form_optional_question"
        title = title_of(question, tag, mark.language)
        facts: dict[str, Fact] = {"label": question.label, "tag": f"[{tag}]", "title": title}
        yield Problem(code, spots.row_place(headings.row), key, facts)
