"""A kind that asks in every way, and workbooks as people and attackers change them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import Field

from generators import Read
from generators.excel import ANSWER, FORM, HEAD, RESPONSE, SENDER, TABLE, Layout
from generators.excel.read import read
from generators.excel.template import Filled, write
from schema.job import Ask, By, Choice, Identifier, Job, Part, Unit, When
from schema.kinds import Kind, load
from schema.problem import Problem
from schema.question import form_of
from schema.words import Words

ROOT = Path(__file__).parents[3]
ROW = re.compile(rb'<row (?:[^>]* )?r="([0-9]+)"[^>]*?(?:/>|>.*?</row>)', re.DOTALL)
PREPARED = 60
"""Prepared rows that a test may fill."""


def help(text: str) -> Words:
    return Words(text, ja=f"{text}の説明")


class Small(Part):
    title: ClassVar[Words] = Words("Small", ja="小さい設定")
    depth: Annotated[int, Field(ge=1, le=9), Ask("Depth", ja="深さ", help=help("depth"), example="3")] = 3


class Large(Part):
    title: ClassVar[Words] = Words("Large", ja="大きい設定")
    depth: Annotated[int, Field(gt=10, lt=100), Ask("Depth", ja="深さ", help=help("depth"), example="30")] = 30


class Everything(Job):
    """Every widget, with limits of every sort."""

    version: ClassVar[int] = 3
    title: ClassVar[Words] = Words("=Everything & more", ja="=すべての質問")
    about: ClassVar[Words] = Words("+ asks in every way", ja="+いろいろな聞き方をします")
    workload: ClassVar[str] = "everything"

    name: Annotated[Identifier, Ask("=Name", ja="=名前", help=help("name"), example="a-1", basic=True)]
    size: Annotated[
        Literal["small", "large"],
        Ask(
            "Size",
            ja="大きさ",
            help=help("size"),
            choices=(Choice("small", "=Small", ja="=小さい"), Choice("large", "Large, very; so", ja="大きい；とても")),
        ),
    ]
    settings: Annotated[Small | Large, By("size", small=Small, large=Large)]
    urgent: Annotated[bool, Ask("Urgent?", ja="至急ですか", help=help("urgent"), basic=True)] = False
    share: Annotated[
        float, Field(ge=0, le=100), Ask("Share", ja="割合", help=help("share"), unit=Unit("%", ja="%"), example="85")
    ] = 50.0
    rate: Annotated[float, Field(gt=0, le=1), Ask("Rate", ja="率", help=help("rate"), example="0.3")] = 0.3
    count: Annotated[int, Ask("Count", ja="個数", help=help("count"), example="10")] = 10
    start: Annotated[
        date | None, Field(ge=date(2020, 1, 1), lt=date(2100, 1, 1)), Ask("Start", ja="開始日", help=help("start"))
    ] = None
    length: Annotated[timedelta, Field(le=timedelta(days=9)), Ask("Length", ja="長さ", help=help("length"))] = (
        timedelta(hours=1, minutes=30)
    )
    colours: Annotated[
        tuple[Literal["red", "blue", "green"], ...],
        Field(max_length=2),
        Ask(
            "Colours",
            ja="色",
            help=help("colours"),
            choices=(Choice("red", "Red", ja="赤"), Choice("blue", "Blue", ja="青"), Choice("green", "Green", ja="緑")),
        ),
    ] = ("red",)
    why: Annotated[
        str | None,
        Field(min_length=2, max_length=400),
        When("urgent", True, required=True),
        Ask("Why?", ja="理由", help=help("why")),
    ] = None


EVERYTHING = Kind("everything", Everything, form_of("everything", Everything), Path(__file__))
KINDS: Mapping[str, Kind] = {**load(), "everything": EVERYTHING}
GOOD = Filled(
    {
        "name": "a-1",
        "size": "large",
        "settings.depth": 50,
        "urgent": True,
        "share": 85,
        "rate": 0.07,
        "count": 12,
        "start": "2026-11-21",
        "length": "PT2H30M",
        "colours": ("red", "green"),
        "why": "=急ぎ\n今日中",
    },
    "tanaka@example.co.jp",
    "もう一度",
)


def form_of_everything(language: str = "ja", filled: Filled | None = GOOD) -> bytes:
    return write(EVERYTHING.form, language, "form", [filled] if filled else [])


def table_of_everything(*filled: Filled, language: str = "ja") -> bytes:
    return write(EVERYTHING.form, language, "table", filled, rows=20)


def reading(data: bytes) -> tuple[list[Read], list[Problem]]:
    return read(data, "request.xlsx", KINDS)


def one(data: bytes) -> Read:
    reads, problems = reading(data)
    assert problems == []
    assert len(reads) == 1
    return reads[0]


def only_problem(data: bytes) -> Problem:
    reads, problems = reading(data)
    assert reads == []
    assert len(problems) == 1
    assert problems[0].where.file == "request.xlsx"
    for language in ("en", "ja"):
        assert problems[0].line(language)
    return problems[0]


def edited(data: bytes, *edits: Callable[[Workbook], object]) -> bytes:
    """What a person saves after changing some cells. Prepared rows that nobody filled are left out, because openpyxl takes seconds
    for thousands of them."""
    parts = parts_of(data)
    short = {name: ROW.sub(_unless_empty, part) for name, part in parts.items() if name.startswith("xl/worksheets/")}
    workbook = load_workbook(io.BytesIO(packed({**parts, **short})), rich_text=True)
    for edit in edits:
        edit(workbook)
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def _unless_empty(row: re.Match[bytes]) -> bytes:
    holds = b"inlineStr" in row[0] or b't="s"' in row[0]
    return row[0] if holds or int(row[1]) <= PREPARED else b""


def sheet(workbook: Workbook, name: str = "入力") -> Worksheet:
    found = workbook[name]
    assert isinstance(found, Worksheet)
    return found


def answer(workbook: Workbook, key: str, nth: int = 0) -> Cell:
    """The answer cell of a key: the only one of a form, or that of a table's nth request."""
    for found in workbook.worksheets:
        for line in found.iter_rows(max_row=20):
            for corner in line:
                if corner.value == FORM and (row := _row_of(found, corner, key)):
                    column = next(one.column for one in line if one.value == ANSWER)
                    return _cell(found, row, column)
                if corner.value == TABLE and (at := next((one.column for one in line if one.value == key), 0)):
                    heads = [row for row in range(1, 20) if found.cell(row, corner.column or 1).value == HEAD]
                    return _cell(found, max(heads) + 1 + nth, at)
    raise KeyError(key)


def _row_of(found: Worksheet, corner: Cell | MergedCell, key: str) -> int:
    column = corner.column or 1
    return next((row for row in range(1, found.max_row + 1) if found.cell(row, column).value == key), 0)


def _cell(found: Worksheet, row: int, column: int) -> Cell:
    cell = found.cell(row, column)
    assert isinstance(cell, Cell)
    return cell


def spot(cell: Cell | MergedCell) -> str:
    assert isinstance(cell.parent, Worksheet)
    return f"{cell.parent.title}!{cell.coordinate}"


def with_receipts(layout: Layout, *receipts: str, filled: Sequence[Filled] = (), language: str = "ja") -> bytes:
    """A template with texts in its receipt cells, as a marked copy has them, made from one that may not have such cells yet."""

    def write_receipts(workbook: Workbook) -> None:
        try:
            answer(workbook, RESPONSE)
        except KeyError:
            _make_receipts(workbook, answer(workbook, SENDER), layout)
        for nth, text in enumerate(receipts):
            answer(workbook, RESPONSE, nth).value = text

    return edited(write(EVERYTHING.form, language, layout, filled), write_receipts)


def _make_receipts(workbook: Workbook, beside: Cell, layout: Layout) -> None:
    found = beside.parent
    assert isinstance(found, Worksheet)
    if layout == "form":
        rows_inserted(found, beside.row)
        found.cell(beside.row - 1, 1).value = RESPONSE
    else:
        columns_inserted(found, beside.column)
        found.cell(1, beside.column - 1).value = RESPONSE


def rows_inserted(found: Worksheet, at: int, count: int = 1) -> None:
    """As Excel inserts rows: merged cells and areas with limits go along, which openpyxl leaves where they were."""
    found.insert_rows(at, count)
    _follow(found, lambda area: area.min_row >= at, rows=count)


def columns_inserted(found: Worksheet, at: int, count: int = 1) -> None:
    found.insert_cols(at, count)
    _follow(found, lambda area: area.min_col >= at, columns=count)


def _follow(found: Worksheet, moves: Callable[[CellRange], bool], rows: int = 0, columns: int = 0) -> None:
    areas = [*found.merged_cells.ranges, *(area for one in found.data_validations.dataValidation for area in one.sqref)]
    for area in areas:
        if moves(area):
            area.shift(columns, rows)


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(parts: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return data.getvalue()


def replaced(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """A workbook with something in one of its parts written otherwise."""
    parts = parts_of(data)
    assert old in parts[name], f"{old!r} does not stand in {name}"
    return packed({**parts, name: parts[name].replace(old, new, 1)})
