"""examples/ci/witness.yml: its own shell steps, beside a desk that adds its checkpoints and one that rewrote its log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema.validators import validator_for

from submit import witness
from submit.desk import CONFIG, Desk, open_desk
from submit.ledger import checkpoint
from submit.new_desk import make_desk
from tests.examples.repository import ROOT, bash, git
from tests.submit.ledger.test_compare import edit, more, rebuilt

FILE = ROOT / "examples/ci/witness.yml"


def test_github_takes_the_file_which_may_only_push() -> None:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    known = json.loads(vendored.read_text(encoding="utf-8"))
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    document["on"] = document.pop(True)  # YAML 1.1
    assert [error.message for error in validator_for(known)(known).iter_errors(document)] == []
    assert document["permissions"] == {}
    assert document["jobs"]["witness"]["permissions"] == {"contents": "write"}
    assert not [one for one in document["jobs"]["witness"]["steps"] if "${{" in one.get("run", "")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk, its repository, and a checkout of that with what the workflow needs."""
    (tmp_path / "kept.git").mkdir()
    git(tmp_path / "kept.git", "init", "--quiet", "--bare", "--initial-branch", "main", ".")
    folder = make_desk(tmp_path / "desk").folder
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write('[witness]\ngit = "../kept.git"\n')
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "kept.git"), str(checkout))
    (checkout / ".github/denpyo").mkdir(parents=True)
    shutil.copy(ROOT / "verify.py", checkout / ".github/denpyo")
    shutil.copy(folder / "audit.pub", checkout / ".github/denpyo")
    return open_desk(folder)


def grown(desk: Desk, *names: str) -> None:
    more(desk, *names)
    witness.show(desk)


def run(desk: Desk) -> subprocess.CompletedProcess[str]:
    job = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]["witness"]
    step = next(one for one in job["steps"] if one.get("name") == "Demand that the log has grown")
    checkout = desk.folder.parent / "checkout"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return bash(step["run"], checkout, {**step["env"], "RUNNER_TEMP": str(desk.folder.parent), "PATH": path})


def branch(desk: Desk, name: str) -> str:
    return git(desk.folder.parent / "kept.git", "rev-parse", name)


def test_every_new_checkpoint_is_demanded_to_have_grown_out_of_the_one_before(desk: Desk) -> None:
    for names in (("k2", "k3"), ("k4",)):
        grown(desk, *names)
    done = run(desk)
    assert (done.returncode, done.stderr) == (0, "")
    good, again, said = done.stdout.splitlines()
    assert good == again == f"good: {desk.folder.parent}/newer"
    assert said.startswith("the newest checkpoint: 4 entries, ")
    assert branch(desk, "denpyo-witnessed") == branch(desk, "denpyo-checkpoints")
    grown(desk, "k5")
    assert run(desk).stdout.splitlines()[0] == f"good: {desk.folder.parent}/newer"
    assert len(run(desk).stdout.splitlines()) == 1


def forged(desk: Desk) -> None:
    """What an insider with the key and the repository puts there: a checkpoint of the rewritten log after that of the true one."""
    work = desk.folder.parent / "work"
    git(desk.folder.parent, "clone", "--quiet", "--branch", "denpyo-checkpoints", "kept.git", str(work))
    rebuilt(desk, edit)
    more(desk, "k9")
    (work / "checkpoint").write_text(checkpoint.newest(desk), encoding="utf-8")
    git(work, "commit", "--quiet", "--all", "--message", "9 entries")
    git(work, "push", "--quiet", "origin", "denpyo-checkpoints")


def test_a_rewritten_log_fails_the_workflow_and_is_not_witnessed(desk: Desk) -> None:
    grown(desk, "k2", "k3", "k4")
    run(desk)
    before = branch(desk, "denpyo-witnessed")
    forged(desk)
    done = run(desk)
    assert done.returncode == 4
    assert done.stderr.startswith("the log was rewritten before entry 5: nothing shows that ")
    assert branch(desk, "denpyo-witnessed") == before


def test_a_branch_that_was_set_back_fails_the_workflow(desk: Desk) -> None:
    grown(desk, "k2")
    first = branch(desk, "denpyo-checkpoints")
    grown(desk, "k3")
    run(desk)
    git(desk.folder.parent / "kept.git", "update-ref", "refs/heads/denpyo-checkpoints", first)
    done = run(desk)
    assert done.returncode == 1
    assert done.stdout == "::error::denpyo-checkpoints was set back: it does not hold what denpyo-witnessed has seen\n"


def test_a_checkpoint_of_another_key_fails_the_workflow(desk: Desk) -> None:
    other = make_desk(desk.folder.parent / "other").folder
    shutil.copy(other / "audit.pub", desk.folder.parent / "checkout/.github/denpyo")
    grown(desk, "k2")
    done = run(desk)
    assert (done.returncode, done.stderr) == (
        4,
        f"{desk.folder.parent}/older: is signed by none of the keys that are known\n",
    )
