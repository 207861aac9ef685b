"""A repository with requests in it, and the shell in which a runner runs the steps of a pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from generators.excel import template
from generators.excel.template import Filled
from tests.kinds_for_tests import SHIPPED

ROOT = Path(__file__).parents[2]
GOOD = "kind: train_supervised\nlanguage: en\njob:\n  dataset_id: wine\n  algorithm: {algorithm}\n"
NAMED = "requests/$(touch pwned) ::error::%0A.yaml"
"""A name that tries to be a command of the shell, and one of the runner."""


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path) -> str:
    """With a first commit, whose id is returned."""
    (folder / "requests").mkdir(parents=True)
    (folder / "requests" / "before.yaml").write_text(GOOD.format(algorithm="nothing"), encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return committed(folder)


def committed(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "requests")
    return git(folder, "rev-parse", "HEAD")


def with_mistakes(folder: Path) -> None:
    """A slip, a workbook and a hostile name with a mistake each; a good slip; a link to what is nobody's business; what is no request."""
    requests = folder / "requests"
    (requests / "wrong.yaml").write_text(GOOD.format(algorithm="xgbost"), encoding="utf-8")
    sheet = template.write(SHIPPED["train_supervised"].form, "en", "form", [Filled({"dataset_id": "wine"}, "", "")])
    (requests / "wrong.xlsx").write_bytes(sheet)
    (folder / NAMED).write_text(GOOD.format(algorithm='"::add-mask::x"'), encoding="utf-8")
    (requests / "good.yaml").write_text(GOOD.format(algorithm="xgboost"), encoding="utf-8")
    (folder.parent / "secret").write_text("canary-secret", encoding="utf-8")
    (requests / "link.yaml").symlink_to("../../secret")
    (requests / "README.md").write_text("what lies here", encoding="utf-8")


def bash(commands: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """As runners of both services call it for ``shell: bash``; ``denpyo`` is on the path."""
    programs = folder.parent / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "denpyo"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m denpyo "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    told = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", **environment}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", commands]
    return subprocess.run(words, cwd=folder, env=told, capture_output=True, text=True, check=False, timeout=120)
