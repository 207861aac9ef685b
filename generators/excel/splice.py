"""XML that is changed at byte offsets: what nobody meant to change stays as it is, byte for byte, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from generators.excel.refusal import broken
from generators.excel.spelling import cell_text, in_xml
from generators.excel.xml_part import guarded, local, parse

IN_TAG = rb"""(?:[^>"']+|"[^"]*"|'[^']*')*+"""
"""The rest of a tag, up to its ``>``: one in quotes does not end it."""
TAG = re.compile(rb"<[^\s/>]+" + IN_TAG + b">")
ATTRIBUTE = re.compile(rb"""\s([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
NOT_MARKUP = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
EMPTY = b"/>"
DEEPEST = 200
"""Elements inside one another. What programs write for spreadsheets stays below twenty."""


class Splice(NamedTuple):
    """Bytes ``start`` to ``end`` of a part become ``new``."""

    start: int
    end: int
    new: bytes


@dataclass(slots=True)
class Element:
    """An element of a part and where it stands: its tag from ``start`` to ``inside``, its end tag from ``close`` to ``end``."""

    tag: str
    attributes: dict[str, str]
    start: int
    inside: int
    close: int = 0
    end: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)

    @property
    def name(self) -> str:
        return local(self.tag)

    @property
    def prefix(self) -> str:
        """What stands before the local name: ``x:``, or nothing."""
        return self.tag[: len(self.tag) - len(self.name)]

    @property
    def is_empty(self) -> bool:
        """Whether it is written as one tag, ``<a/>``."""
        return self.close == self.start

    def all(self, name: str) -> list[Element]:
        return [one for one in self.children if one.name == name]

    def one(self, name: str) -> Element | None:
        return next((one for one in self.children if one.name == name), None)

    def every(self, name: str) -> Iterator[Element]:
        """All of this name at any depth."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.every(name)

    def append(self, content: bytes) -> Splice:
        """Put content behind its last child."""
        if self.is_empty:
            return Splice(self.inside - len(EMPTY), self.inside, b">" + content + f"</{self.tag}>".encode())
        return Splice(self.close, self.close, content)

    def set(self, part: bytes, **attributes: str | None) -> Splice:
        """Write attributes otherwise, or leave those out that are None."""
        return Splice(self.start, self.inside, with_attributes(part[self.start : self.inside], attributes))


def tree(part: bytes, name: str) -> Element:
    """The elements of a part. What is not XML, or not safe, is a RefusedError that names the part."""
    parser = guarded(name)
    top = Element("", {}, 0, 0)
    stack = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) > DEEPEST:
            raise broken(name)
        at = parser.CurrentByteIndex
        found = TAG.match(part, at)
        element = Element(tag, attributes, at, found.end() if found else at)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_: str) -> None:
        element = stack.pop()
        is_empty = part[element.inside - len(EMPTY) : element.inside] == EMPTY
        element.close = element.start if is_empty else parser.CurrentByteIndex
        element.end = element.inside if element.is_empty else part.index(b">", element.close) + 1

    def text(data: str) -> None:
        stack[-1].text += data

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parse(parser, part, name)
    return top.children[0]


def spliced(part: bytes, splices: Iterable[Splice]) -> bytes:
    """A part with these changes; what is inserted at one place stands in the order given. Elements of ours that lie in one another,
    so that both would be changed, are a RefusedError."""
    pieces: list[bytes] = []
    done = 0
    for start, end, new in sorted(splices, key=lambda one: one[:2]):
        if start < done:
            raise broken("XML")
        pieces += (part[done:start], new)
        done = end
    return b"".join((*pieces, part[done:]))


def with_attributes(tag: bytes, attributes: Mapping[str, str | None]) -> bytes:
    """A tag with these attributes written otherwise, added at its end, or left out where None."""
    for name, value in attributes.items():
        found = next((one for one in ATTRIBUTE.finditer(tag) if one[1] == name.encode()), None)
        new = b"" if value is None else b" " + name.encode() + b"=" + quoted(value)
        if found:
            tag = tag[: found.start()] + new + tag[found.end() :]
        else:
            end = len(tag) - (len(EMPTY) if tag.endswith(EMPTY) else 1)
            tag = tag[:end].rstrip() + new + tag[end:]
    return tag


def attribute(tag: bytes, name: bytes) -> str | None:
    found = next((one for one in ATTRIBUTE.finditer(tag) if one[1] == name), None)
    return found[2][1:-1].decode() if found else None


def masked(part: bytes) -> bytes:
    """The same with comments, CDATA and instructions blanked, so that every ``<`` in it begins a tag and no offset moves."""
    return NOT_MARKUP.sub(lambda found: b" " * len(found[0]), part)


def quoted(text: str) -> bytes:
    """A text as the value of an attribute, with its quotes."""
    return quoteattr(in_xml(text)).encode()


def written(text: str) -> bytes:
    """A text as the content of an element of a workbook: as cells hold it, never markup, never a control character."""
    return escape(cell_text(text)).encode()
