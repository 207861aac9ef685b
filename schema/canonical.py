"""JSON in the one form that RFC 8785 allows, fast for what slips and entries hold; the library ``rfc8785`` writes what is left.

The form parts from Python's own in numbers (``1.0`` is ``1``, exponents begin later), in the order of names beyond ASCII, and in
what it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

import rfc8785

MOST_EXACT = 2**53 - 1
SMALLEST_DECIMAL = 1e-6
MOST_NAMES = 1024
"""How many sets of names are remembered as they are written: those of a kind's questions come again in every job."""


class _OddError(Exception):
    """A value that is left to the library."""


def dumps(value: Any) -> bytes:
    """The canonical bytes of a JSON value. What JSON cannot say is a ``rfc8785.CanonicalizationError``."""
    try:
        return _spelled(value).encode()
    except (_OddError, UnicodeEncodeError, RecursionError):
        return rfc8785.dumps(value)


def string(value: str) -> bytes:
    """``dumps`` of what is known to be a text; UnicodeEncodeError for halves of characters."""
    return encode_basestring(value).encode()


def _spelled(value: Any) -> str:
    return SPELLED.get(type(value), _odd)(value)


def _odd(value: Any) -> str:
    raise _OddError


def _object(value: Mapping[str, Any]) -> str:
    spell = SPELLED.get
    members = [put + spell(type(one := value[name]), _odd)(one) for name, put in _names(tuple(value))]
    return f"{{{','.join(members)}}}"


@lru_cache(MOST_NAMES)
def _names(names: tuple[Any, ...]) -> tuple[tuple[str, str], ...]:
    """The names in their order, each as it is and as it is written. Those of ASCII alone are in the same order by code points, as
    Python sorts, and by UTF-16, as the form wants."""
    if not all(type(name) is str and name.isascii() for name in names):
        raise _OddError
    return tuple((name, f"{encode_basestring(name)}:") for name in sorted(names))


def _list(value: list[Any] | tuple[Any, ...]) -> str:
    spell = SPELLED.get
    return f"[{','.join([spell(type(one), _odd)(one) for one in value])}]"


def _whole_number(value: int) -> str:
    if not -MOST_EXACT <= value <= MOST_EXACT:
        raise _OddError
    return str(value)


def _number(value: float) -> str:
    """Python writes a number with the same digits, and with an exponent from another size on."""
    if value.is_integer():
        return _whole_number(int(value))
    written = repr(value)
    if "e" not in written and "n" not in written:
        return written
    if not SMALLEST_DECIMAL <= abs(value) < 1:
        raise _OddError
    return format(Decimal(written), "f")


SPELLED: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: _whole_number,
    float: _number,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
    dict: _object,
    list: _list,
    tuple: _list,
}
