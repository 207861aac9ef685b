"""`denpyo policy explain`: what the policy would say of a file, rule by rule, and the commands that rule on requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from submit.desk import Desk, machine_user
from tests.desks import counting, denpyo
from tests.desks.asking import AYA, Wanted, ask, ask_one, desk_with, entries, set_rules, state

ME = f"user:{machine_user()}"
RULES = f"""\
version: 1
people:
  aya: {{is: ["mail:aya@example.com"]}}
groups:
  leads: ["{ME}"]
rules:
- who: ["{ME}"]
  kinds: [inference]
  queues: ["*"]
- who: ["mail:*@example.com"]
  doors: {{only: [github]}}
  kinds: ["*"]
  queues: ["*"]
- who: ["mail:*@example.com"]
  kinds: ["*"]
  queues: ["*"]
  limits: {{hours_per_job: 10, gpu_hours_per_month: 100, open_jobs: 2}}
  approve: {{over_hours: 4, by: ["group:leads", "mail:boss@example.com"]}}
- who: [unverified]
  kinds: ["*"]
  queues: ["*"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, RULES)


def asked(folder: Path, name: str, hours: float) -> Path:
    return counting(folder, name, more=f"language: en\nresources:\n  max_hours: {hours}\n")


def test_it_says_of_each_rule_why_it_does_not_cover_and_of_the_deciding_one_what_is_left(
    desk: Desk, tmp_path: Path
) -> None:
    ask(desk, Wanted("before", gpus=4, hours=2))
    files = (asked(tmp_path, "a", 6), asked(tmp_path, "b", 12))
    done = denpyo("policy", "explain", *files, "--as", "aya", desk=desk.folder, code=1)
    assert done.stdout == (
        "a.yaml:1:1: count_starts, 0 GPUs x 6 h, queue default, for mail:aya@example.com (aya)\n"
        "  rule 1: who: does not name mail:aya@example.com\n"
        "  rule 2: doors.only: is for github; this comes as yaml by mail\n"
        "  rule 3: decides\n"
        "    hours_per_job: 6 of 10\n"
        "    gpu_hours_per_month: 0 asked for, 8 used or set aside, 92 left of 100\n"
        "    open_jobs: 1 open of 2\n"
        "  rule 4: not asked, rule 3 decides\n"
        "  held: 6 hours, more than 4; can be approved by leads, somebody whom the rules name for 7 days\n"
        "b.yaml:1:1: count_starts, 0 GPUs x 12 h, queue default, for mail:aya@example.com (aya)\n"
        "  rule 1: who: does not name mail:aya@example.com\n"
        "  rule 2: doors.only: is for github; this comes as yaml by mail\n"
        "  rule 3: decides\n"
        "    hours_per_job: 12 of 10\n"
        "    gpu_hours_per_month: 0 asked for, 8 used or set aside, 92 left of 100\n"
        "    open_jobs: 2 open of 2\n"
        "  rule 4: not asked, rule 3 decides\n"
        "  denied: 12 hours are asked for; the rules of this desk give you at most 10 for one job. Ask for less time. [over_hours]; "
        "2 of your requests wait or run; the rules of this desk let you have 2 at a time. Hand it in again when one of them has ended, "
        "or cancel one. [over_open]\n"
    )
    assert len(entries(desk, "accepted")) == 1


@pytest.mark.parametrize(
    ("words", "outcome", "rule"),
    [
        pytest.param((), "denied", None, id="me, whose kind no rule names"),
        pytest.param(("--as", "aya@example.com"), "allowed", 3, id="an address"),
        pytest.param(("--as", "mail:x@example.com", "--by", "github"), "allowed", 2, id="by another door"),
        pytest.param(("--as", "unverified"), "allowed", 4, id="nobody"),
        pytest.param(("--as", "github:5"), "denied", None, id="an account that no rule names"),
    ],
)
def test_for_whom_it_is_asked_and_what_brings_it_may_be_said(
    desk: Desk, tmp_path: Path, words: tuple[str, ...], outcome: str, rule: int | None
) -> None:
    done = denpyo(
        "policy", "explain", asked(tmp_path, "a", 2), *words, "--json", desk=desk.folder, code=outcome == "denied"
    )
    (one,) = json.loads(done.stdout)["requests"]
    assert (one["outcome"], one["rule"], len(one["rules"])) == (outcome, rule, 4)


def test_what_would_be_refused_before_and_who_is_nobody_is_said(desk: Desk, tmp_path: Path) -> None:
    done = denpyo("policy", "explain", asked(tmp_path, "a", -1), "--as", "aya", desk=desk.folder, code=1)
    assert "[not_above]" in done.stderr
    done = denpyo("policy", "explain", asked(tmp_path, "a", 1), "--as", "bob", desk=desk.folder, code=2)
    assert (
        done.stderr
        == "denpyo: --as bob: neither user:, mail:, github:, clearml:, unverified, nor a person of policy.yaml\n"
    )
    set_rules(desk, "version: 1\n")
    done = denpyo("policy", "explain", asked(tmp_path, "a", 1), desk=desk.folder, code=2)
    assert done.stderr.startswith("denpyo: everything is denied: ")


def test_check_ends_with_1_where_something_is_found(desk: Desk) -> None:
    assert denpyo("policy", "check", desk=desk.folder).stdout == "good: every rule can match\n"
    set_rules(desk, RULES.replace('"group:leads", ', '"group:heads", '))
    done = denpyo("policy", "check", desk=desk.folder, code=1)
    assert done.stdout == "rule 3: approve.by: there is no group heads\n1 found\n"
    data = json.loads(denpyo("policy", "check", "--json", desk=desk.folder, code=1).stdout)
    assert data == {"findings": [{"rule": 3, "why": "approve.by: there is no group heads"}]}


def test_a_held_request_is_shown_with_who_can_approve_it_and_approved_or_rejected_by_command(desk: Desk) -> None:
    first, second = (one.id for one in ask(desk, Wanted("a", hours=6), Wanted("b", hours=7)).responses)
    (held, _) = entries(desk, "held")
    shown = denpyo("status", first, desk=desk.folder).stdout
    until = held.detail["expires"]
    assert f"can be approved by leads, somebody whom the rules name until {until}\n" in shown
    told = json.loads(denpyo("status", first, "--json", desk=desk.folder).stdout)
    assert (told["state"], told["run"], told["held"]["by"]) == ("held", None, ["leads", "somebody whom the rules name"])
    assert denpyo("approve", first, desk=desk.folder).stdout == f"{first}: approved, queued\n"
    assert denpyo("reject", second, "--why", "wait for May", desk=desk.folder).stdout == f"{second}: rejected\n"
    assert f"    by {ME}\n    wait for May\n" in denpyo("show", second, desk=desk.folder).stdout
    done = denpyo("approve", second, desk=desk.folder, code=1)
    assert done.stderr == f"{second}は承認待ちではありません（不承認）。何もしなくてかまいません。 [not_held]\n"
    done = denpyo("reject", second, "--why", "no", "--json", desk=desk.folder, code=1)
    assert json.loads(done.stdout)["problems"][0]["code"] == "not_held"
    assert denpyo("approve", "none", desk=desk.folder, code=2).stderr.startswith("denpyo: no request none")


def test_cancelling_is_for_who_asked_and_for_operators_where_there_are_some(desk: Desk) -> None:
    request = ask_one(desk, Wanted("a", AYA))
    set_rules(desk, RULES.replace("rules:\n", "operators: ['github:1']\nrules:\n"))
    done = denpyo("cancel", request, desk=desk.folder, code=1)
    assert "[not_yours_to_stop]" in done.stderr
    assert state(desk, request) == "queued"
    set_rules(desk, RULES.replace("rules:\n", f"operators: ['{ME}']\nrules:\n"))
    assert denpyo("cancel", request, desk=desk.folder).stdout == f"{request}: stopped\n"
    assert denpyo("cancel", request, desk=desk.folder, code=1).stdout == f"{request}: stopped, nothing to stop\n"


def test_the_page_about_the_policy_shows_what_explain_prints(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    rules, request = (block.partition("```")[0] for block in page.split("```yaml\n")[1:])
    desk = desk_with(tmp_path, rules)
    file = tmp_path / "request.yaml"
    file.write_text(request, encoding="utf-8")
    done = denpyo("policy", "explain", file, "--as", "sato", desk=desk.folder)
    assert f"```text\n{done.stdout}```\n" in page


def test_the_example_for_a_team_can_match_where_its_queue_is_there(desk: Desk) -> None:
    set_rules(desk, (Path(__file__).parents[2] / "examples" / "policy" / "team.yaml").read_text(encoding="utf-8"))
    done = denpyo("policy", "check", desk=desk.folder, code=1)
    assert done.stdout.splitlines()[0] == "rule 2: queues: there is no queue gpu-a100"
    config = desk.folder / "denpyo.toml"
    config.write_text(
        config.read_text(encoding="utf-8").replace('["default"] ', '["default", "gpu-a100"] '), encoding="utf-8"
    )
    denpyo("policy", "check", desk=desk.folder)
