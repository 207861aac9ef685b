"""Let a trained model predict the rows of a dataset."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, Choice, Identifier, Job, Refers
from schema.words import Words


class Inference(Job):
    version: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Predict with a trained model", ja="学習済みモデルで予測する")
    about: ClassVar[Words] = Words(
        "Puts a prediction beside every row of a dataset and returns the table.",
        ja="データセットのすべての行に予測をつけた表を返します。",
    )
    workload: ClassVar[str] = "inference"

    model_id: Annotated[
        Identifier,
        Refers("model"),
        Ask(
            "Which model?",
            ja="どのモデルを使いますか",
            help=Words(
                "The model id stands in the summary of the training.", ja="モデルIDは学習結果のまとめに書いてあります。"
            ),
            example="m-7k3m-9qx2-b4td-1",
            basic=True,
        ),
    ]
    dataset_id: Annotated[
        Identifier,
        Refers("dataset"),
        Ask(
            "Which dataset?",
            ja="どのデータセットですか",
            help=Words("Its test.csv is predicted, row by row.", ja="データセットのtest.csvの各行を予測します。"),
            example="wine",
            basic=True,
        ),
    ]
    output_format: Annotated[
        Literal["csv", "xlsx", "json"],
        Ask(
            "In which format do you want the predictions?",
            ja="予測結果の形式",
            help=Words("Excel opens both CSV and xlsx.", ja="CSVもxlsxもExcelで開けます。"),
            basic=True,
            choices=(
                Choice("csv", "CSV", ja="CSV"),
                Choice("xlsx", "Excel (xlsx)", ja="Excel（xlsx）"),
                Choice("json", "JSON", ja="JSON"),
            ),
        ),
    ] = "csv"
    note: Annotated[
        str | None,
        Field(max_length=500),
        Ask(
            "Note",
            ja="メモ",
            help=Words(
                "Anything you want to remember about this run.",
                ja="この実行について残しておきたいことを自由に書けます。",
            ),
            blank=Words("no note", ja="メモなし"),
        ),
    ] = None
