"""Describe the columns of a dataset in numbers: an example of a kind that runs a script of its own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from schema.job import Ask, Choice, Identifier, Job, Refers, Resources, Script
from schema.words import Words


class ColumnStatistics(Job):
    version: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Describe the columns of a dataset", ja="データセットの列を集計する")
    about: ClassVar[Words] = Words(
        "Counts the rows and gives the least, the mean and the greatest value of every column of numbers.",
        ja="行数と、数値の列ごとの最小・平均・最大を求めます。",
    )
    workload: ClassVar[Script] = Script(entry="scripts/column_statistics.py")
    resources: ClassVar[Resources] = Resources(max_hours=0.5)

    dataset_id: Annotated[
        Identifier,
        Refers("dataset"),
        Ask(
            "Which dataset?",
            ja="どのデータセットですか",
            help=Words(
                "The name of a dataset that your operator has put in place, such as wine.",
                ja="運用担当者が用意したデータセットの名前です。例：wine",
            ),
            example="wine",
            basic=True,
        ),
    ]
    part: Annotated[
        Literal["train", "test"],
        Ask(
            "Which rows?",
            ja="どの行を集計しますか",
            help=Words("The rows to learn from, or those to test with.", ja="学習用の行か、テスト用の行かを選びます。"),
            basic=True,
            choices=(
                Choice("train", "Training rows", ja="学習用の行"),
                Choice("test", "Test rows", ja="テスト用の行"),
            ),
        ),
    ] = "train"
