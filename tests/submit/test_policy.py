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
