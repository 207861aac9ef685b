"""Where each source stands, kept in the ledger's database: what came before that place was read and answered."""

from __future__ import annotations

from submit.desk import Desk

TABLE = "CREATE TABLE IF NOT EXISTS places (source TEXT PRIMARY KEY NOT NULL, place TEXT NOT NULL)"


def place_of(desk: Desk, source: str) -> str:
    """ "" where it was never looked at."""
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        found = ledger.query("SELECT place FROM places WHERE source = ?", (source,))
        return str(found[0][0]) if found else ""


def all_places(desk: Desk) -> list[str]:
    """Of every source that was ever looked at, those among them that go by another name now."""
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        return [str(place) for (place,) in ledger.query("SELECT place FROM places ORDER BY source")]


def keep_place(desk: Desk, source: str, place: str) -> None:
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        with ledger.writing() as tx:
            tx.execute("INSERT OR REPLACE INTO places (source, place) VALUES (?, ?)", (source, place))
