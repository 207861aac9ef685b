"""What answers refer to is looked up once for a whole submission, however many rows name it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schema.answers import Answers, Located, Where
from submit import datasets, judging
from submit.desk import Config, Desk
from submit.response import Source, Wishes
from tests.kinds_for_tests import SHIPPED

HERE = Where("sheet.yaml", "1:1")
TRAINING = {"dataset_id": "mine", "target": "kind", "task_type": "classification"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    raw = tmp_path / "datasets" / "mine" / "raw"
    raw.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        (raw / name).write_text("size,kind\n1,a\n2,b\n3,a\n", encoding="utf-8")
    return Desk(tmp_path, Config(), SHIPPED)


def codes(there: datasets.Lookup, **given: str) -> list[str]:
    values = TRAINING | given
    answers = Answers("train_supervised", HERE, {name: Located(value, HERE) for name, value in values.items()})
    return [one.code for one in datasets.problems(there, SHIPPED["train_supervised"], answers, values)]


def test_a_dataset_is_read_once_and_judged_for_each_column(desk: Desk) -> None:
    there = datasets.Lookup(desk)
    assert codes(there) == []
    assert codes(there, target="colour") == ["no_column"]
    shutil.rmtree(desk.folder / "datasets")
    assert codes(there) == []
    assert codes(there, target="colour") == ["no_column"]
    assert codes(datasets.Lookup(desk)) == ["no_dataset"]


def test_every_row_that_names_what_is_not_there_hears_of_it(desk: Desk) -> None:
    rows = "\n---\n".join(
        f"kind: train_supervised\njob: {{dataset_id: {name}, target: kind, algorithm: random_forest, task_type: classification}}"
        for name in ("mine", "minee", "mine", "minee")
    )
    outcome = judging.check(desk, [Source("rows.yaml", rows.encode())], Wishes())
    assert [(one.code, one.suggestion) for one, _ in outcome.problems] == [("no_dataset", "mine")] * 2
    assert (outcome.accepted, outcome.refused) == (2, 2)


def test_every_row_that_wants_what_the_engine_lacks_hears_of_it(desk: Desk) -> None:
    rows = "\n---\n".join(
        f"kind: train_supervised\njob: {{dataset_id: mine, target: kind, algorithm: random_forest}}\nresources: {{queue: {queue}}}"
        for queue in ("default", "fast", "default", "fast")
    )
    outcome = judging.check(desk, [Source("rows.yaml", rows.encode())], Wishes())
    assert [(one.code, one.where.spot) for one, _ in outcome.problems] == [("no_queue", "7:20"), ("no_queue", "15:20")]


def told(desk: Desk, **given: str) -> list[str]:
    job = TRAINING | {"algorithm": "random_forest"} | given
    rows = "\n".join(f"  {name}: {value}" for name, value in job.items())
    source = Source("rows.yaml", f"kind: train_supervised\nlanguage: ja\njob:\n{rows}\n".encode())
    return [one.message("ja") for one, _ in judging.check(desk, [source], Wishes()).problems]


@pytest.mark.parametrize("written", ["ワイン", "なし", "〃", "同上", "My Data", "absent"])
def test_an_answer_that_names_no_dataset_hears_which_ones_there_are(desk: Desk, written: str) -> None:
    assert told(desk, dataset_id=written) == [
        f"「{written}」というデータセットはありません。"
        "使えるのは次のものです：diabetes、mine、wine。ほかのものは運用担当者に用意を頼んでください。"
    ]


def test_a_desk_without_any_dataset_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desk, "dataset_folders", lambda self: ())
    assert told(desk, dataset_id="absent") == [
        "「absent」というデータセットはありません。データセットはまだ1つも用意されていません。"
        "お手元の表（ExcelまたはCSV）を運用担当者に渡し、名前を付けて登録してもらってください。"
    ]


def test_of_many_datasets_the_most_similar_names_are_offered(desk: Desk) -> None:
    for name in ("sales-2024", "sales-2025", "weather", "prices", "staff"):
        (desk.folder / "datasets" / name / "raw").mkdir(parents=True)
    assert told(desk, dataset_id="Ｓａｌｅｓ 2O25") == [
        "「Sales 2O25」というデータセットはありません。"
        "使えるのは次のものです：sales-2025、sales-2024、diabetes、staff、prices、…。"
        "ほかのものは運用担当者に用意を頼んでください。「sales-2025」のことですか？"
    ]


def test_a_dataset_that_is_only_spelled_otherwise_is_suggested(desk: Desk) -> None:
    (message,) = told(desk, dataset_id="Mine")
    assert message.startswith("「Mine」は名前として使えません。")
    assert message.endswith("「mine」のことですか？")


def test_a_column_in_full_width_letters_is_suggested(desk: Desk) -> None:
    (message,) = told(desk, target="ｋｉｎｄ")
    assert message.endswith("「kind」のことですか？")
