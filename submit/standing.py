"""Where requests stand, as data: what a page, a terminal or a reply will show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema.problem import shown
from schema.text import clean
from submit.desk import Desk
from submit.engines import Model, engines
from submit.ledger import Entry, Ledger, RequestRow, RunRow

OVER = ("refused", "rejected", "expired", "done", "failed", "stopped", "superseded")


class UnknownRequestError(Exception):
    """No request of this desk has that id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One request now: its row, its newest run or None, that run's result, the slip's path, and what is told of who asked: name,
    source and place; nothing of that once it was erased."""

    request: RequestRow
    run: RunRow | None
    result: dict[str, Any]
    slip: Path | None
    asked: Mapping[str, str]

    @property
    def over(self) -> bool:
        """Whether nothing will change by itself: it has ended, or it was converted and nobody has submitted it."""
        return self.request.state in OVER or self.run is None

    def run_data(self) -> dict[str, Any] | None:
        return {"engine": self.run.engine, "id": self.run.run, "url": self.run.url} if self.run else None

    def status_data(self) -> dict[str, Any]:
        """The contract of ``denpyo status --json``."""
        return {
            "id": self.request.id,
            "kind": self.request.kind,
            "state": self.request.state,
            "run": self.run_data(),
            "metrics": self.result.get("metrics", {}),
            "result": self.result or None,
        }

    def submit_data(self) -> dict[str, Any]:
        """The contract of ``denpyo submit --json``, for one request."""
        slip = str(self.slip) if self.slip else None
        return {
            "id": self.request.id,
            "kind": self.request.kind,
            "state": self.request.state,
            "slip": slip,
            "run": self.run_data(),
        }


def standing(desk: Desk, request: str) -> Standing:
    """Where one request stands. Ids are read out and typed again: case, width and blanks do not matter."""
    meant = clean(request).casefold()
    with desk.ledger() as ledger:
        row = ledger.request(meant)
        if row is None:
            raise UnknownRequestError(f"no request {shown(meant)} on this desk: `denpyo status` lists them")
        return _standing(ledger, row)


def all_standing(desk: Desk) -> list[Standing]:
    with desk.ledger() as ledger:
        return [_standing(ledger, row) for row in ledger.requests()]


def _standing(ledger: Ledger, row: RequestRow) -> Standing:
    runs = ledger.runs(row.id)
    run = runs[-1] if runs else None
    result = json.loads(run.result) if run and run.result else {}
    first = next(ledger.entries(request=row.id), None)
    asked = json.loads(first.beside_text) if first and first.beside_text else {}
    return Standing(row, run, result, ledger.folder / row.slip if row.slip else None, asked)


def summary(desk: Desk, found: Standing) -> Path | None:
    """The page a finished run has left for its requester."""
    name = found.result.get("summary")
    file = desk.runs / found.run.run / str(name) if found.run and name else None
    return file if file and file.is_file() else None


def models(desk: Desk, found: Standing) -> list[Model]:
    return engines()[found.run.engine].models(desk, found.run.run) if found.run else []


def history(desk: Desk, request: str) -> list[Entry]:
    with desk.ledger() as ledger:
        return list(ledger.entries(request=request))


def log_end(desk: Desk, found: Standing, lines: int = 20) -> list[str]:
    """The last lines of a run's log."""
    return engines()[found.run.engine].log(desk, found.run.run).splitlines()[-lines:] if found.run else []
