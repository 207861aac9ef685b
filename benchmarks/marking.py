"""``python -m benchmarks.marking``: what the process that marks a workbook takes for a table of 10,000 and of 100,000 rows.

Every fiftieth row has a fault; every row gets a receipt. One figure each, of a process of its own, as Linux counts it.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bulk import book
from benchmarks.bulk_rows import FOLDER
from generators.excel.annotate import annotate
from generators.excel.order import Order, ordered
from schema.kinds import load
from submit.child import mark
from tests.generators.excel.marking import verdicts

ROWS = 10_000, 100_000


def order(file: Path, out: Path) -> None:
    """What is to be marked in this workbook, written down."""

    def write_down(data: bytes, what: Order) -> None:
        out.write_bytes(what.line())

    data = file.read_bytes()
    found, problems = verdicts(data, load([FOLDER]))
    annotate(data, file.name, found, problems, "ja", marking=write_down)


def mark_it(file: Path, order: Path) -> None:
    """Mark it in a process of its own, started by this small one: Linux counts to a child what its parent held."""
    data, what, began = file.read_bytes(), ordered(order.read_bytes()), time.monotonic()
    copy = mark(data, what)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "before": len(data) / 1e6,
        "after": len(copy) / 1e6 if copy else None,
        "wall": time.monotonic() - began,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024 / 1e6,
        "marked": len(what.problems),
    }
    print(json.dumps(figures))


def measure(rows: int, folder: Path) -> str:
    file, told = book(folder, rows, rows // 50).file, folder / f"{rows}.json"
    run("--order", file, told)
    one = json.loads(run("--mark", file, told))
    copy = f"{one['after']:.1f} MB" if one["after"] else "none: the limits of the process did not allow it"
    return (
        f"| {rows:,} | {one['marked']:,} | {one['cpu']:.1f} | {one['wall']:.1f} | {one['memory']:.0f} |"
        f" {one['before']:.1f} MB | {copy} |"
    )


def run(*words: str | Path) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "benchmarks.marking", *map(str, words)], check=True, capture_output=True, text=True
    )
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="What marking takes.")
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--order", type=Path, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--mark", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.order:
        return order(*given.order)
    if given.mark:
        return mark_it(*given.mark)
    print(f"Python {platform.python_version()}\n")
    print("| rows | cells | CPU, s | wall, s | memory, MB | workbook | marked |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="denpyo-marking-") as folder:
        for rows in given.rows:
            print(measure(rows, Path(folder)), flush=True)
    return None


if __name__ == "__main__":
    main()
