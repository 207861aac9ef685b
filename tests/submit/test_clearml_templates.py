"""``denpyo clearml sync`` and ``rollback``, against a server that keeps ClearML's schemas and rules."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from denpyo import app
from schema.words import Words
from submit import terminal
from submit.clearml_templates import rollback, sync
from submit.desk import Desk, DeskError, open_desk
from submit.engines import EngineDownError
from submit.engines.clearml_server import Server
from submit.ledger import verify
from submit.made_templates import templates_of
from tests.desks import clearml_desk_in
from tests.standins.clearml import ClearML

READING = ("auth.login", "tasks.get_all", "projects.get_all", "queues.get_all")
KIND = "count_starts"


@pytest.fixture
def desk(tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    for name, value in clearml_server.environment().items():
        monkeypatch.setenv(name, value)
    return clearml_desk_in(tmp_path / "desk")


def person(server: ClearML, name: str = "person") -> Server:
    """Somebody else at the server."""
    who = server.user(name)
    return Server(server.url, server.web_url, (who.access_key, who.secret_key))


def reworded(desk: Desk, title: str) -> Desk:
    """The desk after somebody has edited the class of its kind."""
    kind = desk.kinds[KIND]
    return replace(desk, kinds={**desk.kinds, KIND: replace(kind, form=replace(kind.form, title=Words(title)))})


def live(server: ClearML) -> list[str]:
    """The names of the templates that people see, in the order in which they were made."""
    return [
        str(one["name"])
        for one in server.tasks.values()
        if "template" in one["tags"] and "archived" not in one["system_tags"]
    ]


def written(server: ClearML, start: int = 0) -> Counter[str]:
    return Counter(name for name, _ in server.calls[start:] if name not in READING)


def test_every_kind_gets_a_template_in_each_language(desk: Desk, clearml_server: ClearML) -> None:
    found = sync(desk, [])
    assert {(one.kind, one.language, one.number) for one in found} == {
        (kind, language, 1) for kind in desk.kinds for language in ("ja", "en")
    }
    assert len(live(clearml_server)) == 2 * len(desk.kinds)
    assert [one["name"] for one in clearml_server.queues.values()] == ["denpyo"]
    (task,) = [
        one
        for one in clearml_server.tasks.values()
        if one["name"] == "Train a model on labelled data (train_supervised)"
    ]
    assert clearml_server.projects[task["project"]]["name"] == "denpyo/templates"
    assert task["status"] == "created"
    assert [one for one in task["tags"] if not one.startswith("template:")] == [
        "denpyo",
        "template",
        "train_supervised",
    ]
    assert (task["script"]["entry_point"], "slip" in task["configuration"]) == ("-m jobs", False)
    noted = {name: one["value"] for name, one in task["hyperparams"]["properties"].items()}
    assert {name: noted.get(name) for name in ("kind", "version", "language", "template", "ticket", "direct")} == {
        "kind": "train_supervised",
        "version": "1",
        "language": "en",
        "template": "1",
        "ticket": None,
        "direct": None,
    }
    assert task["hyperparams"]["3 hyperparameters xgboost"]["learning_rate"]["value"] == "0.3"


def test_twice_in_a_row_changes_nothing(desk: Desk, clearml_server: ClearML) -> None:
    sync(desk, [KIND])
    with desk.ledger() as ledger:
        size = ledger.size()
    before = len(clearml_server.calls)
    assert [one.steps for one in sync(desk, [KIND])] == [(), ()]
    assert written(clearml_server, before) == Counter()
    with desk.ledger() as ledger:
        assert ledger.size() == size


def test_dry_run_says_what_would_be_done_and_writes_nothing(desk: Desk, clearml_server: ClearML) -> None:
    found = sync(desk, [KIND], dry_run=True)
    assert [one.steps for one in found] == [
        ("make the queue denpyo", "make template 1 (version 1)", "show template 1"),
        ("make template 1 (version 1)", "show template 1"),
    ]
    assert written(clearml_server) == Counter()
    with desk.ledger() as ledger:
        assert [one.action for one in ledger.entries()] == ["made"]


def test_a_kind_that_changed_gets_a_new_template_and_the_old_one_is_archived(
    desk: Desk, clearml_server: ClearML
) -> None:
    sync(desk, [KIND])
    found = sync(reworded(desk, "Count better"), [KIND])
    assert [one.steps for one in found] == [
        ("make template 2 (version 1)", "archive template 1", "show template 2"),
    ] * 2
    assert live(clearml_server) == ["Count better（count_starts）", "Count better (count_starts)"]
    assert len(clearml_server.tasks) == 4


def test_rollback_returns_to_the_one_before_and_sync_leaves_it_so(desk: Desk, clearml_server: ClearML) -> None:
    sync(desk, [KIND])
    before = live(clearml_server)
    changed = reworded(desk, "Count better")
    sync(changed, [KIND])
    found = rollback(changed, KIND)
    assert [one.steps for one in found] == [("return to template 1", "archive template 2", "show template 1")] * 2
    assert live(clearml_server) == before
    assert [one.steps for one in sync(changed, [KIND])] == [(), ()]
    sync(changed, [KIND], newest=True)
    assert live(clearml_server) == ["Count better（count_starts）", "Count better (count_starts)"]
    with desk.ledger() as ledger:
        actions = Counter(one.action for one in ledger.entries())
    assert actions == {"made": 1, "publishing": 4, "published": 6, "rolled_back": 2}
    assert verify(desk.folder / "ledger").ok


def test_there_is_nothing_before_the_first_template(desk: Desk) -> None:
    sync(desk, [KIND])
    with pytest.raises(DeskError, match="there is no earlier template of count_starts to return to"):
        rollback(desk, KIND)


@pytest.mark.parametrize(
    "edit",
    [
        {"name": "Mine now"},
        {"comment": ""},
        {"tags": ["denpyo"]},
        {"hyperparams": {"1 Job": {"name": {"section": "1 Job", "name": "name", "value": "x"}}}},
        {"script": {"repository": "https://example.com/other.git", "entry_point": "evil.py"}},
        {"container": {"image": "mine", "arguments": "", "setup_shell_script": "curl example.com | sh"}},
        {"system_tags": ["archived"]},
        {"status": "queued"},
        {"status": "completed"},
    ],
    ids=lambda edit: next(iter(edit)) + str(edit.get("status", "")),
)
def test_what_somebody_made_of_a_template_is_put_right(
    desk: Desk, clearml_server: ClearML, edit: dict[str, Any]
) -> None:
    sync(desk, [KIND])
    (row, _) = templates_of(desk.ledger())
    task = clearml_server.tasks[row.made[0].task]
    wanted = {name: task[name] for name in edit}
    task.update(edit)
    assert [(one.language, len(one.steps)) for one in sync(desk, [KIND])] == [("ja", 0), ("en", 1)]
    assert {name: task[name] for name in edit} == wanted
    assert [one.steps for one in sync(desk, [KIND])] == [(), ()]


def test_a_template_that_somebody_deleted_is_made_again(desk: Desk, clearml_server: ClearML) -> None:
    sync(desk, [KIND])
    clearml_server.tasks.clear()
    assert [one.steps for one in sync(desk, [KIND])] == [("make template 2 (version 1)", "show template 2")] * 2
    assert len(live(clearml_server)) == 2


def test_a_dataset_that_was_added_is_named_in_the_same_template(desk: Desk, clearml_server: ClearML) -> None:
    sync(desk, ["inference"])
    (desk.folder / "datasets" / "apples" / "raw").mkdir(parents=True)
    assert [one.steps for one in sync(desk, ["inference"])] == [("mend template 1: hyperparams",)] * 2
    said = [one["hyperparams"]["1 Job"]["dataset_id"]["description"] for one in clearml_server.tasks.values()]
    assert "There are today: apples, " in said[1]
    assert [one.steps for one in sync(desk, ["inference"])] == [(), ()]


def test_a_kind_that_is_gone_has_no_template_until_it_is_back(desk: Desk, clearml_server: ClearML) -> None:
    sync(desk, [])
    without = replace(desk, kinds={name: kind for name, kind in desk.kinds.items() if name != KIND})
    assert [one.steps for one in sync(without, []) if one.kind == KIND] == [("archive template 1",)] * 2
    assert [one.steps for one in sync(without, []) if one.kind == KIND] == [(), ()]
    assert [one.steps for one in sync(desk, []) if one.kind == KIND] == [("show template 1",)] * 2


def test_a_clone_is_never_taken_for_its_template(desk: Desk, clearml_server: ClearML) -> None:
    sync(desk, [KIND])
    ids = list(clearml_server.tasks)
    for id in ids:
        person(clearml_server).call("tasks.clone", task=id)
    for id in ids:
        del clearml_server.tasks[id]
    sync(desk, [KIND])
    assert [one.number for one in sync(desk, [KIND])] == [2, 2]


def test_wherever_it_breaks_off_the_next_try_ends_it_and_two_are_never_live(
    desk: Desk, clearml_server: ClearML
) -> None:
    sync(desk, [KIND])
    changed = reworded(desk, "Count better")
    broken = 0
    for trouble in ("drop_before", "drop_after"):
        for call in ("tasks.create", "tasks.archive_many", "tasks.unarchive_many"):
            changed = reworded(desk, f"Count {trouble} {call}")
            clearml_server.fault(call, trouble)
            with pytest.raises(EngineDownError):
                sync(changed, [KIND])
            broken += 1
            assert max(Counter(name.rsplit("t", 3)[0] + name[-1] for name in live(clearml_server)).values()) == 1
            sync(changed, [KIND])
            assert len(live(clearml_server)) == 2
            assert [one.steps for one in sync(changed, [KIND])] == [(), ()]
    assert broken == 6
    assert len(clearml_server.tasks) == 2 * (1 + broken)


def test_the_command_line_says_what_was_done(desk: Desk, clearml_server: ClearML) -> None:
    where = ["--desk", str(desk.folder)]
    said = CliRunner().invoke(app, ["clearml", "sync", KIND, *where]).output.splitlines()
    assert [one.split(" http")[0] for one in said] == [
        "make the queue denpyo",
        "make template 1 (version 1)",
        "show template 1",
        "clearml count_starts ja: template 1",
        "make template 1 (version 1)",
        "show template 1",
        "clearml count_starts en: template 1",
    ]
    sync(reworded(desk, "Count better"), [KIND])
    said = CliRunner().invoke(app, ["clearml", "rollback", KIND, *where]).output.splitlines()
    assert said[:3] == ["return to template 1", "archive template 2", "show template 1"]


def test_a_kind_that_is_not_there_is_said(desk: Desk) -> None:
    with pytest.raises(DeskError, match="there is no kind nothing: `denpyo kinds` lists those there are"):
        sync(desk, ["nothing"])


def test_what_was_done_is_told_as_json(desk: Desk, clearml_server: ClearML, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.templates(sync(desk, [KIND], dry_run=True), would="would ", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["done"] is False
    assert found["templates"][1] == {
        "kind": "count_starts",
        "language": "en",
        "number": 1,
        "url": "",
        "steps": ["make template 1 (version 1)", "show template 1"],
    }


def test_a_template_names_the_queue_that_this_desk_reads(desk: Desk, clearml_server: ClearML) -> None:
    with (desk.folder / "denpyo.toml").open("a", encoding="utf-8") as out:
        out.write('\n[sources.page]\nkind = "clearml"\nqueue = "requests"\n')
    sync(open_desk(desk.folder), ["train_supervised"])
    assert "requests" in [one["name"] for one in clearml_server.queues.values()]
    templates = [one for one in clearml_server.tasks.values() if "template" in one["tags"]]
    assert [("`requests`" in one["comment"], "`denpyo`" in one["comment"]) for one in templates] == [(True, False)] * 2
