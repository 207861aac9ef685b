"""``python -m requirements.audit``: whether an advisory is known for anything that is locked; part of ``make check``.

pip-audit asks PyPI (https://docs.pypi.org/api/json/) for each. Where PyPI does not answer so, that is said in a line and is no failure. It
takes at most ``MOST`` seconds, and is not repeated for what was good within a day.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

LOCK, DONE = Path("requirements/dev.txt"), Path(".venv/audit.done")
PROBE = "https://pypi.org/pypi/pip/24.0/json"
PATIENCE, MOST, FRESH = 3.0, 60.0, 24 * 3600.0
COMMAND = ("-m", "pip_audit", "-r", str(LOCK), "--disable-pip", "--no-deps", "--progress-spinner", "off", "-f", "json")


def answers(url: str) -> bool:
    """Whether advisories can be asked for there."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - an address of ours
            return "vulnerabilities" in json.load(answer)
    except (OSError, ValueError):
        return False


def judged(told: str) -> tuple[int, list[str]]:
    """An exit code and lines for what pip-audit found, as JSON."""
    try:
        found: list[dict[str, Any]] = json.loads(told)["dependencies"]
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


def main(probe: str = PROBE, mark: Path = DONE) -> int:
    hashed = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if fresh(mark, hashed):
        return 0
    if not answers(probe):
        print("not audited: PyPI does not tell of advisories here")
        return 0
    try:
        done = subprocess.run([sys.executable, *COMMAND], capture_output=True, text=True, check=False, timeout=MOST)  # noqa: S603
        code, lines = judged(done.stdout)
    except subprocess.TimeoutExpired:
        code, lines = 0, [f"not audited: no answer within {MOST:.0f} seconds"]
    print("\n".join(lines))
    if lines[0].startswith("audited"):
        mark.write_text(hashed)
    return code


if __name__ == "__main__":
    sys.exit(main())
