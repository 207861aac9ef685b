"""The GitHub door: the forms as GitHub takes them, and whole issues read back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from generators import Read, issue_form, json_schema
from generators.issue_fields import MARK, fields
from schema import text
from schema.check import Checked, check
from schema.problem import Problem
from schema.slip import canonical_job
from schema.words import languages
from tests.generators.github_issues import Entered, body, entered, payload, refused
from tests.kinds_for_tests import KINDS, SHIPPED
from tests.kinds_for_tests._jobs import filled, jobs

FORMS = {
    (name, language): issue_form.write(kind.form, language) for name, kind in KINDS.items() for language in languages()
}
read = partial(issue_form.read, name="issue", kinds=KINDS, read_yaml=json_schema.read)


def one(said: str) -> Read:
    responses, problems = read(payload(said))
    assert problems == []
    return responses[0]


def lines(problems: tuple[Problem, ...] | list[Problem], language: str = "en") -> list[str]:
    return [problem.line(language) for problem in problems]


@pytest.mark.parametrize(("name", "language"), FORMS)
def test_github_takes_every_form(name: str, language: str) -> None:
    assert refused(FORMS[name, language]) == []


def test_the_same_form_is_the_same_bytes() -> None:
    form = SHIPPED["train_supervised"].form
    assert issue_form.write(form, "ja") == FORMS["train_supervised", "ja"]


def test_questions_that_share_a_label_are_told_apart_by_the_answer_they_hang_on() -> None:
    labels = {one.key: one.label for one in fields(SHIPPED["train_supervised"].form, "ja")}
    assert labels["hyperparameters.n_estimators@random_forest"] == "木の数（ランダムフォレスト）"
    assert labels["hyperparameters.n_estimators@xgboost"] == "木の数（XGBoost）"
    assert labels["hyperparameters.c"] == "正則化の弱さ（C）"


def test_an_element_says_when_it_is_meant_what_may_be_answered_and_what_empty_means() -> None:
    template = yaml.safe_load(FORMS["train_supervised", "en"])
    trees = next(one for one in template["body"] if one.get("id") == "hyperparameters-n_estimators--xgboost")
    assert trees == {
        "type": "input",
        "id": "hyperparameters-n_estimators--xgboost",
        "attributes": {
            "label": "How many trees? (XGBoost)",
            "description": "Only if “Which algorithm?” is “XGBoost”.  \n"
            "More trees take longer and vary less.  \n"
            "Allowed: whole number, 1 to 10,000. Example: 100  \n"
            "Unit: trees  \n"
            "If left empty: 100",
            "placeholder": "100",
        },
        "validations": {"required": False},
    }


def test_yes_and_no_are_text_and_the_last_element_says_which_form_this_is() -> None:
    elements = {one.get("id"): one for one in yaml.safe_load(FORMS["every_field", "en"])["body"]}
    assert ["yes", "no"] in [one["attributes"].get("options") for one in elements.values()]
    assert list(elements)[-1] == MARK
    assert elements[MARK]["attributes"]["options"] == ["every_field v3 en"]
    assert elements[MARK]["attributes"]["default"] == 0


WINE: dict[str, Entered] = {
    "dataset_id": "wine",
    "algorithm": ("XGBoost",),
    "hyperparameters-n_estimators--xgboost": "200",
}


def test_an_issue_is_read_with_its_name_language_version_and_places() -> None:
    found = one(body(FORMS["train_supervised", "ja"], WINE))
    assert found.problems == found.warnings == ()
    answers = found.answers
    assert (answers.kind, answers.language, answers.version) == ("train_supervised", "ja", 1)
    assert answers.named == "github:example/jobs#12"
    assert str(answers.given["dataset_id"].where) == "issue #12:3: ### どのデータセットですか"
    assert str(answers.place("hyperparameters.n_estimators@xgboost")) == "issue #12:35: ### 木の数（XGBoost）"
    checked = check(answers, KINDS)
    assert isinstance(checked, Checked)
    assert checked.job.answers()["hyperparameters"]["n_estimators"] == 200


def test_windows_line_ends_change_nothing() -> None:
    plain = body(FORMS["train_supervised", "ja"], WINE)
    assert one(plain.replace("\n", "\r\n")) == one(plain)


def test_a_wrong_answer_is_found_at_its_line_under_its_heading() -> None:
    found = one(body(FORMS["train_supervised", "en"], {**WINE, "hyperparameters-n_estimators--xgboost": "many"}))
    problems = check(found.answers, KINDS)
    assert isinstance(problems, list)
    assert lines(problems) == [
        "issue #12:35: ### How many trees? (XGBoost): “many” is not a number. "
        "Write a number in digits, such as 100. [not_a_number]"
    ]


def test_without_its_mark_a_form_is_known_by_its_headings() -> None:
    whole = body(FORMS["inference", "ja"], {"model_id": "m-1", "dataset_id": "wine"})
    answers = one(whole[: whole.index("### 依頼票の種類")]).answers
    assert (answers.kind, answers.language, answers.version) == ("inference", "ja", None)
    assert answers.given["model_id"].value == "m-1"


def test_headings_that_two_forms_have_ask_which_is_meant() -> None:
    assert lines(read(payload("### Which queue?\n\ndefault"))[1])[0].startswith(
        "issue #12: This could have been written with several forms: "
    )


def test_a_form_of_a_kind_that_is_gone_is_never_taken_for_another() -> None:
    gone = body(FORMS["inference", "en"], {"model_id": "m-1"}).replace("inference v1 en", "retired v3 en")
    problems = check(one(gone).answers, KINDS)
    assert isinstance(problems, list)
    assert [problem.code for problem in problems] == ["unknown_kind"]


def test_a_form_newer_than_this_desk_is_said_to_be_so() -> None:
    newer = body(FORMS["inference", "en"], {"model_id": "m-1"}).replace("inference v1 en", "inference v7 en")
    problems = check(one(newer).answers, KINDS)
    assert isinstance(problems, list)
    assert [problem.code for problem in problems] == ["newer_template"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("not JSON", b"\xff{"),
        ("no object", b"[]"),
        ("another event", b'{"repository": {"full_name": "a/b"}, "comment": {}}'),
        ("no number", b'{"repository": {"full_name": "a/b"}, "issue": {"number": true, "body": ""}}'),
        ("deep", b"[" * 100_000),
    ],
)
def test_what_is_no_event_of_an_issue_is_a_problem(name: str, data: bytes) -> None:
    assert lines(read(data)[1]) == [
        "issue: This is not what GitHub says of an issue. "
        "Give the file that GITHUB_EVENT_PATH names in a workflow on “issues”. [issue_event]"
    ]


@pytest.mark.parametrize("said", [None, "", "Please train something nice.", "- [x] yes", "### Something else\n\nyes"])
def test_an_issue_without_answers_says_how_to_write_one(said: str | None) -> None:
    responses, problems = read(payload(said))
    assert responses == []
    assert lines(problems) == [
        "issue #12: There is no request in this issue: neither the headings of a form nor a YAML block. "
        "Open a new issue with one of the forms, or write the request between ```yaml and ```. [issue_unread]"
    ]


FLAT = """\
learning_type: supervised
algorithm: random_forest
dataset_id: my-dataset-001
hyperparameters:
  n_estimators: 100
  max_depth: 10
  min_samples_split: 2
evaluation_threshold: 0.85
max_retry: 3
"""


@pytest.mark.parametrize(
    "said",
    [
        FLAT,
        f"```yaml\n{FLAT}```",
        f"Please run this:\n\n```yml\n{FLAT}```\n\n```\na log\n```\nThanks!",
        f"```\n{FLAT}```".replace("\n", "\r\n"),
        f"### メモ\n\nお願いします。\n\n```yaml\n{FLAT}```",
    ],
    ids=[
        "whole body",
        "fenced",
        "fenced between words",
        "fenced without a name",
        "fenced under a heading of one's own",
    ],
)
def test_a_request_in_yaml_is_read_from_the_body(said: str) -> None:
    found = one(said)
    assert found.problems == ()
    assert found.answers.named == "github:example/jobs#12"
    checked = check(found.answers, KINDS)
    assert isinstance(checked, Checked)
    assert checked.kind == "train_supervised"
    assert {**checked.job.answers(), "hyperparameters": {**checked.job.answers()["hyperparameters"]}} == {
        "dataset_id": "my-dataset-001",
        "target": "target",
        "task_type": "classification",
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 100, "max_depth": 10, "min_samples_split": 2, "min_samples_leaf": 1},
        "evaluation_threshold": 0.85,
        "max_retry": 3,
        "seed": 42,
        "note": None,
    }


SEED = Path(__file__).parents[3] / "shared/seeds/004_fe377ef15670edf5.txt"


@pytest.mark.skipif(not SEED.exists(), reason="the document that this answers to is not here")
def test_every_example_of_supervised_learning_in_the_document_is_a_request_as_it_is_written() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", SEED.read_text(encoding="utf-8"), re.DOTALL)
    examples = [yaml.safe_load(one) for one in blocks if "learning_type: supervised" in one]
    assert len(examples) >= 3
    for written in examples:
        found = check(one(f"```yaml\n{yaml.safe_dump(written)}```").answers, KINDS)
        assert isinstance(found, Checked), (written, found)
        given = {name: value for name, value in written.items() if name != "learning_type"}
        job = found.job.answers()
        assert given.pop("hyperparameters", {}).items() <= job["hyperparameters"].items()
        assert given.items() <= job.items()


def test_a_problem_in_yaml_stands_at_its_line_of_the_body() -> None:
    found = one("Hello\n\n```yaml\n" + FLAT.replace("100", "many", 1) + "```\n")
    problems = check(found.answers, KINDS)
    assert isinstance(problems, list)
    assert lines(problems) == [
        "issue #12:8:17: “many” is not a number. Write a number in digits, such as 100. [not_a_number]"
    ]


def test_learning_that_no_kind_offers_is_said_at_its_place() -> None:
    responses, problems = read(payload("learning_type: unsupervised\nalgorithm: kmeans\n"))
    assert responses == []
    assert lines(problems) == [
        "issue #12:1:16: “unsupervised” is not one of the choices. Choose from: supervised. [unknown_choice]"
    ]


@pytest.mark.parametrize(
    "said", [f"```yaml\n{FLAT}```\n```yaml\n{FLAT}```", f"{FLAT}---\n{FLAT}"], ids=["blocks", "documents"]
)
def test_two_requests_in_one_issue_are_asked_about(said: str) -> None:
    responses, problems = read(payload(said))
    assert responses == []
    assert [problem.code for problem in problems] == ["issue_several"]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=6)
@given(data=st.data())
def test_any_answers_come_back_as_they_were_entered_or_are_asked_about(
    name: str, language: str, data: st.DataObject
) -> None:
    kind = KINDS[name]
    headings = [f"\n\n### {one.label}\n\n" for one in fields(kind.form, language)]
    noise = st.sampled_from(["```", "~~~\n", "\n", "_No response_", "- [x] a", *headings])
    values = data.draw(filled(kind.form, as_read=True))
    given_in = entered(kind, language, values)
    areas = [one for one in fields(kind.form, language) if one.element == "textarea"]
    for area in areas:
        if data.draw(st.booleans()):
            given_in[area.id] = "x" + "".join(data.draw(st.lists(noise, max_size=4))) + "y"
    plain = {
        id: one for id, one in given_in.items() if not isinstance(one, str) or ("\n" not in one and "\r" not in one)
    }
    given_in = {id: one for id, one in given_in.items() if id in plain or id in {area.id for area in areas}}
    found = one(body(FORMS[name, language], given_in))
    if found.problems:
        assert {problem.code for problem in found.problems} <= {"issue_heading_twice", "issue_options"}
        return
    assert found.warnings == ()
    for field in fields(kind.form, language)[:-1]:
        question = kind.form.by_key[field.key]
        wanted = given_in.get(field.id, "")
        meant = tuple(field.means[one] for one in wanted) if isinstance(wanted, tuple) else wanted
        read_back = text.read(question, found.answers.given[field.key].value)
        assert read_back == text.read(question, meant if field.several or not isinstance(meant, tuple) else meant[0])


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=6)
@given(data=st.data())
def test_any_job_given_through_the_form_is_that_job(name: str, language: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    job, resources = data.draw(jobs(kind, as_read=True))
    values = {**dict(flat(job.answers())), **dict(flat({"resources": resources.answers()}))}
    given_in = entered(kind, language, values)
    lines_of_one = {one.id for one in fields(kind.form, language) if one.element == "input"}
    assume(not any("\n" in str(one) or "\r" in str(one) for id, one in given_in.items() if id in lines_of_one))
    found = one(body(FORMS[name, language], given_in))
    checked = check(found.answers, KINDS)
    assert isinstance(checked, Checked), lines(checked)
    assert canonical_job(checked.job) == canonical_job(job)
    assert checked.resources == resources


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, tuple(value) if isinstance(value, list) else value


FRAGMENTS = st.sampled_from(
    [
        *(f"### {one.label}" for one in fields(SHIPPED["inference"].form, "en")),
        *(
            "inference v1 en",
            "inference v9 en",
            "gone v1 ja",
            "wine",
            "None",
            "_No response_",
            "```yaml",
            "```",
            "~~~",
            "###",
            "---",
        ),
        *(
            "kind: inference",
            "job:",
            "  model_id: m-1",
            "learning_type: supervised",
            "learning_type: [",
            "- [x] CSV",
            "\r",
            "\ud800",
            "",
        ),
    ]
) | st.text(max_size=8)


@settings(max_examples=200)
@example("learning_type: [")
@given(st.lists(FRAGMENTS, max_size=14).map("\n".join))
def test_any_body_is_read_or_asked_about_at_a_place_in_it(said: str) -> None:
    responses, problems = read(payload(said))
    assert len(responses) <= 1
    assert responses or problems
    for response in responses:
        found = check(response.answers, KINDS)
        problems = [*problems, *response.problems, *response.warnings, *(found if isinstance(found, list) else ())]
    for problem in problems:
        assert problem.where.file == "issue #12"
        assert problem.where.spot.partition(":")[0] in (
            "",
            *map(str, range(1, said.count("\n") + said.count("\r") + 2)),
        )
        assert problem.line("ja")
