"""What every engine must do, whatever it runs on. A new engine is one more parameter of ``house``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from schema import slip
from submit import journey, work
from submit.desk import Desk
from submit.engines import Engine, Handle, Look, Ticket, clearml, local
from submit.ledger import RunRow
from submit.response import Source, Wishes
from tests.desks import clearml_desk_in, counting, desk_in, starts
from tests.standins.clearml import ClearML
from tests.standins.quick_agent import QuickAgent


@dataclass
class House:
    """An engine, a desk that uses it, and a way to let its workers work."""

    engine: Engine
    desk: Desk
    folder: Path
    workers: Callable[[Desk], None]

    def ticket(self, name: str, seconds: float = 0, code: int = 0, more: str = "") -> Ticket:
        """A run whose slip is kept and which nobody has handed over."""
        return self.ticket_of(counting(self.folder, name, seconds, code, more))

    def ticket_of(self, file: Path) -> Ticket:
        kept = journey.convert(self.desk, [Source(file.name, file.read_bytes())], Wishes()).requests[0]
        with self.desk.ledger() as ledger:
            row = ledger.request(kept.id)
            assert row is not None
            assert row.slip is not None
            run = RunRow(f"{kept.id}.1", kept.id, 1, self.desk.config.engine, "default", 1, "accepted", row.updated_at)
            with ledger.writing() as tx:
                tx.put_run(run)
            written = (ledger.folder / row.slip).read_bytes()
        return Ticket(run.run, slip.read(written, self.desk.kinds).resources, row.slip, "default")

    def enqueue(self, *tickets: Ticket) -> Handle:
        """The handle of the first."""
        return self.engine.enqueue(self.desk, tickets)[tickets[0].run]

    def look(self, run: str) -> Look:
        return self.engine.look(self.desk, [run])[run]

    @contextmanager
    def working(self) -> Iterator[None]:
        thread = threading.Thread(target=self.workers, args=(self.desk,))
        thread.start()
        yield
        thread.join(60)
        assert not thread.is_alive()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.05)


def running() -> Iterator[bytes]:
    """The command line of every process of this machine."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended while we looked
            yield file.read_bytes()


@pytest.fixture(params=["local", "clearml"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    made: House = request.getfixturevalue(f"{request.param}_house")
    return made


@pytest.fixture
def local_house(tmp_path: Path) -> House:
    def drain(desk: Desk) -> None:
        work.work(desk, drain=True, told=lambda run, state: None)

    return House(local, desk_in(tmp_path / "desk"), tmp_path, drain)


@pytest.fixture
def clearml_house(tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    for name, value in clearml_server.environment().items():
        monkeypatch.setenv(name, value)
    told = {"DENPYO_KINDS": str(tmp_path / "desk" / "kinds"), "DENPYO_RUNS": str(tmp_path / "agent" / "runs")}
    desk = clearml_desk_in(tmp_path / "desk")

    def drain(desk: Desk) -> None:
        QuickAgent(clearml.server(desk), tmp_path / "agent", "default", told).drain()

    return House(clearml, desk, tmp_path, drain)


def test_a_run_goes_from_queued_to_done_with_its_metrics(house: House) -> None:
    ticket = house.ticket("one")
    house.enqueue(ticket)
    assert house.look(ticket.run).state == "queued"
    with house.working():
        pass
    assert house.look(ticket.run).state == "done"
    assert (house.look(ticket.run).result or {})["metrics"] == {"counted": 1}


def test_the_same_run_twice_is_one_run(house: House) -> None:
    ticket = house.ticket("one")
    assert house.enqueue(ticket).engine_id == house.enqueue(ticket).engine_id
    with house.working():
        pass
    house.enqueue(ticket)
    with house.working():
        pass
    assert starts(house.folder) == {"one": 1}


def test_find_knows_what_was_enqueued_and_nothing_else(house: House) -> None:
    ticket = house.ticket("one")
    assert house.engine.find(house.desk, ticket.run) is None
    handle = house.enqueue(ticket)
    found = house.engine.find(house.desk, ticket.run)
    assert found
    assert (found.engine_id, found.url) == (handle.engine_id, handle.url)
    assert house.engine.find(house.desk, "no-such-run.1") is None
    assert house.engine.look(house.desk, ["no-such-run.1"]) == {}


def test_a_waiting_run_that_is_stopped_never_starts(house: House) -> None:
    ticket = house.ticket("one")
    house.enqueue(ticket)
    house.engine.stop(house.desk, ticket.run)
    with house.working():
        pass
    assert house.look(ticket.run).state == "stopped"
    assert starts(house.folder) == {}


def test_a_waiting_run_that_is_withdrawn_never_starts_however_often_one_asks(house: House) -> None:
    ticket = house.ticket("one")
    house.enqueue(ticket)
    assert house.engine.withdraw(house.desk, ticket.run)
    assert house.engine.withdraw(house.desk, ticket.run)
    with house.working():
        pass
    assert starts(house.folder) == {}


def test_a_run_that_has_begun_is_not_withdrawn_and_goes_on_to_its_end(house: House) -> None:
    ticket = house.ticket("one", seconds=1)
    house.enqueue(ticket)
    with house.working():
        house.wait_for(lambda: starts(house.folder) == {"one": 1})
        assert not house.engine.withdraw(house.desk, ticket.run)
    assert house.look(ticket.run).state == "done"
    assert not house.engine.withdraw(house.desk, ticket.run)


def test_a_run_that_it_does_not_know_is_not_withdrawn(house: House) -> None:
    assert not house.engine.withdraw(house.desk, "no-such-run.1")


def test_several_runs_are_taken_in_one_call_each_with_its_handle(house: House) -> None:
    tickets = [house.ticket(name) for name in ("one", "two")][: house.engine.AT_ONCE]
    handles = house.engine.enqueue(house.desk, tickets)
    assert {run: house.engine.find(house.desk, run) for run in handles} == {
        one.run: replace(handles[one.run], unattended="") for one in tickets
    }
    with house.working():
        pass
    assert starts(house.folder) == dict.fromkeys(["one", "two"][: len(tickets)], 1)


def test_a_running_run_is_stopped(house: House) -> None:
    ticket = house.ticket("one", seconds=50)
    house.enqueue(ticket)
    with house.working():
        house.wait_for(lambda: starts(house.folder) == {"one": 1})
        house.engine.stop(house.desk, ticket.run)
    assert house.look(ticket.run).state == "stopped"


def test_a_run_that_ignores_being_asked_to_end_is_made_to_before_it_counts_as_stopped(house: House) -> None:
    file = counting(house.folder, "one", seconds=50, more="  stubborn: true\n")
    ticket = house.ticket_of(file)
    house.enqueue(ticket)
    with house.working():
        house.wait_for(lambda: starts(house.folder) == {"one": 1})
        house.engine.stop(house.desk, ticket.run)
    assert house.look(ticket.run).state == "stopped"
    assert not [one for one in running() if b"count_starts.py" in one and str(house.folder).encode() in one]


def test_a_run_that_is_over_stays_as_it_is_when_stopped(house: House) -> None:
    ticket = house.ticket("one")
    house.enqueue(ticket)
    with house.working():
        pass
    house.engine.stop(house.desk, ticket.run)
    assert house.look(ticket.run).state == "done"


def test_a_run_that_takes_longer_than_max_hours_is_ended(house: House) -> None:
    ticket = house.ticket("one", seconds=50, more="language: ja\nresources: {max_hours: 0.0008}\n")
    house.enqueue(ticket)
    with house.working():
        pass
    assert house.look(ticket.run).state == "failed"
    assert (house.look(ticket.run).result or {})["reason"] == "実行時間の上限を超えたため、打ち切りました。"


def test_a_run_that_fails_says_so_and_leaves_its_log(house: House) -> None:
    ticket = house.ticket("one", code=3)
    house.enqueue(ticket)
    with house.working():
        pass
    assert house.look(ticket.run).state == "failed"
    assert "counted one" in house.engine.log(house.desk, ticket.run)


def test_a_run_without_a_model_has_none(house: House) -> None:
    ticket = house.ticket("one")
    house.enqueue(ticket)
    with house.working():
        pass
    assert house.engine.models(house.desk, ticket.run) == []
