"""What is still to be told, for whoever looks after a desk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from schema.problem import shown
from submit import outbox
from submit.desk import Desk, now
from submit.outbox import Item
from submit.replies.hearers import FILES, GITHUB


def listed(desk: Desk) -> list[Item]:
    """What waits, was given up, or went out without anybody knowing whether it arrived; the oldest first."""
    with desk.ledger() as ledger:
        outbox.ensure(ledger)
        return outbox.in_state(ledger, outbox.WAITING, outbox.SENDING, outbox.UNSURE, outbox.GIVEN_UP)


def counted(desk: Desk) -> dict[str, int]:
    with desk.ledger() as ledger:
        outbox.ensure(ledger)
        return outbox.counts(ledger)


def retry(desk: Desk, numbers: Sequence[int]) -> int:
    """Let these be tried again, or all that were given up; how many. Of those that may have arrived only those that are named."""
    with desk.ledger() as ledger:
        outbox.ensure(ledger)
        wanted = outbox.in_state(ledger, outbox.GIVEN_UP, outbox.UNSURE)
        chosen = [one for one in wanted if one.number in numbers or (not numbers and one.state == outbox.GIVEN_UP)]
        with ledger.writing() as tx:
            outbox.again(tx, chosen, now().isoformat(timespec="seconds"))
        return len(chosen)


def data(one: Item) -> dict[str, Any]:
    """The contract of ``denpyo replies list --json``, for one."""
    return {
        "number": one.number,
        "state": one.state,
        "request": one.request,
        "event": one.event,
        "channel": one.channel,
        "role": one.role,
        "to": receiver(one),
        "attempts": one.attempts,
        "next_at": one.next_at if one.state == outbox.WAITING else "",
        "said": one.said,
    }


def line(one: Item) -> str:
    when = f"next try {one.next_at[:19]}" if one.state == outbox.WAITING else ""
    words = (str(one.number), one.state, one.request, one.event, one.channel, receiver(one), when, one.said)
    return "  ".join(word for word in words if word)


def receiver(one: Item) -> str:
    """To whom: an address, or a place of a source as people call it."""
    if one.channel not in (GITHUB, FILES):
        return shown(one.receiver, 200)
    return shown(" ".join(json.loads(one.receiver)), 200) if one.receiver else ""
