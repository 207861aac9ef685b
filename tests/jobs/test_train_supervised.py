from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import train_supervised
from jobs.outcome import Attempt, Done, Failed
from tests.jobs.runs import FOREST, attempt, write_dataset

SMALL: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 20},
    "xgboost": {"n_estimators": 20, "max_depth": 3},
    "neural_network": {"hidden_layers": "20, 10", "learning_rate": 0.01, "max_iter": 300},
    "logistic_regression": {},
    "linear_regression": {},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENPYO_DATASETS", str(tmp_path))
    return tmp_path


def asked(tmp_path: Path, **job: Any) -> Attempt:
    return attempt(tmp_path / "runs", "train_supervised", {"dataset_id": "mine", **FOREST, **job})


def done(wanted: Attempt) -> Done:
    found = train_supervised.run(wanted)
    assert isinstance(found, Done), found
    return found


def codes(wanted: Attempt) -> list[str]:
    found = train_supervised.run(wanted)
    assert isinstance(found, Failed)
    return [f"{problem.where.spot}: {problem.code}" for problem in found.problems]


def proof(wanted: Attempt) -> Any:
    return json.loads((wanted.out / "model" / "model.json").read_text(encoding="utf-8"))["proof"]


@pytest.mark.parametrize("algorithm", ["random_forest", "xgboost", "neural_network", "logistic_regression"])
def test_every_classifier_learns_wine_and_its_onnx_file_agrees(algorithm: str, tmp_path: Path) -> None:
    wanted = asked(tmp_path, dataset_id="wine", algorithm=algorithm, hyperparameters=SMALL[algorithm])
    found = done(wanted)
    assert found.metrics["accuracy"] >= 0.85
    assert found.metrics["macro_f1"] >= 0.85
    assert found.metrics["log_loss"] < 0.5
    assert found.warnings == ()
    assert proof(wanted)["rows"] == 45
    assert proof(wanted)["other_labels"] == 0
    assert proof(wanted)["largest"] <= 1e-6


@pytest.mark.parametrize("algorithm", ["random_forest", "xgboost", "neural_network", "linear_regression"])
def test_every_regressor_learns_diabetes_and_its_onnx_file_agrees(algorithm: str, tmp_path: Path) -> None:
    wanted = asked(
        tmp_path,
        dataset_id="diabetes",
        task_type="regression",
        algorithm=algorithm,
        hyperparameters=SMALL[algorithm] | ({"max_iter": 30} if algorithm == "neural_network" else {}),
    )
    found = done(wanted)
    assert found.metrics["r2"] >= 0.3
    assert found.metrics["mae"] < found.metrics["mae_of_average"]
    assert found.metrics["rmse"] >= found.metrics["mae"]
    assert proof(wanted)["largest"] <= 1e-9


def test_the_same_slip_gives_the_same_metrics(tmp_path: Path) -> None:
    for algorithm in ("random_forest", "neural_network", "xgboost"):
        job = {"dataset_id": "wine", "algorithm": algorithm, "hyperparameters": SMALL[algorithm], "seed": 7}
        first, second = (done(asked(tmp_path / f"{algorithm}{index}", **job)) for index in (1, 2))
        assert first.metrics == second.metrics


def test_the_model_card_says_what_the_model_takes(folder: Path) -> None:
    heading = ["age", "色", "empty", "answer"]
    rows = [[20 + index, "赤青"[index % 2], "", "はい" if index % 2 else "=no"] for index in range(20)]
    write_dataset(folder, "mine", heading, rows, rows)
    wanted = asked(folder, target="answer", task_type="classification")
    found = done(wanted)
    card = json.loads((wanted.out / "model" / "model.json").read_text(encoding="utf-8"))
    assert card["model_id"] == "m-7k3m-1"
    assert card["target"] == "answer"
    assert card["task_type"] == "classification"
    assert card["features"] == [
        {"name": "age", "type": "number", "dtype": "float64", "categories": []},
        {"name": "色", "type": "text", "dtype": "string", "categories": ["赤", "青"]},
    ]
    assert card["classes"] == ["=no", "はい"]
    assert found.model is not None
    assert card["files"]["model.onnx"] == found.model.sha256
    assert set(card["versions"]) >= {"denpyo", "scikit-learn", "onnxruntime"}
    assert found.warnings == ("Columns without any value in the training rows were left out: empty",)
    assert found.metrics["accuracy"] == 1.0


def mixed(rows: int, seed: int, scale: float = 0.0) -> Iterator[list[Any]]:
    """Numbers with gaps, texts with blanks, a name like our outputs; the target a text, or a number of this size."""
    chance = random.Random(seed)  # noqa: S311
    for _ in range(rows):
        number, text = chance.gauss(0, 1), chance.choice(["赤", "b", "", "=x"])
        score = number + 2 * (text == "b")
        target: Any = (
            scale * (5 + score) if scale else ("はい" if score > 0.6 else "no, never" if score < -0.3 else "x1")
        )
        yield [number if chance.random() < 0.8 else "", text, chance.randint(0, 3) * 1e9, target]


@pytest.mark.parametrize("algorithm", ["random_forest", "xgboost", "neural_network", "logistic_regression"])
def test_texts_gaps_and_any_name_are_learned_and_agree(algorithm: str, folder: Path) -> None:
    write_dataset(folder, "mine", ["od280/色 x", "label", "v0", "答え"], mixed(200, 1), mixed(600, 2))
    settings = SMALL[algorithm] | ({"max_iter": 40} if algorithm == "neural_network" else {})
    wanted = asked(folder, target="答え", task_type="classification", algorithm=algorithm, hyperparameters=settings)
    assert done(wanted).metrics["accuracy"] > 0.6
    assert proof(wanted)["other_labels"] == 0
    assert proof(wanted)["largest"] <= 1e-6


@pytest.mark.parametrize("algorithm", ["random_forest", "xgboost", "neural_network", "linear_regression"])
def test_targets_of_millions_agree_to_a_ten_thousandth(algorithm: str, folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "b", "c", "yen"], mixed(200, 1, 1e7), mixed(600, 2, 1e7))
    settings = SMALL[algorithm] | ({"max_iter": 40} if algorithm == "neural_network" else {})
    wanted = asked(folder, target="yen", task_type="regression", algorithm=algorithm, hyperparameters=settings)
    done(wanted)
    assert proof(wanted)["largest"] <= 1e-4


def test_two_classes_and_one_tree_without_a_question_agree(folder: Path) -> None:
    rows = [[1, index % 2] for index in range(11)]
    write_dataset(folder, "mine", ["constant", "target"], rows, rows)
    for algorithm in ("random_forest", "xgboost", "logistic_regression", "neural_network"):
        settings = {"max_iter": 20} if algorithm == "neural_network" else {}
        found = asked(folder / algorithm, algorithm=algorithm, hyperparameters=settings)
        assert done(found).metrics["accuracy"] in (5 / 11, 6 / 11)


def test_below_the_threshold_the_best_of_all_seeds_is_kept_and_the_optimism_is_said(tmp_path: Path) -> None:
    job = {"dataset_id": "wine", "hyperparameters": {"n_estimators": 2, "max_depth": 2}, "max_retry": 3}
    found = done(asked(tmp_path, **job, evaluation_threshold=1.0, seed=3))
    assert found.metrics["trainings"] == 4
    assert found.passed is False
    assert found.warnings == (
        "The best of 4 trainings was kept, chosen by the same test rows that measured it. "
        "The figure is therefore a little optimistic.",
    )
    single = [done(asked(tmp_path / str(seed), **{**job, "max_retry": 0}, seed=seed)) for seed in (3, 4, 5, 6)]
    scores = [one.metrics["accuracy"] for one in single]
    assert found.metrics["accuracy"] == max(scores)
    assert found.seed == 3 + scores.index(max(scores))


def test_a_training_that_is_good_enough_is_the_only_one(tmp_path: Path) -> None:
    found = done(asked(tmp_path, dataset_id="wine", evaluation_threshold=0.5, max_retry=3))
    assert found.metrics["trainings"] == 1
    assert found.passed is True


@pytest.mark.parametrize("algorithm", ["logistic_regression", "xgboost"])
def test_an_algorithm_without_chance_is_not_trained_again(algorithm: str, tmp_path: Path) -> None:
    hard = {"c": 1e-4} if algorithm == "logistic_regression" else {"n_estimators": 1, "max_depth": 1}
    found = done(
        asked(
            tmp_path,
            dataset_id="wine",
            algorithm=algorithm,
            hyperparameters=hard,
            evaluation_threshold=1.0,
            max_retry=3,
        )
    )
    assert found.metrics["trainings"] == 1
    assert found.warnings == (
        "The result is below what was asked for. No further training was made, because this algorithm gives the same "
        "model for every seed.",
    )


def test_without_a_threshold_nothing_has_passed_or_failed(tmp_path: Path) -> None:
    assert done(asked(tmp_path, dataset_id="wine")).passed is None


def test_a_training_that_did_not_converge_says_which_answer_to_raise(tmp_path: Path) -> None:
    wanted = attempt(
        tmp_path,
        "train_supervised",
        {"dataset_id": "wine", "algorithm": "neural_network", "hyperparameters": {"max_iter": 3}},
        "ja",
    )
    assert done(wanted).warnings == (
        "学習が収束しませんでした。「データを繰り返す回数の上限」（今は3）を増やすと、結果がよくなることがあります。",
    )


def test_a_training_that_runs_away_fails_with_advice(folder: Path) -> None:
    rows = [[index * 1e-150, index] for index in range(30)]
    write_dataset(folder, "mine", ["a", "target"], rows, [*rows, [3e38, 1]])
    found = train_supervised.run(
        asked(folder, task_type="regression", algorithm="linear_regression", hyperparameters={})
    )
    assert isinstance(found, Failed)
    assert found.reason.startswith("The training ran away")


def test_one_test_row_has_no_r2_and_so_cannot_pass(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [[index, index] for index in range(9)], [[3, 3]])
    found = done(asked(folder, task_type="regression", evaluation_threshold=0.1))
    assert found.passed is False
    assert "r2" not in found.metrics
    assert "R² needs at least two test rows" in found.warnings[0]


def test_a_column_of_too_many_texts_keeps_the_most_frequent(folder: Path) -> None:
    rows = [[f"id{index}", "often", index % 2] for index in range(300)]
    write_dataset(folder, "mine", ["id", "b", "target"], rows, rows[:5])
    wanted = asked(folder)
    assert done(wanted).warnings == ("In these columns only the 255 most frequent texts are told apart: id",)
    card = json.loads((wanted.out / "model" / "model.json").read_text(encoding="utf-8"))
    assert len(card["features"][0]["categories"]) == 255


def test_a_stray_text_among_numbers_is_said_with_its_row_and_shown_in_the_summary(folder: Path) -> None:
    rows = [[f"{index}000", index % 2] for index in range(20)]
    write_dataset(folder, "mine", ["価格", "target"], [*rows[:3], [], ["－", 0], ["50,000円", 1], ["x", 1]], rows)
    wanted = attempt(folder / "runs", "train_supervised", {"dataset_id": "mine", **FOREST}, "ja")
    said = (
        "列「価格」は値の多くが数値ですが、train.csvの7行目に「50,000円」があるため、文字の列として学習しました。"
        "数値の列であれば、そのセルを直して、もう一度依頼してください。"
    )
    assert done(wanted).warnings == (said,)
    assert said in (wanted.out / "summary.html").read_text(encoding="utf-8")


def test_a_text_among_numbers_is_named_in_english_too(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [[1, 0], ["two", 1], ["", 1]], [[1, 0]])
    assert done(asked(folder)).warnings == (
        "Most values of the column “a” are numbers, but row 3 of train.csv holds “two”, so it was learned as text. "
        "If it is meant to hold numbers, mend that cell and ask again.",
    )


def test_a_column_with_fewer_numbers_than_texts_is_a_column_of_texts(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [["x", 0], ["y", 1], ["3", 1]], [["x", 0]])
    assert done(asked(folder)).warnings == ()


def test_full_width_numbers_and_dashes_are_learned_as_numbers(folder: Path) -> None:
    rows = [[cell, index % 2] for index, cell in enumerate(["１２", "－", "ー", "−3", "4.5"] * 4)]
    write_dataset(folder, "mine", ["a", "target"], rows, rows)
    wanted = asked(folder)
    assert done(wanted).warnings == ()
    card = json.loads((wanted.out / "model" / "model.json").read_text(encoding="utf-8"))
    assert card["features"][0]["type"] == "number"
    assert proof(wanted)["largest"] <= 1e-6


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        pytest.param({"dataset_id": "absent"}, ["dataset_id: no_dataset"], id="no such dataset"),
        pytest.param({"dataset_id": "wine", "target": "Target"}, ["target: no_column"], id="no such column"),
        pytest.param(
            {"task_type": "regression", "target": "word"},
            ["target: not_numeric", "target: not_numeric"],
            id="words to regress",
        ),
        pytest.param({"target": "word"}, ["target: unseen_class"], id="a class the training lacks"),
        pytest.param({"target": "same"}, ["target: one_class"], id="one class"),
        pytest.param({"dataset_id": "diabetes"}, ["task_type: looks_numeric"], id="a measured number"),
    ],
)
def test_what_is_wrong_with_the_data_is_found_at_the_start(
    job: dict[str, Any], expected: list[str], folder: Path
) -> None:
    write_dataset(folder, "mine", ["a", "word", "same"], [[1, "x", 1], [2, "y", 1]], [[1, "z", 1]])
    assert codes(asked(folder, **job)) == expected


def test_a_dataset_whose_columns_are_all_empty_has_nothing_to_learn_from(folder: Path) -> None:
    write_dataset(folder, "mine", ["a", "target"], [["", "x"], ["-", "y"]], [["", "x"]])
    assert codes(asked(folder)) == ["dataset_id: no_features"]
