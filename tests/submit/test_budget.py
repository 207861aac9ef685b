"""Limits of a rule, and what people have reserved and used of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from submit import approval, budget, hand_off, journey
from submit.desk import Desk
from submit.response import Source, Wishes
from tests.desks import counting, denpyo
from tests.desks.asking import AYA, MIO, Wanted, ask, ask_one, desk_with, entries, reserved, set_rules, state

RULES = """\
version: 1
people:
  aya: {is: ["mail:aya@example.com", "github:5"]}
rules:
- who: ["person:aya", "user:mio", "mail:*@example.com"]
  kinds: ["*"]
  queues: ["*"]
  limits: {gpus_per_job: 4, hours_per_job: 24, gpu_hours_per_job: 48, gpu_hours_per_month: 100, open_jobs: 3}
- who: ["mail:*@example.com"]
  kinds: ["*"]
  queues: ["*"]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_with(tmp_path, RULES)


def codes(desk: Desk, *wanted: Wanted) -> list[list[str]]:
    return [[one.code for one in each.problems] for each in ask(desk, *wanted).responses]


def test_every_limit_that_is_exceeded_is_said_at_once_with_its_figures_and_no_later_rule_is_asked(desk: Desk) -> None:
    ask(desk, *(Wanted(name, gpus=2, hours=20) for name in ("a", "b")))
    (refused,) = ask(desk, Wanted("big", gpus=8, hours=30, language="en")).responses
    assert [one.message("en") for one in refused.problems] == [
        "8 GPUs are asked for; the rules of this desk give you at most 4 for one job. Ask for fewer.",
        "30 hours are asked for; the rules of this desk give you at most 24 for one job. Ask for less time.",
        "8 GPUs for 30 hours are 240 GPU hours; the rules of this desk give you at most 48 for one job. "
        "Ask for fewer GPUs or for less time.",
        "240 GPU hours are asked for. Of your 100 for this month 80 are used or set aside, so 20 are left. "
        "Ask for less, wait for the next month, or cancel what you do not need.",
    ]
    spots = [(one.where.spot, one.question) for one in refused.problems]
    gpus, hours = (spots[0][0], "resources.gpus"), (spots[1][0], "resources.max_hours")
    assert spots == [gpus, hours, gpus, gpus]
    assert gpus[0] != hours[0]
    assert refused.problems[3].message("ja") == (
        "240 GPU時間の依頼です。今月の上限100 GPU時間のうち80は使用済みか予約済みで、残りは20です。"
        "減らすか、来月まで待つか、不要な依頼を中止してください。"
    )
    (denied,) = entries(desk, "denied")
    assert (denied.detail["rule"], denied.detail["over"]) == (
        1,
        ["over_gpus", "over_hours", "over_gpu_hours", "over_month"],
    )
    assert state(desk, refused.id) == "refused"


def test_rows_that_come_together_count_one_after_the_other(desk: Desk) -> None:
    rows = [Wanted(f"r{number}", gpus=2, hours=20) for number in range(3)]
    assert codes(desk, *rows) == [[], [], ["over_month"]]
    assert codes(desk, Wanted("small"), Wanted("smaller")) == [[], ["over_open"]]
    assert reserved(desk) == [(40.0, 1), (40.0, 1), (0.0, 1)]


def test_a_person_has_one_budget_under_every_name_and_nobody_has_another_ones(desk: Desk) -> None:
    ask(desk, Wanted("a", AYA, 2, 20), Wanted("b", "mail:AYA@example.com", 2, 20))
    assert codes(desk, Wanted("c", "mail:aya@example.com", 2, 20)) == [["over_month"]]
    assert codes(desk, Wanted("d", "mail:ken@example.com", 2, 20), Wanted("e", MIO, 2, 20)) == [[], []]
    with desk.ledger() as ledger:
        rows = ledger.query("SELECT DISTINCT who FROM budget")
    assert len(rows) == 3
    assert all(len(who) == 32 and "aya" not in who for (who,) in rows)


def test_the_same_request_twice_reserves_once_and_a_denied_one_nothing(desk: Desk) -> None:
    ask(desk, Wanted("a", gpus=2, hours=20))
    ask(desk, Wanted("a", gpus=2, hours=20))
    assert codes(desk, Wanted("b", gpus=8)) == [["over_gpus"]]
    assert reserved(desk) == [(40.0, 1)]


def test_what_was_denied_for_a_limit_is_asked_again_when_it_comes_again(desk: Desk) -> None:
    first = ask_one(desk, Wanted("a", gpus=8, hours=1))
    set_rules(desk, RULES.replace("gpus_per_job: 4", "gpus_per_job: 8"))
    assert ask_one(desk, Wanted("a", gpus=8, hours=1)) == first
    assert state(desk, first) == "queued"
    assert reserved(desk) == [(8.0, 1)]


def test_an_edit_of_what_has_not_begun_counts_instead_of_it(desk: Desk) -> None:
    set_rules(desk, RULES.replace("open_jobs: 3", "open_jobs: 1"))
    first = ask_one(desk, Wanted("a", gpus=4, hours=12, named="form:1"))
    second = ask_one(desk, Wanted("a", gpus=4, hours=11, named="form:1"))
    assert (state(desk, first), state(desk, second)) == ("superseded", "queued")
    assert reserved(desk) == [(0.0, 0), (44.0, 1)]


def test_rows_beside_an_edit_count_without_what_the_edit_replaces(desk: Desk) -> None:
    ask(desk, Wanted("a", gpus=4, hours=12, named="form:1"))
    edited, other = Wanted("a", gpus=4, hours=11, named="form:1"), Wanted("b", gpus=4, hours=12)
    assert codes(desk, edited, other) == [[], []]


def test_what_never_ran_has_used_nothing(desk: Desk) -> None:
    request = ask_one(desk, Wanted("a", gpus=2, hours=20))
    approval.withdraw(desk, request, AYA)
    assert (state(desk, request), reserved(desk)) == ("stopped", [(0.0, 0)])


@pytest.mark.parametrize(
    ("result", "used"),
    [
        pytest.param(
            '{"state": "done", "started_at": "2026-11-01T00:00:00+00:00", "ended_at": "2026-11-01T05:00:00+00:00"}',
            10.0,
            id="as its job says",
        ),
        pytest.param(
            '{"state": "done", "started_at": "2026-11-01T00:00:00+00:00", "ended_at": "2026-12-01T00:00:00+00:00"}',
            40.0,
            id="never more than was set aside",
        ),
        pytest.param(
            '{"state": "done", "started_at": "2026-11-02T00:00:00+00:00", "ended_at": "2026-11-01T00:00:00+00:00"}',
            0.0,
            id="a clock that went backwards",
        ),
        pytest.param(
            '{"state": "failed", "started_at": "yesterday", "ended_at": 5}',
            0.0,
            id="times that are none: since it was queued",
        ),
    ],
)
def test_the_end_of_a_run_settles_what_it_has_really_used(desk: Desk, result: str, used: float) -> None:
    ask_one(desk, Wanted("a", gpus=2, hours=20))
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE local_queue SET state = json_extract(?, '$.state'), result = ?", (result, result))
    hand_off.follow(desk)
    ((hours, still_open),) = reserved(desk)
    assert (round(hours, 2), still_open) == (used, 0)


def test_a_real_run_settles_its_few_seconds(tmp_path: Path, desk: Desk) -> None:
    file = counting(tmp_path, "one", more="resources: {max_hours: 2}\n")
    source = Source(file.name, file.read_bytes(), subject=MIO)
    journey.submit(desk, [source], Wishes())
    denpyo("work", "--drain", desk=desk.folder)
    assert reserved(desk) == [(0.0, 0)]


def test_a_new_month_begins_with_nothing_used_and_what_is_open_stays_open(desk: Desk) -> None:
    ask(desk, Wanted("a", gpus=2, hours=20), Wanted("b", gpus=2, hours=20))
    with desk.ledger() as ledger:
        later = budget.Budget(ledger, datetime.now(UTC) + timedelta(days=32)).account("aya")
        assert (later.used, later.count()) == (0.0, 2)
