"""``make fuzz``: a million damaged workbooks through the Excel door, on all cores; ``--count`` for fewer, ``--state`` to go on later.

Each must end within 10 s of CPU time and 512 MB as answers or as coded Problems that name part or cell, or the file where it is of the
file as a whole. What is accepted must give the same slip, response by response, when a second reader reads it, and every eighth
workbook's sheets must give the same facts read quickly and carefully. A worker that dies is started anew, and its file must end in a
coded refusal where the desk reads it: in a process of its own. Findings are saved.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from xml.parsers import expat

from benchmarks.mutate import Seed, corpora, mutated
from benchmarks.second_reader import sheets_of
from generators import Read
from generators.excel import plain
from generators.excel.archive import Archive
from generators.excel.read import read
from generators.excel.refusal import Refusal, RefusedError
from generators.excel.scan import Budget, scan
from generators.excel.template import Filled, write
from schema.check import check
from schema.problem import Problem
from schema.question import Question
from schema.slip import Request, Via
from schema.slip import write as slip_of
from submit.child import read_cells as read_apart
from tests.generators.excel.workbooks import GOOD, KINDS, form_of_everything, table_of_everything

ROOT = Path(__file__).parents[1]
CORPORA = ROOT.parent / "shared/corpora/workbooks"
RELEASED = ROOT / "tests/released"
BLOCK, SECONDS, MEMORY = 500, 10, 512 * 1024 * 1024
SEED, COUNT = 20261121, 1_000_000
NAME = "fuzz.xlsx"
BADLY = ("finding",)
OF_THE_FILE = frozenset(
    (
        "not_a_workbook",
        "cut_off",
        "password_protected",
        "macro_file",
        "too_slow",
        "not_a_template",
        "damaged_template",
        "sheet_missing",
    )
)
"""Codes of what is wrong with a file as a whole (one of its sheets is gone); every other names a part, a sheet or a cell."""
EPOCH = datetime(2026, 11, 21, tzinfo=UTC)


@cache
def seeds() -> tuple[tuple[Seed, ...], tuple[int, ...]]:
    """What is damaged, and how often each is chosen: our own templates, filled ones more often, those with thousands of
    rows seldom, and workbooks of others."""
    whole = [Seed.of(name, data) for name, data in _templates()]
    ours = [one.shortened() for one in whole] + [one for one in whole if one.is_long]
    others = corpora(CORPORA) if CORPORA.is_dir() else []
    weights = [1 if one.is_long else 20 if one.name.startswith("v") else 80 for one in ours]
    return (*ours, *others), (*weights, *(10 for _ in others))


def _templates() -> Iterator[tuple[str, bytes]]:
    for file in sorted(RELEASED.rglob("*.xlsx")):
        yield str(file.relative_to(RELEASED)), file.read_bytes()
    for language in ("ja", "en"):
        yield f"everything.{language}.form", form_of_everything(language)
        yield f"everything.{language}.table", table_of_everything(GOOD, GOOD, language=language)
        for name in ("inference", "train_supervised"):
            form = KINDS[name].form
            filled = Filled({one.key: _answer(one) for one in form.questions if _answer(one)}, "tanaka@example.co.jp")
            yield f"{name}.{language}.form", write(form, language, "form", [filled])
            yield f"{name}.{language}.table", write(form, language, "table", [filled, filled])


def _answer(question: Question) -> str:
    if question.choices:
        return str(question.choices[0].value)
    return question.example or ("wine" if question.required else "")


def workbook(seed: int, number: int) -> tuple[str, bytes]:
    chance = Random(f"{seed}:{number}")  # noqa: S311 - chance that can be repeated
    able, weights = seeds()
    chosen = chance.choices(able, weights)[0]
    return chosen.name, mutated(chosen, chance)


def judged(data: bytes, number: int) -> tuple[str, str]:
    """What became of a workbook, and what is wrong with that, if anything."""
    try:
        reads, problems = read(data, NAME, KINDS)
        slips = [_slip(one) for one in reads]
        wrong = unplaced([*problems, *(one for found in reads for one in (*found.problems, *found.warnings))])
        wrong = wrong or ("" if reads or problems else "neither answers nor a problem")
        wrong = wrong or (_different(data, reads, slips) if any(slips) else "")
        wrong = wrong or (_unlike(data) if number % 8 == 0 else "")
    except Exception:
        return "finding", traceback.format_exc()
    return ("finding", wrong) if wrong else (_end(reads, slips), "")


def _end(reads: list[Read], slips: list[bytes | None]) -> str:
    if not any(slips):
        return "refused with answers" if reads else "refused as a file"
    return f"accepted{'' if all(slips) else ' in part'}, the same by two readers"


def unplaced(problems: list[Problem]) -> str:
    """The first Problem that does not say where: by its part, sheet or cell, or by the file where it is of the file as a whole."""
    for one in problems:
        somewhere = one.where.spot or one.code in OF_THE_FILE
        if one.where.file != NAME or not somewhere or f"[{one.code}]" not in one.line("ja"):
            return f"no place or no words: {one}"
    return ""


def _different(data: bytes, first: list[Read], slips: list[bytes | None]) -> str:
    """Whether a second reader finds another slip in a response that was accepted; the same answers give the same slip."""
    try:
        second, problems = read(data, NAME, KINDS, sheets_of)
    except (expat.ExpatError, ValueError, KeyError, StopIteration, IndexError):
        return "the second reader: " + traceback.format_exc()
    if problems or len(first) != len(second):
        return f"{len(first)} responses and {len(second)}: {problems}"
    for found, again, slip in zip(first, second, slips, strict=True):
        if slip and found.answers != again.answers and (other := _slip(again)) != slip:
            return f"other slips: {found} and {again}: {slip.hex()} and {other!r}"
    return ""


def _slip(found: Read) -> bytes | None:
    """The digest of the slip, or nothing where the response is refused."""
    checked = [] if found.problems else check(found.answers, KINDS)
    if isinstance(checked, list):
        return None
    sender, form = found.answers.sender, KINDS[checked.kind].form
    request = Request(
        id="0000-0000-0000",
        kind=checked.kind,
        version=form.version,
        schema="0" * 64,
        denpyo="0",
        requested_by=sender.value if sender else "",
        trust="claimed",
        requested_at=EPOCH,
        via=Via("excel", NAME, "0" * 64, found.answers.where.spot),
        language=found.answers.language,
        job=checked.job,
        resources=checked.resources,
        changes=checked.changes,
    )
    return hashlib.sha256(slip_of(request)).digest()


def _unlike(data: bytes) -> str:
    """Whether a sheet's facts, or its cost, differ between the quick way and the careful one."""
    try:
        parts = Archive(data)
        named = {name: parts[name] for name in parts if "sheet" in name.lower() or "sharedStrings" in name}
    except RefusedError:
        return ""
    for name, part in named.items():
        quick, slow = Budget(frozenset(["1", "3"])), Budget(frozenset(["1", "3"]))
        found, careful = _facts(plain.facts_of, part, name, quick, 0), _facts(_scanned, part, name, slow)
        if found != careful or (not isinstance(careful, Refusal) and quick != slow):
            return f"{name}: {found} {quick} and {careful} {slow}"
    return ""


def _scanned(part: bytes, name: str, spot: str, budget: Budget) -> object:
    return scan(part, name, spot, budget).facts()


def _facts(reader: object, part: bytes, name: str, budget: Budget, *more: int) -> object:
    try:
        return reader(part, name, name, budget, *more)  # type: ignore[operator]
    except RefusedError as refused:
        return refused.refusal


def work(seed: int, at: mmap.mmap, found: Path) -> None:
    """One worker: blocks on standard input, counts on standard output; what it does just now stands in ``at``."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY, 2 * MEMORY))
    seeds()
    for line in sys.stdin:
        first, last, skipped = json.loads(line)
        counts: Counter[str] = Counter()
        peak = 0
        for number in range(first, last):
            if number in skipped:
                continue
            at[:8] = struct.pack("<q", number)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            end, took = _one(seed, number, found)
            counts[end] += 1
            peak = max(peak, took)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps({**counts, "peak": peak}) + "\n")
        sys.stdout.flush()


def _one(seed: int, number: int, found: Path) -> tuple[str, int]:
    """What became of one workbook, and the most memory that the worker had while it judged it."""
    name, data = workbook(seed, number)
    forget_peak()
    end, why = judged(data, number)
    took = peak_memory()
    if took > MEMORY and end not in BADLY:
        end, why = "finding", f"{took // 1024**2} MB of memory"
    if end in BADLY:
        save(found, number, name, data, why)
    return end, took


def forget_peak() -> None:
    """Measure from here, where the system can; elsewhere the most of all files so far is what counts."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory() -> int:
    """The most bytes of memory that this process had, since it was last forgotten."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def save(folder: Path, number: int, name: str, data: bytes, why: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.xlsx").write_bytes(data)
    (folder / f"{number}.txt").write_text(f"{name}\n{hashlib.sha256(data).hexdigest()}\n{why}\n", encoding="utf-8")


class Run:
    """A run of the fuzz: the blocks that are done, what was counted, and the workers."""

    def __init__(self, seed: int, count: int, state: Path, size: int = BLOCK) -> None:
        self.seed, self.count, self.state, self.size, self.lock = seed, count, state, size, Lock()
        self.done: set[int] = set()
        self.counts: Counter[str] = Counter()
        self.peak, self.seconds = 0, 0.0
        state.parent.mkdir(parents=True, exist_ok=True)
        if state.exists():
            self._resume(json.loads(state.read_text(encoding="utf-8")))
        self.left = iter([one for one in range(0, count, size) if one not in self.done])

    def _resume(self, kept: dict[str, object]) -> None:
        if (kept["seed"], kept.get("block", BLOCK)) != (self.seed, self.size):
            sys.exit(f"{self.state} is of the seed {kept['seed']}, in blocks of {kept.get('block', BLOCK)}")
        self.done, self.counts = set(kept["done"]), Counter(kept["counts"])  # type: ignore[call-overload]
        self.peak, self.seconds = int(str(kept["peak"])), float(str(kept["seconds"]))

    def keep(self, block: int, counts: Counter[str], peak: int, seconds: float) -> None:
        with self.lock:
            self.done.add(block)
            self.counts += counts
            self.peak, self.seconds = max(self.peak, peak), self.seconds + seconds
            kept = {"seed": self.seed, "counts": self.counts, "peak": self.peak, "seconds": round(self.seconds, 1)}
            fresh = self.state.with_suffix(".new")
            done = {"block": self.size, "done": sorted(self.done)}
            fresh.write_text(json.dumps({**kept, **done}), encoding="utf-8")
            fresh.replace(self.state)

    def next(self) -> int | None:
        with self.lock:
            return next(self.left, None)

    @property
    def findings(self) -> Path:
        return self.state.with_suffix(".findings")

    def run(self, workers: int) -> None:
        threads = [Thread(target=self._worker, args=(workers,)) for _ in range(workers)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    def _worker(self, workers: int) -> None:
        with TemporaryDirectory(prefix="denpyo-fuzz-") as folder:
            worker = Worker(self.seed, Path(folder) / "at", self.findings)
            while (block := self.next()) is not None:
                began = time.monotonic()
                counts, peak = worker.block(block, min(block + self.size, self.count))
                self.keep(block, counts, peak, (time.monotonic() - began) / workers)
            worker.end()


class Worker:
    """A process that judges blocks, started anew when one of them kills it."""

    def __init__(self, seed: int, at: Path, findings: Path) -> None:
        self.seed, self.at, self.findings = seed, at, findings
        at.write_bytes(bytes(8))
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        words = ["--worker", str(self.at), "--seed", str(self.seed), "--state", str(self.findings.with_suffix(".json"))]
        return subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "benchmarks.fuzz", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def block(self, first: int, last: int) -> tuple[Counter[str], int]:
        skipped: list[int] = []
        extra: Counter[str] = Counter()
        while True:
            line = self._ask(first, last, skipped)
            if line:
                counts = json.loads(line)
                peak = counts.pop("peak")
                return Counter(counts) + extra, peak
            extra += self._died(skipped)

    def _ask(self, first: int, last: int, skipped: list[int]) -> str:
        if not (self.process.stdin and self.process.stdout):
            return ""
        try:
            self.process.stdin.write(json.dumps([first, last, skipped]) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.process.stdout.readline()

    def _died(self, skipped: list[int]) -> Counter[str]:
        """What killed a worker must not reach who calls the desk's reader."""
        code = self.process.wait()
        self.end()
        (number,) = struct.unpack("<q", self.at.read_bytes())
        if number in skipped:
            raise RuntimeError(f"a worker died twice at {number}")
        skipped.append(number)
        name, data = workbook(self.seed, number)
        try:
            end = read_apart(data)
        except Exception:
            end = ()
        self.process = self._start()
        placed = isinstance(end, Refusal) and (end.spot or end.code in OF_THE_FILE)
        good = placed and code != -signal.SIGPROF
        if not good:
            save(
                self.findings, number, name, data, f"a worker ended with {code}, a process of its own with {end!r:.200}"
            )
        return Counter({"killed the parser, refused": 1} if good else {"finding": 1})

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process.wait()


def report(run: Run) -> str:
    total = sum(run.counts.values())
    versions = ", ".join(f"{name} {version(name)}" for name in ("python-calamine", "pydantic"))
    rows = {
        "seed": run.seed,
        "workbooks": f"{total:,}",
        **{name: f"{count:,}" for name, count in sorted(run.counts.items()) if name not in BADLY},
        "findings": f"{run.counts['finding']:,}",
        "most memory for a workbook": f"{run.peak // 1024**2} MB",
        "a second": f"{total / max(run.seconds, 0.001):,.0f}",
        "with": f"Python {platform.python_version()}, {versions}, {os.cpu_count()} cores",
    }
    return "\n".join(["| what | figure |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def main() -> int:
    parsing = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description="Damaged workbooks through the Excel door."
    )
    parsing.add_argument("--count", type=int, default=COUNT)
    parsing.add_argument("--seed", type=int, default=SEED)
    parsing.add_argument("--state", type=Path, default=Path("fuzz.json"))
    parsing.add_argument("--block", type=int, default=BLOCK, help="after how many workbooks the state is kept")
    parsing.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parsing.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parsing.add_argument("--one", type=int, help="judge one workbook again, by its number, and say what became of it")
    asked = parsing.parse_args()
    if asked.worker:
        with asked.worker.open("r+b") as file, mmap.mmap(file.fileno(), 8) as at:
            work(asked.seed, at, asked.state.with_suffix(".findings"))
        return 0
    if asked.one is not None:
        print(*judged(workbook(asked.seed, asked.one)[1], asked.one))
        return 0
    run = Run(asked.seed, asked.count, asked.state.absolute(), asked.block)
    run.run(asked.workers)
    print(report(run))
    return 1 if run.counts["finding"] or run.peak > MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())
