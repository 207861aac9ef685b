"""YAML as a person may write it, read into text with places; and YAML as we write it, the same under YAML 1.1 and 1.2.

Reading keeps every scalar as the text that was typed: nothing here turns ``no`` into false or ``1_000`` into a number. What YAML
offers beyond mappings, lists and scalars (anchors, tags, directives, merge keys, duplicate keys) is refused at event level.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from schema.answers import Where
from schema.problem import Problem, shown
from schema.words import Fact, Words

LARGEST = 1024 * 1024
DEEPEST = 8
MOST_STRINGS = 4096
"""How many strings are remembered as they were written: the names of a kind's questions, and choices, come again in every slip."""
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
PLAIN = re.compile(r"[a-z][a-z0-9_-]*")
RESERVED = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"])
UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.1 does not count as printable (chapter 5.1), and a byte order mark anywhere but at the start."""
ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
NO_YAML_JA = "書き方が決まりに合っていません"
WIDE_BLANK = "\u3000"
BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where libyaml begins a new line."""
EMPTY_LINE = re.compile(r"\s*(#|$)")
WIDE_INDENT = re.compile(f"[ \t]*{WIDE_BLANK}")
_COLON = Words("“: ” (a colon and a blank)", ja="「: 」（半角のコロンと空白）")
_BLANKS = Words("blanks", ja="半角の空白")
ODD: Mapping[re.Pattern[str], Mapping[str, Fact]] = {
    WIDE_INDENT: {"character": Words("A full-width blank", ja="全角の空白"), "instead": _BLANKS},
    re.compile(r" *\t(?=\s*\S)"): {"character": Words("A tab", ja="タブ"), "instead": _BLANKS},
    re.compile(r"""\s*+(?:- +)*+[^\s:#"'\[\]{}][^:：#"'\[\]{}]*："""): {
        "character": Words("The full-width colon “：”", ja="全角のコロン「：」"),
        "instead": _COLON,
    },
    re.compile(r"\s*+(?:- +)*+[^\W\d][\w.@-]*:(?=[^\s:/\\])"): {
        "character": Words("A colon without a blank behind it", ja="後ろに空白のないコロン"),
        "instead": _COLON,
    },
}
"""What a person takes for indentation, or for the end of a name, and YAML does not: each matches up to the character itself."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar's text, a list of nodes, or a mapping of names to nodes, and where it stands. ``null`` is an empty text."""

    where: Where
    value: str | list[Node] | dict[str, Node]
    keys: Mapping[str, Where] = field(default_factory=dict)

    def get(self, name: str) -> Node | None:
        return self.value.get(name) if isinstance(self.value, dict) else None

    def text(self) -> str:
        return self.value if isinstance(self.value, str) else ""


def _spot(event: Event) -> str:
    """``LINE:COLUMN``, counted from 1, as editors count and jump."""
    mark = event.start_mark
    return f"{mark.line + 1}:{mark.column + 1}" if mark else ""


def _spot_after(text: str) -> str:
    return f"{text.count(chr(10)) + 1}:{len(text) - text.rfind(chr(10))}"


class _RefusedError(Exception):
    def __init__(self, code: str, event: Event, facts: Mapping[str, Fact]) -> None:
        self.code, self.facts, self.spot = code, facts, _spot(event)


def load(data: bytes, file: str) -> list[Node] | list[Problem]:
    """Every document of a file. One that cannot be read gives its first Problem alone: the rest would be noise."""
    if len(data) > LARGEST:
        return [Problem("too_large", Where(file), "", {"part": shown(file), "limit": "1 MiB"})]
    try:
        text = data.decode("utf-8-sig")
        if unreadable := UNREADABLE.search(text):
            facts = {"character": f"U+{ord(unreadable[0]):04X}"}
            return [Problem("hidden_character", Where(file, _spot_after(text[: unreadable.start()])), "", facts)]
        return _Reader(file).documents(yaml.parse(text, Loader=_LOADER))
    except UnicodeDecodeError as error:
        detail = Words("not UTF-8", ja="UTF-8ではありません")
        before = error.object[: error.start].decode()
        return [Problem("yaml_syntax", Where(file, _spot_after(before)), "", {"detail": detail})]
    except yaml.MarkedYAMLError as error:
        return [_syntax(error, text, file)]
    except yaml.YAMLError as error:
        return [Problem("yaml_syntax", Where(file), "", {"detail": Words(shown(str(error)), ja=NO_YAML_JA)})]
    except _RefusedError as refused:
        return [Problem(refused.code, Where(file, refused.spot), "", refused.facts)]


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """What the parser refused, at what a person has to mend: often that stands above the place where the parser noticed."""
    mark = error.problem_mark or error.context_mark
    opened = "quoted" in (error.context or "") and "unexpected" in (error.problem or "")  # libyaml's words
    if opened and error.context_mark:
        detail, mark = Words("the quotation mark is not closed", ja="引用符が閉じていません"), error.context_mark
    else:
        detail = Words(shown(str(error.problem)), ja=NO_YAML_JA)
        if mark and (odd := _odd_character(text, mark.line)):
            return Problem("yaml_character", Where(file, odd[0]), "", odd[1])
    spot = f"{mark.line + 1}:{mark.column + 1}" if mark else ""
    return Problem("yaml_syntax", Where(file, spot), "", {"detail": detail})


def _odd_character(text: str, last: int) -> tuple[str, Mapping[str, Fact]] | None:
    """The uppermost character that YAML takes otherwise than a person, in the line of an error or next above it, and its facts."""
    found = None
    lines = BREAK.split(text)[: last + 1]
    for index in range(len(lines) - 1, -1, -1):
        odd = next(((form, match) for form in ODD if (match := form.match(lines[index]))), None)
        if odd:
            found = f"{index + 1}:{odd[1].end()}", ODD[odd[0]]
        elif index < last and not EMPTY_LINE.match(lines[index]):
            break
    return found


@dataclass
class _Reader:
    file: str

    def documents(self, events: Iterator[Event]) -> list[Node]:
        found = []
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if event.version or event.tags:
                    raise _refused("directives", event)
                found.append(self._node(next(events), events, 0))
            elif not isinstance(event, StreamStartEvent | StreamEndEvent | DocumentEndEvent):
                raise AssertionError(f"the parser gave {event!r} between documents")
        return found

    def _node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _refused("anchors", event)
        if getattr(event, "tag", None):
            raise _refused("tags", event)
        if depth > DEEPEST:
            raise _RefusedError("yaml_too_deep", event, {})
        where = self._where(event)
        if isinstance(event, ScalarEvent):
            return Node(where, "" if not event.style and event.value in NULLS else event.value)
        if isinstance(event, SequenceStartEvent):
            return Node(where, [self._node(one, events, depth + 1) for one in _until_end(events)])
        return self._mapping(event, events, depth)

    def _mapping(self, start: Event, events: Iterator[Event], depth: int) -> Node:
        members: dict[str, Node] = {}
        keys: dict[str, Where] = {}
        for event in _until_end(events):
            name = self._key(event)
            if name in members:
                raise _RefusedError("yaml_duplicate", event, {"name": shown(name)})
            keys[name] = self._where(event)
            members[name] = self._node(next(events), events, depth + 1)
        return Node(self._where(start), members, keys)

    def _key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent):
            code = "tags" if not isinstance(event, AliasEvent | MappingStartEvent | SequenceStartEvent) else "anchors"
            if isinstance(event, AliasEvent):
                raise _refused(code, event)
            raise _RefusedError("yaml_shape", event, {"expected": Words("a name", ja="名前")})
        if event.anchor:
            raise _refused("anchors", event)
        if event.tag:
            raise _refused("tags", event)
        if event.value == "<<" and not event.style:
            raise _refused("merge_keys", event)
        if event.value.startswith(WIDE_BLANK) and not event.style:
            raise _RefusedError("yaml_character", event, ODD[WIDE_INDENT])
        return str(event.value)

    def _where(self, event: Event) -> Where:
        return Where(self.file, _spot(event))


FORBIDDEN = {
    "anchors": Words("Anchors and aliases (& and *)", ja="アンカーとエイリアス（&と*）"),
    "tags": Words("Tags (!)", ja="タグ（!）"),
    "directives": Words("Directives (%)", ja="ディレクティブ（%）"),
    "merge_keys": Words("Merge keys (<<)", ja="マージキー（<<）"),
}


def _refused(what: str, event: Event) -> _RefusedError:
    return _RefusedError("yaml_forbidden", event, {"what": FORBIDDEN[what]})


def _until_end(events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, yaml.events.SequenceEndEvent | yaml.events.MappingEndEvent):
            return
        yield event


def dump(value: Mapping[str, Any]) -> str:
    """A mapping of JSON values as YAML, in the given order; the same value gives the same text."""
    lines: list[str] = []
    _put_mapping(value, "", lines.append)
    return "".join(lines) or "{}\n"


def _put_mapping(value: Mapping[str, Any], indent: str, put: Callable[[str], None]) -> None:
    spells = SPELLED.get
    for name, member in value.items():
        spell = spells(type(member))
        if spell:
            put(f"{_begun(indent, name)}{spell(member)}\n")
        elif type(member) is list and all(type(one) in SPELLED for one in member):
            put(f"{indent}{string(name)}: {_flow(member)}\n")
        elif member and isinstance(member, dict | Mapping):
            put(f"{indent}{string(name)}:\n")
            _put_mapping(member, indent + "  ", put)
        elif isinstance(member, list) and any(isinstance(one, dict | Mapping) for one in member):
            put(f"{indent}{string(name)}:\n")
            for one in member:
                _put_member(one, indent, put)
        else:
            put(f"{indent}{string(name)}: {_flow(member)}\n")


@lru_cache(MOST_STRINGS)
def _begun(indent: str, name: str) -> str:
    return f"{indent}{string(name)}: "


def _put_member(value: Any, indent: str, put: Callable[[str], None]) -> None:
    if isinstance(value, Mapping) and value:
        lines: list[str] = []
        _put_mapping(value, indent + "  ", lines.append)
        put(f"{indent}- {lines[0].lstrip()}")
        for line in lines[1:]:
            put(line)
    else:
        put(f"{indent}- {_flow(value)}\n")


def _flow(value: Any) -> str:
    spell = SPELLED.get(type(value))
    if spell:
        return spell(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_flow(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(name)}: {_flow(member)}' for name, member in value.items())}}}"
    return scalar(value)


def scalar(value: str | int | float | bool | None) -> str:
    """One value in one line. A string is left bare only where no YAML reader can take it for anything else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _number(value) if isinstance(value, float) else string(value)


def _number(value: float) -> str:
    written = repr(value)
    return written.replace("e", ".0e", 1) if "e" in written and "." not in written else written


@lru_cache(MOST_STRINGS)
def string(value: str) -> str:
    """``scalar`` of a string."""
    if PLAIN.fullmatch(value) and value not in RESERVED:
        return value
    return ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", encode_basestring(value))


SPELLED: Mapping[type, Callable[[Any], str]] = {
    str: string,
    int: str,
    float: _number,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
}
"""How the values that JSON itself has are spelled; others (a subclass of one of them) are looked at more closely."""
