"""How tampering with a ledger is found: by verification alone, and by comparison with a checkpoint that somebody else has kept.

    python -m benchmarks.tamper [--tries 200] [--seed 20261121]

An insider may write every file and knows how a ledger is made. A careless one changes stored entries; a careful one writes everything anew
around the change, links, hashes and frontier, so that the ledger agrees with itself. The change lies before the last checkpoint that an
outsider has, or after it. Prints a table; ends with 1 if anything that must be found was not.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from schema import canonical
from submit.desk import LEDGER, Desk, denpyo_version
from submit.ledger import checkpoint, open_ledger, verify
from submit.ledger.keys import PUBLIC, public_keys
from submit.ledger.merkle import Frontier, leaf_hash
from submit.ledger.rows import NOTHING_BEFORE
from tests.desks import desk_in

BEFORE, AFTER = 60, 20
"""Entries that the kept checkpoint covers, and those that came later."""
AT = "2026-11-21T07:00:00Z"
Bodies = list[dict[str, object]]
Found = Counter[tuple[str, str, str, str]]
"""(what, who, where, tried or found) → how often."""


def edit(bodies: Bodies, at: int) -> None:
    bodies[at]["detail"] = {"queue": "gpu-h100"}


def insert(bodies: Bodies, at: int) -> None:
    bodies.insert(at, {**bodies[at], "key": f"inserted:{at}", "slip": None, "beside": None})


def delete(bodies: Bodies, at: int) -> None:
    del bodies[at]


def swap(bodies: Bodies, at: int) -> None:
    bodies[at - 1], bodies[at] = bodies[at], bodies[at - 1]


def duplicate(bodies: Bodies, at: int) -> None:
    bodies.insert(at, {**bodies[at], "key": f"{bodies[at]['key']}:again", "slip": None, "beside": None})


def truncate(bodies: Bodies, at: int) -> None:
    del bodies[at:]


def rebuild(bodies: Bodies, at: int) -> None:
    """Another history from here on: as long, as sound, and another user's."""
    for body in bodies[at:]:
        body["user"] = "somebody-else"


CHANGES: dict[str, Callable[[Bodies, int], None]] = {
    one.__name__: one for one in (edit, insert, delete, swap, duplicate, truncate, rebuild)
}


def made(folder: Path) -> tuple[Desk, str]:
    """A desk with entries, and the checkpoint that somebody else has kept."""
    desk = desk_in(folder / "desk")
    _append(desk, BEFORE)
    note = checkpoint.newest(desk)
    _append(desk, AFTER)
    return desk, note


def _append(desk: Desk, count: int) -> None:
    with open_ledger(desk.folder / LEDGER) as ledger:
        first = ledger.size()
        with ledger.writing() as tx:
            for number in range(first + 1, first + count + 1):
                tx.append(
                    f"k{number}", "noted", at=AT, user="dk", detail={"queue": "gpu-a100"}, beside="花子" * (number % 2)
                )


def careless(database: Path, change: Callable[[Bodies, int], None], at: int) -> None:
    """Stored bodies are changed and renumbered, and nothing else: what an edit with an SQLite tool leaves."""
    with closing(sqlite3.connect(database)) as db, db:
        rows = db.execute("SELECT body FROM entries ORDER BY seq").fetchall()
        bodies = [json.loads(body) for (body,) in rows]
        change(bodies, at)
        _write(db, [canonical.dumps(body) for body in bodies], bodies)


def careful(database: Path, change: Callable[[Bodies, int], None], at: int) -> None:
    """Everything is written anew, so that the ledger is sound in itself; its own list of checkpoints is cut to what still fits."""
    with closing(sqlite3.connect(database)) as db, db:
        rows = db.execute("SELECT body FROM entries ORDER BY seq").fetchall()
        bodies = [json.loads(body) for (body,) in rows]
        change(bodies, at)
        before, written, frontier = NOTHING_BEFORE, list[bytes](), Frontier()
        for seq, body in enumerate(bodies, 1):
            body |= {"seq": seq, "before": before}
            written.append(canonical.dumps(body))
            frontier, before = frontier.append(written[-1]), leaf_hash(written[-1]).hex()
        _write(db, written, bodies)
        db.execute("UPDATE frontier SET size = ?, hashes = ?", (frontier.size, frontier.pack()))
        db.execute("DELETE FROM checkpoints")


def _write(db: sqlite3.Connection, written: list[bytes], bodies: Bodies) -> None:
    """With what lies beside each entry moved along, by the hash that it has there."""
    beside = {}
    for seq, salt, text in db.execute("SELECT seq, salt, text FROM beside").fetchall():
        (body,) = db.execute("SELECT body FROM entries WHERE seq = ?", (seq,)).fetchone()
        beside[json.loads(body)["beside"]] = (salt, text)
    db.execute("DELETE FROM beside")
    db.execute("DELETE FROM entries")
    for seq, (body, told) in enumerate(zip(written, bodies, strict=True), 1):
        db.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", (seq, told["key"], told["request"], body))
        if told["beside"] in beside and told["beside"]:
            db.execute("INSERT INTO beside VALUES (?, ?, ?)", (seq, *beside[told["beside"]]))


INSIDERS = {"careless": careless, "careful": careful}


def tried(folder: Path, tries: int, seed: int) -> Found:
    """How often each was tried and found, by verification with the kept checkpoint and (``alone``) without."""
    desk, note = made(folder)
    keys = public_keys((desk.folder / PUBLIC).read_text(encoding="utf-8"))
    chance, found, sound = random.Random(seed), Found(), desk.folder / LEDGER  # noqa: S311
    size, covered = verify(sound).entries, int(note.split("\n")[1])
    for who, insider in INSIDERS.items():
        for what, change in CHANGES.items():
            for where, (low, high) in {"before": (2, covered), "after": (covered + 1, size)}.items():
                for _ in range(tries):
                    copy = folder / "copy"
                    shutil.copytree(sound, copy, symlinks=True)
                    insider(copy / "ledger.sqlite", change, chance.randrange(low, high))
                    key = (what, who, where)
                    found[(*key, "tried")] += 1
                    found[(*key, "found")] += not verify(copy, keys, [("a reply", note)]).ok
                    found[(*key, "alone")] += not verify(copy).ok
                    shutil.rmtree(copy)
    return found


def unexpected(found: Found) -> list[str]:
    """What must be found and was not: all that is careless, and all that lies before the checkpoint."""
    return [
        f"{what}, {who}, {where} the checkpoint: {found[(what, who, where, 'found')]} of {count}"
        for (what, who, where, sort), count in found.items()
        if sort == "tried" and (who == "careless" or where == "before") and found[(what, who, where, "found")] != count
    ]


def table(found: Found) -> list[str]:
    heads = [f"{who}, {where}" for who in INSIDERS for where in ("before", "after")]
    lines = [f"| change | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for what in CHANGES:
        cells = []
        for who in INSIDERS:
            for where in ("before", "after"):
                tried_, by, alone = (found[(what, who, where, sort)] for sort in ("tried", "found", "alone"))
                cells.append(f"{by} of {tried_} ({alone} alone)")
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return lines


def main() -> int:
    words = argparse.ArgumentParser()
    words.add_argument("--tries", type=int, default=100)
    words.add_argument("--seed", type=int, default=20261121)
    asked, began = words.parse_args(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="denpyo-tamper-") as name:
        found = tried(Path(name), asked.tries, asked.seed)
    wrong = unexpected(found)
    print("\n".join(table(found)))
    print(
        f"seed {asked.seed}, denpyo {denpyo_version()}, {time.monotonic() - began:.0f} s: {'WRONG' if wrong else 'GOOD'}"
    )
    for one in wrong:
        print(one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
