"""``python -m benchmarks.review``: a desk with 10,000 requests as one page: how long it takes to write, how large it is, and how long
Chromium takes to open it, to filter it and to open a card. Prints the table of docs/performance.md; ends with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from submit.review import page as review_page
from submit.review.wanted import wanted
from tests.submit.review.desks import desk_with

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu"]
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
COUNTED = "text => document.getElementById('count').textContent !== text"


@dataclass(frozen=True, slots=True)
class Bar:
    """What was measured, in its unit, and what it may be at most."""

    what: str
    reached: float
    allowed: float
    unit: str

    def line(self) -> str:
        verdict = "reached" if self.reached <= self.allowed else "missed"
        return f"| {self.what} | ≤ {self.allowed:g} {self.unit} | {self.reached:.2f} {self.unit} | {verdict} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="denpyo-review-") as name:
        found = measured(Path(name), asked.requests, asked.rounds)
    print(f"{asked.requests:,} requests, medians of {asked.rounds}, {os.cpu_count()} cores.\n")
    print("| | allowed | reached | |\n|---|---|---|---|")
    print("\n".join(one.line() for one in found))
    return int(any(one.reached > one.allowed for one in found))


def measured(folder: Path, requests: int, rounds: int) -> list[Bar]:
    desk, file = desk_with(folder / "desk", requests), folder / "review.html"
    began, cpu = time.perf_counter(), time.process_time()
    review_page.write(desk, file, wanted(), "en")
    wrote, worked = time.perf_counter() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        looks = [look(browser, file) for _ in range(rounds)]
        browser.close()
    opened, searched, chosen, card = (statistics.median(one[at] for one in looks) for at in range(4))
    return [
        Bar("the page is written, wall", wrote, 60, "s"),
        Bar("the same, CPU", worked, 30, "s"),
        Bar("memory of the process that wrote it (and made the desk)", memory, 600, "MB"),
        Bar("size of the file", file.stat().st_size / 1e6, 25, "MB"),
        Bar("open: from nothing to a table that can be used", opened, 2, "s"),
        Bar("search for a name, typed at once", searched, 2, "s"),
        Bar("choose a state", chosen, 2, "s"),
        Bar("open a card", card, 2, "s"),
    ]


def look(browser: Browser, file: Path) -> tuple[float, float, float, float]:
    """Seconds until the page is there, searched, filtered, and one card of it is open."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    opened = timed(lambda: _open(page, file))
    searched = timed(lambda: _counts_anew(page, lambda: page.fill("#search", "sato@example.com")))
    page.fill("#search", "")
    page.wait_for_timeout(500)
    chosen = timed(lambda: _counts_anew(page, lambda: page.select_option("#state", "failed")))
    card = timed(lambda: _card(page))
    page.close()
    return opened, searched, chosen, card


def timed(does: Callable[[], object]) -> float:
    began = time.perf_counter()
    does()
    return time.perf_counter() - began


def _open(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.evaluate(DRAWN)


def _counts_anew(page: Page, does: Callable[[], object]) -> None:
    before = page.locator("#count").inner_text()
    does()
    page.wait_for_function(COUNTED, arg=before, polling=10)
    page.evaluate(DRAWN)


def _card(page: Page) -> None:
    page.locator("#list tbody button").nth(40).click()
    page.wait_for_selector("#card-body .history")
    page.evaluate(DRAWN)


if __name__ == "__main__":
    sys.exit(main())
