"""The last lines of every message: what it is about, that a program wrote it, and the newest checkpoint of the ledger, for whoever keeps
the message to hold against the ledger later. A checkpoint stands there line by line as it was signed, its empty line too.
"""

from __future__ import annotations

from contextlib import suppress

from generators.markdown import block
from schema.problem import shown
from schema.words import text
from submit.desk import Desk, DeskError
from submit.ledger import LedgerError
from submit.ledger.checkpoint import NEWEST, TABLE, newest, refuse_contradiction

LONGEST_LINE = 300
BEGIN, END = "<!-- checkpoint -->", "<!-- end of checkpoint -->"


def foot_of(desk: Desk, language: str, request: str, checkpoint: str) -> list[str]:
    """In lines; ``request`` is "" where a message is about several."""
    name = shown(desk.folder.resolve().name)
    first = (
        text("news_foot", language, id=request, desk=name) if request else text("news_foot_many", language, desk=name)
    )
    return [first, text("news_footer", language), *lines_of(checkpoint)]


def lines_of(checkpoint: str) -> list[str]:
    """Its lines after an empty one; none where there is none."""
    return ["", *(shown(line, LONGEST_LINE) for line in checkpoint.splitlines())] if checkpoint else []


def refuse_damaged(desk: Desk) -> None:
    """LedgerDamaged where the log has less than what was signed before, or other things."""
    with desk.ledger() as ledger:
        ledger.ensure(TABLE)
        refuse_contradiction(ledger.frontier(), ledger.query(NEWEST))


def newest_checkpoint(desk: Desk) -> str:
    """ "" where there is none to be had: a message is worth more than its foot."""
    with suppress(LedgerError, DeskError, OSError):
        return newest(desk)
    return ""


def details(language: str, checkpoint: str) -> str:
    """The checkpoint for a comment in Markdown, folded away; "" for none."""
    if not checkpoint:
        return ""
    summary = f"<details><summary>{text('news_checkpoint', language)}</summary>"
    return f"{BEGIN}\n{summary}\n\n{block(checkpoint.rstrip())}\n\n</details>\n{END}"


def without_details(comment: str) -> str:
    """A comment without the checkpoint that it carried."""
    head, found, rest = comment.partition(BEGIN)
    return f"{head.rstrip()}\n\n{rest.partition(END)[2].lstrip()}" if found else comment
