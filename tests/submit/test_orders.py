"""Orders in comments and mails, and the single-use words of approvers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.desk import LEDGER, Desk, now, open_desk
from submit.ledger import verify
from submit.new_desk import make_desk
from submit.orders import TRIES, Order, give_back, is_locked, own, parse, requests_of, spend, word_for, words_in

ID, OTHER = "7k3m-9qx2-b4td", "7k3m-9qx2-b4te"
SATO = "sato@example.com"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return open_desk(make_desk(tmp_path / "desk").folder)


def worded(desk: Desk, request: str = ID, address: str = SATO, hours: float = 1) -> str:
    expires = (now() + timedelta(hours=hours)).isoformat()
    with desk.ledger() as ledger, ledger.writing() as tx:
        return word_for(tx, request, address, expires)


def denied(desk: Desk) -> list[object]:
    with desk.ledger() as ledger:
        return [one.detail["tries"] for one in ledger.entries_keyed("wrong-word")]


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("/approve", Order("approve")),
        ("  /Approve ", Order("approve")),
        ("/approve 7K3M-9QX2-B4TD", Order("approve", ID)),
        ("／ａｐｐｒｏｖｅ　７ｋ３ｍ-9qx2-b4td", Order("approve", ID)),
        ("/承認", Order("approve")),
        ("/reject", Order("reject")),
        ("/reject too long for this week", Order("reject", "", "too long for this week")),
        ("/reject 7k3m-9qx2-b4td: wrong queue", Order("reject", ID, "wrong queue")),
        ("/却下　データが古いため", Order("reject", "", "データが古いため")),
        ("/却下：データが古いため", Order("reject", "", "データが古いため")),
        ("/cancel", Order("cancel")),
        ("/取り消し 7k3m-9qx2-b4td", Order("cancel", ID)),
        ("/approve if the GPU is free", Order("unclear")),
        ("/approve 7k3m-9qx2", Order("unclear")),
        ("/cancel everything", Order("unclear")),
    ],
)
def test_a_line_orders_what_it_says(line: str, order: Order) -> None:
    assert parse(line) == order


@pytest.mark.parametrize(
    "line",
    [
        "",
        "approve",
        "承認",
        "/approved-by me",
        "please /approve",
        "> /approve",
        "`/approve`",
        "/approvement",
        "/",
        "/help",
    ],
)
def test_what_is_no_order_orders_nothing(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("承認", Order("approve")),
        ("承認します。", Order("approve")),
        ("Approved.", Order("approve")),
        ("approve k3m4-9qx2-b4td-x7wq", Order("approve")),
        ("却下します。理由：キューが違います", Order("reject", "", "理由:キューが違います")),
        ("取り消してください。", Order("cancel")),
        ("取消 7k3m-9qx2-b4td", Order("cancel", ID)),
        ("中止してください。", Order("cancel")),
        ("「承認」", None),
        ("- 承認するとき：「承認」", None),
        ("承認するとき：「承認」", None),
        ("却下するとき：「却下 理由」", None),
        ("to approve: “approve”", None),
        ("承認しません", None),
        ("承認できません。", None),
        ("承認しますか？", None),
        ("未承認", None),
        ("not approved", None),
        ("Approve? I am not sure", None),
        ("approve, but only tonight", Order("unclear")),
    ],
)
def test_in_mail_the_bare_word_is_enough_and_its_opposite_is_not(line: str, order: Order | None) -> None:
    assert parse(line, bare=True) == order


@given(st.text(max_size=200), st.booleans())
def test_nothing_that_people_write_raises_and_what_approves_is_nothing_but_the_order(text: str, bare: bool) -> None:
    found = parse(text, bare=bare)
    if found and found.action in ("approve", "cancel"):
        rest = re.sub(r"[\W_]", "", text.casefold())
        assert len(rest) <= 60


@given(st.sampled_from(["/approve", "/承認", "/cancel"]), st.text(min_size=1, max_size=40))
def test_an_order_with_something_after_it_is_not_carried_out(order: str, more: str) -> None:
    found = parse(f"{order} x{more}")
    assert found in (None, Order("unclear"))


def test_a_word_lets_whom_it_went_to_rule_once(desk: Desk) -> None:
    word = worded(desk)
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}", word)
    assert spend(desk, word.upper(), "Sato@Example.com") == ID
    for _ in range(TRIES + 1):
        assert spend(desk, word, SATO) is None
    assert (denied(desk), is_locked(desk, SATO), own(desk, [word], SATO)) == ([], False, [ID])  # their own, no guess
    assert own(desk, [word], "suzuki@example.com") == []
    assert verify(desk.folder / LEDGER).ok


def test_a_word_is_worth_nothing_to_another_after_its_time_or_with_a_letter_changed(desk: Desk) -> None:
    word, old = worded(desk), worded(desk, OTHER, hours=-0.01)
    assert spend(desk, word, "suzuki@example.com") is None
    assert spend(desk, old, SATO) is None
    assert spend(desk, ("1" if word[0] != "1" else "2") + word[1:], SATO) is None
    assert spend(desk, word, SATO) == ID


def test_after_five_wrong_words_on_a_day_not_even_the_right_one_is_taken(desk: Desk) -> None:
    word = worded(desk)
    for _ in range(TRIES + 3):
        assert spend(desk, "0000-0000-0000-0000", SATO) is None
    assert (denied(desk), is_locked(desk, SATO)) == ([1, 2, 3, 4, 5], True)
    assert spend(desk, word, SATO) is None
    assert requests_of(desk, [word], SATO) == {}
    other = worded(desk, address="suzuki@example.com")
    assert spend(desk, other, "suzuki@example.com") == ID


def test_the_order_that_spent_a_word_finds_it_again_after_a_crash_and_no_other_does(desk: Desk) -> None:
    word = worded(desk)
    assert spend(desk, word, SATO, "mail:1") == ID
    assert spend(desk, word, SATO, "mail:1") == ID
    assert spend(desk, word, SATO, "mail:2") is None
    give_back(desk, "mail:1")
    assert spend(desk, word, SATO, "mail:2") == ID


def test_a_mail_that_is_sent_again_brings_a_new_word_and_the_old_one_stays_good(desk: Desk) -> None:
    words = [worded(desk) for _ in range(25)]
    assert len(set(words)) == 25
    good = [one for one in words if requests_of(desk, [one], SATO)]
    assert good == words[5:]
    assert requests_of(desk, words, SATO) == {ID: words[-1]}


def test_neither_word_nor_address_stands_anywhere_in_the_ledger(desk: Desk) -> None:
    word = worded(desk)
    spend(desk, "0000-0000-0000-0000", SATO)
    spend(desk, word, SATO)
    written = b"".join(file.read_bytes() for file in (desk.folder / LEDGER).rglob("*") if file.is_file())
    assert word.encode() not in written
    assert SATO.encode() not in written


def test_words_are_told_from_ids_and_found_in_any_width(desk: Desk) -> None:
    said = f"> 受付番号 {ID}\n> 合言葉：ｋ３ｍ４-9qx2-b4td-x7wq。\nhttps://example.com/aaaa-bbbb-cccc-dddd-eeee"
    assert words_in(said) == ["k3m4-9qx2-b4td-x7wq"]
