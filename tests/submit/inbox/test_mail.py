"""A mailbox as a source: read from a real dovecot over TLS, answered through a submission server that wants TLS and a login."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest

from generators.excel import template
from generators.excel.template import Filled
from generators.microsoft import tags_of
from submit import journey, standing, watch
from submit.desk import CONFIG, LEDGER, POLICY, Desk, DeskError, open_desk
from submit.inbox import SourceDownError, open_inbox
from submit.inbox.health import Health, inbox_data
from submit.inbox.mail import MailInbox
from submit.inbox.places import place_of
from submit.judging import Outcome
from submit.ledger import verify
from submit.response import Source, Wishes
from submit.sources import Mailbox
from tests.desks import command, counting, desk_in, environment
from tests.submit.inbox.mail_servers import (
    DOVECOT,
    HOST,
    PASSWORD,
    SUBMISSION_PASSWORD,
    Certified,
    Cutter,
    Dovecot,
    Impostor,
    Outbox,
    certified,
    dovecot,
    free_port,
    outbox,
)
from tests.submit.replies.telling import without_checkpoint

HANAKO = "hanako@example.jp"
PASSED = "mx.desk.example; dmarc=pass (p=REJECT) header.from=example.jp"
RULES = "- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n"
SETTINGS = """
[sources.letters]
kind = "mail"
host = "127.0.0.1"
port = {imap}
user = "{user}"
password = "mailbox"
authserv_id = "mx.desk.example"
folder = "forms"
ca = "ca.pem"
[mail]
host = "127.0.0.1"
port = {smtp}
sender = "denpyo@desk.example"
ca = "ca.pem"
[secrets]
mailbox = "secrets/mailbox"
mail = "secrets/mail"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    if not DOVECOT and not os.environ.get("CI"):
        pytest.skip("needs dovecot (apt-get install dovecot-imapd)")
    with dovecot() as running:
        yield running


@pytest.fixture
def out(server: Dovecot) -> Iterator[Outbox]:
    with outbox(server.pki) as running:
        yield running


@dataclass
class There:
    """A desk with a mailbox, and the servers of both directions."""

    desk: Desk
    user: str
    server: Dovecot

    def deliver(self, *messages: bytes) -> None:
        with self.server.mailbox(self.user, "forms") as mailbox:
            for one in messages:
                mailbox.append(one, "forms")

    def lies(self, folder: str) -> list[str]:
        return self.server.subjects(self.user, folder)

    def look(self) -> Health:
        """One look; how the source was at it."""
        return watch.watch(self.desk, lambda source, outcome: None, once=True)["letters"]

    def states(self) -> list[str]:
        assert verify(self.desk.folder / LEDGER).ok
        return [one.request.state for one in standing.all_standing(self.desk)]

    def asking(self, name: str, *, subject: str = "", more: str = "", headers: str = "", sender: str = HANAKO) -> bytes:
        """A message with a YAML document that asks for one counted start."""
        file = counting(self.desk.folder.parent, name, more=f"language: en\n{more}")
        return mailed(subject or name, (file.name, file.read_bytes()), headers=headers, sender=sender)


def mailed(
    subject: str, *files: tuple[str, bytes], headers: str = "", sender: str = HANAKO, results: str = PASSED
) -> bytes:
    made = EmailMessage()
    made["Subject"] = subject
    made["Message-ID"] = f"<{sha256(repr((subject, files)).encode()).hexdigest()}@mail.example.jp>"
    made.set_content("Please run this.\n")
    for name, data in files:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    top = f"Authentication-Results: {results}\r\nFrom: Hanako <{sender}>\r\n{headers}"
    return top.encode() + made.as_bytes()


def configured(folder: Path, user: str, imap: int, smtp: int, pki: Certified) -> Desk:
    desk = desk_in(folder)
    (folder / "secrets").mkdir()
    for name, secret in (("mailbox", PASSWORD), ("mail", SUBMISSION_PASSWORD)):
        with open(folder / "secrets" / name, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(f"{secret}\n")
    shutil.copy(pki.ca, folder / "ca.pem")
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(SETTINGS.format(user=user, imap=imap, smtp=smtp))
    with (folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write(RULES)
    return open_desk(desk.folder)


def changed(desk: Desk, before: str, after: str) -> Desk:
    """The desk with something else in its denpyo.toml."""
    file = desk.folder / CONFIG
    said = file.read_text(encoding="utf-8")
    assert before in said
    file.write_text(said.replace(before, after), encoding="utf-8")
    return open_desk(desk.folder)


@pytest.fixture
def there(tmp_path: Path, server: Dovecot, out: Outbox) -> There:
    user = f"{tmp_path.name}@desk.example"
    return There(configured(tmp_path / "desk", user, server.port, out.port, server.pki), user, server)


def said(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return without_checkpoint(str(body.get_content()).replace("\r\n", "\n"))


def copies(message: EmailMessage) -> dict[str, bytes]:
    return {str(one.get_filename()): one.get_content() for one in message.iter_attachments()}


def test_a_mailed_form_is_queued_answered_with_its_number_and_put_away(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one", subject="Please"))
    assert there.look().error == ""
    (one,) = standing.all_standing(there.desk)
    assert (one.request.state, one.asked["requested_by"]) == ("queued", HANAKO)
    assert (there.lies("forms"), there.lies("done"), there.lies("refused")) == ([], ["Please"], [])
    ((_, flags),) = there.server.messages(there.user, "done")
    assert {one.lower() for one in flags} == {"$denpyoanswered", "\\answered"}
    (answer,) = out.messages
    assert (answer["From"], answer["To"], answer["Subject"]) == ("denpyo@desk.example", HANAKO, "Re: Please")
    assert answer["Auto-Submitted"] == "auto-replied"
    body = answer.get_body(("plain",))
    assert body is not None
    assert "\ndenpyo/" in body.get_content().replace("\r\n", "\n"), "the newest checkpoint"
    assert said(answer).partition(" This message was written by a program.\n")[0] == (
        "Your request has been received. Nothing needs to be corrected.\n\n"
        "The attached copy carries the number of each request. If you change it and send it back,"
        " it is the next version of its request.\n\n"
        f"What became of each request\n- {one.request.id}  accepted, waiting to run, place 1 in the queue  one.yaml:1:1\n\n"
        "-- \nPlease quote the number when you ask about a request; your operator can look it up."
    )
    assert [*copies(answer)] == ["one.marked.xlsx"]
    assert copies(answer)["one.marked.xlsx"].startswith(b"PK")


def test_a_form_with_mistakes_comes_back_with_what_to_do(there: There, out: Outbox) -> None:
    good = counting(there.desk.folder.parent, "good").read_bytes()
    bad = good.replace(b"code: 0", b"code: ten")
    there.deliver(mailed("依頼", ("良い.yaml", good), ("悪い.yaml", bad), ("all.zip", b"PK\x03\x04")))
    there.look()
    assert (sorted(there.states()), there.lies("refused")) == (["queued", "refused", "refused"], ["依頼"])
    (answer,) = out.messages
    ids = [one.request.id for one in standing.all_standing(there.desk) if one.request.state == "queued"]
    bad_id, zip_id = re.findall(r"- (\S+)  実行できません", said(answer))
    assert {bad_id, zip_id} == {one.request.id for one in standing.all_standing(there.desk)} - {*ids}
    assert said(answer).split("\n-- ")[0] == (
        "お送りいただいた内容に、このままでは実行できないものがあります。理由と、どうすればよいかは、下の一覧をご覧ください。\n\n"
        "添付のファイルに印を付けました。赤いセルがあれば直し、このメールへの返信に添付してお送りください。\n\n"
        "直していただきたいところ\n"
        "- 悪い.yaml:6:9: 「ten」は数値ではありません。数字で書いてください（例：0）。\n"
        "- all.zip: 「.zip」のファイルは受け付けていません。記入した依頼票を、Excelブック（.xlsx）のまま送ってください。"
        "一覧の依頼票はCSV（.csv）でも、手書きの依頼はYAML（.yaml）でも送れます。\n\n"
        f"依頼ごとの状態\n- {ids[0]}  受付済み（実行待ち）（待ち順 1）  良い.yaml:1:1\n"
        f"- {bad_id}  実行できません  悪い.yaml:1:1\n- {zip_id}  実行できません  all.zip\n"
    )
    assert [*copies(answer)] == ["良い.marked.xlsx", "悪い.marked.xlsx"]
    assert answer["Subject"] == "Re: 依頼"


def test_a_mailed_workbook_comes_back_with_its_receipt_and_is_known_when_it_returns(there: There, out: Outbox) -> None:
    kind = there.desk.kinds["count_starts"]
    filled = Filled({"name": "one", "file": str(there.desk.folder.parent / "starts")})
    there.deliver(mailed("依頼", ("依頼.xlsx", template.write(kind.form, "ja", "form", [filled]))))
    there.look()
    (copy,) = copies(out.messages[0]).items()
    assert copy[0] == "依頼.marked.xlsx"
    there.deliver(mailed("Re: 依頼", copy))
    there.look()
    (one,) = standing.all_standing(there.desk)
    assert one.request.id in said(out.messages[1])
    assert [*copies(out.messages[1])] == ["依頼.marked.xlsx"]


UNVERIFIED = {
    "forged": "mx.desk.example; dmarc=fail header.from=example.jp",
    "vouched for by somebody else": "mx.evil.example; dmarc=pass header.from=example.jp",
    "nothing known": "mx.desk.example; none",
}


def test_whom_nobody_vouches_for_is_refused_and_not_answered(there: There, out: Outbox) -> None:
    file = counting(there.desk.folder.parent, "one")
    for subject, results in UNVERIFIED.items():
        there.deliver(mailed(subject, (f"{subject}.yaml", file.read_bytes()), results=results))
    there.deliver(mailed("nothing attached", results="mx.desk.example; none"))
    there.look()
    assert there.lies("refused") == [*UNVERIFIED, "nothing attached"]
    assert out.messages == []
    assert {*there.states()} == {"refused"}


def test_whom_nobody_vouches_for_may_what_the_policy_lets_the_unverified(there: There, out: Outbox) -> None:
    file = there.desk.folder / POLICY
    file.write_text(file.read_text(encoding="utf-8").replace("mail:*@example.jp", "unverified"), encoding="utf-8")
    one = counting(there.desk.folder.parent, "one")
    there.deliver(mailed("one", (one.name, one.read_bytes()), results="mx.desk.example; none"))
    there.look()
    assert (there.states(), there.lies("done"), out.messages) == (["queued"], ["one"], [])


def test_who_is_vouched_for_and_may_not_run_it_is_told_so(there: There, out: Outbox) -> None:
    results = "mx.desk.example; dmarc=pass header.from=other.example"
    one = counting(there.desk.folder.parent, "one", more="language: en\nrequested_by: hanako@example.jp\n")
    message = mailed("one", (one.name, one.read_bytes()), sender="taro@other.example", results=results)
    there.deliver(message)
    there.look()
    (answer,) = out.messages
    assert answer["To"] == "taro@other.example"
    assert "The rules of this desk do not let taro@other.example run “Count starts” in the queue “default”." in said(
        answer
    )


def test_a_response_that_somebody_mails_is_no_version_of_anybody_elses(there: There, out: Outbox) -> None:
    """A file of Microsoft Forms says itself whose it is and which number it has: whoever knows both could write another."""
    tags = tags_of(there.desk.kinds["count_starts"].form)
    starts = str(there.desk.folder.parent / "starts")

    def response(asked: str) -> tuple[str, bytes]:
        answers = {tags["name"]: asked, tags["file"]: starts}
        head = {"denpyo": "microsoft forms 1", "form": "count_starts 1 en", "response": 17, "email": HANAKO}
        return "r.json", json.dumps({**head, "answers": answers}).encode()

    with (there.desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write(RULES.replace("mail:*@example.jp", "unverified"))
    journey.submit(there.desk, [Source(*response("a"))], Wishes())
    there.deliver(
        mailed("taro", response("b"), sender="taro@example.jp"),
        mailed("who", response("c"), sender="nobody at all", results="mx.desk.example; none"),
    )
    there.look()
    assert there.states() == ["queued"] * 3


def test_a_message_without_a_form_is_told_what_to_send_in_every_language(there: There, out: Outbox) -> None:
    there.deliver(mailed("Hello"))
    there.look()
    assert there.lies("refused") == ["Hello"]
    assert said(out.messages[0]).split("\n-- ")[0] == (
        "メールに記入済みの依頼票が添付されていません。"
        "記入した依頼票（.xlsx）、表（.csv）、またはYAML（.yaml）を添付して、もう一度送ってください。\n\n"
        "No filled form is attached to your message."
        " Attach the filled template (.xlsx), a table (.csv) or a YAML document (.yaml) and send it again.\n"
    )


def test_thanks_for_an_answer_are_not_answered(there: There, out: Outbox) -> None:
    there.deliver(mailed("Hello"))
    there.look()
    there.deliver(mailed("Re: Hello", headers=f"In-Reply-To: {out.messages[0]['Message-ID']}\r\n"))
    there.look()
    assert (len(out.messages), len(there.lies("refused"))) == (1, 2)


def test_too_many_attachments_and_too_large_a_message_are_said_and_not_read(there: There, out: Outbox) -> None:
    there.deliver(mailed("many", *((f"{number}.yaml", b"kind: x") for number in range(21))))
    settings = there.desk.config.sources["letters"]
    assert isinstance(settings, Mailbox)
    there.look()
    there.deliver(mailed("large", ("large.yaml", b"#" * 3_000_000)))
    for delivery in MailInbox(there.desk, settings, largest=2 * 1024**2).look(""):
        assert delivery.sources == ()
        delivery.settle(Outcome())
    first, second = (said(one) for one in out.messages)
    assert "More than 20 files are attached to your message, so none of them was read." in first
    assert "Your message is larger than 2 MB, so it was not read." in second
    assert (there.lies("refused"), there.states()) == (["many", "large"], [])


def test_what_a_program_wrote_stays_where_it_is_unread_and_unanswered(there: There, out: Outbox) -> None:
    heads = ("Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n", "Return-Path: <>\r\n")
    for number, headers in enumerate(heads):
        there.deliver(there.asking(f"program{number}", headers=headers))
    there.deliver(there.asking("own", sender="denpyo@desk.example"), there.asking("person"))
    there.look()
    there.look()
    flags = [flags for _, flags in there.server.messages(there.user, "forms")]
    assert there.lies("forms") == ["program0", "program1", "program2", "own"]
    assert all("\\Seen" not in one for one in flags)
    assert (there.states(), [one["Subject"] for one in out.messages]) == (["queued"], ["Re: person"])


def test_the_same_message_twice_is_one_request_with_one_answer(there: There, out: Outbox) -> None:
    message = there.asking("one")
    there.deliver(message, message)
    there.look()
    assert (there.states(), len(out.messages), there.lies("done")) == (["queued"], 1, ["one", "one"])


def test_a_mailbox_that_neither_keeps_flags_nor_moves_makes_nobody_hear_the_same_again(
    there: There, out: Outbox
) -> None:
    there.deliver(there.asking("one"))
    inbox = open_inbox(there.desk, "letters", there.desk.config.sources["letters"])
    for _ in range(3):
        looking = inbox.look("")
        delivery = next(looking)
        with there.server.mailbox(there.user) as mailbox:
            mailbox.folder.delete("done")
        with pytest.raises(SourceDownError, match=r"127.0.0.1: MailboxMoveError"):
            delivery.settle(Outcome())
        with there.server.mailbox(there.user, "forms") as mailbox:
            mailbox.flag("1", "$DenpyoAnswered", False)
        looking.close()  # type: ignore[attr-defined]
    assert len(out.messages) == 1


def test_a_mailbox_that_numbers_anew_is_looked_at_anew(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one"), there.asking("two"))
    there.look()
    before = json.loads(place_of(there.desk, "letters"))
    with there.server.mailbox(there.user) as mailbox:
        mailbox.folder.delete("forms")
    there.deliver(there.asking("three"))
    there.look()
    after = json.loads(place_of(there.desk, "letters"))
    assert (before["uid"], after["uid"]) == (2, 1)
    assert before["uidvalidity"] != after["uidvalidity"]
    assert there.states() == ["queued"] * 3


def test_a_message_that_somebody_takes_away_meanwhile_stops_nothing(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one"), there.asking("two"))
    inbox = open_inbox(there.desk, "letters", there.desk.config.sources["letters"])
    looking = inbox.look("")
    first = next(looking)
    with there.server.mailbox(there.user, "forms") as mailbox:
        mailbox.delete("1:2")
    first.settle(Outcome())
    assert [*looking] == []
    assert [one["Subject"] for one in out.messages] == ["Re: one"]


def test_a_settlement_made_twice_answers_once(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one"))
    inbox = open_inbox(there.desk, "letters", there.desk.config.sources["letters"])
    for delivery in inbox.look(""):
        delivery.settle(Outcome())
        delivery.settle(Outcome())
    assert (len(out.messages), there.lies("done")) == (1, ["one"])


def test_what_was_answered_before_it_was_put_away_is_not_answered_again(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one"))
    with there.server.mailbox(there.user, "forms") as mailbox:
        mailbox.flag("1", "$DenpyoAnswered", True)
    there.look()
    assert (there.states(), there.lies("done"), out.messages) == (["queued"], ["one"], [])


def test_what_others_marked_as_deleted_is_still_there(there: There, out: Outbox) -> None:
    there.deliver(mailed("old", headers="List-Id: <x.example>\r\n"), there.asking("one"))
    with there.server.mailbox(there.user, "forms") as mailbox:
        mailbox.client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
    there.look()
    assert (there.lies("forms"), there.lies("done")) == (["old"], ["one"])


def watched(there: There) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("watch", "--once"),
        env=environment(there.desk.folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_between_the_answer_and_its_flag_the_same_answer_is_sent_again(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one"))
    process = watched(there)
    out.meanwhile = process.kill
    process.communicate(timeout=60)
    assert (len(out.messages), there.lies("forms")) == (1, ["one"])
    out.meanwhile = lambda: None
    there.look()
    there.look()
    first, second = out.messages
    assert (first["Message-ID"], said(first)) == (second["Message-ID"], said(second))
    assert (there.states(), there.lies("forms"), there.lies("done")) == (["queued"], [], ["one"])


def test_killed_at_any_moment_every_message_is_one_request_and_is_answered(there: There, out: Outbox) -> None:
    """The kills are seeded: each round ends the process somewhere between its start and its last message."""
    chance, names = random.Random(20261121), [f"job{number}" for number in range(6)]  # noqa: S311
    there.deliver(*(there.asking(name) for name in names))
    for _ in range(3):
        process = watched(there)
        time.sleep(chance.uniform(0.5, 1.6))
        process.kill()
        process.communicate(timeout=30)
    assert there.look().error == ""
    assert there.states() == ["queued"] * len(names)
    assert (there.lies("forms"), there.lies("done")) == ([], names)
    assert {str(one["Subject"]) for one in out.messages} == {f"Re: {name}" for name in names}
    assert len({str(one["Message-ID"]) for one in out.messages}) == len(names)
    assert len(out.messages) <= len(names) + 3


def test_a_mailbox_that_does_not_answer_is_down_and_answers_later(there: There, out: Outbox) -> None:
    nowhere = free_port()
    there.desk = changed(there.desk, f"port = {there.server.port}", f"port = {nowhere}")
    assert there.look().error == "127.0.0.1: [Errno 111] Connection refused"
    there.desk = changed(there.desk, f"port = {nowhere}", f"port = {there.server.port}")
    there.deliver(there.asking("one"))
    assert (there.look().error, there.states()) == ("", ["queued"])


@pytest.mark.parametrize("which", ["another CA", "another host"])
def test_a_server_that_cannot_prove_who_it_is_hears_no_password(there: There, tmp_path: Path, which: str) -> None:
    pki = certified(tmp_path, HOST if which == "another CA" else "127.0.0.2")
    with Impostor(pki=pki) as impostor:
        there.desk = changed(there.desk, f"port = {there.server.port}", f"port = {impostor.port}")
        if which == "another host":
            shutil.copy(pki.ca, there.desk.folder / "ca.pem")
        error = there.look().error
    assert error.startswith("127.0.0.1: [SSL: CERTIFICATE_VERIFY_FAILED]")
    assert impostor.heard == b""


def test_a_wrong_password_is_said_without_it(there: There, out: Outbox) -> None:
    secret = there.desk.folder / "secrets" / "mailbox"
    secret.write_text("canary-of-a-typo", encoding="utf-8")
    with watched(there) as process:
        printed = "".join(process.communicate(timeout=60))
    assert inbox_data(there.desk)["sources"]["letters"]["error"] == f"127.0.0.1: {there.user} is not let in"
    assert process.returncode == 3
    kept = [file.read_bytes() for file in there.desk.folder.rglob("*") if file.is_file() and file != secret]
    for canary in ("canary-of-a-typo", PASSWORD, SUBMISSION_PASSWORD):
        assert canary not in printed
    assert not [one for one in kept if b"canary-of-a-typo" in one]


def test_a_connection_that_is_cut_anywhere_leaves_nothing_half_done(there: There, out: Outbox) -> None:
    """Cut after each sixth of what the server says to a look that goes well."""
    there.deliver(there.asking("first"))
    with Cutter(to=there.server.port, after=10**9) as line:
        there.desk = changed(there.desk, f"port = {there.server.port}", f"port = {line.port}")
        assert there.look().error == ""
        whole = line.passed
        there.deliver(there.asking("other"))
        for sixth in range(6):
            line.after = line.passed + whole * sixth // 6
            assert there.look().error.startswith("127.0.0.1: ")
        line.after = 10**9
        assert there.look().error == ""
    assert (there.states(), there.lies("forms"), there.lies("done")) == (["queued"] * 2, [], ["first", "other"])
    assert len({str(one["Message-ID"]) for one in out.messages}) == 2


def test_an_answer_that_is_put_off_is_sent_later(there: There, out: Outbox) -> None:
    there.deliver(there.asking("one"))
    for said_by_server in ("451 4.7.1 later, please", "421 4.3.0 going down"):
        out.says = said_by_server
        assert there.look().error == f"127.0.0.1: SMTPDataError ({said_by_server[:3]})"
    assert (there.states(), there.lies("forms")) == (["queued"], ["one"])
    out.says = "250 taken"
    assert there.look().error == ""
    assert (there.states(), there.lies("done"), len(out.messages)) == (["queued"], ["one"], 1)


def test_an_answer_that_nobody_takes_is_said_once_and_stops_nothing(
    there: There, out: Outbox, capsys: pytest.CaptureFixture[str]
) -> None:
    there.deliver(there.asking("one", sender="gone@example.jp"), there.asking("two"))
    assert there.look().error == ""
    assert capsys.readouterr().err == "denpyo: 127.0.0.1 does not take the answer to gone@example.jp (550)\n"
    assert (there.lies("done"), [one["Subject"] for one in out.messages]) == (["one", "two"], ["Re: two"])


def test_a_server_for_answers_without_tls_hears_neither_password_nor_answer(there: There, out: Outbox) -> None:
    with outbox(there.server.pki, starttls=False) as plain:
        there.desk = changed(there.desk, f"port = {out.port}", f"port = {plain.port}")
        there.deliver(there.asking("one"))
        assert there.look().error == "127.0.0.1: SMTPNotSupportedError"
    assert (plain.passwords, plain.raw) == ([], [])
    assert (there.states(), there.lies("forms")) == (["queued"], ["one"])


def test_a_server_for_answers_that_cannot_prove_who_it_is_hears_neither(
    there: There, out: Outbox, tmp_path: Path
) -> None:
    with outbox(certified(tmp_path)) as impostor:
        there.desk = changed(there.desk, f"port = {out.port}", f"port = {impostor.port}")
        there.deliver(there.asking("one"))
        assert there.look().error.startswith("127.0.0.1: [SSL: CERTIFICATE_VERIFY_FAILED]")
    assert (impostor.passwords, impostor.raw) == ([], [])


def test_a_server_for_answers_that_lets_nobody_in_is_said_without_the_password(there: There, out: Outbox) -> None:
    (there.desk.folder / "secrets" / "mail").write_text("canary-of-a-typo", encoding="utf-8")
    there.deliver(there.asking("one"))
    assert there.look().error == "127.0.0.1: SMTPAuthenticationError (535)"


HOSTILE = "Re: x\r\n Bcc: victim@example.com\r\n\r\n<script>"


def test_what_people_write_begins_no_header_of_an_answer(there: There, out: Outbox) -> None:
    one = counting(there.desk.folder.parent, "one").read_bytes()
    encoded = "=?utf-8?q?x=0D=0ABcc=3A_victim=40example=2Ecom=0D=0A=0D=0Abody?="
    there.deliver(
        f"Authentication-Results: {PASSED}\r\nFrom: =?utf-8?q?a=0D=0ABcc=3A_x=40y?= <{HANAKO}>\r\n"
        f"Subject: {encoded}\r\nMessage-ID: <a@b>\r\n\tBcc: victim@example.com\r\n"
        "Content-Disposition: attachment; filename*=utf-8''x%0D%0ABcc%3A%20victim%40example.com.yaml\r\n\r\n".encode()
        + one
    )
    there.look()
    (raw,) = out.raw
    heads = raw.split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0].decode() for line in heads.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert names == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    (answer,) = out.messages
    assert (answer["Subject"], answer["In-Reply-To"]) == ("Re: x Bcc: victim@example.com  body", "<a@b>")
    assert [*copies(answer)] == ["x Bcc: victim@example.com.marked.xlsx"]


def test_long_ids_of_messages_stay_whole(there: There, out: Outbox) -> None:
    long = f"<{'a' * 150}@mail.example.jp>"
    one = counting(there.desk.folder.parent, "one").read_bytes()
    raw = mailed("one", ("one.yaml", one), headers=f"References: <first@a>\r\n {long}\r\n")
    there.deliver(raw)
    there.look()
    own = message_from_bytes(raw)["Message-ID"]
    assert out.messages[0]["References"].split() == ["<first@a>", long, own]
    assert f"In-Reply-To: {own}\r\n".encode() in out.raw[0]
    assert f" {long}\r\n".encode() in out.raw[0]
    assert max(map(len, out.raw[0].split(b"\r\n"))) <= 998


WRONG = {
    'password = "mailbox"': (
        'password = "letterbox"',
        "sources.letters: password is not the name of an entry of [secrets]",
    ),
    'folder = "forms"\nca = "ca.pem"': (
        'folder = "forms"\nca = "none.pem"',
        "none.pem: no certificates can be read there",
    ),
}


def said_of(desk: Desk) -> str:
    """What is wrong with the mailbox when it is looked at."""
    (health,) = watch.watch(desk, lambda source, outcome: None, once=True).values()
    return health.error


def test_settings_that_cannot_work_are_said_before_anything_is_read(there: There) -> None:
    file = there.desk.folder / CONFIG
    whole = file.read_text(encoding="utf-8")
    for before, (after, reason) in WRONG.items():
        assert reason in said_of(changed(there.desk, before, after))
        file.write_text(whole, encoding="utf-8")
    with pytest.raises(DeskError, match=r"sources\.letters\.authserv_id: String should match"):
        changed(there.desk, 'authserv_id = "mx.desk.example"', 'authserv_id = ""')


def test_a_mailbox_without_a_server_for_answers_is_refused(there: There, out: Outbox) -> None:
    mail = SETTINGS[SETTINGS.index("[mail]") : SETTINGS.index("[secrets]")]
    desk = changed(there.desk, mail.format(smtp=out.port), "")
    assert "needs [mail] in denpyo.toml, to answer people" in said_of(desk)


def test_port_465_is_tls_from_the_first_byte(there: There, out: Outbox) -> None:
    try:
        socket.create_server((HOST, 465)).close()
    except OSError:
        pytest.skip("needs port 465 of loopback")
    with outbox(there.server.pki, port=465) as implicit:
        there.desk = changed(there.desk, f"port = {out.port}", "port = 465")
        there.deliver(there.asking("one"))
        assert there.look().error == ""
    assert (implicit.passwords, len(implicit.messages)) == ([SUBMISSION_PASSWORD.encode()], 1)
