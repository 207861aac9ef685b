"""What a desk would make of responses that are only judged: known already, the next version of which request, or with an id that it
never gave. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from submit.desk import Desk
from submit.judging import Nowhere
from submit.ledger import Ledger, LedgerBusy, LedgerDamaged, LedgerError, LedgerMissing
from submit.lineage import Lineage
from submit.planning import Plan, Planning
from submit.prepared import Handed, Preparing
from submit.response import Kept, Response, Source, Wishes

ANY = "SELECT 1 FROM requests LIMIT 1"


class Unasked(Planning):
    """What `submit` would plan, as far as the policy is not asked."""

    def _decide(self, plan: Plan) -> None:
        pass


@dataclass
class Foresight(Nowhere):
    """Responses in the order they are heard of. In an empty ledger only ids can be wrong."""

    planning: Planning
    empty: bool
    heard: int = 0
    handed: dict[int, Handed] = field(default_factory=dict)

    def hear(self, response: Response) -> None:
        carries = response.answers is not None and bool(response.answers.response or response.answers.named)
        if carries or not self.empty:
            self.handed[self.heard] = self.planning.preparing.ready(response)
        self.heard += 1

    def kept(self) -> dict[int, Kept]:
        """What would become of those of which the desk has something to say, by their number."""
        plans = self.planning.plans([*self.handed.values()], queue=True, whole=False)
        found = zip(self.handed, plans, strict=True)
        return {number: replace(plan.kept(), id=plan.id if plan.known else "") for number, plan in found}


@contextmanager
def foresight(desk: Desk, sources: Sequence[Source], wishes: Wishes) -> Iterator[Nowhere]:
    """Where the ledger is missing or may not be read, nothing is known; a damaged or busy one is an error."""
    there = _ledger(desk)
    if isinstance(there, Nowhere):
        yield there
        return
    with there as ledger:
        preparing = Preparing(desk, ledger.salt, wishes, dict(enumerate(sources)))
        planning = Unasked(desk, ledger, preparing, Lineage(ledger))
        yield Foresight(planning=planning, empty=not ledger.query(ANY))


def _ledger(desk: Desk) -> Ledger | Nowhere:
    try:
        return desk.ledger()
    except (LedgerBusy, LedgerDamaged):
        raise
    except LedgerMissing:
        return Nowhere()
    except LedgerError as error:
        return Nowhere(why=str(error))
