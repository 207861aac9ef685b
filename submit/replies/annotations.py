"""Problems as the services that hold a repository show them beside the files of a change.

GitHub: workflow commands on the standard output, escaped as its own toolkit does (actions/toolkit, ``packages/core/src/command.ts``).
GitLab: a code quality report, as its merge requests read it (Code Climate's issues, of which GitLab takes these members).
A workbook has no lines: the cell stands in the title or before the message.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schema.problem import Problem, shown
from submit.desk import Desk
from submit.judging import check
from submit.response import Source, Wishes

LINE = re.compile(r"([0-9]{1,9}):([0-9]{1,9})")
DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
LONGEST_SPOT = 200


@dataclass(frozen=True, slots=True)
class Annotation:
    """One Problem, or a warning, at the path of its file in the repository."""

    path: str
    problem: Problem
    language: str
    is_error: bool

    @property
    def at(self) -> tuple[int, int] | None:
        """Line and column, where the file has lines."""
        found = LINE.fullmatch(self.problem.where.spot)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def cell(self) -> str:
        return "" if self.at else shown(self.problem.where.spot, LONGEST_SPOT)

    def message(self) -> str:
        return f"{self.problem.message(self.language)} [{self.problem.code}]"

    def line(self) -> str:
        return f"{shown(self.path, 300)}:{shown(self.problem.where.spot, LONGEST_SPOT)}: {self.message()}"


def judged(desk: Desk, paths: Sequence[str], sources: Sequence[Source], wishes: Wishes) -> list[Annotation]:
    """Each file by itself, since two folders may hold files of one name."""
    found = []
    for path, source in zip(paths, sources, strict=True):
        outcome, path = check(desk, [source], wishes), path.encode(errors="replace").decode()  # not every name is UTF-8
        found += [Annotation(path, problem, language, True) for problem, language in outcome.problems]
        found += [Annotation(path, warning, language, False) for warning, language in outcome.warnings]
    return found


def workflow_command(one: Annotation) -> str:
    """``::error file=…,line=…,col=…,title=…::message``: one line, whatever people wrote."""
    told = {"file": one.path, "title": one.cell or one.problem.code}
    if one.at:
        told |= {"line": str(one.at[0]), "col": str(one.at[1])}
    properties = ",".join(f"{name}={value.translate(PROPERTY)}" for name, value in told.items())
    return f"::{'error' if one.is_error else 'warning'} {properties}::{one.message().translate(DATA)}"


def gitlab(found: Sequence[Annotation]) -> list[dict[str, Any]]:
    """The members of a code quality report. The fingerprint says the same of the same mistake, so that a mended one is shown as such."""
    return [
        {
            "description": f"{one.cell}: {one.message()}" if one.cell else one.message(),
            "check_name": one.problem.code,
            "fingerprint": _fingerprint(one),
            "severity": "major" if one.is_error else "minor",
            "location": {"path": one.path, "lines": {"begin": one.at[0] if one.at else 1}},
        }
        for one in found
    ]


def _fingerprint(one: Annotation) -> str:
    told = "\0".join((one.path, one.problem.where.spot, one.problem.question, one.problem.code, one.message()))
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()
