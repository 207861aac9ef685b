"""``denpyo policy check``: rules that can never match, names that mean nobody, approvals that nobody can give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from submit import doors, policy
from submit.desk import Desk, DeskError
from submit.policy_explain import CARRIERS
from submit.policy_file import ANYONE_AT, GROUP, PERSON, TRUSTS, UNVERIFIED, Approve, Policy, Rule, folded, is_one

USERS_ONLY = (policy.COMMAND, "folder")
"""What brings requests of users of this machine alone."""
NAMES = frozenset((*(door for door, _ in doors.DOORS.values()), *doors.ONLINE, *CARRIERS))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a rule, or with the policy as a whole where there is no ``rule``."""

    rule: int | None
    why: str

    def line(self) -> str:
        return f"rule {self.rule}: {self.why}" if self.rule else self.why


def check(desk: Desk) -> list[Finding]:
    """All that is found; DeskError where the policy cannot be read at all."""
    found = policy.read_of(desk)
    if found.policy is None:
        raise DeskError(f"everything is denied: {found.reason}")
    return [*_of_names(found.policy), *_of_rules(desk, found.policy)]


def _of_names(rules: Policy) -> Iterator[Finding]:
    for name, members in rules.groups.items():
        if not members:
            yield Finding(None, f"groups.{name}: is empty")
        yield from (Finding(None, f"groups.{name}: {why}") for why in _nobody(rules, members))
    yield from (Finding(None, f"operators: {why}") for why in _nobody(rules, rules.named_operators))


def _nobody(rules: Policy, names: Iterable[str]) -> Iterator[str]:
    """The people and groups that are named and are not there."""
    for one in names:
        sort, _, name = one.partition(":")
        if (one.startswith(PERSON) and name not in rules.people) or (
            one.startswith(GROUP) and name not in rules.groups
        ):
            yield f"there is no {sort} {name}"


def _of_rules(desk: Desk, rules: Policy) -> Iterator[Finding]:
    for number, rule in enumerate(rules.rules, 1):
        for why in (*_unknown(desk, rules, rule), *_never(desk, rules, number, rule), *_approval(rules, rule)):
            yield Finding(number, why)


def _unknown(desk: Desk, rules: Policy, rule: Rule) -> Iterator[str]:
    yield from _nobody(rules, rule.who)
    known = (
        ("kinds", "kind", rule.kinds, {*desk.kinds, "*"}),
        ("queues", "queue", rule.queues, {*desk.config.queues, "*"}),
        ("doors.only", "door", rule.doors.only, NAMES),
    )
    for place, sort, names, there in known:
        yield from (f"{place}: there is no {sort} {one}" for one in names if one not in there)


def _never(desk: Desk, rules: Policy, number: int, rule: Rule) -> Iterator[str]:
    """Why a rule can never decide: nobody is meant, nobody is known as well as it wants, or others come first."""
    meant = [*dict.fromkeys(map(folded, rules.meant(rule.who)))]
    known_as = [one for one in meant if TRUSTS.index(policy.trust_of(one)) >= TRUSTS.index(rule.doors.min_trust)]
    able = [one for one in known_as if _can_come(one, rule.doors.only)]
    kinds, queues = _there(rule.kinds, desk.kinds), _there(rule.queues, desk.config.queues)
    if not meant:
        yield "can never match: who means nobody"
    elif not known_as:
        yield f"can never match: min_trust {rule.doors.min_trust} is more than any door gives for {', '.join(meant)}"
    elif not able:
        yield f"can never match: nothing of doors.only ({', '.join(rule.doors.only)}) brings {', '.join(known_as)}"
    elif not (kinds and queues):
        yield "can never match: none of its kinds or queues is there"
    elif first := _shadow(desk, rules, number, list(product(able, kinds, queues))):
        yield f"can never match: {first}"


def _can_come(subject: str, only: Sequence[str]) -> bool:
    """Whether one of these ways in brings what a subject asks for."""
    if not only:
        return True
    carried = [
        one for one in only if one not in USERS_ONLY and (one != "mail" or subject.startswith(("mail:", UNVERIFIED)))
    ]
    return subject.startswith("user:") or bool(carried)


def _there(names: tuple[str, ...], known: Iterable[str]) -> list[str]:
    """Those that there are, a star being all of them."""
    return [one for one in known if one in names or "*" in names]


def _shadow(desk: Desk, rules: Policy, number: int, atoms: Sequence[tuple[str, str, str]]) -> str:
    """The earlier rules that together cover all that this one does; "" where something is left for it."""
    rule, used = rules.rules[number - 1], set[int]()
    for who, kind, queue in atoms:
        first = next((at for at in range(1, number) if _covers(rules, at, rule, who, kind, queue)), None)
        if first is None:
            return ""
        used.add(first)
    numbers = sorted(used)
    if len(numbers) == 1:
        return f"rule {numbers[0]} comes first and covers all of it"
    return f"rules {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} come first and cover all of it"


def _covers(rules: Policy, number: int, later: Rule, who: str, kind: str, queue: str) -> bool:
    rule = rules.rules[number - 1]
    known = TRUSTS.index(policy.trust_of(who)) >= TRUSTS.index(rule.doors.min_trust)
    only = rule.doors.only
    way = not only or (bool(later.doors.only) and {*later.doors.only} <= {*only})
    named = any(is_one(one, who) or folded(one) == who for one in rules.meant(rule.who))
    return known and way and named and _has(rule.kinds, kind) and _has(rule.queues, queue)


def _has(names: tuple[str, ...], one: str) -> bool:
    return one in names or "*" in names


def _approval(rules: Policy, rule: Rule) -> Iterator[str]:
    wanted = rule.approve
    if wanted is None:
        return
    yield from (f"approve.by: {why}" for why in _nobody(rules, wanted.by))
    approvers = {rules.person(one) for one in rules.meant(wanted.by)}
    if not approvers:
        yield "approve.by: means nobody, so that what is held can never be approved"
    elif all(one.startswith(ANYONE_AT) for one in approvers):
        yield "approve.by: names no person, so that nobody hears of what is held"
    elif len(approvers) == 1 and (lone := {rules.person(one) for one in rules.meant(rule.who)} & approvers):
        yield f"approve.by: is {lone.pop()} alone, whose own requests nobody can approve"
    yield from _thresholds(rule, wanted)


def _thresholds(rule: Rule, wanted: Approve) -> Iterator[str]:
    """Thresholds that nothing exceeds, because the limits of the rule deny it before."""
    pairs = (
        ("over_gpu_hours", wanted.over_gpu_hours, "gpu_hours_per_job", rule.limits.gpu_hours_per_job),
        ("over_gpus", wanted.over_gpus, "gpus_per_job", rule.limits.gpus_per_job),
        ("over_hours", wanted.over_hours, "hours_per_job", rule.limits.hours_per_job),
    )
    if not wanted.always and all(threshold is None for _, threshold, _, _ in pairs):
        yield "approve: names no threshold, so that nothing is ever held"
    for name, threshold, limit_name, limit in pairs:
        if threshold is not None and limit is not None and threshold >= limit:
            yield f"approve.{name}: {threshold:g} is never exceeded, {limit_name} is {limit:g}"
