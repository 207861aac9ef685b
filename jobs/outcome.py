"""What a workload is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jobs.texts import say
from schema.answers import Where
from schema.job import Fault
from schema.kinds import Kind
from schema.problem import Problem
from schema.slip import Request
from schema.words import languages

MODEL_PREFIX = "m-"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of one request: attempt 1 of ``7k3m`` is the run ``7k3m.1``. Everything it leaves behind lies in ``out``.

    ``kept`` are open files that a process started by the workload must keep open, so that the run counts as alive while it lives.
    """

    request: Request
    kind: Kind
    number: int
    out: Path
    kept: tuple[int, ...] = ()

    @property
    def run(self) -> str:
        return f"{self.request.id}.{self.number}"

    @property
    def model_id(self) -> str:
        return f"{MODEL_PREFIX}{self.request.id}-{self.number}"

    @property
    def language(self) -> str:
        return self.request.language

    def say(self, name: str, **facts: str) -> str:
        """A fixed text of a run in the language of the person who asked."""
        return say(name, self.language, **facts)

    def problem(self, fault: Fault, suggestion: str = "") -> Problem:
        """A fault that was found while running, at the answer that it blames."""
        return Problem(fault.code, Where(self.request.id, fault.field), fault.field, fault.facts, suggestion)

    def refused(self, faults: list[Fault]) -> Failed:
        return failed("reason_problems", self.language, tuple(self.problem(fault) for fault in faults))

    def failed(self, name: str, **facts: str) -> Failed:
        """The end of a run for the reason of this name."""
        return failed(name, self.language, (), **facts)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A trained model: its id and its ONNX file, ``path`` seen from the run's folder."""

    id: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Done:
    """A run that came to its end. ``passed`` is None where nobody said how good is good enough; ``artifacts`` are paths seen
    from the run's folder; ``warnings`` are sentences in the person's language; ``source`` says which script ran; ``series`` are figures
    of the way there, in order: a metric of every training, the loss after every pass."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    passed: bool | None = None
    model: ModelFile | None = None
    summary: str | None = None
    artifacts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    dataset_sha256: str | None = None
    seed: int | None = None
    source: Mapping[str, Any] | None = None
    series: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """A run that could not come to its end, for a reason that a person can do something about: one sentence in their language, and
    in ``reasons`` the same in every language."""

    reason: str
    problems: tuple[Problem, ...] = ()
    artifacts: tuple[str, ...] = ()
    source: Mapping[str, Any] | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


def failed(name: str, language: str, problems: tuple[Problem, ...] = (), **facts: str) -> Failed:
    """The end of a run for the reason of this name in ``texts.toml``."""
    reasons = {one: say(name, one, **facts) for one in languages()}
    return Failed(reasons[language], problems, reasons=reasons)


class Workload(Protocol):
    """A module of ``jobs/`` that a kind can name."""

    def run(self, attempt: Attempt) -> Done | Failed:
        """Do the work and leave the files in ``attempt.out``. Mistakes of people come back as Failed; anything raised is ours."""
