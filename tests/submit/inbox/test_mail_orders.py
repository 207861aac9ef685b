"""Orders by mail: an approver's single-use word, a requester's cancellation, and everything that must order nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest

from submit.desk import Desk, now
from submit.orders import word_for
from tests.desks.asking import entries, set_rules
from tests.submit.inbox.mail_servers import DOVECOT, Dovecot, Outbox, dovecot, outbox
from tests.submit.inbox.test_mail import HANAKO, PASSED, There, configured, said

KEN = "ken@example.jp"
RULES = """\
version: 1
people:
  ken: {is: ["github:77"], mail: "ken@example.jp"}
rules:
- who: ["mail:hanako@example.jp"]
  kinds: ["*"]
  queues: ["*"]
  approve: {always: true, by: ["person:ken", "mail:mio@example.jp"]}
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


@pytest.fixture
def there(tmp_path: Path, server: Dovecot, out: Outbox) -> There:
    user = f"{tmp_path.name}@desk.example"
    made = There(configured(tmp_path / "desk", user, server.port, out.port, server.pki), user, server)
    set_rules(made.desk, RULES)
    return made


def asked(there: There, *names: str) -> list[str]:
    """The ids of requests of Hanako's that are held."""
    there.deliver(*(there.asking(name) for name in names))
    there.look()
    return [str(one.request) for one in entries(there.desk, "held")]


def worded(desk: Desk, request: str, address: str = KEN) -> str:
    """The mail that an approver got, as their program quotes it."""
    with desk.ledger() as ledger, ledger.writing() as tx:
        word = word_for(tx, request, address, (now() + timedelta(days=7)).isoformat())
    return (
        "\n2026年11月22日(日) 10:00 denpyo <denpyo@desk.example>:\n"
        f"> 依頼 {request} が承認を待っています。\n> 承認するには、このメールに「承認」とだけ書いて返信してください。\n"
        f"> 却下するには「却下」と理由を書いてください。\n> 合言葉：{word}\n"
    )


def written(
    text: str, *, sender: str = KEN, subject: str = "Re: 承認のお願い", headers: str = "", results: str = PASSED
) -> bytes:
    made = EmailMessage()
    made["Subject"] = subject
    made["Message-ID"] = f"<{sha256(repr((text, sender, headers)).encode()).hexdigest()}@mail.example.jp>"
    made.set_content(text)
    return f"Authentication-Results: {results}\r\nFrom: <{sender}>\r\n{headers}".encode() + made.as_bytes()


def ordered(desk: Desk) -> list[tuple[str, str]]:
    return [(one.detail["order"], one.detail["code"]) for one in entries(desk, "ordered")]


def answers(out: Outbox) -> list[EmailMessage]:
    """What was sent in answer to a mail, without the news that went out by itself."""
    return [one for one in out.messages if one["Auto-Submitted"] == "auto-replied"]


def test_a_plain_yes_above_the_quoted_mail_approves_and_is_answered_once(there: There, out: Outbox) -> None:
    (request,) = asked(there, "one")
    quoted = worded(there.desk, request)
    there.deliver(written(f"お疲れ様です。\n承認します。\n\n-- \n佐藤 健\n{quoted}"))
    there.look()
    there.look()
    assert (there.states(), ordered(there.desk)) == (["queued"], [("approve", "")])
    (approved,) = entries(there.desk, "approved")
    assert json.loads(approved.beside_text or "") == {"by": "github:77", "why": ""}
    _, answer = answers(out)
    assert (answer["To"], answer["Subject"]) == (KEN, "Re: 承認のお願い")
    assert said(answer).split("\n-- ")[0] == f"{request}を承認しました。\n"
    assert there.lies("done") == ["one", "Re: 承認のお願い"]


def test_a_word_works_once_and_whoever_says_the_same_again_hears_that_it_is_so(there: There, out: Outbox) -> None:
    (request,) = asked(there, "one")
    quoted = worded(there.desk, request)
    there.deliver(
        written(f"却下\n計算時間が長すぎます。\n今月は待ってください。\n{quoted}"), written(f"承認\n{quoted}")
    )
    there.look()
    assert (there.states(), ordered(there.desk)) == (["rejected"], [("reject", ""), ("approve", "order_wrong_word")])
    (rejected,) = entries(there.desk, "rejected")
    assert json.loads(rejected.beside_text or "")["why"] == "計算時間が長すぎます。 今月は待ってください。"
    assert said(answers(out)[2]).startswith("このメールの合言葉は使えません。")


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        pytest.param({"sender": "mio@example.jp"}, "order_wrong_word", id="another approver, to whom it was forwarded"),
        pytest.param({"sender": HANAKO}, "order_wrong_word", id="who asked for it, to whom it was forwarded"),
        pytest.param(
            {"results": "mx.desk.example; dmarc=fail header.from=example.jp"}, "order_unverified", id="forged"
        ),
        pytest.param(
            {"results": "mx.evil.example; dmarc=pass header.from=example.jp"},
            "order_unverified",
            id="vouched elsewhere",
        ),
    ],
)
def test_a_word_is_worth_nothing_from_anybody_else(there: There, out: Outbox, mail: dict[str, str], code: str) -> None:
    (request,) = asked(there, "one")
    quoted = worded(there.desk, request)
    there.deliver(written(f"承認\n{quoted}", **mail))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held"], [("approve", code)])
    assert len(answers(out)) == (1 if code == "order_unverified" else 2)
    there.deliver(written(f"承認します\n{quoted}"))
    there.look()
    assert there.states() == ["queued"]


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(written("承認", headers="Auto-Submitted: auto-replied\r\n"), id="says that a program wrote it"),
        pytest.param(written("承認", headers="Precedence: bulk\r\n"), id="bulk"),
        pytest.param(written("承認", headers="Return-Path: <>\r\n"), id="a bounce"),
        pytest.param(written("I am out of office until Monday and cannot approve anything."), id="away, unmarked"),
        pytest.param(written(""), id="nothing above the quotation"),
        pytest.param(written("承認しますが、まず確認させてください。"), id="a condition"),
        pytest.param(written("> 承認\n"), id="an order that is quoted"),
        pytest.param(written("承認\n却下 やはり\n"), id="both"),
    ],
)
def test_what_is_not_plainly_an_order_rules_nothing_though_it_quotes_the_word(
    there: There, out: Outbox, mail: bytes
) -> None:
    (request,) = asked(there, "one")
    head, _, body = mail.partition(b"\n\n")
    quoted = EmailMessage()
    quoted.set_content(worded(there.desk, request))
    there.deliver(head + b"\n\n" + body + b"\n" + quoted.as_bytes().partition(b"\n\n")[2])
    there.look()
    assert there.states() == ["held"]
    assert entries(there.desk, "approved", "rejected", "stopped") == []


def test_a_word_that_is_guessed_is_an_entry_and_after_five_no_word_counts_that_day(there: There, out: Outbox) -> None:
    (request,) = asked(there, "one")
    quoted = worded(there.desk, request)
    there.deliver(*(written(f"approve 0000-0000-0000-000{number}") for number in range(6)), written(f"承認\n{quoted}"))
    there.look()
    assert there.states() == ["held"]
    assert len(entries(there.desk, "wrong_word")) == 5
    assert {code for _, code in ordered(there.desk)} == {"order_wrong_word"}


def test_a_history_with_two_words_needs_the_number_and_one_of_them_decided_needs_nothing(
    there: There, out: Outbox
) -> None:
    first, second = asked(there, "one", "two")
    quoted = worded(there.desk, first) + worded(there.desk, second)
    there.deliver(written(f"承認\n{quoted}"))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held", "held"], [("approve", "order_several")])
    assert ", ".join(sorted((first, second))) in said(answers(out)[-1])
    there.deliver(written(f"承認 {second}\n{quoted}"))
    there.look()
    assert there.states() == ["held", "queued"]
    there.deliver(written(f"承認いたします\n{quoted}"))
    there.look()
    assert there.states() == ["queued", "queued"]


def test_an_approver_who_quotes_nothing_is_told_how_to_answer(there: There, out: Outbox) -> None:
    asked(there, "one")
    there.deliver(written("Approved."))
    there.look()
    assert ordered(there.desk) == [("approve", "order_no_word")]
    assert said(answers(out)[-1]).split("\n-- ")[0] == (
        "This mail does not say which request it is about: the word that was mailed to you is not in it."
        " Reply to the mail that asked you, and leave its text below your answer.\n"
    )


def test_whoever_asked_cancels_by_answering_our_mail(there: There, out: Outbox) -> None:
    asked(there, "one")
    answer = answers(out)[0]
    headers = f"References: {answer['References']} {answer['Message-ID']}\r\n"
    there.deliver(written("取消", sender=HANAKO, headers=headers))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["stopped"], [("cancel", "")])


def test_of_several_requests_the_one_that_is_named_is_cancelled(there: There, out: Outbox) -> None:
    first, second = asked(there, "one", "two")
    there.deliver(written("cancel", sender=HANAKO, subject=f"{first} {second}"))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held", "held"], [("cancel", "order_several")])
    there.deliver(written(f"cancel {second}", sender=HANAKO), written("cancel", sender=HANAKO, subject="?"))
    there.look()
    assert (there.states(), ordered(there.desk)[1:]) == (
        ["held", "stopped"],
        [("cancel", ""), ("cancel", "order_nothing_open")],
    )


def test_nobody_cancels_what_another_has_asked_for(there: There, out: Outbox) -> None:
    (request,) = asked(there, "one")
    there.deliver(written(f"cancel {request}", sender=KEN), written("cancel", sender=KEN, subject=request))
    there.look()
    assert there.states() == ["held"]
    assert ordered(there.desk) == [("cancel", "not_yours_to_stop"), ("cancel", "order_nothing_open")]


def test_a_mail_with_a_form_and_an_order_brings_the_form_and_says_that_the_order_is_not_carried_out(
    there: There, out: Outbox
) -> None:
    (request,) = asked(there, "one")
    message = there.asking("two").replace(b"Please run this.", f"cancel {request}".encode())
    there.deliver(message)
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held", "held"], [])
    assert said(answers(out)[-1]).startswith(
        "This mail brought forms and ordered something as well. The forms were taken, the order was not carried out."
    )


def test_from_the_mail_that_asks_to_the_yes_that_answers_it(there: There, out: Outbox) -> None:
    """With what approvers really get: their own program quotes it, one way or another."""
    (request,) = asked(there, "one")
    (mail,) = (one for one in out.messages if one["To"] == KEN)
    lines = said(mail).split("\n")
    assert any(one.strip().startswith("/approve ") for one in lines)
    there.deliver(
        written("\n".join(lines), subject=f"Re: {mail['Subject']}")
    )  # sent back as it is, no mark of quotation
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held"], [("unclear", "order_unclear")])
    there.deliver(
        written(
            "\n".join(["承認", "", "2026年11月22日(日) 10:00 denpyo <d@desk.example>:", *(f"> {one}" for one in lines)])
        )
    )
    there.look()
    assert (there.states(), ordered(there.desk)[1:]) == (["queued"], [("approve", "")])
    (approved,) = entries(there.desk, "approved")
    assert approved.request == request


def test_the_first_line_that_the_mail_proposes_decides_without_any_quotation(there: There, out: Outbox) -> None:
    asked(there, "one")
    (mail,) = (one for one in out.messages if one["To"] == KEN)
    (line,) = (one.strip() for one in said(mail).split("\n") if one.strip().startswith("/reject "))
    there.deliver(written(line.replace("…", "too expensive this month")))
    there.look()
    assert there.states() == ["rejected"]
    assert json.loads(entries(there.desk, "rejected")[0].beside_text or "")["why"] == "too expensive this month"
