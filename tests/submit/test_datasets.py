"""What answers refer to is looked up once for a whole submission, however many rows name it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from schema.answers import Answers, Located, Where
from submit import datasets, journey, judging
from submit.desk import LEDGER, Config, Desk
from submit.new_dataset import Given, add
from submit.new_desk import make_desk
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


ASKED = """kind: train_supervised
language: LANGUAGE
job: {dataset_id: mine, target: kind, algorithm: random_forest, task_type: classification, note: NOTE}
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with a ledger, to which the dataset ``mine`` was added."""
    monkeypatch.delenv("DENPYO_DATASETS", raising=False)
    made = make_desk(tmp_path / "desk")
    table = tmp_path / "table.csv"
    table.write_text("size,kind\n" + "".join(f"{one},{'ab'[one % 2]}\n" for one in range(20)), encoding="utf-8")
    assert not isinstance(add(made, "mine", Given(table)), list)
    return made


def asked(language: str = "en", note: str = "") -> list[Source]:
    return [Source("rows.yaml", ASKED.replace("LANGUAGE", language).replace("NOTE", note or "one").encode())]


def warned(outcome: judging.Outcome) -> list[str]:
    return [one.line(language) for one, language in outcome.warnings]


def change(desk: Desk, file: str = "train.csv") -> None:
    path = desk.folder / "datasets" / "mine" / "raw" / file
    path.write_text(path.read_text(encoding="utf-8") + "99,a\n", encoding="utf-8")


def beside(desk: Desk) -> list[list[str]]:
    """The hashes that lie beside each entry of an accepted request."""
    with desk.ledger() as ledger:
        found = [one.beside_text for one in ledger.entries() if one.action == "accepted"]
        assert not [
            one for (one,) in ledger.query("SELECT body FROM entries WHERE request NOTNULL") if b"datasets" in one
        ]
    return [json.loads(one or "{}")["datasets"] for one in found]


def test_the_hash_of_the_data_lies_beside_the_entry_of_an_accepted_request(kept: Desk) -> None:
    outcome = journey.keep(kept, asked(), Wishes(), queue=True)
    assert warned(outcome) == []
    raw = kept.folder / "datasets" / "mine" / "raw"
    lines = "".join(
        f"{hashlib.sha256((raw / file).read_bytes()).hexdigest()}  raw/{file}\n" for file in ("train.csv", "test.csv")
    )
    before = hashlib.sha256(lines.encode()).hexdigest()
    assert beside(kept) == [[before]]
    change(kept)
    journey.keep(kept, asked(note="two"), Wishes(), queue=True)
    assert beside(kept)[0] == [before] != beside(kept)[1]


def test_who_asks_for_data_that_changed_since_it_was_added_is_warned_and_not_refused(kept: Desk) -> None:
    change(kept)
    day = next(iter(datasets.Lookup(kept).recorded().values())).at[:10]
    for language, line in {
        "en": f"rows.yaml:3:19: The dataset “mine” is no longer what it was when it was added on {day}. "
        "Ask your operator whether it may be used as it is now. [dataset_changed]",
        "ja": f"rows.yaml:3:19: データセット「mine」は、登録されたとき（{day}）の内容と違います。"
        "今の内容で使ってよいか、運用担当者に確かめてください。 [dataset_changed]",
    }.items():
        for outcome in (
            judging.check(kept, asked(language), Wishes()),
            journey.keep(kept, asked(language, language), Wishes(), queue=True),
        ):
            assert warned(outcome) == [line]
            assert (outcome.accepted, outcome.refused) == (1, 0)


def test_of_the_form_alone_no_dataset_is_looked_up(kept: Desk) -> None:
    change(kept)
    outcome = judging.check(kept, asked(), Wishes(form_only=True))
    assert (outcome.accepted, outcome.refused, warned(outcome)) == (1, 0, [])


@pytest.mark.parametrize(
    "written",
    [
        "",
        "[]",
        "1",
        '{"model_id": "m-x-1"}',
        '{"model_id": "m-x-1", "features": 1}',
        '{"model_id": "m-x-1", "features": [1]}',
        '{"model_id": "m-x-1", "features": [{"name": ["size"]}]}',
        '{"model_id": ["m-x-1"], "features": []}',
        "[" * 100_000,
    ],
)
def test_a_card_that_is_not_as_jobs_write_it_is_no_model(kept: Desk, written: str) -> None:
    card = kept.runs / "x.1" / "model" / "model.json"
    card.parent.mkdir(parents=True)
    card.write_text(written, encoding="utf-8")
    asked = Source("rows.yaml", b"kind: inference\nlanguage: en\njob: {model_id: m-x-1, dataset_id: mine}\n")
    assert [one.code for one, _ in judging.check(kept, [asked], Wishes()).problems] == ["no_model"]
    card.write_text('{"model_id": "m-x-1", "features": [{"name": "size"}]}', encoding="utf-8")
    assert judging.check(kept, [asked], Wishes()).problems == []


def test_where_no_ledger_can_be_looked_into_nothing_is_said_of_a_change(kept: Desk) -> None:
    shutil.rmtree(kept.folder / LEDGER)
    change(kept)
    assert warned(judging.check(kept, asked(), Wishes())) == []


def test_a_kind_that_reads_the_test_rows_alone_is_not_concerned_by_the_others(kept: Desk) -> None:
    there, kind = datasets.Lookup(kept), SHIPPED["inference"]
    answers = Answers("inference", HERE, {"dataset_id": Located("mine", HERE)})
    change(kept)
    _, warnings = datasets.used(there, kind, answers, {"dataset_id": "mine"})
    assert warnings == ()
    change(kept, "test.csv")
    _, warnings = datasets.used(datasets.Lookup(kept), kind, answers, {"dataset_id": "mine"})
    assert [one.code for one in warnings] == ["dataset_changed"]


def test_the_bytes_are_read_once_a_submission_however_many_rows_name_them(kept: Desk) -> None:
    there, kind = datasets.Lookup(kept), SHIPPED["train_supervised"]
    answers = Answers("train_supervised", HERE, {"dataset_id": Located("mine", HERE)})
    first = datasets.used(there, kind, answers, {"dataset_id": "mine"})
    change(kept)
    assert datasets.used(there, kind, answers, {"dataset_id": "mine"}) == first
    assert datasets.used(datasets.Lookup(kept), kind, answers, {"dataset_id": "mine"}) != first
