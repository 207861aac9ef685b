"""Orders in comments of an issue: whose they are, which request they mean, and what is heard of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from submit import approval
from submit.desk import Desk, now
from submit.inbox import open_inbox
from submit.orders import Order
from submit.replies.order_lines import first_line
from tests.desks import desk_in
from tests.desks.asking import entries, set_rules
from tests.submit.inbox.github_desks import (
    DENPYO,
    HANAKO,
    STRANGER,
    TARO,
    TOKEN,
    comments,
    counting,
    looked,
    states,
    with_source,
)
from tests.submit.inbox.github_service import Account, Issue, Service, serving

ROBOT = Account("robot", 77, "Bot")
RULES = """\
version: 1
rules:
- who: ["github:583231"]
  kinds: ["*"]
  queues: ["*"]
  approve: {always: true, by: ["github:9919", "github:583231"], expires_days: 7}
"""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service("example/jobs", {TOKEN: DENPYO})) as found:
        found.clock = now()
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    made = with_source(desk_in(tmp_path / "desk"), service.url)
    set_rules(made, RULES)
    return made


@pytest.fixture
def issue(desk: Desk, service: Service) -> Issue:
    """One whose request is held, as it stands once it is answered."""
    made = service.opened(HANAKO, counting(desk), "denpyo")
    looked(desk)
    return made


def ordered(desk: Desk) -> list[tuple[str, str]]:
    """What was ordered, and the code of what kept it from being done."""
    with desk.ledger() as ledger:
        return [(one.detail["order"], one.detail["code"]) for one in ledger.entries() if one.action == "ordered"]


def below(issue: Issue) -> list[str]:
    """The lines on orders below our comment."""
    (said,) = (one.body for one in issue.comments if one.author == DENPYO)
    return [line for line in said.split("<!-- denpyo orders -->")[-1].split("\n") if line.startswith("- ")]


def test_who_may_not_hears_so_below_the_one_comment_and_once(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, STRANGER, "/approve")
    for _ in range(3):
        looked(desk)
    assert ordered(desk) == [("approve", "not_an_approver")]
    assert len(issue.comments) == 2
    (line,) = below(issue)
    assert line.startswith("- [approve](https://github.com/example/jobs/issues/1#issuecomment-IC_1_1) ")


def test_a_permitted_person_approves_below_the_issue_and_the_request_runs(
    desk: Desk, service: Service, issue: Issue
) -> None:
    assert states(desk) == [("hanako (github:583231)", "held")]
    service.said(issue, TARO, "/approve\r\n \n")
    for _ in range(2):
        looked(desk)
    assert states(desk) == [("hanako (github:583231)", "queued")]
    assert ordered(desk) == [("approve", "")]
    (approved,) = entries(desk, "approved")
    assert json.loads(approved.beside_text or "") == {"by": "github:9919", "why": ""}
    (line,) = below(issue)
    assert line.endswith(f" {approved.request} was approved.")
    assert len(issue.comments) == 2


def test_who_asked_never_approves_it_not_even_where_the_policy_names_them(
    desk: Desk, service: Service, issue: Issue
) -> None:
    service.said(issue, HANAKO, "/approve")
    looked(desk)
    assert (ordered(desk), states(desk)[0][1]) == ([("approve", "own_request")], "held")


def test_a_rejection_keeps_its_reason_beside_the_tree_and_needs_one(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, TARO, "/reject")
    service.said(issue, TARO, "／却下　今月は空きがありません")
    looked(desk)
    assert ordered(desk) == [("reject", "no_reason"), ("reject", "")]
    assert states(desk)[0][1] == "rejected"
    (rejected,) = entries(desk, "rejected")
    assert json.loads(rejected.beside_text or "")["why"] == "今月は空きがありません"


def test_whoever_asked_cancels_and_nobody_else_does(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, STRANGER, "/cancel")
    looked(desk)
    assert (ordered(desk), states(desk)[0][1]) == ([("cancel", "not_yours_to_stop")], "held")
    service.said(issue, HANAKO, "/取消")
    looked(desk)
    assert (ordered(desk)[1:], states(desk)[0][1]) == ([("cancel", "")], "stopped")
    service.said(issue, TARO, "/approve")
    looked(desk)
    assert (ordered(desk)[2:], states(desk)[0][1]) == ([("approve", "not_held")], "stopped")


def test_an_approval_that_comes_too_late_changes_nothing(desk: Desk, service: Service) -> None:
    set_rules(desk, RULES.replace("expires_days: 7", "expires_days: 0.000001"))
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    looked(desk)
    service.clock = now() + timedelta(seconds=1)  # however long this took: not before the hold
    service.said(issue, TARO, "/approve")
    looked(desk)
    assert ordered(desk)[0][1] in ("approval_expired", "not_held")
    assert states(desk)[0][1] == "expired"


def test_two_who_order_at_once_are_both_heard_and_one_wins(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, TARO, "/reject too much")
    service.said(issue, TARO, "/approve")
    service.said(issue, HANAKO, "/cancel")
    looked(desk)
    assert ordered(desk) == [("reject", ""), ("approve", "not_held"), ("cancel", "nothing_to_stop")]
    assert states(desk)[0][1] == "rejected"
    assert len(below(issue)) == 3


def test_killed_after_the_ruling_the_order_is_answered_as_done(desk: Desk, service: Service, issue: Issue) -> None:
    """The entry of the order is the last thing that is written: without it the comment is read again."""
    (held,) = entries(desk, "held")
    approval.approve(desk, str(held.request), "github:9919")
    service.said(issue, TARO, "/approve")
    looked(desk)
    assert ordered(desk) == [("approve", "")]
    assert below(issue)[0].endswith(" was approved.")
    assert len(entries(desk, "approved")) == 1


def test_an_approval_of_one_version_never_counts_for_the_next(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, TARO, "/approve")
    service.edited(issue, HANAKO, counting(desk, seconds="1"))
    looked(desk)
    assert sorted(state for _, state in states(desk)) == ["held", "superseded"]
    assert ordered(desk) == [("approve", "order_before")]
    service.said(issue, TARO, "/approve")
    looked(desk)
    assert sorted(state for _, state in states(desk)) == ["queued", "superseded"]


def test_an_order_from_before_it_was_held_is_to_be_said_again(desk: Desk, service: Service) -> None:
    service.clock = now() - timedelta(hours=1)
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    service.said(issue, TARO, "/approve")
    looked(desk)
    assert (ordered(desk), states(desk)[0][1]) == ([("approve", "order_before")], "held")


def test_however_often_a_stranger_orders_our_comment_stays_one_and_short(
    desk: Desk, service: Service, issue: Issue
) -> None:
    for _ in range(12):
        service.said(issue, STRANGER, "/approve")
    looked(desk)
    service.said(issue, STRANGER, "/reject @taro #1 <img src=x>")
    looked(desk)
    assert len([one for one in issue.comments if one.author == DENPYO]) == 1
    assert len(below(issue)) == 1
    assert ordered(desk) == [("approve", "not_an_approver")]
    assert "@taro" not in issue.comments[0].body


def test_four_hundred_outsiders_leave_one_entry_and_keep_nobody_who_may_from_it(
    desk: Desk, service: Service, issue: Issue
) -> None:
    for number in range(200):
        service.said(issue, Account(f"outsider{number}", 1000 + number), "/approve")
    service.said(issue, TARO, "/approve")
    for number in range(200, 400):
        service.said(issue, Account(f"outsider{number}", 1000 + number), "/cancel")
    looked(desk)
    assert ordered(desk) == [("approve", "not_an_approver"), ("approve", "")]
    assert (states(desk)[0][1], len(below(issue))) == ("queued", 2)
    service.said(issue, STRANGER, "/approve")
    looked(desk)
    assert (len(ordered(desk)), len(below(issue))) == (2, 2)


def test_of_one_who_may_the_newest_fifty_orders_of_an_issue_are_carried_out(
    desk: Desk, service: Service, issue: Issue
) -> None:
    for _ in range(60):
        service.said(issue, HANAKO, "/approve")
    service.said(issue, HANAKO, "/cancel")
    looked(desk)
    assert ordered(desk) == [*[("approve", "own_request")] * 49, ("cancel", "")]


def test_who_asked_cancels_though_the_policy_names_them_no_more(desk: Desk, service: Service, issue: Issue) -> None:
    set_rules(desk, RULES.replace("583231", "9919"))
    service.said(issue, STRANGER, "/cancel")
    service.said(issue, HANAKO, "/cancel")
    looked(desk)
    assert ordered(desk) == [("cancel", "not_yours_to_stop"), ("cancel", "")]


@pytest.mark.parametrize(
    "body",
    [
        "> /approve",
        "```\n/approve\n```",
        "    /approve",
        "\t/approve",
        "`/approve`",
        "I would\n/approve",
        "<!-- -->/approve",
        "approve",
        "Please do not /approve this",
        "\u00a0\u00a0\u00a0\u00a0/approve",
        "\u3000/approve",
        " /approve",
        "\ufeff/approve",
    ],
)
def test_what_is_quoted_code_or_in_the_middle_orders_nothing(body: str) -> None:
    assert first_line(body) is None


@pytest.mark.parametrize("below", ["if it takes four hours at most", "> yes?\nNo.", "<!-- x -->", "/reject too long"])
def test_whoever_goes_on_below_an_approval_is_asked_back(
    desk: Desk, service: Service, issue: Issue, below: str
) -> None:
    service.said(issue, TARO, f"/approve\n\n{below}")
    looked(desk)
    assert (ordered(desk), states(desk)[0][1]) == ([("unclear", "order_unclear")], "held")


def test_a_reason_may_stand_below_a_rejection_and_a_cancellation() -> None:
    assert first_line("/reject too long\nfor this week") == Order("reject", "", "too long")
    assert first_line("/cancel\nI need the data set first.") == Order("cancel")


def test_neither_programs_nor_the_desk_itself_order_anything(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, ROBOT, "/approve")
    service.said(issue, DENPYO, "/approve")
    looked(desk)
    assert ordered(desk) == []


def test_a_comment_that_somebody_else_edited_counts_for_nobody(desk: Desk, service: Service, issue: Issue) -> None:
    said = service.said(issue, TARO, "Looks good")
    service.rewritten(issue, said, STRANGER, "/approve")
    looked(desk)
    assert ordered(desk) == [("approve", "order_edited")]


def test_an_order_that_is_older_than_the_text_of_the_issue_speaks_of_another_version(
    desk: Desk, service: Service, issue: Issue
) -> None:
    service.said(issue, HANAKO, "/cancel")
    service.edited(issue, HANAKO, counting(desk, seconds="1"))
    looked(desk)
    assert ordered(desk) == [("cancel", "order_before")]


def test_an_order_below_a_text_that_was_refused_has_nothing_to_rule_on(
    desk: Desk, service: Service, issue: Issue
) -> None:
    service.edited(issue, HANAKO, counting(desk, seconds="many"))
    service.said(issue, TARO, "/approve")
    looked(desk)
    assert ordered(desk) == [("approve", "order_no_request")]
    assert "still stands" in comments(issue)[0]


def test_an_order_that_names_another_request_is_not_carried_out(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, TARO, "/approve 0000-0000-0000")
    service.said(issue, TARO, "/approve when ready")
    looked(desk)
    assert ordered(desk) == [("approve", "order_other"), ("unclear", "order_unclear")]


def test_an_order_within_the_second_of_the_last_look_is_read(desk: Desk, service: Service, issue: Issue) -> None:
    inbox = open_inbox(desk, "issues", desk.config.sources["issues"])
    *_, last = inbox.look("")
    service.said(issue, TARO, "/approve")
    issue.updated = issue.comments[0].created  # GitHub tells the second alone
    place = json.loads(last.place) | {"since": issue.comments[0].created.strftime("%Y-%m-%dT%H:%M:%SZ")}
    (again,) = inbox.look(json.dumps(place))
    assert [one.order.action for one in again.orders] == ["approve"]


def test_an_edit_of_the_issue_keeps_what_was_said_of_orders(desk: Desk, service: Service, issue: Issue) -> None:
    service.said(issue, STRANGER, "/approve")
    looked(desk)
    before = below(issue)
    service.edited(issue, HANAKO, counting(desk, seconds="many"))
    looked(desk)
    assert "To be corrected: 1" in comments(issue)[0]
    assert below(issue) == before
