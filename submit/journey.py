"""The journey of one response: read → judged → kept → allowed → queued. Steps 1 to 5 of the house's plan, on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from generators.excel import RESPONSE
from schema.problem import Problem
from schema.words import Fact
from submit import approval, asked, budget, hand_off, holding, known, lineage
from submit.desk import Desk, DeskError
from submit.engines import EngineDownError
from submit.judging import Changed, Outcome, Seen, judged, nobody
from submit.keeping import Keeper
from submit.ledger import Ledger, LedgerBusy
from submit.prepared import Handed, Preparing
from submit.response import Kept, Response, Source, Wishes


def convert(
    desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody, *, whole: bool = False
) -> Outcome:
    """Keep the slips of good responses, queue nothing. Submitting such a slip later goes on with the same request."""
    return keep(desk, sources, wishes, seen, queue=False, whole=whole)


def submit(
    desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody, *, whole: bool = False
) -> Outcome:
    """Keep, allow and queue what is good; refuse the rest. What a crash left between is finished first, and again afterwards.

    With ``whole`` nothing is kept as accepted if anything is refused.
    """
    return hand_over(desk, keep(desk, sources, wishes, seen, queue=True, whole=whole))


def hand_over(desk: Desk, outcome: Outcome) -> Outcome:
    """Hand over what was kept, and say what waits: for an engine that does not answer, for an agent, for an earlier version of
    itself."""
    try:
        handed = hand_off.deliver(desk, outcome.wanted)
        outcome.unattended = sorted(
            {one.unattended for run, one in handed.items() if one.unattended and run in outcome.wanted}
        )
    except (EngineDownError, DeskError, LedgerBusy) as error:  # whatever is in the way, it was accepted
        with desk.ledger() as ledger:
            waits = ledger.runs_still("accepted", [f"{one.id}.1" for one in outcome.requests])
        if waits:  # else it is a run of somebody else's that waits
            outcome.undelivered = " ".join(str(error).split())
    with desk.ledger() as ledger:
        held = {row.request for row in ledger.runs(states=("held",))}
        for number, one in enumerate(outcome.responses if held else ()):
            if one.id in held and one.good:
                warning = _waits(ledger, one)
                outcome.warnings.append((warning, one.language))
                outcome.responses[number] = replace(one, warnings=(*one.warnings, warning))
    return outcome


def _waits(ledger: Ledger, one: Kept) -> Problem:
    running = [run.request for run in lineage.open_before(ledger, one.id)]
    facts: dict[str, Fact] = {"id": one.id, "running": running[-1] if running else one.id}
    return Problem("waits_for_run", one.receipt or one.where, RESPONSE, facts)


def keep(
    desk: Desk,
    sources: Sequence[Source],
    wishes: Wishes,
    seen: Seen = nobody,
    *,
    queue: bool,
    whole: bool = False,
) -> Outcome:
    """Keep what is good and record what is refused, in one transaction; nothing is handed over yet."""
    return keep_judged(desk, sources, judged(desk, sources, wishes, seen), wishes, queue=queue, whole=whole)


def keep_judged(
    desk: Desk,
    sources: Sequence[Source],
    responses: Iterable[Response],
    wishes: Wishes,
    *,
    queue: bool,
    whole: bool = False,
) -> Outcome:
    """``keep``, of responses as they are judged. What nobody has approved in time has expired before it is handed in again."""
    approval.expire(desk)
    with desk.ledger() as ledger:  # before anything is judged, so that a missing desk is said at once
        preparing = Preparing(desk, ledger.salt, wishes, dict(enumerate(sources)))
        handed = [preparing.ready(response) for response in responses]
        known.ensure(ledger)
        lineage.ensure(ledger)
        asked.ensure(ledger)
        budget.ensure(ledger)
        holding.ensure(ledger)
        with ledger.writing() as tx:
            keeper = Keeper(desk, ledger, tx, preparing, lineage.Lineage(ledger))
            return _outcome(handed, keeper.keep(handed, queue=queue, whole=whole))


def _outcome(handed: Sequence[Handed], kept: Sequence[Kept]) -> Outcome:
    outcome = Outcome()
    for before, after in zip(handed, kept, strict=True):
        good = before.good
        outcome.count(after, (*before.problems, *after.problems), after.warnings)
        if good is None or not after.good:
            continue
        if after.id:
            outcome.requests.append(after)
        elif not after.problems and not after.known:
            outcome.left_out += 1
            continue
        if not after.known:
            outcome.wanted[f"{after.id}.1"] = good.resources
            outcome.changes += [Changed(after.where, before.kind, each, before.language) for each in good.changes]
    return outcome
