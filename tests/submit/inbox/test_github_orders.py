"""Orders in comments of an issue: whose they are, which request they mean, and what is heard of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.desk import Desk, now
from submit.inbox import open_inbox
from submit.replies.order_lines import first_line
from tests.desks import desk_in
from tests.submit.inbox.github_desks import (
    DENPYO,
    HANAKO,
    STRANGER,
    TARO,
    TOKEN,
    comments,
    counting,
    looked,
    with_source,
)
from tests.submit.inbox.github_service import Account, Issue, Service, serving

ROBOT = Account("robot", 77, "Bot")


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service("example/jobs", {TOKEN: DENPYO})) as found:
        found.clock = now()
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    return with_source(desk_in(tmp_path / "desk"), service.url)


@pytest.fixture
def issue(desk: Desk, service: Service) -> Issue:
    """One that was accepted and answered, as it stands afterwards."""
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
    assert ordered(desk) == [("approve", "not_allowed")]
    assert len(issue.comments) == 2
    (line,) = below(issue)
    assert line.startswith("- [approve](https://github.com/example/jobs/issues/1#issuecomment-IC_1_1) ")


def test_however_often_a_stranger_orders_our_comment_stays_one_and_short(
    desk: Desk, service: Service, issue: Issue
) -> None:
    for _ in range(12):
        service.said(issue, STRANGER, "/approve")
    looked(desk)
    service.said(issue, STRANGER, "/reject @taro #1 <img src=x>")
    looked(desk)
    assert len([one for one in issue.comments if one.author == DENPYO]) == 1
    assert len(below(issue)) == 5
    assert len(ordered(desk)) == 13
    assert "@taro" not in issue.comments[0].body


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
    ],
)
def test_what_is_quoted_code_or_in_the_middle_orders_nothing(body: str) -> None:
    assert first_line(body) is None


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
