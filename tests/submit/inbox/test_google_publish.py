"""Forms made and brought up to date at a stand-in of Google's services, by their real client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from schema.kinds import Kind
from submit.desk import Desk, open_desk
from submit.inbox.published import Published, forms_of
from submit.new_desk import make_desk
from tests.kinds_for_tests import KINDS
from tests.submit.inbox.google_desks import published
from tests.submit.inbox.google_stand_in import StandIn, stand_in


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as there:
        yield there


@pytest.fixture
def there(server: StandIn) -> StandIn:
    server.renew()
    return server


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return replace(open_desk(make_desk(tmp_path / "desk").folder), kinds=KINDS)


def with_form(desk: Desk, name: str, **changes: Any) -> Desk:
    kind = desk.kinds[name]
    changed = replace(kind, form=replace(kind.form, **changes))
    return replace(desk, kinds=MappingProxyType({**desk.kinds, name: changed}))


def kept(desk: Desk) -> Published:
    with desk.ledger() as ledger:
        (found,) = forms_of(ledger, "google")
    return found


def entries(desk: Desk) -> list[str]:
    with desk.ledger() as ledger:
        return [one.action for one in ledger.entries()]


