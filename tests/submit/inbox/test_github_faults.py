"""What goes wrong between a desk and GitHub: said in one line, and made good by a later look."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from submit import journey, watch
from submit.desk import CONFIG, Desk, DeskError, open_desk
from submit.inbox import open_inbox
from submit.response import Wishes
from tests.desks import desk_in
from tests.submit.inbox.github_desks import (
    DENPYO,
    HANAKO,
    ROOT,
    TOKEN,
    comments,
    counting,
    down,
    looked,
    states,
    with_source,
)
from tests.submit.inbox.github_service import Answer, Service, answered, serving

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


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service("example/jobs", {TOKEN: DENPYO})) as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    return with_source(desk_in(tmp_path / "desk"), service.url)


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


def test_killed_at_any_moment_every_issue_is_one_request_with_one_comment(desk: Desk, service: Service) -> None:
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(f"{config}every = 0.2\n", encoding="utf-8")
    issues = [service.opened(HANAKO, counting(desk, name=f"run-{number}"), "denpyo") for number in range(6)]
    chance = random.Random(20261121)  # noqa: S311
    for _ in range(4):
        before = len(service.called)
        watching = subprocess.Popen([sys.executable, "-m", "denpyo", "watch", "--desk", str(desk.folder)], cwd=ROOT)
        try:
            deadline = time.monotonic() + 60
            while len(service.called) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 1.5))
        finally:
            watching.kill()
            watching.wait()
    looked(desk)
    assert len(states(desk)) == 6
    assert [len(issue.comments) for issue in issues] == [1] * 6


def test_a_token_that_others_may_read_is_refused_before_it_is_read(desk: Desk, service: Service) -> None:
    (desk.folder / "github.token").chmod(0o644)
    with pytest.raises(DeskError, match=r"secrets\.github: .* must be a regular file of your own with mode 0600"):
        open_desk(desk.folder)


def test_a_token_that_is_no_secret_is_the_operators_to_mend(desk: Desk) -> None:
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(config.replace('token = "github"', 'token = "other"'), encoding="utf-8")
    seen = watch.watch(open_desk(desk.folder), lambda source, outcome: None, once=True)
    assert seen["issues"].error == "sources.issues: token is not the name of an entry of [secrets]"


def test_a_token_file_that_is_empty_is_the_operators_to_mend(desk: Desk) -> None:
    (desk.folder / "github.token").write_text(" \n", encoding="utf-8")
    seen = watch.watch(open_desk(desk.folder), lambda source, outcome: None, once=True)
    assert seen["issues"].error == f"secrets.github: {desk.folder / 'github.token'} is empty"


def test_an_address_without_encryption_is_for_this_machine_alone(desk: Desk, service: Service) -> None:
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    (desk.folder / CONFIG).write_text(config.replace(service.url, "http://github.example"), encoding="utf-8")
    with pytest.raises(DeskError, match=r"sources\.issues\.url"):
        open_desk(desk.folder)
