"""The page as a person uses it, in a real Chromium."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from schema import words
from submit.desk import LEDGER, Desk
from submit.erasing import erase_all
from submit.review import page as review_page
from submit.review.wanted import wanted
from tests.submit.review.conftest import opened
from tests.submit.review.desks import HOSTILE, HOSTILE_NOTE

ROWS = "#list tbody tr"
EDIT_AN_ACCEPTED = """UPDATE entries SET body = CAST(replace(body, 'verified', 'machine!') AS BLOB)
    WHERE seq = (SELECT min(seq) FROM entries WHERE key LIKE 'accepted:%' AND seq > 600)"""


def first_id(page: Page) -> str:
    return page.locator(f"{ROWS} button").first.inner_text()


def open_first(page: Page) -> None:
    page.locator(f"{ROWS} button").first.click()
    page.wait_for_selector("#card-body .history")


@contextmanager
def page_of(desk: Desk, browser: Browser, folder: Path) -> Iterator[Page]:
    review_page.write(desk, folder / "review.html", wanted(), "en")
    pages = opened(browser, folder / "review.html")
    yield next(pages)
    assert next(pages, None) is None


def tamper(desk: Desk, script: str) -> None:
    with closing(sqlite3.connect(desk.folder / LEDGER / "ledger.sqlite")) as db:
        db.executescript(script)


STATE_IN_JAPANESE = {state: words.text(f"review_state_{state}", "ja") for state in ("held", "rejected", "refused")}


def test_a_search_leaves_only_what_matches(shown: Page) -> None:
    expect(shown.locator("#count")).to_have_text("200件中200件")
    shown.fill("#search", "ＡＬＩＣＥ＠example.com")
    expect(shown.locator("#count")).to_have_text(re.compile("200件中[1-9][0-9]?件"))
    assert set(shown.locator(f"{ROWS} .c-who").all_inner_texts()) == {"alice@example.com"}
    shown.fill("#search", "nobody-at-all")
    expect(shown.locator(ROWS)).to_have_text(["該当する依頼はありません。"])


def test_a_state_as_it_is_called_and_a_code_of_the_policy_are_found(shown: Page) -> None:
    for text, state in (("承認待ち", "held"), ("不承認", "rejected"), ("not_allowed", "refused")):
        shown.fill("#search", text)
        badges = shown.locator(f"{ROWS} .badge")
        expect(badges.filter(has_not_text=STATE_IN_JAPANESE[state])).to_have_count(0)
        assert badges.count() > 0


def test_an_id_finds_its_request(shown: Page) -> None:
    wanted_id = first_id(shown)
    shown.fill("#search", wanted_id)
    expect(shown.locator("#count")).to_have_text(re.compile("200件中[1-9]件"))
    assert wanted_id in shown.locator(f"{ROWS} button").all_inner_texts()


def test_filters_by_state_and_day_and_shows_all_again(shown: Page) -> None:
    shown.select_option("#state", "failed")
    expect(shown.locator(f"{ROWS} .c-state").first).to_have_text("失敗")
    assert set(shown.locator(f"{ROWS} .c-state").all_inner_texts()) == {"失敗"}
    shown.fill("#since", "2026-11-01")
    shown.wait_for_timeout(150)
    days = shown.locator(f"{ROWS} .c-at").all_inner_texts()
    assert days
    assert min(days) >= "2026-11-01"
    shown.click("#filters button[type=reset]")
    expect(shown.locator("#count")).to_have_text("200件中200件")


def test_sorts_by_a_column_and_back(shown: Page) -> None:
    def times() -> list[str]:
        return shown.locator(f"{ROWS} .c-at").all_inner_texts()

    assert times() == sorted(times(), reverse=True)
    shown.click("th.c-at button")
    assert times() == sorted(times())
    expect(shown.locator("th.c-at")).to_have_attribute("aria-sort", "ascending")


def test_a_page_holds_a_hundred_and_there_is_a_next_one(shown: Page) -> None:
    expect(shown.locator(ROWS)).to_have_count(100)
    before = first_id(shown)
    shown.click("#page-next")
    expect(shown.locator("#page-number")).to_have_text("2／2ページ")
    assert first_id(shown) != before


def test_a_card_opens_with_the_keyboard_and_gives_the_focus_back(shown: Page) -> None:
    wanted_id = first_id(shown)
    shown.locator(f"{ROWS} button").first.focus()
    shown.keyboard.press("Enter")
    expect(shown.locator("#card-title")).to_contain_text(wanted_id)
    expect(shown.locator("#card-body")).to_contain_text("履歴")
    shown.keyboard.press("Escape")
    expect(shown.locator("#card")).to_be_hidden()
    assert shown.evaluate("document.activeElement.dataset.open") == wanted_id


def test_an_address_with_an_id_opens_its_card_and_the_next_one_is_a_click_away(
    browser: Browser, page_file: Path
) -> None:
    page = browser.new_page()
    page.goto(page_file.as_uri())
    first, second = page.locator(f"{ROWS} button").all_inner_texts()[:2]
    page.goto(f"{page_file.as_uri()}#{first}")
    expect(page.locator("#card-title")).to_contain_text(first)
    expect(page.locator("#card-before")).to_be_disabled()
    page.click("#card-after")
    expect(page.locator("#card-title")).to_contain_text(second)
    page.close()


def test_a_card_has_answers_with_labels_slip_run_and_every_hash(shown: Page) -> None:
    shown.select_option("#state", "done")
    shown.select_option("#kind", "train_supervised")
    shown.wait_for_timeout(150)
    open_first(shown)
    told = shown.locator("#card-body").inner_text()
    parts = (
        "どのデータセットですか",
        "予測の種類",
        "本人のために補った",
        "前の依頼との違い",
        "denpyo: 1",
        "accuracy: 0.",
    )
    assert [part for part in parts if part not in told] == []
    links = shown.locator("#card-body a").evaluate_all("all => all.map(one => one.href)")
    assert len(links) == 3
    assert all(one.startswith("https://clearml.example.com/projects/1/experiments/") for one in links)
    shown.locator("#card-body .history summary").last.click()
    last = shown.locator("#card-body .history li").last
    assert re.search("[0-9a-f]{64}", last.inner_text())
    assert '"action":"done"' in last.inner_text()


def test_yes_and_no_look_different_and_say_so(shown: Page) -> None:
    looks = {}
    for search, look in (("rejected", "no"), ("approved", "yes")):
        shown.select_option("#state", "rejected" if search == "rejected" else "")
        shown.fill("#search", "予算の範囲内です" if search == "approved" else "")
        if search == "approved":
            shown.select_option("#state", "done")
        shown.wait_for_timeout(150)
        open_first(shown)
        ruling = shown.locator(f".ruling.{look}")
        looks[look] = (
            ruling.inner_text().split("\n")[0],
            ruling.evaluate("one => getComputedStyle(one).borderLeftColor"),
        )
        shown.click("#card-close")
    assert looks["yes"][0] == "✓ 承認（はい）"
    assert looks["no"][0] == "✕ 不承認（いいえ）"
    assert looks["yes"][1] != looks["no"][1]


def test_the_language_is_switched_on_the_page_and_in_an_open_card(shown: Page) -> None:
    expect(shown.locator("h1")).to_have_text("記録の確認", use_inner_text=True)
    shown.click("[data-language=en]")
    expect(shown.locator("h1")).to_have_text("Review of the record", use_inner_text=True)
    assert shown.evaluate("document.documentElement.lang") == "en"
    expect(shown.locator("#count")).to_have_text("200 of 200 requests")
    open_first(shown)
    assert (
        "Answers" in shown.locator("#card-body").inner_text() or "Problems" in shown.locator("#card-body").inner_text()
    )


@pytest.mark.parametrize("written", [HOSTILE, HOSTILE_NOTE], ids=["name", "note"])
def test_hostile_names_and_notes_are_shown_as_text(shown: Page, written: str) -> None:
    shown.fill("#search", written.split()[-1] if written == HOSTILE else "HYPERLINK")
    shown.wait_for_timeout(150)
    assert shown.locator(ROWS).count() >= 1
    open_first(shown)
    assert written in (shown.locator("#card-body").text_content() or "")
    assert "owned" not in shown.title()
    assert shown.locator("#card-body img, #card-body script, #list img").count() == 0


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_page_and_card(
    browser: Browser, page_file: Path, language: str, scheme: str
) -> None:
    pages = opened(browser, page_file)
    page = next(pages)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.click(f"[data-language={language}]")
    found = [*Axe().run(page).response["violations"]]
    page.select_option("#state", "rejected")
    page.wait_for_timeout(150)
    open_first(page)
    found += Axe().run(page).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []
    assert next(pages, None) is None


@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_is_wider_than_the_screen(browser: Browser, page_file: Path, width: int) -> None:
    pages = opened(browser, page_file, width)
    page = next(pages)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    open_first(page)
    assert page.evaluate("byId('card').scrollWidth <= byId('card').clientWidth")
    assert next(pages, None) is None


def test_a_damaged_entry_is_named_at_the_top_and_marked_where_it_is(
    own_desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    tamper(own_desk, EDIT_AN_ACCEPTED)
    with page_of(own_desk, browser, tmp_path) as page:
        verdict = page.locator(".verdict")
        assert "The record is damaged" in verdict.inner_text()
        number = re.search(r"entry ([0-9]+): is not the one", verdict.inner_text())
        assert number
        page.locator(".verdict tr.wrong button").click()
        page.wait_for_selector("#card-body .history")
        wrong = page.locator("#card-body .history li.wrong")
        assert f"Entry {number[1]}" in wrong.inner_text()
        assert "The first fault was found at this entry." in wrong.inner_text()
        assert page.locator("#card-body .history li.unproven").count() >= 1
        page.click("#card-close")
        page.check("#damage")
        page.wait_for_timeout(150)
        assert 0 < int((page.locator("#count").inner_text().split() or ["0"])[0]) < 200


def test_an_entry_that_is_missing_has_its_place_among_its_neighbours(
    own_desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    tamper(own_desk, "DELETE FROM beside WHERE seq = 500; DELETE FROM entries WHERE seq = 500")
    with page_of(own_desk, browser, tmp_path) as page:
        lines = page.locator(".verdict tbody tr").all_inner_texts()
        assert [re.split(r"\s", line)[0] for line in lines] == ["498", "499", "500", "501", "502"]
        assert "Entry 500 is missing here" in lines[2]


def test_what_was_erased_is_shown_as_erased(own_desk: Desk, browser: Browser, tmp_path: Path) -> None:
    with own_desk.ledger() as ledger:
        one = ledger.requests(("done",), 1)[0]
    erase_all(own_desk, [one.id])
    with page_of(own_desk, browser, tmp_path) as page:
        assert "The record agrees with itself" in page.locator(".verdict").inner_text()
        page.fill("#search", one.id)
        page.wait_for_timeout(150)
        row = page.locator(ROWS, has_text=one.id)
        assert row.locator(".c-who").inner_text() == "erased"
        row.locator("button").click()
        page.wait_for_selector("#card-body .history")
        assert "The slip was erased on request." in page.locator("#card-body").inner_text()
        assert "example.com" not in page.locator("#card-body section").first.inner_text()


def test_without_scripts_summary_and_a_plain_table_can_be_read(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert "200" in page.locator(".tiles").inner_text()
    assert page.locator("noscript tbody tr").count() == 100
    assert page.locator("#filters").is_hidden()
    context.close()
