"""The summary of a script's run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from jobs import summary
from jobs.outcome import Attempt
from jobs.summary import Fact, plain
from schema.job import Script
from schema.problem import shown

LONGEST_PATH = 300


def write(
    attempt: Attempt, script: Script, source: Mapping[str, Any], metrics: Mapping[str, float], files: Sequence[str]
) -> str:
    """Write the page; its name comes back."""
    return summary.write(
        attempt,
        "script.html",
        attempt.say("title_script"),
        _origin(attempt, script, source),
        headline=attempt.say("headline_script", entry=script.entry),
        measures=[Fact(name, plain(value)) for name, value in metrics.items()],
        files=[(quote(os.fsencode(file)), shown(file, LONGEST_PATH)) for file in files],
    )


def _origin(attempt: Attempt, script: Script, source: Mapping[str, Any]) -> list[Fact]:
    facts = [Fact(attempt.say("origin_script"), script.entry, f"sha256 {source['sha256']}")]
    if script.repository:
        commit = attempt.say("origin_commit", commit=script.commit)
        facts.append(Fact(attempt.say("origin_repository"), script.repository, commit))
    versions = ", ".join([summary.listed(summary.versions("denpyo")), *script.packages])
    return [*facts, Fact(attempt.say("origin_versions"), versions)]
