"""How the sources are: when each was last looked at and with what success; written by ``watch`` for ``denpyo status --inbox``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from submit.desk import Desk, now
from submit.ledger import LedgerBusy
from submit.ledger.files import held

FILE, LOCK = "watch.json", "watch.lock"
EVERY = 10.0
"""Seconds between two writings when nothing has happened."""
SILENT = 300.0
"""Seconds without a writing after which something is wrong: the longest submission takes less."""


@dataclass
class Health:
    """One source: RFC 3339 times ("" for never), what was wrong at the last look ("" for nothing), and how many responses were accepted
    and refused since ``watch`` began."""

    kind: str
    looked: str = ""
    succeeded: str = ""
    error: str = ""
    accepted: int = 0
    refused: int = 0


@dataclass
class Board:
    """The health of all sources, and when it was last written to the desk. Only one thread writes."""

    desk: Desk
    sources: Mapping[str, Health]
    _written: float = field(default=-EVERY)
    _said: tuple[tuple[str, int, int], ...] = ()

    def write(self, *, at_once: bool = False) -> None:
        """At once when something happened, else now and then."""
        said = tuple((one.error, one.accepted, one.refused) for one in self.sources.values())
        if not at_once and said == self._said and time.monotonic() < self._written + EVERY:
            return
        file = self.desk.folder / FILE
        new = file.with_name(f".{FILE}.new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump({name: asdict(one) for name, one in self.sources.items()}, out)
        os.replace(new, file)
        self._written, self._said = time.monotonic(), said


def inbox_data(desk: Desk) -> dict[str, Any]:
    """The contract of ``denpyo status --inbox --json``: whether somebody watches, each source of denpyo.toml as last seen, how much people
    are still to hear (``replies``), and the witness, where there is one."""
    from submit import witness
    from submit.replies import waiting

    seen = _last(desk.folder / FILE)
    sources = {
        name: {**asdict(Health(one.kind)), **(seen.get(name, {}) if isinstance(seen.get(name), dict) else {})}
        for name, one in desk.config.sources.items()
    }
    told = {"replies": waiting.counted(desk), **witness.data(desk)}
    return {"watching": _is_watched(desk), "sources": sources, **told}


def unwatched(desk: Desk) -> str:
    """What keeps the sources of denpyo.toml from being looked at, in a line; "" where nothing does, or where there are none. A source
    that is down is no such thing: ``watch`` comes back to it."""
    from submit import witness

    if not desk.config.sources:
        return ""
    if not _is_watched(desk):
        return "nobody watches the sources"
    with suppress(FileNotFoundError):  # it has only just begun
        silent = time.time() - (desk.folder / FILE).stat().st_mtime
        if silent > SILENT:
            return f"watch has said nothing for {silent:.0f} seconds"
    return witness.missed(desk)


def _last(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # never watched, or torn by a power cut: the next look writes it anew
        return {}
    return found if isinstance(found, dict) else {}


def _is_watched(desk: Desk) -> bool:
    if not (desk.folder / LOCK).exists():
        return False
    try:
        with held(desk.folder / LOCK, 0):
            return False
    except LedgerBusy:
        return True


def stamp() -> str:
    return now().isoformat(timespec="seconds")
