"""One call of the API: who calls, is the request in order, act, is our answer in order, and the envelope around it."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.standins.clearml import access, schemas
from tests.standins.clearml.endpoints import ENDPOINTS
from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import Record, State, new_id

_PATH = re.compile(r"^/(?:v(?P<version>\d+(?:\.\d+)?)/)?(?P<endpoint>[a-z_]+\.[a-z_]+)/?$")


@dataclass
class Api:
    """``faults``: what of the stand-in itself is wrong, an answer that does not fit its schema or an endpoint that is not built."""

    state: State = field(default_factory=State)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Endpoint and the id of its caller ("" for whom nobody knows), in the order in which they came."""
    faults: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    """``endpoint: message`` of each refusal: who calls may keep quiet about it."""

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """HTTP status and body of an answer."""
        address, _, query = path.partition("?")
        endpoint, version = endpoint_of(address), (_PATH.match(address) or {"version": None})["version"]
        with self.state.lock:
            try:
                status, subcode, text, data = 200, 0, "OK", self._acted(endpoint, headers, query, body)
            except Refused as refusal:
                self.refusals.append(f"{endpoint}: {refusal}")
                status, subcode, text, data = refusal.status, refusal.subcode, str(refusal), {}
            except Exception:
                self.faults.append(f"{endpoint}: {traceback.format_exc()}")
                status, subcode, text, data = 500, 0, "General server error", {}
            return status, _envelope(endpoint, version, status, subcode, text, data)

    def _acted(self, endpoint: str, headers: Mapping[str, str], query: str, body: bytes) -> Record:
        try:
            user = access.caller(self.state, headers.get("Authorization"))
        except Refused:
            self.calls.append((endpoint, ""))
            raise
        self.calls.append((endpoint, user.id))
        if endpoint not in ENDPOINTS:
            if endpoint in schemas.known():
                self.faults.append(f"{endpoint}: not built")
            raise Refused("not_supported", endpoint=endpoint)
        data = _read(endpoint, query, body)
        answer = ENDPOINTS[endpoint](self.state, user, data)
        if faults := schemas.answer_of(endpoint).faults(answer):
            self.faults.append(f"{endpoint}: {faults}")
            raise Refused("general_error", "the stand-in's own answer does not fit its schema", faults=faults)
        return answer


def endpoint_of(path: str) -> str:
    """``/v2.23/tasks.get_all?...`` -> ``tasks.get_all``; a path that is none, as it is."""
    match = _PATH.match(path.partition("?")[0])
    return match["endpoint"] if match else path


def _read(endpoint: str, query: str, body: bytes) -> Record:
    """The request, as its schema takes it; several, one a line, where the endpoint is a batch."""
    try:
        lines = [json.loads(one) for one in body.splitlines() if one.strip()] if endpoint.endswith("_batch") else []
        data = {"requests": lines} if lines else json.loads(body or b"{}")
    except ValueError:
        raise Refused("validation_error", "malformed JSON") from None
    asked = {**{key: int(value) if value.isdigit() else value for key, value in parse_qsl(query)}, **data}
    checks = [(schemas.request_of("events.add"), one) for one in lines] or [(schemas.request_of(endpoint), asked)]
    for check, one in checks:
        if faults := check.faults(one):
            raise Refused("validation_error", "; ".join(faults))
    return asked


def _envelope(endpoint: str, version: Any, status: int, subcode: int, text: str, data: Record) -> bytes:
    number = new_id()
    meta = {
        "id": number,
        "trx": number,
        "endpoint": {"name": endpoint, "requested_version": version or "1.0", "actual_version": version or "1.0"},
        "result_code": status,
        "result_subcode": subcode,
        "result_msg": text,
        "error_stack": None,
        "error_data": {},
    }
    return json.dumps({"meta": meta, "data": data}).encode()


def failure(endpoint: str, status: int) -> bytes:
    """The body of a failure that a test asked for."""
    return _envelope(endpoint, None, status, 0, "General server error", {})
