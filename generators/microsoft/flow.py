"""One response as a Power Automate flow writes it: a JSON file that the page of the form shows how to make.

::

    {"denpyo": "microsoft forms 1", "form": "train_supervised 1 ja", "response": 17, "email": "hanako@example.co.jp",
     "answers": {"k3f9": "wine", "q2xa": "[\\"Accuracy\\",\\"F1\\"]", …}}

``form`` is the mark of the form, ``response`` the number that Forms gave, ``answers`` has texts by the tags of the questions, null or
nothing for those left empty, several choices as Forms itself writes them: a JSON list in a text. ``again`` says why to run again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from generators import Read
from generators.excel.spelling import number
from generators.microsoft import Mark, in_brackets, mark_in, tags_of
from generators.microsoft.asked import Asked
from generators.microsoft.given import NUMBER, blank, form_of, given
from schema.answers import Given, Located, Where
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.question import Form, Question
from schema.text import CHOSEN
from schema.words import Words, both

FORMAT = "microsoft forms 1"
KEYS = ("denpyo", "form", "response", "email", "answers", "again")
LARGEST = 1024 * 1024
RESPONSE, EMAIL = "Response Id", "Responders' Email"
"""What Power Automate calls these in its own list, in English."""


def written(questions: Sequence[Asked]) -> dict[str, Any]:
    """The document with a title wherever the flow puts an answer."""
    *all_others, last = questions
    return {
        "denpyo": FORMAT,
        "form": in_brackets(last.title)[0],
        "response": RESPONSE,
        "email": EMAIL,
        "answers": {in_brackets(one.title)[0]: one.title for one in all_others},
        "again": last.title,
    }


class _ShapeError(Exception):
    """Something that no flow of ours writes, and where."""

    def __init__(self, spot: str, detail: Words) -> None:
        super().__init__(detail.en)
        self.spot, self.detail = spot, detail


def read(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """The one response of a file, or what is wrong with the file. Places are the names of the answers (``answers.k3f9``)."""
    file = Where(name)
    try:
        document = _document(data)
        mark = _mark(document)
        form = form_of(mark, file.at("form"), kinds)
        return ([], [form]) if isinstance(form, Problem) else ([_read(document, mark, form, file)], [])
    except _ShapeError as wrong:
        return [], [Problem("flow_shape", file.at(wrong.spot), "", {"detail": wrong.detail})]


def _read(document: Mapping[str, Any], mark: Mark, form: Form, file: Where) -> Read:
    keys, found = {tag: key for key, tag in tags_of(form).items()}, dict[str, Located[Given]]()
    for tag, value in document["answers"].items():
        where = file.at(f"answers.{shown(tag)}")
        if tag not in keys:
            raise _ShapeError(where.spot, Words("no question has this tag", ja="この印の質問はありません"))
        question = form.by_key[keys[tag]]
        found[question.key] = Located(_given(question, _said(where.spot, value, tag), mark.dates), where)
    id = _said("response", document["response"], "")
    if not NUMBER.fullmatch(id):
        raise _ShapeError("response", Words("it is not the number of a response", ja="回答の番号ではありません"))
    email, again = (
        Located(_said(name, document.get(name), tag), file.at(name))
        for name, tag in (("email", ""), ("again", str(mark)))
    )
    if email.value == EMAIL:
        raise _ShapeError("email", _not_filled(EMAIL))
    answers = blank(mark, id, email, again, file.at("response"))
    places = {key: file.at(f"answers.{tag}") for tag, key in keys.items()}
    return Read(replace(answers, given=found, places={**places, "kind": file.at("form"), "version": file.at("form")}))


def _document(data: bytes) -> Mapping[str, Any]:
    if len(data) > LARGEST:
        raise _ShapeError("", Words("the file is larger than 1 MiB", ja="ファイルが1 MiBを超えています"))
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _ShapeError("", Words("it is not JSON", ja="JSONではありません")) from error
    if not isinstance(found, dict):
        raise _ShapeError("", Words("it is not a JSON object", ja="JSONのオブジェクトではありません"))
    _must_have_shape(found)
    return found


def _must_have_shape(found: Mapping[str, Any]) -> None:
    lacking = next((key for key in KEYS[:-1] if key not in found), "")
    if lacking:
        raise _ShapeError("", both("flow_lacks", key=lacking))
    strange = next((key for key in found if key not in KEYS), None)
    if strange is not None:
        raise _ShapeError(shown(strange), Words("there is no such name in it", ja="この名前はありません"))
    if found["denpyo"] != FORMAT:
        raise _ShapeError("denpyo", both("flow_wanted", wanted=FORMAT))
    if not isinstance(found["answers"], dict):
        raise _ShapeError("answers", both("flow_wanted", wanted="{…}"))


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _mark(document: Mapping[str, Any]) -> Mark:
    form = document["form"]
    mark = mark_in(f"[{form}]") if isinstance(form, str) else None
    if mark is None:
        raise _ShapeError("form", both("flow_wanted", wanted="train_supervised 1 ja"))
    return mark


def _said(spot: str, value: object, tag: str) -> str:
    """A text, or a number as a flow hands it over. A title in place of an answer was never replaced in the flow."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _ShapeError(spot, Words("it is not a text", ja="文字ではありません"))
    if isinstance(value, float) and not isfinite(value):
        raise _ShapeError(spot, Words("it is no number", ja="数値ではありません"))
    said = value if isinstance(value, str) else number(value)
    if tag and tag in in_brackets(said):
        raise _ShapeError(spot, _not_filled(shown(said)))
    return said


def _given(question: Question, said: str, dates: str) -> Given:
    """Several choices stand as Forms hands them over: a JSON list in a text."""
    if question.widget not in CHOSEN or not said.startswith("["):
        return given(question, said, dates)
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return said
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return said
    return found[0] if len(found) == 1 and question.widget != "many_choice" else tuple(found)


def _not_filled(title: str) -> Words:
    return both("flow_not_filled", title=title)
