"""Answers as they go over the wire, whatever people wrote into what is answered."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

from hypothesis import example, given
from hypothesis import strategies as st

from schema.problem import shown
from submit.inbox.message import FROM, MESSAGE_ID, attachments
from submit.replies.mail import Reply, message

HEADERS = [
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
NAMES = st.text(min_size=1, max_size=80)
ADDRESSES = st.from_regex(FROM, fullmatch=True).map(lambda one: "".join(FROM.findall(one)[0]))
IDS = st.lists(st.from_regex(MESSAGE_ID, fullmatch=True), min_size=1, max_size=4)


@given(NAMES, NAMES, ADDRESSES, IDS)
@example("x\r\nBcc: a@b\r\n\r\nbody", "a\r\nBcc: a@b.xlsx", "hanako@example.jp", ["<a@b>"])
@example("学習依頼" * 40, "学習依頼" * 20, "a..b@example.jp", [f"<{'a' * 900}@b>"])
@example("\ud800", '"; filename=x', "{a|b}@example.jp", ["<@>"])
def test_an_answer_has_its_own_headers_and_no_others(subject: str, name: str, to: str, ids: list[str]) -> None:
    reply = Reply(to, subject, "本文\n", "<own@desk.example>", ids, [(f"{shown(name)}.xlsx", b"PK\x03\x04")])
    raw = message("denpyo@desk.example", reply)
    parsed = message_from_bytes(raw, policy=default)
    assert [key for key, _ in parsed.raw_items()] == HEADERS
    assert (str(parsed["To"]), parsed["References"].split(), parsed["In-Reply-To"]) == (to, ids, ids[-1])
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    ((found, data),) = attachments(raw)
    assert (found.endswith("xlsx"), data) == (True, b"PK\x03\x04")


def test_a_japanese_answer_reads_as_it_was_written() -> None:
    reply = Reply("hanako@example.jp", "Re: 学習依頼", "受け付けました。\n", "<own@d>", (), [("依頼.xlsx", b"PK")])
    parsed = message_from_bytes(message("denpyo@desk.example", reply), policy=default)
    assert parsed["Subject"] == "Re: 学習依頼"
    assert [one.get_filename() for one in parsed.iter_attachments()] == ["依頼.xlsx"]
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content() == "受け付けました。\r\n"
