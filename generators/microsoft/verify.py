"""Whether a form of Microsoft Forms asks what its kind asks, as far as its workbook of responses shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generators.excel.answer_cell import Spots
from generators.excel.sheet import Sheet
from generators.microsoft import Mark, tags_of
from generators.microsoft.asked import title_of
from generators.microsoft.given import given
from generators.microsoft.headings import AGAIN, Headings, found_in
from generators.microsoft.lacking import NOT_ASKED, lost, not_asked
from schema.answers import Where
from schema.problem import Problem, shown
from schema.question import Form, Question
from schema.text import CHOSEN, Misread, clean, read
from schema.words import FALLBACK, Fact, Words, both, languages


def verify(sheets: Sequence[Sheet], name: str, form: Form) -> tuple[list[Problem], list[Problem]]:
    """What must be mended in the form, and what may be meant: other words in a title, an optional question left out, an older
    version. A workbook without responses does as well. ``form`` is the current one of the kind."""
    headings = found_in(sheets)
    if headings is None:
        return [Problem("not_responses", Where(name))], []
    spots = Spots(name, headings.sheet.name)
    if headings.mark is None:
        return [Problem("form_without_mark", spots.row_place(headings.row))], []
    where = spots.place(headings.row, headings.own[AGAIN])
    if headings.mark.kind != form.kind:
        facts: dict[str, Fact] = {"kind": shown(headings.mark.kind), "wanted": form.kind}
        return [Problem("another_kind", where, "kind", facts)], []
    lacking = list(not_asked(headings, form, headings.mark, spots))
    must = [one for one in lacking if one.code == NOT_ASKED]
    may = [one for one in lacking if one.code != NOT_ASKED]
    older = list(_older(headings.mark, form, where))
    return [*lost(headings, spots), *must, *_options(headings, form, spots)], [
        *older,
        *may,
        *_titles(headings, form, spots),
    ]


def _older(mark: Mark, form: Form, where: Where) -> Iterator[Problem]:
    if mark.version != form.version:
        facts: dict[str, Fact] = {"version": str(mark.version), "current": str(form.version)}
        yield Problem("form_other_version", where, "version", facts)


def _titles(headings: Headings, form: Form, spots: Spots) -> Iterator[Problem]:
    """Titles in other words than those of any language. A number behind the brackets is of Forms itself."""
    tags, language = tags_of(form), headings.mark.language if headings.mark else FALLBACK
    for key, columns in headings.columns(form).items():
        made = {one: title_of(form.by_key[key], tags[key], one) for one in languages()}
        for column in columns:
            text = clean(headings.line[column - 1])
            if text.rstrip("0123456789") not in map(clean, made.values()):
                facts: dict[str, Fact] = {"text": shown(text), "title": made.get(language, made[FALLBACK])}
                yield Problem("form_other_title", spots.place(headings.row, column), key, facts)


def _options(headings: Headings, form: Form, spots: Spots) -> Iterator[Problem]:
    """What was chosen that is no option, or several where one is expected; each once."""
    for key, columns in headings.columns(form).items():
        question, said = form.by_key[key], set[str]()
        for column in columns if question.widget in CHOSEN else ():
            for row, line in enumerate(headings.sheet.rows[headings.row :], headings.row + 1):
                for one in _strange(question, line[column - 1], spots.place(row, column)):
                    if one.message("en") not in said:
                        said.add(one.message("en"))
                        yield one


def _strange(question: Question, text: str, where: Where) -> Iterator[Problem]:
    members = given(question, text, "") if text.strip() else ()
    if question.widget != "many_choice" and isinstance(members, tuple) and members:
        yield Problem("form_several_answers", where, question.key, {"label": question.label})
    labels: tuple[str | Words, ...] = tuple(one.label for one in question.choices)
    choices: Fact = labels or (both("yes"), both("no"))
    for one in (members,) if isinstance(members, str) else members:
        if isinstance(read(question, (one,) if question.widget == "many_choice" else one), Misread):
            facts: dict[str, Fact] = {"label": question.label, "text": shown(clean(one)), "choices": choices}
            yield Problem("form_other_option", where, question.key, facts)
