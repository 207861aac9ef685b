"""The people of a real policy hear of what it holds, each what is theirs to hear; the word in a mail is one that the desk takes."""

from __future__ import annotations

import re
from pathlib import Path

from submit import orders
from submit.desk import POLICY, Desk
from submit.replies import tell
from tests.submit.inbox.mail_servers import Certified, Outbox
from tests.submit.replies.telling import HANAKO, mailing_desk, said, submitted

LETTERS = '[sources.letters]\nkind = "mail"\nhost = "127.0.0.1"\nuser = "u"\npassword = "mail"\nauthserv_id = "mx"\n'
PEOPLE = """\
version: 1
people:
  leader: {is: ["mail:leader@example.jp"], language: en}
  ops: {is: ["user:ops"], language: ja, mail: ops@example.jp}
operators: ["person:ops"]
rules:
- who: ["mail:*@example.jp"]
  kinds: ["*"]
  queues: ["*"]
  approve: {always: true, by: ["person:leader", "mail:hanako@example.jp"]}
"""


def held(folder: Path, out: Outbox, pki: Certified, more: str = "") -> tuple[Desk, str]:
    desk = mailing_desk(folder, out.port, pki, more)
    (folder / POLICY).write_text(PEOPLE, encoding="utf-8")
    return desk, submitted(desk, "one").ids[0]


def test_the_word_that_an_approver_is_mailed_is_theirs_and_good_once(
    tmp_path: Path, out: Outbox, pki: Certified
) -> None:
    desk, id = held(tmp_path / "desk", out, pki, LETTERS)
    tell.step(desk)
    mails = {str(one["To"]): said(one) for one in out.messages}
    assert sorted(mails) == [HANAKO, "leader@example.jp", "ops@example.jp"]
    (word,) = set(re.findall(r"/(?:approve|reject) (\S+)", mails["leader@example.jp"]))
    assert word not in mails[HANAKO] + mails["ops@example.jp"]
    assert orders.spend(desk, word, "ops@example.jp") is None
    assert orders.spend(desk, word, "leader@example.jp") == id
    assert orders.spend(desk, word, "leader@example.jp") is None


def test_where_no_mailbox_reads_answers_nobody_is_sent_a_word(tmp_path: Path, out: Outbox, pki: Certified) -> None:
    desk, id = held(tmp_path / "desk", out, pki)
    tell.step(desk)
    (mail,) = [said(one) for one in out.messages if one["To"] == "leader@example.jp"]
    assert f"denpyo approve {id}\n" in mail
    assert "/approve" not in mail
