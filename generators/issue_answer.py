"""One answer as it stands in the body of an issue: the text under a heading, and what of the form's options it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generators.issue_fields import RESERVED, Field
from schema.answers import Given
from schema.problem import folded

EMPTY = frozenset(["", "_no response_", "*no response*"])
BOX = re.compile(r"\s*[-*+] ?\[( ?|[xX])\]\s*(.*?)\s*")
ITEM = re.compile(r"\s*[-*+]\s+(.*?)\s*")
JOINED = ", "
MOST_WAYS = 16


def could_hold(field: Field, lines: Sequence[str]) -> bool:
    """Whether GitHub could write these lines as the answer to this element."""
    filled = [line.strip() for line in lines if line.strip()]
    if field.element == "textarea":
        return True
    if field.element == "checkboxes":
        boxes = [BOX.fullmatch(line) for line in filled]
        return [box[2] for box in boxes if box] == list(field.options) and None not in boxes
    if len(filled) > 1:
        return False
    text = filled[0] if filled else ""
    return field.element == "input" or is_empty(field, text) or bool(selections(field, text))


def is_empty(field: Field, text: str) -> bool:
    """Whether this says that nothing was answered. "None" is GitHub's word where something could have been chosen."""
    typed = text.strip().casefold()
    return typed in EMPTY or (bool(field.means) and typed == RESERVED)


def given(field: Field, text: str) -> Given | None:
    """The answer as ``schema.text`` reads it; None where it can be read as different choices."""
    if is_empty(field, text):
        return ""
    if not field.means:
        return text
    if not field.several:
        return _meaning(field, text)
    lines = [line for line in text.split("\n") if line.strip()]
    chosen = list(_listed(lines))
    if len(chosen) == len(lines):
        return tuple(_meaning(field, one) for one in chosen if one is not None) or ""
    ways = selections(field, " ".join(text.split()))
    if len(ways) > 1:
        return None
    return tuple(field.means[one] for one in field.options if one in ways[0]) if ways else text


def _meaning(field: Field, typed: str) -> str:
    """What an option stands for; a text that is none as it was typed."""
    found = {folded(one): meant for one, meant in field.means.items()}
    return found.get(folded(typed.strip()), typed)


def _listed(lines: Sequence[str]) -> Iterator[str | None]:
    """What each line of a list holds, None where its box is not ticked; lines that are no member of a list are left out."""
    for line in lines:
        box, item = BOX.fullmatch(line), ITEM.fullmatch(line)
        if box:
            yield box[2] if box[1].strip() else None
        elif item:
            yield item[1]


def selections(field: Field, text: str) -> list[frozenset[str]]:
    """The ways to read a line as options that GitHub joined by ``, ``, as far as they differ. Options may hold commas themselves."""
    if not field.several or len(text) > sum(len(one) + len(JOINED) for one in field.options):
        return [frozenset([text])] if text in field.means else []
    ways: list[set[frozenset[str]]] = [{frozenset()}, *(set() for _ in text)]
    for end in range(1, len(text) + 1):
        for option in field.options:
            if len(ways[end]) < MOST_WAYS and text.endswith(option, 0, end):
                ways[end] |= {way | {option} for way in _before(text, end - len(option), ways) if option not in way}
    return sorted(ways[len(text)], key=sorted)


def _before(text: str, begin: int, ways: Sequence[set[frozenset[str]]]) -> set[frozenset[str]]:
    """The ways to read what stands before an option that begins here: nothing, or other options and a comma."""
    if begin == 0:
        return ways[0]
    before = begin - len(JOINED)
    return ways[before] if before > 0 and text[before:begin] == JOINED else set()
