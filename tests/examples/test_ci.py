"""The pipelines of examples/ci/ and the action: their own shell steps, in a repository with requests, mistakes and hostile names."""

from __future__ import annotations

import json
import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.desks import denpyo
from tests.examples.repository import GOOD, NAMED, ROOT, bash, committed, repository, with_mistakes

GITHUB, GITLAB, ACTION = ROOT / "examples/ci/github.yml", ROOT / "examples/ci/gitlab.yml", ROOT / "action.yml"
TOKEN = "canary-token-16C7e42F292c6912E7"  # noqa: S105
AT_LINE = (
    "::error file=requests/wrong.yaml,title=unknown_choice,line=5,col=14::“xgbost” is not one of the choices. Choose from: Random "
    "forest, XGBoost, Neural network, Logistic regression, Linear regression (ridge). Did you mean “XGBoost”? [unknown_choice]"
)
AT_CELL = (
    "::error file=requests/wrong.xlsx,title=Request!C12::“Which algorithm?” has no answer. It is required: "
    "please fill it in. [missing]"
)
AT_HOSTILE_NAME = (
    "::error file=requests/$(touch pwned) %3A%3Aerror%3A%3A%250A.yaml,title=unknown_choice,line=5,col=14::"
    "“::add-mask::x” is not one"
)


def read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader: "on" stays text


def step(file: Path, job: str, name: str) -> str:
    steps = read(file)["jobs"][job]["steps"] if file == GITHUB else read(file)["runs"]["steps"]
    return str(next(one["run"] for one in steps if one.get("name") == name))


@pytest.mark.parametrize(
    ("file", "schema"),
    [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci"), (ACTION, "github-actions")],
    ids=["github", "gitlab", "action"],
)
def test_the_service_takes_the_file(file: Path, schema: str) -> None:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{schema}.json"
    known = json.loads(vendored.read_text(encoding="utf-8"))
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    if True in document:
        document["on"] = document.pop(True)  # YAML 1.1
    assert [error.message for error in validator_for(known)(known).iter_errors(document)] == []


def test_no_command_holds_an_expression_and_what_takes_pull_requests_may_only_read() -> None:
    found = read(GITHUB)
    assert found["permissions"] == {}
    assert found["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert found["jobs"]["check"]["runs-on"] == "ubuntu-latest"
    assert found["jobs"]["submit"]["if"] == "github.event_name == 'push'"
    assert found["jobs"]["submit"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    steps = [one for job in found["jobs"].values() for one in job["steps"]] + read(ACTION)["runs"]["steps"]
    assert not [one for one in steps if "${{" in one.get("run", "")]
    assert [one["with"]["persist-credentials"] for one in steps if "checkout" in one.get("uses", "")] == ["false"] * 2


def test_a_pull_request_is_answered_at_its_lines(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    before = repository(folder)
    with_mistakes(folder)
    committed(folder)
    done = bash(step(GITHUB, "check", "Check what is new"), folder, {"BEFORE": before})
    hostile, sheet, slip = done.stdout.splitlines()
    assert (slip, sheet) == (AT_LINE, AT_CELL)
    assert hostile.startswith(AT_HOSTILE_NAME)
    assert (done.returncode, done.stderr) == (1, "")
    assert not (folder / "pwned").exists()


def test_a_merge_request_has_its_problems_in_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    before = repository(folder)
    with_mistakes(folder)
    committed(folder)
    (script,) = read(GITLAB)["check"]["script"]
    done = bash(script, folder, {"CI_MERGE_REQUEST_DIFF_BASE_SHA": before})
    report = json.loads((folder / "problems.json").read_text(encoding="utf-8"))
    assert [(one["location"]["path"], one["location"]["lines"]["begin"], one["check_name"]) for one in report] == [
        (NAMED, 5, "unknown_choice"),
        ("requests/wrong.xlsx", 1, "missing"),
        ("requests/wrong.yaml", 5, "unknown_choice"),
    ]
    assert done.returncode == 1
    assert "requests/wrong.xlsx:Request!C12: “Which algorithm?” has no answer." in done.stderr
    assert "canary" not in done.stdout + done.stderr
    assert read(GITLAB)["check"]["artifacts"]["reports"] == {"codequality": "problems.json"}


def test_a_change_without_requests_is_good(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    before = repository(folder)
    (folder / "requests" / "README.md").write_text("what lies here", encoding="utf-8")
    committed(folder)
    assert bash(step(GITHUB, "check", "Check what is new"), folder, {"BEFORE": before}).returncode == 0
    (script,) = read(GITLAB)["check"]["script"]
    assert bash(script, folder, {"CI_MERGE_REQUEST_DIFF_BASE_SHA": before}).returncode == 0
    assert json.loads((folder / "problems.json").read_text(encoding="utf-8")) == []


def test_what_git_cannot_compare_is_not_taken_for_good(tmp_path: Path) -> None:
    folder, nowhere = tmp_path / "jobs", "0123456789" * 4
    repository(folder)
    assert bash(step(GITHUB, "check", "Check what is new"), folder, {"BEFORE": nowhere}).returncode == 128
    (script,) = read(GITLAB)["check"]["script"]
    assert bash(script, folder, {"CI_MERGE_REQUEST_DIFF_BASE_SHA": nowhere}).returncode == 128


@pytest.fixture
def merged(tmp_path: Path) -> tuple[Path, str, str]:
    """A repository after a merge, a desk beside it; what was before, and what is now."""
    folder = tmp_path / "jobs"
    before = repository(folder)
    with_mistakes(folder)
    for name in (".github", ".denpyo"):
        kept = folder / name / ("denpyo" if name == ".github" else "")
        kept.mkdir(parents=True)
        shutil.copy(ROOT / "examples/ci/comment.jq", kept)
    denpyo("init", desk=tmp_path / "desk")
    return folder, before, committed(folder)


def comments(server: HTTPServer, found: str, written: str, header: tuple[str, str], answer: Any) -> list[str]:
    """A service that knows one merged change, and takes one comment on it from whom the token stands for."""
    taken: list[str] = []

    def take(request: Request) -> Response:
        document = request.get_json()
        assert [*document] == ["body"]
        taken.append(document["body"])
        return Response("{}", status=201, mimetype="application/json")

    server.expect_request(found, method="GET", headers=dict([header])).respond_with_json(answer)
    server.expect_request(written, method="POST", headers=dict([header])).respond_with_handler(take)
    return taken


def test_a_merge_is_submitted_and_answered_with_its_links(
    merged: tuple[Path, str, str], httpserver: HTTPServer
) -> None:
    folder, before, now = merged
    base = "/repos/example/jobs"
    header = ("Authorization", f"Bearer {TOKEN}")
    taken = comments(httpserver, f"{base}/commits/{now}/pulls", f"{base}/issues/7/comments", header, [{"number": 7}])
    environment = {
        "BEFORE": before,
        "DENPYO_DESK": str(folder.parent / "desk"),
        "RUNNER_TEMP": str(folder.parent),
        "GITHUB_API_URL": httpserver.url_for(""),
        "GITHUB_REPOSITORY": "example/jobs",
        "GITHUB_SHA": now,
    }
    done = bash(step(GITHUB, "submit", "Submit what is new"), folder, environment)
    assert done.returncode == 1
    assert AT_LINE in done.stdout.splitlines()
    said = bash(step(GITHUB, "submit", "Say where it runs"), folder, {**environment, "GITHUB_TOKEN": TOKEN})
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    requests = json.loads(denpyo("status", "--json", desk=folder.parent / "desk").stdout)["requests"]
    (request,) = [one for one in requests if one["state"] == "queued"]
    assert taken == [
        f"### denpyo\n- `{request['id']}` train_supervised, queued\n"
        "- refused: `missing`, 1 times; the job's log names the places\n"
        "- refused: `unknown_choice`, 2 times; the job's log names the places"
    ]
    assert not (folder / "pwned").exists()


def test_a_merge_on_gitlab_is_submitted_and_answered(merged: tuple[Path, str, str], httpserver: HTTPServer) -> None:
    folder, before, now = merged
    base = "/projects/12"
    found, written = f"{base}/repository/commits/{now}/merge_requests", f"{base}/merge_requests/3/notes"
    taken = comments(httpserver, found, written, ("PRIVATE-TOKEN", TOKEN), [{"id": 99, "iid": 3}])
    environment = {
        "CI_COMMIT_BEFORE_SHA": before,
        "CI_COMMIT_SHA": now,
        "CI_API_V4_URL": httpserver.url_for(""),
        "CI_PROJECT_ID": "12",
        "DENPYO_TOKEN": TOKEN,
        "DENPYO_DESK": str(folder.parent / "desk"),
    }
    job = read(GITLAB)["submit"]
    assert bash(job["script"][0], folder, environment).returncode == 1
    said = bash(job["after_script"][0], folder, environment)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert [one.split("\n")[0] for one in taken] == ["### denpyo"]
    assert re.search(r"^- `[a-z0-9-]{14}` train_supervised, queued$", taken[0], re.MULTILINE)


def test_a_comment_links_to_runs_that_have_a_page_and_to_nothing_else(tmp_path: Path) -> None:
    runs = [
        "https://app.example.com/projects/1/tasks/2/output/log",
        "file:///desk/runs/1/summary.html",
        "https://x) [y](z",
    ]
    requests = [
        {"id": f"id-{number}", "kind": "k", "state": "queued", "known": number == 0, "run": {"url": url}}
        for number, url in enumerate(runs)
    ] + [{"id": "id-3", "kind": "k", "state": "held", "known": False, "run": None}]
    said = tmp_path / "said.json"
    said.write_text(json.dumps({"requests": requests, "problems": []}), encoding="utf-8")
    done = bash(f"jq -r --from-file '{ROOT}/examples/ci/comment.jq' '{said}' | jq -r .body", ROOT, {})
    assert done.stdout.splitlines() == [
        "### denpyo",
        "- `id-0` k, queued, known already [run](https://app.example.com/projects/1/tasks/2/output/log)",
        "- `id-1` k, queued",
        "- `id-2` k, queued",
        "- `id-3` k, held",
    ]


def test_another_repository_checks_its_files_with_the_action(tmp_path: Path) -> None:
    folder = tmp_path / "jobs"
    repository(folder)
    with_mistakes(folder)
    committed(folder)
    (tmp_path / "denpyo").mkdir()
    bash("true", folder, {})  # it puts denpyo beside the repository
    (tmp_path / "denpyo" / "bin").symlink_to(tmp_path / "bin")
    environment = {
        "RUNNER_TEMP": str(tmp_path),
        "FILES": read(ACTION)["inputs"]["files"]["default"],
        "DENPYO_DESK": "desk",
    }
    done = bash(step(ACTION, "", "Check"), folder, environment)
    assert done.returncode == 1
    assert {AT_LINE, AT_CELL} < set(done.stdout.splitlines())
    (folder / "requests" / "only.yaml").write_text(GOOD.format(algorithm="xgboost"), encoding="utf-8")
    committed(folder)
    only = bash(step(ACTION, "", "Check"), folder, {**environment, "FILES": "requests/only.yaml"})
    assert (only.returncode, only.stdout, only.stderr) == (0, "", "")
    for named in ("", "\n \n"):
        done = bash(step(ACTION, "", "Check"), folder, {**environment, "FILES": named})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = bash(step(ACTION, "", "Check"), folder, {**environment, "FILES": "\nrequests/wrong.yaml\n\n"})
    assert (done.returncode, done.stdout.splitlines()) == (1, [AT_LINE])


def test_the_action_installs_what_this_repository_holds(tmp_path: Path) -> None:
    commands = step(ACTION, "", "Install denpyo, from hash-locked files")
    named = re.findall(r"\$GITHUB_ACTION_PATH(/[\w./]+)?", commands)
    assert named == ["/requirements/core.txt", ""]
    assert (ROOT / "requirements/core.txt").is_file()
    assert "setuptools==" in (ROOT / "requirements/core.txt").read_text(encoding="utf-8")
