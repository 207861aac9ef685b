"""What a desk keeps of a submission: slips, entries, and where each request stands; all in one transaction.

First every response gets its place (``planning``): new, known, or the next version of one that was there. Then all is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from submit import budget, holding, known, lineage, policy
from submit.asked import Asked
from submit.asked import keep as keep_asked
from submit.desk import Desk, machine_user, now
from submit.identity import id_of
from submit.kept_slip import show_schema
from submit.ledger import Ledger, New, RequestRow, RunRow, Writing
from submit.lineage import Lineage
from submit.planning import Plan, Planning, parts
from submit.prepared import Handed, Preparing, told
from submit.response import UNVERIFIED, Kept

UNDECIDED = ("accepted", "refused")
"""States of a request without a run that has no end yet: it was converted, or denied."""


@dataclass
class Keeper:
    """One submission being kept."""

    desk: Desk
    ledger: Ledger
    tx: Writing
    preparing: Preparing
    lineage: Lineage

    def keep(self, handed: Sequence[Handed], *, queue: bool, whole: bool = False) -> list[Kept]:
        """Keep what is good and record what is refused. With ``queue`` a good one is put to the policy, unless it has been; with
        ``whole`` nothing is kept if anything is refused."""
        planning = Planning(self.desk, self.ledger, self.preparing, self.lineage)
        plans = planning.plans(handed, queue=queue, whole=whole)
        for some in parts(plans):
            self._write(some, "accepted" if queue else "converted")
        return [plan.kept() for plan in plans]

    @cached_property
    def _at(self) -> str:
        return now().isoformat(timespec="milliseconds")

    def _write(self, plans: Sequence[Plan], action: str) -> None:
        for plan in plans:
            plan.ends = tuple(self._replaced(plan)) if plan.follows or plan.run or plan.holding else ()
        slips = {plan.id: plan.good.slip_of(plan.id) for plan in plans if plan.new}
        paths = self._slips(slips, {plan.handed.kind for plan in plans if plan.new})
        self._note_changes(plans)
        entries = [entry for plan in plans for entry in self._entries(plan, action, slips)]
        self.tx.append_all(entries, at=self._at, user=machine_user())
        self.tx.put_requests([row for plan in plans for row in self._rows(plan, paths)])
        self.tx.put_runs([run for plan in plans for run in self._run(plan)])
        budget.keep(self.tx, [plan.reserved for plan in plans if plan.reserved])
        budget.release(self.tx, [row.id for plan in plans for row in plan.ends])
        holding.keep(self.tx, [plan.holding for plan in plans if plan.holding])
        self._note_askers(plans)
        linked = [one for plan in plans if plan.new or plan.follows for one in (plan.id, plan.follows) if one]
        lineage.keep(self.tx, [self.lineage.link(one) for one in linked])

    def _note_askers(self, plans: Sequence[Plan]) -> None:
        new = [plan for plan in plans if plan.id and not plan.known]
        keep_asked(
            self.tx,
            [self._asked(plan) for plan in new if plan.handed.good],
            [self._asked(plan) for plan in new if not plan.handed.good],
        )

    def _asked(self, plan: Plan) -> Asked:
        source = self.preparing.sources[plan.handed.source]
        return Asked(plan.id, plan.handed.subject or UNVERIFIED, source.inbox, source.thread)

    def _slips(self, slips: Mapping[str, bytes], kinds: Iterable[str]) -> dict[str, str]:
        if not slips:
            return {}
        paths = self.ledger.write_slips(slips, self.preparing.at.year, self.preparing.at.month)
        folder = (self.ledger.folder / next(iter(paths.values()))).parent
        for kind in kinds:
            show_schema(self.desk, self.desk.kinds[kind].form, folder)
        return paths

    def _note_changes(self, plans: Sequence[Plan]) -> None:
        """An entry when the policy or a schema is not the one that was last seen here."""
        seen = {f"schema {plan.handed.kind}": plan.good.schema for plan in plans if plan.new}
        if decision := next((plan.decision for plan in plans if plan.decision), None):
            seen["policy"] = decision.sha256
        for name, value in seen.items():
            known.note(self.ledger, self.tx, name, value, at=self._at)

    def _entries(self, plan: Plan, action: str, slips: Mapping[str, bytes]) -> Iterator[New]:
        if plan.handed.good is None:
            yield self._refusal(plan)
            return
        if plan.new:
            yield self._accepted(plan, action, slips[plan.id])
        for row in plan.ends:
            detail: dict[str, Any] = {"by": plan.id}
            yield New(f"superseded:{row.id}:{plan.id}", "superseded", row.id, detail)
        if plan.decision:
            yield from self._decided(plan, plan.decision)

    def _accepted(self, plan: Plan, action: str, written: bytes) -> New:
        one, good = plan.handed, plan.good
        detail: dict[str, Any] = {
            "kind": one.kind,
            "version": good.version,
            "schema": good.schema,
            "door": one.door,
            "trust": good.trust,
        }
        if plan.follows:
            detail["follows"] = plan.follows
        return New(f"{action}:{plan.id}", action, plan.id, detail, self.preparing.beside(one), written)

    def _decided(self, plan: Plan, decision: policy.Decision) -> Iterator[New]:
        detail: dict[str, Any] = {
            "rule": decision.rule,
            "policy": decision.sha256,
            "queue": self.preparing.queue(plan.good),
            "reason": decision.reason,
        }
        if not decision.allowed:
            which = "".join(f":{one}" for one in decision.over) + self._nth(plan)
            over = {"over": list(decision.over)} if decision.over else {}
            yield New(
                f"denied:{plan.id}:{decision.sha256[:16]}{which}",
                "denied",
                plan.id,
                detail | over,
                budget.figures(plan.problems),
            )
            return
        if plan.awaits and plan.holding:
            yield plan.awaits.entry(plan.holding)
            return
        run = f"{plan.id}.1"
        yield New(f"allowed:{run}", "allowed", plan.id, detail | {"run": run})
        if plan.run == "held":
            yield New(f"held:{run}", "held", plan.id, {"run": run, "after": next(self.lineage.before(plan.id))})

    def _nth(self, plan: Plan) -> str:
        """For the key of a denial: after it was held, it is another one, though the same rules deny it as before."""
        before = None if plan.new else holding.among(self.ledger, (plan.id,)).get(plan.id)
        return f":{before.nth}" if before else ""

    def _refusal(self, plan: Plan) -> New:
        """A refusal is an entry too: its codes in the tree, what was written beside it. The same refusal twice is one entry."""
        one = plan.handed
        beside = json.loads(self.preparing.beside(one)) | {"problems": told(one)}
        said = hashlib.sha256(json.dumps(beside["problems"], sort_keys=True).encode()).hexdigest()
        keyed = id_of(self.ledger.salt, said.encode())
        detail = {"door": one.door, "kind": one.kind, "codes": sorted(each.code for each in one.problems)}
        written = json.dumps(beside, ensure_ascii=False, sort_keys=True)
        return New(f"refused:{plan.id}:{keyed}", "refused", plan.id, detail, written)

    def _replaced(self, plan: Plan) -> Iterator[RequestRow]:
        """The versions before that end here: they have never had a run. One that has is withdrawn, or waited for, when the new one is
        handed over. One that waits for an approval ends only where the new one may run or waits, too."""
        if plan.handed.good is None:
            return
        follows = self.lineage.row(plan.follows) if plan.follows and plan.follows != plan.id else None
        if follows is not None and follows.state in UNDECIDED and not self.lineage.runs.get(follows.id):
            yield follows
        for one in self.lineage.before(plan.id) if plan.run or plan.holding else ():
            row = self.lineage.row(one)
            if row is not None and row.state == "held" and not self.lineage.runs.get(one):
                yield row

    def _rows(self, plan: Plan, paths: dict[str, str]) -> Iterator[RequestRow]:
        one = plan.handed
        row = self.lineage.row(plan.id) if plan.id else None
        yield from (replace(before, state="superseded", updated_at=self._at) for before in plan.ends)
        if one.good is None:
            if row is None:
                yield RequestRow(plan.id, one.kind, "refused", one.language, self._at)
        elif plan.new:
            yield RequestRow(plan.id, one.kind, plan.state, one.language, self._at, paths[plan.id])
        elif row is not None and plan.decision:
            yield replace(row, state=plan.state, updated_at=self._at)

    def _run(self, plan: Plan) -> Iterator[RunRow]:
        if plan.run:
            engine = self.preparing.wishes.engine or self.desk.config.engine
            resources = plan.good.resources
            queue = self.preparing.queue(plan.good)
            run = f"{plan.id}.1"
            yield RunRow(run, plan.id, 1, engine, queue, resources.max_hours, plan.run, self._at)
