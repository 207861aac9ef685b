"""Receipts, states and links in the spreadsheet that a form is linked to: in a sheet of the desk's own, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from submit import journey, standing
from submit.desk import POLICY, Desk
from submit.inbox.google import SHEETS, Google
from submit.inbox.google_pull import GoogleInbox
from submit.inbox.google_rows import Rows
from submit.response import Wishes
from tests.desks import desk_in
from tests.submit.inbox.google_desks import credentials_file, published, shared
from tests.submit.inbox.google_stand_in import DOWN, PERSON, QUOTA, Fault, StandIn
from tests.submit.inbox.test_google_pull import KIND, form_of, sent

BOOK = "linked-book"
HEADS = ["denpyo receipt", "answered", "denpyo state", "denpyo link"]


@pytest.fixture
def desk(tmp_path: Path, there: StandIn) -> Desk:
    desk = desk_in(tmp_path / "desk")
    with (desk.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write("- who: ['mail:*@example.jp']\n  kinds: ['*']\n  queues: ['*']\n")
    published(desk, there, KIND)
    there.service.forms[form_of(there)].form["linkedSheetId"] = BOOK
    there.service.sheets.books[BOOK] = {"Form Responses 1": [["Timestamp", "Email Address"], ["=1+1", "x"]]}
    return desk


class Source:
    """The source as ``watch`` keeps it."""

    def __init__(self, desk: Desk, there: StandIn, kind: str = "service_account") -> None:
        subject = PERSON if kind == "service_account" else ""
        file = credentials_file(desk.folder, there, kind)
        writer = Google(file, subject, there.url, lambda seconds: None, SHEETS)
        self.desk, self.place = desk, ""
        self.inbox = GoogleInbox(desk, shared(there.url)[0], rows=Rows(desk, "forms", writer))

    def look(self) -> int:
        """One look; how many responses were new."""
        new = 0
        for one in self.inbox.look(self.place):
            outcome = journey.submit(self.desk, [replace(each, inbox="forms") for each in one.sources], Wishes())
            one.settle(outcome)
            new += sum(not each.known for each in outcome.responses)
            self.place = one.place
        return new


def sheet(there: StandIn) -> list[list[str]]:
    return there.service.sheets.books[BOOK].get("denpyo", [])


def ids(desk: Desk) -> list[str]:
    return [one.request.id for one in standing.all_standing(desk)]


@pytest.mark.parametrize("kind", ["service_account", "authorized_user", "external_account"])
def test_each_response_has_a_row_in_a_sheet_of_the_desks_own(desk: Desk, there: StandIn, kind: str) -> None:
    sent(desk, there, "a")
    sent(desk, there, "b")
    source = Source(desk, there, kind)
    assert source.look() == 2
    first, second = ids(desk)
    state = "accepted, waiting to run"
    assert sheet(there) == [
        HEADS,
        [first, "2026-11-21T09:00:00.000Z", state, ""],
        [second, "2026-11-21T09:00:00.001Z", state, ""],
    ]
    assert there.service.sheets.books[BOOK]["Form Responses 1"] == [["Timestamp", "Email Address"], ["=1+1", "x"]]


def test_nothing_is_written_twice_and_what_moves_on_is_found_where_people_sorted_it(desk: Desk, there: StandIn) -> None:
    for name in ("a", "b"):
        sent(desk, there, name)
    source = Source(desk, there)
    source.look()
    source.look()
    book = there.service.sheets.books[BOOK]
    book["denpyo"] = [book["denpyo"][0], book["denpyo"][2], book["denpyo"][1]]
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.move_requests("running", "2026-11-22T00:00:00Z", [ids(desk)[1]])
    there.service.calls.clear()
    assert (source.look(), source.look()) == (0, 0)
    writes = [body for method, body in there.service.calls if method == "sheets.spreadsheets.values.batchUpdate"]
    assert [one["data"] for one in writes] == [[{"range": "denpyo!C2:D2", "values": [["running", ""]]}]]
    assert [line[2] for line in sheet(there)[1:]] == ["running", "accepted, waiting to run"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("sheets.spreadsheets.get", refused=QUOTA),
        Fault("sheets.spreadsheets.values.batchUpdate", refused=DOWN),
        Fault("sheets.spreadsheets.values.batchUpdate", refused=DOWN, done=True),
    ],
    ids=["quota", "down", "down, though it was done"],
)
def test_a_service_that_is_busy_is_asked_again_and_each_row_stands_once(
    desk: Desk, there: StandIn, fault: Fault
) -> None:
    sent(desk, there, "a")
    there.faults.append(replace(fault))
    assert Source(desk, there).look() == 1
    assert [line[0] for line in sheet(there)] == ["denpyo receipt", *ids(desk)]


def test_whom_google_lets_write_no_spreadsheet_still_brings_every_response(
    desk: Desk, there: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    there.may_write = False
    sent(desk, there, "a")
    source = Source(desk, there, "authorized_user")
    assert source.look() == 1
    source.look()
    assert (len(ids(desk)), sheet(there)) == (1, [])
    assert capsys.readouterr().err.count("write_back: count_starts (en): Google does not accept the credentials") == 1


def test_a_sheet_of_that_name_that_is_somebody_elses_is_left_alone(desk: Desk, there: StandIn) -> None:
    there.service.sheets.books[BOOK]["denpyo"] = [["My notes"], ["=SUM(A1)"]]
    sent(desk, there, "a")
    assert Source(desk, there).look() == 1
    assert sheet(there) == [["My notes"], ["=SUM(A1)"]]


def test_a_form_without_a_spreadsheet_is_asked_for_none(desk: Desk, there: StandIn) -> None:
    del there.service.forms[form_of(there)].form["linkedSheetId"]
    sent(desk, there, "a")
    assert Source(desk, there).look() == 1
    assert not any(method.startswith("sheets.") for method, _ in there.service.calls)
