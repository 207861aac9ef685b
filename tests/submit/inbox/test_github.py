"""Issues of GitHub: read once each, in whosever name they were last written, and answered by one comment."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from generators import issue_form
from submit import journey, standing, watch
from submit.desk import CONFIG, LEDGER, POLICY, Desk, DeskError, open_desk
from submit.inbox import open_inbox
from submit.inbox.health import inbox_data
from submit.judging import Outcome
from submit.kept_slip import slip_text
from submit.ledger import verify
from submit.response import Wishes
from tests.desks import desk_in
from tests.generators.github_issues import body
from tests.submit.inbox.github_service import Account, Answer, Issue, Service, answered, serving

ROOT = Path(__file__).parents[3]
TOKEN = "canary-github_pat_11AAAA"  # noqa: S105
DENPYO, HANAKO, TARO = Account("denpyo-desk", 1), Account("hanako", 583231), Account("taro", 9919)
STRANGER = Account("stranger", 42)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service("example/jobs", {TOKEN: DENPYO})) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    return with_source(desk_in(tmp_path / "desk"), service.url)


def with_source(desk: Desk, url: str, mode: int = 0o600) -> Desk:
    secret = desk.folder / "github.token"
    secret.write_text(f"{TOKEN}\n", encoding="utf-8")
    secret.chmod(mode)
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    source = f'[sources.issues]\nkind = "github"\nrepository = "example/jobs"\ntoken = "github"\nurl = "{url}"\n'
    text = f'{config.partition("[secrets]")[0]}\n[secrets]\ngithub = "github.token"\n{source}'
    (desk.folder / CONFIG).write_text(text, encoding="utf-8")
    with (desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['github:583231', 'github:9919']\n  kinds: ['*']\n  queues: ['*']\n")
    return open_desk(desk.folder)


def counting(desk: Desk, name: str = "one", seconds: str = "0", language: str = "en") -> str:
    form = issue_form.write(desk.kinds["count_starts"].form, language)
    elements = {"name": name, "file": str(desk.folder.parent / "starts"), "seconds": seconds}
    return body(form, elements)


def looked(desk: Desk) -> list[Outcome]:
    heard: list[Outcome] = []
    watch.watch(desk, lambda source, outcome: heard.append(outcome), once=True)
    assert verify(desk.folder / LEDGER).ok
    return heard


def down(desk: Desk) -> str:
    return str(inbox_data(desk)["sources"]["issues"]["error"])


def slips(desk: Desk) -> list[dict[str, Any]]:
    rows = [one.request for one in standing.all_standing(desk)]
    return [yaml.safe_load(slip_text(desk, row) or "{}") for row in rows]


def states(desk: Desk) -> list[tuple[str, str]]:
    rows = [one.request.state for one in standing.all_standing(desk)]
    return [(slip["requested_by"]["name"], state) for slip, state in zip(slips(desk), rows, strict=True)]


def comments(issue: Issue) -> list[str]:
    return [one.body for one in issue.comments]


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
    assert said.split("\n", 1)[1].split("<sub>")[0] == (
        "### To be corrected: 1\n"
        "\n"
        "**Line 11**\n"
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


def test_the_comment_speaks_the_language_of_the_form(desk: Desk, service: Service) -> None:
    issue = service.opened(HANAKO, counting(desk, seconds="秒", language="ja"), "denpyo")
    looked(desk)
    (said,) = comments(issue)
    assert "### 直していただきたいところ：1件\n\n**11行目**\n\n```text\n秒\n```\n\n「秒」は数値ではありません。" in said


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


def test_a_request_in_yaml_is_taken_as_it_stands(desk: Desk, service: Service) -> None:
    (desk.folder / "datasets").mkdir(exist_ok=True)
    (desk.folder / "datasets" / "my-dataset-001").symlink_to(ROOT / "examples" / "datasets" / "wine")
    service.opened(
        HANAKO,
        "```yaml\nlearning_type: supervised\nalgorithm: random_forest\ndataset_id: my-dataset-001\nhyperparameters:\n"
        "  n_estimators: 100\n  max_depth: 10\n  min_samples_split: 2\nevaluation_threshold: 0.85\nmax_retry: 3\n```",
        "denpyo",
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


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
MISSING = "Resource not accessible by personal access token"
LIMITED = "API rate limit exceeded for user ID 1."
FAULTS: dict[str, tuple[Answer, str]] = {
    "an error of the server": (answered(500, {"message": "Server Error"}), "GitHub: 500 Server Error"),
    "a page of HTML": ((502, {}, b"<html>Unicorn!</html>"), "GitHub: 502 GithubException"),
    "the rate limit": (
        answered(200, {"errors": [{"type": "RATE_LIMITED", "message": LIMITED}]}),
        f"GitHub: 400 {LIMITED}",
    ),
    "the secondary rate limit": (answered(403, {"message": SECONDARY}), f"GitHub: 403 {SECONDARY}"),
    "a token that was taken back": (answered(401, {"message": "Bad credentials"}), "GitHub: 401 Bad credentials"),
    "a right that is missing": (answered(403, {"message": MISSING}), f"GitHub: 403 {MISSING}"),
    "nothing there": (answered(404, {"message": "Not Found"}), "GitHub: 404 Not Found"),
    "what cannot be processed": (answered(422, {"message": "Validation Failed"}), "GitHub: 422 Validation Failed"),
    "a truncated answer": (
        (200, {}, b'{"data": {"repos'),
        "GitHub answers in a way that is not understood here",
    ),
    "an answer cut off": ((200, {"Content-Length": "999"}, b"{"), "GitHub does not answer: ChunkedEncodingError"),
    "another shape": ((200, {}, b'{"data": 1}'), "GitHub answers in a way that is not understood here"),
}
AFTER = ("an error of the server", "an answer cut off")
"""Faults in which the work may have been done all the same."""


@pytest.mark.parametrize(
    ("fault", "said", "done"),
    [*((*one, False) for one in FAULTS.values()), *((*FAULTS[name], True) for name in AFTER)],
    ids=[*FAULTS, *(f"{name}, after it worked" for name in AFTER)],
)
def test_a_fault_of_the_service_is_one_line_and_a_later_look_goes_on(
    desk: Desk, service: Service, capfd: pytest.CaptureFixture[str], fault: Answer, said: str, done: bool
) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    for well in range(3):  # then the reading of issues fails, that of comments, and the comment itself
        service.faults = [*[None] * well, (fault, done)]
        looked(desk)
        if well < 2 or not done:
            assert down(desk) == said
    service.faults = []
    looked(desk)
    assert down(desk) == ""
    assert (len(states(desk)), len(issue.comments)) == (1, 1)
    kept = b"".join(
        file.read_bytes() for file in desk.folder.rglob("*") if file.is_file() and file.name != "github.token"
    )
    assert TOKEN.encode() not in kept
    assert TOKEN not in "".join(capfd.readouterr())


def test_a_server_that_is_gone_is_one_line(desk: Desk, service: Service) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(config.replace(service.url, f"http://127.0.0.1:{port}"), encoding="utf-8")
    there = open_desk(desk.folder)
    looked(there)
    assert down(there) == "GitHub does not answer: ConnectionError"


@pytest.mark.parametrize("killed", ["before the answer", "before the place"])
def test_killed_in_between_nothing_is_taken_or_said_twice(desk: Desk, service: Service, killed: str) -> None:
    issue = service.opened(HANAKO, counting(desk), "denpyo")
    inbox = open_inbox(desk, "issues", desk.config.sources["issues"])
    (delivery,) = inbox.look("")
    outcome = journey.submit(desk, delivery.sources, Wishes())
    if killed == "before the place":
        delivery.settle(outcome)
    looked(desk)
    assert (len(states(desk)), len(issue.comments)) == (1, 1)
    assert f"### Accepted as `{outcome.requests[0].id}`" in comments(issue)[0]


def test_a_token_that_others_may_read_is_refused_before_it_is_read(desk: Desk, service: Service) -> None:
    (desk.folder / "github.token").chmod(0o644)
    with pytest.raises(DeskError, match=r"secrets\.github: .* must be a regular file of your own with mode 0600"):
        open_desk(desk.folder)


def test_a_token_that_is_no_secret_is_the_operators_to_mend(desk: Desk) -> None:
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(config.replace('token = "github"', 'token = "other"'), encoding="utf-8")
    with pytest.raises(DeskError, match=r"sources\.issues: token names no file in \[secrets\]: other"):
        watch.watch(open_desk(desk.folder), lambda source, outcome: None, once=True)


def test_an_address_without_encryption_is_for_this_machine_alone(desk: Desk, service: Service) -> None:
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(config.replace(service.url, "http://github.example"), encoding="utf-8")
    with pytest.raises(DeskError, match=r"sources\.issues\.github\.url"):
        open_desk(desk.folder)
