"""The tamper table in small: what must be found is, and what cannot be found is not said to be."""

from __future__ import annotations

from pathlib import Path

from benchmarks.tamper import CHANGES, table, tried, unexpected
from submit.ledger import verify


def test_whatever_lies_before_a_kept_checkpoint_is_found_and_a_careful_insider_only_by_that(tmp_path: Path) -> None:
    found = tried(tmp_path, tries=2, seed=7)
    assert unexpected(found) == []
    for what in CHANGES:
        assert found[(what, "careful", "before", "found")] == 2
        assert found[(what, "careful", "before", "alone")] == 0
        assert found[(what, "careful", "after", "found")] == 0, "the docs say that nothing shows this"
        assert found[(what, "careless", "after", "alone")] == 2
    assert len(table(found)) == 9
    assert verify(tmp_path / "desk" / "ledger").ok


def test_what_was_not_found_is_counted_as_such(tmp_path: Path) -> None:
    found = tried(tmp_path, tries=1, seed=7)
    found[("swap", "careful", "before", "found")] = 0
    assert unexpected(found) == ["swap, careful, before the checkpoint: 0 of 1"]
