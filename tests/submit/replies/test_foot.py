"""What every message ends with. A checkpoint in it can be held against the ledger: it stands there as it was signed."""

from __future__ import annotations

from submit.desk import Desk
from submit.replies import foot
from submit.replies.github import with_state

NOTE = "denpyo/0123456789abcdef\n42\nqINS1GRFDWHsqSZ2cBbLBqHPrBrHgLBHTKBvFiXsZ9I=\n\n\u2014 denpyo/0123456789abcdef Az3grm==\n"
COMMENT = "<!-- denpyo accepted aaaa-bbbb-cccc 00 -->\n### Accepted\n\n{details}\n\n<sub>SHA-256</sub>\n"


def test_a_checkpoint_stands_at_the_foot_line_by_line(desk: Desk) -> None:
    lines = foot.foot_of(desk, "en", "aaaa-bbbb-cccc", NOTE)
    assert lines[0] == "Request aaaa-bbbb-cccc of the desk “desk”."
    assert "\n".join(lines[2:]) == f"\n{NOTE.rstrip()}"
    assert foot.foot_of(desk, "ja", "", "")[0] == "デスク「desk」からのお知らせです。"


def test_a_desk_without_a_key_has_no_checkpoint(desk: Desk) -> None:
    (desk.folder / "audit.key").unlink(missing_ok=True)
    assert foot.newest_checkpoint(desk) == ""
    assert foot.details("en", "") == ""


def test_a_comment_carries_one_checkpoint_the_newest() -> None:
    before = COMMENT.format(details=foot.details("en", NOTE))
    newer = foot.details("en", NOTE.replace("\n42\n", "\n43\n"))
    for _ in range(2):
        before = with_state(before, "aaaa-bbbb-cccc", f"**done**\n\n{newer}")
    assert (before.count("<details>"), before.count("\n43\n"), before.count("\n42\n")) == (1, 1, 0)
    assert before.endswith("\n\n<sub>SHA-256</sub>\n")
    assert before.count("**done**") == 1
