"""Who calls: credentials, tokens, users. services/auth.py, services/users.py, service_repo/auth/."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from tests.standins.clearml.errors import Refused
from tests.standins.clearml.search import Options, find
from tests.standins.clearml.state import COMPANY, Record, State, User

API_VERSION, SERVER_VERSION = "2.34", "2.3.0"
EXPIRES_AFTER = 30 * 24 * 3600
_KEY = b"the key of the stand-in"


def caller(state: State, authorization: str | None) -> User:
    """The user of an Authorization header: Basic with a key pair, or Bearer with a token that this server gave."""
    kind, _, value = (authorization or "").partition(" ")
    if not value:
        raise Refused("no_credentials")
    if kind == "Bearer":
        return _bearer(state, value)
    if kind != "Basic":
        raise Refused("bad_auth_type")
    try:
        access_key, _, secret_key = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("bad_credentials") from None
    found = [one for one in state.users if (one.access_key, one.secret_key) == (access_key, secret_key)]
    if not found:
        raise Refused("invalid_credentials", "failed to locate provided credentials")
    return found[0]


def _bearer(state: State, token: str) -> User:
    head, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature, _signature(head)):
        raise Refused("invalid_token", "invalid jwt token", reason="Signature verification failed")
    content = json.loads(base64.urlsafe_b64decode(head.partition(".")[2] + "=="))
    if content["exp"] < time.time():
        raise Refused("invalid_token", "invalid jwt token", reason="Signature has expired")
    return state.user(content["identity"]["user"])


def login(state: State, user: User, data: Mapping[str, Any]) -> Record:
    """A JWT that tells the SDK which API this server speaks."""
    at = int(time.time())
    content = {
        "identity": {
            "user": user.id,
            "company": COMPANY,
            "role": "user",
            "user_name": user.name,
            "company_name": "stand-in",
        },
        "iat": at,
        "exp": at + int(data.get("expiration_sec") or EXPIRES_AFTER),
        "auth_type": "Bearer",
        "env": "<unknown>",
        "api_version": API_VERSION,
        "server_version": SERVER_VERSION,
        "server_build": "stand-in",
        "feature_set": "basic",
    }
    head = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(content)}"
    return {"token": f"{head}.{_signature(head)}"}


def _encoded(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _signature(head: str) -> str:
    return base64.urlsafe_b64encode(hmac.new(_KEY, head.encode(), hashlib.sha256).digest()).decode().rstrip("=")


def _shown(user: User) -> Record:
    return {"id": user.id, "name": user.name, "given_name": user.name, "company": COMPANY}


def get_all_users(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"users": find(map(_shown, state.users), data, Options(lists=("id",)))}


def get_user_by_id(state: State, user: User, data: Mapping[str, Any]) -> Record:
    found = [one for one in state.users if one.id == data["user"]]
    if not found:
        raise Refused("invalid_user_id", id=data["user"], company=COMPANY)
    return {"user": _shown(found[0])}


def get_current_user(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {
        "user": {**_shown(user), "company": {"id": COMPANY, "name": "stand-in"}, "role": "user"},
        "getting_started": None,
    }


def server_info(state: State, user: User, data: Mapping[str, Any]) -> Record:
    return {"version": SERVER_VERSION, "build": "stand-in", "commit": "stand-in"}
