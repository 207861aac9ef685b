"""Orders carried out while what they need is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.answers import Where
from submit.inbox import SourceDownError
from submit.judging import Outcome
from submit.obey import obey
from submit.orders import Order, Ordered
from tests.desks.asking import AYA, Wanted, ask_one, desk_with, entries, state

RULES = "version: 1\nrules:\n- who: ['mail:*@example.com']\n  kinds: ['*']\n  queues: ['*']\n"


def test_a_cancellation_that_an_engine_does_not_hear_is_read_again_later_and_then_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_HOST", "WEB_HOST", "FILES_HOST"):
        monkeypatch.setenv(f"CLEARML_{name}", "http://127.0.0.1:9")
    for name in ("ACCESS", "SECRET"):
        monkeypatch.setenv(f"CLEARML_API_{name}_KEY", "x")
    desk = desk_with(tmp_path, RULES)
    request = ask_one(desk, Wanted("one"))
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE runs SET engine = 'clearml'")
    order = Ordered("mail:1", Order("cancel", request), AYA, Where("Re: one"))
    with pytest.raises(SourceDownError):
        obey(desk, [order], Outcome())
    assert (state(desk, request), entries(desk, "ordered")) == ("queued", [])
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE runs SET engine = 'local'")
    (done,) = obey(desk, [order], Outcome())
    assert done.problem is None
    assert state(desk, request) == "stopped"
    assert obey(desk, [order], Outcome()) == [done]
    assert len(entries(desk, "ordered")) == 1
