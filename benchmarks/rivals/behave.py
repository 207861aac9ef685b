"""What a program does with a filled workbook: what it finds, what it gives back, what it makes of old, damaged and hostile files."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import cast

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from benchmarks.rivals.faults import FAULTS, MEANT_WELL, Row, fill
from benchmarks.rivals.program import Finding, Program

ONE_GOOD = (Row("good", "", {}),)
MANY, BAD = 10_000, 200
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def located(cell: str, question: str, findings: tuple[Finding, ...]) -> tuple[str, str]:
    """How well the fault planted at ``cell`` was found, and in which words: at the cell, by row and column, by row, or not."""
    row = cell.lstrip(LETTERS)
    named = (f"/{question}", f"'{question}' is a required property in /")
    for how, holds in (
        ("at the cell", lambda one: one.place == cell),
        ("by row and column", lambda one: one.place == f"row {row}" and one.text.endswith(named)),
        ("by row", lambda one: one.place == f"row {row}" or f"'row-{row}'" in one.text),
    ):
        for one in filter(holds, findings):
            return how, one.text
    return "no", "—"


def faults(program: Program, template: Path, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Fault → how it was located, and fault → in which words, all from one run over one file."""
    file = folder / "faults.xlsx"
    cells = fill(program, template, FAULTS, file)
    findings = program.check(file).findings
    found = {row.name: located(cells[row.name], row.wrong, findings) for row in FAULTS}
    return {name: how for name, (how, _) in found.items()}, {name: text for name, (_, text) in found.items()}


def meant_well(program: Program, template: Path, folder: Path) -> dict[str, str]:
    """Each in a file of its own: accepted or refused."""
    result = {}
    for row in MEANT_WELL:
        fill(program, template, (row,), folder / "well.xlsx")
        verdict = program.check(folder / "well.xlsx")
        result[row.name] = "refused" if verdict.findings or verdict.ran.code else "read"
    return result


def behaviour(program: Program, template: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Feature → what was seen, for everything that is done to one good row."""
    good = folder / "good.xlsx"
    fill(program, template, ONE_GOOD, good)
    for name, change in CHANGES.items():
        made = folder / "changed.xlsx"
        shutil.copy(good, made)
        edit(made, partial(change, program, program.columns(good)))
        yield name, program.check(made).summary
    yield "what the sheet says by itself while it is filled", live(program, template, folder)
    one = program.check(good)
    yield "one good row judged", f"{one.summary} ({one.ran.cost})"
    yield "saved again by LibreOffice", _resaved(program, good, folder)
    yield "the table saved as CSV", program.check(_as_csv(program, good)).summary
    yield "template of an older schema (one question renamed since)", program.check(good, changed=True).summary
    yield from marked(program, template, folder)
    yield "good answers as YAML", program.yaml(good)
    yield "record and submission", program.record()
    for name, hostile in HOSTILE.items():
        bomb = folder / "hostile.xlsx"
        hostile(good, bomb)
        verdict = program.check(bomb) if program.name != "LinkML gen-excel" else None
        yield name, f"{verdict.summary} ({verdict.ran.cost})" if verdict else "reads no workbook"
    yield f"{MANY:,} rows, {BAD} of them faulty", many(program, template, folder)


Change = Callable[[Program, Mapping[str, int], Worksheet], None]


def edit(file: Path, change: Callable[[Worksheet], None], sheet: str = "") -> None:
    book = load_workbook(file)
    found = book[sheet] if sheet else next(one for one in book if one.max_column > 15 and one.sheet_state == "visible")
    change(cast(Worksheet, found))
    book.save(file)


def _formula(program: Program, columns: Mapping[str, int], sheet: Worksheet) -> None:
    sheet.cell(program.first_row, columns["repeats"], "=1+2")


def _error(program: Program, columns: Mapping[str, int], sheet: Worksheet) -> None:
    sheet.cell(program.first_row, columns["repeats"], "#N/A").data_type = "e"


def _stripped(program: Program, columns: Mapping[str, int], sheet: Worksheet) -> None:
    sheet.data_validations.dataValidation.clear()


def _own_column(program: Program, columns: Mapping[str, int], sheet: Worksheet) -> None:
    heading = 1 if program.name.startswith("gen3") else min(2, program.first_row - 1)
    sheet.cell(heading, sheet.max_column + 1, "my notes")
    sheet.cell(program.first_row, sheet.max_column, "call again")


def _renamed(program: Program, columns: Mapping[str, int], sheet: Worksheet) -> None:
    sheet.title = "My sheet"


def _heading_changed(program: Program, columns: Mapping[str, int], sheet: Worksheet) -> None:
    sheet.cell(2 if program.first_row == 4 else program.first_row - 1, columns["contact"], "Somebody")
    if program.name == "gen3-metadata-templates":
        sheet.cell(1, columns["contact"], "Somebody")


CHANGES: Mapping[str, Change] = {
    "formula `=1+2` as an answer": _formula,
    "`#N/A` as an answer": _error,
    "every drop-down stripped (pasted over)": _stripped,
    "a column of one's own at the right": _own_column,
    "the sheet renamed": _renamed,
    "a heading retyped": _heading_changed,
}


def _as_csv(program: Program, good: Path) -> Path:
    """As Excel's "CSV UTF-8" writes the sheet: with a byte-order mark."""
    saved = good.with_suffix(".csv")
    with saved.open("w", newline="", encoding="utf-8" if program.name.startswith("LinkML") else "utf-8-sig") as out:
        csv.writer(out).writerows([_day(value) for value in row] for row in load_workbook(good)[program.sheet].values)
    return saved


def _day(value: object) -> object:
    return value.strftime("%Y-%m-%d") if isinstance(value, datetime) else value


def _resaved(program: Program, good: Path, folder: Path) -> str:
    saved = office(good, folder)
    return program.check(saved).summary if saved else "not run"


def office(file: Path, folder: Path) -> Path | None:
    """The workbook as LibreOffice saves it, recalculated; None where there is no LibreOffice."""
    out = folder / "office"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    words = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), str(file)]
    if shutil.which(words[0]) is None:
        return None
    subprocess.run(words, check=True, capture_output=True, timeout=180)  # noqa: S603
    return out / file.name


def live(program: Program, template: Path, folder: Path) -> str:
    """What formulas in the sheet say by themselves of a good row and of each faulty one, before anybody checks."""
    file = folder / "live.xlsx"
    fill(program, template, ONE_GOOD + FAULTS, file)
    sheet = cast(Worksheet, load_workbook(file)[program.sheet])
    rows = sheet.iter_rows(min_row=program.first_row, max_row=program.first_row + len(FAULTS))
    formulas = [[cell.coordinate for cell in row if cell.data_type == "f"] for row in rows]
    saved = office(file, folder) if any(formulas) else None
    if saved is None:
        return "nothing: no formulas" if not any(formulas) else "not run"
    computed = load_workbook(saved, data_only=True)[program.sheet]
    good, *faulty = (" ".join(str(computed[cell].value or "") for cell in row).strip() for row in formulas)
    noticed = [said for said in faulty if said != good]
    return (
        f"good row “{good}”; {len(noticed)} of {len(faulty)} faults, such as “{Counter(noticed).most_common(1)[0][0]}”"
    )


def marked(program: Program, template: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The workbook that comes back for two faults in two rows, and whether it is accepted once they are mended in it."""
    wrong = folder / "wrong.xlsx"
    cells = fill(program, template, (FAULTS[6], FAULTS[7]), wrong)
    back = program.marked(wrong, folder)
    if back is None:
        yield "marked workbook back", "none"
        yield "marked workbook mended and sent again", "none"
        return
    yield "marked workbook back", _marks(program, back, wrong)
    mended = folder / "mended.xlsx"
    shutil.copy(back, mended)
    shift = 2 if program.name == "ExcelAlchemy" else 0
    for fault, right in ((FAULTS[6], 50000), (FAULTS[7], 0.5)):
        row = int(cells[fault.name].lstrip(LETTERS))
        column = program.columns(template)[fault.wrong] + shift
        edit(mended, lambda sheet, row=row, column=column, right=right: sheet.cell(row, column, right), program.sheet)  # type: ignore[misc]
    yield "marked workbook mended and sent again", program.check(mended).summary
    if shift:
        edit(mended, partial(_two_columns_deleted, shift), program.sheet)
        yield "… after deleting its two columns, as their headings ask", program.check(mended).summary


def _two_columns_deleted(count: int, sheet: Worksheet) -> None:
    """As Excel does it: what is merged above shrinks; openpyxl would leave empty cells at the right."""
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    sheet.delete_cols(1, count)


def _marks(program: Program, back: Path, sent: Path) -> str:
    book = load_workbook(back)
    sheet = book[program.sheet]
    rows = list(sheet.iter_rows(min_row=program.first_row, max_row=program.first_row + 5))
    cells = [cell for row in rows for cell in row]
    before = cast(Worksheet, load_workbook(sent)[program.sheet])
    usual = {
        _colour(one)
        for row in before.iter_rows(min_row=program.first_row, max_row=program.first_row + 5)
        for one in row
    }
    red = sum(_colour(cell) not in usual for cell in cells)
    comments = sum(cell.comment is not None for cell in cells)
    links = sum(cell.hyperlink is not None for one in book for row in one.iter_rows(max_row=200) for cell in row)
    limits = len(before.data_validations.dataValidation)
    kept = len(sheet.data_validations.dataValidation)
    return f"{red} coloured cells, {comments} comments, {links} links to cells; {kept} of {limits} validations kept"


def _colour(cell: Cell | MergedCell) -> str:
    return str(cell.fill.fgColor.rgb) if cell.fill.fill_type else ""


def _far_cell(good: Path, made: Path) -> None:
    """One cell at the last place of the last sheet's grid: a few kilobytes."""
    cell = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    _replace(good, made, lambda text: text.replace("</sheetData>", cell))


def _entity_bomb(good: Path, made: Path) -> None:
    """Eight entities, each ten of the one before."""
    entities = ['<!ENTITY a0 "aaaaaaaaaa">'] + [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9)]
    doctype = f"<!DOCTYPE worksheet [{''.join(entities)}]>"
    cell = '<row r="900"><c r="A900" t="inlineStr"><is><t>&a8;</t></is></c></row></sheetData>'

    def bomb(text: str) -> str:
        head, _, rest = text.rpartition("<worksheet")
        return f"{head}{doctype}<worksheet{rest}".replace("</sheetData>", cell)

    _replace(good, made, bomb)


def _replace(good: Path, made: Path, change: Callable[[str], str]) -> None:
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name) and b"</sheetData>" in data:
                data = change(data.decode()).encode()
            new.writestr(name, data)


HOSTILE: Mapping[str, Callable[[Path, Path], None]] = {
    "a cell at XFD1048576": _far_cell,
    "an entity bomb": _entity_bomb,
}


def many(program: Program, template: Path, folder: Path) -> str:
    """Every fiftieth row has a fault; faults that the program finds at their cell are counted."""
    rows = tuple(
        Row(f"{number}", fault.wrong, fault.answers) if number % (MANY // BAD) == 0 else Row(f"{number}", "", {"site": f"site-{number}"})
        for number, fault in ((number, FAULTS[number // (MANY // BAD) % len(FAULTS)]) for number in range(MANY))
    )  # fmt: skip
    file = folder / "many.xlsx"
    cells = fill(program, template, rows, file)
    verdict = program.check(file)
    planted = {cells[row.name]: row for row in rows if row.wrong}
    if verdict.ran.timed_out:
        return verdict.summary
    found = Counter(located(cell, row.wrong, verdict.findings)[0] for cell, row in planted.items())
    told = ", ".join(f"{count} {how}" for how, count in found.most_common())
    return f"{told}; {verdict.ran.wall:.1f} s wall, {verdict.ran.cpu:.1f} s CPU, {verdict.ran.peak:.0f} MiB"
