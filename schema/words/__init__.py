"""Texts in every language: those of the problems and forms stand in ``LANGUAGE.toml`` beside this file, those of a kind in its class.

Adding a language is adding one file here; ``[kinds]`` in it translates the kinds' English texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FALLBACK = "en"
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Words:
    """One text in English and Japanese. A third language is looked up by the English text."""

    en: str
    ja: str = ""

    def say(self, language: str) -> str:
        if language == "ja":
            return self.ja or self.en
        if language == FALLBACK:
            return self.en
        return str(table(language).get("kinds", {}).get(self.en, self.en))


Fact = str | Words | tuple[str | Words, ...]
"""What fills a blank of a text of ours; several are joined as the language joins a list."""


@cache
def languages() -> tuple[str, ...]:
    """The languages a person may be answered in: one for each file, English last to be the fallback."""
    names = sorted(file.stem for file in HERE.glob("*.toml"))
    return (*(name for name in names if name != FALLBACK), FALLBACK)


@cache
def table(language: str) -> Mapping[str, Mapping[str, str]]:
    """The whole word file of a language. An unknown language is a KeyError of the program, never a person's."""
    if language not in languages():
        raise KeyError(f"no words for the language {language!r}")
    import tomllib

    return tomllib.loads((HERE / f"{language}.toml").read_text(encoding="utf-8"))


def text(name: str, language: str, **facts: Fact) -> str:
    """A fixed text by its name, such as ``form.answer``, its blanks filled with ``facts``."""
    return fill(table(language)["texts"][name], language, facts)


def both(name: str, **facts: Fact) -> Words:
    """A fixed text as Words, to be said in a language that is not known yet."""
    return Words(text(name, FALLBACK, **facts), ja=text(name, "ja", **facts))


def fill(template: str, language: str, facts: Mapping[str, Fact]) -> str:
    """Put facts into a text of ours. Facts are data: braces in them stay braces."""
    return template.format_map({name: said(fact, language) for name, fact in facts.items()})


def said(fact: Fact, language: str) -> str:
    if isinstance(fact, tuple):
        return table(language)["texts"]["list_separator"].join(said(one, language) for one in fact)
    return fact.say(language) if isinstance(fact, Words) else fact
