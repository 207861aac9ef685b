"""Requests of several people on one desk, as an inbox would bring them: who asks is vouched for, and how much is asked for is free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from schema.answers import Where
from schema.check import judge
from submit import doors, journey, standing
from submit.desk import LEDGER, POLICY, Desk
from submit.judging import Outcome
from submit.ledger import Entry, verify
from submit.response import Response, Source, Wishes
from tests.desks import counting, desk_in

AYA, KEN, MIO = "mail:aya@example.com", "github:77", "user:mio"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request: a name, for whom the policy is asked, what it may take; and the name of its response where it has one."""

    name: str
    who: str = AYA
    gpus: int = 0
    hours: float = 1
    named: str = ""
    language: str = "en"
    queue: str = "default"


def desk_with(folder: Path, rules: str) -> Desk:
    """A desk that knows ``count_starts`` and has this policy."""
    desk = desk_in(folder / "desk")
    set_rules(desk, rules)
    return desk


def set_rules(desk: Desk, rules: str) -> None:
    (desk.folder / POLICY).write_text(rules, encoding="utf-8")


def ask(desk: Desk, *wanted: Wanted) -> Outcome:
    """What becomes of requests that come together. Whether this machine has the GPUs is not asked."""
    sources = [Source(f"{one.name}.yaml", b"", "google", subject=one.who) for one in wanted]
    found = _judged(desk, wanted)
    return journey.hand_over(desk, journey.keep_judged(desk, sources, found, Wishes(), queue=True))


def ask_one(desk: Desk, wanted: Wanted) -> str:
    """The id of one request."""
    return ask(desk, wanted).responses[0].id


def _judged(desk: Desk, wanted: Sequence[Wanted]) -> Iterator[Response]:
    for number, one in enumerate(wanted):
        more = f"resources:\n  gpus: {one.gpus}\n  max_hours: {one.hours}\n  queue: {one.queue}\n"
        file = counting(desk.folder.parent, one.name, more=more)
        (read,) = doors.read(file.read_bytes(), file.name, desk.kinds)[1]
        answers = replace(read.answers, language=one.language, where=Where(file.name), named=one.named)
        judged = judge(answers, desk.kinds)
        yield Response(number, "google", answers, judged.checked, judged.problems, one.language)


def state(desk: Desk, request: str) -> str:
    assert verify(desk.folder / LEDGER).ok
    return standing.standing(desk, request).request.state


def entries(desk: Desk, *actions: str) -> list[Entry]:
    with desk.ledger() as ledger:
        return [one for one in ledger.entries() if one.action in actions]


def reserved(desk: Desk) -> list[tuple[float, int]]:
    """GPU hours and whether they are open, of every request that ever reserved some."""
    with desk.ledger() as ledger:
        return [*ledger.query("SELECT gpu_hours, open FROM budget ORDER BY rowid")]
