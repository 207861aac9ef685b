"""The fixed texts of runs and their summaries, in every language: ``texts.toml`` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from schema.words import FALLBACK, fill


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8"))


def say(name: str, language: str, **facts: str) -> str:
    """A text by its name, its blanks filled; in English where the language has no table here."""
    table = _tables().get(language, _tables()[FALLBACK])
    return fill(table[name], language, facts)
