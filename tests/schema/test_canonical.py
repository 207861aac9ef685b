"""Our canonical JSON is that of the library, to the byte, whatever stands in it."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from schema import canonical

NUMBERS = st.one_of(
    st.integers(-(2**54), 2**54),
    st.floats(),
    st.binary(min_size=8, max_size=8).map(lambda bits: struct.unpack("<d", bits)[0]),
    st.sampled_from(
        [0.0, -0.0, 1e-4, 9.9e-5, 1e16, 2.0**53, 2.0**53 - 1, 2.0**53 + 2, 1e21, 0.1, 5e-324, 123456.789e3]
    ),
)
TEXTS = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner), st.tuples(inner), st.dictionaries(TEXTS, inner)),
    max_leaves=12,
)


def outcome(dumps: Any, value: Any) -> Any:
    """The bytes, or the sort of refusal."""
    try:
        return dumps(value)
    except ValueError as error:  # CanonicalizationError, or UnicodeEncodeError for half a character in a name
        return type(error)


@given(VALUES)
@example([1e16, 1e-5, 0.0001, 1e21, 1e22, -0.0, 2.0**53, 123456789.125, 1e15 + 0.5])
@example({"\U00010000": 1, "\ufb33": 2})
@example({"a": '"\\\x00\x1f\x7f\u2028\ud7ff/<>', "b": (1, 2.0)})
@example({"\ue000": 1, "\U00010000": 2})
@example({"\ud800": 1})
@example({"b": [1.0, (True, None)], "a": {"ß": '\x1f\x7f\u2028"\\/'}})
@example([9007199254740994.0])
@example([2**53])
def test_canonical_json_is_what_the_library_writes(value: Any) -> None:
    assert outcome(canonical.dumps, value) == outcome(rfc8785.dumps, value)


@given(st.text())
def test_a_text_alone_is_written_the_same(value: str) -> None:
    assert canonical.string(value) == rfc8785.dumps(value)


def test_names_are_sorted_and_whole_numbers_have_no_point() -> None:
    assert canonical.dumps({"b": 1.0, "a": [0.25, "水"], "c": -0.0}) == '{"a":[0.25,"水"],"b":1,"c":0}'.encode()


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, "\ud800", {1: 2}, {"a": object()}],
    ids=["nan", "infinite", "too long", "half a character", "a name that is none", "an object"],
)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical.dumps(value)
