"""Authentication-Results (RFC 8601): what a mailbox's own server found out about where a message came from.

Anyone can write such a header into a message. The server puts its own on top of what came in and, by section 5 of the RFC, takes
away those that bear its name: so only the topmost one with its name counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

OUTSIDE = re.compile(r'"(?:[^"\\]|\\.)*"|[();]|\s+|[^\s();"]+', re.DOTALL)
IN_COMMENT = re.compile(r"\\.|[()]|[^\\()]+", re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
FOUND = re.compile(r"([a-z0-9-]+)(?:/[0-9]+)?=([a-z]+)", re.IGNORECASE)
UNREADABLE = ""
NO_POLICY = ("none", "bestguesspass")
"""Results of DMARC where the domain says nothing of who may write in its name."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What one method found, with its properties by name (``header.from``)."""

    method: str
    result: str
    properties: Mapping[str, str]

    def domain(self, name: str) -> str:
        return self.properties.get(name, "").rpartition("@")[2].casefold()


def vouched(headers: Sequence[str], authserv_id: str, domain: str) -> bool:
    """Whether the server named ``authserv_id`` says that the message came from where mail of ``domain`` comes from.

    ``headers`` are the values of all Authentication-Results, topmost first. True where DMARC passed for this domain; where the domain
    has no DMARC policy, where SPF or DKIM passed for this very domain. What cannot be read vouches for nobody.
    """
    read = (_read(one) for one in headers)
    results = next((found for name, found in read if name in (UNREADABLE, authserv_id.casefold())), [])
    dmarc = [one for one in results if one.method == "dmarc"]
    if any(one.result not in ("pass", *NO_POLICY) for one in dmarc):
        return False
    passed = [one for one in results if one.result == "pass"]
    return any(_aligned(one, domain.casefold()) for one in passed)


def _aligned(one: _Result, domain: str) -> bool:
    match one.method:
        case "dmarc":
            return one.domain("header.from") == domain
        case "spf":
            return one.domain("smtp.mailfrom") == domain
        case "dkim":
            return domain in (one.domain("header.d"), one.domain("header.i"))
    return False


def _read(value: str) -> tuple[str, list[_Result]]:
    """The server's name and what it found: nothing where any of it is not as the RFC has it. What is unreadable may be anybody's,
    our own server's too."""
    name = UNREADABLE
    try:
        (name, *_), *statements = _statements(value)
        return name.casefold(), [_result(words) for words in statements if words != ["none"]]
    except ValueError:
        return name.casefold(), []


def _result(words: Sequence[str]) -> _Result:
    found = FOUND.fullmatch(words[0])
    if not found:
        raise ValueError(words[0])
    properties = [one.partition("=") for one in words[1:]]
    return _Result(found[1].casefold(), found[2].casefold(), {key.casefold(): said for key, _, said in properties})


def _statements(value: str) -> list[list[str]]:
    """What stands between semicolons, as words."""
    statements = [[""]]
    for piece in _pieces(value):
        if piece == ";":
            statements.append([""])
        elif piece.isspace():
            statements[-1].append("")
        else:
            statements[-1][-1] += ESCAPED.sub(r"\1", piece[1:-1]) if piece.startswith('"') else piece
    return [said for words in statements if (said := [one for one in words if one])]


def _pieces(value: str) -> Iterator[str]:
    """Words, quoted words, blanks and semicolons; a comment, which may hold others, is a blank."""
    at = depth = 0
    while at < len(value):
        found = (IN_COMMENT if depth else OUTSIDE).match(value, at)
        if not found:
            raise ValueError(value[at])
        at, piece = found.end(), found[0]
        depth += (piece == "(") - (piece == ")")
        if depth < 0:
            raise ValueError(piece)
        if not depth:
            yield " " if piece == ")" else piece
    if depth:
        raise ValueError("(")
