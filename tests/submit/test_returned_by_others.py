"""A marked copy that somebody else sends back: a number that is typed into a receipt cell ends nobody's request."""

from __future__ import annotations

from pathlib import Path

import pytest

from submit import journey
from submit.desk import Desk
from submit.judging import Outcome
from submit.response import VERIFIED, Source, Wishes
from submit.standing import standing
from tests.desks import counting, counting_again
from tests.desks.asking import desk_with

PEOPLE = """version: 1
people:
  alice: {is: ["mail:alice@example.com", "mail:alice@home.example"]}
operators: ["mail:boss@example.com"]
rules:
- who: ["mail:*@example.com", "mail:*@home.example", "unverified"]
  kinds: ["*"]
  queues: ["*"]
"""


def sent(desk: Desk, file: Path, who: str) -> Outcome:
    source = Source(file.name, file.read_bytes(), "", who, VERIFIED, f"mail:{who}")
    return journey.submit(desk, [source], Wishes())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, PEOPLE)


def test_somebody_elses_number_in_a_receipt_cell_is_refused_at_that_cell_and_ends_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    (mine,) = sent(desk, counting(tmp_path, "one"), "alice@example.com").requests
    outcome = sent(desk, counting_again(tmp_path, "two", mine.id), "mallory@example.com")
    ((problem, _),) = outcome.problems
    assert (problem.code, problem.facts["id"]) == ("not_yours_to_replace", mine.id)
    assert problem.where.spot == "C4"
    assert standing(desk, mine.id).request.state == "queued"


@pytest.mark.parametrize("who", ["alice@example.com", "alice@home.example", "boss@example.com"])
def test_who_asked_under_any_name_and_an_operator_send_the_next_version(desk: Desk, tmp_path: Path, who: str) -> None:
    (mine,) = sent(desk, counting(tmp_path, "one"), "alice@example.com").requests
    (next_one,) = sent(desk, counting_again(tmp_path, "two", mine.id), who).requests
    assert (next_one.follows, standing(desk, mine.id).request.state) == (mine.id, "superseded")


def test_sent_back_unchanged_by_somebody_else_it_is_known(desk: Desk, tmp_path: Path) -> None:
    (mine,) = sent(desk, counting(tmp_path, "one"), "alice@example.com").requests
    outcome = sent(desk, counting_again(tmp_path, "one", mine.id), "mallory@example.com")
    assert (outcome.problems, [one.id for one in outcome.requests]) == ([], [mine.id])
    assert standing(desk, mine.id).request.state == "queued"


def test_what_nobody_vouched_for_may_be_corrected_by_whoever_has_its_copy(desk: Desk, tmp_path: Path) -> None:
    file = counting(tmp_path, "one")
    outcome = journey.submit(desk, [Source(file.name, file.read_bytes(), "", "x", "claimed", "unverified")], Wishes())
    assert outcome.problems == []
    (theirs,) = outcome.requests
    (next_one,) = sent(desk, counting_again(tmp_path, "two", theirs.id), "alice@example.com").requests
    assert next_one.follows == theirs.id
