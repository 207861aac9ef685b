"""Answers judged: every Problem at once, each at its place, or a checked job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest

from generators.excel.limits import in_words
from schema.answers import Answers, Given, Located, Where
from schema.check import Change, Checked, check
from schema.job import Ask, By, Choice, Job, Part, When, rule
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import form_of
from schema.words import Words
from tests.kinds_for_tests import KINDS

SHEET = Where("sheet.xlsx", "入力")
TRAINING: dict[str, Given] = {"dataset_id": "wine", "algorithm": "random_forest"}
EVERY: dict[str, Given] = {"name": "x", "subject": "水質", "count": "1", "notify": "はい", "due": "2026/11/21"}
BIG: dict[str, Given] = {
    "mode": "careful",
    "rounds": "2",
    "engine": "big",
    "settings.budget": "5",
    "settings.patience": "3",
}
RULES: dict[str, Given] = {"first": "2026/11/21", "weight": "5"}


def given(kind: str, typed: Mapping[str, Given], **around: Any) -> Answers:
    """Answers whose place is a cell named after the question."""
    cells = {name: Located(value, SHEET.at(name)) for name, value in typed.items()}
    return Answers(kind, SHEET, cells, **around)


def judged(kind: str, typed: Mapping[str, Given], kinds: Mapping[str, Kind] = KINDS, **around: Any) -> Checked:
    found = check(given(kind, typed, **around), kinds)
    assert isinstance(found, Checked), [one.line("en") for one in found]
    return found


def refused(kind: str, typed: Mapping[str, Given], kinds: Mapping[str, Kind] = KINDS, **around: Any) -> list[Problem]:
    found = check(given(kind, typed, **around), kinds)
    assert isinstance(found, list)
    assert all(one.line(language) for one in found for language in ("en", "ja"))
    return found


def spots(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(one.where.spot, one.code) for one in problems]


def test_a_good_sheet_becomes_a_job_with_its_defaults() -> None:
    checked = judged("train_supervised", TRAINING | {"task_type": "分類", "evaluation_threshold": "８５％"})
    assert checked.job.answers() == {
        "dataset_id": "wine",
        "target": "target",
        "task_type": "classification",
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 100, "max_depth": None, "min_samples_split": 2, "min_samples_leaf": 1},
        "evaluation_threshold": 0.85,
        "max_retry": 0,
        "seed": 42,
        "note": None,
    }
    assert checked.resources.answers() == {"queue": "default", "gpus": 0, "max_hours": 2.0}
    assert checked.changes == ()


def test_eight_mistakes_at_eight_places_are_eight_problems_in_one_go() -> None:
    problems = refused(
        "train_supervised",
        {
            "dataset_id": "Wine",
            "task_type": "分類する",
            "algorithm": "xgboost",
            "hyperparameters.n_estimators": "0",
            "hyperparameters.learning_rate": "はやい",
            "evaluation_threshold": "1.5",
            "max_retry": "4",
            "seed": "1,5",
            "note": "x\u202ey",
            "resources.gpus": "65",
        },
    )
    assert spots(problems) == [
        ("dataset_id", "bad_identifier"),
        ("task_type", "unknown_choice"),
        ("hyperparameters.n_estimators", "too_small"),
        ("hyperparameters.learning_rate", "not_a_number"),
        ("evaluation_threshold", "too_big"),
        ("max_retry", "too_big"),
        ("seed", "unsure_number"),
        ("note", "hidden_character"),
        ("resources.gpus", "too_big"),
    ]
    assert problems[0].line("ja") == (
        "sheet.xlsx:dataset_id: 「Wine」は名前として使えません。半角の英小文字・数字・ハイフンで、英小文字か数字から始め、"
        "63文字以内で書いてください。「wine」のことですか？ [bad_identifier]"
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("85", "85%"), ("８５", "85%"), ("85.5", "85.5%"), ("100", "100%"), ("101", ""), ("150%", ""), ("12割", "")],
)
def test_a_share_above_one_comes_with_the_percentage_that_was_probably_meant(typed: str, meant: str) -> None:
    (problem,) = refused("train_supervised", TRAINING | {"evaluation_threshold": typed})
    assert (problem.code, problem.suggestion) == ("too_big", meant)


def test_the_bound_of_a_share_is_said_in_per_cent_as_its_sheet_says_it() -> None:
    (problem,) = refused("train_supervised", TRAINING | {"evaluation_threshold": "150%"})
    assert problem.line("ja") == (
        "sheet.xlsx:evaluation_threshold: 150%は大きすぎます。100%以下にしてください。 [too_big]"
    )
    assert problem.line("en") == ("sheet.xlsx:evaluation_threshold: 150% is too large. Write 100% or less. [too_big]")
    question = KINDS["train_supervised"].form.by_key["evaluation_threshold"]
    assert in_words(question, "ja") == "数値、0%～100%"
    assert in_words(question, "en") == "number, 0% to 100%"


def test_a_number_that_is_no_share_gets_no_percentage() -> None:
    (problem,) = refused("train_supervised", TRAINING | {"max_retry": "4"})
    assert (problem.code, problem.suggestion) == ("too_big", "")


def test_the_words_for_an_empty_answer_are_none_where_the_question_is_not_asked() -> None:
    typed = {"dataset_id": "wine", "algorithm": "logistic_regression"}
    assert judged("train_supervised", typed | {"hyperparameters.max_depth@random_forest": "上限なし"})


CODES: dict[str, tuple[dict[str, Given], str, str]] = {
    "missing": ({"subject": ""}, "subject", "“Subject?” has no answer. It is required: please fill it in."),
    "not_yes_no": ({"notify": "maybe"}, "notify", "“maybe” is neither yes nor no. Write yes or no."),
    "not_whole": (
        {"count": "1.5"},
        "count",
        "“1.5” is not a whole number. Write a number without decimals, such as 10.",
    ),
    "too_small": ({"count": "0"}, "count", "0 is too small. Write 1 or more."),
    "too_big": ({"count": "1,000,001"}, "count", "1,000,001 is too large. Write 1000000 or less."),
    "not_above": ({"share": "0"}, "share", "0 is too small. Write more than 0%."),
    "not_below": ({"share": "100%"}, "share", "100% is too large. Write less than 100%."),
    "too_short": ({"subject": "a"}, "subject", "“a” is too short. Give at least 2 characters."),
    "too_long": (
        {"subject": "水" * 41},
        "subject",
        "The answer is too long: 41 characters. Give at most 40 characters.",
    ),
    "too many choices": (
        {"metrics": ("f1", "auc", "accuracy")},
        "metrics",
        "The answer is too long: 3 choices. Give at most 2 choices.",
    ),
    "bad_pattern": (
        {"code": "AB123"},
        "code",
        "“AB123” does not have the form that is needed here. Write it like this: AB-123",
    ),
    "bad_identifier": (
        {"name": "..／etc"},
        "name",
        "“../etc” cannot be a name here. Use a to z, 0 to 9 and hyphens, beginning with a letter or digit, at most 63.",
    ),
    "unknown_choice": (
        {"colour": "rad"},
        "colour",
        "“rad” is not one of the choices. Choose from: Red, Dark blue, None at all. Did you mean “Red”?",
    ),
    "a date too early": ({"due": "2025/12/31"}, "due", "2025/12/31 is too early. Give 2026/01/01 or a later date."),
    "a date too late": ({"due": "2031/01/01"}, "due", "2031/01/01 is too late. Give 2030/12/31 or an earlier date."),
    "a date not after": (
        {"begins": "2025/12/31"},
        "begins",
        "2025/12/31 is too early. Give a date after 2025/12/31.",
    ),
    "a time too long": ({"limit": "501日"}, "limit", "501日 is too large. Write 500 days or less."),
    "a time too short": ({"pause": "-PT2H"}, "pause", "-PT2H is too small. Write -90 minutes or more."),
    "a list": (
        {"name": ("a", "b")},
        "name",
        "Several answers stand where one is expected. Give one answer.",
    ),
    "unknown_question": (
        {"subjekt": "x"},
        "subjekt",
        "There is no question named “subjekt” here. Remove it or mend the name. Did you mean “subject”?",
    ),
    "inside a part": ({"machine.cores": "65"}, "machine.cores", "65 is too large. Write 64 or less."),
    "resources": ({"resources.max_hours": "0"}, "resources.max_hours", "0 is too small. Write more than 0."),
}


@pytest.mark.parametrize(("typed", "spot", "message"), CODES.values(), ids=CODES)
def test_a_problem_says_what_is_wrong_and_what_to_do(typed: dict[str, Given], spot: str, message: str) -> None:
    (problem,) = refused("every_field", EVERY | typed)
    assert (problem.where.spot, problem.message("en")) == (spot, message)


def test_words_for_no_answer_are_told_what_an_empty_one_means() -> None:
    (problem,) = refused("every_field", EVERY | {"resources.max_hours": "無制限"})
    assert problem.message("ja") == (
        "「最長で何時間実行しますか」の答えとして「無制限」は読めません。答えがなければ空欄にしてください（空欄のとき：1）。"
    )
    assert problem.message("en") == (
        "“無制限” cannot be read as the answer to “At most how many hours may it run?”. "
        "If there is no answer, leave it empty (if left empty: 1)."
    )


def test_a_length_of_time_is_said_in_japanese() -> None:
    (problem,) = refused("every_field", EVERY | {"limit": "501日"})
    assert problem.message("ja") == "501日は大きすぎます。500日以下にしてください。"


def test_what_was_probably_meant_is_said_in_the_language_of_the_person() -> None:
    (problem,) = refused("every_field", EVERY | {"colour": "drak blue"})
    assert problem.message("ja").endswith("「紺」のことですか？")
    assert problem.message("en").endswith("Did you mean “Dark blue”?")


def test_a_date_out_of_range_is_told_as_a_date() -> None:
    (problem,) = refused("every_field", EVERY | {"due": "2025-12-31"})
    assert problem.message("ja") == "2025-12-31は早すぎます。2026/01/01以後の日付にしてください。"


def test_every_widget_is_read_into_its_own_type() -> None:
    checked = judged(
        "every_field",
        EVERY
        | {
            "count": "１，０００個",
            "share": "３％",
            "temperature": "25℃",
            "humidity": "50%",
            "urgent": "○",
            "colour": "紺",
            "metrics": "AUC値\nF1",
            "begins": "令和8年1月2日",
            "limit": "1日2時間",
            "pause": "-",
            "remarks": " 二行\r\nある ",
            "machine.shared": "有",
        },
    )
    values = {name: getattr(checked.job, name) for name in type(checked.job).model_fields if name != "machine"}
    assert values == {
        "name": "x",
        "subject": "水質",
        "remarks": "二行\nある",
        "code": "AB-123",
        "count": 1000,
        "share": 0.03,
        "temperature": 25.0,
        "humidity": 50.0,
        "urgent": True,
        "notify": True,
        "colour": "dark_blue",
        "metrics": ("f1", "auc"),
        "extras": (),
        "due": date(2026, 11, 21),
        "begins": date(2026, 1, 2),
        "limit": timedelta(days=1, hours=2),
        "pause": None,
    }


def test_a_part_of_which_nothing_is_answered_takes_its_defaults() -> None:
    assert judged("every_field", EVERY).job.answers()["machine"] == {"cores": 4, "shared": False}


def test_an_empty_sheet_names_every_required_answer() -> None:
    assert spots(refused("every_field", {name: "" for name in EVERY})) == [
        ("name", "missing"),
        ("subject", "missing"),
        ("count", "missing"),
        ("notify", "missing"),
        ("due", "missing"),
    ]


def test_a_missing_answer_stands_where_it_belongs_or_where_the_form_is() -> None:
    places = {"algorithm": SHEET.at("C9")}
    assert spots(refused("train_supervised", {}, places=places)) == [("入力", "missing"), ("C9", "missing")]


@pytest.mark.parametrize(
    ("algorithm", "task", "why"),
    [
        ("linear_regression", "regression", "this algorithm does regression only"),
        ("logistic_regression", "classification", "this algorithm does classification only"),
        ("xgboost", "classification", "it was left empty, and classification is the usual case"),
    ],
)
def test_a_task_left_out_follows_from_the_algorithm_and_is_told(algorithm: str, task: str, why: str) -> None:
    checked = judged("train_supervised", {"dataset_id": "wine", "algorithm": algorithm, "task_type": "－"})
    assert checked.job.answers()["task_type"] == task
    assert [(one.question, one.before, one.after, one.why.en) for one in checked.changes] == [
        ("task_type", "", task, why)
    ]


def test_an_answer_that_was_given_is_never_completed() -> None:
    checked = judged("rules", RULES | {"parcel": "box"})
    assert (checked.job.answers()["parcel"], checked.changes) == ("box", ())


def test_a_completed_answer_decides_which_questions_are_asked() -> None:
    checked = judged("rules", RULES | {"stamps": "2"})
    assert checked.job.answers()["stamps"] == 2
    assert checked.changes == (Change("parcel", "", "letter", Words("it is light", "軽いため")),)
    assert spots(refused("rules", RULES | {"weight": "20", "stamps": "2"})) == [("stamps", "switched_off")]


def test_an_answer_that_follows_from_a_refused_one_is_not_a_problem_of_its_own() -> None:
    assert spots(refused("train_supervised", {"dataset_id": "wine", "algorithm": "x"})) == [
        ("algorithm", "unknown_choice")
    ]
    assert spots(refused("rules", {"first": "2026/11/21", "weight": "heavy", "stamps": "1"})) == [
        ("weight", "not_a_number")
    ]


@pytest.mark.parametrize(
    ("algorithm", "name", "typed", "code"),
    [
        ("random_forest", "max_depth", "0", "too_small"),
        ("random_forest", "max_depth", "1001", "too_big"),
        ("xgboost", "max_depth", "101", "too_big"),
        ("xgboost", "learning_rate", "0", "not_above"),
        ("neural_network", "hidden_layers", "100; 50", "bad_pattern"),
        ("logistic_regression", "c", "0", "not_above"),
        ("linear_regression", "alpha", "-1", "too_small"),
    ],
)
def test_each_member_of_a_by_has_its_own_limits(algorithm: str, name: str, typed: str, code: str) -> None:
    spot = f"hyperparameters.{name}"
    problems = refused("train_supervised", {"dataset_id": "wine", "algorithm": algorithm, spot: typed})
    assert spots(problems) == [(spot, code)]


def test_an_answer_for_another_member_is_switched_off() -> None:
    (problem,) = refused("train_supervised", TRAINING | {"hyperparameters.alpha@linear_regression": "1"})
    assert problem.line("en") == (
        "sheet.xlsx:hyperparameters.alpha@linear_regression: “Strength of the regularisation (alpha)” is only asked "
        "when “Which algorithm?” is “Linear regression (ridge)”. Empty this answer, or change the other one. [switched_off]"
    )


def test_a_name_that_several_members_share_names_them_all_when_it_is_switched_off() -> None:
    (problem,) = refused(
        "train_supervised", {"dataset_id": "wine", "algorithm": "logistic_regression", "hyperparameters.max_depth": "3"}
    )
    assert problem.message("ja") == (
        "「木の深さの上限」は「アルゴリズム」が「ランダムフォレスト」、「XGBoost」のときだけ答える項目です。"
        "この答えを消すか、もう一方の答えを変えてください。"
    )


def test_empty_cells_of_other_members_are_nothing() -> None:
    typed = {one.key: "" for one in KINDS["train_supervised"].form.questions if one.conditions}
    assert judged("train_supervised", typed | TRAINING)


def test_an_answer_by_key_and_by_plain_name_is_answered_twice() -> None:
    typed = {"hyperparameters.n_estimators@random_forest": "5", "hyperparameters.n_estimators": "6"}
    assert spots(refused("train_supervised", TRAINING | typed)) == [
        ("hyperparameters.n_estimators", "duplicate_question")
    ]


def test_an_empty_cell_beside_a_plain_name_does_not_hide_it() -> None:
    typed = {"hyperparameters.n_estimators@random_forest": "", "hyperparameters.n_estimators": "0"}
    assert spots(refused("train_supervised", TRAINING | typed)) == [("hyperparameters.n_estimators", "too_small")]


WHENS: dict[str, tuple[dict[str, Given], list[tuple[str, str]]]] = {
    "asked, required and empty": (
        {"engine": "small", "mode": "careful", "alert": "no"},
        [("入力", "missing")],
    ),
    "not asked but answered": ({"engine": "small", "rounds": "2"}, [("rounds", "switched_off")]),
    "optional, asked and empty": ({"engine": "small", "mode": "careful", "rounds": "2"}, []),
    "yes or no decides": ({"engine": "small", "alert": "はい", "whom": "hanako", "lasts": "5分"}, []),
    "yes without its answers": (
        {"engine": "small", "alert": "はい"},
        [("入力", "missing"), ("入力", "missing")],
    ),
    "one of several choices decides": ({"engine": "small", "outputs": "表, グラフ", "style": "棒"}, []),
    "none of several choices": ({"engine": "small", "outputs": "表", "style": "棒"}, [("style", "switched_off")]),
    "a chain that holds": (
        {"engine": "small", "outputs": "chart", "style": "line", "thickness": "2"},
        [],
    ),
    "a chain that breaks": ({"engine": "small", "thickness": "2"}, [("thickness", "switched_off")]),
    "two conditions of which one holds": ({"engine": "small", "alert": "no", "mode": "careful", "rounds": "1"}, []),
    "two conditions that hold": (
        {
            "engine": "small",
            "alert": "yes",
            "whom": "a",
            "lasts": "5分",
            "mode": "careful",
            "rounds": "1",
            "guard": "1",
        },
        [],
    ),
    "two conditions that hold, unanswered": (
        {"engine": "small", "alert": "yes", "whom": "a", "lasts": "5分", "mode": "careful", "rounds": "1"},
        [("入力", "missing")],
    ),
    "inside a member": ({"engine": "small", "settings.early": "yes", "settings.patience": "3"}, []),
    "inside a member, not asked": (
        {"engine": "small", "settings.patience": "3"},
        [("settings.patience", "switched_off")],
    ),
    "inside another member, where the default asks": (BIG, []),
    "a member inside a member": (BIG | {"settings.scheme": "decay", "settings.pace.half_life": "3"}, []),
    "a member inside a member lacks an answer": (BIG | {"settings.scheme": "decay"}, [("入力", "missing")]),
    "a part inside a member": (BIG | {"settings.memory.gigabytes": "0"}, [("settings.memory.gigabytes", "too_small")]),
    "a member without questions": ({"engine": "無し"}, []),
    "an answer to a member without questions": (
        {"engine": "無し", "settings.steps": "1"},
        [("settings.steps", "switched_off")],
    ),
    "a choice that needs another answer": (
        {"engine": "big", "settings.budget": "5", "settings.patience": "3"},
        [("engine", "choice_needs")],
    ),
    "a choice among several that needs another answer": (
        {"engine": "small", "outputs": "表、モデル"},
        [("outputs", "choice_needs")],
    ),
}


@pytest.mark.parametrize(("typed", "expected"), WHENS.values(), ids=WHENS)
def test_conditions(typed: dict[str, Given], expected: list[tuple[str, str]]) -> None:
    if expected:
        assert spots(refused("conditions", typed)) == expected
    else:
        assert judged("conditions", typed)


def test_a_choice_that_is_not_offered_says_what_it_needs() -> None:
    (problem,) = refused(
        "train_supervised", {"dataset_id": "wine", "task_type": "regression", "algorithm": "ロジスティック回帰"}
    )
    assert problem.message("ja") == (
        "「ロジスティック回帰」は「予測の種類」が「分類」のときだけ選べます。別のものを選ぶか、「予測の種類」を変えてください。"
    )


NOISE: dict[str, tuple[str, dict[str, Given], list[tuple[str, str]]]] = {
    "the member of a By": (
        "train_supervised",
        {
            "dataset_id": "wine",
            "algorithm": "xgbost",
            "hyperparameters.n_estimators": "0",
            "hyperparameters.max_depth": "9",
        },
        [("algorithm", "unknown_choice")],
    ),
    "a When": (
        "conditions",
        {"mode": "carefull", "engine": "small", "rounds": "2", "care": "x", "guard": "1"},
        [("mode", "unknown_choice")],
    ),
    "a When on a When": (
        "conditions",
        {"outputs": "chrat", "engine": "small", "style": "line", "thickness": "2"},
        [("outputs", "unknown_choice")],
    ),
    "a choice that needs it": (
        "conditions",
        {"mode": "?", "engine": "small", "outputs": "model"},
        [("mode", "unknown_choice")],
    ),
    "a rule": (
        "rules",
        {"first": "2026/13/1", "last": "2026/11/1", "weight": "5"},
        [("first", "not_a_date")],
    ),
    "an unreadable answer is still said": (
        "conditions",
        {"mode": "carefull", "engine": "small", "rounds": "two"},
        [("mode", "unknown_choice"), ("rounds", "not_a_number")],
    ),
    "a member's own cell that is unreadable is still said": (
        "train_supervised",
        {"dataset_id": "wine", "algorithm": "xgbost", "hyperparameters.max_depth@xgboost": "deep"},
        [("algorithm", "unknown_choice"), ("hyperparameters.max_depth@xgboost", "not_a_number")],
    ),
}


@pytest.mark.parametrize(("kind", "typed", "expected"), NOISE.values(), ids=NOISE)
def test_a_broken_deciding_answer_causes_no_noise(
    kind: str, typed: dict[str, Given], expected: list[tuple[str, str]]
) -> None:
    assert spots(refused(kind, typed)) == expected


def test_a_rule_lands_on_the_answer_it_blames_and_says_itself() -> None:
    (problem,) = refused("rules", RULES | {"last": "2026/11/20"})
    assert (problem.where.spot, problem.code) == ("last", "rule")
    assert problem.message("en") == "The last day must not be before the first."
    assert problem.message("ja") == "最終日は初日以降にしてください。"


def test_a_rule_that_blames_two_answers_lands_on_both() -> None:
    typed = RULES | {"span.low": "3", "span.high": "2"}
    assert spots(refused("rules", typed)) == [("span.low", "rule"), ("span.high", "rule")]


def test_a_rule_looks_at_defaults_too() -> None:
    assert spots(refused("rules", RULES | {"span.low": "1"})) == [("span.low", "rule"), ("入力", "rule")]


def test_a_rule_looks_at_completed_answers_too() -> None:
    assert spots(refused("rules", RULES | {"weight": "60", "parcel": "letter"})) == [("parcel", "rule")]
    assert judged("rules", RULES | {"weight": "60"}).job.answers()["parcel"] == "box"


def test_a_rule_about_a_question_that_is_not_asked_is_not_asked_either() -> None:
    assert judged("rules", RULES | {"last": ""})


@pytest.mark.parametrize(
    ("version", "code"), [(1, "old_template"), (2, "old_template"), (4, "newer_template")], ids=["1", "2", "4"]
)
def test_another_version_of_the_kind_is_one_problem_alone(version: int, code: str) -> None:
    places = {"version": SHEET.at("B2")}
    assert spots(refused("every_field", {"name": "??"}, version=version, places=places)) == [("B2", code)]
    assert judged("every_field", EVERY, version=3)


def test_an_unknown_kind_is_one_problem_alone_with_what_was_meant() -> None:
    (problem,) = refused("train_supervise", {"name": "??"})
    assert problem.message("en") == (
        "There is no kind of job named “train_supervise”. Use one of: Predict with a trained model (inference), "
        "Train a model on labelled data (train_supervised), Conditions (conditions), Every field (every_field), "
        "Orders (orders), Rules (rules). Did you mean “train_supervised”?"
    )


def test_who_asks_and_why_again_are_judged_too() -> None:
    sender, again = Located("a\u202eb", SHEET.at("B1")), Located("x" * 201, SHEET.at("B2"))
    assert sorted(spots(refused("train_supervised", TRAINING, sender=sender, again=again))) == [
        ("B1", "hidden_character"),
        ("B2", "too_long"),
    ]


HELP = Words("Help.", ja="説明です。")


def ask(label: str, **more: Any) -> Ask:
    return Ask(label, ja=label, help=HELP, **more)


class Base(Job):
    title: ClassVar[Words] = Words("A kind", ja="種類")
    about: ClassVar[Words] = Words("It asks.", ja="尋ねます。")
    workload: ClassVar[str] = "nothing"


class Inner(Part):
    title: ClassVar[Words] = Words("Inner", ja="中")
    size: Annotated[int, ask("Size")] = 1
    needed: Annotated[int, ask("Needed", blank=HELP)]


class Deaf(Base):
    """``complete`` does not fill what the engineer promised."""

    weight: Annotated[int, ask("Weight", blank=HELP)]


class Nested(Base):
    inner: Inner


class Mine(Part):
    title: ClassVar[Words] = Words("Mine", ja="私")
    size: Annotated[int, ask("Size")] = 1


class RuleOfAPart(Base):
    part: Mine

    @rule("part", en="The part is too big.", ja="大きすぎます。")
    def small(part: Mine) -> bool:
        return part.size < 10


class CompletedInVain(Base):
    flag: Annotated[bool, ask("Flag")] = False
    size: Annotated[int | None, When("flag", True), ask("Size")] = None

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, tuple[Any, Words]]:
        return {} if given.get("size") else {"size": (1, HELP)}


def kinds_of(job: type[Job]) -> dict[str, Kind]:
    return {"made": Kind("made", job, form_of("made", job), Path("made.py"))}


@pytest.mark.parametrize(
    ("job", "typed", "expected"),
    [
        (Deaf, {}, [("入力", "missing")]),
        (Nested, {}, [("入力", "missing")]),
        (RuleOfAPart, {"part.size": "10"}, [("入力", "rule")]),
        (CompletedInVain, {}, [("入力", "not_accepted")]),
    ],
    ids=["nothing completes it", "nobody completes inside a part", "a rule about a part", "completed but not asked"],
)
def test_a_refusal_always_has_a_reason(
    job: type[Job], typed: dict[str, Given], expected: list[tuple[str, str]]
) -> None:
    assert spots(refused("made", typed, kinds_of(job))) == expected


def solvers(*values: str, needs: str) -> Ask:
    when = When("exact", True)
    return ask("Solver", choices=tuple(Choice(one, one, ja=one, when=when if one == needs else None) for one in values))


class Left(Part):
    title: ClassVar[Words] = Words("Left", ja="左")
    exact: Annotated[bool, ask("Exact, left")] = False
    solver: Annotated[Literal["fast", "slow"], solvers("fast", "slow", needs="slow")] = "fast"


class Right(Part):
    title: ClassVar[Words] = Words("Right", ja="右")
    exact: Annotated[bool, ask("Exact, right")] = False
    solver: Annotated[Literal["rough", "fine"], solvers("rough", "fine", needs="fine")] = "rough"


class Sides(Base):
    side: Annotated[
        Literal["left", "right"],
        ask("Side", choices=(Choice("left", "Left", ja="左"), Choice("right", "Right", ja="右"))),
    ]
    inner: Annotated[Left | Right, By("side", left=Left, right=Right)]


def test_a_choice_that_needs_another_answer_is_judged_by_the_member_that_is_asked() -> None:
    (problem,) = refused("made", {"side": "right", "inner.solver": "fine"}, kinds_of(Sides))
    assert problem.message("en") == (
        "“fine” can only be chosen when “Exact, right” is “yes”. Choose another, or change “Exact, right”."
    )


def test_answers_to_questions_that_were_changed_since_are_refused() -> None:
    form = KINDS["inference"].form
    where = Where("sheet.xlsx", "入力")
    given: dict[str, Located[Given]] = {
        name: Located("wine", where.at(f"入力!{name}")) for name in ("dataset_id", "model_id")
    }
    made_before = Answers("inference", where, given, version=form.version, fingerprint="0" * 64)
    found = check(made_before, KINDS)
    assert isinstance(found, list)
    assert [problem.code for problem in found] == ["changed_template"]
    assert not isinstance(check(replace(made_before, fingerprint=form.fingerprint), KINDS), list)
