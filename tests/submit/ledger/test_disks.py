from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from submit import standing
from submit.desk import LEDGER
from submit.ledger import create, open_ledger, verify
from tests.desks import counting, denpyo, desk_in, starts
from tests.submit.disks import can_mount, on_a_small_disk


def test_a_full_disk_loses_nothing_that_was_kept_and_work_goes_on_when_there_is_room(tmp_path: Path) -> None:
    told = on_a_small_disk("full", tmp_path / "disk")
    assert (told["good"], told["lost"]) == ([True, True], [])
    assert told["kept"] > 100
    assert any(word in told["said"] for word in ("full", "No space left", "I/O error", "too large"))


@pytest.mark.skipif(not can_mount(), reason="nobody may mount a disk here")
def test_a_submission_and_a_backup_onto_a_full_disk_are_a_line_each_and_leave_nothing_behind(tmp_path: Path) -> None:
    told = on_a_small_disk("full_desk", tmp_path / "disk")
    code, said, backup_code, backup_said = told["told"]
    assert (code, backup_code) == (2, 2)
    assert said.endswith((": No space left on device\n", ": database or disk is full\n"))
    assert said.count("\n") == backup_said.count("\n") == 1
    assert (told["left"], told["states"], told["good"]) == ([], ["queued"], True)


@pytest.mark.skipif(not can_mount() and os.getuid() == 0, reason="root may write what nobody may, and may not mount")
def test_a_read_only_disk_is_a_line_and_can_still_be_verified(tmp_path: Path) -> None:
    told = on_a_small_disk("read_only", tmp_path / "disk")
    assert told["code"] == 2
    assert told["said"].startswith("denpyo: ")
    assert told["said"].count("\n") == 1
    if can_mount():
        assert told["audit"] == [0, "good:"]


def test_when_the_clock_goes_back_entries_keep_their_order_and_their_times_as_they_were_told(tmp_path: Path) -> None:
    create(tmp_path)
    times = ["2026-11-21T07:00:00Z", "2026-11-21T06:00:00Z", "1970-01-01T00:00:00Z", "2026-11-21T07:00:01Z"]
    with open_ledger(tmp_path) as ledger:
        for number, at in enumerate(times):
            with ledger.writing() as tx:
                tx.append(f"k{number}", "noted", at=at, user="dk")
        assert [(entry.seq, entry.at) for entry in ledger.entries()] == list(enumerate(times, 1))
    assert verify(tmp_path).ok


def test_times_of_tomorrow_in_the_record_stop_no_run_and_lose_none(tmp_path: Path) -> None:
    """As a clock that was a day ahead, and was set right, leaves them."""
    desk = desk_in(tmp_path / "desk")
    denpyo("submit", counting(tmp_path, "one"), desk=desk.folder)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE runs SET updated_at = '2126-11-22T07:00:00.000+00:00'")
        tx.execute("UPDATE requests SET updated_at = '2126-11-22T07:00:00.000+00:00'")
        tx.execute("UPDATE local_queue SET queued_at = '2126-11-22T07:00:00.000+00:00'")
    (waiting,) = standing.all_standing(desk)
    folder = desk.runs / f"{waiting.request.id}.1"
    folder.mkdir(mode=0o700, parents=True)
    denpyo("work", "--drain", desk=desk.folder)
    os.utime(folder / "started", (time.time() + 86_400,) * 2)
    denpyo("work", "--drain", desk=desk.folder)
    denpyo("status", desk=desk.folder)
    (after,) = standing.all_standing(desk)
    assert (after.request.state, starts(tmp_path)) == ("done", {"one": 1})
    assert verify(desk.folder / LEDGER).ok
