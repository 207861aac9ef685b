"""What the comparison asks of each program, and how a command is run under limits."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from openpyxl import load_workbook

MEMORY, SECONDS = 4 << 30, 120
"""Limits of one command: bytes of address space, seconds of wall clock."""


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@dataclass(frozen=True, slots=True)
class Ran:
    """One command: its exit code (negative: the signal that ended it), seconds, peak resident MiB, and what it printed."""

    code: int
    wall: float
    cpu: float
    peak: float
    said: str
    timed_out: bool = False

    @property
    def cost(self) -> str:
        return f"{self.wall:.1f} s, {self.peak:.0f} MiB"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a program found wrong: the cell as it names it, or "row N", or "" where it names neither."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    ran: Ran

    @property
    def summary(self) -> str:
        """What a person learns, in a cell of a table."""
        if self.ran.timed_out:
            return f"nothing within {SECONDS} s"
        told = [*(f"{one.place}: {one.text}".lstrip(": ") for one in self.findings), *self.warnings]
        return told[0] if told else (last_line(self.ran.said) if self.ran.code else "accepted, nothing said")


class Program(Protocol):
    """One program at work on the survey. ``template`` and ``check`` are the commands its people run; ``fill`` is for our rows."""

    @property
    def name(self) -> str: ...

    @property
    def languages(self) -> str:
        """Languages that its template and its messages can be asked for in."""

    @property
    def sheet(self) -> str:
        """The sheet that is filled in."""

    @property
    def first_row(self) -> int: ...

    def template(self, folder: Path, changed: bool = False) -> Path:
        """A new blank workbook; ``changed`` asks for a schema in which one question is called otherwise."""

    def form(self, folder: Path) -> Path | None:
        """The layout with one question a row, or None where there is none."""

    def columns(self, book: Path) -> Mapping[str, int]:
        """Question → column number."""

    def spell(self, question: str, value: Any) -> Any:
        """How a good answer is written in this program's sheet."""

    def check(self, file: Path, changed: bool = False) -> Verdict: ...

    def version(self) -> str: ...

    def yaml(self, file: Path) -> str:
        """What becomes of good answers as YAML, in words, after its command for it has run."""

    def record(self) -> str:
        """Its record of who handed in what, and its way to start a run, in words."""

    def marked(self, file: Path, folder: Path) -> Path | None:
        """The workbook that goes back to the person, or None where there is none."""


def run(words: Sequence[str | Path], folder: Path, more: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a folder under MEMORY and SECONDS. Nothing it does is an error of ours."""
    began = time.perf_counter()
    with (folder / "said").open("w+b") as said:
        child = subprocess.Popen(  # noqa: S603
            [str(word) for word in words],
            cwd=folder,
            env={**ENVIRONMENT, "COLUMNS": "400", "NO_COLOR": "1", "PYTHONHASHSEED": "0", **(more or {})},
            stdout=said,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            preexec_fn=_limit,
        )
        status, usage, timed_out = _wait(child, began)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    return Ran(
        code=os.waitstatus_to_exitcode(status),
        wall=time.perf_counter() - began,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss / 1024,
        said=text,
        timed_out=timed_out,
    )


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wait(child: subprocess.Popen[bytes], began: float) -> tuple[int, resource.struct_rusage, bool]:
    timed_out = False
    while True:
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        if ended:
            child.returncode = os.waitstatus_to_exitcode(status)
            return status, usage, timed_out
        if not timed_out and time.perf_counter() - began > SECONDS:
            child.kill()
            timed_out = True
        time.sleep(0.01)


def last_line(text: str) -> str:
    lines = [line.strip(" │╰╯─") for line in text.splitlines() if line.strip(" │╰╯─╭╮")]
    return lines[-1] if lines else ""


def headings(book: Path, sheet: str, row: int) -> dict[int, str]:
    """Column number → the text in one row, read without the rest of the sheet."""
    opened = load_workbook(book, read_only=True)
    (cells,) = opened[sheet].iter_rows(min_row=row, max_row=row, values_only=True)
    opened.close()
    return {column: str(text) for column, text in enumerate(cells, 1) if text}


def installed(python: Path, package: str, folder: Path) -> str:
    ran = run([python, "-c", f"import importlib.metadata as m; print(m.version({package!r}))"], folder)
    return last_line(ran.said)
