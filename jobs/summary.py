"""``summary.html``: one page a run that carries everything itself and may fetch nothing. Whatever people wrote stays text."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs import asked
from jobs.outcome import Attempt
from jobs.texts import say

NAME = "summary.html"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a table: what it is, its value, and a word on it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot as a data address, with its title and how to read it."""

    title: str
    help: str
    source: str


@dataclass(frozen=True, slots=True)
class Meter:
    """The score as a bar from 0 to 1, with the marks it is held against."""

    value: float
    good: bool | None
    marks: tuple[tuple[float, str], ...] = ()


def write(attempt: Attempt, template: str, title: str, origin: Iterable[Fact], **content: Any) -> str:
    """Render a page into the run's folder; its name comes back."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(
        say=partial(say, language=attempt.language),
        language=attempt.language,
        policy=POLICY,
        title=title,
        kind=attempt.kind.form.title.say(attempt.language),
        request=attempt.request,
        asked=asked.asked(attempt),
        changes=asked.changes(attempt),
        origin=[*_origin(attempt), *origin],
        **content,
    )
    (attempt.out / NAME).write_text(page, encoding="utf-8")
    return NAME


def _origin(attempt: Attempt) -> list[Fact]:
    request, text = attempt.request, attempt.say
    trust = text("origin_trust_machine" if request.trust == "machine" else "origin_trust_claimed")
    return [
        Fact(text("origin_request"), request.id, attempt.run),
        Fact(text("origin_by"), request.requested_by, trust),
        Fact(text("origin_at"), request.requested_at.isoformat(sep=" ", timespec="seconds")),
        Fact(text("origin_via"), request.via.source or request.via.door, request.via.where),
    ]


def measures(attempt: Attempt, metrics: Mapping[str, float]) -> list[Fact]:
    """The figures with what they mean."""
    return [
        Fact(
            attempt.say(f"metric_{name}"),
            percent(value) if name == "accuracy" else plain(value),
            attempt.say(f"explain_{name}"),
        )
        for name, value in metrics.items()
    ]


def versions(*packages: str) -> dict[str, str]:
    """The versions of those packages that are installed: xgboost, for one, comes under two names."""
    found = {}
    for name in packages:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def listed(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())


def percent(share: float) -> str:
    return f"{share * 100:.1f}%"


def plain(value: float) -> str:
    """A number of a result for reading: four digits that count, thousands parted, no exponents where people expect none."""
    if value == 0 or isinstance(value, int):
        return f"{value:,.0f}"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 14:
        return f"{value:.3g}"
    return f"{value:,.{max(0, 3 - size)}f}"
