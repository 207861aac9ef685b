"""A reader of YAML 1.2 with its core schema (YAML 1.2.2, chapter 10.3), over PyYAML's parser, which leaves every scalar as it stands."""

from __future__ import annotations

import re
from typing import Any

import yaml

NULL = re.compile(r"(?:null|Null|NULL|~|)")
TRUE, FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
WHOLE = re.compile(r"[-+]?[0-9]+")
OCTAL, HEXADECIMAL = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
INFINITE, NOT_A_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)"), re.compile(r"\.(?:nan|NaN|NAN)")

CORE = (
    (NULL, lambda _: None),
    (TRUE, lambda _: True),
    (FALSE, lambda _: False),
    (WHOLE, int),
    (OCTAL, lambda text: int(text, 8)),
    (HEXADECIMAL, lambda text: int(text, 16)),
    (NUMBER, float),
    (INFINITE, lambda text: float(text.replace(".", ""))),
    (NOT_A_NUMBER, lambda _: float("nan")),
)


def load(text: str) -> Any:
    """The value of the only document in a text."""
    return _value(yaml.compose(text, Loader=yaml.BaseLoader))


def _value(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {_value(name): _value(member) for name, member in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(one) for one in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return node.value if node.style else _plain(node.value)


def _plain(text: str) -> Any:
    return next((read(text) for form, read in CORE if form.fullmatch(text)), text)
