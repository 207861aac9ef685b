"""Held until somebody approves it: who may, what the policy says by then, what is written down, and what never happens twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from schema.words import text
from submit import approval, one_machine, standing
from submit.approval import Ruling
from submit.desk import POLICY, Desk
from tests.desks.asking import AYA, KEN, MIO, Wanted, ask, ask_one, desk_with, entries, reserved, set_rules, state

RULES = """\
version: 1
people:
  aya: {is: ["mail:aya@example.com", "user:aya"]}
  ken: {is: ["github:77"], language: ja, mail: ken@example.com}
groups:
  leads: ["person:ken", "person:aya"]
rules:
- who: ["mail:*@example.com", "person:ken"]
  kinds: ["*"]
  queues: ["*"]
  approve: {over_gpu_hours: 12, by: ["group:leads"]}
"""
BIG = Wanted("big", gpus=4, hours=6)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, RULES)


def code(ruling: Ruling) -> str:
    return ruling.problem.code if ruling.problem else ""


def test_a_request_over_the_threshold_is_held_and_its_sender_hears_by_whom_it_can_be_approved(desk: Desk) -> None:
    outcome = ask(desk, BIG, Wanted("small", gpus=2, hours=6))
    held, small = outcome.responses
    assert (state(desk, held.id), state(desk, small.id)) == ("held", "queued")
    (entry,) = entries(desk, "held")
    assert (entry.key, entry.detail["rule"], entry.detail["by"]) == (f"held:{held.id}", 1, 1)
    assert entry.detail["over"] == {"gpu_hours": 24.0}
    (warning,) = held.warnings
    until = entry.detail["expires"]
    assert warning.message("en") == (
        "This waits until it is approved: 24 GPU hours, more than 12. It can be approved by leads until "
        f"{until[:10]} {until[11:16]} UTC. You need not do anything."
    )
    assert reserved(desk) == [(24.0, 1), (12.0, 1)]
    with desk.ledger() as ledger:
        assert ledger.runs(held.id) == []


def test_an_approved_request_is_handed_over_and_the_entry_says_by_which_rule_and_beside_it_by_whom(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    assert approval.approve(desk, request.upper(), KEN) == Ruling(request, "queued")
    (entry,) = entries(desk, "approved")
    (held,) = entries(desk, "held")
    assert entry.detail == {"rule": 1, "policy": held.detail["policy"], "run": f"{request}.1"}
    assert json.loads(entry.beside_text or "") == {"by": KEN, "why": ""}
    assert code(approval.approve(desk, request, KEN)) == "not_held"
    assert len(entries(desk, "approved")) == 1
    assert reserved(desk) == [(24.0, 1)]


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        pytest.param(AYA, "own_request", id="who asked for it"),
        pytest.param("user:aya", "own_request", id="who asked for it, under another name"),
        pytest.param("mail:AYA@example.com", "own_request", id="who asked for it, in capitals"),
        pytest.param(MIO, "not_an_approver", id="somebody else"),
        pytest.param("unverified", "not_an_approver", id="nobody"),
        pytest.param("mail:ken@example.com", "not_an_approver", id="an address that is not among the approver's names"),
    ],
)
def test_nobody_approves_or_rejects_but_those_whom_the_rule_names(desk: Desk, subject: str, said: str) -> None:
    request = ask_one(desk, BIG)
    assert code(approval.approve(desk, request, subject)) == said
    assert code(approval.reject(desk, request, subject, "too much")) == said
    assert state(desk, request) == "held"
    assert entries(desk, "approved", "rejected", "denied") == []


def test_who_asked_and_may_approve_others_is_told_who_else_can(desk: Desk) -> None:
    ruling = approval.approve(desk, ask_one(desk, BIG), AYA)
    assert ruling.problem is not None
    assert ruling.problem.message("en") == (
        f"You have asked for {ruling.id} yourself; somebody else has to approve it. It can be approved by leads. "
        "If you do not need it any more, cancel it."
    )


def test_a_number_that_no_request_has_is_said_in_one_line(desk: Desk) -> None:
    ruling = approval.approve(desk, "../../etc\n`x`", KEN)
    assert (ruling.id, code(ruling)) == ("../../etc `x`", "unknown_request")


def test_a_rejected_request_stays_rejected_and_gives_back_what_it_had_reserved(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    assert code(approval.reject(desk, request, KEN, " \u3000")) == "no_reason"
    assert approval.reject(desk, request, KEN, "ask for half") == Ruling(request, "rejected")
    (entry,) = entries(desk, "rejected")
    assert json.loads(entry.beside_text or "") == {"by": KEN, "why": "ask for half"}
    assert reserved(desk) == [(0.0, 0)]
    (again,) = ask(desk, BIG).responses
    assert (again.id, again.known, [one.code for one in again.warnings]) == (request, True, ["was_rejected"])
    assert code(approval.approve(desk, request, KEN)) == "not_held"
    assert state(desk, request) == "rejected"


def test_the_same_sheet_while_it_is_held_is_known_and_still_held(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    (again,) = ask(desk, BIG).responses
    assert (again.id, again.known, [one.code for one in again.warnings]) == (request, True, ["still_held"])
    assert len(entries(desk, "held")) == 1
    assert reserved(desk) == [(24.0, 1)]


def test_an_edit_takes_the_place_of_what_is_held_and_gives_back_its_budget(desk: Desk) -> None:
    first = ask_one(desk, Wanted("big", gpus=4, hours=6, named="form:1"))
    second = ask_one(desk, Wanted("big", gpus=2, hours=8, named="form:1"))
    assert (state(desk, first), state(desk, second)) == ("superseded", "held")
    assert reserved(desk) == [(0.0, 0), (16.0, 1)]
    assert code(approval.approve(desk, first, KEN)) == "not_held"
    assert approval.approve(desk, second, KEN).state == "queued"
    assert [one.key for one in entries(desk, "superseded")] == [f"superseded:{first}:{second}"]


def test_an_edit_that_is_denied_leaves_what_is_held_as_it_is(desk: Desk) -> None:
    set_rules(desk, RULES + "  limits: {gpus_per_job: 4}\n")
    first = ask_one(desk, Wanted("big", gpus=4, hours=6, named="form:1"))
    second = ask_one(desk, Wanted("big", gpus=8, hours=6, named="form:1"))
    assert (state(desk, first), state(desk, second)) == ("held", "refused")
    third = ask_one(desk, Wanted("big", gpus=2, hours=6, named="form:1"))
    assert (state(desk, first), state(desk, third)) == ("superseded", "queued")


def test_what_nobody_approves_expires_and_may_be_handed_in_again(desk: Desk) -> None:
    set_rules(desk, RULES.replace("over_gpu_hours: 12", "over_gpu_hours: 12, expires_days: 0.000000001"))
    request = ask_one(desk, BIG)
    assert code(approval.approve(desk, request, KEN)) == "approval_expired"
    assert state(desk, request) == "expired"
    assert approval.expire(desk) == []
    set_rules(desk, RULES)
    (again,) = ask(desk, BIG).responses
    assert (again.id, again.known, state(desk, request)) == (request, False, "held")
    assert [one.key for one in entries(desk, "held", "expired")] == [
        f"held:{request}",
        f"expired:{request}",
        f"held:{request}:2",
    ]
    assert approval.approve(desk, request, KEN).state == "queued"


def test_expiry_ends_only_what_is_late_and_once(desk: Desk) -> None:
    kept = ask_one(desk, BIG)
    set_rules(desk, RULES.replace("over_gpu_hours: 12", "over_gpu_hours: 12, expires_days: 0.000000001"))
    late = ask_one(desk, Wanted("late", gpus=4, hours=6))
    assert approval.expire(desk) == [late]
    assert approval.expire(desk) == []
    assert (state(desk, kept), state(desk, late)) == ("held", "expired")
    (entry,) = entries(desk, "expired")
    assert (entry.detail, entry.beside_text) == ({"rule": 1}, "")


def test_whoever_hands_it_in_again_or_looks_finds_it_expired(desk: Desk) -> None:
    set_rules(desk, RULES.replace("over_gpu_hours: 12", "over_gpu_hours: 12, expires_days: 0.000000001"))
    request = ask_one(desk, BIG)
    assert ask_one(desk, BIG) == request
    assert [one.key for one in entries(desk, "held")] == [f"held:{request}", f"held:{request}:2"]
    (looked,) = next(one_machine.watched(desk, request, print, watch=False))
    assert looked.request.state == "expired"
    assert reserved(desk) == [(0.0, 0)]


def test_what_is_held_is_not_over_and_says_so_in_the_words_of_people(desk: Desk) -> None:
    found = standing.standing(desk, ask_one(desk, BIG))
    assert (found.over, found.receipt) == (False, "receipt_awaits")
    assert [text(found.receipt, one) for one in ("en", "ja")] == ["waits for an approval", "承認待ち"]


@pytest.mark.parametrize(
    ("rules", "said", "after"),
    [
        pytest.param(RULES + "  nonsense: 1\n", "no_policy", "held", id="a policy that cannot be read"),
        pytest.param(RULES.replace("*@example.com", "*@lab.example"), "not_allowed", "refused", id="no rule any more"),
        pytest.param(RULES + "  limits: {gpus_per_job: 2}\n", "over_gpus", "refused", id="a limit that came since"),
        pytest.param(
            RULES.replace('by: ["group:leads"]', 'by: ["user:mio"]'), "not_an_approver", "held", id="others approve"
        ),
        pytest.param(RULES.replace("leads: ", "others: "), "not_an_approver", "held", id="a group that is gone"),
    ],
)
def test_approving_asks_the_policy_as_it_is_now(desk: Desk, rules: str, said: str, after: str) -> None:
    request = ask_one(desk, BIG)
    set_rules(desk, rules)
    assert code(approval.approve(desk, request, KEN)) == said
    assert state(desk, request) == after
    assert entries(desk, "approved") == []
    assert reserved(desk) == ([(0.0, 0)] if after == "refused" else [(24.0, 1)])


def test_what_no_rule_allows_any_more_is_refused_when_an_operator_approves_it(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    set_rules(
        desk, RULES.replace("*@example.com", "*@lab.example").replace("rules:\n", 'operators: ["github:77"]\nrules:\n')
    )
    assert code(approval.approve(desk, request, KEN)) == "not_allowed"
    assert state(desk, request) == "refused"
    (entry,) = entries(desk, "denied")
    assert (entry.detail["rule"], json.loads(entry.beside_text or "")["by"]) == (None, KEN)


def rule_on(desk: Desk, request: str, how: str) -> None:
    if how == "approve":
        approval.approve(desk, request, KEN)
    elif how == "reject":
        approval.reject(desk, request, KEN, "too long")
    else:
        approval.withdraw(desk, request, AYA)


@pytest.mark.parametrize(
    ("how", "gpus", "after"),
    [("approve", 4, "approved"), ("reject", 4, "rejected"), ("withdraw", 4, "stopped"), ("withdraw", 1, "stopping")],
    ids=["approved", "rejected", "withdrawn", "stopped"],
)
def test_who_rules_by_a_policy_that_has_changed_is_preceded_by_an_entry_that_says_so_once(
    desk: Desk, how: str, gpus: int, after: str
) -> None:
    request = ask_one(desk, Wanted("one", gpus=gpus, hours=6))
    set_rules(desk, RULES + "# changed\n")
    rule_on(desk, request, how)
    changed, ruled = entries(desk, "changed")[-1], entries(desk, after)[0]
    sha256 = hashlib.sha256((desk.folder / POLICY).read_bytes()).hexdigest()
    assert (changed.detail, changed.seq < ruled.seq) == ({"what": "policy", "sha256": sha256}, True)
    assert len([one for one in entries(desk, "changed") if one.detail["what"] == "policy"]) == 2
    ask(desk, Wanted("another"))
    assert entries(desk, "changed")[-1] == changed


def test_what_is_denied_again_after_it_was_held_is_an_entry_again(desk: Desk) -> None:
    set_rules(desk, RULES.replace("  approve:", "  limits: {open_jobs: 1}\n  approve:").replace("}\n", "}\n"))
    hinders = ask_one(desk, Wanted("small"))
    request = ask_one(desk, BIG)
    assert state(desk, request) == "refused"
    approval.withdraw(desk, hinders, AYA)
    assert (ask_one(desk, BIG), state(desk, request)) == (request, "held")
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE holding SET expires = '2026-01-01T00:00:00+00:00'")
    assert approval.expire(desk) == [request]
    ask_one(desk, Wanted("another"))
    for _ in range(2):
        assert (ask_one(desk, BIG), state(desk, request)) == (request, "refused")
    first, held, expired, again = entries(desk, "denied", "held", "expired")
    assert (first.action, held.action, expired.action) == ("denied", "held", "expired")
    assert (again.action, again.key) == ("denied", f"{first.key}:1")


def test_a_rule_that_asks_for_no_approval_any_more_lets_any_approver_or_operator_release_it(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    free = RULES.replace(
        "  approve: {over_gpu_hours: 12",
        "- who: [unverified]\n  kinds: [none]\n  queues: [none]\n  approve: {always: true",
    )
    set_rules(desk, free)
    assert code(approval.approve(desk, request, MIO)) == "not_an_approver"
    assert approval.approve(desk, request, KEN).state == "queued"


def test_a_held_request_whose_earlier_version_runs_waits_for_it_after_it_was_approved(desk: Desk) -> None:
    first = ask_one(desk, Wanted("big", gpus=1, hours=6, named="form:1"))
    with desk.ledger() as ledger, ledger.writing() as tx:  # a worker has taken it
        tx.execute("UPDATE local_queue SET state = 'running', started_at = '2026-01-01T00:00:00+00:00'")
    second = ask_one(desk, Wanted("big", gpus=4, hours=6, named="form:1"))
    assert (state(desk, first), state(desk, second)) == ("queued", "held")
    approval.approve(desk, second, KEN)
    with desk.ledger() as ledger:
        assert [run.state for run in ledger.runs(second)] == ["held"]
    assert [one.key for one in entries(desk, "held")] == [f"held:{second}", f"held:{second}.1"]


def test_who_asked_was_erased_so_nobody_can_tell_whether_they_approve_their_own(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("DELETE FROM asked")
    assert code(approval.approve(desk, request, KEN)) == "nobody_asked"


@pytest.mark.parametrize(
    ("subject", "operators", "done"),
    [
        pytest.param(AYA, "[]", True, id="who asked"),
        pytest.param("user:aya", '["github:77"]', True, id="who asked, under another name"),
        pytest.param(KEN, '["github:77"]', True, id="an operator"),
        pytest.param(MIO, "[]", True, id="a user of the machine where no operators are named"),
        pytest.param(MIO, '["github:77"]', False, id="a user of the machine where operators are named"),
        pytest.param("mail:bob@example.com", "[]", False, id="another person"),
        pytest.param("unverified", "[]", False, id="nobody"),
    ],
)
@pytest.mark.parametrize("size", [pytest.param(1, id="queued"), pytest.param(4, id="held")])
def test_who_asked_and_the_operators_end_a_request(
    desk: Desk, subject: str, operators: str, done: bool, size: int
) -> None:
    set_rules(desk, RULES.replace("rules:\n", f"operators: {operators}\nrules:\n"))
    request = ask_one(desk, Wanted("one", gpus=size, hours=6))
    before = state(desk, request)
    ruling = approval.withdraw(desk, request, subject)
    assert code(ruling) == ("" if done else "not_yours_to_stop")
    assert ruling.state == state(desk, request) == ("stopped" if done else before)
    if done:
        assert reserved(desk) == [(0.0, 0)]
        asked = [one for one in entries(desk, "stopping", "stopped") if one.beside_text]
        assert [json.loads(one.beside_text or "") for one in asked] == [{"by": subject, "why": ""}]
        assert code(approval.withdraw(desk, request, subject)) == "nothing_to_stop"


def test_what_was_withdrawn_before_it_was_approved_stays_so(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    approval.withdraw(desk, request, AYA)
    (again,) = ask(desk, BIG).responses
    assert (again.id, again.known, state(desk, request)) == (request, True, "stopped")


def test_a_broken_policy_lets_only_who_asked_end_a_request(desk: Desk) -> None:
    request = ask_one(desk, BIG)
    set_rules(desk, "nonsense")
    assert code(approval.withdraw(desk, request, MIO)) == "not_yours_to_stop"
    assert approval.withdraw(desk, request, AYA).state == "stopped"
