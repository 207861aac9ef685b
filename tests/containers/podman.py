"""podman with a store of its own, which builds from this machine's wheels and a base image of this machine's files. No registry is asked,
and no container has a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.containers.base_image import root

ROOT = Path(__file__).parents[2]
CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
[network]
network_backend = "netavark"
"""
"""What podman needs where it may neither raise limits nor ask systemd for a cgroup."""
PIP = "[global]\nno-index = true\nfind-links = /wheels /agent-wheels\ndisable-pip-version-check = true\n[install]\ncompile = {compile}\n"
SHIM = """\
#!/bin/sh
[ "$1" != build ] || {{
    shift
    case "$*" in *"--target agent"*) pip=quick ;; *) pip=pip ;; esac
    set -- build --quiet --pull=never --network none --format docker --build-arg BASE=base \\
        --volume "{wheels}:/wheels:ro" --volume "{agent}:/agent-wheels:ro" --volume "{folder}/$pip.conf:/etc/pip.conf:ro" "$@"
}}
exec "{podman}" --root "{folder}/store" --runroot "{folder}/run" "$@"
"""


@dataclass(frozen=True)
class Podman:
    """``folder`` holds the store; its path must be short."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "CONTAINERS_CONF": str(self.folder / "containers.conf")}

    def __call__(self, *words: str | Path, code: int | None = 0, within: float = 300) -> str:
        """The output of one command, which must end with ``code``."""
        done = subprocess.run(
            ["podman", *map(str, words)],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            executable=self.folder / "bin" / "podman",
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def block(self, commands: str, folder: Path) -> str:
        """A block of a page, as a person's shell runs it."""
        done = subprocess.run(
            ["bash", "-euc", commands], cwd=folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout


def ready(folder: Path) -> Podman:
    """With a base image, and all that a build needs."""
    program = shutil.which("podman")
    assert program, "podman is needed, as .ci/run installs it"
    (folder / "bin").mkdir()
    (folder / "containers.conf").write_text(CONF, encoding="utf-8")
    (folder / "pip.conf").write_text(PIP.format(compile="true"), encoding="utf-8")
    (folder / "quick.conf").write_text(PIP.format(compile="false"), encoding="utf-8")
    shim = folder / "bin" / "podman"
    wheels, agent = _wheels(folder / "wheels")
    shim.write_text(SHIM.format(folder=folder, podman=program, wheels=wheels, agent=agent), encoding="utf-8")
    shim.chmod(0o755)
    made = Podman(folder)
    made.block(f"tar -C {root(folder / 'root')} -c . | podman import --quiet - base", folder)
    return made


def _wheels(folder: Path) -> tuple[Path, Path]:
    """Ours and those of clearml-agent, where ``make`` has kept them; else they are downloaded, which takes pip half a minute."""
    kept = Path(sys.prefix) / "wheels", ROOT / ".venv-agent" / "wheels"
    if all(one.is_dir() for one in kept):
        return kept
    for names in (("core", "google", "github", "jobs", "clearml"), ("agent",)):
        files = [word for name in names for word in ("--requirement", f"requirements/{name}.txt")]
        options = ("--quiet", "--no-deps", "--require-hashes", "--dest", str(folder))
        command = [sys.executable, "-m", "pip", "download", *options, *files]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder, folder
