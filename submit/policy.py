"""policy.yaml: who may run which kinds in which queues. What no rule allows is denied; a policy that cannot be read denies all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schema.yaml_text import Node, load

Who = Annotated[
    str,
    Field(
        pattern=r"^(user:[^\s*]+|mail:(\*|[^\s@*]+)@[^\s@*]+|github:[0-9]+|clearml:[^\s*]+|unverified)$",
        description="user:NAME, a user of this machine; mail:ADDRESS or mail:*@DOMAIN, as far as Google, Microsoft or the mailbox "
        "vouch for it; github:ID, the number of a GitHub account; clearml:ID, a user of the ClearML server; unverified: nobody "
        "vouches for who asks",
    ),
]

MAIL, ANYONE_AT = "mail:", "mail:*"


class Rule(BaseModel):
    """One permission: these people may run these kinds in these queues. ``*`` stands for every kind or queue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: Annotated[tuple[Who, ...], Field(min_length=1)]
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    queues: Annotated[tuple[str, ...], Field(min_length=1)]

    def covers(self, who: str, kind: str, queue: str) -> bool:
        return any(_is(one, who) for one in self.who) and _names(self.kinds, kind) and _names(self.queues, queue)


class Policy(BaseModel):
    """The rules in their order; the first that covers a request decides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Read:
    """A policy as found: the SHA-256 of its bytes, and the policy or the reason why it cannot be used."""

    sha256: str
    policy: Policy | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """``rule`` counts from 1; None where nothing allowed it. ``reason`` is set where the policy itself could not be read."""

    allowed: bool
    rule: int | None
    sha256: str
    reason: str = ""


def read(file: Path) -> Read:
    """Read the policy anew each time it decides, so that a change holds at once."""
    try:
        data = file.read_bytes()
    except OSError as error:
        return Read("", None, f"{file}: {error.strerror}")
    sha256 = hashlib.sha256(data).hexdigest()
    documents = load(data, file.name)
    if len(documents) != 1 or not isinstance(documents[0], Node):
        return Read(sha256, None, f"{file}: must be one YAML document without anchors, tags or repeated names")
    try:
        return Read(sha256, Policy.model_validate(_plain(documents[0])))
    except ValidationError as error:
        first = error.errors()[0]
        return Read(sha256, None, f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}")


def decide(found: Read, who: str, kind: str, queue: str) -> Decision:
    if found.policy is None:
        return Decision(False, None, found.sha256, found.reason)
    for number, rule in enumerate(found.policy.rules, 1):
        if rule.covers(who, kind, queue):
            return Decision(True, number, found.sha256)
    return Decision(False, None, found.sha256)


def _is(allowed: str, who: str) -> bool:
    """Addresses are the same in capitals and small letters: the mail services that vouch for them tell nobody apart by that."""
    if not allowed.startswith(MAIL):
        return allowed == who
    if allowed.startswith(ANYONE_AT):
        return who.startswith(MAIL) and who.casefold().endswith(allowed.removeprefix(ANYONE_AT).casefold())
    return allowed.casefold() == who.casefold()


def _names(allowed: tuple[str, ...], one: str) -> bool:
    return one in allowed or "*" in allowed


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        found = {name: _plain(member) for name, member in node.value.items()}
        if found.get("version") == "1":
            found["version"] = 1
        return found
    return [_plain(one) for one in node.value] if isinstance(node.value, list) else node.value
