"""The receipt in a marked copy: the id of a response, so that what comes back corrected is known as its next version."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from generators import Read
from generators.excel import RESPONSE
from schema.answers import Where
from schema.problem import Problem, shown

ID = re.compile(r"[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt cell says: an id, or ``damaged`` where one stood that cannot be read, or ``words`` alone."""

    id: str = ""
    damaged: str = ""
    words: bool = False


EMPTY = Receipt()


def receipt(text: str) -> Receipt:
    """The id is the first word, in whatever width and case it was typed again. A first word with a hyphen or a digit was an id."""
    found = unicodedata.normalize("NFKC", text).split(maxsplit=1)
    if not found:
        return EMPTY
    first = found[0].lower()
    if ID.fullmatch(first):
        return Receipt(first)
    was_id = first.isascii() and any(one in "-0123456789" for one in first)
    return Receipt(damaged=shown(found[0])) if was_id else Receipt(words=True)


def wrong(found: Receipt, where: Where) -> Problem:
    return Problem("wrong_receipt", where, RESPONSE, {"text": found.damaged})


def each_once(reads: Iterable[Read]) -> Iterator[Read]:
    """The same requests; one whose id stood before in this file has a Problem and no id, for it cannot be known whose it is."""
    seen: dict[str, Where] = {}
    for read in reads:
        id = read.answers.response
        if not id:
            yield read
        elif id in seen:
            where = read.answers.places[RESPONSE]
            twice = Problem("duplicate_response", where, RESPONSE, {"id": id, "other": shown(seen[id].spot)})
            yield replace(read, answers=replace(read.answers, response=""), problems=(*read.problems, twice))
        else:
            seen[id] = read.answers.places[RESPONSE]
            yield read
