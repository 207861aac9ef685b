from __future__ import annotations

from pathlib import Path

import pytest

from submit import policy

GOOD = """\
version: 1
rules:
- who: ["user:hanako"]
  kinds: [inference]
  queues: ["*"]
- who: ["user:hanako", "user:taro"]
  kinds: ["*"]
  queues: [default]
"""


def decided(
    text: str, folder: Path, who: str = "user:hanako", kind: str = "inference", queue: str = "gpu"
) -> policy.Decision:
    file = folder / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return policy.decide(policy.read(file), who, kind, queue)


def test_the_first_rule_that_covers_a_request_decides(tmp_path: Path) -> None:
    assert decided(GOOD, tmp_path).rule == 1
    assert decided(GOOD, tmp_path, queue="default").rule == 1
    assert decided(GOOD, tmp_path, kind="train_supervised", queue="default").rule == 2


@pytest.mark.parametrize(
    ("who", "kind", "queue"),
    [
        pytest.param("user:jiro", "inference", "default", id="a person nobody named"),
        pytest.param("user:taro", "inference", "gpu", id="a queue of another rule"),
        pytest.param("user:hanako", "train_supervised", "gpu", id="a kind and a queue of two rules"),
        pytest.param("hanako", "inference", "gpu", id="a name that is no user"),
    ],
)
def test_what_no_rule_allows_is_denied(tmp_path: Path, who: str, kind: str, queue: str) -> None:
    assert not decided(GOOD, tmp_path, who, kind, queue).allowed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("version: 2\nrules: []\n", id="another version"),
        pytest.param("version: 1\nrules: []\n", id="no rules"),
        pytest.param(GOOD + "  quues: [gpu]\n", id="a misspelt name"),
        pytest.param(GOOD.replace("user:hanako", "hanako"), id="a person that is no user"),
        pytest.param(GOOD.replace("user:hanako", "user:*"), id="a wildcard for people"),
        pytest.param("a: &x 1\nb: *x\n", id="anchors"),
        pytest.param("version: [", id="not YAML"),
        pytest.param(GOOD + "---\n" + GOOD, id="two documents"),
    ],
)
def test_a_broken_policy_denies_and_says_why(tmp_path: Path, text: str) -> None:
    decision = decided(text, tmp_path)
    assert not decision.allowed
    assert decision.reason.startswith(str(tmp_path / "policy.yaml"))


def test_a_missing_policy_denies(tmp_path: Path) -> None:
    decision = policy.decide(policy.read(tmp_path / "policy.yaml"), "user:hanako", "inference", "default")
    assert (decision.allowed, decision.sha256) == (False, "")
    assert decision.reason.endswith("No such file or directory")


PEOPLE = """\
version: 1
rules:
- who: ["mail:Hanako@Example.jp", "github:583231"]
  kinds: ["*"]
  queues: ["*"]
- who: ["mail:*@lab.example.jp"]
  kinds: ["*"]
  queues: ["*"]
- who: [unverified]
  kinds: [inference]
  queues: ["*"]
"""


@pytest.mark.parametrize(
    ("who", "rule"),
    [
        pytest.param("mail:hanako@example.jp", 1, id="an address, whatever its capitals"),
        pytest.param("github:583231", 1, id="the number of an account"),
        pytest.param("mail:taro@lab.example.jp", 2, id="anyone of a domain"),
        pytest.param("mail:taro@lab.example.jp.evil.example", None, id="a domain that only begins alike"),
        pytest.param("mail:taro@evil-lab.example.jp", None, id="a domain that only ends alike"),
        pytest.param("user:taro@lab.example.jp", None, id="a user whose name looks like an address"),
        pytest.param("github:58323", None, id="another number"),
        pytest.param("unverified", 3, id="nobody vouches"),
    ],
)
def test_people_are_known_by_what_their_door_vouches_for(tmp_path: Path, who: str, rule: int | None) -> None:
    assert decided(PEOPLE, tmp_path, who).rule == rule


TEAM = """\
version: 1
people:
  sato: {is: ["mail:Sato@example.com", "github:123", "user:sato"], language: ja}
  mori: {is: ["github:77"], mail: mori@example.com}
groups:
  leads: ["person:sato", "github:88", "mail:*@leads.example.com"]
operators: ["group:leads", "person:mori", "person:sato"]
rules:
- who: ["group:leads"]
  doors: {min_trust: verified, only: [github, mail]}
  kinds: ["*"]
  queues: ["*"]
- who: ["person:sato", "user:taro", unverified]
  doors: {min_trust: machine}
  kinds: ["*"]
  queues: ["*"]
  approve: {over_gpus: 2, by: ["group:leads", "person:nobody"]}
"""


def team(text: str, folder: Path) -> policy.Policy:
    file = folder / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    found = policy.read(file)
    assert found.policy is not None, found.reason
    return found.policy


@pytest.mark.parametrize(
    ("who", "doors", "rule"),
    [
        pytest.param("mail:sato@EXAMPLE.com", ("excel", "mail"), 1, id="a person of a group, by mail"),
        pytest.param("github:123", ("github", "github"), 1, id="the same person at GitHub"),
        pytest.param("github:123", ("google", "google"), 2, id="by a door that the first rule is not for"),
        pytest.param(
            "user:sato", ("excel", "command"), 2, id="on the command line, where the first rule trusts too little"
        ),
        pytest.param("github:88", ("github", "github"), 1, id="a member who is no person"),
        pytest.param("mail:x@leads.example.com", ("excel", "mail"), 1, id="a member by domain"),
        pytest.param("github:77", ("github", "github"), None, id="a person whom no rule names"),
        pytest.param(
            "unverified", ("excel", "mail"), None, id="nobody, where a rule wants at least a user of the machine"
        ),
        pytest.param("person:sato", ("excel", "command"), None, id="somebody who calls themselves as the policy does"),
    ],
)
def test_people_and_groups_are_who_the_policy_says_and_a_rule_is_for_its_doors_and_trust(
    tmp_path: Path, who: str, doors: tuple[str, ...], rule: int | None
) -> None:
    team(TEAM, tmp_path)
    assert policy.decide(policy.read(tmp_path / "policy.yaml"), who, "k", "q", doors).rule == rule


def test_one_person_is_the_same_under_every_name(tmp_path: Path) -> None:
    rules = team(TEAM, tmp_path)
    names = ("mail:SATO@example.com", "github:123", "user:sato", "github:9", "mail:New@example.com")
    assert [rules.person(one) for one in names] == ["sato", "sato", "sato", "github:9", "mail:new@example.com"]


def test_whom_the_policy_names_can_be_reached_as_far_as_it_says_how(tmp_path: Path) -> None:
    rules = team(TEAM, tmp_path)
    sato = policy.Contact("sato", ("mail:Sato@example.com", "github:123", "user:sato"), "Sato@example.com", "ja")
    mori = policy.Contact("mori", ("github:77",), "mori@example.com", "")
    leads = (
        sato,
        policy.Contact("github:88", ("github:88",)),
        policy.Contact("mail:*@leads.example.com", ("mail:*@leads.example.com",)),
    )
    assert rules.reach("github:123") == rules.reach("person:sato") == rules.reach("sato") == (sato,)
    assert rules.reach("group:leads") == leads
    assert rules.reach("mail:new@example.com") == (
        policy.Contact("mail:new@example.com", ("mail:new@example.com",), "new@example.com"),
    )
    assert rules.reach("person:nobody") == rules.reach("group:none") == rules.reach("nobody") == ()
    assert rules.operators == (*leads, mori)
    assert rules.approvers(2) == leads
    assert rules.approvers(1) == rules.approvers(3) == rules.approvers(0) == ()


@pytest.mark.parametrize(
    ("subject", "may"),
    [
        pytest.param("user:sato", True, id="a person of the group, under any name"),
        pytest.param("mail:any@leads.example.com", True, id="anyone of a domain"),
        pytest.param("mail:any@leads.example.com.evil.example", False, id="a domain that begins alike"),
        pytest.param("github:77", False, id="another person"),
        pytest.param("unverified", False, id="nobody"),
    ],
)
def test_a_rule_is_approved_by_those_whom_it_names(tmp_path: Path, subject: str, may: bool) -> None:
    rules = team(TEAM, tmp_path)
    rule = rules.rule(2)
    assert rule is not None
    assert rule.approve is not None
    assert rules.names(rule.approve.by, subject) is may


@pytest.mark.parametrize(
    ("was", "instead", "said"),
    [
        ('is: ["github:77"]', 'is: ["github:123"]', "people: two have the same name"),
        ('is: ["github:77"]', 'is: ["mail:SATO@Example.com"]', "people: two have the same name"),
        ('is: ["github:77"]', 'is: ["mail:*@example.com"]', "people.mori.is.0"),
        ("over_gpus: 2,", "over_gpus: 2, not_self: false,", "approve.not_self: must be true"),
        ("over_gpus: 2,", "over_gpus: -1,", "approve.over_gpus"),
        ("over_gpus: 2,", "over_gpus: .nan,", "approve.over_gpus"),
        ("over_gpus: 2,", "over_gpu_hours: inf,", "approve.over_gpu_hours"),
        ("over_gpus: 2,", "expires_days: 0,", "approve.expires_days"),
        (', by: ["group:leads", "person:nobody"]', "", "approve.by: Field required"),
        ("min_trust: machine", "min_trust: high", "doors.min_trust"),
        ("language: ja", "language: fr", "people.sato.language"),
        ("mail: mori@example.com", "mail: mori", "people.mori.mail"),
        ('"group:leads", "person:mori"', '"group:*"', "operators.0"),
        ("groups:", "group:", "group: Extra inputs are not permitted"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_what_is_wrong_with_a_policy_is_said_with_its_place_and_denies_everything(
    tmp_path: Path, was: str, instead: str, said: str
) -> None:
    assert was in TEAM
    (tmp_path / "policy.yaml").write_text(TEAM.replace(was, instead), encoding="utf-8")
    found = policy.read(tmp_path / "policy.yaml")
    assert found.policy is None
    assert said in found.reason
    assert not policy.decide(found, "user:sato", "k", "q").allowed


def test_everything_that_is_wrong_is_said_not_the_first_alone(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD.replace("version", "vrsion"), encoding="utf-8")
    assert (
        policy.read(file).reason
        == f"{file}: version: Field required (line 1); vrsion: Extra inputs are not permitted (line 1)"
    )
    file.write_text(GOOD + "".join(f"x{number}: 1\n" for number in range(7)), encoding="utf-8")
    assert policy.read(file).reason.endswith("; x4: Extra inputs are not permitted (line 13); and 2 more")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664])
def test_a_policy_that_others_may_write_denies_everything(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(mode)
    found = policy.read(file)
    assert found.reason == f"{file}: others than its owner may write it: chmod go-w {file}"
    assert not policy.decide(found, "user:hanako", "inference", "default").allowed
    file.chmod(0o644)
    assert policy.decide(policy.read(file), "user:hanako", "inference", "default").allowed


def test_a_policy_that_others_may_replace_denies_everything(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    file = folder / "policy.yaml"
    file.write_text(GOOD, encoding="utf-8")
    folder.chmod(0o777)
    assert policy.read(file).reason == f"{file}: anybody may put another in its place: chmod o-w {folder}"
    link = tmp_path / "policy.yaml"
    link.symlink_to(file)
    assert policy.read(link).reason == f"{link}: anybody may put another in its place: chmod o-w {folder}"
    folder.chmod(0o1777)
    assert policy.read(file).reason == ""
