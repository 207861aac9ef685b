"""Small files that unpack to very much: each is refused by its part or cell, in little time and memory of the process that reads it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.mutate import Member, Seed, stored, zipped
from generators.excel.cells import read_cells
from generators.excel.frame import unframed
from generators.excel.read import answers_of
from generators.excel.refusal import Refusal
from generators.excel.sheet import Sheet
from schema.answers import Where
from tests.generators.excel.workbooks import KINDS, form_of_everything, parts_of

MIB = 1024 * 1024
SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
SECONDS, MEMORY = 2.0, 300 * MIB
BEGIN, END = b"<worksheet><sheetData>", b"</sheetData></worksheet>"


def endless(name: str, begin: bytes, again: bytes, end: bytes, size: int) -> bytes:
    """The form with a part that repeats something until it unpacks to about this size; it is never unpacked here."""
    times = MIB // len(again)
    pieces = size // (times * len(again))
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = deflating.compress(begin) + deflating.flush(zlib.Z_FULL_FLUSH)
    piece = deflating.compress(again * times) + deflating.flush(zlib.Z_FULL_FLUSH)
    raw = first + piece * pieces + deflating.compress(end) + deflating.flush()
    crc = zlib.crc32(begin)
    if size <= 160 * MIB:
        for _ in range(pieces):
            crc = zlib.crc32(again * times, crc)
        crc = zlib.crc32(end, crc)
    whole = len(begin) + pieces * times * len(again) + len(end)
    return with_member(Member(name.encode(), zipfile.ZIP_DEFLATED, crc, min(whole, 2**32 - 1), raw))


def with_member(member: Member) -> bytes:
    others = [one for one in Seed.of("form", form_of_everything()).members if one.name != member.name]
    return zipped([*others, member])


def sheet_of(rows: bytes, after: bytes = b"") -> bytes:
    return with_member(stored(SHEET.encode(), BEGIN + rows + b"</sheetData>" + after + b"</worksheet>"))


def says_little() -> bytes:
    """The directory and the part's own header both understate what it unpacks to."""
    large = Seed.of("rows", endless(SHEET, BEGIN, b"<row/>", END, 1024 * MIB)).members[-1]
    return with_member(replace(large, size=1024))


def utf_16() -> bytes:
    return with_member(stored(SHEET.encode(), parts_of(form_of_everything())[SHEET].decode().encode("utf-16")))


def entities() -> bytes:
    bomb = b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 1000 + b'">]><worksheet><sheetData>' + b"&b;" * 950
    return with_member(stored(SHEET.encode(), bomb + END))


CASES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "1 GiB of rows": (lambda: endless(SHEET, BEGIN, b"<row/>", END, 1024 * MIB), "too_large", SHEET),
    "1 GiB of cells": (
        lambda: endless(SHEET, BEGIN + b"<row>", b"<c/>", b"</row>" + END, 1024 * MIB),
        "too_large",
        SHEET,
    ),
    "1 GiB of shared strings": (
        lambda: endless("xl/sharedStrings.xml", b"<sst>", b"<si><t>a</t></si>", b"</sst>", 1024 * MIB),
        "too_large",
        "xl/sharedStrings.xml",
    ),
    "8 GiB of white space, said to be 4": (lambda: endless(SHEET, BEGIN, b" ", END, 8192 * MIB), "too_large", SHEET),
    "100 MiB of rows with a cell": (lambda: endless(SHEET, BEGIN, b"<row><c/></row>", END, 100 * MIB), "too_large", ""),
    "one cell at XFD1048576": (
        lambda: sheet_of(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "too_large",
        "XFD1048576",
    ),
    "row 99999999999999": (
        lambda: sheet_of(b'<row r="99999999999999"><c><v>1</v></c></row>'),
        "broken_file",
        "99999999999999",
    ),
    "a merged area of everything": (
        lambda: sheet_of(b"", b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        "too_large",
        "XFD1048576",
    ),
    "1 GiB that says it is 1 KiB": (says_little, "broken_file", SHEET),
    "UTF-16": (utf_16, "not_allowed_part", SHEET),
    "the same row twice": (
        lambda: sheet_of(b'<row r="3"><c r="A3"/></row><row r="3"><c r="A3"/></row>'),
        "broken_file",
        "",
    ),
    "one entity 950 times": (entities, "not_allowed_part", SHEET),
}


@pytest.mark.parametrize("case", CASES)
def test_a_small_file_that_unpacks_to_very_much_is_refused_at_once(case: str, tmp_path: Path) -> None:
    build, code, spot = CASES[case]
    found, seconds, memory = taken(build(), tmp_path)
    assert isinstance(found, Refusal), case
    assert found.code == code
    assert spot in found.spot
    assert found.spot
    assert seconds < SECONDS
    assert memory < MEMORY


def form_with(rows: Sequence[tuple[str, ...]]) -> list[Sheet]:
    """The cells of the form with rows below it that have keys of their own."""
    first, *others = read_cells(form_of_everything())  # type: ignore[misc]  # the form is no refusal
    return [replace(first, rows=(*first.rows, *rows)), *others]


def row_of_a_form(key: str, text: str, *beside: str) -> tuple[str, ...]:
    return (key, "", text, *beside)


@pytest.mark.parametrize("key", ["count", "no-{}"], ids=["one question again and again", "questions that nobody asks"])
def test_a_form_that_asks_in_50_000_rows_is_refused_by_its_name_at_once(key: str) -> None:
    began = time.process_time()
    reads, problems = answers_of(
        form_with([row_of_a_form(key.format(row), "1") for row in range(50_000)]), Where("hostile.xlsx"), KINDS
    )
    assert reads == []
    assert [problem.line("ja") for problem in problems] == [
        "hostile.xlsx:入力: シート「入力」が上限の2,000行を超えています。"
        "新しいテンプレートに答えだけを写して送ってください。 [too_large]"
    ]
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("row", "hidden"),
    [
        (("count", "1"), 0),
        (("no-{}", "1"), 16_384),
    ],
    ids=["one question again and again", "among columns that are hidden one by one"],
)
def test_the_largest_form_that_is_read_is_read_at_once(row: tuple[str, ...], hidden: int) -> None:
    rows = [row_of_a_form(*(one.format(number) for one in row)) for number in range(1_900)]
    first, *others = form_with(rows)
    facts = replace(first.facts, hidden_columns=tuple((9, 9) for _ in range(hidden)))
    began = time.process_time()
    reads, problems = answers_of([replace(first, facts=facts), *others], Where("hostile.xlsx"), KINDS)
    assert (len(reads), problems) == (1, [])
    assert time.process_time() - began < 1.0


MEASURE = """
import json, os, sys
from submit.child import Child
with Child() as reading:
    reading.process.stdin.write(open(sys.argv[1], "rb").read())
    reading.process.stdin.close()
    answer = reading.process.stdout.read()
    _, status, used = os.wait4(reading.process.pid, 0)
    reading.process.returncode = os.waitstatus_to_exitcode(status)
sys.stderr.write(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
sys.stdout.buffer.write(answer)
"""


def taken(data: bytes, folder: Path) -> tuple[object, float, int]:
    """What the process that reads says of a file, with its CPU seconds and the most bytes of memory that it had. A small process
    starts it, because Linux counts to a child what its parent held when it was started."""
    file = folder / "hostile.xlsx"
    file.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", MEASURE, file], capture_output=True, check=True)
    seconds, most = json.loads(done.stderr)
    return unframed(done.stdout), seconds, most * (1 if sys.platform == "darwin" else 1024)
