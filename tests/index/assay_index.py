#!/usr/bin/env python3
"""The verifiable index of an Assay log, written plainly from docs/index.md alone.

It is the second implementation that the Rust one is held against, and it is meant to be read. It needs Python 3.9 and
nothing else. Section numbers (§) are those of docs/index.md.

    assay_index.py roots          JSON lines in, one log each: {"leaves": [["<label hex>", ...], null, ...]}, where null
                                  is a commitment; out, for each, {"root": "<hex>", "labels": n}: the index over all leaves
    assay_index.py entries        entries in base64 in, a JSON array or one a line; out, for each,
                                  {"index": i, "labels": ["<hex>", ...]}; at the end the commitment that has to follow:
                                  {"commitment": {"root": "<hex>", "labels": n, "mapping_version": 2}}
    assay_index.py mapping        entries in base64 in, one a line; out, for each, the number of its labels and SHA-256 of
                                  all of them joined in their order, or "no entry"
    assay_index.py vectors DIR    checks every vector file of DIR; at the first mismatch says where, and exits with 1
    assay_index.py ask URL KEY NAME BY...
                                  asks a running node what each BY said about NAME, verifies its answer, and prints what
                                  was verified as JSON. KEY is the log's, as C2SP writes it. NAME is <kind>:<value>, such
                                  as package:pkg:cargo/serde, and BY an issuer id in hex (for kind issuer, a predicate
                                  type). NAME#BITS asks for all names that begin so, and without BY who speaks of them
    assay_index.py page URL KEY NAME BY FROM
                                  asks for what one BY said about NAME, from a position of that list on; verifies the page

What is left out here: signatures and checkpoints, which are not the index's. assay_ask.py has as much as `ask` needs.
"""

import base64
import bisect
import hashlib
import json
import os
import re
import sys
from typing import NamedTuple

MAPPING_VERSION = 2
LABEL_BITS = 256
NAME_BITS = 128
MAX_ENTRY_BYTES = 65_535
MAX_PAYLOAD_BYTES = 32 * 1024
MAX_SIGNATURES = 16
PAYLOAD_TYPE = b"application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

# Lists longer than this are not in answers to questions about names (§8.1).
WHOLE_LIST = 10_000
LISTED_LEAVES = 4_194_304
LABEL_ENTRIES = 1_000
RANGE_HASHES = 128


class Refused(Exception):
    """What was given does not hold; the text says why."""


def need(condition, why):
    if not condition:
        raise Refused(why)


def sha256(data):
    return hashlib.sha256(data).digest()


def u64be(number):
    return number.to_bytes(8, "big")


# --- The log's tree (§2) ----------------------------------------------------------------------------------------------


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(count):
    """The largest power of two that is smaller than count, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def tree_root(hashes, node=node_hash):
    """The root over leaf hashes. Level by level: a node without a right sibling goes up as it is."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        paired = [node(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = paired + hashes[len(hashes) - len(hashes) % 2 :]
    return hashes[0]


# --- Lists (§4) -------------------------------------------------------------------------------------------------------


def list_leaf_hash(index):
    return sha256(b"\x13" + u64be(index))


def list_node_hash(left, right):
    return sha256(b"\x14" + left + right)


def list_root(indices):
    """The root of a label's list, which is not empty."""
    return tree_root([list_leaf_hash(index) for index in indices], list_node_hash)


# --- Entries (§1) -----------------------------------------------------------------------------------------------------


class Claim(NamedTuple):
    payload: bytes
    issuer_ids: list
    logged_at_ms: int


class Commitment(NamedTuple):
    root: bytes
    labels: int
    mapping_version: int
    admission_version: int
    logged_at_ms: int


def varint(data, at):
    """Reads a base-128 number, least significant group first; returns it and where it ends."""
    value, shift = 0, 0
    while True:
        need(at < len(data), "the entry ends inside a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            need(byte > 0 or shift == 7, "a number of the entry has superfluous bytes")
            need(value < 1 << 64, "a number of the entry is too large")
            return value, at
        need(shift < 70, "a number of the entry is too long")


def message(data, numbers, texts, repeated=()):
    """Reads a protobuf message in its one canonical spelling.

    numbers and texts are the fields that it may have; all stand in ascending order, each at most once if it is not among
    repeated. Returns the values by field, as a list for each.
    """
    at, last, found = 0, 0, {}
    while at < len(data):
        key, at = varint(data, at)
        field, wire_type = key >> 3, key & 7
        need(field > last or (field == last and field in repeated), "a field stands twice or in the wrong place")
        last = field
        value, at = varint(data, at)
        if field in numbers and wire_type == 0:
            need(value != 0, "a zero is spelled out")
        elif field in texts and wire_type == 2:
            need(value <= len(data) - at, "the entry ends inside a field")
            value, at = data[at : at + value], at + value
        else:
            raise Refused("a field is unknown or of another type")
        found.setdefault(field, []).append(value)
    return found


def text_of(fields, field):
    """The bytes of a field that is left out if it is empty."""
    value = fields.get(field, [b""])[0]
    need(value or field not in fields, "an empty field is spelled out")
    return value


def parse_entry(data):
    """Reads the bytes of a leaf; returns its Claim or its Commitment."""
    need(len(data) <= MAX_ENTRY_BYTES, "the entry is too long")
    entry = message(data, numbers={1}, texts={2, 3})
    need((2 in entry) != (3 in entry), "the entry must hold a claim or an index commitment")
    logged_at_ms = entry.get(1, [0])[0]
    if 3 in entry:
        body = message(entry[3][0], numbers={2, 3, 4}, texts={1})
        labels, mapping, admission = (body.get(field, [0])[0] for field in (2, 3, 4))
        need(max(mapping, admission) < 1 << 32, "a version is too large")
        return Commitment(text_of(body, 1), labels, mapping, admission, logged_at_ms)
    body = message(entry[2][0], numbers=(), texts={1, 2, 3}, repeated={3})
    payload = text_of(body, 1)
    need(len(payload) <= MAX_PAYLOAD_BYTES, "the payload has more than 32 KiB")
    need(text_of(body, 2) == PAYLOAD_TYPE, "the payload type is another one")
    need(1 <= len(body.get(3, [])) <= MAX_SIGNATURES, "there must be from 1 to 16 signatures")
    issuer_ids = []
    for signature in body[3]:
        fields = message(signature, numbers=(), texts={1, 2, 3})
        lengths = [len(text_of(fields, field)) for field in (1, 2, 3)]
        need(lengths == [64, 32, 32], "a signature, its key or its issuer id has another length")
        issuer_ids.append(fields[3][0])
    return Claim(payload, issuer_ids, logged_at_ms)


# --- JSON (§3.5) ------------------------------------------------------------------------------------------------------

MAX_JSON_DEPTH = 32


def strict_json(data):
    """Reads JSON as §3.5 wants it. Numbers are no input of the mapping and become 0."""

    def distinct(pairs):
        members = dict(pairs)
        need(len(members) == len(pairs), "a key stands twice")
        return members

    def no_constant(name):
        raise Refused(name + " is not JSON")

    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=distinct, parse_constant=no_constant,
            parse_int=lambda text: 0, parse_float=lambda text: 0,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Refused("not JSON: " + str(error)) from None
    check_value(value, 0)
    return value


def check_value(value, depth):
    """Depth, and no half of a surrogate pair in any string."""
    if isinstance(value, str):
        need(not re.search("[\ud800-\udfff]", value), "half a surrogate pair")
    elif isinstance(value, (dict, list)):
        need(depth < MAX_JSON_DEPTH, "nested too deep")
        for key in value if isinstance(value, dict) else ():
            check_value(key, depth + 1)
        for item in value.values() if isinstance(value, dict) else value:
            check_value(item, depth + 1)


# --- Labels (§3) ------------------------------------------------------------------------------------------------------


def half(kind, value):
    """16 bytes for a kind and a value (§3.1)."""
    return sha256(b"assay.index.v2\n" + kind.encode() + b"\n" + value.encode())[:16]


def by_half(kind, by):
    """The second half of a label: `by` is a predicate type for a name of kind `issuer`, otherwise an issuer id in hex."""
    return half("type", by) if kind == "issuer" else bytes.fromhex(by)[:16]


def label(kind, value, by):
    """A whole label: the half of the name, then that of the speaker."""
    return half(kind, value) + by_half(kind, by)


def named_labels(data):
    """The labels of an entry as a set of (kind, value, by), mapping version 2 (§3.3)."""
    entry = parse_entry(data)
    if isinstance(entry, Commitment):
        return set()
    try:
        statement = strict_json(entry.payload)
    except Refused:
        statement = None
    is_statement = member(statement, "_type", str) == STATEMENT_TYPE and has_text(statement, "predicateType")
    predicate_type = statement["predicateType"] if is_statement else ""
    names = names_of(statement, predicate_type) if is_statement else set()
    found = set()
    for issuer in {issuer.hex() for issuer in entry.issuer_ids}:
        found.update((kind, value, issuer) for kind, value in names)
        found.add(("issuer", issuer, predicate_type))
    return found


def labels_of(data):
    """The labels of an entry, sorted."""
    return sorted({label(kind, value, by) for kind, value, by in named_labels(data)})


def member(value, key, kind):
    """A member of an object, or the empty value of its kind if there is none of that kind."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, kind) else kind()


def has_text(value, key):
    return isinstance(value, dict) and isinstance(value.get(key), str)


def names_of(statement, predicate_type):
    """What a statement is about, as a set of (kind, value)."""
    names = set()
    for subject in member(statement, "subject", list):
        for algorithm, value in member(subject, "digest", dict).items():
            if isinstance(value, str) and is_hex(value, DIGESTS.get(algorithm, ())):
                names.add(("digest", algorithm + ":" + value))
        names.update(package_names(member(subject, "uri", str)))
    predicate = statement.get("predicate")
    target = member(predicate, "target", str)
    if predicate_type in TARGETING and is_hex(target, (64,)):
        names.add(("claim", target))
    names.update(("vuln", value) for value in vulnerabilities(predicate_type, predicate) if is_identifier(value))
    return names


DIGESTS = {"sha256": (64,), "sha512": (128,), "gitCommit": (40, 64)}


def is_hex(text, lengths):
    return len(text) in lengths and all(c in "0123456789abcdef" for c in text)


def package_names(uri):
    """The package and the version that a purl names (§3.2)."""
    if not re.fullmatch("pkg:[!-~]*", uri):
        return []
    path, _, qualifiers = uri.partition("#")[0].partition("?")
    at = path.rfind("@")
    package, version = (path[:at], path[at + 1 :]) if at > path.rfind("/") else (path, "")
    package = folded(package)
    if not version:
        return [("package", package)]
    epochs = [pair[len("epoch=") :] for pair in qualifiers.split("&") if pair.startswith("epoch=")]
    suffix = "?epoch=" + epochs[0] if epochs and epochs[0] not in ("", "0") else ""
    return [("package", package), ("version", package + "@" + version + suffix)]


def folded(package):
    """The name of a package of PyPI or NuGet is folded: that is what stands after the last slash (§3.2)."""
    is_pypi = package.startswith("pkg:pypi/")
    if not is_pypi and not package.startswith("pkg:nuget/"):
        return package
    space, slash, name = package.rpartition("/")

    def fold(found):
        part = found[0]
        if part[0] == "%" and len(part) == 3:
            return part
        return "-" if is_pypi and part[0] in "-_." else part.lower()

    return space + slash + re.sub("%..|[-_.]+|[A-Z]+", fold, name)


TARGETING = ("urn:assay:withdrawal:v1", "urn:assay:response:v1", "urn:assay:finding:v1")
VULNS = "https://in-toto.io/attestation/vulns/v0.2"
OPENVEX = ("https://openvex.dev/ns", "https://openvex.dev/ns/v0.0.1", "https://openvex.dev/ns/v0.2.0")
FINDING = "urn:assay:finding:v1"


def vulnerabilities(predicate_type, predicate):
    """What stands where a predicate names vulnerabilities, by the table of §3.4."""
    if predicate_type == VULNS:
        results = member(member(predicate, "scanner", dict), "result", list)
        return [member(result, "id", str) for result in results]
    if predicate_type in OPENVEX:
        names = []
        for statement in member(predicate, "statements", list):
            names.append(member(statement, "vulnerability", str))
            names += name_and_aliases(member(statement, "vulnerability", dict), "name")
        return names
    if predicate_type == FINDING:
        return name_and_aliases(member(predicate, "osv", dict), "id")
    return []


def name_and_aliases(value, name):
    return [member(value, name, str)] + member(value, "aliases", list)


def is_identifier(value):
    """Whether it is a string of 1 to 128 visible ASCII characters."""
    return isinstance(value, str) and re.fullmatch("[!-~]{1,128}", value) is not None


# --- The trie (§5) ----------------------------------------------------------------------------------------------------


class Stub(NamedTuple):
    """A node of which only the hash is known, and how many labels are said to be below it."""

    hash: bytes
    labels: int


class Leaf(NamedTuple):
    """A label and its list."""

    hash: bytes
    label: bytes
    length: int
    list_root: bytes
    labels: int = 1


class Inner(NamedTuple):
    """Two subtrees whose labels part after the prefix's bits."""

    hash: bytes
    bits: int
    prefix: bytes
    left: object
    right: object
    labels: int


EMPTY_ROOT = sha256(b"\x10")


def new_leaf(name, length, root):
    return Leaf(sha256(b"\x11" + name + u64be(length) + root), name, length, root)


def new_inner(bits, prefix, left, right):
    labels = left.labels + right.labels
    need(labels < 1 << 64, "the labels are too many for a number")
    counts = u64be(left.labels) + u64be(right.labels)
    digest = sha256(b"\x12" + bits.to_bytes(2, "big") + prefix + counts + left.hash + right.hash)
    return Inner(digest, bits, prefix, left, right, labels)


def prefix_of(name, bits):
    """The first bits of a label, zeros after them, in 32 bytes."""
    rest = LABEL_BITS - bits
    return (int.from_bytes(name, "big") >> rest << rest).to_bytes(32, "big")


def common_bits(a, b):
    """How many bits two labels begin with in common."""
    return LABEL_BITS - (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_length()


def bit(name, number):
    """A bit of a label, the most significant being number 0."""
    return name[number // 8] >> (7 - number % 8) & 1


def build_trie(leaves):
    """The trie over leaves: its root node, or None if there are none.

    From left to right in the order of labels. `open_nodes` are subtrees that still wait for their right sibling, and
    `open_bits` says after how many bits each parts from it; these grow from the bottom of the stack to its top.
    """
    leaves = sorted(leaves, key=lambda leaf: leaf.label)
    open_nodes, open_bits = [], []
    for i, node in enumerate(leaves):
        name = node.label
        parts_at = common_bits(name, leaves[i + 1].label) if i + 1 < len(leaves) else -1
        need(parts_at < LABEL_BITS, "a label stands twice")
        while open_bits and open_bits[-1] > parts_at:
            bits = open_bits.pop()
            node = new_inner(bits, prefix_of(name, bits), open_nodes.pop(), node)
        open_nodes.append(node)
        open_bits.append(parts_at)
    return open_nodes[0] if open_nodes else None


def root_of(node):
    return EMPTY_ROOT if node is None else node.hash


def labels_in(node):
    return 0 if node is None else node.labels


def index_lists(leaves):
    """The list of every label, from the labels of every leaf of a log (None for a commitment)."""
    lists = {}
    for index, names in enumerate(leaves):
        for name in set(names or ()):
            lists.setdefault(name, []).append(index)
    return lists


def build_index(leaves):
    """The trie over the labels of every leaf of a log, and the lists."""
    lists = index_lists(leaves)
    return build_trie([new_leaf(name, len(found), list_root(found)) for name, found in lists.items()]), lists


# --- Questions (§6.3) -------------------------------------------------------------------------------------------------


def begins(name, prefix, bits):
    """Whether a label, or the prefix of a node with at least so many bits, begins with a prefix of so many bits."""
    return common_bits(name, prefix) >= bits


class Names(NamedTuple):
    """What each of some speakers said about each of some names: both are halves of labels, in any order."""

    names: tuple
    by: tuple

    def asks_for(self, name):
        return name[:16] in self.names and name[16:] in self.by

    def below(self, node):
        """What is asked of the two children of an inner node: of each a question, or None."""
        if node.bits < NAME_BITS:
            sides = ([], [])
            for name in self.names:
                if begins(name.ljust(32, b"\x00"), node.prefix, node.bits):
                    sides[bit(name, node.bits)].append(name)
            return tuple(self._replace(names=tuple(names)) if names else None for names in sides)
        name, sides = node.prefix[:16], ([], [])
        for by in self.by if name in self.names else ():
            if begins(name + by, node.prefix, node.bits):
                sides[bit(name + by, node.bits)].append(by)
        return tuple(Names((name,), tuple(by)) if by else None for by in sides)


class Crowd(NamedTuple):
    """What some speakers said about any name that begins with a prefix (32 bytes, zeros after its bits)."""

    prefix: bytes
    bits: int
    by: tuple

    def asks_for(self, name):
        return begins(name, self.prefix, self.bits) and name[16:] in self.by

    def below(self, node):
        if node.bits < self.bits or not begins(node.prefix, self.prefix, self.bits):
            return toward(self, node)
        # Each name shows itself; within a name only the speakers are asked for.
        return (self, self) if node.bits < NAME_BITS else Names((node.prefix[:16],), self.by).below(node)


class Census(NamedTuple):
    """Which labels begin with a prefix (32 bytes, zeros after its bits), without their lists."""

    prefix: bytes
    bits: int

    def asks_for(self, name):
        return begins(name, self.prefix, self.bits)

    def below(self, node):
        is_under = node.bits >= self.bits and begins(node.prefix, self.prefix, self.bits)
        return (self, self) if is_under else toward(self, node)


def toward(question, node):
    """The side of a node where a longer prefix goes on, if it begins as the node does."""
    if node.bits >= question.bits or not begins(question.prefix, node.prefix, node.bits):
        return None, None
    return (None, question) if bit(question.prefix, node.bits) else (question, None)


def asks_nothing(question):
    return question is None or (isinstance(question, Names) and not (question.names and question.by))


def ask(node, question):
    """The leaves that a question asks for, ascending by label, in a trie or in a cut that was read."""
    if node is None or asks_nothing(question):
        return []
    need(not isinstance(node, Stub), "the cut does not answer")
    if isinstance(node, Leaf):
        return [node] if question.asks_for(node.label) else []
    left, right = question.below(node)
    return ask(node.left, left) + ask(node.right, right)


def speakers(node, name):
    """How many labels of a name there are. Proven only as far as the cut is opened."""
    while isinstance(node, Inner) and node.bits < NAME_BITS:
        if not begins(name.ljust(32, b"\x00"), node.prefix, node.bits):
            return 0
        node = node.right if bit(name, node.bits) else node.left
    if node is None:
        return 0
    need(not isinstance(node, Stub), "the cut does not answer")
    return node.labels if (node.label if isinstance(node, Leaf) else node.prefix)[:16] == name else 0


def crowd_names(node, prefix, bits):
    """The names that begin with a prefix, ascending."""
    if node is None:
        return []
    need(not isinstance(node, Stub), "the cut does not answer")
    if isinstance(node, Leaf) or node.bits >= NAME_BITS:
        first = node.label if isinstance(node, Leaf) else node.prefix
        return [first[:16]] if begins(first, prefix, bits) else []
    found = []
    for child, question in zip((node.left, node.right), Crowd(prefix, bits, ()).below(node)):
        found += crowd_names(child, prefix, bits) if question else []
    return found


# --- Cuts (§6) --------------------------------------------------------------------------------------------------------

STUB, LEAF, INNER, INNER_WITH_PREFIX = 0, 1, 2, 3


def make_cut(node, question):
    """The smallest cut that answers a question."""
    return b"" if node is None else encode_cut(prune(node, question))[0]


def prune(node, question):
    """The node as it stands in the cut: what the question does not arrive at becomes a stub."""
    if asks_nothing(question):
        return Stub(node.hash, node.labels)
    if isinstance(node, Leaf):
        return node
    left, right = question.below(node)
    return node._replace(left=prune(node.left, left), right=prune(node.right, right))


def encode_cut(node):
    """The bytes of a node of a cut, and whether a leaf is below it or is it."""
    if isinstance(node, Stub):
        return bytes([STUB]) + u64be(node.labels) + node.hash, False
    if isinstance(node, Leaf):
        return bytes([LEAF]) + node.label + u64be(node.length) + node.list_root, True
    (left, a), (right, b) = encode_cut(node.left), encode_cut(node.right)
    if a or b:
        return bytes([INNER, node.bits]) + left + right, True
    return bytes([INNER_WITH_PREFIX, node.bits]) + node.prefix[: (node.bits + 7) // 8] + left + right, False


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(count <= len(self.data) - self.at, "the cut ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self):
        return int.from_bytes(self.take(8), "big")


def read_cut(data, root, labels):
    """Reads a cut and holds it against root and labels of a commitment; returns its root node, None for the empty trie."""
    reader = Reader(data)
    node = read_node(reader, -1)[0] if data else None
    need(reader.at == len(data), "bytes follow the cut")
    need(root_of(node) == root, "the cut leads to another root than the commitment's")
    need(labels_in(node) == labels, "the cut has another number of labels than the commitment")
    return node


def read_node(reader, parent_bits):
    """Reads a node; returns it, and the label of the first leaf below it or that it is.

    Bits grow on the way down, so that it goes no deeper than 257 nodes.
    """
    tag = reader.take(1)[0]
    if tag == STUB:
        labels = reader.number()
        need(labels > 0, "a stub has no labels")
        return Stub(reader.take(32), labels), None
    if tag == LEAF:
        node = new_leaf(reader.take(32), reader.number(), reader.take(32))
        need(node.length > 0, "a list is empty")
        return node, node.label
    need(tag in (INNER, INNER_WITH_PREFIX), "a node has an unknown tag")
    bits = reader.take(1)[0]
    need(bits > parent_bits, "an inner node's bits are not greater than its parent's")
    prefix = None
    if tag == INNER_WITH_PREFIX:
        prefix = reader.take((bits + 7) // 8).ljust(32, b"\x00")
        need(prefix == prefix_of(prefix, bits), "a prefix has bits after its end")
    left, left_label = read_node(reader, bits)
    right, right_label = read_node(reader, bits)
    first = right_label if left_label is None else left_label
    need(tag != INNER or first is not None, "an inner node without a leaf below it must state its prefix")
    need(tag != INNER_WITH_PREFIX or first is None, "an inner node with a leaf below it must not state its prefix")
    if prefix is None:
        prefix = prefix_of(first, bits)
    for child, side in ((left, 0), (right, 1)):
        if not isinstance(child, Stub):
            first_below = child.label if isinstance(child, Leaf) else child.prefix
            need(begins(first_below, prefix, bits), "a child does not continue its parent's prefix")
            need(bit(first_below, bits) == side, "a child stands on the wrong side of its parent")
    return new_inner(bits, prefix, left, right), first


# --- Inclusion multiproofs (§7) ---------------------------------------------------------------------------------------


def make_multiproof(leaf_hashes, targets, node=node_hash):
    """The hashes that prove the leaves at targets (ascending) together."""

    def prove(low, high, targets):
        if not targets:
            return [tree_root(leaf_hashes[low:high], node)]
        if high - low == 1:
            return []
        middle = low + split(high - low)
        at = bisect.bisect_left(targets, middle)
        return prove(low, middle, targets[:at]) + prove(middle, high, targets[at:])

    return prove(0, len(leaf_hashes), targets)


def multiproof_root(size, leaves, proof, node=node_hash):
    """The root that a multiproof leads to. leaves are pairs of index and leaf hash, ascending."""
    indices = [index for index, _ in leaves]
    need(indices, "a multiproof needs a leaf")
    need(all(a < b for a, b in zip(indices, indices[1:])), "the leaves of a multiproof are not ascending")
    need(0 <= indices[0] and indices[-1] < size, "the tree has no such leaf")
    hashes = iter(proof)

    def climb(low, high, first, last):
        """The root over [low, high), in which the leaves from first to before last stand."""
        if first == last:
            found = next(hashes, None)
            need(found is not None, "the multiproof has too few hashes")
            return found
        if high - low == 1:
            return leaves[first][1]
        middle = low + split(high - low)
        at = bisect.bisect_left(indices, middle, first, last)
        left = climb(low, middle, first, at)
        return node(left, climb(middle, high, at, last))

    root = climb(0, size, 0, len(leaves))
    need(next(hashes, None) is None, "the multiproof has too many hashes")
    return root


def check_multiproof(size, root, leaves, proof):
    need(multiproof_root(size, leaves, proof) == root, "the multiproof leads to another root than the checkpoint's")


# --- Range proofs (§8.3) ----------------------------------------------------------------------------------------------


def make_range(indices, start, end):
    """The hashes that prove that those of a list's indices from start to before end stand there."""
    if start == end:
        return []
    return make_multiproof([list_leaf_hash(index) for index in indices], list(range(start, end)), list_node_hash)


def check_range(length, root, start, indices, proof):
    """Checks that indices stand from the position start on in the list of this length and root."""
    need(len(proof) <= RANGE_HASHES, "the range proof has more hashes than any needs")
    leaves = [(start + at, list_leaf_hash(index)) for at, index in enumerate(indices)]
    found = multiproof_root(length, leaves, proof, list_node_hash)
    need(found == root, "the range proof leads to another root than the list's")


# --- Complete answers (§8) --------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What a log answers. commitment is the last entry; lists are pairs of label and leaf indices, one for every label
    that the answer finds; entries are pairs of leaf index and bytes, ascending."""

    commitment: bytes
    cut: bytes
    lists: list
    entries: list
    proof: list
    range: tuple = ()  # the range proof of a page (§8.3)


def make_answer(entries, question):
    """The complete answer of a log, whose last entry is the commitment."""
    node, lists = build_index([labels_of(entry) for entry in entries[:-1]])
    listed = [leaf.label for leaf in with_lists(question, ask(node, question)) if leaf.length <= WHOLE_LIST]
    indices = sorted({index for name in listed for index in lists[name]})
    proof = make_multiproof([leaf_hash(entry) for entry in entries], indices + [len(entries) - 1])
    return Answer(
        entries[-1],
        make_cut(node, question),
        [(name, lists[name]) for name in listed],
        [(index, entries[index]) for index in indices],
        proof,
    )


def with_lists(question, found):
    """Of the leaves that a question asks for, those whose lists belong to the answer: a census has none."""
    return [] if isinstance(question, Census) else found


class Checked(NamedTuple):
    """What a checked answer shows. lists, by label, are whole; overlong are the leaves whose lists are too long to come;
    missing are the indices in the lists whose entries did not come."""

    node: object
    lists: dict
    overlong: list
    missing: list


def check_answer(size, root, question, answer, whole=True):
    """Checks an answer to a question against a checkpoint that is trusted. What is neither in its lists nor overlong is
    in no leaf of the log. With whole, an answer that lacks entries is refused, even if it may lack them."""
    commitment = check_commitment(size, root, answer)
    # The cut is one of the commitment's trie, and says which labels there are.
    node = read_cut(answer.cut, commitment.root, commitment.labels)
    found = with_lists(question, ask(node, question))
    overlong = [leaf for leaf in found if leaf.length > WHOLE_LIST]
    found = [leaf for leaf in found if leaf.length <= WHOLE_LIST]
    need(not answer.range, "there is a range proof and no page")
    need(sum(leaf.length for leaf in found) <= LISTED_LEAVES, "the lists have more leaves together than may come at once")
    # There is one list for each label, and it is the committed one.
    need([name for name, _ in answer.lists] == [leaf.label for leaf in found], "the lists are not those that the cut shows")
    for leaf, (_, indices) in zip(found, answer.lists):
        need(all(a < b for a, b in zip(indices, indices[1:])), "a list is not ascending")
        need(not indices or indices[-1] < size - 1, "a list names a leaf that the commitment does not cover")
        need(len(indices) == leaf.length, "a list is not as long as the index says")
        need(list_root(indices) == leaf.list_root, "a list is another one than the index's")
    # The entries are those that the lists name, and each has the labels whose lists name it.
    lists, entries = dict(answer.lists), dict(answer.entries)
    listed = {index for indices in lists.values() for index in indices}
    need(entries.keys() <= listed, "an entry is in none of the lists")
    must = {index for indices in lists.values() for index in indices[:LABEL_ENTRIES]}
    missing = sorted(listed - entries.keys())
    need(not must & set(missing), "an entry is missing")
    need(not (whole and missing), "an entry is missing")
    borne = {index: set(labels_of(entry)) for index, entry in entries.items()}
    for name, indices in lists.items():
        having = (borne[index] for index in indices if index in borne)
        need(all(name in labels for labels in having), "an entry does not have the label that its list is for")
    return Checked(node, lists, overlong, missing)


def check_page(size, root, label, start, answer):
    """Checks a page of a label's list, from the position start on, against a checkpoint that is trusted. Returns the leaf of
    the trie, or None if the index does not have the label, and the indices that stand there."""
    commitment = check_commitment(size, root, answer)
    node = read_cut(answer.cut, commitment.root, commitment.labels)
    leaf = next(iter(ask(node, Names((label[:16],), (label[16:],)))), None)
    need([name for name, _ in answer.lists] == [label] * (leaf is not None), "the list is not the one that was asked for")
    indices = answer.lists[0][1] if answer.lists else []
    need(all(a < b for a, b in zip(indices, indices[1:])), "a list is not ascending")
    need(not indices or indices[-1] < size - 1, "a list names a leaf that the commitment does not cover")
    if leaf is not None:
        need(start + len(indices) <= leaf.length, "the page goes on beyond the list's end")
        need(indices or start == leaf.length, "the page stops in the middle of the list")
    if indices:
        check_range(leaf.length, leaf.list_root, start, indices, list(answer.range))
    else:
        need(not answer.range, "there is a range proof and no page")
    entries = dict(answer.entries)
    need(list(entries) == indices, "an entry is missing, or in no list")
    need(all(label in labels_of(entry) for entry in entries.values()), "an entry does not have the label that its list is for")
    return leaf, indices


def check_commitment(size, root, answer):
    """Checks that the last leaf is a commitment that this program can read, and that it and all entries stand where the
    answer says."""
    need(size > 0, "the log is empty")
    leaves = [(index, leaf_hash(entry)) for index, entry in answer.entries]
    check_multiproof(size, root, leaves + [(size - 1, leaf_hash(answer.commitment))], answer.proof)
    commitment = parse_entry(answer.commitment)
    need(isinstance(commitment, Commitment), "the last leaf is no index commitment")
    version = commitment.mapping_version
    need(version == MAPPING_VERSION, "unsupported mapping version %d; version 2 is supported" % version)
    need(len(commitment.root) == 32, "the commitment's root does not have 32 bytes")
    return commitment


# --- Vectors ----------------------------------------------------------------------------------------------------------


def unhex(texts):
    return [bytes.fromhex(text) for text in texts]


def question_from(query):
    """A question as vectors write it: `names` and `by`; or `prefix` (hex of just enough bytes) and `bits`, with `by` for a
    crowd and without (null) for a census."""
    if query["names"] is not None:
        return Names(tuple(unhex(query["names"])), tuple(unhex(query["by"])))
    prefix = bytes.fromhex(query["prefix"]).ljust(32, b"\x00")
    if query["by"] is None:
        return Census(prefix, query["bits"])
    return Crowd(prefix, query["bits"], tuple(unhex(query["by"])))


def from_json(case):
    """An Answer as vectors write it."""
    return Answer(
        base64.b64decode(case["commitment"]),
        bytes.fromhex(case["cut"]),
        [(bytes.fromhex(item["label"]), item["indices"]) for item in case["lists"]],
        [(item["index"], base64.b64decode(item["entry"])) for item in case["entries"]],
        unhex(case["proof"]),
    )


def trie_leaves(items):
    return [new_leaf(bytes.fromhex(item["label"]), item["length"], bytes.fromhex(item["list_root"])) for item in items]


def leaf_item(leaf):
    return {"label": leaf.label.hex(), "length": leaf.length, "list_root": leaf.list_root.hex()}


def shown(node, question, names):
    """What a cut shows: the answer to a question, how many speak of each of some names, and the names of a crowd."""
    return {
        "found": [leaf_item(leaf) for leaf in ask(node, question)],
        "speakers": [[name, speakers(node, bytes.fromhex(name))] for name in names],
        "crowd": [name.hex() for name in crowd_names(node, *question[:2])] if isinstance(question, Crowd) else None,
    }


def same(got, wanted):
    if got != wanted:
        raise AssertionError("got %r, wanted %r" % (got, wanted))


def check_label_case(case, _):
    kind, value, by = case["label_kind"], case["value"], case["by"]
    same([half(kind, value).hex(), by_half(kind, by).hex()], [case["name_half"], case["by_half"]])
    same(label(kind, value, by).hex(), case["label"])


def check_mapping_case(case, _):
    entry = base64.b64decode(case["entry"])
    same(sorted(map(list, named_labels(entry))), case["names"])
    same([name.hex() for name in labels_of(entry)], case["labels"])


def check_list_case(case, _):
    same(list_root(case["indices"]).hex(), case["root"])


def check_trie_case(case, _):
    for item in case["leaves"]:
        if item["indices"] is not None:
            same([len(item["indices"]), list_root(item["indices"]).hex()], [item["length"], item["list_root"]])
    same(root_of(build_trie(trie_leaves(case["leaves"]))).hex(), case["root"])


def check_log_case(case, _):
    node, lists = build_index([None if names is None else unhex(names) for names in case["leaves"]])
    same([root_of(node).hex(), len(lists)], [case["root"], case["labels"]])
    for item in case["lists"]:
        same(lists[bytes.fromhex(item["label"])], item["indices"])


def check_cut_case(case, file):
    node = build_trie(trie_leaves(file["tries"][case["trie"]]["leaves"]))
    same([root_of(node).hex(), labels_in(node)], [case["root"], case["labels"]])
    question = question_from(case["question"])
    if case["smallest"]:
        same(make_cut(node, question).hex(), case["cut"])
    cut = read_cut(bytes.fromhex(case["cut"]), bytes.fromhex(case["root"]), case["labels"])
    for tree in (cut, node):
        names = [name for name, _ in case["speakers"]]
        same(shown(tree, question, names), {key: case[key] for key in ("found", "speakers", "crowd")})


def check_multiproof_case(case, _):
    leaves = [(leaf["index"], bytes.fromhex(leaf["leaf_hash"])) for leaf in case["leaves"]]
    if case["plain"]:
        hashes = [leaf_hash(str(i).encode()) for i in range(case["size"])]
        same([hashes[index] for index, _ in leaves], [found for _, found in leaves])
        same(tree_root(hashes).hex(), case["root"])
        same([found.hex() for found in make_multiproof(hashes, [i for i, _ in leaves])], case["proof"])
    check_multiproof(case["size"], bytes.fromhex(case["root"]), leaves, unhex(case["proof"]))


def check_answer_case(case, file):
    question = question_from(case["question"])
    entries = [base64.b64decode(entry) for entry in file["log"][: case["size"]]]
    same(tree_root([leaf_hash(entry) for entry in entries]).hex(), case["root"])
    same(make_answer(entries, question), from_json(case))
    checked = check_answer(case["size"], bytes.fromhex(case["root"]), question, from_json(case))
    same([name.hex() for name in checked.lists], [item["label"] for item in case["lists"]])


def refuse_mapping(case, _):
    parse_entry(base64.b64decode(case["entry"]))


def refuse_cut(case, _):
    node = read_cut(bytes.fromhex(case["cut"]), bytes.fromhex(case["root"]), case["labels"])
    if case["question"] is not None:
        ask(node, question_from(case["question"]))
    if case["speakers"] is not None:
        speakers(node, bytes.fromhex(case["speakers"]))


def refuse_multiproof(case, _):
    leaves = [(leaf["index"], bytes.fromhex(leaf["leaf_hash"])) for leaf in case["leaves"]]
    check_multiproof(case["size"], bytes.fromhex(case["root"]), leaves, unhex(case["proof"]))


def check_range_case(case, _):
    if case["plain"]:
        indices = [3 * at + 1 for at in range(case["length"])]
        same(list_root(indices).hex(), case["root"])
        same(indices[case["from"] : case["from"] + len(case["indices"])], case["indices"])
        made = make_range(indices, case["from"], case["from"] + len(case["indices"]))
        same([found.hex() for found in made], case["proof"])
    refuse_range(case, _)


def refuse_range(case, _):
    check_range(case["length"], bytes.fromhex(case["root"]), case["from"], case["indices"], unhex(case["proof"]))


def refuse_answer(case, _):
    check_answer(case["size"], bytes.fromhex(case["root"]), question_from(case["question"]), from_json(case))


# What is done with the "cases" of a file of a kind, and with its "bad" ones, which must be refused.
VECTORS = {
    "labels": (check_label_case, None),
    "mapping": (check_mapping_case, refuse_mapping),
    "lists": (check_list_case, None),
    "tries": (check_trie_case, None),
    "logs": (check_log_case, None),
    "cuts": (check_cut_case, refuse_cut),
    "multiproofs": (check_multiproof_case, refuse_multiproof),
    "ranges": (check_range_case, refuse_range),
    "answers": (check_answer_case, refuse_answer),
}


def check_file(path):
    """Checks a file of vectors; returns how many it has. Fails with an AssertionError that says where."""
    with open(path, encoding="utf-8") as stream:
        file = json.load(stream)
    check, refuse = VECTORS[file["kind"]]
    for case in file["cases"]:
        try:
            check(case, file)
        except (Refused, AssertionError) as error:
            raise AssertionError("%s: %s: %s" % (path, case["name"], error)) from None
    for case in file["bad"]:
        try:
            refuse(case, file)
            found = "taken"
        except Refused as error:
            found = str(error)
        if found != case["reason"]:
            raise AssertionError("%s: %s: %s; it should be refused: %s" % (path, case["name"], found, case["reason"]))
    return len(file["cases"]) + len(file["bad"])


# --- The program ------------------------------------------------------------------------------------------------------


def roots_command():
    for line in sys.stdin:
        if line.strip():
            leaves = [None if names is None else unhex(names) for names in json.loads(line)["leaves"]]
            node, lists = build_index(leaves)
            print('{"root":"%s","labels":%d}' % (root_of(node).hex(), len(lists)), flush=True)


def mapping_command():
    for line in sys.stdin:
        try:
            labels = labels_of(base64.b64decode(line))
            print(len(labels), sha256(b"".join(labels)).hex())
        except Refused:
            print("no entry")


def entries_command():
    text = sys.stdin.read()
    listed = json.loads(text) if text.lstrip().startswith("[") else [line.strip(' "\r') for line in text.split("\n")]
    leaves = []
    for encoded in filter(None, listed):
        leaves.append(labels_of(base64.b64decode(encoded, validate=True)))
        print(json.dumps({"index": len(leaves) - 1, "labels": [name.hex() for name in leaves[-1]]}))
    node, lists = build_index(leaves)
    last = {"root": root_of(node).hex(), "labels": len(lists), "mapping_version": MAPPING_VERSION}
    print(json.dumps({"commitment": last}))


def vectors_command(folder):
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    need(names, folder + " has no vectors")
    for name in names:
        print("%-20s %4d" % (name, check_file(os.path.join(folder, name))))


def ask_command(url, key, *name_and_by):
    import assay_ask  # only here: it imports this program

    question = assay_ask.question_of(name_and_by)
    print(json.dumps(assay_ask.report(*assay_ask.ask(url, key, question), question)))


def page_command(url, key, name, by, start):
    import assay_ask  # only here: it imports this program

    print(json.dumps(assay_ask.page(url, key, assay_ask.question_of([name, by]), int(start))))


def main(arguments):
    try:
        if arguments == ["roots"]:
            roots_command()
        elif arguments == ["entries"]:
            entries_command()
        elif arguments == ["mapping"]:
            mapping_command()
        elif len(arguments) == 2 and arguments[0] == "vectors":
            vectors_command(arguments[1])
        elif len(arguments) >= 4 and arguments[0] == "ask":
            ask_command(*arguments[1:])
        elif len(arguments) == 6 and arguments[0] == "page":
            page_command(*arguments[1:])
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except (Refused, AssertionError, ValueError, KeyError, OSError) as error:
        print("assay_index.py: %s: %s" % (type(error).__name__, error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.modules["assay_index"] = sys.modules["__main__"]  # one Refused, for assay_ask.py, too
    sys.exit(main(sys.argv[1:]))
