"""One call of the API: who calls, is the request in order, act, is our answer in order, and the envelope around it."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.standins.clearml import access, schemas
from tests.standins.clearml.endpoints import ENDPOINTS
from tests.standins.clearml.errors import Refused
from tests.standins.clearml.state import Record, State, new_id

NOT_EMPTY = ("ids", "tasks", "hyperparams", "configuration", "artifacts", "models")
"""Lists that need something in them: apimodels/tasks.py, ``Length(minimum_value=1)``."""
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
        call = Call.of(path)
        with self.state.lock:
            try:
                return 200, call.envelope(200, 0, "OK", self._acted(call, headers, body))
            except Refused as refusal:
                self.refusals.append(f"{call.endpoint}: {refusal}")
                said = call.envelope(refusal.status, refusal.subcode, str(refusal), {}, refusal.data)
                return refusal.status, said
            except Exception:
                self.faults.append(f"{call.endpoint}: {traceback.format_exc()}")
                return 500, call.failure(500)

    def _acted(self, call: Call, headers: Mapping[str, str], body: bytes) -> Record:
        endpoint = call.endpoint
        if endpoint not in ENDPOINTS:
            self.faults += [f"{endpoint}: not built"] if endpoint in schemas.known() else []
            said = f"Unable to find endpoint for name {endpoint} and version {call.version}"
            raise Refused("no_endpoint", instead=said)
        try:
            user = access.caller(self.state, headers.get("Authorization"))
        except Refused:
            self.calls.append((endpoint, ""))
            raise
        self.calls.append((endpoint, user.id))
        answer = ENDPOINTS[endpoint](self.state, user, _read(call, body))
        if faults := schemas.answer_of(endpoint).faults(answer):
            self.faults.append(f"{endpoint}: {faults}")
            raise Refused("general_error", "the stand-in's own answer does not fit its schema", faults=faults)
        return answer


@dataclass(frozen=True)
class Call:
    """What an address says: ``/v2.23/tasks.get_all?page=1``. A path that is none has itself as its endpoint."""

    endpoint: str
    version: str
    query: str

    @classmethod
    def of(cls, path: str) -> Call:
        address, _, query = path.partition("?")
        match = _PATH.match(address)
        return (
            cls(match["endpoint"], match["version"] or access.API_VERSION, query) if match else cls(address, "", query)
        )

    def envelope(self, status: int, subcode: int, text: str, data: Record, about: Record | None = None) -> bytes:
        """The body of an answer; ``about`` says in parts what the text of a refusal says."""
        number = new_id()
        meta = {
            "id": number,
            "trx": number,
            "endpoint": {"name": self.endpoint, "requested_version": self.version, "actual_version": self.version},
            "result_code": status,
            "result_subcode": subcode,
            "result_msg": text,
            "error_stack": "",
            "error_data": about or {},
        }
        return json.dumps({"meta": meta, "data": data}, default=str).encode()

    def failure(self, status: int) -> bytes:
        """The body of a failure of the server itself."""
        return self.envelope(status, 0, "General server error", {})


def _read(call: Call, body: bytes) -> Record:
    """The request, as its schema takes it; several, one a line, where the endpoint is a batch."""
    batch = call.endpoint.endswith("_batch")
    try:
        lines = [json.loads(one) for one in body.splitlines() if one.strip()] if batch else []
        data = {"requests": lines} if batch else json.loads(body or b"{}")
    except ValueError:
        raise Refused("validation_error", "malformed JSON") from None
    if batch and not lines:
        raise Refused("batch_contains_no_items")
    asked = {**{key: int(value) if value.isdigit() else value for key, value in parse_qsl(call.query)}, **data}
    checks = [(schemas.request_of("events.add"), one) for one in lines] or [(schemas.request_of(call.endpoint), asked)]
    faults = [fault for check, one in checks for fault in check.faults(one)]
    faults += [f"{one}: needs at least one" for one in NOT_EMPTY if one in asked and asked[one] == []]
    if faults:
        raise Refused("validation_error", "; ".join(faults))
    return asked
