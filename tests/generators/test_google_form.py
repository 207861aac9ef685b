"""The Google door: what is asked, where each answer leads, and a response read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import Read
from generators.google_form import definition, read, write
from generators.google_items import sort
from schema.answers import Given
from schema.check import Checked, check
from schema.job import Choice, Job, Resources
from schema.kinds import Kind
from schema.question import Limits, Question
from schema.words import Words
from tests.generators.google_respondent import document, fill_in, person
from tests.kinds_for_tests import KINDS, SHIPPED
from tests.kinds_for_tests._jobs import jobs

LANGUAGES = ("ja", "en")
AT = "2026-11-21T09:00:00Z"


def items_of(kind: Kind, language: str = "en") -> list[dict[str, Any]]:
    return [one["item"] for one in definition(kind.form, language)["items"]]


def keys_of(kind: Kind, language: str = "en") -> dict[str, str]:
    """Question keys by the service's ids."""
    asked = [one for one in definition(kind.form, language)["items"] if "questionItem" in one["item"]]
    return {one["item"]["questionItem"]["question"]["questionId"]: one["key"] for one in asked}


def asked(kind: Kind, key: str, language: str = "en") -> dict[str, Any]:
    (found,) = [one["item"] for one in definition(kind.form, language)["items"] if one["key"] == key]
    return dict(found)


def response(
    kind: Kind, answers: Mapping[str, Any], language: str = "en", **around: Any
) -> tuple[list[Read], list[Any]]:
    """A response of the service to the current form, read."""
    options = {one["key"]: one.get("options", {}) for one in definition(kind.form, language)["items"]}
    questions = {
        id: {"key": key, "options": options[key], "since": 0, "until": None}
        for id, key in keys_of(kind, language).items()
    }
    published = [{"version": kind.form.version, "fingerprint": kind.form.fingerprint, "at": "2026-11-01T00:00:00Z"}]
    about = {
        "id": "F",
        "kind": kind.name,
        "language": language,
        "published": published,
        "questions": questions,
    }
    said = {"responseId": "R1", "createTime": AT, "lastSubmittedTime": AT, "answers": answers}
    document = {"form": about | around.pop("form", {}), "response": said | around}
    return read(json.dumps(document).encode(), "response R1", KINDS)


def texts(kind: Kind, said: Mapping[str, str | list[str]], language: str = "en") -> dict[str, Any]:
    ids = {key: id for id, key in keys_of(kind, language).items()}
    listed = {key: [one] if isinstance(one, str) else one for key, one in said.items()}
    return {ids[key]: {"textAnswers": {"answers": [{"value": one} for one in many]}} for key, many in listed.items()}


def given_to(kind: Kind, said: Mapping[str, str | list[str]], language: str = "en") -> dict[str, Given]:
    (found,), problems = response(kind, texts(kind, said, language), language)
    assert problems == []
    return {key: one.value for key, one in found.answers.given.items()}


def question(key: str, kind: str = "every_field") -> Question:
    return KINDS[kind].form.by_key[key]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        yield from _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]


def wanted(job: Job, resources: Resources) -> dict[str, Any]:
    """What somebody answers to get this job, by question name."""
    return dict(_flat({**job.answers(), "resources": resources.answers()}))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_who_is_led_through_the_form_gives_the_job_they_mean(kind: Kind, data: st.DataObject) -> None:
    job, resources = data.draw(jobs(kind, as_read=True))
    language = data.draw(st.sampled_from(LANGUAGES))
    (found,), problems = read(document(kind.form, wanted(job, resources), language), "response R1", KINDS)
    assert (problems, found.problems, found.warnings) == ([], (), ())
    checked = check(found.answers, KINDS)
    assert isinstance(checked, Checked), checked
    assert (checked.job, checked.resources) == (job, resources)


PATHS = {
    "random forest": (
        "train_supervised",
        {"algorithm": "random_forest"},
        ["Settings of the random forest", "Other settings"],
    ),
    "xgboost": ("train_supervised", {"algorithm": "xgboost"}, ["Settings of XGBoost", "Other settings"]),
    "ridge": (
        "train_supervised",
        {"algorithm": "linear_regression"},
        ["Settings of the linear regression (ridge)", "Other settings"],
    ),
    "nothing asked": (
        "conditions",
        {"mode": "quick", "alert": False, "engine": "nothing"},
        ["Other settings", "Other settings", "Where and how long it runs"],
    ),
    "a branch inside a branch": (
        "conditions",
        {"mode": "careful", "alert": False, "engine": "big", "settings.early": False, "settings.scheme": "decay"},
        [
            "Which mode? – Careful",
            "Other settings",
            "Other settings",
            "Settings of the big one",
            "Settings of the big one",
            "A shrinking step",
            "Memory",
            "Where and how long it runs",
        ],
    ),
}


@pytest.mark.parametrize(("name", "values", "expected"), PATHS.values(), ids=PATHS)
def test_an_answer_leads_to_the_pages_that_hang_on_it_and_past_the_others(
    name: str, values: dict[str, Any], expected: list[str]
) -> None:
    kind = KINDS[name]
    seen: list[str] = []
    titles = {one["itemId"]: one["title"] for one in items_of(kind) if "pageBreakItem" in one}
    pages: dict[str, str] = {}
    page = ""
    for one in items_of(kind):
        page = one["itemId"] if one["itemId"] in titles else page
        pages[one["itemId"]] = page
    somebody = person(kind.form, keys_of(kind), values, "en")

    def answer(item: Mapping[str, Any]) -> list[str]:
        if pages[item["itemId"]] and (not seen or seen[-1] != pages[item["itemId"]]):
            seen.append(pages[item["itemId"]])
        must = item["questionItem"]["question"].get("required")
        return list(somebody(item)) or (["1"] if must else [])

    fill_in(items_of(kind), answer)
    assert [titles[one] for one in seen] == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_question_is_required_only_where_it_is_always_asked(kind: Kind) -> None:
    """Nobody is held up by a question that does not concern them: with the least that must be answered, the form can be sent."""
    by_key = kind.form.by_key
    for key in (key for key in keys_of(kind).values() if key):
        item, one = asked(kind, key), by_key[key]
        says_when = "Only if “" in item["description"].partition(one.help.en)[0]
        if item["questionItem"]["question"].get("required"):
            assert not says_when, key
        else:
            assert not one.required or says_when, key


def test_a_condition_that_pages_cannot_express_is_said_beside_the_question() -> None:
    kind = KINDS["conditions"]
    described = {key: asked(kind, key)["description"].partition("\nFor tests.")[0] for key in ("style", "guard")}
    assert described == {
        "style": "Only if “Which outputs?” is “Chart”.",
        "guard": "Only if “Which mode?” is “Careful”.\nOnly if “Alert somebody?” is “yes”.",
    }


def test_limits_unit_example_and_default_stand_in_the_description() -> None:
    assert asked(KINDS["train_supervised"], "evaluation_threshold", "ja") == {
        "itemId": "3665c469",
        "title": "合格とする精度",
        "description": (
            "分類では正解率、回帰では決定係数R²です（テスト用の行で測ります）。\n"
            "数値、0%～100%。85%のように書きます\n空欄のとき：どんな結果でも合格"
        ),
        "questionItem": {"question": {"questionId": "3aa79a7d", "textQuestion": {}}},
    }
    assert asked(KINDS["every_field"], "count")["title"] == "How many? (pieces)"
    assert asked(KINDS["every_field"], "count")["description"] == (
        "For tests.\nAllowed: whole number, 1 to 1,000,000. Example: 10"
    )


SORTS = {
    "an identifier": (question("name"), "text"),
    "a short text": (question("subject"), "text"),
    "a long text": (question("remarks"), "paragraph"),
    "a code": (replace(question("code"), limits=Limits(pattern="^a+$", longest=500)), "text"),
    "a large number": (question("count"), "text"),
    "a share": (question("share"), "text"),
    "yes or no": (question("urgent"), "radio"),
    "few choices": (question("colour"), "radio"),
    "many choices": (replace(question("colour"), choices=question("colour").choices * 2), "drop_down"),
    "several choices": (question("metrics"), "checkbox"),
    "a day": (question("due"), "date"),
    "0 to 3": (question("max_retry", "train_supervised"), "scale"),
    "1 to 10": (question("settings.steps@small", "conditions"), "scale"),
    "1 to 11": (replace(question("count"), limits=Limits(least=1, greatest=11)), "text"),
    "more than 0, up to 5": (replace(question("count"), limits=Limits(above=0, greatest=5)), "text"),
    "up to 72 hours": (replace(question("pause"), limits=Limits(above=0.0, greatest=259_200.0)), "duration"),
    "up to 73 hours": (replace(question("pause"), limits=Limits(least=0.0, greatest=262_800.0)), "text"),
    "a length of time below 0": (replace(question("pause"), limits=Limits(least=-1.0, greatest=60.0)), "text"),
    "an endless length of time": (question("limit"), "text"),
}


@pytest.mark.parametrize(("one", "expected"), SORTS.values(), ids=SORTS)
def test_the_service_shows_what_fits_the_answer(one: Question, expected: str) -> None:
    assert sort(one) == expected


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_id_is_the_services_own_sort_and_stands_once(kind: Kind, language: str) -> None:
    ids = [one["itemId"] for one in items_of(kind, language)]
    questions = [*keys_of(kind, language)]
    assert len({*ids}) == len(ids)
    assert len({*questions}) == sum(1 for one in items_of(kind, language) if "questionItem" in one)
    assert all(re.fullmatch("[0-7][0-9a-f]{7}", one) for one in [*ids, *questions])


@pytest.mark.parametrize("kind", SHIPPED.values(), ids=SHIPPED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_question_has_the_same_ids_in_every_language(kind: Kind, language: str) -> None:
    assert keys_of(kind, language) == keys_of(kind, "en")


def test_every_question_is_asked_once() -> None:
    for kind in KINDS.values():
        assert sorted(key for key in keys_of(kind).values() if key) == sorted(kind.form.by_key)


def test_titles_and_options_have_one_line_because_the_service_refuses_more() -> None:
    kind = KINDS["every_field"]
    words = Words("One\n\ttwo", ja="一\n二")
    labelled = tuple(Choice(one, words.en, ja=words.ja) for one in ("red", "dark_blue", "no"))
    colour = replace(question("colour"), label=words, section=words, choices=labelled)
    form = replace(kind.form, title=words, questions=(colour,))
    found = definition(form, "en")
    item = found["items"][0]["item"]
    assert (found["create"]["info"]["title"], item["title"]) == ("One two", "One two")
    assert [one["value"] for one in item["questionItem"]["question"]["choiceQuestion"]["options"]] == [
        "One two [red]",
        "One two [dark_blue]",
        "One two [no]",
    ]


def test_the_definition_follows_from_the_form_alone() -> None:
    kind = SHIPPED["train_supervised"]
    assert write(kind.form, "ja") == write(kind.form, "ja")
    assert json.loads(write(kind.form, "ja"))["create"] == {
        "info": {"title": "正解つきデータでモデルを学習する", "documentTitle": "train_supervised.ja"}
    }
    assert json.loads(write(kind.form, "ja"))["settings"] == {"emailCollectionType": "VERIFIED"}


def test_answers_are_read_as_the_schema_means_them() -> None:
    said: dict[str, str | list[str]] = {
        "name": "ａ-1",
        "due": "2026-11-21",
        "metrics": ["Accuracy, plain", "F1"],
        "colour": "None at all",
        "urgent": "no",
    }
    assert given_to(KINDS["every_field"], said) == {
        "name": "ａ-1",
        "due": "2026-11-21",
        "metrics": ("accuracy", "f1"),
        "colour": "no",
        "urgent": "no",
    }


@pytest.mark.parametrize(
    ("answer", "expected"), [("01:30", "01:30:00"), ("00:00:05", "00:00:05"), ("an hour", "an hour")]
)
def test_a_length_of_time_that_was_picked_is_read_as_hours_and_minutes(answer: str, expected: str) -> None:
    pause = replace(question("pause"), key="pause", name="pause", limits=Limits(least=0.0, greatest=86_400.0))
    kind = replace(KINDS["every_field"], form=replace(KINDS["every_field"].form, questions=(pause,)))
    (id,) = keys_of(kind)
    document = {
        "form": {
            "id": "F",
            "kind": kind.name,
            "language": "en",
            "published": [{"version": 3, "fingerprint": "", "at": AT}],
            "questions": {id: {"key": "pause", "since": 0, "until": None}},
        },
        "response": {
            "responseId": "R1",
            "lastSubmittedTime": AT,
            "answers": {id: {"textAnswers": {"answers": [{"value": answer}]}}},
        },
    }
    (found,), _ = read(json.dumps(document).encode(), "response R1", {kind.name: kind})
    assert found.answers.given["pause"].value == expected


def test_the_place_of_an_answer_is_its_response_and_its_title() -> None:
    kind = KINDS["train_supervised"]
    (found,), _ = response(kind, texts(kind, {"dataset_id": "Wine Data", "algorithm": "XGBoost"}, "ja"), "ja")
    (problem,) = check(found.answers, KINDS)  # type: ignore[misc]
    assert problem.line("ja") == (
        "response R1:どのデータセットですか: 「Wine Data」は名前として使えません。半角の英小文字・数字・ハイフンで、"
        "英小文字か数字から始め、63文字以内で書いてください。「wine-data」のことですか？ [bad_identifier]"
    )


def test_an_answer_that_is_missing_is_told_at_the_title_of_its_question() -> None:
    kind = KINDS["train_supervised"]
    (found,), _ = response(kind, texts(kind, {"dataset_id": "wine"}))
    problems = check(found.answers, KINDS)
    assert isinstance(problems, list)
    assert [one.line("en") for one in problems] == [
        "response R1:Which algorithm?: “Which algorithm?” has no answer. It is required: please fill it in. [missing]"
    ]


def test_the_answer_to_a_question_that_is_not_ours_is_told_and_not_read() -> None:
    kind = KINDS["inference"]
    answers = texts(kind, {"model_id": "m-1", "dataset_id": "wine"})
    (found,), _ = response(kind, {**answers, "0badcafe": {"textAnswers": {"answers": [{"value": "by hand\n"}]}}})
    assert isinstance(check(found.answers, KINDS), Checked)
    assert [one.line("en") for one in found.warnings] == [
        "response R1:0badcafe: The form holds a question that is none of ours; “by hand ”, the answer to it, was not read. "
        "Nothing need be done. Who edits the form should take the question out. [not_our_question]"
    ]


def test_what_was_answered_before_somebody_turned_back_is_left_out_and_told() -> None:
    kind = KINDS["train_supervised"]
    said = {
        "dataset_id": "wine",
        "algorithm": "XGBoost",
        "hyperparameters.n_estimators@random_forest": "7",
        "hyperparameters.n_estimators@xgboost": "9",
    }
    (found,), _ = response(kind, texts(kind, said))
    checked = check(found.answers, KINDS)
    assert isinstance(checked, Checked), checked
    assert checked.job.answers()["hyperparameters"]["n_estimators"] == 9
    assert [(one.code, one.where.spot) for one in found.warnings] == [("turned_back", "How many trees? (trees)")]


def test_an_answer_that_pages_did_not_lead_past_is_judged_and_not_left_out() -> None:
    kind = KINDS["conditions"]
    said = {"mode": "Quick", "alert": "no", "engine": "Nothing", "style": "Bars"}
    (found,), _ = response(kind, texts(kind, said))
    problems = check(found.answers, KINDS)
    assert isinstance(problems, list)
    assert [(one.code, one.where.spot) for one in problems] == [("switched_off", "Which style?")]


def test_the_way_on_is_no_answer() -> None:
    kind = KINDS["train_supervised"]
    answers = {id: {"textAnswers": {"answers": [{"value": "Go on"}]}} for id, key in keys_of(kind).items() if not key}
    (found,), _ = response(kind, answers)
    assert (len(answers), found.answers.given, found.warnings) == (4, {}, ())


def test_an_answer_is_of_the_version_that_was_published_when_it_was_sent() -> None:
    kind = KINDS["every_field"]
    published = [
        {"version": 1, "fingerprint": "one", "at": "2026-01-01T00:00:00Z"},
        {"version": 2, "fingerprint": "two", "at": "2026-11-21T09:00:00Z"},
        {"version": 3, "fingerprint": "three", "at": "2026-11-21T09:00:00.5Z"},
    ]
    for at, version in {
        "2025-01-01T00:00:00Z": 1,
        "2026-11-21T08:59:59.999Z": 1,
        "2026-11-21T09:00:00.000Z": 2,
        "2026-11-21T18:00:01+09:00": 3,
    }.items():
        (found,), _ = response(kind, {}, lastSubmittedTime=at, form={"published": published})
        assert found.answers.version == version


@pytest.mark.parametrize(
    ("known", "at", "version"),
    [
        pytest.param({"since": 0, "until": 1}, "2026-11-21T10:00:00Z", 1, id="it was gone by then"),
        pytest.param({"since": 2, "until": None}, "2026-11-21T10:00:00Z", 3, id="it is just being published"),
        pytest.param({"since": 0, "until": None}, "2026-11-21T10:00:00Z", 2, id="it was always asked"),
    ],
)
def test_which_questions_are_answered_tells_the_version_better_than_the_time(
    known: dict[str, Any], at: str, version: int
) -> None:
    kind = KINDS["every_field"]
    published = [
        {"version": 1, "fingerprint": "", "at": "2026-01-01T00:00:00Z"},
        {"version": 2, "fingerprint": "", "at": "2026-02-01T00:00:00Z"},
        {"version": 3, "fingerprint": "", "at": ""},
    ]
    form = {"published": published, "questions": {"0000000a": {"key": "old", **known}}}
    answers = {"0000000a": {"textAnswers": {"answers": [{"value": "x"}]}}}
    (found,), _ = response(kind, answers, lastSubmittedTime=at, form=form)
    assert (found.answers.version, found.answers.given["old"].value) == (version, "x")


def test_the_sender_is_the_address_that_the_service_names() -> None:
    (found,), _ = response(KINDS["inference"], {}, respondentEmail="hanako@example.com")
    assert found.answers.sender is not None
    assert found.answers.sender.value == "hanako@example.com"


BROKEN: dict[str, bytes | dict[str, Any]] = {
    "no JSON": b"{",
    "no mapping": b"[]",
    "nothing": b"{}",
    "too deep": b"[" * 100_000,
    "no bytes of text": b"\xff",
    "no time": {"lastSubmittedTime": "yesterday"},
    "a time without a zone": {"lastSubmittedTime": "2026-11-21T09:00:00"},
    "nothing published": {"published": []},
    "a version that is a text": {"published": [{"version": "1", "at": AT}]},
    "no list of questions": {"questions": []},
    "options that are a list": {"questions": {"1": {"key": "x", "options": []}}, "answers": {"1": {}}},
    "an option that is a number": {
        "questions": {"1": {"key": "x", "options": {"a": 1}}},
        "answers": {"1": {"textAnswers": {"answers": [{"value": "a"}]}}},
    },
    "a question that is a list": {"questions": {"1": []}, "answers": {"1": {}}},
    "answers that are a list": {"answers": []},
    "an answer that is a text": {"answers": {"1": "x"}},
    "a value that is a number": {"answers": {"1": {"textAnswers": {"answers": [{"value": 1}]}}}},
    "values that are a text": {"answers": {"1": {"textAnswers": {"answers": "x"}}}},
    "an address that is a number": {"respondentEmail": 1},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_the_service_never_sends_is_one_problem_and_no_traceback(broken: bytes | dict[str, Any]) -> None:
    if isinstance(broken, dict):
        around = {name: broken[name] for name in ("published", "questions") if name in broken}
        said = {name: value for name, value in broken.items() if name not in around}
        found, problems = response(KINDS["inference"], said.pop("answers", {}), form=around, **said)
    else:
        found, problems = read(broken, "response R1", KINDS)
    assert (found, [one.code for one in problems]) == ([], ["broken_response"])


def test_a_file_that_was_uploaded_is_no_answer() -> None:
    (found,), _ = response(KINDS["inference"], {"1": {"fileUploadAnswers": {"answers": [{"fileId": "x"}]}}})
    assert [one.code for one in found.warnings] == ["not_our_question"]
