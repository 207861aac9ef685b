"""The stand-in is no kinder than the real server: what it refuses, and what it does where one would not expect it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from jsonschema import Draft7Validator

from tests.standins.clearml import ClearML, schemas
from tests.standins.clearml.client import Client
from tests.standins.clearml.endpoints import ENDPOINTS

LR = {"section": "hyperparameters", "name": "lr", "value": "0.1", "type": "float", "description": "learning rate"}


@pytest.fixture
def client(clearml_server: ClearML) -> Iterator[Client]:
    with Client(clearml_server) as made:
        yield made


def test_every_schema_of_the_sdk_is_one_and_every_endpoint_built_has_two() -> None:
    bundled = schemas._bundled()
    for sides in bundled.values():
        for schema in sides.values():
            Draft7Validator.check_schema(schema)
    assert set(ENDPOINTS) <= schemas.known()
    assert len(bundled) > 140


@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        ({}, "401/20 Unauthorized (missing credentials)"),
        (
            {"auth": ("DESK________________", "wrong")},
            "401/22 Unauthorized (invalid credentials) (failed to locate provided credentials)",
        ),
        (
            {"headers": {"Authorization": "Bearer a.b.c"}},
            "401/30 Invalid token (invalid jwt token): reason=Signature verification failed",
        ),
    ],
    ids=["none", "wrong", "forged"],
)
def test_whoever_has_no_credentials_is_refused(clearml_server: ClearML, authorization: Any, said: str) -> None:
    meta = requests.post(f"{clearml_server.url}/tasks.get_all", timeout=10, **authorization).json()["meta"]
    assert f"{meta['result_code']}/{meta['result_subcode']} {meta['result_msg']}" == said


def test_a_token_from_login_is_taken_and_tells_the_api_version(clearml_server: ClearML, client: Client) -> None:
    token = client("auth.login")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (
        requests.get(f"{clearml_server.url}/users.get_current_user", headers=headers, timeout=10).json()["data"][
            "user"
        ]["name"]
        == "desk"
    )


def test_an_endpoint_that_the_server_does_not_have_is_not_found(client: Client) -> None:
    assert client.refused("tasks.cook") == "404/0 Unable to find endpoint for name tasks.cook and version 2.23"


UNEXPECTED = "Additional properties are not allowed"


@pytest.mark.parametrize(
    ("endpoint", "fields", "said"),
    [
        (
            "tasks.create",
            {"name": "a task", "type": "training", "labels": []},
            f".: {UNEXPECTED} ('labels' was unexpected)",
        ),
        (
            "tasks.create",
            {"name": "a task", "type": "training", "script": {"repo": "x"}},
            f"script: {UNEXPECTED} ('repo' was",
        ),
        ("tasks.create", {"type": "training"}, ".: 'name' is a required property"),
        ("tasks.create", {"name": "a task", "type": "cooking"}, "type: 'cooking' is not one of"),
        (
            "tasks.edit_hyper_params",
            {"task": "x", "hyperparams": [{"value": 1}]},
            "hyperparams.0.value: 1 is not of type 'string'",
        ),
        ("tasks.archive_many", {"ids": []}, "ids: needs at least one"),
    ],
    ids=["unknown", "unknown inside", "missing", "no such type", "a number for text", "nothing at all"],
)
def test_a_request_that_the_schema_does_not_know_is_refused(
    client: Client, endpoint: str, fields: Any, said: str
) -> None:
    assert client.refused(endpoint, **fields).startswith(f"400/12 Validation error ({said}")


@pytest.mark.parametrize(
    ("endpoint", "fields", "said"),
    [
        (
            "tasks.create",
            {"name": " ab ", "type": "training"},
            "400/800 Data validation error: name=String value is too short",
        ),
        ("queues.create", {"name": "ab"}, "400/800 Data validation error: name=String value is too short"),
        (
            "models.create",
            {"name": "ab", "uri": "file:///x"},
            "400/800 Data validation error: name=String value is too short",
        ),
        ("projects.create", {"name": "denpyo/ab"}, "400/12 Validation error (Project name cannot be blank)"),
    ],
)
def test_a_name_shorter_than_three_characters_is_refused(client: Client, endpoint: str, fields: Any, said: str) -> None:
    assert client.refused(endpoint, **fields) == said


def test_a_project_is_made_with_its_parents_and_not_twice(client: Client) -> None:
    client("projects.create", name="denpyo/templates")
    found = client("projects.get_all", order_by=["name"], only_fields=["name", "basename"])["projects"]
    assert found == [{"name": "denpyo", "basename": "denpyo"}, {"name": "denpyo/templates", "basename": "templates"}]
    assert client.refused("projects.create", name="denpyo//templates").startswith(
        "400/801 Project with the same name already exists: name=denpyo/templates"
    )


def test_an_id_sent_along_is_ignored(clearml_server: ClearML, client: Client) -> None:
    asked = "0" * 32
    assert client.task(id=asked) != asked
    assert asked not in clearml_server.tasks


def test_an_answer_that_does_not_fit_is_a_fault_of_the_stand_in() -> None:
    with ClearML() as server, Client(server) as client:
        task = client.task()
        server.tasks[task]["last_iteration"] = "three"
        assert client.refused("tasks.get_by_id", task=task).startswith("500/0 General server error")
        assert server.faults == ["tasks.get_by_id: [\"task.last_iteration: 'three' is not of type 'integer', 'null'\"]"]


def test_a_clone_has_what_the_other_has_but_neither_its_queue_nor_its_run(
    clearml_server: ClearML, client: Client
) -> None:
    script = {"repository": "https://example.com/jobs.git", "version_num": "abc", "entry_point": "-m jobs"}
    slip = {"slip": {"name": "slip", "value": "kind: a\n", "type": "yaml"}}
    first = client.task(
        tags=["b", "a"], system_tags=["archived", "kept"], comment="why", script=script, configuration=slip, container={"image": "x"},
        hyperparams={"hyperparameters": {"lr": LR}}, runtime={"left": "behind"},
    )  # fmt: skip
    client("tasks.enqueue", task=first, queue_name="gpu")
    second = client("tasks.clone", task=first, new_task_name="", new_task_tags=["rid:1"])["id"]
    found = clearml_server.tasks[second]
    assert {
        key: found[key]
        for key in ("name", "comment", "status", "parent", "tags", "system_tags", "execution", "runtime")
    } == {
        "name": "a task",
        "comment": "why",
        "status": "created",
        "parent": first,
        "tags": ["rid:1"],
        "system_tags": ["kept"],
        "execution": {},
        "runtime": {},
    }
    assert found["script"]["version_num"] == "abc"
    assert found["configuration"] == slip
    assert found["container"] == {"image": "x"}
    assert found["hyperparams"] == {"hyperparameters": {"lr": LR}}
    assert client("tasks.clone", task=second)["id"] != second
    assert client("tasks.get_all", parent=first, only_fields=["name"])["tasks"] == [{"name": "a task"}] * 2


def test_a_hyperparameter_may_be_empty_and_never_null(client: Client) -> None:
    task = client.task()
    client("tasks.edit_hyper_params", task=task, hyperparams=[{**LR, "value": ""}])
    assert client("tasks.get_hyper_params", tasks=[task])["params"][0]["hyperparams"] == [{**LR, "value": ""}]
    copy = client("tasks.clone", task=task)["id"]
    assert client("tasks.get_hyper_params", tasks=[copy])["params"][0]["hyperparams"] == [{**LR, "value": ""}]
    nothing = {"hyperparameters": {"lr": {**LR, "value": None}}}
    assert client.refused("tasks.clone", task=task, new_task_hyperparams=nothing) == (
        "400/800 Data validation error: hyperparams=Field is required: ['value']"
    )
    assert client.refused("tasks.edit", task=task, hyperparams={"": {}, "a": {"": LR}}).startswith(
        "400/800 Data validation error"
    )


def test_parameters_of_a_queued_task_stay_and_user_properties_may_still_change(client: Client) -> None:
    task = client.task()
    client("tasks.enqueue", task=task, queue_name="gpu")
    said = "400/110 Invalid task status: expected=created, status=queued"
    assert client.refused("tasks.edit_hyper_params", task=task, hyperparams=[LR]) == said
    assert client.refused("tasks.edit_hyper_params", task=task, hyperparams=[LR], force=True) == said
    assert client.refused("tasks.edit_configuration", task=task, configuration=[{"name": "slip", "value": "x"}]) == said
    assert client.refused("tasks.edit", task=task, comment="x") == said
    client("tasks.edit", task=task, comment="x", force=True)
    client("tasks.edit_hyper_params", task=task, hyperparams=[{"section": "Properties", "name": "sha", "value": "1"}])
    found = client("tasks.get_hyper_params", tasks=[task])["params"][0]["hyperparams"]
    assert found == [{"section": "properties", "name": "sha", "value": "1"}]


def test_a_second_enqueue_is_refused_and_the_task_is_still_queued_once(clearml_server: ClearML, client: Client) -> None:
    task = client.task()
    assert client("tasks.enqueue", task=task, queue_name="gpu", verify_watched_queue=True)["queue_watched"] is False
    said = f"400/706 Failed adding task to queue since task is already queued: task={task}"
    assert client.refused("tasks.enqueue", task=task, queue_name="gpu") == said
    (queue,) = clearml_server.queues.values()
    assert [one["task"] for one in queue["entries"]] == [task]
    assert client.status(task) == ("queued", "")
    client("workers.register", worker="host:0", queues=[queue["id"]])
    assert (
        client("tasks.enqueue", task=client.task(), queue_name="gpu", verify_watched_queue=True)["queue_watched"]
        is True
    )


def test_in_another_queue_a_task_is_in_no_other(clearml_server: ClearML, client: Client) -> None:
    task = client.task()
    for queue in ("gpu", "cpu"):
        client("tasks.enqueue", task=task, queue_name=queue)
    assert [(one["name"], len(one["entries"])) for one in clearml_server.queues.values()] == [("gpu", 0), ("cpu", 1)]


STATUSES = "created queued in_progress stopped closed failed publishing published completed"


@pytest.mark.parametrize(
    ("call", "becomes", "follows"),
    [
        ("enqueue", "queued", "created queued stopped failed"),
        ("started", "in_progress", "created queued in_progress stopped completed"),
        ("completed", "completed", "in_progress stopped completed"),
        ("failed", "failed", "in_progress stopped closed failed"),
        ("stopped", "stopped", "queued in_progress stopped closed failed"),
        ("publish", "published", "stopped closed failed publishing completed"),
        ("reset", "created", "created queued in_progress stopped closed failed completed"),
    ],
)
def test_a_status_follows_only_where_the_real_server_lets_it(
    clearml_server: ClearML, client: Client, call: str, becomes: str, follows: str
) -> None:
    fields = {"queue_name": "gpu"} if call == "enqueue" else {}
    taken = []
    for status in STATUSES.split():
        task = client.task()
        clearml_server.tasks[task]["status"] = status
        code, subcode, _, _ = client.sent(f"tasks.{call}", task=task, **fields)
        assert (code, subcode, client.status(task)[0]) in ((200, 0, becomes), (400, 110, status))
        taken += [status] if code == 200 else []
    assert " ".join(taken) == follows


def test_failed_stopped_and_archived_tasks_may_be_enqueued_and_completed_ones_not(client: Client) -> None:
    failed, stopped, archived, completed = (client.task() for _ in range(4))
    for task, end in ((failed, "failed"), (stopped, "stopped"), (completed, "completed")):
        client("tasks.started", task=task)
        client(f"tasks.{end}", task=task)
    client("tasks.archive_many", ids=[archived])
    for task in (failed, stopped, archived):
        client("tasks.enqueue", task=task, queue_name="gpu")
    assert client.refused("tasks.enqueue", task=completed, queue_name="gpu").startswith("400/110 ")


def test_what_stopping_does_depends_on_who_runs_the_task(client: Client) -> None:
    draft, queued, alone, run = (client.task() for _ in range(4))
    client("tasks.enqueue", task=queued, queue_name="gpu")
    for task in (alone, run):
        client("tasks.started", task=task)
    client("workers.register", worker="host:0")
    client("workers.status_report", worker="host:0", task=run, timestamp=int(time.time() * 1000))
    assert client.refused("tasks.stop", task=draft).endswith("current_status=created, new_status=stopped")
    for task in (queued, alone, run):
        client("tasks.stop", task=task)
    assert [client.status(one) for one in (queued, alone, run)] == [
        ("stopped", "Stopped by desk"),
        ("stopped", "Stopped by desk"),
        ("in_progress", "stopping"),
    ]
    assert client("queues.get_all")["queues"][0]["entries"] == []


def test_a_reset_leaves_a_draft_without_what_the_run_left(clearml_server: ClearML, client: Client) -> None:
    task = client.task(hyperparams={"hyperparameters": {"lr": LR}})
    client("tasks.enqueue", task=task, queue_name="gpu")
    client("queues.get_next_task", queue=next(iter(clearml_server.queues)))
    client("tasks.started", task=task)
    client("events.add", type="training_stats_scalar", task=task, metric="loss", variant="train", value=1.0, iter=3)
    client("tasks.failed", task=task, status_reason="no data", status_message="the message")
    assert client.status(task) == ("failed", "the message")
    client("tasks.reset", task=task)
    found = client("tasks.get_by_id", task=task)["task"]
    gone = {"started", "completed", "last_worker"} & set(found)
    assert (found["status"], found["status_message"], found["last_iteration"], found["last_metrics"], gone) == (
        "created",
        "reset",
        0,
        {},
        set(),
    )
    assert found["hyperparams"] == {"hyperparameters": {"lr": LR}}
    assert client("events.get_task_log", task=task)["events"] == []
