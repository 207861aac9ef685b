"""An answer as Microsoft Forms says it → as ``check`` takes it, and what stands around the answers of one response."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import sha256

from generators.microsoft import Mark
from schema.answers import Answers, Given, Located, Where
from schema.history import form_at, template_facts, unknown_kind
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import Form, Question
from schema.text import CHOSEN, clean
from schema.words import FALLBACK, Fact, languages

NUMBER = re.compile(r"[1-9][0-9]{0,8}")
DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?: [0-9:.]+(?: [ap]m)?)?", re.IGNORECASE)
NOBODY = frozenset(["", "anonymous", "匿名"])
"""What Forms writes for the sender where names are not recorded."""


def form_of(mark: Mark, where: Where, kinds: Mapping[str, Kind]) -> Form | Problem:
    """The questions that the form with this mark asks, or why nobody knows them."""
    kind = kinds.get(mark.kind)
    if kind is None:
        return unknown_kind(mark.kind, where, {name: one.form for name, one in kinds.items()})
    form = form_at(kind.job, kind.form, mark.version)
    if form:
        return form
    code = "old_template" if mark.version < kind.form.version else "newer_template"
    facts: dict[str, Fact] = {"version": str(mark.version), **template_facts(kind.form)}
    return Problem(code, where, "version", facts)


def blank(mark: Mark, number: str, email: Located[str], again: Located[str], where: Where) -> Answers:
    """A response without its answers: which it is, who gave it, and why it should run again."""
    sender = clean(email.value)
    known = sender.casefold() not in NOBODY
    return Answers(
        kind=mark.kind,
        where=where,
        given={},
        language=mark.language if mark.language in languages() else FALLBACK,
        version=mark.version,
        sender=Located(sender, email.where) if known else None,
        again=Located(again.value.strip(), again.where) if again.value.strip() else None,
        named=named(mark, number, sender if known else "") if NUMBER.fullmatch(number) else "",
    )


def named(mark: Mark, number: str, sender: str) -> str:
    """``microsoft:train_supervised.ja:17:1f0c…``. The name stands where people read it, so that the sender is a digest in it."""
    who = (
        sha256(f"{mark.form}\n{sender.casefold()}".encode(errors="surrogatepass")).hexdigest()[:12]
        if sender
        else "anonymous"
    )
    return f"microsoft:{mark.form}:{number}:{who}"


def given(question: Question, text: str, dates: str) -> Given:
    """Choices apart, and a day with its year first where the order is declared (``mdy``, ``dmy``); anything else as it stands."""
    if question.widget == "many_choice":
        return tuple(_members(question, text))
    if question.widget in CHOSEN and text.rstrip().endswith(";"):
        members = tuple(_members(question, text))
        return members[0] if len(members) == 1 else members
    return _day(text, dates) if question.widget == "date" else text


def _members(question: Question, text: str) -> Iterator[str]:
    """``A;B;`` apart. A label that itself holds a semicolon is found first, the longest first."""
    labels = {clean(one) for choice in question.choices for one in (choice.label.en, choice.label.ja, choice.value)}
    odd = sorted((one for one in labels if ";" in one), key=len, reverse=True)
    rest = clean(text)
    while rest:
        label = next((one for one in odd if f"{rest};".startswith(f"{one};")), rest.partition(";")[0])
        rest = rest[len(label) :].removeprefix(";").strip()
        if label.strip():
            yield label.strip()


def _day(text: str, dates: str) -> str:
    found = DAY.fullmatch(clean(text))
    if not found or not dates:
        return text
    month, day = (found[1], found[2]) if dates == "mdy" else (found[2], found[1])
    year = found[3] if len(found[3]) == 4 else f"20{found[3]}"
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:  # no such day in the declared order: its sender says which is meant
        return text
