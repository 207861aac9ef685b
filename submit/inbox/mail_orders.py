"""What a mail without forms orders: a line above the quotation that says approve, reject or cancel and nothing else; several where each
names its own request.

A program's answer never gets here (``message.Head.automatic``), and a mail that only quotes an order says nothing itself. Whoever answers
the mail that asks them in other words is asked again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes

from schema.answers import Where
from schema.text import clean
from submit import policy
from submit.desk import Desk
from submit.inbox.message import Head, UnreadableError, guarded
from submit.inbox.order_layout import stands_alone
from submit.inbox.reply_text import Written, written
from submit.obey import concerns
from submit.orders import ID, LONGEST_WHY, REJECT, UNCLEAR, Order, Ordered, parse, words_in

Worded = tuple[Order, tuple[str, ...]]
"""An order, and the words that go with it; none where those of the whole mail do."""
ENDING = re.compile(r"cancel|stop|withdraw|キャンセル|取り?消|取り?下げ|取り?やめ|中止|止め|不要", re.IGNORECASE)
"""What who asked writes when they want no more of it; thanks are not answered."""


def ordered(desk: Desk, head: Head, raw: bytes, sha256: str, *, alone: bool) -> tuple[Ordered, ...]:
    """Empty where it orders nothing. Whom the mailbox's own server does not vouch for orders as nobody. ``alone``: nothing else came
    with it, so that something is to be said where it orders nothing plainly."""
    try:
        text = written(message_from_bytes(guarded(raw)), html=head.verified)
    except UnreadableError:
        return ()
    plain = _ordered(desk, head, text, f"mail:{sha256}")
    found = worded(text)
    if not found:
        return _asked_again(desk, plain, text) if alone else ()
    keys = [plain.key, *(f"{plain.key}/{number}" for number in range(2, len(found) + 1))]
    return tuple(
        replace(plain, key=key, order=one, words=words or plain.words)
        for key, (one, words) in zip(keys, found, strict=True)
    )


def _ordered(desk: Desk, head: Head, text: Written, key: str) -> Ordered:
    """A mail as an order of which it is not known yet what it says."""
    quoted, address = f"{head.subject}\n{text.quoted}", head.sender.casefold()
    return Ordered(
        key=key,
        order=Order(UNCLEAR),
        subject=f"mail:{address}" if head.verified else "",
        where=Where(head.subject),
        language=_language(desk, address),
        words=tuple(words_in("\n".join(text.lines))),
        quoted=tuple(words_in(quoted)),
        ids=tuple(dict.fromkeys(ID.findall(clean(quoted).casefold()))),
        thread=head.references,
    )


def _asked_again(desk: Desk, plain: Ordered, text: Written) -> tuple[Ordered, ...]:
    """Somebody answers in words that are no order: where that is about a request which they may rule on or have asked for."""
    said = clean(" ".join(text.lines))
    ends = said[:LONGEST_WHY] if ENDING.search(said) else ""
    request = concerns(desk, replace(plain, order=Order(UNCLEAR, "", ends))) if said else ""
    return (replace(plain, order=Order(UNCLEAR, request)),) if request else ()


def _language(desk: Desk, address: str) -> str:
    """In which the policy says that somebody reads, else the desk's."""
    rules = policy.read_of(desk).policy
    for one in rules.people.values() if rules else ():
        if address in (one.mail.casefold(), *(name.removeprefix("mail:").casefold() for name in one.names)):
            return one.language or desk.config.language
    return desk.config.language


def worded(text: Written) -> tuple[Worded, ...]:
    """The orders in what somebody wrote. Several that differ count where each names its own request or word, and none is named twice;
    else they are unclear, as are all where more is said. A reason may stand below the line that rejects."""
    lines = [(number, one, line) for number, line in enumerate(text.lines) if (one := parse(line, bare=True))]
    if not lines:
        return ()
    if text.doubtful or not stands_alone(text.lines, {number: one for number, one, _ in lines}):
        return ((Order(UNCLEAR), ()),)
    found = [(one, tuple(words_in(line))) for _, one, line in lines]
    if len({one for one, _ in found}) == 1 and len({words for _, words in found if words}) < 2:
        return ((_with_reason(text, *lines[0][:2]), ()),)
    return tuple(found) if _each_its_own(found) else ((Order(UNCLEAR), ()),)


def _each_its_own(found: list[Worded]) -> bool:
    if any(one.action == UNCLEAR for one, _ in found):
        return False
    by_number = [one.request for one, words in found if one.request and not words]
    by_word = [words[0] for one, words in found if len(words) == 1 and not one.request]
    return len(found) in (len(set(by_number)), len(set(by_word)))


def _with_reason(text: Written, number: int, one: Order) -> Order:
    if one.action != REJECT or one.why:
        return one
    return replace(one, why=clean(" ".join(text.lines[number + 1 :]))[:LONGEST_WHY])
