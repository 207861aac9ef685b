"""Which requests and entries somebody wants to see: the filters that all commands on the record share."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schema.problem import shown
from schema.text import clean
from schema.words import FALLBACK, table
from submit import asked
from submit.desk import Desk, DeskError
from submit.review.records import Record
from submit.review.stored import Stored
from submit.standing import Standing

_WORDS = "review_action_"
ACTIONS = (
    *(name.removeprefix(_WORDS) for name in table(FALLBACK)["texts"] if name.startswith(_WORDS)),
    *("ordered", "wrong_word", "publishing", "published"),
)
"""What entries say has happened: those that the record has a word for, and those of orders and of tasks in ClearML."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; "" wants all. ``since`` is the first moment that counts and ``until`` the first that does not; ``who`` is a part
    of a name or of an identity of the policy, whatever its capitals. What was erased matches no ``who``."""

    since: datetime | None = None
    until: datetime | None = None
    kind: str = ""
    who: str = ""
    action: str = ""
    request: str = ""
    state: str = ""

    @property
    def by_request(self) -> bool:
        """Whether it takes the request to say if an entry of it is wanted."""
        return bool(self.kind or self.who or self.state)

    def has_record(self, one: Record) -> bool:
        """Whether a request is wanted: by when it came, and whether any of its entries is of the ``action``."""
        acted = not self.action or any(each.text("action") == self.action for each in one.history)
        return acted and self._at(one.at) and self.has_request(one)

    def has_request(self, one: Record) -> bool:
        """Whether it is of the wanted kind, person and state, whenever it came."""
        return self._plain(one.id, one.kind, one.state) and self._by((one.who, one.subject))

    def has_standing(self, one: Standing, subject: str = "") -> bool:
        """Whether a request is wanted, by when it last changed."""
        row = one.request
        named = self._by((one.asked.get("requested_by", ""), subject)) if self.who else True
        return named and self._at(row.updated_at) and self._plain(row.id, row.kind, row.state)

    def has_entry(self, entry: Stored, mine: Collection[str] | None) -> bool:
        """Whether an entry is wanted; ``mine`` are the requests that are. Of a person are also the entries that they decided."""
        by_who = bool(self.who) and not (self.kind or self.state) and self._by((str(entry.written().get("by", "")),))
        return (
            self._at(entry.text("at"))
            and (not self.action or entry.text("action") == self.action)
            and (not self.request or entry.request == self.request)
            and (not self.by_request or entry.request in (mine or ()) or by_who)
        )

    def _plain(self, request: str, kind: str, state: str) -> bool:
        wanted = ((self.request, request), (self.kind, kind), (self.state, state))
        return all(not asked or asked == there for asked, there in wanted)

    def _by(self, names: Iterable[str]) -> bool:
        return not self.who or any(self.who in clean(one).casefold() for one in names if one)

    def _at(self, at: str) -> bool:
        if self.since is None and self.until is None:
            return True
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return False
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def wanted(
    since: str = "",
    until: str = "",
    kind: str = "",
    who: str = "",
    action: str = "",
    request: str = "",
    state: str = "",
) -> Wanted:
    """From what was typed. A time that is none is a DeskError."""
    return Wanted(
        moment(since, "--since"),
        moment(until, "--until", end=True),
        kind,
        clean(who).casefold(),
        action,
        clean(request).casefold(),
        state,
    )


def moment(text: str, option: str, *, end: bool = False) -> datetime | None:
    """A day (with ``end``: the end of it) or a moment, in the zone of this machine unless it says another."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(clean(text)).astimezone()
        if end and _DAY.fullmatch(clean(text)):
            found = (datetime.fromisoformat(clean(text)) + timedelta(days=1)).astimezone()
    except (ValueError, OverflowError):
        said = f"{option} {shown(text)}: write a day as 2026-11-21, or a moment as 2026-11-21T09:30"
        raise DeskError(said) from None
    return found


def among(desk: Desk, found: Sequence[Standing], asked_for: Wanted) -> list[Standing]:
    """Those of these requests that are wanted."""
    subjects: dict[str, str] = {}
    if asked_for.who:
        with desk.ledger() as ledger:
            subjects = {id_: one.subject for id_, one in asked.asked(ledger, [one.request.id for one in found]).items()}
    return [one for one in found if asked_for.has_standing(one, subjects.get(one.request.id, ""))]
