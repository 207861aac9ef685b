"""Texts in Markdown: shown as they stand, and such that GitHub makes nothing of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generators.markdown import block, code, defused, literal

SHOWN = MarkdownIt("commonmark")
LIVE = re.compile(r"@\w|#\d|\bGH-\d|://|\bwww\.|\b[0-9a-f]{7,40}\b", re.IGNORECASE)
"""What GitHub turns into mentions, references and links in the text of a comment (docs.github.com, "Autolinked references and URLs")."""


@pytest.mark.parametrize(
    "text",
    [
        "@taro",
        "example/jobs#12",
        "GH-12",
        "https://evil.example",
        "www.evil.example",
        "a5c3785ed8d6a35868bc169f07e40e889087fd2e",
    ],
)
def test_names_numbers_addresses_and_commits_are_parted_by_a_letter_of_no_width(text: str) -> None:
    shown = defused(text).replace("\\", "")
    assert shown != text
    assert shown.replace("\u200b", "") == text
    assert not LIVE.search(shown)


def test_what_is_none_of_these_stays_as_it_stands() -> None:
    assert (
        defused("85% of 7k3m-9qx2-b4td, a@ b, # 1: 1234567")
        == "85% of 7k3m-9qx2-b4td, a\\@\u200b b, \\# 1: 123456\u200b7"
    )


@given(st.text(st.characters(exclude_categories=["C", "Z"])) | st.text("@#[]()!<>`*_~|\\GH-12:/w.a "))
def test_any_text_is_shown_as_it_stands_and_nothing_in_it_lives(text: str) -> None:
    rendered = SHOWN.render(f"“{defused(text)}”")
    assert re.fullmatch(r"<p>“[^<>]*”</p>\n", rendered)
    assert not LIVE.search(
        rendered.replace("&quot;", '"').replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    )


@given(st.text(st.characters(exclude_categories=["C"])) | st.text("`~ \\a"))
def test_a_block_of_code_ends_where_the_text_does(text: str) -> None:
    (fence,) = [token for token in SHOWN.parse(f"{block(text)}\n\nafter") if token.type == "fence"]
    assert fence.content.rstrip("\n") == text.rstrip("\n")


def test_code_and_literal_texts_show_what_marks_up() -> None:
    assert code("a`b|c") == "`` a`b\\|c ``"
    assert literal("*a*\n<b>") == "\\*a\\* \\<b\\>"
