"""Who may read what a desk writes: its owner alone, wherever people's text may stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from submit.desk import LEDGER, DeskError, open_desk, secret
from tests.desks import counting, denpyo, desk_in

MADE_FOR_OTHERS = ("kinds", "schemas", "in", "denpyo.toml", "audit.pub", "policy.schema.json")
"""What a desk makes for people to read, drop into or edit."""


def test_whatever_a_desk_writes_about_people_is_for_its_owner_alone(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    config = desk.folder / "denpyo.toml"
    config.write_text(
        f'{config.read_text(encoding="utf-8")}\n[sources.in]\nkind = "folder"\npath = "in"\n', encoding="utf-8"
    )
    (desk.folder / "in").mkdir()
    shutil.move(counting(tmp_path, "one"), desk.folder / "in" / "one.yaml")
    denpyo("watch", "--once", desk=desk.folder)
    denpyo("work", "--drain", desk=desk.folder)
    denpyo("audit", "backup", "-o", desk.folder / "backup", desk=desk.folder)
    found = {
        one.relative_to(desk.folder).as_posix(): one.stat().st_mode & 0o077
        for one in desk.folder.rglob("*")
        if not one.is_symlink() and one.relative_to(desk.folder).parts[0] not in MADE_FOR_OTHERS
    }
    assert {name: oct(mode) for name, mode in found.items() if mode} == {}
    assert {"watch.json", "watch.lock", "policy.yaml", "backup", f"{LEDGER}/lock"} <= found.keys()
    assert any(name.endswith("/summary.html") for name in found)


def test_it_does_not_hang_on_the_umask(tmp_path: Path) -> None:
    script = "import os; os.umask(0); from submit.new_desk import make_desk; from pathlib import Path; make_desk(Path('desk'))"
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    held = [tmp_path / "desk" / "policy.yaml", *(tmp_path / "desk" / LEDGER).rglob("*"), tmp_path / "desk" / LEDGER]
    assert {oct(one.stat().st_mode & 0o077) for one in held} == {"0o0"}
    made = {one.relative_to(tmp_path).as_posix(): one.stat().st_mode & 0o7777 for one in tmp_path.rglob("*")}
    assert {name: oct(mode) for name, mode in made.items() if mode & 0o022} == {}
    assert (made["desk"], made["desk/kinds"], made["desk/denpyo.toml"]) == (0o755, 0o755, 0o644)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o601])
def test_a_secret_that_others_may_read_is_refused_before_it_is_read(mode: int, tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    file = desk.folder / "secret"
    file.write_text("kanaria", encoding="utf-8")
    file.chmod(mode)
    config = desk.folder / "denpyo.toml"
    config.write_text(f'{config.read_text(encoding="utf-8")}\n[secrets]\nx = "secret"\n', encoding="utf-8")
    with pytest.raises(DeskError, match=r"^secrets\.x: \S+ must be a regular file of your own with mode 0600$"):
        open_desk(desk.folder)
    file.chmod(0o600)
    assert secret(open_desk(desk.folder), "x") == "kanaria"


@pytest.mark.parametrize("what", ["link", "folder", "pipe"])
def test_a_secret_that_is_no_plain_file_is_refused(what: str, tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    file, real = desk.folder / "secret", desk.folder / "real"
    real.write_text("kanaria", encoding="utf-8")
    real.chmod(0o600)
    if what == "link":
        file.symlink_to(real)
    elif what == "folder":
        file.mkdir()
    else:
        os.mkfifo(file, 0o600)
    config = desk.folder / "denpyo.toml"
    config.write_text(f'{config.read_text(encoding="utf-8")}\n[secrets]\nx = "secret"\n', encoding="utf-8")
    with pytest.raises(DeskError, match=r"must be a regular file of your own with mode 0600$"):
        open_desk(desk.folder)
