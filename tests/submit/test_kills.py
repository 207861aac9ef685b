"""kill -9 of submit and of the worker at 200 random moments: nothing accepted is lost, nothing runs twice.

The job only counts its start. The same with real training: ``make kills``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from submit.desk import LEDGER
from submit.ledger import verify
from tests.desks import command, counting, denpyo, desk_in, environment, starts
from tests.desks.kills import kill_rounds

KILLS = 200
REQUESTS = 100
LONGEST = {"submit": 0.8, "work": 1.2}
SEED = 20261121


@pytest.mark.slow
def test_killed_at_200_moments_every_accepted_request_runs_exactly_once(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk").folder
    files = [counting(tmp_path, f"n{number}", seconds=0.05) for number in range(REQUESTS)]
    tally = kill_rounds(desk, files, KILLS, SEED, LONGEST)
    assert tally.kills == KILLS
    assert min(tally.submit, tally.work) > KILLS // 4

    submitted = json.loads(denpyo("submit", *files, "--json", desk=desk).stdout)
    assert submitted["problems"] == []
    assert len({request["id"] for request in submitted["requests"]}) == REQUESTS
    denpyo("work", "--drain", desk=desk)

    standing = json.loads(denpyo("status", "--json", desk=desk).stdout)["requests"]
    assert [request["state"] for request in standing] == ["done"] * REQUESTS
    assert starts(tmp_path) == {f"n{number}": 1 for number in range(REQUESTS)}
    verdict = verify(desk / LEDGER)
    assert verdict.ok, verdict.wrong


def test_a_worker_that_dies_leaves_its_job_alive_and_the_next_one_watches_it_to_its_end(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk").folder
    denpyo("submit", counting(tmp_path, "one", seconds=2), desk=desk)
    worker = subprocess.Popen(command("work", "--drain"), env=environment(desk), stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not starts(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    worker.kill()
    worker.wait()
    denpyo("work", "--drain", desk=desk)
    assert starts(tmp_path) == {"one": 1}
    assert json.loads(denpyo("status", "--json", desk=desk).stdout)["requests"][0]["state"] == "done"


def test_a_job_that_was_killed_is_reported_and_not_started_again(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk").folder
    request = json.loads(denpyo("submit", counting(tmp_path, "one", seconds=30), "--json", desk=desk).stdout)[
        "requests"
    ][0]["id"]
    worker = subprocess.Popen(command("work", "--drain"), env=environment(desk), stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not starts(tmp_path) and time.monotonic() < until:
        time.sleep(0.02)
    job = int((desk / LEDGER / "runs" / f"{request}.1" / "alive").read_text())
    os.killpg(job, signal.SIGKILL)
    assert worker.wait(30) == 0
    denpyo("work", "--drain", desk=desk)
    found = json.loads(denpyo("status", request, "--json", desk=desk, code=None).stdout)
    assert (found["state"], found["result"]["code"]) == ("failed", "interrupted")
    assert starts(tmp_path) == {"one": 1}
