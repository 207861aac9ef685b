"""What people order in a comment or a mail (approve, reject, cancel), and the single-use words by which an approver is known in mail.

A word goes to one approver alone. The desk keeps its HMAC under the ledger's salt, bound to the request, the address it went to and what it
may do; the word itself stands nowhere but in that mail. It ends with the request's hold, or with the first ruling that it brought.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schema.answers import Where
from schema.problem import Problem
from schema.text import clean
from submit.desk import Desk, machine_user, now
from submit.identity import ALPHABET
from submit.ledger import Ledger, Writing

APPROVE, REJECT, CANCEL, UNCLEAR = "approve", "reject", "cancel", "unclear"
RULINGS = "approve,reject"
"""What a word may do."""
PARTS, LETTERS = 4, 4
"""A word is ``k3m4-9qx2-b4td-x7wq``: 80 bits; one part more than the id of a request, so that neither is taken for the other."""
TRIES = 5
"""Wrong words of one address on one day (UTC) that are looked up; the next ones are refused unread."""
MOST_LIVE = 20
"""Words that one approver may hold for one request: a mail that is sent again brings a new one."""
LONGEST_WHY = 500
LONGEST_LINE = 2_000
ID = re.compile(r"[0-9a-hjkmnp-tv-z]{4}(?:-[0-9a-hjkmnp-tv-z]{4}){2}")
WORD = re.compile(r"(?<![0-9a-z-])[0-9a-hjkmnp-tv-z]{4}(?:-[0-9a-hjkmnp-tv-z]{4}){3}(?![0-9a-z-])")
SPOKEN = {
    APPROVE: ("approve", "approved", "承認", "承認します", "承認いたします", "承認しました", "承認です"),
    REJECT: ("reject", "rejected", "却下", "却下します", "却下いたします", "却下しました", "却下です"),
    CANCEL: (
        "cancel",
        "取消",
        "取消し",
        "取り消し",
        "取消します",
        "取り消します",
        "取消してください",
        "取り消してください",
        "キャンセル",
        "キャンセルします",
        "キャンセルしてください",
        "中止",
        "中止します",
        "中止してください",
    ),
}
MEANT = {spoken: action for action, some in SPOKEN.items() for spoken in some}
FIRST = re.compile(rf"(/?)\s?({'|'.join(sorted(map(re.escape, MEANT), key=len, reverse=True))})(?=$|[\s:,.!、。：])")
END = " .!。、:,"
TABLE = """CREATE TABLE IF NOT EXISTS words (
    mac TEXT PRIMARY KEY NOT NULL, request TEXT NOT NULL, who TEXT NOT NULL, expires TEXT NOT NULL, spent TEXT NOT NULL)"""
PUT = "INSERT INTO words (mac, request, who, expires, spent) VALUES (?, ?, ?, ?, '')"
DROP = """DELETE FROM words WHERE request = ? AND who = ? AND rowid NOT IN (
    SELECT rowid FROM words WHERE request = ? AND who = ? ORDER BY rowid DESC LIMIT ?)"""
OF_ADDRESS = "SELECT mac, request, expires, spent FROM words WHERE who = ?"
SPEND = "UPDATE words SET spent = ? WHERE mac = ?"
SALT = "SELECT value FROM meta WHERE key = 'salt'"


@dataclass(frozen=True, slots=True)
class Order:
    """``action`` is ``approve``, ``reject``, ``cancel``, or ``unclear`` where the line begins like one and goes on otherwise; ``request``
    is the id that stands in it, "" for none; ``why`` the reason of a rejection."""

    action: str
    request: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order as it came. ``key`` is the carrier's name for what it stands in (``github:IC_…``), by which it is known again; ``subject``
    whom the carrier vouches for, "" for nobody; ``problem`` the code of what is wrong with it as it stands.

    Of a comment: ``source`` is the number of the source beneath which it stands, ``at`` when it was written and ``written`` when the text
    of that source was (RFC 3339, by the carrier's clock). Of a mail: ``words`` are those that the person wrote, ``quoted`` those in what
    they answer, ``ids`` the requests that are named there, ``thread`` the message ids before it.
    """

    key: str
    order: Order
    subject: str
    where: Where
    language: str = ""
    problem: str = ""
    source: int | None = None
    at: str = ""
    written: str = ""
    words: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    thread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an order: the request that was meant, "" where none was found, and why nothing was done, if so."""

    ordered: Ordered
    request: str
    problem: Problem | None = None


def parse(text: str, *, bare: bool = False) -> Order | None:
    """What one line orders: ``/approve ID?``, ``/reject ID? WHY``, ``/cancel ID?``, in any width, in English or Japanese; with ``bare``
    without the slash too, as people write in mail. None where it orders nothing. Whoever approves "if …" has not approved."""
    if len(text) > LONGEST_LINE:
        return None
    line = clean(text)
    found = FIRST.match(line.casefold())
    if not found or not (found[1] or bare):
        return None
    action, rest = MEANT[found[2]], line[found.end() :].strip(END)
    if action != REJECT:
        rest = WORD.sub("", rest.casefold()).strip(END)
        return Order(action, rest) if not rest or ID.fullmatch(rest) else Order(UNCLEAR)
    named = ID.match(rest.casefold())
    if named and rest[named.end() : named.end() + 1] in ("", *END):
        return Order(action, named[0], rest[named.end() :].strip(END)[:LONGEST_WHY])
    return Order(action, "", WORD.sub("", rest).strip(END)[:LONGEST_WHY])


def words_in(text: str) -> list[str]:
    """What in a text may be a word of ours, each once, as it was made."""
    return list(dict.fromkeys(WORD.findall(clean(text).casefold())))


def hashed(ledger: Ledger, address: str) -> str:
    """As what an address stands in the ledger wherever words are kept or tried."""
    return _who(ledger.salt, address)


def ensure(ledger: Ledger) -> None:
    ledger.ensure(TABLE)


def word_for(tx: Writing, request: str, address: str, expires: str) -> str:
    """A new word that lets whoever reads the mail of this address approve or reject this request, until then (RFC 3339). Those that were
    made for them before stay good: nobody knows which mail arrives."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(PARTS * LETTERS))
    word = "-".join(letters[at : at + LETTERS] for at in range(0, len(letters), LETTERS))
    tx.execute(TABLE)
    salt: bytes = tx.query(SALT)[0][0]
    who = _who(salt, address)
    tx.execute(PUT, (_mac(salt, word, request, who), request, who, expires))
    tx.execute(DROP, (request, who, request, who, MOST_LIVE))
    return word


def spend(desk: Desk, word: str, address: str, order: str = "") -> str | None:
    """The request whose word this is, which is spent from now on; None where it is wrong, used, too old or another's. ``order`` names what
    spends it: the same order finds it again after a crash. One that was never theirs is an entry; of too many on one day none is looked
    up. Their own that is used or too old by now is no guess."""
    with desk.ledger() as ledger:
        ensure(ledger)
        with ledger.writing() as tx:
            who, at = _who(ledger.salt, address), now()
            if _spent_tries(ledger, who, at) >= TRIES:
                return None
            for mac, request in _good(ledger, [word], who, at, order):
                tx.execute(SPEND, (order or f"at {at.isoformat()}", mac))
                return request
            if not any(_theirs(ledger, [word], who)):
                _note_wrong(ledger, tx, who, at)
            return None


def give_back(desk: Desk, order: str) -> None:
    """What this order has spent is good again: it ruled nothing."""
    with desk.ledger() as ledger:
        ensure(ledger)
        with ledger.writing() as tx:
            tx.execute("UPDATE words SET spent = '' WHERE spent = ?", (order,))


def requests_of(desk: Desk, words: Sequence[str], address: str, order: str = "") -> dict[str, str]:
    """The good ones among these words of an address, by the requests that they are for. Nothing is spent, and nothing said of others."""
    with desk.ledger() as ledger:
        ensure(ledger)
        who, at = _who(ledger.salt, address), now()
        if _spent_tries(ledger, who, at) >= TRIES:
            return {}
        return {request: one for one in words for _, request in _good(ledger, [one], who, at, order)}


def own(desk: Desk, words: Sequence[str], address: str) -> list[str]:
    """The requests that these words of an address are or were for, used and old ones too: they let nobody do anything any more."""
    with desk.ledger() as ledger:
        ensure(ledger)
        found = _theirs(ledger, words, _who(ledger.salt, address))
        return list(dict.fromkeys(str(request) for _, request, _, _ in found))


def is_locked(desk: Desk, address: str) -> bool:
    """Whether so many wrong words came from an address today (UTC) that none of theirs is looked up."""
    with desk.ledger() as ledger:
        return _spent_tries(ledger, _who(ledger.salt, address), now()) >= TRIES


def _good(ledger: Ledger, words: Sequence[str], who: str, at: datetime, order: str) -> Iterator[tuple[str, str]]:
    """The HMAC and request of each that is this address's and may be used."""
    for mac, request, expires, spent in _theirs(ledger, words, who):
        if spent in ("", order) and datetime.fromisoformat(expires) > at:
            yield mac, request


def _theirs(ledger: Ledger, words: Sequence[str], who: str) -> Iterator[tuple[Any, ...]]:
    """The rows of those that went to this address: all of theirs are compared, in constant time each."""
    rows = ledger.query(OF_ADDRESS, (who,))
    for word in (clean(one).casefold() for one in words):
        yield from [row for row in rows if hmac.compare_digest(row[0], _mac(ledger.salt, word, row[1], who))]


def _tries(ledger: Ledger, at: datetime) -> list[str]:
    """Whose the wrong words of a day were, as HMACs; "" for one that was erased."""
    beside = [one.beside_text for one in ledger.entries_keyed(f"wrong-word:{_day(at)}")]
    return [str(json.loads(text)["of"]) if text else "" for text in beside]


def _spent_tries(ledger: Ledger, who: str, at: datetime) -> int:
    return _tries(ledger, at).count(who)


def _note_wrong(ledger: Ledger, tx: Writing, who: str, at: datetime) -> None:
    """The address stands beside it alone, and there as its HMAC: a guess at it can be tested until it is erased."""
    all_of_day = _tries(ledger, at)
    detail: dict[str, Any] = {"what": "word", "day": _day(at), "tries": all_of_day.count(who) + 1}
    tx.append(
        f"wrong-word:{_day(at)}:{len(all_of_day)}",
        "wrong_word",
        at=at.isoformat(timespec="milliseconds"),
        user=machine_user(),
        detail=detail,
        beside=json.dumps({"of": who}),
    )


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _who(salt: bytes, address: str) -> str:
    return _hmac(salt, "address", address.strip().casefold())


def _mac(salt: bytes, word: str, request: str, who: str) -> str:
    return _hmac(salt, "word", word, request, who, RULINGS)


def _hmac(salt: bytes, *parts: str) -> str:
    return hmac.digest(salt, "\0".join(parts).encode(errors="surrogatepass"), hashlib.sha256).hex()
