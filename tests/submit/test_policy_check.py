"""`denpyo policy check`: rules that can never match, names that mean nobody, approvals that nobody can give."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from submit import policy, policy_check
from submit.desk import Desk, DeskError
from tests.desks.asking import desk_with, set_rules

HEAD = """\
version: 1
people:
  aya: {is: ["mail:aya@example.com", "user:aya"]}
  ken: {is: ["github:77"]}
groups:
  leads: ["person:ken", "person:aya"]
"""
ANY = 'kinds: ["*"], queues: ["*"]'


def rule(who: str, more: str = "", what: str = ANY) -> str:
    return f"- {{who: [{who}], {what}{more}}}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, HEAD)


def found(desk: Desk, *rules: str, head: str = HEAD) -> list[str]:
    set_rules(desk, f"{head}rules:\n{''.join(rules)}")
    return [one.line() for one in policy_check.check(desk)]


def test_a_policy_in_which_every_rule_can_match_has_nothing_to_be_found(desk: Desk) -> None:
    assert (
        found(
            desk,
            rule('"person:aya"', ", doors: {only: [github, mail], min_trust: verified}"),
            rule('"person:aya"', ", approve: {over_hours: 2, by: ['group:leads']}"),
            rule("'mail:*@example.com'", what='kinds: [count_starts], queues: ["*"]'),
            rule("'mail:*@example.com', unverified"),
            head=HEAD + 'operators: ["group:leads"]\n',
        )
        == []
    )


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param(
            (rule('"mail:*@example.com"'), rule('"mail:aya@example.com"')),
            "rule 2: can never match: rule 1 comes first and covers all of it",
            id="one address of a domain that comes first",
        ),
        pytest.param(
            (rule('"group:leads"'), rule('"github:77"')),
            "rule 2: can never match: rule 1 comes first and covers all of it",
            id="a member of a group that comes first",
        ),
        pytest.param(
            (
                rule('"user:x"', what='kinds: [count_starts], queues: ["*"]'),
                rule('"user:x"', what='kinds: [inference, train_supervised], queues: ["*"]'),
                rule('"user:x"'),
            ),
            "rule 3: can never match: rules 1 and 2 come first and cover all of it",
            id="two that come first and together leave nothing",
        ),
        pytest.param(
            (rule('"user:x"', ", doors: {min_trust: verified}"),),
            "rule 1: can never match: min_trust verified is more than any door gives for user:x",
            id="a trust that no door gives",
        ),
        pytest.param(
            (rule('"github:77"', ", doors: {only: [folder, mail]}"),),
            "rule 1: can never match: nothing of doors.only (folder, mail) brings github:77",
            id="doors that do not bring such people",
        ),
        pytest.param(
            (rule('"user:x"', ", doors: {only: [fax, command]}"),),
            "rule 1: doors.only: there is no door fax",
            id="an unknown door",
        ),
        pytest.param(
            (rule('"user:x"', what='kinds: [count_start, inference], queues: ["*"]'),),
            "rule 1: kinds: there is no kind count_start",
            id="an unknown kind",
        ),
        pytest.param(
            (rule('"user:x"', what='kinds: ["*"], queues: [gpu, default]'),),
            "rule 1: queues: there is no queue gpu",
            id="an unknown queue",
        ),
        pytest.param((rule('"user:x", "group:lead"'),), "rule 1: there is no group lead", id="an unknown group"),
        pytest.param((rule('"user:x", "person:bob"'),), "rule 1: there is no person bob", id="an unknown person"),
        pytest.param(
            (rule('"user:x"', ", approve: {always: true, by: ['github:1', 'group:boss']}"),),
            "rule 1: approve.by: there is no group boss",
            id="an unknown group of approvers",
        ),
        pytest.param(
            (rule('"user:aya"', ", approve: {always: true, by: ['mail:aya@example.com']}"),),
            "rule 1: approve.by: is aya alone, whose own requests nobody can approve",
            id="an approver for oneself",
        ),
        pytest.param(
            (rule('"user:x"', ", approve: {always: true, by: ['mail:*@example.com']}"),),
            "rule 1: approve.by: names no person, so that nobody hears of what is held",
            id="approvers whom nobody can reach",
        ),
        pytest.param(
            (rule('"user:x"', ", approve: {by: ['github:1']}"),),
            "rule 1: approve: names no threshold, so that nothing is ever held",
            id="an approval that is never asked for",
        ),
        pytest.param(
            (rule('"user:x"', ", limits: {gpus_per_job: 4}, approve: {over_gpus: 4, by: ['github:1']}"),),
            "rule 1: approve.over_gpus: 4 is never exceeded, gpus_per_job is 4",
            id="a threshold over a limit",
        ),
    ],
)
def test_what_can_never_be_is_found_and_its_rule_named(desk: Desk, rules: tuple[str, ...], said: str) -> None:
    assert found(desk, *rules) == [said]


def test_rules_of_nothing_that_is_there_and_approvals_by_nobody_are_found_twice_once_by_name(desk: Desk) -> None:
    assert found(desk, rule('"user:x"', what="kinds: [none], queues: [gpu]"), rule('"group:none"')) == [
        "rule 1: kinds: there is no kind none",
        "rule 1: queues: there is no queue gpu",
        "rule 1: can never match: none of its kinds or queues is there",
        "rule 2: there is no group none",
        "rule 2: can never match: who means nobody",
    ]
    assert found(desk, rule('"user:x"', ", approve: {always: true, by: ['group:none']}")) == [
        "rule 1: approve.by: there is no group none",
        "rule 1: approve.by: means nobody, so that what is held can never be approved",
    ]


def test_groups_without_members_and_names_of_nobody_are_found(desk: Desk) -> None:
    head = HEAD + '  empty: []\n  odd: ["person:bob"]\noperators: ["group:none"]\n'
    assert found(desk, rule('"user:x"'), head=head) == [
        "groups.empty: is empty",
        "groups.odd: there is no person bob",
        "operators: there is no group none",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            rule('"user:x"', ", doors: {only: [folder]}"), rule('"user:x"'), id="the first is for one door alone"
        ),
        pytest.param(rule('"mail:*@a.example"'), rule('"mail:*@b.a.example"'), id="another domain"),
        pytest.param(rule("unverified", ", doors: {min_trust: claimed}"), rule('"user:x"'), id="other people"),
        pytest.param(rule('"mail:aya@example.com"'), rule('"person:aya"'), id="a person with one more name"),
    ],
)
def test_a_rule_that_something_is_left_for_is_not_found(desk: Desk, first: str, second: str) -> None:
    assert found(desk, first, second) == []


def test_a_policy_that_cannot_be_read_is_said_in_one_line(desk: Desk) -> None:
    set_rules(desk, "version: 1\nrules: []\n")
    with pytest.raises(DeskError, match=r"^everything is denied: .*policy\.yaml: rules: "):
        policy_check.check(desk)


def test_a_rule_that_cannot_be_read_has_the_number_that_explain_gives_it_and_its_line(desk: Desk) -> None:
    set_rules(desk, f"{HEAD}rules:\n{rule('user:aya')}{rule('user:bo', ', limits: {hours_per_job: many}')}")
    with pytest.raises(
        DeskError, match=r"policy\.yaml: rule 2: limits\.hours_per_job: Input should be a valid number.* \(line 9\)$"
    ):
        policy_check.check(desk)


SUBJECTS = ("user:x", "mail:aya@example.com", "mail:ken@example.com", "github:77", "unverified")
WHO = ("user:x", "person:aya", "mail:*@example.com", "mail:aya@example.com", "group:leads", "unverified")
QUEUES = ("default", "gpu")
some = partial(st.lists, min_size=1, max_size=2, unique=True)


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    kinds, queues = (
        draw(some(st.sampled_from(["count_starts", "inference", "*"]))),
        draw(some(st.sampled_from([*QUEUES, "*"]))),
    )
    trust = draw(st.sampled_from(["claimed", "machine", "verified"]))
    who = draw(some(st.sampled_from(WHO)))
    return f"- {{who: {json.dumps(who)}, kinds: {json.dumps(kinds)}, queues: {json.dumps(queues)}, doors: {{min_trust: {trust}}}}}\n"


@given(st.lists(rule_texts(), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_check_finds_is_what_no_request_can_meet(desk: Desk, rules: list[str]) -> None:
    """And every rule of which it says nothing decides about some request."""
    there = replace(desk, config=desk.config.model_copy(update={"queues": QUEUES}))
    set_rules(there, f"{HEAD}rules:\n{''.join(rules)}")
    never = {one.rule for one in policy_check.check(there) if one.why.startswith("can never match")}
    found = policy.read_of(there)
    everything = product((*SUBJECTS, "user:aya", "mail:new@example.com"), there.kinds, QUEUES)
    deciding = {policy.decide(found, who, kind, queue).rule for who, kind, queue in everything}
    assert never == {*range(1, len(rules) + 1)} - deciding
