"""One part's XML, read without what makes XML dangerous. The only file that knows expat."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from generators.excel.refusal import broken, not_allowed, too_large

MOST_ELEMENTS = 8_000_000
WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00")


def guarded(name: str) -> expat.XMLParserType:
    """A parser that takes every part for UTF-8, whatever it declares, and refuses a DOCTYPE before it can define an entity."""

    def no_doctype(*_: object) -> None:
        raise not_allowed(name, f"{name} (DOCTYPE)")

    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = no_doctype
    return parser


def parse(parser: expat.XMLParserType, part: bytes, name: str) -> None:
    if part.startswith(WIDE_ENCODINGS) or part[1:2] == b"\x00":
        raise not_allowed(name, f"{name} (UTF-16)")
    if len(part) > 2 * MOST_ELEMENTS and part.count(b"<") - part.count(b"</") > MOST_ELEMENTS:
        raise too_large(name, name, f"{MOST_ELEMENTS:,}")  # counted at once, because expat takes seconds to get there
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise broken(name) from error


def local(name: str) -> str:
    return name.rpartition(":")[2]


def elements(part: bytes, name: str, wanted: Collection[str]) -> list[tuple[str, dict[str, str]]]:
    """The elements with one of these local names, in document order, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) in wanted:
            if len(found) >= MOST_ELEMENTS:
                raise too_large(name, name, f"{MOST_ELEMENTS:,}")
            found.append((local(tag), attributes))

    parser = guarded(name)
    parser.StartElementHandler = start
    parse(parser, part, name)
    return found


@dataclass(frozen=True, slots=True)
class Link:
    """A relationship: its id, its type, the last word of it, and the part it points to; "" where that is outside the file."""

    id: str
    type: str
    sort: str
    target: str
    outside: bool


def relationships(part: bytes, name: str) -> Iterator[Link]:
    """The relationships in a part of that sort, ``xl/_rels/workbook.xml.rels``: their targets lie where its owner does."""
    folder = posixpath.dirname(posixpath.dirname(name))
    for _, one in elements(part, name, ("Relationship",)):
        type, outside = one.get("Type", ""), one.get("TargetMode", "Internal").lower() != "internal"
        path = "" if outside else posixpath.normpath(posixpath.join("/", folder, one.get("Target", "")))
        yield Link(one.get("Id", ""), type, type.rpartition("/")[2], path.lstrip("/"), outside)
