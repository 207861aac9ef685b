"""``python -m requirements.audit``: whether an advisory is known for anything that is locked; part of ``make check``.

pip-audit asks its service for each. Some indexes answer without advisories, which it takes for none: so it is first asked of a release
with known ones. Where none are told, that is said in a line and is no failure. It takes at most ``PATIENCE`` and ``MOST`` seconds, and
is not repeated for what was good within a day.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOCK, DONE = Path("requirements/dev.txt"), Path(".venv/audit.done")
KNOWN = "jinja2==2.4.1\n"
"""A release against which advisories are known (PYSEC-2014-8)."""
PATIENCE, MOST, FRESH = 10.0, 60.0, 24 * 3600.0
OPTIONS = ("--disable-pip", "--no-deps", "--timeout", "3", "--progress-spinner", "off", "-f", "json")


def asked(requirements: Path, seconds: float) -> str:
    """What pip-audit says of a file of requirements, as JSON; "" where it did not answer in time."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements), *OPTIONS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)  # noqa: S603
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def told() -> bool:
    """Whether advisories can be asked for here."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(KNOWN)
        file.flush()
        return judged(asked(Path(file.name), PATIENCE))[0] == 1


def judged(said: str) -> tuple[int, list[str]]:
    """An exit code and lines for what pip-audit found, as JSON."""
    try:
        found: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError):
        return 0, ["not audited: pip-audit could not ask for advisories"]
    known = [
        f"{one['name']} {one['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'no version yet'}"
        for one in found
        for each in one.get("vulns", ())
    ]
    left_out = sum("skip_reason" in one for one in found)
    if known:
        return 1, known
    if left_out == len(found):
        return 0, ["not audited: no package could be asked for"]
    more = f", {left_out} could not be asked for" if left_out else ""
    return 0, [f"audited: nothing is known against {len(found) - left_out} packages{more}"]


def fresh(mark: Path, hashed: str) -> bool:
    return mark.exists() and mark.read_text() == hashed and time.time() - mark.stat().st_mtime < FRESH


def main(told: Callable[[], bool] = told, mark: Path = DONE) -> int:
    hashed = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if fresh(mark, hashed):
        return 0
    if not told():
        print("not audited: nobody tells of advisories here")
        return 0
    code, lines = judged(asked(LOCK, MOST))
    print("\n".join(lines))
    if lines[0].startswith("audited"):
        mark.write_text(hashed)
    return code


if __name__ == "__main__":
    sys.exit(main())
