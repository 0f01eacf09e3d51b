"""Cuts: copies of the trie in which what nobody asks for is cut down to hashes (docs/index.md 5
and 6). Everything here iterates: a hostile cut is as deep as 256 inner nodes a label."""

from __future__ import annotations

from dataclasses import dataclass

from .encoding import sha256, u64be
from .errors import AssayError, ServerError
from .question import NAME_BITS, Crowd, Question, asks_nothing, begins, bit, prefix_of

_STUB, _LEAF, _INNER, _INNER_WITH_PREFIX = 0, 1, 2, 3
EMPTY_ROOT = sha256(b"\x10")


@dataclass(frozen=True, slots=True)
class Stub:
    """A node of which only the hash is known, and how many labels are said to be below it."""

    hash: bytes
    labels: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A label, and the length and root of its list."""

    hash: bytes
    label: bytes
    length: int
    list_root: bytes
    labels: int = 1


@dataclass(frozen=True, slots=True)
class Inner:
    """Two subtrees whose labels part after the prefix's bits."""

    hash: bytes
    bits: int
    prefix: bytes
    left: Node
    right: Node
    labels: int


Node = Stub | Leaf | Inner


def new_leaf(label: bytes, length: int, root: bytes) -> Leaf:
    """The leaf node of a label."""
    return Leaf(sha256(b"\x11" + label + u64be(length) + root), label, length, root)


def new_inner(bits: int, prefix: bytes, left: Node, right: Node) -> Inner:
    """The inner node over two subtrees. Fails if there are too many labels to count."""
    labels = left.labels + right.labels
    if labels >= 1 << 64:
        raise _odd("the labels are too many for a number")
    counts = u64be(left.labels) + u64be(right.labels)
    head = b"\x12" + bits.to_bytes(2, "big") + prefix
    return Inner(sha256(head + counts + left.hash + right.hash), bits, prefix, left, right, labels)


class _Open:
    """An inner node whose children are being read."""

    __slots__ = ("bits", "first", "left", "prefix")

    def __init__(self, bits: int, prefix: bytes | None) -> None:
        self.bits = bits
        self.prefix = prefix
        self.left: Node | None = None
        self.first: bytes | None = None  # the first label below it


class _Reader:
    """The bytes of a cut."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise _odd("the cut ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        return int.from_bytes(self.take(8), "big")


def read_cut(data: bytes, root: bytes, labels: int) -> Node | None:
    """Reads a cut and holds it to root and labels of a commitment (docs/index.md 6.2); returns its
    root node, None for the empty trie. Fails with `ServerError` of kind `cut`."""
    reader = _Reader(data)
    node = _read_node(reader) if data else None
    if reader.at != len(data):
        raise _odd("bytes follow the cut")
    if (EMPTY_ROOT if node is None else node.hash) != root:
        raise _odd("the cut leads to another root than the commitment's")
    if (0 if node is None else node.labels) != labels:
        raise _odd("the cut has another number of labels than the commitment")
    return node


def _read_node(reader: _Reader) -> Node:
    """Reads a node and all below it; open nodes wait on a stack, whose bits grow."""
    stack: list[_Open] = []
    while True:
        tag = reader.take(1)[0]
        if tag in (_INNER, _INNER_WITH_PREFIX):
            stack.append(_open(reader, tag, stack[-1].bits if stack else -1))
            continue
        whole: Node
        first: bytes | None = None
        if tag == _STUB:
            whole = _stub(reader)
        elif tag == _LEAF:
            whole = leaf = _leaf(reader)
            first = leaf.label
        else:
            raise _odd("a node has an unknown tag")
        while stack and stack[-1].left is not None:
            whole, first = _close(stack.pop(), whole, first)
        if not stack:
            return whole
        stack[-1].left, stack[-1].first = whole, first


def _stub(reader: _Reader) -> Stub:
    labels = reader.number()
    if labels == 0:
        raise _odd("a stub has no labels")
    return Stub(reader.take(32), labels)


def _leaf(reader: _Reader) -> Leaf:
    node = new_leaf(reader.take(32), reader.number(), reader.take(32))
    if node.length == 0:
        raise _odd("a list is empty")
    return node


def _open(reader: _Reader, tag: int, parent_bits: int) -> _Open:
    bits = reader.take(1)[0]
    if bits <= parent_bits:
        raise _odd("an inner node's bits are not greater than its parent's")
    if tag == _INNER:
        return _Open(bits, None)
    prefix = reader.take((bits + 7) // 8).ljust(32, b"\0")
    if prefix != prefix_of(prefix, bits):
        raise _odd("a prefix has bits after its end")
    return _Open(bits, prefix)


def _close(node: _Open, right: Node, right_first: bytes | None) -> tuple[Inner, bytes | None]:
    """The inner node whose children are read, and the first label below it."""
    left, prefix = node.left, node.prefix
    assert left is not None
    first = right_first if node.first is None else node.first
    if prefix is None:
        if first is None:
            raise _odd("an inner node without a leaf below it must state its prefix")
        prefix = prefix_of(first, node.bits)
    elif first is not None:
        raise _odd("an inner node with a leaf below it must not state its prefix")
    for side, child in enumerate((left, right)):
        if isinstance(child, Stub):
            continue
        first_below = child.label if isinstance(child, Leaf) else child.prefix
        if not begins(first_below, prefix, node.bits):
            raise _odd("a child does not continue its parent's prefix")
        if bit(first_below, node.bits) != side:
            raise _odd("a child stands on the wrong side of its parent")
    return new_inner(node.bits, prefix, left, right), first


def found(node: Node | None, question: Question) -> list[Leaf]:
    """The leaves that a question asks for, ascending by label, in a cut that was read
    (docs/index.md 6.4). Where the cut does not answer: `ServerError` of kind `question`."""
    leaves: list[Leaf] = []
    waiting: list[tuple[Node, Question | None]] = [] if node is None else [(node, question)]
    while waiting:
        one, asked = waiting.pop()
        if asked is None or asks_nothing(asked):
            continue
        if isinstance(one, Stub):
            raise _unanswered()
        if isinstance(one, Leaf):
            if asked.asks_for(one.label):
                leaves.append(one)
            continue
        left, right = asked.below(one.bits, one.prefix)
        waiting += [(one.right, right), (one.left, left)]  # the left side is next
    return leaves


def speakers(node: Node | None, name: bytes) -> int:
    """How many labels a name has (docs/index.md 6.4): the log's word where a cut is not opened."""
    while isinstance(node, Inner) and node.bits < NAME_BITS:
        if not begins(name.ljust(32, b"\0"), node.prefix, node.bits):
            return 0
        node = node.right if bit(name, node.bits) else node.left
    if node is None:
        return 0
    if isinstance(node, Stub):
        raise _unanswered()
    first = node.label if isinstance(node, Leaf) else node.prefix
    return node.labels if first[:16] == name else 0


def _unanswered() -> AssayError:
    return ServerError("question", "the cut does not answer")


def _odd(reason: str) -> AssayError:
    return ServerError("cut", reason)


def crowd_names(node: Node | None, prefix: bytes, bits: int) -> list[bytes]:
    """The names that begin with a prefix of at most 128 bits, ascending (docs/index.md 6.4): how
    many there are says how large the crowd is that a question hides in."""
    crowd = Crowd(prefix, bits, frozenset())
    names: list[bytes] = []
    waiting: list[tuple[Node, Question | None]] = [] if node is None else [(node, crowd)]
    while waiting:
        one, asked = waiting.pop()
        if asked is None:
            continue
        if isinstance(one, Stub):
            raise _unanswered()
        if isinstance(one, Leaf) or one.bits >= NAME_BITS:
            first = one.label if isinstance(one, Leaf) else one.prefix
            if begins(first, prefix, bits):
                names.append(first[:16])
            continue
        left, right = crowd.below(one.bits, one.prefix)
        waiting += [(one.right, right), (one.left, left)]
    return names
