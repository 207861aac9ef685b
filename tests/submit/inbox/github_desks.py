"""Desks that take issues of the stand-in for GitHub, and what they made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from generators import issue_form
from submit import standing, watch
from submit.desk import CONFIG, LEDGER, POLICY, Desk, open_desk
from submit.inbox.health import inbox_data
from submit.judging import Outcome
from submit.kept_slip import slip_text
from submit.ledger import verify
from tests.generators.github_issues import body
from tests.submit.inbox.github_service import Account, Issue

ROOT = Path(__file__).parents[3]
TOKEN = "canary-github_pat_11AAAA"  # noqa: S105
DENPYO, HANAKO, TARO = Account("denpyo-desk", 1), Account("hanako", 583231), Account("taro", 9919)
STRANGER = Account("stranger", 42)


def with_source(desk: Desk, url: str, mode: int = 0o600) -> Desk:
    secret = desk.folder / "github.token"
    secret.write_text(f"{TOKEN}\n", encoding="utf-8")
    secret.chmod(mode)
    config = (desk.folder / CONFIG).read_text(encoding="utf-8")
    source = f'[sources.issues]\nkind = "github"\nrepository = "example/jobs"\ntoken = "github"\nurl = "{url}"\n'
    text = f'{config.partition("[secrets]")[0]}\n[secrets]\ngithub = "github.token"\n{source}'
    (desk.folder / CONFIG).write_text(text, encoding="utf-8")
    with (desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['github:583231', 'github:9919']\n  kinds: ['*']\n  queues: ['*']\n")
    return open_desk(desk.folder)


def counting(desk: Desk, name: str = "one", seconds: str = "0", language: str = "en") -> str:
    form = issue_form.write(desk.kinds["count_starts"].form, language)
    elements = {"name": name, "file": str(desk.folder.parent / "starts"), "seconds": seconds}
    return body(form, elements)


def looked(desk: Desk) -> list[Outcome]:
    heard: list[Outcome] = []
    watch.watch(desk, lambda source, outcome: heard.append(outcome), once=True)
    assert verify(desk.folder / LEDGER).ok
    return heard


def down(desk: Desk) -> str:
    return str(inbox_data(desk)["sources"]["issues"]["error"])


def slips(desk: Desk) -> list[dict[str, Any]]:
    rows = [one.request for one in standing.all_standing(desk)]
    return [yaml.safe_load(slip_text(desk, row) or "{}") for row in rows]


def states(desk: Desk) -> list[tuple[str, str]]:
    rows = [one.request.state for one in standing.all_standing(desk)]
    return [(slip["requested_by"]["name"], state) for slip, state in zip(slips(desk), rows, strict=True)]


def comments(issue: Issue) -> list[str]:
    return [one.body for one in issue.comments]
