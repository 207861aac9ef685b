"""What a desk last went by, a policy or a schema: an entry says so when it goes by another."""

from __future__ import annotations

from submit.desk import machine_user
from submit.ledger import Ledger, Writing

TABLE = "CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)"
POLICY = "policy"
LAST = "SELECT value FROM known WHERE name = ?"
PUT = "INSERT OR REPLACE INTO known (name, value) VALUES (?, ?)"


def ensure(ledger: Ledger) -> None:
    ledger.ensure(TABLE)


def note(ledger: Ledger, tx: Writing, name: str, sha256: str, *, at: str) -> None:
    """Before the entries that follow from it. ``name`` is ``policy`` or ``schema KIND``; ``at`` RFC 3339."""
    last = ledger.query(LAST, (name,))
    if last and last[0][0] == sha256:
        return
    detail = {"what": name, "sha256": sha256}
    tx.append(f"{name}:{ledger.size()}:{sha256[:16]}", "changed", at=at, user=machine_user(), detail=detail)
    tx.execute(PUT, (name, sha256))
