"""As much of GraphQL (spec.graphql.org, October 2021) as stand-ins need: one operation with variables, inline fragments, and a schema
that every name, argument and type in it is held against."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'\.\.\.|[A-Za-z_]\w*|\$\w+|"(?:[^"\\]|\\.)*"|-?\d+|[{}()\[\]:!=]')
SCALARS = {"String", "ID", "Int", "Boolean", "DateTime", "URI"}

Fields = Mapping[str, tuple[str, Mapping[str, str]]]
Schema = Mapping[str, Fields]


class Refused(Exception):
    """What the service says instead of data."""

    def __init__(self, message: str, type: str = "GRAPHQL_VALIDATION_FAILED") -> None:
        super().__init__(message)
        self.type = type


@dataclass
class Selection:
    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    on: str = ""
    inner: list[Selection] = field(default_factory=list)


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Enum:
    name: str


@dataclass
class _Document:
    tokens: list[str]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        word = self.peek()
        if not word or (expected and word != expected):
            raise Refused(f"Parse error on {word!r}", "PARSE_ERROR")
        self.at += 1
        return word

    def type(self) -> str:
        if self.peek() == "[":
            self.take()
            inner = self.type()
            self.take("]")
            found = f"[{inner}]"
        else:
            found = self.take()
        return found + (self.take() if self.peek() == "!" else "")

    def declared(self) -> dict[str, str]:
        found = {}
        if self.peek() == "(":
            self.take()
            while self.peek() != ")":
                name = self.take().removeprefix("$")
                self.take(":")
                found[name] = self.type()
            self.take()
        return found

    def value(self) -> Any:
        word = self.take()
        if word.startswith("$"):
            return Variable(word[1:])
        if word == "[":
            members = []
            while self.peek() != "]":
                members.append(self.value())
            self.take()
            return members
        if word == "{":
            return self.pairs("}")
        if word.startswith('"') or word.lstrip("-").isdigit():
            return int(word) if word[0] != '"' else word[1:-1]
        return {"true": True, "false": False, "null": None}.get(word, Enum(word))

    def pairs(self, end: str) -> dict[str, Any]:
        found = {}
        while self.peek() != end:
            name = self.take()
            self.take(":")
            found[name] = self.value()
        self.take()
        return found

    def selections(self) -> list[Selection]:
        self.take("{")
        found = []
        while self.peek() != "}":
            if self.peek() == "...":
                self.take()
                self.take("on")
                on = self.take()
                found += [Selection(one.name, one.args, on, one.inner) for one in self.selections()]
                continue
            one = Selection(self.take())
            if self.peek() == "(":
                self.take()
                one.args = self.pairs(")")
            if self.peek() == "{":
                one.inner = self.selections()
            found.append(one)
        self.take()
        return found


@dataclass
class _Run:
    schema: Schema
    inputs: Mapping[str, Mapping[str, str]]
    enums: Mapping[str, set[str]]
    declared: Mapping[str, str]
    variables: Mapping[str, Any]

    def object(self, kind: str, value: Any, wanted: list[Selection], root: Callable[..., Any] | None = None) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [self.object(kind, one, wanted) for one in value]
        actual = value.get("__typename", kind)
        found = {}
        for one in wanted:
            fields = self.schema[one.on or kind]
            if one.name not in fields:
                raise Refused(f"Field '{one.name}' doesn't exist on type '{one.on or kind}'")
            inner, takes = fields[one.name]
            if bool(one.inner) == (inner in SCALARS):
                raise Refused(f"Field '{one.name}' returns {inner}")
            args = {name: self.given(takes.get(name, ""), given) for name, given in one.args.items()}
            if missing := [name for name, type in takes.items() if type.endswith("!") and args.get(name) is None]:
                raise Refused(f"Field '{one.name}' is missing required arguments: {', '.join(missing)}")
            if one.on and one.on != actual:
                continue
            held = root(one.name, args) if root else value[one.name]
            held = held(args) if callable(held) else held
            found[one.name] = self.object(inner, held, one.inner) if one.inner else held
        return found

    def given(self, type: str, value: Any) -> Any:
        if isinstance(value, Variable):
            return self.given(type, self._variable(type, value.name))
        bare = type.rstrip("!")
        if value is None and not type.endswith("!"):
            return None
        if bare.startswith("["):
            return [self.given(bare[1:-1], one) for one in (value if isinstance(value, list) else [value])]
        if bare in self.inputs and isinstance(value, dict):
            return self._input(bare, value)
        if bare in self.enums:
            named = value.name if isinstance(value, Enum) else value
            if named in self.enums[bare]:
                return named
        if isinstance(value, int if bare == "Int" else str) and bare in SCALARS:
            return value
        raise Refused(f"Argument has an invalid value ({value!r}). Expected type '{type}'.")

    def _variable(self, type: str, name: str) -> Any:
        declared = self.declared.get(name, "")
        if declared.rstrip("!") != type.rstrip("!") or (type.endswith("!") and not declared.endswith("!")):
            raise Refused(f"Type mismatch on variable ${name} and argument ({declared} / {type})")
        return self.variables.get(name)

    def _input(self, kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
        takes = self.inputs[kind]
        if strange := set(value) - set(takes):
            raise Refused(f"InputObject '{kind}' doesn't accept argument '{sorted(strange)[0]}'")
        found = {name: self.given(takes[name], one) for name, one in value.items()}
        if missing := [name for name, type in takes.items() if type.endswith("!") and found.get(name) is None]:
            raise Refused(f"InputObject '{kind}' lacks {', '.join(missing)}")
        return found


def run(
    query: str,
    variables: Mapping[str, Any],
    schema: Schema,
    inputs: Mapping[str, Mapping[str, str]],
    enums: Mapping[str, set[str]],
    resolve: Callable[[str, Mapping[str, Any]], Any],
) -> Any:
    """The data that a query or mutation finds. What the schema does not have is Refused."""
    document = _Document(TOKEN.findall(query))
    kind = {"query": "Query", "mutation": "Mutation"}.get(document.take())
    if kind is None:
        raise Refused("Parse error", "PARSE_ERROR")
    if document.peek() not in ("(", "{"):
        document.take()
    declared = document.declared()
    wanted = document.selections()
    if strange := set(variables) - set(declared):
        raise Refused(f"Variable ${sorted(strange)[0]} is not declared")
    for name, type in declared.items():
        if type.endswith("!") and variables.get(name) is None:
            raise Refused(f"Variable ${name} of type {type} was provided invalid value")
    return _Run(schema, inputs, enums, declared, variables).object(kind, {}, wanted, resolve)
