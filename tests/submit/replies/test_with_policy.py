"""The people of a real policy hear of what it holds, each what is theirs to hear; the word in a mail is one that the desk takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jobs.texts
from submit import approval, journey, orders, standing, terminal, watch
from submit.desk import POLICY, Desk, machine_user
from submit.replies import tell
from submit.replies.news import METRICS, metric_name
from submit.response import VERIFIED, Source, Wishes
from tests.desks import counting
from tests.submit.inbox.mail_servers import Certified, Outbox
from tests.submit.replies.telling import HANAKO, mailing_desk, said, submitted, told

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
    (word,) = orders.words_in(mails["leader@example.jp"])
    assert (
        "\n\nOr reply to this mail, and leave its text below your answer. Write one of these alone in a line:\n"
        "- to approve: “approve”\n- to reject: “reject” and why, such as “reject too long for this week”\n"
        f"The word that makes it yours (good once): {word}\n\n"
    ) in mails["leader@example.jp"]
    assert word not in mails[HANAKO] + mails["ops@example.jp"]
    assert orders.spend(desk, word, "ops@example.jp") is None
    assert orders.spend(desk, word, "leader@example.jp") == id
    assert orders.spend(desk, word, "leader@example.jp") is None


def test_where_no_mailbox_reads_answers_nobody_is_sent_a_word(tmp_path: Path, out: Outbox, pki: Certified) -> None:
    desk, id = held(tmp_path / "desk", out, pki)
    tell.step(desk)
    (mail,) = [said(one) for one in out.messages if one["To"] == "leader@example.jp"]
    assert f"denpyo approve {id}\n" in mail
    assert "reply to this mail" not in mail
    assert orders.words_in(mail) == []


FOLDER = '[sources.drop]\nkind = "folder"\npath = "drop"\nevery = 0.2\n'
CLAIMS = """\
version: 1
people:
  leader: {is: ["mail:leader@example.jp"], language: ja}
  other: {is: ["mail:other@example.jp"], language: ja}
groups:
  leads: ["person:leader", "person:other"]
rules:
- who: ["mail:*@example.jp", "user:USER"]
  kinds: ["*"]
  queues: ["*"]
  approve: {over_hours: 0.5, by: ["group:leads"]}
"""


def dropped(folder: Path, out: Outbox, pki: Certified) -> tuple[Desk, str]:
    """A sheet that names somebody else, dropped by the user of this machine."""
    desk = mailing_desk(folder, out.port, pki, FOLDER)
    (folder / "drop").mkdir()
    rules = CLAIMS.replace("USER", machine_user())
    (folder / POLICY).write_text(rules, encoding="utf-8")
    sheet = counting(folder.parent, "one", more="language: ja\nrequested_by: sato@example.com\n")
    (folder / "drop" / "one.yaml").write_bytes(sheet.read_bytes())
    watch.watch(desk, lambda source, outcome: None, once=True)
    return desk, standing.all_standing(desk)[0].request.id


def test_an_approver_reads_that_a_name_is_only_claimed_whom_the_rules_see_and_what_is_asked_for(
    tmp_path: Path, out: Outbox, pki: Certified
) -> None:
    dropped(tmp_path / "desk", out, pki)
    mail = next(said(one) for one in out.messages if one["To"] == "leader@example.jp")
    assert "依頼者: sato@example.com（自己申告・未確認）\n" in mail
    assert f"規則の上での依頼者: user:{machine_user()}\n" in mail
    assert "承認が必要な理由: 1時間（0.5時間を超えています）\n" in mail
    assert "\n最長で何時間実行しますか: 1時間\n" in mail


def test_the_page_beside_a_held_file_says_why_and_until_when_and_is_renewed_after_the_approval(
    tmp_path: Path, out: Outbox, pki: Certified
) -> None:
    desk, id = dropped(tmp_path / "desk", out, pki)
    file = desk.folder / "drop" / "done" / "one.yaml.denpyo.html"
    page = file.read_text(encoding="utf-8")
    assert (
        '<td class="state held">承認待ち</td><td>承認が必要な理由: 1時間（0.5時間を超えています）; 承認の期限: 20'
        in page
    )
    assert approval.approve(desk, id, "mail:leader@example.jp").problem is None
    tell.step(desk)
    assert '<td class="state queued">受付済み（実行待ち）</td><td></td>' in file.read_text(encoding="utf-8")


def test_the_page_beside_a_rejected_file_says_why(tmp_path: Path, out: Outbox, pki: Certified) -> None:
    desk, id = dropped(tmp_path / "desk", out, pki)
    assert approval.reject(desk, id, "mail:leader@example.jp", "<b>半分に").problem is None
    tell.step(desk)
    page = (desk.folder / "drop" / "done" / "one.yaml.denpyo.html").read_text(encoding="utf-8")
    assert '<td class="state rejected">不承認</td><td>理由: &lt;b&gt;半分に' in page


def test_the_other_approvers_hear_that_it_is_decided_and_who_asked_that_it_is_approved(
    tmp_path: Path, out: Outbox, pki: Certified
) -> None:
    desk = mailing_desk(tmp_path / "desk", out.port, pki)
    (desk.folder / POLICY).write_text(CLAIMS, encoding="utf-8")
    (id,) = submitted(desk, "one", language="ja").ids
    tell.step(desk)
    mails = {str(one["To"]): said(one) for one in out.messages}
    assert "承認者: 2 人（連絡済み）\n" in mails[HANAKO]
    out.messages.clear()
    approval.approve(desk, id, "mail:leader@example.jp")
    tell.step(desk)
    mails = {str(one["To"]): said(one) for one in out.messages}
    assert sorted(mails) == [HANAKO, "other@example.jp"]
    assert mails[HANAKO].startswith(f"依頼 {id} が承認されました。\n")
    assert mails["other@example.jp"].startswith(f"依頼 {id} は、ほかの承認者がすでに判断しました。\n")
    assert "denpyo approve" not in mails["other@example.jp"]


def test_a_name_that_nobody_vouches_for_is_marked_in_the_status(tmp_path: Path, out: Outbox, pki: Certified) -> None:
    desk, id = dropped(tmp_path / "desk", out, pki)
    assert terminal.line(standing.standing(desk, id)).endswith("  sato@example.com (claimed) one.yaml 1:1")


def test_watch_prints_that_a_request_is_held(
    tmp_path: Path, out: Outbox, pki: Certified, capsys: pytest.CaptureFixture[str]
) -> None:
    desk, _ = dropped(tmp_path / "desk", out, pki)
    sheet = counting(tmp_path, "two")
    (desk.folder / "drop" / "two.yaml").write_bytes(sheet.read_bytes())
    watch.watch(desk, terminal.delivered(desk, as_json=False), once=True)
    assert re.fullmatch(r"drop: two\.yaml:1:1: \S+ held\n", capsys.readouterr().out)


def test_figures_have_the_same_words_in_messages_as_on_the_page_of_a_run() -> None:
    for language in ("en", "ja"):
        for one in METRICS[:-1]:
            assert metric_name(one, language) == jobs.texts.say(f"metric_{one}", language)
        assert metric_name("trainings", language) == jobs.texts.say("section_trainings", language)
        assert metric_name("of a script", language) == "of a script"


def denied(desk: Desk, rules: str, out: Outbox, language: str) -> str:
    """What is mailed of a request that the real policy denies."""
    (desk.folder / POLICY).write_text(rules, encoding="utf-8")
    file = counting(desk.folder.parent, "one", more=f"language: {language}\nresources: {{max_hours: 9}}\n")
    source = Source("jobs.yaml", file.read_bytes(), "", HANAKO, VERIFIED, f"mail:{HANAKO}")
    journey.submit(desk, [source], Wishes())
    told(desk)
    return said(out.messages[0])


def test_a_policy_that_cannot_be_read_is_named_as_the_cause_and_not_what_is_wrong_in_it(
    desk: Desk, out: Outbox
) -> None:
    mail = denied(desk, "version: 7\n", out, "ja")
    assert "この窓口の規則（policy.yaml）が読めないため、何も許可できません。運用担当者に知らせてください" in mail
    assert "version" not in mail
    assert "Input should" not in mail


def test_a_limit_is_told_with_what_was_asked_and_what_may_be(desk: Desk, out: Outbox) -> None:
    rules = "version: 1\nrules:\n- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n"
    mail = denied(desk, f"{rules}  limits: {{hours_per_job: 4}}\n", out, "en")
    assert (
        "What to correct\n"
        "- 9 hours are asked for; the rules of this desk give you at most 4 for one job. Ask for less time.\n"
    ) in mail
    assert "do not allow it" not in mail
