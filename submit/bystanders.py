"""Which orders below one text are worth carrying out: anybody may write below an issue, and none of them may cost the desk its time.

An outsider is who did not ask for the request and whom no person, group, rule or operator of the policy names. Of all outsiders below one
text one is answered and noted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from submit import asked, policy
from submit.desk import Desk
from submit.judging import Outcome
from submit.orders import Ordered
from submit.policy_file import Policy, folded

MOST_NEW = 50
"""New orders below one text that are carried out at one look, the newest ones."""


def worth(desk: Desk, ordered: Sequence[Ordered], outcome: Outcome, known: Collection[str]) -> list[Ordered]:
    """Those that are known by their keys or are to be carried out, in their order; all of those that came by themselves."""
    below = [one for one in ordered if one.source is not None]
    new = [one for one in below if one.key not in known]
    if not new:
        return list(ordered)
    inside = _insiders(desk, below, outcome)
    outside = [one.key for one in new if one.subject not in inside]
    answered = any(one.subject not in inside for one in below if one.key in known)
    dropped = {one.key for one in [each for each in new if each.subject in inside][:-MOST_NEW]}
    dropped.update(outside if answered else outside[1:])
    return [one for one in ordered if one.key not in dropped]


def _insiders(desk: Desk, ordered: Sequence[Ordered], outcome: Outcome) -> set[str]:
    """Of those who order, who asked and whom the policy names; all of them where it cannot be read."""
    subjects = {one.subject for one in ordered}
    rules = policy.read_of(desk).policy
    if rules is None:
        return subjects
    names = _named(rules)
    people = {rules.person(one) for one in _askers(desk, outcome)}
    return {one for one in subjects if folded(one) in names or rules.person(one) in people}


def _named(rules: Policy) -> set[str]:
    """Every name in the policy, but those of whole domains."""
    people = [name for person in rules.people.values() for name in person.names]
    groups = [name for group in rules.groups.values() for name in group]
    allowed = [name for rule in rules.rules for name in (*rule.who, *(rule.approve.by if rule.approve else ()))]
    return {folded(one) for one in rules.meant((*people, *groups, *allowed, *rules.named_operators))}


def _askers(desk: Desk, outcome: Outcome) -> list[str]:
    with desk.ledger() as ledger:
        return [one.subject for one in asked.asked(ledger, [each.id for each in outcome.responses if each.id]).values()]
