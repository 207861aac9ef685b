"""The id of a request follows from the identity of its response, so that the same response never becomes two requests."""

from __future__ import annotations

import hashlib
import hmac

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no letter that is taken for a digit when an id is read out."""


def id_of(salt: bytes, identity: bytes) -> str:
    """``7k3m-9qx2-b4td``: 60 bits of an HMAC under the desk's own salt, because an identity holds what people wrote.

    Among a million requests, two share an id with a probability under one in a million.
    """
    number = int.from_bytes(hmac.digest(salt, identity, hashlib.sha256)[:8]) >> 4
    letters = "".join([ALPHABET[(number >> shift) & 31] for shift in range(55, -1, -5)])
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"
