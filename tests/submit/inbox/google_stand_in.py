"""Google's services on loopback: every request is held to the discovery documents' own schemas, every call needs a token of its own.

Tokens are made by an address for tokens that checks what it is given: a service account's signed claim, an installed app's refresh
token, or a workload's token that is exchanged. Faults are queued and met in their order.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from tests.submit.inbox.google_schemas import methods, request_schema, response_schema
from tests.submit.inbox.google_service import GoogleService, RefusedError

SCOPE = "https://www.googleapis.com/auth/drive.file"
SHEETS = "https://www.googleapis.com/auth/spreadsheets"
ACCOUNT = "publisher@denpyo-tests.iam.gserviceaccount.com"
PERSON = "forms@example.com"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""What claims are signed for, wherever the client is told to send them."""
QUOTA = RefusedError(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests' per minute.")
DOWN = RefusedError(500, "INTERNAL", "Internal error encountered.")


@cache
def private_key() -> tuple[str, bytes]:
    """A key of a service account: the half that it signs with, and the half that the service checks by."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), public


@dataclass
class Fault:
    """What happens instead of an answer to ``method``: ``refused`` is answered, or the answer is cut ``short``. With ``done`` the call
    has had its effect before. ``then`` is called when it has; nothing is answered, unless it is ``told``."""

    method: str
    refused: RefusedError | None = None
    short: bool = False
    done: bool = False
    then: Callable[[], None] | None = None
    told: bool = False


@dataclass
class StandIn:
    """A running stand-in. ``tokens`` are those that it has given out and not taken back, ``asked`` the parameters
    that each method was last called with. Only tokens ``for_sheets`` open spreadsheets, and nothing else; with ``may_write`` off nobody
    was granted that."""

    url: str
    service: GoogleService = field(default_factory=GoogleService)
    faults: list[Fault] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    for_sheets: set[str] = field(default_factory=set)
    may_write: bool = True
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    typing: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def renew(self) -> None:
        """As it was when nobody had called yet."""
        self.service, self.faults, self.tokens, self.asked = GoogleService(), [], set(), {}
        self.typing, self.for_sheets, self.may_write = [], set(), True

    def credentials(self, kind: str, folder: Path) -> dict[str, Any]:
        """What lies in a credentials file of this kind."""
        token_uri = f"{self.url}/token"
        if kind == "service_account":
            about = {"client_email": ACCOUNT, "private_key": private_key()[0], "private_key_id": "k1"}
            return {"type": kind, "project_id": "denpyo-tests", "token_uri": token_uri, **about}
        if kind == "authorized_user":
            about = {"client_id": "app", "client_secret": "app-canary", "refresh_token": "refresh-canary"}
            return {"type": kind, "token_uri": token_uri, **about}
        (folder / "workload.jwt").write_text("workload-canary", encoding="utf-8")
        source = {"file": str(folder / "workload.jwt"), "format": {"type": "text"}}
        audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/tests"
        asked = {"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": f"{self.url}/exchange"}
        return {"type": "external_account", "audience": audience, **asked, "credential_source": source}

    def answer(self, verb: str, address: str, bearer: str, body: bytes) -> tuple[int, bytes, bool]:
        """Status, body, and whether the body is to be cut short."""
        path = urlsplit(address).path
        try:
            with self.lock:
                if path == "/device/code":
                    return 200, _bytes(self._code(dict(parse_qsl(body.decode())))), False
                if path in ("/token", "/exchange"):
                    return 200, _bytes(self._token(path, dict(parse_qsl(body.decode())))), False
                return self._method(verb, address, bearer, body)
        except RefusedError as error:
            said: dict[str, Any] = {"error": {"code": error.code, "status": error.status, "message": error.says}}
            if error.status.endswith("LimitExceeded"):  # as Drive tells it
                said["error"]["errors"] = [{"domain": "usageLimits", "reason": error.status, "message": error.says}]
            if path in ("/token", "/exchange"):
                said = {"error": error.status, "error_description": error.says}
            return error.code, _bytes(said), False

    def _method(self, verb: str, address: str, bearer: str, body: bytes) -> tuple[int, bytes, bool]:
        if bearer.removeprefix("Bearer ") not in self.tokens:
            raise RefusedError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        api, method, where, asked, about = _route(verb, address)
        if (bearer.removeprefix("Bearer ") in self.for_sheets) != (api == "sheets.v4"):
            raise RefusedError(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
        sent = json.loads(body) if body else {}
        self.asked[method] = {name: value for name, value in asked.items() if name != "alt"}
        if "request" in about:
            _hold(request_schema(api, about["request"]["$ref"]), sent)
        fault = next((one for one in self.faults if method.endswith(one.method)), None)
        if fault:
            self.faults.remove(fault)
        if fault and not fault.done and fault.refused:
            raise fault.refused
        answer = self.service.call(method, where, asked, sent)
        _hold(response_schema(api, about["response"]["$ref"]), answer)
        if fault and fault.refused:
            raise fault.refused
        if fault and fault.then:
            fault.then()
        return 200, _bytes(answer), bool(fault and (fault.short or fault.then) and not fault.told)

    def _code(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """A code for somebody to type, for the one scope that is needed."""
        if asked != {"client_id": "app", "scope": SCOPE}:
            raise RefusedError(400, "invalid_scope", "Not this.")
        where = {"verification_url": "https://www.google.com/device", "expires_in": 60, "interval": 5}
        return {"device_code": "device-canary", "user_code": "GQVQ-JKEC", **where}

    def _login(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """The login of whoever typed the code, once they have: ``typing`` says what to answer until then."""
        if self.typing:
            raise RefusedError(428, self.typing.pop(0), "Not yet.")
        if (asked["device_code"], asked["client_secret"]) != ("device-canary", "app-canary"):
            raise RefusedError(401, "invalid_client", "Not this application.")
        return {"refresh_token": "refresh-canary"}

    def _token(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        if path == "/exchange":
            good = asked["subject_token"] == "workload-canary" and asked["scope"] in (SCOPE, SHEETS)  # noqa: S105
        elif asked["grant_type"].endswith("device_code"):
            good = True
        elif asked["grant_type"] == "refresh_token":
            good = (asked["refresh_token"], asked["client_secret"]) == ("refresh-canary", "app-canary")
        else:
            good = self._claims(asked["assertion"])
        if not good:
            raise RefusedError(400, "invalid_grant", "The grant is not accepted.")
        login = self._login(asked) if asked["grant_type"].endswith("device_code") else {}
        token = f"ya29.canary-{secrets.token_hex(8)}"
        self.tokens.add(token)
        if self._scope(asked) == SHEETS:
            if not self.may_write:
                raise RefusedError(400, "invalid_scope", "Not granted.")
            self.for_sheets.add(token)
        more = {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"} if path == "/exchange" else {}
        return {"access_token": token, "expires_in": 3600, "token_type": "Bearer", **more, **login}

    def _scope(self, asked: Mapping[str, str]) -> str:
        claimed: Any = jwt.decode(asked["assertion"], verify=False) if "assertion" in asked else asked  # type: ignore[no-untyped-call]
        return str(claimed.get("scope", SCOPE))

    def _claims(self, assertion: str) -> bool:
        """Whether a service account signed this, for the one scope that is needed, in the name of a person."""
        try:
            decode: Any = jwt.decode
            claims = decode(assertion, certs=private_key()[1], audience=AUDIENCE)
        except ValueError:
            return False
        return (claims["iss"], claims.get("sub")) == (ACCOUNT, PERSON) and claims["scope"] in (SCOPE, SHEETS)


def _route(verb: str, address: str) -> tuple[str, str, dict[str, str], dict[str, str], Mapping[str, Any]]:
    split = urlsplit(address)
    asked = dict(parse_qsl(split.query, keep_blank_values=True))
    for api in ("forms.v1", "drive.v3", "sheets.v4"):
        for id, http, path, about in methods(api):
            pattern = re.sub(r"\\{\\?\+?(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape("/" + path))
            found = re.fullmatch(pattern, split.path)
            if found and http == verb:
                where = {name: unquote(value) for name, value in found.groupdict().items()}
                strange = asked.keys() - {*about.get("parameters", {}), "alt", "fields"}
                if strange:
                    raise RefusedError(400, "INVALID_ARGUMENT", f"Unknown name: {strange}")
                return api, id, where, asked, about
    raise RefusedError(404, "NOT_FOUND", f"There is no {verb} {split.path}.")


def _hold(schema: Any, value: Any) -> None:
    error = next(iter(schema.iter_errors(value)), None)
    if error:
        raise RefusedError(400, "INVALID_ARGUMENT", f"Invalid JSON payload received: {error.message}")


def _bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A stand-in on a port of its own."""

    class Listening(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, said, short = running.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            self.send_response(code)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said[: len(said) // 2] if short else said)
            self.close_connection = short

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(running.service.now, usegmt=True)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the tests say what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listening)
    server.daemon_threads = True
    running = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


__all__ = ["DOWN", "PERSON", "QUOTA", "SCOPE", "Fault", "StandIn", "stand_in"]
