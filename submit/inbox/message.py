"""A message as it lies in a mailbox (RFC 5322, MIME): who sent it, how far that is known, and the filled forms in it. Bytes in only;
nothing that people can write into a message raises."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32
from pathlib import PurePosixPath

from schema.problem import shown
from submit.doors import DOORS, ZIP
from submit.inbox.authentication_results import vouched

ADDRESS = r"([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)"
NAME = r'(?:"(?:[^"\\]|\\.)*"|[^"<>@,;:\\])*'
FROM = re.compile(rf"(?:{NAME}<\s*{ADDRESS}\s*>|{ADDRESS}(?:\s*\([^()<>@\"\\]*\))?)", re.DOTALL)
"""One sender, blanks around it taken away: ``Hanako Yamada <hanako@example.jp>``, or the address alone (RFC 5322, without what only
old mail has)."""
MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
REFERENCES = 20
"""Messages of a thread that an answer refers to, the first and the newest ones."""
LONGEST_HEAD = 64 * 1024
"""Bytes of a message's head that are read. Of a longer one it is not known who sent it."""
LONGEST_SUBJECT = 1_000
LONGEST_FIELD = 4_000
"""Characters of a part's header that are read: room for a name of 400 letters, each written as nine. Python's own reading of names takes
time that grows with the square of this."""
MOST_PARTS = 1_000
MOST_BOUNDARIES, MOST_LINES = 12, 1_200_000
"""Python's parser holds every line against every boundary that is open: what has more of both than any mail program writes would keep it
for minutes. A workbook of 64 MB is 1,170,000 lines of base64."""
BOUNDARY = re.compile(rb"boundary\s{0,9}=", re.IGNORECASE)
BULK = ("bulk", "junk", "list")
NO_FORMS = re.compile(
    r"image/.*|text/(html|calendar|x-?vcard|vcard)|message/.*|application/(pkcs7|x-pkcs7|pgp)-(signature|keys)"
)
"""What comes along with messages and is no form: pictures of signatures, calendars, cards, seals."""
LEFT_BY_SERVERS = re.compile(r"ATT\d+\.(txt|htm)")
"""The name under which Exchange attaches what mailing lists add."""
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class UnreadableError(Exception):
    """A message that cannot be taken apart, or has more parts, or deeper ones, than anyone writes."""


@dataclass(frozen=True, slots=True)
class Head:
    """What its head says: ``sender`` is the address it is from, "" where that is not exactly one; ``verified``, whether the mailbox's
    own server vouches for the sender's domain; ``automatic``, whether no person wrote it, or none that may be answered."""

    sender: str
    verified: bool
    automatic: bool
    subject: str
    id: str
    references: tuple[str, ...]


class _Tolerant(Compat32):
    """Headers as text, where they are not ASCII too: as UTF-8, as RFC 6532 has it."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class _Part(_Tolerant):
    """Headers of parts, cut where they are longer than anyone writes."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return super().header_fetch_parse(name, value[:LONGEST_FIELD])


def head(raw: bytes, authserv_id: str, own: Collection[str]) -> Head:
    """The head of a message, of which no more need be given. ``own`` are the addresses that the desk writes as itself."""
    found = BytesHeaderParser(policy=_Tolerant()).parsebytes(raw[:LONGEST_HEAD])
    sender = _sender(found) if len(raw) <= LONGEST_HEAD else ""
    results = found.get_all("Authentication-Results", [])
    identity = MESSAGE_ID.findall(found.get("Message-ID", ""))
    before = MESSAGE_ID.findall(" ".join([*found.get_all("References", []), *found.get_all("In-Reply-To", [])]))
    thread = [*dict.fromkeys([*before, *identity[:1]])]
    return Head(
        sender,
        bool(sender) and vouched(results, authserv_id, sender.rpartition("@")[2]),
        _is_automatic(found) or sender.casefold() in {one.casefold() for one in own},
        _decoded(found.get("Subject", "")[:LONGEST_SUBJECT]),
        identity[0] if identity else "",
        tuple([*thread[:1], *thread[1:][1 - REFERENCES :]]),
    )


def _sender(found: Message) -> str:
    """Its address, where there is exactly one and it is plain. What is encoded in it stays so: an address never is."""
    written = found.get_all("From", [])
    plain = FROM.fullmatch(written[0].strip()) if len(written) == 1 else None
    return (plain[1] or plain[2]) if plain else ""


def _is_automatic(found: Message) -> bool:
    """Whether an answer would go to a machine, a list or nobody (RFC 3834, section 2)."""
    said = found.get("Auto-Submitted", "no").partition(";")[0].strip().casefold()
    return (
        said != "no"
        or found.get("Precedence", "").strip().casefold() in BULK
        or "".join(found.get("Return-Path", "").split()) == "<>"
        or "List-Id" in found
        or found.get_content_type() == "multipart/report"
    )


def attachments(raw: bytes) -> list[tuple[str, bytes]]:
    """The names and bytes of what was handed in with a message, in messages that it forwards too; no name twice. UnreadableError where
    it cannot be taken apart."""
    found: dict[str, bytes] = {}
    try:
        for number, part in enumerate(message_from_bytes(guarded(raw), policy=_Part()).walk()):
            if number == MOST_PARTS:
                raise UnreadableError
            if not part.is_multipart():
                found.update((free_name(name, found), data) for name, data in _handed_in(part))
    except Exception as error:  # Python's own parser goes wrong in many ways over what people can write
        raise UnreadableError from error
    return [*found.items()]


def guarded(raw: bytes) -> bytes:
    """A message that Python's parser may be given. UnreadableError for one that would keep it for minutes."""
    if raw.count(b"\n") > MOST_LINES or len(BOUNDARY.findall(raw)) > MOST_BOUNDARIES:
        raise UnreadableError
    return raw


def _handed_in(part: Message) -> Iterator[tuple[str, bytes]]:
    """A part that is meant for the desk: a form by its name or content, and whatever else somebody attached, to be told what it is."""
    sort, attached = part.get_content_type(), part.get_content_disposition() == "attachment"
    name = _name(part)
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not data or LEFT_BY_SERVERS.fullmatch(name):
        return
    known = PurePosixPath(name).suffix.lower() in DOORS
    if not known and data.startswith(ZIP) and sort == SHEET:
        yield f"{name or 'request'}.xlsx", data
    elif (known and (attached or not name.lower().endswith(".txt"))) or (attached and not NO_FORMS.fullmatch(sort)):
        yield name or "attachment", data


def _name(part: Message) -> str:
    """A part's name without folders, at most 160 characters, its suffix kept."""
    try:
        written = _decoded(part.get_filename(""))
    except Exception:  # a name of parts (RFC 2231) that do not go together
        return ""
    last = PurePosixPath(shown(written.strip().replace("\\", "/"), len(written) + 1)).name
    stem, dot, suffix = last.rpartition(".")
    return f"{shown(stem, 150)}{dot}{shown(suffix, 10)}" if stem.strip(".") else last.strip(".")[:160]


def _decoded(text: str) -> str:
    """A header as people read it (RFC 2047), fit to be written as UTF-8; as it stands where it is encoded wrongly."""
    try:
        read = str(make_header(decode_header(text)))
    except Exception:  # whoever wrote it chose the codec, and each goes wrong in its own way
        return text
    return read.encode("utf-8", "replace").decode("utf-8")


def free_name(name: str, taken: Collection[str]) -> str:
    """A name that is not taken: ``request.xlsx``, ``request (2).xlsx``."""
    path, number = PurePosixPath(name), 1
    stem, suffix = path.stem, path.suffix
    while name in taken:
        number += 1
        name = f"{stem} ({number}){suffix}"
    return name
