"""Desks that are made once for all tests of the review, and Chromium, which shows their pages without a network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from submit.desk import Desk
from submit.review import page as review_page
from submit.review.wanted import wanted
from tests.submit.review.desks import desk_with

CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu"]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """200 requests of every fate; nobody writes into it."""
    return desk_with(tmp_path_factory.mktemp("review") / "desk", 200)


@pytest.fixture
def own_desk(desk: Desk, tmp_path: Path) -> Desk:
    """A copy to be damaged."""
    shutil.copytree(desk.folder, tmp_path / "desk", symlinks=True)
    return Desk(tmp_path / "desk", desk.config, desk.kinds)


@pytest.fixture(scope="session")
def page_file(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "review.html"
    review_page.write(desk, file, wanted(), "ja")
    return file


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not os.path.exists(CHROMIUM) and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed here")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def shown(browser: Browser, page_file: Path) -> Iterator[Page]:
    """The page as it opens; it has asked for nothing and complained of nothing when the test ends."""
    yield from opened(browser, page_file)


def opened(browser: Browser, file: Path, width: int = 1280) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    page.close()
    assert said == []
