"""What a run came from, as far as this machine can tell: the commit of the checkout, and the lock file that its libraries agree with."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK_VARIABLE = "DENPYO_LOCK"
LOCKS = ("requirements/jobs.txt", "requirements/core.txt")
SECONDS = 30
PINNED = re.compile(r"(?m)^([A-Za-z0-9][A-Za-z0-9._-]*)==([^ ;\\\n]+)( *;)?")


def commit(root: Path = ROOT) -> str | None:
    """The commit that ``root`` is checked out at, 40 hex digits, and ``-dirty`` behind it where a tracked file differs; None where
    ``root`` itself is no checkout of git's."""
    if not (root / ".git").exists():
        return None  # an installation inside of some other checkout
    words = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None if said.returncode == 0 else None


def lock_sha256(root: Path = ROOT) -> str | None:
    """The SHA-256 of the lock file (``DENPYO_LOCK``, else those of a checkout) whose every library is installed here in just that
    version; None where there is none."""
    named = os.environ.get(LOCK_VARIABLE)
    for file in [Path(named)] if named else [root / one for one in LOCKS]:
        data = file.read_bytes() if file.is_file() else b""
        if data and _agrees(data.decode("utf-8", "replace")):
            return hashlib.sha256(data).hexdigest()
    return None


def lock_of(requirements: str, root: Path = ROOT) -> Path | None:
    """The lock file of this checkout that pins just what these lines do; None where none does."""
    wanted = PINNED.findall(requirements)
    files = sorted((root / "requirements").glob("*.txt")) if wanted else []
    return next((one for one in files if PINNED.findall(one.read_text(encoding="utf-8")) == wanted), None)


def _agrees(lock: str) -> bool:
    """A library with a marker may be missing here, and may be pinned once a platform."""
    pins: dict[str, set[str]] = {}
    needed = set()
    for name, version, marker in PINNED.findall(lock):
        pins.setdefault(name, set()).add(version)
        if not marker:
            needed.add(name)
    installed = {name: _version(name) for name in pins}
    return bool(pins) and all(found in pins[name] if found else name not in needed for name, found in installed.items())


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
