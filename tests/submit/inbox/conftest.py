"""One stand-in of Google's services for all tests here, as if nobody had called before; and a desk that knows every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from submit.desk import Desk, open_desk
from submit.new_desk import make_desk
from tests.kinds_for_tests import KINDS
from tests.submit.inbox.google_stand_in import StandIn, stand_in


@pytest.fixture(scope="session")
def google_server() -> Iterator[StandIn]:
    with stand_in() as there:
        yield there


@pytest.fixture
def there(google_server: StandIn) -> StandIn:
    google_server.renew()
    return google_server


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return replace(open_desk(make_desk(tmp_path / "desk").folder), kinds=KINDS)
