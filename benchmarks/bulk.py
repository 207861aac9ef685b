"""``python -m benchmarks.bulk``: rows with planted faults, checked and submitted by denpyo and by two programs written by hand.

Everything in one run and interleaved; every measurement is a process of its own, its children counted with it. Prints the table of
docs/performance.md; ends with 1 where a fault was not found at its cell, or something else was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from python_calamine import CalamineWorkbook

from benchmarks import bulk_rows
from benchmarks.bulk_rows import FOLDER, SEED, Fault
from generators.excel.spelling import letters

PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY = 0.01
"""Seconds between two looks at the memory."""
REFUSED = 1
SINGLE_ROUNDS = 15
COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Bytecode is written in the round that warms up, as on a machine where denpyo is installed."""
LIBRARIES = ("pydantic", "python-calamine", "openpyxl", "jsonschema", "jsonschema-rs", "PyYAML")
PEOPLE, EXPERT = "as_people_write", "as_an_expert_writes"


@dataclass(frozen=True, slots=True)
class Cost:
    """One process and all its children: CPU and wall in seconds, the peak of their memory together in MB, and what it printed."""

    cpu: float
    wall: float
    peak: float
    printed: str = ""


def measured(words: Sequence[str], expected: Sequence[int] = (0,)) -> Cost:
    """Run a program to its end. Another exit code than the expected ones is a RuntimeError."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, *words], stdout=out, stderr=err, env=COMPILED)  # noqa: S603
        watch = _Memory(process.pid)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.over.set()
        watch.join()
        out.seek(0)
        err.seek(0)
        if process.returncode not in expected:
            raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}: {err.read()[-2000:]}")
        return Cost(used.ru_utime + used.ru_stime, wall, watch.peak / 1e6, out.read())


class _Memory(threading.Thread):
    """Looks at what a process and its children hold in memory, all together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(EVERY):
            self.peak = max(self.peak, sum(map(_resident, _family(self.pid))))


def _family(pid: int) -> list[int]:
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(one) for task in tasks for one in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has ended meanwhile
        return []
    return [pid, *(one for child in children for one in _family(child))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return 0


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook with planted faults, by the addresses of their cells."""

    file: Path
    rows: int
    cells: frozenset[str]


def book(folder: Path, rows: int, faults: int) -> Book:
    """Made by a process of its own, so that its memory is not ours."""
    file = folder / f"bulk-{rows}.xlsx"
    subprocess.run([sys.executable, "-m", "benchmarks.bulk_rows", str(rows), str(faults), str(file)], check=True)  # noqa: S603
    planted = bulk_rows.planted(rows, faults)[1]
    return Book(file, rows, cells(file, planted))


def cells(file: Path, faults: Sequence[Fault]) -> frozenset[str]:
    """Where the planted faults stand: the sheet's first row names its columns."""
    names = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=1)[0]
    columns = {str(name): letters(at) for at, name in enumerate(names, 1)}
    return frozenset(f"{columns[one.key]}{one.row}" for one in faults)


def fresh_desk(folder: Path) -> Path:
    """A desk of its own that knows the benchmark's kind."""
    desk = Path(tempfile.mkdtemp(prefix="desk-", dir=folder)) / "desk"
    measured(["-m", "denpyo", "init", "--desk", str(desk)])
    settings = desk / "denpyo.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('kinds = "kinds"', f"kinds = {json.dumps(str(FOLDER))}"), encoding="utf-8")
    return desk


def check(book: Book, folder: Path) -> tuple[Cost, frozenset[str]]:
    """``denpyo check``, and the cells it blames."""
    desk = fresh_desk(folder)
    cost = measured(["-m", "denpyo", "check", str(book.file), "--json", "--desk", str(desk)], (0, REFUSED))
    return cost, _blamed(cost)


def submit(book: Book, folder: Path) -> tuple[Cost, frozenset[str]]:
    """``denpyo submit`` into a fresh desk, and the cells it blames. Every good row must have left a slip."""
    desk = fresh_desk(folder)
    cost = measured(["-m", "denpyo", "submit", str(book.file), "--json", "--desk", str(desk)], (0, REFUSED))
    slips = sum(1 for _ in (desk / "ledger").glob("slips/**/*.yaml"))
    if slips != book.rows - len(book.cells):
        raise RuntimeError(f"{slips} slips of {book.rows - len(book.cells)} good rows")
    return cost, _blamed(cost)


def _blamed(cost: Cost) -> frozenset[str]:
    return frozenset(one["spot"].rpartition("!")[2] for one in json.loads(cost.printed)["problems"])


def by_hand(name: str, book: Book, folder: Path) -> tuple[Cost, frozenset[str]]:
    """One of the programs in ``benchmarks/by_hand``, and the cells it blames."""
    cost = measured(["-m", f"benchmarks.by_hand.{name}", str(book.file), str(folder / f"{name}.yaml")])
    return cost, frozenset(json.loads(cost.printed))


Party = Callable[[Book, Path], tuple[Cost, frozenset[str]]]
PARTIES: dict[str, Party] = {
    "denpyo check": check,
    "denpyo submit": submit,
    EXPERT: lambda book, folder: by_hand(EXPERT, book, folder),
    PEOPLE: lambda book, folder: by_hand(PEOPLE, book, folder),
}
NAMED = {
    EXPERT: "by hand, as an expert writes it: calamine + jsonschema-rs + CSafeDumper",
    PEOPLE: "by hand, as people write it: openpyxl + jsonschema + PyYAML",
}


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(one.cpu for one in costs),
        statistics.median(one.wall for one in costs),
        statistics.median(one.peak for one in costs),
    )


def compared(book: Book, folder: Path, rounds: int) -> tuple[dict[str, Cost], list[str]]:
    """The medians by party, and whatever was found elsewhere than planted. The first round warms up and is not counted."""
    costs: dict[str, list[Cost]] = {name: [] for name in PARTIES}
    wrong = []
    for turn in range(rounds + 1):
        for name, party in PARTIES.items():
            cost, blamed = party(book, folder)
            costs[name] += [cost] if turn else []
            if blamed != book.cells:
                wrong.append(f"{name}: missed {sorted(book.cells - blamed)}, blamed also {sorted(blamed - book.cells)}")
    return {name: median(taken) for name, taken in costs.items()}, wrong


def line(name: str, cost: Cost) -> str:
    return f"| {name} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.peak:.0f} |"


def bar(what: str, reached: float, allowed: float, unit: str = "") -> str:
    """One bar and what was reached, to two digits behind the point or none where there is a unit."""
    said, most = (f"{one:.0f} {unit}" if unit else f"{one:.2f}" for one in (reached, allowed))
    return f"| {what} | ≤ {most} | {said} | {'reached' if reached <= allowed else 'missed'} |"


def bars(costs: dict[str, Cost]) -> list[str]:
    ours, kept, expert, people = (costs[name].cpu for name in PARTIES)
    return [
        bar("check, CPU against the expert's", ours / expert, 0.8),
        bar("submit, CPU against the expert's", kept / expert, 1.5),
        bar("check, CPU against what people write", ours / people, 0.3),
        bar("submit, CPU against what people write", kept / people, 0.3),
    ]


def single(folder: Path) -> float:
    """One filled form, judged: milliseconds from start to end."""
    file, desk = folder / "one.xlsx", fresh_desk(folder)
    file.write_bytes(bulk_rows.single())
    words = ["-m", "denpyo", "check", str(file), "--json", "--desk", str(desk)]
    measured(words)
    return statistics.median(measured(words).wall for _ in range(SINGLE_ROUNDS)) * 1000


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=10_000)
    asked.add_argument("--faults", type=int, default=200)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--times", type=int, default=10, help="the large workbook has so many times the rows; 0: none")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="denpyo-bulk-") as name:
        folder = Path(name)
        costs, wrong = compared(book(folder, options.rows, options.faults), folder, options.rounds)
        judged = [*bars(costs), bar("one form with one request, wall", single(folder), 350, "ms")]
        lines = [line(NAMED.get(one, one), cost) for one, cost in costs.items()]
        if options.times:
            large = book(folder, options.rows * options.times, options.faults)
            for party in ("denpyo check", "denpyo submit"):
                found = [PARTIES[party](large, folder) for _ in range(min(options.rounds, 3))]
                cost = median([one for one, _ in found])
                wrong += [f"{party}: {large.rows} rows" for _, blamed in found if blamed != large.cells]
                lines.append(line(f"{party}, {large.rows:,} rows", cost))
                judged.append(
                    bar(
                        f"{party}, {options.times} times the rows, CPU",
                        cost.cpu / costs[party].cpu,
                        1.1 * options.times,
                    )
                )
                judged.append(bar(f"{party}, {large.rows:,} rows, memory", cost.peak, 600, "MB"))
    print(said(options, lines, judged, wrong))
    return 1 if wrong else 0


def said(options: argparse.Namespace, lines: Sequence[str], judged: Sequence[str], wrong: Sequence[str]) -> str:
    found = (
        "\n".join(wrong)
        or f"All {options.faults} faults were found at their cells, and nothing else, by all four in every round."
    )
    versions = ", ".join(f"{one} {version(one)}" for one in LIBRARIES)
    return "\n".join(
        [
            f"{options.rows:,} rows × 20 questions, {options.faults} faults of {len(bulk_rows.SORTS)} sorts, seed {SEED}, medians of "
            f"{options.rounds}; Python {platform.python_version()}, {versions}; {os.cpu_count()} cores.",
            "",
            "| | CPU, s | wall, s | memory, MB |",
            "|---|---|---|---|",
            *lines,
            "",
            "| bar | allowed | reached | |",
            "|---|---|---|---|",
            *judged,
            "",
            found,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
