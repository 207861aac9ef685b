"""Tasks as the desk leaves them, run by a real clearml-agent that clones denpyo from ``file://``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.clearml_tasks import QUEUE, call, sent
from tests.jobs.runs import EXAMPLES, FOREST, ROOT, request
from tests.standins.agent import Agent
from tests.standins.clearml import ClearML
from tests.standins.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.untraced]
KINDS = ROOT / "tests" / "desks" / "kinds"
CLONED = ("jobs", "schema", "requirements")


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
    with (
        ClearML() as server,
        Agent(folder / "agent", server.write_conf(folder, "agent"), QUEUE, data) as agent,
    ):
        yield Site(server, agent, script)
    assert server.faults == []


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


def test_what_is_wrong_stays_on_the_task_after_the_agent_has_done_with_it(site: Site) -> None:
    wanted = request("train_supervised", {**FOREST, "dataset_id": "absent", "target": "x"}, "ja", id="8x2p")
    task = sent(site.server, wanted, **site.script)
    ended = site.ended(task)
    japanese, english = ended["status_message"].split("\n\n")
    reason = "回答またはデータに直す必要があるところが見つかったため、実行できませんでした。"
    assert (ended["status"], ended["status_reason"]) == ("failed", reason)
    assert japanese.splitlines() == [
        reason,
        "8x2p:dataset_id: 「absent」というデータセットはありません。"
        "使えるのは次のものです：diabetes、wine。ほかのものは運用担当者に用意を頼んでください。 [no_dataset]",
    ]
    assert english.splitlines()[1] == (
        "8x2p:dataset_id: There is no dataset named “absent”. Use one of: diabetes, wine; or ask your operator to put it "
        "in place. [no_dataset]"
    )
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
