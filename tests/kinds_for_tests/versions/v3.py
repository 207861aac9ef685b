"""The growing kind as its third version asks it: questions moved, went and came, and every step since the first is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, By, Choice, Identifier, Job, Part, Unit, When
from schema.versions import (
    Added,
    DefaultChanged,
    Moved,
    Removed,
    RemovedChoice,
    Renamed,
    RenamedChoice,
    Step,
    UnitChanged,
)
from schema.words import Words

HELP = Words("For tests.", ja="試験用です。")
COLOURS = (Choice("red", "Red", ja="赤"), Choice("blue", "Blue", ja="青"))


class Forest(Part):
    title: ClassVar[Words] = Words("The forest", ja="森の設定")

    trees: Annotated[int, Field(ge=1, le=999), Ask("Trees", ja="木の数", help=HELP, example="100")] = 100
    seats: Annotated[int, Field(ge=1, le=99), Ask("Seats", ja="席の数", help=HELP, example="4")] = 6


class Boost(Part):
    title: ClassVar[Words] = Words("The booster", ja="ブーストの設定")

    rounds: Annotated[int, Field(ge=1, le=999), Ask("Rounds", ja="回数", help=HELP, example="50")] = 50


class Optimizer(Part):
    title: ClassVar[Words] = Words("The optimizer", ja="最適化の設定")

    learning_rate: Annotated[float, Field(gt=0, le=1), Ask("Learning rate", ja="学習率", help=HELP, example="0.1")] = (
        0.01
    )


class Growing(Job):
    version: ClassVar[int] = 3
    title: ClassVar[Words] = Words("Growing", ja="育つ依頼")
    about: ClassVar[Words] = Words("Asks what changes.", ja="変わることを尋ねます。")
    workload: ClassVar[str] = "inference"
    history: ClassVar[Mapping[int, tuple[Step, ...]]] = {
        2: (
            Renamed("lr", "learning_rate"),
            UnitChanged("limit", Unit("hours", ja="時間"), 60),
            RenamedChoice("method", Choice("boost", "Booster", ja="ブースト"), "xgboost"),
            RenamedChoice("marks", Choice("chart", "Chart", ja="グラフ"), "graph"),
            RemovedChoice("marks", Choice("song", "Song", ja="歌"), "table"),
            DefaultChanged("seats", 4),
        ),
        3: (
            DefaultChanged("learning_rate", 0.1),
            Moved("learning_rate", "optimizer.learning_rate"),
            DefaultChanged("settings.depth", 5),
            Moved("settings.depth", "depth", when=(When("method", "forest"), When("method", "xgboost"))),
            Moved("seats", "settings.seats"),
            RemovedChoice("method", Choice("guess", "Guess", ja="勘")),
            DefaultChanged("wait", None),
            Renamed("check", "look"),
            Removed("colour", Words("Colour", ja="色"), "red", choices=COLOURS),
            Removed("note", Words("Note", ja="メモ")),
            Added("owner"),
            Added("place", "here"),
            Added("priority"),
        ),
    }

    data: Annotated[Identifier, Ask("Data", ja="データ", help=HELP, example="wine")]
    method: Annotated[
        Literal["forest", "xgboost"],
        Ask(
            "Method",
            ja="方法",
            help=HELP,
            choices=(
                Choice("forest", "Forest", ja="森"),
                Choice("xgboost", "XGBoost", ja="XGBoost"),
            ),
        ),
    ]
    settings: Annotated[Forest | Boost, By("method", forest=Forest, xgboost=Boost)]
    depth: Annotated[int, Field(ge=1, le=50), Ask("Depth", ja="深さ", help=HELP, example="5")] = 7
    optimizer: Optimizer
    limit: Annotated[
        int,
        Field(ge=1, le=1440),
        Ask("Time limit", ja="制限時間", help=HELP, example="90", unit=Unit("minutes", ja="分")),
    ] = 120
    marks: Annotated[
        tuple[Literal["table", "graph"], ...],
        Ask(
            "Outputs",
            ja="出力",
            help=HELP,
            choices=(
                Choice("table", "Table", ja="表"),
                Choice("graph", "Graph", ja="図"),
            ),
        ),
    ] = ("table",)
    wait: Annotated[int, Field(ge=1, le=9), Ask("Waits", ja="待つ回数", help=HELP, example="3")] = 3
    careful: Annotated[bool, Ask("Careful?", ja="慎重に", help=HELP)] = False
    look: Annotated[
        str | None,
        Field(max_length=20),
        When("careful", True, required=True),
        Ask("What to look at?", ja="見るところ", help=HELP, example="x"),
    ] = None
    owner: Annotated[
        str | None,
        Field(max_length=20),
        When("careful", True, required=True),
        Ask("Who owns it?", ja="持ち主", help=HELP, example="x"),
    ] = None
    place: Annotated[
        Literal["here", "there"],
        Ask(
            "Where?",
            ja="場所",
            help=HELP,
            choices=(Choice("here", "Here", ja="ここ"), Choice("there", "There", ja="あちら")),
        ),
    ]
    priority: Annotated[int, Field(ge=1, le=9), Ask("Priority", ja="優先度", help=HELP, example="5")] = 5
