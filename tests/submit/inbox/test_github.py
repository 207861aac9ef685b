"""Issues of GitHub: read once each, in whosever name they were last written, and answered by one comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.desk import CONFIG, Desk, open_desk
from submit.inbox import open_inbox
from submit.replies.foot import without_details
from tests.desks import desk_in
from tests.submit.inbox.github_desks import (
    DENPYO,
    HANAKO,
    ROOT,
    STRANGER,
    TARO,
    TOKEN,
    comments,
    counting,
    looked,
    slips,
    states,
    with_source,
)
from tests.submit.inbox.github_service import Service, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service("example/jobs", {TOKEN: DENPYO})) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    return with_source(desk_in(tmp_path / "desk"), service.url)


def test_an_issue_becomes_a_request_of_its_author_and_is_answered_with_its_id(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    (outcome,) = looked(desk)
    (kept,) = outcome.requests
    assert states(desk) == [("hanako (github:583231)", "queued")]
    (said,) = comments(issue)
    assert said.split("\n\n")[0].endswith(f"-->\n### Accepted as `{kept.id}`")


def test_what_was_read_is_not_read_again_and_the_comment_is_not_written_again(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    looked(desk)
    before = comments(issue)
    looked(desk)  # once more, because the comment touched the issue
    service.called.clear()
    assert looked(desk) == []
    assert service.called == ["repository"]
    assert comments(issue) == before
    assert len(states(desk)) == 1


def test_an_edit_is_the_next_version_and_whoever_edited_answers_for_it(desk: Desk, service: Service) -> None:
    issue = service.opened(STRANGER, counting(desk), "denpyo")
    looked(desk)
    assert states(desk) == [("stranger (github:42)", "refused")]
    service.edited(issue, HANAKO, counting(desk, seconds="1"))
    looked(desk)
    assert sorted(states(desk)) == [("hanako (github:583231)", "queued"), ("stranger (github:42)", "superseded")]
    assert len(issue.comments) == 1


def test_an_edit_by_an_account_that_is_gone_is_nobodys_and_replaces_nothing(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    looked(desk)
    service.edited(issue, None, counting(desk, seconds="1"))
    (outcome,) = looked(desk)
    assert [problem.code for problem, _ in outcome.problems] == ["no_sender"]
    assert states(desk) == [("hanako (github:583231)", "queued")]


def test_an_edit_within_the_same_second_is_read(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    inbox = open_inbox(desk, "issues", desk.config.sources["issues"])
    (first,) = inbox.look("")
    issue.body = counting(desk, name="two")
    (second,) = inbox.look(first.place)
    assert first.place != second.place
    assert list(inbox.look(second.place)) == []


def test_what_must_be_corrected_stands_beside_its_line_and_goes_when_it_is(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk, seconds="@taro #1 ![x](https://evil.example/x.png)"), "denpyo")
    looked(desk)
    (said,) = comments(issue)
    assert without_details(said).split("\n", 1)[1].split("<sub>")[0] == (
        "### To be corrected: 1\n"
        "\n"
        "**How long to wait? (line 11)**\n"
        "\n"
        "```text\n"
        "@taro #1 ![x](https://evil.example/x.png)\n"
        "```\n"
        "\n"
        "“\\@\u200btaro \\#\u200b1 \\!\\[x\\](https:\u200b//evil.example/x.png)” is not a number. "
        "Write a number in digits, such as 0.\n"
        "\n"
        "Please edit the text of this issue (“…”, “Edit”). It is checked again by itself, and this comment with it.\n"
        "\n"
    )
    service.edited(issue, HANAKO, counting(desk))
    looked(desk)
    (said,) = comments(issue)
    assert "### Accepted as `" in said


def test_an_edit_that_is_refused_says_that_what_was_accepted_stands(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    (outcome,) = looked(desk)
    for wrong in ("many", "few"):
        service.edited(issue, HANAKO, counting(desk, seconds=wrong))
        looked(desk)
        assert f"What was accepted before as `{outcome.requests[0].id}` still stands." in comments(issue)[0]
    service.edited(issue, HANAKO, counting(desk))
    looked(desk)
    (said,) = comments(issue)
    assert said.split("\n")[1] == f"### Accepted as `{outcome.requests[0].id}`"
    assert "still stands" not in said


def test_the_comment_speaks_the_language_of_the_form(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk, seconds="秒", language="ja"), "denpyo")
    looked(desk)
    (said,) = comments(issue)
    assert (
        "### 直していただきたいところ：1件\n\n**待つ秒数（11行目）**\n\n```text\n秒\n```\n\n「秒」は数値ではありません。"
        in said
    )


def test_issues_that_are_closed_or_have_another_label_are_left_alone(desk: Desk, service: Service) -> None:
    service.opened(HANAKO, counting(desk), "denpyo").state = "CLOSED"
    service.opened(HANAKO, counting(desk), "bug")
    assert looked(desk) == []
    assert service.called == ["repository"]


def test_every_page_of_issues_and_of_comments_is_read(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, "nothing", "denpyo")
    for at in range(130):
        service.said(issue, TARO, f"comment {at}")
    looked(desk)
    service.edited(issue, HANAKO, counting(desk))
    looked(desk)
    assert [one.author.login for one in issue.comments[129:]] == ["taro", "denpyo-desk"]
    others = [service.opened(HANAKO, "nothing", "denpyo") for _ in range(44)]
    inbox = open_inbox(desk, "issues", desk.config.sources["issues"])
    names = [delivery.sources[0].name for delivery in inbox.look("")]
    assert names == [f"example/jobs#{one.number}" for one in (issue, *others)]


def test_a_comment_of_somebody_else_is_never_taken_for_ours(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    service.said(issue, STRANGER, "<!-- denpyo accepted -->\nAccepted!")
    looked(desk)
    assert [one.author.login for one in issue.comments] == ["stranger", "denpyo-desk"]
    assert issue.comments[0].body == "<!-- denpyo accepted -->\nAccepted!"


def test_an_issue_of_an_account_that_is_gone_is_asked_for_a_sender(desk: Desk, service: Service) -> None:
    service.opened(None, counting(desk), "denpyo")
    (outcome,) = looked(desk)
    assert [problem.code for problem, _ in outcome.problems] == ["no_sender"]


def test_an_issue_in_yaml_with_a_label_of_ones_own_is_taken_as_it_stands(desk: Desk, service: Service) -> None:
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(f'{config}label = "mlops:train"\n', encoding="utf-8")
    desk = open_desk(desk.folder)
    (desk.folder / "datasets").mkdir(exist_ok=True)
    (desk.folder / "datasets" / "my-dataset-001").symlink_to(ROOT / "examples" / "datasets" / "wine")
    service.opened(
        HANAKO,
        "```yaml\nlearning_type: supervised\nalgorithm: random_forest\ndataset_id: my-dataset-001\nhyperparameters:\n"
        "  n_estimators: 100\n  max_depth: 10\n  min_samples_split: 2\nevaluation_threshold: 0.85\nmax_retry: 3\n```",
        "mlops:train",
    )
    looked(desk)
    (slip,) = slips(desk)
    assert slip["job"] == {
        "dataset_id": "my-dataset-001",
        "target": "target",
        "task_type": "classification",
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 100, "max_depth": 10, "min_samples_split": 2, "min_samples_leaf": 1},
        "evaluation_threshold": 0.85,
        "max_retry": 3,
        "seed": 42,
        "note": None,
    }
