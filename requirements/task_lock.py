"""Writes ``task.txt``, what an agent installs for a task: the extras jobs and clearml, for Linux, from CPython 3.11 on. Needs uv.

One line a requirement, with the hashes of its wheels and without a marker. A task carries the lines without the hashes, because
clearml-agent 3.0.3 breaks hashes, markers and continued lines; with them, whoever installs once and for all checks what comes.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
PYTHONS, MACHINES = ("3.11", "3.12", "3.13"), ("x86_64", "aarch64")
WANTED = ("pyproject.toml", "--extra", "jobs", "--extra", "clearml")


def wheels(python: str, machine: str, constraint: Path) -> dict[str, set[str]]:
    """What is installed on one platform: the SHA-256 of its wheels by ``name==version``."""
    made = HERE / "pylock.task.toml"
    platform = ["--python-version", python, "--python-platform", f"{machine}-manylinux_2_28"]
    words = ["uv", "pip", "compile", "-q", *platform, "--no-header", *WANTED, "-c", str(constraint), "-o", str(made)]
    try:
        subprocess.run(words, check=True)  # noqa: S603
        found = tomllib.loads(made.read_text(encoding="utf-8"))["packages"]
    finally:
        made.unlink(missing_ok=True)
    return {f"{one['name']}=={one['version']}": {it["hashes"]["sha256"] for it in one["wheels"]} for one in found}


def main() -> None:
    """The oldest Python decides the versions; the others must do with the same."""
    target, constraint = HERE / "task.txt", HERE / "dev.txt"
    hashes: dict[str, set[str]] = {}
    for python in PYTHONS:
        for machine in MACHINES:
            for pinned, found in wheels(python, machine, constraint).items():
                hashes.setdefault(pinned, set()).update(found)
            if constraint != target:
                constraint = target
                target.write_text("".join(f"{pinned}\n" for pinned in sorted(hashes)), encoding="utf-8")
    lines = (
        " ".join([pinned, *(f"--hash=sha256:{one}" for one in sorted(hashes[pinned]))]) for pinned in sorted(hashes)
    )
    target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
