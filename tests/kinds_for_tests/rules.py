"""Rules across fields, in the job and in a part of it, and answers that follow from others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, Choice, Job, Part, When, rule
from schema.words import Words

HELP = Words("For tests.", ja="試験用です。")
NONE = Words("none", ja="なし")
FOLLOWS = Words("follows from the weight", ja="重さから決まります")


class Span(Part):
    title: ClassVar[Words] = Words("The span", ja="範囲")

    low: Annotated[float, Ask("Lowest", ja="下限", help=HELP, example="0")] = 0.0
    high: Annotated[float, Ask("Highest", ja="上限", help=HELP, example="1")] = 1.0

    @rule("low", "high", en="The lowest must be below the highest.", ja="下限は上限より小さくしてください。")
    def in_order(low: float, high: float) -> bool:
        return low < high


class Rules(Job):
    title: ClassVar[Words] = Words("Rules", ja="決まり")
    about: ClassVar[Words] = Words("Asks what must agree.", ja="互いに合うべきことを尋ねます。")
    workload: ClassVar[str] = "inference"

    first: Annotated[date, Ask("First day", ja="初日", help=HELP, example="2026/11/21")]
    last: Annotated[date | None, Ask("Last day", ja="最終日", help=HELP, example="2026/11/22", blank=NONE)] = None
    span: Span
    weight: Annotated[int, Field(ge=0, le=100), Ask("Weight", ja="重さ", help=HELP, example="5")]
    parcel: Annotated[
        Literal["letter", "box"],
        Ask(
            "Letter or box?",
            ja="封書か箱か",
            help=HELP,
            blank=FOLLOWS,
            choices=(
                Choice("letter", "Letter", ja="封書"),
                Choice("box", "Box", ja="箱"),
            ),
        ),
    ]
    stamps: Annotated[
        int | None, Field(ge=1), When("parcel", "letter"), Ask("Stamps", ja="切手", help=HELP, example="1", blank=NONE)
    ] = None

    @rule("last", en="The last day must not be before the first.", ja="最終日は初日以降にしてください。")
    def in_order(first: date, last: date) -> bool:
        return first <= last

    @rule("parcel", en="A letter weighs 50 at most.", ja="封書は50までです。")
    def light_enough(parcel: str, weight: int) -> bool:
        return parcel == "box" or weight <= 50

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, tuple[Any, Words]]:
        if given.get("parcel") is not None or given.get("weight") is None:
            return {}
        if given["weight"] > 10:
            return {"parcel": ("box", Words("it is heavy", ja="重いため"))}
        return {"parcel": ("letter", Words("it is light", ja="軽いため"))}
