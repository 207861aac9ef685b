"""Blank and filled forms, and copies of slips, as files: what ``template`` and ``convert`` write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic_core import to_jsonable_python

from generators import json_schema
from generators.excel import template
from generators.excel.template import Filled
from schema.answers import Where
from schema.check import judge
from schema.history import unknown_kind
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.words import Fact
from submit import datasets, doors
from submit.desk import SCHEMAS, Desk
from submit.kept_slip import recorded
from submit.response import Source

TO_FILL_IN = ("missing", "added_question", "blank_changed")
"""Problems that the template itself asks the person to mend."""


def write(
    desk: Desk, kind: str, language: str, layout: Literal["form", "table"], source: Source | None, out: Path
) -> list[Problem]:
    """Write a template, filled in from the YAML documents of ``source`` where there is one; or say why it cannot be."""
    known = desk.kinds.get(kind)
    if known is None:
        return [unknown_kind(kind, Where(shown(kind)), {name: one.form for name, one in desk.kinds.items()})]
    filled, problems = _filled(desk, known, source, layout) if source else ([], [])
    if not problems:
        out.write_bytes(template.write(datasets.offering(desk, known.form), language, layout, filled))
    return problems


def _filled(desk: Desk, kind: Kind, source: Source, layout: str) -> tuple[list[Filled], list[Problem]]:
    """The documents as rows. What is wrong in them is a Problem; what is only missing is left for the person to fill in."""
    _, reads, problems = doors.read(source.data, source.name, desk.kinds)
    rows = []
    for one in reads:
        judged = judge(one.answers, desk.kinds)
        problems += [*one.problems, *(problem for problem in judged.problems if problem.code not in TO_FILL_IN)]
        if one.answers.kind != kind.name and one.answers.kind in desk.kinds:
            facts: dict[str, Fact] = {"kind": one.answers.kind}
            problems.append(Problem("another_kind", one.answers.place("kind"), "kind", {**facts, "wanted": kind.name}))
        sender, again = (located.value if located else "" for located in (one.answers.sender, one.answers.again))
        rows.append(Filled(to_jsonable_python(dict(judged.values)), sender, again))
    if layout == "form" and len(rows) > 1:
        problems.append(Problem("one_request_only", reads[1].answers.where))
    return rows, problems


def copy_slips(desk: Desk, requests: Sequence[str], folder: Path) -> tuple[list[Path], list[str]]:
    """The slips of these requests and the schemas that editors find them by, written into a folder; and the ids of those whose slips
    were erased."""
    written, erased = [], []
    (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
    with desk.ledger() as ledger:
        for row in (ledger.request(one) for one in dict.fromkeys(requests)):
            if row is None or row.slip is None:
                continue
            if ledger.slip_is_erased(row):
                erased.append(row.id)
                continue
            file = folder / f"{row.id}.yaml"
            file.write_bytes(recorded(ledger, row))
            form = desk.kinds[row.kind].form
            (folder / SCHEMAS / f"{form.kind}.v{form.version}.json").write_bytes(json_schema.write(form))
            written.append(file)
    return written, erased
