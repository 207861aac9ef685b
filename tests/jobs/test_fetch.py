"""What scripts need before they run: addresses, a cache that survives what was killed, and tools that see little of our environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from jobs import fetch
from jobs.fetch import Deadline, FetchError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DENPYO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def soon() -> Deadline:
    return Deadline(time.monotonic() + 300)


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@example.jp" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = ["git", "-C", str(folder), *arguments]
    ended = subprocess.run(command, env={**os.environ, **identity}, check=True, capture_output=True, text=True)
    return ended.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "1")
    return folder


def commit(folder: Path, text: str) -> str:
    (folder / "run.py").write_text(text, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", text)
    return git(folder, "rev-parse", "HEAD")


def stores(cache: Path) -> list[Path]:
    return [entry for entry in (cache / "git").iterdir() if entry.is_dir()]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://git.example.jp/a/b.git", True),
        ("http://127.0.0.1:8080/b", True),
        ("ssh://git@example.jp/b", True),
        ("git@example.jp:a/b.git", True),
        ("file:///srv/b", True),
        ("ext::sh -c touch% /tmp/x", False),
        ("/srv/b", False),
        ("../b", False),
        ("--upload-pack=touch x", False),
        ("ssh://-oProxyCommand=x/b", False),
        ("git@-oProxyCommand=x:b", False),
        ("git@-host:b", False),
        ("https://a b", False),
        ("ftp://example.jp/b", False),
    ],
)
def test_only_addresses_of_known_sorts_reach_git(address: str, allowed: bool) -> None:
    assert fetch.is_allowed(address) is allowed


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("https://user:token@example.jp/b", True),
        ("https://token@example.jp/b", True),
        ("HTTPS://token@example.jp", True),
        ("https://a@b@example.jp/b", True),
        ("ssh://git:word@example.jp/b", True),
        ("ftp://token@example.jp/b", True),
        ("ssh://git@example.jp/b", False),
        ("git@example.jp:a/b.git", False),
        ("https://example.jp/@a/b", False),
        ("https://example.jp?a@b", False),
        ("file:///srv/a@b", False),
    ],
)
def test_an_address_that_names_a_user_may_hold_a_secret(address: str, secret: bool) -> None:
    assert fetch.has_secret(address) is secret


@pytest.mark.parametrize("left", ["half", "locked", "file"])
def test_a_store_that_a_killed_run_left_does_not_stop_the_next(
    left: str, tmp_path: Path, source: Path, cache: Path
) -> None:
    first = git(source, "rev-parse", "HEAD")
    fetch.checkout(source.as_uri(), first, tmp_path / "1", soon())
    (store,) = stores(cache)
    if left == "half":
        (store / "HEAD").unlink()
        (store / "config").write_bytes(b"")
    elif left == "locked":
        for name in ("config.lock", "HEAD.lock", "shallow.lock", "packed-refs.lock"):
            (store / name).touch()
    else:
        (store / "objects").rename(store / "gone")
        (store / "objects").touch()
    second = commit(source, "2")
    fetch.checkout(source.as_uri(), second, tmp_path / "2", soon())
    assert (tmp_path / "2" / "run.py").read_text() == "2"
    assert stores(cache) == [store]


def test_a_wrong_commit_leaves_the_store_as_it_is(tmp_path: Path, source: Path, cache: Path) -> None:
    first = git(source, "rev-parse", "HEAD")
    address = source.as_uri()
    fetch.checkout(address, first, tmp_path / "1", soon())
    with pytest.raises(FetchError):
        fetch.checkout(address, "0" * 40, tmp_path / "2", soon())
    assert len(stores(cache)) == 1
    source.rename(tmp_path / "gone")
    fetch.checkout(address, first, tmp_path / "3", soon())
    assert (tmp_path / "3" / "run.py").read_text() == "1"


TOOL = f"""#!{sys.executable}
import os, sys
sys.exit("https://user:t0ken@example.jp \\x1b[31m" + " ".join(sorted(os.environ)))
"""


def test_a_tool_sees_the_network_of_the_machine_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text(TOOL, encoding="utf-8")
    (tmp_path / "git").chmod(0o755)
    for name in os.environ.keys() - {"DENPYO_CACHE"}:
        monkeypatch.delenv(name)
    passed = {"PATH": str(tmp_path), "https_proxy": "x", "NO_PROXY": "x", "SSH_AUTH_SOCK": "x", "PIP_INDEX_URL": "x"}
    for name, value in {**passed, "PYTHONPATH": "x", "GIT_DIR": "x", "PIP_TARGET": "x", "MY_SECRET": "x"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FetchError) as caught:
        fetch.checkout("file:///srv/b", "0" * 40, tmp_path / "1", soon())
    assert str(caught.value).replace("LC_CTYPE ", "") == (
        "https://…@example.jp \ufffd[31m"
        "GIT_SSH_COMMAND GIT_TERMINAL_PROMPT NO_PROXY PATH PIP_INDEX_URL SSH_AUTH_SOCK https_proxy"
    )


WHEEL = {
    "METADATA": "Metadata-Version: 2.1\nName: tinything\nVersion: 1.2\n",
    "WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "tinything-1.2.dist-info/METADATA,,\ntinything-1.2.dist-info/WHEEL,,\ntinything-1.2.dist-info/RECORD,,\n",
}


def test_an_environment_that_a_killed_run_left_or_that_lost_its_interpreter_is_made_again(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels" / "tinything-1.2-py3-none-any.whl", "w") as wheel:
        for name, text in WHEEL.items():
            wheel.writestr(f"tinything-1.2.dist-info/{name}", text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    with pytest.raises(subprocess.TimeoutExpired):
        fetch.python_with(["tinything==1.2"], Deadline(0))
    (lock,) = (cache / "python").glob("*.lock")
    home = lock.with_suffix("")
    shutil.rmtree(home, ignore_errors=True)
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(tmp_path / "gone")
    (home / "lib").touch()
    (home / "ready").touch()
    python = fetch.python_with(["tinything==1.2"], soon())
    assert python == home / "bin" / "python"
    subprocess.run([python, "-c", "import importlib.metadata as m; m.version('tinything')"], check=True)
