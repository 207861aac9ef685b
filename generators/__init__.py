"""The doors: each writes one kind of form and reads it back. Pure: bytes in, bytes out."""

from __future__ import annotations

from dataclasses import dataclass

from schema.answers import Answers
from schema.problem import Problem


@dataclass(frozen=True, slots=True)
class Read:
    """One response as a door read it. With ``problems`` it must be refused; its Answers are there so that ``check`` finds the rest.

    ``warnings`` are said to the person and refuse nothing. What concerns the whole file stands with its first response.
    """

    answers: Answers
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
