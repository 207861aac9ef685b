"""Problems as GitHub and GitLab show them beside the files of a change; nothing that people write becomes a command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import denpyo
from generators.excel import template
from generators.excel.template import Filled
from schema.answers import Where
from schema.problem import Problem
from submit.desk import desk_or_none_yet
from submit.replies.annotations import Annotation, gitlab, judged, workflow_command
from submit.response import Source, Wishes
from tests.kinds_for_tests import SHIPPED

NO_DESK = desk_or_none_yet(Path(__file__).parent / "nowhere")
ALONE = Wishes(form_only=True)
WRONG = b"kind: train_supervised\nlanguage: en\njob:\n  dataset_id: wine\n  algorithm: xgbost\n"
COMMAND = re.compile(
    r"::(?:error|warning) file=(?P<file>[^,:\r\n]*),title=(?P<title>[^,:\r\n]*)(?:,line=\d+,col=\d+)?::(?P<data>[^\r\n]*)"
)


def unescaped(text: str) -> str:
    """As the runner does (actions/runner, ActionCommand.cs): the percent sign last."""
    for said, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(said, meant)
    return text


def test_a_problem_in_yaml_stands_at_its_line() -> None:
    (found,) = judged(NO_DESK, ["requests/a,b.yaml"], [Source("a,b.yaml", WRONG)], ALONE)
    assert workflow_command(found) == (
        "::error file=requests/a%2Cb.yaml,title=unknown_choice,line=5,col=14::“xgbost” is not one of the choices. Choose from: "
        "Random forest, XGBoost, Neural network, Logistic regression, Linear regression (ridge). Did you mean “XGBoost”? "
        "[unknown_choice]"
    )


def test_a_problem_in_a_workbook_stands_at_its_cell() -> None:
    sheet = template.write(SHIPPED["train_supervised"].form, "en", "form", [Filled({"dataset_id": "wine"}, "", "")])
    (found,) = judged(NO_DESK, ["requests/a.xlsx"], [Source("a.xlsx", sheet)], ALONE)
    assert workflow_command(found) == (
        "::error file=requests/a.xlsx,title=Request!C12::“Which algorithm?” has no answer. It is required: please fill it in. [missing]"
    )
    assert gitlab([found])[0]["description"] == (
        "Request!C12: “Which algorithm?” has no answer. It is required: please fill it in. [missing]"
    )


def test_gitlab_hears_path_and_line_and_knows_the_same_mistake_again() -> None:
    twice = [gitlab(judged(NO_DESK, ["r/a.yaml"], [Source("a.yaml", WRONG)], ALONE))[0] for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0]["location"] == {"path": "r/a.yaml", "lines": {"begin": 5}}
    assert (twice[0]["check_name"], twice[0]["severity"]) == ("unknown_choice", "major")
    assert re.fullmatch("[0-9a-f]{64}", twice[0]["fingerprint"])


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    found = judged(NO_DESK, ["a/r.yaml", "b/r.yaml"], [Source("r.yaml", WRONG)] * 2, ALONE)
    assert [one.path for one in found] == ["a/r.yaml", "b/r.yaml"]


def test_a_hostile_answer_becomes_no_command_of_its_own() -> None:
    hostile = b'kind: train_supervised\nlanguage: en\njob:\n  dataset_id: wine\n  algorithm: "x\\n::add-mask::y%0A::error::z"\n'
    (found,) = judged(NO_DESK, ["a.yaml"], [Source("a.yaml", hostile)], ALONE)
    said = workflow_command(found)
    assert said.startswith("::error file=a.yaml,title=unknown_choice,line=5,col=14::“x ::add-mask::y%250A::error::z”")
    assert "\n" not in said


@given(st.text(), st.text(), st.text())
def test_whatever_people_write_is_one_command_that_says_it(path: str, spot: str, wrong: str) -> None:
    problem = Problem("unknown_choice", Where("a", spot), "algorithm", {"text": wrong, "choices": ()})
    found = Annotation(path, problem, "en", True)
    command = COMMAND.fullmatch(workflow_command(found))
    assert command
    assert (unescaped(command["file"]), unescaped(command["data"])) == (path, found.message())


def test_what_this_machine_lacks_is_no_problem_of_the_form_alone(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(
        "kind: train_supervised\nlanguage: en\njob: {dataset_id: not-here, algorithm: xgboost}\n"
        "resources: {queue: gpu-a100, gpus: 8}\n",
        encoding="utf-8",
    )
    words = ["check", str(file), "--desk", str(tmp_path / "none")]
    codes = [one["code"] for one in json.loads(CliRunner().invoke(denpyo.app, [*words, "--json"]).stdout)["problems"]]
    assert codes[:2] == ["no_dataset", "no_queue"]
    for format in ([], ["--format", "github"]):
        done = CliRunner().invoke(denpyo.app, [*words, "--form-only", *format])
        assert (done.exit_code, done.stdout.splitlines()[-1:]) == (0, [] if format else ["1 good, 0 refused"])


def test_what_is_wrong_ends_with_1_and_gitlab_reads_its_report_from_the_output(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(WRONG)
    done = CliRunner().invoke(denpyo.app, ["check", str(file), "--form-only", "--format", "gitlab"])
    assert done.exit_code == 1
    assert [one["location"]["path"] for one in json.loads(done.stdout)] == [str(file)]
    assert done.stderr.startswith(f"{file}:5:14: “xgbost” is not one of the choices.")


@pytest.mark.parametrize("more", [["--json"], ["--annotate", "marked"]], ids=["json", "annotate"])
def test_what_is_written_for_a_service_is_written_in_no_second_way(more: list[str], tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(WRONG)
    done = CliRunner().invoke(denpyo.app, ["check", str(file), "--form-only", "--format", "gitlab", *more])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "denpyo: --format writes for a service alone: leave out --annotate and --json\n"
