"""Desks for tests: a real one in a folder of the test's own, with a kind whose job only counts its start."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from generators.excel import RESPONSE, template
from generators.excel.cells import read_cells
from generators.excel.template import Filled
from schema import kinds as registry
from submit.desk import Desk, open_desk
from submit.new_desk import make_desk

KINDS = Path(__file__).parent / "kinds"
CLONED_FROM, COMMIT = "file:///srv/git/denpyo.git", "0123456789abcdef0123456789abcdef01234567"


def desk_in(folder: Path) -> Desk:
    """A new desk that knows ``count_starts``."""
    made = make_desk(folder)
    shutil.copytree(KINDS, made.folder / "kinds", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return open_desk(folder)


def clearml_desk_in(folder: Path, more: str = "") -> Desk:
    """A new desk whose runs go to ClearML; which server, the environment says."""
    made = desk_in(folder)
    config = made.folder / "denpyo.toml"
    written = config.read_text(encoding="utf-8").replace('engine = "local" ', 'engine = "clearml" ')
    config.write_text(
        f'{written}\n[clearml]\nrepository = "{CLONED_FROM}"\ncommit = "{COMMIT}"\n{more}', encoding="utf-8"
    )
    return open_desk(folder)


def counting(folder: Path, name: str, seconds: float = 0, code: int = 0, more: str = "") -> Path:
    """A document that asks for one counted start."""
    file = folder / f"{name}.yaml"
    file.write_text(
        f"kind: count_starts\njob:\n  name: {name}\n  file: {folder / 'starts'}\n  seconds: {seconds}\n  code: {code}\n{more}",
        encoding="utf-8",
    )
    return file


def counting_again(folder: Path, name: str, receipt: str, seconds: float = 0) -> Path:
    """A table, saved as CSV, whose one row carries a receipt and asks for a counted start under another name."""
    lines = [[*line] for line in _blank_table()]
    row = lines[-1]
    given = {"name": name, "file": str(folder / "starts"), "seconds": str(seconds), RESPONSE: receipt}
    for key, value in given.items():
        row[lines[0].index(key)] = value
    file = folder / f"{name}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(lines)
    return file


@cache
def _blank_table() -> tuple[tuple[str, ...], ...]:
    (form,) = [one.form for one in registry.load((KINDS,)).values() if one.name == "count_starts"]
    sheets = read_cells(template.write(form, "en", "table", [Filled({"name": "one"})], rows=1))
    assert isinstance(sheets, tuple)
    return sheets[0].rows


def starts(folder: Path) -> Counter[str]:
    file = folder / "starts"
    return Counter(file.read_text(encoding="utf-8").split()) if file.exists() else Counter()


def denpyo(
    *words: str | Path, desk: Path, code: int | None = 0, within: float = 120
) -> subprocess.CompletedProcess[str]:
    """The real command line in a process of its own. ``code`` is the exit code it must end with; None for any."""
    done = subprocess.run(
        command(*words), env=environment(desk), capture_output=True, text=True, check=False, timeout=within
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "denpyo", *map(str, words)]


def environment(desk: Path) -> dict[str, str]:
    return {**os.environ, "DENPYO_DESK": str(desk), "COLUMNS": "120", "NO_COLOR": "1"}
