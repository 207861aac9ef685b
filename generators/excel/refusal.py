"""Why a file is refused as a whole, before anyone reads an answer in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.words import Fact


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code of words/ with its facts, and the spot: a part of the package or a cell."""

    code: str
    spot: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


class RefusedError(Exception):
    """Carries a Refusal out of the gate; it never leaves this door."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def broken(spot: str) -> RefusedError:
    return RefusedError(Refusal("broken_file", spot, {"part": spot}))


def cut_off() -> RefusedError:
    return RefusedError(Refusal("cut_off"))


def not_allowed(spot: str, what: Fact = "") -> RefusedError:
    return RefusedError(Refusal("not_allowed_part", spot, {"part": what or spot}))


def too_large(spot: str, part: Fact, limit: Fact) -> RefusedError:
    return RefusedError(Refusal("too_large", spot, {"part": part, "limit": limit}))


def other_format(what: Fact) -> RefusedError:
    return RefusedError(Refusal("not_a_workbook", "", {"format": what}))
