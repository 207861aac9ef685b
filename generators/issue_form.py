"""The GitHub door: an issue form to put into ``.github/ISSUE_TEMPLATE/``, and the issues that people open with it, read back.

A form has no sections, conditions or limits: headings between the questions, and the words under each, say what belongs together, when a
question is meant and what may be answered. Its last element holds the kind, version and language, since the issue's body keeps nothing
else of the form but its headings: labels and titles anybody with rights may change, and templates in a repository grow old.

``read`` takes what GitHub itself says of an issue, as in the payload of its ``issues`` event: ``{"repository": {"full_name": "owner/name"},
"issue": {"number": 12, "body": "…"}}``; more may stand there. A place is a line of the body, with the heading it stands under.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from generators import Read
from generators.excel.entry import help_lines, only_when, when_blank
from generators.issue_answer import given
from generators.issue_body import Parted, Section, fences, headings, in_fences, lines_of, part, spot
from generators.issue_fields import MARK, MARKED, Field, fields, one_line
from generators.markdown import literal
from schema import words
from schema.answers import Answers, Located, Where
from schema.history import form_at
from schema.kinds import Kind
from schema.problem import Problem, folded, shown
from schema.question import Form, Question
from schema.words import languages
from schema.yaml_text import dump

LABEL = "denpyo"
"""The label that GitHub puts on issues opened with a form, where the repository has it."""
YAML = ("yaml", "yml")
BREAK = "  \n"
Reader = Callable[[bytes, str, Mapping[str, Kind]], tuple[list[Read], list[Problem]]]


def write(form: Form, language: str) -> bytes:
    """The issue form, as YAML for ``.github/ISSUE_TEMPLATE/``; its bytes follow from the form and the language alone."""
    *asked, mark = fields(form, language)
    by_key = {one.key: one for one in asked}
    body = [{"type": "markdown", "attributes": {"value": words.text("issue_hint", language)}}]
    for section, members in groupby(form.questions, key=lambda one: one.section):
        heading = section.say(language) if section != form.title else words.text("excel_other_section", language)
        if section != form.title or len(body) > 1:
            body.append({"type": "markdown", "attributes": {"value": f"## {literal(one_line(heading))}"}})
        body += [_element(form, one, by_key[one.key], language) for one in members]
    title = one_line(form.title.say(language))
    head = {"name": title, "description": form.about.say(language), "title": f"{title}: ", "labels": [LABEL]}
    return dump({**head, "body": [*body, _mark(mark, language)]}).encode()


def _element(form: Form, question: Question, field: Field, language: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {"label": field.label, "description": _description(form, question, field, language)}
    if field.element == "checkboxes":
        attributes["options"] = [{"label": one} for one in field.options]
    elif field.means:
        attributes |= {"multiple": field.several, "options": list(field.options)}
    elif question.example:
        attributes["placeholder"] = question.example
    needed = question.required and not question.conditions
    validations = {"validations": {"required": needed}} if field.element != "checkboxes" else {}
    return {"type": field.element, "id": field.id, "attributes": attributes, **validations}


def _description(form: Form, question: Question, field: Field, language: str) -> str:
    unit = question.unit and words.text("issue_unit", language, unit=question.unit)
    blank = words.text("excel_blank_means", language, blank=when_blank(question, language))
    must = question.required and not question.conditions
    said = [
        *([words.text("excel_required", language)] if must else []),
        *(only_when(form, one, language) for one in question.conditions),
        *help_lines(form, question, language, typed=not field.means),
        *([unit] if unit else []),
        *([] if must else [blank]),
    ]
    return BREAK.join(literal(one_line(one)) for one in said if one.strip())


def _mark(field: Field, language: str) -> dict[str, Any]:
    attributes = {
        "label": field.label,
        "description": words.text("issue_mark_help", language),
        "options": list(field.options),
        "default": 0,
    }
    return {"type": "dropdown", "id": field.id, "attributes": attributes, "validations": {"required": True}}


@dataclass(frozen=True, slots=True)
class Issue:
    """What is read of an issue: its body and the lines of it, the place that stands for it, and the name it has for ever."""

    body: str
    lines: tuple[str, ...]
    file: Where
    named: str


def issue(data: bytes) -> Issue | None:
    """The issue that a payload speaks of; None where it speaks of none."""
    try:
        said = json.loads(data)
        number, body = said["issue"]["number"], said["issue"]["body"] or ""
        repository = said["repository"]["full_name"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (type(number) is int and isinstance(body, str) and isinstance(repository, str)):
        return None
    named = f"github:{repository}#{number}"
    return Issue(body, tuple(lines_of(body)), Where(f"issue #{number}"), named)


def read(data: bytes, name: str, kinds: Mapping[str, Kind], read_yaml: Reader) -> tuple[list[Read], list[Problem]]:
    """The request that an issue makes, from the headings of a form or a YAML block, which the YAML door ``read_yaml`` reads."""
    found = issue(data)
    if found is None:
        return [], [Problem("issue_event", Where(name))]
    mark = _mark_of(found.lines)
    forms = _named(mark, kinds) if mark else _fitting(found.lines, kinds)
    if mark and not forms:
        return [Read(Answers(mark[1], found.file, {}, mark[3], named=found.named))], []
    if not forms:
        return _yaml(found, kinds, read_yaml)
    if len({form.kind for form, _ in forms}) > 1:
        titles = tuple(form.title for form, _ in forms)
        return [], [Problem("issue_which_form", found.file, "", {"forms": titles})]
    return [_read(found, *forms[0])], []


def _mark_of(lines: Sequence[str]) -> re.Match[str] | None:
    """What the last element of the form says: kind, version and language. None where somebody took it away."""
    labels = {folded(one_line(words.text("issue_mark", language))) for language in languages()}
    for at, name in reversed(list(headings(lines))):
        if folded(name) in labels:
            return MARKED.fullmatch(next((line.strip() for line in lines[at + 1 :] if line.strip()), ""))
    return None


def _named(mark: re.Match[str], kinds: Mapping[str, Kind]) -> list[tuple[Form, str]]:
    """The form that a mark speaks of. A version that is not known is left to ``check``, which says what to do."""
    kind, version = kinds.get(mark[1]), int(mark[2])
    if kind is None or mark[3] not in languages():
        return []
    return [(form_at(kind.job, kind.form, version) or replace(kind.form, version=version), mark[3])]


def _fitting(lines: Sequence[str], kinds: Mapping[str, Kind]) -> list[tuple[Form, str]]:
    """The forms that most of the body's headings belong to, with their languages. One heading alone makes no form of a body that holds
    a block of YAML: people write 「メモ」 over their own words too."""
    fenced = in_fences(lines)
    present = {folded(name) for at, name in headings(lines) if at not in fenced}
    scores = {
        (kind.name, language): len(present & {folded(one.label) for one in fields(kind.form, language)})
        for kind in kinds.values()
        for language in languages()
    }
    best = max(scores.values(), default=0)
    least = 2 if any(info.lower() in YAML for _, _, info in fences(lines)) else 1
    return [(kinds[name].form, language) for (name, language), score in scores.items() if score == best >= least]


def _read(found: Issue, form: Form, language: str) -> Read:
    parted = part(found.lines, fields(form, language), found.file)
    answers = {one.field.key: (one, given(one.field, one.text)) for one in parted.sections}
    marked = MARK in answers
    answers.pop(MARK, None)
    unsure = [_unsure(one, found.file) for one, text in answers.values() if text is None]
    blank = Answers(
        kind=form.kind,
        where=found.file,
        given={key: Located(text, _place(one, found.file)) for key, (one, text) in answers.items() if text is not None},
        language=language,
        version=form.version if marked else None,
        named=found.named,
        places={key: _place(one, found.file) for key, (one, _) in answers.items()},
    )
    return Read(blank, (*parted.problems, *unsure), tuple(_beside(found, parted)))


def _place(section: Section, file: Where) -> Where:
    return file.at(spot(section.first, section.field.label))


def _unsure(section: Section, file: Where) -> Problem:
    facts = {"label": section.field.label, "text": shown(section.text)}
    return Problem("issue_options", _place(section, file), section.field.key, facts)


def _beside(found: Issue, parted: Parted) -> Iterator[Problem]:
    if parted.beside:
        text = shown(found.lines[parted.beside - 1])
        yield Problem("text_elsewhere", found.file.at(spot(parted.beside)), "", {"text": text, "more": ""})


def _yaml(found: Issue, kinds: Mapping[str, Kind], read_yaml: Reader) -> tuple[list[Read], list[Problem]]:
    """The YAML of a body, at the lines where it stands: its one fenced block, or all of it."""
    fenced = list(fences(found.lines))
    blocks = [one for one in fenced if one[2].lower() in YAML] or [one for one in fenced if not one[2]]
    if len(blocks) > 1:
        return [], [Problem("issue_several", found.file.at(spot(blocks[1][0] + 1)), "")]
    first, last = (blocks[0][0] + 1, blocks[0][1]) if blocks else (0, len(found.lines))
    text = "\n" * first + "\n".join(found.lines[first:last])
    if not blocks and not _looks_like_yaml(found.lines):
        return [], [Problem("issue_unread", found.file)]
    responses, problems = read_yaml(text.encode(errors="surrogatepass"), found.file.file, kinds)
    if len(responses) > 1:
        return [], [Problem("issue_several", responses[1].answers.where)]
    within = [replace(one, where=_within(one.where, last)) for one in problems]
    return [replace(one, answers=replace(one.answers, named=found.named)) for one in responses], within


def _within(where: Where, last: int) -> Where:
    """A place in the YAML. Where its reader missed something at the end, that is the last line of it, and not the one behind."""
    line, _, column = where.spot.partition(":")
    beyond = line.isascii() and line.isdigit() and int(line) > last
    return where.at(spot(max(last, 1))) if beyond and column else where


def _looks_like_yaml(lines: Sequence[str]) -> bool:
    """Whether the first line that is no comment names something: ``kind: …``."""
    first = next((line for line in lines if line.strip() and not line.startswith(("#", "---"))), "")
    return ":" in first and " " not in first.split(":")[0].strip()
