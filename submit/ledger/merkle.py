"""The Merkle tree of RFC 9162, section 2.1, over SHA-256, kept as small as appending needs it.

A leaf hashes as SHA-256(0x00 || data), a node as SHA-256(0x01 || left || right), so neither can pass for the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree of `size` leaves: the roots of its perfect subtrees, the largest and leftmost first.

    There is one hash for each bit set in `size`. It is all that appending a leaf and computing the root need.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf_data: bytes) -> Frontier:
        return self.append_hash(leaf_hash(leaf_data))

    def append_hash(self, leaf: bytes) -> Frontier:
        return self.append_hashes((leaf,))

    def append_hashes(self, leaves: Iterable[bytes]) -> Frontier:
        """Many at a time: whole subtrees are made level by level, which is what makes a million quick."""
        new = leaves if isinstance(leaves, list) else list(leaves)
        size, hashes, done = self.size, list(self.hashes), 0
        while done < len(new):
            height = (len(new) - done).bit_length() - 1
            if size:
                height = min(height, (size & -size).bit_length() - 1)  # as large as may begin here
            subtree, rest = _perfect(new[done : done + (1 << height)]), size >> height
            while rest & 1:
                subtree = node_hash(hashes.pop(), subtree)
                rest >>= 1
            hashes.append(subtree)
            size, done = size + (1 << height), done + (1 << height)
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """The Merkle Tree Hash; that of the empty tree is SHA-256 of nothing."""
        if not self.hashes:
            return sha256(b"").digest()
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def pack(self) -> bytes:
        """The hashes end to end; with `size`, `unpack` reads them back."""
        return b"".join(self.hashes)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Self:
        """ValueError where `packed` cannot be the frontier of a tree of that size."""
        if size < 0 or len(packed) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"{len(packed)} bytes are no frontier of {size} leaves")
        return cls(size, tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)))


def _perfect(level: list[bytes]) -> bytes:
    """The root of as many leaves as a power of two."""
    while len(level) > 1:
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return level[0]


def consistency_proof(leaves: list[bytes], older: int) -> list[bytes]:
    """The nodes that show a tree of these leaf hashes to have grown out of its first `older` ones, RFC 9162, section 2.1.4.1."""
    if not 0 < older <= len(leaves):
        raise ValueError(f"no tree of {len(leaves)} leaves has grown out of one of {older}")
    return _subproof(leaves, older, whole=True)


def _subproof(leaves: list[bytes], older: int, *, whole: bool) -> list[bytes]:
    if older == len(leaves):
        return [] if whole else [_root(leaves)]
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    if older <= left:
        return [*_subproof(leaves[:left], older, whole=whole), _root(leaves[left:])]
    return [*_subproof(leaves[left:], older - left, whole=False), _root(leaves[:left])]


def _root(leaves: list[bytes]) -> bytes:
    return Frontier().append_hashes(leaves).root()
