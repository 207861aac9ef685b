"""What a script needs before it can run: its repository at exactly one commit, and its packages in an environment of their own.

Both are kept in a cache (``DENPYO_CACHE``, else ``~/.cache/denpyo``) that runs share; a lock beside each entry lets one fill it.
git and pip see no more of this process's environment than ``PASSED_ON`` names.
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

from schema.problem import shown

ADDRESS = re.compile(r"(https?|ssh|file)://[^\s-]\S*|git@[A-Za-z0-9][A-Za-z0-9.-]*:\S+")
USER = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<user>[^/?#\s]*)@")
SETTINGS = (
    "protocol.ext.allow=never",
    "core.hooksPath=/dev/null",
    "advice.detachedHead=false",
    "gc.auto=0",  # it would go on in the background
    "maintenance.auto=false",
)
MACHINE = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME")
PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
GIT = ("SSH_AUTH_SOCK", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_CONFIG_GLOBAL")
PIP = (
    "INDEX_URL",
    "EXTRA_INDEX_URL",
    "NO_INDEX",
    "FIND_LINKS",
    "TRUSTED_HOST",
    "PROXY",
    "CERT",
    "CLIENT_CERT",
    "CONFIG_FILE",
)
AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC")
PASSED_ON = frozenset(
    [*MACHINE, *PROXIES, *(name.upper() for name in PROXIES), *GIT, *(f"PIP_{name}" for name in PIP), *AUTHORITIES]
)
"""What a tool needs to reach the network as this machine does. ``PYTHONPATH``, for one, would show pip the packages of denpyo."""
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


def has_secret(address: str) -> bool:
    """Whether an address names a user, and with it perhaps a password or a token. With ssh a user alone is no secret."""
    found = USER.match(address)
    return found is not None and (found["scheme"].lower() != "ssh" or ":" in found["user"])


def checkout(address: str, commit: str, target: Path, deadline: Deadline) -> None:
    """Put the files of one commit into ``target``, a new folder. No hook of the repository is run and nobody is asked for a password."""
    store = cache() / "git" / hashlib.sha256(address.encode()).hexdigest()[:32]
    with _alone(store):
        try:
            _take(store, address, commit, target, deadline)
        except FetchError:
            _take_anew(store, address, commit, target, deadline)
    _git(deadline, "-C", str(target), "checkout", "--quiet", "--detach", "FETCH_HEAD")
    found = _git(deadline, "-C", str(target), "rev-parse", "HEAD").strip()
    if found != commit:
        raise FetchError(f"HEAD is {found}")


def _take(store: Path, address: str, commit: str, target: Path, deadline: Deadline) -> None:
    _git(deadline, "init", "--quiet", "--bare", str(store))  # also makes whole what was begun
    if not _has(store, commit, deadline):
        _fetch(store, address, commit, deadline)
    _git(deadline, "-C", str(store), "update-ref", f"refs/denpyo/{commit}", commit)
    _git(deadline, "init", "--quiet", str(target))
    _git(deadline, "-C", str(target), "fetch", "--quiet", "--depth=1", str(store), f"refs/denpyo/{commit}")


def _take_anew(store: Path, address: str, commit: str, target: Path, deadline: Deadline) -> None:
    """Once more with a new store, for a run that was killed may have left locks and halves in the old one.

    The old one gives way only if that helps: its commits may be what is left of a server.
    """
    fresh = store.with_name(store.name + ".new")
    for folder in (fresh, target):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        _take(fresh, address, commit, target, deadline)
        shutil.rmtree(store, ignore_errors=True)
        fresh.rename(store)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


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
    settings = (word for setting in SETTINGS for word in ("-c", setting))
    return _run([program, *settings, *arguments], _environment() | ours, deadline)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in PASSED_ON}


def python_with(packages: Sequence[str], deadline: Deadline) -> Path:
    """An interpreter that has exactly these packages (``name==1.2``) beside the standard library."""
    named = "\n".join([platform.python_version(), *sorted(packages)])
    home = cache() / "python" / hashlib.sha256(named.encode()).hexdigest()[:32]
    python, ready = home / "bin" / "python", home / "ready"
    with _alone(home):
        if not ready.exists() or not python.exists():  # the interpreter that it leads to may be gone
            shutil.rmtree(home, ignore_errors=True)
            _run([sys.executable, "-P", "-m", "venv", "--clear", str(home)], _environment(), deadline)
            install = ("-P", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
            _run([str(python), *install, *sorted(packages)], _environment(), deadline)
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
        said = USER.sub(r"\g<scheme>://…@", " ".join((done.stderr or done.stdout).split()))
        last = shown(said[-LAST_WORDS:], LAST_WORDS)
        raise FetchError(last or f"{Path(command[0]).name} ended with {done.returncode}")
    return done.stdout
