"""Microsoft's sign-in, Graph and SharePoint on loopback, as strict as the real ones: only documented addresses, parameters and grants.

Everything goes over real HTTP; the three hosts are told apart by the Host header, because ``Loopback`` sends all of them here.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.submit.inbox.microsoft_workbooks import Workbooks, WrongCallError

TENANT, CLIENT, DRIVE = "contoso.example", "11111111-2222-3333-4444-555555555555", "b!drive"
LOGIN, GRAPH, FILES = "login.microsoftonline.com", "graph.microsoft.com", "contoso.sharepoint.com"
SECRET = "canary-client-secret"  # noqa: S105
SCOPE = "https://graph.microsoft.com/.default"
SELECTED = {"id", "name", "file", "folder", "deleted", "cTag", "parentReference"}
WORKBOOK = re.compile(r"items/([^/]+)/workbook/(.+)")
PAGE = 2
"""Items on one page of an answer."""
Answer = tuple[int, Mapping[str, str], bytes]
Fault = Callable[["Request"], Answer | None]


class Loopback(httpx.BaseTransport):
    """The way of every request to the stand-in. Nothing but https leaves the program."""

    def __init__(self, port: int) -> None:
        self.inner, self.port = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0)), port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https"
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        sent = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return self.inner.handle_request(sent)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]
    body: bytes = b""


@dataclass
class File:
    name: str
    parent: str
    data: bytes
    version: int = 1
    is_folder: bool = False
    deleted: bool = False


@dataclass
class Service:
    """What the three hosts know. ``faults`` are asked before an answer is made, each once, in their order; ``log`` has what was asked."""

    certificate: bytes = b""
    port: int = 0
    files: dict[str, File] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    oldest: int = 0
    tokens: dict[str, float] = field(default_factory=dict)
    persons: set[str] = field(default_factory=set)
    workbooks: Workbooks = field(default_factory=Workbooks)
    refreshes: set[str] = field(default_factory=set)
    downloads: dict[str, str] = field(default_factory=dict)
    pending: int = 1
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def put(self, id: str, name: str, data: bytes = b"", parent: str = "folder") -> None:
        """A file with this content, new or changed."""
        before = self.files.get(id)
        version = before.version + 1 if before else 1
        self.files[id] = File(name, parent, data, version, is_folder=not data and "." not in name)
        self.changes.append(id)

    def remove(self, id: str) -> None:
        self.files[id].deleted = True
        self.changes.append(id)

    def forget(self) -> None:
        """Every link to changes that was given so far is too old from now on."""
        self.oldest = len(self.changes) + 1
        self.changes.append("folder")

    def fail(self, where: str, fault: Fault, times: int = 1) -> None:
        """Answer otherwise the next times that a path with ``where`` in it is asked for."""
        self.faults += [(where, fault)] * times

    def answer(self, request: Request) -> Answer:
        self.log.append(f"{request.method} {request.host}{request.path}")
        for number, (where, fault) in enumerate(self.faults):
            if where in f"{request.host}{request.path}":
                del self.faults[number]
                found = fault(request)
                if found:
                    return found
                break
        host = {LOGIN: self._login, GRAPH: self._graph, FILES: self._download}.get(request.host)
        return host(request) if host else problem(404, "unknownHost")

    # ---- login.microsoftonline.com

    def _login(self, request: Request) -> Answer:
        base = f"https://{LOGIN}/{TENANT}"
        if (request.method, request.path) == ("GET", f"/{TENANT}/v2.0/.well-known/openid-configuration"):
            return document(
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                    "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                }
            )
        form = request.form
        if request.method != "POST" or form.get("client_id") != CLIENT:
            return refusal("unauthorized_client", "AADSTS700016: no such application")
        if request.path == f"/{TENANT}/oauth2/v2.0/devicecode":
            return self._device_code(form)
        if request.path != f"/{TENANT}/oauth2/v2.0/token":
            return refusal("invalid_request", "AADSTS900144")
        grants = {
            "client_credentials": self._credentials,
            "urn:ietf:params:oauth:grant-type:device_code": self._device,
            "refresh_token": self._refresh,
        }
        grant = grants.get(form.get("grant_type", ""))
        return grant(form) if grant else refusal("unsupported_grant_type", "AADSTS70003")

    def _credentials(self, form: Mapping[str, str]) -> Answer:
        if form.get("scope") != SCOPE:
            return refusal("invalid_scope", "AADSTS1002012: the scope of client credentials ends in /.default")
        if "client_secret" in form:
            good = form["client_secret"] == SECRET
            wrong = f"AADSTS7000215: invalid client secret {form['client_secret']}"
        else:
            good, wrong = self._is_signed(form), "AADSTS700027: the assertion is not signed by a known certificate"
        return self._granted() if good else refusal("invalid_client", wrong, 401)

    def _is_signed(self, form: Mapping[str, str]) -> bool:
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return False
        certificate = x509.load_pem_x509_certificate(self.certificate)
        thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        header = jwt.get_unverified_header(form["client_assertion"])
        if header.get("x5t#S256", "").rstrip("=") != thumbprint:
            return False
        try:
            claims = jwt.decode(
                form["client_assertion"],
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["PS256"],
                audience=f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token",
                options={"require": ["exp", "iat", "jti"]},
            )
        except jwt.PyJWTError:
            return False
        return bool(claims["iss"] == claims["sub"] == CLIENT)

    def _device_code(self, form: Mapping[str, str]) -> Answer:
        if SCOPE not in form.get("scope", "").split() or "offline_access" not in form.get("scope", ""):
            return refusal("invalid_scope", "AADSTS70011")
        message = "To sign in, open https://microsoft.com/devicelogin and enter the code AB12CD34."
        return document(
            {
                "device_code": "canary-device-code",
                "user_code": "AB12CD34",
                "message": message,
                "interval": 1,
                "expires_in": 900,
            }
        )

    def _device(self, form: Mapping[str, str]) -> Answer:
        if form.get("device_code") != "canary-device-code":
            return refusal("bad_verification_code", "AADSTS70019")
        if self.pending:
            self.pending -= 1
            return refusal("authorization_pending", "AADSTS70016: nobody has signed in yet")
        return self._granted(person=True)

    def _refresh(self, form: Mapping[str, str]) -> Answer:
        if form.get("refresh_token") not in self.refreshes:
            return refusal("invalid_grant", "AADSTS70008: the refresh token has expired")
        return self._granted(person=True)

    def _granted(self, *, person: bool = False) -> Answer:
        token = f"canary-token-{len(self.tokens)}"
        self.tokens[token] = time.monotonic() + 3600
        granted: dict[str, Any] = {"token_type": "Bearer", "expires_in": 3600, "access_token": token}
        if person:
            refresh = f"canary-refresh-{len(self.refreshes)}"
            self.refreshes.add(refresh)
            self.persons.add(token)
            claims = {"aud": CLIENT, "iss": f"https://{LOGIN}/{TENANT}/v2.0", "sub": "s", "oid": "o", "tid": TENANT}
            times = {
                "exp": int(time.time()) + 3600,
                "iat": int(time.time()),
                "preferred_username": "op@contoso.example",
            }
            info = base64.urlsafe_b64encode(json.dumps({"uid": "o", "utid": TENANT}).encode()).decode()
            id_token = jwt.encode({**claims, **times}, "x" * 32, algorithm="HS256")
            granted |= {"refresh_token": refresh, "id_token": id_token, "client_info": info, "scope": SCOPE}
        return document(granted)

    # ---- graph.microsoft.com

    def _graph(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < time.monotonic():
            return problem(401, "InvalidAuthenticationToken")
        base = f"/v1.0/drives/{DRIVE}/"
        if found := WORKBOOK.fullmatch(request.path.removeprefix(base)):
            return (
                self._workbook(request, found[1], found[2]) if token in self.persons else problem(403, "accessDenied")
            )
        if request.method != "GET" or not request.path.startswith(base):
            return problem(403, "accessDenied")
        if not set(request.query.get("$select", "id").split(",")) <= SELECTED:
            return problem(400, "invalidRequest")
        if request.query.keys() - {"$select", "token", "$skiptoken"}:
            return problem(400, "invalidRequest")
        rest = request.path.removeprefix(base)
        if rest == "root/delta":
            return self._delta(request.query)
        if rest.startswith("root:/"):
            return self._by_path(rest.removeprefix("root:/"))
        return self._by_id(rest, request.query)

    def _workbook(self, request: Request, id: str, path: str) -> Answer:
        """Only persons may (range-update: application permissions are not supported). What is written is another version."""
        file = self.files[id]
        if request.query.keys() - {"$select"}:
            return problem(400, "invalidRequest")
        try:
            status, found, data = self.workbooks.answer(request.method, path, request.headers, request.body, file.data)
        except (WrongCallError, KeyError, ValueError):
            return problem(400, "invalidRequest")
        if data != file.data:
            self.put(id, file.name, data, file.parent)
        return status, {"Content-Type": "application/json"}, b"" if found is None else json.dumps(found).encode()

    def _by_path(self, path: str) -> Answer:
        *folders, name = path.split("/")
        parent = folders[-1] if folders else ""
        for id, file in self.files.items():
            above = self.files[file.parent].name if file.parent in self.files else ""
            if file.name == name and above == parent and not file.deleted:
                return document(self._item(id))
        return problem(404, "itemNotFound")

    def _by_id(self, rest: str, query: Mapping[str, str]) -> Answer:
        kind, _, tail = rest.partition("/")
        id, _, what = tail.partition("/")
        if kind != "items" or id not in self.files or self.files[id].deleted:
            return problem(404, "itemNotFound")
        if what == "content":
            ticket = f"canary-ticket-{len(self.downloads)}"
            self.downloads[ticket] = id
            return 302, {"Location": f"https://{FILES}/download.aspx?tempauth={ticket}"}, b""
        if what == "children":
            there = [one for one, file in self.files.items() if file.parent == id and not file.deleted]
            return self._page(there, int(query.get("$skiptoken", "0")), f"items/{id}/children", {})
        return document(self._item(id)) if not what else problem(400, "invalidRequest")

    def _delta(self, query: Mapping[str, str]) -> Answer:
        token = query.get("token", "0")
        if token == "latest":  # noqa: S105
            return document(
                {"value": [], "@odata.deltaLink": self._address("root/delta", {"token": str(len(self.changes))})}
            )
        if not token.isdigit():
            return problem(400, "invalidRequest")
        if int(token) < self.oldest:
            fresh = {"Location": self._address("root/delta", {})}
            return 410, fresh, error("resyncChangesApplyDifferences")
        changed = list(dict.fromkeys(self.changes[int(token) :]))
        with_parents = list(
            dict.fromkeys([*changed, *(self.files[one].parent for one in changed if self.files[one].parent)])
        )
        link = {"@odata.deltaLink": self._address("root/delta", {"token": str(len(self.changes))})}
        return self._page(with_parents, int(query.get("$skiptoken", "0")), "root/delta", link, token)

    def _page(self, ids: list[str], first: int, path: str, last: Mapping[str, str], token: str = "") -> Answer:
        page: dict[str, Any] = {"value": [self._item(one) for one in ids[first : first + PAGE]]}
        if first + PAGE < len(ids):
            more = {"$skiptoken": str(first + PAGE), **({"token": token} if token else {})}
            return document({**page, "@odata.nextLink": self._address(path, more)})
        return document({**page, **last})

    def _address(self, path: str, query: Mapping[str, str]) -> str:
        return f"https://{GRAPH}/v1.0/drives/{DRIVE}/{path}?{httpx.QueryParams(query)}"

    def _item(self, id: str) -> dict[str, Any]:
        """A drive item as delta gives it: without the path of its parent; a deleted one without much else."""
        file = self.files[id]
        if file.deleted:
            return {"id": id, "deleted": {"state": "deleted"}, "parentReference": {"id": file.parent}}
        facet: dict[str, Any] = {"folder": {}} if file.is_folder else {"file": {"mimeType": "application/x"}}
        return {
            "id": id,
            "name": file.name,
            "cTag": f"c:{id},{file.version}",
            "parentReference": {"id": file.parent},
            **facet,
        }

    # ---- contoso.sharepoint.com

    def _download(self, request: Request) -> Answer:
        if "authorization" in request.headers:
            return problem(401, "unauthenticated")  # such an address opens itself, and whoever adds a token has lost it
        id = self.downloads.pop(request.query.get("tempauth", ""), "")
        return (
            (200, {"Content-Type": "application/octet-stream"}, self.files[id].data)
            if id
            else problem(403, "accessDenied")
        )


def document(value: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def error(code: str) -> bytes:
    return json.dumps(
        {"error": {"code": code, "message": "canary-message", "innerError": {"request-id": "r"}}}
    ).encode()


def problem(status: int, code: str, headers: Mapping[str, str] | None = None) -> Answer:
    return status, {"Content-Type": "application/json", **(headers or {})}, error(code)


def refusal(code: str, description: str, status: int = 400) -> Answer:
    data = json.dumps({"error": code, "error_description": description, "error_codes": []}).encode()
    return status, {"Content-Type": "application/json"}, data


@contextmanager
def served(service: Service) -> Iterator[Service]:
    """The service on a port of loopback of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            split, length = urlsplit(self.path), int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            form = {name: one[0] for name, one in parse_qs(body.decode()).items()}
            query = {name: one[0] for name, one in parse_qs(split.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, headers.get("host", ""), unquote(split.path), query, headers, form, body)
            status, told, body = service.answer(request)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **told}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        do_GET = do_POST = do_PATCH = _answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
