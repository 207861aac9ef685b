"""What a run says of its own making: the commit that was checked out, and the lock file its libraries agree with."""

from __future__ import annotations

import hashlib
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from jobs import origin

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.jp", "-C")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit of one file."""
    root = tmp_path / "denpyo"
    root.mkdir()
    (root / "file").write_text("as committed\n", encoding="utf-8")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*GIT, str(root), *words], check=True)
    return root


def head(root: Path) -> str:
    return subprocess.run([*GIT, str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout[
        :-1
    ]


def test_the_commit_is_that_of_the_checkout(checkout: Path) -> None:
    assert origin.commit(checkout) == head(checkout)


def test_a_changed_file_shows_behind_the_commit(checkout: Path) -> None:
    (checkout / "file").write_text("changed\n", encoding="utf-8")
    assert origin.commit(checkout) == f"{head(checkout)}-dirty"


def test_an_installation_inside_of_another_checkout_has_no_commit(checkout: Path) -> None:
    (checkout / "site-packages").mkdir()
    assert origin.commit(checkout / "site-packages") is None


@pytest.mark.parametrize(
    ("lock", "agrees"),
    [
        pytest.param("pydantic=={pydantic} --hash=sha256:00\n", True, id="the installed version"),
        pytest.param("pydantic==0.0.1 \\\n    --hash=sha256:00\n", False, id="another version"),
        pytest.param("no-such-library==1.0\n", False, id="a library that is missing"),
        pytest.param("pydantic=={pydantic}\nno-such-library==1.0 ; sys_platform == 'win32'\n", True, id="a marker"),
        pytest.param("# nothing\n", False, id="nothing pinned"),
    ],
)
def test_a_lock_counts_only_where_every_library_is_installed_in_its_version(
    lock: str, agrees: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lock.txt"
    file.write_text(lock.format(pydantic=metadata.version("pydantic")), encoding="utf-8")
    monkeypatch.setenv("DENPYO_LOCK", str(file))
    assert origin.lock_sha256() == (hashlib.sha256(file.read_bytes()).hexdigest() if agrees else None)


def test_without_a_lock_file_there_is_no_hash(tmp_path: Path) -> None:
    assert origin.lock_sha256(tmp_path) is None


def test_the_lock_of_lines_without_hashes_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "requirements"
    folder.mkdir()
    for name, version in (("core", "1.0"), ("task", "2.0")):
        (folder / f"{name}.txt").write_text(f"one=={version} --hash=sha256:00\ntwo==1.0 --hash=sha256:00\n", "utf-8")
    assert origin.lock_of("one==2.0\ntwo==1.0\n", tmp_path) == folder / "task.txt"
    assert origin.lock_of("one==2.0\n", tmp_path) is None
    assert origin.lock_of("", tmp_path) is None
