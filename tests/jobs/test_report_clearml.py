"""A task that a ClearML agent runs: what is checked before, what is reported after, with the real SDK against the stand-in."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs import on_agent
from jobs.report_clearml import Reports
from schema.slip import Request
from tests.jobs.clearml_tasks import KINDS, call, copied, copied_template, environment, run, run_each, said, sent
from tests.jobs.runs import EXAMPLE_KINDS, FOREST, ROOT, request, with_hours, write_dataset
from tests.standins.clearml import ClearML
from tests.standins.waiting import wait_until

WRONG = {"code": "99", "stubborn": "perhaps"}
CANARY = "canary-in-the-environment"
LOCK = (ROOT / "requirements" / "task.txt").read_text(encoding="utf-8")
NO_TICKET = {
    "en": (
        "This copy did not come through the desk, so nothing was run. Reset it and put it into the desk's queue (`denpyo`): "
        "the desk checks it and sends it on."
    ),
    "ja": (
        "この複製はデスクを通っていないため、実行しませんでした。リセットしてから、デスクのキュー（`denpyo`）に入れてください。デスクが確認して実行に回します。"
    ),
}
CHANGED = {
    "en": "The slip of this task is not the one that was recorded, so nothing was run. Ask for it again through the desk.",
    "ja": "このタスクの伝票が、記録されたものと違うため、実行しませんでした。デスクにあらためて依頼してください。",
}
ALREADY = {
    "en": (
        "This request has already started once, so it was not run again. If it is still wanted, ask for it again through the "
        "desk."
    ),
    "ja": "この依頼は一度始まっているため、もう一度は実行しませんでした。まだ必要なら、デスクにあらためて依頼してください。",
}


def counting(folder: Path, language: str = "ja", id: str = "7k3m", **answers: Any) -> Request:
    """A request whose run adds a line to the file ``count``."""
    job = {"name": "one", "file": str(folder / "count"), **answers}
    return request("count_starts", job, language, id, folders=[KINDS])


def starts(folder: Path) -> int:
    file = folder / "count"
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def start(server: ClearML, task: str, folder: Path, **more: str) -> int:
    """Run a task whose kind is one of the tests' own; its exit status."""
    return run(server, task, folder / "home", **{"DENPYO_KINDS": str(KINDS), **more}).returncode


def results(server: ClearML, task: str) -> Any:
    return json.loads(server.tasks[task]["configuration"]["result"]["value"])


def stands(server: ClearML, task: str) -> tuple[str, str]:
    """The status of a task and its message."""
    return server.tasks[task]["status"], server.tasks[task]["status_message"]


@dataclass(frozen=True)
class Trained:
    """A training that ran to its end: its task on its server, and what the process printed."""

    server: ClearML
    task: str
    printed: str
    home: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A training that is not good enough at once, with the lock file of its libraries on the task."""
    wanted = request("train_supervised", {**FOREST, "dataset_id": "wine", "evaluation_threshold": 1, "max_retry": 1})
    home = tmp_path_factory.mktemp("trained")
    with ClearML() as server:
        task = sent(server, wanted, requirements={"pip": re.sub(r" --hash=\S+", "", LOCK)})
        ended = run(server, task, home, NOT_FOR_THE_TASK=CANARY)
        assert (ended.returncode, ended.stderr) == (0, "")
        yield Trained(server, task, ended.stdout, home)
    assert server.faults == []


def test_a_training_leaves_its_result_on_the_task_with_what_it_came_from(trained: Trained) -> None:
    assert trained.printed.splitlines() == [
        "denpyo: train_supervised 7k3m.1",
        "training random_forest with seed 42 on 133 rows",
        "training random_forest with seed 43 on 133 rows",
    ]
    found = results(trained.server, trained.task)
    assert (found["state"], found["passed"], found["seed"]) == ("done", False, 43)
    assert found["lock_sha256"] == hashlib.sha256(LOCK.encode()).hexdigest()
    assert len(found["dataset_sha256"]) == 64
    told = trained.server.tasks[trained.task]
    assert {one["key"] for one in told["execution"]["artifacts"]} == {
        *("result.json", "summary.html", "model/model.onnx", "model/model.joblib", "model/model.json"),
    }
    assert not any((trained.home / ".cache" / "denpyo" / "runs").iterdir())


def test_no_secret_stands_in_what_is_reported(trained: Trained) -> None:
    there = trained.server
    everything = trained.printed + json.dumps([there.tasks, there.state.events, there.models])
    everything += "".join(one.decode("utf-8", "replace") for one in there.files.kept.values())
    for secret in (CANARY, there.user("desk").secret_key, there.user("desk").access_key):
        assert secret not in everything


def test_figures_are_scalars_and_every_training_is_a_point_of_a_curve(trained: Trained) -> None:
    found = results(trained.server, trained.task)
    events = trained.server.state.events[trained.task]
    scalars = {(one["metric"], one["variant"], one["iter"]): one["value"] for one in events if "value" in one}
    curve = {("accuracy", "accuracy (course)", step): value for step, value in enumerate(found["series"]["accuracy"])}
    assert scalars == {**{(name, name, 0): value for name, value in found["metrics"].items()}, **curve}
    assert len(curve) == 2


def test_the_pictures_of_the_summary_are_plots_and_the_page_itself_a_debug_sample(trained: Trained) -> None:
    events = trained.server.state.events[trained.task]
    plots = [one for one in events if one["type"] == "plot"]
    assert [one["metric"] for one in plots] == ["Right and wrong, class by class", "Which columns matter"]
    source = json.loads(plots[0]["plot_str"])["layout"]["images"][0]["source"]
    assert source.startswith("data:image/svg+xml;base64,")
    (page,) = [one for one in events if one["type"] == "training_debug_image"]
    html = trained.server.files.get(page["url"].removeprefix(trained.server.files_url))
    assert html
    assert html.startswith(b"<!doctype html>")


def test_the_model_is_registered_under_its_id_with_its_card(trained: Trained) -> None:
    told, found = trained.server.tasks[trained.task], results(trained.server, trained.task)
    (model,) = trained.server.models.values()
    assert (model["name"], model["framework"], model["ready"]) == ("m-7k3m-1", "ONNX", True)
    (output,) = told["models"]["output"]
    assert (output["name"], output["model"]) == ("m-7k3m-1", model["id"])
    onnx = trained.server.files.get(model["uri"].removeprefix(trained.server.files_url))
    assert onnx
    assert hashlib.sha256(onnx).hexdigest() == found["model"]["sha256"]
    assert json.loads(model["design"]["design"])["files"]["model.onnx"] == found["model"]["sha256"]


@dataclass(frozen=True)
class Refused:
    """Tasks that were started one after the other, by what is wrong with each; the first was run once before."""

    server: ClearML
    tasks: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refused]:
    folder = tmp_path_factory.mktemp("refused")
    with ClearML() as server:
        first = sent(server, counting(folder))
        tasks = {
            "started before": first,
            "another task of the same run": sent(server, counting(folder, "en")),
            "a copy of a run": copied(server, first),
            "a changed slip": changed(server, sent(server, counting(folder, id="8x2p"))),
            "wrong parameters": copied_template(server, folder, WRONG),
        }
        assert start(server, first, folder) == 0
        server.tasks[first]["hyperparams"]["properties"]["alive"]["value"] = f"{first} 1"  # some minutes later
        assert run_each(server, [*tasks.values()], folder / "home", DENPYO_KINDS=str(KINDS)) == [1, 1, 1, 1, 1]
        yield Refused(server, tasks, folder)
    assert server.faults == []


def changed(server: ClearML, task: str) -> str:
    """The task, after somebody has written something else into its slip."""
    text = server.tasks[task]["configuration"]["slip"]["value"].replace("code: 0", "code: 1")
    told = {"name": "slip", "type": "yaml", "value": text, "description": ""}
    call(server, "tasks.started", task=task, force=True)
    call(server, "tasks.edit_configuration", task=task, configuration=[told], force=True)
    return task


def test_of_tasks_that_are_refused_none_is_run(refused: Refused) -> None:
    assert starts(refused.folder) == 1


def test_a_task_that_has_started_once_is_not_run_again(refused: Refused) -> None:
    task = refused.tasks["started before"]
    noted = refused.server.tasks[task]["hyperparams"]["properties"]["started"]["value"]
    assert noted.startswith(f"{task} 20")
    assert stands(refused.server, task) == ("failed", f"{ALREADY['ja']}\n\n{ALREADY['en']}")
    found = results(refused.server, task)
    assert (found["state"], found["metrics"]) == ("done", {"counted": 1})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("another task of the same run", f"{ALREADY['en']}\n\n{ALREADY['ja']}"),
        ("a copy of a run", f"{NO_TICKET['ja']}\n\n{NO_TICKET['en']}"),
        ("a changed slip", f"{CHANGED['ja']}\n\n{CHANGED['en']}"),
    ],
)
def test_a_task_that_is_refused_says_why_in_both_languages(wrong: str, message: str, refused: Refused) -> None:
    assert stands(refused.server, refused.tasks[wrong]) == ("failed", message)
    assert "result" not in refused.server.tasks[refused.tasks[wrong]]["configuration"]


def test_a_copy_with_a_wrong_parameter_says_what_to_correct_where_and_in_both_languages(refused: Refused) -> None:
    task = refused.tasks["wrong parameters"]
    status, message = stands(refused.server, task)
    where = f"a copy of it ({task}):1 Job/"
    japanese, english = message.split("\n\n")
    reason = "回答またはデータに直す必要があるところが見つかったため、実行できませんでした。"
    assert (status, japanese.splitlines()[0]) == ("failed", reason)
    for said_in in (japanese, english):
        assert [line.partition(": ")[0] for line in said_in.splitlines()[1:]] == [f"{where}code", f"{where}stubborn"]
    assert [one["code"] for one in results(refused.server, task)["problems"]] == ["too_big", "not_yes_no"]


def test_a_run_whose_time_is_over_is_ended_and_says_so(clearml_server: ClearML, tmp_path: Path) -> None:
    wanted = with_hours(counting(tmp_path, seconds=60, stubborn=True), 0.001)
    task = sent(clearml_server, wanted)
    assert start(clearml_server, task, tmp_path) == 1
    assert stands(clearml_server, task) == (
        "failed",
        "実行時間の上限を超えたため、打ち切りました。\n\nIt ran longer than it was allowed to and was ended.",
    )
    assert (results(clearml_server, task)["state"], results(clearml_server, task)["code"]) == ("failed", "time_limit")


def test_a_copy_of_a_template_runs_from_its_parameters_where_the_desk_allows_it(
    clearml_server: ClearML, tmp_path: Path
) -> None:
    task = copied_template(clearml_server, tmp_path)
    assert start(clearml_server, task, tmp_path, DENPYO_RUNS=str(tmp_path / "runs")) == 0
    assert starts(tmp_path) == 1
    assert results(clearml_server, task)["state"] == "done"
    assert "\n  trust: claimed\n" in (tmp_path / "runs" / f"{task}.1" / "slip.yaml").read_text(encoding="utf-8")


def test_what_cannot_be_uploaded_is_said_and_takes_nothing_else_along(clearml_server: ClearML, tmp_path: Path) -> None:
    task = sent(clearml_server, counting(tmp_path, "en"))
    clearml_server.fault("tasks.add_or_update_artifacts", "fail", 100, status=400)
    assert start(clearml_server, task, tmp_path) == 0
    (warning,) = results(clearml_server, task)["warnings"]
    assert warning.startswith("ClearML did not take all of it; what is missing lies on the agent, in ")
    kept = tmp_path / "home" / ".cache" / "denpyo" / "runs" / "7k3m.1"
    assert warning.endswith(f"{kept}: result.json, output/metrics.json, summary.html")
    assert (kept / "result.json").is_file()


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again(clearml_server: ClearML, tmp_path: Path) -> None:
    task = sent(clearml_server, counting(tmp_path))
    clearml_server.fault("tasks.edit_hyper_params", "drop_after")
    clearml_server.fault("tasks.edit_configuration", "drop_before")
    assert start(clearml_server, task, tmp_path) == 0
    assert (starts(tmp_path), results(clearml_server, task)["state"]) == (1, "done")


def test_a_kind_that_cannot_be_read_fails_the_task_with_its_file(clearml_server: ClearML, tmp_path: Path) -> None:
    task = sent(clearml_server, counting(tmp_path, "en"))
    of_another = {"name": "result", "type": "json", "value": '{"state": "done", "metrics": {}}', "description": ""}
    call(clearml_server, "tasks.started", task=task)
    call(clearml_server, "tasks.edit_configuration", task=task, configuration=[of_another], force=True)
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "wrong.py").write_text("1 / 0", encoding="utf-8")
    assert start(clearml_server, task, tmp_path, DENPYO_KINDS=str(tmp_path / "kinds")) == 1
    status, message = stands(clearml_server, task)
    english, japanese = message.split("\n\n")
    assert (status, starts(tmp_path)) == ("failed", 0)
    assert results(clearml_server, task) == {}  # that of the run which it is a copy of is gone
    assert english.startswith("A kind of this desk cannot be used; tell your operator: ")
    assert "wrong.py: ZeroDivisionError" in english
    assert japanese.startswith("このデスクの種類の定義が使えません。")


def test_without_a_server_there_is_one_line(clearml_server: ClearML, tmp_path: Path) -> None:
    task = sent(clearml_server, counting(tmp_path))
    wrong = {"CLEARML_API_SECRET_KEY": CANARY, "CLEARML_API_ACCESS_KEY": "nobody"}
    ended = run(clearml_server, task, tmp_path / "home", **wrong)
    assert (ended.returncode, starts(tmp_path)) == (1, 0)
    (line,) = ended.stderr.splitlines()
    assert line.startswith("denpyo: ClearML cannot be reached as clearml.conf says: ")
    assert CANARY not in ended.stdout + ended.stderr


def test_a_model_of_an_earlier_run_comes_from_the_registry(trained: Trained, tmp_path: Path) -> None:
    wanted = request("inference", {"model_id": "m-7k3m-1", "dataset_id": "wine"}, id="8x2p")
    task = sent(trained.server, wanted)
    assert run(trained.server, task, tmp_path).returncode == 0
    found = results(trained.server, task)
    assert found["artifacts"] == ["predictions.csv"]
    assert found["metrics"]["accuracy"] == results(trained.server, trained.task)["metrics"]["accuracy"]


FETCH = """
import os, sys
from pathlib import Path
from jobs.report_clearml import ReportError, Reports
there = Reports(os.environ["CLEARML_TASK_ID"])
for name in sys.argv[2:]:
    try:
        there.fetch_model(name, Path(sys.argv[1], name))
        print("> fetched", name)
    except ReportError as error:
        print(">", error)
"""


def registered(server: ClearML, task: str, id: str, onnx: bytes, card: str, **more: str) -> str:
    """A model that a task has registered, after it has noted that it runs; the address of its file."""
    call(server, "tasks.edit_hyper_params", task=task, hyperparams=[said("started", f"{task} now")], force=True)
    uri = f"{server.files_url}/{task}/{hashlib.sha256(onnx).hexdigest()}.onnx"
    server.files.put(uri.removeprefix(server.files_url), onnx)
    call(server, "models.create", **{"name": id, "uri": uri, "task": task, "design": {"design": card}, **more})
    return uri


def card(onnx: bytes) -> str:
    return json.dumps({"files": {"model.onnx": hashlib.sha256(onnx).hexdigest()}})


def test_a_model_is_that_of_its_own_run_and_has_the_bytes_of_its_card(clearml_server: ClearML, tmp_path: Path) -> None:
    there = clearml_server
    tasks = {id: sent(there, counting(tmp_path, id=id)) for id in ("own", "gone", "nowhere", "swapped")}
    other = sent(there, counting(tmp_path, id="other"))
    copy = copied(there, tasks["own"])
    registered(there, other, "m-own-1", b"other", card(b"other"))
    registered(there, tasks["own"], "m-own-1", b"own", card(b"own"))
    there.files.delete(registered(there, tasks["gone"], "m-gone-1", b"gone", "{}").removeprefix(there.files_url))
    registered(there, tasks["nowhere"], "m-nowhere-1", b"", "{}", uri="s3://nowhere/model.onnx")
    registered(there, tasks["swapped"], "m-swapped-1", b"swapped", card(b"what it was"))
    call(there, "models.create", name="m-own-1", uri=f"{there.files_url}/copy", task=copy)
    registered(there, other, f"m-{copy}-1", b"other", card(b"other"))
    registered(there, copy, f"m-{copy}-1", b"copy", card(b"copy"))
    names = ("m-own-1", f"m-{copy}-1", "m-gone-1", "m-nowhere-1", "m-swapped-1", "own")
    lines = programmed(there, other, tmp_path, FETCH, str(tmp_path), *names)
    assert [line.partition(": ")[0].replace(copy, "COPY") for line in lines if line.startswith("> ")] == [
        "> fetched m-own-1",
        "> fetched m-COPY-1",
        "> ClearML has no model m-gone-1 whose file can be fetched",
        "> s3://nowhere/model.onnx",
        "> the model m-swapped-1 at ClearML is not the one that its run has made",
        "> ClearML has no model own whose file can be fetched",
    ]
    assert (tmp_path / "m-own-1" / "model.onnx").read_bytes() == b"own"
    assert (tmp_path / f"m-{copy}-1" / "model.onnx").read_bytes() == b"copy"


LOGGED_OUT = """
import os, requests
from jobs import report_clearml
report_clearml.PAUSES = (0.0, 0.0)
there = report_clearml.Reports(os.environ["CLEARML_TASK_ID"])
for times in (1, 2):
    fault = {"endpoint": "auth.login", "trouble": "fail", "times": times, "status": 500}
    requests.post(os.environ["CONTROL"], json=fault, timeout=30)
    try:
        there.result(str(times))
        print("taken")
    except report_clearml.ReportError as error:
        print(error)
"""


def test_a_server_that_does_not_log_in_again_is_asked_again_and_then_given_up(
    clearml_server: ClearML, tmp_path: Path
) -> None:
    task = sent(clearml_server, counting(tmp_path))
    always = "api.auth.request_token_expiration_sec: 30"  # which is less than the SDK wants to have left before a call
    lines = programmed(clearml_server, task, tmp_path, LOGGED_OUT, more=always)
    assert lines == ["taken", "tasks.edit_configuration: LoginError"]
    assert results(clearml_server, task) == 1


LARGE = """
import os, sys, tracemalloc
from pathlib import Path
from jobs.report_clearml import Reports

class Elsewhere(Reports):
    def upload(self, file, name):
        return "https://example.jp/large"

there = Elsewhere(os.environ["CLEARML_TASK_ID"])
tracemalloc.start()
there.artifact(Path(sys.argv[1]), "large")
print(tracemalloc.get_traced_memory()[1] < 2_000_000)
"""


def test_a_large_file_is_never_in_memory_as_a_whole(clearml_server: ClearML, tmp_path: Path) -> None:
    file, beginning = tmp_path / "large.txt", "赤い\r\n" * 300
    file.write_bytes(beginning.encode() + b"\xff" * 8_000_000)
    task = sent(clearml_server, counting(tmp_path))
    assert programmed(clearml_server, task, tmp_path, LARGE, str(file)) == ["True"]
    (told,) = clearml_server.tasks[task]["execution"]["artifacts"]
    assert (told["hash"], told["content_size"]) == (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size)
    assert told["type_data"]["preview"] == beginning[:1000]


def programmed(server: ClearML, task: str, folder: Path, program: str, *words: str, more: str = "") -> list[str]:
    """What a program prints that runs for a task."""
    call(server, "tasks.started", task=task, force=True)
    told = environment(server, task, folder / "home", CONTROL=f"{server.url}/standin/fault")
    told["CLEARML_CONFIG_FILE"] = str(server.write_conf(folder, more=more))
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_dataset_of_clearml_is_fetched_by_its_id_or_by_the_name_that_the_desk_gave_it(
    clearml_server: ClearML, tmp_path: Path
) -> None:
    dataset = uploaded(clearml_server, tmp_path)
    named = request("column_statistics", {"dataset_id": "harvest"}, folders=[EXAMPLE_KINDS])
    by_id = request("column_statistics", {"dataset_id": dataset}, id="8x2p", folders=[EXAMPLE_KINDS])
    tasks = [sent(clearml_server, one) for one in (named, by_id)]
    said_by_desk = said("clearml_dataset", dataset)
    call(clearml_server, "tasks.edit_hyper_params", task=tasks[0], hyperparams=[said_by_desk], force=True)
    statuses = run_each(clearml_server, tasks, tmp_path / "home", DENPYO_KINDS=str(EXAMPLE_KINDS))
    assert statuses == [0, 0]
    for task in tasks:
        assert results(clearml_server, task)["metrics"] == {"rows": 2, "columns": 1, "number_columns": 1}


def uploaded(server: ClearML, folder: Path) -> str:
    """The id of a ClearML Dataset in the layout of a dataset's folder, made with the SDK by a process of its own."""
    write_dataset(folder, "made", ["a"], [[1], [2]], [[3]])
    program = (
        "import sys; from clearml import Dataset\n"
        "made = Dataset.create(dataset_name='harvest', dataset_project='data')\n"
        "made.add_files(sys.argv[1]); made.upload(); made.finalize(); print('id', made.id)\n"
    )
    told = {name: value for name, value in environment(server, "", folder / "home").items() if value}
    quick = "sdk.development.report_use_subprocess: false"
    told["CLEARML_CONFIG_FILE"] = str(server.write_conf(folder, more=quick))
    words = [sys.executable, "-c", program, str(folder / "made")]
    done = subprocess.run(words, env=told, capture_output=True, text=True, check=True, timeout=120)
    found = re.search(r"(?m)^id ([0-9a-f]{32})$", done.stdout)
    assert found
    return found[1]


def test_a_model_that_the_registry_does_not_have_is_said_to_the_person(clearml_server: ClearML, tmp_path: Path) -> None:
    wanted = request("inference", {"model_id": "m-none-1", "dataset_id": "wine"}, "ja")
    task = sent(clearml_server, wanted)
    ended = run(clearml_server, task, tmp_path)
    assert [one["code"] for one in results(clearml_server, task)["problems"]] == ["no_model"]
    assert "denpyo: ClearML has no model m-none-1 whose file can be fetched" in ended.stderr.splitlines()
    japanese, english = stands(clearml_server, task)[1].split("\n\n")
    assert japanese.splitlines()[1].startswith("7k3m:model_id: ")
    assert english.splitlines()[1].endswith(" [no_model]")


def test_of_two_that_begin_a_task_at_once_one_goes_on(
    clearml_server: ClearML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = sent(clearml_server, counting(tmp_path))
    call(clearml_server, "tasks.started", task=task, force=True)
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    for name, value in clearml_server.environment().items():
        monkeypatch.setenv(name, value)
    both = [Reports(task), Reports(task)]
    with ThreadPoolExecutor(2) as at_once:
        assert sorted(at_once.map(lambda one: one.note_started(60), both)) == [False, True]
    assert both[0].is_at_work()
    both[0].note_alive(-600)
    assert not both[1].is_at_work()
    both[0].note_alive(60)
    assert both[1].is_at_work()
    call(clearml_server, "tasks.completed", task=task)
    assert not both[1].is_at_work()


def test_a_second_delivery_of_a_task_that_runs_leaves_it_alone(clearml_server: ClearML, tmp_path: Path) -> None:
    task = sent(clearml_server, counting(tmp_path, seconds=6))
    call(clearml_server, "tasks.started", task=task, force=True)
    told = environment(clearml_server, task, tmp_path / "home", DENPYO_KINDS=str(KINDS))
    first, second = (
        subprocess.Popen([sys.executable, "-m", "jobs"], cwd=ROOT, env=told, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    wait_until(
        lambda: first.poll() is not None or second.poll() is not None, within=60
    )  # then its agent reports its end
    call(clearml_server, "tasks.completed", task=task, force=True)
    printed = first.communicate(timeout=60)[1] + second.communicate(timeout=60)[1]
    assert (first.returncode, second.returncode) == (0, 0), printed
    assert "another process runs it" in printed
    assert starts(tmp_path) == 1
    assert results(clearml_server, task)["state"] == "done"
    assert clearml_server.tasks[task]["status"] == "completed"


def test_a_task_whose_process_has_gone_silent_has_started_before(clearml_server: ClearML, tmp_path: Path) -> None:
    task = sent(clearml_server, counting(tmp_path))
    noted = {"started": f"{task} 2026-11-21T00:00:00Z", "alive": f"{task} 1"}
    call(clearml_server, "tasks.started", task=task, force=True)
    call(
        clearml_server,
        "tasks.edit_hyper_params",
        task=task,
        force=True,
        hyperparams=[said(*one) for one in noted.items()],
    )
    assert start(clearml_server, task, tmp_path, DENPYO_KINDS=str(KINDS)) == 1
    assert starts(tmp_path) == 0
    assert stands(clearml_server, task)[0] == "failed"


def test_answers_that_were_edited_after_the_check_are_said_and_not_run(clearml_server: ClearML, tmp_path: Path) -> None:
    asked = counting(tmp_path)
    task = sent(clearml_server, asked)
    noted = clearml_server.tasks[task]["hyperparams"]
    noted["1 Job"] = {
        name: said(name, value, "1 Job") for name, value in {"name": "two", "file": str(tmp_path / "other")}.items()
    }
    assert start(clearml_server, task, tmp_path, DENPYO_KINDS=str(KINDS)) == 0
    assert starts(tmp_path) == 1
    assert not (tmp_path / "other").exists()
    (warning,) = results(clearml_server, task)["warnings"]
    assert warning.startswith("このタスクの画面の答えは、デスクが確認したあとで書き換えられています。")


def test_a_text_that_clearml_takes_for_nothing_is_no_edit() -> None:
    assert on_agent._said({"note": "null", "name": "one"}) == on_agent._said({"note": None, "name": "one"})
    assert on_agent._said({"note": "None"}) != on_agent._said({"note": "another"})
