"""Where a desk is made, and where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from submit.desk import DeskError
from submit.new_desk import made_or_there, make_desk
from tests.desks import denpyo


def test_a_desk_is_made_around_an_empty_folder_for_its_ledger(tmp_path: Path) -> None:
    (tmp_path / "desk" / "ledger").mkdir(parents=True)
    assert make_desk(tmp_path / "desk").folder == tmp_path / "desk"


def test_a_ledger_without_its_desk_is_left_alone(tmp_path: Path) -> None:
    (make_desk(tmp_path / "desk").folder / "denpyo.toml").unlink()
    with pytest.raises(DeskError, match="has a desk already"):
        made_or_there(tmp_path / "desk")


def test_run_makes_a_desk_only_where_it_is_told_to(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("kind: nothing\njob: {}\n", encoding="utf-8")
    alone = denpyo("run", file, desk=tmp_path / "desk", code=2)
    assert alone.stderr == f"denpyo: no desk in {tmp_path / 'desk'}/: run `denpyo init` or name one with --desk\n"
    first = denpyo("run", "--make-desk", file, desk=tmp_path / "desk", code=1)
    again = denpyo("run", "--make-desk", file, desk=tmp_path / "desk", code=1)
    assert (tmp_path / "desk" / "denpyo.toml").exists()
    assert "[unknown_kind]" in first.stderr
    assert "[unknown_kind]" in again.stderr
