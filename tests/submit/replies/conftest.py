"""A submission server for the tests here, certified by a CA of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from submit.desk import Desk
from tests.submit.inbox.mail_servers import Certified, Outbox, certified, outbox
from tests.submit.replies.telling import mailing_desk


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def out(pki: Certified) -> Iterator[Outbox]:
    with outbox(pki) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, out: Outbox, pki: Certified) -> Desk:
    return mailing_desk(tmp_path / "desk", out.port, pki)
