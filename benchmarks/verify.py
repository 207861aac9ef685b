"""What it takes to verify a ledger of a million entries, beside a program that does the same by hand, entry by entry.

    python -m benchmarks.verify [ENTRIES] [SLIPS]

It builds the ledger in a temporary folder (half a gigabyte), verifies it in turn as ``denpyo audit verify`` does, with the rival and with
``verify.py``, a process each and three times, and prints medians of seconds as a table for docs/performance.md. All must come to the same
root, or it ends with 1.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from submit.ledger import New, create, open_ledger, verify

AT = "2026-11-21T07:00:00.000+09:00"
BATCH = 10_000
ROUNDS = 3
ROOT = Path(__file__).parent.parent
ENTRIES, SLIPS = 1_000_000, 10_000
Figures = dict[str, float]


def build(folder: Path, entries: int, slips: int) -> None:
    """Entries as runs leave them, the first of them with slips."""
    create(folder)
    with open_ledger(folder) as ledger:
        for first in range(0, entries, BATCH):
            numbers = range(first, min(first + BATCH, entries))
            files = {_name(one): _slip(one) for one in numbers if one < slips}
            with ledger.writing() as tx:
                if files:
                    ledger.write_slips(files, 2026, 11)
                tx.append_all([_entry(one, files.get(_name(one))) for one in numbers], at=AT, user="denpyo")


def _name(number: int) -> str:
    return f"7k3m-{number:09d}"


def _slip(number: int) -> bytes:
    return (f"id: {_name(number)}\nkind: train_supervised\n" + "job:\n" + "  answer: something\n" * 30).encode()


def _entry(number: int, slip: bytes | None) -> New:
    detail = {"run": f"{_name(number)}.1", "engine": "local", "engine_id": f"{number:032x}"}
    return New(f"queued:{_name(number)}.1", "queued", _name(number), detail, slip=slip)


def ours(folder: Path) -> Figures:
    verdict = verify(folder)
    took = verdict.took
    return {"root": int(verdict.root, 16), "hashes": took.hashes, "bodies": took.bodies, "slips": took.slips}


def by_hand(folder: Path) -> Figures:
    """The same bytes, order and hashes as most would write it: each entry parsed, its links compared, its leaf added to the tree."""
    begun = time.perf_counter()
    frontier: list[bytes] = []
    before = "0" * 64
    rows = sqlite3.connect(folder / "ledger.sqlite").execute("SELECT seq, body FROM entries ORDER BY seq")
    for rest, (seq, body) in enumerate(rows):
        entry = json.loads(body)
        if seq != rest + 1 or entry["seq"] != seq or entry["before"] != before:
            raise SystemExit(f"entry {seq} is wrong")
        node = sha256(b"\x00" + body).digest()
        before = node.hex()
        while rest & 1:
            node, rest = sha256(b"\x01" + frontier.pop() + node).digest(), rest >> 1
        frontier.append(node)
    root = frontier.pop()
    while frontier:
        root = sha256(b"\x01" + frontier.pop() + root).digest()
    return {"root": int(root.hex(), 16), "all": time.perf_counter() - begun}


def alone(folder: Path) -> Figures:
    command = [sys.executable, str(ROOT / "verify.py"), str(folder)]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return {"root": int(done.stdout.split()[-1], 16), "all": time.perf_counter() - begun}


PARTIES = {"ours": ours, "by hand": by_hand, "verify.py": alone}


def in_its_own_process(party: str, folder: Path) -> Figures:
    """Its figures and the CPU seconds of all of it."""
    command = [sys.executable, "-m", "benchmarks.verify", "--party", party, str(folder)]
    before = os.times()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {**json.loads(done.stdout), "cpu": cpu}


def main(entries: int, slips: int) -> int:
    with TemporaryDirectory(prefix="denpyo-verify-") as made:
        folder = Path(made) / "ledger"
        begun = time.perf_counter()
        build(folder, entries, slips)
        built = time.perf_counter() - begun
        size = (folder / "ledger.sqlite").stat().st_size / 1e6
        rounds = [{party: in_its_own_process(party, folder) for party in PARTIES} for _ in range(ROUNDS)]
    middle = {
        party: {name: statistics.median(one[party][name] for one in rounds) for name in rounds[0][party]}
        for party in PARTIES
    }
    print(
        f"{entries:,} entries ({size:.0f} MB, built in {built:.0f} s), {slips:,} slips, medians of {ROUNDS}; ", end=""
    )
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores.\n")
    print(table(middle))
    return int(len({one[party]["root"] for one in rounds for party in PARTIES}) != 1)


def table(middle: dict[str, Figures]) -> str:
    found, hand = middle["ours"], middle["by hand"]
    rows = [
        ("stored bytes, order and hashes", found["hashes"]),
        ("parsing of bodies, and what lies beside", found["bodies"]),
        ("slips", found["slips"]),
        ("`denpyo audit verify`, all of it, CPU", found["cpu"]),
        ("by hand: bytes, order and hashes of parsed entries", hand["all"]),
        ("`verify.py`, all of it", middle["verify.py"]["all"]),
    ]
    lines = ["| | s |", "|---|---|", *(f"| {name} | {seconds:.2f} |" for name, seconds in rows)]
    ratio = f"| bytes, order and hashes against by hand | {found['hashes'] / hand['all']:.2f} |"
    return "\n".join([*lines, ratio])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--party"]:
        print(json.dumps(PARTIES[sys.argv[2]](Path(sys.argv[3]))))
    else:
        given = [int(one) for one in sys.argv[1:]]
        sys.exit(main(*(given + [ENTRIES, SLIPS][len(given) :])))
