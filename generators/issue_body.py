"""The body of a GitHub issue, parted at the headings of its form.

GitHub writes every element as ``### heading``, a blank line and the answer, in the form's order, with ``_No response_`` where nothing was
answered. A body that can be parted so in exactly one way is what GitHub wrote, whatever headings people repeat in their answers; one
that can be parted in several ways is asked about. All other bodies were edited by hand: there, headings stand outside of fences, each
once, in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from generators.issue_answer import could_hold
from generators.issue_fields import Field
from schema.answers import Where
from schema.problem import Problem, folded, nearest, shown

HEADING = re.compile(r" {0,3}###[ \t]+(\S.*?)(?:[ \t]+#+)?[ \t]*")
FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")
MOST_REPEATS = 200
"""Lines that may be the same heading; GitHub's longest body is 65,536 characters."""
MOST_GUESSED = 50
"""Headings of nobody's form for which a heading that may be meant is looked for."""
SHORT = 10
"""More lines than an answer of one line takes."""


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading. Lines are counted from 1; ``line`` is that of the heading, ``first`` that of the answer."""

    field: Field
    line: int
    first: int
    text: str


@dataclass(frozen=True, slots=True)
class Parted:
    """A body as it was parted, with what is wrong with its headings; ``beside`` is the first line that belongs to no question."""

    sections: tuple[Section, ...] = ()
    problems: tuple[Problem, ...] = ()
    beside: int = 0


def lines_of(body: str) -> list[str]:
    return body.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def spot(line: int, heading: str = "") -> str:
    """``7: ### データセット``."""
    return f"{line}: ### {heading}" if heading else str(line)


def headings(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Every line that looks like an element's heading, counted from 0, with its text; in fences too."""
    for at, line in enumerate(lines):
        found = HEADING.fullmatch(line)
        if found:
            yield at, found[1]


def part(lines: Sequence[str], fields: Sequence[Field], file: Where) -> Parted:
    """The answers under the headings of this form."""
    found: dict[str, list[int]] = {folded(one.label): [] for one in fields}
    for at, name in headings(lines):
        if folded(name) in found:
            found[folded(name)].append(at)
    repeated = next((one for one in fields if len(found[folded(one.label)]) > MOST_REPEATS), None)
    if repeated:
        return _unsure(repeated, found[folded(repeated.label)], file)
    ways = _ways(lines, fields, found)
    if len(ways) > 1:
        field, one, other = next(_differences(fields, ways))
        return _unsure(field, (one, other), file)
    if ways:
        ends = [*ways[0][1:], len(lines)]
        return Parted(tuple(_section(lines, *one) for one in zip(fields, ways[0], ends, strict=True)))
    return _by_hand(lines, fields, file)


def _differences(fields: Sequence[Field], ways: Sequence[Sequence[int]]) -> Iterator[tuple[Field, int, int]]:
    return (one for one in zip(fields, *ways[:2], strict=True) if one[1] != one[2])


def _ways(lines: Sequence[str], fields: Sequence[Field], found: Mapping[str, list[int]]) -> list[tuple[int, ...]]:
    """The ways, at most two, in which GitHub can have written these lines: where each heading stands."""
    filled = [at for at, line in enumerate(lines) if line.strip()]
    if not filled:
        return []
    after: dict[int, list[tuple[int, ...]]] = {filled[-1] + 1: [()]}
    for field in reversed(fields):
        here: dict[int, list[tuple[int, ...]]] = {}
        for at in found[folded(field.label)]:
            ends = (end for end in after if end > at and _fits(lines, field, at, end))
            ways = [(at, *way) for end in ends for way in after[end]][:2]
            if ways:
                here[at] = ways
        after = here
    return after.get(filled[0], [])


def _fits(lines: Sequence[str], field: Field, at: int, end: int) -> bool:
    """Whether GitHub could write these lines for this element: blank lines around an answer that it can have."""
    if (end < len(lines) and lines[end].strip() and lines[end - 1].strip()) or (at + 1 < end and lines[at + 1].strip()):
        return False
    if field.element == "textarea":
        return True
    return end - at < SHORT + len(field.options) and could_hold(field, lines[at + 1 : end])


def _section(lines: Sequence[str], field: Field, at: int, end: int) -> Section:
    filled = [number for number in range(at + 1, end) if lines[number].strip()]
    if not filled:
        return Section(field, at + 1, at + 1, "")
    return Section(field, at + 1, filled[0] + 1, "\n".join(lines[filled[0] : filled[-1] + 1]))


def _by_hand(lines: Sequence[str], fields: Sequence[Field], file: Where) -> Parted:
    """The answers in a body that somebody wrote or edited."""
    fenced = in_fences(lines)
    heads = list(_heads([one for one in headings(lines) if one[0] not in fenced], fields))
    problems: list[Problem] = []
    sections: dict[str, Section] = {}
    for (at, head), (end, _) in pairwise([*heads, (len(lines), None)]):
        if isinstance(head, Problem):
            problems.append(replace(head, where=file.at(spot(at + 1, str(head.facts["name"])))))
        elif head and head.key in sections:
            problems += _unsure(head, (sections[head.key].line - 1, at), file).problems
        elif head:
            sections[head.key] = _section(lines, head, at, end)
    first = heads[0][0] if heads else 0
    beside = next((at + 1 for at in range(first) if lines[at].strip()), 0)
    return Parted(tuple(sections.values()), tuple(problems), beside)


def _heads(found: Sequence[tuple[int, str]], fields: Sequence[Field]) -> Iterator[tuple[int, Field | Problem]]:
    """Those headings that part the body: of the form, and others, unless they may belong to a text of several lines above them."""
    named = {folded(one.label): one for one in fields}
    missing = set(named) - {folded(name) for _, name in found}
    strange = [name for _, name in found if folded(name) not in named]
    close = {name: named[meant] for name in strange[:MOST_GUESSED] if (meant := nearest(name, missing))}
    above: Field | None = None
    for at, name in found:
        field = named.get(folded(name))
        if field:
            yield at, field
        elif above is None or above.element != "textarea" or name in close:
            meant = f"### {close[name].label}" if name in close else ""
            yield at, Problem("unknown_question", Where(""), "", {"name": shown(name)}, meant)
        else:
            continue
        above = field


def fences(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """The code fences (CommonMark 4.5): the lines that open and close each, counted from 0, and what the first says of the code. One
    that is never closed is none."""
    opened, mark, about = -1, "", ""
    for at, line in enumerate(lines):
        found = FENCE.fullmatch(line)
        if opened < 0 and found:
            opened, mark, about = at, found[1], found[2].strip()
        elif found and found[1].startswith(mark) and not found[2].strip():
            yield opened, at, about
            opened = -1


def in_fences(lines: Sequence[str]) -> set[int]:
    """The lines inside code fences, and the fences themselves."""
    return {at for first, last, _ in fences(lines) for at in range(first, last + 1)}


def _unsure(field: Field, places: Sequence[int], file: Where) -> Parted:
    """A heading that stands in several places, of which only one can be meant."""
    facts = {"label": field.label, "other": str(places[0] + 1)}
    where = file.at(spot(places[1] + 1, field.label))
    return Parted(problems=(Problem("issue_heading_twice", where, field.key, facts),))
