"""Steps beside the journey: whatever goes wrong in one is said once and stops nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from submit.aside import Aside
from submit.desk import Desk, DeskError
from submit.inbox import SourceDownError
from tests.desks import desk_in


def aside(desk: Desk, step: Callable[[Desk], None]) -> Aside:
    return Aside("answers", step, desk, threading.Event())


def test_what_is_wrong_is_said_once_for_as_long_as_it_is_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [SourceDownError("the server\nis away"), SourceDownError("the server\nis away"), None, DeskError("no")]

    def step(desk: Desk) -> None:
        if error := wrong.pop(0):
            raise error

    one = aside(desk_in(tmp_path / "desk"), step)
    for _ in range(4):
        one.turn()
    assert capsys.readouterr().err == "denpyo: answers: the server is away\ndenpyo: answers: no\n"


def test_a_bug_in_a_step_is_told_in_full_and_the_next_turn_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns: list[int] = []

    def step(desk: Desk) -> None:
        turns.append(1)
        raise ZeroDivisionError

    one = aside(desk_in(tmp_path / "desk"), step)
    one.turn()
    one.turn()
    assert len(turns) == 2
    said = capsys.readouterr().err
    assert said.count("Traceback") == 2
    assert said.count("denpyo: answers: ZeroDivisionError: a bug of denpyo") == 1


def test_a_step_ends_with_the_watch(tmp_path: Path) -> None:
    stop, began = threading.Event(), threading.Event()
    one = Aside("answers", lambda desk: began.set(), desk_in(tmp_path / "desk"), stop)
    one.thread.start()
    assert began.wait(10)
    stop.set()
    one.thread.join(10)
    assert not one.thread.is_alive()
