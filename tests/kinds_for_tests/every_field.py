"""One field of every widget, with every sort of limit, and a nested part that may be left out as a whole."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, Choice, Identifier, Job, Part, Unit
from schema.words import Words

HELP = Words("For tests.", ja="試験用です。")
NONE = Words("none", ja="なし")


class Machine(Part):
    title: ClassVar[Words] = Words("The machine", ja="計算機")

    cores: Annotated[
        int,
        Field(ge=1, le=64),
        Ask("How many cores?", ja="コアの数", help=HELP, example="4", unit=Unit("cores", ja="個")),
    ] = 4
    shared: Annotated[bool, Ask("May others use it too?", ja="共用しますか", help=HELP)] = False


class EveryField(Job):
    version: ClassVar[int] = 3
    title: ClassVar[Words] = Words("Every field", ja="すべての項目")
    about: ClassVar[Words] = Words("Asks for everything.", ja="すべてを尋ねます。")
    workload: ClassVar[str] = "inference"

    name: Annotated[Identifier, Ask("Its name?", ja="名前", help=HELP, example="first-try", basic=True)]
    subject: Annotated[str, Field(min_length=2, max_length=40), Ask("Subject?", ja="件名", help=HELP, example="水質")]
    remarks: Annotated[
        str | None, Field(max_length=200), Ask("Remarks", ja="備考", help=HELP, example="x", blank=NONE)
    ] = None
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-[0-9]{3}$"), Ask("Code", ja="記号", help=HELP, example="AB-123")] = (
        "AB-123"
    )
    count: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Ask("How many?", ja="いくつ", help=HELP, example="10", unit=Unit("pieces", ja="個")),
    ]
    share: Annotated[float, Field(gt=0, lt=1), Ask("Share", ja="割合", help=HELP, example="50%")] = 0.5
    temperature: Annotated[
        float, Field(ge=-273.15), Ask("Temperature", ja="温度", help=HELP, example="20", unit=Unit("℃", ja="℃"))
    ] = 20.0
    humidity: Annotated[
        float | None,
        Field(ge=0, le=100),
        Ask("Humidity", ja="湿度", help=HELP, example="50", unit=Unit("%", ja="%"), blank=NONE),
    ] = None
    urgent: Annotated[bool, Ask("Is it urgent?", ja="急ぎますか", help=HELP)] = False
    notify: Annotated[bool, Ask("Shall we tell you?", ja="知らせますか", help=HELP)]
    colour: Annotated[
        Literal["red", "dark_blue", "no"],
        Ask(
            "Which colour?",
            ja="色",
            help=HELP,
            choices=(
                Choice("red", "Red", ja="赤"),
                Choice("dark_blue", "Dark blue", ja="紺"),
                Choice("no", "None at all", ja="なし色"),
            ),
        ),
    ] = "red"
    metrics: Annotated[
        tuple[Literal["accuracy", "f1", "auc"], ...],
        Field(min_length=1, max_length=2),
        Ask(
            "Which metrics?",
            ja="指標",
            help=HELP,
            choices=(
                Choice("accuracy", "Accuracy, plain", ja="正解率"),
                Choice("f1", "F1", ja="F1値"),
                Choice("auc", "AUC", ja="AUC値"),
            ),
        ),
    ] = ("accuracy",)
    extras: Annotated[
        tuple[Literal["plots", "log"], ...],
        Ask(
            "Extras",
            ja="付録",
            help=HELP,
            blank=NONE,
            choices=(Choice("plots", "Plots", ja="図"), Choice("log", "Log", ja="記録")),
        ),
    ] = ()
    due: Annotated[
        date,
        Field(ge=date(2026, 1, 1), le=date(2030, 12, 31)),
        Ask("Until when?", ja="期限", help=HELP, example="2026/11/21"),
    ]
    begins: Annotated[
        date | None, Field(gt=date(2025, 12, 31)), Ask("From when?", ja="開始日", help=HELP, blank=NONE)
    ] = None
    limit: Annotated[
        timedelta,
        Field(gt=timedelta(0), le=timedelta(days=500)),
        Ask("At most how long?", ja="時間の上限", help=HELP, example="2", unit=Unit("hours", ja="時間")),
    ] = timedelta(hours=1)
    pause: Annotated[
        timedelta | None,
        Field(ge=timedelta(minutes=-90)),
        Ask("Pause", ja="休止", help=HELP, example="5 minutes", blank=NONE),
    ] = None
    machine: Machine
