"""Every sort of field that a sheet can judge by itself, answers that must come in order, and answers that hang on one another."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, AtLeast, By, Choice, Identifier, Job, Part, Unit, When
from schema.words import Words

HELP = Words("For tests.", ja="試験用です。")
NONE = Words("none", ja="なし")


class Frame(Part):
    title: ClassVar[Words] = Words("The frame", ja="枠")

    low: Annotated[float, Field(ge=-100), Ask("Lowest", ja="下端", help=HELP, example="0")] = 0.0
    high: Annotated[
        float, Field(lt=1000), AtLeast("low", strictly=True), Ask("Highest", ja="上端", help=HELP, example="1")
    ] = 1.0


class Road(Part):
    title: ClassVar[Words] = Words("By road", ja="陸送")

    lorries: Annotated[
        int, Field(ge=1, le=9), Ask("Lorries", ja="台数", help=HELP, example="2", unit=Unit("lorries", ja="台"))
    ]


class Sea(Part):
    title: ClassVar[Words] = Words("By sea", ja="海上輸送")

    harbour: Annotated[str, Field(max_length=20), Ask("Harbour", ja="港", help=HELP, example="神戸")] = "神戸"


class Orders(Job):
    title: ClassVar[Words] = Words("Orders", ja="順序")
    about: ClassVar[Words] = Words("Asks what must come in order.", ja="順序のある答えを尋ねます。")
    workload: ClassVar[str] = "inference"

    code: Annotated[Identifier, Ask("Its code?", ja="記号", help=HELP, example="a-1", basic=True)]
    title_of: Annotated[
        str, Field(min_length=2, max_length=30), Ask("What is it called?", ja="呼び名", help=HELP, example="秋の便")
    ]
    first: Annotated[
        date,
        Field(ge=date(2026, 1, 1), le=date(2030, 12, 31)),
        Ask("First day", ja="初日", help=HELP, example="2026/11/21"),
    ]
    last: Annotated[
        date | None, AtLeast("first"), Ask("Last day", ja="最終日", help=HELP, example="2026/11/22", blank=NONE)
    ] = None
    paid: Annotated[date | None, AtLeast("last", strictly=True), Ask("Paid on", ja="支払日", help=HELP, blank=NONE)] = (
        None
    )
    pieces: Annotated[
        int, Field(ge=1, le=5000), Ask("How many?", ja="個数", help=HELP, example="5", unit=Unit("pieces", ja="個"))
    ]
    most: Annotated[int | None, AtLeast("pieces"), Ask("At most how many?", ja="最大の個数", help=HELP, blank=NONE)] = (
        None
    )
    share: Annotated[float | None, Field(gt=0, le=1), Ask("Share", ja="割合", help=HELP, example="50%", blank=NONE)] = (
        None
    )
    filled: Annotated[
        float, Field(ge=0, le=100), Ask("How full?", ja="積載率", help=HELP, example="80", unit=Unit("%", ja="%"))
    ] = 80.0
    wait: Annotated[timedelta | None, Ask("Wait", ja="待ち時間", help=HELP, example="2時間", blank=NONE)] = None
    longest_wait: Annotated[
        timedelta | None,
        AtLeast("wait", strictly=True),
        Ask("Longest wait", ja="最長の待ち時間", help=HELP, blank=NONE),
    ] = None
    express: Annotated[bool, Ask("Express?", ja="速達ですか", help=HELP)]
    reason: Annotated[
        str | None,
        Field(max_length=40),
        When("express", True, required=True),
        Ask("Why in haste?", ja="急ぐ理由", help=HELP, example="会議のため"),
    ] = None
    goods: Annotated[
        tuple[Literal["books", "glass", "ice"], ...],
        Field(min_length=1, max_length=2),
        Ask(
            "Which goods?",
            ja="品物",
            help=HELP,
            choices=(
                Choice("books", "Books", ja="本"),
                Choice("glass", "Glass", ja="ガラス"),
                Choice("ice", "Ice", ja="氷", when=When("express", True)),
            ),
        ),
    ] = ("books",)
    padding: Annotated[
        Literal["straw", "paper"] | None,
        When("goods", "glass", required=True),
        Ask(
            "Which padding?",
            ja="詰め物",
            help=HELP,
            choices=(Choice("straw", "Straw", ja="わら"), Choice("paper", "Paper", ja="紙")),
        ),
    ] = None
    way: Annotated[
        Literal["road", "sea"],
        Ask(
            "Which way?",
            ja="運び方",
            help=HELP,
            choices=(Choice("road", "By road", ja="陸送"), Choice("sea", "By sea", ja="海上輸送")),
        ),
    ]
    speed: Annotated[
        Literal["slow", "fast", "ferry"],
        Ask(
            "How fast?",
            ja="速さ",
            help=HELP,
            choices=(
                Choice("slow", "Slow", ja="ゆっくり"),
                Choice("fast", "Fast", ja="速く", when=When("way", "road")),
                Choice("ferry", "Ferry", ja="フェリー", when=When("way", "sea")),
            ),
        ),
    ] = "slow"
    carriage: Annotated[Road | Sea, By("way", road=Road, sea=Sea)]
    frame: Frame
