from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from submit.ledger import create, open_ledger, verify

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "ledger")
    return tmp_path / "ledger"


def start(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.submit.ledger.kill", str(folder), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kept(process: subprocess.Popen[str]) -> list[str]:
    """The keys that it was told are new, each on a line that it could finish."""
    with process:
        assert process.stdout is not None
        lines = process.stdout.readlines()
    return [line.split()[0] for line in lines if line.endswith(" True\n")]


def test_two_processes_write_at_once_and_nothing_is_lost(folder: Path) -> None:
    first, second = start(folder, "a", 60), start(folder, "b", 60)
    keys = kept(first) + kept(second)
    with open_ledger(folder) as ledger:
        assert sorted(keys) == sorted(entry.key for entry in ledger.entries())
    assert len(keys) == 200
    verdict = verify(folder)
    assert (verdict.ok, verdict.entries, verdict.unrecorded) == (True, 200, ())


def test_two_processes_with_the_same_keys_keep_each_once(folder: Path) -> None:
    first, second = start(folder, "a", 60), start(folder, "a", 60)
    keys = kept(first) + kept(second)
    assert len(keys) == len(set(keys)) == 100
    assert verify(folder).ok


def test_a_writer_that_is_killed_has_lost_nothing_it_was_told_is_kept(folder: Path) -> None:
    keys: list[str] = []
    for attempt in range(30):
        process = start(folder, f"n{attempt}", 10_000)
        assert process.stdout is not None
        keys.append(process.stdout.readline().split()[0])
        time.sleep(attempt * 0.0017)
        process.kill()
        keys += kept(process)
        assert verify(folder).ok
    with open_ledger(folder) as ledger:
        assert [key for key in keys if not ledger.has(key)] == []
    assert len(keys) > 30
