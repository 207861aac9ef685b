"""Texts in Markdown: shown as they stand, or as code; and people's text defused, so that GitHub makes nothing of it."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"([\\`*_\[\]<>#|!~&@$])")
LIVE = re.compile(r"@|#(?=[0-9])|(?<=[Gg][Hh])-(?=[0-9])|(?<=:)(?=//)|(?<=[Ww]{3})(?=\.)|[0-9a-fA-F]{6}(?=[0-9a-fA-F])")
"""Where GitHub would see a name, a number of an issue, an address or a commit in plain text, whatever is escaped: it looks at the text
as it is shown, in which only a letter of no width parts them."""
NO_WIDTH = "\N{ZERO WIDTH SPACE}"


def literal(text: str) -> str:
    """A text that Markdown shows as it stands, in one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def defused(text: str) -> str:
    """As ``literal``, for a text that may hold what people wrote: it notifies nobody and links nowhere."""
    return literal(LIVE.sub(lambda found: f"{found[0]}{NO_WIDTH}", text))


def code(text: str) -> str:
    """A text as code, fenced by more backticks than it holds; in a table a bar must not part columns."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    padded = f" {text} " if "`" in text else text
    return f"{fence}{padded}{fence}".replace("|", "\\|")


def block(text: str) -> str:
    """A text as a block of code, between fences longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
