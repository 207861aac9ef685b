"""Whether somebody looks at the sources of a desk: what a container's health check asks."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import denpyo
from submit.desk import Desk, open_desk
from submit.inbox.health import FILE, LOCK, Board, Health, unwatched
from submit.ledger.files import held
from submit.new_desk import make_desk

SOURCE = '[sources.drop]\nkind = "folder"\npath = "drop"\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = make_desk(tmp_path / "desk").folder
    with (folder / "denpyo.toml").open("a", encoding="utf-8") as toml:
        toml.write(SOURCE)
    return open_desk(folder)


def test_a_desk_without_sources_needs_nobody_to_watch_it(tmp_path: Path) -> None:
    assert unwatched(make_desk(tmp_path / "desk")) == ""


def test_sources_that_nobody_looks_at_are_said(desk: Desk) -> None:
    assert unwatched(desk) == "nobody watches the sources"
    words = ["status", "--inbox", "--desk", str(desk.folder)]
    assert CliRunner().invoke(denpyo.app, words).exit_code == 0
    done = CliRunner().invoke(denpyo.app, [*words, "--check"])
    assert (done.exit_code, done.stderr) == (3, "denpyo: nobody watches the sources\n")


def test_a_source_that_is_down_is_no_fault_of_who_watches(desk: Desk) -> None:
    with held(desk.folder / LOCK, 0):
        assert unwatched(desk) == ""  # it has only just begun
        Board(desk, {"drop": Health("folder", error="no such folder")}).write(at_once=True)
        assert unwatched(desk) == ""
        done = CliRunner().invoke(denpyo.app, ["status", "--inbox", "--check", "--desk", str(desk.folder)])
    assert done.exit_code == 0
    assert "DOWN: no such folder" in done.stdout


def test_a_watch_that_has_hung_is_said(desk: Desk) -> None:
    with held(desk.folder / LOCK, 0):
        Board(desk, {"drop": Health("folder")}).write(at_once=True)
        long_ago = time.time() - 1000.4
        os.utime(desk.folder / FILE, (long_ago, long_ago))
        assert unwatched(desk) == "watch has said nothing for 1000 seconds"
