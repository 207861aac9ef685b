"""The slip: one request, one text, the same for every reader of YAML."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schema.answers import Answers, Given, Located, Where
from schema.check import Change, Checked, check
from schema.job import Job, Resources
from schema.kinds import Kind
from schema.problem import Problem
from schema.slip import BARE_KEYS, Request, SlipError, Via, answers, canonical_job, envelope_problems, read, write
from schema.words import Words
from schema.yaml_text import Node, load
from tests.kinds_for_tests import KINDS, SHIPPED
from tests.kinds_for_tests._jobs import in_order, jobs, values
from tests.schema import plain_yaml, yaml_12

HERE = Where("sheet.xlsx", "入力!C3")


def checked(kind: str, typed: dict[str, str]) -> Checked:
    cells: dict[str, Located[Given]] = {name: Located(text, HERE) for name, text in typed.items()}
    found = check(Answers(kind, HERE, cells), SHIPPED)
    assert isinstance(found, Checked)
    return found


def request_of(found: Checked) -> Request:
    form = SHIPPED[found.kind].form
    return Request(
        id="7k3m-9qx2-b4td",
        kind=found.kind,
        version=form.version,
        schema=form.fingerprint,
        denpyo="0.1.0",
        requested_by="花子 <hanako@example.com>",
        trust="claimed",
        requested_at=datetime(2026, 11, 21, 9, 30, tzinfo=timezone(timedelta(hours=9))),
        via=Via("excel", "依頼.xlsx", "0" * 64, "入力!C3"),
        language="ja",
        job=found.job,
        resources=found.resources,
        changes=found.changes,
    )


REQUEST = request_of(
    checked("train_supervised", {"dataset_id": "wine", "algorithm": "logistic_regression", "note": "初回: 様子見"})
)
SLIP = """\
# yaml-language-server: $schema=schemas/train_supervised.v1.json
denpyo: 1
id: "7k3m-9qx2-b4td"
kind: train_supervised
version: 1
schema: "sha256:FINGERPRINT"
by: "denpyo 0.1.0"
requested_by:
  name: "花子 <hanako@example.com>"
  trust: claimed
requested_at: "2026-11-21T09:30:00+09:00"
via:
  door: excel
  source: "依頼.xlsx"
  sha256: "0000000000000000000000000000000000000000000000000000000000000000"
  where: "入力!C3"
language: ja
job:
  dataset_id: wine
  target: target
  task_type: classification
  algorithm: logistic_regression
  hyperparameters:
    c: 1.0
    max_iter: 100
  evaluation_threshold: null
  max_retry: 0
  seed: 42
  note: "初回: 様子見"
resources:
  queue: default
  gpus: 0
  max_hours: 2.0
changes:
- question: task_type
  before: ""
  after: classification
  why:
    en: "this algorithm does classification only"
    ja: "このアルゴリズムは分類専用のため"
""".replace("FINGERPRINT", SHIPPED["train_supervised"].form.fingerprint)


def test_a_slip_is_these_bytes() -> None:
    assert write(REQUEST).decode() == SLIP


def test_a_slip_is_read_back_as_the_request_it_was() -> None:
    assert read(SLIP.encode(), SHIPPED) == REQUEST


def test_the_same_request_gives_the_same_bytes() -> None:
    again = request_of(
        checked(
            "train_supervised", {"note": "初回: 様子見", "algorithm": "Logistic regression", "dataset_id": "ｗｉｎｅ"}
        )
    )
    assert write(again) == write(REQUEST)


def test_a_canonical_job_does_not_depend_on_who_asks_or_in_which_order() -> None:
    one = checked("inference", {"model_id": "m-1", "dataset_id": "wine"})
    two = checked("inference", {"dataset_id": "wine", "model_id": "m-1", "output_format": "CSV"})
    assert canonical_job(one.job) == canonical_job(two.job)
    assert canonical_job(one.job) == b'{"dataset_id":"wine","model_id":"m-1","note":null,"output_format":"csv"}'


def test_both_yaml_1_1_and_1_2_read_a_slip_as_the_same() -> None:
    assert yaml.safe_load(SLIP) == yaml_12.load(SLIP)


VISIBLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co"]), max_size=30)
CHANGES = st.builds(Change, VISIBLE, VISIBLE, VISIBLE, st.builds(Words, VISIBLE, VISIBLE))


@st.composite
def requests(draw: st.DrawFn, kind: Kind) -> Request:
    job, resources = draw(jobs(kind, as_read=True))
    zone = timezone(timedelta(minutes=draw(st.integers(-720, 840))))
    return Request(
        id=draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)),
        kind=kind.name,
        version=kind.form.version,
        schema=kind.form.fingerprint,
        denpyo=draw(st.sampled_from(["0.1.0", "1.0", "2026.11.dev1+x"])),
        requested_by=draw(VISIBLE.filter(bool)),
        trust=draw(st.sampled_from(["machine", "claimed"])),
        requested_at=draw(st.datetimes(timezones=st.just(zone))).replace(microsecond=0),
        via=Via(draw(VISIBLE), draw(VISIBLE), draw(VISIBLE), draw(VISIBLE)),
        language=draw(st.sampled_from(["en", "ja"])),
        job=job,
        resources=resources,
        changes=tuple(draw(st.lists(CHANGES, max_size=2))),
    )


def test_a_job_is_drawn_even_where_the_bound_of_another_answer_leaves_no_value_below_the_greatest() -> None:
    orders = KINDS["orders"].form
    for low in (999.9999999999999, 1000.0, 12.5):
        values(in_order(orders, orders.by_name["frame.high"][0], {"frame.low": low})).validate()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
def test_a_slip_is_the_bytes_that_the_plain_emitter_writes(kind: Kind, data: st.DataObject) -> None:
    request = data.draw(requests(kind))
    assert write(request) == plain_yaml.slip(request)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
def test_every_request_survives_its_slip(kind: Kind, data: st.DataObject) -> None:
    request = data.draw(requests(kind))
    written = write(request)
    assert read(written, KINDS) == request
    assert write(read(written, KINDS)) == written
    assert yaml.safe_load(written) == yaml_12.load(written.decode())


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(SlipError) as caught:
        read(text.encode(), SHIPPED, "s.yaml")
    assert all(one.line(language) for one in caught.value.problems for language in ("en", "ja"))
    return [(one.where.spot, one.code) for one in caught.value.problems]


def edited(old: str, new: str) -> str:
    assert old in SLIP
    return SLIP.replace(old, new)


HOSTILE = {
    "an anchor": ("id: ", "id: &x ", "3:5", "yaml_forbidden"),
    "an alias": ("language: ja", "language: *x", "17:11", "yaml_forbidden"),
    "a tag": ("seed: 42", "seed: !!python/name:os.system 42", "28:9", "yaml_forbidden"),
    "a directive": (
        "# yaml-language-server: $schema=schemas/train_supervised.v1.json",
        "%YAML 1.1\n---",
        "1:1",
        "yaml_forbidden",
    ),
    "a merge key": ("  seed: 42", "  <<: {seed: 42}", "28:3", "yaml_forbidden"),
    "a duplicate name": ("  seed: 42", "  seed: 42\n  seed: 43", "29:3", "yaml_duplicate"),
    "depth": ("seed: 42", "seed: " + "[" * 9, "28:16", "yaml_too_deep"),
    "a second document": ("changes:", "---\nchanges:", "", "yaml_shape"),
    "broken YAML": ("seed: 42", "seed: 4: 2", "28:10", "yaml_syntax"),
    "a tag for the language": ("language: ja", "language: !!str ja", "17:11", "yaml_forbidden"),
}


@pytest.mark.parametrize(("old", "new", "spot", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_is_refused_at_its_line_and_column(old: str, new: str, spot: str, code: str) -> None:
    assert refused(edited(old, new)) == [(spot, code)]


ENVELOPE = {
    "another format": ("denpyo: 1", "denpyo: 2", "2:9", "yaml_shape"),
    "an id that leads elsewhere": ('id: "7k3m-9qx2-b4td"', "id: ../../etc/passwd", "3:5", "bad_identifier"),
    "an empty id": ('id: "7k3m-9qx2-b4td"', "id:", "3:4", "bad_identifier"),
    "a list for an id": ('id: "7k3m-9qx2-b4td"', "id: [a]", "3:5", "yaml_shape"),
    "an unknown kind": ("kind: train_supervised", "kind: train_supervise", "4:7", "unknown_kind"),
    "a list of kinds": ("kind: train_supervised", "kind: [train_supervised]", "4:7", "yaml_shape"),
    "a newer version": ("version: 1", "version: 2", "5:10", "newer_template"),
    "a version in words": ("version: 1", "version: one", "5:10", "not_whole"),
    "a version without end": ("version: 1", "version: " + "9" * 5000, "5:10", "not_whole"),
    "no fingerprint": ("schema: ", "schema: x # ", "6:9", "yaml_shape"),
    "a bare sender": (
        'requested_by:\n  name: "花子 <hanako@example.com>"\n  trust: claimed',
        "requested_by: me",
        "8:15",
        "yaml_shape",
    ),
    "a sender without trust": ("  trust: claimed\n", "", "9:3", "missing"),
    "a sender of many": ('name: "花子 <hanako@example.com>"', "name: [a]", "9:9", "yaml_shape"),
    "a time without a zone": ("09:30:00+09:00", "09:30:00", "11:15", "yaml_shape"),
    "no time at all": ('requested_at: "2026-11-21T09:30:00+09:00"', "requested_at: yesterday", "11:15", "yaml_shape"),
    "a door too many": ("  door: excel", "  door: excel\n  window: x", "14:3", "unknown_key"),
    "no door": ("  door: excel\n", "", "13:3", "missing"),
    "a door inside a door": ("  door: excel", "  door: {a: b}", "13:9", "yaml_shape"),
    "an unknown language": ("language: ja", "language: jp", "17:11", "unknown_choice"),
    "a list for a language": ("language: ja", "language: [ja]", "17:11", "yaml_shape"),
    "a job that is a text": ("job:", "job: x\nrest:", "18:6", "yaml_shape"),
    "changes that are a text": ("changes:\n", "changes: x\nrest:\n", "34:10", "yaml_shape"),
    "a change that is a text": ("- question: task_type", "- x\n- question: task_type", "35:3", "yaml_shape"),
    "a change of something unknown": (
        "- question: task_type",
        "- question: task_type\n  who: me",
        "36:3",
        "unknown_key",
    ),
    "a name nobody knows": ("language: ja", "langauge: ja", "17:1", "unknown_key"),
    "a name that is missing": ('by: "denpyo 0.1.0"\n', "", "2:1", "missing"),
    "an unknown answer": ("seed: 42", "sede: 42", "28:9", "unknown_question"),
    "a bad answer": ("seed: 42", "seed: -1", "28:9", "too_small"),
    "Norway": ("dataset_id: wine", "dataset_id: NO", "19:15", "bad_identifier"),
}


@pytest.mark.parametrize(("old", "new", "spot", "code"), ENVELOPE.values(), ids=ENVELOPE)
def test_a_slip_that_was_meddled_with_is_refused_where_it_was(old: str, new: str, spot: str, code: str) -> None:
    assert (spot, code) in refused(edited(old, new))


def test_a_slip_says_all_that_is_wrong_with_its_answers_at_once() -> None:
    text = (
        edited("seed: 42", "seed: -1")
        .replace("max_retry: 0", "max_retry: 4")
        .replace("max_iter: 100", "max_iter: many")
    )
    assert refused(text) == [("25:15", "not_a_number"), ("27:14", "too_big"), ("28:9", "too_small")]


@pytest.mark.parametrize("text", ["", "# nothing\n", "wine", "[1, 2]", "~"])
def test_what_is_no_slip_is_refused(text: str) -> None:
    assert [code for _, code in refused(text)] == ["yaml_shape"]


@pytest.mark.parametrize("typed", ["no", "off", "010", "1:30", "1_000", "2026-11-21", "0x1F", "1e3", "true"])
def test_a_text_stays_the_text_that_was_typed(typed: str) -> None:
    for written in (typed, f"'{typed}'"):
        assert read(edited('"初回: 様子見"', written).encode(), SHIPPED).job.answers()["note"] == typed


def bare(text: str) -> Node:
    (node,) = load(text.encode(), "a.yaml")
    assert isinstance(node, Node)
    return node


BARE = """\
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


def test_a_document_by_hand_becomes_a_job() -> None:
    assert list(envelope_problems(bare(BARE), BARE_KEYS)) == []
    found = check(answers(bare(BARE)), SHIPPED)
    assert isinstance(found, Checked)
    assert found.job.answers()["hyperparameters"]["max_depth"] == 10
    assert found.changes == ()


def test_a_document_by_hand_may_say_more() -> None:
    text = BARE + "version: 1\nrequested_by: hanako\nagain: new data\nlanguage: ja\nresources: {gpus: 1}\n"
    found = answers(bare(text))
    assert list(envelope_problems(bare(text), BARE_KEYS)) == []
    assert (found.version, found.language) == (1, "ja")
    assert found.sender == Located("hanako", Where("a.yaml", "11:15"))
    assert found.again == Located("new data", Where("a.yaml", "12:8"))
    assert found.given["resources.gpus"] == Located("1", Where("a.yaml", "14:19"))


def test_an_unknown_language_is_left_to_the_desk() -> None:
    assert answers(bare(BARE + "language: fr\n")).language == ""
    assert answers(bare(BARE + "language: [ja]\n")).language == ""


def test_what_a_slip_only_has_is_unknown_in_a_document_by_hand() -> None:
    problems = list(envelope_problems(bare(BARE + "via: {}\nid: ../x\n"), BARE_KEYS))
    assert [(one.where.spot, one.code) for one in problems] == [("10:1", "unknown_key"), ("11:1", "unknown_key")]


@pytest.mark.parametrize("text", ["job: {}", "kind: inference"])
def test_a_document_by_hand_needs_its_kind_and_its_job(text: str) -> None:
    (problem,) = envelope_problems(bare(text), BARE_KEYS)
    assert problem == Problem("missing", Where("a.yaml", "1:1"), problem.question, {"label": problem.question})
    assert problem.question == ({"kind", "job"} - {text.split(":")[0]}).pop()


def test_a_slip_in_another_zone_is_another_slip_of_the_same_moment() -> None:
    utc = replace(REQUEST, requested_at=REQUEST.requested_at.astimezone(UTC))
    assert b'requested_at: "2026-11-21T00:30:00+00:00"' in write(utc)
    assert read(write(utc), SHIPPED) == REQUEST


def test_resources_inside_the_job_are_an_unknown_answer() -> None:
    assert refused(edited("  seed: 42", "  seed: 42\n  resources: {gpus: 64}")) == [("29:21", "unknown_question")]


def test_a_slip_cannot_say_more_than_a_job_has(tmp_path: Any) -> None:
    assert isinstance(REQUEST.job, Job)
    assert isinstance(REQUEST.resources, Resources)
    with pytest.raises(SlipError, match="unknown_question"):
        read(edited("  gpus: 0", "  gpus: 0\n  memory: 1").encode(), SHIPPED)
