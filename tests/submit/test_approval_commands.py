"""``denpyo reject`` as people type it."""

from __future__ import annotations

from pathlib import Path

from submit.desk import machine_user
from tests.desks import denpyo
from tests.desks.asking import Wanted, ask_one, desk_with, state

RULES = """\
version: 1
rules:
- who: ["mail:*@example.com"]
  kinds: ["*"]
  queues: ["*"]
  approve: {always: true, by: ["user:*"]}
"""


def test_a_rejection_without_a_reason_is_a_problem_like_any_other(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, RULES.replace("user:*", f"user:{machine_user()}"))
    request = ask_one(desk, Wanted("one"))
    ran = denpyo("reject", request, desk=desk.folder, code=1)
    assert (
        ran.stderr
        == f"{request}を承認しないときは理由が要ります。依頼した人が読みます。理由を一文で書いてください。 [no_reason]\n"
    )
    assert state(desk, request) == "held"
