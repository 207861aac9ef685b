"""The Google door: a kind as a Google form, and the responses to one read back.

``write`` makes the definition that is committed as ``forms/google/KIND.LANG.json`` and that ``denpyo forms publish google`` brings the
live form up to: ``create``, the body of ``forms.create``; ``info`` and ``settings``; and ``items``, each an Item of the Forms API (v1)
beside the ``key`` of the question it asks and the choices that its ``options`` stand for.

``read`` takes one JSON document, which the inbox composes from what it knows and what the service said::

    {"form": {"id": "1FAI…", "kind": "train_supervised", "language": "ja",
              "published": [{"version": 1, "fingerprint": "…", "at": "2026-11-21T09:00:00Z"}],
              "questions": {"3f2a1b0c": {"key": "algorithm", "options": {"XGBoost": "xgboost"}, "since": 0, "until": null}}},
     "response": {"responseId": "ACYD…", "createTime": "…", "lastSubmittedTime": "…", "respondentEmail": "…", "answers": {…}}}

``published`` lists what was asked since when ("" while it is being published); ``questions`` every question that the form ever had, by
the service's id, with the choices that its options stand for or once stood for, and the places in ``published`` of what brought it and
of what removed it (else null). The key "" is that of a question that only leads on to another page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from generators import Read
from generators.google_items import Asked, items, one_line, sort, title
from generators.google_pages import pages, visited
from schema.answers import Answers, Given, Located, Where
from schema.history import form_at
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.question import Form, Question
from schema.words import FALLBACK, Words, languages

CLOCK = re.compile(r"([0-9]{1,4}):([0-9]{2})(?::([0-9]{2}))?")


def write(form: Form, language: str) -> bytes:
    """The definition of a kind's form, in bytes that follow from the form and the language alone."""
    return (json.dumps(definition(form, language), ensure_ascii=False, indent=1) + "\n").encode()


def definition(form: Form, language: str) -> dict[str, Any]:
    name = one_line(form.title.say(language))
    return {
        "kind": form.kind,
        "version": form.version,
        "fingerprint": form.fingerprint,
        "language": language,
        "create": {"info": {"title": name, "documentTitle": f"{form.kind}.{language}"}},
        "info": {"title": name, "description": form.about.say(language)},
        "settings": {"emailCollectionType": "VERIFIED"},
        "items": [_listed(one) for one in items(form, language)],
    }


def _listed(one: Asked) -> dict[str, Any]:
    return {"key": one.key, **({"options": dict(one.options)} if one.options else {}), "item": one.item}


def read(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """The one response of a document, its answers by question key. What the service sent in another shape than it should is a Problem.

    Answers on pages that the other answers lead past were given before somebody turned back; they are left out, and so are answers to
    questions that the form has and denpyo did not ask. Both are told."""
    try:
        return [_Reading(_document(data), Where(name), kinds).read()], []
    except _BrokenError as error:
        return [], [Problem("broken_response", Where(name), facts={"detail": shown(str(error))})]


class _BrokenError(Exception):
    """What is missing from a document, or of another type than it should be."""


def _document(data: bytes) -> dict[str, Any]:
    try:
        return _mapping(json.loads(data), "document")
    except (ValueError, RecursionError) as error:
        raise _BrokenError("document") from error


def _mapping(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _BrokenError(name)
    return value


def _text(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name, "")
    if not isinstance(value, str):
        raise _BrokenError(name)
    return value


def _time(mapping: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(_text(mapping, name))
    except ValueError as error:
        raise _BrokenError(name) from error
    if found.tzinfo is None:
        raise _BrokenError(name)
    return found


@dataclass
class _Reading:
    """One response being read."""

    document: Mapping[str, Any]
    where: Where
    kinds: Mapping[str, Kind]
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.about = _mapping(self.document.get("form"), "form")
        self.response = _mapping(self.document.get("response"), "response")
        self.questions = _mapping(self.about.get("questions"), "questions")
        self.language = _text(self.about, "language")
        self.language = self.language if self.language in languages() else FALLBACK

    def read(self) -> Read:
        kind = self.kinds.get(_text(self.about, "kind"))
        version, fingerprint = self._asked()
        form = form_at(kind.job, kind.form, version) if kind else None
        texts = dict(self._texts())
        if form:
            texts = dict(self._on_the_way(form, texts))
        given = {key: Located(self._typed(form, key, said), self._place(form, key)) for key, said in texts.items()}
        email = _text(self.response, "respondentEmail")
        answers = Answers(
            kind=_text(self.about, "kind"),
            where=self.where,
            given=given,
            language=self.language,
            version=version,
            fingerprint=fingerprint,
            sender=Located(email, self.where) if email else None,
            named=f"google:{_text(self.about, 'id')}:{_text(self.response, 'responseId')}",
            places={one.key: self._place(form, one.key) for one in form.questions} if form else {},
        )
        return Read(answers, (), tuple(self.warnings))

    def _asked(self) -> tuple[int, str]:
        """The version that was asked when this was answered, and its fingerprint: what was published last before, unless a question
        is answered that came later or had gone by then."""
        listed = self.about.get("published")
        published = [_mapping(one, "published") for one in listed] if isinstance(listed, list) else []
        if not published or not all(isinstance(one.get("version"), int) for one in published):
            raise _BrokenError("published")
        at = _time(self.response, "lastSubmittedTime")
        then = [index for index, one in enumerate(published) if one.get("at") and _time(one, "at") <= at]
        answers = _mapping(self.response.get("answers", {}), "answers")
        asked = [one for id in answers if isinstance(one := self.questions.get(id), dict)]
        first = max([0, *then[-1:], *(one["since"] for one in asked if isinstance(one.get("since"), int))])
        last = min([len(published), *(one["until"] for one in asked if isinstance(one.get("until"), int))]) - 1
        found = published[max(0, min(first, last))]
        return found["version"], _text(found, "fingerprint")

    def _texts(self) -> Iterator[tuple[str, list[str]]]:
        """What was answered, by question key: a choice by its value, all else as the service tells it."""
        for id, answer in _mapping(self.response.get("answers", {}), "answers").items():
            said = [one for one in self._said(_mapping(answer, "answers")) if one]
            known = self.questions.get(id)
            if known is None:
                facts = {"text": shown("; ".join(said))}
                self.warnings.append(Problem("not_our_question", self.where.at(shown(id)), "", facts))
                continue
            key = _text(_mapping(known, "questions"), "key")
            options = _mapping(known.get("options", {}), "options")
            if key and said:
                yield key, [_text(options, one) or one for one in said]

    def _said(self, answer: Mapping[str, Any]) -> Iterator[str]:
        listed = _mapping(answer.get("textAnswers", {}), "textAnswers").get("answers", [])
        for one in listed if isinstance(listed, list) else [listed]:
            yield _text(_mapping(one, "textAnswers"), "value")

    def _on_the_way(self, form: Form, texts: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
        """The answers that stand on pages to which the other answers lead."""
        passed = visited(pages(form), {key: said[0] for key, said in texts.items()})
        for key, said in texts.items():
            if passed is None or key in passed or key not in form.by_key:
                yield key, said
            else:
                facts: dict[str, str | Words] = {"label": form.by_key[key].label, "text": shown("; ".join(said))}
                self.warnings.append(Problem("turned_back", self._place(form, key), key, facts))

    def _typed(self, form: Form | None, key: str, said: list[str]) -> Given:
        """An answer as ``schema.text`` reads it."""
        question = form.by_key.get(key) if form else None
        if question is None:
            return said[0] if len(said) == 1 else tuple(said)
        meant = [self._meant(question, one) for one in said]
        return tuple(meant) if question.widget == "many_choice" or len(meant) > 1 else meant[0]

    def _meant(self, question: Question, text: str) -> str:
        """A length of time as a clock with seconds, which the service leaves out."""
        clock = CLOCK.fullmatch(text) if sort(question) == "duration" else None
        return f"{clock[1]}:{clock[2]}:{clock[3] or '00'}" if clock else text

    def _place(self, form: Form | None, key: str) -> Where:
        question = form.by_key.get(key) if form else None
        return self.where.at(title(question, self.language) if question else shown(key))
