"""What GitHub's issues are answered where there is no desk, and the workflow that asks for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from typer.testing import CliRunner

import denpyo
from generators import issue_form
from submit.desk import DeskError, desk_or_none_yet
from submit.inbox import SourceDownError, github
from submit.replies.github import checked, is_ours, says_the_same
from tests.generators.github_issues import Entered, body
from tests.kinds_for_tests import SHIPPED
from tests.submit.inbox.github_service import Account, Service, serving

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / ".github"
WORKFLOW = EXAMPLES / "workflows" / "denpyo.yml"
TOKEN = "canary-ghs_16C7e42F292c6912E7"  # noqa: S105
BOT, HANAKO = Account("github-actions", 41898282, "Bot"), Account("hanako", 583231)
FORM = issue_form.write(SHIPPED["train_supervised"].form, "en")
GOOD = body(FORM, {"dataset_id": "wine", "algorithm": ("XGBoost",)})


def event(said: str, node: str = "I_1") -> bytes:
    issue = {"number": 12, "body": said, "node_id": node, "state": "open", "title": "$(touch /tmp/pwned)"}
    return json.dumps({"action": "opened", "repository": {"full_name": "example/jobs"}, "issue": issue}).encode()


def answer(said: str) -> list[str]:
    """The blocks of a comment, without its first line and its last."""
    return checked(desk_or_none_yet(ROOT / "nowhere"), event(said)).split("\n", 1)[1].split("\n\n")[:-1]


def test_a_form_with_nothing_wrong_is_said_to_be_checked_and_no_more() -> None:
    assert answer(GOOD) == [
        "### Checked: nothing needs to be corrected",
        "**What was filled in or brought up to date for you**",
        "- What kind of prediction?: “empty” → “Classification” (it was left empty, and classification is the usual case)",
        "Only the form was checked here. Datasets, models and queues are checked when the request is taken.",
    ]


def test_every_problem_stands_beside_its_line_in_the_order_of_the_issue() -> None:
    wrong: dict[str, Entered] = {
        "dataset_id": "Wine",
        "algorithm": ("XGBoost",),
        "hyperparameters-n_estimators--xgboost": "many `` trees",
    }
    assert answer(body(FORM, wrong)) == [
        "### To be corrected: 2",
        "**Which dataset? (line 3)**",
        "```text\nWine\n```",
        "“Wine” cannot be a name here. Use a to z, 0 to 9 and hyphens, beginning with a letter or digit, at most 63. "
        "Did you mean “wine”?",
        "**How many trees? (XGBoost) (line 35)**",
        "```text\nmany `` trees\n```",
        "“many \\`\\` trees” is not a number. Write a number in digits, such as 100.",
        "Please edit the text of this issue (“…”, “Edit”). It is checked again by itself, and this comment with it.",
        "Only the form was checked here. Datasets, models and queues are checked when the request is taken.",
    ]


def test_what_concerns_the_whole_issue_stands_without_a_line() -> None:
    assert answer("@everyone please")[:2] == [
        "### 直していただきたいところ：1件",
        "このIssueには依頼がありません。依頼票の見出しもYAMLも見つかりません。"
        "依頼票を選んで新しいIssueを作るか、依頼を\\`\\`\\`yamlと\\`\\`\\`の間に書いてください。",
    ]


def test_a_comment_lists_twenty_problems_and_counts_the_rest() -> None:
    said = GOOD + "".join(f"\n\n### Strange {number}\n\nx" for number in range(3_000))
    blocks = answer(said)
    assert blocks[0] == "### To be corrected: 3000"
    assert "And 2980 more, which are not listed here." in blocks
    assert sum(map(len, blocks)) < 20_000


def test_a_comment_of_the_same_text_under_the_same_id_need_not_be_written_again() -> None:
    first = "<!-- denpyo accepted 7k3m-9qx2-b4td abc -->\n### Accepted"
    assert is_ours(first)
    assert says_the_same(first.replace("\n", "\r\n"), first + "\n\nmore")
    assert not says_the_same(first, first.replace("abc", "def"))
    refused = "<!-- denpyo refused - abc -->\none"
    assert says_the_same(refused + "\n", refused)
    assert not says_the_same(refused, refused.replace("one", "two"))


def workflow() -> Any:
    return yaml.load(WORKFLOW.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader: "on" stays text


def steps() -> list[Mapping[str, Any]]:
    return [step for job in workflow()["jobs"].values() for step in job["steps"]]


def test_the_workflow_is_one_that_github_takes() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    document = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    document["on"] = document.pop(True)  # YAML 1.1
    errors = Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).iter_errors(document)
    assert [error.message for error in errors] == []


def test_the_workflow_may_read_its_repository_and_write_to_issues_and_nothing_else() -> None:
    found = workflow()
    assert found["permissions"] == {}
    assert [job["permissions"] for job in found["jobs"].values()] == [{"contents": "read", "issues": "write"}]
    assert [job["runs-on"] for job in found["jobs"].values()] == ["ubuntu-latest"]
    assert found["on"] == {"issues": {"types": ["opened", "edited"]}, "issue_comment": {"types": ["created"]}}
    assert [step["with"]["persist-credentials"] for step in steps() if "checkout" in step.get("uses", "")] == ["false"]


def test_no_command_of_the_workflow_holds_an_expression() -> None:
    commands = [step["run"] for step in steps() if "run" in step]
    assert commands[-1] == 'denpyo reply "$GITHUB_EVENT_PATH" --post'
    assert not [command for command in commands if "${{" in command]
    said = re.findall(r"\$\{\{.*?\}\}", WORKFLOW.read_text(encoding="utf-8"))
    assert said == ["${{ github.event.issue.number }}", "${{ github.token }}"]


@pytest.fixture
def repository() -> Any:
    with serving(Service("example/jobs", {TOKEN: BOT})) as service:
        yield service


def ran(service: Service, file: Path, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """The command of the workflow, as a runner's shell runs it."""
    command = next(step["run"] for step in steps() if step.get("run", "").startswith("denpyo"))
    environment = {**os.environ, "GITHUB_EVENT_PATH": str(file), "GITHUB_API_URL": service.url, "GITHUB_TOKEN": token}
    denpyo = f'denpyo() {{ "{sys.executable}" -m denpyo "$@"; }}; {command}'
    return subprocess.run(["bash", "-e", "-c", denpyo], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_command_of_the_workflow_keeps_one_comment_up_to_date(repository: Service, tmp_path: Path) -> None:
    issue = repository.opened(HANAKO, GOOD, "denpyo")
    file = tmp_path / "event.json"
    for said, first in (("`id` $(id) ${HOME} ';id", "### 直していただきたいところ：1件"), (GOOD, "### Checked")):
        file.write_bytes(event(said, issue.id))
        done = ran(repository, file)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        (comment,) = issue.comments
        assert comment.author == BOT
        assert comment.body.split("\n")[1].startswith(first)


def test_what_keeps_the_command_from_answering_is_one_line(repository: Service, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(event(GOOD))
    done = ran(repository, file, "other")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "denpyo: GitHub: 401 Bad credentials\n")


def test_an_issue_that_is_gone_and_an_event_of_something_else_are_the_operators_to_see(
    repository: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DeskError, match=r"this is no event of an issue: give the file that GITHUB_EVENT_PATH names"):
        checked(desk_or_none_yet(ROOT / "nowhere"), b"{}")
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(DeskError, match="GITHUB_TOKEN is not set"):
        github.post(event(GOOD), "said")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", repository.url)
    with pytest.raises(SourceDownError, match="GitHub: 404 Could not resolve to a node with the global id of 'I_9'"):
        github.post(event(GOOD, "I_9"), "said")


def test_without_post_the_answer_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(event(GOOD))
    done = CliRunner().invoke(denpyo.app, ["reply", str(file)])
    assert done.stdout.split("\n")[1] == "### Checked: nothing needs to be corrected"


def test_the_templates_beside_the_workflow_are_those_of_the_shipped_kinds() -> None:
    there = sorted(file.name for file in (EXAMPLES / "ISSUE_TEMPLATE").iterdir())
    assert there == [f"{kind}.{language}.yml" for kind in sorted(SHIPPED) for language in ("en", "ja")]
