"""kill -9 of submit and of the worker at random moments: nothing accepted is lost, nothing runs twice, corrected sheets or not.

The job only counts its start. 50 moments; 200, and the same with real training: ``make kills``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from submit.desk import LEDGER
from submit.ledger import RequestRow, open_ledger, verify
from tests.desks import command, counting, counting_again, denpyo, desk_in, environment, starts
from tests.desks.kills import kill_rounds

KILLS = int(os.environ.get("KILLS", "50"))
FIRST = [f"n{number}" for number in range(KILLS // 2)]
SECOND = {f"n{number}": f"n{number}-2" for number in range(KILLS // 5)}
NEXT = SECOND | {f"n{number}-2": f"n{number}-3" for number in range(KILLS // 13)}
"""Which version comes after which."""
ASKED = re.compile(r"^job:\n  name: (\S+)$", re.MULTILINE)
LONGEST = {"submit": 1.5, "work": 2.0}
"""At most after how many times what an undisturbed submission takes here and now: on a busy machine all would die on its way in."""
AT_MOST = 1.5
"""Seconds that this is taken to be."""
SEED = 20261121


def kept(desk: Path) -> dict[str, RequestRow]:
    """The requests that have a slip, by the name that they count under."""
    with open_ledger(desk / LEDGER) as ledger:
        rows = [row for row in ledger.requests() if row.slip]
        return {ASKED.findall((ledger.folder / str(row.slip)).read_text(encoding="utf-8"))[0]: row for row in rows}


class Edits:
    """Corrected sheets, each with the receipt of the version before it, as soon as that was accepted."""

    def __init__(self, desk: Path) -> None:
        self.desk, self.files = desk, dict[str, Path]()

    def __call__(self) -> list[Path]:
        for name, row in kept(self.desk).items():
            after = NEXT.get(name)
            if after and after not in self.files:
                self.files[after] = counting_again(self.desk.parent, after, row.id, seconds=0.05)
        return [*self.files.values()]


@pytest.mark.slow
@pytest.mark.untraced
def test_killed_at_many_moments_every_accepted_request_runs_once_or_was_replaced_before_it_ran(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk").folder
    files = [counting(tmp_path, name, seconds=0.05) for name in FIRST]
    edits, began = Edits(desk), time.monotonic()
    denpyo("submit", *files[:3], desk=desk)
    takes = min(time.monotonic() - began, AT_MOST)
    tally = kill_rounds(desk, files, KILLS, SEED, {name: times * takes for name, times in LONGEST.items()}, edits)
    assert tally.kills >= KILLS
    assert min(tally.submit, tally.work) >= KILLS // 4
    assert set(NEXT.values()) & set(kept(desk)), "no corrected sheet came through"

    submitted = json.loads(denpyo("submit", *files, "--json", desk=desk).stdout)
    assert submitted["problems"] == []
    assert len({request["id"] for request in submitted["requests"]}) == len(FIRST)
    for _ in range(2):
        denpyo("submit", *edits(), desk=desk)
    denpyo("work", "--drain", desk=desk)

    states = {name: row.state for name, row in kept(desk).items()}
    assert set(states) == {*FIRST, *NEXT.values()}
    assert set(states.values()) == {"done", "superseded"}
    assert [name for name, state in states.items() if state == "superseded" and name not in NEXT] == []
    assert starts(tmp_path) == {name: 1 for name, state in states.items() if state == "done"}
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
