"""kill -9 of submit and of the worker at random moments, on a real desk with real processes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.desks import command, environment


@dataclass
class Tally:
    """How often each command was killed while it ran, and how often it ended first."""

    submit: int = 0
    work: int = 0
    ended_first: int = 0

    @property
    def kills(self) -> int:
        return self.submit + self.work


def killed_after(words: Sequence[str | Path], desk: Path, seconds: float) -> bool:
    """Start a command, kill it after so many seconds. Whether it was still running then; it must not have failed before."""
    process = subprocess.Popen(
        command(*words), env=environment(desk), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    if process.returncode not in (0, 3):  # 3: an engine was down
        raise RuntimeError(f"{words} ended with {process.returncode}: {said.decode()}")
    return False


def kill_rounds(
    desk: Path,
    files: Sequence[Path],
    kills: int,
    seed: int,
    longest: Mapping[str, float],
    edits: Callable[[], Sequence[Path]] = tuple,
) -> Tally:
    """Submit and work by turns of chance, each killed after 0.1 s to its ``longest``, until so many were killed while they ran, and
    a quarter as many of each.

    ``edits`` are asked for again in every round: corrected sheets need the receipts of what was accepted by then.
    """
    chance, tally = random.Random(seed), Tally()  # noqa: S311
    while (tally.kills < kills or 4 * min(tally.submit, tally.work) < kills) and tally.ended_first < 10 * kills:
        submitting = chance.random() < 0.5
        there = edits() if submitting else ()
        edited = chance.sample(there, min(1, len(there)))
        files_and_edit = [*chance.sample(files, 3 - len(edited)), *edited]
        words: list[str | Path] = ["submit", *files_and_edit] if submitting else ["work", "--drain"]
        if not killed_after(words, desk, chance.uniform(0.1, longest[str(words[0])])):
            tally.ended_first += 1
        elif submitting:
            tally.submit += 1
        else:
            tally.work += 1
    return tally
