"""The ClearML task that this process runs for: what it asks, and what is reported to it. The only importer of clearml among jobs.

Plain calls of ClearML's interface over the SDK's session, and its storage for files. ``Task.init`` is never called: it would patch
libraries and streams, and send git's diff and the list of packages along. What the server does with a call: ``apiserver/services/``
of clearml-server.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schema.parameters import PROPERTIES, Parameters
from schema.problem import shown

RETRIES = {"total": 5, "connect": 5, "read": 5, "backoff_factor": 0.5, "backoff_max": 30.0}
"""Of one try, some 15 seconds; the SDK's own 240 take hours."""
PAUSES = (0.0, 0.5, 10.0, 60.0)
"""Seconds before each try of a call: a server that is down for two minutes costs no run its result."""
READ = ("id", "name", "user", "project", "tags", "hyperparams", "configuration", "script", "output")
SETTLED = 0.5
"""Seconds after which whoever else was about to leave the mark of a start has left it."""
CLOCKS = 120
"""Seconds by which the clocks of two agents may differ."""
LONGEST_PREVIEW = 1_000
WIDTH, HEIGHT = 640, 480


class ReportError(Exception):
    """ClearML did not do what it was asked, or did not answer. Holds no secret: what was called, and what it said."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stands on the server. ``configuration`` is text by name; ``requirements`` what its libraries were installed from."""

    id: str
    name: str
    user: str
    tags: tuple[str, ...]
    hyperparams: Parameters
    configuration: Mapping[str, str]
    requirements: str


class Reports:
    """One task, and the calls about it."""

    def __init__(self, task_id: str) -> None:
        try:
            from clearml.backend_api.session import Session

            self._session = Session(http_retries_config=dict(RETRIES))
            self._session.config.get("api.http").put("wait_on_maintenance_forever", False)  # type: ignore[no-untyped-call]
            self._files = Session.get_files_server_host()
        except Exception as error:  # the SDK raises whatever its parts raise, and has put no credentials into it
            raise ReportError(
                f"ClearML cannot be reached as clearml.conf says: {type(error).__name__}: {error}"
            ) from None
        self._id = task_id
        self._storage = ""
        self.task = self._read()

    def call(self, endpoint: str, /, **asked: Any) -> dict[str, Any]:
        """The data of the server's answer. What came through without an answer is asked again where that does no harm."""
        service, _, action = endpoint.partition(".")
        tries = 1 if action == "create" else len(PAUSES)
        return self._data(
            endpoint, lambda: self._session.send_request(service, action, method="post", json=asked), tries
        )

    def _data(self, endpoint: str, send: Callable[[], Any], tries: int = len(PAUSES)) -> dict[str, Any]:
        said = ""
        for pause in PAUSES[:tries]:
            time.sleep(pause)
            try:
                answer = send()
                told = dict(answer.json())
            except Exception as error:  # what the SDK's parts raise, and its own LoginError where the token has run out
                said = type(error).__name__
                continue
            if answer.status_code == 200:
                return dict(told.get("data") or {})
            said = f"{answer.status_code}: {told.get('meta', {}).get('result_msg', '')}"
            if answer.status_code < 500:
                break
        raise ReportError(f"{endpoint}: {said}")

    def _read(self) -> Task:
        asked = {"id": [self._id], "only_fields": list(READ), "search_hidden": True}
        found = self.call("tasks.get_all", **asked).get("tasks") or [{}]
        one = found[0]
        if one.get("id") != self._id:
            raise ReportError(f"ClearML has no task {self._id}")
        script, output = one.get("script") or {}, one.get("output") or {}
        installed = script.get("requirements") or {}
        self._project = str(one.get("project") or "")
        where = str(output.get("destination") or self._files).rstrip("/")
        self._storage = f"{where}/denpyo/{self._id}"
        return Task(
            id=self._id,
            name=str(one["name"]),
            user=str(one.get("user") or ""),
            tags=tuple(one.get("tags") or ()),
            hyperparams=one.get("hyperparams") or {},
            configuration={name: str(it.get("value") or "") for name, it in (one.get("configuration") or {}).items()},
            requirements=str(installed.get("org_pip") or installed.get("pip") or ""),
        )

    def name_of_user(self) -> str:
        """Who made the task, as ClearML calls them."""
        asked = {"id": [self.task.user], "only_fields": ["id", "name"]}
        found = self.call("users.get_all", **asked).get("users") or [{}]
        return str(found[0].get("name") or self.task.user)

    def started_elsewhere(self, run: str) -> bool:
        """Whether another task of the same run has noted that it has started."""
        return any(task != self._id for task in self._started(run))

    def _started(self, run: str) -> list[str]:
        asked = {"tags": [f"run:{run}"], "only_fields": ["id", f"hyperparams.{PROPERTIES}"], "search_hidden": True}
        found = self.call("tasks.get_all", **asked).get("tasks") or ()
        return [str(one["id"]) for one in found if is_started(one["id"], one.get("hyperparams") or {})]

    def note_started(self, seconds: float) -> bool:
        """Leave the mark that this task has begun, on the server before anything runs, and word that it is at work (``note_alive``);
        whether the mark is this process's own: of two that begin at once, the last to write it goes on."""
        if self._noted("started").startswith(self._id):
            return False
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        mark = f"{self._id} {at} {secrets.token_hex(8)}"
        self._note(started=mark, alive=self._word(seconds))
        time.sleep(SETTLED)
        return self._noted("started") == mark

    def note_alive(self, seconds: float) -> None:
        """Leave word that this process is at work, and will say so again or be done within so many seconds."""
        self._note(alive=self._word(seconds))

    def _word(self, seconds: float) -> str:
        return f"{self._id} {time.time() + seconds:.0f}"

    def is_running(self) -> bool:
        """Whether the task is still at work, as the server has it."""
        return self._seen("status").get("status") == "in_progress"

    def is_at_work(self) -> bool:
        """Whether a process, this or another, runs the task now and has said so in time. Clocks may differ by some minutes."""
        task, _, until = self._noted("alive").partition(" ")
        return self.is_running() and task == self._id and until.isdigit() and time.time() < int(until) + CLOCKS

    def _note(self, **values: str) -> None:
        noted = [
            {"section": PROPERTIES, "name": name, "value": value, "type": "", "description": ""}
            for name, value in values.items()
        ]
        self.call("tasks.edit_hyper_params", task=self._id, hyperparams=noted, force=True)

    def _noted(self, name: str) -> str:
        there = self._seen(f"hyperparams.{PROPERTIES}").get("hyperparams") or {}
        return str(((there.get(PROPERTIES) or {}).get(name) or {}).get("value") or "")

    def _seen(self, *fields: str) -> dict[str, Any]:
        asked = {"id": [self._id], "only_fields": ["id", *fields], "search_hidden": True}
        found = self.call("tasks.get_all", **asked).get("tasks") or [{}]
        return dict(found[0])

    def upload(self, file: Path, name: str) -> str:
        """The address of a file that was uploaded to where the task keeps its output."""
        from clearml import StorageManager

        target = f"{self._storage}/{_plain(name)}"
        try:
            return str(StorageManager.upload_file(str(file), target, wait_for_upload=True, retries=1))
        except Exception as error:  # the SDK has a driver a kind of storage, and each raises what it likes
            raise ReportError(f"{name}: {type(error).__name__}: {error}") from None

    def artifact(self, file: Path, name: str) -> None:
        """A file on the task's page; a text shows its beginning there."""
        kind, preview = _KINDS.get(file.suffix, "application/octet-stream"), ""
        if kind in _READABLE:
            with file.open(encoding="utf-8", errors="replace", newline="") as text:
                preview = text.read(LONGEST_PREVIEW)
        with file.open("rb") as data:
            sha256 = hashlib.file_digest(data, "sha256").hexdigest()
        told = {
            "key": name,
            "type": "custom",
            "mode": "output",
            "uri": self.upload(file, f"artifacts/{name}"),
            "content_size": file.stat().st_size,
            "hash": sha256,
            "timestamp": int(time.time()),
            "type_data": {"content_type": kind, "preview": preview},
        }
        self.call("tasks.add_or_update_artifacts", task=self._id, artifacts=[told], force=True)

    def model(self, model_id: str, file: Path, card: str, tags: Sequence[str]) -> None:
        """The model in ClearML's registry under our name, with its card as its configuration."""
        asked = {
            "name": model_id,
            "uri": self.upload(file, f"models/{file.name}"),
            "framework": "ONNX",
            "design": {"design": card},
            "tags": list(tags),
            "project": self._project,
            "task": self._id,
            "ready": True,
        }
        made = self.call("models.create", **asked)["id"]
        self.call("tasks.add_or_update_model", task=self._id, name=model_id, model=made, type="output")

    def scalars(self, series: Mapping[tuple[str, str], Iterable[float]]) -> None:
        """Figures by title and series; several of one are a curve."""
        self._events(
            {"type": "training_stats_scalar", "metric": title, "variant": line, "iter": step, "value": value}
            for (title, line), values in series.items()
            for step, value in enumerate(values)
        )

    def pictures(self, pictures: Mapping[str, str]) -> None:
        """Plots by title: each a data address, drawn as the one image of an empty plot."""
        self._events(
            {"type": "plot", "metric": title, "variant": title, "iter": 0, "plot_str": json.dumps(_plot(title, source))}
            for title, source in pictures.items()
        )

    def page(self, title: str, url: str) -> None:
        """An uploaded page among the debug samples, where ClearML shows it as it is."""
        shown = {"type": "training_debug_image", "metric": title, "variant": title, "iter": 0, "url": url, "key": url}
        self._events([shown])

    def _events(self, events: Iterable[Mapping[str, Any]]) -> None:
        told = [{**one, "task": self._id, "timestamp": int(time.time() * 1000)} for one in events]
        if told:
            send = self._session.send_request_batch
            self._data("events.add_batch", lambda: send("events", "add_batch", json=told, method="post")[-1])

    def result(self, text: str) -> None:
        """What the desk reads: ``result.json`` as a configuration object."""
        told = {"name": "result", "type": "json", "value": text, "description": "what this run found"}
        self.call("tasks.edit_configuration", task=self._id, configuration=[told], force=True)

    def failed(self, reason: str, message: str) -> None:
        self.call("tasks.failed", task=self._id, status_reason=reason, status_message=message)

    def fetch_model(self, model_id: str, folder: Path) -> None:
        """Put the model that a run has registered into ``folder`` as the run left it: its ONNX file, and its card last. Anybody may
        register another of the same name."""
        from jobs import models

        run = models.MODEL_ID.fullmatch(model_id)
        # a copy that went straight to an agent is a request by the id of its task
        tasks = [*self._started(f"{run[1]}.{run[2]}"), run[1]] if run else []
        asked = {"task": tasks, "only_fields": ["name", "uri", "design"], "order_by": ["created"]}
        found = self.call("models.get_all", **asked).get("models") or () if tasks else ()
        one = next((one for one in found if one["name"] == model_id), None)
        onnx = _fetched(str(one.get("uri"))) if one else None
        if one is None or onnx is None:
            raise ReportError(f"ClearML has no model {model_id} whose file can be fetched")
        card = str((one.get("design") or {}).get("design", ""))
        if not models.describes(card, onnx):
            raise ReportError(f"the model {model_id} at ClearML is not the one that its run has made")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / models.ONNX).write_bytes(onnx)
        (folder / models.CARD).write_text(card, encoding="utf-8")


def _fetched(uri: str) -> bytes | None:
    """A file of ClearML's storage; None where it is not there."""
    from clearml import StorageManager

    try:
        copy = StorageManager.get_local_copy(uri, extract_archive=False)
        return Path(copy).read_bytes() if copy else None
    except Exception as error:  # the SDK has a driver a kind of storage, and each raises what it likes
        raise ReportError(f"{shown(uri)}: {type(error).__name__}: {shown(str(error))}") from None


def fetch_dataset(dataset_id: str) -> Path:
    """The folder in ClearML's cache that a ClearML Dataset is in, fetched when it is not there yet."""
    from clearml import Dataset

    try:
        return Path(Dataset.get(dataset_id=dataset_id).get_local_copy())
    except Exception as error:  # the SDK raises ValueError, and whatever its storage raises
        raise ReportError(f"the ClearML Dataset {dataset_id}: {type(error).__name__}: {error}") from None


def is_started(task_id: str, hyperparams: Parameters) -> bool:
    """Whether a task has noted that it has started; in a copy the mark of the other task stands, and says nothing."""
    noted = (hyperparams.get(PROPERTIES) or {}).get("started") or {}
    return str(noted.get("value") or "").startswith(task_id)


_READABLE = ("application/json", "text/plain", "application/yaml")
_KINDS = {
    ".html": "text/html",
    ".json": "application/json",
    ".csv": "text/csv",
    ".yaml": "application/yaml",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _plot(title: str, source: str) -> dict[str, Any]:
    """A plotly figure of one image, as the SDK makes one of a picture that it cannot draw itself."""
    image = {
        "source": source,
        "xref": "x",
        "yref": "y",
        "x": 0,
        "y": HEIGHT,
        "sizex": WIDTH,
        "sizey": HEIGHT,
        "sizing": "contain",
        "layer": "below",
    }
    axes = {
        "xaxis": {"visible": False, "range": [0, WIDTH]},
        "yaxis": {"visible": False, "range": [0, HEIGHT], "scaleanchor": "x"},
    }
    margin = {"l": 0, "r": 0, "t": 64, "b": 0}
    return {"data": [], "layout": {**axes, "margin": margin, "images": [image], "showlegend": False, "title": title}}


def _plain(name: str) -> str:
    """A path of letters and digits that stands for a name: what a file is called is up to people, and addresses take it apart."""
    plain = re.sub("[^A-Za-z0-9._/-]", "_", name)
    return plain if plain == name else f"{plain}.{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
