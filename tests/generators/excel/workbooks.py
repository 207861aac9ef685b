"""A kind that asks in every way, and workbooks as people and attackers change them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import Field

from generators import Read
from generators.excel.read import read
from generators.excel.template import Filled, write
from schema.job import Ask, By, Choice, Identifier, Job, Part, Unit, When
from schema.kinds import Kind, load
from schema.problem import Problem
from schema.question import form_of
from schema.words import Words

ROOT = Path(__file__).parents[3]


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
    return write(EVERYTHING.form, language, "table", filled)


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
    """What a person saves after changing some cells."""
    workbook = load_workbook(io.BytesIO(data), rich_text=True)
    for edit in edits:
        edit(workbook)
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def sheet(workbook: Workbook, name: str = "入力") -> Worksheet:
    found = workbook[name]
    assert isinstance(found, Worksheet)
    return found


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
