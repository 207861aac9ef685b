"""Submit, work and follow on this machine: what ``run``, ``work`` and ``status --watch`` do over the journey and the local engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from submit import hand_off, standing
from submit import work as worker
from submit.desk import Desk
from submit.journey import Outcome, submit
from submit.keeping import Source, Wishes
from submit.standing import Standing

BEAT = 0.5
Told = Callable[[str, str], None]


def run(desk: Desk, source: Source, wishes: Wishes, told: Told) -> tuple[Outcome, Standing | None]:
    """One request from its file to its end. None where it was refused, or where the file holds more or fewer than one."""
    outcome = submit(desk, [source], wishes)
    if outcome.problems or len(outcome.requests) != 1:
        return outcome, None
    found = standing.standing(desk, outcome.requests[0].id)
    while found.run and not found.over:
        worker.work(desk, drain=True, told=told, only=found.run.run)
        hand_off.follow(desk)
        found = standing.standing(desk, found.request.id)
    return outcome, found


def work(desk: Desk, *, drain: bool, told: Told) -> int:
    """Work through the queue. Every change is noted in the ledger as it happens; what a crash left over, first."""

    def noted(run: str, state: str) -> None:
        hand_off.follow(desk)
        told(run, state)

    hand_off.deliver(desk)
    hand_off.follow(desk)
    ended = worker.work(desk, drain=drain, told=noted)
    hand_off.follow(desk)
    return ended


def watched(desk: Desk, request: str, *, watch: bool) -> Iterator[list[Standing]]:
    """Where requests stand now and, when watching, again at each change, until all have ended."""
    before: list[tuple[str, str]] = []
    while True:
        hand_off.follow(desk)
        found = [standing.standing(desk, request)] if request else standing.all_standing(desk)
        states = [(one.request.id, one.request.state) for one in found]
        if states != before or not before:
            before = states
            yield found
        if not watch or all(one.over for one in found):
            return
        time.sleep(BEAT)
