from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from openpyxl import Workbook

from generators.excel import template
from generators.excel.template import Filled
from schema.answers import Where
from schema.problem import Problem
from submit import hand_off, journey, judging, one_machine, standing, terminal
from submit.desk import LEDGER, POLICY, Desk, machine_user, open_desk
from submit.erasing import erase_all
from submit.ledger import LedgerDamaged, verify
from submit.response import Source, Wishes
from tests.desks import counting, denpyo, desk_in, starts
from tests.generators.excel.workbooks import answer, edited

NONE = Wishes()
WINE = "kind: train_supervised\njob: {dataset_id: wine, algorithm: random_forest}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_in(tmp_path / "desk")


def submit(desk: Desk, text: str = WINE, wishes: Wishes = NONE, name: str = "request.yaml") -> judging.Outcome:
    return journey.submit(desk, [Source(name, text.encode())], wishes)


def actions(desk: Desk) -> list[str]:
    with desk.ledger() as ledger:
        return [entry.action for entry in ledger.entries()]


def codes(outcome: judging.Outcome) -> list[tuple[str, str]]:
    return [(problem.where.spot, problem.code) for problem, _ in outcome.problems]


def test_a_good_response_is_accepted_allowed_and_queued_with_an_entry_for_each(desk: Desk) -> None:
    outcome = submit(desk)
    assert [kept.known for kept in outcome.requests] == [False]
    assert actions(desk) == ["made", "changed", "changed", "accepted", "allowed", "enqueuing", "queued"]
    found = standing.standing(desk, outcome.requests[0].id)
    assert (found.request.state, found.request.kind) == ("queued", "train_supervised")
    assert verify(desk.folder / LEDGER).ok


def test_the_same_response_twice_is_one_request_whatever_its_bytes(desk: Desk) -> None:
    first = submit(desk)
    second = submit(
        desk,
        "job:\n  algorithm: ランダムフォレスト\n  dataset_id: ｗｉｎｅ\nkind: train_supervised\n",
        name="copy.yaml",
    )
    assert [kept.id for kept in second.requests] == [kept.id for kept in first.requests]
    assert second.requests[0].known
    assert len(standing.all_standing(desk)) == 1


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        pytest.param(WINE.replace("random_forest", "xgboost"), Wishes(), id="another answer"),
        pytest.param(WINE + "requested_by: hanako@example.com\n", Wishes(), id="another sender"),
        pytest.param(WINE + "resources: {max_hours: 3}\n", Wishes(), id="other resources"),
        pytest.param(WINE + "again: the data changed\n", Wishes(), id="a reason in the document"),
        pytest.param(WINE, Wishes(again="the data changed"), id="a reason on the command line"),
    ],
)
def test_another_identity_is_another_request(desk: Desk, text: str, wishes: Wishes) -> None:
    first, second = submit(desk), submit(desk, text, wishes)
    assert first.requests[0].id != second.requests[0].id
    third = submit(desk, text, wishes)
    assert (third.requests[0].id, third.requests[0].known) == (second.requests[0].id, True)


def test_identical_documents_of_one_file_are_requests_of_their_own_and_still_the_same_the_next_time(desk: Desk) -> None:
    first = submit(desk, f"{WINE}---\n{WINE}")
    assert len({kept.id for kept in first.requests}) == 2
    assert [(warning.code, warning.where.spot) for warning, _ in first.warnings] == [("same_as_before", "4:1")]
    assert first.warnings[0][0].facts["other"] == "1:1"
    second = submit(desk, f"{WINE}---\n{WINE}")
    assert [kept.id for kept in second.requests] == [kept.id for kept in first.requests]


def test_another_desk_gives_other_ids(desk: Desk, tmp_path: Path) -> None:
    assert submit(desk).requests[0].id != submit(desk_in(tmp_path / "other")).requests[0].id


def test_a_refusal_is_an_entry_with_its_problems_beside_it_and_queues_nothing(desk: Desk) -> None:
    bad = WINE.replace("random_forest", "random_forrest") + "language: ja\n"
    outcome = submit(desk, bad)
    assert codes(outcome) == [("2:36", "unknown_choice")]
    assert (outcome.accepted, outcome.refused, outcome.requests) == (0, 1, [])
    assert actions(desk) == ["made", "refused"]
    with desk.ledger() as ledger:
        entry = list(ledger.entries())[-1]
    assert entry.detail == {"codes": ["unknown_choice"], "door": "yaml", "kind": "train_supervised"}
    assert json.loads(entry.beside_text or "")["problems"][0]["spot"] == "2:36"
    submit(desk, bad)
    assert actions(desk) == ["made", "refused"]


def test_what_the_answers_name_is_looked_up_together_with_the_other_mistakes(desk: Desk) -> None:
    outcome = submit(
        desk,
        "kind: train_supervised\njob: {dataset_id: wein, algorithm: xgboost, max_retry: 9}\nresources: {queue: gpuu}\n",
    )
    assert codes(outcome) == [("2:56", "too_big"), ("2:19", "no_dataset"), ("3:20", "no_queue")]
    problem = outcome.problems[1][0]
    assert problem.suggestion == "wine"


def test_a_column_that_is_not_there_and_a_model_that_is_not_there_are_problems(desk: Desk) -> None:
    outcome = submit(
        desk,
        "kind: train_supervised\njob: {dataset_id: wine, target: alcohool, algorithm: xgboost, task_type: regression}\n",
    )
    assert codes(outcome) == [("2:33", "no_column")]
    assert outcome.problems[0][0].suggestion == "alcohol"
    outcome = submit(desk, "kind: inference\njob: {dataset_id: wine, model_id: m-7k3m-9qx2-b4td-1}\n")
    assert codes(outcome) == [("2:35", "no_model")]


def test_a_policy_that_denies_refuses_the_request_and_a_mended_one_lets_it_run(desk: Desk) -> None:
    file = desk.folder / POLICY
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace(f"user:{machine_user()}", "user:nobody-here"), encoding="utf-8")
    outcome = submit(desk)
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]
    assert standing.standing(desk, outcome.requests[0].id).request.state == "refused"
    file.write_text(good, encoding="utf-8")
    again = submit(desk)
    assert standing.standing(desk, again.requests[0].id).request.state == "queued"
    assert [action for action in actions(desk) if action in ("denied", "allowed")] == ["denied", "allowed"]


@pytest.mark.parametrize("text", [pytest.param(None, id="missing"), pytest.param("version: 9\n", id="broken")])
def test_a_policy_that_cannot_be_read_denies(desk: Desk, text: str | None) -> None:
    file = desk.folder / POLICY
    file.unlink() if text is None else file.write_text(text, encoding="utf-8")
    ((problem, _),) = submit(desk).problems
    assert (problem.code, problem.message("ja")) == (
        "no_policy",
        "この窓口の規則（policy.yaml）が読めないため、何も許可できません。"
        "運用担当者に知らせてください（原因は denpyo policy check で分かります）。直ったあとで、もう一度出してください。",
    )
    with desk.ledger() as ledger:
        assert "policy.yaml" in next(one.detail["reason"] for one in ledger.entries() if one.action == "denied")
    with desk.ledger() as ledger:
        assert ledger.runs() == []


def test_a_claimed_name_gives_no_permission(desk: Desk) -> None:
    file = desk.folder / POLICY
    file.write_text(file.read_text(encoding="utf-8").replace(machine_user(), "hanako"), encoding="utf-8")
    outcome = submit(desk, WINE, Wishes(sender="user:hanako"))
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]


def test_a_slip_that_was_converted_goes_on_as_the_same_request_when_it_is_submitted(desk: Desk) -> None:
    converted = journey.convert(desk, [Source("request.yaml", WINE.encode())], Wishes())
    request = converted.requests[0].id
    found = standing.standing(desk, request)
    assert (found.request.state, found.run) == ("accepted", None)
    assert found.slip is not None
    slip = found.slip.read_text(encoding="utf-8")
    assert [kept.id for kept in submit(desk, slip, name=f"{request}.yaml").requests] == [request]
    assert standing.standing(desk, request).request.state == "queued"
    assert [action for action in actions(desk) if action in ("converted", "accepted", "queued")] == [
        "converted",
        "queued",
    ]


def test_a_converted_slip_that_was_changed_afterwards_is_refused(desk: Desk) -> None:
    converted = journey.convert(desk, [Source("request.yaml", WINE.encode())], Wishes())
    slip = standing.standing(desk, converted.requests[0].id).slip
    assert slip is not None
    changed = slip.read_text(encoding="utf-8").replace("n_estimators: 100", "n_estimators: 200")
    assert [problem.code for problem, _ in submit(desk, changed).problems] == ["changed_slip"]
    assert standing.standing(desk, converted.requests[0].id).run is None


def test_a_sheet_that_was_converted_before_is_queued_under_the_same_id(desk: Desk) -> None:
    converted = journey.convert(desk, [Source("request.yaml", WINE.encode())], Wishes())
    outcome = submit(desk)
    assert outcome.requests[0].id == converted.requests[0].id
    assert standing.standing(desk, outcome.requests[0].id).request.state == "queued"


def test_what_was_filled_in_for_the_person_stands_in_the_slip(desk: Desk) -> None:
    outcome = submit(desk)
    slip = standing.standing(desk, outcome.requests[0].id).slip
    assert slip is not None
    text = slip.read_text(encoding="utf-8")
    assert '- question: task_type\n  before: ""\n  after: classification\n' in text
    assert "空欄だったため、よく使われる「分類」としました" in text


def test_no_entry_holds_what_people_wrote_or_who_they_are(desk: Desk) -> None:
    written = "花子の秘密"
    submit(
        desk, WINE.replace("}", f", note: {written}}}") + "requested_by: hanako@example.com\n", name=f"{written}.yaml"
    )
    submit(desk, WINE.replace("wine", written) + "requested_by: hanako@example.com\n")
    with desk.ledger() as ledger:
        bodies = ledger.query("SELECT CAST(body AS TEXT) FROM entries")
    assert len(bodies) > 5
    assert not [body for (body,) in bodies if written in body or "hanako" in body]


def test_a_request_that_was_cancelled_before_it_was_handed_over_never_is(desk: Desk) -> None:
    outcome = journey.keep(desk, [Source("request.yaml", WINE.encode())], Wishes(), queue=True)
    request = outcome.requests[0].id
    assert hand_off.cancel(desk, request)
    hand_off.deliver(desk)
    assert standing.standing(desk, request).request.state == "stopped"
    assert not hand_off.cancel(desk, request)


def test_a_hand_off_that_was_cut_off_after_the_engine_had_the_run_is_finished_without_a_second_one(desk: Desk) -> None:
    request = submit(desk).requests[0].id
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE runs SET state = 'accepted', engine_id = NULL, url = NULL")
    hand_off.deliver(desk)
    assert standing.standing(desk, request).request.state == "queued"
    with desk.ledger() as ledger:
        assert ledger.query("SELECT count(*) FROM local_queue") == [(1,)]


def test_a_table_of_good_and_bad_rows_keeps_the_good_ones(desk: Desk) -> None:
    outcome = submit(
        desk, f"{WINE}---\n{WINE.replace('wine', 'nowhere')}---\n{WINE.replace('random_forest', 'xgboost')}"
    )
    assert (outcome.accepted, outcome.refused, len(outcome.requests)) == (2, 1, 2)
    assert codes(outcome) == [("5:19", "no_dataset")]


def test_problems_come_in_the_order_of_the_sheets_their_rows_and_columns(desk: Desk) -> None:
    def fill(workbook: Workbook) -> None:
        answer(workbook, "dataset_id").value = "wine"
        answer(workbook, "algorithm").value = "random_forest"
        answer(workbook, "target").value = "nowhere"
        answer(workbook, "evaluation_threshold").value = "?"
        answer(workbook, "hyperparameters.n_estimators@random_forest").value = "?"

    form = desk.kinds["train_supervised"].form
    file = edited(template.write(form, "ja", "form", []), fill)
    outcome = judging.check(desk, [Source("request.xlsx", file)], NONE)
    assert codes(outcome) == [
        ("入力!C10", "no_column"),
        ("入力!C13", "not_a_number"),
        ("詳細設定!C6", "not_a_number"),
    ]


def test_a_row_that_only_holds_a_sum_is_one_problem_and_the_requests_above_it_go_on(desk: Desk) -> None:
    def add(workbook: Workbook) -> None:
        answer(workbook, "dataset_id", 1).value = "合計"
        answer(workbook, "resources.max_hours", 1).value = "=SUM(A1:A2)"

    form = desk.kinds["train_supervised"].form
    wine = Filled({"dataset_id": "wine", "algorithm": "random_forest"})
    file = edited(template.write(form, "ja", "table", [wine]), add)
    outcome = journey.submit(desk, [Source("request.xlsx", file)], NONE)
    assert (outcome.accepted, outcome.refused) == (1, 1)
    assert codes(outcome) == [("入力!5", "no_request")]


@pytest.mark.parametrize(
    "request_id", [pytest.param("7k3m-9qx2-b4td", id="well-formed"), pytest.param("work", id="a word")]
)
def test_a_slip_with_an_id_that_this_desk_has_not_given_is_refused(desk: Desk, request_id: str) -> None:
    converted = journey.convert(desk, [Source("request.yaml", WINE.encode())], NONE).requests[0].id
    slip = standing.standing(desk, converted).slip
    assert slip is not None
    text = re.sub("^id: .*$", f"id: {request_id}", slip.read_text(encoding="utf-8"), flags=re.MULTILINE)
    outcome = submit(desk, text)
    assert [problem.code for problem, _ in outcome.problems] == ["unknown_slip"]
    (refused,) = outcome.responses
    assert (refused.good, standing.standing(desk, refused.id).request.state) == (False, "refused")
    assert [entry.action for entry in standing.history(desk, refused.id)] == ["refused"]
    assert sorted(one.request.state for one in standing.all_standing(desk)) == ["accepted", "refused"]


def test_a_slip_with_the_id_of_a_refused_request_is_refused(desk: Desk) -> None:
    submit(desk, WINE.replace("wine", "nowhere"))
    refused = standing.all_standing(desk)[0].request.id
    converted = journey.convert(desk, [Source("request.yaml", WINE.encode())], NONE).requests[0].id
    slip = standing.standing(desk, converted).slip
    assert slip is not None
    assert [
        problem.code
        for problem, _ in submit(desk, slip.read_text(encoding="utf-8").replace(converted, refused)).problems
    ] == ["changed_slip"]


@pytest.mark.parametrize("again", ["なし", "特になし", " - ", "No", "　"])
def test_a_reason_that_says_there_is_none_makes_no_new_request(desk: Desk, again: str) -> None:
    first = submit(desk)
    assert submit(desk, WINE, Wishes(again=again)).requests[0].id == first.requests[0].id


def test_the_queue_of_the_command_line_stands_in_slip_and_run_and_makes_another_request(desk: Desk) -> None:
    config = desk.folder / "denpyo.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('["default"]', '["default", "gpu"]'), encoding="utf-8")
    there = open_desk(desk.folder)
    first, second = submit(there), submit(there, WINE, Wishes(queue="gpu"))
    found = standing.standing(there, second.requests[0].id)
    assert first.requests[0].id != found.request.id
    assert found.run is not None
    assert found.slip is not None
    assert found.run.queue == "gpu"
    assert "queue: gpu" in found.slip.read_text(encoding="utf-8")
    assert [problem.code for problem, _ in submit(there, WINE, Wishes(queue="gpuu")).problems] == ["no_queue"]


def test_what_the_command_line_says_is_judged_like_an_answer(desk: Desk) -> None:
    outcome = submit(desk, WINE, Wishes(sender="a\x1b[31m"))
    assert [(str(problem.where), problem.code) for problem, _ in outcome.problems] == [("--as", "hidden_character")]


def test_a_response_that_does_not_say_its_language_is_answered_in_the_desks(desk: Desk) -> None:
    assert [language for _, language in submit(desk, WINE.replace("wine", "nowhere")).problems] == ["ja"]
    assert [language for _, language in submit(desk, "a: [").problems] == ["ja"]


def test_a_run_whose_kind_is_gone_fails_alone_and_keeps_nobody_waiting(desk: Desk, tmp_path: Path) -> None:
    file = counting(tmp_path, "one")
    gone = journey.keep(desk, [Source(file.name, file.read_bytes())], NONE, queue=True).requests[0].id
    (desk.folder / "kinds" / "count_starts.py").unlink()
    there = open_desk(desk.folder)
    other = submit(there).requests[0].id
    assert standing.standing(there, other).request.state == "queued"
    found = standing.standing(there, gone)
    assert found.request.state == "failed"
    assert "count_starts" in found.result["reason"]


def damage(slip: Path, how: str) -> None:
    slip.chmod(0o600)
    if how == "lost":
        slip.unlink()
    elif how == "torn":
        slip.write_bytes(slip.read_bytes()[:100])
    else:
        slip.write_text(re.sub("seconds: 0.0", "seconds: 0.5", slip.read_text(encoding="utf-8")), encoding="utf-8")


DAMAGES = pytest.mark.parametrize("how", ["changed", "torn", "lost"])


@DAMAGES
def test_a_kept_slip_that_is_not_what_was_recorded_is_damage_and_no_new_request(
    desk: Desk, tmp_path: Path, how: str
) -> None:
    file = counting(tmp_path, "one")
    request = journey.convert(desk, [Source(file.name, file.read_bytes())], NONE).requests[0].id
    slip = standing.standing(desk, request).slip
    assert slip is not None
    handed, entries = slip.read_text(encoding="utf-8"), actions(desk)
    damage(slip, how)
    with pytest.raises(LedgerDamaged) as damaged:
        submit(desk, handed)
    assert str(damaged.value) == (
        f"slips/{slip.parent.parent.name}/{slip.parent.name}/{request}.yaml: "
        "was changed or lost after it was recorded; `denpyo audit verify` looks at all of them"
    )
    assert actions(desk) == entries


def test_a_slip_that_was_erased_is_no_damage_and_one_that_was_handed_out_before_is_another_by_now(
    desk: Desk, tmp_path: Path
) -> None:
    file = counting(tmp_path, "one")
    request = journey.convert(desk, [Source(file.name, file.read_bytes())], NONE).requests[0].id
    slip = standing.standing(desk, request).slip
    assert slip is not None
    handed = slip.read_text(encoding="utf-8")
    erase_all(desk, [request])
    assert not slip.exists()
    assert [problem.code for problem, _ in submit(desk, handed).problems] == ["changed_slip"]
    assert verify(desk.folder / LEDGER).ok


def test_a_run_whose_slip_is_lost_before_it_is_handed_over_fails_alone(desk: Desk, tmp_path: Path) -> None:
    file = counting(tmp_path, "one")
    lost = journey.keep(desk, [Source(file.name, file.read_bytes())], NONE, queue=True).requests[0].id
    slip = standing.standing(desk, lost).slip
    assert slip is not None
    slip.unlink()
    other = submit(desk).requests[0].id
    assert standing.standing(desk, other).request.state == "queued"
    found = standing.standing(desk, lost)
    assert found.request.state == "failed"
    assert found.result["reason"] == "記録されたあとで伝票が変更されたか失われたため、実行しませんでした。"


@DAMAGES
def test_a_slip_that_was_changed_after_it_was_accepted_is_not_run(desk: Desk, tmp_path: Path, how: str) -> None:
    file = counting(tmp_path, "one")
    request = journey.submit(desk, [Source(file.name, file.read_bytes())], NONE).requests[0].id
    slip = standing.standing(desk, request).slip
    assert slip is not None
    damage(slip, how)
    one_machine.work(desk, drain=True, told=lambda run, state: None, down=print)
    found = standing.standing(desk, request)
    assert (found.request.state, found.result["code"]) == ("failed", "slip_changed")
    assert starts(tmp_path) == {}


def test_a_look_that_comes_late_never_takes_a_run_back(desk: Desk, tmp_path: Path) -> None:
    file = counting(tmp_path, "one")
    request = journey.submit(desk, [Source(file.name, file.read_bytes())], NONE).requests[0].id
    one_machine.work(desk, drain=True, told=lambda run, state: None, down=print)
    with desk.ledger() as ledger, ledger.writing() as tx:
        tx.execute("UPDATE local_queue SET state = 'running'")
    hand_off.follow(desk)
    assert standing.standing(desk, request).request.state == "done"
    assert actions(desk)[-2:] == ["running", "done"]


def test_a_ledger_on_another_disk_works_as_well(desk: Desk, tmp_path: Path) -> None:
    (desk.folder / LEDGER).rename(tmp_path / "elsewhere")
    (desk.folder / LEDGER).symlink_to(tmp_path / "elsewhere")
    file = counting(tmp_path, "one")
    request = journey.submit(desk, [Source(file.name, file.read_bytes())], NONE).requests[0].id
    one_machine.work(desk, drain=True, told=lambda run, state: None, down=print)
    assert standing.standing(desk, request).request.state == "done"


def test_a_worker_that_has_nothing_to_do_hands_over_what_a_dead_submit_left(desk: Desk, tmp_path: Path) -> None:
    file = counting(tmp_path, "one")
    journey.keep(desk, [Source(file.name, file.read_bytes())], NONE, queue=True)
    one_machine.work(desk, drain=True, told=lambda run, state: None, down=print)
    assert starts(tmp_path) == {"one": 1}


def test_what_people_wrote_forges_no_line_of_the_record_nor_of_what_is_printed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = "x\n2026-11-21T00:00:00Z  root  approved"
    text = WINE.replace("wine", '"x\\n2026-11-21  root  approved"') + 'again: "a\\nb"\n'
    (refused,) = submit(desk, text, Wishes(sender="a@example.com"), name=f"{forged}.yaml").responses
    (good,) = submit(desk, WINE, name=f"{forged}.yaml").responses
    with desk.ledger() as ledger:
        bodies = [body for (body,) in ledger.query("SELECT body FROM entries")]
    assert not [body for body in bodies if b"\n" in body or b"approved" in body]
    for one in (refused, good):
        found, history = standing.standing(desk, one.id), standing.history(desk, one.id)
        terminal.status(desk, found, as_json=False)
        terminal.history(history)
        problems = sum(len(json.loads(entry.beside_text or "{}").get("problems", ())) for entry in history)
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) == 1 + len(history) + problems
        assert not [line for line in printed if line.startswith("2026-11-21T00:00:00Z")]
    assert verify(desk.folder / LEDGER).ok


def test_a_broken_model_description_hides_no_other_problem(desk: Desk) -> None:
    folder = desk.runs / "x.1" / "model"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{", encoding="utf-8")
    outcome = submit(desk, "kind: inference\njob: {dataset_id: wine, model_id: m-x-1}\n")
    assert [problem.code for problem, _ in outcome.problems] == ["no_model"]


def test_an_answer_beside_its_cell_is_one_mistake_and_is_said_once() -> None:
    cell, beside, other = (Where("a.xlsx", f"入力!{one}") for one in ("C9", "D9", "C10"))
    found = judging.only_first(
        [Problem("answer_beside", beside, "dataset_id")],
        [Problem("missing", cell, "dataset_id"), Problem("missing", other, "model_id")],
    )
    assert [(one.code, one.where) for one in found] == [("answer_beside", beside), ("missing", other)]


def test_a_change_of_policy_and_of_a_schema_is_an_entry_with_its_hash(tmp_path: Path) -> None:
    desk = desk_in(tmp_path / "desk")
    denpyo("submit", counting(tmp_path, "one"), desk=desk.folder)
    policy, kind = desk.folder / "policy.yaml", desk.folder / "kinds" / "count_starts.py"
    policy.write_text(f"{policy.read_text(encoding='utf-8')}# as before\n", encoding="utf-8")
    kind.write_text(kind.read_text(encoding="utf-8").replace("le=60", "le=61"), encoding="utf-8")
    for name in ("two", "three"):
        denpyo("submit", counting(tmp_path, name), desk=desk.folder)
    with desk.ledger() as ledger:
        told = [entry.detail for entry in ledger.entries() if entry.action == "changed"]
    policies = [one["sha256"] for one in told if one["what"] == "policy"]
    assert policies[1:] == [sha256(policy.read_bytes()).hexdigest()]
    assert len({one["sha256"] for one in told if one["what"] == "schema count_starts"}) == 2
