"""A slip where it is kept: beside the schema that it points to, and read again."""

from __future__ import annotations

import os
from pathlib import Path

from generators import json_schema
from schema import slip
from schema.question import Form
from schema.slip import Request
from submit.desk import SCHEMAS, Desk
from submit.ledger import Ledger, LedgerDamaged, RequestRow

DAMAGED = "was changed or lost after it was recorded; `denpyo audit verify` looks at all of them"


def show_schema(desk: Desk, form: Form, folder: Path) -> None:
    """Let a slip's schema pointer lead somewhere: the desk's schemas, which grow with its kinds, seen from the slip's folder."""
    schema = desk.folder / SCHEMAS / f"{form.kind}.v{form.version}.json"
    if not schema.exists():
        schema.parent.mkdir(exist_ok=True)
        schema.write_bytes(json_schema.write(form))
    link = folder / SCHEMAS
    if not link.exists():
        link.symlink_to(os.path.relpath(schema.parent, folder), target_is_directory=True)


def recorded(ledger: Ledger, row: RequestRow) -> bytes:
    """The bytes of a kept slip. LedgerDamaged where they are not what its entry recorded: the operator's to mend, in one line."""
    written = ledger.recorded_slip(row)
    if written is None:
        raise LedgerDamaged(f"{row.slip}: {DAMAGED}")
    return written


def slip_text(desk: Desk, row: RequestRow) -> str | None:
    """What the slip of a request says: "" where it was refused and has none, None where it was erased."""
    if row.slip is None:
        return ""
    with desk.ledger() as ledger:
        return None if ledger.slip_is_erased(row) else recorded(ledger, row).decode()


def read_slip(desk: Desk, ledger: Ledger, row: RequestRow) -> Request:
    """The Request of a kept slip, as it was recorded."""
    if row.slip is None:
        raise ValueError(f"{row.id} was refused and has no slip")
    return slip.read(recorded(ledger, row), desk.kinds, f"{row.id}.yaml")
