"""The one comment of an issue says what became of its request, and nothing in it is live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from submit import standing
from submit.desk import Desk
from submit.replies import foot
from submit.replies.github import with_state
from tests.desks import desk_in
from tests.submit.inbox.github_desks import DENPYO, HANAKO, TOKEN, comments, counting, looked, with_source
from tests.submit.inbox.github_service import Service, answered, serving
from tests.submit.replies.telling import Submitted, later, told

PARTING = re.compile(r"\n+<!-- end")
"""What is left of the lines around a checkpoint that was taken out."""


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service("example/jobs", {TOKEN: DENPYO})) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    return with_source(desk_in(tmp_path / "desk"), service.url)


def test_the_comment_of_an_issue_grows_what_became_of_its_request(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    one = Submitted(desk, [kept.id for kept in looked(desk)[0].requests])
    before = foot.without_details(comments(issue)[0])
    one.became("running")
    assert told(desk) == ""
    assert f"**Request {one.ids[0]} is running.**" in comments(issue)[0]
    one.became("done", metrics={"accuracy": 0.97, "@channel #1": 2}, passed=False)
    told(desk)
    said = PARTING.sub("\n<!-- end", foot.without_details(comments(issue)[0]))
    head, _, end = before.rstrip().rpartition("\n\n<sub>")
    assert said == (
        f"{head}\n\n<!-- state -->\n**Request {one.ids[0]} has finished.**\n\n"
        "- Accuracy: 0.97\n- \\@\u200bchannel \\#\u200b1: 2\n\n"
        "- What: Count starts\n- From: example/jobs\\#\u200b1\n- Threshold: not reached\n<!-- end of state -->"
        f"\n\n<sub>{end}\n"
    )


def test_what_became_of_it_stays_when_the_issue_is_looked_at_again(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    one = Submitted(desk, [kept.id for kept in looked(desk)[0].requests])
    wrong = [{"spot": "a.csv:3", "code": "x", "message": "<b> @taro"}]
    one.became("failed", reason="No data: @hanako #1 https://evil.example", problems=wrong)
    told(desk)
    said = comments(issue)
    assert "Why: No data: \\@\u200bhanako \\#\u200b1 https:\u200b//evil.example" in said[0]
    assert "\n\n- a.csv:3: \\<b\\> \\@\u200btaro\n\n" in said[0]
    looked(desk)
    looked(desk)
    assert told(desk) == ""
    assert comments(issue) == said


def test_a_comment_that_somebody_deleted_is_written_anew(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    one = Submitted(desk, [kept.id for kept in looked(desk)[0].requests])
    issue.comments.clear()
    one.became("done")
    told(desk)
    (said,) = comments(issue)
    assert said.startswith(
        f"<!-- denpyo accepted {one.ids[0]} - -->\n<!-- state -->\n**Request {one.ids[0]} has finished.**"
    )


def test_an_issue_that_was_edited_since_keeps_what_it_says_of_its_newest_version(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    looked(desk)
    told(desk)
    service.edited(issue, HANAKO, counting(desk, seconds="1"))
    (newer,) = looked(desk)[0].requests
    told(desk)  # the older one is superseded, and its comment answers for the newer one by now
    assert f"### Accepted as `{newer.id}`" in comments(issue)[0]
    assert "replaced by" not in comments(issue)[0]
    assert len(standing.all_standing(desk)) == 2


def test_github_that_does_not_answer_hears_it_later(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    one = Submitted(desk, [kept.id for kept in looked(desk)[0].requests])
    one.became("done")
    service.faults = [((500, {}, b""), False)]
    assert told(desk).startswith("GitHub: 500")
    later(desk)
    assert told(desk) == ""
    assert "has finished" in comments(issue)[0]


def test_issues_that_are_gone_are_given_up_and_keep_no_other_from_hearing(desk: Desk, service: Service) -> None:
    issues = [service.opened(HANAKO, counting(desk, name), "denpyo") for name in ("one", "two", "three")]
    Submitted(desk, [kept.id for outcome in looked(desk) for kept in outcome.requests]).became("done")
    for gone in issues[:2]:
        del service.issues[gone.number]
    heard = told(desk)
    assert heard.count("GitHub: 404 Could not resolve to a node with the global id of ") == 2
    assert sorted(re.findall(r"'(I_\d)'\.: given up; see `denpyo replies list`", heard)) == ["I_1", "I_2"]
    assert "has finished" in comments(issues[2])[0]
    later(desk)
    assert told(desk) == ""


def test_an_address_that_is_not_githubs_gives_nothing_up(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    Submitted(desk, [kept.id for kept in looked(desk)[0].requests]).became("done")
    service.faults = [(answered(404, {"message": "Not Found"}), False)]
    assert told(desk) == "GitHub: 404 Not Found"
    later(desk)
    assert told(desk) == ""
    assert "has finished" in comments(issue)[0]


def test_a_comment_of_another_request_is_left_alone() -> None:
    before = "<!-- denpyo accepted aaaa-bbbb-cccc 0 -->\n### Accepted"
    assert with_state(before, "dddd-eeee-ffff", "done") == before
