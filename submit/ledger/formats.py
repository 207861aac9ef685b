"""From an older format of the ledger's file to the present one. Entries stay byte for byte what they are; what lies around them changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from submit.ledger.files import FORMAT, LOCK, WAIT_SECONDS, LedgerError, format_of, held, open_database, refuse_network
from submit.ledger.writing import Writing

STEPS: Mapping[int, tuple[str, ...]] = {}
"""For each older format the statements that make the next one of it. Format 1 is the first."""
SET = "UPDATE meta SET value = ? WHERE key = 'format'"


def upgrade(
    folder: Path, *, at: str, user: str, steps: Mapping[int, tuple[str, ...]] = STEPS, to: int = FORMAT
) -> tuple[int, int]:
    """The format that the ledger had and the one that it has now, `to`; the change is an entry, in the same transaction."""
    refuse_network(folder)
    with held(folder / LOCK, WAIT_SECONDS), closing(open_database(folder, known=None)) as db:
        found = format_of(db)
        lacking = [one for one in range(found, to) if one not in steps]
        if lacking or found > to:
            raise LedgerError(f"{folder}: no way is known from format {found} to {to}")
        tx = Writing(db)
        try:
            tx.begin()
            for one in range(found, to):
                _step(tx, steps[one], one + 1)
                detail = {"what": "format", "from": one, "to": one + 1}
                tx.append(f"format:{one + 1}", "changed", at=at, user=user, detail=detail)
            tx.commit()
        finally:
            tx.end()
    return found, to


def _step(tx: Writing, statements: Sequence[str], to: int) -> None:
    for statement in statements:
        tx.execute(statement)
    tx.execute(SET, (to,))
