"""Whether the policy lets a planned request run: allowed, held until somebody approves it, or denied, with every limit it exceeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from schema.problem import Problem
from schema.words import Fact
from submit import budget, holding, policy
from submit.desk import Desk, now
from submit.holding import Awaits, Holding
from submit.ledger import Ledger, RequestRow
from submit.lineage import Lineage
from submit.policy import Ask, Decision
from submit.policy_file import Rule
from submit.prepared import Handed, Preparing

if TYPE_CHECKING:
    from submit.planning import Plan

BEFORE_IT_RUNS = ("held", "accepted", "queued")
"""States of a request that ends, and gives back what it has reserved, when its next version is let go."""


@dataclass
class Allowing:
    """The policy as it is while one submission is planned, and what the submission takes of people's budgets as it goes on."""

    desk: Desk
    ledger: Ledger
    preparing: Preparing
    lineage: Lineage
    decisions: dict[Ask, Decision] = field(default_factory=dict)

    @cached_property
    def policy(self) -> policy.Read:
        return policy.read_of(self.desk)

    @cached_property
    def budget(self) -> budget.Budget:
        return budget.Budget(self.ledger, now())

    def put(self, plan: Plan) -> None:
        """Allowed: its first run is noted, to be handed over. Over a threshold: held. Denied: it is refused."""
        asked = self._ask(plan.handed, self.preparing.queue(plan.good))
        if asked not in self.decisions:
            self.decisions[asked] = policy.decide(self.policy, asked.subject, asked.kind, asked.queue, asked.doors)
        plan.decision = decision = self.decisions[asked]
        rule = self.policy.policy.rule(decision.rule or 0) if self.policy.policy else None
        if decision.allowed and rule and self.policy.policy:
            self._within(plan, rule, asked, self.policy.policy.person(asked.subject))
        else:
            plan.problems = (self._denied(asked, decision, plan.handed),)

    def _denied(self, asked: Ask, decision: Decision, handed: Handed) -> Problem:
        """Why the policy cannot be read is for its operators: it stands in the entry, not in what the person hears."""
        if decision.reason:
            return Problem("no_policy", handed.where)
        title = self.desk.kinds[asked.kind].form.title
        facts: dict[str, Fact] = {"who": policy.called(asked.subject), "kind": title, "queue": asked.queue}
        return Problem("not_allowed", handed.where, "", facts)

    def _ask(self, handed: Handed, queue: str) -> Ask:
        source = self.preparing.sources[handed.source]
        settings = self.desk.config.sources.get(source.inbox)
        return Ask(handed.subject, handed.kind, queue, (handed.door, settings.kind if settings else policy.COMMAND))

    def _within(self, plan: Plan, rule: Rule, asked: Ask, person: str) -> None:
        """Look at the limits of the rule that covers it, and reserve what it may take."""
        decision, account = self.decisions[asked], self.budget.account(person)
        wanted, ends = plan.good.resources, tuple(self._ends(plan.id))
        plan.problems = tuple(budget.over(rule.limits, account, wanted, plan.handed.place, ends))
        if plan.problems:
            plan.decision = replace(decision, allowed=False, over=tuple(one.code for one in plan.problems))
            return
        plan.reserved = account.take(plan.id, policy.gpu_hours(wanted), ends)
        plan.awaits = holding.awaited(decision.rule or 0, decision.sha256, rule.approve, wanted)
        if plan.awaits:
            plan.holding = self._held(plan, asked, plan.awaits)
            plan.warnings += (waits_for_approval(plan.handed, plan.awaits.by, plan.holding, plan.awaits.why()),)
        else:
            plan.run = "held" if self.lineage.waits(plan.id) else "accepted"

    def _ends(self, request: str) -> Iterator[str]:
        """The versions before a request that have not begun."""
        for one in self.lineage.before(request):
            row = self.lineage.row(one)
            if row is not None and row.state in BEFORE_IT_RUNS:
                yield one

    def _held(self, plan: Plan, asked: Ask, awaits: Awaits) -> Holding:
        engine = self.preparing.wishes.engine or self.desk.config.engine
        expires = holding.held_until(self.budget.at, awaits.days)
        row = self.lineage.row(plan.id)  # one that has expired may be held before
        before = holding.among(self.ledger, (plan.id,)).get(plan.id) if row else None
        since = self.budget.at.replace(microsecond=0).isoformat()
        nth = before.nth + 1 if before else 1
        return Holding(plan.id, nth, awaits.rule, engine, asked.queue, asked.doors, since, expires)

    @cached_property
    def _waiting(self) -> dict[str, Holding]:
        return {one.request: one for one in holding.waiting(self.ledger)}

    def still(self, handed: Handed, row: RequestRow) -> tuple[Problem, ...]:
        """What is said of a request without a run that comes again unchanged: it still waits for an approval, or was rejected."""
        if row.state == "held" and row.id in self._waiting:
            held = self._waiting[row.id]
            rule = self.policy.policy.rule(held.rule) if self.policy.policy else None
            return (waits_for_approval(handed, rule.approve.by if rule and rule.approve else (), held),)
        return (Problem("was_rejected", handed.where, "", {"id": row.id}),) if row.state == "rejected" else ()


def waits_for_approval(handed: Handed, by: tuple[str, ...], held: Holding, why: Fact = "") -> Problem:
    facts: dict[str, Fact] = {
        "over": why,
        "by": holding.names(by),
        "expires": holding.shown_time(held.expires),
        "id": held.request,
    }
    return Problem("held_for_approval" if why else "still_held", handed.where, "", facts)
