"""Every command in the docs is run, page by page, top to bottom, in an empty folder.

A page says "Save this as `PATH`" before a block that is a file. The id ``7k3m-9qx2-b4td`` stands for the newest request of the desk.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from submit import journey
from submit.desk import open_desk
from submit.response import VERIFIED, Source, Wishes
from submit.standing import all_standing, standing
from tests.desks import denpyo

ROOT = Path(__file__).parent.parent
SAMPLE = "7k3m-9qx2-b4td"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)
SAVE = re.compile(r"Save this as `([^`]+)`:\s*$|`([^`]+)` として保存します。\s*$")
PAGES = sorted(page.relative_to(ROOT).as_posix() for page in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")])
HELD = re.compile(r"^denpyo (approve|reject) ", re.MULTILINE)
NEEDS_A_REQUEST = {"docs/logs.md", "docs/review.md", "docs/security.md", "docs/start.md", "docs/start.ja.md"}
NEEDS_CLEARML = {"docs/clearml.md"}
NEEDS_VERIFY = {"docs/verify.md"}
"""Its reader has that one file of ours, and Python."""
BY_OTHER_TESTS = {"README.md", "README.ja.md", "CONTRIBUTING.md"}
"""Their commands are make's: CI itself is `make test`, and `denpyo demo` is run by tests/test_cli.py."""


def blocks(page: str) -> list[tuple[str, str, str]]:
    """(language, text, file to save it as or "") of each fenced block."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        save = SAVE.search(text[: block.start()].rstrip("\n"))
        found.append((block[1], block[2], (save[1] or save[2]) if save else ""))
    return found


def newest_request(desk: Path) -> str:
    if not (desk / "denpyo.toml").exists():
        return SAMPLE
    requests = json.loads(denpyo("status", "--json", desk=desk).stdout)["requests"]
    return str(requests[-1]["id"]) if requests else SAMPLE


def prepare(page: str, folder: Path) -> None:
    """What stands before the page in its reader's life: a desk, and for some pages a filled sheet or a finished request."""
    denpyo("init", desk=folder / "desk")
    request = folder / "answers.yaml"
    request.write_text(
        "kind: train_supervised\njob: {dataset_id: wine, algorithm: logistic_regression}\n", encoding="utf-8"
    )
    lang, sheet = ("ja", "学習依頼.xlsx") if page.endswith("ja.md") else ("en", "request.xlsx")
    words = ("template", "train_supervised", "--lang", lang, "--from", request, "-o", folder / sheet)
    denpyo(*words, desk=folder / "desk")
    if page in ("docs/logs.md", "docs/review.md", "docs/security.md"):
        denpyo("submit", request, desk=folder / "desk")


def somebody_asks(folder: Path) -> None:
    """Somebody whom a mailbox vouches for asks for more hours than go without an approval."""
    desk = open_desk(folder / "desk")
    asked = (
        "kind: train_supervised\nlanguage: ja\njob: {dataset_id: wine, algorithm: logistic_regression}\n"
        f"resources: {{max_hours: {8 + len(all_standing(desk))}}}\n"
    )
    who = Source("request.yaml", asked.encode(), "", "sato@example.com", VERIFIED, "mail:sato@example.com")
    (one,) = journey.submit(desk, [who], Wishes()).requests
    assert standing(desk, one.id).request.state == "held"


def run_block(text: str, folder: Path, page: str) -> None:
    if page == "docs/operate.md" and HELD.search(text):
        somebody_asks(folder)
    commands = text.replace(SAMPLE, newest_request(folder / "desk")) if SAMPLE in text else text
    if page.startswith("docs/start"):
        commands = commands.replace("-o 学習依頼.xlsx", "-o blank.xlsx").replace("-o request.xlsx", "-o blank.xlsx")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{page}:\n{commands}\n{done.stdout}{done.stderr}"


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("page", [page for page in PAGES if page not in BY_OTHER_TESTS])
def test_every_command_of_a_page_does_what_it_says(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if page in NEEDS_CLEARML:
        server, patch = request.getfixturevalue("clearml_server"), request.getfixturevalue("monkeypatch")
        for name, value in {**server.environment(), "CLEARML_CONFIG_FILE": str(tmp_path / "none.conf")}.items():
            patch.setenv(name, value)
    if page in NEEDS_A_REQUEST:
        prepare(page, tmp_path)
    if page in NEEDS_VERIFY:
        shutil.copy(ROOT / "verify.py", tmp_path)
    for language, text, file in blocks(page):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text, encoding="utf-8")
        elif language == "sh":
            run_block(text, tmp_path, page)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    text = BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", (ROOT / page).read_text(encoding="utf-8")))
    there = {name for file in (ROOT / "tests").rglob("test_*.py") for name in TEST.findall(file.read_text("utf-8"))}
    assert named <= there


def test_the_commands_of_the_readme_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in sorted(BY_OTHER_TESTS):
        commands = [
            line.split("#")[0].split()
            for language, text, _ in blocks(page)
            if language == "sh"
            for line in text.splitlines()
        ]
        assert commands
        assert all(words[0] == "make" and f"\n{words[1]}:" in makefile for words in commands), page
