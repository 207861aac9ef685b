"""Workbooks are read in a process of their own: what happens to it never happens to the desk."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generators.excel.bounds import MIB, memory_for, no_memory, seconds_for
from generators.excel.cells import read_cells as read_here
from generators.excel.frame import FrameError, framed, unframed
from generators.excel.marks import mark as mark_here
from generators.excel.order import Order, Remark, Request, ordered
from generators.excel.read import read
from generators.excel.refusal import Refusal
from generators.excel.sheet import Sheet, SheetFacts
from schema.words import Words
from submit import child
from submit.child import Child, ChildError, Marker, mark, read_cells, started_early
from tests.generators.excel.workbooks import (
    GOOD,
    KINDS,
    ROOT,
    form_of_everything,
    packed,
    parts_of,
    replaced,
    table_of_everything,
)

FORM = form_of_everything()
LARGEST = max(parts_of(FORM).items(), key=lambda part: len(part[1]))[0]
CORPORA = ROOT.parent / "shared/corpora/workbooks"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def test_a_process_of_its_own_reads_what_this_one_would() -> None:
    for data in (FORM, table_of_everything(GOOD), b"no workbook"):
        assert read_cells(data) == read_here(data)


class Instead(Child):
    """A child that runs something else than the reader, as one would that a file has taken over."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()

    def words(self) -> list[str]:
        return ["-I", "-S", "-c", self.code]


HEAR = "import sys, os, resource, signal; sys.stdin.buffer.read(); "
ENDS = {
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "too_large"),
    "aborted, as Rust does for want of memory": ("os.abort()", "too_large"),
    "a fault": ("os.kill(os.getpid(), signal.SIGSEGV)", "broken_file"),
    "out of cpu time": ("resource.setrlimit(resource.RLIMIT_CPU, (0, 9))\nwhile True: pass", "too_slow"),
    "no answer": ("", "broken_file"),
    "an answer that is none": ("print('{')", "broken_file"),
    "code for an answer": ("print('cos\\nsystem')", "broken_file"),
    "more rows than there can be": (
        'print(\'{"sheets":[{"name":"a","hidden":false,"separator":"","size":0,"height":9999999999,"width":0}]}\')',
        "broken_file",
    ),
    "columns without rows": (
        'print(\'{"sheets":[{"name":"a","hidden":false,"separator":"","size":0,"height":0,"width":9999999999}]}\')',
        "broken_file",
    ),
    "an answer after many last words": ("sys.stderr.write('x' * 1_000_000); print('{')", "broken_file"),
    "an answer with less than it says": ('print(\'{"sheets":[{"size":9}]}\')', "broken_file"),
}


@pytest.mark.parametrize("case", ENDS)
def test_however_the_process_ends_the_file_is_refused_with_a_code(case: str) -> None:
    code, expected = ENDS[case]
    with Instead("import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " + HEAR + code) as one:
        found = one.read(FORM)
    assert isinstance(found, Refusal)
    assert found.code == expected


def test_a_process_that_never_ends_is_killed_and_the_file_was_too_slow() -> None:
    with Instead(HEAR + "signal.pause()") as one:
        assert one.read(FORM, seconds=0.2) == Refusal("too_slow")
    assert one.process.returncode == -signal.SIGKILL


def test_a_process_that_does_not_even_listen_is_killed_too() -> None:
    with Instead("import signal; signal.pause()") as one:
        assert one.read(bytes(1024 * 1024), seconds=0.2) == Refusal("too_slow")


def test_a_process_that_died_before_it_listened_is_a_refusal_and_no_broken_pipe() -> None:
    with Instead("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)") as one:
        found = one.read(bytes(1024 * 1024))
    assert isinstance(found, Refusal)
    assert found.code == "broken_file"


def test_a_mistake_of_the_program_keeps_its_traceback() -> None:
    with Instead(HEAR + "raise KeyError('ours')") as one, pytest.raises(ChildError, match="KeyError: 'ours'"):
        one.read(FORM)


def test_the_refusals_of_the_process_have_words_and_name_the_file() -> None:
    for refusal in (Refusal("too_slow"), no_memory(1000)):
        (problem,) = read(b"", "request.xlsx", KINDS, lambda _, found=refusal: found)[1]  # type: ignore[misc]
        assert problem.where.file == "request.xlsx"
        assert problem.line("ja").startswith("request.xlsx: ")
    assert problem.line("en") == (
        "request.xlsx: The memory that the file needs is larger than the 256 MiB that is allowed. "
        "Start from a new template and copy only the answers into it. [too_large]"
    )


def test_a_file_that_needs_more_memory_than_it_may_have_is_too_large() -> None:
    hungry = "from generators.excel import __main__ as m; m.read_cells = lambda data: [bytearray(2**20) for _ in range(9999)]"
    with Hungry(hungry) as one:
        found = one.read(FORM)
    assert isinstance(found, Refusal)
    assert (found.code, found.spot, found.facts["limit"]) == ("too_large", LARGEST, "256 MiB")


@LINUX
def test_a_part_that_passes_the_gate_and_unpacks_to_more_than_there_is_memory_is_named() -> None:
    parts = parts_of(FORM)
    parts["xl/worksheets/sheet2.xml"] += b" " * 150 * MIB
    found = child.read_cells(packed(parts))
    assert isinstance(found, Refusal)
    assert (found.code, found.spot) == ("too_large", "xl/worksheets/sheet2.xml")


class Hungry(Child):
    """The reader itself, with something put into it first."""

    def __init__(self, first: str) -> None:
        self.first = first
        super().__init__()

    def words(self) -> list[str]:
        words = super().words()
        return [one.replace("; from", f"; {self.first}; from", 1) if one == child.BOOT else one for one in words]


@LINUX
def test_the_process_inherits_neither_files_nor_the_environment(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    ledger = sqlite3.connect(tmp_path / "ledger.sqlite")
    ledger.execute("CREATE TABLE a (b)")
    try:
        with Child() as one:
            time.sleep(0.3)
            files = Path(f"/proc/{one.process.pid}/fd")
            assert sorted(int(file.name) for file in files.iterdir())[:3] == [0, 1, 2]
            opened = {os.readlink(file) for file in files.iterdir()}
            assert not [name for name in opened if name.startswith(str(tmp_path))]
            assert Path(f"/proc/{one.process.pid}/environ").read_bytes() == b""
            assert os.readlink(f"/proc/{one.process.pid}/cwd") == "/"
    finally:
        os.close(lock)
        ledger.close()


def test_limits_hold_from_the_moment_the_workbook_is_there() -> None:
    code = (
        "import resource as r; from generators.excel.__main__ import limit; limit(0)\n"
        "print([r.getrlimit(one)[1] for one in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_CORE, r.RLIMIT_FSIZE)])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert said == f"[{memory_for(0)}, {seconds_for(0)}, 0, 0]\n"
    assert memory_for(10**9) == memory_for(10**10)


def test_no_process_stays_behind() -> None:
    with started_early(FORM):
        (early,) = child._ready.values()
        assert read_cells(FORM) == read_here(FORM)
        assert early.process.returncode == 0
    with started_early(FORM):
        (unused,) = child._ready.values()
    assert unused.process.returncode is not None
    assert unused.process.stdout is not None
    assert unused.process.stdout.closed
    assert child._ready == {}


def test_a_process_that_was_started_early_is_asked_only_for_its_own_bytes() -> None:
    with started_early(FORM):
        assert read_cells(b"another file") == read_here(b"another file")
        assert [*child._ready] == [FORM]
    with started_early(bytes(10 * 1024 * 1024)):
        assert read_cells(FORM) == read_here(FORM)


SHEET = Sheet(
    "入力",
    True,
    (("a", "", "\n"), ("\0", "x\1", "３")),
    SheetFacts(
        formulas=frozenset([(1, 2), (3, 4)]),
        areas=((1, 2, 3, 4),),
        errors={(1, 1): "#N/A"},
        percents=frozenset([(9, 9)]),
        hidden_rows=frozenset([7]),
        hidden_columns=((1, 2),),
        merged=((1, 1, 2, 2),),
        validated=((5, 5, 6, 6), (7, 7, 8, 8)),
        filtered=(1, 1, 9, 9),
    ),
)


@pytest.mark.parametrize(
    "read",
    [
        (SHEET, Sheet("empty", False, (), SheetFacts()), Sheet("one", False, (("",),), SheetFacts())),
        (Sheet("no columns", False, ((), ()), SheetFacts()),),
        (),
        Refusal("too_large", "入力!A1", {"part": Words("a", ja="あ"), "limit": "1"}),
        Refusal("too_large", "", {"part": ("a", Words("b", ja="い")), "limit": "1"}),
        (Sheet("every control", False, (("".join(map(chr, range(32))), "x"), ("", "あ")), SheetFacts()),),
    ],
    ids=["sheets", "no columns", "nothing", "refusal", "refusal with a list", "every control character"],
)
def test_what_goes_through_the_pipe_comes_out_of_it(read: tuple[Sheet, ...] | Refusal) -> None:
    assert unframed(framed(read)) == read


@pytest.mark.parametrize("cut", [1, 5, 60, 400])
def test_a_frame_that_is_cut_off_is_none(cut: int) -> None:
    with pytest.raises(FrameError):
        unframed(framed((SHEET,))[:-cut])


MEASURE = """
import json, resource, sys, time
from pathlib import Path
from generators.excel.read import read
from submit.child import read_cells
def used():
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime, found.ru_maxrss
for file in map(Path, sys.argv[1:]):
    before, _ = used()
    reads, (problem, *_) = read(file.read_bytes(), file.name, {}, read_cells)
    after, peak = used()
    print(json.dumps([file.name, len(reads), problem.where.file, problem.line("ja"), problem.code, after - before, peak]))
"""
WORKBOOKS = [str(file) for file in sorted(CORPORA.glob("*.*"))] if CORPORA.is_dir() else []


@pytest.mark.skipif(not WORKBOOKS, reason="the corpora are not here")
def test_workbooks_of_somebody_else_are_refused_quickly_and_in_little_memory() -> None:
    words = [sys.executable, "-c", MEASURE, *WORKBOOKS]
    said = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True).stdout.splitlines()
    assert len(said) == len(WORKBOOKS)
    for name, count, place, line, code, seconds, kilobytes in map(json.loads, said):
        assert (count, place) == (0, name)
        assert line.startswith(f"{name}:")
        assert line.endswith(f"[{code}]")
        assert seconds < 2
        assert kilobytes < 300 * 1024


def test_a_broken_file_comes_back_from_the_process_with_its_cell() -> None:
    far = replaced(FORM, "xl/worksheets/sheet1.xml", b"</sheetData>", b'<row r="99"><c r="XFE99"/></row></sheetData>')
    assert read_cells(far) == Refusal("broken_file", "入力!XFE99", {"part": "入力!XFE99"})


ORDER = Order(
    "ja",
    "依頼.xlsx",
    [Remark("入力!C6", "名前", "直してください。")],
    [Remark("", "", "x\n")],
    [],
    [Request("入力", None, "7k3m-9qx2-b4td", "要修正", False), Request("入力", "入力!C4", "", "", True)],
)


def test_a_process_of_its_own_marks_as_this_one_would() -> None:
    copy = mark(FORM, ORDER)
    assert copy is not None
    assert copy == mark_here(FORM, ORDER)
    assert mark(b"no workbook", ORDER) is None
    assert ordered(ORDER.line()) == ORDER


class MarksInstead(Instead, Marker):
    """A marker that runs something else."""


@pytest.mark.parametrize("case", ENDS)
def test_however_the_process_that_marks_ends_there_is_no_copy(case: str) -> None:
    code, _ = ENDS[case]
    with MarksInstead("import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); " + HEAR + code) as one:
        assert one.mark(FORM, ORDER) is None


def test_a_process_that_marks_without_end_is_killed_and_makes_no_copy() -> None:
    with MarksInstead(HEAR + "signal.pause()") as one:
        assert one.mark(FORM, ORDER, seconds=0.2) is None
    assert one.process.returncode == -signal.SIGKILL


def test_a_mistake_of_the_program_that_marks_keeps_its_traceback() -> None:
    with MarksInstead(HEAR + "raise KeyError('ours')") as one, pytest.raises(ChildError, match="KeyError: 'ours'"):
        one.mark(FORM, ORDER)
