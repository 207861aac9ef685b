"""What somebody wrote into a mail, apart from what they answer: the text above the first line that a mail program puts over a quotation.

Bytes in only; nothing that people can write into a message raises. What cannot be told apart counts as quoted, so that no word of a
history is ever taken for an answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import Message
from html import unescape

from schema.text import clean
from submit.orders import LONGEST_LINE, parse

LONGEST = 128 * 1024
"""Bytes of a text that are read; people's answers stand on top."""
MOST_LINES = 60
"""Lines above a quotation that are read for an order."""
WROTE = (
    r"wrote|schrieb|écrit|escribió|escreveu|scritto|skrev|geschreven|写道|寫道|作成|작성|のメール|(?:original|forwarded) message"
    r"|(?:元の|転送された)メッセージ"
)
HEADS = (
    r"from|sent|to|cc|date|subject|reply-to|von|gesendet|an|datum|betreff|de|envoyé|à|objet|enviado|para|asunto|assunto|da|inviato|oggetto"
    r"|van|verzonden|aan|差出人|送信者|送信元|送信日時|日時|宛先|件名|发件人|发送时间|收件人|主题|寄件者|보낸 사람|보낸사람|받는 사람"
    r"|제목|날짜"
)
QUOTATION = re.compile(
    r"[>＞|│»]"
    r"|-- ?$"
    r"|[-_*=]{5,}"
    rf"|-{{2,}}\s*.{{0,300}}(?:original|forwarded|元の|転送|返信|{WROTE})"
    rf"|(?:{HEADS})\s?[:：]"
    rf"|.{{0,300}}(?:{WROTE})\s?[:：]$"
    r"|on .{1,300}wrote$"
    r"|.{0,300}<[^<>\s]{1,200}@[^<>\s]{1,200}>.{0,60}[:：]$"
    r"|(?:20\d\d[年/.-]\s?\d{1,2}[月/.-]|le |am ).{0,300}[:：]$",
    re.IGNORECASE,
)
"""How mail programs begin a quotation, and a signature (RFC 3676, section 4.3)."""
WRAPPED = re.compile(r"(?:on|am|le|el|il|em|op|den|20\d\d)\b.{0,300}\d", re.IGNORECASE)
"""The first of two lines that they make of it where it is long."""
LIKE_ONE = re.compile(
    r".{0,300}[:：]$|(?!理由|reason)[^:：]{1,30}[:：].{0,300}(?:@|\d[年/.-]\s?\d)|.{0,300}<[^<>\s]{1,200}@[^<>\s]{1,200}>",
    re.IGNORECASE,
)
"""What may be one of a program that is not known, or people's own words: what stands above it is not taken for all that they say."""
QUOTED_PARTS = frozenset(
    (
        *(
            "blockquote",
            "hr",
            "s",
            "del",
            "strike",
            "noscript",
            "template",
            "textarea",
            "select",
            "option",
            "object",
            "iframe",
        ),
        *(
            "noframes",
            "noembed",
            "svg",
            "math",
            "canvas",
            "audio",
            "video",
            "button",
            "xmp",
            "plaintext",
            "dialog",
            "details",
        ),
    )
)
"""What is a quotation, is struck, or is shown by some programs and not by others."""
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
TAG = re.compile(
    r"""<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(/?)([a-zA-Z][a-zA-Z0-9]*+|[/!?])"""
    r"""((?:[^>=]|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+)*+)(?:>|\Z))""",
    re.DOTALL,
)
"""A comment, or a tag with what stands in its quotation marks; one without an end goes on to the end of the page. Its repetitions give
nothing back: a page of a hundred thousand letters without an end would take minutes."""
BLANKS = re.compile(r"[ \t\r\n]+")
ZERO = r"0*(?:\.0*)?(?![\d.])"
HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide|line-through|text-indent\s*:\s*-|clip|position\s*:|transform"
    rf"|(?:max-)?height\s*:\s*{ZERO}|(?:width|zoom)\s*:\s*{ZERO}|opacity\s*:\s*(?!1)|font\s*:\s*{ZERO}"
    rf"|font-size\s*:\s*(?:{ZERO}|[0-3](?:\.\d*)?p[tx]|0?\.[0-3])"
    r"|(?:^|[\s\"'/])hidden(?=$|[\s=/])|\\|/\*"
)
"""What hides a text, or a style that is written so that nobody sees what it does."""
COLOURED = re.compile(r"colou?r|background")
HIDES_SOME = re.compile(rf"{HIDDEN.pattern}|color\s*:\s*(?:#f|white|transparent|rgb)")
"""The same in a style sheet, of which it is not looked up what it is for."""
UNSEEN = frozenset(("style", "script", "title"))


@dataclass(frozen=True, slots=True)
class Written:
    """The lines that somebody wrote, those that are empty left out, and everything below them; ``doubtful`` where they may have said
    more than that, or these may not be what they saw."""

    lines: tuple[str, ...] = ()
    quoted: str = ""
    doubtful: bool = False


def written(parts: Message, *, html: bool = True) -> Written:
    """Of the text of a message: its plain one where it has one, else what its HTML shows, where that is to be read at all."""
    try:
        plain = _first(parts, "text/plain")
        if plain.strip() or not html:
            return _parted(plain)
        page = _first(parts, "text/html")
        found = _parted(_shown(page))
        return replace(found, doubtful=found.doubtful or _is_painted(page))
    except Exception:  # Python's own parsers go wrong in many ways over what people can write
        return Written()


def _parted(text: str) -> Written:
    lines = [one.strip() for one in text.splitlines()]
    plain = [clean(one[:LONGEST_LINE]) for one in lines]
    end = next((number for number in range(len(plain)) if _is_head(plain, number)), len(lines))
    doubtful = end < len(lines) and not _is_known(plain, end)
    return Written(tuple(one for one in lines[:end] if one)[:MOST_LINES], "\n".join(lines[end:]), doubtful)


def _is_head(lines: Sequence[str], number: int) -> bool:
    """Whether a quotation begins at this line; one that orders something is none."""
    return _is_known(lines, number) or bool(LIKE_ONE.match(lines[number]) and not parse(lines[number], bare=True))


def _is_known(lines: Sequence[str], number: int) -> bool:
    line, more = lines[number], " ".join(lines[number + 1 : number + 2])
    return bool(QUOTATION.match(line) or (WRAPPED.match(line) and more and QUOTATION.match(f"{line} {more}")))


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
        name = (tag[2] or "").casefold()
        if not unseen:
            said += [_text(page[at : tag.start()]), _break(name, tag[3] or "")]
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
    given = unescape(attributes).casefold()
    if name in QUOTED_PARTS or HIDDEN.search(given) or any(one in given for one in QUOTED_MARKS):
        return "\n> \n"
    return "\n" if name in BLOCKS else ""


def _is_painted(page: str) -> bool:
    """Whether colours, or a style sheet, may keep a text above the quotation from being seen."""
    sheet = -1
    for tag in TAG.finditer(page):
        name, given = (tag[2] or "").casefold(), unescape(tag[3] or "").casefold()
        if sheet >= 0 and HIDES_SOME.search(page[sheet : tag.start()].casefold()):
            return True
        sheet = tag.end() if name == "style" and not tag[1] else -1
        if COLOURED.search(given) or (name == "link" and "stylesheet" in given):
            return True
        if "> " in _break(name, given):
            return False
    return False
