"""policy.yaml: who may run which kinds in which queues. What no rule allows is denied; a policy that cannot be read denies all."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schema.job import Resources
from schema.yaml_text import Node, load
from submit.desk import POLICY, Desk
from submit.policy_file import TRUSTS, UNVERIFIED, Contact, Policy, Rule, Trust
from submit.response import USER

__all__ = ["Contact", "Decision", "Policy", "Read", "Rule", "decide", "read", "read_of", "trust_of"]

MOST_SAID = 5
COMMAND = "command"
"""How the policy calls the command line, among what carries a request."""
NOT_WHO, NOT_TRUSTED, NOT_DOOR, NOT_KIND, NOT_QUEUE = "who", "min_trust", "only", "kinds", "queues"


@dataclass(frozen=True, slots=True)
class Read:
    """A policy as found: the SHA-256 of its bytes, and the policy or the reason why it cannot be used."""

    sha256: str
    policy: Policy | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the policy is asked for: for whom, what, where, and the ways in by which it came; none where they are not known."""

    subject: str
    kind: str
    queue: str
    doors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """``rule`` counts from 1; None where nothing allowed it. ``reason`` is set where the policy itself could not be read; ``over`` are
    the codes of the rule's limits that were exceeded."""

    allowed: bool
    rule: int | None
    sha256: str
    reason: str = ""
    over: tuple[str, ...] = ()


def read(file: Path) -> Read:
    """Read the policy anew each time it decides, so that a change holds at once."""
    try:
        data, others = file.read_bytes(), _others_may(file)
    except OSError as error:
        return Read("", None, f"{file}: {error.strerror}")
    sha256 = hashlib.sha256(data).hexdigest()
    if others:
        return Read(sha256, None, others)
    documents = load(data, file.name)
    if len(documents) != 1 or not isinstance(documents[0], Node):
        return Read(sha256, None, f"{file}: must be one YAML document without anchors, tags or repeated names")
    try:
        return Read(sha256, Policy.model_validate(_plain(documents[0])))
    except ValidationError as error:
        said = [_said(documents[0], one["loc"], one["msg"]) for one in error.errors()]
        more = [f"and {len(said) - MOST_SAID} more"] if len(said) > MOST_SAID else []
        return Read(sha256, None, f"{file}: {'; '.join(said[:MOST_SAID] + more)}")


def _said(document: Node, steps: Sequence[int | str], wrong: str) -> str:
    place = ": ".join(filter(None, (_place(steps), wrong)))
    return f"{place} (line {_line(document, steps)})"


def _place(steps: Sequence[int | str]) -> str:
    """Where in the policy: rules by the numbers that `policy explain` and entries give them, from 1."""
    if len(steps) > 1 and steps[0] == "rules" and isinstance(steps[1], int):
        return ": ".join(part for part in (f"rule {steps[1] + 1}", ".".join(map(str, steps[2:]))) if part)
    return ".".join(map(str, steps))


def _line(node: Node, steps: Sequence[int | str]) -> str:
    """Of the innermost part of these steps that is there, counted from 1."""
    where = node.where
    for step in steps:
        if isinstance(node.value, list) and isinstance(step, int):
            found = node.value[step] if step < len(node.value) else None
        else:
            found = node.get(str(step))
        if found is None:
            break
        where = node.keys.get(str(step), found.where)
        node = found
    return where.spot.partition(":")[0]


def called(subject: str) -> str:
    """How somebody is called to themselves: by their address or name alone; a number is nothing without what it is of."""
    return subject.removeprefix("mail:").removeprefix("user:")


def _others_may(file: Path) -> str:
    """In a line, whether others than its owner may change what the policy says: whoever can write it rules. "" where nobody may."""
    if file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{file}: others than its owner may write it: chmod go-w {file}"
    for folder in {file.parent: None, file.resolve().parent: None}:
        mode = folder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"{file}: anybody may put another in its place: chmod o-w {folder}"
    return ""


def read_of(desk: Desk) -> Read:
    """The desk's policy as it is now."""
    return read(desk.folder / POLICY)


def decide(found: Read, who: str, kind: str, queue: str, doors: Iterable[str] = ()) -> Decision:
    """What the first rule that covers it says; its limits are not looked at here."""
    if found.policy is None:
        return Decision(False, None, found.sha256, found.reason)
    asked = Ask(who, kind, queue, tuple(doors))
    for number, rule in enumerate(found.policy.rules, 1):
        if not uncovered(found.policy, rule, asked):
            return Decision(True, number, found.sha256)
    return Decision(False, None, found.sha256)


def uncovered(policy: Policy, rule: Rule, asked: Ask) -> str:
    """The name of the first part of a rule that keeps it from covering a request; "" where it covers it."""
    only = rule.doors.only
    fits = {
        NOT_WHO: policy.names(rule.who, asked.subject),
        NOT_TRUSTED: TRUSTS.index(trust_of(asked.subject)) >= TRUSTS.index(rule.doors.min_trust),
        NOT_DOOR: not only or any(one in only for one in asked.doors),
        NOT_KIND: _names(rule.kinds, asked.kind),
        NOT_QUEUE: _names(rule.queues, asked.queue),
    }
    return next((name for name, fit in fits.items() if not fit), "")


def trust_of(subject: str) -> Trust:
    """How far the one for whom the policy is asked is known: what a sheet claims besides is not looked at."""
    if subject == UNVERIFIED:
        return "claimed"
    return "machine" if subject.startswith("user:") else "verified"


def gpu_hours(wanted: Resources) -> float:
    """What a run may take at most."""
    return wanted.gpus * wanted.max_hours


def _names(allowed: tuple[str, ...], one: str) -> bool:
    return one in allowed or "*" in allowed


def _plain(node: Node) -> Any:
    """Text as it was typed, which pydantic reads as numbers and yes or no where those belong; the version is an exact one."""
    if isinstance(node.value, dict):
        found = {name: _plain(member) for name, member in node.value.items()}
        if found.get("version") == "1":
            found["version"] = 1
        return found
    return [_plain(one) for one in node.value] if isinstance(node.value, list) else node.value


def may_end(rules: Policy | None, asker: str, subject: str) -> bool:
    """Whether a subject may end what another asked for: themselves under any name of theirs, an operator, or any user of this machine where
    the policy names no operators. Where the rules cannot be read, only who asked for it."""
    if subject == UNVERIFIED:
        return False
    if rules is None:
        return subject == asker
    mine = bool(asker) and rules.person(asker) == rules.person(subject)
    return mine or rules.is_operator(subject) or (not rules.named_operators and subject.startswith(USER))
