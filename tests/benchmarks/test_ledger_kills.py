"""The thousand kills in small, and that they are counted by somebody who sees a loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ledger_kills import Tally, killed, rounds, wrongs
from submit.desk import LEDGER
from tests.desks import desk_in


@pytest.mark.slow
@pytest.mark.untraced
def test_killed_at_random_moments_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    tally = rounds(desk, kills=30, seed=7)
    assert sum(tally.killed.values()) >= 30
    assert wrongs(desk, tally) == []
    assert tally.keys


def test_what_was_lost_is_seen(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    (tmp_path / "backups").mkdir()
    lost = Tally(keys=["a1-0.0"], requests={"7k3m-9qx2-b4td"})
    (tmp_path / "starts").write_text("twice\ntwice\n", encoding="utf-8")
    assert wrongs(desk, lost) == [
        "entry a1-0.0 is lost",
        "request 7k3m-9qx2-b4td is lost",
        "twice ran 2 times",
        "0 requests are done, 1 ran",
    ]


def test_a_child_that_ends_by_itself_is_not_counted_as_killed(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    assert killed(desk, "work", "w1", 5.0) == (False, [])
    assert (desk.folder / LEDGER / "ledger.sqlite").exists()
