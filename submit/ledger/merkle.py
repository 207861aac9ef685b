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
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            subtree, rest = leaf, size
            while rest & 1:
                subtree = node_hash(hashes.pop(), subtree)
                rest >>= 1
            hashes.append(subtree)
            size += 1
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
