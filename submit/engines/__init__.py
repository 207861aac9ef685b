"""Engines: where jobs run. Each is a module of plain functions that keeps this protocol; one contract suite runs against all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schema.answers import Answers
from schema.job import Resources
from schema.kinds import Kind
from schema.problem import Problem
from submit.desk import Desk


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an engine is handed: the run (``<request>.<attempt>``), what it may take, the slip (a path in the ledger's folder), and the
    queue."""

    run: str
    wanted: Resources
    slip: str
    queue: str


@dataclass(frozen=True, slots=True)
class Handle:
    """A run that an engine has taken: the engine's own id for it, and an address a person can look at. ``unattended`` is the name of
    its queue where nobody takes runs from that one now; ``refused`` why it has not taken this run, in a line, where that is so."""

    engine_id: str
    url: str
    unattended: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What an engine says of a run: its state (queued, running, done, failed, stopped) and, once it has ended, its result. ``astray``: it
    was handed over, and is in no queue."""

    state: str
    result: Mapping[str, Any] | None = None
    astray: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a run has made: its id, and the folder or address it lies at."""

    id: str
    place: str


class Engine(Protocol):
    """Every call may be repeated; ``enqueue`` of a run that is there already answers with its handle."""

    AT_ONCE: int
    """How many runs it takes in one call; others of the same desk wait as long."""
    BEAT: float
    """Seconds between two looks of who watches."""

    def problems(self, desk: Desk, kind: Kind, answers: Answers, wanted: Resources) -> list[Problem]:
        """What keeps this engine from running such a job, as far as it can see before the run."""

    def enqueue(self, desk: Desk, tickets: Sequence[Ticket]) -> Mapping[str, Handle]:
        """Take at most ``AT_ONCE`` runs; the handles of all of them, by run."""

    def find(self, desk: Desk, run: str) -> Handle | None: ...

    def look(self, desk: Desk, runs: Sequence[str]) -> Mapping[str, Look]:
        """The runs it knows among these."""

    def put_back(self, desk: Desk, run: str, queue: str) -> None:
        """Put a run that was handed over and is in no queue into its queue again."""

    def stop(self, desk: Desk, run: str) -> None:
        """Ask for a run to end. One that waits never starts; one that is over stays as it is."""

    def withdraw(self, desk: Desk, run: str) -> bool:
        """Take back a run before it begins: it never starts. False where it has begun, or is over without ever being withdrawn."""

    def log(self, desk: Desk, run: str) -> str: ...

    def models(self, desk: Desk, run: str) -> list[Model]: ...

    def links(self, url: str) -> Mapping[str, str]:
        """Pages of a run with this handle's address, by what they show; none where the address is all there is."""


class EngineDownError(Exception):
    """The engine did not answer. What was accepted stays accepted and is handed over the next time."""


def engines() -> Mapping[str, Engine]:
    """Every engine by the name it has in denpyo.toml. Adding one is a file and a line."""
    from submit.engines import clearml, local

    return {"local": local, "clearml": clearml}
