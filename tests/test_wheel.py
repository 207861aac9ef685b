"""An installed wheel holds all that it needs, the demo's dataset too, and no file of somebody's folder is run by mistake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.untraced
ROOT = Path(__file__).parent.parent
TOP_LEVEL = {"denpyo.py", "commands", "schema", "generators", "submit", "jobs"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder of their own, as an installer lays them out."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(
        build, check=True, capture_output=True, env={**os.environ, "DIST_EXTRA_CONFIG": str(_build_elsewhere(folder))}
    )
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _build_elsewhere(folder: Path) -> Path:
    """setuptools would leave its build folder in the checkout."""
    config = folder / "setup.cfg"
    config.write_text(f"[build]\nbuild_base = {folder / 'build'}\n[egg_info]\negg_base = {folder}\n", encoding="utf-8")
    return config


@pytest.mark.slow
def test_the_wheel_brings_no_top_level_name_but_ours(installed: Path) -> None:
    assert {one.name for one in installed.iterdir() if not one.name.endswith(".dist-info")} == TOP_LEVEL


TASK = """
import sys
from pathlib import Path
from submit.desk import Config, Desk
from submit.engines import clearml_task
pinned = {"repository": "https://example.jp/denpyo.git", "commit": "0" * 40}
script = clearml_task.script(Desk(Path(), Config.model_validate({"clearml": pinned}), {}))
sys.stdout.write(script["requirements"]["pip"])
"""


@pytest.mark.slow
def test_a_task_made_from_the_wheel_says_what_to_install_as_one_from_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    words, environment = [sys.executable, "-P", "-c", TASK], {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    lock = (ROOT / "requirements" / "task.txt").read_text(encoding="utf-8")
    assert (done.stderr, done.stdout) == ("", re.sub(r" --hash=\S+", "", lock))


@pytest.mark.slow
def test_the_demo_runs_from_the_wheel_in_a_folder_with_modules_of_our_names(installed: Path, tmp_path: Path) -> None:
    for name in ("schema.py", "jobs.py"):
        (tmp_path / name).write_text("raise SystemExit('somebody else was run')\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", "-m", "denpyo", "demo", "--json", "--desk", str(tmp_path / "desk")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "done"
