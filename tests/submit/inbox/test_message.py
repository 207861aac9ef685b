"""Messages: who sent them as far as the mailbox's own server says, what wrote them, and the forms in them."""

from __future__ import annotations

import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.inbox.authentication_results import vouched
from submit.inbox.message import UnreadableError, attachments, head

OURS = "mx.desk.example"
HANAKO = "hanako@example.jp"
PASSED = f"Authentication-Results: {OURS}; dmarc=pass header.from=example.jp\r\n"
WORKBOOK = b"PK\x03\x04 a workbook"
SHEET = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"

VOUCHED = {
    "DMARC": [f"{OURS}; dmarc=pass (p=REJECT sp=NONE) header.from=example.jp"],
    "what Gmail writes": [
        f"{OURS};\r\n       dkim=pass header.i=@example.jp header.s=s1 header.b=abc/d+e=;\r\n"
        f"       spf=pass (google.com: domain of {HANAKO} designates 192.0.2.1 as permitted sender)"
        f" smtp.mailfrom={HANAKO};\r\n       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=example.jp"
    ],
    "capitals": ["MX.Desk.Example 1; DMARC/1=PASS header.from=Example.JP"],
    "SPF of this domain, without a policy": [f"{OURS}; dmarc=none; spf=pass smtp.mailfrom=x@example.jp"],
    "DKIM of this domain": [f'{OURS}; dkim=fail header.d=list.example; dkim=pass header.d="example.jp"'],
    "comments in comments": [f"{OURS} (a (b) \\) c); dmarc=pass (x; dmarc=fail) header.from=example.jp;"],
    "others below, which count for nothing": [
        f"{OURS}; dmarc=pass header.from=example.jp",
        "elsewhere.example; dmarc=fail header.from=example.jp",
    ],
    "others on top, which count for nothing": ["relay.example; none", f"{OURS}; dmarc=pass header.from=example.jp"],
}
NOT_VOUCHED = {
    "nothing": [],
    "none": [f"{OURS}; none"],
    "another server": ["evil.example; dmarc=pass header.from=example.jp"],
    "a server whose name begins alike": [f"{OURS}.evil.example; dmarc=pass header.from=example.jp"],
    "the server's name in a comment": [f"evil.example ({OURS}); dmarc=pass header.from=example.jp"],
    "a forged one below the server's own": [
        f"{OURS}; dmarc=fail header.from=example.jp",
        f"{OURS}; dmarc=pass header.from=example.jp",
    ],
    "a forged one below where nothing was found": [f"{OURS}; none", f"{OURS}; dmarc=pass header.from=example.jp"],
    "a forged one below where it cannot be read": [f"{OURS}; dmarc=(", f"{OURS}; dmarc=pass header.from=example.jp"],
    "DMARC of another domain": [f"{OURS}; dmarc=pass header.from=evil.example"],
    "DMARC of a longer domain": [f"{OURS}; dmarc=pass header.from=evil-example.jp"],
    "DMARC failed, though SPF passed": [
        f"{OURS}; dmarc=fail header.from=example.jp; spf=pass smtp.mailfrom=example.jp"
    ],
    "DMARC could not be looked up": [f"{OURS}; dmarc=temperror; dkim=pass header.d=example.jp"],
    "two of DMARC": [f"{OURS}; dmarc=pass header.from=example.jp; dmarc=fail header.from=example.jp"],
    "SPF of another domain": [f"{OURS}; spf=pass smtp.mailfrom=x@evil.example"],
    "SPF of the HELO": [f"{OURS}; spf=pass smtp.helo=example.jp"],
    "softfail": [f"{OURS}; spf=softfail smtp.mailfrom=example.jp; dkim=neutral header.d=example.jp"],
    "DKIM of another domain": [f"{OURS}; dkim=pass header.d=evil.example header.s=example.jp"],
    "a result inside a comment": [f"{OURS}; spf=fail (; dmarc=pass header.from=example.jp) smtp.mailfrom=x"],
    "a result inside a quoted word": [
        f'{OURS}; spf=fail smtp.mailfrom="; dmarc=pass header.from=example.jp "@evil.example'
    ],
    "a quote that does not end": [f'{OURS}; dmarc=pass header.from=example.jp; spf=fail smtp.mailfrom="x'],
    "a comment that does not end": [f"{OURS}; dmarc=pass header.from=example.jp (x"],
    "a comment that ends twice": [f"{OURS}; dmarc=pass (x)) header.from=example.jp"],
    "a result with blanks": [f"{OURS}; dmarc = fail; spf=pass smtp.mailfrom=example.jp"],
}


@pytest.mark.parametrize("headers", VOUCHED.values(), ids=VOUCHED)
def test_the_mailboxs_own_server_vouches_for_the_senders_domain(headers: list[str]) -> None:
    assert vouched(headers, OURS, "example.jp")


@pytest.mark.parametrize("headers", NOT_VOUCHED.values(), ids=NOT_VOUCHED)
def test_nobody_vouches(headers: list[str]) -> None:
    assert not vouched(headers, OURS, "example.jp")


@given(st.lists(st.text(st.sampled_from('();="\\ abc.,@/\r\n\t'), max_size=40), max_size=3))
def test_whatever_a_header_says_is_read(headers: list[str]) -> None:
    assert not vouched([f"{OURS};{one}" for one in headers], OURS, "example.jp")


SENDERS = {
    HANAKO: HANAKO,
    f"<{HANAKO}>": HANAKO,
    f"Yamada Hanako <{HANAKO}>": HANAKO,
    f'"Yamada, Hanako" <{HANAKO}>': HANAKO,
    f"Hanako (Sales) <{HANAKO}>": HANAKO,
    f"{HANAKO} (Hanako)": HANAKO,
    f"=?utf-8?b?5bGx55Sw?= <{HANAKO}>": HANAKO,
    f"山田花子 <{HANAKO}>": HANAKO,
    f'"{HANAKO}" <evil@evil.example>': "evil@evil.example",
    f"{HANAKO} <evil@evil.example>": "",
    f"<{HANAKO}> <evil@evil.example>": "",
    f"{HANAKO}, evil@evil.example": "",
    f"{HANAKO})evil@evil.example": "",
    f"friends: {HANAKO};": "",
    f"=?utf-8?q?{HANAKO}=3E?= <evil@evil.example": "",
    "花子@example.jp": "",
    '"a b"@example.jp': "",
    "": "",
}


@pytest.mark.parametrize("written", SENDERS)
def test_a_sender_is_exactly_one_plain_address(written: str) -> None:
    found = head(f"{PASSED}From: {written}\r\n\r\n".encode(), OURS, [])
    assert (found.sender, found.verified) == (SENDERS[written], SENDERS[written] == HANAKO)


def test_two_senders_are_none() -> None:
    found = head(f"{PASSED}From: {HANAKO}\r\nFrom: {HANAKO}\r\n\r\n".encode(), OURS, [])
    assert (found.sender, found.verified) == ("", False)


AUTOMATIC = {
    "an answering machine": "Auto-Submitted: auto-replied\r\n",
    "a job": "auto-submitted: auto-generated; x=y\r\n",
    "a newsletter": "Precedence: bulk\r\n",
    "a list": "Precedence: List\r\n",
    "a list that says only what it is": "List-Id: <all.example.jp>\r\n",
    "a bounce": "Return-Path: <>\r\n",
    "a bounce with a blank": "Return-Path: < >\r\n",
    "a report": "Content-Type: multipart/report; report-type=delivery-status\r\n",
}


@pytest.mark.parametrize("more", AUTOMATIC.values(), ids=AUTOMATIC)
def test_what_a_program_wrote_is_told_from_what_a_person_wrote(more: str) -> None:
    assert head(f"From: {HANAKO}\r\n{more}\r\n".encode(), OURS, []).automatic
    assert not head(f"From: {HANAKO}\r\n\r\n{more}".encode(), OURS, []).automatic


def test_the_desks_own_address_is_a_program() -> None:
    assert head(f"From: {HANAKO.upper()}\r\n\r\n".encode(), OURS, [HANAKO]).automatic
    assert not head(f"From: {HANAKO}\r\nAuto-Submitted: no\r\n\r\n".encode(), OURS, ["x@example.jp"]).automatic


def test_a_thread_is_its_first_message_and_its_newest_ones() -> None:
    before = " ".join(f"<{number}@a>" for number in range(60))
    raw = f"References: {before}\r\nIn-Reply-To: <59@a>\r\nMessage-ID: <own@a>\r\n\r\n".encode()
    found = head(raw, OURS, [])
    assert (found.id, len(found.references)) == ("<own@a>", 20)
    assert (found.references[0], found.references[1], found.references[-2:]) == (
        "<0@a>",
        "<42@a>",
        ("<59@a>", "<own@a>"),
    )


def test_an_id_is_never_more_than_an_id() -> None:
    raw = b"Message-ID: <a@b> Bcc: x@y\r\n\tBcc: z\r\nReferences: <c\r\n d@e> <\xe3\x81\x82@f>\r\n\r\n"
    assert head(raw, OURS, []).references == ("<a@b>",)


def test_a_subject_is_decoded_and_a_wrong_one_stays_as_it_is() -> None:
    assert head(b"Subject: =?iso-2022-jp?b?GyRCM1g9LDBNTWobKEI=?=\r\n\r\n", OURS, []).subject == "学習依頼"
    assert head("Subject: 学習依頼\r\n\r\n".encode(), OURS, []).subject == "学習依頼"
    assert head(b"Subject: =?utf-8?b?a?=\r\n\r\n", OURS, []).subject == "=?utf-8?b?a?="


UNREADABLE_SUBJECTS = {
    "a charset that is none": ("=?あ?q?a?=", "=?あ?q?a?="),
    "half a character": ("=?utf-7?q?+2AA-?=", "?"),
    "a codec for programs": ("=?unicode-escape?q?a=5Cud800?=", "a?"),
}


@pytest.mark.parametrize(("written", "read"), UNREADABLE_SUBJECTS.values(), ids=UNREADABLE_SUBJECTS)
def test_a_subject_that_nobody_can_decode_is_text_that_can_be_kept(written: str, read: str) -> None:
    assert head(f"Subject: {written}\r\n\r\n".encode(), OURS, []).subject == read


BLANKS = " " * 60_000
LONG_SENDERS = {
    "blanks before": (f"{BLANKS}{HANAKO}", HANAKO),
    "blanks behind": (f"{HANAKO}{BLANKS}\r\n x", ""),
    "blanks within": (f"Hanako{BLANKS}<{HANAKO}>", HANAKO),
    "nothing but a name and blanks": (f"Hanako{BLANKS}x", ""),
    "blanks in brackets": (f"<{BLANKS}{HANAKO}{BLANKS[:4000]}x>", ""),
    "blanks before a comment": (f"{HANAKO}{BLANKS}(x", ""),
    "quotes": ('"a"' * 20_000, ""),
}


@pytest.mark.parametrize(("written", "sender"), LONG_SENDERS.values(), ids=LONG_SENDERS)
def test_a_sender_of_thousands_of_blanks_is_read(written: str, sender: str) -> None:
    assert head(f"From: {written}\r\n\r\n".encode(), OURS, []).sender == sender


def test_a_head_longer_than_any_program_writes_is_from_nobody() -> None:
    """What is not read may be a second sender, or say that a program wrote it."""
    found = head(f"{PASSED}From: {HANAKO}\r\nSubject: x\r\nX-Long: {BLANKS}{BLANKS}\r\n\r\n".encode(), OURS, [])
    assert (found.sender, found.verified, found.subject) == ("", False, "x")


def test_of_a_long_subject_the_beginning_is_decoded() -> None:
    assert head(b"Subject: " + b"=?utf-8?q?a?= " * 4000 + b"\r\n\r\n", OURS, []).subject.startswith("aaaa")
    assert len(head(b"Subject: " + b"=?a?q?" * 10_000 + b"\r\n\r\n", OURS, []).subject) == 1000


def sent(*parts: tuple[str, str, bytes, str]) -> bytes:
    """A message with these parts: name, sort, bytes and disposition."""
    made = EmailMessage(policy=email.policy.SMTP)
    made.set_content("Please find attached.")
    for name, sort, data, disposition in parts:
        maintype, _, subtype = sort.partition("/")
        made.add_attachment(
            data, maintype=maintype, subtype=subtype, filename=name or None, disposition=disposition or "attachment"
        )
    return made.as_bytes()


def test_forms_are_taken_by_their_names_and_workbooks_by_what_they_are() -> None:
    raw = sent(
        ("学習依頼.xlsx", f"application/{SHEET}", WORKBOOK, "attachment"),
        ("table.CSV", "application/octet-stream", b"a,b", "inline"),
        ("request.yaml", "application/yaml", b"kind: x", "inline"),
        ("notes.txt", "application/octet-stream", b"a\tb", "attachment"),
        ("no suffix", f"application/{SHEET}", WORKBOOK, "attachment"),
        ("", f"application/{SHEET}", WORKBOOK, "attachment"),
    )
    assert [name for name, _ in attachments(raw)] == [
        "学習依頼.xlsx",
        "table.CSV",
        "request.yaml",
        "notes.txt",
        "no suffix.xlsx",
        "request.xlsx",
    ]


def test_what_only_comes_along_with_messages_is_left_alone() -> None:
    raw = sent(
        ("logo.png", "image/png", b"\x89PNG", "inline"),
        ("photo.jpg", "image/jpeg", b"\xff\xd8", "attachment"),
        ("smime.p7s", "application/pkcs7-signature", b"0", "attachment"),
        ("signature.asc", "application/pgp-signature", b"-", "attachment"),
        ("ATT00001.txt", "application/octet-stream", b"list footer", "attachment"),
        ("body.txt", "application/octet-stream", b"inline text", "inline"),
        ("empty.xlsx", f"application/{SHEET}", b"", "attachment"),
    )
    assert attachments(raw) == []


def test_whatever_else_is_attached_is_handed_in_to_be_told_that_nobody_reads_it() -> None:
    raw = sent(("all.zip", "application/zip", WORKBOOK, ""), ("winmail.dat", "application/ms-tnef", b"x", ""))
    assert attachments(raw) == [("all.zip", WORKBOOK), ("winmail.dat", b"x")]


def test_forms_in_a_forwarded_message_are_taken() -> None:
    inner = EmailMessage()
    inner["Subject"] = "for you"
    inner.set_content("see below")
    inner.add_attachment(WORKBOOK, maintype="application", subtype=SHEET, filename="inner.xlsx")
    outer = EmailMessage()
    outer.set_content("forwarded")
    outer.add_attachment(inner)
    assert attachments(outer.as_bytes()) == [("inner.xlsx", WORKBOOK)]


NAMES = {
    "RFC 2231": "attachment; filename*=utf-8''%E4%BE%9D%E9%A0%BC.csv",
    "RFC 2231 in parts": "attachment; filename*0*=utf-8''%E4%BE%9D; filename*1*=%E9%A0%BC; filename*2=.csv",
    "RFC 2047": 'attachment; filename="=?utf-8?b?5L6d6aC8LmNzdg==?="',
    "RFC 2047 in ISO-2022-JP": 'attachment; filename="=?ISO-2022-JP?B?GyRCME1NahsoQi5jc3Y=?="',
    "RFC 2047 in parts": 'attachment; filename="=?utf-8?b?5L6d?=\r\n =?utf-8?b?6aC8LmNzdg==?="',
    "RFC 6532": 'attachment; filename="依頼.csv"',
    "with folders": "attachment; filename*=utf-8''..%2F..%5C%E4%BE%9D%E9%A0%BC.csv",
}


@pytest.mark.parametrize("disposition", NAMES.values(), ids=NAMES)
def test_a_japanese_name_is_read_however_it_was_encoded(disposition: str) -> None:
    raw = f"Content-Type: text/csv\r\nContent-Disposition: {disposition}\r\n\r\na,b\r\n".encode()
    assert attachments(raw) == [("依頼.csv", b"a,b\r\n")]


HOSTILE_NAMES = {
    "a\r\nBcc: x@y.csv": "a Bcc: x@y.csv",
    "../../etc/passwd.csv": "passwd.csv",
    "C:\\Users\\x.csv": "x.csv",
    f"{'a' * 500}.csv": f"{'a' * 149}….csv",
    "\u202evsc.csv": "\ufffdvsc.csv",
    "..": "attachment",
}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_is_one_line_without_folders(name: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    raw = f"Content-Type: a/b\r\nContent-Disposition: attachment; filename*=utf-8''{quoted}\r\n\r\nx".encode()
    assert attachments(raw) == [(HOSTILE_NAMES[name], b"x")]


UNREADABLE_NAMES = {
    "whole and in parts": "attachment; filename*=utf-8''a.csv; filename*0*=utf-8''b.csv",
    "a charset that is none": 'attachment; filename="=?あ?q?a?=.csv"',
    "a quote that does not end": 'attachment; filename="' + ";" * 900_000,
    "parts without end": "attachment" + ";a" * 400_000,
}


@pytest.mark.parametrize("disposition", UNREADABLE_NAMES.values(), ids=UNREADABLE_NAMES)
def test_what_has_a_name_that_nobody_can_read_is_handed_in_all_the_same(disposition: str) -> None:
    raw = f"Content-Type: text/csv\r\nContent-Disposition: {disposition}\r\n\r\na,b".encode()
    ((name, data),) = attachments(raw)
    assert (name.isprintable(), len(name) <= 170, data) == (True, True, b"a,b")


def test_a_sort_whose_name_is_whole_and_in_parts_is_handed_in_all_the_same() -> None:
    name = b"name*=utf-8''a.csv; name*0*=utf-8''b.csv"
    raw = b"Content-Type: text/csv; " + name + b"\r\nContent-Disposition: attachment\r\n\r\na,b"
    assert attachments(raw) == [("attachment", b"a,b")]


def test_a_message_that_cannot_be_taken_apart_is_unreadable() -> None:
    with pytest.raises(UnreadableError):
        attachments(b"Content-Type: multipart/mixed; boundary*=utf-8''a; boundary*0*=utf-8''b\r\n\r\nx")


def test_parts_without_end_are_unreadable() -> None:
    part = b"--b\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\nx\r\n"
    with pytest.raises(UnreadableError):
        attachments(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 2000)


def test_the_same_name_twice_is_two_names() -> None:
    raw = sent(("a.csv", "a/b", b"1", ""), ("a.csv", "a/b", b"2", ""), ("a.csv", "a/b", b"1", ""))
    assert attachments(raw) == [("a.csv", b"1"), ("a (2).csv", b"2"), ("a (3).csv", b"1")]


def test_parts_in_parts_without_end_are_unreadable() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(3000)
    )
    with pytest.raises(UnreadableError):
        attachments(deep)


PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\r\n\r\n",
        b"--b\r\n",
        b"--b--\r\n",
        b"From: ",
        b"Subject: ",
        b"Message-ID: ",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/csv; charset=nonsense; name*0*=x'",
        b"Content-Disposition: attachment; filename",
        b"*0*=utf-8''%",
        b"*1=",
        b'="=?',
        b"utf-8?b?a?=",
        b'.csv"',
        b"Content-Disposition: attachment; filename*=utf-8''a; filename*0*=b\r\n",
        b"=?\xe3\x81\x82?q?a?=",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n",
        b"begin 644 x\n",
        b"\xff\x00\x80",
        b"\x1b$B",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=6), max_size=25).map(b"".join))
def test_whatever_bytes_come_are_read(raw: bytes) -> None:
    found = head(raw, OURS, [HANAKO])
    assert not found.verified
    assert "\n" not in "".join(found.references)
    for name, data in attachments(raw):
        assert name
        assert data
        assert "/" not in name
        assert name.isprintable() or "\ufffd" in name


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"Subject: x\n" + b"\n" * 2_000_000, id="more lines than any mail has"),
        pytest.param(
            b"".join(
                b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number) for number in range(100)
            )
            + b"\n" * 500_000,
            id="parts within parts within parts",
        ),
    ],
)
def test_what_would_keep_the_parser_for_minutes_is_not_read(raw: bytes) -> None:
    with pytest.raises(UnreadableError):
        attachments(raw)
