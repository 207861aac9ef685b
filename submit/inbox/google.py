"""Google's services, spoken to by their own client: the only file that imports it. What goes wrong is one line, without a secret in it.

The one scope asked for is ``drive.file``: the forms that this program made and no other file of anybody. Where rows are written back, a
second client asks for ``spreadsheets``, and nothing else: what it is denied keeps no response back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from http.client import HTTPException
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from schema.problem import shown
from submit import foreign
from submit.desk import DeskError, now
from submit.inbox import SourceDownError

SCOPES = ("https://www.googleapis.com/auth/drive.file",)
SHEETS = ("https://www.googleapis.com/auth/spreadsheets",)
TOKENS = "https://oauth2.googleapis.com/token"
RETRIES = 6
"""Quotas count by the minute, and the client waits up to 2, 4, 8 … 64 seconds: enough for the next minute to begin."""
TRIES = 3
"""How often an answer that was cut off is asked for, where asking twice does no harm."""
MOST_PAGES = 10_000
LONGEST_SAID = 200

Json = dict[str, Any]


class RefusedError(SourceDownError):
    """What the service will not do, with its status: 400 for a request it does not take, 404 for what is not there."""

    def __init__(self, says: str, status: int) -> None:
        super().__init__(says)
        self.status = status


class Google:
    """Forms and Drive, on behalf of whom the credentials name. It belongs to the thread that uses it.

    ``credentials`` is a file as Google writes it: of a service account, which acts in the name of ``subject`` (its domain must have
    allowed that); of a workload's identity; or of an application that a person has let in. ``endpoint`` is a private address of the
    services instead of the public one.
    """

    def __init__(
        self,
        credentials: Path,
        subject: str = "",
        endpoint: str = "",
        sleep: Callable[[float], None] = time.sleep,
        scopes: tuple[str, ...] = SCOPES,
    ) -> None:
        refuse_unsafe(endpoint)
        if find_spec("googleapiclient") is None:
            raise DeskError("Google's client is not installed: install denpyo with its extra “google”")
        self._open: dict[str, Any] = {}
        self.at: datetime = now()
        """The service's own clock at its last answer, to the second; the desk's until it has told it."""
        self._credentials, self._subject, self._endpoint, self._sleep = (
            credentials,
            subject,
            endpoint.rstrip("/"),
            sleep,
        )
        self._scopes = scopes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Connections are closed; those that are needed again are made again. The token stays."""
        for service in self._open.values():
            service.close()

    def create(self, title: str, document_title: str) -> Json:
        """A new form that nobody can answer yet. Asked for once: after an answer that is lost, whoever calls must look for it."""
        body = {"info": {"title": title, "documentTitle": document_title}}
        for attempt in range(RETRIES):
            try:
                return self._said(self._forms.create(body=body, unpublished=True))
            except RefusedError as error:
                if error.status != 429 or attempt == RETRIES - 1:
                    raise
                self._sleep(2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def find(self, document_title: str) -> list[str]:
        """The ids of the forms of this name that are not in the bin, the oldest first."""
        quoted = document_title.replace("\\", "\\\\").replace("'", "\\'")
        query = f"name = '{quoted}' and mimeType = 'application/vnd.google-apps.form' and trashed = false"
        asked = self._drive.files().list(
            q=query, fields="files(id,createdTime)", supportsAllDrives=True, includeItemsFromAllDrives=True
        )
        found = sorted(self._read(asked).get("files", []), key=lambda one: str(one.get("createdTime")))
        return [str(one["id"]) for one in found]

    def get(self, form: str) -> Json:
        return self._read(self._forms.get(formId=form))

    def update(self, form: str, requests: list[Json], revision: str) -> None:
        """All of these or none; none if the form is no longer as it was at this revision. Trying again is safe for that reason."""
        body = {"requests": requests, "writeControl": {"requiredRevisionId": revision}}
        self._said(self._forms.batchUpdate(formId=form, body=body), RETRIES)

    def open(self, form: str) -> None:
        """From now on the form takes responses."""
        state = {"publishState": {"isPublished": True, "isAcceptingResponses": True}}
        body = {"publishSettings": state, "updateMask": "publish_state"}
        self._said(self._forms.setPublishSettings(formId=form, body=body), RETRIES)

    def permissions(self, form: str) -> list[Json]:
        """Who may see what, those who may only answer among them."""
        asked = self._drive.permissions().list(
            fileId=form,
            includePermissionsForView="published",
            supportsAllDrives=True,
            fields="permissions(id,type,role,view,emailAddress,domain)",
        )
        return list(self._read(asked).get("permissions", []))

    def share(self, form: str, permission: Json) -> None:
        asked = self._drive.permissions().create(
            fileId=form, body=permission, supportsAllDrives=True, sendNotificationEmail=False
        )
        self._said(asked, RETRIES)

    def responses(self, form: str, since: str = "") -> Iterator[Json]:
        """Every response that was sent at ``since`` (RFC 3339, Z) or later, page by page, in no order."""
        seen: set[str] = set()
        token = ""
        for _ in range(MOST_PAGES):
            asked = {"filter": f"timestamp >= {since}"} if since else {}
            page = self._read(self._forms.responses().list(formId=form, pageToken=token or None, **asked))
            yield from page.get("responses", [])
            token = str(page.get("nextPageToken", ""))
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
        raise SourceDownError("Google Forms: the list of responses has no end")

    def sheets(self, spreadsheet: str) -> list[str]:
        """The titles of its sheets."""
        asked = self._sheets.get(spreadsheetId=spreadsheet, fields="sheets(properties(title))")
        return [str(one["properties"]["title"]) for one in self._read(asked).get("sheets", [])]

    def add_sheet(self, spreadsheet: str, title: str) -> None:
        """Asked for once: the service refuses a second one of the same title."""
        body = {"requests": [{"addSheet": {"properties": {"title": title}}}]}
        self._said(self._sheets.batchUpdate(spreadsheetId=spreadsheet, body=body))

    def values(self, spreadsheet: str, where: str) -> list[list[str]]:
        """The lines of a range, as people see them; what is empty at the end of one is left out."""
        found = self._read(self._sheets.values().get(spreadsheetId=spreadsheet, range=where)).get("values", [])
        return [[str(cell) for cell in line] for line in found]

    def put(self, spreadsheet: str, lines: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Lines of text by their ranges; nothing in them is taken for a formula, a number or a date."""
        data = [{"range": where, "values": [list(line)]} for where, line in lines]
        body = {"valueInputOption": "RAW", "data": data}
        self._said(self._sheets.values().batchUpdate(spreadsheetId=spreadsheet, body=body), RETRIES)

    def _read(self, request: Any) -> Json:
        for attempt in range(TRIES):
            try:
                return self._said(request, RETRIES)
            except _CutOffError:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _said(self, request: Any, retries: int = 0) -> Json:
        with _one_line():
            found = request.execute(num_retries=retries)
            if not isinstance(found, dict):
                raise ValueError("no JSON object")
            return found

    @cached_property
    def _forms(self) -> Any:
        return self._service("forms", "v1", "/").forms()

    @cached_property
    def _drive(self) -> Any:
        return self._service("drive", "v3", "/drive/v3/")

    @cached_property
    def _sheets(self) -> Any:
        return self._service("sheets", "v4", "/").spreadsheets()

    @cached_property
    def _signed_in(self) -> Any:
        return _credentials(self._credentials, self._subject, self._scopes)

    def _hear_time(self, answer: Mapping[str, str]) -> None:
        self.at = now()
        with suppress(KeyError, ValueError):
            self.at = parsedate_to_datetime(answer["date"]).replace(tzinfo=UTC)

    def _service(self, name: str, version: str, path: str) -> Any:
        from googleapiclient.discovery import build
        from googleapiclient.http import HttpRequest

        def request(*args: Any, **rest: Any) -> Any:
            made = HttpRequest(*args, **rest)
            made._sleep = self._sleep
            made.add_response_callback(self._hear_time)
            return made

        options = {"api_endpoint": self._endpoint + path} if self._endpoint else None
        with _one_line():
            self._open[name] = build(
                name,
                version,
                credentials=self._signed_in,
                client_options=options,
                static_discovery=True,
                requestBuilder=request,
            )
        return self._open[name]


class _CutOffError(SourceDownError):
    """An answer that ended before it was whole."""


@contextmanager
def _one_line() -> Iterator[None]:
    """What the client, its transport and its credentials raise, in one line."""
    from google.auth.exceptions import GoogleAuthError
    from googleapiclient.errors import Error, HttpError
    from httplib2 import HttpLib2Error

    try:
        yield
    except HttpError as error:
        raise RefusedError(_answered(error), _status(error)) from None
    except GoogleAuthError as error:
        raise SourceDownError(f"Google does not accept the credentials: {_brief(error)}") from None
    except (HTTPException, ValueError) as error:
        raise _CutOffError(f"Google's answer was cut off: {_brief(error)}") from None
    except (OSError, Error, HttpLib2Error) as error:
        raise SourceDownError(f"Google cannot be reached: {_brief(error)}") from None


def _status(error: Any) -> int:
    """Its status, and 429 for a quota that the service calls forbidden."""
    spent = error.status_code == 403 and "ateLimitExceeded" in str(error.error_details)
    return 429 if spent else int(error.status_code)


def _answered(error: Any) -> str:
    hints = {
        401: "Google does not accept the credentials",
        403: "Google does not allow it",
        404: "Google does not find it, or does not show it to this account",
        429: "Google's quota is spent; it is counted by the minute",
    }
    return f"{hints.get(_status(error), f'Google answers {error.status_code}')}: {foreign.said(error.reason, LONGEST_SAID)}"


def _brief(error: Exception) -> str:
    """Its sort and first words; never its whole text, in which a library may quote what it was given."""
    said = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    return foreign.said(f"{type(error).__name__} {said}".strip(), LONGEST_SAID)


def _credentials(file: Path, subject: str, scopes: tuple[str, ...]) -> Any:
    """What Google's own tools write. A file that would run a command to get its token is refused."""
    from google.auth import identity_pool
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import credentials, service_account

    account: Any = service_account.Credentials
    workload: Any = identity_pool.Credentials
    person: Any = credentials.Credentials
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
        match info.get("type", "authorized_user" if "refresh_token" in info else None):
            case "service_account":
                return account.from_service_account_info(info, scopes=scopes, subject=subject or None)
            case "authorized_user":
                names = ("refresh_token", "client_id", "client_secret")
                held = {name: info[name] for name in names} | {"token_uri": info.get("token_uri", TOKENS)}
                return person(None, **held, scopes=scopes)
            case "external_account" if "executable" not in info.get("credential_source", {}):
                return workload.from_info(info, scopes=scopes)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, GoogleAuthError):
        raise DeskError(f"{file}: is not a whole file of Google credentials") from None
    if "installed" in info:
        raise DeskError(f"{file}: nobody has signed in with this application: run `denpyo forms sign-in`")
    raise DeskError(
        f"{file}: holds no credentials of a service account, a workload identity (external_account) or an installed app"
    )


def refuse_unsafe(endpoint: str) -> None:
    """DeskError for an address that a token would be sent to in the open: over TLS alone, or within this machine."""
    split = urlsplit(endpoint)
    if endpoint and split.scheme != "https" and not (split.scheme == "http" and _is_here(split.hostname or "")):
        raise DeskError(f"endpoint: {shown(endpoint)} must begin with https://")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
