"""``python -m benchmarks.drop``: seconds from a form dropped into a watched folder to its run in the queue; what an idle watch costs.

Prints a line of figures for docs/performance.md. The forms are Excel templates of a kind whose job only counts its start; the
watch is a process of its own, its beat the usual one.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from generators.excel import template
from generators.excel.template import Filled
from submit.desk import CONFIG, LEDGER
from submit.ledger.files import DATABASE
from tests.desks import desk_in

DROPS, IDLE, LONGEST = 20, 60.0, 60.0
SOURCE = '\n[sources.drop]\nkind = "folder"\npath = "drop"\n'
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = desk_in(Path(folder) / "desk")
        (desk.folder / "drop").mkdir()
        with (desk.folder / CONFIG).open("a", encoding="utf-8") as config:
            config.write(SOURCE)
        command = [sys.executable, "-m", "denpyo", "watch", "--desk", str(desk.folder)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
            try:
                _until(lambda: (desk.folder / "watch.json").exists())
                form = desk.kinds["count_starts"].form
                took = [
                    _dropped(desk.folder, template.write(form, "ja", "form", [_filled(folder, one)]), one)
                    for one in range(DROPS)
                ]
                before = _cpu(process.pid)
                time.sleep(IDLE)
                idle = (_cpu(process.pid) - before) / IDLE
            finally:
                process.terminate()
    print(
        f"Python {platform.python_version()}: {DROPS} forms, from drop to queued: median {statistics.median(took):.2f} s, "
        f"longest {max(took):.2f} s; idle: {idle:.2%} of a core over {IDLE:.0f} s"
    )


def _filled(folder: str, number: int) -> Filled:
    return Filled({"name": f"form{number}", "file": f"{folder}/starts"}, "hanako@example.jp")


def _dropped(desk: Path, data: bytes, number: int) -> float:
    """Seconds until the ledger has its run as queued. The file is written elsewhere and moved in, as a browser or a network drive does."""
    file = desk / f"form{number}.xlsx"
    file.write_bytes(data)
    began = time.monotonic()
    file.rename(desk / "drop" / file.name)
    _until(lambda: _queued(desk) > number)
    return time.monotonic() - began


def _queued(desk: Path) -> int:
    db = sqlite3.connect(f"{(desk / LEDGER / DATABASE).absolute().as_uri()}?mode=ro", uri=True, timeout=LONGEST)
    try:
        return int(db.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone()[0])
    finally:
        db.close()


def _until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not there():
        if time.monotonic() > deadline:
            raise SystemExit("it did not come to the queue")
        time.sleep(0.01)


def _cpu(pid: int) -> float:
    """Seconds of user and system time (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
