"""What stands around the job of a slip, or of a document written by hand: which names there are, and the shape of what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from schema.answers import Where
from schema.job import IDENTIFIER
from schema.problem import Problem, nearest, shown
from schema.question import RESOURCES
from schema.words import Fact, Words, languages
from schema.yaml_text import Node

FORMAT = 1
SLIP_KEYS = (
    "denpyo",
    "id",
    "kind",
    "version",
    "schema",
    "by",
    "requested_by",
    "requested_at",
    "via",
    "language",
    "job",
    "resources",
    "changes",
)
BARE_KEYS = ("kind", "version", "requested_by", "again", "language", "job", "resources")
SENDER_KEYS = ("name", "trust")
VIA_KEYS = ("door", "source", "sha256", "where")
CHANGE_KEYS = ("question", "before", "after", "why")
WHY_KEYS = ("en", "ja")

VERSION = re.compile(r"[0-9]{1,9}")
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")

MAPPING = Words("a mapping (name: value)", ja="「名前: 値」の並び")
VALUE = Words("a single value", ja="1つの値")
LIST = Words("a list", ja="一覧")
THIS_FORMAT = Words(f"{FORMAT}, the format of this slip,", ja=f"伝票の形式の番号{FORMAT}")
A_FINGERPRINT = Words("“sha256:” and 64 hexadecimal digits", ja="「sha256:」と16進数64桁")
A_TIME = Words(
    "a time with its zone, such as 2026-11-21T09:30:00+09:00,", ja="時差のついた日時（例：2026-11-21T09:30:00+09:00）"
)


def envelope_problems(document: Node, keys: tuple[str, ...] = SLIP_KEYS) -> Iterator[Problem]:
    """What is wrong with a document around its job: its shape, names nobody knows, and (of a slip) names that are missing."""
    if not isinstance(document.value, dict):
        yield _shape(document.where, "", MAPPING)
        return
    required = keys if keys is SLIP_KEYS else ("kind", "job")
    yield from _names(document, keys, required)
    for name in ("job", RESOURCES):
        yield from _must_be(document.get(name), name, dict, MAPPING)
    for name in ("kind", "version", "again", "language", "id", "requested_at", "by", "schema", "denpyo"):
        if name in keys:
            yield from _must_be(document.get(name), name, str, VALUE)
    yield from _own_words(document)
    yield from _slip_problems(document) if keys is SLIP_KEYS else _sender_by_hand(document.get("requested_by"))


def _names(node: Node, keys: tuple[str, ...], required: tuple[str, ...]) -> Iterator[Problem]:
    for name in (name for name in node.value if name not in keys) if isinstance(node.value, dict) else ():
        yield Problem("unknown_key", node.keys[name], name, {"name": shown(name)}, nearest(name, keys))
    for name in (name for name in required if node.get(name) is None):
        yield Problem("missing", node.where, name, {"label": name})


def _must_be(node: Node | None, name: str, kind: type, expected: Words) -> Iterator[Problem]:
    if node and not isinstance(node.value, kind):
        yield _shape(node.where, name, expected)


def _shape(where: Where, name: str, expected: Words) -> Problem:
    return Problem("yaml_shape", where, name, {"expected": expected})


def _own_words(document: Node) -> Iterator[Problem]:
    version, language = document.get("version"), document.get("language")
    if version and isinstance(version.value, str) and not VERSION.fullmatch(version.value):
        yield Problem("not_whole", version.where, "version", {"text": shown(version.value), "example": "1"})
    if language and isinstance(language.value, str) and language.value not in languages():
        facts: dict[str, Fact] = {"text": shown(language.value), "choices": languages()}
        yield Problem("unknown_choice", language.where, "language", facts, nearest(language.value, languages()))


def _sender_by_hand(by: Node | None) -> Iterator[Problem]:
    if by and isinstance(by.value, list):
        yield _shape(by.where, "requested_by", VALUE)
    if by and isinstance(by.value, dict):
        yield from _group(by, "requested_by", SENDER_KEYS, ("name",))


def _slip_problems(document: Node) -> Iterator[Problem]:
    for name, fits, expected in (
        ("denpyo", str(FORMAT).__eq__, THIS_FORMAT),
        ("schema", FINGERPRINT.fullmatch, A_FINGERPRINT),
        ("requested_at", _is_moment, A_TIME),
    ):
        node = document.get(name)
        if node and isinstance(node.value, str) and not fits(node.value):
            yield _shape(node.where, name, expected)
    slip_id = document.get("id")
    if slip_id and isinstance(slip_id.value, str) and not re.fullmatch(IDENTIFIER.strip("^$"), slip_id.value):
        yield Problem("bad_identifier", slip_id.where, "id", {"text": shown(slip_id.value)})
    yield from _group(document.get("requested_by"), "requested_by", SENDER_KEYS, SENDER_KEYS)
    yield from _group(document.get("via"), "via", VIA_KEYS, VIA_KEYS)
    yield from _change_problems(document.get("changes"))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:  # no time at all: said by the caller
        return False


def _group(node: Node | None, name: str, keys: tuple[str, ...], required: tuple[str, ...]) -> Iterator[Problem]:
    """A mapping whose members are single values."""
    yield from _must_be(node, name, dict, MAPPING)
    if node and isinstance(node.value, dict):
        yield from _names(node, keys, required)
        for key in keys:
            yield from _must_be(node.get(key), f"{name}.{key}", str, VALUE)


def _change_problems(changes: Node | None) -> Iterator[Problem]:
    yield from _must_be(changes, "changes", list, LIST)
    for change in changes.value if changes and isinstance(changes.value, list) else ():
        yield from _must_be(change, "changes", dict, MAPPING)
        if isinstance(change.value, dict):
            yield from _names(change, CHANGE_KEYS, CHANGE_KEYS)
            yield from _group(change.get("why"), "changes.why", WHY_KEYS, WHY_KEYS)
            for key in CHANGE_KEYS[:3]:
                yield from _must_be(change.get(key), f"changes.{key}", str, VALUE)
