"""Clones of templates that people put into one queue of a ClearML server, which only the desk reads.

A task is looked at while it waits there. What is good becomes that task's own run: the engine takes it up and enqueues it where it
goes. Everything else is taken out of the queue and is a draft again, that its owner can edit and enqueue once more, with what there is
to say in its status message (one call) and in its console. Until then it stays in the queue, so that whatever a crash leaves out
happens on the next look; and since the response is named after the task, it is one request however often it is looked at.

Whoever changed a task last answers for it, as the server tells (``last_changed_by``; apiserver/bll/task/utils.py): that is who enqueued
it, or who edited it since. Everybody on a server may edit everybody's drafts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from schema.problem import LONGEST_MESSAGE, Problem, shown
from schema.words import text
from submit import hand_off
from submit.desk import Desk
from submit.engines import EngineDownError, clearml
from submit.engines.clearml_adopt import DIRECT, name_of
from submit.engines.clearml_server import Server
from submit.engines.clearml_task import TAG, property_in
from submit.inbox import Delivery, SourceDownError
from submit.judging import Outcome
from submit.ledger import RunRow
from submit.made_templates import templates_of
from submit.response import UNVERIFIED, VERIFIED, Source, became
from submit.sources import ClearML
from submit.standing import standing

DOOR = ENGINE = "clearml"
AT_ONCE = 100
MOST_PAGES = 100
NOT_THEIRS_TO_MEND = ("not_allowed", "no_policy", "not_from_template", "newer_template", "changed_template")
"""What no other parameter puts right: the problem itself says what to do."""
MOST = 100
"""Problems that are listed."""
LOOKED_AT = ["id", "user", "last_changed_by", "status", "hyperparams"]
RUNS_AMONG = "SELECT engine_id FROM runs WHERE engine_id IN (SELECT value FROM json_each(?))"
REASON = "denpyo"
Task = Mapping[str, Any]


def open_inbox(desk: Desk, name: str, settings: ClearML) -> ClearMLInbox:
    """DeskError where the server or the credentials are not named."""
    return ClearMLInbox(desk, settings, clearml.server(desk))


@dataclass
class ClearMLInbox:
    """One queue."""

    desk: Desk
    settings: ClearML
    server: Server

    def look(self, place: str) -> Iterator[Delivery]:
        """What waits in the queue, the first of it first: the queue itself tells what is still to do. Then, where that is allowed,
        the clones that went straight to an agent since ``place``: the moment of the last one, and those that were seen of it."""
        with answering():
            queue, waiting = self._queue()
        for start in range(0, len(waiting), AT_ONCE):
            with answering():
                sources = self._sources(queue, waiting[start : start + AT_ONCE])
            for id, source in sources.items():
                yield Delivery((source,), place, partial(self._settle, id))
        if self.desk.config.clearml.direct:
            yield from self._went_direct(*_place(place))

    def _went_direct(self, since: str = "", seen: Sequence[str] = ()) -> Iterator[Delivery]:
        """What agents have taken, a page at a time. A page begins at the moment where the last one ended, and not at a number: a task
        whose status changes meanwhile moves to the end, and all behind it move up."""
        for _ in range(MOST_PAGES):
            with answering():
                page = self._taken_since(since, AT_ONCE + len(seen))
                new = [one for one in page if one["status_changed"] != since or one["id"] not in seen]
                sources = self._direct_sources(new)
            if not new:
                return
            before, since = since, str(new[-1]["status_changed"])
            of_now = [str(one["id"]) for one in new if one["status_changed"] == since]
            seen = [*(seen if since == before else ()), *of_now]
            yield Delivery(sources, json.dumps({"since": since, "seen": seen}), _nobody_to_answer)

    def _taken_since(self, since: str, most: int) -> list[dict[str, Any]]:
        asked = {
            "tags": ["__$all", TAG],
            "status": list(DIRECT),
            "only_fields": ["id", "parent", "status_changed", "hyperparams.properties"],
            "order_by": ["status_changed"],
            "page_size": most,
            **({"status_changed": [f">={since}"]} if since else {}),
        }
        return list(self.server.call("tasks.get_all", **asked).get("tasks") or ())

    def _direct_sources(self, tasks: Sequence[Task]) -> tuple[Source, ...]:
        """Those that are clones which went straight to an agent and are no runs of the ledger yet, as their owners made them. Everybody
        may have edited and enqueued them, and nobody can tell any more: that it was their owner is a claim."""
        direct = [str(one["id"]) for one in tasks if one.get("parent") and property_in(one, "direct") == "true"]
        with self.desk.ledger() as ledger:
            runs = {id for (id,) in ledger.query(RUNS_AMONG, (json.dumps(direct),))}
        ids = [one for one in direct if one not in runs]
        found = [{**one, "last_changed_by": one["user"]} for one in (self._tasks(ids) if ids else ())]
        names = self._names({str(one["user"]) for one in found})
        return tuple(replace(self._source(one, names, is_template=False), trust="claimed") for one in found)

    def _queue(self) -> tuple[str, list[str]]:
        """The id of the queue and its tasks in their order; none where it was not made yet."""
        asked = {"name": f"^{re.escape(self.settings.queue)}$", "only_fields": ["id", "name", "entries"]}
        found = self.server.call("queues.get_all", **asked).get("queues") or [{}]
        return str(found[0].get("id", "")), [str(one["task"]) for one in found[0].get("entries") or ()]

    def _sources(self, queue: str, waiting: Sequence[str]) -> dict[str, Source]:
        """What waits as its reader wants it, by task. A task that was deleted is taken out of the queue, and so is one that its owner
        has not enqueued: whoever puts a draft there as it is (``queues.add_task``) does not change it, and would ask in their name."""
        tasks = {str(one["id"]): one for one in self._tasks(waiting) if one["status"] == "queued"}
        for other in (one for one in waiting if one not in tasks):
            self.server.call("queues.remove_task", queue=queue, task=other)
        with self.desk.ledger() as ledger:
            templates = {one.task for row in templates_of(ledger) for one in row.made}
        names = self._names({_asks(one) for one in tasks.values()})
        return {id: self._source(tasks[id], names, id in templates) for id in waiting if id in tasks}

    def _tasks(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        asked = {"id": list(ids), "only_fields": LOOKED_AT, "search_hidden": True}
        return list(self.server.call("tasks.get_all", **asked).get("tasks") or ())

    def _names(self, users: set[str]) -> dict[str, str]:
        asked = {"id": sorted(one for one in users if one), "only_fields": ["id", "name"]}
        found = self.server.call("users.get_all", **asked).get("users") or () if asked["id"] else ()
        return {str(one["id"]): str(one.get("name") or "") for one in found}

    def _source(self, task: Task, names: Mapping[str, str], is_template: bool) -> Source:
        """A task for its reader. A template that somebody enqueued itself says nothing: it is to be cloned."""
        who = _asks(task)
        fixed = self.settings.sign_in == "fixed" and bool(who)
        told = {"id": task["id"], "hyperparams": {} if is_template else task.get("hyperparams") or {}}
        return Source(
            name=name_of(str(task["id"])),
            data=json.dumps(told, ensure_ascii=False).encode(errors="surrogatepass"),
            door=DOOR,
            sender=f"{shown(names.get(who, ''))} ({DOOR}:{who})".strip() if who else "",
            trust=VERIFIED if fixed else "claimed",
            subject=f"{DOOR}:{who}" if fixed else UNVERIFIED,
            thread=str(task["id"]),
        )

    def _settle(self, id: str, outcome: Outcome) -> None:
        """Take the task out, unless it has become its run, and say why. Nobody hands it over meanwhile."""
        with answering(), hand_off.alone_with(self.desk, ENGINE):
            task = next(iter(self._tasks([id])), None)
            if task is None or task["status"] != "queued" or id not in self._queue()[1]:
                return
            said, good = message(self.desk, self.settings.queue, outcome), not outcome.problems
            run = self._waiting_run(id, outcome) if good else None
            if run:
                self.server.call("queues.remove_task", queue=self._queue()[0], task=id)
                clearml.put_back(self.desk, run.run, run.queue)
            else:
                asked = {"status_message": shown_lines(said), "status_reason": REASON}
                asked |= {} if good else {"new_status": "created"}  # also where it had failed before it was enqueued
                self.server.call("tasks.dequeue", task=id, **asked)
            level = "info" if good else "error"
            self.server.call("events.add", type="log", task=id, level=level, worker=REASON, msg="\n".join(said))

    def _waiting_run(self, id: str, outcome: Outcome) -> RunRow | None:
        """The run that this task is, where its owner took it out of its queue and has put it here again as it was."""
        requests = [one.id for one in outcome.responses if one.id]
        found = standing(self.desk, requests[0]).run if requests else None
        return found if found and found.state == "queued" and found.engine_id == id else None


def _place(place: str) -> tuple[str, tuple[str, ...]]:
    """The moment, and what was seen of it; nothing of a place that another kind of source has left."""
    try:
        told = json.loads(place)
        return str(told["since"]), tuple(map(str, told["seen"]))
    except (ValueError, LookupError, TypeError):
        return "", ()


def _nobody_to_answer(_: Outcome) -> None:
    """The run itself has said what there was to say."""


def _asks(task: Task) -> str:
    return str(task.get("last_changed_by") or task.get("user") or "")


@contextmanager
def answering() -> Iterator[None]:
    """A server that does not answer is a source that does not."""
    try:
        yield
    except EngineDownError as error:
        raise SourceDownError(str(error)) from None


def message(desk: Desk, queue: str, outcome: Outcome) -> list[str]:
    """What is to be said to whoever made a clone, in lines."""
    one = next(iter(outcome.responses), None)
    language = (one.language if one else "") or desk.config.language
    problems = [problem for problem, _ in outcome.problems]
    if problems or one is None or not one.id:
        head = text("clearml_refused", language, count=str(len(problems)))
        rest = text("excel_marked_more", language, count=str(len(problems) - MOST)) if len(problems) > MOST else ""
        lines = [_line(each, language) for each in problems[:MOST]]
        elsewhere = all(each.code in NOT_THEIRS_TO_MEND for each in problems)
        return [
            head,
            *lines,
            *([rest] if rest else []),
            *([] if elsewhere else [text("clearml_mend", language, queue=queue)]),
        ]
    state = text(standing(desk, one.id).receipt, language)
    warnings = [_line(each, language) for each in one.warnings]
    return [f"{one.id}: {state}", *([said] if (said := became(one)) else []), *warnings]


def _line(problem: Problem, language: str) -> str:
    spot = f"{shown(problem.where.spot, 200)}: " if problem.where.spot else ""
    return f"{spot}{problem.message(language)}"


def shown_lines(lines: Sequence[str]) -> str:
    """As much as a status message should hold."""
    whole = "\n".join(lines)
    return whole if len(whole) <= LONGEST_MESSAGE else f"{whole[: LONGEST_MESSAGE - 1]}…"
