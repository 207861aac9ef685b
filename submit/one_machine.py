"""Submit, work and follow on this machine: what ``run``, ``work`` and ``status --watch`` do over the journey and the local engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from schema.answers import Where
from schema.problem import Problem
from submit import approval, hand_off, standing
from submit import work as worker
from submit.desk import Desk, DeskError
from submit.engines import EngineDownError, engines
from submit.journey import submit
from submit.judging import Outcome, check
from submit.response import Kept, Source, Wishes
from submit.standing import Standing
from submit.work import Told

BEAT = 0.5


class Round:
    """Follow the open runs, end what has expired and hand over what waits, without stopping for an engine that does not answer, or
    lacks what it needs: it may not be this machine's. ``down`` hears of it, once for as long as it is so."""

    def __init__(self, desk: Desk, down: Callable[[str], None]) -> None:
        self._desk, self._down = desk, down
        self._silent: dict[str, str] = {}

    def follow(self) -> None:
        self._tried("expire", approval.expire)
        self._tried("follow", hand_off.follow)

    def deliver(self) -> bool:
        """Whether anything was handed over."""
        return bool(self._tried("deliver", hand_off.deliver))

    def _tried(self, name: str, step: Callable[[Desk], object]) -> object:
        was, found, self._silent[name] = self._silent.get(name, ""), None, ""
        try:
            found = step(self._desk)
        except (EngineDownError, DeskError) as error:
            self._silent[name] = " ".join(str(error).split())
        if self._silent[name] not in ("", was):
            self._down(self._silent[name])
        return found


def run(
    desk: Desk, source: Source, wishes: Wishes, told: Told, down: Callable[[str], None]
) -> tuple[Outcome, Standing | None]:
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
    return outcome, _to_its_end(desk, standing.standing(desk, outcome.requests[0].id), told, Round(desk, down))


def _to_its_end(desk: Desk, found: Standing, told: Told, going: Round) -> Standing:
    while found.run and not found.over:
        going.deliver()  # it may wait for an earlier version of itself
        worker.work(desk, drain=True, told=_noted(going, told), only=found.run.run)
        going.follow()
        found = standing.standing(desk, found.request.id)
        if not found.over:
            time.sleep(BEAT)  # it waits elsewhere
    return found


def _noted(going: Round, told: Told) -> Told:
    """Every change is noted in the ledger as it happens."""

    def noted(run: str, state: str) -> None:
        going.follow()
        told(run, state)

    return noted


def work(desk: Desk, *, drain: bool, told: Told, down: Callable[[str], None]) -> int:
    """Work through the queue. What a crash left over is handed over first, and whenever there is nothing else to do."""
    going = Round(desk, down)

    def catch_up() -> bool:
        going.follow()
        return going.deliver()

    catch_up()
    ended = worker.work(desk, drain=drain, told=_noted(going, told), idle=catch_up)
    going.follow()
    return ended


def watched(desk: Desk, request: str, down: Callable[[str], None], *, watch: bool) -> Iterator[list[Standing]]:
    """Where requests stand now and, when watching, again at each change, until all have ended. ``down`` hears of an engine that does
    not answer, once for as long as it does not: what is known is told all the same."""
    before: list[tuple[str, str]] = []
    going = Round(desk, down)
    while True:
        going.follow()
        found = [standing.standing(desk, request)] if request else standing.all_standing(desk)
        states = [(one.request.id, one.request.state) for one in found]
        if states != before or not before:
            before = states
            yield found
        if not watch or all(one.over for one in found):
            return
        time.sleep(max((engines()[one.run.engine].BEAT for one in found if one.run and not one.over), default=BEAT))
