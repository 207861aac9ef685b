"""Questions that hang on other answers: When in all its forms, By inside By, and a choice that is not always offered."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, By, Choice, Job, Part, When
from schema.words import Words

HELP = Words("For tests.", ja="試験用です。")
NONE = Words("none", ja="なし")

Early = Annotated[bool, Ask("Stop early?", ja="早く止めますか", help=HELP)]
Patience = Annotated[
    int | None,
    Field(ge=1, le=99),
    When("early", True, required=True),
    Ask("After how many idle rounds?", ja="何回で止めますか", help=HELP, example="5"),
]


class Fixed(Part):
    title: ClassVar[Words] = Words("A fixed step", ja="固定の歩幅")

    step: Annotated[float, Field(gt=0, le=1), Ask("Step", ja="歩幅", help=HELP, example="0.1")] = 0.1


class Decay(Part):
    title: ClassVar[Words] = Words("A shrinking step", ja="縮む歩幅")

    step: Annotated[float, Field(gt=0, le=1), Ask("First step", ja="最初の歩幅", help=HELP, example="0.1")] = 0.5
    half_life: Annotated[int, Field(ge=1), Ask("Half-life", ja="半減期", help=HELP, example="10")]


class Memory(Part):
    title: ClassVar[Words] = Words("Memory", ja="メモリー")

    gigabytes: Annotated[int, Field(ge=1, le=512), Ask("How many GB?", ja="何GBですか", help=HELP, example="16")] = 16


class Small(Part):
    title: ClassVar[Words] = Words("Settings of the small one", ja="小型の設定")

    steps: Annotated[int, Field(ge=1, le=10), Ask("Steps", ja="段数", help=HELP, example="3")] = 3
    early: Early = False
    patience: Patience = None


class Big(Part):
    title: ClassVar[Words] = Words("Settings of the big one", ja="大型の設定")

    steps: Annotated[int, Field(ge=100, le=10_000), Ask("Steps", ja="段数", help=HELP, example="300")] = 300
    budget: Annotated[float, Field(ge=0), Ask("Budget", ja="予算", help=HELP, example="1.5")]
    early: Early = True
    patience: Patience = None
    scheme: Annotated[
        Literal["fixed", "decay"],
        Ask(
            "Which scheme?",
            ja="方式",
            help=HELP,
            choices=(Choice("fixed", "Fixed", ja="固定"), Choice("decay", "Decaying", ja="減衰")),
        ),
    ] = "fixed"
    pace: Annotated[Fixed | Decay, By("scheme", fixed=Fixed, decay=Decay)]
    memory: Memory


class Nothing(Part):
    title: ClassVar[Words] = Words("No settings", ja="設定なし")


class Conditions(Job):
    title: ClassVar[Words] = Words("Conditions", ja="条件")
    about: ClassVar[Words] = Words("Asks what hangs on other answers.", ja="ほかの答えによって決まることを尋ねます。")
    workload: ClassVar[str] = "inference"

    mode: Annotated[
        Literal["quick", "careful"],
        Ask(
            "Which mode?",
            ja="やり方",
            help=HELP,
            choices=(Choice("quick", "Quick", ja="速く"), Choice("careful", "Careful", ja="丁寧に")),
        ),
    ] = "quick"
    rounds: Annotated[
        int | None,
        Field(ge=1),
        When("mode", "careful", required=True),
        Ask("How many rounds?", ja="何回ですか", help=HELP, example="2"),
    ] = None
    care: Annotated[
        str | None,
        Field(max_length=20),
        When("mode", "careful"),
        Ask("What needs care?", ja="注意する点", help=HELP, example="x", blank=NONE),
    ] = None
    alert: Annotated[bool, Ask("Alert somebody?", ja="誰かに知らせますか", help=HELP)] = False
    whom: Annotated[
        str | None,
        Field(pattern=r"^[a-z]+$"),
        When("alert", True, required=True),
        Ask("Whom?", ja="誰に", help=HELP, example="hanako"),
    ] = None
    lasts: Annotated[
        timedelta | None,
        Field(lt=timedelta(days=1)),
        When("alert", True, required=True),
        Ask("How long?", ja="どのくらい", help=HELP, example="5 minutes"),
    ] = None
    outputs: Annotated[
        tuple[Literal["table", "chart", "model"], ...],
        Field(min_length=1),
        Ask(
            "Which outputs?",
            ja="出力",
            help=HELP,
            choices=(
                Choice("table", "Table", ja="表"),
                Choice("chart", "Chart", ja="グラフ"),
                Choice("model", "Model", ja="モデル", when=When("mode", "careful")),
            ),
        ),
    ] = ("table",)
    style: Annotated[
        Literal["line", "bar"] | None,
        When("outputs", "chart"),
        Ask(
            "Which style?",
            ja="形式",
            help=HELP,
            blank=NONE,
            choices=(Choice("line", "Lines", ja="折れ線"), Choice("bar", "Bars", ja="棒")),
        ),
    ] = None
    guard: Annotated[
        int | None,
        When("mode", "careful", required=True),
        When("alert", True),
        Ask("Guard", ja="見張り", help=HELP, example="1"),
    ] = None
    thickness: Annotated[
        int | None,
        Field(ge=1, le=9),
        When("style", "line", required=True),
        Ask("How thick?", ja="太さ", help=HELP, example="2"),
    ] = None
    engine: Annotated[
        Literal["small", "big", "nothing"],
        Ask(
            "Which engine?",
            ja="どのエンジンですか",
            help=HELP,
            choices=(
                Choice("small", "Small", ja="小型"),
                Choice("big", "Big", ja="大型", when=When("mode", "careful")),
                Choice("nothing", "Nothing", ja="無し"),
            ),
        ),
    ]
    settings: Annotated[Small | Big | Nothing, By("engine", small=Small, big=Big, nothing=Nothing)]
