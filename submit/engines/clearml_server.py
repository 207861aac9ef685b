"""A ClearML server, spoken to in plain REST: https://clear.ml/docs/latest/docs/references/api. What it does with each call is in its
own source, ``apiserver/bll/task/task_operations.py``; what its answers hold, in the SDK's ``backend_api/services``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from schema.problem import shown
from submit import foreign
from submit.engines import EngineDownError

if TYPE_CHECKING:
    import requests

SIDE_BY_SIDE = 4
"""How many calls are under way at once: the server answers each in some milliseconds, most of which is the way there and back."""
VERSION = "v2.23"
SECONDS = (2.0, 15.0)
"""How long a call waits for a connection, and then for its answer: a server that is down is known to be within three seconds, one
that has much to do may take its time."""
LONGEST_LINE = 300


class ServerError(EngineDownError):
    """ClearML refused a call: its own code and subcode (400/706: not allowed in this status), and its words."""

    def __init__(self, call: str, code: int, subcode: int, said: str) -> None:
        super().__init__(f"ClearML refused {call}: {shown(said, LONGEST_LINE)} ({code}/{subcode})")
        self.code, self.subcode, self.said = code, subcode, said


class Server:
    """A ClearML server, as the user of the credentials. ``web`` is the address of its pages."""

    def __init__(self, api: str, web: str, credentials: tuple[str, str]) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self.api, self.web, self._credentials = api.rstrip("/"), web.rstrip("/"), credentials
        self._token = ""
        self.queues_asked = -math.inf
        """When all queues were last looked into, by ``time.monotonic``."""
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=SIDE_BY_SIDE, max_retries=0))

    def call(self, name: str, /, **asked: Any) -> dict[str, Any]:
        """One call (``tasks.create``) and the data of its answer; never repeated, but for a log-in that has run out, before which
        nothing was done. ServerError where it was refused, EngineDownError where nothing, or nothing of ClearML's, answered."""
        if not self._token:
            self._token = self._log_in()
        answer = self._post(name, asked, self._signed)
        if answer.status_code == 401:
            self._token = self._log_in()
            answer = self._post(name, asked, self._signed)
        return self._data(name, answer)

    def _signed(self, call: requests.PreparedRequest) -> requests.PreparedRequest:
        """Given as what authenticates, so that no entry of ``~/.netrc`` takes its place."""
        call.headers["Authorization"] = f"Bearer {self._token}"
        return call

    def _log_in(self) -> str:
        from requests.auth import HTTPBasicAuth

        try:
            answer = self._post("auth.login", {}, HTTPBasicAuth(*self._credentials))
            return str(self._data("auth.login", answer)["token"])
        except ServerError as error:
            raise EngineDownError(f"ClearML at {self.api} does not let this desk in: {foreign.said(error)}") from None

    def _post(self, name: str, asked: Mapping[str, Any], auth: Any) -> requests.Response:
        import requests

        try:
            return self._session.post(
                f"{self.api}/{VERSION}/{name}",
                json=asked,
                auth=auth,
                timeout=SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise EngineDownError(f"ClearML at {self.api} did not answer {name}: {type(error).__name__}") from None

    def _data(self, name: str, answer: requests.Response) -> dict[str, Any]:
        try:
            body = answer.json()
            meta, data = body["meta"], body.get("data")
            code, subcode = int(meta["result_code"]), int(meta.get("result_subcode") or 0)
        except (ValueError, KeyError, TypeError):
            raise EngineDownError(
                f"{self.api} answered {name} as no ClearML server does (HTTP {answer.status_code})"
            ) from None
        if code >= 500:
            raise EngineDownError(f"ClearML at {self.api} failed at {name} ({code}/{subcode})")
        if code != 200:
            raise ServerError(name, code, subcode, str(meta.get("result_msg", "")))
        return data if isinstance(data, dict) else {}
