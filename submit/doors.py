"""Which door reads which bytes. A door is one file in ``generators/`` and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath

from generators import Read
from schema.answers import Where
from schema.kinds import Kind
from schema.problem import Problem, shown
from schema.words import Fact, both

ZIP = b"PK\x03\x04"
Reader = Callable[[bytes, str, Mapping[str, Kind]], tuple[list[Read], list[Problem]]]


def _excel(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    from generators.excel import read
    from generators.excel.refusal import Refusal
    from generators.microsoft import responses
    from submit.child import read_cells

    sheets = read_cells(data)
    found = None if isinstance(sheets, Refusal) else responses.answers_of(sheets, Where(name), kinds)
    return found or read.read(data, name, kinds, lambda _: sheets)


def _csv(data: bytes, name: str, kinds: Mapping[str, Kind], encoding: str = "") -> tuple[list[Read], list[Problem]]:
    from generators.excel import csv_table

    return _excel(data, name, kinds) if data.startswith(ZIP) else csv_table.read(data, name, kinds, encoding)


def _yaml(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    from generators import json_schema

    return json_schema.read(data, name, kinds)


def _google(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    from generators import google_form

    return google_form.read(data, name, kinds)


def _flow(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    from generators.microsoft import flow

    return flow.read(data, name, kinds)


def _github(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    from generators import issue_form, json_schema

    return issue_form.read(data, name, kinds, json_schema.read)


def _clearml(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    from generators import clearml_task

    return clearml_task.read(data, name, kinds)


DOORS: Mapping[str, tuple[str, Reader]] = {
    ".xlsx": ("excel", _excel),
    ".xlsm": ("excel", _excel),
    ".xls": ("excel", _excel),
    ".ods": ("excel", _excel),
    ".csv": ("excel", _csv),
    ".tsv": ("excel", _csv),
    ".txt": ("excel", _csv),
    ".yaml": ("yaml", _yaml),
    ".yml": ("yaml", _yaml),
    ".json": ("microsoft", _flow),
}
MICROSOFT = "microsoft:"
"""What the names of responses begin with that came in a workbook of Microsoft Forms."""


def _responses(data: bytes, name: str, kinds: Mapping[str, Kind]) -> tuple[list[Read], list[Problem]]:
    """A workbook for whose senders a service vouches: it holds responses of Microsoft Forms or nothing, because what people write into
    a template says of its sender whatever they like."""
    from generators.excel.refusal import Refusal
    from generators.microsoft import responses
    from submit.child import read_cells

    sheets = read_cells(data)
    if isinstance(sheets, Refusal):
        return [], [Problem(sheets.code, Where(name, sheets.spot), "", sheets.facts)]
    found = responses.answers_of(sheets, Where(name), kinds)
    return found or ([], [Problem("not_responses", Where(name))])


ONLINE: dict[str, Reader] = {"google": _google, "microsoft": _responses, "github": _github, "clearml": _clearml}
"""Responses of online forms, which an inbox hands over under the name of their door."""


def beyond_history(data: bytes, name: str, kinds: Mapping[str, Kind], encoding: str = "") -> list[Read]:
    """What was answered in a sheet that is too old to be brought up to date."""
    from generators.excel import csv_table, read
    from generators.excel.refusal import Refusal, RefusedError
    from submit.child import read_cells

    try:
        sheets = read_cells(data) if data.startswith(ZIP) else (csv_table.sheet(data, encoding),)
    except RefusedError:
        return []
    return [] if isinstance(sheets, Refusal) else read.beyond_history(sheets, name, kinds)


def _sort(name: str) -> Fact:
    """What a file is by the end of its name."""
    suffix = PurePath(name).suffix.lower()
    return both("file_of_sort", suffix=shown(suffix)) if suffix else both("file_of_no_sort")


def read(
    data: bytes, name: str, kinds: Mapping[str, Kind], encoding: str = "", through: str = ""
) -> tuple[str, list[Read], list[Problem]]:
    """The door's name, the responses, and what is wrong with the file as a whole. ``encoding`` is what the operator declared for text
    that is not Unicode; ``through`` names the door of what came by an inbox, where the file's name does not tell it."""
    door = (through, ONLINE[through]) if through in ONLINE else DOORS.get(PurePath(name).suffix.lower())
    if door is None:
        return "", [], [Problem("unknown_file", Where(name), facts={"sort": _sort(name)})]
    responses, problems = (partial(_csv, encoding=encoding) if door[1] is _csv else door[1])(data, name, kinds)
    if not responses and not problems and through not in ONLINE:
        problems = [Problem("no_answers", Where(name))]
    forms = any(one.answers.named.startswith(MICROSOFT) for one in responses)
    return "microsoft" if forms else door[0], responses, problems
