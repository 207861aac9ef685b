"""Receipts, states and links beside the responses of a live workbook: people's cells stay theirs, and nothing becomes a new version."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.table import Table

from schema.kinds import Kind
from submit import standing
from submit.desk import CONFIG, POLICY, Desk, DeskError, open_desk
from submit.inbox import microsoft
from submit.response import Source as Handed
from tests.desks import desk_in
from tests.generators.microsoft.workbooks import exported
from tests.submit.inbox.microsoft_service import Loopback, Service, problem, served
from tests.submit.inbox.test_microsoft import RULES, SETTINGS, Source, asks, settings

WRITE_BACK = SETTINGS.replace('sign_in = "secret"\nsecret = "graph"', 'sign_in = "device"\nwrite_back = true')


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    service.put("root", "", parent="")
    service.put("folder", "Responses", parent="root")
    with served(service):
        yield service


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Desk:
    desk = desk_in(tmp_path / "desk")
    for name, more in ((CONFIG, WRITE_BACK.partition("[sources")[2]), (POLICY, RULES)):
        with (desk.folder / name).open("a", encoding="utf-8") as file:
            file.write(f"[sources{more}" if name == CONFIG else more)
    desk = open_desk(desk.folder)
    microsoft.sign_in(desk, "forms", settings(desk), lambda line: None, Loopback(service.port))
    return desk


@pytest.fixture
def kind(desk: Desk) -> Kind:
    return desk.kinds["count_starts"]


class Watched(Source):
    """As ``watch`` hands it over: under the source's name."""

    def took(self) -> int:
        """One look; how many deliveries brought anything new."""
        new = 0
        for one in self.inbox.look(self.place):
            outcome = self._kept(
                [Handed(each.name, each.data, each.door, trust=each.trust, inbox="forms") for each in one.sources]
            )
            one.settle(outcome)
            new += sum(not each.known for each in outcome.responses)
            self.place = one.place
        return new

    def _kept(self, sources: list[Handed]):  # type: ignore[no-untyped-def]
        from submit import journey
        from submit.response import Wishes

        return journey.hand_over(self.desk, journey.keep(self.desk, sources, Wishes(), queue=True))


def with_table(data: bytes) -> bytes:
    book = load_workbook(io.BytesIO(data))
    sheet = book.active
    assert sheet is not None
    sheet.add_table(Table(displayName="OfficeForms.Table", ref=sheet.dimensions))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cells(service: Service, *columns: str) -> list[list[object]]:
    """What stands below these headings."""
    sheet = load_workbook(io.BytesIO(service.files["w1"].data)).active
    assert sheet is not None
    heads, *lines = [[one.value for one in line] for line in sheet.iter_rows()]
    return [[line[heads.index(one)] for one in columns] for line in lines]


def ids(desk: Desk) -> list[str]:
    return [one.request.id for one in standing.all_standing(desk)]


@pytest.mark.parametrize("table", [True, False], ids=["a table, as Forms makes it", "plain cells"])
def test_receipt_and_state_stand_beside_each_response_and_make_no_new_version(
    desk: Desk, service: Service, kind: Kind, *, table: bool
) -> None:
    data = exported(kind.form, "en", asks(desk, "a"), asks(desk, "b"))
    service.put("w1", "count_starts.xlsx", with_table(data) if table else data)
    before = cells(service, "ID", "Email")
    source = Watched(desk, service)
    assert source.took() == 2
    first, second = ids(desk)
    assert cells(service, "denpyo receipt", "denpyo state") == [
        [first, "accepted, waiting to run"],
        [second, "accepted, waiting to run"],
    ]
    assert cells(service, "ID", "Email") == before
    version = service.files["w1"].version
    assert [source.took() for _ in range(3)] == [0, 0, 0]
    assert (ids(desk), service.files["w1"].version) == ([first, second], version)
    assert service.workbooks.sessions == set()


def test_the_words_are_those_of_the_form_and_the_cells_are_text(desk: Desk, service: Service, kind: Kind) -> None:
    service.put("w1", "count_starts.xlsx", exported(kind.form, "ja", asks(desk, "a")))
    Watched(desk, service).took()
    assert cells(service, "denpyo 受付番号", "denpyo 状態", "denpyo リンク") == [
        [ids(desk)[0], "受付済み（実行待ち）", None]
    ]
    sheet = load_workbook(io.BytesIO(service.files["w1"].data)).active
    assert sheet is not None
    assert sheet.cell(2, sheet.max_column - 1).number_format == "@"


def test_what_moves_on_is_written_anew_and_nothing_else(desk: Desk, service: Service, kind: Kind) -> None:
    service.put("w1", "count_starts.xlsx", exported(kind.form, "en", asks(desk, "a"), asks(desk, "b")))
    source = Watched(desk, service)
    source.took()
    source.took()
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.move_requests("running", "2026-11-22T00:00:00Z", [ids(desk)[1]])
    service.workbooks.written.clear()
    source.took()
    (address,) = service.workbooks.written
    assert address.endswith("3")
    assert [one for (one,) in cells(service, "denpyo state")] == ["accepted, waiting to run", "running"]
    source.took()
    service.log.clear()
    source.took()
    assert not any("workbook" in one for one in service.log)


@pytest.mark.parametrize("status", [403, 404, 409, 423, 429, 500, 503])
def test_a_workbook_that_cannot_be_written_keeps_no_response_back(
    desk: Desk, service: Service, kind: Kind, status: int
) -> None:
    service.put("w1", "count_starts.xlsx", exported(kind.form, "en", asks(desk, "a")))
    source = Watched(desk, service)
    service.fail("createSession", lambda request: problem(status, "locked"), times=8)
    assert source.took() == 1
    assert len(ids(desk)) == 1
    service.faults.clear()
    source.opened()
    source.place = ""
    source.took()
    assert cells(service, "denpyo receipt") == [[ids(desk)[0]]]


def test_a_receipt_that_somebody_else_wrote_into_our_column_shows_nothing_of_other_requests(
    desk: Desk, service: Service, kind: Kind
) -> None:
    service.put("w1", "count_starts.xlsx", exported(kind.form, "en", asks(desk, "a")))
    source = Watched(desk, service)
    source.took()
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE asked SET inbox = 'other'")
        tx.move_requests("running", "2026-11-22T00:00:00Z", ids(desk))
    source.opened()
    source.took()
    assert cells(service, "denpyo state") == [["accepted, waiting to run"]]


def test_an_application_may_not_write_so_it_is_said_at_once(desk: Desk, service: Service) -> None:
    with pytest.raises(DeskError, match='write_back needs sign_in = "device"'):
        microsoft.open_inbox(desk, "forms", settings(desk, sign_in="secret"), Loopback(service.port))
