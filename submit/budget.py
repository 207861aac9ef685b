"""What each person has reserved and used: GPU hours of a month and open requests. Kept in the transaction that accepts, and settled
in the one that notes the end of a run.

A person stands in the table as a keyed hash: who they are can be erased, and their budget still adds up. Months are those of UTC.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schema.answers import Where
from schema.job import Resources
from schema.problem import Problem
from schema.words import Fact
from submit.ledger import Ledger, RunRow, Writing
from submit.policy import gpu_hours
from submit.policy_file import Limits
from submit.response import GPUS, HOURS

FIGURES = "figures"
"""What is asked, used and left stands beside the entry of a denial, by the code of the limit that was exceeded."""
TABLE = """CREATE TABLE IF NOT EXISTS budget (
    request TEXT PRIMARY KEY NOT NULL, who TEXT NOT NULL, month TEXT NOT NULL, gpu_hours REAL NOT NULL, open INTEGER NOT NULL)"""
INDEX = "CREATE INDEX IF NOT EXISTS budget_by_who ON budget (who, month)"
OPEN_INDEX = "CREATE INDEX IF NOT EXISTS budget_open ON budget (who) WHERE open = 1"
THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'budget'"
PUT = "INSERT OR REPLACE INTO budget (request, who, month, gpu_hours, open) VALUES (?, ?, ?, ?, 1)"
USED = "SELECT coalesce(sum(gpu_hours), 0) FROM budget WHERE who = ? AND month = ?"
OPEN = "SELECT request, month, gpu_hours FROM budget WHERE who = ? AND open = 1"
RELEASE = "UPDATE budget SET gpu_hours = 0, open = 0 WHERE open = 1 AND request IN (SELECT value FROM json_each(?))"
SETTLE = "UPDATE budget SET gpu_hours = min(gpu_hours, gpu_hours * ?), open = 0 WHERE open = 1 AND request = ?"
ROUNDING = 1e-9
"""Sums of hours are compared as far as they can be exact."""
SINCE = "SELECT json_extract(CAST(body AS TEXT), '$.at') FROM entries WHERE key = ?"


@dataclass(frozen=True, slots=True)
class Reserved:
    """One reservation: whose it is, the month it counts for, and how many GPU hours."""

    request: str
    who: str
    month: str
    gpu_hours: float


@dataclass
class Account:
    """One person's budget as a submission goes on: GPU hours of this month, and the open requests with what they hold."""

    who: str
    month: str
    used: float = 0.0
    open: dict[str, tuple[str, float]] = field(default_factory=dict)

    def of_month(self, apart: Iterable[str] = ()) -> float:
        """GPU hours of this month that are used or reserved, without those of some requests."""
        set_apart = (self.open[one] for one in apart if one in self.open)
        return self.used - sum(hours for month, hours in set_apart if month == self.month)

    def count(self, apart: Collection[str] = ()) -> int:
        return len(self.open) - sum(one in self.open for one in apart)

    def take(self, request: str, hours: float, instead_of: Iterable[str] = ()) -> Reserved:
        """Count a request, and no longer those that end because of it."""
        instead = {*instead_of, request}
        self.used = self.of_month(instead) + hours
        for one in instead:
            self.open.pop(one, None)
        self.open[request] = (self.month, hours)
        return Reserved(request, self.who, self.month, hours)


@dataclass
class Budget:
    """The accounts of those for whom a submission asks, each read once. Who only looks makes no table."""

    ledger: Ledger
    at: datetime
    _accounts: dict[str, Account] = field(default_factory=dict)

    def account(self, person: str) -> Account:
        if person not in self._accounts:
            self._accounts[person] = self._read(hashed(self.ledger, person), f"{self.at:%Y-%m}")
        return self._accounts[person]

    def _read(self, who: str, month: str) -> Account:
        if not self.ledger.query(THERE):
            return Account(who, month)
        used = float(self.ledger.query(USED, (who, month))[0][0])
        held = {request: (of, hours) for request, of, hours in self.ledger.query(OPEN, (who,))}
        return Account(who, month, used, held)


def ensure(ledger: Ledger) -> None:
    for statement in (TABLE, INDEX, OPEN_INDEX):
        ledger.ensure(statement)


def hashed(ledger: Ledger, person: str) -> str:
    return hmac.digest(ledger.salt, f"budget {person}".encode(), "sha256").hex()[:32]


def keep(tx: Writing, reserved: Iterable[Reserved]) -> None:
    tx.execute_all(PUT, [(one.request, one.who, one.month, one.gpu_hours) for one in reserved])


def release(tx: Writing, requests: Collection[str]) -> None:
    """What never ran has used nothing."""
    if requests:
        tx.execute(RELEASE, (json.dumps([*requests]),))


def over(
    limits: Limits, account: Account, wanted: Resources, place: Callable[[str], Where], apart: Collection[str] = ()
) -> list[Problem]:
    """Every limit that a request exceeds, at the answer that can be put right, with the figures; ``apart`` are requests that it takes
    the place of."""
    hours, used, opened = gpu_hours(wanted), account.of_month(apart), account.count(apart)
    checks = (
        ("over_gpus", GPUS, limits.gpus_per_job, wanted.gpus),
        ("over_hours", HOURS, limits.hours_per_job, wanted.max_hours),
        ("over_gpu_hours", GPUS, limits.gpu_hours_per_job, hours),
        ("over_month", GPUS, limits.gpu_hours_per_month if hours else None, used + hours),
        ("over_open", "", limits.open_jobs, opened + 1),
    )
    exceeded = [
        (code, question, limit)
        for code, question, limit, would_be in checks
        if limit is not None and would_be > limit + ROUNDING
    ]
    if not exceeded:
        return []
    asked: dict[str, Fact] = {"gpus": str(wanted.gpus), "hours": spelled(wanted.max_hours), "gpu_hours": spelled(hours)}
    facts = {**asked, "used": spelled(used), "open": str(opened)}
    return [
        Problem(
            code, place(question), question, {**facts, "limit": spelled(limit), "left": spelled(max(0.0, limit - used))}
        )
        for code, question, limit in exceeded
    ]


def figures(exceeded: Iterable[Problem]) -> str:
    """The figures of these limits, to lie beside the entry of the denial; "" for none."""
    found = {one.code: dict(one.facts) for one in exceeded if "limit" in one.facts}
    return json.dumps({FIGURES: found}, ensure_ascii=False, sort_keys=True) if found else ""


def spelled(amount: float) -> str:
    """A figure as people write it: 12, 0.5, 400."""
    return f"{amount:.2f}".rstrip("0").rstrip(".")


def settle(tx: Writing, ledger: Ledger, row: RunRow, result: Mapping[str, Any], ended: datetime) -> None:
    """Count what a run has really used, once it has ended: nothing where it never ran, never more than was reserved."""
    if ledger.query(THERE):
        share = _hours(ledger, row, result, ended) / row.max_hours if row.max_hours else 0.0
        tx.execute(SETTLE, (max(0.0, share), row.request))


def _hours(ledger: Ledger, row: RunRow, result: Mapping[str, Any], ended: datetime) -> float:
    """How long it ran: as its job says itself; else from when it was seen to run, or was queued, until now."""
    with suppress(KeyError, TypeError, ValueError):
        return _between(result["started_at"], datetime.fromisoformat(result["ended_at"]))
    ran = row.state == "running" or (row.state == "queued" and result.get("state") in ("done", "failed"))
    seen = ledger.query(SINCE, (f"{row.state}:{row.run}",)) if ran else []
    return _between(seen[0][0], ended) if seen else 0.0


def _between(began: str, ended: datetime) -> float:
    return (ended - datetime.fromisoformat(began)).total_seconds() / 3600
