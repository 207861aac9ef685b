"""One drive of OneDrive or SharePoint by Microsoft Graph v1.0: what changed in it, and the bytes of a file. Knows httpx and tenacity.

https://learn.microsoft.com/graph/api/driveitem-delta, driveitem-get-content, and /graph/throttling.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from generators.excel.bounds import LARGEST_FILE
from schema.problem import shown
from submit.desk import now
from submit.inbox import SourceDownError

T = TypeVar("T")
GRAPH = "https://graph.microsoft.com"
FIELDS = {"$select": "id,name,file,folder,deleted,cTag,parentReference"}
TRIES = 4
LONGEST_WAIT = 10.0
"""Seconds that are waited within one look; whoever asks for more is left alone for so long, and the look ends."""
MOST_PAGES = 1_000
MOST_REDIRECTS = 3
NOISY = ("httpx", "httpcore", "msal")
"""Libraries that log addresses which open a file by themselves, and answers with tokens in them."""
BUSY = (409, 423, 429, 500, 502, 503, 504)
"""409 and 423 are workbooks that somebody else is just writing into."""
WHY = {
    401: "the sign-in is not accepted",
    403: "the application may not read this drive; docs/microsoft.md says which permission it needs",
    404: "there is no such drive, file or folder, or the application may not see it",
}


class Token(Protocol):
    """Gives an access token; with ``anew`` not the one that was just refused."""

    def __call__(self, *, anew: bool = False) -> str: ...


class ResyncError(SourceDownError):
    """The service no longer knows what changed since that link (HTTP 410): everything is to be looked at anew."""


class _BusyError(SourceDownError):
    """The service wants to be asked again, after so many seconds if it says so."""

    def __init__(self, line: str, seconds: float | None = None) -> None:
        super().__init__(line)
        self.seconds = seconds


class GoneError(SourceDownError):
    """What was asked for is not there (HTTP 404)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder: ``tag`` changes with its content (cTag)."""

    id: str
    name: str
    parent: str
    tag: str
    is_folder: bool
    is_deleted: bool

    @property
    def is_workbook(self) -> bool:
        return self.name.lower().endswith(".xlsx") and not (self.is_folder or self.is_deleted or self.name[:2] == "~$")


class Wire:
    """HTTP, as msal wants it and as ``Drive`` uses it; what goes wrong on the way is a SourceDownError without any address."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self.client = httpx.Client(transport=transport, timeout=30.0, follow_redirects=False)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        return self._sent(self.client.build_request("GET", url, params=params, headers=headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        """httpx would send the bytes of an assertion as Python spells them, so that they are encoded here."""
        told = {**(headers or {}), "Content-Type": "application/x-www-form-urlencoded"}
        content = data if isinstance(data, str | bytes) else urlencode(data or {})
        return self._sent(self.client.build_request("POST", url, params=params, content=content, headers=told))

    def close(self) -> None:
        self.client.close()

    def _sent(self, request: httpx.Request) -> httpx.Response:
        with _translated():
            return self.client.send(request)

    def send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        """With a body of JSON where there is one."""
        return self._sent(self.client.build_request(method, url, json=body, headers=headers))

    def first(self, url: str, most: int, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        """An answer and the first bytes of its body, at most so many."""
        found = bytearray()
        with _translated(), self.client.stream("GET", url, headers=headers) as response:
            for part in response.iter_bytes():
                found += part
                if len(found) >= most:
                    break
            return response, bytes(found[:most])


@contextmanager
def _translated() -> Iterator[None]:
    """What goes wrong on the way, without the address: it may open a file by itself."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise _BusyError(f"Microsoft does not answer ({type(error).__name__})") from None


@dataclass
class Drive:
    """``sleep`` waits for some seconds; ``rests`` is until when (``time.monotonic``) the service wants not to be asked."""

    wire: Wire
    token: Token
    id: str
    sleep: Callable[[float], None] = time.sleep
    rests: float = field(default=0.0, init=False)

    @property
    def _root(self) -> str:
        return f"{GRAPH}/v1.0/drives/{self.id}"

    def item_at(self, path: str) -> Item:
        return _item(self._json(f"{self._root}/root:/{quote(path, safe='/')}?{urlencode(FIELDS)}"))

    def children(self, folder: Item) -> list[Item]:
        found, link = list[Item](), f"{self._root}/items/{quote(folder.id, safe='')}/children?{urlencode(FIELDS)}"
        for page in self._pages(link):
            found += map(_item, page["value"])
        return found

    def latest(self) -> str:
        """A link to what changes from now on."""
        *_, last = self._pages(f"{self._root}/root/delta?{urlencode({**FIELDS, 'token': 'latest'})}")
        return _link(last, "@odata.deltaLink")

    def changes(self, link: str) -> tuple[list[Item], str]:
        """What changed since then, each file or folder once as it is now; and the link for the next time. ResyncError where the
        service has forgotten that time."""
        found, last = dict[str, Item](), dict[str, Any]()
        for last in self._pages(link):
            found |= {one.id: one for one in map(_item, last["value"])}
        return list(found.values()), _link(last, "@odata.deltaLink")

    def read(self, item: Item) -> tuple[bytes, Item] | None:
        """A file's bytes as they were at one moment, with what it was then; None where it is gone. Forms writes at any time: what
        changed while it was read is read again."""
        address = f"{self._root}/items/{quote(item.id, safe='')}"
        for _ in range(TRIES):
            try:
                data = self._again(partial(self._content, f"{address}/content"))
                after = _item(self._json(f"{address}?{urlencode(FIELDS)}"))
            except GoneError:
                return None
            if after.tag == item.tag:
                return data, after
            item = after
        raise SourceDownError("changes all the time; it is read again later")

    def now(self, id: str) -> Item:
        """A file as it is at this moment."""
        return _item(self._json(f"{self._root}/items/{quote(id, safe='')}?{urlencode(FIELDS)}"))

    def ask(self, method: str, path: str, body: Any = None, session: str = "", *, once: bool = False) -> dict[str, Any]:
        """What Graph answers to a call below the drive; {} where it answers nothing. ``once``: it is not asked again, because doing it
        twice would do harm."""
        headers = {"workbook-session-id": session} if session else {}
        call = partial(self._sent, method, f"{self._root}/{path}", body, headers)
        try:
            return call() if once else self._again(call)
        except _BusyError as error:
            raise SourceDownError(str(error)) from None

    def _sent(self, method: str, url: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
        for anew in (False, True):
            response = self.wire.send(
                method, url, body, {**headers, "Authorization": f"Bearer {self.token(anew=anew)}"}
            )
            if response.status_code != 401:
                break
        self._must_be_good(response, response.content)
        return _document(response.content) if response.content else {}

    def _pages(self, link: str) -> Iterator[dict[str, Any]]:
        for _ in range(MOST_PAGES):
            page = self._json(link)
            if not isinstance(page.get("value"), list):
                raise SourceDownError("graph.microsoft.com answers without a list")
            yield page
            if "@odata.nextLink" not in page:
                return
            link = _link(page, "@odata.nextLink")
        raise SourceDownError("graph.microsoft.com does not come to an end")

    def _json(self, url: str) -> dict[str, Any]:
        return self._again(lambda: _document(self._asked(url)[1]))

    def _again(self, ask: Callable[[], T]) -> T:
        """Ask until the service answers, as often and as long as it may take; SourceDownError then."""
        if time.monotonic() < self.rests:
            raise SourceDownError("graph.microsoft.com asked to be left alone for a while")
        for attempt in Retrying(
            stop=stop_after_attempt(TRIES),
            wait=_pause,
            retry=retry_if_exception_type(_BusyError),
            sleep=self.sleep,
            reraise=True,
        ):
            with attempt:
                return ask()
        raise AssertionError("tenacity raises what the last attempt raised")

    def _asked(self, url: str) -> tuple[httpx.Response, bytes]:
        """An answer of Graph with its body. A token that is refused is asked for anew, once."""
        for anew in (False, True):
            headers = {"Authorization": f"Bearer {self.token(anew=anew)}"}
            response, body = self.wire.first(url, LARGEST_FILE + 1, headers)
            if response.status_code != 401:
                break
        self._must_be_good(response, body)
        return response, body

    def _content(self, url: str) -> bytes:
        """Graph answers with the address of the bytes, which opens them by itself: it gets no token, and stands in no message."""
        response, body = self._asked(url)
        for _ in range(MOST_REDIRECTS):
            if not response.is_redirect:
                return body
            target = response.headers["location"]
            if not target.startswith("https://"):
                raise SourceDownError("graph.microsoft.com names an address that is not https")
            response, body = self.wire.first(target, LARGEST_FILE + 1, {})
            self._must_be_good(response, body)
        raise SourceDownError("graph.microsoft.com leads from address to address")

    def _must_be_good(self, response: httpx.Response, body: bytes) -> None:
        status, host = response.status_code, response.url.host
        if response.is_success or response.is_redirect:
            return
        if status == 410:
            raise ResyncError(f"{host}: HTTP 410")
        said = f"{host}: HTTP {status} {_code(body)}".rstrip()
        if status not in BUSY:
            raise (GoneError if status == 404 else SourceDownError)(f"{said}: {WHY.get(status, 'refused')}")
        seconds = _retry_after(response.headers.get("retry-after", ""))
        if seconds is not None and seconds > LONGEST_WAIT:
            self.rests = time.monotonic() + seconds
            raise SourceDownError(f"{said}: asks to be left alone for {seconds:.0f} s")
        raise _BusyError(said, seconds)


def _pause(state: RetryCallState) -> float:
    """As long as the service says, or ever longer."""
    error = state.outcome.exception() if state.outcome else None
    said = error.seconds if isinstance(error, _BusyError) else None
    return min(2.0 ** (state.attempt_number - 1), LONGEST_WAIT) if said is None else said


def _retry_after(said: str) -> float | None:
    """Seconds, or a date (RFC 9110, 10.2.3)."""
    if said.isascii() and said.isdigit():
        return float(said[:6])
    try:
        return max(0.0, (parsedate_to_datetime(said) - now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise _BusyError("graph.microsoft.com answers with something else than JSON") from None
    if not isinstance(found, dict):
        raise SourceDownError("graph.microsoft.com answers with something else than an object")
    return found


def _link(page: dict[str, Any], name: str) -> str:
    """An address that gets our token must be Graph's."""
    link = page.get(name)
    if not isinstance(link, str) or not link.startswith(f"{GRAPH}/"):
        raise SourceDownError(f"graph.microsoft.com answers without an {name} of its own")
    return link


def _item(one: Any) -> Item:
    found = one if isinstance(one, dict) else {}
    parent = found.get("parentReference")
    return Item(
        id=str(found.get("id", "")),
        name=str(found.get("name", "")),
        parent=str(parent.get("id", "")) if isinstance(parent, dict) else "",
        tag=str(found.get("cTag", "")),
        is_folder="folder" in found,
        is_deleted="deleted" in found,
    )


def _code(body: bytes) -> str:
    """The code of an error, as Graph names it."""
    try:
        found = json.loads(body)["error"]["code"]
    except (ValueError, TypeError, KeyError):
        return ""
    return shown(found, 40) if isinstance(found, str) else ""
