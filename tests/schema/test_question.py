"""A Job class, read into a Form."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, create_model

from schema.job import Ask, By, Choice, Identifier, Job, Part, Unit, When, rule
from schema.question import Condition, Form, Limits, Question, form_of
from schema.words import Words
from tests.kinds_for_tests import KINDS

HELP = Words("Help.", ja="説明です。")
ASK = Ask("A question?", ja="質問ですか", help=HELP, example="1")
YES_NO = (Choice("a", "A", ja="ア"), Choice("b", "B", ja="イ"))
PICK = Ask("Which?", ja="どれ", help=HELP, choices=YES_NO)


class Empty(Job):
    title: ClassVar[Words] = Words("A kind", ja="種類")
    about: ClassVar[Words] = Words("It asks.", ja="尋ねます。")
    workload: ClassVar[str] = "nothing"


class First(Part):
    title: ClassVar[Words] = Words("First", ja="一")
    size: Annotated[int, ASK] = 1


class Second(Part):
    title: ClassVar[Words] = Words("Second", ja="二")
    size: Annotated[int, ASK] = 2


def form(**fields: Any) -> Form:
    return form_of("made", create_model("Made", __base__=Empty, **fields))


def only(**fields: Any) -> Question:
    return form(**fields).questions[0]


def test_a_form_lists_the_questions_in_the_order_of_the_class_and_the_resources_last() -> None:
    assert [one.key for one in KINDS["inference"].form.questions] == [
        "model_id",
        "dataset_id",
        "output_format",
        "note",
        "resources.queue",
        "resources.gpus",
        "resources.max_hours",
    ]


@pytest.mark.parametrize(
    ("name", "widget"),
    [
        ("name", "identifier"),
        ("subject", "text"),
        ("count", "whole_number"),
        ("share", "number"),
        ("urgent", "yes_no"),
        ("colour", "choice"),
        ("metrics", "many_choice"),
        ("due", "date"),
        ("begins", "date"),
        ("limit", "duration"),
        ("pause", "duration"),
        ("machine.cores", "whole_number"),
        ("resources.queue", "identifier"),
    ],
)
def test_the_type_of_a_field_decides_its_widget(name: str, widget: str) -> None:
    assert KINDS["every_field"].form.by_key[name].widget == widget


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("subject", Limits(shortest=2, longest=40)),
        ("code", Limits(pattern=r"^[A-Z]{2}-[0-9]{3}$")),
        ("count", Limits(least=1, greatest=1_000_000)),
        ("share", Limits(above=0, below=1)),
        ("metrics", Limits(shortest=1, longest=2)),
        ("due", Limits(least="2026-01-01", greatest="2030-12-31")),
        ("limit", Limits(above=0.0, greatest=43_200_000.0)),
        ("temperature", Limits(least=-273.15)),
        ("urgent", Limits()),
    ],
)
def test_limits_are_read_from_the_class(name: str, limits: Limits) -> None:
    assert KINDS["every_field"].form.by_key[name].limits == limits


@pytest.mark.parametrize(
    ("name", "required", "default"),
    [
        ("name", True, None),
        ("remarks", False, None),
        ("count", True, None),
        ("share", False, 0.5),
        ("metrics", False, ("accuracy",)),
        ("due", True, None),
        ("limit", False, 3600.0),
        ("resources.max_hours", False, 1.0),
    ],
)
def test_a_question_without_a_default_is_required(name: str, required: bool, default: object) -> None:
    question = KINDS["every_field"].form.by_key[name]
    assert (question.required, question.default) == (required, default)


def test_an_answer_that_follows_from_others_is_not_required_though_it_has_no_default() -> None:
    question = KINDS["train_supervised"].form.by_key["task_type"]
    assert (question.required, question.default) == (False, None)


def test_what_an_empty_kind_of_prediction_stands_for_is_said_as_it_is_done() -> None:
    kind = KINDS["train_supervised"]
    blank = kind.form.by_key["task_type"].blank
    assert blank == Words("regression for linear regression, else classification", ja="線形回帰なら回帰、ほかは分類")
    algorithms = [one.value for one in kind.form.by_key["algorithm"].choices]
    assert {one: kind.job.complete({"algorithm": one})["task_type"][0] for one in algorithms} == {
        "random_forest": "classification",
        "xgboost": "classification",
        "neural_network": "classification",
        "logistic_regression": "classification",
        "linear_regression": "regression",
    }


def test_a_kind_that_sets_its_own_resources_shows_them_as_defaults() -> None:
    assert KINDS["train_supervised"].form.by_key["resources.max_hours"].default == 2.0


def test_members_of_a_by_share_names_and_are_told_apart_by_key_and_condition() -> None:
    shared = KINDS["train_supervised"].form.by_name["hyperparameters.n_estimators"]
    assert [(one.key, one.conditions) for one in shared] == [
        ("hyperparameters.n_estimators@random_forest", (Condition("algorithm", ("random_forest",)),)),
        ("hyperparameters.n_estimators@xgboost", (Condition("algorithm", ("xgboost",)),)),
    ]


def test_a_field_of_one_member_alone_keeps_its_name_as_key() -> None:
    assert KINDS["train_supervised"].form.by_key["hyperparameters.c"].conditions == (
        Condition("algorithm", ("logistic_regression",)),
    )


def test_a_when_inside_a_by_is_told_apart_by_the_member_not_by_its_own_condition() -> None:
    shared = KINDS["conditions"].form.by_name["settings.patience"]
    assert [one.key for one in shared] == ["settings.patience@small", "settings.patience@big"]
    assert shared[1].conditions == (Condition("engine", ("big",)), Condition("settings.early", (True,)))
    assert shared[1].required


def test_a_by_inside_a_by_collects_the_conditions_of_both() -> None:
    assert KINDS["conditions"].form.by_key["settings.pace.half_life"].conditions == (
        Condition("engine", ("big",)),
        Condition("settings.scheme", ("decay",)),
    )


def test_two_whens_are_one_conjunction() -> None:
    assert KINDS["conditions"].form.by_key["guard"].conditions == (
        Condition("mode", ("careful",)),
        Condition("alert", (True,)),
    )


def test_a_part_heads_its_questions_with_its_title() -> None:
    by_key = KINDS["every_field"].form.by_key
    assert by_key["machine.cores"].section == Words("The machine", ja="計算機")
    assert by_key["name"].section == Words("Every field", ja="すべての項目")


class BadRule(Empty):
    size: Annotated[int, ASK] = 1

    @rule("size", en="No.", ja="いいえ。")
    def fits(sise: int) -> bool:
        return sise > 0


class BadBlame(Empty):
    size: Annotated[int, ASK] = 1

    @rule("sise", en="No.", ja="いいえ。")
    def fits(size: int) -> bool:
        return size > 0


CANNOT_BE_ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "no Ask": ({"size": (int, 1)}, "size: a field needs an Ask"),
    "a type no door knows": (
        {"size": (Annotated[bytes, ASK], b"")},
        "size: no door can ask for <class 'bytes'>; write one of str, bool, int, float, date, timedelta, Identifier, "
        "Literal[…], tuple[Literal[…], ...], or one of them | None",
    ),
    "two types": (
        {"size": (Annotated[int | str | None, ASK], None)},
        "size: no door can ask for int | str | None; write one of str, bool, int, float, date, timedelta, Identifier, "
        "Literal[…], tuple[Literal[…], ...], or one of them | None",
    ),
    "choices without labels": (
        {"pick": (Annotated[Literal["a", "b"], ASK], "a")},
        "pick: choices must label ('a', 'b'), in this order",
    ),
    "By before its sibling": (
        {
            "inner": (Annotated[First | Second, By("pick", a=First, b=Second)], ...),
            "pick": (Annotated[Literal["a", "b"], PICK], ...),
        },
        "Made.inner: its By looks at 'pick', which must be a field before it",
    ),
    "By without a member for a choice": (
        {
            "pick": (Annotated[Literal["a", "b"], PICK], ...),
            "inner": (Annotated[First | Second, By("pick", a=First)], ...),
        },
        "Made.inner: its By needs a member for each of 'a', 'b'",
    ),
    "By on an answer that may be left out": (
        {
            "pick": (Annotated[Literal["a", "b"] | None, PICK], None),
            "inner": (Annotated[First | Second, By("pick", a=First, b=Second)], ...),
        },
        "Made.inner: its By looks at 'pick', which may be left out",
    ),
    "When before its sibling": (
        {
            "size": (Annotated[int | None, When("flag", True), ASK], None),
            "flag": (Annotated[bool, ASK], False),
        },
        "Made.size: its When looks at 'flag', which must be a field before it",
    ),
    "When on a choice that is not there": (
        {
            "pick": (Annotated[Literal["a", "b"], PICK], "a"),
            "size": (Annotated[int | None, When("pick", "c"), ASK], None),
        },
        "size: its condition on 'pick' waits for 'c', which nobody can answer",
    ),
    "When with a default": (
        {"flag": (Annotated[bool, ASK], False), "size": (Annotated[int, When("flag", True), ASK], 1)},
        "Made: a field with When has the type X | None and the default None",
    ),
    "a choice offered by a stranger": (
        {
            "pick": (
                Annotated[
                    Literal["a"],
                    Ask("?", ja="？", help=HELP, choices=(Choice("a", "A", ja="ア", when=When("flag", True)),)),
                ],
                "a",
            )
        },
        "pick: its choice 'a' looks at 'flag', which is no field beside it",
    ),
    "None beside another default": (
        {"size": (Annotated[int | None, ASK], 5)},
        "size: a field that may be None has the default None",
    ),
    "None without a default": (
        {"size": (Annotated[int | None, ASK], ...)},
        "size: a field that may be None has the default None",
    ),
    "a pattern that matches a part": (
        {"code": (Annotated[str, Field(pattern="[0-9]+"), ASK], "1")},
        "code: a pattern must begin with ^ and end with $, because it is matched as a whole",
    ),
}


@pytest.mark.parametrize(("fields", "said"), CANNOT_BE_ASKED.values(), ids=CANNOT_BE_ASKED)
def test_a_class_that_cannot_be_asked_is_the_engineers_mistake(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        form(**fields)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (BadRule, "BadRule.fits: a rule looks at 'sise', which is no field beside it"),
        (BadBlame, "BadBlame.fits: a rule looks at 'sise', which is no field beside it"),
    ],
    ids=["a parameter", "a blame"],
)
def test_a_rule_about_a_field_that_is_not_there_is_the_engineers_mistake(job: type[Job], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        form_of("made", job)
    assert str(caught.value) == said


def question_about(label: str, **marks: Any) -> Question:
    ask = Ask(label, ja=label, help=HELP, **marks)
    return only(size=(Annotated[int, Field(ge=1), ask], 1))


SAME = {
    "label": question_about("Another label"),
    "help": replace(question_about("A"), help=Words("Other help", ja="別の説明")),
    "example": question_about("A", example="7"),
    "basic": question_about("A", basic=True),
    "section": replace(question_about("A"), section=Words("Elsewhere", ja="別の節")),
    "Japanese unit": question_about("A", unit=Unit("", ja="個")),
}
OTHER = {
    "name": replace(question_about("A"), name="sise", key="sise"),
    "widget": replace(question_about("A"), widget="number"),
    "limit": replace(question_about("A"), limits=Limits(least=2)),
    "exclusive limit": replace(question_about("A"), limits=Limits(above=1)),
    "default": replace(question_about("A"), default=2),
    "required": replace(question_about("A"), required=True),
    "unit": question_about("A", unit=Unit("kg", ja="kg")),
    "condition": replace(question_about("A"), conditions=(Condition("flag", (True,)),)),
    "choices": replace(question_about("A"), choices=YES_NO),
    "when of a choice": replace(question_about("A"), choices=(Choice("a", "A", ja="ア", when=When("flag", True)),)),
}


def fingerprint(*questions: Question, version: int = 1) -> str:
    return Form("made", version, Words("T"), Words("A"), questions).fingerprint


@pytest.mark.parametrize("question", SAME.values(), ids=SAME)
def test_mending_words_changes_no_fingerprint(question: Question) -> None:
    assert fingerprint(question) == fingerprint(question_about("A"))


@pytest.mark.parametrize("question", OTHER.values(), ids=OTHER)
def test_what_decides_which_answers_are_good_changes_the_fingerprint(question: Question) -> None:
    assert fingerprint(question) != fingerprint(question_about("A"))


def test_each_meaning_has_a_fingerprint_of_its_own() -> None:
    assert len({fingerprint(one) for one in OTHER.values()}) == len(OTHER)


def test_version_and_order_are_part_of_the_fingerprint() -> None:
    one, two = question_about("A"), OTHER["name"]
    assert len({fingerprint(one, two), fingerprint(two, one), fingerprint(one, two, version=2)}) == 3


def test_a_fingerprint_of_dates_durations_and_lists_can_be_taken() -> None:
    assert len(KINDS["every_field"].form.fingerprint) == 64


def test_a_default_stands_as_in_a_slip() -> None:
    assert only(when=(Annotated[date, ASK], date(2026, 11, 21))).default == "2026-11-21"


def test_an_identifier_that_may_be_left_out_is_still_an_identifier() -> None:
    assert only(name=(Annotated[Identifier | None, ASK], None)).widget == "identifier"
