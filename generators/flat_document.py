"""Documents of one level, as people write them by hand: the answers alone, with the name by which a kind knows them (``Job.known_by``)."""

from __future__ import annotations

from collections.abc import Mapping

from schema.envelope import BARE_KEYS, SLIP_KEYS
from schema.kinds import Kind
from schema.problem import Problem, folded, shown
from schema.yaml_text import Node


def unfolded(document: Node, kinds: Mapping[str, Kind]) -> Node | Problem:
    """The ``kind:`` + ``job:`` document that this one stands for; itself where it says more than answers, or nothing that is known."""
    if not isinstance(document.value, dict) or any(name in document.value for name in ("kind", "job", "denpyo")):
        return document
    asked = [one for one in kinds.values() if one.job.known_by]
    kind = next((one for one in asked if _says(document, one.job.known_by)), None)
    if kind:
        return _document(document, kind)
    name = next((name for one in asked for name in one.job.known_by if name in document.value), "")
    if not name:
        return document
    offered = tuple(one.job.known_by[name] for one in asked if name in one.job.known_by)
    typed = document.value[name]
    return Problem("unknown_choice", typed.where, name, {"text": shown(typed.text()), "choices": offered})


def _says(document: Node, known_by: Mapping[str, str]) -> bool:
    nodes = {name: document.get(name) for name in known_by}
    return all(node is not None and folded(node.text().strip()) == known_by[name] for name, node in nodes.items())


def _document(document: Node, kind: Kind) -> Node:
    around = [name for name in (*BARE_KEYS, *SLIP_KEYS) if name in document.keys]
    known = kind.job.known_by
    inside = {name: document.keys[name] for name in document.keys if name not in around and name not in known}
    members = document.value if isinstance(document.value, dict) else {}
    named = next(members[name].where for name in known)
    job = Node(document.where, {name: members[name] for name in inside}, inside)
    return Node(
        document.where,
        {**{name: members[name] for name in around}, "kind": Node(named, kind.name), "job": job},
        {**{name: document.keys[name] for name in around}, "kind": named, "job": document.where},
    )
