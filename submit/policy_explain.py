"""``denpyo policy explain``: which rule decides about a file, why the others do not, and what its limits leave. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.answers import Where
from schema.job import Resources
from schema.problem import Problem
from schema.words import FALLBACK, said
from submit import budget, holding, policy
from submit.budget import Account, spelled
from submit.desk import Desk, DeskError, now
from submit.judging import judged, nobody
from submit.ledger import Ledger
from submit.policy import COMMAND, Ask
from submit.policy_file import PERSON, UNVERIFIED, Limits, Policy, Rule
from submit.response import Response, Source, Wishes

CARRIERS = (COMMAND, "folder", "mail", "google", "microsoft", "github", "clearml")
"""What brings a request to the desk, as the policy calls it."""
DOORS_OF_THEIR_OWN = ("google", "microsoft", "github", "clearml")
SORTS = ("user:", "mail:", "github:", "clearml:", PERSON)


@dataclass(frozen=True, slots=True)
class Explained:
    """What the policy would say of one request. ``rules`` has a line for each rule, ``limits`` for each limit of the one that decides;
    ``outcome`` is allowed, held or denied; ``why`` says so in lines."""

    where: Where
    asked: Ask
    person: str
    wanted: Resources
    rules: tuple[tuple[int, str], ...]
    rule: int | None
    limits: tuple[str, ...]
    outcome: str
    why: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        return {
            "file": self.where.file,
            "spot": self.where.spot,
            "subject": self.asked.subject,
            "person": self.person,
            "trust": policy.trust_of(self.asked.subject),
            "doors": list(self.asked.doors),
            "kind": self.asked.kind,
            "queue": self.asked.queue,
            "gpus": self.wanted.gpus,
            "max_hours": self.wanted.max_hours,
            "gpu_hours": policy.gpu_hours(self.wanted),
            "outcome": self.outcome,
            "rule": self.rule,
            "rules": [{"rule": number, "why": why} for number, why in self.rules],
            "limits": list(self.limits),
            "why": list(self.why),
        }


@dataclass
class Explanation:
    """All requests of what was handed in, and the problems of those that would be refused before the policy is asked."""

    requests: list[Explained] = field(default_factory=list)
    problems: list[tuple[Problem, str]] = field(default_factory=list)


def explain(desk: Desk, sources: Sequence[Source], wishes: Wishes, who: str, by: str) -> Explanation:
    """What the policy would say if ``who`` handed this in, brought by ``by``. Rows count one after the other, as they would."""
    found = policy.read_of(desk)
    if found.policy is None:
        raise DeskError(f"everything is denied: {found.reason}")
    subject = subject_of(found.policy, who)
    told = Explanation()
    with desk.ledger() as ledger:
        account = budget.Budget(ledger, now()).account(found.policy.person(subject))
        for one in judged(desk, sources, wishes, nobody):
            told.problems += [(problem, one.language) for problem in one.problems]
            if one.checked and one.answers:
                told.requests.append(_explained(found, one, subject, by, account, ledger))
    return told


def subject_of(rules: Policy, who: str) -> str:
    """A subject as it stands in a policy, an address, or a person of it. DeskError for anything else."""
    if who == UNVERIFIED or who.startswith(SORTS[:-1]):
        return who
    name = who.removeprefix(PERSON)
    if name in rules.people:
        return rules.people[name].names[0]
    if "@" in who:
        return f"mail:{who.casefold()}"
    raise DeskError(f"--as {who}: neither user:, mail:, github:, clearml:, unverified, nor a person of policy.yaml")


def carrier_of(subject: str) -> str:
    """What most probably brings what this subject asks for."""
    sort = subject.partition(":")[0]
    return {"user": COMMAND, "github": "github", "clearml": "clearml"}.get(sort, "mail")


def _explained(found: policy.Read, one: Response, subject: str, by: str, account: Account, ledger: Ledger) -> Explained:
    if found.policy is None or one.checked is None or one.answers is None:
        raise ValueError("only what is good is put to the policy")
    by = by or carrier_of(subject)
    wanted, where = one.checked.resources, one.answers.where
    asked = Ask(subject, one.checked.kind, wanted.queue, (by if by in DOORS_OF_THEIR_OWN else one.door, by))
    number = policy.decide(found, subject, asked.kind, asked.queue, asked.doors).rule
    rules = tuple(_rules(found.policy, asked, number))
    rule = found.policy.rule(number or 0)
    limits = tuple(_limits(rule.limits, wanted, account)) if rule else ()
    outcome, why = _outcome(rule, number, where, wanted, account)
    if outcome != "denied":
        account.take(f"{where} {len(account.open)}", policy.gpu_hours(wanted))
    return Explained(where, asked, found.policy.person(subject), wanted, rules, number, limits, outcome, why)


def _rules(rules: Policy, asked: Ask, deciding: int | None) -> Iterator[tuple[int, str]]:
    for number, rule in enumerate(rules.rules, 1):
        if deciding is not None and number > deciding:
            yield number, f"not asked, rule {deciding} decides"
        else:
            yield number, "decides" if number == deciding else _why_not(rules, rule, asked)


def _why_not(rules: Policy, rule: Rule, asked: Ask) -> str:
    said = {
        policy.NOT_WHO: f"who: does not name {asked.subject}",
        policy.NOT_TRUSTED: f"doors.min_trust: wants {rule.doors.min_trust}, {asked.subject} is {policy.trust_of(asked.subject)}",
        policy.NOT_DOOR: f"doors.only: is for {', '.join(rule.doors.only)}; this comes as {' by '.join(dict.fromkeys(asked.doors))}",
        policy.NOT_KIND: f"kinds: is for {', '.join(rule.kinds)}",
        policy.NOT_QUEUE: f"queues: is for {', '.join(rule.queues)}",
    }
    return said[policy.uncovered(rules, rule, asked)]


def _limits(limits: Limits, wanted: Resources, account: Account) -> Iterator[str]:
    hours, used, month = policy.gpu_hours(wanted), account.of_month(), limits.gpu_hours_per_month or 0.0
    left = spelled(max(0.0, month - used))
    lines = (
        ("gpus_per_job", limits.gpus_per_job, f"{wanted.gpus} of"),
        ("hours_per_job", limits.hours_per_job, f"{spelled(wanted.max_hours)} of"),
        ("gpu_hours_per_job", limits.gpu_hours_per_job, f"{spelled(hours)} of"),
        (
            "gpu_hours_per_month",
            limits.gpu_hours_per_month,
            f"{spelled(hours)} asked for, {spelled(used)} used or set aside, {left} left of",
        ),
        ("open_jobs", limits.open_jobs, f"{account.count()} open of"),
    )
    for name, limit, asked in lines:
        if limit is not None:
            yield f"{name}: {asked} {spelled(limit)}"


def _outcome(
    rule: Rule | None, number: int | None, where: Where, wanted: Resources, account: Account
) -> tuple[str, tuple[str, ...]]:
    if rule is None or number is None:
        return "denied", ("no rule covers it",)
    if over := budget.over(rule.limits, account, wanted, lambda _: where):
        return "denied", tuple(f"{one.message(FALLBACK)} [{one.code}]" for one in over)
    awaits = holding.awaited(number, "", rule.approve, wanted)
    if awaits is None:
        return "allowed", ()
    by = said(holding.names(awaits.by), FALLBACK)
    return "held", (f"{said(awaits.why(), FALLBACK)}; can be approved by {by} for {spelled(awaits.days)} days",)
