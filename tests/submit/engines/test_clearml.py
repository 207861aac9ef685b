"""The engine ``clearml`` against a server that keeps ClearML's own schemas and rules: never twice, never lost."""

from __future__ import annotations

import json
import random
import re
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from submit import datasets, hand_off, journey, new_dataset, one_machine, standing
from submit.desk import Desk, now, open_desk, shipped
from submit.engines import EngineDownError, clearml, clearml_task
from submit.judging import Outcome
from submit.ledger import LedgerDamaged, checkpoint, keys, verify
from submit.new_dataset import Added, Given
from submit.response import Source, Wishes
from submit.watch import _go_rounds
from tests.desks import COMMIT, clearml_desk_in, command, counting, denpyo, environment, starts
from tests.desks.kills import killed_after
from tests.standins.clearml import ClearML
from tests.standins.clearml.server import Trouble

CANARY = "kanaria-5f1c9e"
CALLS = (
    "auth.login",
    "tasks.get_all",
    "projects.get_all",
    "projects.create",
    "tasks.create",
    "tasks.edit_hyper_params",
    "tasks.enqueue_many",
)
TROUBLES: tuple[Trouble, ...] = ("drop_before", "drop_after", "fail")


@pytest.fixture
def desk(tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    for name, value in clearml_server.environment().items():
        monkeypatch.setenv(name, value)
    return clearml_desk_in(tmp_path / "desk")


def submitted(desk: Desk, *names: str) -> Outcome:
    files = [counting(desk.folder.parent, name) for name in names]
    return journey.submit(desk, [Source(one.name, one.read_bytes()) for one in files], Wishes())


def task_of(server: ClearML, request: str) -> dict[str, Any]:
    return next(one for one in server.tasks.values() if f"rid:{request}" in one["tags"])


def queued(server: ClearML) -> list[str]:
    """The tasks of all queues, in order."""
    return [entry["task"] for queue in server.queues.values() for entry in queue.get("entries", ())]


def states(desk: Desk) -> dict[str, str]:
    return {one.request.id: one.request.state for one in standing.all_standing(desk)}


def test_a_run_is_a_task_with_its_slip_its_answers_and_who_it_is(desk: Desk, clearml_server: ClearML) -> None:
    (kept,) = submitted(desk, "one").requests
    (task,) = clearml_server.tasks.values()
    assert task["name"] == f"count_starts {kept.id}.1"
    assert sorted(task["tags"]) == ["count_starts", "denpyo", f"rid:{kept.id}", f"run:{kept.id}.1"]
    assert task["status"] == "queued"
    assert clearml_server.projects[task["project"]]["name"] == "denpyo/count_starts"
    assert task["script"]["entry_point"] == "-m jobs"
    assert task["script"]["version_num"] == COMMIT
    slip = task["configuration"]["slip"]
    assert (slip["type"], slip["value"].encode()) == ("yaml", standing.standing(desk, kept.id).slip.read_bytes())  # type: ignore[union-attr]
    assert {one["name"]: one["value"] for one in task["hyperparams"]["1 Job"].values()}["name"] == "one"
    noted = {name: one["value"] for name, one in task["hyperparams"]["properties"].items()}
    assert (noted["request"], noted["run"], noted["ticket"]) == (kept.id, f"{kept.id}.1", task["id"])
    with desk.ledger() as ledger:
        (before,) = [one for one in ledger.entries(request=kept.id) if one.action == "enqueuing"]
    note = checkpoint.found_in(task["comment"])
    assert checkpoint.read(note, keys.published(desk.folder / "audit.pub")).size == before.seq


def test_a_log_that_contradicts_what_was_signed_keeps_no_run_back(desk: Desk, clearml_server: ClearML) -> None:
    with desk.ledger() as ledger:
        ledger.ensure(checkpoint.TABLE)
        with ledger.writing() as tx:
            tx.execute(checkpoint.PUT, (1_000, "", "2026-11-21T07:00:00+09:00", "cut off since"))
    with pytest.raises(LedgerDamaged):
        checkpoint.newest(desk)
    (kept,) = submitted(desk, "one").requests
    (task,) = clearml_server.tasks.values()
    assert (states(desk)[kept.id], task["status"]) == ("queued", "queued")
    assert re.search(r"\n\naudit log: [0-9]+ entries, root [0-9a-f]{64}$", task["comment"])


@pytest.mark.parametrize("name", ["task.txt", "jobs.txt"])
def test_an_agent_gets_a_line_a_requirement_and_no_hashes(name: str, desk: Desk) -> None:
    """clearml-agent 3.0.3 reads line by line, and installs a line that it cannot parse as a folder."""
    settings = desk.config.clearml.model_copy(update={"requirements": str(shipped(f"requirements/{name}"))})
    there = clearml_task.script(replace(desk, config=desk.config.model_copy(update={"clearml": settings})))
    lines = there["requirements"]["pip"].splitlines()
    assert "scikit-learn==1." in there["requirements"]["pip"]
    assert [
        one for one in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( ; [a-z_]+ [<>=]+ '[0-9a-z.]+')?", one)
    ] == []
    assert there["binary"] == "python"


def test_its_page_and_what_it_shows_are_addresses_of_clearml(desk: Desk, clearml_server: ClearML) -> None:
    (kept,) = submitted(desk, "one").requests
    (task,) = clearml_server.tasks.values()
    here = f"{clearml_server.web_url}/projects/{task['project']}/tasks/{task['id']}"
    found = standing.standing(desk, kept.id)
    assert standing.page(desk, found) == f"{here}/output/log"
    assert standing.links(found) == {
        "task": f"{here}/output/log",
        "results": f"{here}/info-output/metrics/scalar",
        "artifacts": f"{here}/artifacts/output-model",
    }
    assert denpyo("open", kept.id, desk=desk.folder).stdout == f"{here}/output/log\n"


def test_a_queue_that_no_agent_watches_is_said(desk: Desk, clearml_server: ClearML) -> None:
    assert submitted(desk, "one").unattended == ["default"]
    assert [one["name"] for one in clearml_server.queues.values()] == ["default"]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("call", CALLS)
def test_whatever_call_is_cut_off_each_run_is_one_task_and_one_place_in_the_queue(
    call: str, trouble: Trouble, desk: Desk, clearml_server: ClearML
) -> None:
    clearml_server.fault(call, trouble)
    first = submitted(desk, "one", "two")
    assert first.undelivered
    assert set(states(desk).values()) == {"accepted"}
    second = submitted(desk, "three")
    assert not second.undelivered
    assert set(states(desk).values()) == {"queued"}
    runs = [f"run:{one.id}.1" for one in (*first.requests, *second.requests)]
    made = [tag for task in clearml_server.tasks.values() for tag in task["tags"] if tag.startswith("run:")]
    assert sorted(made) == sorted(runs)
    assert sorted(queued(clearml_server)) == sorted(clearml_server.tasks)
    assert verify(desk.folder / "ledger").ok


def test_an_answer_that_comes_too_late_is_found_the_next_time(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("submit.engines.clearml_server.SECONDS", (0.5, 0.2))
    clearml_server.fault("tasks.create", "late", seconds=0.6)
    assert "did not answer tasks.create: ReadTimeout" in submitted(desk, "one").undelivered
    hand_off.deliver(desk)
    assert list(states(desk).values()) == ["queued"]
    assert len(clearml_server.tasks) == len(queued(clearml_server)) == 1


def test_two_who_submit_the_same_at_once_make_one_task(desk: Desk, clearml_server: ClearML) -> None:
    files = [counting(desk.folder.parent, name) for name in ("one", "two", "three")]
    words = command("submit", *files)
    both = [
        subprocess.Popen(words, env=environment(desk.folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    assert len(clearml_server.tasks) == len(queued(clearml_server)) == 3
    assert set(states(desk).values()) == {"queued"}


def test_a_server_that_is_down_leaves_the_request_accepted_and_says_so_with_its_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CLEARML_API_HOST", f"http://127.0.0.1:{closed.getsockname()[1]}")
        done = denpyo("submit", counting(desk.folder.parent, "one"), desk=desk.folder, code=3)
    (id,) = states(desk)
    assert done.stdout.startswith(id)
    assert "did not answer auth.login: ConnectionError" in done.stderr
    assert states(desk) == {id: "accepted"}
    monkeypatch.undo()


def test_a_server_that_takes_no_connection_is_known_to_be_down_within_three_seconds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(2):  # the kernel keeps one more than the backlog
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        monkeypatch.setenv("CLEARML_API_HOST", f"http://127.0.0.1:{full.getsockname()[1]}")
        there = clearml.server(desk)
        begun = time.monotonic()
        with pytest.raises(EngineDownError, match=r"did not answer auth\.login: ConnectTimeout"):
            there.call("tasks.get_all")
        assert time.monotonic() - begun < 3


def test_a_web_page_in_its_place_is_no_clearml_server(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_API_HOST", clearml_server.web_url)
    with pytest.raises(EngineDownError, match=r"auth\.login as no ClearML server does \(HTTP 501\)"):
        clearml.server(desk).call("tasks.get_all")


def test_wrong_credentials_are_one_line_without_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", CANARY)
    outcome = submitted(desk, "one")
    assert "does not let this desk in" in outcome.undelivered
    assert CANARY not in outcome.undelivered


def test_no_credentials_at_all_are_said_and_the_request_stays_accepted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", "")
    assert "no credentials for ClearML: run `clearml-init`" in submitted(desk, "one").undelivered
    assert list(states(desk).values()) == ["accepted"]


def test_a_clearml_conf_that_others_may_read_is_refused(
    tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = clearml_server.write_conf(tmp_path)
    conf.chmod(0o644)
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(conf))
    done = denpyo("submit", counting(tmp_path, "one"), desk=clearml_desk_in(tmp_path / "desk").folder, code=3)
    assert f"{conf} holds your credentials and must be your own, with mode 0600" in done.stderr


def test_the_credentials_of_clearml_conf_are_taken_and_stand_nowhere_else(
    tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(clearml_server.write_conf(tmp_path)))
    there = clearml_desk_in(tmp_path / "desk").folder
    done = denpyo("submit", counting(tmp_path, "one"), desk=there)
    secret = clearml_server.user().secret_key
    told = json.dumps([done.stdout, done.stderr, list(clearml_server.tasks.values())])
    written = b"".join(one.read_bytes() for one in there.rglob("*") if one.is_file())
    assert len(clearml_server.tasks) == 1
    assert secret not in told
    assert secret.encode() not in written


def test_a_run_costs_two_calls_and_a_batch_five_more(desk: Desk, clearml_server: ClearML) -> None:
    submitted(desk, *(f"n{number}" for number in range(40)))
    calls = [name for name, _ in clearml_server.calls]
    assert len(calls) == 2 * 40 + 5
    assert calls.count("tasks.enqueue_many") == calls.count("tasks.get_all") == 1
    assert clearml_server.connections <= 4


def test_many_runs_are_followed_with_one_call(desk: Desk, clearml_server: ClearML) -> None:
    submitted(desk, *(f"n{number}" for number in range(30)))
    before = len(clearml_server.calls)
    (found,) = one_machine.watched(desk, "", print, watch=False)
    assert len(found) == 30
    assert [name for name, _ in clearml_server.calls[before:]] == ["tasks.get_all"]


def test_where_requests_stand_is_said_while_the_server_is_down(desk: Desk, clearml_server: ClearML) -> None:
    submitted(desk, "one")
    clearml_server.fault("tasks.get_all", "fail")
    said: list[str] = []
    (found,) = one_machine.watched(desk, "", said.append, watch=False)
    assert [one.request.state for one in found] == ["queued"]
    assert said == [f"ClearML at {clearml_server.url} failed at tasks.get_all (500/0)"]


def ended(server: ClearML, status: str, result: dict[str, Any] | None = None, message: str = "") -> None:
    """As agents leave a task."""
    (task,) = server.tasks.values()
    task["status"], task["status_message"] = status, message
    task["hyperparams"]["properties"]["started"] = {"name": "started", "value": f"{task['id']} 2026-11-21T00:00:00Z"}
    if result is not None:
        task["configuration"]["result"] = {"name": "result", "type": "json", "value": json.dumps(result)}


def test_a_run_that_is_done_has_the_result_that_its_job_left(desk: Desk, clearml_server: ClearML) -> None:
    (kept,) = submitted(desk, "one").requests
    ended(clearml_server, "completed", {"state": "done", "metrics": {"accuracy": 0.9, "odd": "x"}, "passed": True})
    hand_off.follow(desk)
    found = standing.standing(desk, kept.id)
    assert (found.request.state, found.result["metrics"]) == ("done", {"accuracy": 0.9})


@pytest.mark.parametrize(
    "written",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"state": "queued"}',
        '{"state": "done", "metrics": 3}',
        '{"state": "done", "metrics": {}, "passed": []}',
    ],
)
def test_a_task_that_ended_without_a_result_as_jobs_leave_it_has_failed(
    written: str, desk: Desk, clearml_server: ClearML
) -> None:
    (kept,) = submitted(desk, "one").requests
    ended(clearml_server, "failed", message="この実行は始められません。")
    (task,) = clearml_server.tasks.values()
    task["configuration"]["result"] = {"name": "result", "type": "json", "value": written}
    hand_off.follow(desk)
    found = standing.standing(desk, kept.id)
    assert found.request.state == "failed"
    assert found.result["reason"].endswith("(この実行は始められません。)")


def test_a_run_that_was_deleted_there_has_failed_once_it_is_sure(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, other = submitted(desk, "one", "two").requests
    clearml.server(desk).call("tasks.delete", task=task_of(clearml_server, kept.id)["id"], force=True)
    hand_off.follow(desk)
    assert states(desk) == {kept.id: "queued", other.id: "queued"}
    monkeypatch.setattr("submit.hand_off.now", lambda: now() + timedelta(minutes=11))
    hand_off.follow(desk)
    assert states(desk) == {kept.id: "failed", other.id: "queued"}
    assert "削除" in standing.standing(desk, kept.id).result["reason"]


def test_a_server_that_knows_none_of_the_runs_is_taken_for_another_one_for_a_day(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept,) = submitted(desk, "one").requests
    clearml_server.tasks.clear()
    for hours, state in ((23, "queued"), (25, "failed")):
        monkeypatch.setattr("submit.hand_off.now", lambda hours=hours: now() + timedelta(hours=hours))
        hand_off.follow(desk)
        assert states(desk) == {kept.id: state}


def test_a_copy_of_a_run_that_somebody_made_is_not_the_run(desk: Desk, clearml_server: ClearML) -> None:
    (kept,) = submitted(desk, "one").requests
    (task,) = clearml_server.tasks.values()
    clearml.server(desk).call("tasks.clone", task=task["id"], new_task_name="a copy")
    assert len(clearml_server.tasks) == 2
    assert all(f"run:{kept.id}.1" in one["tags"] for one in clearml_server.tasks.values())
    handle = clearml.find(desk, f"{kept.id}.1")
    assert handle
    assert handle.engine_id == task["id"]


def test_a_run_that_is_cancelled_before_it_began_is_out_of_the_queue_and_has_no_ticket(
    desk: Desk, clearml_server: ClearML
) -> None:
    (kept,) = submitted(desk, "one").requests
    assert hand_off.cancel(desk, kept.id)
    (task,) = clearml_server.tasks.values()
    assert (task["status"], queued(clearml_server)) == ("stopped", [])
    assert task["hyperparams"]["properties"]["ticket"]["value"] == f"taken back from {task['id']}"
    assert states(desk) == {kept.id: "stopped"}


@pytest.mark.slow
@pytest.mark.untraced
def test_killed_while_it_hands_over_each_request_is_one_task_in_one_place_of_the_queue(
    desk: Desk, clearml_server: ClearML
) -> None:
    """Eight moments; hundreds, with faults of the server, and the starts of the jobs counted: ``benchmarks/clearml_faults.py``."""
    clearml_server.latency = 0.02
    folder, chance = desk.folder.parent, random.Random(20261121)  # noqa: S311
    begun = time.monotonic()
    denpyo("submit", counting(folder, "n0"), desk=desk.folder)
    usual = time.monotonic() - begun
    killed = [
        killed_after(["submit", counting(folder, f"n{number}")], desk.folder, chance.uniform(0.5, 1) * usual)
        for number in range(1, 9)
    ]
    denpyo("submit", *(counting(folder, f"n{number}") for number in range(9)), desk=desk.folder)
    assert sum(killed) >= 2
    assert len(clearml_server.tasks) == 9
    assert sorted(queued(clearml_server)) == sorted(clearml_server.tasks)
    assert set(states(desk).values()) == {"queued"}


def test_the_description_of_a_model_comes_to_the_desk_with_the_end_of_its_run(
    desk: Desk, clearml_server: ClearML
) -> None:
    (kept,) = submitted(desk, "one").requests
    model, card = f"m-{kept.id}-1", {"model_id": f"m-{kept.id}-1", "features": [{"name": "size"}]}
    uri = "file:///models/model.onnx"
    (task,) = clearml_server.tasks
    for owner, design in ((task, card), ("", {"model_id": model, "features": []})):
        told = {
            "name": model,
            "uri": uri,
            "design": {"design": json.dumps(design)},
            **({"task": owner} if owner else {}),
        }
        clearml.server(desk).call("models.create", **told)
    result = {"state": "done", "metrics": {}, "model": {"id": model, "path": "model/model.onnx", "sha256": "0" * 64}}
    ended(clearml_server, "completed", result)
    hand_off.follow(desk)
    assert datasets.model_card(desk, model) == card


def test_a_dataset_that_is_one_of_clearmls_is_found_by_either_name_and_told_to_the_agent(
    desk: Desk, clearml_server: ClearML
) -> None:
    id, folder = "0123456789abcdef0123456789abcdef", desk.folder.parent / "cache" / "raw"
    folder.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        (folder / name).write_text("size,kind\n1,a\n2,b\n3,a\n4,b\n", encoding="utf-8")
    assert isinstance(new_dataset.add(desk, "cups", Given(clearml=id), lambda *_: folder.parent), Added)
    for number, name in enumerate(("cups", id)):
        file = desk.folder.parent / f"train{number}.yaml"
        job = f"{{dataset_id: {name}, target: kind, algorithm: random_forest, seed: {number}}}"
        file.write_text(f"kind: train_supervised\njob: {job}\n", encoding="utf-8")
        outcome = journey.submit(desk, [Source(file.name, file.read_bytes())], Wishes())
        assert [problem.line("en") for problem, _ in outcome.problems] == []
    first, second = clearml_server.tasks.values()
    assert first["hyperparams"]["properties"]["clearml_dataset"]["value"] == id
    assert "clearml_dataset" not in second["hyperparams"]["properties"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (f"https://x-access-token:{CANARY}@git.example.com/ml/denpyo.git", "https://git.example.com/ml/denpyo.git"),
        (f"https://{CANARY}@git.example.com:8443/ml@2/d.git", "https://git.example.com:8443/ml@2/d.git"),
        ("ssh://git@git.example.com/ml/denpyo.git", "ssh://git@git.example.com/ml/denpyo.git"),
        ("git@git.example.com:ml/denpyo.git", "git@git.example.com:ml/denpyo.git"),
        ("file:///srv/git/denpyo.git", "file:///srv/git/denpyo.git"),
    ],
)
def test_what_logs_in_to_a_repository_is_in_no_task(given: str, told: str) -> None:
    assert clearml_task.without_secrets(given) == told


def test_a_queue_whose_name_is_too_short_for_clearml_is_said_when_the_desk_is_opened(tmp_path: Path) -> None:
    config = clearml_desk_in(tmp_path / "desk").folder / "denpyo.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('["default"]', '["default", "q"]'), encoding="utf-8")
    said = f"denpyo: {config}: queues: ClearML takes no name of fewer than 3 characters: q\n"
    assert denpyo("status", desk=config.parent, code=2).stderr == said


def test_a_kind_with_a_short_name_has_a_project_that_clearml_takes(desk: Desk, clearml_server: ClearML) -> None:
    source = (desk.folder / "kinds" / "count_starts.py").read_text(encoding="utf-8")
    (desk.folder / "kinds" / "c2.py").write_text(source.replace("class CountStarts", "class C2"), encoding="utf-8")
    file = counting(desk.folder.parent, "one")
    file.write_text(file.read_text(encoding="utf-8").replace("count_starts", "c2", 1), encoding="utf-8")
    outcome = journey.submit(open_desk(desk.folder), [Source(file.name, file.read_bytes())], Wishes())
    assert (outcome.undelivered, outcome.problems) == ("", [])
    assert "denpyo/kind c2" in [one["name"] for one in clearml_server.projects.values()]


def test_whatever_somebody_writes_into_a_result_the_desk_goes_on_and_shows_it_as_text(
    desk: Desk, clearml_server: ClearML
) -> None:
    (kept,) = submitted(desk, "one").requests
    metrics = {"a": 2**53 + 1, "b": 10**400, "c": float("inf"), "good": 0.5, "\x1b[2J": 1}
    hostile = {"state": "failed", "metrics": metrics, "reason": "\ud800\x1b[2J", "seed": 2**70, "more": {"x": [1e999]}}
    problem = {"code": "\x1b[2J", "question": "q", "message": "m\nm", "other": 1}
    ended(clearml_server, "failed", {**hostile, "problems": [problem], "dataset_sha256": "\u202e"})
    hand_off.follow(desk)
    found = standing.standing(desk, kept.id)
    assert found.request.state == "failed"
    assert list(found.result["metrics"].values()) == [0.5, 1]
    shown = denpyo("status", kept.id, desk=desk.folder).stdout + denpyo("status", desk=desk.folder).stdout
    assert "\x1b" not in shown
    assert verify(desk.folder / "ledger").ok


def test_the_summary_of_a_run_is_a_file_of_that_run_alone(desk: Desk, clearml_server: ClearML) -> None:
    (kept,) = submitted(desk, "one").requests
    ended(clearml_server, "completed", {"state": "done", "metrics": {}, "summary": "/etc/hostname"})
    hand_off.follow(desk)
    assert standing.standing(desk, kept.id).result["reason"].startswith("実行が途中で途切れ")
    assert standing.summary(desk, standing.standing(desk, kept.id)) is None


def test_a_server_that_is_down_keeps_no_run_of_this_machine_waiting(desk: Desk, clearml_server: ClearML) -> None:
    submitted(desk, "one")
    clearml_server.fault("*", "fail", times=1_000)
    said: list[str] = []
    file = counting(desk.folder.parent, "two")
    source, local = Source(file.name, file.read_bytes()), Wishes(engine="local")
    outcome, found = one_machine.run(desk, source, local, lambda run, state: None, said.append)
    assert found is not None
    assert (found.request.state, outcome.undelivered) == ("done", "")
    assert starts(desk.folder.parent) == {"two": 1}
    assert said
    assert one_machine.work(desk, drain=True, told=lambda run, state: None, down=said.append) == 0


def test_a_desk_that_lacks_what_clearml_needs_goes_on_with_everything_else(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    submitted(desk, "one")
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", "")
    (found,) = one_machine.watched(desk, "", print, watch=False)
    assert [one.request.state for one in found] == ["queued"]
    assert "no credentials for ClearML" in capsys.readouterr().out
    assert not _go_rounds(desk)


def test_a_run_that_the_server_refuses_keeps_no_other_waiting(desk: Desk, clearml_server: ClearML) -> None:
    clearml_server.fault("tasks.create", "fail", status=400)
    outcome = submitted(desk, "one", "two", "three")
    assert sorted(states(desk).values()) == ["accepted", "queued", "queued"]
    assert "ClearML refused tasks.create" in outcome.undelivered
    hand_off.deliver(desk)
    assert set(states(desk).values()) == {"queued"}
    assert len(clearml_server.tasks) == len(queued(clearml_server)) == 3


def test_what_is_cancelled_before_it_was_queued_leaves_no_draft_with_a_ticket(
    desk: Desk, clearml_server: ClearML
) -> None:
    clearml_server.fault("tasks.enqueue_many", "fail")
    (kept,) = submitted(desk, "one").requests
    assert hand_off.cancel(desk, kept.id)
    (task,) = clearml_server.tasks.values()
    assert task["hyperparams"]["properties"]["ticket"]["value"] == f"taken back from {task['id']}"
    assert states(desk) == {kept.id: "stopped"}


def test_what_is_cancelled_while_the_server_is_down_never_starts(desk: Desk, clearml_server: ClearML) -> None:
    first = submitted(desk, "one").requests
    clearml_server.fault("*", "fail", times=1_000)
    second = submitted(desk, "two").requests
    for one in (*first, *second):
        with pytest.raises(EngineDownError):
            hand_off.cancel(desk, one.id)
    clearml_server.forget_faults()
    hand_off.deliver(desk)
    hand_off.follow(desk)
    hand_off.follow(desk)
    assert set(states(desk).values()) == {"stopped"}
    assert queued(clearml_server) == []


def test_a_word_for_the_server_in_netrc_changes_nothing(
    desk: Desk, clearml_server: ClearML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n", encoding="utf-8")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert submitted(desk, "one").undelivered == ""


def test_a_clearml_conf_that_cannot_be_read_is_one_line(
    tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = tmp_path / "clearml.conf"
    conf.write_text(f'api {{ credentials {{ secret_key = "{CANARY}" ', encoding="utf-8")
    conf.chmod(0o600)
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(conf))
    done = denpyo("submit", counting(tmp_path, "one"), desk=clearml_desk_in(tmp_path / "desk").folder, code=3)
    assert f"{conf} cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert CANARY not in done.stderr + done.stdout


def test_a_run_that_is_queued_in_no_queue_is_put_back(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(desk, "one", "two")
    (queue,) = clearml_server.queues.values()
    lost = queue["entries"].pop()["task"]
    hand_off.follow(desk)
    assert lost not in queued(clearml_server)  # an agent may just have taken it
    monkeypatch.setattr("submit.engines.clearml_task.now", lambda: now() + timedelta(minutes=2))
    hand_off.follow(desk)
    assert sorted(queued(clearml_server)) == sorted(clearml_server.tasks)
    assert set(states(desk).values()) == {"queued"}
    before = len(clearml_server.calls)
    hand_off.follow(desk)
    assert [name for name, _ in clearml_server.calls[before:]] == ["tasks.get_all"]


def test_a_run_that_somebody_takes_out_of_its_queue_is_stopped_after_a_while(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept,) = submitted(desk, "one").requests
    clearml.server(desk).call("tasks.dequeue", task=task_of(clearml_server, kept.id)["id"])
    hand_off.follow(desk)
    assert states(desk) == {kept.id: "queued"}
    monkeypatch.setattr("submit.engines.clearml_task.now", lambda: now() + timedelta(minutes=31))
    hand_off.follow(desk)
    assert states(desk) == {kept.id: "stopped"}
    assert "外され" in standing.standing(desk, kept.id).result["reason"]
    task = task_of(clearml_server, kept.id)
    assert task["hyperparams"]["properties"]["ticket"]["value"] == f"taken back from {task['id']}"


def test_people_do_not_put_their_clones_where_runs_wait(tmp_path: Path) -> None:
    config = clearml_desk_in(tmp_path / "desk").folder / "denpyo.toml"
    with config.open("a", encoding="utf-8") as out:
        out.write('\n[sources.page]\nkind = "clearml"\nqueue = "default"\n')
    said = "sources: runs wait in the queue default: people need another one to put their clones into"
    assert denpyo("status", desk=config.parent, code=2).stderr == f"denpyo: {config}: {said}\n"


def test_a_repository_without_its_commit_is_said(desk: Desk) -> None:
    config = desk.folder / "denpyo.toml"
    config.write_text(config.read_text(encoding="utf-8").replace(f'commit = "{COMMIT}"', ""), encoding="utf-8")
    assert (
        "clearml.repository and clearml.commit must stand in denpyo.toml, both"
        in submitted(open_desk(desk.folder), "one").undelivered
    )


def test_a_task_that_never_began_has_not_the_result_that_it_was_cloned_with(
    desk: Desk, clearml_server: ClearML
) -> None:
    (kept,) = submitted(desk, "one").requests
    ended(clearml_server, "failed", {"state": "done", "metrics": {"accuracy": 0.9}})
    (task,) = clearml_server.tasks.values()
    task["hyperparams"]["properties"]["started"]["value"] = "another task"
    hand_off.follow(desk)
    assert states(desk) == {kept.id: "failed"}


def test_who_submits_is_not_told_that_it_waits_where_only_a_run_of_somebody_else_does(
    desk: Desk, clearml_server: ClearML
) -> None:
    clearml_server.fault("tasks.create", "fail", status=400)
    assert submitted(desk, "one").undelivered
    for name, status in (("tasks.get_all", 500), ("tasks.create", 400)):
        clearml_server.fault(name, "fail", status=status)
        again = submitted(desk, "one")  # known, and still not handed over
        assert again.undelivered
    file = counting(desk.folder.parent, "two")
    clearml_server.fault("tasks.get_all", "fail")
    here = journey.submit(desk, [Source(file.name, file.read_bytes())], Wishes(engine="local"))
    assert here.undelivered == ""
    assert sorted(states(desk).values()) == ["accepted", "queued"]


def test_a_run_that_is_put_back_is_found_again_wherever_that_is_cut_off(
    desk: Desk, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(desk, "one")
    (queue,) = clearml_server.queues.values()
    (lost,) = queue["entries"]
    queue["entries"].clear()
    monkeypatch.setattr("submit.engines.clearml_task.now", lambda: now() + timedelta(minutes=2))
    clearml_server.fault("queues.add_task", "drop_before")
    with pytest.raises(EngineDownError):
        hand_off.follow(desk)
    monkeypatch.setattr("submit.engines.clearml.ASTRAY", 0.0)
    hand_off.follow(desk)
    assert queued(clearml_server) == [lost["task"]]
    assert set(states(desk).values()) == {"queued"}
