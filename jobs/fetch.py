"""What a script needs before it can run: its repository at exactly one commit, and its packages in an environment of their own.

Both are kept in a cache (``DENPYO_CACHE``, else ``~/.cache/denpyo``) that runs share; a lock beside each entry lets one fill it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ADDRESS = re.compile(r"(https?|ssh|file)://[^\s-]\S*|git@[A-Za-z0-9][A-Za-z0-9.-]*:\S+")
SAFE = ("-c", "protocol.ext.allow=never", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")
LAST_WORDS = 300


class FetchError(Exception):
    """Something from outside could not be had; the text is what the tool said last."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment on the monotonic clock at which everything must be over."""

    at: float

    def left(self) -> float:
        return max(0.001, self.at - time.monotonic())


def cache() -> Path:
    return Path(os.environ.get("DENPYO_CACHE") or Path.home() / ".cache" / "denpyo")


def is_allowed(address: str) -> bool:
    """Whether git may be given this address: http(s), ssh, git@host: or file://, and nothing that could be an option."""
    return ADDRESS.fullmatch(address) is not None


def checkout(address: str, commit: str, target: Path, deadline: Deadline) -> None:
    """Put the files of one commit into ``target``, a new folder. No hook of the repository is run and nobody is asked for a password."""
    store = cache() / "git" / hashlib.sha256(address.encode()).hexdigest()[:32]
    with _alone(store):
        if not store.exists():
            _git(deadline, "init", "--quiet", "--bare", str(store))
        if not _has(store, commit, deadline):
            _fetch(store, address, commit, deadline)
        _git(deadline, "-C", str(store), "update-ref", f"refs/denpyo/{commit}", commit)
        _git(deadline, "init", "--quiet", str(target))
        _git(deadline, "-C", str(target), "fetch", "--quiet", "--depth=1", str(store), f"refs/denpyo/{commit}")
    _git(deadline, "-C", str(target), "checkout", "--quiet", "--detach", "FETCH_HEAD")
    found = _git(deadline, "-C", str(target), "rev-parse", "HEAD").strip()
    if found != commit:
        raise FetchError(f"HEAD is {found}")


def _has(store: Path, commit: str, deadline: Deadline) -> bool:
    try:
        _git(deadline, "-C", str(store), "cat-file", "-e", f"{commit}^{{commit}}")
    except FetchError:
        return False
    return True


def _fetch(store: Path, address: str, commit: str, deadline: Deadline) -> None:
    """The one commit if the server gives it by its name, else every branch and tag."""
    start = ("-C", str(store), "fetch", "--quiet", "--no-tags", "--no-recurse-submodules")
    try:
        _git(deadline, *start, "--depth=1", "--", address, commit)
    except FetchError:
        _git(deadline, *start, "--", address, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


def _git(deadline: Deadline, *arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise FetchError("git is not installed")
    ours = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")}
    return _run([program, *SAFE, *arguments], os.environ | ours, deadline)


def python_with(packages: Sequence[str], deadline: Deadline) -> Path:
    """An interpreter that has exactly these packages (``name==1.2``) beside the standard library."""
    named = "\n".join([platform.python_version(), *sorted(packages)])
    home = cache() / "python" / hashlib.sha256(named.encode()).hexdigest()[:32]
    python, ready = home / "bin" / "python", home / "ready"
    with _alone(home):
        if not ready.exists():
            shutil.rmtree(home, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(home)], os.environ, deadline)
            install = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
            _run([str(python), *install, *sorted(packages)], os.environ, deadline)
            ready.write_text(named + "\n", encoding="utf-8")
    return python


@contextmanager
def _alone(entry: Path) -> Iterator[None]:
    """Hold the lock of one entry of the cache."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    with entry.with_name(entry.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], environment: Mapping[str, str], deadline: Deadline) -> str:
    """Run a tool without a shell; what it printed comes back. It is stopped when the time is over (``subprocess.TimeoutExpired``)."""
    done = subprocess.run(  # noqa: S603  # a list of arguments, the addresses and pins in it checked
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=deadline.left(),
        check=False,
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise FetchError(said[-LAST_WORDS:] or f"{Path(command[0]).name} ended with {done.returncode}")
    return done.stdout
