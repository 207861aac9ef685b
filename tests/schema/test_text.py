"""What people type, Japanese habits first. What cannot be sure is a Problem, never a guess."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schema.job import Choice, Unit
from schema.question import Limits, Question, Widget
from schema.text import Misread, clean, invisible, is_blank, read
from schema.words import Words
from tests.kinds_for_tests import KINDS

EVERY = KINDS["every_field"].form.by_key
TEXT, CODE, NAME = EVERY["subject"], EVERY["code"], EVERY["name"]
WHOLE, NUMBER = EVERY["count"], EVERY["share"]
TEMPERATURE, PERCENT = EVERY["temperature"], EVERY["humidity"]
YES_NO, CHOICE, MANY = EVERY["urgent"], EVERY["colour"], EVERY["metrics"]
DAY, TIME, TIME_WITHOUT_UNIT = EVERY["due"], EVERY["limit"], EVERY["pause"]


def code(question: Question, typed: str | tuple[str, ...]) -> str:
    found = read(question, typed)
    assert isinstance(found, Misread), found
    return found.code


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("100", 100),
        ("１００", 100),
        ("1,000", 1000),
        ("１，０００", 1000),
        ("12,345,678", 12_345_678),
        (" 7 ", 7),
        ("　７　", 7),
        ("7\n", 7),
        ("007", 7),
        ("+5", 5),
        ("-5", -5),
        ("－５", -5),
        ("−5", -5),
        ("- 5", -5),
        ("5.0", 5),
        ("1e3", 1000),
        ("10 pieces", 10),
        ("10 piece", 10),
        ("10個", 10),
        ("１０ 個", 10),
        ("9007199254740991", 9_007_199_254_740_991),
    ],
)
def test_a_whole_number_is_read(typed: str, value: int) -> None:
    found = read(WHOLE, typed)
    assert (found, type(found)) == (value, int)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("5.5", "not_whole"),
        ("3%", "not_whole"),
        ("9007199254740991.4", "not_whole"),
        ("0.99999999999999999999", "not_whole"),
        ("1e-400", "not_whole"),
        ("9007199254740992", "too_precise"),
        ("1e999", "too_precise"),
        ("ten", "not_a_number"),
        ("十", "not_a_number"),
        ("10 kg", "not_a_number"),
        ("1_000", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1:30", "not_a_number"),
        ("nan", "not_a_number"),
        ("inf", "not_a_number"),
        ("1 000", "unsure_number"),
        ("3 5", "unsure_number"),
        ("3\n5", "unsure_number"),
        ("0,500", "unsure_number"),
        ("1,00", "unsure_number"),
        ("1.000,5", "unsure_number"),
        ("1'000", "unsure_number"),
        ("10²", "unsure_number"),
        ("10₂", "unsure_number"),
        ("1½", "not_a_number"),
    ],
)
def test_what_is_not_surely_a_whole_number_is_a_problem(typed: str, said: str) -> None:
    assert code(WHOLE, typed) == said


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("0.5", 0.5),
        ("０．５", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("3%", 0.03),
        ("３％", 0.03),
        ("85 %", 0.85),
        ("8割", 0.8),
        ("８ 割", 0.8),
        ("10割", 1.0),
        ("2割5分", 0.25),
        ("０割５分", 0.05),
        ("3割3分3厘", 0.333),
        ("7.5割", 0.75),
        ("1,234.5", 1234.5),
        ("1e-4", 0.0001),
        ("1E-4", 0.0001),
        ("-0.25", -0.25),
    ],
)
def test_a_number_is_read(typed: str, value: float) -> None:
    assert read(NUMBER, typed) == value


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0,5", "unsure_number"),
        ("1.2.3", "unsure_number"),
        ("1e2%", "unsure_number"),
        ("0. 5", "unsure_number"),
        ("1e400", "too_precise"),
        ("half", "not_a_number"),
        ("%", "not_a_number"),
        ("1 / 2", "not_a_number"),
        ("八割", "not_a_number"),
        ("約5割", "not_a_number"),
        ("5分", "not_a_number"),
        ("2割25分", "not_a_number"),
        ("2.5割5分", "not_a_number"),
        ("割", "not_a_number"),
        ("#N/A", "not_a_number"),
    ],
)
def test_what_is_not_surely_a_number_is_a_problem(typed: str, said: str) -> None:
    assert code(NUMBER, typed) == said


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        (TEMPERATURE, "25℃", 25.0),
        (TEMPERATURE, "25 °C", 25.0),
        (PERCENT, "50%", 50.0),
        (PERCENT, "５０％", 50.0),
        (PERCENT, "50", 50.0),
        (PERCENT, "5割", 50.0),
        (PERCENT, "2割5分", 25.0),
        (replace(PERCENT, unit=Unit("percent", ja="％")), "50%", 50.0),
        (replace(PERCENT, unit=Unit("percent", ja="％")), "50 percent", 50.0),
        (replace(PERCENT, widget="whole_number", unit=Unit("percent", ja="％")), "50%", 50),
    ],
    ids=[
        "sign",
        "sign in two characters",
        "percent",
        "full-width",
        "bare",
        "tenths",
        "tenths and more",
        "in Japanese only",
        "in words",
        "whole",
    ],
)
def test_the_unit_of_the_question_may_stand_behind_the_number(question: Question, typed: str, value: float) -> None:
    assert read(question, typed) == value


YES = [
    "はい",
    "yes",
    "Yes",
    "ＹＥＳ",
    "y",
    "TRUE",
    "true",
    "有",
    "有り",
    "あり",
    "○",
    "〇",
    "◯",
    "⭕",
    "⭕️",
    "✓",
    "✔️",
    "1",
    "on",
    "する",
]
NO = [
    "いいえ",
    "no",
    "NO",
    "ｎｏ",
    "n",
    "FALSE",
    "False",
    "無",
    "無し",
    "なし",
    "×",
    "✕",
    "✖️",
    "❌",
    "0",
    "off",
    "しない",
]


HOURS = EVERY["resources.max_hours"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2時間30分", 2.5),
        ("２時間３０分", 2.5),
        ("2時間半", 2.5),
        ("2 hours 30 minutes", 2.5),
        ("90分", 1.5),
        ("90 min", 1.5),
        ("20分", 1 / 3),
        ("1:30", 1.5),
        ("1:30:00", 1.5),
        ("PT1H30M", 1.5),
        ("1日", 24.0),
        ("1日2時間", 26.0),
        ("2時間", 2.0),
        ("2", 2.0),
    ],
)
def test_a_length_of_time_is_read_where_a_number_of_hours_is_asked(typed: str, value: float) -> None:
    assert read(HOURS, typed) == value


@pytest.mark.parametrize(
    ("question", "typed", "said"),
    [
        (HOURS, "1:75", "not_a_number"),
        (HOURS, "1. 5", "unsure_number"),
        (HOURS, "30分2時間", "not_a_number"),
        (HOURS, "約90分", "not_a_number"),
        (replace(HOURS, unit=Unit("minutes", ja="分")), "1:30", "not_a_number"),
        (WHOLE, "90分", "not_a_number"),
        (replace(WHOLE, unit=Unit("hours", ja="時間")), "90分", "not_whole"),
    ],
)
def test_a_length_of_time_that_is_not_surely_a_number_of_the_unit_is_a_problem(
    question: Question, typed: str, said: str
) -> None:
    assert code(question, typed) == said


@pytest.mark.parametrize(("typed", "value"), [*((one, True) for one in YES), *((one, False) for one in NO)])
def test_yes_and_no_are_read(typed: str, value: bool) -> None:
    assert read(YES_NO, f" {typed}　") is value


@pytest.mark.parametrize("typed", ["はい？", "maybe", "2", "△", "たぶん", "yes no"])
def test_what_is_neither_yes_nor_no_is_a_problem(typed: str) -> None:
    assert code(YES_NO, typed) == "not_yes_no"


@pytest.mark.parametrize(
    "typed",
    [
        "2026/11/21",
        "2026-11-21",
        "2026.11.21",
        "２０２６／１１／２１",
        "2026 / 11 / 21",
        "2026年11月21日",
        "２０２６年 11月 21日",
        "20261121",
        "令和8年11月21日",
        "令和８年１１月２１日",
        "㋿8年11月21日",
        "R8.11.21",
        "r8/11/21",
        "Ｒ８．１１．２１",
        "2026-11-21 00:00:00",
        "2026-11-21T00:00:00",
        "2026/11/21 0:00",
        "2026/11/21(土)",
        "２０２６／１１／２１（土）",
        "2026/11/21 (土)",
        "2026年11月21日（土曜）",
        "2026年11月21日 土曜日",
        "令和8年11月21日（土）",
        "令和8年11月21日㈯",
        "R8.11.21(土曜日)",
        "2026-11-21 (Sat)",
        "2026-11-21 Saturday",
    ],
)
def test_a_date_is_read(typed: str) -> None:
    assert read(DAY, typed) == date(2026, 11, 21)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2026/1/2", date(2026, 1, 2)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("H1.1.8", date(1989, 1, 8)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("S1/12/26", date(1926, 12, 26)),
    ],
)
def test_dates_of_every_era_are_read(typed: str, value: date) -> None:
    assert read(DAY, typed) == value


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("11/21/2026", "unsure_date"),
        ("21.11.2026", "unsure_date"),
        ("11/21", "unsure_date"),
        ("26/11/21", "unsure_date"),
        ("2026/11/21(日)", "unsure_date"),
        ("令和8年11月21日（金曜日）", "unsure_date"),
        ("2026-11-21 Sun", "unsure_date"),
        ("1121", "unsure_date"),
        ("21", "unsure_date"),
        ("2026", "unsure_date"),
        ("2026/2/30(月)", "not_a_date"),
        ("2026/11/21(木星)", "not_a_date"),
        ("2026/11/21 satsuma", "not_a_date"),
        ("(土)", "not_a_date"),
        ("2026/2/30", "not_a_date"),
        ("2026/13/1", "not_a_date"),
        ("0000/1/1", "not_a_date"),
        ("令和8年2月30日", "not_a_date"),
        ("平成31年5月1日", "not_a_date"),
        ("昭和64年1月8日", "not_a_date"),
        ("令和元年4月30日", "not_a_date"),
        ("2026-11/21", "not_a_date"),
        ("2026/11/2 1", "not_a_date"),
        ("2026 11 21", "not_a_date"),
        ("2026/11/21 12:30", "not_a_date"),
        ("明日", "not_a_date"),
        ("46347", "not_a_date"),
        ("8年11月21日", "not_a_date"),
    ],
)
def test_what_is_not_surely_a_date_is_a_problem(typed: str, said: str) -> None:
    assert code(DAY, typed) == said


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2", timedelta(hours=2)),
        ("２", timedelta(hours=2)),
        ("1.5", timedelta(minutes=90)),
        ("2 hours", timedelta(hours=2)),
        ("2時間", timedelta(hours=2)),
        ("２時間３０分", timedelta(minutes=150)),
        ("2 時間 30 分", timedelta(minutes=150)),
        ("2 hours 30 minutes", timedelta(minutes=150)),
        ("2 hours, 30 minutes", timedelta(minutes=150)),
        ("2 hours and 30 minutes", timedelta(minutes=150)),
        ("1,000秒", timedelta(seconds=1000)),
        ("90 min", timedelta(minutes=90)),
        ("1週間", timedelta(weeks=1)),
        ("1日2時間3分4秒", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("01:30:00", timedelta(minutes=90)),
        ("PT1H30M", timedelta(minutes=90)),
        ("1時間半", timedelta(minutes=90)),
        ("２時間半", timedelta(minutes=150)),
        ("1日 2 時間 半", timedelta(days=1, minutes=150)),
        ("P1DT1H", timedelta(hours=25)),
        ("P1Y35DT2H", timedelta(days=400, hours=2)),
        ("-PT1H30M", timedelta(minutes=-90)),
        ("PT0S", timedelta(0)),
        ("PT0.000001S", timedelta(microseconds=1)),
    ],
)
def test_a_length_of_time_is_read(typed: str, value: timedelta) -> None:
    assert read(TIME, typed) == value


@pytest.mark.parametrize(
    ("question", "typed", "said"),
    [
        (TIME, "1:30", "unsure_duration"),
        (TIME, "-2", "unsure_duration"),
        (TIME, "半日", "unsure_duration"),
        (TIME, "1日半", "unsure_duration"),
        (TIME, "1.5時間半", "unsure_duration"),
        (TIME_WITHOUT_UNIT, "5", "unsure_duration"),
        (TIME, "1,5 hours", "not_a_duration"),
        (TIME, "1 2 hours", "not_a_duration"),
        (TIME, "30 minutes 2 hours", "not_a_duration"),
        (TIME, "2 hours 3 hours", "not_a_duration"),
        (TIME, "2m", "not_a_duration"),
        (TIME, "2h30", "not_a_duration"),
        (TIME, "P", "not_a_duration"),
        (TIME, "PT", "not_a_duration"),
        (TIME, "P.D", "not_a_duration"),
        (TIME, "P1.D", "not_a_duration"),
        (TIME, "P1M", "not_a_duration"),
        (TIME, "long", "not_a_duration"),
        (TIME, "and", "not_a_duration"),
        (TIME, "、", "not_a_duration"),
        (TIME, "99999999999日", "not_a_duration"),
        (TIME, "9" * 400, "not_a_duration"),
        (TIME, "9" * 400 + "日", "not_a_duration"),
        (TIME, f"P{'9' * 400}D", "not_a_duration"),
        (TIME, "9" * 5000 + ":00:00", "not_a_duration"),
    ],
)
def test_what_is_not_surely_a_length_of_time_is_a_problem(question: Question, typed: str, said: str) -> None:
    assert code(question, typed) == said


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("red", "red"),
        ("Red", "red"),
        ("ＲＥＤ", "red"),
        ("赤", "red"),
        (" 赤　", "red"),
        ("dark_blue", "dark_blue"),
        ("Dark blue", "dark_blue"),
        ("dark-blue", "dark_blue"),
        ("DarkBlue", "dark_blue"),
        ("no", "no"),
    ],
)
def test_a_choice_is_read_by_value_or_by_its_label_in_either_language(typed: str, value: str) -> None:
    assert read(CHOICE, typed) == value


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rde", Words("Red", "赤")),
        ("drak blue", Words("Dark blue", "紺")),
        ("なし色々", Words("None at all", "なし色")),
        ("zebra", ""),
    ],
)
def test_an_unknown_choice_comes_with_what_was_probably_meant(typed: str, meant: str | Words) -> None:
    found = read(CHOICE, typed)
    assert isinstance(found, Misread)
    assert (found.code, found.suggestion) == ("unknown_choice", meant)
    assert found.facts["choices"] == (Words("Red", "赤"), Words("Dark blue", "紺"), Words("None at all", "なし色"))


def test_choices_that_differ_by_a_hyphen_alone_are_never_taken_for_one_another() -> None:
    alike = (Choice("a-b", "A-B", ja="ア"), Choice("ab", "AB", ja="イ"))
    question = replace(CHOICE, choices=alike)
    assert [read(question, one) for one in ("a-b", "A-B", "ab", "AB")] == ["a-b", "a-b", "ab", "ab"]
    assert code(question, "a b") == "unknown_choice"


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("accuracy", ("accuracy",)),
        ("f1, auc", ("f1", "auc")),
        ("auc、f1", ("f1", "auc")),
        ("AUC値；正解率", ("accuracy", "auc")),
        ("f1;auc;", ("f1", "auc")),
        ("f1・auc", ("f1", "auc")),
        ("F1値･AUC値", ("f1", "auc")),
        ("正解率／AUC", ("accuracy", "auc")),
        ("f1 / auc", ("f1", "auc")),
        ("f1\nauc", ("f1", "auc")),
        ("f1\r\n\r\nauc\r\n", ("f1", "auc")),
        ("Accuracy, plain, F1", ("accuracy", "f1")),
        ("f1, f1", ("f1",)),
        (("auc", "F1値"), ("f1", "auc")),
    ],
)
def test_several_choices_are_read_in_the_order_of_the_form(
    typed: str | tuple[str, ...], value: tuple[str, ...]
) -> None:
    assert read(MANY, typed) == value


def test_a_label_that_holds_a_separator_is_found_before_the_answer_is_parted() -> None:
    choices = (Choice("ab", "A/B", ja="甲・乙"), Choice("a", "A", ja="甲"), Choice("c", "C", ja="丙"))
    question = replace(MANY, choices=choices)
    assert [read(question, one) for one in ("A/B/C", "甲・乙・丙", "甲・丙")] == [("ab", "c"), ("ab", "c"), ("a", "c")]


def test_one_unknown_among_several_choices_is_a_problem() -> None:
    assert code(MANY, "f1, f2") == "unknown_choice"


@pytest.mark.parametrize("question", [TEXT, WHOLE, NUMBER, YES_NO, CHOICE, DAY, TIME, NAME], ids=lambda one: one.widget)
def test_a_list_where_one_answer_is_expected_is_a_problem(question: Question) -> None:
    assert code(question, ("1", "2")) == "several_answers"


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("水質 調査", "水質 調査"),
        ("  first try　", "first try"),
        ("two\r\nlines", "two\nlines"),
        ("old\rMac", "old\nMac"),
        ("１００％", "１００％"),
        ("no", "no"),
        ("=1+1", "=1+1"),
        ("a\tb", "a\tb"),
        ("ﾊﾝｶｸ", "ﾊﾝｶｸ"),
    ],
)
def test_free_text_stays_as_typed_without_the_blanks_around_it(typed: str, value: str) -> None:
    assert read(TEXT, typed) == value


def test_a_text_with_a_pattern_is_made_plain() -> None:
    assert read(CODE, " ＡＢ－１２３ ") == "AB-123"


@pytest.mark.parametrize("widget", list(EVERY.values()), ids=lambda one: one.widget)
@pytest.mark.parametrize("typed", ["", " ", "　", "\n", "-", "－", "‐", "–", "—", "―", "−", "ー", "ｰ", " - "])
def test_an_empty_cell_and_a_lone_dash_mean_nothing(widget: Question, typed: str) -> None:
    assert is_blank(typed)
    assert read(widget, typed) is None


EMPTY = Words("no limit", ja="上限なし")


@pytest.mark.parametrize("question", list(EVERY.values()), ids=lambda one: one.key)
@pytest.mark.parametrize("typed", ["no limit", "No  Limit", "ＮＯ ＬＩＭＩＴ", "上限なし", "　上限なし\n"])
def test_the_words_that_the_sheet_shows_for_an_empty_answer_mean_nothing(question: Question, typed: str) -> None:
    assert read(replace(question, blank=EMPTY), typed) is None


def test_words_for_an_empty_answer_are_an_answer_where_nothing_of_the_sort_is_shown() -> None:
    assert code(WHOLE, "上限なし") == "not_a_number"
    assert read(TEXT, "上限なし") == "上限なし"


def test_yes_no_and_a_choice_are_read_before_the_words_for_an_empty_answer() -> None:
    none = Words("no", ja="なし")
    assert read(replace(YES_NO, blank=none), "なし") is False
    assert read(replace(CHOICE, blank=none), "no") == "no"
    assert read(replace(CHOICE, blank=none), "なし") is None


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("wine\u200b", "U+200B"),
        ("wine\u202etxt", "U+202E"),
        ("wine\x07", "U+0007"),
        ("\ufeffwine", "U+FEFF"),
        ("wine\u00ad", "U+00AD"),
        ("wine\ud800", "U+D800"),
        ("wine\ue000", "U+E000"),
    ],
)
@pytest.mark.parametrize("question", [TEXT, NAME, CHOICE], ids=lambda one: one.widget)
def test_invisible_characters_are_refused_by_name(question: Question, typed: str, named: str) -> None:
    assert read(question, typed) == Misread("hidden_character", {"character": named})
    assert invisible("水質\n\t１") == ""


@pytest.mark.parametrize("typed", ["一家👨‍👩‍👧", "❤️‍🔥", "👨🏽‍💻"])
def test_an_emoji_of_several_characters_is_called_an_emoji(typed: str) -> None:
    assert code(TEXT, typed) == "emoji"


@pytest.mark.parametrize("question", [NUMBER, WHOLE, DAY, TIME, CHOICE, MANY, CODE], ids=lambda one: one.key)
@pytest.mark.parametrize("typed", ["なし", "無し", "特になし", "無制限", "None", "Ｎ／Ａ"])
def test_words_for_no_answer_are_to_be_left_out_where_an_answer_may_be(question: Question, typed: str) -> None:
    assert code(replace(question, required=False, blank=None, default="1"), typed) == "leave_empty"


@pytest.mark.parametrize("question", [NUMBER, WHOLE, DAY, TIME, CHOICE, MANY, CODE], ids=lambda one: one.key)
def test_the_word_that_a_sheet_shows_for_no_answer_is_none_and_another_is_not(question: Question) -> None:
    empty = replace(question, required=False, blank=None, default=None)
    assert [read(empty, typed) for typed in ("なし", " なし\n", "None")] == [None, None, None]
    assert code(empty, "無制限") == "leave_empty"


def test_words_for_no_answer_stay_what_they_are_elsewhere() -> None:
    assert read(TEXT, "なし") == "なし"
    assert read(YES_NO, "なし") is False
    assert read(replace(CHOICE, choices=(Choice("none", "None", ja="なし"),)), "なし") == "none"
    assert code(replace(NUMBER, required=True), "なし") == "not_a_number"


LAYERS = replace(CODE, limits=Limits(pattern="^[0-9]+(, ?[0-9]+)*$"))


@pytest.mark.parametrize("typed", ["100,50", "１００，５０", "１００、５０", "100､50", "100 、 50"])
def test_a_japanese_comma_between_numbers_is_a_comma_where_numbers_are_asked(typed: str) -> None:
    assert read(LAYERS, typed) == "100,50"


@pytest.mark.parametrize(("question", "typed"), [(LAYERS, "100、"), (LAYERS, "一、二"), (CODE, "1、2"), (TEXT, "1、2")])
def test_a_japanese_comma_stays_where_it_does_not_help(question: Question, typed: str) -> None:
    assert read(question, typed) == typed


@pytest.mark.parametrize("typed", ["wine", "ｗｉｎｅ", " wine ", "m-7k3m-9qx2-b4td-1", "0"])
def test_an_identifier_is_read(typed: str) -> None:
    assert read(NAME, typed) == clean(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Wine", "wine"),
        ("red wine", "red-wine"),
        ("red_wine", "red-wine"),
        ("..／..／etc", ""),
        ("../../etc", ""),
        ("https://169.254.169.254/wine", ""),
        ("-wine", ""),
        ("ワイン", ""),
        ("wine\nbeer", "wine-beer"),
        ("w" * 64, ""),
    ],
)
def test_what_is_no_identifier_is_refused_and_never_silently_changed(typed: str, meant: str) -> None:
    found = read(NAME, typed)
    assert isinstance(found, Misread)
    assert (found.code, found.suggestion) == ("bad_identifier", meant)


ANY = st.one_of(
    st.text(),
    st.text(alphabet="0123456789.,-+eE%pPtThHmMsSdDyY:/ 年月日時間分秒令和RHS\n"),
    st.from_regex(r"-?[pP]?[0-9]*[.,:/年]?[0-9]*[a-zA-Z日時間%]*", fullmatch=True),
)


@pytest.mark.parametrize("question", list(EVERY.values()), ids=lambda one: one.key)
@given(typed=st.one_of(ANY, st.lists(ANY, max_size=3).map(tuple)))
def test_reading_never_raises(question: Question, typed: str | tuple[str, ...]) -> None:
    read(question, typed)


def bare(widget: Widget) -> Question:
    return Question("x", "x", widget, Words("X"), Words("X"), Words("X"), limits=Limits())


@given(number=st.integers(-(2**53) + 1, 2**53 - 1))
def test_every_whole_number_is_read_back_plain_grouped_and_full_width(number: int) -> None:
    for written in (str(number), f"{number:,}", full_width(str(number))):
        assert read(bare("whole_number"), written) == number


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back(number: float) -> None:
    assert read(bare("number"), repr(number)) == number


@given(day=st.dates())
def test_every_date_is_read_back(day: date) -> None:
    assert read(bare("date"), day.isoformat()) == day
    assert read(bare("date"), f"{day.year:04}年{day.month}月{day.day}日") == day


@given(length=st.timedeltas())
def test_every_length_of_time_is_read_back_from_a_slip(length: timedelta) -> None:
    assert read(bare("duration"), TypeAdapter(timedelta).dump_python(length, mode="json")) == length


def full_width(typed: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in typed)


def plain(value: Any) -> Any:
    return replace(value, facts={}) if isinstance(value, Misread) else value


@pytest.mark.parametrize("question", [WHOLE, NUMBER, YES_NO, CHOICE, DAY, TIME, NAME, CODE], ids=lambda one: one.key)
@given(typed=st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_full_width_means_the_same_as_half_width(question: Question, typed: str) -> None:
    wide = full_width(typed)
    assert unicodedata.normalize("NFKC", wide) == typed
    assert plain(read(question, wide)) == plain(read(question, typed))


@given(typed=st.text())
def test_what_was_read_from_a_text_is_read_the_same_again(typed: str) -> None:
    for question in (TEXT, CODE):
        once = read(question, typed)
        if isinstance(once, str):
            assert read(question, once) == once
