"""The stand-in on loopback: an API, a files server and a web address, each on a port of its own, as the real ones are."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tests.standins.clearml.api import Api, Call
from tests.standins.clearml.files import Files
from tests.standins.clearml.state import Record, State, User

Trouble = Literal["drop_before", "drop_after", "late", "fail"]


@dataclass
class Fault:
    """What goes wrong with the next ``times`` calls of ``endpoint`` ("*": of any).

    ``drop_before``: the connection closes and nothing happened; ``drop_after``: it happened, and the connection closes without an answer;
    ``late``: the answer comes ``seconds`` after it happened; ``fail``: ``status`` (500, 503), and nothing happened.
    """

    endpoint: str
    trouble: Trouble
    times: int = 1
    seconds: float = 0.0
    status: int = 500


_KNOWN = ("tasks", "projects", "queues", "models", "workers", "events")


class ClearML:
    """A ClearML server for tests. Everything it knows is in ``state``; ``with ClearML() as server:`` starts and stops it."""

    def __init__(self, latency: float = 0.0, port: int = 0) -> None:
        self.latency = latency
        """Seconds before each answer of the API."""
        self.api = Api()
        self.files = Files()
        self.connections = 0
        self._faults: list[Fault] = []
        self._servers = [_Listening(port, _Api), _Listening(0, _FilesHandler), _Listening(0, _Web)]
        for one in self._servers:
            one.clearml = self
        self.url, self.files_url, self.web_url = (f"http://127.0.0.1:{one.server_address[1]}" for one in self._servers)

    def __enter__(self) -> ClearML:
        for one in self._servers:
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._servers:
            one.shutdown()
            one.server_close()

    @property
    def state(self) -> State:
        return self.api.state

    @property
    def tasks(self) -> dict[str, Record]:
        return self.state.tasks

    @property
    def projects(self) -> dict[str, Record]:
        return self.state.projects

    @property
    def queues(self) -> dict[str, Record]:
        return self.state.queues

    @property
    def models(self) -> dict[str, Record]:
        return self.state.models

    @property
    def users(self) -> tuple[User, ...]:
        return self.state.users

    @property
    def calls(self) -> list[tuple[str, str]]:
        return self.api.calls

    @property
    def faults(self) -> list[str]:
        """Faults of the stand-in, never of who calls: a test that used it looks that there are none."""
        return self.api.faults

    @property
    def refusals(self) -> list[str]:
        """``endpoint: message`` of each refusal, in the order in which they came."""
        return self.api.refusals

    def fault(
        self, endpoint: str, trouble: Trouble, times: int = 1, *, seconds: float = 0.0, status: int = 500
    ) -> None:
        """Something goes wrong from now on; see ``Fault``."""
        self._faults.append(Fault(endpoint, trouble, times, seconds, status))

    def forget_faults(self) -> None:
        """Nothing more goes wrong."""
        self._faults.clear()

    def next_fault(self, endpoint: str) -> Fault | None:
        with self.state.lock:
            for one in self._faults:
                if one.times > 0 and one.endpoint in ("*", endpoint):
                    one.times -= 1
                    return one
        return None

    def user(self, name: str = "desk") -> User:
        return next(one for one in self.users if one.name == name)

    def write_conf(self, folder: Path, user: str = "desk", more: str = "") -> Path:
        """A ``clearml.conf`` for this server with a user's credentials; ``more`` stands at its end.

        Reports leave from a thread: with the SDK's own process for them, each wait for what was reported takes 5 seconds.
        """
        who = self.user(user)
        path = folder / "clearml.conf"
        path.write_text(
            f"api {{\n  api_server: {self.url}\n  web_server: {self.web_url}\n  files_server: {self.files_url}\n"
            f'  credentials {{ "access_key" = "{who.access_key}", "secret_key" = "{who.secret_key}" }}\n}}\n'
            f"sdk.development.report_use_subprocess: false\n{more}",
            encoding="utf-8",
        )
        path.chmod(0o600)
        return path

    def environment(self, user: str = "desk") -> dict[str, str]:
        """What the SDK reads from the environment in place of a ``clearml.conf``."""
        who = self.user(user)
        return {
            "CLEARML_API_HOST": self.url,
            "CLEARML_WEB_HOST": self.web_url,
            "CLEARML_FILES_HOST": self.files_url,
            "CLEARML_API_ACCESS_KEY": who.access_key,
            "CLEARML_API_SECRET_KEY": who.secret_key,
        }


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    clearml: ClearML

    def __init__(self, port: int, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever closes a connection early is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    server: _Listening

    @property
    def clearml(self) -> ClearML:
        return self.server.clearml

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class _Api(_Handler):
    def setup(self) -> None:
        super().setup()
        self.clearml.connections += 1

    def _answer(self) -> None:
        body = self.body()
        if self.path.startswith("/standin/"):
            return self.reply(200, controlled(self.clearml, self.path, body))
        call = Call.of(self.path)
        time.sleep(self.clearml.latency)
        fault = self.clearml.next_fault(call.endpoint)
        if fault and fault.trouble == "fail":
            return self.reply(fault.status, call.failure(fault.status))
        if fault and fault.trouble == "drop_before":
            return self._drop()
        status, answer = self.clearml.api.answer(self.path, self.headers, body)  # type: ignore[arg-type]
        if fault and fault.trouble == "drop_after":
            return self._drop()
        if fault and fault.trouble == "late":
            time.sleep(fault.seconds)
        return self.reply(status, answer)

    def _drop(self) -> None:
        self.close_connection = True

    do_GET = do_POST = do_PUT = _answer


class _FilesHandler(_Handler):
    def do_GET(self) -> None:
        found = self.clearml.files.get(self.path)
        self.reply(404 if found is None else 200, found or b"", "application/octet-stream")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.reply(200, self.clearml.files.post(self.headers.get("Content-Type", ""), self.body()))

    def do_PUT(self) -> None:
        self.clearml.files.put(self.path, self.body())
        self.reply(200, b"")

    def do_DELETE(self) -> None:
        self.reply(200 if self.clearml.files.delete(self.path) else 404, b"")


class _Web(_Handler):
    """A page for every address: enough for a browser that was sent there to say that it arrived."""

    def do_GET(self) -> None:
        named = [one for one in self.clearml.tasks.values() if one["id"] in self.path]
        text = "\n".join(f"{one['name']}: {one['status']}" for one in named) or "ClearML, stand-in"
        self.reply(200, text.encode(), "text/plain; charset=utf-8")


def controlled(server: ClearML, path: str, body: bytes) -> bytes:
    """``/standin/...``, for a stand-in that runs as its own process:

    ``/standin/state``: everything it knows; ``/standin/calls``: who called what, and refusals;
    ``POST /standin/fault`` {endpoint, trouble, times, seconds, status}; ``POST /standin/set`` {latency, search_lag}.
    """
    asked = json.loads(body or b"{}")
    match path.removeprefix("/standin/"):
        case "fault":
            server.fault(**asked)
        case "set":
            server.latency = asked.get("latency", server.latency)
            server.state.search_lag = asked.get("search_lag", server.state.search_lag)
        case "calls":
            seen = {one: getattr(server, one) for one in ("calls", "connections", "faults", "refusals")}
            return json.dumps(seen).encode()
    with server.state.lock:
        known = {one: getattr(server.state, one) for one in _KNOWN}
        return json.dumps({**known, "faults": server.faults}).encode()
