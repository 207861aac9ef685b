"""Orders that came with a source, carried out: who may is for ``approval`` to say, which request is meant is found out here.

Each order is an entry, whatever became of it, under the carrier's name for what it stood in; so it is carried out once, and the answer to
it is the same after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from schema.problem import Problem
from schema.words import FALLBACK, Fact, Words, both, said
from submit import approval, asked, orders, policy
from submit.bystanders import worth
from submit.desk import Desk, machine_user, now
from submit.engines import EngineDownError
from submit.inbox import SourceDownError
from submit.judging import Outcome
from submit.ledger import Entry
from submit.orders import APPROVE, CANCEL, REJECT, UNCLEAR, Done, Ordered

OPEN = ("accepted", "held", "queued", "running", "asking")
MAIL = "mail:"
MOST_WORDS = 64
"""Words of one mail that are looked up: a mail asks for fifty requests at most."""
MOST_SHOWN = 5
ACTIONS = (APPROVE, REJECT, CANCEL, UNCLEAR)
ENDS = {APPROVE: ("approved",), REJECT: ("rejected",), CANCEL: ("stopped", "stopping")}
"""The entries that stand once an order was carried out, by what was ordered."""
RULED = {
    **{one: one for one in ("approved", "rejected", "expired", "stopped", "superseded")},
    "denied": "refused",
}
"""What the entry that decided a request makes of it."""
MOST_ASKED = 3
"""Times that one person is asked again about one request: a program that answers by itself may not say so."""
MOST_VERSIONS = 50
OF_SUBJECT = """
    SELECT asked.request, asked.thread FROM asked JOIN requests ON requests.id = asked.request
    WHERE asked.subject = ? AND requests.state IN (SELECT value FROM json_each(?)) ORDER BY requests.rowid"""


def obey(desk: Desk, ordered: Sequence[Ordered], outcome: Outcome) -> list[Done]:
    """What became of each order that is worth one; ``outcome`` is that of the sources it came with. SourceDownError where an
    engine that is to end a run does not answer: the order is read again later."""
    try:
        known = _known(desk, ordered)
        return [
            _of_entry(one, known[one.key]) if one.key in known else _noted(desk, _carried_out(desk, one, outcome))
            for one in worth(desk, ordered, outcome, known)
        ]
    except EngineDownError as error:
        raise SourceDownError(str(error)) from error


def _known(desk: Desk, ordered: Sequence[Ordered]) -> dict[str, Entry]:
    """The entries of those that were read before, by their keys: whoever edits a comment orders nothing anew."""
    keys = {f"order:{one.key}:{action}": one.key for one in ordered for action in ACTIONS}
    with desk.ledger() as ledger:
        there = {keys[one] for one in ledger.keys_among(keys)}
        return {one: entry for one in there for entry in ledger.entries_keyed(f"order:{one}")}


def _of_entry(one: Ordered, entry: Entry) -> Done:
    code = str(entry.detail["code"])
    beside = json.loads(entry.beside_text or "{}")
    facts: dict[str, Fact] = {name: Words(*two) for name, two in beside.get("facts", {}).items()}
    gone = bool(code) and not entry.beside_text
    problem = Problem("order_erased" if gone else code, one.where, facts=facts) if code else None
    return Done(one, entry.request or "", problem)


def _noted(desk: Desk, done: Done) -> Done:
    one, problem = done.ordered, done.problem
    facts = {name: [said(fact, FALLBACK), said(fact, "ja")] for name, fact in problem.facts.items()} if problem else {}
    beside = {"by": one.subject, "where": str(one.where), "why": one.order.why, "facts": facts}
    detail = {"order": one.order.action, "code": problem.code if problem else ""}
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.append(
            f"order:{one.key}:{one.order.action}",
            "ordered",
            at=now().isoformat(timespec="milliseconds"),
            user=machine_user(),
            request=done.request or None,
            detail=detail,
            beside=json.dumps(beside, ensure_ascii=False, sort_keys=True),
        )
    return done


def _carried_out(desk: Desk, one: Ordered, outcome: Outcome) -> Done:
    problem = _wrong(one)
    if problem:
        return Done(one, one.order.request if one.order.action == UNCLEAR else "", problem)
    request = _of_source(desk, one, outcome) if one.source is not None else _of_mail(desk, one)
    if isinstance(request, Problem):
        return Done(one, "", request)
    return _ruled(desk, one, request)


def _wrong(one: Ordered) -> Problem | None:
    if one.problem:
        return Problem(one.problem, one.where)
    if one.order.action == UNCLEAR:
        return Problem("order_unclear", one.where)
    return None if one.subject else Problem("order_unverified", one.where)


def _of_source(desk: Desk, one: Ordered, outcome: Outcome) -> str | Problem:
    """The request that the text above a comment is now. A comment that is older than that text, or than the hold, speaks of another."""
    kept = [each for each in outcome.responses if each.source == one.source]
    if len(kept) != 1 or not (kept[0].good and kept[0].id) or (kept[0].known and not kept[0].unchanged):
        return Problem("order_no_request", one.where)
    request = kept[0].id
    if one.order.request not in ("", request):
        return Problem("order_other", one.where, facts={"given": one.order.request, "id": request})
    held = "" if one.order.action == CANCEL else _held_at(desk, request)
    if any(_time(one.at) < _time(each) for each in (one.written, held) if each):
        return Problem("order_before", one.where, facts={"id": request})
    return request


def _held_at(desk: Desk, request: str) -> str:
    """Since when it waits for an approval, to the second, as carriers tell the time; "" where it never did."""
    with desk.ledger() as ledger:
        at = [one.at for one in ledger.entries(request=request) if one.action == "held" and "run" not in one.detail]
    return _time(at[-1]).replace(microsecond=0).isoformat() if at else ""


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _of_mail(desk: Desk, one: Ordered) -> str | Problem:
    return _own(desk, one) if one.order.action == CANCEL else _entrusted(desk, one)


def _entrusted(desk: Desk, one: Ordered) -> str | Problem:
    """The request whose word stands in a mail: as the person wrote it, else in what they answer, where it must be the only one."""
    words, address = (one.words or one.quoted)[:MOST_WORDS], one.subject.removeprefix(MAIL)
    if not words:
        return Problem("order_no_word", one.where)
    if orders.is_locked(desk, address):
        return Problem("order_locked", one.where, facts={"tries": str(orders.TRIES)})
    found = orders.requests_of(desk, words, address, one.key)
    named = [each for each in found if one.order.request in ("", each)]
    still = _in(desk, named, ("held",)) or named
    if len(still) > 1:
        return _several(one, still)
    if not still:
        return _not_good(desk, one, words, address)
    return orders.spend(desk, found[still[0]], address, one.key) or Problem("order_wrong_word", one.where)


def _not_good(desk: Desk, one: Ordered, words: Sequence[str], address: str) -> Problem:
    """Why none of these words lets them rule. What was theirs is answered with what became of it; what never was is a wrong try."""
    theirs = orders.own(desk, words, address)
    meant = [each for each in theirs if one.order.request in ("", each)]
    if meant:
        return _decided(desk, one, meant[0])
    if theirs:  # words of other requests than the one that is named
        return Problem("order_no_word", one.where)
    orders.spend(desk, words[0], address, one.key)
    return Problem("order_wrong_word", one.where)


def _decided(desk: Desk, one: Ordered, request: str) -> Problem:
    with desk.ledger() as ledger:
        row = ledger.request(request)
        ends = [RULED[each.action] for each in ledger.entries(request=request) if each.action in RULED]
    if row is None or not ends:
        return Problem("order_wrong_word", one.where)
    facts: dict[str, Fact] = {"ruling": both(f"order_is_{ends[-1]}"), "state": both(f"receipt_{row.state}")}
    return Problem("order_decided", one.where, facts={"id": request, **facts})


def concerns(desk: Desk, one: Ordered) -> str:
    """The request that a mail is about which orders nothing: one that this person may decide, by a good word in it, or one of their own
    that it answers. "" for none, and where they were asked again often enough."""
    if not one.subject:
        return ""
    words = (one.words + one.quoted)[:MOST_WORDS]
    found = [*orders.requests_of(desk, words, one.subject.removeprefix(MAIL), one.key)] if words else []
    about = _in(desk, found, ("held",)) or (_meant(one, _theirs(desk, one, OPEN)) if one.order.why else [])
    return about[0] if about and _times_asked(desk, one, about[0]) < MOST_ASKED else ""


def _times_asked(desk: Desk, one: Ordered, request: str) -> int:
    with desk.ledger() as ledger:
        found = [each for each in ledger.entries(request=request) if each.detail.get("code") == "order_unclear"]
    return sum(_by(each) == one.subject and not each.key.startswith(f"order:{one.key}:") for each in found)


def _own(desk: Desk, one: Ordered) -> str | Problem:
    """The request that somebody wants to end: the one they name, else the one that their mail answers."""
    if one.order.request:
        return one.order.request
    found = _meant(one, _theirs(desk, one, OPEN))
    if len(found) > 1:
        return _several(one, found)
    before = [] if found else _meant(one, _theirs(desk, one, ("superseded",)))
    if before:
        return _replaced(desk, one, before[-1])
    return found[0] if found else Problem("order_nothing_open", one.where)


def _theirs(desk: Desk, one: Ordered, states: Sequence[str]) -> list[tuple[Any, ...]]:
    """What somebody has asked for that stands so, and the thread of each."""
    with desk.ledger() as ledger:
        asked.ensure(ledger)
        return list(ledger.query(OF_SUBJECT, (one.subject, json.dumps(states))))


def _meant(one: Ordered, theirs: Sequence[tuple[Any, ...]]) -> list[str]:
    """Those that a mail names, else those that it answers."""
    named = [str(request) for request, _ in theirs if request in one.ids]
    return named or [str(request) for request, thread in theirs if _answers(one, thread)]


def _replaced(desk: Desk, one: Ordered, request: str) -> Problem:
    """It was replaced: by what, at last."""
    newer = request
    with desk.ledger() as ledger:
        for _ in range(MOST_VERSIONS):
            by = [str(each.detail["by"]) for each in ledger.entries(request=newer) if each.action == "superseded"]
            if not by:
                break
            newer = by[-1]
    return Problem("order_replaced", one.where, facts={"id": request, "newer": newer})


def _answers(one: Ordered, thread: str) -> bool:
    """Whether a mail belongs to the thread that a request was asked for in."""
    try:
        before = json.loads(thread)["references"] if thread else []
    except (ValueError, LookupError, TypeError):  # of another inbox, in words of its own
        return False
    return bool(set(before) & set(one.thread))


def _in(desk: Desk, requests: Sequence[str], states: Sequence[str]) -> list[str]:
    with desk.ledger() as ledger:
        return [id for id, row in ledger.requests_among(requests).items() if row.state in states]


def _several(one: Ordered, found: Sequence[str]) -> Problem:
    more = ["…"] if len(found) > MOST_SHOWN else []
    ids = sorted(found)
    facts: dict[str, Fact] = {"ids": ", ".join([*ids[:MOST_SHOWN], *more]), "id": ids[0]}
    return Problem("order_several", one.where, facts={**facts, "order": both(f"order_name_{one.order.action}")})


def _ruled(desk: Desk, one: Ordered, request: str) -> Done:
    subject = one.subject if one.order.action == CANCEL or one.source is not None else _approver(desk, one.subject)
    if one.order.action == APPROVE:
        ruling = approval.approve(desk, request, subject)
    elif one.order.action == REJECT:
        ruling = approval.reject(desk, request, subject, one.order.why)
    else:
        ruling = approval.withdraw(desk, request, subject)
    problem = ruling.problem and replace(ruling.problem, where=one.where)
    if problem and problem.code == "nothing_to_stop" and ruling.state == "superseded":
        problem = _replaced(desk, one, ruling.id)
    if problem and _was_done(desk, one.order.action, ruling.id, subject):
        problem = None
    if problem:
        orders.give_back(desk, one.key)
    return Done(one, ruling.id if _there(desk, ruling.id) else "", problem)


def _there(desk: Desk, request: str) -> bool:
    with desk.ledger() as ledger:
        return ledger.request(request) is not None


def _approver(desk: Desk, subject: str) -> str:
    """Whom the policy names by the address that a word went to: that need not be among the names that it knows them by."""
    rules, address = policy.read_of(desk).policy, subject.removeprefix(MAIL)
    people = rules.people.values() if rules else ()
    return next((one.names[0] for one in people if address and one.mail.casefold() == address), subject)


def _was_done(desk: Desk, action: str, request: str, subject: str) -> bool:
    """Whether this person's same ruling stands already: they said it twice, or this process died after it."""
    with desk.ledger() as ledger:
        ends = [each for each in ledger.entries(request=request) if each.action in ENDS[action]]
    return bool(ends) and _by(ends[-1]) == subject


def _by(entry: Entry) -> str:
    told: Mapping[str, Any] = json.loads(entry.beside_text) if entry.beside_text else {}
    return str(told.get("by", ""))
