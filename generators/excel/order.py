"""What is to be marked in a workbook, in plain texts: what a process of its own is told, as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Standing = Literal["judged", "quiet", "fresh"]
"""What a workbook is to its person: their own, judged; judged, but something in it starts nothing; or a template made for them, which
nobody has handed in yet."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of a place (``Sheet!C7``, ``Sheet!7``, ``Sheet``, or what is none of them) and the question that it is about;
    ``more`` other places have it too."""

    spot: str
    about: str
    said: str
    more: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What became of the request at a place; ``receipt`` is where its receipt cell is, None where it has none."""

    spot: str
    receipt: str | None
    response: str
    said: str
    good: bool


@dataclass(frozen=True, slots=True)
class Order:
    """``problems`` mark the cells they are about and are listed; ``warnings`` and ``changes`` are listed alone."""

    language: str
    file: str
    problems: Sequence[Remark]
    warnings: Sequence[Remark]
    changes: Sequence[Remark]
    requests: Sequence[Request]
    standing: Standing = "judged"

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def ordered(line: bytes) -> Order:
    """The order that a line says."""
    told = json.loads(line)
    problems, warnings, changes = (
        [Remark(**one) for one in told[name]] for name in ("problems", "warnings", "changes")
    )
    requests = [Request(**one) for one in told["requests"]]
    return Order(told["language"], told["file"], problems, warnings, changes, requests, told["standing"])
