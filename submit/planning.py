"""What is to become of each response: new, known, or the next version of one that was there; and whether the policy lets it run.

Nothing is written here; ``keeping`` does that, with the same transaction open.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TypeVar

from generators.excel import RESPONSE
from schema.answers import Where
from schema.problem import Problem
from schema.words import Fact
from submit import policy
from submit.allowing import Allowing
from submit.asked import THERE as ASKERS_THERE
from submit.asked import asked
from submit.budget import Reserved
from submit.desk import Desk, machine_user
from submit.holding import Awaits, Holding
from submit.identity import id_of
from submit.ledger import Ledger, RequestRow
from submit.lineage import Lineage
from submit.older import Older
from submit.prepared import Good, Handed, Preparing, refused
from submit.response import UNVERIFIED, USER, VERIFIED, Kept

AT_A_TIME = 5000
RULED = ("held", "rejected", "stopped")
"""States in which a request stays when it comes again, although it has no run: somebody is to rule on it, or has."""
WAS_VERIFIED = (
    """SELECT 1 FROM entries WHERE request = ? AND json_extract(CAST(body AS TEXT), '$.detail.trust') = 'verified'"""
)
T = TypeVar("T")


@dataclass(slots=True)
class Plan:
    """What is to be done with one response. ``follows`` is the request whose next version it is; ``run`` is set where the policy has
    allowed it, and says whether the run waits (``held``) or may go (``accepted``); ``awaits`` and ``holding`` where it is held until
    somebody approves it; ``reserved`` is what it takes of a budget; ``ends`` are the earlier versions that end because of it."""

    handed: Handed
    id: str = ""
    new: bool = False
    known: bool = False
    follows: str = ""
    run: str = ""
    decision: policy.Decision | None = None
    reserved: Reserved | None = None
    awaits: Awaits | None = None
    holding: Holding | None = None
    ends: tuple[RequestRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def good(self) -> Good:
        if self.handed.good is None:
            raise ValueError("a refused response has nothing to keep")
        return self.handed.good

    @property
    def state(self) -> str:
        """Where the request stands after this."""
        decided = "refused" if self.decision else "accepted"
        return "held" if self.holding else self.run or decided

    def kept(self) -> Kept:
        one = self.handed
        return Kept(
            self.id,
            one.where,
            self.known,
            self.problems,
            one.good is not None,
            one.source,
            one.receipt,
            one.language,
            one.kind,
            (*one.warnings, *self.warnings),
            one.good.changes if one.good else (),
            one.outdated,
            self.follows,
        )


@dataclass
class Planning:
    """One submission being planned. ``ordinals`` counts identical rows of a source, which are requests of their own;
    ``given`` are the ids that stand in a source already: none is written there twice."""

    desk: Desk
    ledger: Ledger
    preparing: Preparing
    lineage: Lineage
    ordinals: Counter[tuple[int, tuple[bytes, bytes] | bytes]] = field(default_factory=Counter)
    carried: dict[str, Where] = field(default_factory=dict)
    given: set[tuple[int, str]] = field(default_factory=set)
    first: dict[tuple[int, tuple[bytes, bytes] | bytes], Where] = field(default_factory=dict)

    @cached_property
    def allowing(self) -> Allowing:
        return Allowing(self.desk, self.ledger, self.preparing, self.lineage)

    @cached_property
    def older(self) -> Older:
        return Older(self.desk, self.ledger, self.preparing)

    def plans(self, handed: Sequence[Handed], *, queue: bool, whole: bool) -> list[Plan]:
        """A plan for each response. With ``queue`` a good one is put to the policy, unless it has been; with ``whole`` nothing is
        kept if anything is refused."""
        plans = self._plans(handed, queue)
        if whole and any(plan.problems or plan.handed.good is None for plan in plans):
            return [self._only_refused(plan) for plan in plans]
        return plans

    def _only_refused(self, plan: Plan) -> Plan:
        """What becomes of a response whose neighbours were refused: its own refusal is recorded, and nothing else is."""
        if plan.handed.good is not None and plan.problems:
            return self._refused(plan.handed, plan.problems)
        return plan if plan.handed.good is None else Plan(plan.handed)

    def _plans(self, handed: Sequence[Handed], queue: bool) -> list[Plan]:
        """Those that came with an id first: identical ones without an id count on after them."""
        found: dict[int, Plan] = {}
        corrected: dict[int, str] = {}
        self.lineage.load(one.carried for one in handed if one.carried)
        for number, one in enumerate(handed):
            if one.good is not None and (one.carried or one.named):
                plan = self._with_id(one, queue)
                if isinstance(plan, str):
                    corrected[number] = plan
                else:
                    found[number] = plan
                    self.given.add((one.source, plan.id))
        rest = [(number, one) for number, one in enumerate(handed) if number not in found]
        for some in parts(rest):
            named = [(number, one, self._name(one)) for number, one in some]
            self.lineage.load(name for _, _, name in named)
            for number, one, name in named:
                good = one.good is not None
                found[number] = self._fresh(one, name, corrected.get(number, ""), queue) if good else Plan(one, name)
                found[number].warnings += self._alike(one)
        return [found[number] for number in range(len(handed))]

    def _with_id(self, handed: Handed, queue: bool) -> Plan | str:
        if handed.named:
            return self._online(handed, queue)
        return self._slip(handed, queue) if handed.is_slip else self._returned(handed, queue)

    def _name(self, handed: Handed) -> str:
        """The id that follows from what a response says. A refused one that carries the id of a request goes under that."""
        if handed.good is None and handed.carried and not handed.is_slip and self.lineage.row(handed.carried):
            return handed.carried
        if handed.named:
            return id_of(self.ledger.salt, handed.good.identity_of(0) if handed.good else handed.refusal)
        ordinal = self._count(handed)
        if handed.good:
            name = id_of(self.ledger.salt, handed.good.identity_of(ordinal))
            older = self.older.named(handed, ordinal)
            return older if older and not self.lineage.row(name) else name
        return id_of(self.ledger.salt, b"%b%d" % (handed.refusal, ordinal))

    def _count(self, handed: Handed) -> int:
        key = self._key(handed)
        self.ordinals[key] += 1
        self.first.setdefault(key, handed.where)
        return self.ordinals[key]

    def _key(self, handed: Handed) -> tuple[int, tuple[bytes, bytes] | bytes]:
        return handed.source, handed.good.identity if handed.good else handed.refusal

    def _alike(self, handed: Handed) -> tuple[Problem, ...]:
        """Identical rows are requests of their own. Their sender is told, who may have pasted one twice."""
        first = self.first.get(self._key(handed), handed.where)
        if handed.good is None or first == handed.where:
            return ()
        return (Problem("same_as_before", handed.where, "", {"other": first.spot}),)

    def _refused(self, handed: Handed, problems: tuple[Problem, ...]) -> Plan:
        """A response in which the ledger has found something wrong."""
        worse = replace(refused(handed, problems), carried="")
        return Plan(worse, self._name(worse), problems=problems)

    def _slip(self, handed: Handed, queue: bool) -> Plan:
        """A slip with an id goes on as that request, or not at all."""
        row = self.lineage.row(handed.carried)
        if wrong := self._wrong_slip(row, handed):
            return self._refused(handed, (Problem(wrong, handed.receipt or handed.where, "id"),))
        return self._known(handed, self.lineage.chain(handed.carried), queue, handed.carried)

    def _wrong_slip(self, row: RequestRow | None, handed: Handed) -> str:
        """Why a slip with an id cannot go on as that request: this desk does not know it, or it says something else by now."""
        if row is None:
            return "unknown_slip"
        return "" if handed.good and self.older.content(row, "") == handed.good.meant else "changed_slip"

    def _returned(self, handed: Handed, queue: bool) -> Plan | str:
        """A row of a marked copy: known, or the next version of its response. The id alone where that was refused and is good now:
        it then goes on as if it had been good at first."""
        response, receipt = handed.carried, handed.receipt or handed.where
        facts: dict[str, Fact] = {"id": response}
        if response in self.carried:
            other = {**facts, "other": str(self.carried[response])}
            return self._refused(handed, (Problem("duplicate_response", receipt, RESPONSE, other),))
        self.carried[response] = receipt
        if self.lineage.row(response) is None:
            return self._refused(handed, (Problem("unknown_response", receipt, RESPONSE, facts),))
        chain = self.lineage.chain(response)
        same = next((one for one in chain if self._says(one, handed)), "")
        if not same and not any(self._has_slip(one) for one in chain):
            return chain[-1]
        self._count(handed)  # so that identical rows without an id are others
        if same or handed.good is None:
            return self._known(handed, chain, queue, same)
        if not self._may_replace(chain[-1], handed.subject):
            return self._refused(handed, (Problem("not_yours_to_replace", receipt, RESPONSE, facts),))
        return self._next(handed, self._own(handed, chain[-1]), chain[-1], queue)

    def _may_replace(self, request: str, subject: str) -> bool:
        """Whether who hands this in may end that request by a next version of it: as may whoever may stop it. What nobody is known to have
        asked for, anybody may."""
        asker = asked(self.ledger, (request,)).get(request) if self._knows_askers else None
        if asker is None or asker.subject == UNVERIFIED:
            return True
        return policy.may_end(self._rules, asker.subject, subject or f"{USER}{machine_user()}")

    @cached_property
    def _knows_askers(self) -> bool:
        return bool(self.ledger.query(ASKERS_THERE))

    @cached_property
    def _rules(self) -> policy.Policy | None:
        return policy.read_of(self.desk).policy

    def _online(self, handed: Handed, queue: bool) -> Plan:
        """A response of an online form: new, known, or edited there since, which is the next version of its request. What the service
        says last is what holds, also where it once said the same."""
        name = self._name(handed)
        self.lineage.load((name,))
        if handed.named in self.carried:
            facts: dict[str, Fact] = {"id": name, "other": str(self.carried[handed.named])}
            return self._refused(handed, (Problem("duplicate_response", handed.where, RESPONSE, facts),))
        self.carried[handed.named] = handed.where
        if not self._has_slip(name):
            return self._next(handed, name, "", queue)
        chain = self.lineage.chain(name)
        if self._says(chain[-1], handed):
            return self._known(handed, chain, queue, chain[-1])
        if handed.good and handed.good.trust != VERIFIED and self._is_verified(chain[-1]):
            return self._refused(handed, (Problem("less_known", handed.where, RESPONSE, {"id": chain[-1]}),))
        return self._next(handed, self._own(handed, chain[-1]), chain[-1], queue)

    def _is_verified(self, request: str) -> bool:
        """Whether a service vouched for who asked: a file that anybody may have edited does not replace that."""
        return bool(self.ledger.query(WAS_VERIFIED, (request,)))

    def _has_slip(self, request: str) -> bool:
        row = self.lineage.row(request)
        return request in self.lineage.planned or (row is not None and row.slip is not None)

    def _says(self, request: str, handed: Handed) -> bool:
        """Whether a request asks for what this response asks for. What the command line wishes counts where it wishes for something."""
        link, good = self.lineage.link(request), handed.good
        row = self.lineage.row(request)
        if not link.meant and row is not None and row.slip:  # kept before versions were
            link.said = link.meant = self._said_today(row)
        if good is None:
            return False
        wished = bool(self.preparing.wishes.queue or self.preparing.wishes.again)
        same = good.meant == link.meant if wished else good.said == link.said
        return same or (row is not None and self.older.is_older(row) and self._said_today(row) == good.meant)

    def _said_today(self, row: RequestRow) -> str:
        return self.older.content(row, self._reason(row.id))

    def _reason(self, request: str) -> str:
        beside = self.ledger.first_beside([request]).get(request, "")
        return str(json.loads(beside).get("again", "")) if beside else ""

    def _fresh(self, handed: Handed, name: str, follows: str, queue: bool) -> Plan:
        """A response without an id, or one that was refused under ``follows`` before it was good."""
        if not self._has_slip(name) and self.lineage.row(name) is None:
            return self._numbered(self._next(handed, name, follows, queue))
        chain = self.lineage.chain(name)
        stands = (handed.source, chain[-1]) in self.given
        if follows and (stands or len(chain) > 1 or self.lineage.link(name).follows):
            return self._numbered(self._next(handed, self._own(handed, follows), follows, queue))
        plan = self._known(handed, chain, queue, name)
        if stands and plan.warnings:  # its newest version has a row of its own here: this one is another request
            return self._fresh(handed, self._name(handed), follows, queue)
        if follows:
            plan.follows = follows
            self.lineage.link(follows).next = plan.id
        return self._numbered(plan)

    def _own(self, handed: Handed, follows: str) -> str:
        """An id within the line of ``follows``, where what follows from the content alone belongs to another line."""
        return id_of(self.ledger.salt, handed.good.identity_of(0, follows=follows)) if handed.good else follows

    def _numbered(self, plan: Plan) -> Plan:
        self.given.add((plan.handed.source, plan.id))
        return plan

    def _known(self, handed: Handed, chain: list[str], queue: bool, same: str) -> Plan:
        """It was handed in before: nothing is new, but a converted or denied one is put to the policy (again)."""
        newest = chain[-1]
        row, runs = self.lineage.row(newest), self.lineage.runs.get(newest)
        ruled = row is not None and row.state in RULED and not runs
        plan = Plan(handed, newest, known=bool(runs) or ruled or not queue or newest in self.lineage.planned)
        if newest != same and not self._says(newest, handed):
            facts: dict[str, Fact] = {"newest": newest}
            plan.warnings = (Problem("replaced_since", handed.receipt or handed.where, RESPONSE, facts),)
        elif ruled and row is not None:
            plan.warnings = self.allowing.still(plan.handed, row)
        elif not plan.known and row is not None and row.slip:
            self._decide(plan)
        return plan

    def _next(self, handed: Handed, name: str, follows: str, queue: bool) -> Plan:
        plan = Plan(handed, name, new=True, follows=follows)
        link = self.lineage.link(name)
        link.said, link.meant = plan.good.said, plan.good.meant
        if follows:
            link.follows, self.lineage.link(follows).next = follows, name
        if queue:
            self._decide(plan)
        self.lineage.planned.add(name)
        return plan

    def _decide(self, plan: Plan) -> None:
        self.allowing.put(plan)


def parts(all_of_them: Iterable[T], size: int = AT_A_TIME) -> Iterator[list[T]]:
    going = iter(all_of_them)
    while some := list(islice(going, size)):
        yield some
