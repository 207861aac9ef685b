from __future__ import annotations

from dataclasses import FrozenInstanceError
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submit.ledger.merkle import Frontier, consistency_proof, leaf_hash


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf)
    return frontier


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_the_tree_hash_of_rfc_9162(leaves: list[bytes]) -> None:
    frontier = grown(leaves)
    assert frontier.root() == tree_hash(leaves)
    assert frontier.size == len(leaves)
    assert len(frontier.hashes) == len(leaves).bit_count()


@given(st.lists(st.binary(max_size=4), max_size=40), st.lists(st.binary(max_size=4), max_size=40))
def test_a_frontier_read_back_from_bytes_grows_as_the_first_would(old: list[bytes], new: list[bytes]) -> None:
    frontier = grown(old)
    again = Frontier.unpack(frontier.size, frontier.pack())
    assert again == frontier
    for leaf in new:
        again = again.append(leaf)
    assert again.root() == tree_hash(old + new)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_one_empty_leaf_has_the_hash_of_a_zero_byte() -> None:
    assert grown([b""]).root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_three_leaves_make_a_pair_and_one_beside_it() -> None:
    a, b, c = (sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b", b"c"))
    pair = sha256(b"\x01" + a + b).digest()
    frontier = grown([b"a", b"b", b"c"])
    assert frontier.hashes == (pair, c)
    assert frontier.root() == sha256(b"\x01" + pair + c).digest()


def test_a_leaf_cannot_pass_for_a_node() -> None:
    a, b = (sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))
    assert grown([a + b]).root() != grown([b"a", b"b"]).root()


def test_appending_leaves_the_frontier_before_as_it_was() -> None:
    one = grown([b"a"])
    one.append(b"b")
    assert (one.size, one.root()) == (1, sha256(b"\x00a").digest())
    with pytest.raises(FrozenInstanceError):
        one.size = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("size", "packed"),
    [
        pytest.param(-1, bytes(32), id="negative"),
        pytest.param(3, bytes(32), id="a hash is missing"),
        pytest.param(4, bytes(64), id="a hash too many"),
        pytest.param(1, bytes(31), id="a torn hash"),
    ],
)
def test_bytes_that_fit_no_tree_of_that_size_are_refused(size: int, packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"^\d+ bytes are no frontier of -?\d+ leaves$"):
        Frontier.unpack(size, packed)


@given(st.lists(st.binary(max_size=8), max_size=70), st.lists(st.binary(max_size=8), max_size=70))
def test_many_leaves_at_once_are_the_same_tree(old: list[bytes], new: list[bytes]) -> None:
    assert grown(old).append_hashes([leaf_hash(leaf) for leaf in new]) == grown(old + new)


@pytest.mark.parametrize("older", [0, 4])
def test_a_tree_has_not_grown_out_of_a_larger_one_or_out_of_nothing(older: int) -> None:
    with pytest.raises(ValueError, match="has grown out of"):
        consistency_proof([leaf_hash(bytes([number])) for number in range(3)], older)
