"""Workbooks marked as the desk marks them, and what a person then sees in them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from generators.excel import RESPONSE
from generators.excel.annotate import Verdict, annotate
from generators.excel.read import read
from schema.check import Checked, check
from schema.kinds import Kind
from schema.problem import Problem
from tests.generators.excel.workbooks import KINDS, packed, parts_of

RED = "FFC9"
"""How the colours begin that we mark cells with; what follows says what they cover."""
READY = re.compile(rb'<row [^>]*r="[0-9]{2,}"[^>]*>(?:<c [^>]*>(?:<f[^>]*></f>)?</c>)*</row>')


def verdicts(data: bytes, kinds: Mapping[str, Kind] = KINDS) -> tuple[list[Verdict], list[Problem]]:
    """What the desk finds in a workbook: one verdict a request, each with an id."""
    reads, problems = read(data, "request.xlsx", kinds)
    found = []
    for number, one in enumerate(reads, 1):
        checked = check(one.answers, kinds)
        wrong = (*one.problems, *(() if isinstance(checked, Checked) else checked))
        said = f"要修正 {len(wrong)}件" if wrong else "受付済み"
        id = one.answers.response or f"7k3m-9qx2-b{number:03}"
        found.append(Verdict(one.answers.where, one.answers.places.get(RESPONSE), id, said, not wrong, wrong))
    return found, problems


def marked(data: bytes, language: str = "ja", kinds: Mapping[str, Kind] = KINDS) -> bytes:
    found, problems = verdicts(data, kinds)
    copy = annotate(data, "request.xlsx", found, problems, language)
    assert copy is not None
    return copy


@lru_cache(maxsize=6)
def opened(data: bytes) -> Workbook:
    """A workbook to look at; it is loaded once, so nobody may change it."""
    return load_workbook(io.BytesIO(data), rich_text=True)


def light(data: bytes) -> bytes:
    """A workbook without the rows that a table keeps ready below the filled ones: openpyxl takes seconds to load those."""
    return packed(
        {name: READY.sub(b"", part) if "worksheets" in name else part for name, part in parts_of(data).items()}
    )


def reds(data: bytes) -> list[str]:
    """The cells that are red."""
    return [
        f"{sheet.title}!{cell.coordinate}"
        for sheet in opened(data).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if str(cell.fill.start_color.rgb)[2:].startswith(RED)
    ]


def comments(data: bytes) -> dict[str, str]:
    return {
        f"{sheet.title}!{cell.coordinate}": cell.comment.text
        for sheet in opened(data).worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment
    }


def summary(data: bytes) -> list[list[str]]:
    """The texts of the summary, row by row."""
    sheet = opened(data).worksheets[0]
    return [[str(one) for one in row[1:] if one is not None] for row in sheet.iter_rows(values_only=True)]


def links(data: bytes) -> dict[str, str]:
    """The cells of the summary that lead somewhere, and where."""
    sheet = opened(data).worksheets[0]
    found = (cell for row in sheet.iter_rows() for cell in row if cell.hyperlink)
    return {str(cell.value): str(cell.hyperlink.location) for cell in found if cell.hyperlink}


def resaved(folder: Path, *files: bytes) -> list[bytes]:
    """The same workbooks as LibreOffice saves them, all in one start of it."""
    soffice = shutil.which("soffice")
    assert soffice, "LibreOffice is needed, as it is for the templates"
    sources = [folder / f"{number}.xlsx" for number, _ in enumerate(files)]
    for source, data in zip(sources, files, strict=True):
        source.write_bytes(data)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    out = folder / "out"
    convert = ["--headless", "--convert-to", "xlsx", "--outdir", str(out), *(str(one) for one in sources)]
    subprocess.run([soffice, profile, *convert], check=True, capture_output=True, timeout=120)
    return [(out / one.name).read_bytes() for one in sources]
