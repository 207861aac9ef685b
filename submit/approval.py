"""Approve, reject, withdraw, expire: what becomes of a request that is held until somebody says yes; by whichever door they say it.

Each decides and writes in one transaction, so that of two who decide at the same moment one wins and the other hears so. What was
approved is handed over afterwards; a crash between is finished by whoever hands over next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from schema.answers import Where
from schema.job import Resources
from schema.problem import Problem, shown
from schema.slip import SlipError
from schema.text import clean
from schema.words import FALLBACK, Fact, both, said
from submit import asked, budget, hand_off, holding, known, policy
from submit.desk import Desk, DeskError, machine_user, now
from submit.engines import EngineDownError
from submit.holding import Holding
from submit.kept_slip import read_slip
from submit.ledger import Ledger, LedgerBusy, New, RequestRow, RunRow, Writing
from submit.lineage import Lineage
from submit.policy_file import Policy

LONGEST_WHY = 2000


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of a request that somebody ruled on: the state it is in now. ``problem`` says why what they wanted was not done."""

    id: str
    state: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One held request, looked at while nobody else can write: its row, how it is held, who asked for it, and the policy as it is now."""

    desk: Desk
    ledger: Ledger
    tx: Writing
    row: RequestRow
    held: Holding
    asker: str
    found: policy.Read
    subject: str

    def decision(self) -> policy.Decision:
        """What the policy says today."""
        held = self.held
        return policy.decide(self.found, self.asker, self.row.kind, held.queue, held.doors)

    def append(self, new: New, why: str = "") -> None:
        """An entry that says what was decided; beside it stands by whom, and why. One before it says so where the policy by which they
        may is another than the last."""
        at = now().isoformat(timespec="milliseconds")
        if self.subject:
            known.note(self.ledger, self.tx, known.POLICY, self.found.sha256, at=at)
        new = replace(new, beside=_said(self.subject, why) if self.subject else "")
        self.tx.append_all([new], at=at, user=machine_user())

    def entry(self, key: str, action: str, **detail: object) -> New:
        return New(key, action, self.row.id, detail)

    def move(self, state: str) -> None:
        self.tx.put_request(replace(self.row, state=state, updated_at=now().isoformat(timespec="milliseconds")))

    def ended(self, end: New, state: str, problem: Problem | None = None, why: str = "") -> Ruling:
        """The request ends without ever having run, and gives back what it had reserved."""
        self.append(end, why)
        self.move(state)
        budget.release(self.tx, (self.row.id,))
        return Ruling(self.row.id, state, problem)

    def no(self, code: str, **facts: Fact) -> Problem:
        return _problem(self.row.id, self.row.state, code, **facts)

    def not_done(self, problem: Problem) -> Ruling:
        return Ruling(self.row.id, self.row.state, problem)


def approve(desk: Desk, request: str, subject: str) -> Ruling:
    """Let a held request run. The policy is asked again as it is now; what it denies by now is refused. Never by who asked for it."""
    ruling = _ruled(desk, request, subject, _approved)
    if ruling.problem is not None:
        return ruling
    with suppress(
        EngineDownError, DeskError, LedgerBusy
    ):  # it is approved, and is handed over as soon as the engine answers
        hand_off.deliver(desk)
    with desk.ledger() as ledger:
        row = ledger.request(ruling.id)
    return replace(ruling, state=row.state if row else ruling.state)


def reject(desk: Desk, request: str, subject: str, why: str) -> Ruling:
    """End a held request, and say why. Never by who asked for it: they withdraw it."""
    return _ruled(desk, request, subject, partial(_rejected, why=clean(why)))


def withdraw(desk: Desk, request: str, subject: str) -> Ruling:
    """End a request that is held, waits or runs: by who asked for it, or an operator; by any user of this machine where the policy
    names no operators. EngineDownError where its engine does not answer; it is asked again later."""
    ruling = _ruled(desk, request, subject, _withdrawn)
    if ruling.problem is None or ruling.problem.code != "not_held":
        return ruling
    with desk.ledger() as ledger:
        row, found = ledger.request(ruling.id), policy.read_of(desk)
        if row is None or not policy.may_end(found.policy, _asker(ledger, ruling.id), subject):
            return replace(ruling, problem=_problem(ruling.id, ruling.state, "not_yours_to_stop"))
        with ledger.writing() as tx:
            known.note(ledger, tx, known.POLICY, found.sha256, at=now().isoformat(timespec="milliseconds"))
    stopping = hand_off.cancel(desk, ruling.id, _said(subject))
    with desk.ledger() as ledger:
        state = (ledger.request(ruling.id) or row).state
    return Ruling(ruling.id, state, None if stopping else _problem(ruling.id, state, "nothing_to_stop"))


def expire(desk: Desk) -> list[str]:
    """End what nobody has approved in time; the ids of those."""
    with desk.ledger() as ledger:
        at = now()
        if not any(one.is_over(at) for one in holding.waiting(ledger)):
            return []
        with ledger.writing() as tx:
            late = [
                one for one in holding.waiting(ledger) if one.is_over(at)
            ]  # read again: nobody else can rule on it now
            rows = ledger.requests_among([one.request for one in late])
            for one in late:
                _late(Case(desk, ledger, tx, rows[one.request], one, "", policy.Read("", None), ""))
    return [one.request for one in late]


def _ruled(desk: Desk, request: str, subject: str, rule: Callable[[Case], Ruling]) -> Ruling:
    """Rule on a held request, in one transaction: what cannot be done is said, and why."""
    meant = clean(request).casefold()
    with desk.ledger() as ledger:
        for table in (holding, budget, asked, known):
            table.ensure(ledger)
        with ledger.writing() as tx:
            row, held = ledger.request(meant), holding.among(ledger, (meant,)).get(meant)
            if row is None:
                return Ruling(shown(meant), "", _problem(shown(meant), "", "unknown_request"))
            if held is None or row.state != "held" or ledger.runs(meant):
                return Ruling(row.id, row.state, _problem(row.id, row.state, "not_held"))
            case = Case(desk, ledger, tx, row, held, _asker(ledger, meant), policy.read_of(desk), subject)
            return _late(case) if held.is_over(now()) else rule(case)


def _late(case: Case) -> Ruling:
    expires = holding.shown_time(case.held.expires)
    late = replace(case, subject="")  # nobody has decided that
    entry = late.entry(case.held.key("expired"), "expired", rule=case.held.rule)
    return late.ended(entry, "expired", case.no("approval_expired", expires=expires))


def _approved(case: Case) -> Ruling:
    decision = case.decision()
    if wrong := _may_not(case, decision.rule or 0):
        return case.not_done(wrong)
    rule = case.found.policy.rule(decision.rule or 0) if case.found.policy else None
    try:
        wanted = read_slip(case.desk, case.ledger, case.row).resources
    except SlipError as error:
        return case.not_done(error.problems[0])
    if rule is None:
        return _denied(
            case,
            decision,
            case.no("not_allowed", who=policy.called(case.asker), kind=_title(case), queue=case.held.queue),
        )
    if wrong := next(iter(_over(case, rule, wanted)), None):
        return _denied(case, replace(decision, over=(wrong.code,)), wrong)
    return _let_go(case, decision, wanted)


def _title(case: Case) -> Fact:
    kind = case.desk.kinds.get(case.row.kind)
    return kind.form.title if kind else case.row.kind


def _over(case: Case, rule: policy.Rule, wanted: Resources) -> list[Problem]:
    """The limits of today that it exceeds. What it has reserved counts for the month in which it did."""
    if case.found.policy is None:
        return []
    since = datetime.fromisoformat(case.held.since)
    account = budget.Budget(case.ledger, since).account(case.found.policy.person(case.asker))
    return budget.over(rule.limits, account, wanted, lambda _: Where(case.row.id), (case.row.id,))


def _denied(case: Case, decision: policy.Decision, problem: Problem) -> Ruling:
    """The rules are others by now: it is refused, whoever approves it."""
    key = f"denied:{case.row.id}:{decision.sha256[:16]}:approval:{case.held.nth}"
    told = {"rule": decision.rule, "policy": decision.sha256, "queue": case.held.queue, "over": list(decision.over)}
    return case.ended(New(key, "denied", case.row.id, told, budget.figures([problem])), "refused", problem)


def _let_go(case: Case, decision: policy.Decision, wanted: Resources) -> Ruling:
    """Its first run is noted, to be handed over; it waits where an earlier version of itself has a run that has not ended."""
    request, run = case.row.id, f"{case.row.id}.1"
    lineage = Lineage(case.ledger)
    state = "held" if lineage.waits(request) else "accepted"
    case.append(case.entry(f"approved:{request}", "approved", rule=decision.rule, policy=decision.sha256, run=run))
    if state == "held":
        case.append(case.entry(f"held:{run}", "held", run=run, after=next(lineage.before(request))))
    at = now().isoformat(timespec="milliseconds")
    case.tx.put_run(RunRow(run, request, 1, case.held.engine, case.held.queue, wanted.max_hours, state, at))
    case.move(state)
    return Ruling(request, state)


def _rejected(case: Case, why: str) -> Ruling:
    number = case.decision().rule or 0
    wrong = _may_not(case, number) or (None if why.strip() else case.no("no_reason"))
    if wrong:
        return case.not_done(wrong)
    entry = case.entry(f"rejected:{case.row.id}", "rejected", rule=number, policy=case.found.sha256)
    return case.ended(entry, "rejected", why=why)


def _withdrawn(case: Case) -> Ruling:
    if not policy.may_end(case.found.policy, case.asker, case.subject):
        return case.not_done(case.no("not_yours_to_stop"))
    return case.ended(case.entry(f"stopped:{case.row.id}", "stopped"), "stopped")


def _may_not(case: Case, number: int) -> Problem | None:
    """Why the subject may not decide about a held request, if they may not. Where no rule asks for an approval any more, any approver
    or operator may."""
    rules = case.found.policy
    if rules is None:
        return case.no("no_policy")
    if not case.asker:
        return case.no("nobody_asked")
    rule = rules.rule(number)
    by = rule.approve.by if rule and rule.approve else anybody(rules)
    if rules.person(case.asker) == rules.person(case.subject):
        return case.no("own_request", by=holding.names(by))
    return None if rules.names(by, case.subject) else case.no("not_an_approver", by=holding.names(by))


def anybody(rules: Policy) -> tuple[str, ...]:
    """Everybody who may approve anything, and the operators."""
    return (*(one for rule in rules.rules if rule.approve for one in rule.approve.by), *rules.named_operators)


def awaited(desk: Desk, request: str) -> dict[str, Any] | None:
    """Of a request that is held until somebody approves it: since when, by whom it can be approved, and until when; else None. Who
    can approve it is as the policy is now."""
    with desk.ledger() as ledger:
        held = {one.request: one for one in holding.waiting(ledger)}.get(request)
        row, found = ledger.request(request), policy.read_of(desk)
        if held is None or row is None:
            return None
        number = policy.decide(found, _asker(ledger, request), row.kind, held.queue, held.doors).rule or 0
    rule = found.policy.rule(number) if found.policy else None
    by = rule.approve.by if rule and rule.approve else anybody(found.policy) if found.policy else ()
    names = [said(one, FALLBACK) for one in holding.names(by)]
    return {"since": held.since, "rule": held.rule, "by": names, "expires": held.expires}


def _asker(ledger: Ledger, request: str) -> str:
    """For whom the policy was asked; "" where that was erased."""
    who = asked.asked(ledger, (request,)).get(request)
    return who.subject if who else ""


def _said(subject: str, why: str = "") -> str:
    """What lies beside an entry: who decided, and why."""
    return json.dumps({"by": subject, "why": why[:LONGEST_WHY]}, ensure_ascii=False, sort_keys=True)


def _problem(request: str, state: str, code: str, **facts: Fact) -> Problem:
    now_is: Fact = both(f"receipt_{state}") if state else ""
    return Problem(code, Where(request), "", {"id": request, "state": now_is, **facts})
