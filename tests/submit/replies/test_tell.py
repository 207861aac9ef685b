"""What people hear by mail, in which words, and that they hear it once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import denpyo
from schema.words import languages, table
from submit import outbox, watch
from submit.desk import CONFIG, LEDGER, POLICY, Desk, open_desk
from submit.inbox import SourceDownError
from submit.ledger import Ledger, New, checkpoint, open_ledger, verify
from submit.ledger.files import LOCK, held
from submit.replies import tell, waiting
from submit.replies.fill import PAGE, fill
from submit.replies.hearers import contacts_of
from submit.replies.news import without_secrets
from tests.desks import command, environment
from tests.submit.inbox.mail_servers import Accepting, Certified, Outbox, free_port
from tests.submit.replies.telling import (
    HANAKO,
    People,
    Somebody,
    later,
    mailing_desk,
    said,
    states,
    submitted,
    told,
)

FOOT = "Please quote the number when you ask about a request; your operator can look it up. This message was written by a program."
FOOT_JA = "お問い合わせの際は番号をお知らせください。担当者が状態を確認できます。このお知らせはプログラムが自動で作成しました。"
TARO = Somebody("taro@example.jp", "ja", ("user:taro", "mail:taro@example.jp"))
LEADER = Somebody("leader@example.jp", "en", ("github:77",))


def subjects(out: Outbox) -> list[tuple[str, str]]:
    return [(str(one["To"]), str(one["Subject"])) for one in out.messages]


def test_who_asked_hears_that_it_was_accepted_and_where_it_stands(desk: Desk, out: Outbox) -> None:
    first, second = submitted(desk, "one").ids[0], submitted(desk, "two", language="ja").ids[0]
    assert told(desk) == ""
    assert subjects(out) == [(HANAKO, f"[denpyo] {first}: accepted"), (HANAKO, f"[denpyo] {second}: 受け付け")]
    assert said(out.messages[0]) == (
        f"Request {first} has been accepted.\n\n"
        "What: Count starts\nFrom: jobs.yaml 1:1\nPlace in the queue, as far as is known here: 1\n\n"
        f"-- \nRequest {first} of the desk “desk”.\n{FOOT}\n"
    )
    assert said(out.messages[1]) == (
        f"依頼 {second} を受け付けました。\n\n"
        "内容: 開始を数える\n提出元: jobs.yaml 1:1\n待ち順（把握できる範囲）: 2\n\n"
        f"-- \nデスク「desk」の依頼 {second}。\n{FOOT_JA}\n"
    )
    assert [one["Auto-Submitted"] for one in out.messages] == ["auto-generated"] * 2


def test_what_has_finished_comes_with_its_figures_and_its_page(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    told(desk)
    folder = desk.runs / f"{one.ids[0]}.1"
    folder.mkdir(parents=True)
    (folder / "summary.html").write_bytes(b"<!doctype html>")
    one.became("done", metrics={"accuracy": 0.97243, "rows": 178}, passed=True, summary="summary.html")
    told(desk)
    answer = out.messages[-1]
    assert said(answer) == (
        f"Request {one.ids[0]} has finished.\n\nResults\n- Accuracy: 0.9724\n- rows: 178\n\n"
        f"The attached page {one.ids[0]}.html shows the result.\n\n"
        "What: Count starts\nFrom: jobs.yaml 1:1\nThreshold: reached\n\n"
        f"-- \nRequest {one.ids[0]} of the desk “desk”.\n{FOOT}\n"
    )
    assert [each.get_filename() for each in answer.iter_attachments()] == [f"{one.ids[0]}.html"]


def test_what_has_failed_comes_with_the_reason_the_end_of_its_log_and_what_to_do(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one", language="ja")
    told(desk)
    folder = desk.runs / f"{one.ids[0]}.1"
    folder.mkdir(parents=True)
    lines = [f"line {number}" for number in range(30)] + ["API_KEY=canary-in-a-log \x1b[31mred", "x" * 500]
    (folder / "log").write_text("\n".join(lines), encoding="utf-8")
    one.became("failed", reason="データがありません。", code="no_data")
    told(desk)
    text = said(out.messages[-1])
    assert text.startswith(
        f"依頼 {one.ids[0]} は失敗しました。\n\n理由: データがありません。\n\n"
        "理由に示された点を直して、もう一度提出してください。ご自身で直せない場合は、番号を添えて担当者にお問い合わせください。\n\n"
        "内容: 開始を数える\n提出元: jobs.yaml 1:1\n\nログの末尾（秘密と思われる部分は伏せています）：\n  | line 12\n"
    )
    assert "  | API_KEY=••• \N{REPLACEMENT CHARACTER}[31mred\n" in text
    assert f"  | {'x' * 199}…\n" in text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("token: abc", "token: •••"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer •••"),
        ("git clone https://me:hush@example.com/x", "git clone https://me:•••@example.com/x"),
        ("using ghp_0123456789abcdef", "using ghp_•••"),
        ("epoch 3 loss=0.2", "epoch 3 loss=0.2"),
    ],
)
def test_what_looks_like_a_secret_in_a_log_is_taken_out(line: str, shown: str) -> None:
    assert without_secrets(line) == shown


def test_each_event_is_told_once_however_often_it_is_looked_at(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    for state in ("running", "done"):
        told(desk)
        one.became(state)
    for _ in range(3):
        told(desk)
        later(desk)
    assert [subject for _, subject in subjects(out)] == [
        f"[denpyo] {one.ids[0]}: {state}" for state in ("accepted", "running", "finished")
    ]
    assert verify(desk.folder / LEDGER).ok


def test_what_happens_between_two_turns_is_one_message_about_how_it_stands(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    one.became("running")
    one.became("done")
    told(desk)
    assert [subject for _, subject in subjects(out)] == [f"[denpyo] {one.ids[0]}: finished"]
    assert states(desk) == [("mail", event, "sent") for event in ("accepted", "running", "done")]


def test_no_address_stays_in_the_outbox_once_a_message_is_out(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one")
    told(desk)
    with desk.ledger() as ledger:
        assert ledger.query("SELECT receiver FROM outbox") == [("",)]


def test_a_message_belongs_to_the_thread_of_what_was_mailed(tmp_path: Path, out: Outbox, pki: Certified) -> None:
    source = '[sources.letters]\nkind = "mail"\nhost = "127.0.0.1"\nuser = "u"\npassword = "mail"\nauthserv_id = "mx"\n'
    desk = mailing_desk(tmp_path / "desk", out.port, pki, source)
    thread = json.dumps({"subject": "依頼\r\nBcc: all@example.jp", "references": ["<a@example.jp>", "<b@example.jp>"]})
    one = submitted(desk, "one", inbox="letters", thread=thread)
    told(desk)
    assert out.messages == []  # the mailbox has answered it
    one.became("done")
    told(desk)
    (answer,) = out.messages
    assert answer["Subject"] == "Re: 依頼 Bcc: all@example.jp"
    assert (answer["In-Reply-To"], answer["References"]) == ("<b@example.jp>", "<a@example.jp> <b@example.jp>")
    assert answer["Bcc"] is None


def test_a_claimed_address_is_mailed_only_in_the_domains_that_are_named(
    tmp_path: Path, out: Outbox, pki: Certified
) -> None:
    desk = mailing_desk(tmp_path / "desk", out.port, pki, '[replies]\nclaimed = ["example.com"]\n')
    for name, who in (
        ("one", "a@example.com"),
        ("two", "b@sub.example.com"),
        ("three", "c@example.com\nx@example.net"),
    ):
        request = tmp_path / f"{name}.yaml"
        file = tmp_path / "starts"
        asks = json.dumps({"kind": "count_starts", "requested_by": who, "job": {"name": name, "file": str(file)}})
        request.write_text(asks, encoding="utf-8")
        subprocess.run(
            command("submit", request, "--as", who), env=environment(desk.folder), check=False, capture_output=True
        )
    told(desk)
    assert [to for to, _ in subjects(out)] == ["a@example.com"]


def test_somebody_whom_only_the_policy_has_an_address_of_hears_there(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one", subject="github:583231")
    told(desk, People(all=[Somebody("hana@example.com", "en", ("github:583231",))]))
    assert [to for to, _ in subjects(out)] == ["hana@example.com"]


def test_an_address_that_is_none_is_mailed_to_nobody(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one", subject="github:583231")
    wrong = "a@example.com\r\nBcc: b@example.com"
    assert told(desk, People(all=[Somebody(wrong, "en", ("github:583231",))], watchers=[Somebody(wrong)])) == ""
    assert (out.messages, states(desk)) == ([], [])


HELD = {
    "rule": 1,
    "policy": "0" * 64,
    "by": 2,
    "expires": "2026-12-01T09:00:00+00:00",
    "over": {"gpus": 4.0, "gpu_hours": 48.0, "other": "<x>"},
}


def test_whoever_may_approve_hears_how_and_whoever_asked_hears_that_it_waits(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    one.happened("held", HELD)
    told(desk, People(leads=[LEADER, TARO], watchers=[LEADER, Somebody("ops@example.jp", "ja")]))
    to = {str(each["To"]): each for each in out.messages}
    assert sorted(to) == [HANAKO, "leader@example.jp", "ops@example.jp", "taro@example.jp"]
    assert said(to[HANAKO]).startswith(
        f"Request {one.ids[0]} waits for approval.\n\nThere is nothing for you to do. You will hear what was decided.\n\n"
        "What: Count starts\nFrom: jobs.yaml 1:1\nWhy it waits: 48 GPU-hours, 4 GPUs, other <x>\n"
        "Who decides: 2 people, who have been told\n"
        "Decided until: 2026-12-01 09:00 UTC\n\n"
    )
    assert said(to["leader@example.jp"]).startswith(
        f"Request {one.ids[0]} waits for approval.\n\nTo decide, on the machine of the desk:\n"
        f'  denpyo approve {one.ids[0]}\n  denpyo reject {one.ids[0]} --why "…"\n\n'
        "What: Count starts\nFrom: jobs.yaml 1:1\n"
    )
    assert said(to["taro@example.jp"]).startswith(f"依頼 {one.ids[0]} は承認待ちです。\n\nデスクのある機械では、次の")
    assert "denpyo approve" not in said(to["ops@example.jp"]) + said(to[HANAKO])


def test_whoever_asks_is_never_told_how_to_approve_it(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one", subject="mail:taro@example.jp")
    one.happened("held", HELD)
    at_home = Somebody("taro@home.example", "ja", TARO.subjects)
    told(desk, People(leads=[TARO, at_home, Somebody("TARO@example.jp")]))
    (answer,) = out.messages
    assert answer["To"] == "taro@example.jp"
    assert "denpyo approve" not in said(answer)


def test_what_waits_for_an_earlier_version_of_itself_is_nobodys_to_approve(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    one.happened("held", {"run": f"{one.ids[0]}.1", "after": "x"}, key=f"held:{one.ids[0]}.1")
    told(desk, People(leads=[LEADER]))
    assert [to for to, _ in subjects(out)] == [HANAKO]


def test_what_the_rules_do_not_allow_is_told_with_the_limit_that_it_breaks(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    one.happened("denied", {"rule": 1, "queue": "gpu-a100", "reason": "", "over": ["over_month", "unknown"]})
    told(desk)
    assert said(out.messages[0]).startswith(
        f"Request {one.ids[0]} cannot go ahead.\n\nWhat to correct\n- It goes beyond the GPU-hours of this month.\n\n"
    )


def test_what_no_rule_allows_is_told_so(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    one.happened("denied", {"rule": None, "queue": "gpu-a100", "reason": ""})
    told(desk)
    assert "- The rules of this desk do not allow it: count_starts in the queue gpu-a100.\n\n" in said(out.messages[0])


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("rejected", {}, "was not approved.\n\nWhy: too dear\n\nIf it is still needed, talk to whoever decides"),
        ("expired", {}, "has expired: nobody decided in time.\n\n"),
        ("superseded", {"by": "aaaa-bbbb-cccc"}, "has been replaced by a newer version.\n\n"),
        ("stopped", {}, "has been stopped.\n\n"),
    ],
)
def test_every_end_is_told(desk: Desk, out: Outbox, action: str, detail: dict[str, str], words: str) -> None:
    one = submitted(desk, "one")
    told(desk)
    one.happened(action, detail, **({"by": "github:77", "why": "too dear"} if action == "rejected" else {}))
    told(desk)
    assert said(out.messages[-1]).startswith(f"Request {one.ids[0]} {words}")


def test_operators_hear_of_failures_without_the_log_and_in_their_language(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one", language="ja")
    told(desk)
    (desk.runs / f"{one.ids[0]}.1").mkdir(parents=True)
    (desk.runs / f"{one.ids[0]}.1" / "log").write_text("canary\n", encoding="utf-8")
    one.became("failed", reason="データがありません。")
    told(desk, People(watchers=[Somebody("ops@example.jp", "en")]))
    answer = next(each for each in out.messages if each["To"] == "ops@example.jp")
    assert said(answer) == (
        f"Request {one.ids[0]} has failed.\n\nWhy: データがありません。\n\n"
        "What: Count starts\nFrom: jobs.yaml 1:1\nAsked for by: hanako@example.jp (confirmed)\n\n"
        f"-- \nRequest {one.ids[0]} of the desk “desk”.\n{FOOT}\n"
    )


def test_a_table_is_one_message_a_turn_and_no_more_than_one_an_hour_until_it_is_over(desk: Desk, out: Outbox) -> None:
    table = submitted(desk, *(f"row-{number}" for number in range(30)))
    told(desk)
    assert [subject for _, subject in subjects(out)] == ["[denpyo] 30 requests: accepted 30"]
    for one in table.ids[:20]:
        table.became("done", one)
        told(desk)
    assert len(out.messages) == 1
    later(desk, 3600)
    told(desk)
    assert subjects(out)[1:] == [(HANAKO, "[denpyo] 20 requests: finished 20")]
    table.became("failed", table.ids[20], reason="No data.")
    table.became("done", *table.ids[21:])
    told(desk)
    assert subjects(out)[2:] == [(HANAKO, "[denpyo] 10 requests: failed 1, finished 9")]
    text = said(out.messages[2])
    assert text.startswith(
        f"10 requests: failed 1, finished 9\n\n- {table.ids[20]}  failed  jobs.yaml 161:1\n  Why: No data.\n\n- {table.ids[21]}"
    )
    assert {state for _, _, state in states(desk)} == {"sent"}


def test_a_thousand_that_end_at_once_are_one_message_with_the_first_fifty(desk: Desk, out: Outbox) -> None:
    table = submitted(desk, *(f"row-{number}" for number in range(1000)))
    table.became("done")
    told(desk)
    (answer,) = out.messages
    assert said(answer).count("\n- ") == 50
    assert "950" in said(answer)


def test_an_answer_that_is_put_off_is_sent_later_once(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one")
    out.says = "451 4.7.1 greylisted"
    assert told(desk) == "127.0.0.1: SMTPDataError (451)"
    out.says = "250 taken"
    assert told(desk) == ""
    assert out.messages == []  # not yet
    later(desk)
    told(desk)
    told(desk)
    assert len(out.messages) == 1


def test_an_answer_that_nobody_takes_is_given_up_said_once_and_tried_again_when_asked(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one", subject="mail:gone@example.jp")
    said_once = told(desk)
    assert said_once == (
        "127.0.0.1 does not take the answer to gone@example.jp (550): given up; see `denpyo replies list`"
    )
    assert told(desk) == ""
    (row,) = waiting.listed(desk)
    assert (row.state, row.receiver, row.attempts) == ("given_up", "gone@example.jp", 0)
    assert waiting.counted(desk) == {"waiting": 0, "unsure": 0, "given_up": 1}
    assert waiting.retry(desk, []) == 1
    assert told(desk) == said_once


def test_what_could_not_be_told_for_a_day_is_given_up(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one")
    out.says = "451 4.7.1 greylisted"
    told(desk)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE outbox SET since = '2026-01-01T00:00:00+00:00'")
    later(desk)
    assert told(desk) == "127.0.0.1: SMTPDataError (451); tried for a day: given up; see `denpyo replies list`"


def test_a_server_that_is_down_is_asked_twice_a_turn_and_not_for_every_message(
    tmp_path: Path, pki: Certified, out: Outbox
) -> None:
    desk = mailing_desk(tmp_path / "other", free_port(), pki)
    for name in ("one", "two", "three"):
        submitted(desk, name)
    assert told(desk) == "127.0.0.1: [Errno 111] Connection refused"
    assert [row.attempts for row in waiting.listed(desk)] == [1, 1, 0]
    assert told(desk) == ""
    assert all(row.next_at > row.since for row in waiting.listed(desk))


def test_the_pauses_grow_are_never_the_same_and_end_at_an_hour() -> None:
    assert [24.0, 48.0, 96.0] <= [tell.pause(attempts) for attempts in range(3)] <= [36.0, 72.0, 144.0]
    assert 2880 <= tell.pause(400) <= 4320


class Stalling(Accepting):
    """Takes a message over TLS up to its last line, and then says nothing more, but to messages with ``good`` in them."""

    def __init__(self, pki: Certified, good: str = "") -> None:
        super().__init__()
        self.pki, self.heard, self.good, self.taken = pki, b"", good.encode(), 0

    def serve(self, connection):  # type: ignore[no-untyped-def]
        connection.sendall(b"220 outbox.example\r\n")
        connection.recv(1000)
        connection.sendall(b"250-outbox.example\r\n250 STARTTLS\r\n")
        connection.recv(1000)
        connection.sendall(b"220 go\r\n")
        with self.pki.context().wrap_socket(connection, server_side=True) as secure:
            for said in (b"250-outbox.example\r\n250 AUTH PLAIN\r\n", b"235 in\r\n", b"250 from\r\n", b"250 to\r\n"):
                secure.recv(1000)
                secure.sendall(said)
            secure.recv(1000)
            secure.sendall(b"354 go on\r\n")
            self.heard = b""
            while not self.heard.endswith(b"\r\n.\r\n"):
                self.heard += secure.recv(65536)
            if self.good and self.good in self.heard:
                self.taken += 1
                secure.sendall(b"250 taken\r\n")


def test_a_server_that_drops_the_line_after_the_message_gets_the_same_one_again(tmp_path: Path, pki: Certified) -> None:
    with Stalling(pki) as server:
        desk = mailing_desk(tmp_path / "desk", server.port, pki)
        submitted(desk, "one")
        assert told(desk) == "127.0.0.1: SMTPServerDisconnected"
        first, server.heard = server.heard, b""
        later(desk)
        told(desk)
    ids = [next(line for line in each.splitlines() if line.startswith(b"Message-ID")) for each in (first, server.heard)]
    assert ids[0] == ids[1]


def test_mails_over_which_the_server_hangs_up_keep_no_other_from_going_out(tmp_path: Path, pki: Certified) -> None:
    with Stalling(pki) as server:
        desk = mailing_desk(tmp_path / "desk", server.port, pki)
        ids = [submitted(desk, name).ids[0] for name in ("one", "two", "three")]
        server.good = ids[2].encode()
        assert told(desk) == "127.0.0.1: SMTPServerDisconnected"
    assert server.taken == 1
    assert [(row.request, row.attempts) for row in waiting.listed(desk)] == [(ids[0], 1), (ids[1], 1)]


def test_a_channel_that_did_not_answer_to_two_messages_hears_the_others_first(
    desk: Desk, out: Outbox, pki: Certified
) -> None:
    for name in ("one", "two", "three"):
        submitted(desk, name)
    (desk.folder / "ca.pem").rename(desk.folder / "away.pem")
    assert "no certificates can be read there" in told(desk)
    (desk.folder / "away.pem").rename(desk.folder / "ca.pem")
    third = waiting.listed(desk)[2].request
    later(desk)
    assert told(desk) == ""
    assert [third in str(one["Subject"]) for one in out.messages] == [True, False, False]


@pytest.mark.slow
def test_killed_while_the_server_takes_it_the_same_message_is_sent_again(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one")
    process = subprocess.Popen(command("replies", "send"), env=environment(desk.folder), stdout=subprocess.DEVNULL)
    out.meanwhile = lambda: os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    out.meanwhile = lambda: None
    assert states(desk) == [("mail", "accepted", "sending")]
    told(desk)
    told(desk)
    assert len({one["Message-ID"] for one in out.messages}) == 1
    assert len(out.messages) == 2
    assert states(desk) == [("mail", "accepted", "sent")]


def test_two_that_tell_at_once_tell_it_once(desk: Desk, out: Outbox) -> None:
    for number in range(5):
        submitted(desk, f"row-{number}")
    threads = [threading.Thread(target=tell.step, args=(desk,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    told(desk)
    assert len(out.messages) == 5


def test_a_desk_that_is_read_for_the_first_time_tells_nobody_of_what_is_long_past(desk: Desk, out: Outbox) -> None:
    one = submitted(desk, "one")
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.append("old", "done", at="2026-01-01T00:00:00Z", user="x", request=one.ids[0], detail={})
    told(desk)
    assert [event for _, event, _ in states(desk)] == ["accepted"]


def test_what_is_long_past_is_told_to_nobody_however_long_the_past_and_though_its_first_reading_was_cut_off(
    desk: Desk, out: Outbox
) -> None:
    id = submitted(desk, "one").ids[0]
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.append_all([New(f"x:{n}", "looked", None, {}) for n in range(PAGE)], at="2026-01-01T00:00:00Z", user="x")
        tx.append("old", "done", at="2026-01-01T00:00:00Z", user="x", request=id, detail={})
    told(desk)
    assert [event for _, event, _ in states(desk)] == ["accepted"]
    with desk.ledger() as ledger, ledger.writing() as tx:
        outbox.move_cursor(tx, PAGE)
    told(desk)
    assert [event for _, event, _ in states(desk)] == ["accepted"]


def test_what_happens_while_the_policy_cannot_be_read_is_told_once_it_can(desk: Desk, out: Outbox) -> None:
    file = desk.folder / POLICY
    good = file.read_text(encoding="utf-8") + "operators: ['mail:ops@example.jp']\n"
    file.write_text(good, encoding="utf-8")
    one = submitted(desk, "one")
    fill(desk, contacts_of(desk))
    one.became("failed", reason="No data.")
    file.write_text("version: [", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(SourceDownError, match=r"policy\.yaml.*: what happens now is told once it can be read$"):
            tell.step(desk)
    assert subjects(out) == [(HANAKO, f"[denpyo] {one.ids[0]}: accepted")]  # what is due already goes out
    file.write_text(good, encoding="utf-8")
    tell.step(desk)
    assert sorted(subjects(out)[1:]) == [
        (HANAKO, f"[denpyo] {one.ids[0]}: failed"),
        ("ops@example.jp", f"[denpyo] {one.ids[0]}: 失敗"),
    ]


def test_a_log_that_is_not_what_was_signed_is_said_in_every_turn_and_silences_nobody(desk: Desk, out: Outbox) -> None:
    submitted(desk, "one")
    with desk.ledger() as ledger:
        size = ledger.frontier().size
        ledger.ensure(checkpoint.TABLE)
        with ledger.writing() as tx:
            tx.execute(checkpoint.PUT, (size + 9, "00" * 32, "2026-11-22", "x"))
    for _ in range(2):
        assert told(desk) == f"entry {size + 1}: is missing, of the {size + 9} that were signed here"
    (answer,) = out.messages
    assert "denpyo/" not in str(answer.get_content())


class Hurried(Desk):
    """One whose ledger is waited for no longer than that."""

    def ledger(self) -> Ledger:
        return open_ledger(self.folder / LEDGER, 0.2)


def test_what_became_of_a_message_is_written_down_though_others_keep_the_ledger_for_long(
    desk: Desk, out: Outbox
) -> None:
    submitted(desk, "one")
    kept, free = threading.Event(), threading.Event()

    def keep() -> None:
        with held(desk.folder / LEDGER / LOCK, 0):
            kept.set()
            free.wait(0.5)

    def begin() -> None:
        keeping.start()
        kept.wait(5)

    keeping = threading.Thread(target=keep)
    out.meanwhile = begin
    assert told(Hurried(**{one.name: getattr(desk, one.name) for one in fields(desk)})) == ""
    keeping.join(5)
    assert states(desk) == [("mail", "accepted", "sent")]


def test_without_a_server_for_mail_nobody_is_mailed_and_nothing_waits(tmp_path: Path) -> None:
    from tests.desks import desk_in

    desk = desk_in(tmp_path / "desk")
    tell.step(desk)
    assert states(desk) == []


def test_a_turn_never_keeps_watch_from_its_work(tmp_path: Path, pki: Certified) -> None:
    desk = mailing_desk(tmp_path / "desk", free_port(), pki, '[sources.drop]\nkind = "folder"\npath = "drop"\n')
    submitted(desk, "one")
    seen = watch.watch(desk, lambda source, outcome: None, once=True)
    assert seen["drop"].error == ""


def test_every_event_has_its_words_in_every_language() -> None:
    for language in languages():
        words = table(language)["texts"]
        for event in ("accepted", "held", "refused", "running", "done", "failed", "stopped", "rejected", "expired"):
            assert words[f"news_{event}"]
            assert words[f"news_state_{event}"]


def test_a_webhook_that_is_no_name_of_a_secret_and_an_unknown_event_are_said(tmp_path: Path, pki: Certified) -> None:
    desk = mailing_desk(tmp_path / "desk", 1, pki, '[replies.slack]\nwebhook = "nowhere"\n')
    submitted(desk, "one").became("failed", reason="x")
    assert "replies.slack: webhook is not the name of an entry of [secrets]" in told(desk)
    (desk.folder / CONFIG).write_text('[replies.slack]\nwebhook = "slack"\nevents = ["exploded"]\n', encoding="utf-8")
    with pytest.raises(Exception, match=r"replies\.slack\.events\.0"):
        open_desk(desk.folder)


def test_the_command_line_lists_sends_and_tries_again(desk: Desk, out: Outbox) -> None:
    id = submitted(desk, "one", subject="mail:gone@example.jp").ids[0]
    run = partial(CliRunner().invoke, denpyo.app, env={"DENPYO_DESK": str(desk.folder)})
    sent = run(["replies", "send"])
    assert (sent.exit_code, sent.stdout) == (3, "0 waiting, 0 unsure, 1 given up\n")
    assert "does not take the answer to gone@example.jp (550): given up" in sent.stderr
    assert run(["replies", "list"]).stdout == (
        f"1  given_up  {id}  accepted  mail  gone@example.jp  127.0.0.1 does not take the answer to gone@example.jp (550)\n"
    )
    (listed,) = json.loads(run(["replies", "list", "--json"]).stdout)["replies"]
    assert {**listed, "said": ""} == {
        "number": 1,
        "state": "given_up",
        "request": id,
        "event": "accepted",
        "channel": "mail",
        "role": "sender",
        "to": "gone@example.jp",
        "attempts": 0,
        "next_at": "",
        "said": "",
    }
    assert "replies  1 given up: see `denpyo replies list`\n" in run(["status", "--inbox"]).stdout
    assert json.loads(run(["replies", "retry", "--json"]).stdout) == {"tried_again": 1}
    assert json.loads(run(["replies", "send", "--json"]).stdout) == {"waiting": 0, "unsure": 0, "given_up": 1}
