"""The YAML door: the schema that editors check by, and documents written by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from generators import Read, json_schema
from schema import slip
from schema.check import Checked, check
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import Question
from schema.slip import Request, Via
from schema.yaml_text import dump
from tests.kinds_for_tests import KINDS, SHIPPED
from tests.kinds_for_tests._jobs import jobs, nested

SCHEMAS: Mapping[str, Any] = {name: json.loads(json_schema.write(kind.form)) for name, kind in KINDS.items()}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def accepts(kind: str, document: object) -> bool:
    return not [error.message for error in VALIDATORS[kind].iter_errors(document)]


def answer(kind: str, name: str) -> Any:
    """The schema of one answer of a kind's job, without its words."""
    found = SCHEMAS[kind]["properties"]["job"]
    for step in name.split("."):
        found = found["properties"][step]
    return {key: value for key, value in found.items() if key not in ("title", "description", "enumDescriptions")}


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_good_json_schema(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("name", KINDS)
def test_a_schema_is_stable_text_that_names_its_kind_version_and_fingerprint(name: str) -> None:
    kind = KINDS[name]
    written = json_schema.write(kind.form)
    assert written == json_schema.write(kind.form)
    assert written.endswith(b"}\n")
    assert b"\\u" not in written
    schema = SCHEMAS[kind.name]
    assert schema["x-denpyo-kind"] == schema["properties"]["kind"]["const"] == kind.name
    assert schema["x-denpyo-version"] == schema["properties"]["version"]["const"] == kind.form.version
    assert schema["x-denpyo-fingerprint"] == kind.form.fingerprint


ANSWERS: dict[tuple[str, str], Any] = {
    ("every_field", "name"): {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "examples": ["first-try"]},
    ("every_field", "subject"): {"type": "string", "minLength": 2, "maxLength": 40, "examples": ["水質"]},
    ("every_field", "remarks"): {"type": ["string", "null"], "maxLength": 200, "examples": ["x"]},
    ("every_field", "code"): {
        "type": "string",
        "pattern": "^[A-Z]{2}-[0-9]{3}$",
        "default": "AB-123",
        "examples": ["AB-123"],
    },
    ("every_field", "count"): {
        "type": "integer",
        "minimum": 1,
        "maximum": 1_000_000,
        "examples": [10],
        "x-unit": {"en": "pieces", "ja": "個"},
    },
    ("every_field", "share"): {
        "type": "number",
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
        "default": 0.5,
        "examples": [0.5],
    },
    ("every_field", "urgent"): {"type": "boolean", "default": False},
    ("every_field", "colour"): {"type": "string", "enum": ["red", "dark_blue", "no"], "default": "red"},
    ("every_field", "due"): {
        "type": "string",
        "format": "date",
        "x-limits": {"least": "2026-01-01", "greatest": "2030-12-31"},
        "examples": ["2026-11-21"],
    },
    ("every_field", "limit"): {
        "type": "string",
        "format": "duration",
        "x-limits": {"greatest": 43_200_000.0, "above": 0.0},
        "default": "PT1H",
        "examples": ["PT2H"],
        "x-unit": {"en": "hours", "ja": "時間"},
    },
    ("every_field", "machine.cores"): {
        "type": "integer",
        "minimum": 1,
        "maximum": 64,
        "default": 4,
        "examples": [4],
        "x-unit": {"en": "cores", "ja": "個"},
    },
    ("conditions", "style"): {"type": ["string", "null"], "enum": ["line", "bar", None]},
    ("train_supervised", "task_type"): {"type": ["string", "null"], "enum": ["classification", "regression", None]},
}


@pytest.mark.parametrize(("place", "schema"), ANSWERS.items(), ids=[name for _, name in ANSWERS])
def test_an_answer_is_described_with_its_type_limits_default_and_example(place: tuple[str, str], schema: Any) -> None:
    assert answer(*place) == schema


def test_a_list_of_choices_is_described_with_its_members() -> None:
    metrics = answer("every_field", "metrics")
    assert metrics == {
        "type": "array",
        "items": {
            "type": "string",
            "enum": ["accuracy", "f1", "auc"],
            "enumDescriptions": ["Accuracy, plain / 正解率", "F1 / F1値", "AUC / AUC値"],
        },
        "minItems": 1,
        "maxItems": 2,
        "default": ["accuracy"],
    }


def test_editors_show_question_help_and_what_an_empty_answer_means_in_both_languages() -> None:
    found = SCHEMAS["train_supervised"]["properties"]["job"]["properties"]["evaluation_threshold"]
    assert found["title"] == "How good must the model be? / 合格とする精度"
    assert found["description"].splitlines()[1:] == [
        "分類では正解率、回帰では決定係数R²です（テスト用の行で測ります）。",
        "85% may be typed as 0.85 or 85%.",
        "85%は0.85または85%と書きます。",
        "Left empty: any result passes",
        "空欄のとき：どんな結果でも合格",
    ]


BY_HAND = """\
kind: train_supervised
job:
  dataset_id: wine
  target: target
  task_type: classification
  algorithm: random_forest
  hyperparameters: {n_estimators: 100, max_depth: 10, min_samples_split: 2}
  evaluation_threshold: 0.85
  max_retry: 3
"""


def test_the_document_of_the_documentation_is_good() -> None:
    assert accepts("train_supervised", yaml.safe_load(BY_HAND))


def request(kind: Kind, job: Any, resources: Any) -> Request:
    return Request(
        id="7k3m-9qx2-b4td",
        kind=kind.name,
        version=kind.form.version,
        schema=kind.form.fingerprint,
        denpyo="0.1.0",
        requested_by="hanako",
        trust="machine",
        requested_at=datetime(2026, 11, 21, tzinfo=UTC),
        via=Via("yaml", "a.yaml", "0" * 64, "1:1"),
        language="en",
        job=job,
        resources=resources,
    )


@pytest.mark.parametrize("name", KINDS)
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_no_job_that_pydantic_accepts_is_refused(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    job, resources = data.draw(jobs(kind))
    taken = resources.answers()
    assert accepts(kind.name, {"kind": kind.name, "job": job.answers(), "resources": taken})
    assert accepts(kind.name, {"kind": kind.name, "job": job.model_dump(mode="json"), "resources": taken})
    assert accepts(kind.name, yaml.safe_load(slip.write(request(kind, job, resources))))


EVERY: dict[str, Any] = {"name": "x", "subject": "水質", "count": 1, "notify": True, "due": "2026-11-21"}
RULES: dict[str, Any] = {"first": "2026-11-21", "weight": 5}
ORDERS: dict[str, Any] = {
    "code": "a-1",
    "title_of": "秋の便",
    "first": "2026-11-21",
    "pieces": 5,
    "express": False,
    "way": "sea",
}
CANNOT_SAY: dict[str, tuple[str, dict[str, Any], tuple[str, str]]] = {
    "a rule across fields": ("rules", RULES | {"last": "2026-11-20"}, ("last", "rule")),
    "a rule across fields of a part": ("rules", RULES | {"span": {"low": 2, "high": 1}}, ("span.low", "rule")),
    "a rule about a choice": ("rules", RULES | {"weight": 64, "parcel": "letter"}, ("parcel", "rule")),
    "what hangs on an answer that is completed": (
        "rules",
        RULES | {"weight": 20, "stamps": 1},
        ("stamps", "switched_off"),
    ),
    "days in their order": ("orders", ORDERS | {"last": "2026-11-20"}, ("last", "order")),
    "whole numbers in their order": ("orders", ORDERS | {"most": 4}, ("most", "order")),
    "numbers in their order": ("orders", ORDERS | {"frame": {"low": 2, "high": 1}}, ("frame.high", "order")),
    "lengths of time in their order": (
        "orders",
        ORDERS | {"wait": "PT2H", "longest_wait": "PT1H"},
        ("longest_wait", "order"),
    ),
    "a date that is none": ("every_field", EVERY | {"due": "2026-02-30"}, ("due", "not_a_date")),
    "the earliest date": ("every_field", EVERY | {"due": "2025-12-31"}, ("due", "too_early")),
    "the latest date": ("every_field", EVERY | {"due": "2031-01-01"}, ("due", "too_late")),
    "a date that must be later": ("every_field", EVERY | {"begins": "2025-12-31"}, ("begins", "not_after")),
    "a date of blanks": ("every_field", EVERY | {"due": " "}, ("due", "missing")),
    "a date with an invisible character": ("every_field", EVERY | {"due": "\u200b"}, ("due", "hidden_character")),
    "a length of time of blanks": (
        "conditions",
        {"engine": "small", "alert": True, "whom": "a", "lasts": " "},
        ("lasts", "missing"),
    ),
    "a length of time with an invisible character": (
        "every_field",
        EVERY | {"limit": "\u200b"},
        ("limit", "hidden_character"),
    ),
    "a length of time that is none": ("every_field", EVERY | {"limit": "P1M"}, ("limit", "not_a_duration")),
    "a length of time that is unsure": ("every_field", EVERY | {"limit": "1:30"}, ("limit", "unsure_duration")),
    "the longest time": ("every_field", EVERY | {"limit": "P501D"}, ("limit", "too_big")),
    "the shortest time": ("every_field", EVERY | {"pause": "-PT2H"}, ("pause", "too_small")),
    "a time that must be longer": ("every_field", EVERY | {"limit": "PT0S"}, ("limit", "not_above")),
    "an invisible character": ("every_field", EVERY | {"subject": "a\u200bb"}, ("subject", "hidden_character")),
    "a text of blanks": ("every_field", EVERY | {"subject": "   "}, ("subject", "missing")),
    "a text that is short without its blanks": ("every_field", EVERY | {"subject": "a  "}, ("subject", "too_short")),
    "a number of too many digits": (
        "conditions",
        {"engine": "small", "mode": "careful", "rounds": 2**53},
        ("rounds", "too_precise"),
    ),
}


def judged(kind: str, job: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the reader and the check together say of a document, by question and code."""
    (read,), strange = json_schema.read(dump({"kind": kind, "job": job}).encode(), "a.yaml", KINDS)
    assert strange == []
    return [(one.question, one.code) for one in together(read)]


def together(read: Read) -> list[Problem]:
    """As the journey puts them together: where both speak of one place, the door counts."""
    found = check(read.answers, KINDS)
    places = {one.where for one in read.problems}
    return [*read.problems, *(one for one in (found if isinstance(found, list) else ()) if one.where not in places)]


@pytest.mark.parametrize(("kind", "job", "refused"), CANNOT_SAY.values(), ids=CANNOT_SAY)
def test_what_json_schema_cannot_say_is_left_to_the_check(
    kind: str, job: dict[str, Any], refused: tuple[str, str]
) -> None:
    assert accepts(kind, {"kind": kind, "job": job})
    assert refused in judged(kind, job)


NOT_SAID = {(KINDS[kind].form.by_key[name].widget, code) for kind, _, (name, code) in CANNOT_SAY.values()}
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 1.5, 64, 101, 1e9, 10**20]),
    st.sampled_from(["", "x", "-", "random_forest", "table", "no", "2026-13-01", "PT1H", "a" * 600, "AB-1234"]),
    st.lists(st.sampled_from(["f1", "auc", "table", "model", 1]), max_size=4),
    st.just({"a": 1}),
)


@pytest.mark.parametrize("name", KINDS)
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_everything_else_that_the_check_refuses_the_schema_refuses_too(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    job, _ = data.draw(jobs(kind, as_read=True))
    asked = [one for one in kind.form.questions if not one.name.startswith("resources.")]
    question: Question = data.draw(st.sampled_from(asked))
    document = _with(job.answers(), question.name.split("."), data.draw(WRONG))
    found = judged(kind.name, document)
    if found and accepts(kind.name, {"kind": kind.name, "job": document}):
        assert {(_widget(kind, name), code) for name, code in found} <= NOT_SAID


def _with(job: dict[str, Any], steps: list[str], value: Any) -> dict[str, Any]:
    """The job with one answer changed."""
    step, *rest = steps
    inner = job.get(step)
    return job | {step: _with(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def _widget(kind: Kind, key: str) -> str:
    return kind.form.by_key[key].widget if key in kind.form.by_key else key


def spots(text: str | bytes, kinds: Mapping[str, Kind] = SHIPPED) -> list[tuple[str, str]]:
    reads, strange = json_schema.read(text.encode() if isinstance(text, str) else text, "a.yaml", kinds)
    found = [*strange, *(one for read in reads for one in together(read))]
    assert all(one.line(language) for one in found for language in ("en", "ja"))
    return [(one.where.spot, one.code) for one in found]


def test_a_document_by_hand_becomes_answers_at_their_lines() -> None:
    (read,), strange = json_schema.read(BY_HAND.encode(), "a.yaml", SHIPPED)
    assert (strange, read.problems) == ([], ())
    found = check(read.answers, SHIPPED)
    assert isinstance(found, Checked)
    assert found.job.answers() == {
        "dataset_id": "wine",
        "target": "target",
        "task_type": "classification",
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 100, "max_depth": 10, "min_samples_split": 2, "min_samples_leaf": 1},
        "evaluation_threshold": 0.85,
        "max_retry": 3,
        "seed": 42,
        "note": None,
    }


def test_what_a_sheet_may_say_a_document_may_say_too() -> None:
    text = """\
kind: train_supervised
job:
  dataset_id: ｗｉｎｅ
  task_type: 分類
  algorithm: ランダムフォレスト
  hyperparameters:
    n_estimators: １，０００本
    max_depth: '-'
  evaluation_threshold: 85%
  note: ~
resources: {gpus: ０}
"""
    assert spots(text) == []


GOOD = "kind: train_supervised\njob:\n  dataset_id: wine\n  algorithm: random_forest\n"
BY_HAND_PROBLEMS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "an unknown name": (GOOD + "  sede: 1\n", [("5:3", "unknown_question")]),
    "an unknown name with nothing behind it": (GOOD + "  sede:\n", [("5:3", "unknown_question")]),
    "an unknown group": (GOOD + "  hyper: {x: {y: 1}, z: 2}\n", [("5:3", "unknown_question")]),
    "an unknown name in a group": (GOOD + "  hyperparameters:\n    depth: 3\n", [("6:5", "unknown_question")]),
    "a name of another member": (GOOD + "  hyperparameters: {alpha: 1}\n", [("5:28", "switched_off")]),
    "a name of another member with nothing behind it": (GOOD + "  hyperparameters: {alpha: }\n", []),
    "a dotted name": (GOOD + "  hyperparameters.max_depth: 3\n", [("5:3", "unknown_question")]),
    "a dotted name beside its group": (
        GOOD + "  hyperparameters.max_depth: 3\n  hyperparameters: {max_depth: 0}\n",
        [("5:3", "unknown_question")],
    ),
    "a key of another door": (GOOD + "  hyperparameters: {max_depth@xgboost: 3}\n", [("5:21", "unknown_question")]),
    "a mapping for a value": (GOOD + "  seed: {a: 1}\n", [("5:9", "yaml_shape")]),
    "a mapping for a value that is needed": (
        "kind: train_supervised\njob:\n  dataset_id: {name: wine}\n  algorithm: xgboost\n",
        [("3:15", "yaml_shape")],
    ),
    "a list for a value": (GOOD + "  seed: [1]\n", [("5:9", "several_answers")]),
    "a value for a group": (GOOD + "  hyperparameters: 5\n", [("5:20", "yaml_shape")]),
    "a list for a group": (GOOD + "  hyperparameters: [5]\n", [("5:20", "yaml_shape")]),
    "nothing for a group": (GOOD + "  hyperparameters:\n", []),
    "a value for the resources": (GOOD + "resources: 1\n", [("5:12", "yaml_shape")]),
    "an unknown name in the resources": (GOOD + "resources: {gpu: 1}\n", [("5:13", "unknown_question")]),
    "resources inside the job": (GOOD + "  resources: {gpus: 1}\n", [("5:3", "unknown_question")]),
    "a bad answer in the resources": (GOOD + "resources: {gpus: 65}\n", [("5:19", "too_big")]),
    "a wrong name for a needed answer": (
        "kind: train_supervised\njob:\n  datset_id: wine\n  algorithm: xgboost\n",
        [("3:3", "unknown_question")],
    ),
    "an answer that is missing": ("kind: inference\njob:\n  model_id: m-1\n", [("2:1", "missing")]),
    "a job without answers": ("kind: inference\njob: {}\n", [("2:1", "missing"), ("2:1", "missing")]),
    "a job that is a text": ("kind: inference\njob: wine\n", [("2:6", "yaml_shape")]),
    "a job that is a list": ("kind: inference\njob:\n- a\n", [("3:1", "yaml_shape")]),
    "no job": ("kind: inference\n", [("1:1", "missing")]),
    "no kind": ("job: {model_id: m-1}\n", [("1:1", "missing")]),
    "an unknown kind": ("kind: inferense\njob: {x: {y: 1}}\n", [("1:7", "unknown_kind")]),
    "a kind that is a list": ("kind: [inference]\njob: {}\n", [("1:7", "yaml_shape")]),
    "another version": ("kind: inference\nversion: 2\njob: {x: 1}\n", [("2:10", "newer_template")]),
    "an unknown name around the job": (GOOD + "jbo: 1\n", [("5:1", "unknown_key")]),
    "eight mistakes": (
        """\
kind: train_supervised
verson: 1
job:
  dataset_id: Wine
  task_type: classifikation
  algorithm: xgboost
  hyperparameters:
    n_estimators: 0
    lerning_rate: 0.1
    subsample: a lot
  max_retry: [1, 2]
  seed: {value: 1}
resources:
  gpus: 65
""",
        [
            ("2:1", "unknown_key"),
            ("9:5", "unknown_question"),
            ("12:9", "yaml_shape"),
            ("4:15", "bad_identifier"),
            ("5:14", "unknown_choice"),
            ("8:19", "too_small"),
            ("10:16", "not_a_number"),
            ("11:14", "several_answers"),
            ("14:9", "too_big"),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BY_HAND_PROBLEMS.values(), ids=BY_HAND_PROBLEMS)
def test_problems_name_line_and_column_and_each_place_once(text: str, expected: list[tuple[str, str]]) -> None:
    assert spots(text) == expected


NAMES = st.one_of(
    st.sampled_from([part for one in KINDS.values() for name in one.form.by_name for part in name.split(".")]),
    st.sampled_from(["kind", "job", "resources", "denpyo", "version", "id", "x.y", "", "0", "@"]),
)
ANYTHING = st.recursive(
    WRONG,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=10,
)


@settings(deadline=None, max_examples=120)
@given(
    kind=st.sampled_from(list(KINDS)), around=st.dictionaries(NAMES, ANYTHING, max_size=3), job=ANYTHING, more=ANYTHING
)
def test_whatever_a_document_holds_is_answered_with_problems(
    kind: str, around: dict[str, Any], job: Any, more: Any
) -> None:
    spots(dump({**around, "kind": kind, "job": job, "resources": more}), KINDS)
    spots(dump(around), KINDS)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_whatever_a_file_holds_is_answered_with_problems(data: bytes) -> None:
    spots(b"kind: inference\njob:\n  " + data)


def test_lists_are_read_where_several_answers_are_asked() -> None:
    text = "kind: every_field\njob: {name: x, subject: xy, count: 1, notify: yes, due: 2026/11/21, metrics: %s}\n"
    assert spots(text % "[f1, AUC値]", KINDS) == []
    assert spots(text % "f1", KINDS) == []
    assert spots(text % "[f1, f2]", KINDS) == [("2:78", "unknown_choice")]
    assert spots(text % "[f1, {a: 1}]", KINDS) == [("2:83", "yaml_shape")]
    assert spots(text % "{f1: yes}", KINDS) == [("2:78", "yaml_shape")]


def test_a_wrong_shape_says_what_belongs_there() -> None:
    texts = [GOOD + "  seed: {a: 1}\n", GOOD + "  hyperparameters: 5\n"]
    messages = [json_schema.read(one.encode(), "a.yaml", SHIPPED)[0][0].problems[0].message("en") for one in texts]
    assert messages == [
        "Here a single value is expected. Write it as the documentation of the slip shows.",
        "Here a mapping (name: value) is expected. Write it as the documentation of the slip shows.",
    ]


def test_an_unknown_name_comes_with_the_name_that_was_probably_meant() -> None:
    text = GOOD + "  hyperparametrs: {}\n  hyperparameters: {max_dept: 1}\nresources: {gpu: 1}\n"
    problems = json_schema.read(text.encode(), "a.yaml", SHIPPED)[0][0].problems
    assert [(one.question, one.suggestion) for one in problems] == [
        ("hyperparametrs", "hyperparameters"),
        ("hyperparameters.max_dept", "hyperparameters.max_depth"),
        ("resources.gpu", "resources.gpus"),
    ]


FILES: dict[str, tuple[str | bytes, list[tuple[str, str]]]] = {
    "an empty file": ("", [("", "no_answers")]),
    "a remark alone": ("# nothing\n", [("", "no_answers")]),
    "empty documents": ("---\n---\n{}\n", [("", "no_answers")]),
    "a text": ("wine", [("1:1", "yaml_shape")]),
    "a list": ("- kind: inference\n", [("1:1", "yaml_shape")]),
    "broken YAML": ("kind: a: b", [("1:8", "yaml_syntax")]),
    "an anchor": ("kind: &a inference", [("1:7", "yaml_forbidden")]),
    "not UTF-8": (b"kind: \xff", [("1:7", "yaml_syntax")]),
    "too large": (b"#" * (1024 * 1024 + 1), [("", "too_large")]),
    "a good document and a list": (GOOD + "---\n- 1\n", [("6:1", "yaml_shape")]),
    "several documents": (
        GOOD + "  seed: -1\n---\n" + GOOD + "---\n" + GOOD + "  max_retry: 9\n",
        [("5:9", "too_small"), ("16:14", "too_big")],
    ),
    "a good document and an empty one": (GOOD + "---\n", []),
}


@pytest.mark.parametrize(("data", "expected"), FILES.values(), ids=FILES)
def test_a_file_is_read_document_by_document(data: str | bytes, expected: list[tuple[str, str]]) -> None:
    assert spots(data) == expected


def whole_slip() -> str:
    found = check(json_schema.read(BY_HAND.encode(), "a.yaml", SHIPPED)[0][0].answers, SHIPPED)
    assert isinstance(found, Checked)
    return slip.write(request(SHIPPED["train_supervised"], found.job, found.resources)).decode()


def test_a_whole_slip_is_read_and_keeps_its_id() -> None:
    (read,), strange = json_schema.read(whole_slip().encode(), "a.yaml", SHIPPED)
    assert (strange, read.problems, read.answers.response) == ([], (), "7k3m-9qx2-b4td")


def test_a_slip_without_its_id_is_a_new_request() -> None:
    text = whole_slip().replace('id: "7k3m-9qx2-b4td"\n', "")
    (read,), _ = json_schema.read(text.encode(), "a.yaml", SHIPPED)
    assert (together(read), read.answers.response) == ([], "")
    assert accepts("train_supervised", yaml.safe_load(text))


MEDDLED = {
    "an id that leads elsewhere": ('"7k3m-9qx2-b4td"', "../../x", ("3:5", "bad_identifier")),
    "another format": ("denpyo: 1", "denpyo: 2", ("2:9", "yaml_shape")),
    "a fingerprint that is none": ('schema: "sha256:', 'schema: "md5:', ("6:9", "yaml_shape")),
    "a name too many": ("  door: yaml", "  door: yaml\n  window: x", ("14:3", "unknown_key")),
    "a name too few": ("  door: yaml\n", "", ("13:3", "missing")),
    "a sender without trust": ("  trust: machine\n", "", ("9:3", "missing")),
    "a reason to run again": ("language: en", "language: en\nagain: why", ("18:1", "unknown_key")),
    "an unknown language": ("language: en", "language: xx", ("17:11", "unknown_choice")),
    "changes that are none": ("changes: []", "changes: [{a: 1}]", ("36:11", "missing")),
}


@pytest.mark.parametrize(("old", "new", "expected"), MEDDLED.values(), ids=MEDDLED)
def test_what_is_wrong_around_the_job_the_schema_and_the_reader_both_refuse(
    old: str, new: str, expected: tuple[str, str]
) -> None:
    text = whole_slip()
    assert old in text
    assert expected in spots(text.replace(old, new))
    assert not accepts("train_supervised", yaml.safe_load(text.replace(old, new)))


def test_a_name_of_the_slip_alone_is_unknown_in_a_document_by_hand() -> None:
    assert spots(GOOD + "via: {}\n") == [("5:1", "unknown_key")]
    assert not accepts("train_supervised", yaml.safe_load(GOOD + "via: {}\n"))


def test_a_document_by_hand_may_say_who_asks_and_why_again() -> None:
    text = GOOD + "requested_by: hanako\nagain: new data\nlanguage: ja\nversion: 1\n"
    assert spots(text) == []
    assert accepts("train_supervised", yaml.safe_load(text))


def test_whoever_does_not_read_yaml_does_not_wait_for_jsonschema() -> None:
    code = "import sys, generators.json_schema; print('jsonschema' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_answers_by_dotted_name_make_the_job_they_describe() -> None:
    assert nested({"a.b": 1, "a.c": 2, "d": 3}) == {"a": {"b": 1, "c": 2}, "d": 3}
