"""The units of examples/systemd/ and the line for cron: ones that systemd takes, and commands that do their work on a real desk."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.desks import counting, desk_in, starts
from tests.examples.repository import ROOT, bash

UNITS = ROOT / "examples/systemd"
SERVICES = sorted(UNITS.glob("*.service"))
PROGRAM, DESK = "/opt/denpyo/bin/denpyo", "/srv/denpyo/desk"


def settings(unit: Path) -> dict[str, str]:
    """The settings of a unit; none of ours says one twice."""
    found = [
        line.partition("=") for line in unit.read_text(encoding="utf-8").splitlines() if re.match(r"[A-Z]\w+=", line)
    ]
    assert len({name for name, _, _ in found}) == len(found)
    return {name: value for name, _, value in found}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_units_are_ones_that_systemd_takes(tmp_path: Path) -> None:
    for unit in [*SERVICES, *UNITS.glob("*.timer")]:
        text = unit.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_unit_may_write_to_the_desk_alone(unit: Path) -> None:
    found = settings(unit)
    assert (found["User"], found["ProtectSystem"], found["ProtectHome"]) == ("denpyo", "strict", "yes")
    assert (found["ReadWritePaths"], found["Environment"]) == ("/srv/denpyo", f"DENPYO_DESK={DESK}")
    assert (found["NoNewPrivileges"], found["CapabilityBoundingSet"], found["UMask"]) == ("yes", "", "0077")


def test_the_timer_names_its_service() -> None:
    assert settings(UNITS / "denpyo-watch-once.timer")["OnCalendar"] == "*:0/5"
    assert settings(UNITS / "denpyo-watch-once.service")["Type"] == "oneshot"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    made = desk_in(tmp_path / "desk").folder
    with (made / "denpyo.toml").open("a", encoding="utf-8") as toml:
        toml.write('[sources.drop]\nkind = "folder"\npath = "drop"\nevery = 1\n')
    (made / "drop").mkdir()
    shutil.move(counting(tmp_path, "dropped"), made / "drop")
    return made


@contextmanager
def started(command: str, desk: Path) -> Iterator[subprocess.Popen[str]]:
    """A long-running command in a shell that is replaced by it, as systemd starts it; ended by SIGTERM, as systemd ends it."""
    bash("true", desk, {})  # it puts denpyo beside the desk
    environment = {**os.environ, "DENPYO_DESK": str(desk), "PATH": f"{desk.parent / 'bin'}:{os.environ['PATH']}"}
    process = subprocess.Popen(command.split(), env=environment, text=True, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def command(unit: Path) -> str:
    return settings(unit)["ExecStart"].replace(PROGRAM, "denpyo")


def until(there: Path) -> None:
    deadline = time.monotonic() + 60
    while not there.exists():
        assert time.monotonic() < deadline, there
        time.sleep(0.1)


@pytest.mark.untraced
def test_the_command_of_each_unit_does_its_work(desk: Path, tmp_path: Path) -> None:
    taken = desk / "drop" / "done" / "dropped.yaml"
    with started(command(UNITS / "denpyo-watch.service"), desk) as watching:
        until(taken)
    assert watching.returncode == 0
    with started(command(UNITS / "denpyo-work.service"), desk):
        until(tmp_path / "starts")
    assert starts(tmp_path) == {"dropped": 1}


@pytest.mark.untraced
@pytest.mark.parametrize("where", ["systemd", "cron"])
def test_one_look_takes_what_lies_there(desk: Path, where: str) -> None:
    *_, line = (UNITS / "denpyo.cron").read_text(encoding="utf-8").splitlines()
    five, user, words = re.fullmatch(r"(\S+ \S+ \S+ \S+ \S+) (\S+) (.+)", line).groups()  # type: ignore[union-attr]
    assert (five, user) == ("*/5 * * * *", "denpyo")
    said = command(UNITS / "denpyo-watch-once.service") if where == "systemd" else words.replace(PROGRAM, "denpyo")
    done = bash(said, desk, {"DENPYO_DESK": str(desk)})
    assert (done.returncode, done.stderr) == (0, "")
    assert (desk / "drop" / "done" / "dropped.yaml").exists()
