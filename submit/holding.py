"""Requests that wait for an approval: under which rule, since when, until when, and what the policy is asked again before they run.

The entries say that a request is held; this table says it at once for many. A request that is held has no run yet.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta

from schema.job import Resources
from schema.words import Fact, Words, both
from submit.ledger import Ledger, New, Writing
from submit.policy import gpu_hours
from submit.policy_file import GROUP, PERSON, Approve

TABLE = """CREATE TABLE IF NOT EXISTS holding (
    request TEXT PRIMARY KEY NOT NULL, nth INTEGER NOT NULL, rule INTEGER NOT NULL, engine TEXT NOT NULL, queue TEXT NOT NULL,
    doors TEXT NOT NULL, since TEXT NOT NULL, expires TEXT NOT NULL)"""
THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'holding'"
PUT = "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
AMONG = "SELECT * FROM holding WHERE request IN (SELECT value FROM json_each(?))"
WAITING = """
    SELECT holding.* FROM holding JOIN requests ON requests.id = holding.request
    WHERE requests.state = 'held' AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.request = holding.request)
    ORDER BY holding.rowid"""


@dataclass(frozen=True, slots=True)
class Holding:
    """One request that is held for the ``nth`` time: by which rule, for which engine and queue, the ways in by which it came, and
    until when it can be approved. Times are RFC 3339 of UTC."""

    request: str
    nth: int
    rule: int
    engine: str
    queue: str
    doors: tuple[str, ...]
    since: str
    expires: str

    def key(self, action: str) -> str:
        """The key of an entry about this holding; a request may expire, come again and be held anew."""
        return f"{action}:{self.request}" + (f":{self.nth}" if self.nth > 1 else "")

    def is_over(self, at: datetime) -> bool:
        return datetime.fromisoformat(self.expires) <= at


@dataclass(frozen=True, slots=True)
class Awaits:
    """That a request is to be held: what is over which threshold, by whom it can be approved, and how many days it waits."""

    rule: int
    sha256: str
    by: tuple[str, ...]
    days: float
    over: dict[str, tuple[float, float]] = field(default_factory=dict)

    def entry(self, held: Holding) -> New:
        detail = {
            "rule": self.rule,
            "policy": self.sha256,
            "queue": held.queue,
            "by": len(self.by),
            "expires": held.expires,
            "over": {name: asked for name, (asked, _) in self.over.items()} or {"always": True},
            "limits": {name: most for name, (_, most) in self.over.items()},
        }
        return New(held.key("held"), "held", held.request, detail)

    def why(self) -> Fact:
        """What makes it wait, as the person hears it."""
        said = (
            both(f"approval_over_{name}", asked=f"{asked:g}", limit=f"{most:g}")
            for name, (asked, most) in self.over.items()
        )
        return tuple(said) or both("approval_always")


def awaited(rule: int, sha256: str, approve: Approve | None, wanted: Resources) -> Awaits | None:
    """Whether a rule holds a request until somebody approves it."""
    if approve is None:
        return None
    checks = (
        ("gpu_hours", approve.over_gpu_hours, gpu_hours(wanted)),
        ("gpus", approve.over_gpus, float(wanted.gpus)),
        ("hours", approve.over_hours, wanted.max_hours),
    )
    over = {name: (asked, most) for name, most, asked in checks if most is not None and asked > most}
    return Awaits(rule, sha256, approve.by, approve.expires_days, over) if over or approve.always else None


def held_until(at: datetime, days: float) -> str:
    return (at + timedelta(days=days)).replace(microsecond=0).isoformat()


def names(by: Iterable[str]) -> tuple[str | Words, ...]:
    """Who may approve, as the policy calls them; no address and no account stands in it."""
    known = [one.removeprefix(GROUP).removeprefix(PERSON) if one.startswith((GROUP, PERSON)) else "" for one in by]
    return (*dict.fromkeys(one or both("approval_somebody") for one in known),)


def shown_time(expires: str) -> str:
    """A deadline in UTC, and as the clock of this machine has it where that is another."""
    at = datetime.fromisoformat(expires)
    local, utc = at.astimezone(), f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"{utc} ({local:%Y-%m-%d %H:%M} UTC{local.isoformat()[-6:]})" if local.utcoffset() else utc


def ensure(ledger: Ledger) -> None:
    ledger.ensure(TABLE)


def keep(tx: Writing, held: Iterable[Holding]) -> None:
    rows = [astuple(one) for one in held]
    tx.execute_all(PUT, [(*row[:5], json.dumps(row[5]), *row[6:]) for row in rows])


def among(ledger: Ledger, requests: Collection[str]) -> dict[str, Holding]:
    """The newest holding of each of these that was ever held, by id."""
    rows = ledger.query(AMONG, (json.dumps([*requests]),)) if requests and ledger.query(THERE) else []
    return {row[0]: _holding(*row) for row in rows}


def waiting(ledger: Ledger) -> list[Holding]:
    """All that wait for an approval now, the first to be held first."""
    return [_holding(*row) for row in ledger.query(WAITING)] if ledger.query(THERE) else []


def _holding(
    request: str, nth: int, rule: int, engine: str, queue: str, doors: str, since: str, expires: str
) -> Holding:
    return Holding(request, nth, rule, engine, queue, tuple(json.loads(doors)), since, expires)
