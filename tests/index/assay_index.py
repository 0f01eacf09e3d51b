#!/usr/bin/env python3
"""The verifiable index of an Assay log, written plainly from docs/index.md alone.

It is the second implementation that the Rust one is held against, and it is meant to be read. It needs Python 3.9 and
nothing else. Section numbers (§) are those of docs/index.md.

    assay_index.py roots          JSON lines in, one log each: {"leaves": [["<label hex>", ...], null, ...]}, where null
                                  is a commitment; out, for each, {"root": "<hex>", "labels": n}: the index over all leaves
    assay_index.py entries        entries in base64 in, a JSON array or one a line; out, for each,
                                  {"index": i, "labels": ["<hex>", ...]}; at the end the commitment that has to follow:
                                  {"commitment": {"root": "<hex>", "labels": n, "mapping_version": 1}}
    assay_index.py vectors DIR    checks every vector file of DIR; at the first mismatch says where, and exits with 1

What is left out: signatures and checkpoints, which are not the index's, and the rules of single purl types (§3.2).
"""

import base64
import binascii
import bisect
import hashlib
import json
import os
import re
import sys
from typing import NamedTuple

MAPPING_VERSION = 1
LABEL_BITS = 256
MAX_INNER_NODES = 64
MAX_ENTRY_BYTES = 65_535
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class Refused(Exception):
    """What was given does not hold; the text says why."""


def need(condition, why):
    if not condition:
        raise Refused(why)


def sha256(data):
    return hashlib.sha256(data).digest()


def u64be(number):
    return number.to_bytes(8, "big")


# --- RFC 6962 (§2) ----------------------------------------------------------------------------------------------------


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(count):
    """The largest power of two that is smaller than count, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def tree_root(hashes):
    """The root over leaf hashes. Level by level: a node without a right sibling goes up as it is."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        paired = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = paired + hashes[len(hashes) - len(hashes) % 2 :]
    return hashes[0]


def list_root(indices):
    """The root of a label's list (§4)."""
    return tree_root([leaf_hash(u64be(index)) for index in indices])


# --- Entries (§1) -----------------------------------------------------------------------------------------------------


class Claim(NamedTuple):
    payload: bytes
    issuer_ids: list


class Commitment(NamedTuple):
    root: bytes
    labels: int
    mapping_version: int


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
    if 3 in entry:
        body = message(entry[3][0], numbers={2, 3}, texts={1})
        version = body.get(3, [0])[0]
        need(version < 1 << 32, "the mapping version is too large")
        return Commitment(text_of(body, 1), body.get(2, [0])[0], version)
    body = message(entry[2][0], numbers=(), texts={1, 2, 3}, repeated={3})
    signatures = [message(signature, numbers=(), texts={1, 2, 3}) for signature in body.get(3, [])]
    for signature in signatures:
        text_of(signature, 1)
        text_of(signature, 2)
    try:
        text_of(body, 2).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("the payload type is not UTF-8") from None
    return Claim(text_of(body, 1), [text_of(signature, 3) for signature in signatures])


# --- Statements (§3.2) ------------------------------------------------------------------------------------------------

MAX_JSON_DEPTH = 32
MAX_SUBJECTS = 1024
MAX_PURL_BYTES = 1024

HEX_DIGITS = {
    "md5": (32,), "sha1": (40,), "sha224": (56,), "sha256": (64,), "sha384": (96,), "sha512": (128,),
    "sha512_224": (56,), "sha512_256": (64,), "sha3_224": (56,), "sha3_256": (64,), "sha3_384": (96,),
    "sha3_512": (128,), "ripemd160": (40,), "sm3": (64,), "gitCommit": (40, 64), "gitTree": (40, 64),
    "gitBlob": (40, 64), "gitTag": (40, 64), "purl": (64,),
}  # fmt: skip


def is_hex(text, lengths):
    return len(text) in lengths and all(c in "0123456789abcdef" for c in text)


def strict_json(data):
    """Reads JSON as §3.2 wants it. Numbers are no input of the mapping and become 0."""

    def distinct(pairs):
        need(len({key for key, _ in pairs}) == len(pairs), "a key stands twice")
        return dict(pairs)

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


PURL_CHARACTER = r"(?:[A-Za-z0-9._~:-]|%[0-9A-F]{2})"
PURL = re.compile(
    r"pkg:(?P<type>[a-z][a-z0-9.-]*)/(?P<namespace>(?:C+/)*)(?P<name>C+)(?:@(?P<version>C+))?"
    r"(?:\?(?P<qualifiers>[a-z._-][a-z0-9._-]*=C+(?:&[a-z._-][a-z0-9._-]*=C+)*))?(?:\#(?P<subpath>C+(?:/C+)*))?".replace(
        "C", PURL_CHARACTER
    )
)


def is_canonical_purl(uri):
    """Whether a purl is canonical as far as the syntax goes that all types share (§3.2)."""
    found = PURL.fullmatch(uri)
    if not found or len(uri) > MAX_PURL_BYTES:
        return False
    qualifiers = [pair.split("=") for pair in found["qualifiers"].split("&")] if found["qualifiers"] else []
    keys = [key for key, _ in qualifiers]
    if keys != sorted(set(keys)):
        return False
    segments = found["namespace"].split("/")
    subpath = (found["subpath"] or "").split("/")
    if any("%2F" in segment for segment in segments + subpath) or {".", ".."} & set(subpath):
        return False
    parts = segments + subpath + [found["name"], found["version"] or ""] + [value for _, value in qualifiers]
    return all(is_encoded_once(part) for part in parts)


def is_encoded_once(part):
    """Whether only what must be is percent-encoded, and spells UTF-8."""
    escaped = [binascii.unhexlify(escape) for escape in re.findall("%([0-9A-F]{2})", part)]
    if any(re.fullmatch(rb"[A-Za-z0-9._~:-]", byte) for byte in escaped):
        return False
    try:
        re.sub(rb"%([0-9A-F]{2})", lambda m: binascii.unhexlify(m[1]), part.encode()).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def parse_statement(payload):
    """Reads an in-toto Statement v1; returns its subjects, its predicate's type and its predicate."""
    statement = strict_json(payload)
    need(isinstance(statement, dict), "the statement is no object")
    need(statement.get("_type") == STATEMENT_TYPE, "the type is another one")
    subjects = statement.get("subject")
    need(isinstance(subjects, list) and 1 <= len(subjects) <= MAX_SUBJECTS, "there must be from 1 to 1024 subjects")
    predicate_type = statement.get("predicateType")
    need(isinstance(predicate_type, str) and predicate_type, "the predicate's type is missing")
    predicate = statement.get("predicate")
    need(predicate is None or isinstance(predicate, dict), "the predicate is no object")
    for subject in subjects:
        check_subject(subject)
    return subjects, predicate_type, predicate


def check_subject(subject):
    need(isinstance(subject, dict), "a subject is no object")
    for key in ("name", "uri"):
        need(subject.get(key) is None or isinstance(subject[key], str), "a subject's name and uri are strings")
    digests = subject.get("digest")
    need(isinstance(digests, dict) and digests, "a subject has no digest")
    for algorithm, value in digests.items():
        need(algorithm and isinstance(value, str) and value, "a digest is no string, or empty")
        need(algorithm not in HEX_DIGITS or is_hex(value, HEX_DIGITS[algorithm]), "a digest is not one of its algorithm")
    purl = purl_of(subject)
    need(purl is None or is_canonical_purl(purl), "a purl is not canonical")
    if "purl" in digests:
        need(purl is not None and sha256(purl.encode()).hex() == digests["purl"], "a purl's digest is not the purl's")


def purl_of(subject):
    uri = subject.get("uri")
    return uri if uri is not None and re.match("[Pp][Kk][Gg]:", uri) else None


# --- Labels (§3) ------------------------------------------------------------------------------------------------------


def label(kind, value):
    """The label's hash (§3.1)."""
    return sha256(b"assay.index.v1\n" + kind.encode() + b"\n" + value.encode())


def named_labels(data):
    """The labels of an entry as a set of (kind, value), mapping version 1 (§3.3)."""
    entry = parse_entry(data)
    if isinstance(entry, Commitment):
        return set()
    found = {("issuer", issuer.hex()) for issuer in entry.issuer_ids if len(issuer) == 32}
    try:
        subjects, predicate_type, predicate = parse_statement(entry.payload)
    except Refused:
        return found
    for subject in subjects:
        for algorithm in ("sha256", "sha512", "gitCommit"):
            if algorithm in subject["digest"]:
                found.add(("digest", algorithm + ":" + subject["digest"][algorithm]))
        purl = purl_of(subject)
        if purl is not None:
            version = re.split("[?#]", purl)[0]
            package = version.split("@")[0]
            found.add(("package", package))
            if version != package:
                found.add(("version", version))
    found.update(("claim", target) for target in targets(predicate_type, predicate))
    found.update(("vuln", name) for name in vulnerabilities(predicate_type, predicate))
    return found


def labels_of(data):
    """The labels of an entry, sorted."""
    return sorted(label(kind, value) for kind, value in named_labels(data))


def member(value, key, kind):
    """A member of an object, or the empty value of its kind if there is none of that kind."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, kind) else kind()


TARGETING = ("urn:assay:withdrawal:v1", "urn:assay:response:v1", "urn:assay:finding:v1")
VULNS = "https://in-toto.io/attestation/vulns/v0.2"
OPENVEX = ("https://openvex.dev/ns", "https://openvex.dev/ns/v0.0.1", "https://openvex.dev/ns/v0.2.0")
FINDING = "urn:assay:finding:v1"
MAX_VULNERABILITIES = 1024


def targets(predicate_type, predicate):
    """The claims that a predicate names, by the table of §3.4."""
    target = member(predicate, "target", str)
    return [target] if predicate_type in TARGETING and is_hex(target, (64,)) else []


def vulnerabilities(predicate_type, predicate):
    """The vulnerabilities that a predicate names, by the table of §3.4: each once, and the first 1,024."""
    named = filter(is_identifier, all_vulnerabilities(predicate_type, predicate))
    return list(dict.fromkeys(named))[:MAX_VULNERABILITIES]


def all_vulnerabilities(predicate_type, predicate):
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
    """A node of which only the hash is known."""

    hash: bytes


class Leaf(NamedTuple):
    """A label and its list."""

    hash: bytes
    label: bytes
    length: int
    list_root: bytes


class Inner(NamedTuple):
    """Two subtrees whose labels part after the prefix's bits."""

    hash: bytes
    bits: int
    prefix: bytes
    left: object
    right: object


EMPTY_ROOT = sha256(b"\x10")


def new_leaf(name, length, root):
    return Leaf(sha256(b"\x11" + name + u64be(length) + root), name, length, root)


def new_inner(bits, prefix, left, right):
    return Inner(sha256(b"\x12" + bits.to_bytes(2, "big") + prefix + left.hash + right.hash), bits, prefix, left, right)


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


# --- Cuts (§6) --------------------------------------------------------------------------------------------------------

STUB, LEAF, INNER, INNER_WITH_PREFIX = 0, 1, 2, 3


def make_cut(node, labels=(), prefixes=()):
    """The smallest cut that answers for labels and for prefixes, which are pairs of 32 bytes and a number of bits."""
    queries = [(name, LABEL_BITS) for name in labels] + list(prefixes)
    return b"" if node is None else encode_cut(prune(node, queries))[0]


def prune(node, queries):
    """The node as it stands in the cut: what no query visits becomes a stub."""
    if not queries:
        return Stub(node.hash)
    if isinstance(node, Leaf):
        return node
    left, right = [], []
    for query, bits in queries:
        if common_bits(query, node.prefix) < min(bits, node.bits):
            continue  # it ends here: nothing below begins so
        if bits <= node.bits:
            return node  # it asks for all that is below
        (right if bit(query, node.bits) else left).append((query, bits))
    return node._replace(left=prune(node.left, left), right=prune(node.right, right))


def encode_cut(node):
    """The bytes of a node of a cut, and whether a leaf is below it or is it."""
    if isinstance(node, Stub):
        return bytes([STUB]) + node.hash, False
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


def read_cut(data, root):
    """Reads a cut and holds it against the root of a commitment; returns its root node, None for the empty trie."""
    if not data:
        need(root == EMPTY_ROOT, "the cut leads to another root than the commitment's")
        return None
    reader = Reader(data)
    node, _ = read_node(reader, -1, 0)
    need(reader.at == len(data), "bytes follow the cut")
    need(node.hash == root, "the cut leads to another root than the commitment's")
    return node


def read_node(reader, parent_bits, inner_above):
    """Reads a node; returns it, and the label of the first leaf below it or that it is."""
    tag = reader.take(1)[0]
    if tag == STUB:
        return Stub(reader.take(32)), None
    if tag == LEAF:
        node = new_leaf(reader.take(32), int.from_bytes(reader.take(8), "big"), reader.take(32))
        need(node.length > 0, "a list is empty")
        return node, node.label
    need(tag in (INNER, INNER_WITH_PREFIX), "a node has an unknown tag")
    need(inner_above < MAX_INNER_NODES, "more than 64 inner nodes on a path")
    bits = reader.take(1)[0]
    need(bits > parent_bits, "an inner node's bits are not greater than its parent's")
    prefix = None
    if tag == INNER_WITH_PREFIX:
        prefix = reader.take((bits + 7) // 8).ljust(32, b"\x00")
        need(prefix == prefix_of(prefix, bits), "a prefix has bits after its end")
    left, left_label = read_node(reader, bits, inner_above + 1)
    right, right_label = read_node(reader, bits, inner_above + 1)
    first = right_label if left_label is None else left_label
    need(tag != INNER or first is not None, "an inner node without a leaf below it must state its prefix")
    need(tag != INNER_WITH_PREFIX or first is None, "an inner node with a leaf below it must not state its prefix")
    if prefix is None:
        prefix = prefix_of(first, bits)
    for child, side in ((left, 0), (right, 1)):
        if not isinstance(child, Stub):
            begins = child.label if isinstance(child, Leaf) else child.prefix
            need(common_bits(begins, prefix) >= bits, "a child does not continue its parent's prefix")
            need(bit(begins, bits) == side, "a child stands on the wrong side of its parent")
    return new_inner(bits, prefix, left, right), first


def look_up(node, name):
    """The leaf of a label in a cut that was read, or None: the index has no such label."""
    while isinstance(node, Inner):
        if common_bits(name, node.prefix) < node.bits:
            return None
        node = node.right if bit(name, node.bits) else node.left
    need(not isinstance(node, Stub), "the cut does not answer for the label")
    return node if node is not None and node.label == name else None


def look_up_prefix(node, prefix, bits):
    """All leaves whose labels begin with the first bits of prefix, in the order of labels."""
    while isinstance(node, Inner) and node.bits < bits:
        if common_bits(prefix, node.prefix) < node.bits:
            return []
        node = node.right if bit(prefix, node.bits) else node.left
    if node is None:
        return []
    need(not isinstance(node, Stub), "the cut does not answer for the prefix")
    begins = node.label if isinstance(node, Leaf) else node.prefix
    return all_leaves(node) if common_bits(prefix, begins) >= bits else []


def all_leaves(node):
    need(not isinstance(node, Stub), "the cut does not answer for the prefix")
    return [node] if isinstance(node, Leaf) else all_leaves(node.left) + all_leaves(node.right)


# --- Inclusion multiproofs (§7) ---------------------------------------------------------------------------------------


def make_multiproof(leaf_hashes, targets):
    """The hashes that prove the leaves at targets (ascending) together."""

    def prove(low, high, targets):
        if not targets:
            return [tree_root(leaf_hashes[low:high])]
        if high - low == 1:
            return []
        middle = low + split(high - low)
        at = bisect.bisect_left(targets, middle)
        return prove(low, middle, targets[:at]) + prove(middle, high, targets[at:])

    return prove(0, len(leaf_hashes), targets)


def multiproof_root(size, leaves, proof):
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
        return node_hash(left, climb(middle, high, at, last))

    root = climb(0, size, 0, len(leaves))
    need(next(hashes, None) is None, "the multiproof has too many hashes")
    return root


def check_multiproof(size, root, leaves, proof):
    need(multiproof_root(size, leaves, proof) == root, "the multiproof leads to another root than the checkpoint's")


# --- Complete answers (§8) --------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What a log answers. commitment is the last entry; lists are pairs of label and leaf indices, one for every label
    that the answer finds; entries are pairs of leaf index and bytes, ascending."""

    commitment: bytes
    cut: bytes
    lists: list
    entries: list
    proof: list


def make_answer(entries, labels=(), prefixes=()):
    """The complete answer of a log, whose last entry is the commitment."""
    node, lists = build_index([labels_of(entry) for entry in entries[:-1]])
    found = {name for name in labels if name in lists}
    for prefix, bits in prefixes:
        found.update(leaf.label for leaf in look_up_prefix(node, prefix, bits))
    indices = sorted({index for name in found for index in lists[name]})
    proof = make_multiproof([leaf_hash(entry) for entry in entries], indices + [len(entries) - 1])
    return Answer(
        entries[-1],
        make_cut(node, labels, prefixes),
        [(name, lists[name]) for name in sorted(found)],
        [(index, entries[index]) for index in indices],
        proof,
    )


def check_answer(size, root, labels, prefixes, answer):
    """Checks an answer for labels and prefixes against a checkpoint that is trusted. Returns the lists by label: what is
    not among them is in no leaf of the log."""
    # 1. The last leaf is a commitment that this program can read.
    need(size > 0, "the log is empty")
    commitment = parse_entry(answer.commitment)
    need(isinstance(commitment, Commitment), "the last leaf is no index commitment")
    need(
        commitment.mapping_version == MAPPING_VERSION,
        "unsupported mapping version %d; version 1 is supported" % commitment.mapping_version,
    )
    # 2. All entries stand where the answer says.
    leaves = [(index, leaf_hash(entry)) for index, entry in answer.entries]
    check_multiproof(size, root, leaves + [(size - 1, leaf_hash(answer.commitment))], answer.proof)
    # 3. The cut is one of the commitment's trie, and says which labels there are.
    node = read_cut(answer.cut, commitment.root)
    found = [look_up(node, name) for name in labels]
    for prefix, bits in prefixes:
        found += look_up_prefix(node, prefix, bits)
    found = {leaf.label: leaf for leaf in found if leaf is not None}
    # 4. There is one list for each label, and it is the committed one.
    lists = dict(answer.lists)
    need(len(lists) == len(answer.lists), "a label has two lists")
    need(lists.keys() == found.keys(), "the lists are not those of the labels that the cut shows")
    for name, leaf in found.items():
        indices = lists[name]
        need(all(a < b for a, b in zip(indices, indices[1:])), "a list is not ascending")
        need(not indices or indices[-1] < size - 1, "a list names a leaf that the commitment does not cover")
        need(len(indices) == leaf.length, "a list is not as long as the index says")
        need(list_root(indices) == leaf.list_root, "a list is another one than the index's")
    # 5. The entries are those that the lists name, and each bears the labels whose lists name it.
    entries = dict(answer.entries)
    listed = {index for indices in lists.values() for index in indices}
    need(entries.keys() <= listed, "an entry is in none of the lists")
    need(entries.keys() >= listed, "an entry is missing")
    borne = {index: set(labels_of(entry)) for index, entry in entries.items()}
    for name, indices in lists.items():
        need(all(name in borne[index] for index in indices), "an entry does not bear the label that its list is for")
    return lists


# --- Vectors ----------------------------------------------------------------------------------------------------------


def unhex(texts):
    return [bytes.fromhex(text) for text in texts]


def prefix_from(query):
    """A prefix as vectors write it: {"prefix": hex of just enough bytes, "bits": n}."""
    return bytes.fromhex(query["prefix"]).ljust(32, b"\x00"), query["bits"]


def asked(case):
    """What a vector asks for: labels, and prefixes, of which it has one or none."""
    return unhex(case["labels"]), [] if case["prefix"] is None else [prefix_from(case["prefix"])]


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


def same(got, wanted):
    if got != wanted:
        raise AssertionError("got %r, wanted %r" % (got, wanted))


def check_label_case(case, _):
    same(label(case["label_kind"], case["value"]).hex(), case["label"])


def check_mapping_case(case, _):
    entry = base64.b64decode(case["entry"])
    same(sorted([kind, value] for kind, value in named_labels(entry)), case["names"])
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
    same(root_of(node).hex(), case["root"])
    labels = [bytes.fromhex(query["label"]) for query in case["labels"]]
    if case["smallest"]:
        same(make_cut(node, labels, [prefix_from(query) for query in case["prefixes"]]).hex(), case["cut"])
    cut = read_cut(bytes.fromhex(case["cut"]), bytes.fromhex(case["root"]))
    for query, name in zip(case["labels"], labels):
        leaf = look_up(cut, name)
        found = leaf and {"length": leaf.length, "list_root": leaf.list_root.hex()}
        same(found, query["found"])
    for query in case["prefixes"]:
        same([leaf.label.hex() for leaf in look_up_prefix(cut, *prefix_from(query))], query["found"])


def check_multiproof_case(case, _):
    leaves = [(leaf["index"], bytes.fromhex(leaf["leaf_hash"])) for leaf in case["leaves"]]
    if case["plain"]:
        hashes = [leaf_hash(str(i).encode()) for i in range(case["size"])]
        same([hashes[index] for index, _ in leaves], [found for _, found in leaves])
        same(tree_root(hashes).hex(), case["root"])
        same([found.hex() for found in make_multiproof(hashes, [i for i, _ in leaves])], case["proof"])
    check_multiproof(case["size"], bytes.fromhex(case["root"]), leaves, unhex(case["proof"]))


def check_answer_case(case, file):
    labels, prefixes = asked(case)
    entries = [base64.b64decode(entry) for entry in file["log"][: case["size"]]]
    same(tree_root([leaf_hash(entry) for entry in entries]).hex(), case["root"])
    same(make_answer(entries, labels, prefixes), from_json(case))
    found = check_answer(case["size"], bytes.fromhex(case["root"]), labels, prefixes, from_json(case))
    same(sorted(name.hex() for name in found), [item["label"] for item in case["lists"]])


def refuse_mapping(case, _):
    parse_entry(base64.b64decode(case["entry"]))


def refuse_cut(case, _):
    node = read_cut(bytes.fromhex(case["cut"]), bytes.fromhex(case["root"]))
    if case["label"] is not None:
        look_up(node, bytes.fromhex(case["label"]))
    if case["prefix"] is not None:
        look_up_prefix(node, *prefix_from(case["prefix"]))


def refuse_multiproof(case, _):
    leaves = [(leaf["index"], bytes.fromhex(leaf["leaf_hash"])) for leaf in case["leaves"]]
    check_multiproof(case["size"], bytes.fromhex(case["root"]), leaves, unhex(case["proof"]))


def refuse_answer(case, _):
    check_answer(case["size"], bytes.fromhex(case["root"]), *asked(case), from_json(case))


# What is done with the "cases" of a file of a kind, and with its "bad" ones, which must be refused.
VECTORS = {
    "labels": (check_label_case, None),
    "mapping": (check_mapping_case, refuse_mapping),
    "lists": (check_list_case, None),
    "tries": (check_trie_case, None),
    "logs": (check_log_case, None),
    "cuts": (check_cut_case, refuse_cut),
    "multiproofs": (check_multiproof_case, refuse_multiproof),
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


def main(arguments):
    try:
        if arguments == ["roots"]:
            roots_command()
        elif arguments == ["entries"]:
            entries_command()
        elif len(arguments) == 2 and arguments[0] == "vectors":
            vectors_command(arguments[1])
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except (Refused, AssertionError, ValueError, KeyError, OSError) as error:
        print("assay_index.py: %s: %s" % (type(error).__name__, error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
