"""Somebody lets this desk into their Google account with a code, once (OAuth 2.0 device authorization, RFC 8628).

The file of credentials is at first that of an application for limited-input devices, as Google's console gives it; signing in puts the
person's login in its place, which no one else may read.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from schema.problem import shown
from submit.desk import DeskError
from submit.inbox import SourceDownError
from submit.inbox.google import SCOPES, TOKENS, refuse_unsafe

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SECONDS = 30
LONGEST_WAIT = 1800
"""Seconds that a code is waited for at most, whatever the service says; and between two questions at least one."""
LONGEST_ANSWER = 64 * 1024
Json = dict[str, Any]


def sign_in(file: Path, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """``say`` hears where to go and which code to type there; then this waits until somebody has. DeskError for a file that holds no such
    application, SourceDownError where the service, or whoever was asked, says no."""
    app, tokens = _application(file)
    code = _post(urljoin(tokens, "/device/code"), {"client_id": app["client_id"], "scope": " ".join(SCOPES)})
    device, user, where = (_said(code, name) for name in ("device_code", "user_code", "verification_url"))
    say(f"Open {shown(where, 200)} and type the code {shown(user)}")
    asked = {**app, "device_code": device, "grant_type": GRANT}
    wait, waited = max(1, _seconds(code, "interval", 5)), 0
    while waited < min(_seconds(code, "expires_in", LONGEST_WAIT), LONGEST_WAIT):
        sleep(wait)
        waited += wait
        found = _post(tokens, asked)
        if "refresh_token" in found:
            return _keep(
                file,
                {"type": "authorized_user", **app, "refresh_token": _said(found, "refresh_token"), "token_uri": tokens},
            )
        if found.get("error") not in ("authorization_pending", "slow_down"):
            break
        wait += 5 if found["error"] == "slow_down" else 0
    raise SourceDownError(f"nobody signed in to Google: {shown(str(found.get('error', 'no answer')))}")


def _application(file: Path) -> tuple[Mapping[str, str], str]:
    """Its id and secret, and where tokens are asked for."""
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
        held = info.get("installed", info)
        app = {name: str(held[name]) for name in ("client_id", "client_secret")}
        tokens = str(held.get("token_uri", TOKENS))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise DeskError(f"{file}: is not the file of an application for limited-input devices") from None
    refuse_unsafe(tokens)
    return app, tokens


def _post(address: str, fields: Mapping[str, str]) -> Json:
    """What the service answers, good or bad, as long as it is JSON."""
    split = urlsplit(address)
    connect = HTTPSConnection if split.scheme == "https" else HTTPConnection
    connection = connect(split.netloc, timeout=SECONDS)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", split.path, urlencode(fields), headers)
        found = json.loads(connection.getresponse().read(LONGEST_ANSWER))
    except (OSError, HTTPException, ValueError) as error:
        raise SourceDownError(f"Google cannot be reached: {type(error).__name__}") from None
    finally:
        connection.close()
    if not isinstance(found, dict):
        raise SourceDownError("Google's answer is none")
    return found


def _said(found: Json, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise SourceDownError(f"nobody can sign in to Google: {shown(str(found.get('error', f'no {name}')))}")
    return value


def _seconds(found: Json, name: str, otherwise: int) -> int:
    value = found.get(name, otherwise)
    return value if isinstance(value, int) and value >= 0 else otherwise


def _keep(file: Path, login: Mapping[str, str]) -> None:
    """In the place of what the file held, whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(
        os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8"
    ) as out:
        json.dump(login, out)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
