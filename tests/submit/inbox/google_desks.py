"""Desks for the tests of Google's inbox, with credentials as a stand-in takes them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from submit.desk import Desk
from submit.inbox.google import Google
from submit.inbox.google_publish import Report, publish
from tests.submit.inbox.google_stand_in import PERSON, StandIn


def credentials_file(folder: Path, there: StandIn, kind: str = "service_account") -> Path:
    file = folder / f"{kind}.json"
    file.write_text(json.dumps(there.credentials(kind, folder)), encoding="utf-8")
    file.chmod(0o600)
    return file


def google(folder: Path, there: StandIn, kind: str = "service_account", slept: list[float] | None = None) -> Google:
    """A client of the stand-in that only notes how long it would wait."""
    subject = PERSON if kind == "service_account" else ""
    waits = [] if slept is None else slept
    return Google(credentials_file(folder, there, kind), subject, there.url, waits.append)


@cache
def shared(url: str) -> tuple[Google, TemporaryDirectory[str]]:
    """A client that several tests use, because to make one takes longer than to use it. Its token is taken back between them."""
    folder = TemporaryDirectory()
    return google(Path(folder.name), StandIn(url), "authorized_user"), folder


def published(
    desk: Desk, there: StandIn, kind: str = "inference", language: str = "en", dry_run: bool = False
) -> Report:
    with shared(there.url)[0] as mine:
        return publish(desk, mine, kind, language, ["anyone"], dry_run=dry_run)
