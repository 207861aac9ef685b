"""A plain caller of the API, for tests that speak to the stand-in without our engine."""

from __future__ import annotations

from typing import Any

import requests

from tests.standins.clearml.server import ClearML


class Client:
    """Calls as one user, over one kept-alive session: ``client("tasks.get_all", id=[...])`` answers the data of a call that succeeds."""

    def __init__(self, server: ClearML, user: str = "desk") -> None:
        who = server.user(user)
        self._url = server.url
        self._session = requests.Session()
        self._session.auth = (who.access_key, who.secret_key)

    def __call__(self, endpoint: str, **fields: Any) -> Any:
        status, subcode, message, data = self.sent(endpoint, **fields)
        assert status == 200, f"{endpoint}: {status}/{subcode} {message}"
        return data

    def refused(self, endpoint: str, **fields: Any) -> str:
        """``status/subcode message`` of a call that is refused."""
        status, subcode, message, _ = self.sent(endpoint, **fields)
        assert status != 200, f"{endpoint}: taken"
        return f"{status}/{subcode} {message}"

    def sent(self, endpoint: str, **fields: Any) -> tuple[int, int, str, Any]:
        answer = self._session.post(f"{self._url}/v2.23/{endpoint}", json=fields, timeout=10)
        meta = answer.json()["meta"]
        assert answer.status_code == meta["result_code"]
        return meta["result_code"], meta["result_subcode"], meta["result_msg"], answer.json()["data"]

    def task(self, **fields: Any) -> str:
        """The id of a new draft."""
        return str(self("tasks.create", **{"name": "a task", "type": "training", **fields})["id"])

    def status(self, task: str) -> tuple[str, str]:
        """Status and status message of a task."""
        found = self("tasks.get_by_id", task=task)["task"]
        return found["status"], found.get("status_message", "")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
