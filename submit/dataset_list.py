"""``denpyo datasets list``: every dataset that was added or lies on the disk, and whether its bytes are still those that were added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from submit import datasets
from submit.desk import Desk
from submit.recorded_datasets import FILES, Contents, Recorded, contents, hashes, recorded

State = Literal["recorded", "changed", "missing", "not recorded"]


@dataclass(frozen=True, slots=True)
class Listed:
    """One dataset: what was recorded of it, or else what lies there; and whether the two are the same."""

    name: str
    state: State
    contents: Contents | None
    width: int = 0
    at: str = ""
    by: str = ""
    clearml: str = ""

    def data(self) -> dict[str, Any]:
        found = self.contents
        return {
            "name": self.name,
            "state": self.state,
            "rows": {file: found.rows[file] for file in FILES} if found else None,
            "columns": [*found.columns] if found else None,
            "sha256": found.sha256 if found else None,
            "added_at": self.at or None,
            "added_by": self.by or None,
            "clearml": self.clearml or None,
        }

    def line(self) -> str:
        found = self.contents
        if found is None:
            return f"{self.name}  {self.state}, and cannot be used as it is: `denpyo datasets add {self.name}` says why"
        rows = " + ".join(f"{found.rows[file]:,}" for file in FILES)
        since = f"  since {self.at[:10]} by {self.by}" if self.at else ""
        clearml = f"  ClearML {self.clearml}" if self.clearml else ""
        return f"{self.name}  {rows} rows, {self.width} columns  {found.sha256[:12]}{since}{clearml}  {self.state}"


def listed(desk: Desk) -> Iterator[Listed]:
    """Every dataset that was added or lies where datasets are looked for, by name."""
    with desk.ledger() as ledger:
        known = recorded(ledger)
    for name in sorted({*known, *datasets.names(desk)}):
        yield _listed(name, known.get(name), datasets.find(desk, name))


def _listed(name: str, known: Recorded | None, folder: Path | None) -> Listed:
    if known is None:
        read = contents(folder) if folder else []
        there = read if isinstance(read, Contents) else None
        return Listed(name, "not recorded", there, len(there.columns) if there else 0)
    found = hashes(folder) if folder else {}
    same = found == known.contents.files
    state: State = "recorded" if same else "changed" if len(found) == len(FILES) else "missing"
    return Listed(name, state, known.contents, known.width, known.at, known.by, known.clearml)
