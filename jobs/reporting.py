"""What a run left in its folder, reported to its ClearML task."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from jobs.attempt import RESULT
from jobs.report_clearml import ReportError, Reports
from jobs.texts import say
from schema.problem import shown
from schema.slip import Request
from schema.words import languages

LONGEST_MESSAGE = 4_000
LONGEST_NAME = 200
MOST_LOST_IN_A_ROW = 2
"""Then the rest is not tried: a server that is down takes minutes to be known as such, and there may be a thousand files."""
CARD = "model.json"


def report(reports: Reports, request: Request, folder: Path, found: dict[str, Any]) -> list[str]:
    """Files, figures, plots and the model of a run, then its result, which is told what could not be sent. The names of that."""
    lost, in_a_row = [], 0
    for name, send in _parts(reports, request, folder, found):
        in_a_row = 0 if in_a_row < MOST_LOST_IN_A_ROW and _sent(name, send) else in_a_row + 1
        if in_a_row:
            lost.append(name)
    if lost:
        where = f"{folder}: {', '.join(shown(one) for one in lost)}"
        found["warnings"] = [*found["warnings"], say("warn_not_reported", request.language, files=where)]
    reports.result(text(found))
    return lost


def text(found: Mapping[str, Any]) -> str:
    """As ``result.json`` has it."""
    return json.dumps(found, ensure_ascii=False, indent=2, allow_nan=False)


def _sent(name: str, send: Callable[[], None]) -> bool:
    try:
        send()
    except (ReportError, OSError) as error:
        print(f"denpyo: {shown(str(error), LONGEST_NAME)}", file=sys.stderr, flush=True)
        return False
    return True


def _parts(
    reports: Reports, request: Request, folder: Path, found: Mapping[str, Any]
) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "metrics", lambda: reports.scalars(_scalars(found))
    for name in (RESULT, *found["artifacts"]):
        file = folder / name
        if file.resolve().is_relative_to(folder) and file.is_file():
            yield name, lambda file=file, name=name: reports.artifact(file, name)  # type: ignore[misc]
    if found.get("summary"):
        yield found["summary"], lambda: _page(reports, folder / found["summary"])
    if found.get("model"):
        yield found["model"]["id"], lambda: _model(reports, request, folder, found["model"])


def _scalars(found: Mapping[str, Any]) -> dict[tuple[str, str], Sequence[float]]:
    """Every metric as one point of its own title, and every series as a curve."""
    metrics = {(name, name): [value] for name, value in found["metrics"].items()}
    return {**metrics, **{(name, f"{name} (course)"): values for name, values in found["series"].items()}}


def _page(reports: Reports, file: Path) -> None:
    """The summary as an artifact and as a page to look at, and its pictures among the plots."""
    reports.artifact(file, file.name)
    pictures = Pictures()
    pictures.feed(file.read_text(encoding="utf-8"))
    reports.pictures(pictures.found)
    reports.page(file.name, reports.upload(file, f"summary/{file.name}"))


def _model(reports: Reports, request: Request, folder: Path, made: Mapping[str, str]) -> None:
    file = folder / made["path"]
    card = (file.parent / CARD).read_text(encoding="utf-8")
    reports.model(made["id"], file, card, ["denpyo", request.kind, f"rid:{request.id}"])


class Pictures(HTMLParser):
    """The pictures that a page of ours carries, by their titles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img" and (given.get("src") or "").startswith("data:image/"):
            self.found[given.get("alt") or f"{len(self.found) + 1}"] = given["src"] or ""


def message(found: Mapping[str, Any], language: str) -> str:
    """Why a run failed, with every problem at its place: in the person's language, then in the others."""
    order = sorted(languages(), key=lambda one: one != language)
    return "\n\n".join(_said(found, one)[:LONGEST_MESSAGE] for one in order)


def _said(found: Mapping[str, Any], language: str) -> str:
    reason = found["reasons"].get(language) or found["reason"]
    return "\n".join([reason, *(_line(one, language) for one in found["problems"])])


def _line(problem: Mapping[str, Any], language: str) -> str:
    return f"{problem['where']}: {problem['messages'][language]} [{problem['code']}]"
