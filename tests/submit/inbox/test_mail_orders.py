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
from submit.orders import word_for, words_in
from tests.desks import counting, counting_again
from tests.desks.asking import entries, set_rules
from tests.submit.inbox.mail_servers import DOVECOT, Dovecot, Outbox, dovecot, outbox
from tests.submit.inbox.test_mail import HANAKO, PASSED, There, configured, mailed, said

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


def both_in_one(there: There, *names: str) -> bytes:
    """One file that asks for two requests."""
    files = [counting(there.desk.folder.parent, name, more="language: en\n") for name in names]
    return mailed("both", ("jobs.yaml", b"---\n".join(one.read_bytes() for one in files)))


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
    assert (there.states(), ordered(there.desk)) == (["rejected"], [("reject", ""), ("approve", "order_decided")])
    (rejected,) = entries(there.desk, "rejected")
    assert json.loads(rejected.beside_text or "")["why"] == "計算時間が長すぎます。 今月は待ってください。"
    assert said(answers(out)[2]).split("\n-- ")[0] == (
        f"{request}は既に却下済みです（現在の状態：不承認）。何もしなくてかまいません。\n"
    )


def test_whoever_says_yes_again_and_again_is_told_that_it_is_approved_and_is_not_locked_out(
    there: There, out: Outbox
) -> None:
    first, second = asked(there, "one", "two")
    quoted = worded(there.desk, first)
    there.deliver(*(written(f"承認{'。' * number}\n{quoted}") for number in range(7)))
    there.look()
    assert ordered(there.desk) == [("approve", ""), *[("approve", "order_decided")] * 6]
    assert entries(there.desk, "wrong_word") == []
    assert said(answers(out)[-1]).startswith(f"{first}は既に承認済みです（現在の状態：受付済み（実行待ち））。")
    there.deliver(written(f"承認\n{worded(there.desk, second)}"))
    there.look()
    assert there.states() == ["queued", "queued"]


def test_a_number_without_its_own_word_is_not_ruled_on_by_the_word_of_another(there: There, out: Outbox) -> None:
    first, second = asked(there, "one", "two")
    there.deliver(written(f"承認 {second}\n{worded(there.desk, first)}"))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held", "held"], [("approve", "order_no_word")])
    assert entries(there.desk, "wrong_word") == []


@pytest.mark.parametrize(
    "text",
    ["ok", "承認しますが、確認後にお願いします", "OKです。承認でお願いします。", "全部承認します", "２件とも承認"],
)
def test_a_polite_answer_that_orders_nothing_plainly_is_asked_again(there: There, out: Outbox, text: str) -> None:
    (request,) = asked(there, "one")
    quoted = worded(there.desk, request)
    ours = f"In-Reply-To: {next(one['Message-ID'] for one in out.messages if one['To'] == KEN)}\r\n"
    there.deliver(written(f"{text}\n{quoted}", headers=ours))
    there.look()
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held"], [("unclear", "order_unclear")])
    _, answer = answers(out)
    assert said(answer).split("\n-- ")[0] == (
        "何をするのか確実には読み取れないため、何も行っていません。"
        "「承認」「中止」、または「却下 理由」だけを書いてください（あいさつとお名前は構いません）。GitHubでは先頭に「/」を付けます。\n"
    )
    there.deliver(*(written(f"Away, {number}.\n{quoted}", headers=ours) for number in range(9)))
    there.look()
    assert len(answers(out)) == 4  # a program that does not say that it is one hears no more
    there.deliver(written(f"承認\n{quoted}", headers=ours))
    there.look()
    assert there.states() == ["queued"]


def test_whoever_asked_and_wants_no_more_of_it_in_other_words_is_asked_again_and_thanks_are_not(
    there: There, out: Outbox
) -> None:
    asked(there, "one")
    headers = f"References: {answers(out)[0]['References']} {answers(out)[0]['Message-ID']}\r\n"
    there.deliver(
        written("やっぱりキャンセルでお願いします", sender=HANAKO, headers=headers),
        written("ありがとうございます。", sender=HANAKO, headers=headers),
    )
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held"], [("unclear", "order_unclear")])
    assert len(answers(out)) == 2


def test_several_lines_that_each_name_their_own_request_are_carried_out_one_by_one(there: There, out: Outbox) -> None:
    first, second, third = asked(there, "one", "two", "three")
    quoted = "".join(worded(there.desk, one) for one in (first, second, third))
    there.deliver(written(f"承認 {first}\n{quoted}"))
    there.look()
    there.deliver(written(f"承認 {first}\n却下 {second} 空きがありません\n承認 {third}\n{quoted}"))
    there.look()
    assert there.states() == ["queued", "rejected", "queued"]
    assert ordered(there.desk)[1:] == [("approve", "order_decided"), ("reject", ""), ("approve", "")]
    assert said(answers(out)[-1]).split("\n-- ")[0] == (
        f"{first}は既に承認済みです（現在の状態：受付済み（実行待ち））。何もしなくてかまいません。\n\n"
        f"{second}を却下しました。\n\n{third}を承認しました。\n"
    )


def test_lines_that_each_bring_their_own_word_are_carried_out_and_two_about_one_request_are_not(
    there: There, out: Outbox
) -> None:
    first, second = asked(there, "one", "two")
    (one,), (two,) = (words_in(worded(there.desk, each)) for each in (first, second))
    there.deliver(written(f"承認 {first}\n却下 {first} だめ\n承認 {second}\n{one} {two}"))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held", "held"], [("unclear", "order_unclear")])
    there.deliver(written(f"/approve {one}\n/reject {two} too long"))
    there.look()
    assert there.states() == ["queued", "rejected"]


def test_a_cancellation_of_what_was_replaced_names_the_newer_version(there: There, out: Outbox) -> None:
    (request,) = asked(there, "one")
    table = counting_again(there.desk.folder.parent, "other", request)
    there.deliver(mailed("again", (table.name, table.read_bytes())))
    there.look()
    states = dict(zip([str(one.request) for one in entries(there.desk, "held")], there.states(), strict=True))
    (newer,) = (one for one in states if one != request)
    assert states == {request: "superseded", newer: "held"}
    there.deliver(written("取り消します", sender=HANAKO, subject=request), written(f"中止 {request}", sender=HANAKO))
    there.look()
    assert ordered(there.desk) == [("cancel", "order_replaced")] * 2
    assert said(answers(out)[-1]).startswith(f"{request}は新しい版の{newer}に置き換えられています。")


def test_an_answer_is_in_the_language_that_the_policy_says(there: There, out: Outbox) -> None:
    set_rules(there.desk, RULES.replace('"ken@example.jp"}', '"ken@example.jp", language: en}'))
    (request,) = asked(there, "one")
    there.deliver(written(f"承認\n{worded(there.desk, request)}"))
    there.look()
    assert said(answers(out)[-1]).split("\n-- ")[0] == f"{request} was approved.\n"


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
        pytest.param(written("Until the budget is settled I will not \napprove."), id="the end of a sentence"),
        pytest.param(written("approve\nif you cut it to four hours"), id="goes on below"),
        pytest.param(written("No.\n\nVon: Mallory\nGesendet: heute\n\napprove\n"), id="below a head in German"),
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
    assert [code for _, code in ordered(there.desk)] == [*["order_wrong_word"] * 5, *["order_locked"] * 2]
    assert said(answers(out)[-1]).split("\n-- ")[0] == (
        "合言葉を今日5回間違えたため、明日（UTC）まで、このアドレスからの合言葉は使えません。何も行っていません。"
        "明日もう一度返信するか、管理者にご連絡ください。デスクのある機械では`denpyo approve`と`denpyo reject`が使えます。\n"
    )


def test_a_history_with_two_words_needs_the_number_and_one_of_them_decided_needs_nothing(
    there: There, out: Outbox
) -> None:
    first, second = asked(there, "one", "two")
    quoted = worded(there.desk, first) + worded(there.desk, second)
    there.deliver(written(f"承認\n{quoted}"))
    there.look()
    assert (there.states(), ordered(there.desk)) == (["held", "held"], [("approve", "order_several")])
    low, high = sorted((first, second))
    assert said(answers(out)[-1]).startswith(
        f"どの依頼か決められません：{low}, {high}。「承認 {low}」のように、受付番号を続けて書いてください。"
    )
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
        "メールでお送りした合言葉が見当たらず、どの依頼への返事か分かりません。"
        "承認をお願いしたメールに、元の文を残したまま返信してください。\n"
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
        "依頼票の添付と指示が同じメールにありました。依頼票は受け取りましたが、指示は行っていません。"
    )


def test_from_the_mail_that_asks_to_the_yes_that_answers_it(there: There, out: Outbox) -> None:
    """With what approvers really get: their own program quotes it, one way or another."""
    (request,) = asked(there, "one")
    (mail,) = (one for one in out.messages if one["To"] == KEN)
    lines = said(mail).split("\n")
    assert "- 承認するとき：「承認」" in lines
    assert "- 却下するとき：「却下 理由」（例：「却下 今週は空きがありません」）" in lines
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


def test_a_mail_for_several_requests_says_of_each_how_to_decide_it_and_takes_that(there: There, out: Outbox) -> None:
    there.deliver(both_in_one(there, "one", "two"))
    there.look()
    first, second = (str(one.request) for one in entries(there.desk, "held"))
    (mail,) = (one for one in out.messages if one["To"] == KEN)
    text = said(mail)
    one, _ = words_in(text)
    assert f"\n- {first}  承認待ち\n  内容: " in text
    assert (
        f"最長で何時間実行しますか: 1時間\n  - 承認するとき：「承認 {first}」\n  - 却下するとき：「却下 {first} 理由」\n"
        f"  合言葉（あなた専用、1回だけ有効）: {one}\n\n- {second}  承認待ち\n"
    ) in text
    assert "  依頼者: hanako@example.jp（確認済み）\n" in text
    assert "依頼ごとに示した「 」の中を、1行に1件ずつ書いてください。" in text
    there.deliver(written(text))  # no mark of quotation
    there.deliver(written("\n".join(one.removeprefix("  ").removeprefix("- ") for one in text.split("\n"))))
    there.look()
    assert there.states() == ["held", "held"]
    quoted = "\n".join(f"> {one}" for one in text.split("\n"))
    there.deliver(written(f"却下 {first} 空きがありません\n承認 {second}\n\n{quoted}"))
    there.look()
    assert there.states() == ["rejected", "queued"]


def test_the_slash_and_the_word_in_one_line_decide_without_any_quotation(there: There, out: Outbox) -> None:
    asked(there, "one")
    (mail,) = (one for one in out.messages if one["To"] == KEN)
    (word,) = words_in(said(mail))
    there.deliver(written(f"/reject {word} too expensive this month"))
    there.look()
    assert there.states() == ["rejected"]
    assert json.loads(entries(there.desk, "rejected")[0].beside_text or "")["why"] == "too expensive this month"
