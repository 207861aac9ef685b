"""Tasks as the desk leaves them, run by a real clearml-agent that clones denpyo from ``file://``."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs import on_agent
from tests.jobs.clearml_tasks import KINDS, QUEUE, call, copied_template, sent
from tests.jobs.runs import EXAMPLES, FOREST, ROOT, request
from tests.standins.agent import PROGRAM, Agent
from tests.standins.clearml import ClearML
from tests.standins.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.untraced]
CLONED = ("jobs", "schema", "requirements")
PAGE = (ROOT / "docs" / "agent.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Site:
    """A server, an agent that listens to its queue, and the repository that its tasks come from."""

    server: ClearML
    agent: Agent
    script: dict[str, str]

    def ended(self, task: str) -> Any:
        """The task once the agent has done with it: it looks for the next one then."""
        wait_until(lambda: self.server.tasks[task]["status"] in ("completed", "failed", "stopped"), within=90)
        before = self.agent.said().count("No tasks in")
        wait_until(lambda: self.agent.said().count("No tasks in") > before, within=30)
        return self.server.tasks[task]

    def console(self, task: str) -> str:
        return "".join(one["msg"] for one in self.server.state.events[task] if one["type"] == "log")


def _git(repository: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    repository = folder / "denpyo"
    for one in CLONED:
        shutil.copytree(ROOT / one, repository / one, ignore=shutil.ignore_patterns("__pycache__"))
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "what is run"]):
        _git(repository, *words)
    script = {"repository": repository.as_uri(), "version_num": _git(repository, "rev-parse", "HEAD"), "branch": ""}
    data = {"DENPYO_DATASETS": str(EXAMPLES), "DENPYO_KINDS": str(KINDS)}
    with ClearML() as server, Agent(folder / "agent", documented(server, folder), QUEUE, data) as agent:
        yield Site(server, agent, script)
    assert server.faults == []


def documented(server: ClearML, folder: Path) -> Path:
    """The settings that docs/agent.md gives an agent, with the addresses and credentials of this server."""
    (text,) = re.findall(r"Save this as `clearml.conf`.*?```text\n(.*?)```", PAGE, re.DOTALL)
    who = server.user("agent")
    ours = {
        "https://api.clear.example.com": server.url,
        "https://app.clear.example.com": server.web_url,
        "https://files.clear.example.com": server.files_url,
        "ACCESS": who.access_key,
        "SECRET": who.secret_key,
    }
    for theirs, here in ours.items():
        assert theirs in text
        text = text.replace(theirs, here)
    file = folder / "clearml.conf"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return file


def test_every_way_to_start_an_agent_that_is_documented_is_one_it_takes() -> None:
    started = re.findall(r"(?m)^agent/bin/clearml-agent (daemon .*)$", PAGE)
    assert "daemon --queue default --create-queue --foreground --cpu-only" in started
    said = subprocess.run([PROGRAM, "daemon", "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
    options = {word for line in started for word in line.split() if word.startswith("--")}
    assert options == {"--queue", "--create-queue", "--foreground", "--detached", "--cpu-only", "--gpus", "--docker"}
    assert [one for one in options if not re.search(rf"{one}\b", said)] == []


def test_every_variable_that_is_documented_reaches_the_run_or_this_process() -> None:
    named = re.findall(r"(?m)^\| `(DENPYO_[A-Z]+)` \|", PAGE)
    assert named == ["DENPYO_DATASETS", "DENPYO_MODELS", "DENPYO_KINDS", "DENPYO_RUNS"]
    passed = {name for name in named if on_agent.PASSED_ON.fullmatch(name)}
    assert {*passed, on_agent.FOLDER_VARIABLE} == set(named)


def test_a_task_is_trained_by_the_agent_at_its_commit_and_reported(site: Site) -> None:
    task = sent(site.server, request("train_supervised", {**FOREST, "dataset_id": "wine"}, "ja"), **site.script)
    ended = site.ended(task)
    assert ended["status"] == "completed", site.console(task)
    found = json.loads(ended["configuration"]["result"]["value"])
    assert (found["state"], found["commit"]) == ("done", site.script["version_num"])
    assert found["metrics"]["accuracy"] > 0.8
    curves = call(site.server, "events.scalar_metrics_iter_histogram", task=task)
    assert curves["accuracy"]["accuracy"]["y"] == [found["metrics"]["accuracy"]]
    assert "training random_forest with seed 42 on 133 rows" in site.console(task)


def test_what_is_wrong_stays_on_the_task_after_the_agent_has_done_with_it(site: Site, tmp_path: Path) -> None:
    task = copied_template(site.server, tmp_path, {"code": "99"}, **site.script)
    ended = site.ended(task)
    japanese, english = ended["status_message"].split("\n\n")
    reason = "回答またはデータに直す必要があるところが見つかったため、実行できませんでした。"
    assert (ended["status"], ended["status_reason"]) == ("failed", reason)
    where = f"a copy of it ({task}):1 Job/code"
    assert japanese.splitlines() == [reason, f"{where}: 99は大きすぎます。9以下にしてください。 [too_big]"]
    assert english.splitlines()[1].startswith(f"{where}: ")
    assert ended["status_message"] in site.console(task)


def test_a_stopped_task_leaves_no_process_behind(site: Site, tmp_path: Path) -> None:
    job = {"name": "one", "file": str(tmp_path / "count"), "seconds": 60, "stubborn": True}
    task = sent(site.server, request("count_starts", job, id="9y3q", folders=[KINDS]), **site.script)
    wait_until(lambda: (tmp_path / "count").exists(), within=60)
    call(site.server, "tasks.stop", task=task)
    assert site.ended(task)["status"] == "stopped"
    wait_until(lambda: not _running(str(tmp_path / "count")), within=10)


def _running(word: str) -> list[str]:
    """The processes that have this word among their arguments."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [str(one)] if os.fsencode(word) in one.read_bytes() else []
        except OSError:
            continue  # it ended meanwhile
    return found
