from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jobs import inference, train_supervised
from jobs.outcome import Done, Failed
from tests.jobs.runs import FOREST, attempt, write_dataset

MODEL = "m-7k3m-1"


class Trap:
    """Whoever unpickles this notices."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the joblib file was loaded",))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models: wine (7k3m.1), and one of texts and numbers for the column ``kind`` (text.1)."""
    folder = tmp_path_factory.mktemp("models")
    rows = [[index, "赤青"[index % 2], ["one", "two"][index % 2]] for index in range(20)]
    write_dataset(folder / "datasets", "mine", ["n", "色", "kind"], rows, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DENPYO_DATASETS", str(folder / "datasets"))
        for id, job in (("7k3m", {"dataset_id": "wine"}), ("text", {"dataset_id": "mine", "target": "kind"})):
            made = attempt(folder, "train_supervised", {**FOREST, **job}, id=id)
            assert isinstance(train_supervised.run(made), Done)
            (made.out / "model" / "model.joblib").write_bytes(pickle.dumps(Trap()))
    return folder


@pytest.fixture
def folder(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENPYO_MODELS", str(models))
    monkeypatch.setenv("DENPYO_DATASETS", str(tmp_path))
    return tmp_path


def predict(folder: Path, **job: Any) -> tuple[Done | Failed, Path]:
    wanted = attempt(folder / "runs", "inference", {"model_id": MODEL, "dataset_id": "wine", **job}, id="pr3d")
    return inference.run(wanted), wanted.out


def read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def codes(found: Done | Failed) -> list[str]:
    assert isinstance(found, Failed)
    return [f"{problem.where.spot}: {problem.code}" for problem in found.problems]


def test_wine_is_predicted_and_measured_against_its_target(folder: Path) -> None:
    found, out = predict(folder)
    assert isinstance(found, Done)
    assert found.artifacts == ("predictions.csv",)
    assert found.metrics["accuracy"] >= 0.85
    assert found.metrics["log_loss"] < 1
    rows = read_csv(out / "predictions.csv")
    assert len(rows) == 45
    assert list(rows[0])[-3:] == ["target", "prediction", "probability"]
    right = sum(row["target"] == row["prediction"] for row in rows)
    assert right / 45 == pytest.approx(found.metrics["accuracy"])
    assert all(1 / 3 <= float(row["probability"]) <= 1 for row in rows)


def test_every_format_holds_the_same_predictions(folder: Path) -> None:
    plain = [row["prediction"] for row in read_csv(predict(folder / "1")[1] / "predictions.csv")]
    _, out = predict(folder / "2", output_format="json")
    assert [str(row["prediction"]) for row in json.loads((out / "predictions.json").read_text("utf-8"))] == plain
    _, out = predict(folder / "3", output_format="xlsx")
    sheet = openpyxl.load_workbook(out / "predictions.xlsx")["predictions"]
    assert [str(row[14].value) for row in sheet.iter_rows(min_row=2)] == plain


def test_more_columns_are_kept_and_a_column_named_prediction_stays(folder: Path) -> None:
    write_dataset(folder, "new", ["note", "色", "prediction", "n"], [], [["=1", "赤", "mine", 4], ["", "緑", "", ""]])
    found, out = predict(folder, model_id="m-text-1", dataset_id="new")
    assert isinstance(found, Done)
    assert found.metrics == {}
    assert found.warnings == (
        "These columns hold texts that the training did not see; they count as “none of the known ones”: 色",
    )
    first, second = read_csv(out / "predictions.csv")
    assert first == {
        "note": "'=1",
        "色": "赤",
        "prediction": "mine",
        "n": "4",
        "prediction_2": "one",
        "probability": first["probability"],
    }
    assert second["prediction_2"] in ("one", "two")


def test_a_class_that_the_model_does_not_know_counts_as_wrong(folder: Path) -> None:
    write_dataset(folder, "new", ["n", "色", "kind"], [], [[2, "赤", "one"], [3, "青", "three"]])
    found, _ = predict(folder, model_id="m-text-1", dataset_id="new")
    assert isinstance(found, Done)
    assert found.metrics["accuracy"] == 0.5
    assert "log_loss" not in found.metrics


def test_a_target_with_gaps_is_not_measured_and_an_empty_one_goes_without_saying(folder: Path) -> None:
    write_dataset(folder, "gaps", ["n", "色", "kind"], [], [[2, "赤", "one"], [3, "青", ""]])
    write_dataset(folder, "blank", ["n", "色", "kind"], [], [[2, "赤", ""], [3, "青", ""]])
    gaps, _ = predict(folder / "1", model_id="m-text-1", dataset_id="gaps")
    blank, _ = predict(folder / "2", model_id="m-text-1", dataset_id="blank")
    assert isinstance(gaps, Done)
    assert isinstance(blank, Done)
    assert gaps.metrics == blank.metrics == {}
    assert gaps.warnings == (
        "The column “kind” is there, but not every row of it can be compared with a prediction, so nothing was measured.",
    )
    assert blank.warnings == ()


def test_a_dataset_needs_no_training_rows_to_be_predicted(folder: Path) -> None:
    write_dataset(folder, "new", ["n", "色"], [], [[2, "赤"]])
    (folder / "new" / "raw" / "train.csv").unlink()
    assert isinstance(predict(folder, model_id="m-text-1", dataset_id="new")[0], Done)


@pytest.mark.parametrize(
    ("heading", "row", "expected"),
    [
        pytest.param(["色"], ["赤"], ["dataset_id: missing_columns"], id="a column is missing"),
        pytest.param(["n", "色"], ["three", "赤"], ["dataset_id: text_columns"], id="a text among numbers"),
        pytest.param(["n", "色", "n"], [1, "赤", 2], ["dataset_id: duplicate_column"], id="a heading twice"),
        pytest.param(["n", "色"], [1], ["dataset_id: bad_csv"], id="a row too short"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    heading: list[str], row: list[Any], expected: list[str], folder: Path
) -> None:
    write_dataset(folder, "new", heading, [], [row])
    assert codes(predict(folder, model_id="m-text-1", dataset_id="new")[0]) == expected


def test_a_missing_model_and_a_missing_dataset_are_said_together(folder: Path) -> None:
    found, _ = predict(folder, model_id="m-absent-1", dataset_id="absent")
    assert codes(found) == ["model_id: no_model", "dataset_id: no_dataset"]


@pytest.mark.parametrize("name", ["wine", "m-7k3m", "m-7k3m-01", "m-..-1"])
def test_a_name_that_is_no_model_id_never_becomes_a_path(name: str, folder: Path) -> None:
    from jobs import models

    assert models.find(name) is None


def test_a_card_that_cannot_be_written_leaves_the_one_that_is_there(tmp_path: Path) -> None:
    from jobs import models

    models.write_card(tmp_path, {"model_id": "m-7k3m-1"})
    with pytest.raises(UnicodeEncodeError):
        models.write_card(tmp_path, {"target": "\ud800"})
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "model.json": '{\n  "model_id": "m-7k3m-1"\n}\n'
    }


@pytest.mark.parametrize("file", ["model.onnx", "model.json"])
def test_a_model_whose_files_were_changed_is_not_used(file: str, folder: Path, tmp_path: Path, models: Path) -> None:
    source = models / "7k3m.1" / "model"
    copied = tmp_path / "copy" / "7k3m.1" / "model"
    copied.mkdir(parents=True)
    for name in ("model.onnx", "model.json"):
        data = (source / name).read_bytes()
        (copied / name).write_bytes(data[:-2] if name == file else data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DENPYO_MODELS", str(tmp_path / "copy"))
        assert codes(predict(folder)[0]) == ["model_id: broken_model"]
