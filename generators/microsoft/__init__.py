"""The Microsoft door: a document that Microsoft Forms imports, a page for what import cannot carry, and the answers read back.

No public API creates forms there. What people see and may change is a question's title; at its end stands, in square brackets, what
the answers are joined by: a tag at every question, and at the last one, which asks why to run again, the mark of the form.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b32encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from schema.question import Form

ORDERS = ("mdy", "dmy")
"""How the dates of a workbook may be declared that do not begin with the year: 7/27/2026, or 27/7/2026."""
SHORT, LONG = 4, 10
BRACKETS = re.compile(r"\[([^\[\]]+)\]")
MARK = re.compile(r"([a-z0-9][a-z0-9_]*) ([1-9][0-9]{0,8}) ([a-z]{2,3})((?: [a-z0-9-]{1,30}){0,3})")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the last title says of its form: ``[train_supervised 1 ja]``, kind, version and language. An operator may add words: an
    order of dates (one of ``ORDERS``), and a name of the form where one kind has several: ``[train_supervised 1 en mdy paris]``."""

    kind: str
    version: int
    language: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.kind, str(self.version), self.language, *self.words))

    @property
    def dates(self) -> str:
        """The declared order of dates; "" where none or more than one is."""
        found = [one for one in self.words if one in ORDERS]
        return found[0] if len(found) == 1 else ""

    @property
    def form(self) -> str:
        """The form's name, which stays the same with a new version of its kind or another order of dates."""
        return ".".join((self.kind, self.language, *(one for one in self.words if one not in ORDERS)))


def tags(kind: str, keys: Sequence[str]) -> Mapping[str, str]:
    """Tag by question key. It follows from kind and key alone, so that moving or rewording a question changes none; where the short
    ones of two keys are the same, both have long ones."""
    whole = {key: b32encode(sha256(f"{kind}\n{key}".encode()).digest()).decode().lower() for key in keys}
    count = Counter(one[:SHORT] for one in whole.values())
    return {key: one[: SHORT if count[one[:SHORT]] == 1 else LONG] for key, one in whole.items()}


def tags_of(form: Form) -> Mapping[str, str]:
    return tags(form.kind, [one.key for one in form.questions])


def in_brackets(title: str) -> tuple[str, ...]:
    """Whatever stands in square brackets of any width, in small letters, the last first. Forms may write a number behind the last."""
    plain = unicodedata.normalize("NFKC", title).lower()
    return tuple(" ".join(one.split()) for one in reversed(BRACKETS.findall(plain)))


def mark_in(title: str) -> Mark | None:
    found = next((one for text in in_brackets(title) if (one := MARK.fullmatch(text))), None)
    return Mark(found[1], int(found[2]), found[3], tuple(found[4].split())) if found else None
