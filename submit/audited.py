"""``denpyo audit verify``: the log of a desk beside the checkpoints of it, and what is said of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from submit import terminal, witness
from submit.desk import LEDGER, Desk
from submit.ledger import Verdict, compare, keys, verify


def judged(desk: Desk, key: Path | None, files: Iterable[Path], *, ask_witness: bool = False) -> Verdict:
    """The log and the checkpoints in these files, in its own list and, if it is to be asked, at the witness: believed where one of the keys
    in a file has signed them, ``key`` or else the desk's."""
    own = desk.folder / keys.PUBLIC
    known = keys.published(key or own) if key or own.exists() else []
    notes, wrong = [compare.told(file) for file in files], ""
    if ask_witness:
        name, note, wrong = witness.note_there(desk, known)
        notes += [] if wrong else [(name, note)]
    found = verify(desk.folder / LEDGER, known, notes)
    return replace(found, ok=False, wrong=wrong) if wrong and found.ok else found


def say(found: Verdict) -> None:
    how = "good" if found.ok else "NOT PROVEN" if found.is_sound else "DAMAGED"
    terminal.say(f"{how}: {found.entries} entries, root {found.root}")
    took = found.took
    terminal.say(f"hashes {took.hashes:.1f} s, bodies {took.bodies:.1f} s, slips {took.slips:.1f} s")
    for one in found.compared:
        if one.source != compare.HERE:
            terminal.say(f"agrees with {compare.named(one)}, key {one.by}")
    for line in [found.wrong] if found.wrong else []:
        terminal.complain(line)
    for file in found.unrecorded:
        terminal.complain(f"{file}: no entry records this slip")


def data(found: Verdict) -> dict[str, Any]:
    """The contract of ``denpyo audit verify --json``."""
    compared = [{"entries": one.size, "source": one.source, "key": one.by} for one in found.compared]
    return {
        "ok": found.ok,
        "entries": found.entries,
        "root": found.root,
        "wrong": found.wrong,
        "unrecorded": list(found.unrecorded),
        "checkpoints": compared,
        "seconds": asdict(found.took),
    }
