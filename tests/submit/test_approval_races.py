"""Two who decide at the same moment, and a process that dies between an approval and the hand-over: real processes, one outcome."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from submit import approval
from submit.desk import Desk, machine_user
from tests.desks import command, denpyo, environment, starts
from tests.desks.asking import AYA, Wanted, ask, ask_one, desk_with, entries, reserved, set_rules, state

RULES = f"""\
version: 1
rules:
- who: ["mail:*@example.com"]
  kinds: ["*"]
  queues: ["*"]
  approve: {{over_gpus: 1, by: ["user:{machine_user()}"]}}
"""
RULED = ("approved", "rejected", "stopped", "expired")
ROUNDS = 3


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, RULES)


def at_once(desk: Desk, *calls: tuple[str, ...]) -> list[int]:
    """The exit codes of commands that begin together."""
    going = [
        subprocess.Popen(
            command(*words), env=environment(desk.folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for words in calls
    ]
    return [one.wait(60) for one in going]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "other"),
    [
        pytest.param(("approve",), ("approve",), id="two who approve"),
        pytest.param(("approve",), ("reject", "--why", "no"), id="one approves, one rejects"),
        pytest.param(("reject", "--why", "no"), ("cancel",), id="one rejects, one cancels"),
    ],
)
def test_of_two_who_rule_at_once_one_wins_and_there_is_one_entry(
    desk: Desk, words: tuple[str, ...], other: tuple[str, ...]
) -> None:
    asked = [one.id for one in ask(desk, *(Wanted(f"n{number}", gpus=2) for number in range(ROUNDS))).responses]
    for request in asked:
        codes = at_once(desk, (*words, request), (*other, request))
        assert sorted(codes) == [0, 1]
    assert Counter(one.request for one in entries(desk, *RULED)) == dict.fromkeys(asked, 1)
    with desk.ledger() as ledger:
        assert all(len(ledger.runs(one)) == (state(desk, one) == "queued") for one in asked)
    assert all(
        held == ((2.0, 1) if state(desk, one) == "queued" else (0.0, 0))
        for one, held in zip(asked, reserved(desk), strict=True)
    )


@pytest.mark.slow
def test_approve_and_cancel_at_once_end_with_a_run_that_was_stopped_or_none(desk: Desk) -> None:
    request = ask_one(desk, Wanted("one", gpus=2))
    at_once(desk, ("approve", request), ("cancel", request))
    assert state(desk, request) == "stopped"
    assert reserved(desk) == [(0.0, 0)]
    denpyo("work", "--drain", desk=desk.folder)
    assert starts(desk.folder.parent) == {}


@pytest.mark.slow
def test_an_approval_in_the_second_of_expiry_is_one_or_the_other(desk: Desk) -> None:
    set_rules(desk, RULES.replace("over_gpus: 1", "over_gpus: 1, expires_days: 0.00002"))  # 1.7 seconds
    request = ask_one(desk, Wanted("one", gpus=2))
    time.sleep(0.5)
    at_once(desk, ("approve", request), ("status",), ("approve", request), ("status",))
    approval.expire(desk)
    ruled = [one.action for one in entries(desk, *RULED)]
    assert (ruled, state(desk, request)) in ((["approved"], "queued"), (["expired"], "expired"))


@pytest.mark.slow
def test_killed_between_the_approval_and_the_hand_over_it_runs_once(desk: Desk) -> None:
    """The lock that a hand-over takes is held by somebody else, so that the approval is written and the process waits there."""
    set_rules(desk, RULES.replace("over_gpus: 1", "over_hours: 0.5"))
    request = ask_one(desk, Wanted("one"))
    desk.runs.mkdir(exist_ok=True)
    blocker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)",
            str(desk.runs / "hand-off.local"),
        ],
        stdout=subprocess.PIPE,
    )
    assert blocker.stdout is not None
    assert blocker.stdout.readline() == b"held\n"
    approving = subprocess.Popen(command("approve", request), env=environment(desk.folder), stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not entries(desk, "approved") and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(approving.pid, signal.SIGKILL)
    approving.wait()
    blocker.kill()
    blocker.wait()
    blocker.stdout.close()
    assert state(desk, request) == "accepted"
    denpyo("work", "--drain", desk=desk.folder)
    denpyo("work", "--drain", desk=desk.folder)
    assert starts(desk.folder.parent) == {"one": 1}
    assert (state(desk, request), len(entries(desk, "approved", "queued"))) == ("done", 2)
    assert approval.approve(desk, request, AYA).problem is not None
