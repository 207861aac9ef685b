"""One response on its way: as it was handed in, as it was judged, and what became of it. Nothing here needs a ledger."""

from __future__ import annotations

from dataclasses import dataclass

from schema.answers import Answers, Where
from schema.change import Change
from schema.check import Checked
from schema.problem import Problem
from schema.question import RESOURCES
from schema.versions import old_version
from schema.words import text
from submit.desk import Desk

QUEUE, GPUS, HOURS = f"{RESOURCES}.queue", f"{RESOURCES}.gpus", f"{RESOURCES}.max_hours"
VERIFIED, UNVERIFIED, USER = "verified", "unverified", "user:"


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes somebody handed in, and the name they came under.

    An inbox says more: ``door`` where the name does not tell; ``sender``, whom the carrier vouches for; ``trust``, how far whoever
    asks is known (``verified`` or ``claimed``); ``subject``, for whom the policy is asked (``user:NAME``, ``mail:ADDRESS``,
    ``github:ID``, ``clearml:ID``, ``unverified``): without one, the user this process runs as; ``thread``, what it needs in order to
    answer in the same place again, in words of its own. ``inbox`` is its name in denpyo.toml.
    """

    name: str
    data: bytes
    door: str = ""
    sender: str = ""
    trust: str = ""
    subject: str = ""
    inbox: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line adds to the answers: who it is for, queue, engine, and why it should run again; and what a CSV that is
    not Unicode is written in. ``form_only``: the answers alone are judged; no dataset is looked up and no engine is asked."""

    sender: str = ""
    queue: str = ""
    engine: str = ""
    again: str = ""
    encoding: str = ""
    form_only: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """One response after it was judged: good, with its Checked, or refused, with its Problems. ``unwished`` are the answers as
    they were written, without what the command line says instead; ``datasets`` the SHA-256 of each dataset that a good one names."""

    source: int
    door: str
    answers: Answers | None
    checked: Checked | None
    problems: tuple[Problem, ...]
    language: str
    warnings: tuple[Problem, ...] = ()
    unwished: Answers | None = None
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one response: the id of its request, or under which it was refused; where it stands in what was handed in;
    whether it had been handed in before; why it may not run, if so. No id: nothing was kept. ``changes`` is what was filled in or
    brought up to date in it; ``outdated``: it was given to an older version of its kind; ``follows`` is the request whose next
    version it is."""

    id: str
    where: Where
    known: bool
    problems: tuple[Problem, ...] = ()
    good: bool = True
    source: int = 0
    receipt: Where | None = None
    language: str = ""
    kind: str = ""
    warnings: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    outdated: bool = False
    follows: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether it says what the newest version of its request says."""
        return self.known and all(one.code != "replaced_since" for one in self.warnings)


def outdated(answers: Answers | None, desk: Desk) -> bool:
    """Whether these were given to an older version of their kind."""
    kind = desk.kinds.get(answers.kind) if answers else None
    return answers is not None and kind is not None and old_version(answers, kind.form)


def became(one: Kept) -> str:
    """What is to be said of a request that was kept, beside its state; "" where it is new."""
    if one.follows:
        return text("submitted_next", one.language, id=one.follows)
    return text("submitted_known" if one.unchanged else "submitted_replaced", one.language) if one.known else ""


def foreseen(one: Kept) -> str:
    """What a desk would make of a good response that was only judged, in words; "" where it is new."""
    if one.known:
        return text("receipt_known" if one.unchanged else "receipt_superseded", one.language, id=one.id)
    return text("receipt_next", one.language, id=one.follows) if one.follows else ""
