"""Where requests stand, as data: what a page, a terminal or a reply will show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from submit.desk import Desk
from submit.engines import Model, engines
from submit.ledger import Entry, Ledger, RequestRow, RunRow

OVER = ("refused", "rejected", "expired", "done", "failed", "stopped", "superseded")


class UnknownRequestError(Exception):
    """No request of this desk has that id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One request now: its row, its newest run or None, that run's result, and the slip's path."""

    request: RequestRow
    run: RunRow | None
    result: dict[str, Any]
    slip: Path | None

    @property
    def over(self) -> bool:
        return self.request.state in OVER

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
    with desk.ledger() as ledger:
        row = ledger.request(request)
        if row is None:
            raise UnknownRequestError(f"no request {request} on this desk: `denpyo status` lists them")
        return _standing(ledger, row)


def all_standing(desk: Desk) -> list[Standing]:
    with desk.ledger() as ledger:
        return [_standing(ledger, row) for row in ledger.requests()]


def _standing(ledger: Ledger, row: RequestRow) -> Standing:
    runs = ledger.runs(row.id)
    run = runs[-1] if runs else None
    result = json.loads(run.result) if run and run.result else {}
    return Standing(row, run, result, ledger.folder / row.slip if row.slip else None)


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
