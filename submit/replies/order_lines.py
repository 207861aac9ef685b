"""What became of orders, in a line each: beneath the one comment of an issue, and in the answer to a mail.

They stand below the rest of the comment, which is written anew when the request moves on; what was ordered stays there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from generators.markdown import defused
from schema.problem import shown
from schema.words import text
from submit.orders import APPROVE, UNCLEAR, Done, Order, parse

BEGIN = "\n<!-- denpyo orders -->\n"
LINE = re.compile(r"^- \[[^\]\n]*\]\((https?://[^\s()]+)\) ", re.MULTILINE)
ADDRESS = re.compile(r"https?://[!-'*-~]+")
MOST = 5
"""Orders that stand below a comment, the newest ones: whoever orders what they may not, again and again, makes no long comment."""


def first_line(comment: str) -> Order | None:
    """The order that a comment begins with, in its very first place: not one that is quoted, in code, or behind a blank of any sort.
    Whoever goes on below an approval may set it a condition there."""
    line, _, below = comment.partition("\n")
    order = parse(line) if line[:1] in ("/", "／") else None
    return Order(UNCLEAR) if order and order.action == APPROVE and below.strip() else order


def said(done: Done, language: str) -> str:
    """What became of one order, as plain text in one line."""
    if done.problem:
        return done.problem.message(language)
    return text(f"order_{done.ordered.order.action}", language, id=done.request)


def line(done: Done, language: str) -> str:
    """The same for a comment: Markdown that links what was ordered. People's text in it is defused."""
    action = text(f"order_name_{done.ordered.order.action}", language)
    address = str(done.ordered.where)
    name = f"[{action}]({address})" if ADDRESS.fullmatch(address) else action
    return f"- {name} {defused(said(done, language))}"


def body(done: Sequence[Done], language: str, signature: str) -> str:
    """An answer to a mail that ordered something."""
    return "\n\n".join([*(shown(said(one, language), 2000) for one in done), signature]) + "\n"


def parted(comment: str) -> tuple[str, Mapping[str, str]]:
    """A comment of ours without the orders below it, and these by their addresses."""
    above, begin, below = comment.replace("\r\n", "\n").partition(BEGIN)
    found = ((LINE.match(one), one) for one in below.split("\n"))
    return (above if begin else comment), {match[1]: one for match, one in found if match}


def joined(above: str, below: Mapping[str, str], told: Mapping[str, str]) -> str:
    """A comment with the newest orders below it; one that stands there stays as it is."""
    lines = [*below.values(), *(line for where, line in told.items() if where not in below)]
    return f"{above}{BEGIN}" + "\n".join(lines[-MOST:]) + "\n" if lines else above
