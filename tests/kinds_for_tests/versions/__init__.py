"""One kind as three versions of it stood, so that genuine forms of every version can be made: v1.py, v2.py, and v3.py with its history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from schema.kinds import Kind, load

FOLDER = Path(__file__).parent


def _kinds(version: int) -> Mapping[str, Kind]:
    """Every version's file is loaded under the name of the kind, as it lay on the desk of its time."""
    with TemporaryDirectory() as folder:
        copyfile(FOLDER / f"v{version}.py", Path(folder, "growing.py"))
        return load([Path(folder)])


AT: Mapping[int, Mapping[str, Kind]] = {version: _kinds(version) for version in (1, 2, 3)}
"""The shipped kinds and the growing one, by the growing one's version."""
