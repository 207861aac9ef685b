"""The generated pages of the documentation."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from generators import reference
from schema import words
from schema.question import Form
from schema.words import Words
from tests.kinds_for_tests import KINDS, SHIPPED

FORMS = [kind.form for kind in KINDS.values()]
MARKDOWN = MarkdownIt("commonmark").enable("table")


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table, as a reader of Markdown sees them."""
    found: list[list[str]] = []
    for token in MARKDOWN.parse(page):
        if token.type == "tr_open":
            found.append([])
        if token.type == "inline" and token.level == 4:
            found[-1].append("".join(child.content for child in token.children or ()))
    return found


def test_every_problem_is_listed_with_what_it_means_and_what_to_do() -> None:
    listed = rows(reference.problems_page("en"))
    assert [cells[0] for cells in listed[1:]] == list(words.table("en")["problems"])
    assert ["missing", "“…” has no answer.", "It is required: please fill it in."] in listed
    assert ["rule", "…", ""] in listed


def test_the_page_of_problems_speaks_japanese_too() -> None:
    page = reference.problems_page("ja")
    assert page.startswith("# 問題の一覧\n\nファイルや答えについて")
    assert "| `missing` | 「…」が空欄です。 | 必須の項目です。記入してください。 |\n" in page
    assert page.endswith("|\n")


def test_every_question_of_every_kind_is_listed() -> None:
    names = [cells[0] for cells in rows(reference.kinds_page(FORMS, "en")) if cells[0] != "Name"]
    assert names == [one.name for kind in sorted(KINDS) for one in KINDS[kind].form.questions]


QUESTIONS = {
    "every_field": {
        "count": ["How many?", "whole number [pieces], 1 or more, 1000000 or less", "must be answered", "For tests."],
        "code": ["Code", "text, like AB-123", "AB-123", "For tests."],
        "share": ["Share", "number, more than 0%, less than 100%", "50%", "For tests. 50% may be typed as 0.5 or 50%."],
        "urgent": ["Is it urgent?", "yes or no", "no", "For tests."],
        "colour": ["Which colour?", "one of, red Red, dark_blue Dark blue, no None at all", "Red", "For tests."],
        "due": ["Until when?", "date, 2026/01/01 or later, 2030/12/31 or earlier", "must be answered", "For tests."],
        "limit": [
            "At most how long?",
            "length of time [hours], more than 0 days, 500 days or less",
            "1 hour",
            "For tests.",
        ],
        "remarks": ["Remarks", "text, at most 200 characters", "none", "For tests."],
    },
    "conditions": {
        "outputs": [
            "Which outputs?",
            "any of, at least 1 choice, table Table, chart Chart, model Model",
            "Table",
            "For tests.",
        ],
        "whom": [
            "Whom?",
            "text, like hanako",
            "must be answered",
            "For tests. Only asked when “Alert somebody?” is “yes”.",
        ],
    },
}


@pytest.mark.parametrize("kind", QUESTIONS)
def test_a_question_is_described_by_what_may_be_answered_and_what_an_empty_answer_means(kind: str) -> None:
    listed = {name: rest for name, *rest in rows(reference.kinds_page([KINDS[kind].form], "en"))}
    assert {name: listed[name] for name in QUESTIONS[kind]} == QUESTIONS[kind]


def test_what_a_whole_section_hangs_on_is_said_once_above_it() -> None:
    page = reference.kinds_page([SHIPPED["train_supervised"].form], "ja")
    assert (
        "### XGBoostの設定\n\n「アルゴリズム」が「XGBoost」のときだけ尋ねます。\n\n"
        "| 名前 | 質問 | 答え | 空欄のとき | 説明 |\n| --- | --- | --- | --- | --- |\n"
        "| `hyperparameters.n_estimators` | 木の数 | 整数 [本]、1以上、10000以下 | 100 | 多いほど時間がかかり、結果は安定します。 |\n"
    ) in page


@pytest.mark.parametrize("language", words.languages())
def test_both_pages_are_the_same_text_each_time(language: str) -> None:
    assert reference.problems_page(language) == reference.problems_page(language)
    assert reference.kinds_page(FORMS, language) == reference.kinds_page(reversed(FORMS), language)


def test_words_that_look_like_markdown_are_shown_as_they_stand() -> None:
    hostile = "a|b *c* _d_ `e` <script> [f](g) #1 @me ![h](i) \\ $x$ ~~z~~\n# new"
    question = replace(
        SHIPPED["inference"].form.questions[0], label=Words(hostile, ja=hostile), required=False, default="`|`"
    )
    form = replace(SHIPPED["inference"].form, title=Words(hostile, ja=hostile), questions=(question,))
    page = reference.kinds_page([form], "en")
    heads, cells = rows(page)
    assert len(heads) == len(cells) == 5
    assert cells[1] == hostile.replace("\n", " ")
    tags = set(re.findall(r"</?([a-z0-9]+)", MARKDOWN.render(page)))
    assert tags == {"h1", "h2", "h3", "p", "code", "table", "thead", "tbody", "tr", "th", "td"}


def test_a_kind_with_nothing_but_resources_is_still_a_page() -> None:
    form = Form(
        "bare", 1, Words("Bare", ja="空"), Words("Nothing.", ja="なし。"), SHIPPED["inference"].form.questions[-3:]
    )
    assert "## Bare\n\nKind `bare`, version 1. Nothing.\n\n### Where and how long it runs\n" in reference.kinds_page(
        [form], "en"
    )
