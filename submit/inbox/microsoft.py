"""Workbooks of responses in OneDrive or SharePoint. The only file that knows msal.

A look asks Graph what changed since the last one and reads each workbook that did, whole: Forms writes into it, and people edit their
responses. Its senders are those whom Forms recorded (``verified``): who may write into the workbook may say who they are, so it belongs
in a place that only the form's owner may write to.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msal

from schema.problem import shown
from submit.desk import Desk, DeskError, refuse_open_secret, secret
from submit.inbox import Delivery, SourceDownError, StuckError
from submit.inbox.microsoft_graph import GRAPH, Drive, GoneError, Item, ResyncError, Wire
from submit.inbox.microsoft_rows import Rows
from submit.judging import Outcome
from submit.ledger import LedgerBusy
from submit.response import VERIFIED, Source
from submit.sources import Microsoft

if TYPE_CHECKING:
    import httpx

LOGIN = "https://login.microsoftonline.com"
SCOPES = [f"{GRAPH}/.default"]
"""Whatever the application was granted, and no more."""
DOOR = "microsoft"
NUMBER = re.compile(r"AADSTS[0-9]+")
Say = Callable[[str], None]


def open_inbox(
    desk: Desk, name: str, settings: Microsoft, transport: httpx.BaseTransport | None = None
) -> MicrosoftInbox:
    """DeskError where the secret is not there, or others may read it. ``transport`` is another way to the services than the network."""
    if settings.write_back and settings.sign_in != "device":
        raise DeskError(
            f'sources.{name}: write_back needs sign_in = "device": Graph lets no application write into workbooks'
        )
    wire = Wire(transport)
    drive = Drive(wire, _account(desk, name, settings, wire).token, settings.drive)
    return MicrosoftInbox(settings, drive, Rows(desk, name, drive) if settings.write_back else None)


def sign_in(desk: Desk, name: str, settings: Microsoft, say: Say, transport: httpx.BaseTransport | None = None) -> None:
    """Let somebody sign in with a code, once; the tokens are kept on the desk. DeskError where this source signs in by itself."""
    if settings.sign_in != "device":
        raise DeskError(f"sources.{name}: it signs in by its {settings.sign_in}; nobody need do it")
    _account(desk, name, settings, Wire(transport)).sign_in(say)


def _account(desk: Desk, name: str, settings: Microsoft, wire: Wire) -> Account:
    file = desk.folder / f".{name}.tokens.json"
    return Account(name, settings, _secret(desk, name, settings), wire, Tokens(name, file))


def _secret(desk: Desk, name: str, settings: Microsoft) -> str:
    if settings.sign_in == "device":
        return ""
    if settings.secret not in desk.config.secrets:
        raise DeskError(f"sources.{name}: secret is not the name of an entry of [secrets]")
    return secret(desk, settings.secret)


@dataclass
class Tokens:
    """The tokens of a source, kept in a file that nobody else may read. DeskError where others may."""

    name: str
    file: Path
    cache: Any = field(default_factory=msal.SerializableTokenCache)

    def __post_init__(self) -> None:
        if not self.file.exists():
            return
        refuse_open_secret(self.name, self.file)
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except ValueError:  # torn by a power cut: whoever signs in by a code does it once more
            return
        if isinstance(found, dict):
            self.cache.deserialize(json.dumps(found))

    def keep(self) -> None:
        """Write what is new, under another name first: a crash leaves the old ones."""
        if not self.cache.has_state_changed:
            return
        new = self.file.with_name(f"{self.file.name}.new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(self.cache.serialize())
        new.replace(self.file)


@dataclass
class Account:
    """How a source signs in. The secret stands in no message: neither ours, nor one of msal's that we pass on."""

    name: str
    settings: Microsoft
    secret: str = field(repr=False)
    wire: Wire = field(repr=False)
    tokens: Tokens = field(repr=False)
    _opened: Any = field(default=None, repr=False)

    def token(self, *, anew: bool = False) -> str:
        """An access token; with ``anew`` not one that is kept. SourceDownError where there is none."""
        with self._translated():
            app, device = self._app(), self.settings.sign_in == "device"
            result = self._of_person(app, anew) if device else self._of_application(app, anew)
        return self._taken(result)

    def sign_in(self, say: Say) -> None:
        """``say`` hears where to go and which code to type there; then this waits until somebody has."""
        with self._translated():
            app = self._app()
            flow = app.initiate_device_flow(scopes=SCOPES)
            if "user_code" not in flow:
                raise SourceDownError(self._why(flow))
            say(shown(str(flow["message"]), 500))
            result = app.acquire_token_by_device_flow(flow)
        self._taken(result)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What msal raises for answers that it does not understand; it may hold them."""
        try:
            yield
        except (msal.exceptions.MsalError, ValueError, LookupError, TypeError, AttributeError):
            raise SourceDownError(f"sources.{self.name}: login.microsoftonline.com answers with an error") from None

    def _app(self) -> Any:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> Any:
        """msal reads the directory's addresses here, so that a service that is down is met in a look and not before."""
        told: dict[str, Any] = {
            "client_id": self.settings.client,
            "authority": f"{LOGIN}/{self.settings.tenant}",
            "http_client": self.wire,
            "token_cache": self.tokens.cache,
            "instance_discovery": False,
        }
        if self.settings.sign_in == "device":
            return msal.PublicClientApplication(**told)
        try:
            return msal.ConfidentialClientApplication(**told, client_credential=self._credential())
        except (ValueError, TypeError):
            certificate = " or its certificate cannot be used" if self.settings.sign_in == "certificate" else ""
            raise SourceDownError(f"sources.{self.name}: the tenant is not known{certificate}") from None

    def _credential(self) -> Any:
        if self.settings.sign_in == "secret":
            return self.secret
        return {"private_key": self.secret, "public_certificate": self.secret}

    def _of_application(self, app: Any, anew: bool) -> Any:
        if anew:
            app.remove_tokens_for_client()
        return app.acquire_token_for_client(SCOPES)

    def _of_person(self, app: Any, anew: bool) -> Any:
        accounts = app.get_accounts()
        if not accounts:
            raise SourceDownError(f"nobody has signed in: run `denpyo forms sign-in {self.name}`")
        return app.acquire_token_silent_with_error(SCOPES, accounts[0], force_refresh=anew)

    def _taken(self, result: Any) -> str:
        self.tokens.keep()
        token = result.get("access_token") if isinstance(result, dict) else None
        if not isinstance(token, str):
            raise SourceDownError(self._why(result))
        return token

    def _why(self, result: Any) -> str:
        """The code alone: a description may repeat what was sent."""
        said = result if isinstance(result, dict) else {}
        number = NUMBER.search(str(said.get("error_description", "")))
        code = shown(str(said.get("error", "no token")), 40)
        return f"the sign-in was refused: {code}{f' ({number[0]})' if number else ''}"


@dataclass(frozen=True, slots=True)
class State:
    """Where a source stands: what is looked at (``place`` as set, the ids that it led to, the name of a single workbook), the link to
    what changes ("" before everything was read once), and by id the tag of each workbook as it was read last."""

    place: str
    target: str
    parent: str
    name: str
    link: str
    seen: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, one: Item) -> bool:
        """A single workbook may be replaced by another of its name."""
        if not one.is_workbook or self.seen.get(one.id) == one.tag:
            return False
        if self.name:
            return one.id == self.target or (one.parent == self.parent and one.name == self.name)
        return one.parent == self.target

    def after(self, one: Item) -> State:
        return replace(self, seen={**self.seen, one.id: one.tag})


@dataclass
class MicrosoftInbox:
    """``_newer``: a place, and the link that is newer than the one in it: nothing that concerns us has changed between the two. ``rows``
    writes back, where that is wanted: ``_shown`` is what stands in each workbook of each request, as far as this process knows, and
    ``_said`` what was in the way the last time."""

    settings: Microsoft
    drive: Drive
    rows: Rows | None = None
    _newer: tuple[str, str] = ("", "")
    _shown: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _said: str = ""

    def look(self, place: str) -> Iterator[Delivery]:
        state = self._state(place)
        try:
            items, link = self.drive.changes(state.link) if state else ([], "")
        except ResyncError:
            state = None
        if state is None:
            state, items, link = self._anew(place)
        wanted = [one for one in items if state.concerns(one)]
        stuck: list[str] = []
        for left, item in zip(range(len(wanted) - 1, -1, -1), wanted, strict=True):
            try:
                found = self.drive.read(item)
            except SourceDownError as error:
                stuck.append(f"{shown(item.name, 200)}: {error}")
                continue
            if found is None:
                continue
            data, item = found
            state = replace(state.after(item), link=link if left == 0 and not stuck else state.link)
            source = Source(shown(item.name, 200), data, DOOR, trust=VERIFIED)
            place = json.dumps(asdict(state))
            yield Delivery((source,), place, partial(self._settle, item))
        if stuck:
            raise StuckError("; ".join(stuck))
        self._newer = (place, link)
        self._write_anew(state)

    def _settle(self, item: Item, outcome: Outcome) -> None:
        """Whoever answered a form is not told by this source; beside their answer stands what became of it, where that is wanted."""
        if self.rows:
            self._shown.pop(item.id, None)
            self._beside(partial(self.rows.of_outcome, item, outcome))

    def _write_anew(self, state: State) -> None:
        """Beside what was read before, where its requests have moved on."""
        for id in state.seen if self.rows else ():
            before = self._shown.get(id)
            if self.rows and (before is None or self.rows.shown([*before]) != before):
                self._beside(partial(self._anew_in, self.rows, id))

    def _anew_in(self, rows: Rows, item: str) -> None:
        try:
            self._shown[item] = rows.anew(item)
        except GoneError:
            self._shown[item] = {}

    def _beside(self, write: Callable[[], None]) -> None:
        """Nothing that goes wrong here keeps a response back; it is said once and tried again."""
        before, self._said = self._said, ""
        try:
            write()
        except (SourceDownError, LedgerBusy) as error:
            self._said = shown(f"write_back: {error}", 300)
        if self._said not in ("", before):
            sys.stderr.write(f"denpyo: {self._said}\n")

    def _state(self, place: str) -> State | None:
        """None at first, where denpyo.toml names another place by now, and where not all that was there at first has been read."""
        state = State(**json.loads(place)) if place else None
        if state is None or state.place != self._set or not state.link:
            return None
        return replace(state, link=self._newer[1]) if self._newer[0] == place else state

    @property
    def _set(self) -> str:
        return f"{self.settings.drive}:{self.settings.path}"

    def _anew(self, place: str) -> tuple[State, list[Item], str]:
        """Look at what is there; what changes meanwhile comes with the link, which is asked for first. Workbooks that were read already
        are not read again. The state has no link before all of them are read."""
        link = self.drive.latest()
        target = self.drive.item_at(self.settings.path)
        before = State(**json.loads(place)) if place else None
        seen = before.seen if before and before.place == self._set else {}
        name = "" if target.is_folder else target.name
        items = self.drive.children(target) if target.is_folder else [target]
        return State(self._set, target.id, target.parent, name, "", seen), items, link
