"""Who hears of what became of a request, and on which channel.

The sender, where somebody vouches for their address; whoever may approve what is held; the operators that the policy names; the channels
of denpyo.toml. What a door has answered by itself is not told again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, get_args

from submit import policy
from submit.asked import Asked
from submit.desk import Desk, DeskError, Event
from submit.inbox.message import ADDRESS
from submit.ledger import Entry
from submit.policy_file import Policy
from submit.replies.why import beside

SENDER, APPROVER, INFORMED, OPERATOR, CHANNEL = "sender", "approver", "informed", "operator", "channel"
MAIL, GITHUB, FILES, SLACK, TEAMS = "mail", "github", "files", "slack", "teams"
ANSWERED = {
    "mail": ("accepted", "held", "refused"),
    "github": ("accepted", "held", "refused"),
    "folder": ("accepted", "refused"),
}
"""What the kinds of sources have answered when they settled it."""
RULED = ("approved", "rejected")
EVENTS = frozenset(get_args(Event)) - {"held"}
"""Actions of entries that are events of the same name; an entry *held* may also be of a run that waits for an earlier version."""


class Contact(Protocol):
    """A person of the policy: all the subjects that are theirs, their address and language, "" where it does not say."""

    @property
    def subjects(self) -> Sequence[str]: ...
    @property
    def mail(self) -> str: ...
    @property
    def language(self) -> str: ...


class Contacts(Protocol):
    """Whom the policy knows."""

    def reach(self, subject: str) -> Sequence[Contact]: ...
    def operators(self) -> Sequence[Contact]: ...
    def approvers(self, rule: int) -> Sequence[Contact]: ...


@dataclass(frozen=True)
class OfPolicy:
    """The people of ``policy.yaml``; nobody where it is missing or wrong."""

    policy: Policy | None

    def reach(self, subject: str) -> Sequence[Contact]:
        return self.policy.reach(subject) if self.policy else ()

    def operators(self) -> Sequence[Contact]:
        return self.policy.operators if self.policy else ()

    def approvers(self, rule: int) -> Sequence[Contact]:
        return self.policy.approvers(rule) if self.policy else ()


@dataclass(frozen=True, slots=True)
class Hearer:
    """Somebody who is to hear: an address, a place of a source, or a channel; ``role`` says why."""

    channel: str
    role: str
    receiver: str
    language: str
    lot: str


@dataclass(frozen=True)
class Happened:
    """One event of one request: ``asked`` is who asked for it and in which place, None where that is erased or of before it was kept;
    ``claimed`` whom the form names; ``lot`` what it was handed in with."""

    event: str
    entry: Entry
    request: str
    language: str
    asked: Asked | None
    claimed: str
    lot: str


def event_of(entry: Entry) -> str:
    """What an entry tells people of; "" for nothing. What waits for an earlier version of itself is held, too, but nobody's to approve."""
    if entry.request is None:
        return ""
    if entry.action == "denied":
        return "refused"
    if entry.action == "held":
        return "held" if "run" not in entry.detail else ""
    return entry.action if entry.action in EVENTS else ""


def contacts_of(desk: Desk) -> Contacts:
    """DeskError where the policy is missing or wrong."""
    found = policy.read_of(desk)
    if found.policy is None:
        raise DeskError(found.reason)
    return OfPolicy(found.policy)


@dataclass(frozen=True)
class Audience:
    """Who hears on this desk."""

    desk: Desk
    contacts: Contacts

    def of(self, one: Happened) -> Iterator[Hearer]:
        """Those who hear of an event, each once on a channel: as the sender first."""
        there: set[tuple[str, str]] = set()
        for hearer in (*self._sender(one), *self._in_place(one), *self._mailed(one), *self._chats(one)):
            key = (hearer.channel, hearer.receiver.casefold())
            if key not in there:
                there.add(key)
                yield hearer

    def _sender(self, one: Happened) -> Iterator[Hearer]:
        address = self.address_of(one)
        if address and self._mails and one.event not in ANSWERED.get(self._kind(one), ()):
            yield Hearer(MAIL, SENDER, address, one.language, one.lot)

    def _in_place(self, one: Happened) -> Iterator[Hearer]:
        """The comment of the issue that it came by, or the page beside the file."""
        kind = self._kind(one)
        if one.asked is None or not one.asked.thread:
            return
        place = json.dumps([one.asked.inbox, one.asked.thread], ensure_ascii=False)
        if kind == "github" and one.event not in ANSWERED[kind]:
            yield Hearer(GITHUB, SENDER, place, one.language, one.lot)
        if kind == "folder" and one.event != "refused":
            yield Hearer(FILES, SENDER, place, one.language, one.lot)

    def _mailed(self, one: Happened) -> Iterator[Hearer]:
        """Approvers and operators. Who asks never hears how to approve it; who has decided knows it."""
        if not self._mails:
            return
        rule = one.entry.detail.get("rule")
        may = self.contacts.approvers(rule) if isinstance(rule, int) else ()
        others = (each for each in may if not self._asks(each, one))
        if one.event == "held":
            yield from self._to(one, APPROVER, others, one.lot)
        if one.event in RULED:
            by = str(beside(one.entry).get("by", ""))
            yield from self._to(one, INFORMED, (each for each in others if not _is(each, by)), one.lot)
        if one.event in ("held", "failed"):
            yield from self._to(one, OPERATOR, self.contacts.operators(), OPERATOR)

    def _to(self, one: Happened, role: str, people: Iterable[Contact], lot: str) -> Iterator[Hearer]:
        for each in people:
            if is_address(each.mail):
                yield Hearer(MAIL, role, each.mail, each.language or self.desk.config.language, lot)

    def _chats(self, one: Happened) -> Iterator[Hearer]:
        replies, language = self.desk.config.replies, self.desk.config.language
        for name, chat in ((SLACK, replies.slack), (TEAMS, replies.teams)):
            if chat and one.event in chat.events:
                yield Hearer(name, CHANNEL, name, language, name)

    def address_of(self, one: Happened) -> str:
        """Where the sender hears by mail: the address that is vouched for, or the one that the policy has of them; a claimed one only in
        the domains that denpyo.toml allows, and never where a mailbox has refused to vouch for it."""
        subject = one.asked.subject if one.asked else ""
        own = subject.removeprefix("mail:") if subject.startswith("mail:") else ""
        known = [each.mail for each in (self.contacts.reach(subject) if subject else ())]
        claimed = [one.claimed] if self._may_be_claimed(one) else []
        return next((each for each in (own, *known, *claimed) if is_address(each)), "")

    def _may_be_claimed(self, one: Happened) -> bool:
        domain = one.claimed.rpartition("@")[2].casefold()
        return one.asked is not None and domain in self.desk.config.replies.claimed and self._kind(one) != "mail"

    def _asks(self, contact: Contact, one: Happened) -> bool:
        asks = one.asked.subject if one.asked else ""
        return _is(contact, asks)

    def _kind(self, one: Happened) -> str:
        """The kind of the source that it came by; "" for the command line and for a source that is named no more."""
        source = self.desk.config.sources.get(one.asked.inbox) if one.asked else None
        return source.kind if source else ""

    @cached_property
    def _mails(self) -> bool:
        return self.desk.config.mail is not None


def _is(contact: Contact, subject: str) -> bool:
    return subject in contact.subjects or f"mail:{contact.mail}".casefold() == subject.casefold()


def is_address(text: str) -> bool:
    """Whether it is one address and nothing else, in plain ASCII."""
    return re.fullmatch(ADDRESS, text) is not None
