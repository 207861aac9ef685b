"""A Problem in words: what is wrong and what to do, in one line whatever people wrote."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import words
from schema.answers import Answers, Given, Located, Where
from schema.check import check
from schema.problem import Problem, nearest, shown, unsigned
from schema.words import Fact, Words, both
from tests.kinds_for_tests import KINDS

CELL = Where("sheet.xlsx", "入力!C7")


def test_a_problem_is_a_place_a_sentence_and_a_code() -> None:
    problem = Problem("not_a_number", CELL, "count", {"text": "ten", "example": "10"})
    assert (
        problem.line("en")
        == "sheet.xlsx:入力!C7: “ten” is not a number. Write a number in digits, such as 10. [not_a_number]"
    )
    assert (
        problem.line("ja")
        == "sheet.xlsx:入力!C7: 「ten」は数値ではありません。数字で書いてください（例：10）。 [not_a_number]"
    )


def test_a_suggestion_stands_at_the_end() -> None:
    problem = Problem(
        "unknown_kind", CELL, "kind", {"kind": "trian", "kinds": ("Train (train)", "Guess (guess)")}, "train"
    )
    assert problem.message("en") == (
        "There is no kind of job named “trian”. Use one of: Train (train), Guess (guess). Did you mean “train”?"
    )
    assert problem.message("ja").endswith("「train」のことですか？")


def test_a_file_without_a_spot_is_named_alone() -> None:
    facts: dict[str, Fact] = {"sort": both("file_of_sort", suffix=".odt")}
    assert Problem("unknown_file", Where("sheet.odt"), facts=facts).line("en") == (
        "sheet.odt: A file of the sort “.odt” is not accepted here. Send the filled form as the Excel workbook (.xlsx) that it is. "
        "A table may come as CSV (.csv) too, and what is written by hand as YAML (.yaml). [unknown_file]"
    )


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_problem_that_says_nothing_to_do_ends_without_a_blank(language: str) -> None:
    said = Problem("rule", CELL, "x", {"rule": Words("No.", ja="だめです。")}).message(language)
    assert said == {"en": "No.", "ja": "だめです。"}[language]


def one_visible_line(line: str) -> bool:
    return not {unicodedata.category(one) for one in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


HOSTILE = {
    "a line break": "a\nsheet.xlsx:B2: all is well [ok]",
    "a carriage return": "a\rb",
    "a next line": "a\x85b",
    "a line separator": "a\u2028b",
    "a paragraph separator": "a\u2029b",
    "an escape sequence": "\x1b[2K\x1b[31mred",
    "a mark that turns the line around": "\u202egnp.exe",
    "zero width": "a\u200bb",
    "half of a character": "a\udc80b",
    "braces": "{text} {0} {label.en}",
    "percent": "%s %(text)s",
    "very long": "x" * 100_000,
}


@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_problem_is_one_printable_line_whatever_people_wrote(typed: str, language: str) -> None:
    facts: dict[str, Fact] = {"text": typed, "choices": (typed, Words(typed, ja=typed))}
    line = Problem("unknown_choice", Where(typed, typed), typed, facts, typed).line(language)
    assert one_visible_line(line)
    assert len(line) < 3000
    assert line.endswith("[unknown_choice]")


def test_braces_in_what_people_wrote_stay_braces() -> None:
    problem = Problem("not_a_date", CELL, "due", {"text": "{text} {x.__class__}"})
    assert problem.message("en").startswith("“{text} {x.__class__}” is not a date.")


ANY_TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\n\r\u2028\u202e\x1b\udc80{}%")))


@given(
    typed=st.dictionaries(st.sampled_from([one.key for one in KINDS["every_field"].form.questions]), ANY_TEXT),
    unknown=ANY_TEXT,
    file=ANY_TEXT,
)
def test_every_problem_of_a_check_is_one_line_in_every_language(typed: dict[str, str], unknown: str, file: str) -> None:
    cells: dict[str, Located[Given]] = {
        name: Located(text, Where(file, name)) for name, text in {**typed, unknown: "x"}.items()
    }
    found = check(Answers("every_field", Where(file), cells), KINDS)
    assert isinstance(found, list)
    for problem in found:
        for language in words.languages():
            assert one_visible_line(problem.line(language))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("wine", "wine"),
        ("水質　調査", "水質　調査"),
        ("a\tb", "a b"),
        ("木の本数\nランダムフォレストの設定", "木の本数 ランダムフォレストの設定"),
        ("a\r\nb\rc\u2028d", "a b c d"),
        ("a\x1bb", "a�b"),
        ("\ud800", "�"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
    ],
    ids=[
        "plain",
        "a wide space",
        "a tab",
        "a line break",
        "other line breaks",
        "an escape",
        "half a character",
        "as long as it may be",
        "too long",
    ],
)
def test_a_persons_text_is_shown_short_and_visible(text: str, seen: str) -> None:
    assert shown(text) == seen


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("wien", "wine"),
        ("WINE", "wine"),
        ("ｗｉｎｅ", "wine"),
        ("diabetis", "diabetes"),
        ("zebra", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_the_one_most_probably_meant(wrong: str, meant: str) -> None:
    assert nearest(wrong, ["wine", "diabetes"]) == meant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "https://b.s3.amazonaws.com/x.csv?X-Amz-Expires=9&X-Amz-Signature=c0ffee",
            "https://b.s3.amazonaws.com/x.csv?X-Amz-Expires=9&X-Amz-Signature=…",
        ),
        (
            "https://a.blob.core.windows.net/x?sv=1&sig=c0ffee%3D&se=2",
            "https://a.blob.core.windows.net/x?sv=1&sig=…&se=2",
        ),
        ("「https://x.example/?access_token=c0ffee」は", "「https://x.example/?access_token=…」は"),
        ("https://me:c0ffee@git.example.com/x.git", "https://…@git.example.com/x.git"),
        ("https://github.com/o/r/issues/new?template=x.yml", "https://github.com/o/r/issues/new?template=x.yml"),
        ("a=b; key=value, me:you@example.com", "a=b; key=value, me:you@example.com"),
    ],
)
def test_an_address_is_told_without_what_lets_others_in(typed: str, said: str) -> None:
    assert unsigned(typed) == said
    assert "c0ffee" not in Problem("no_dataset", Where("x"), "", {"dataset": typed, "datasets": ("wine",)}).message(
        "en"
    )
