"""``make demo-clearml``: the journey of a sheet over ClearML, on this machine alone: the stand-in for the server, a real agent.

A filled workbook goes in by ``denpyo submit``; the agent clones this working tree, trains, and reports; ``denpyo status`` follows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from generators.excel import template
from generators.excel.template import Filled
from schema import kinds as registry
from submit.demo import ANSWERS, KIND
from submit.desk import CONFIG
from submit.new_desk import make_desk
from tests.standins.agent import Agent
from tests.standins.clearml import ClearML

ROOT = Path(__file__).parents[2]
QUEUE = "default"
LONGEST = 300.0


@dataclass(frozen=True)
class Stage:
    """A desk whose runs go to ClearML, and what its commands need to find the server."""

    desk: Path
    server: ClearML
    environment: Mapping[str, str]

    def denpyo(self, *words: str | Path) -> str:
        """What a command prints; its complaints go where ours do."""
        command = [sys.executable, "-m", "denpyo", *map(str, words), "--desk", str(self.desk)]
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, text=True, check=False, timeout=LONGEST
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}")
        return done.stdout

    def pages(self) -> list[str]:
        """Where the pages lie that runs have uploaded."""
        return [
            artifact["uri"]
            for task in self.server.tasks.values()
            for artifact in (task.get("execution") or {}).get("artifacts") or ()
            if artifact["key"] == "summary.html"
        ]


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A server, an agent that takes from the queue, and a desk in this folder."""
    repository, commit = commit_of_this_tree(folder / "repository")
    desk = make_desk(folder / "desk").folder
    config = (desk / CONFIG).read_text(encoding="utf-8").replace('engine = "local" ', 'engine = "clearml" ')
    pinned = f'[clearml]\nrepository = "{repository}"\ncommit = "{commit}"\n'
    (desk / CONFIG).write_text(f"{config}\n{pinned}", encoding="utf-8")
    with ClearML() as server:
        conf = server.write_conf(folder)
        agents = {"PYTHONDONTWRITEBYTECODE": "1"}
        with Agent(folder / "agent", server.write_conf(made(folder / "agent-conf"), "agent"), QUEUE, agents):
            yield Stage(desk, server, {**os.environ, "CLEARML_CONFIG_FILE": str(conf), "PYTHONPATH": str(ROOT)})


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def commit_of_this_tree(folder: Path) -> tuple[str, str]:
    """The address of a repository with this working tree as its one commit, changes and all, and that commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            made((folder / name).parent)
            shutil.copyfile(ROOT / name, folder / name)
    who = ["-c", "user.name=demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=demo"],
    ):
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return folder.resolve().as_uri(), done.stdout.strip()


def filled(sheet: Path) -> Path:
    form = template.write(registry.load()[KIND].form, "ja", "form", [Filled(ANSWERS, "yamada@example.com", "")])
    sheet.write_bytes(form)
    return sheet


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="denpyo-demo-clearml-"))
    with stage(folder) as there:
        sheet = filled(folder / "学習依頼（記入済み）.xlsx")
        print(f"記入した依頼票 / filled sheet: {sheet}")
        print(f"ClearML: {there.server.web_url}", flush=True)
        said = there.denpyo("submit", sheet)
        print(said, end="", flush=True)
        request = said.split()[0]
        there.denpyo("status", request, "--watch")
        print(there.denpyo("status", request), end="")
        for number, address in enumerate(there.pages()):
            page = folder / f"summary{number or ''}.html"
            page.write_bytes(there.server.files.get(address.removeprefix(there.server.files_url)) or b"")
            print(f"まとめ / summary: {page}")
        if " done" not in there.denpyo("status", request):
            raise SystemExit((folder / "agent" / "agent.log").read_text(encoding="utf-8", errors="replace")[-3000:])


if __name__ == "__main__":
    main()
