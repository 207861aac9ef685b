"""A branch of a git repository whose newest commit holds a checkpoint, read and added to by git's own plumbing, and never by force."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from submit.desk import DeskError, Witness
from submit.inbox import SourceDownError

CHECKPOINT, PROOF = "checkpoint", "proof"
THERE = "refs/denpyo/there"
SECONDS = 120.0
LONGEST = 1 << 16
"""Bytes of a file of the branch that are read; a checkpoint has some two hundred."""
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "GIT_AUTHOR_NAME": "denpyo",
    "GIT_AUTHOR_EMAIL": "denpyo@localhost",
    "GIT_COMMITTER_NAME": "denpyo",
    "GIT_COMMITTER_EMAIL": "denpyo@localhost",
}
OF_OTHERS = frozenset(
    [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
    ]
)
"""What a hook of git, or a pipeline, sets so that git works in its repository wherever it is called."""


class MovedError(Exception):
    """Somebody added to the branch since it was read."""


@dataclass(frozen=True)
class Head:
    """The newest commit of the branch and the checkpoint in it, "" for one without."""

    commit: str
    note: str


@dataclass(frozen=True)
class Branch:
    """The branch, seen from a repository of our own that is thrown away after."""

    settings: Witness
    address: str
    folder: Path

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.settings.branch}"

    def head(self) -> Head | None:
        """None where there is no such branch. SourceDownError where the repository does not answer."""
        if not self._there("ls-remote", "--", self.address, self.ref):
            return None
        self._there("fetch", "--quiet", "--depth=1", "--no-tags", "--", self.address, f"+{self.ref}:{THERE}")
        commit = self._there("rev-parse", "--verify", THERE).decode().strip()
        return Head(commit, self._file(f"{commit}:{CHECKPOINT}"))

    def _file(self, name: str) -> str:
        size = self._run("cat-file", "-s", name).stdout.strip()
        if not size.isdigit() or int(size) > LONGEST:
            return ""
        return self._run("cat-file", "blob", name).stdout.decode("utf-8", "replace")

    def add(self, files: Mapping[str, str], message: str, before: Head | None) -> str:
        """The commit that now is the newest. MovedError where ``before`` is not any more what it was made after."""
        listed = []
        for name, content in sorted(files.items()):
            blob = self._there("hash-object", "-w", "--stdin", said=content.encode()).decode().strip()
            listed.append(f"100644 blob {blob}\t{name}\n")
        tree = self._there("mktree", said="".join(listed).encode()).decode().strip()
        parent = ["-p", before.commit] if before else []
        commit = self._there("commit-tree", tree, *parent, "-m", message).decode().strip()
        pushed = self._run("push", "--quiet", "--", self.address, f"{commit}:{self.ref}")
        if pushed.returncode == 0:
            return commit
        said = pushed.stderr.decode("utf-8", "replace")
        if any(word in said for word in ("fetch first", "non-fast-forward", "failed to lock", "cannot lock ref")):
            raise MovedError
        raise SourceDownError(f"{self.settings.branch}: {_line(said)}")

    def _there(self, *words: str, said: bytes = b"") -> bytes:
        done = self._run(*words, said=said)
        if done.returncode != 0:
            raise SourceDownError(f"git {words[0]}: {_line(done.stderr.decode('utf-8', 'replace'))}")
        return done.stdout

    def _run(self, *words: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603
                ["git", "-C", str(self.folder), *words],  # noqa: S607
                input=said,
                capture_output=True,
                timeout=SECONDS,
                check=False,
                env=_environment(),
            )
        except FileNotFoundError as error:
            raise DeskError("witness.git: git is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise SourceDownError(f"git {words[0]}: no answer in {SECONDS:.0f} seconds") from error


@contextmanager
def opened(folder: Path, settings: Witness) -> Iterator[Branch]:
    """``folder`` is the desk's, which a path in the settings is relative to."""
    local = folder / settings.git
    address = str(local.resolve()) if local.exists() else settings.git
    with TemporaryDirectory(prefix="denpyo-witness-") as made:
        branch = Branch(settings, address, Path(made))
        branch._there("init", "--quiet", "--bare", ".")
        yield branch


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OF_OTHERS} | ENVIRONMENT


def _line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "failed")
