"""Train a model on a table with a target column: classification or regression, five algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schema.job import Ask, By, Choice, Identifier, Job, Part, Refers, Resources, Unit, When
from schema.words import Words

CLASSIFICATION_ONLY = "logistic_regression"
REGRESSION_ONLY = "linear_regression"

Trees = Annotated[
    int,
    Field(ge=1, le=10_000),
    Ask(
        "How many trees?",
        ja="木の数",
        help=Words("More trees take longer and vary less.", ja="多いほど時間がかかり、結果は安定します。"),
        example="100",
        unit=Unit("trees", ja="本"),
    ),
]


class RandomForest(Part):
    title: ClassVar[Words] = Words("Settings of the random forest", ja="ランダムフォレストの設定")

    n_estimators: Trees = 100
    max_depth: Annotated[
        int | None,
        Field(ge=1, le=1000),
        Ask(
            "How deep may a tree grow?",
            ja="木の深さの上限",
            help=Words("Shallow trees learn less by heart.", ja="浅いほど丸暗記しにくくなります。"),
            example="10",
            unit=Unit("levels", ja="段"),
            blank=Words("no limit", ja="上限なし"),
        ),
    ] = None
    min_samples_split: Annotated[
        int,
        Field(ge=2, le=100_000),
        Ask(
            "From how many rows may a branch split?",
            ja="枝を分ける最小の行数",
            help=Words("Larger numbers make simpler trees.", ja="大きいほど単純な木になります。"),
            example="2",
            unit=Unit("rows", ja="行"),
        ),
    ] = 2
    min_samples_leaf: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ask(
            "How many rows must a leaf keep?",
            ja="葉に残す最小の行数",
            help=Words("Larger numbers make smoother predictions.", ja="大きいほど予測がなめらかになります。"),
            example="1",
            unit=Unit("rows", ja="行"),
        ),
    ] = 1


class XGBoost(Part):
    title: ClassVar[Words] = Words("Settings of XGBoost", ja="XGBoostの設定")

    n_estimators: Trees = 100
    max_depth: Annotated[
        int,
        Field(ge=1, le=100),
        Ask(
            "How deep may a tree grow?",
            ja="木の深さの上限",
            help=Words("Usually between 3 and 10.", ja="ふつうは3から10です。"),
            example="6",
            unit=Unit("levels", ja="段"),
        ),
    ] = 6
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        Ask(
            "Learning rate",
            ja="学習率",
            help=Words("Smaller steps need more trees.", ja="小さくするときは木の数を増やします。"),
            example="0.3",
        ),
    ] = 0.3
    subsample: Annotated[
        float,
        Field(gt=0, le=1),
        Ask(
            "Share of the rows used for each tree",
            ja="木ごとに使う行の割合",
            help=Words(
                "With less than all rows, each tree sees other rows than the one before.",
                ja="すべてより少なくすると、木ごとに違う行を使います。",
            ),
            example="100%",
        ),
    ] = 1.0


class NeuralNetwork(Part):
    title: ClassVar[Words] = Words("Settings of the neural network", ja="ニューラルネットワークの設定")

    hidden_layers: Annotated[
        str,
        Field(pattern=r"^[1-9][0-9]{0,3}(, ?[1-9][0-9]{0,3}){0,9}$"),
        Ask(
            "Cells in each hidden layer",
            ja="隠れ層ごとのユニット数",
            help=Words(
                "One number a layer, with commas between them.", ja="層ごとに1つずつ、カンマで区切って書きます。"
            ),
            example="100, 50",
        ),
    ] = "100"
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        Ask(
            "Learning rate",
            ja="学習率",
            help=Words("How far each step goes.", ja="1回の更新の大きさです。"),
            example="0.001",
        ),
    ] = 0.001
    alpha: Annotated[
        float,
        Field(ge=0, le=1000),
        Ask(
            "Strength of the regularisation (alpha)",
            ja="正則化の強さ（alpha）",
            help=Words("Larger numbers keep the weights smaller.", ja="大きいほど重みを小さく保ちます。"),
            example="0.0001",
        ),
    ] = 0.0001
    max_iter: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ask(
            "At most how many passes over the data?",
            ja="データを繰り返す回数の上限",
            help=Words("Training stops earlier when it no longer improves.", ja="よくならなくなれば早く終わります。"),
            example="200",
            unit=Unit("passes", ja="回"),
        ),
    ] = 200


class LogisticRegression(Part):
    title: ClassVar[Words] = Words("Settings of the logistic regression", ja="ロジスティック回帰の設定")

    c: Annotated[
        float,
        Field(gt=0, le=1_000_000),
        Ask(
            "Weakness of the regularisation (C)",
            ja="正則化の弱さ（C）",
            help=Words("Smaller numbers keep the weights smaller.", ja="小さいほど重みを小さく保ちます。"),
            example="1",
        ),
    ] = 1.0
    max_iter: Annotated[
        int,
        Field(ge=1, le=100_000),
        Ask(
            "At most how many steps?",
            ja="計算の回数の上限",
            help=Words(
                "Raise it when the result says that it did not converge.", ja="収束しなかったと表示されたら増やします。"
            ),
            example="100",
            unit=Unit("steps", ja="回"),
        ),
    ] = 100


class LinearRegression(Part):
    title: ClassVar[Words] = Words("Settings of the linear regression (ridge)", ja="線形回帰（リッジ）の設定")

    alpha: Annotated[
        float,
        Field(ge=0, le=1_000_000),
        Ask(
            "Strength of the regularisation (alpha)",
            ja="正則化の強さ（alpha）",
            help=Words("0 is ordinary least squares.", ja="0なら通常の最小二乗法です。"),
            example="1",
        ),
    ] = 1.0


class TrainSupervised(Job):
    version: ClassVar[int] = 1
    title: ClassVar[Words] = Words("Train a model on labelled data", ja="正解つきデータでモデルを学習する")
    about: ClassVar[Words] = Words(
        "Learns from a table how to predict one of its columns, and tells how well it does on rows it has not seen.",
        ja="表のデータから1つの列を予測する方法を学習し、学習に使っていない行でどれだけ当たるかを報告します。",
    )
    known_by: ClassVar[Mapping[str, str]] = {"learning_type": "supervised"}
    workload: ClassVar[str] = "train_supervised"
    resources: ClassVar[Resources] = Resources(max_hours=2)

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
    target: Annotated[
        str,
        Field(min_length=1, max_length=100),
        Refers("column", of="dataset_id", task="task_type"),
        Ask(
            "Which column should be predicted?",
            ja="予測したい列はどれですか",
            help=Words(
                "The heading of that column in the dataset.", ja="データセットの見出しのとおりに書いてください。"
            ),
            example="target",
            basic=True,
        ),
    ] = "target"
    task_type: Annotated[
        Literal["classification", "regression"],
        Ask(
            "What kind of prediction?",
            ja="予測の種類",
            help=Words(
                "Classification predicts a class, regression a number.", ja="分類は種類を、回帰は数値を予測します。"
            ),
            basic=True,
            blank=Words("regression for linear regression, else classification", ja="線形回帰なら回帰、ほかは分類"),
            choices=(
                Choice("classification", "Classification", ja="分類"),
                Choice("regression", "Regression", ja="回帰"),
            ),
        ),
    ]
    algorithm: Annotated[
        Literal["random_forest", "xgboost", "neural_network", "logistic_regression", "linear_regression"],
        Ask(
            "Which algorithm?",
            ja="アルゴリズム",
            help=Words("Random forest is a good first try.", ja="迷ったらランダムフォレストを選んでください。"),
            basic=True,
            choices=(
                Choice("random_forest", "Random forest", ja="ランダムフォレスト"),
                Choice("xgboost", "XGBoost", ja="XGBoost"),
                Choice("neural_network", "Neural network", ja="ニューラルネットワーク"),
                Choice(
                    CLASSIFICATION_ONLY,
                    "Logistic regression",
                    ja="ロジスティック回帰",
                    when=When("task_type", "classification"),
                ),
                Choice(
                    REGRESSION_ONLY,
                    "Linear regression (ridge)",
                    ja="線形回帰（リッジ）",
                    when=When("task_type", "regression"),
                ),
            ),
        ),
    ]
    hyperparameters: Annotated[
        RandomForest | XGBoost | NeuralNetwork | LogisticRegression | LinearRegression,
        By(
            "algorithm",
            random_forest=RandomForest,
            xgboost=XGBoost,
            neural_network=NeuralNetwork,
            logistic_regression=LogisticRegression,
            linear_regression=LinearRegression,
        ),
    ]
    evaluation_threshold: Annotated[
        float | None,
        Field(ge=0, le=1),
        Ask(
            "How good must the model be?",
            ja="合格とする精度",
            help=Words(
                "Accuracy for classification, R² for regression, measured on the test rows.",
                ja="分類では正解率、回帰では決定係数R²です（テスト用の行で測ります）。",
            ),
            example="85%",
            basic=True,
            blank=Words("any result passes", ja="どんな結果でも合格"),
        ),
    ] = None
    max_retry: Annotated[
        int,
        Field(ge=0, le=3),
        Ask(
            "How often to try again below that?",
            ja="合格しないときの再学習の回数",
            help=Words(
                "Each further training starts from another random seed; the best one is kept.",
                ja="再学習のたびに乱数の種を変え、最もよいモデルを残します。",
            ),
            example="0",
            unit=Unit("times", ja="回"),
        ),
    ] = 0
    seed: Annotated[
        int,
        Field(ge=0, le=2_147_483_000),
        Ask(
            "Random seed",
            ja="乱数の種",
            help=Words("The same seed gives the same result again.", ja="同じ値なら同じ結果になります。"),
            example="42",
        ),
    ] = 42
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

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, tuple[Any, Words]]:
        """The task follows from an algorithm that can do one only; where both are possible it is classification."""
        algorithm = given.get("algorithm")
        if given.get("task_type") is not None or algorithm is None:
            return {}
        if algorithm == REGRESSION_ONLY:
            return {
                "task_type": (
                    "regression",
                    Words("this algorithm does regression only", ja="このアルゴリズムは回帰専用のため"),
                )
            }
        if algorithm == CLASSIFICATION_ONLY:
            only = Words("this algorithm does classification only", ja="このアルゴリズムは分類専用のため")
            return {"task_type": ("classification", only)}
        both = Words(
            "it was left empty, and classification is the usual case",
            ja="空欄だったため、よく使われる「分類」としました",
        )
        return {"task_type": ("classification", both)}
