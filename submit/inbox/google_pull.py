"""The responses of a desk's Google forms, from where it stood.

The service names every response for ever, and says when it was last sent: a response that is edited comes again under its name. So
what was seen is told by name and time, and the last minutes before the newest are asked for again, because a response may show up
after one that was sent later.

Nobody is answered: the service has no way to. Receipts and states may be written back into the form's spreadsheet (``google_rows``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from schema.problem import shown
from submit.desk import Desk, DeskError, refuse_open_secret
from submit.inbox import Delivery, SourceDownError
from submit.inbox.google import SHEETS, Google, Json
from submit.inbox.google_publish import DOOR, SECOND, SIGNED_IN, collects
from submit.inbox.google_rows import Rows
from submit.inbox.places import all_places
from submit.inbox.published import Published, forms_of
from submit.judging import Outcome
from submit.ledger import LedgerBusy
from submit.response import UNVERIFIED, VERIFIED, Source
from submit.sources import Google as Settings

OVERLAP = timedelta(minutes=10)
AT_ONCE = 50
"""Responses that are submitted in one transaction."""


def open_inbox(desk: Desk, name: str, settings: Settings) -> GoogleInbox:
    """DeskError where the credentials are not there, or may be read by others."""
    return GoogleInbox(desk, service(desk, name, settings), rows=_rows(desk, name, settings))


def _rows(desk: Desk, name: str, settings: Settings) -> Rows | None:
    if not settings.write_back:
        return None
    file = secret(desk, name, settings)
    return Rows(desk, name, Google(file, settings.subject, settings.endpoint, scopes=SHEETS))


def service(desk: Desk, name: str, settings: Settings) -> Google:
    """Google's services as the settings of a source say."""
    return Google(secret(desk, name, settings), settings.subject, settings.endpoint)


def secret(desk: Desk, name: str, settings: Settings) -> Path:
    """The file of credentials. DeskError where it is not there, or may be read by others."""
    path = desk.config.secrets.get(settings.credentials)
    if path is None:
        raise DeskError(f"sources.{name}: credentials is not the name of an entry of [secrets]")
    refuse_open_secret(settings.credentials, desk.folder / path)
    return desk.folder / path


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one form stands: the newest response that was read, what was read of the minutes before it, how the form collected
    addresses when it was last looked at, and when that was found ``changed`` ("" for never). It vouches for nobody: the ledger says
    since when the service does, and a change that was found only makes that later."""

    at: str = ""
    seen: Mapping[str, str] = field(default_factory=dict)
    collects: str = SIGNED_IN
    changed: str = ""

    def told(self) -> Json:
        return {"at": self.at, "seen": dict(self.seen), "collects": self.collects, "changed": self.changed}

    @property
    def since(self) -> str:
        return _zulu(_time(self.at) - OVERLAP) if self.at else ""

    def found(self, collects: str, at: datetime) -> Stand:
        """Where it stands once the form was seen to collect addresses like this."""
        return self if collects == self.collects else replace(self, collects=collects, changed=at.isoformat())

    def knowing(self, others: Sequence[Stand]) -> Stand:
        """With what was found last about the addresses, here or wherever else this form was looked at."""
        last = max([self, *others], key=lambda one: _time_or_never(one.changed))
        return replace(self, collects=last.collects, changed=last.changed)

    def after(self, responses: Sequence[Json]) -> Stand:
        """Where the form stands once these are read too, the newest of them the last."""
        newest = max([self.at, *(_sent(one) for one in responses)], key=_time_or_never)
        seen = {**self.seen, **{one["responseId"]: _sent(one) for one in responses}}
        kept = {id: at for id, at in seen.items() if _time(at) >= _time(newest) - OVERLAP} if newest else {}
        return replace(self, at=newest, seen=kept)


@dataclass
class GoogleInbox:
    """The forms that this desk has published, or of one ``kind`` alone. ``rows`` writes back, where that is wanted; ``_said`` is what was
    in the way of that the last time."""

    desk: Desk
    google: Google
    kind: str = ""
    rows: Rows | None = None
    _said: str = ""

    def look(self, place: str) -> Iterator[Delivery]:
        """What was sent or edited since, the oldest first within a form. ``place`` is the Stand of each form by its id, as JSON. A form
        that cannot be read keeps none of the others back."""
        stands = {form: Stand(**one) for form, one in _told(place).items()}
        elsewhere = [_told(one) for one in all_places(self.desk)]
        lines = []
        with self.google:
            for row in self.forms():
                stand = stands.get(row.form, Stand())
                stands[row.form] = stand.knowing([Stand(**one[row.form]) for one in elsewhere if row.form in one])
                try:
                    yield from self._of_form(row, stands)
                except SourceDownError as error:
                    lines.append(f"{row.kind} ({row.language}): {error}")
        if lines:
            raise SourceDownError("; ".join(lines))

    def forms(self) -> list[Published]:
        """Asked for on each look, because a form may be published while this watches."""
        with self.desk.ledger() as ledger:
            return [one for one in forms_of(ledger, DOOR) if self.kind in ("", one.kind) and one.publications]

    def anew(self, place: str) -> str:
        """The place from which everything in these forms is read again, and in all others only what is new."""
        again = {one.form for one in self.forms()}
        return json.dumps({form: one for form, one in _told(place).items() if form not in again}, sort_keys=True)

    def _of_form(self, row: Published, stands: dict[str, Stand]) -> Iterator[Delivery]:
        before = stands[row.form]
        live = self.google.get(row.form)
        stand = before.found(collects(live), self.google.at + SECOND)
        new = self._new(row, stand)
        for start in range(0, max(len(new), 1), AT_ONCE):
            batch = new[start : start + AT_ONCE]
            sources = tuple(_source(row, one, _vouched(row, stand, one)) for one in batch)
            stands[row.form] = stand = stand.after(batch)
            if stand != before:
                yield Delivery(sources, _place(stands), partial(self._settle, row, live, batch))
            before = stand
        self._beside(row, live, {})

    def _settle(self, row: Published, live: Json, batch: Sequence[Json], outcome: Outcome) -> None:
        """The service cannot tell those who answered; where it is wanted, what became of it stands in the form's spreadsheet."""
        answered = {one.id: _sent(batch[one.source]) for one in outcome.responses if one.id}
        if answered:
            self._beside(row, live, answered)

    def _beside(self, row: Published, live: Json, answered: Mapping[str, str]) -> None:
        """Nothing that goes wrong here keeps a response back; it is said once and tried again."""
        spreadsheet = live.get("linkedSheetId")
        if self.rows is None or not isinstance(spreadsheet, str):
            return
        before, self._said = self._said, ""
        try:
            self.rows.beside(spreadsheet, answered, row.language)
        except (SourceDownError, LedgerBusy) as error:
            self._said = shown(f"write_back: {row.kind} ({row.language}): {error}", 400)
        if self._said not in ("", before):
            sys.stderr.write(f"denpyo: {self._said}\n")

    def _new(self, row: Published, stand: Stand) -> list[Json]:
        """What was not read before, each response once, in the order in which they were sent."""
        found: dict[str, Json] = {}
        for one in self.google.responses(row.form, stand.since):
            id, at = _named(one), _sent(one)
            known = found.get(id)
            if stand.seen.get(id) != at and (known is None or _time(_sent(known)) < _time(at)):
                found[id] = one
        return sorted(found.values(), key=lambda one: (_time(_sent(one)), _named(one)))


def _vouched(row: Published, stand: Stand, response: Json) -> bool:
    """Whether the service took the address from whoever was signed in, and did so ever since before this was sent."""
    if stand.collects != SIGNED_IN or not row.vouched:
        return False
    return _time(_sent(response)) >= max(_time(row.vouched), _time_or_never(stand.changed))


def _source(row: Published, response: Json, vouched: bool) -> Source:
    """A response for its reader. Only an address that the service vouches for counts as theirs."""
    data = json.dumps({"form": row.told(), "response": response}, ensure_ascii=False).encode()
    name, address = f"response {_named(response)}", str(response.get("respondentEmail", ""))
    if vouched and address:
        return Source(name, data, DOOR, address, VERIFIED)
    return Source(name, data, DOOR, "", "claimed", UNVERIFIED)


def _told(place: str) -> Json:
    """The stands that a place tells, by form; of a place of another kind of source, what bears no form's name."""
    told = json.loads(place or "{}")
    return told if isinstance(told, dict) else {}


def _place(stands: Mapping[str, Stand]) -> str:
    return json.dumps({form: one.told() for form, one in sorted(stands.items())}, sort_keys=True)


def _named(response: Json) -> str:
    id = response.get("responseId")
    if not isinstance(id, str) or not id:
        raise SourceDownError("Google Forms: a response without an id")
    return id


def _sent(response: Json) -> str:
    at = response.get("lastSubmittedTime")
    if not isinstance(at, str):
        raise SourceDownError(f"Google Forms: response {_named(response)} without a time")
    _time(at)
    return at


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC)
    except ValueError:
        raise SourceDownError("Google Forms: a time that is none") from None


def _time_or_never(text: str) -> datetime:
    return _time(text) if text else datetime.min.replace(tzinfo=UTC)


def _zulu(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
