"""What comes back in a marked copy: known, corrected, edited before or while it runs. The rows are documents that carry an id as a
marked sheet does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from generators.excel import RESPONSE
from schema.answers import Located, Where
from schema.check import judge
from submit import doors, hand_off, journey, judging, one_machine, standing
from submit.desk import LEDGER, POLICY, Desk, machine_user, open_desk
from submit.engines import local
from submit.ledger import LedgerDamaged, verify
from submit.response import Kept, Response, Source, Wishes, became
from tests.desks import counting, desk_in, starts

NONE = Wishes()
Row = tuple[str, str]
"""A document and the id it carries."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_in(tmp_path / "desk")


def row(desk: Desk, name: str, response: str = "", seconds: float = 0, more: str = "") -> Row:
    return counting(desk.folder.parent, name, seconds, more=more).read_text(encoding="utf-8"), response


def bad(desk: Desk, name: str, response: str = "") -> Row:
    return row(desk, name)[0].replace("code: 0", "code: ten"), response


def responses(desk: Desk, sources: Sequence[Source], ids: Sequence[str], wishes: Wishes) -> Iterator[Response]:
    carried = iter(ids)
    for number, source in enumerate(sources):
        for line, read in enumerate(doors.read(source.data, "rows.yaml", desk.kinds)[1], 4):
            places = {RESPONSE: Where(source.name, f"Requests!C{line}")}
            written = replace(read.answers, response=next(carried), language="en", places=places)
            again = Located(wishes.again, Where("--again")) if wishes.again else written.again
            judged = judge(replace(written, again=again), desk.kinds)
            answers = replace(written, again=again)
            yield Response(number, "excel", answers, judged.checked, judged.problems, "en", (), written)


def sheets(
    desk: Desk, *rows: Sequence[Row], queue: bool = True, whole: bool = False, wishes: Wishes = NONE
) -> judging.Outcome:
    """Files with rows, handed in together."""
    found = [
        Source(f"table{number}.xlsx", "---\n".join(one for one, _ in some).encode()) for number, some in enumerate(rows)
    ]
    ids = [response for some in rows for _, response in some]
    outcome = journey.keep_judged(desk, found, responses(desk, found, ids, wishes), wishes, queue=queue, whole=whole)
    return journey.hand_over(desk, outcome) if queue else outcome


def sheet(desk: Desk, *rows: Row, queue: bool = True, wishes: Wishes = NONE) -> list[Kept]:
    return sheets(desk, rows, queue=queue, wishes=wishes).responses


def states(desk: Desk) -> list[str]:
    assert verify(desk.folder / LEDGER).ok
    return [one.request.state for one in standing.all_standing(desk)]


def codes(outcome: judging.Outcome) -> list[tuple[str, str]]:
    return [(str(problem.where), problem.code) for problem, _ in outcome.problems]


def work(desk: Desk) -> None:
    one_machine.work(desk, drain=True, told=lambda run, state: None, down=print)


@contextmanager
def working(desk: Desk) -> Iterator[None]:
    thread = threading.Thread(target=work, args=(desk,))
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def actions(desk: Desk, request: str) -> list[str]:
    return [entry.action for entry in standing.history(desk, request)]


def test_a_row_that_comes_back_as_it_was_is_known_and_nothing_new(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    entries = actions(desk, first.id)
    (second,) = sheet(desk, row(desk, "one", first.id))
    assert (second.id, second.known) == (first.id, True)
    assert actions(desk, first.id) == entries
    assert states(desk) == ["queued"]


def test_another_sender_or_operator_makes_no_new_version(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (second,) = sheet(desk, row(desk, "one", first.id, more="requested_by: hanako@example.com\n"))
    assert (second.id, second.known) == (first.id, True)


def test_a_refused_row_keeps_its_id_however_the_file_was_saved_and_is_accepted_once_it_is_corrected(desk: Desk) -> None:
    (refused,) = sheet(desk, bad(desk, "one"))
    assert not refused.good
    (same,) = sheet(desk, bad(desk, "one"), row(desk, "two"))[:1]
    assert same.id == refused.id
    (still,) = sheet(desk, bad(desk, "uno", refused.id))
    assert (still.id, still.good) == (refused.id, False)
    (good,) = sheet(desk, row(desk, "one", refused.id))
    assert good.good
    assert not good.known
    assert standing.standing(desk, refused.id).request.state == "superseded"
    (again,) = sheet(desk, row(desk, "one", refused.id))
    assert (again.id, again.known) == (good.id, True)
    work(desk)
    assert starts(desk.folder.parent) == {"one": 1, "two": 1}


def test_a_corrected_row_sent_in_the_marked_copy_and_in_the_persons_own_file_is_one_request(desk: Desk) -> None:
    (refused,) = sheet(desk, bad(desk, "one"))
    (marked,) = sheet(desk, row(desk, "one", refused.id))
    (own,) = sheet(desk, row(desk, "one"))
    assert (own.id, own.known) == (marked.id, True)


def test_a_corrected_row_that_says_what_another_row_said_before_is_a_request_of_its_own(desk: Desk) -> None:
    other, wrong = sheet(desk, row(desk, "one"), bad(desk, "two"))
    copy = [row(desk, "three", other.id), row(desk, "one", wrong.id)]
    edited, corrected = sheet(desk, *copy)
    assert len({other.id, wrong.id, edited.id, corrected.id}) == 4
    assert (corrected.known, corrected.warnings, corrected.problems) == (False, (), ())
    assert [(one.id, one.known) for one in sheet(desk, *copy)] == [(edited.id, True), (corrected.id, True)]
    again = sheet(desk, row(desk, "three", edited.id), row(desk, "one", corrected.id))
    assert [(one.id, one.problems) for one in again] == [(edited.id, ()), (corrected.id, ())]


def test_a_row_without_a_number_beside_the_edited_one_it_was_copied_from_is_a_request_of_its_own(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    rows = (row(desk, "two", first.id), row(desk, "one"), row(desk, "one"))
    edited, copied, twice = sheet(desk, *rows)
    assert len({first.id, edited.id, copied.id, twice.id}) == 4
    assert (edited.follows, copied.follows, copied.known, copied.warnings) == (first.id, "", False, ())
    assert [(one.id, one.known) for one in sheet(desk, *rows)] == [(one.id, True) for one in (edited, copied, twice)]
    marked = (row(desk, "two", edited.id), row(desk, "one", copied.id), row(desk, "one", twice.id))
    assert [(one.id, one.known) for one in sheet(desk, *marked)] == [(one.id, True) for one in (edited, copied, twice)]
    work(desk)
    assert starts(desk.folder.parent) == {"two": 1, "one": 2}


def test_an_edit_of_what_waits_supersedes_it_and_only_the_new_version_runs(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (second,) = sheet(desk, row(desk, "two", first.id))
    assert second.id != first.id
    assert states(desk) == ["superseded", "queued"]
    with desk.ledger() as ledger:
        (entry,) = [one for one in ledger.entries(first.id) if one.action == "superseded"]
        (accepted,) = [one for one in ledger.entries(second.id) if one.action == "accepted"]
    assert entry.detail["by"] == second.id
    assert accepted.detail["follows"] == first.id
    work(desk)
    assert starts(desk.folder.parent) == {"two": 1}
    assert states(desk) == ["superseded", "done"]


def test_an_older_marked_copy_follows_to_the_newest_version(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (second,) = sheet(desk, row(desk, "two", first.id))
    (third,) = sheet(desk, row(desk, "three", first.id))
    assert states(desk) == ["superseded", "superseded", "queued"]
    outcome = sheets(desk, [row(desk, "one", first.id)])
    (stale,) = outcome.responses
    assert (stale.id, stale.known) == (third.id, True)
    assert became(stale) == "handed in before and replaced since by this one"
    (same,) = sheet(desk, row(desk, "three", third.id))
    assert (same.id, became(same), became(replace(same, language="ja"))) == (
        *(third.id, "handed in before"),
        "前に受け付けた依頼と同じ内容です",
    )
    assert [problem.code for problem, _ in outcome.warnings] == ["replaced_since"]
    assert outcome.problems == []
    assert sheet(desk, row(desk, "three", second.id))[0].id == third.id
    work(desk)
    assert starts(desk.folder.parent) == {"three": 1}


def test_what_was_replaced_and_is_sent_once_more_without_an_id_is_not_run_again(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (second,) = sheet(desk, row(desk, "two", first.id))
    outcome = sheets(desk, [row(desk, "one")])
    assert [(one.id, one.known) for one in outcome.requests] == [(second.id, True)]
    assert [problem.code for problem, _ in outcome.warnings] == ["replaced_since"]


def test_one_can_go_back_to_what_was_first_with_the_newest_copy(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (second,) = sheet(desk, row(desk, "two", first.id))
    (third,) = sheet(desk, row(desk, "one", second.id))
    assert len({first.id, second.id, third.id}) == 3
    work(desk)
    assert starts(desk.folder.parent) == {"one": 1}


def test_an_edit_of_what_runs_waits_says_so_and_goes_on_by_itself(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one", seconds=2))
    with working(desk):
        wait_for(lambda: starts(desk.folder.parent) == {"one": 1})
        outcome = sheets(desk, [row(desk, "two", first.id)])
        (second,) = outcome.requests
        (warning,) = [problem for problem, _ in outcome.warnings]
        assert warning.message("en").startswith(
            f"An earlier version of this request ({first.id}) is running; {second.id} waits until it has ended."
        )
        assert standing.standing(desk, second.id).request.state == "held"
        (third,) = sheet(desk, row(desk, "three", second.id))
        assert standing.standing(desk, second.id).request.state == "superseded"
        assert standing.standing(desk, third.id).request.state == "held"
    assert starts(desk.folder.parent) == {"one": 1, "three": 1}
    assert states(desk) == ["done", "superseded", "done"]


def test_a_version_that_waits_can_be_cancelled_and_never_runs(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one", seconds=1))
    with working(desk):
        wait_for(lambda: starts(desk.folder.parent) == {"one": 1})
        (second,) = sheet(desk, row(desk, "two", first.id))
        assert hand_off.cancel(desk, second.id)
    assert starts(desk.folder.parent) == {"one": 1}
    assert states(desk) == ["done", "stopped"]


def test_an_edit_of_what_is_over_simply_runs(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    work(desk)
    (second,) = sheet(desk, row(desk, "two", first.id))
    assert standing.standing(desk, second.id).request.state == "queued"
    work(desk)
    assert states(desk) == ["done", "done"]


def test_an_edit_that_is_not_good_changes_nothing_of_what_waits(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (edited,) = sheet(desk, bad(desk, "two", first.id))
    assert (edited.id, edited.good) == (first.id, False)
    assert states(desk) == ["queued"]
    assert actions(desk, first.id)[-1] == "refused"
    (corrected,) = sheet(desk, row(desk, "two", first.id))
    assert states(desk) == ["superseded", "queued"]
    assert corrected.id != first.id


def test_an_edit_that_the_policy_denies_leaves_what_waits_and_a_later_one_takes_its_place(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    file = desk.folder / POLICY
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace(f"user:{machine_user()}", "user:nobody-here"), encoding="utf-8")
    (denied,) = sheet(desk, row(desk, "two", first.id))
    assert [problem.code for problem in denied.problems] == ["not_allowed"]
    assert states(desk) == ["queued", "refused"]
    file.write_text(good, encoding="utf-8")
    (third,) = sheet(desk, row(desk, "three", denied.id))
    assert states(desk) == ["superseded", "superseded", "queued"]
    work(desk)
    assert starts(desk.folder.parent) == {"three": 1}
    assert third.good


def test_an_id_of_another_desk_is_refused_at_its_cell(desk: Desk) -> None:
    outcome = sheets(desk, [row(desk, "one", "7k3m-9qx2-b4td")])
    assert codes(outcome) == [("table0.xlsx:Requests!C4", "unknown_response")]
    assert (outcome.accepted, outcome.refused, states(desk)) == (0, 1, ["refused"])


def test_one_id_in_two_files_of_one_command_is_refused_in_the_second(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    outcome = sheets(desk, [row(desk, "two", first.id)], [row(desk, "three", first.id)])
    assert codes(outcome) == [("table1.xlsx:Requests!C4", "duplicate_response")]
    assert outcome.problems[0][0].message("en") == (
        f"The receipt number {first.id} stands here and in table0.xlsx:Requests!C4. "
        "Keep it where it belongs. If this is a new request, empty this cell."
    )
    work(desk)
    assert starts(desk.folder.parent) == {"two": 1}


def test_two_copies_of_one_chain_in_one_command_end_in_one_run(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    (second,) = sheet(desk, row(desk, "two", first.id))
    sheets(desk, [row(desk, "three", first.id)], [row(desk, "four", second.id)])
    work(desk)
    assert starts(desk.folder.parent) == {"four": 1}
    assert states(desk) == ["superseded", "superseded", "superseded", "done"]


def test_a_file_of_known_changed_corrected_and_new_rows_takes_only_what_is_new_or_changed(desk: Desk) -> None:
    before = sheet(desk, row(desk, "one"), row(desk, "two"), bad(desk, "three"))
    rows = (
        row(desk, "one", before[0].id),
        row(desk, "zwei", before[1].id),
        row(desk, "three", before[2].id),
        row(desk, "one"),
    )
    found = sheet(desk, *rows)
    assert [one.known for one in found] == [True, False, False, False]
    assert [one.known for one in sheet(desk, *rows)] == [True] * 4
    work(desk)
    assert starts(desk.folder.parent) == {"one": 2, "zwei": 1, "three": 1}


def test_a_converted_slip_that_was_replaced_is_not_run_when_it_is_submitted(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"), queue=False)
    (second,) = sheet(desk, row(desk, "two", first.id), queue=False)
    assert states(desk) == ["superseded", "accepted"]
    slip = standing.standing(desk, first.id).slip
    assert slip is not None
    outcome = journey.submit(desk, [Source(slip.name, slip.read_bytes())], NONE)
    assert [one.id for one in outcome.requests] == [second.id]
    assert [problem.code for problem, _ in outcome.warnings] == ["replaced_since"]
    work(desk)
    assert starts(desk.folder.parent) == {}


def test_a_reason_to_run_again_makes_the_next_version_and_the_copy_without_it_is_known(desk: Desk) -> None:
    again = Wishes(again="new data")
    (first,) = sheet(desk, row(desk, "one"))
    work(desk)
    (second,) = sheet(desk, row(desk, "one", first.id), wishes=again)
    assert (second.id != first.id, second.known) == (True, False)
    (third,) = sheet(desk, row(desk, "one", second.id))
    assert (third.id, third.known) == (second.id, True)
    work(desk)
    assert starts(desk.folder.parent) == {"one": 2}


def test_all_or_nothing_keeps_no_good_row_beside_a_bad_one_and_records_the_bad_one(desk: Desk) -> None:
    outcome = sheets(desk, [row(desk, "one"), bad(desk, "two")], whole=True)
    assert (outcome.requests, outcome.left_out, len(outcome.problems)) == ([], 1, 1)
    assert (outcome.wanted, outcome.changes) == ({}, [])
    assert states(desk) == ["refused"]
    assert not list((desk.folder / LEDGER / "slips").rglob("*.yaml"))
    good = sheets(desk, [row(desk, "one"), row(desk, "two")], whole=True)
    assert (len(good.requests), good.left_out) == (2, 0)


def test_all_or_nothing_counts_what_the_ledger_or_the_policy_refuses(desk: Desk) -> None:
    outcome = sheets(desk, [row(desk, "one"), row(desk, "two", "7k3m-9qx2-b4td")], whole=True)
    assert (outcome.requests, outcome.left_out) == ([], 1)
    file = desk.folder / POLICY
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"user:{machine_user()}", "user:nobody-here"), encoding="utf-8")
    denied = sheets(desk, [row(desk, "one"), row(desk, "two")], whole=True)
    assert (denied.requests, [code for _, code in codes(denied)]) == ([], ["not_allowed", "not_allowed"])
    assert set(states(desk)) == {"refused"}


def test_a_request_that_was_kept_before_versions_were_noted_is_known_by_its_slip(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one", more="again: new data\n"))
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("DROP TABLE versions")
    there = open_desk(desk.folder)
    (same,) = sheet(there, row(desk, "one", first.id, more="again: new data\n"))
    assert (same.id, same.known) == (first.id, True)
    (other,) = sheet(there, row(desk, "two", first.id))
    assert states(there) == ["superseded", "queued"]
    assert other.id != first.id


def test_a_request_from_before_versions_were_noted_whose_slip_was_changed_is_damage_and_gets_no_next_version(
    desk: Desk,
) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("DROP TABLE versions")
    slip = standing.standing(desk, first.id).slip
    assert slip is not None
    slip.chmod(0o600)
    slip.write_text(slip.read_text(encoding="utf-8").replace("name: one", "name: two"), encoding="utf-8")
    with pytest.raises(LedgerDamaged, match=rf"/{first.id}\.yaml: was changed or lost after it was recorded"):
        sheet(desk, row(desk, "one", first.id))
    assert [one.request.id for one in standing.all_standing(desk)] == [first.id]


def test_a_withdrawal_that_was_cut_off_is_finished_and_counts_as_superseded(desk: Desk) -> None:
    (first,) = sheet(desk, row(desk, "one"))
    found = [Source("table.xlsx", row(desk, "two")[0].encode())]
    journey.keep_judged(desk, found, responses(desk, found, [first.id], NONE), NONE, queue=True)
    assert states(desk) == ["queued", "held"]
    assert local.withdraw(desk, f"{first.id}.1")  # and here the process ended
    hand_off.follow(desk)
    assert states(desk) == ["superseded", "held"]
    work(desk)
    assert starts(desk.folder.parent) == {"two": 1}
    assert states(desk) == ["superseded", "done"]


def test_edits_against_a_worker_run_each_row_once_in_its_last_version_or_in_both(desk: Desk) -> None:
    rows = [row(desk, f"n{number}") for number in range(5)]
    kept = sheet(desk, *rows)
    with working(desk):
        time.sleep(0.3)
        sheet(desk, *(row(desk, f"m{number}", one.id) for number, one in enumerate(kept)))
    work(desk)
    ran = starts(desk.folder.parent)
    assert set(ran.values()) == {1}
    assert all(f"m{number}" in ran for number in range(5))
    by_id = {one.request.id: one.request.state for one in standing.all_standing(desk)}
    assert [by_id[one.id] for one in kept] == ["done" if f"n{number}" in ran else "superseded" for number in range(5)]
