"""The journey of one response: read → judged → kept → allowed → queued. Steps 1 to 5 of the house's plan, on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from generators import Read
from schema.answers import Answers, Located, Where
from schema.check import Judged, judge
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import RESOURCES
from submit import datasets, doors, hand_off
from submit.desk import Desk
from submit.engines import engines
from submit.keeping import KNOWN, Keeper, Kept, Response, Source, Wishes
from submit.ledger import LedgerMissing

QUEUE = f"{RESOURCES}.queue"
Seen = Callable[[], None]
"""Called for each response that was judged."""


def nobody() -> None:
    """Nobody wants to hear of it."""


@dataclass
class Outcome:
    """What became of a submission: its requests in the order they were handed in, and every Problem with its language."""

    requests: list[Kept] = field(default_factory=list)
    problems: list[tuple[Problem, str]] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0


def check(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody) -> Outcome:
    """Judge only: nothing is kept, and no desk is needed."""
    outcome = Outcome()
    for response in _judged(desk, sources, wishes, seen):
        _count(outcome, response)
    return outcome


def convert(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody) -> Outcome:
    """Keep the slips of good responses, queue nothing. Submitting such a slip later goes on with the same request."""
    return keep(desk, sources, wishes, seen, queue=False)


def submit(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody) -> Outcome:
    """Keep, allow and queue what is good; refuse the rest. What a crash left between is finished first, and again afterwards."""
    outcome = keep(desk, sources, wishes, seen, queue=True)
    hand_off.deliver(desk)
    return outcome


def keep(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody, *, queue: bool) -> Outcome:
    """Keep what is good and record what is refused, in one transaction; nothing is handed over yet."""
    with desk.ledger() as ledger:  # before anything is judged, so that a missing desk is said at once
        responses = list(_judged(desk, sources, wishes, seen))
        outcome, ordinals = Outcome(), Counter[str]()
        ledger.ensure(KNOWN)
        with ledger.writing() as tx:
            keeper = Keeper(desk, ledger, tx, wishes, ordinals)
            for response in responses:
                if _count(outcome, response):
                    kept = keeper.accept(response, queue=queue)
                    outcome.problems += [(one, response.language) for one in kept.problems]
                    if kept.id:
                        outcome.requests.append(kept)
                else:
                    keeper.refuse(response)
    return outcome


def _count(outcome: Outcome, response: Response) -> bool:
    outcome.problems += [(one, response.language) for one in response.problems]
    good = response.checked is not None
    outcome.accepted += good
    outcome.refused += not good
    return good


def _judged(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen) -> Iterator[Response]:
    """Every response of every source. A file that cannot be read at all is one refused response without answers."""
    for source in sources:
        door, reads, broken = doors.read(source.data, source.name, desk.kinds)
        if broken:
            yield Response(source, door, None, None, tuple(broken), desk.config.language)
        for one in reads:
            yield _judged_read(desk, source, door, one, wishes)
            seen()


def _judged_read(desk: Desk, source: Source, door: str, one: Read, wishes: Wishes) -> Response:
    answers = _wished(one.answers, wishes, desk.config.language)
    judged = judge(answers, desk.kinds)
    kind = desk.kinds.get(answers.kind)
    found = [
        *_only_first(one.problems, judged.problems),
        *(_looked_up(desk, kind, answers, judged, wishes) if kind else ()),
    ]
    return Response(source, door, answers, None if found else judged.checked, tuple(found), answers.language)


def _wished(answers: Answers, wishes: Wishes, language: str) -> Answers:
    """The answers with what the command line says instead: judged as if it had been written into the form."""
    given = dict(answers.given)
    if wishes.queue and not answers.response:
        given[QUEUE] = Located(wishes.queue, Where("--queue"))
    return replace(
        answers,
        given=given,
        language=answers.language or language,
        sender=Located(wishes.sender, Where("--as")) if wishes.sender else answers.sender,
        again=Located(wishes.again, Where("--again")) if wishes.again else answers.again,
    )


def _only_first(of_door: Sequence[Problem], of_check: Sequence[Problem]) -> Iterator[Problem]:
    """A place that the door has found wrong gets no second Problem from the check, which saw nothing there."""
    yield from of_door
    seen = {problem.where for problem in of_door}
    yield from (problem for problem in of_check if problem.where not in seen)


def _looked_up(desk: Desk, kind: Kind, answers: Answers, judged: Judged, wishes: Wishes) -> Iterator[Problem]:
    yield from datasets.problems(desk, kind, answers, judged.values)
    prefix = f"{RESOURCES}."
    asked = {name.removeprefix(prefix): value for name, value in judged.values.items() if name.startswith(prefix)}
    wanted = kind.job.resources.model_copy(update=asked | ({"queue": wishes.queue} if wishes.queue else {}))
    yield from engines()[wishes.engine or desk.config.engine].problems(desk, kind, answers, wanted)


__all__ = ["Kept", "LedgerMissing", "Outcome", "Source", "Wishes", "check", "convert", "submit"]
