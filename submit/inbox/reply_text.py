"""What somebody wrote into a mail, apart from what they answer: the text above the first line that a mail program puts over a quotation.

Bytes in only; nothing that people can write into a message raises. What cannot be told apart counts as quoted, so that no word of a
history is ever taken for an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from html import unescape

LONGEST = 128 * 1024
"""Bytes of a text that are read; people's answers stand on top."""
MOST_LINES = 60
"""Lines above a quotation that are read for an order."""
QUOTATION = re.compile(
    r"[>＞|]"
    r"|-- ?$"
    r"|[-_*=]{5,}"
    r"|-{2,}\s*(original|forwarded|元の|転送|返信)"
    r"|(from|sent|to|subject|差出人|送信者|送信元|送信日時|日時|宛先|件名)\s?[:：]"
    r"|on .{1,300}wrote[:：]?$"
    r"|.{0,300}<[^<>\s]{1,200}@[^<>\s]{1,200}>.{0,60}[:：]?$"
    r"|(20\d\d[年/.-]\s?\d{1,2}[月/.-]|le |am ).{0,300}[:：]$",
    re.IGNORECASE,
)
"""How mail programs begin a quotation, and a signature (RFC 3676, section 4.3)."""
QUOTED_PARTS = ("blockquote", "hr")
QUOTED_MARKS = (
    "gmail_quote",
    "gmail_attr",
    "yahoo_quoted",
    "moz-cite-prefix",
    "divrplyfwdmsg",
    "appendonsend",
    "outlookmessageheader",
)
BLOCKS = frozenset(("p", "div", "br", "li", "tr", "table", "h1", "h2", "h3", "blockquote", "hr", "pre"))
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+|)([^<>]*+)>")
"""Its repetitions give nothing back: a name of a hundred thousand letters without an end would take minutes."""
BLANKS = re.compile(r"[ \t\r\n]+")
HIDDEN = re.compile(r"display\s?:\s?none")
UNSEEN = frozenset(("style", "script", "head", "title", "template"))


@dataclass(frozen=True, slots=True)
class Written:
    """The lines that somebody wrote, those that are empty left out, and everything below them."""

    lines: tuple[str, ...] = ()
    quoted: str = ""


def written(parts: Message, *, html: bool = True) -> Written:
    """Of the text of a message: its plain one where it has one, else what its HTML shows, where that is to be read at all."""
    try:
        plain = _first(parts, "text/plain")
        return _parted(plain if plain.strip() or not html else _shown(_first(parts, "text/html")))
    except Exception:  # Python's own parsers go wrong in many ways over what people can write
        return Written()


def _parted(text: str) -> Written:
    lines = [one.strip() for one in text.splitlines()]
    end = next((number for number, one in enumerate(lines) if QUOTATION.match(one)), len(lines))
    return Written(tuple(one for one in lines[:end] if one)[:MOST_LINES], "\n".join(lines[end:]))


def _first(parts: Message, sort: str) -> str:
    """The first part of this sort that is no attachment, not in a message that is forwarded, as text; "" where there is none."""
    queue, seen = [parts], 0
    while queue and seen < 100:
        part, seen = queue.pop(0), seen + 1
        if part.get_content_type() == sort and part.get_content_disposition() != "attachment":
            return _decoded(part)
        if part.get_content_maintype() == "multipart" and isinstance(part.get_payload(), list):
            queue = [one for one in part.get_payload() if isinstance(one, Message)] + queue
    return ""


def _decoded(part: Message) -> str:
    data = part.get_payload(decode=True)
    raw = data[:LONGEST] if isinstance(data, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # whoever wrote it chose the name
        return raw.decode("utf-8", "replace")


def _shown(page: str) -> str:
    """What is seen of HTML, a line a block; where a quotation begins, a line that says so. Python's own reader of HTML takes time that
    grows with the square of what people can write, this one does not."""
    said, unseen, at = list[str](), "", 0
    for tag in TAG.finditer(page):
        name = tag[2].casefold()
        if not unseen:
            said += [_text(page[at : tag.start()]), _break(name, tag[3])]
        if not tag[1] and name in UNSEEN:
            unseen = unseen or name
        elif name == unseen:
            unseen = ""
        at = tag.end()
    return "".join([*said, "" if unseen else _text(page[at:])])


def _text(between: str) -> str:
    return BLANKS.sub(" ", unescape(between))


def _break(name: str, attributes: str) -> str:
    """What a tag does to the text: nothing, a new line, or the beginning of a quotation; what is not shown counts as one."""
    given = attributes.casefold()
    if name in QUOTED_PARTS or HIDDEN.search(given) or any(one in given for one in QUOTED_MARKS):
        return "\n> \n"
    return "\n" if name in BLOCKS else ""
