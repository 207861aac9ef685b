"""What somebody wrote into a mail, told apart from what they answer, as the usual mail programs lay it out."""

from __future__ import annotations

import time
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from submit.inbox.mail_orders import order, ordered
from submit.inbox.message import Head
from submit.inbox.reply_text import LONGEST, TAG, written
from submit.orders import Order

APPROVED = Order("approve")


def mail(text: str, sort: str = "plain") -> EmailMessage:
    made = EmailMessage()
    made.set_content(text, subtype=sort)
    return made


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
    assert written(mail("<" + "a" * 120_000, "html")).lines == ("<" + "a" * 120_000,)
    assert time.process_time() - begin < 2


def test_html_of_somebody_whom_nobody_vouches_for_is_not_read() -> None:
    raw = mail("<p>approve</p>", "html").as_bytes()
    known = Head("x@example.com", verified=True, automatic=False, subject="", id="", references=())
    assert ordered(known, raw, "0") is not None
    forger = replace(known, verified=False)
    assert ordered(forger, raw, "0") is None
    forged = ordered(forger, mail("approve").as_bytes(), "0")
    assert forged is not None
    assert forged.subject == ""
