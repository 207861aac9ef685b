"""What somebody wrote into a mail, told apart from what they answer, as the usual mail programs lay it out."""

from __future__ import annotations

import time
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submit.desk import open_desk
from submit.inbox.mail_orders import ordered, worded
from submit.inbox.message import Head
from submit.inbox.reply_text import LONGEST, TAG, Written, written
from submit.new_desk import make_desk
from submit.orders import Order

APPROVED, UNCLEAR = Order("approve"), Order("unclear")
ASKED = "\n7k3m-9qx2-b4td waits. To approve it, answer with one line that says:\napprove\nword: k3m4-9qx2-b4td-x7wq\n"
"""The text of a mail of ours, as programs quote it that put no mark before a line."""


def mail(text: str, sort: str = "plain") -> EmailMessage:
    made = EmailMessage()
    made.set_content(text, subtype=sort)
    return made


def order(text: Written) -> Order | None:
    """The one order in it."""
    found = [one for one, _ in worded(text)]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "承認\n\n2026年11月22日(日) 10:00 denpyo <denpyo@desk.example>:\n> 却下するには「却下」と\n> 却下",
            id="gmail, ja",
        ),
        pytest.param(
            "Approve\n\nOn Sun, Nov 22, 2026 at 10:00 AM denpyo <d@desk.example> wrote:\n\n> reject\n", id="gmail"
        ),
        pytest.param("承認します\n\n-----元のメッセージ-----\n差出人: denpyo\n\n却下\n", id="outlook, ja"),
        pytest.param(
            "approve\n\nSent from my iPhone\n\n________________________________\nFrom: denpyo\nreject", id="outlook"
        ),
        pytest.param(
            "承認\n\niPhoneから送信\n\n2026/11/22 10:00、denpyo <d@desk.example>のメール:\n\n> 却下\n", id="iphone, ja"
        ),
        pytest.param("田中様\n\nお世話になっております。\n承認いたします。\n\n--\n佐藤\n却下\n", id="signature"),
        pytest.param("承認\n\n差出人：denpyo\n送信日時：2026年11月22日\n\n却下", id="outlook on the web, ja"),
    ],
)
def test_the_order_stands_above_what_is_answered(text: str) -> None:
    assert order(written(mail(text))) == APPROVED


@pytest.mark.parametrize(
    "page",
    [
        "<div dir=ltr>承認</div><br><div class=gmail_quote><div>2026年</div><blockquote>却下</blockquote></div>",
        "<html><head><style>reject {}</style><title>reject</title></head><body><p>&#x627F;&#35469;</p><hr><p>reject</p></body>",
        '<p>Approve.</p><div style="display: none">reject</div>',
        "<p>approve</p><div id=divRplyFwdMsg><b>From:</b> denpyo</div><p>reject</p>",
    ],
)
def test_html_alone_is_read_as_it_is_seen(page: str) -> None:
    assert order(written(mail(page, "html"))) == APPROVED


def test_japanese_mail_in_its_old_encoding_is_read() -> None:
    raw = b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n" + "承認します。\r\n".encode("iso-2022-jp")
    assert order(written(message_from_bytes(raw))) == APPROVED


def test_a_text_that_is_attached_or_forwarded_says_nothing() -> None:
    made = mail("FYI")
    made.add_attachment("approve", filename="note.txt")
    forwarded = EmailMessage()
    forwarded.set_content("approve")
    made.add_attachment(forwarded)
    assert order(written(made)) is None


@given(
    st.binary(max_size=2000),
    st.sampled_from([b"plain", b"html", b"x"]),
    st.sampled_from([b"utf-8", b"utf-7", b"idna", b"x"]),
)
@settings(max_examples=200)
def test_nothing_that_people_can_write_raises(body: bytes, sort: bytes, charset: bytes) -> None:
    raw = b"Content-Type: text/" + sort + b"; charset=" + charset + b"\n\n" + body
    assert written(message_from_bytes(raw)).lines is not None


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "<a b='", "&#", "</", "<![CDATA[", "<script>", "&a", "a@", "<a@", "> "]
)
def test_html_that_would_keep_a_reader_busy_for_minutes_is_read_at_once(piece: str) -> None:
    made = mail((piece * LONGEST)[:LONGEST], "html")
    begin = time.process_time()
    written(made)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("shape", ["<{}", "</{}", "<a {}", "<p>{}", "{}<"])
def test_a_tag_that_never_ends_takes_ten_times_as_long_where_it_is_ten_times_as_long(shape: str) -> None:
    """And not a hundred times: each is the best of several, so that a busy machine counts little."""
    short, long = (shape.format("a" * letters) for letters in (2_000, 20_000))
    assert searching(long) < 25 * searching(short) + 0.05


def searching(page: str) -> float:
    times = []
    for _ in range(3):
        begin = time.process_time()
        assert len(TAG.findall(page)) < 2
        times.append(time.process_time() - begin)
    return min(times)


def test_one_endless_tag_does_not_keep_the_mailbox() -> None:
    begin = time.process_time()
    assert written(mail("<" + "a" * 120_000, "html")).lines == ()
    assert time.process_time() - begin < 2


def test_html_of_somebody_whom_nobody_vouches_for_is_not_read(tmp_path: Path) -> None:
    desk = open_desk(make_desk(tmp_path / "desk").folder)
    raw = mail("<p>approve</p>", "html").as_bytes()
    known = Head("x@example.com", verified=True, automatic=False, subject="", id="", references=())
    assert len(ordered(desk, known, raw, "0", alone=True)) == 1
    forger = replace(known, verified=False)
    assert ordered(desk, forger, raw, "0", alone=True) == ()
    (forged,) = ordered(desk, forger, mail("approve").as_bytes(), "0", alone=True)
    assert forged.subject == ""


@pytest.mark.parametrize(
    "text",
    [
        "I have read this twice now, and until the budget is settled I will not \napprove.",
        "It has to be cut, before that I can not\napprove",
        "Please do NOT\n\napprove",
        "承認しません。理由は下のとおりです。\n承認\nできないのは予算のためです。",
        "approve\nif you cut it to four hours",
        "approve\nbut not before Monday",
        "approve\nNot Yet",
        "approve\n\nThanks,\nOnly Until Friday",
        "approve\nunder one condition:\nfour hours at most",
        "approve\nas far as Ken <ken@example.jp> agrees",
        "承認\nただし：2026/12/01まで",
        "承認\n条件付",
        "Hi Ken, I will never\napprove",
        "I would not\nreject",
        "I would not\ncancel",
        "> approve?\nNo.\napprove".replace("> ", "- "),
    ],
)
def test_an_order_that_is_a_piece_of_what_else_is_said_is_unclear(text: str) -> None:
    assert order(written(mail(text))) == UNCLEAR


@pytest.mark.parametrize(
    "text",
    [
        "approve",
        "Hi Hanako,\n\napprove\n\nThanks!\nKen",
        "Dear all,\nApproved.\n\nBest regards,\nKen Sato\nExample Corp.\n+81 3-1234-5678\nken@example.jp",
        "approve\nKen",
        "Good morning Hanako\n\nApproved!\n\nSent from my iPhone",
        "佐藤様\n\nお世話になっております。株式会社例の田中です。\n承認いたします。\nどうぞよろしくお願いいたします。\n\n田中 健",
        "佐藤さん、お疲れ様です。\n承認します。よろしくお願いします。".replace("。よろ", "。\nよろ"),
        "承認\n以上、よろしくお願いいたします。",
        "承認です\n田中",
        "承認\n\niPhoneから送信",
    ],
)
def test_a_salutation_a_closing_and_a_name_may_stand_around_it(text: str) -> None:
    assert order(written(mail(text))) == APPROVED


def test_a_reason_may_stand_below_what_rejects_or_cancels() -> None:
    assert order(written(mail("佐藤様\n却下\n理由：今月は空きがありません。"))) == Order(
        "reject", "", "理由:今月は空きがありません。"
    )
    assert order(written(mail("cancel\nI need the data set first."))) == Order("cancel")


@pytest.mark.parametrize(
    "head",
    [
        "在 2026年11月22日，denpyo 写道：",
        "------------------ 原始邮件 ------------------",
        "Am 22.11.2026 um 10:00 schrieb denpyo:",
        "Von: denpyo\nGesendet: heute\nAn: ken",
        "De : denpyo\nEnvoyé : x",
        "2026년 11월 22일 (일) 오전 10:00, denpyo님이 작성:",
        "Em dom., 22 de nov. de 2026 às 10:00, denpyo <d@x.jp> escreveu:",
        "El 22/11/2026 a las 10:00, denpyo escribió:",
        "Il giorno dom 22 nov 2026 alle ore 10:00 denpyo ha scritto:",
        "2026/11/22 10:00、denpyo <d@x.jp>のメール:",
        "Begin forwarded message:",
        "転送されたメッセージ:",
        "---- On Sun, 22 Nov 2026 10:00 denpyo wrote ----",
        "On Sun, Nov 22, 2026 at 10:00 AM the denpyo desk of the laboratory\n<d@x.jp> wrote:",
    ],
)
def test_below_the_head_of_a_quotation_nobody_orders_anything(head: str) -> None:
    assert order(written(mail(f"What is this? I will not decide today.\n\n{head}\n{ASKED}"))) is None
    assert order(written(mail(f"approve\n\n{head}\n{ASKED}"))) == APPROVED


def test_what_may_be_a_head_of_an_unknown_program_or_a_condition_is_asked_back() -> None:
    text = written(mail(f"approve\n\nW dniu 22.11.2026 o 10:00, denpyo pisze:\n{ASKED}"))
    assert (text.lines, order(text)) == (("approve",), UNCLEAR)


@pytest.mark.parametrize(
    "page",
    [
        "<!-- <p>approve</p> -->",
        "<!-- a > <p>approve</p> -->",
        "<!-- <p>approve</p>",
        '<p title="a > <p>approve</p>">x</p>',
        '<p style="font-size:0;visibility:hidden">approve</p>',
        '<p style="font-size: 1px">approve</p>',
        '<p style="opacity:.01">approve</p>',
        '<p style="display:  none">approve</p>',
        '<p style="display&#58;none">approve</p>',
        '<p style="dis\\play:no\\6ee">approve</p>',
        '<p style="mso-hide:all">approve</p>',
        '<p style="position: absolute; left: -9999px">approve</p>',
        "<p hidden>approve</p>",
        "<p><s>approve</s></p>",
        "<p><del>approve</del></p>",
        "<strike><p>approve</p></strike>",
        "<noscript><p>approve</p></noscript>",
        "<template><template></template><p>approve</p></template>",
        "Von: Mallory<br>Gesendet: heute<br><p>approve</p>",
    ],
)
def test_what_html_hides_or_strikes_is_nobody_s_word(page: str) -> None:
    assert order(written(mail(f"<p>No, wait.</p>{page}", "html"))) is None
    assert order(written(mail(page, "html"))) is None


@pytest.mark.parametrize(
    "page",
    [
        '<p style="color:#fff">approve</p>',
        '<p><font color="white">approve</font></p>',
        '<body bgcolor=black><p style="background: #000">approve</p>',
        "<style>.x { display: none }</style><p class=x>approve</p>",
        "<style>.x { color: white }</style><p class=x>approve</p>",
        '<link rel="stylesheet" href="x"><p>approve</p>',
    ],
)
def test_what_may_be_painted_over_is_asked_back(page: str) -> None:
    assert order(written(mail(page, "html"))) == UNCLEAR


def test_colours_below_the_quotation_are_not_theirs() -> None:
    assert order(written(mail('<p>approve</p><hr><p style="color:red">reject</p>', "html"))) == APPROVED
