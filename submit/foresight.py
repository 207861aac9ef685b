"""What a desk would make of responses that are only judged: known already, the next version of which request, or with an id that it
never gave. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from submit import lineage
from submit.desk import Desk
from submit.ledger import LedgerMissing
from submit.planning import Planning
from submit.prepared import Handed, Preparing
from submit.response import Kept, Response, Source, Wishes

ANY = "SELECT 1 FROM requests LIMIT 1"


@dataclass
class Foresight:
    """Responses in the order they are heard of. Without a ledger nothing is known of any; in an empty one only ids can be wrong."""

    planning: Planning | None = None
    empty: bool = True
    heard: int = 0
    handed: dict[int, Handed] = field(default_factory=dict)

    def hear(self, response: Response) -> None:
        carries = response.answers is not None and bool(response.answers.response)
        if self.planning and (carries or not self.empty):
            self.handed[self.heard] = self.planning.preparing.ready(response)
        self.heard += 1

    def kept(self) -> dict[int, Kept]:
        """What would become of those of which the desk has something to say, by their number. The policy is not asked."""
        if self.planning is None:
            return {}
        plans = self.planning.plans([*self.handed.values()], queue=False, whole=False)
        found = zip(self.handed, plans, strict=True)
        return {number: replace(plan.kept(), id=plan.id if plan.known else "") for number, plan in found}


@contextmanager
def foresight(desk: Desk, sources: Sequence[Source], wishes: Wishes) -> Iterator[Foresight]:
    try:
        there = desk.ledger()
    except LedgerMissing:
        yield Foresight()
        return
    with there as ledger:
        lineage.ensure(ledger)
        preparing = Preparing(desk, ledger.salt, wishes, dict(enumerate(sources)))
        planning = Planning(desk, ledger, preparing, lineage.Lineage(ledger))
        yield Foresight(planning, empty=not ledger.query(ANY))
