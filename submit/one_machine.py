"""Submit, work and follow on this machine: what ``run``, ``work`` and ``status --watch`` do over the journey and the local engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from schema.answers import Where
from schema.problem import Problem
from submit import hand_off, standing
from submit import work as worker
from submit.desk import Desk
from submit.engines import EngineDownError, engines
from submit.journey import submit
from submit.judging import Outcome, check
from submit.response import Kept, Source, Wishes
from submit.standing import Standing
from submit.work import Told

BEAT = 0.5


def run(desk: Desk, source: Source, wishes: Wishes, told: Told) -> tuple[Outcome, Standing | None]:
    """One request from its file to its end. None where it was refused, or where the file holds more or fewer than one."""
    judged = check(desk, [source], wishes)
    count = judged.accepted + judged.refused
    if count > 1:
        outcome, language = Outcome(), desk.config.language
        problem = Problem("several_requests", Where(source.name), "", {"count": str(count)})
        outcome.count(Kept("", problem.where, False, good=False, language=language), [problem], [])
        return outcome, None
    outcome = submit(desk, [source], wishes)
    if outcome.problems or not outcome.requests:
        return outcome, None
    return outcome, _to_its_end(desk, standing.standing(desk, outcome.requests[0].id), told)


def _to_its_end(desk: Desk, found: Standing, told: Told) -> Standing:
    while found.run and not found.over:
        hand_off.deliver(desk)  # it may wait for an earlier version of itself
        worker.work(desk, drain=True, told=_noted(desk, told), only=found.run.run)
        hand_off.follow(desk)
        found = standing.standing(desk, found.request.id)
        if not found.over:
            time.sleep(BEAT)  # it waits elsewhere
    return found


def _noted(desk: Desk, told: Told) -> Told:
    """Every change is noted in the ledger as it happens."""

    def noted(run: str, state: str) -> None:
        hand_off.follow(desk)
        told(run, state)

    return noted


def work(desk: Desk, *, drain: bool, told: Told) -> int:
    """Work through the queue. What a crash left over is handed over first, and whenever there is nothing else to do."""

    def catch_up() -> bool:
        hand_off.follow(desk)
        return bool(hand_off.deliver(desk))

    catch_up()
    ended = worker.work(desk, drain=drain, told=_noted(desk, told), idle=catch_up)
    hand_off.follow(desk)
    return ended


def watched(desk: Desk, request: str, down: Callable[[str], None], *, watch: bool) -> Iterator[list[Standing]]:
    """Where requests stand now and, when watching, again at each change, until all have ended. ``down`` hears of an engine that does
    not answer, once for as long as it does not: what is known is told all the same."""
    before: list[tuple[str, str]] = []
    silent = ""
    while True:
        was, silent = silent, _followed(desk)
        if silent not in ("", was):
            down(silent)
        found = [standing.standing(desk, request)] if request else standing.all_standing(desk)
        states = [(one.request.id, one.request.state) for one in found]
        if states != before or not before:
            before = states
            yield found
        if not watch or all(one.over for one in found):
            return
        time.sleep(max((engines()[one.run.engine].BEAT for one in found if one.run and not one.over), default=BEAT))


def _followed(desk: Desk) -> str:
    """Follow the open runs; which engine did not answer, in a line."""
    try:
        hand_off.follow(desk)
    except EngineDownError as error:
        return " ".join(str(error).split())
    return ""
