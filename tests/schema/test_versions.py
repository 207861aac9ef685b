"""Answers of older versions, step by step: what they become, what the person is told, and what an engineer may get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.answers import Answers, Given, Located, Where
from schema.change import change_line
from schema.check import Checked, check, judge
from schema.history import form_at
from schema.kinds import KindError, load
from schema.problem import Problem
from tests.kinds_for_tests.versions import AT

GROWING = AT[3]["growing"]
SHEET = Where("old.xlsx")
LEAST: dict[str, Given] = {"data": "wine", "method": "森"}


def answers(version: int | None, given: dict[str, Given]) -> Answers:
    located = {name: Located(text, SHEET.at(name)) for name, text in given.items()}
    return Answers("growing", SHEET, located, "en", version)


def good(version: int, **given: Given) -> Checked:
    found = check(answers(version, LEAST | given), AT[3])
    assert isinstance(found, Checked), [one.line("en") for one in found]
    return found


def refused(version: int, **given: Given) -> list[Problem]:
    found = check(answers(version, LEAST | given), AT[3])
    assert isinstance(found, list)
    for one in found:
        assert one.line("ja")
    return found


def told(checked: Checked, language: str = "en") -> list[str]:
    return [change_line(one, GROWING.form, language) for one in checked.changes]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_form_of_every_version_follows_from_the_history(version: int) -> None:
    derived, true = form_at(GROWING.job, GROWING.form, version), AT[version]["growing"].form
    assert derived is not None
    assert {one.key: (one.default, one.conditions) for one in derived.questions} == {
        one.key: (one.default, one.conditions) for one in true.questions
    }
    assert {one.key: {choice.label for choice in one.choices} for one in derived.questions} == {
        one.key: {choice.label for choice in one.choices} for one in true.questions
    }


@pytest.mark.parametrize("version", [0, 4, -1])
def test_a_version_that_the_history_does_not_reach_has_no_form(version: int) -> None:
    assert form_at(GROWING.job, GROWING.form, version) is None


def test_the_least_that_version_1_asked_means_what_it_meant_then() -> None:
    checked = good(1, wait="3")
    assert checked.job.answers() == {
        "data": "wine",
        "method": "forest",
        "settings": {"trees": 100, "seats": 4},
        "depth": 5,
        "optimizer": {"learning_rate": 0.1},
        "limit": 120,
        "marks": ["table"],
        "wait": 3,
        "careful": False,
        "place": "here",
        "priority": 5,
    }


def test_the_person_is_told_what_an_empty_answer_was_taken_for() -> None:
    seats = next(one for one in told(good(1, wait="3")) if one.startswith("Seats"))
    assert seats == (
        "Seats: “empty” → “4” (the form of that time showed this for an empty answer; it means something else since "
        "version 2; since version 3 this question stands in another place of the form)"
    )
    priority = [one for one in told(good(1, wait="3"), "ja") if one.startswith("優先度")]
    assert priority == ["優先度：「空欄」→「5」（版3で加わった項目です）"]


@pytest.mark.parametrize(("hours", "minutes"), [("1.5", 90), ("1.5 時間", 90), ("0.1", 6), ("2.35", 141), ("90分", 90)])
def test_hours_become_minutes_to_the_last_digit(hours: str, minutes: int) -> None:
    assert good(1, limit=hours, wait="3").job.answers()["limit"] == minutes


def test_a_time_that_today_s_unit_cannot_say_is_refused_at_its_cell() -> None:
    assert [(one.code, one.where.spot) for one in refused(1, limit="1.51", wait="3")] == [("not_whole", "limit")]


@pytest.mark.parametrize("written", ["boost", "Booster", "ブースト", "booster"])
def test_a_renamed_choice_is_known_by_its_old_names(written: str) -> None:
    checked = good(1, method=written, wait="3", **{"settings.rounds": "60"})
    assert checked.job.answers()["method"] == "xgboost"
    assert "Method: “" + written + "” → “XGBoost” (since version 2 this choice goes by another name)" in told(checked)


def test_several_choices_are_brought_up_to_date_one_by_one() -> None:
    assert good(1, marks="グラフ; 歌", wait="3").job.answers()["marks"] == ["table", "graph"]
    assert good(1, marks=("chart",), wait="3").job.answers()["marks"] == ["graph"]


def test_a_choice_that_is_gone_is_refused_with_the_template_to_use() -> None:
    assert [one.line("en") for one in refused(1, method="勘", wait="3")] == [
        "old.xlsx:method: “Guess” for “Method” can no longer be chosen since version 3. Use the current template "
        "growing.form.xlsx (version 3) and choose from: Forest, XGBoost. [removed_choice]"
    ]


def test_a_question_that_moved_is_found_where_it_stands_now() -> None:
    given: dict[str, Given] = {"settings.depth@forest": "9", "lr": "0.2", "seats": "8", "wait": "3"}
    found = good(1, **given).job.answers()
    assert (found["depth"], found["optimizer"], found["settings"]) == (
        9,
        {"learning_rate": 0.2},
        {"trees": 100, "seats": 8},
    )


def test_the_plain_name_means_the_member_that_was_chosen() -> None:
    given: dict[str, Given] = {"method": "boost", "settings.depth": "9", "wait": "3"}
    assert good(1, **given).job.answers()["depth"] == 9


def test_an_old_default_that_was_written_out_goes_where_today_s_form_does_not_ask_it() -> None:
    checked = good(1, method="boost", seats="4", wait="3")
    assert checked.job.answers()["settings"] == {"rounds": 50}
    assert "Seats: “4” → “empty” (beside these answers it is no longer asked)" in told(checked)


def test_an_answer_that_only_another_choice_asks_is_refused_at_its_cell() -> None:
    found = refused(1, method="boost", seats="8", wait="3")
    assert [(one.code, one.where.spot) for one in found] == [("switched_off", "seats")]


def test_a_removed_question_may_say_what_it_showed_and_no_more() -> None:
    assert "colour: “赤” → “empty” (since version 3 this is no longer asked)" in told(good(1, colour="赤", wait="3"))
    assert [one.line("en") for one in refused(2, colour="Blue", wait="3")] == [
        "old.xlsx:colour: “Colour” is no longer asked since version 3, so “Blue” cannot be taken into account. "
        "Empty this answer, or use the current template growing.form.xlsx (version 3). [removed_question]"
    ]


def test_a_question_that_is_new_and_required_is_a_problem_only_where_it_is_asked() -> None:
    assert good(2, wait="3").job.answers()["careful"] is False
    assert [one.line("en") for one in refused(1, careful="はい", check="leaks", wait="3")] == [
        "old.xlsx: “Who owns it?” must be answered since version 3; this older form does not ask it. "
        "Use the current template growing.form.xlsx (version 3) and answer it there. [added_question]"
    ]


def test_an_empty_answer_that_meant_none_is_refused_where_it_would_mean_something_today() -> None:
    assert [one.line("en") for one in refused(1, wait="")] == [
        "old.xlsx:wait: “Waits” is empty, which meant “no answer” before version 3; today it would mean something else. "
        "Write the answer that you mean, or use the current template growing.form.xlsx (version 3). [blank_changed]"
    ]


def test_every_problem_of_an_old_response_is_said_at_once() -> None:
    found = refused(1, method="guess", colour="blue", limit="abc", wait="", lr="5")
    assert {(one.code, one.where.spot) for one in found} == {
        ("removed_choice", "method"),
        ("removed_question", "colour"),
        ("not_a_number", "limit"),
        ("blank_changed", "wait"),
        ("too_big", "lr"),
    }


def test_what_is_known_under_its_old_and_its_new_name_is_answered_twice() -> None:
    given: dict[str, Given] = {"settings.depth@forest": "9", "settings.depth@boost": "8", "wait": "3"}
    assert [(one.code, one.where.spot) for one in refused(1, **given)] == [
        ("duplicate_question", "settings.depth@boost")
    ]


def test_answers_of_the_current_version_go_another_way() -> None:
    judged = judge(answers(3, {**LEAST, "settings.seats": "7", "place": "here"}), AT[3])
    assert judged.checked
    assert judged.checked.changes == ()
    assert judged.values["settings.seats"] == 7


@pytest.mark.parametrize(("version", "code"), [(0, "old_template"), (4, "newer_template")])
def test_a_version_that_the_history_does_not_reach_is_one_problem_alone(version: int, code: str) -> None:
    assert [one.code for one in refused(version, data="??")] == [code]


V3 = Path(__file__).parents[1] / "kinds_for_tests" / "versions" / "v3.py"
MISTAKES = {
    "a list of steps": ("        2: (", "        2: [", None),
    "a version left out": (
        "        2: (",
        "        1: (",
        ": Growing: history must speak of every version up to 3, from 2 on at the earliest; () where no step is needed",
    ),
    "no step": (
        'Added("priority")',
        '"priority"',
        ": Growing: history[3]: 'priority' is no step of schema.versions",
    ),
    "a question that is not there": (
        'Added("priority")',
        'Added("prioritty")',
        ": Growing: history[3]: Added: there is no question 'prioritty' after this step",
    ),
    "a name that is still there": (
        'Renamed("check", "look")',
        'Renamed("careful", "look")',
        ": Growing: history[3]: Renamed: the question 'careful' is still there after this step",
    ),
    "a rename of what is not there": (
        'Renamed("check", "look")',
        'Renamed("check", "watch")',
        ": Growing: history[3]: Renamed: there is no question 'watch' after this step",
    ),
    "a choice that is still offered": (
        'Choice("guess", "Guess", ja="勘"))',
        'Choice("forest", "Guess", ja="勘"))',
        ": Growing: history[3]: RemovedChoice: method still offers 'forest'",
    ),
    "a choice that is not offered": (
        'ja="ブースト"), "xgboost"',
        'ja="ブースト"), "boost2"',
        ": Growing: history[2]: RenamedChoice: method does not offer 'boost2' after this step",
    ),
    "a default that did not change": (
        'DefaultChanged("seats", 4)',
        'DefaultChanged("seats", 6)',
        ": Growing: history[2]: DefaultChanged: seats still has the default 6",
    ),
    "a factor that cannot be exact": (
        'ja="時間"), 60)',
        'ja="時間"), 60.0)',
        None,
    ),
    "a factor that is no number": (
        'ja="時間"), 60)',
        'ja="時間"), "0,001")',
        None,
    ),
    "a factor of nothing": (
        'ja="時間"), 60)',
        'ja="時間"), 0)',
        None,
    ),
    "a unit of what is no number": (
        'UnitChanged("limit"',
        'UnitChanged("data"',
        ": Growing: history[2]: UnitChanged: data is no number",
    ),
}


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_history_is_one_line_that_says_where(
    right: str, wrong: str, said: str | None, tmp_path: Path
) -> None:
    text = V3.read_text(encoding="utf-8")
    assert right in text
    changed = text.replace(right, wrong, 1)
    if wrong.endswith("["):
        changed = changed.replace('            DefaultChanged("seats", 4),\n        ),', "        ],", 1)
    (tmp_path / "growing.py").write_text(changed, encoding="utf-8")
    with pytest.raises(KindError) as caught:
        load([tmp_path])
    found = str(caught.value).removeprefix(str(tmp_path / "growing.py"))
    if said:
        assert found == said
    else:
        assert "write " in found


KEYS = [
    *(one.key for one in AT[1]["growing"].form.questions),
    "settings.depth",
    "optimizer.learning_rate",
    "colour",
    "x",
]
TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["はい", "boost", "勘", "歌; 表", "1.5", "1e308", "-", "\0", "90分"])
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), TEXTS | st.lists(TEXTS, max_size=3).map(tuple)), st.sampled_from([1, 2]))
def test_whatever_stands_in_an_old_response_is_judged_and_never_a_traceback(
    given: dict[str, Given], version: int
) -> None:
    found = check(answers(version, given), AT[3])
    lines = told(found) if isinstance(found, Checked) else [one.line("en") for one in found]
    assert lines
    assert all("\0" not in line and "\n" not in line for line in lines)
