"""One message to a webhook, over TLS, without ever following anybody elsewhere. httpx is imported here for chats, and nowhere else.

The address of a webhook is its password: it stands in no message and no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from submit.desk import Chat, Desk, DeskError, denpyo_version, now, secret
from submit.inbox import SourceDownError, extra
from submit.replies.channel import PutOffError, RefusedError, UnsureError

SECONDS = 20.0
CONNECT = 10.0
LONGEST_WAIT = 24 * 3600.0
ALLOWED = re.compile(r"https://[^\s/@]+/\S*|http://127\.0\.0\.1(:[0-9]+)?/\S*")
NOT_NOW = (408, 429)
IN_BETWEEN = (502, 504)
"""Answers of something on the way that does not know what became of a message (RFC 9110, 15.6)."""


def address(desk: Desk, name: str, chat: Chat) -> str:
    """The webhook's address, read anew each time. DeskError where there is none that may be used."""
    if chat.webhook not in desk.config.secrets:
        raise DeskError(f"replies.{name}: webhook is not the name of an entry of [secrets]")
    found = secret(desk, chat.webhook)
    if not ALLOWED.fullmatch(found):
        raise DeskError(f"replies.{name}: secrets.{chat.webhook} holds no address that begins with https://")
    return found


def post(name: str, url: str, payload: Mapping[str, Any], seconds: float = SECONDS) -> None:
    """RefusedError, PutOffError or UnsureError where it was not taken; SourceDownError where nobody could be reached, DeskError
    where the address is none."""
    with extra(f"replies.{name}", "chat"):
        import httpx
    timeout, agent = httpx.Timeout(seconds, connect=min(CONNECT, seconds)), f"denpyo/{denpyo_version()}"
    try:
        with (
            httpx.Client(timeout=timeout, follow_redirects=False, headers={"User-Agent": agent}) as client,
            client.stream("POST", url, json=payload) as answer,
        ):
            status, wait = answer.status_code, answer.headers.get("retry-after", "")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise SourceDownError(f"{name} cannot be reached: {type(error).__name__}") from None
    except httpx.InvalidURL:
        raise DeskError(f"replies.{name}: the address of its webhook cannot be used") from None
    except httpx.HTTPError:
        raise UnsureError(f"{name} was sent the message and did not answer") from None
    _judge(name, status, wait)


def _judge(name: str, status: int, wait: str) -> None:
    if 200 <= status < 300:
        return
    said = f"{name}: HTTP {status}"
    if status in IN_BETWEEN:
        raise UnsureError(said)
    if status in NOT_NOW or status >= 500:
        raise PutOffError(said, retry_after(wait))
    raise RefusedError(said)


def retry_after(said: str) -> float | None:
    """Seconds, or a date (RFC 9110, 10.2.3), a day at most; None where it says neither."""
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST_WAIT)
    try:
        return min(max(0.0, (parsedate_to_datetime(said) - now()).total_seconds()), LONGEST_WAIT)
    except (TypeError, ValueError):
        return None
