"""Somebody who fills in a Google form: led from page to page by the items alone, as the service leads, and held to its rules.

What a page leads to is decided by the last of its questions whose chosen option leads somewhere; else it is the page below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from generators.excel.spelling import number, spoken_duration
from generators.google_form import definition
from schema import words
from schema.question import Form, Question
from schema.text import read

Item = Mapping[str, Any]
Answer = Callable[[Item], Sequence[str]]
END = -1


def fill_in(items: Sequence[Item], answer: Answer) -> dict[str, Any]:
    """The ``answers`` of a FormResponse. ``answer`` says what is typed or chosen at an item; nothing where it is left empty."""
    pages = _pages(items)
    found: dict[str, Any] = {}
    index, seen = 0, 0
    while index != END and index < len(pages):
        seen += 1
        assert seen <= len(pages), "the form leads in a circle"
        leads = None
        for item in (one for one in pages[index] if "questionItem" in one):
            question, given = item["questionItem"]["question"], list(answer(item))
            _refuse(question, given)
            if given:
                values = [{"value": one} for one in given]
                found[question["questionId"]] = {
                    "questionId": question["questionId"],
                    "textAnswers": {"answers": values},
                }
            leads = _chosen(question, given) or leads
        index = _next(pages, index, leads)
    return found


def document(form: Form, values: Mapping[str, Any], language: str, response: str = "R1") -> bytes:
    """What the inbox composes of the response of somebody who wants these values: a document for ``google_form.read``."""
    listed = definition(form, language)["items"]
    asked = [one for one in listed if "questionItem" in one["item"]]
    known = {
        one["item"]["questionItem"]["question"]["questionId"]: {
            "key": one["key"],
            "options": one.get("options", {}),
            "since": 0,
            "until": None,
        }
        for one in asked
    }
    keys = {id: str(one["key"]) for id, one in known.items()}
    about = {
        "id": "F",
        "kind": form.kind,
        "language": language,
        "published": [{"version": form.version, "fingerprint": form.fingerprint, "at": "2026-11-01T00:00:00Z"}],
        "questions": known,
    }
    at = "2026-11-21T09:00:00.123456Z"
    answers = fill_in([one["item"] for one in listed], person(form, keys, values, language))
    said = {"responseId": response, "createTime": at, "lastSubmittedTime": at, "answers": answers}
    return json.dumps({"form": about, "response": said}).encode()


def _pages(items: Sequence[Item]) -> list[list[Item]]:
    pages: list[list[Item]] = [[]]
    for one in items:
        if "pageBreakItem" in one:
            pages.append([])
        pages[-1].append(one)
    return pages


def _chosen(question: Mapping[str, Any], given: Sequence[str]) -> Mapping[str, str] | None:
    options = question.get("choiceQuestion", {}).get("options", [])
    return next(
        (one for one in options if one["value"] in given and one.keys() & {"goToAction", "goToSectionId"}), None
    )


def _next(pages: list[list[Item]], index: int, leads: Mapping[str, str] | None) -> int:
    if leads is None or leads.get("goToAction") == "NEXT_SECTION":
        return index + 1
    if leads.get("goToAction") == "SUBMIT_FORM":
        return END
    (found,) = [at for at, page in enumerate(pages) if page and page[0]["itemId"] == leads["goToSectionId"]]
    return found


def _refuse(question: Mapping[str, Any], given: Sequence[str]) -> None:
    """What the service does not let a person send."""
    assert given or not question.get("required"), "a required question was left empty"
    match question:
        case {"choiceQuestion": choice}:
            assert set(given) <= {one["value"] for one in choice["options"]}
            assert len(given) <= 1 or choice["type"] == "CHECKBOX"
        case {"scaleQuestion": scale}:
            assert all(scale["low"] <= int(one) <= scale["high"] for one in given)
        case {"dateQuestion": _}:
            assert all(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", one) for one in given)
        case {"timeQuestion": _}:
            assert all(re.fullmatch(r"[0-9]{2}:[0-9]{2}", one) for one in given)
        case _:
            assert len(given) <= 1


def person(form: Form, keys: Mapping[str, str], values: Mapping[str, Any], language: str) -> Answer:
    """Somebody who wants these values, by question name and as they stand in a slip. ``keys``: question key by the service's id."""

    def answer(item: Item) -> list[str]:
        asked = item["questionItem"]["question"]
        key = keys[asked["questionId"]]
        if not key:
            return [one["value"] for one in asked["choiceQuestion"]["options"]]
        value = values.get(key.partition("@")[0])
        return [] if value in (None, []) else list(_written(form.by_key[key], value, language))

    return answer


def _written(question: Question, value: Any, language: str) -> Iterator[str]:
    """A value as somebody gives it, at whatever the form shows for its question."""
    if isinstance(value, list):
        yield from (one for part in value for one in _written(question, part, language))
    elif isinstance(value, bool):
        yield words.text("yes" if value else "no", language)
    elif choice := question.choice(value):
        yield choice.label.say(language)
    elif question.widget == "duration":
        length = read(question, value)
        assert isinstance(length, timedelta)
        yield spoken_duration(length, language)
    else:
        yield number(value) if isinstance(value, int | float) else str(value)
