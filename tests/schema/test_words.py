"""Everything that people read, in every language."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from schema import words
from schema.job import Job, Part, Resources
from schema.kinds import Kind
from schema.words import Words
from tests.kinds_for_tests import KINDS

ROOT = Path(__file__).parents[2]
JAPANESE = re.compile("[\u3001-\u303f\u3041-\u30ff\u3400-\u9fff\uff01-\uff5e]")
"""Kana, kanji, and the punctuation that only Japanese has."""
THE_SAME_IN_JAPANESE = {"XGBoost", "CSV", "JSON", "PDF", "%", "℃", ""}


def is_japanese(text: str) -> bool:
    return bool(JAPANESE.search(text)) or text in THE_SAME_IN_JAPANESE


def said_by(kind: Kind) -> Iterator[tuple[str, Words]]:
    """Every text of a kind that a person may read, and where it stands."""
    yield "title", kind.job.title
    yield "about", kind.job.about
    for one in kind.form.questions:
        texts = {"label": one.label, "help": one.help, "section": one.section, "blank": one.blank, "unit": one.unit}
        yield from ((f"{one.key}: {name}", text) for name, text in texts.items() if text)
        yield from ((f"{one.key}: {choice.value}", choice.label) for choice in one.choices)
    for part in parts(kind.job):
        yield from ((f"{part.__name__}: {one.holds.__name__}", one.words) for one in part.rules())


def parts(part: type[Part]) -> Iterator[type[Part]]:
    yield part
    for info in part.model_fields.values():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            yield from parts(info.annotation)
    for by in part.by().values():
        for member in by.members.values():
            yield from parts(member)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_text_of_a_kind_stands_in_both_languages(kind: Kind) -> None:
    lacking = [where for where, text in said_by(kind) if not text.en or not is_japanese(text.ja)]
    assert lacking == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_question_that_needs_a_form_shows_an_example_of_it(kind: Kind) -> None:
    assert [one.key for one in kind.form.questions if one.limits.pattern and not one.example] == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_a_kind_completes_is_explained_in_both_languages(kind: Kind) -> None:
    for choices in ({one.name: choice.value} for one in kind.form.questions for choice in one.choices):
        given: dict[str, Any] = {"weight": 5, **choices}
        for _, why in kind.job.complete(given).values():
            assert why.en
            assert is_japanese(why.ja)


def test_the_resources_are_asked_in_both_languages() -> None:
    assert is_japanese(Resources.title.ja)
    assert issubclass(Job, Part)


def entries(language: str) -> dict[str, str]:
    """Every text of a word file by its dotted name."""
    return {".".join((*path, name)): text for *path, name, text in _flat(words.table(language)) if path != ["kinds"]}


def _flat(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield *path, name, value
        else:
            yield from _flat(value, (*path, name))


def test_japanese_and_english_are_there_and_english_is_the_fallback() -> None:
    assert words.languages() == ("ja", "en")


@pytest.mark.parametrize("name", entries("en"))
def test_every_problem_and_fixed_text_stands_in_japanese(name: str) -> None:
    text = re.sub(r"\{[a-z_]*\}", "", entries("ja")[name])
    assert is_japanese(text)


@pytest.mark.parametrize("language", words.languages())
def test_every_language_has_the_same_texts_with_the_same_blanks(language: str) -> None:
    assert {name: _blanks(text) for name, text in entries(language).items()} == {
        name: _blanks(text) for name, text in entries("en").items()
    }


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", [name for name in entries("en") if name.startswith("problems.")])
def test_a_problem_is_what_is_wrong_and_what_to_do(name: str) -> None:
    assert name.endswith((".what", ".do"))
    assert entries("en")[name] or name == "problems.rule.do"


def _calls() -> Iterator[tuple[str, ast.Call]]:
    """Every place in the code where a text is written in both languages."""
    for room in ("schema", "generators", "submit", "jobs"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Words", "Unit"):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_every_text_in_the_code_stands_in_both_languages() -> None:
    lacking = [place for place, call in _calls() if not _has_both(call)]
    assert lacking == []


def _has_both(call: ast.Call) -> bool:
    second = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "ja")]
    if not _is_literal(call.args[0]):
        return True  # a person's text, or one that was written in both languages elsewhere
    return bool(second) and (not _is_literal(second[0]) or is_japanese(str(ast.literal_eval(second[0]))))


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def test_a_text_is_said_in_the_language_of_the_person() -> None:
    text = Words("wine", ja="ワイン")
    assert [text.say(language) for language in ("en", "ja")] == ["wine", "ワイン"]
    assert Words("XGBoost").say("ja") == "XGBoost"


def test_several_facts_are_joined_as_the_language_joins_a_list() -> None:
    facts = ("a", Words("b", ja="ビー"))
    assert [words.said(facts, language) for language in ("en", "ja")] == ["a, b", "a、ビー"]


def test_a_fixed_text_is_filled_with_facts() -> None:
    assert words.text("did_you_mean", "en", suggestion="{x}") == "Did you mean “{x}”?"
    assert words.text("did_you_mean", "ja", suggestion="wine") == "「wine」のことですか？"


def test_an_unknown_language_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError, match="no words for the language 'fr'"):
        words.table("fr")


FRENCH = """
[kinds]
"Which dataset?" = "Quel jeu de données ?"
"""
ASK_IN_FRENCH = """
from schema import words
from schema.answers import Where
from schema.kinds import load
from schema.problem import Problem
print(words.languages())
label = load()["inference"].form.by_key["dataset_id"].label
print(label.say("fr"), load()["inference"].form.by_key["model_id"].label.say("fr"))
print(Problem("missing", Where("a.xlsx", "C7"), "dataset_id", {"label": label}).line("fr"))
"""


def test_a_language_is_added_by_one_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "schema", tmp_path / "schema", ignore=shutil.ignore_patterns("__pycache__"))
    english = (tmp_path / "schema/words/en.toml").read_text(encoding="utf-8")
    french = english.replace("“{label}” has no answer.", "« {label} » est sans réponse.") + FRENCH
    (tmp_path / "schema/words/fr.toml").write_text(french, encoding="utf-8")
    asked = subprocess.run(
        [sys.executable, "-c", ASK_IN_FRENCH],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert asked.stdout.splitlines() == [
        "('fr', 'ja', 'en')",
        "Quel jeu de données ? Which model?",
        "a.xlsx:C7: « Quel jeu de données ? » est sans réponse. It is required: please fill it in. [missing]",
    ]
