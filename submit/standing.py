"""Where requests stand, as data: what a page, a terminal or a reply will show."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schema.problem import shown
from schema.text import clean
from submit.desk import Desk, DeskError
from submit.engines import EngineDownError, Model, engines

if TYPE_CHECKING:
    from submit.ledger import Entry, Ledger, RequestRow, RunRow

TRUST = """
    SELECT entries.request, json_extract(CAST(body AS TEXT), '$.detail.trust') FROM json_each(?) AS wanted
    JOIN entries ON entries.key IN ('accepted:' || wanted.value, 'converted:' || wanted.value)
    WHERE json_valid(CAST(body AS TEXT)) ORDER BY seq"""
OVER = ("refused", "rejected", "expired", "done", "failed", "stopped", "superseded")


class UnknownRequestError(Exception):
    """No request of this desk has that id."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One request now: its row, its newest run or None, and that run's result. ``folder`` is the ledger's, ``beside`` what lies
    beside its first entry, ``trust`` how far whoever asked was known when it was accepted."""

    request: RequestRow
    run: RunRow | None
    result: dict[str, Any]
    folder: Path
    beside: str
    trust: str = ""

    @property
    def slip(self) -> Path | None:
        return self.folder / self.request.slip if self.request.slip else None

    @property
    def asked(self) -> Mapping[str, str]:
        """What is told of who asked: name, source and place; nothing of that once it was erased."""
        told: dict[str, str] = json.loads(self.beside) if self.beside else {}
        return told

    @property
    def over(self) -> bool:
        """Whether nothing will change by itself: it has ended, or it was converted and nobody has submitted it."""
        return self.request.state in OVER or (self.run is None and not self.awaits)

    @property
    def awaits(self) -> bool:
        """Whether it is held until somebody approves it, and not for an earlier version of itself."""
        return self.request.state == "held" and self.run is None

    @property
    def receipt(self) -> str:
        """The name of the text that says to people how it stands."""
        return "receipt_awaits" if self.awaits else f"receipt_{self.request.state}"

    def run_data(self) -> dict[str, Any] | None:
        if self.run is None:
            return None
        data = {"engine": self.run.engine, "id": self.run.run, "url": self.run.url}
        found = links(self)
        return {**data, "links": dict(found)} if found else data

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
        row = self.request
        return {
            "id": row.id,
            "kind": row.kind,
            "state": row.state,
            "slip": os.path.join(self.folder, row.slip) if row.slip else None,
            "run": self.run_data(),
        }


def standing(desk: Desk, request: str) -> Standing:
    """Where one request stands. Ids are read out and typed again: case, width and blanks do not matter."""
    meant = clean(request).casefold()
    with desk.ledger() as ledger:
        row = ledger.request(meant)
        if row is None:
            raise UnknownRequestError(f"no request {shown(meant)} on this desk: `denpyo status` lists them")
        return _standings(ledger, [row])[0]


def all_standing(desk: Desk) -> list[Standing]:
    with desk.ledger() as ledger:
        return _standings(ledger, ledger.requests())


def standings(desk: Desk, requests: Collection[str]) -> dict[str, Standing]:
    """Where these stand, by id; read in one go, and nothing of who asked."""
    with desk.ledger() as ledger:
        found, runs = ledger.requests_among(requests), ledger.runs_among(requests)
        return {id: _standing(ledger, row, runs.get(id, []), "") for id, row in found.items()}


def _standings(ledger: Ledger, rows: Sequence[RequestRow]) -> list[Standing]:
    ids = [row.id for row in rows]
    runs, beside = ledger.runs_among(ids), ledger.first_beside(ids)
    trust = dict(ledger.query(TRUST, (json.dumps(ids),)))
    found = (_standing(ledger, row, runs.get(row.id, []), beside.get(row.id, "")) for row in rows)
    return [replace(one, trust=str(trust.get(one.request.id) or "")) for one in found]


def _standing(ledger: Ledger, row: RequestRow, runs: Sequence[RunRow], beside: str) -> Standing:
    run = runs[-1] if runs else None
    result = json.loads(run.result) if run and run.result else {}
    return Standing(row, run, result, ledger.folder, beside)


def summary(desk: Desk, found: Standing) -> Path | None:
    """The page a finished run has left for its requester."""
    name = found.result.get("summary")
    file = desk.runs / found.run.run / str(name) if found.run and name else None
    return file if file and file.is_file() and file.resolve().is_relative_to(desk.runs.resolve()) else None


def page(desk: Desk, found: Standing) -> str:
    """The address of a run's page: its summary where it lies on this machine, else where its engine shows it; "" where there is
    none."""
    file = summary(desk, found)
    if file:
        return file.resolve().as_uri()
    url = (found.run.url if found.run else "") or ""
    return url if url.startswith(("https://", "http://")) else ""


def links(found: Standing) -> Mapping[str, str]:
    """The pages that its engine has of a run, by what they show."""
    return engines()[found.run.engine].links(found.run.url) if found.run and found.run.url else {}


def models(desk: Desk, found: Standing) -> list[Model]:
    if found.run is None or not found.result.get("model"):
        return []
    try:
        return engines()[found.run.engine].models(desk, found.run.run)
    except (EngineDownError, DeskError):  # the result names it; where it lies can be asked for again
        return [Model(str(found.result["model"]["id"]), "")]


def history(desk: Desk, request: str) -> list[Entry]:
    with desk.ledger() as ledger:
        return list(ledger.entries(request=request))


def log_end(desk: Desk, found: Standing, lines: int = 20) -> list[str]:
    """The last lines of a run's log."""
    return engines()[found.run.engine].log(desk, found.run.run).splitlines()[-lines:] if found.run else []
