"""From the ledger's entries to the outbox: each event once, in the order of the entries, whoever reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from submit import asked, outbox
from submit.asked import Asked
from submit.desk import Desk, now
from submit.ledger import Entry, Ledger, RequestRow
from submit.outbox import Told
from submit.replies.hearers import Audience, Contacts, Happened, event_of

PAGE = 1000
"""Entries that one transaction reads."""
OLD = timedelta(hours=24)
"""What had happened longer ago than that when a desk is read for the first time is told to nobody."""
KEPT = timedelta(days=30)
FIRST = ("accepted", "converted", "refused")
SINCE = "SELECT max(seq) FROM entries"


def fill(desk: Desk, contacts: Contacts) -> None:
    """Note who is to hear of what has happened since the last time."""
    audience = Audience(desk, contacts)
    with desk.ledger() as ledger:
        outbox.ensure(ledger)
        asked.ensure(ledger)
        past = _past(ledger)
        while _has_more(ledger):
            _fill_page(ledger, audience, past)


def _past(ledger: Ledger) -> int:
    """The last entry that was there when the desk was first read, kept for a reading that is cut off half way."""
    begun = outbox.begun(ledger)
    if begun is None:
        begun = 0 if outbox.cursor(ledger) else int(ledger.query(SINCE)[0][0] or 0)
        with ledger.writing() as tx:
            outbox.begin_reading(tx, begun)
    return begun


def _has_more(ledger: Ledger) -> bool:
    return int(ledger.query(SINCE)[0][0] or 0) > (outbox.cursor(ledger) or 0)


def _fill_page(ledger: Ledger, audience: Audience, past: int) -> None:
    with ledger.writing() as tx:
        entries = [*islice(ledger.entries(since=outbox.cursor(ledger) or 0), PAGE)]
        if not entries:
            return
        reading = _read(ledger, audience.desk, entries)
        outbox.put_lots(tx, reading.lots.items())
        new = [one for one in entries if one.seq > past or not _is_old(one)]
        outbox.put(tx, [told for entry in new for told in _told(ledger, audience, reading, entry)])
        outbox.move_cursor(tx, entries[-1].seq)
        outbox.prune(tx, (now() - KEPT).isoformat())


@dataclass(frozen=True)
class Reading:
    """What is known of the requests that a page of entries is about, by id: ``beside`` is what lies beside the first entry of each."""

    rows: Mapping[str, RequestRow]
    asked: Mapping[str, Asked]
    beside: Mapping[str, Mapping[str, str]]
    lots: Mapping[str, str]


def _read(ledger: Ledger, desk: Desk, entries: Sequence[Entry]) -> Reading:
    concern = (one for one in entries if one.action in FIRST or event_of(one))
    requests = [*dict.fromkeys(one.request for one in concern if one.request)]
    people = asked.asked(ledger, requests)
    beside = {id: json.loads(text) if text else {} for id, text in ledger.first_beside(requests).items()}
    lots = outbox.lots_of(ledger, requests)
    for id in (one for one in requests if one not in lots):
        lots[id] = _lot(ledger, desk, people.get(id), str(beside.get(id, {}).get("source_sha256", id)))
    return Reading(ledger.requests_among(requests), people, beside, lots)


def _lot(ledger: Ledger, desk: Desk, who: Asked | None, sha256: str) -> str:
    """What was handed in together: the forms of one message, or the rows of one file."""
    if who is None:
        return outbox.keyed(ledger, sha256)
    source = desk.config.sources.get(who.inbox)
    if source is not None and source.kind == "mail":
        return outbox.keyed(ledger, who.inbox, who.thread)
    return outbox.keyed(ledger, who.inbox, who.thread, sha256)


def _is_old(entry: Entry) -> bool:
    return now() - datetime.fromisoformat(entry.at) > OLD


def _told(ledger: Ledger, audience: Audience, reading: Reading, entry: Entry) -> Iterator[Told]:
    event, request = event_of(entry), entry.request or ""
    row = reading.rows.get(request)
    if not event or row is None:
        return
    claimed = str(reading.beside.get(request, {}).get("requested_by", ""))
    language = row.language or audience.desk.config.language
    lot = reading.lots.get(request, request)
    one = Happened(event, entry, request, language, reading.asked.get(request), claimed, lot)
    at = now().isoformat(timespec="seconds")
    for each in audience.of(one):
        who = outbox.keyed(ledger, each.channel, each.receiver.casefold())
        yield Told(
            entry.seq, event, request, each.channel, each.role, who, each.receiver, each.language, each.lot, at, at
        )
