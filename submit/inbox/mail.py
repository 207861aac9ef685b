"""A mailbox that filled forms are mailed to, read by IMAP over TLS. imap_tools is imported here and nowhere else.

A message is answered once it is submitted, then flagged ``$DenpyoAnswered``, then moved to the folder ``done`` or ``refused`` of the
mailbox. Killed between the answer and the flag, it is answered a second time, in the same words under the same Message-ID, by which
mail programs tell that they have it. Only whom the mailbox's own server vouches for is answered, and never what a program wrote:
neither is anybody annoyed whose address was forged, nor do two programs write to each other for ever.

A mail without forms may order something (``mail_orders``). Where forms come along, they are taken and the order is not, and the answer
says so.
"""

from __future__ import annotations

import hashlib
import imaplib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import MailBox

from schema.answers import Where
from schema.problem import Problem
from schema.words import Fact
from submit.desk import Desk, DeskError, secret
from submit.inbox import Delivery, SourceDownError
from submit.inbox.mail_orders import ordered
from submit.inbox.message import LONGEST_HEAD, Head, UnreadableError, attachments, free_name, head
from submit.judging import Outcome
from submit.marked import marked
from submit.marked_files import marked_name
from submit.orders import Ordered
from submit.replies import mail as replies
from submit.replies import order_lines
from submit.response import UNVERIFIED, VERIFIED, Source
from submit.sources import Mailbox

SECONDS = 60
LARGEST = 64 * 1024 * 1024
LARGEST_COPIES = 10 * 1024 * 1024
"""Bytes of marked copies that are sent along; most servers take messages of 20 MB at least."""
MOST = 20
"""Attachments that one message may bring."""
ANSWERED = "$denpyoanswered"
BEGINS, SIZE = re.compile(rb"\d+ \("), re.compile(rb"RFC822\.SIZE (\d+)")


def open_inbox(desk: Desk, name: str, settings: Mailbox) -> MailInbox:
    """DeskError where a password or certificate cannot be read, or nobody could be answered."""
    if settings.password not in desk.config.secrets:
        raise DeskError(f"sources.{name}: password is not the name of an entry of [secrets]")
    secret(desk, settings.password)
    replies.context(desk, settings.ca)
    replies.refuse_unready(desk)
    return MailInbox(desk, settings)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the server has of one message: the bytes that were asked for, its size in bytes and its flags, in small letters."""

    raw: bytes
    size: int
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way: what its head says, its forms, what is wrong with it as a whole, what it orders, and a hash of it, by
    which an answer is known again."""

    uid: int
    head: Head
    sha256: str
    sources: tuple[Source, ...] = ()
    problem: Problem | None = None
    orders: tuple[Ordered, ...] = ()


@dataclass
class MailInbox:
    """``largest``: bytes of a message that is fetched; its size is asked for first. ``_last`` is the message that was answered last, so
    that a server which keeps no flags and moves nothing makes nobody hear the same again at each look."""

    desk: Desk
    settings: Mailbox
    largest: int = LARGEST
    _last: str = ""

    def look(self, place: str) -> Iterator[Delivery]:
        """What has come since the last look, in the order it came. ``place`` is JSON: the mailbox's UIDVALIDITY and the last UID seen
        (RFC 9051, section 2.3.1.1); where the mailbox numbers anew, all is looked at again."""
        with self._open() as mailbox:
            validity = mailbox.folder.status(options=["UIDVALIDITY"])["UIDVALIDITY"]
            before = json.loads(place) if place else {}
            last = before["uid"] if before.get("uidvalidity") == validity else 0
            for uid in sorted(int(one) for one in mailbox.uids(f"UID {last + 1}:*")):
                letter = self._read(mailbox, uid) if uid > last else None  # "9:*" is the newest one too where that is 8
                if letter:
                    after = json.dumps({"uidvalidity": validity, "uid": uid})
                    orders = () if letter.sources else letter.orders
                    yield Delivery(letter.sources, after, partial(self._settle, mailbox, letter), orders)

    @contextmanager
    def _open(self) -> Iterator[MailBox]:
        """The mailbox, its folder selected."""
        settings, mailbox = self.settings, None
        with self._heard():
            try:
                tls = replies.context(self.desk, settings.ca)
                mailbox = MailBox(settings.host, settings.port, timeout=SECONDS, ssl_context=tls)
                _log_in(mailbox, settings.user, secret(self.desk, settings.password))
                for folder in (settings.done, settings.refused):
                    if not mailbox.folder.exists(folder):
                        mailbox.folder.create(folder)
                mailbox.folder.set(settings.folder)
                yield mailbox
            finally:
                if mailbox:
                    _leave(mailbox)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """What goes wrong with the server is a SourceDownError, without the server's words."""
        try:
            yield
        except (imaplib.IMAP4.error, ImapToolsError) as error:
            raise SourceDownError(f"{self.settings.host}: {type(error).__name__}") from error
        except (OSError, DeskError) as error:
            raise SourceDownError(f"{self.settings.host}: {error}") from error

    def _read(self, mailbox: MailBox, uid: int) -> Letter | None:
        """None where it is gone by now."""
        found = _fetched(mailbox, uid, f"(BODY.PEEK[HEADER]<0.{LONGEST_HEAD + 1}> RFC822.SIZE)")
        if found is None:
            return None
        own = (replies.sender(self.desk), self.settings.user)
        letter = Letter(uid, head(found.raw, self.settings.authserv_id, own), hashlib.sha256(found.raw).hexdigest())
        if letter.head.automatic:
            return letter
        if found.size > self.largest:
            return _refused(letter, "large_message", limit=f"{self.largest // 1024**2} MB")
        whole = _fetched(mailbox, uid, "(BODY.PEEK[])")
        return _with_forms(self.desk, letter, whole.raw) if whole else None

    def _settle(self, mailbox: MailBox, letter: Letter, outcome: Outcome) -> None:
        """Answer, note that it was answered, put away. Done twice, it finds the message flagged, or gone. What a program wrote stays
        where it is, for people to see."""
        with self._heard():
            found = _fetched(mailbox, letter.uid, "(FLAGS)")
            if found is None or letter.head.automatic:
                return
            if letter.head.verified and ANSWERED not in found.flags and not self._goes_round(letter):
                if letter.sha256 != self._last:
                    self._answer(letter, outcome)
                self._last = letter.sha256
                mailbox.client.uid("STORE", str(letter.uid), "+FLAGS.SILENT", f"(\\Answered {ANSWERED})")
            refused = letter.problem or outcome.problems or any(one.problem for one in outcome.orders)
            mailbox.move(str(letter.uid), self.settings.refused if refused else self.settings.done)

    def _goes_round(self, letter: Letter) -> bool:
        """Whether it answers an answer of ours and brings nothing: thanks, or a program that does not say what it is."""
        ours = (one for one in letter.head.references if one.startswith("<denpyo-"))
        return not letter.sources and not letter.orders and any(one.endswith(f"@{self._domain}>") for one in ours)

    @property
    def _domain(self) -> str:
        return replies.sender(self.desk).rpartition("@")[2]

    def _answer(self, letter: Letter, outcome: Outcome) -> None:
        """One that cannot be delivered is told of on the error stream, and not tried again."""
        copies = self._copies(letter.sources, outcome)
        said = self._said(letter, outcome, copied=bool(copies))
        reply = replies.Reply(
            to=letter.head.sender,
            subject=_answering(letter.head.subject),
            body=said,
            id=f"<denpyo-{letter.sha256[:32]}@{self._domain}>",
            references=letter.head.references,
            copies=copies,
        )
        try:
            replies.send(self.desk, reply)
        except replies.UndeliverableError as error:
            sys.stderr.write(f"denpyo: {error}\n")

    def _said(self, letter: Letter, outcome: Outcome, *, copied: bool) -> str:
        if letter.problem:
            return replies.body_without_forms(self.desk, letter.problem)
        if outcome.orders:
            language = outcome.orders[0].ordered.language
            return order_lines.body(outcome.orders, language, replies.signature(self.desk, language))
        said = replies.body(self.desk, outcome, copied=copied)
        first = next(iter(letter.orders), None)
        note = first and Problem("order_with_forms", first.where).message(first.language)
        return f"{note}\n\n{said}" if note else said

    def _copies(self, sources: Sequence[Source], outcome: Outcome) -> list[tuple[str, bytes]]:
        """The marked copies; none where they are larger than mail carries."""
        copies: dict[str, bytes] = {}
        for number, source in enumerate(sources):
            responses = [one for one in outcome.responses if one.source == number]
            data = marked(self.desk, source, responses, kept=True)
            if data:
                copies[free_name(marked_name(Path(source.name)).name, copies)] = data
        return [*copies.items()] if sum(map(len, copies.values())) <= LARGEST_COPIES else []


def _log_in(mailbox: MailBox, user: str, password: str) -> None:
    """Then ask what the server can do: it says more of that to whom it knows, that it can move messages for one."""
    try:
        mailbox.login_utf8(user, password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, ImapToolsError) as error:
        raise DeskError(f"{user} is not let in") from error
    mailbox.client.capabilities = tuple(mailbox.client.capability()[1][-1].decode("ascii", "replace").upper().split())


def _leave(mailbox: MailBox) -> None:
    """Log out, and close the line also where the other end did so before."""
    with suppress(imaplib.IMAP4.error, ImapToolsError, OSError):
        mailbox.logout()
    with suppress(OSError):
        mailbox.client.shutdown()


def _fetched(mailbox: MailBox, uid: int, parts: str) -> Fetched | None:
    """None where there is no such message. Servers may tell of other messages in the same breath."""
    state, answer = mailbox.client.uid("FETCH", str(uid), parts)
    if state != "OK":
        raise ImapToolsError(state)
    for said, raw in _messages(answer):
        if re.search(rb"\bUID %d\b" % uid, said):
            size = SIZE.search(said)
            flags = frozenset(flag.decode("ascii", "replace").lower() for flag in imaplib.ParseFlags(said))
            return Fetched(raw, int(size[1]) if size else 0, flags)
    return None


def _messages(answer: Iterable[bytes | tuple[bytes, bytes] | None]) -> list[tuple[bytes, bytes]]:
    """What an answer says of each message, and the bytes of it that came along. imaplib parts an answer at each run of such bytes."""
    found: list[tuple[bytes, bytes]] = []
    for one in answer:
        said, raw = one if isinstance(one, tuple) else (one or b"", b"")
        if BEGINS.match(said) or not found:
            found.append((said, raw))
        else:
            found[-1] = (found[-1][0] + said, found[-1][1] or raw)
    return found


def _with_forms(desk: Desk, letter: Letter, raw: bytes) -> Letter:
    """The letter with what is attached to it, or with what is wrong with it as a whole."""
    letter = replace(letter, sha256=hashlib.sha256(raw).hexdigest())
    try:
        found = attachments(raw)
    except UnreadableError:
        found = []
    letter = replace(letter, orders=ordered(desk, letter.head, raw, letter.sha256, alone=not found))
    if not found and letter.orders:
        return letter
    if not found:
        return _refused(letter, "no_attachment")
    if len(found) > MOST:
        return _refused(letter, "many_attachments", limit=str(MOST))
    who = letter.head
    trust, subject = (VERIFIED, f"mail:{who.sender.casefold()}") if who.verified else ("claimed", UNVERIFIED)
    thread = json.dumps({"subject": who.subject, "references": list(who.references)})
    sources = (Source(name, data, "", who.sender or UNVERIFIED, trust, subject, thread=thread) for name, data in found)
    return replace(letter, sources=tuple(sources))


def _refused(letter: Letter, code: str, **facts: Fact) -> Letter:
    return replace(letter, problem=Problem(code, Where(letter.head.subject), facts=facts))


def _answering(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"
