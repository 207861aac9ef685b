"""LibreOffice: what the formulas of workbooks give. Many files in one start, with a profile folder of its own."""

from __future__ import annotations

import csv
import re
import resource
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from generators.excel import RESPONSE, form_page, lists
from generators.excel.entry import entries
from generators.excel.page import Book, Cell, Formula, Page
from generators.excel.save import save
from generators.excel.spelling import letters
from generators.excel.template import Filled, cells_of
from schema.kinds import Kind

Rows = Sequence[Sequence[str]]
EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
"""Comma, double quote, UTF-8, from the first line on, values as they are shown, every sheet in a file of its own."""

SHADE = re.compile('bgcolor="#([0-9A-F]{6})"')


def computed(workbooks: Mapping[str, bytes], folder: Path) -> dict[str, dict[str, Rows]]:
    """Every sheet of every workbook, by name, with the values that LibreOffice computes."""
    for name, data in workbooks.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    _convert([folder / f"{name}.xlsx" for name in workbooks], folder / "out", folder / "office")
    return {name: _sheets(folder / "out", name) for name in workbooks}


def seconds_to_open(data: bytes, folder: Path) -> float:
    """What it costs LibreOffice to start, to open a workbook and to compute it: processor time of all its processes."""
    source = folder / "opened.xlsx"
    source.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _convert([source], folder / "out", folder / "office")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def shades(workbooks: Mapping[str, bytes], folder: Path) -> dict[str, Counter[str]]:
    """How many cells of each workbook LibreOffice shows in each colour, by what formulas find of them too."""
    sources = {name: folder / f"{name}.xlsx" for name in workbooks}
    for name, data in workbooks.items():
        sources[name].write_bytes(data)
    _convert([*sources.values()], folder / "out", folder / "office", "html")
    pages = {name: (folder / f"out/{name}.html").read_text(encoding="utf-8") for name in workbooks}
    return {name: Counter(SHADE.findall(page)) for name, page in pages.items()}


def _convert(sources: list[Path], out: Path, profile: Path, to: str = EVERY_SHEET) -> None:
    program = shutil.which("soffice")
    assert program, "these tests need LibreOffice, which .ci/run brings"
    options = [
        "--headless",
        f"-env:UserInstallation={profile.as_uri()}",
        "--convert-to",
        to,
        "--outdir",
        str(out),
    ]
    subprocess.run([program, *options, *map(str, sources)], check=True, capture_output=True, timeout=300)


def _sheets(out: Path, name: str) -> dict[str, Rows]:
    return {file.stem.removeprefix(f"{name}-"): _rows(file) for file in out.glob(f"{name}-*.csv")}


def _rows(file: Path) -> Rows:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


STRIDE = 100
"""How many rows of each sheet belong to one of many forms."""
ABSOLUTE = re.compile(r"(\$[A-Z]+\$)([0-9]+)")
FOR_PEOPLE = frozenset("BDFG")
"""Columns of a form whose texts no formula looks at: labels, units, what an empty answer means, help."""


def many_forms(kind: Kind, filled: Sequence[Filled], language: str) -> bytes:
    """Forms of many requests one below the other on the same sheets, with their own formulas, and of texts the keys and answers alone:
    200 files would take a minute."""
    asked = entries(kind.form, language)
    stacked: dict[str, dict[tuple[int, int], Cell]] = {}
    for number, one in enumerate(filled):
        for page in form_page.pages(kind.form, asked, cells_of(kind.form, one, language), language):
            below = {
                (row + number * STRIDE, column): _lower(cell, number)
                for (row, column), cell in page.cells.items()
                if isinstance(cell.value, Formula) or not (cell.value is None or letters(column) in FOR_PEOPLE)
            }
            stacked.setdefault(page.title, {}).update(below)
    found = lists.lists(asked, language)
    pages = [Page(title, cells) for title, cells in stacked.items()]
    return save(Book((*pages, lists.page(found)), lists.names(found), {}, "", "Calibri"))


def _lower(cell: Cell, number: int) -> Cell:
    if not isinstance(cell.value, Formula):
        return cell
    text = ABSOLUTE.sub(lambda found: f"{found[1]}{int(found[2]) + number * STRIDE}", cell.value.text)
    return replace(cell, value=Formula(text))


def live_line(sheets: Mapping[str, Rows], title: str, number: int = 0) -> str:
    return str(sheets[title][number * STRIDE + 1][4])


def notes(sheets: Mapping[str, Rows], titles: Sequence[str], number: int) -> dict[str, str]:
    """What stands beside each answer of one of many forms, by question key."""
    rows = [row for title in titles for row in sheets.get(title, ())[number * STRIDE + 3 : (number + 1) * STRIDE]]
    return {str(row[0]): str(row[4]) for row in rows if row[0] not in ("", RESPONSE)}
