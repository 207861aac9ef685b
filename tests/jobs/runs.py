"""Requests, slips and runs for tests: the real kinds, real datasets in a folder, real processes."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.outcome import Attempt
from schema import kinds, slip
from schema.check import Change
from schema.job import Resources
from schema.slip import Request, Via

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "datasets"
EXAMPLE_KINDS = ROOT / "examples" / "kinds"

FOREST = {"algorithm": "random_forest", "hyperparameters": {"n_estimators": 10}}


def request(
    kind: str, job: Mapping[str, Any], language: str = "en", id: str = "7k3m", folders: Sequence[Path] = ()
) -> Request:
    """What a person asked, checked by the kind itself, with what was filled in for them."""
    found = kinds.load(folders)[kind]
    filled = found.job.complete(job)
    return Request(
        id=id,
        kind=kind,
        version=found.form.version,
        schema=found.form.fingerprint,
        denpyo="0.1.0",
        requested_by="hanako@example.jp",
        trust="claimed",
        requested_at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        via=Via("excel", "wine.xlsx", "0" * 64, "入力!C7"),
        language=language,
        job=found.job.model_validate(dict(job)),
        resources=found.job.resources,
        changes=tuple(Change(name, "", str(value), why) for name, (value, why) in filled.items()),
    )


def attempt(
    out: Path,
    kind: str,
    job: Mapping[str, Any],
    language: str = "en",
    id: str = "7k3m",
    folders: Sequence[Path] = (),
) -> Attempt:
    """The first attempt, its folder made as a worker makes it."""
    folder = out / f"{id}.1"
    folder.mkdir(parents=True)
    return Attempt(request(kind, job, language, id, folders), kinds.load(folders)[kind], 1, folder)


def with_hours(request: Request, hours: float) -> Request:
    return replace(request, resources=Resources(max_hours=hours))


def write_slip(folder: Path, request: Request) -> Path:
    file = folder / f"{request.id}.yaml"
    file.write_bytes(slip.write(request))
    return file


def start(file: Path, out: Path, run: str = "7k3m.1", **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -P -m jobs`` to its end."""
    return subprocess.run(
        command(file, out, run),
        env={**os.environ, **environment},
        cwd=out.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def command(file: Path, out: Path, run: str = "7k3m.1") -> list[str]:
    return [sys.executable, "-P", "-m", "jobs", str(file), "--out", str(out), "--run", run]


def write_dataset(
    folder: Path, id: str, heading: Sequence[str], train: Iterable[Sequence[Any]], test: Iterable[Sequence[Any]]
) -> None:
    raw = folder / id / "raw"
    raw.mkdir(parents=True)
    for name, rows in (("train.csv", train), ("test.csv", test)):
        with (raw / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([heading, *rows])
