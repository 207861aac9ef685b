"""A slip where it is kept: beside the schema that it points to, and read again."""

from __future__ import annotations

import os
from pathlib import Path

from generators import json_schema
from schema import slip
from schema.question import Form
from schema.slip import Request
from submit.desk import SCHEMAS, Desk
from submit.ledger import Ledger, RequestRow


def show_schema(desk: Desk, form: Form, folder: Path) -> None:
    """Let a slip's schema pointer lead somewhere: the desk's schemas, which grow with its kinds, seen from the slip's folder."""
    schema = desk.folder / SCHEMAS / f"{form.kind}.v{form.version}.json"
    if not schema.exists():
        schema.parent.mkdir(exist_ok=True)
        schema.write_bytes(json_schema.write(form))
    link = folder / SCHEMAS
    if not link.exists():
        link.symlink_to(os.path.relpath(schema.parent, folder), target_is_directory=True)


def read_slip(desk: Desk, ledger: Ledger, row: RequestRow) -> Request:
    """The Request of a kept slip."""
    if row.slip is None:
        raise ValueError(f"{row.id} was refused and has no slip")
    file = ledger.folder / row.slip
    return slip.read(file.read_bytes(), desk.kinds, file.name)
