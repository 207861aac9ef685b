"""What people hear by mail of what became of their requests: one message a request, or one for all of a table that changed together."""

from __future__ import annotations

import json
from typing import Any

from schema.problem import shown
from submit import asked
from submit.desk import Desk
from submit.outbox import Item
from submit.replies import mail
from submit.replies.channel import Lot
from submit.replies.hearers import APPROVER, SENDER
from submit.replies.texts import laid_out

REPEATS = True
EVERY = 3600.0
MOST = 50
GENERATED = "auto-generated"


def send(desk: Desk, lot: Lot) -> None:
    subject, references = _thread(desk, lot)
    pages = [one.page for one in lot.news if one.page] if lot.total == 1 else []
    reply = mail.Reply(
        to=lot.first.receiver,
        subject=subject,
        body=body(lot),
        id=f"<denpyo-{lot.id}@{mail.sender(desk).rpartition('@')[2]}>",
        references=references,
        pages=pages,
        automatic=GENERATED,
    )
    mail.send(desk, reply)


def body(lot: Lot) -> str:
    """The text of the message, in the language of whoever reads it."""
    if lot.total == 1:
        return laid_out("one.txt", lot.language, one=lot.news[0], foot=lot.foot)
    return laid_out(
        "many.txt",
        lot.language,
        head=lot.head,
        news=lot.news,
        more=lot.total - len(lot.news),
        decide=lot.first.role == APPROVER,
        words=any(one.word for one in lot.news),
        todo=next((one.todo for one in lot.news if one.todo), ""),
        foot=lot.foot,
    )


def _thread(desk: Desk, lot: Lot) -> tuple[str, list[str]]:
    """The subject and the messages that it belongs to: those of what the sender mailed, where it came by mail."""
    one = lot.news[0]
    own = f"{one.id}: {one.state}" if lot.total == 1 else lot.head
    if lot.first.role != SENDER:
        return shown(f"[denpyo] {own}", 200), []
    told = _mailed(desk, lot.first)
    if told is None:
        return shown(f"[denpyo] {own}", 200), []
    subject = str(told.get("subject", ""))
    answering = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    return answering, [str(each) for each in told.get("references", ())]


def _mailed(desk: Desk, item: Item) -> dict[str, Any] | None:
    """What is known of the message that a request came by; None where it came by no mail."""
    with desk.ledger() as ledger:
        found = asked.asked(ledger, [item.request]).get(item.request)
    source = desk.config.sources.get(found.inbox) if found else None
    if found is None or source is None or source.kind != "mail":
        return None
    try:
        told = json.loads(found.thread)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
