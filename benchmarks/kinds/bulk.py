"""A kind of 20 questions for measuring: every widget, every sort of limit, and a question that another answer switches off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, Choice, Identifier, Job, Script, Unit, When
from schema.words import Words

HELP = Words("Measured by the benchmark.", ja="計測用の質問です。")
NONE = Words("none", ja="なし")


class Bulk(Job):
    version: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Many requests at once", ja="まとめて申し込む")
    about: ClassVar[Words] = Words(
        "Asks 20 questions, ten thousand times.", ja="20の質問に1万件分まとめて答えるための申込書です。"
    )
    workload: ClassVar[Script] = Script(entry="scripts/bulk.py")

    name: Annotated[Identifier, Ask("Name of the run", ja="実行の名前", help=HELP, example="run-00001", basic=True)]
    title_text: Annotated[
        str, Field(min_length=2, max_length=80), Ask("Title", ja="件名", help=HELP, example="水質の予測")
    ]
    dataset: Annotated[Identifier, Ask("Dataset", ja="データセット", help=HELP, example="wine")]
    owner_code: Annotated[
        str,
        Field(pattern=r"^[A-Z]{2}-[0-9]{4}$"),
        Ask("Code of the owner", ja="担当者の番号", help=HELP, example="AB-1234"),
    ]
    task: Annotated[
        Literal["classification", "regression"],
        Ask(
            "What is predicted?",
            ja="予測するもの",
            help=HELP,
            choices=(
                Choice("classification", "A class", ja="分類"),
                Choice("regression", "A number", ja="回帰"),
            ),
        ),
    ]
    algorithm: Annotated[
        Literal["random_forest", "xgboost", "neural_network", "logistic_regression", "linear_regression"],
        Ask(
            "Algorithm",
            ja="アルゴリズム",
            help=HELP,
            choices=(
                Choice("random_forest", "Random forest", ja="ランダムフォレスト"),
                Choice("xgboost", "XGBoost", ja="XGBoost（勾配ブースティング）"),
                Choice("neural_network", "Neural network", ja="ニューラルネットワーク"),
                Choice("logistic_regression", "Logistic regression", ja="ロジスティック回帰"),
                Choice("linear_regression", "Linear regression", ja="線形回帰"),
            ),
        ),
    ]
    epochs: Annotated[
        int,
        Field(ge=1, le=10_000),
        Ask("Epochs", ja="エポック数", help=HELP, example="10", unit=Unit("epochs", ja="回")),
    ]
    batch_size: Annotated[
        int, Field(ge=1, le=4096), Ask("Batch size", ja="バッチの大きさ", help=HELP, example="32")
    ] = 32
    seed: Annotated[int, Field(ge=0, le=2_147_483_647), Ask("Seed", ja="乱数の種", help=HELP, example="1")] = 0
    learning_rate: Annotated[float, Field(gt=0, le=1), Ask("Learning rate", ja="学習率", help=HELP, example="0.01")]
    dropout: Annotated[float, Field(ge=0, le=0.9), Ask("Dropout", ja="ドロップアウト", help=HELP, example="0.1")] = 0.0
    weight_decay: Annotated[
        float, Field(ge=0, le=1), Ask("Weight decay", ja="重みの減衰", help=HELP, example="0.001")
    ] = 0.0
    temperature: Annotated[
        float,
        Field(ge=-50, le=150),
        Ask("Temperature of the room", ja="室温", help=HELP, example="20", unit=Unit("℃", ja="℃")),
    ] = 20.0
    shuffle: Annotated[bool, Ask("Shuffle the rows?", ja="行を混ぜますか", help=HELP)] = True
    early_stopping: Annotated[bool, Ask("Stop early?", ja="早めに止めますか", help=HELP)] = False
    patience: Annotated[
        int | None,
        Field(ge=1, le=1000),
        When("early_stopping", True, required=True),
        Ask("After how many idle epochs?", ja="改善がなければ何回で止めますか", help=HELP, example="5"),
    ] = None
    start_on: Annotated[
        date, Field(ge=date(2020, 1, 1)), Ask("From which day on?", ja="開始日", help=HELP, example="2026/11/21")
    ]
    time_limit: Annotated[
        timedelta,
        Field(gt=timedelta(0), le=timedelta(days=7)),
        Ask("At most how long?", ja="時間の上限", help=HELP, example="2", unit=Unit("hours", ja="時間")),
    ] = timedelta(hours=1)
    metrics: Annotated[
        tuple[Literal["accuracy", "f1", "auc", "rmse"], ...],
        Field(min_length=1),
        Ask(
            "Which metrics?",
            ja="評価の指標",
            help=HELP,
            choices=(
                Choice("accuracy", "Accuracy", ja="正解率"),
                Choice("f1", "F1", ja="F1値"),
                Choice("auc", "AUC", ja="AUC値"),
                Choice("rmse", "RMSE", ja="二乗平均平方根誤差"),
            ),
        ),
    ] = ("accuracy",)
    note: Annotated[str | None, Field(max_length=500), Ask("Note", ja="メモ", help=HELP, blank=NONE)] = None
