"""Merkle trees (RFC 6962, section 2.1) and their proofs; the trees of lists (docs/index.md 4) have
the same shape and hashes of their own. Roots that proofs are held to are the caller's to trust."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence

from . import limits
from .encoding import sha256, u64be
from .errors import AssayError, ServerError

Node = Callable[[bytes, bytes], bytes]


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf of the log (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node of the log."""
    return sha256(b"\x01" + left + right)


def list_leaf_hash(index: int) -> bytes:
    """The hash of a leaf of a label's list (docs/index.md 4)."""
    return sha256(b"\x13" + u64be(index))


def list_node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node of a label's list."""
    return sha256(b"\x14" + left + right)


def tree_root(hashes: Sequence[bytes], node: Node = node_hash) -> bytes:
    """The root over leaf hashes, level by level: a node without a sibling goes up as it is."""
    if not hashes:
        return sha256(b"")
    level = list(hashes)
    while len(level) > 1:
        paired = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0]


def list_root(indices: Sequence[int]) -> bytes:
    """The root of a label's list, which is not empty (docs/index.md 4)."""
    return tree_root([list_leaf_hash(index) for index in indices], list_node_hash)


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Checks that a leaf hash stands at an index of the tree of this size and root (RFC 6962,
    section 2.1.1; the path from the sibling upward). Fails with `ServerError`, `inclusion`."""
    if not 0 <= index < size:
        raise _odd(f"leaf {index} is not in a tree of size {size}")
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(path) != inner + border:
        raise _odd(f"the proof has {len(path)} hashes, where these sizes need {inner + border}")
    computed = leaf
    for up, sibling in enumerate(path):
        if up < inner and index >> up & 1 == 0:
            computed = node_hash(computed, sibling)
        else:
            computed = node_hash(sibling, computed)
    if computed != root:
        raise _odd("the proof leads to another root than the checkpoint's")


def multiproof_root(
    size: int,
    leaves: Sequence[tuple[int, bytes]],
    proof: Sequence[bytes],
    node: Node = node_hash,
    kind: str = "inclusion",
) -> bytes:
    """The root that a multiproof leads to (docs/index.md 7). `leaves` are pairs of index and leaf
    hash. Fails with `ServerError` of this kind; it goes at most 64 calls deep."""
    indices = [index for index, _ in leaves]
    if not indices:
        raise ServerError(kind, "a multiproof needs a leaf")
    if any(a >= b for a, b in zip(indices, indices[1:])):
        raise ServerError(kind, "the leaves of a multiproof are not ascending")
    if not (0 <= indices[0] and indices[-1] < size):
        raise ServerError(kind, "the tree has no such leaf")
    hashes = iter(proof)
    root = _climb(0, size, (0, len(leaves)), (leaves, indices, hashes, node, kind))
    if next(hashes, None) is not None:
        raise ServerError(kind, "the multiproof has too many hashes")
    return root


_Given = tuple[Sequence[tuple[int, bytes]], list[int], Iterator[bytes], Node, str]


def _climb(low: int, high: int, span: tuple[int, int], given: _Given) -> bytes:
    """The root over [low, high), in which the leaves of `span` stand."""
    (first, last), (leaves, indices, hashes, node, kind) = span, given
    if first == last:
        found = next(hashes, None)
        if found is None:
            raise ServerError(kind, "the multiproof has too few hashes")
        return found
    if high - low == 1:
        return leaves[first][1]
    middle = low + (1 << ((high - low - 1).bit_length() - 1))
    at = bisect.bisect_left(indices, middle, first, last)
    left = _climb(low, middle, (first, at), given)
    return node(left, _climb(middle, high, (at, last), given))


def check_multiproof(
    size: int, root: bytes, leaves: Sequence[tuple[int, bytes]], proof: Sequence[bytes]
) -> None:
    """Checks that leaf hashes stand at their indices of the log (docs/index.md 7)."""
    if multiproof_root(size, leaves, proof) != root:
        raise _odd("the multiproof leads to another root than the checkpoint's")


def check_range(
    length: int, root: bytes, start: int, indices: Sequence[int], proof: Sequence[bytes]
) -> None:
    """Checks that indices stand from the position `start` on in the list of this length and root
    (docs/index.md 8.3). Fails with `ServerError` of kind `range`."""
    if len(proof) > limits.RANGE_HASHES:
        raise ServerError("range", "the range proof has more hashes than any needs")
    leaves = [(start + at, list_leaf_hash(index)) for at, index in enumerate(indices)]
    if multiproof_root(length, leaves, proof, list_node_hash, "range") != root:
        raise ServerError("range", "the range proof leads to another root than the list's")


def _odd(reason: str) -> AssayError:
    return ServerError("inclusion", reason)
