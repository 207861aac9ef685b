"""What a mail without forms orders: the one line above the quotation that says approve, reject or cancel and nothing else.

A program's answer never gets here (``message.Head.automatic``), and a mail that only quotes an order says nothing itself.
"""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes

from schema.answers import Where
from schema.text import clean
from submit.inbox.message import Head, UnreadableError, guarded
from submit.inbox.reply_text import Written, written
from submit.orders import ID, LONGEST_WHY, REJECT, UNCLEAR, Order, Ordered, parse, words_in


def ordered(head: Head, raw: bytes, sha256: str) -> Ordered | None:
    """None where it orders nothing. Whom the mailbox's own server does not vouch for orders as nobody, and their HTML is not
    read: plain text is enough to tell of a forged order."""
    try:
        text = written(message_from_bytes(guarded(raw)), html=head.verified)
    except UnreadableError:
        return None
    found = order(text)
    if found is None:
        return None
    quoted = f"{head.subject}\n{text.quoted}"
    return Ordered(
        key=f"mail:{sha256}",
        order=found,
        subject=f"mail:{head.sender.casefold()}" if head.verified else "",
        where=Where(head.subject),
        language="ja" if any(not one.isascii() and parse(one, bare=True) for one in map(clean, text.lines)) else "en",
        words=tuple(words_in("\n".join(text.lines))),
        quoted=tuple(words_in(quoted)),
        ids=tuple(dict.fromkeys(ID.findall(clean(quoted).casefold()))),
        thread=head.references,
    )


def order(text: Written) -> Order | None:
    """The order in what somebody wrote; two that differ are unclear. A reason may stand below the line that rejects."""
    found = [(number, one) for number, line in enumerate(text.lines) if (one := parse(line, bare=True))]
    if not found:
        return None
    number, first = found[0]
    if any(one != first for _, one in found):
        return Order(UNCLEAR)
    if first.action == REJECT and not first.why:
        return replace(first, why=clean(" ".join(text.lines[number + 1 :]))[:LONGEST_WHY])
    return first
