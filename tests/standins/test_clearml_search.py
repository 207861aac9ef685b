"""Searching the stand-in, and what goes wrong on the way to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.standins.clearml import ClearML
from tests.standins.clearml.client import Client
from tests.standins.waiting import wait_until


@pytest.fixture
def client(clearml_server: ClearML) -> Iterator[Client]:
    with Client(clearml_server) as made:
        yield made


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["a"], "ab a"),
        (["a", "b"], "ab a b"),
        (["__$all", "a", "b"], "ab"),
        (["__$and", "a", "b"], "ab"),
        (["__$or", "a", "b"], "ab a b"),
        (["-a"], "b c"),
        (["__$not", "a"], "b c"),
        (["__$all", "a", "__$not", "b"], "a"),
        (["__$all", "b", "-a"], "b"),
        (["b", "-a"], "ab b c"),
    ],
)
def test_tags_are_searched_with_the_servers_operators(client: Client, tags: list[str], found: str) -> None:
    for name in ("ab ", "a  ", "b  ", "c  "):
        client.task(name=f"task {name}", tags=[one for one in name if one in "ab"])
    seen = client("tasks.get_all", tags=tags, only_fields=["name"])["tasks"]
    assert " ".join(one["name"].removeprefix("task ") for one in seen) == found


def test_no_answer_has_more_than_500_tasks_and_pages_follow_an_order(clearml_server: ClearML, client: Client) -> None:
    task = clearml_server.tasks[client.task()]
    clearml_server.tasks.update(
        {f"{number:032}": {**task, "id": f"{number:032}", "name": f"{number:03}"} for number in range(510)}
    )
    del clearml_server.tasks[task["id"]]
    assert len(client("tasks.get_all", only_fields=["id"])["tasks"]) == 500
    assert len(client("tasks.get_all", only_fields=["id"], page=0, page_size=900)["tasks"]) == 500
    page = client("tasks.get_all", only_fields=["name"], order_by=["-name"], page=1, page_size=2)["tasks"]
    assert page == [{"name": "507"}, {"name": "506"}]
    assert client.refused("tasks.get_all", page=-1, page_size=2).startswith("400/12 Validation error (page")


def test_only_the_fields_asked_for_are_answered_not_even_the_id(client: Client) -> None:
    task = client.task(project=client("projects.create", name="denpyo")["id"])
    client("tasks.enqueue", task=task, queue_name="gpu")
    (found,) = client("tasks.get_all", id=[task], only_fields=["status", "execution.queue"])["tasks"]
    (queue,) = client("queues.get_all", name="^gpu$", only_fields=["id"])["queues"]
    assert found == {"status": "queued", "execution": {"queue": queue["id"]}}


def test_names_are_patterns_and_a_status_is_one_of_several(client: Client) -> None:
    for name in ("run 1", "run 12", "other"):
        client.task(name=name)
    assert [one["name"] for one in client("tasks.get_all", name="^run", only_fields=["name"])["tasks"]] == [
        "run 1",
        "run 12",
    ]
    assert client("tasks.get_all", status=["queued", "failed"])["tasks"] == []
    assert len(client("tasks.get_all", status=["created"])["tasks"]) == 3


def test_who_made_a_task_stands_in_it(clearml_server: ClearML, client: Client) -> None:
    with Client(clearml_server, "person") as person:
        task = person("tasks.clone", task=client.task())["id"]
    user = client("tasks.get_all", id=[task], only_fields=["user"])["tasks"][0]["user"]
    assert [one["name"] for one in client("users.get_all", id=[user])["users"]] == ["person"]


def test_a_dropped_answer_comes_after_the_deed_and_a_dropped_call_before_it(
    clearml_server: ClearML, client: Client
) -> None:
    clearml_server.fault("tasks.create", "drop_after")
    clearml_server.fault("tasks.create", "drop_before")
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            client.task()
    assert len(clearml_server.tasks) == 1
    assert [endpoint for endpoint, _ in clearml_server.calls] == ["tasks.create"]
    client.task()
    assert len(clearml_server.tasks) == 2


def test_answers_come_late_or_not_at_all_as_a_test_asks_for(clearml_server: ClearML, client: Client) -> None:
    clearml_server.fault("*", "fail", status=503)
    assert client.refused("tasks.get_all") == "503/0 General server error"
    clearml_server.fault("tasks.get_all", "late", seconds=0.2)
    before = time.monotonic()
    client("tasks.get_all")
    assert time.monotonic() - before >= 0.2
    clearml_server.state.search_lag = 60.0
    task = client.task()
    assert client("tasks.get_all", id=[task])["tasks"] == []
    assert client.status(task) == ("created", "")


def test_curves_are_averaged_and_the_console_comes_latest_first_in_pages(client: Client) -> None:
    task = client.task()
    for number in range(4):
        client(
            "events.add",
            type="training_stats_scalar",
            task=task,
            metric="loss",
            variant="a",
            iter=number,
            value=float(number),
        )
        client("events.add", type="log", task=task, msg=str(number), timestamp=number)
    curves = client("events.scalar_metrics_iter_histogram", task=task, samples=2)
    assert curves == {"loss": {"a": {"name": "a", "x": [0, 2], "y": [0.5, 2.5]}}}
    assert client.refused("events.scalar_metrics_iter_histogram", task=task, samples=6001).startswith("400/12 ")
    page = client("events.get_task_log", task=task, batch_size=3)
    assert ([one["msg"] for one in page["events"]], page["total"]) == (["3", "2", "1"], 4)
    rest = client("events.get_task_log", task=task, batch_size=3, from_timestamp=page["events"][-1]["timestamp"])
    assert [one["msg"] for one in rest["events"]] == ["0"]
    assert client.refused("events.add", type="log", task="x", msg="y").startswith(
        "400/131 Events not added: Invalid task id x=1"
    )


def test_calls_of_one_session_share_a_connection(clearml_server: ClearML, client: Client) -> None:
    for _ in range(5):
        client("tasks.get_all")
    assert (len(clearml_server.calls), clearml_server.connections) == (5, 1)


def test_files_are_kept_as_they_were_sent(clearml_server: ClearML) -> None:
    address = f"{clearml_server.files_url}/denpyo/a%20run/model.bin"
    assert requests.put(address, data=b"\x00model\r\n", timeout=10).status_code == 200
    assert requests.get(address, timeout=10).content == b"\x00model\r\n"
    posted = requests.post(clearml_server.files_url, files={"denpyo/b.bin": ("b.bin", b"\x01\r\n\n")}, timeout=10)
    assert posted.json() == ["denpyo/b.bin"]
    assert requests.get(f"{clearml_server.files_url}/denpyo/b.bin", timeout=10).content == b"\x01\r\n\n"
    assert requests.delete(address, timeout=10).status_code == 200
    assert requests.get(address, timeout=10).status_code == 404


def test_it_also_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    ports = tmp_path / "ports.json"
    command = [sys.executable, "-m", "tests.standins.clearml", "--port-file", str(ports), "--conf", str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "."}) as process:
        try:
            wait_until(ports.exists, within=20)
            url = json.loads(ports.read_text(encoding="utf-8"))["url"]
            fault: Any = {"endpoint": "auth.login", "trouble": "fail", "times": 1, "status": 500}
            requests.post(f"{url}/standin/fault", json=fault, timeout=10)
            assert [requests.get(f"{url}/auth.login", timeout=10).status_code for _ in range(2)] == [500, 401]
            seen = requests.get(f"{url}/standin/calls", timeout=10).json()
            assert (seen["calls"], seen["faults"]) == ([["auth.login", ""]], [])
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert f"api_server: {url}" in (tmp_path / "clearml.conf").read_text(encoding="utf-8")
