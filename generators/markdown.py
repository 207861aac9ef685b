"""Texts in Markdown: shown as they stand, or as code."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"([\\`*_\[\]<>#|!~&@$])")


def literal(text: str) -> str:
    """A text that Markdown shows as it stands, in one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A text as code, fenced by more backticks than it holds; in a table a bar must not part columns."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padded = f" {text} " if "`" in text else text
    return f"{fence}{padded}{fence}".replace("|", "\\|")
