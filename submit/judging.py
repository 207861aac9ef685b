"""Every response of what was handed in, read and judged: steps 1 and 2 of the journey. Nothing is kept; a ledger is looked into at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from generators import Read
from generators.excel import RESPONSE
from generators.excel.place import by_place
from schema.answers import Answers, Located, Where
from schema.check import Change, Judged, judge
from schema.job import Resources
from schema.kinds import Kind
from schema.problem import Problem
from schema.question import RESOURCES
from submit import datasets, doors
from submit.desk import LEDGER, Desk
from submit.engines import engines
from submit.response import QUEUE, UNVERIFIED, Kept, Response, Source, Wishes, outdated

if TYPE_CHECKING:
    from submit.orders import Done

EXCEL = "excel"
NO_REQUEST = "no_request"
"""The Problem of a row that holds a sum or the like: what its empty cells lack need not be said."""
Seen = Callable[[], None]
"""Called for each response that was judged."""


def nobody() -> None:
    """Nobody wants to hear of it."""


@dataclass
class Outcome:
    """What became of a submission: its requests in the order they were handed in, every Problem and every warning with its language,
    and what was filled in or brought up to date, with the place and kind of its response. ``responses`` are all of them, refused ones
    too; ``left_out`` counts the good ones that were not kept because others were refused; ``wanted`` is what new runs may take;
    ``unseen`` says why the ledger could not be looked into, where they were judged alone; ``undelivered`` why what was accepted could
    not be handed over yet; ``unattended`` are the queues of it that nobody takes runs from now; ``orders`` what became of the orders
    that came along."""

    requests: list[Kept] = field(default_factory=list)
    problems: list[tuple[Problem, str]] = field(default_factory=list)
    warnings: list[tuple[Problem, str]] = field(default_factory=list)
    changes: list[Changed] = field(default_factory=list)
    responses: list[Kept] = field(default_factory=list)
    wanted: dict[str, Resources] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    left_out: int = 0
    unseen: str = ""
    undelivered: str = ""
    unattended: list[str] = field(default_factory=list)
    orders: list[Done] = field(default_factory=list)

    def count(self, one: Kept, problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
        """Note one response. ``problems`` and ``warnings`` are all of it, those of the ledger last."""
        self.problems += [(problem, one.language) for problem in problems]
        self.warnings += [(warning, one.language) for warning in warnings]
        self.accepted += one.good
        self.refused += not one.good
        if problems or warnings:
            one = replace(one, problems=tuple(problems), warnings=tuple(warnings))
        self.responses.append(one)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was made for the person: where their response stands, its kind, the change, and the language they read."""

    where: Where
    kind: str
    change: Change
    language: str


def check(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen = nobody) -> Outcome:
    """Judge only: nothing is kept, and no desk is needed. Where there is one, it is asked what it has of these responses."""
    found: list[tuple[Kept, tuple[Problem, ...]]] = []
    with _there(desk, sources, wishes) as there:
        for response in judged(desk, sources, wishes, seen):
            there.hear(response)
            found.append((_only_judged(desk, sources[response.source], response), response.problems))
        known = there.kept()
    outcome = Outcome(unseen=there.why)
    for number, (alone, problems) in enumerate(found):
        one = known.get(number, alone)
        outcome.count(one, (*problems, *one.problems), one.warnings)
        outcome.changes += [Changed(one.where, one.kind, each, one.language) for each in one.changes]
    return outcome


@dataclass
class Nowhere:
    """Where no ledger is, nothing is known of any response. ``why`` says why one that is there could not be looked into."""

    why: str = field(default="", kw_only=True)

    def hear(self, response: Response) -> None:
        pass

    def kept(self) -> Mapping[int, Kept]:
        return {}


def _there(desk: Desk, sources: Sequence[Source], wishes: Wishes) -> AbstractContextManager[Nowhere]:
    if not (desk.folder / LEDGER).exists():
        return nullcontext(Nowhere())
    from submit.foresight import foresight  # who only judges does not wait for the ledger's import

    return foresight(desk, sources, wishes)


def _only_judged(desk: Desk, source: Source, one: Response) -> Kept:
    answers, good = one.answers, one.checked is not None
    where = answers.where if answers else Where(source.name)
    receipt = answers.places.get(RESPONSE) if answers else None
    kind = answers.kind if answers else ""
    changes = one.checked.changes if one.checked else ()
    old = outdated(answers, desk)
    return Kept("", where, False, (), good, one.source, receipt, one.language, kind, one.warnings, changes, old)


def judged(desk: Desk, sources: Sequence[Source], wishes: Wishes, seen: Seen) -> Iterator[Response]:
    """Every response of every source. A file that cannot be read at all is one refused response without answers."""
    there = datasets.Lookup(desk)
    for number, source in enumerate(sources):
        door, reads, broken = doors.read(
            source.data, source.name, desk.kinds, wishes.encoding or desk.config.encoding, source.door
        )
        if broken:
            yield Response(number, door, None, None, tuple(broken), desk.config.language)
        reads.reverse()
        while reads:  # each is let go as soon as it is judged
            yield _judged_read(desk, number, source, door, _of_carrier(reads.pop(), source), wishes, there)
            seen()


def _of_carrier(one: Read, source: Source) -> Read:
    """What the response of an online form is called there counts only where the service itself, or whoever runs the desk, hands it over:
    by a name that somebody mailed, anybody could replace what another person asked for."""
    mailed = (source.sender or source.subject == UNVERIFIED) and source.door not in doors.ONLINE
    return replace(one, answers=replace(one.answers, named="")) if mailed and one.answers.named else one


def _judged_read(
    desk: Desk, number: int, source: Source, door: str, one: Read, wishes: Wishes, there: datasets.Lookup
) -> Response:
    answers = _wished(one.answers, wishes, door, desk.config.language)
    if any(problem.code == NO_REQUEST for problem in one.problems):
        return Response(number, door, answers, None, one.problems, answers.language, one.warnings, one.answers)
    judged = judge(answers, desk.kinds)
    kind = desk.kinds.get(answers.kind)
    of_check = datasets.not_even_named(there, kind, judged.problems) if kind else judged.problems
    found = [
        *_nobody_asks(source, answers),
        *only_first(one.problems, of_check),
        *(_looked_up(desk, kind, answers, judged, wishes, there) if kind and not wishes.form_only else ()),
    ]
    if door == EXCEL and len(found) > 1:
        found = by_place(found, answers.places.values())
    if found or judged.checked is None or kind is None:
        return Response(number, door, answers, None, tuple(found), answers.language, one.warnings, one.answers)
    used, changed = ((), ()) if wishes.form_only else datasets.used(there, kind, answers, judged.values)
    warnings = (*one.warnings, *changed)
    return Response(number, door, answers, judged.checked, (), answers.language, warnings, one.answers, used)


def _nobody_asks(source: Source, answers: Answers) -> Iterator[Problem]:
    """What an inbox brought from elsewhere must say who asks: the user this process runs as does not."""
    if source.subject == UNVERIFIED or source.trust:
        written = source.sender or (answers.sender.value.strip() if answers.sender else "")
        if not written:
            yield Problem("no_sender", answers.where, "request.sender")


def _wished(answers: Answers, wishes: Wishes, door: str, language: str) -> Answers:
    """The answers with what the command line says instead: judged as if it had been written into the form."""
    if answers.language and not (wishes.queue or wishes.sender or wishes.again):
        return answers
    given = answers.given
    if wishes.queue and not (door == "yaml" and answers.response):
        given = {**given, QUEUE: Located(wishes.queue, Where("--queue"))}
    return replace(
        answers,
        given=given,
        language=answers.language or language,
        sender=Located(wishes.sender, Where("--as")) if wishes.sender else answers.sender,
        again=Located(wishes.again, Where("--again")) if wishes.again else answers.again,
    )


def only_first(of_door: Sequence[Problem], of_check: Iterable[Problem]) -> Iterator[Problem]:
    """What the door has found wrong gets no second Problem from the check, which saw nothing there: the place, and the answer that
    stands beside its cell."""
    yield from of_door
    seen = {problem.where for problem in of_door}
    beside = {("missing", problem.question) for problem in of_door if problem.code == "answer_beside"}
    found = (problem for problem in of_check if problem.where not in seen)
    yield from (problem for problem in found if (problem.code, problem.question) not in beside)


def _looked_up(
    desk: Desk,
    kind: Kind,
    answers: Answers,
    judged: Judged,
    wishes: Wishes,
    there: datasets.Lookup,
) -> Iterator[Problem]:
    yield from datasets.problems(there, kind, answers, judged.values)
    resources = judged.checked.resources if judged.checked else _asked_for(kind, judged)
    if wishes.queue:
        resources = resources.model_copy(update={"queue": wishes.queue})
    engine = wishes.engine or desk.config.engine
    wanted = (kind.name, engine, resources)
    if wanted not in there.granted:
        found = list(engines()[engine].problems(desk, kind, answers, resources))
        yield from found
        if not found:
            there.granted.add(wanted)


def _asked_for(kind: Kind, judged: Judged) -> Resources:
    """What a refused response asks for, as far as that is good."""
    prefix = f"{RESOURCES}."
    asked = {name.removeprefix(prefix): value for name, value in judged.values.items() if name.startswith(prefix)}
    return kind.job.resources.model_copy(update=asked)
