"""The id of a request follows from the identity of its response, so that the same response never becomes two requests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import rfc8785

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no letter that is taken for a digit when an id is read out."""


def request_id(salt: bytes, identity: Mapping[str, object]) -> str:
    """``7k3m-9qx2-b4td``: 60 bits of an HMAC under the desk's own salt, because an identity holds what people wrote.

    Among a million requests, two share an id with a probability under one in a million.
    """
    digest = hmac.new(salt, rfc8785.dumps(dict(identity)), hashlib.sha256).digest()  # type: ignore[arg-type]
    number = int.from_bytes(digest[:8]) >> 4
    letters = "".join(ALPHABET[(number >> shift) & 31] for shift in range(55, -1, -5))
    return "-".join(letters[start : start + 4] for start in (0, 4, 8))
