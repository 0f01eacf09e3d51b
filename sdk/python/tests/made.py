"""What the tests make: a log with real signatures, its answers, receipts and witnesses.

Answers are made by the index's other implementation (tests/index), so that this package never
checks what it made itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "sdk/python/src"), str(REPOSITORY / "tests/index")]

import assay_index as index  # noqa: E402
import make_vectors as make  # noqa: E402

from assay_log.labels import STATEMENT_TYPE  # noqa: E402

ORIGIN = "sdk.assay.example/log"
NOW_MS = 1_790_000_000_000


def data_folder(kind: str) -> Path:
    """The folder with other projects' vectors of a kind, looked for as tests/src/data.rs does. Its
    absence is a failure: a test that skips proves nothing."""
    places = [REPOSITORY / "../shared/data", REPOSITORY / "../../shared/data"]
    if "ASSAY_TEST_DATA" in os.environ:
        places = [Path(os.environ["ASSAY_TEST_DATA"])]
    for name, below in (
        ("ASSAY_CACHE", "vectors"),
        ("XDG_CACHE_HOME", "assay/vectors"),
        ("HOME", ".cache/assay/vectors"),
    ):
        if name in os.environ:
            places.append(Path(os.environ[name]) / below)
    for place in places:
        if (place / kind).is_dir():
            return place / kind
    raise AssertionError(f"no vectors in {kind}: set ASSAY_TEST_DATA, or run `make vectors`")


class Key:
    """A private key that follows from a seed of one byte."""

    def __init__(self, seed: int) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def vkey(self, name: str, algorithm: int = 1) -> str:
        material = bytes([algorithm]) + self.public
        key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
        return f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}"

    def line(self, name: str, signature: bytes, algorithm: int = 1) -> str:
        key_id = bytes.fromhex(self.vkey(name, algorithm).split("+")[1])
        return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"


LOG, WITNESSES = Key(1), (Key(11), Key(12), Key(13))
VKEY = LOG.vkey(ORIGIN)
WITNESS_NAMES = ("w1.example/witness", "w2.example/witness", "w3.example/witness")
POLICY = "".join(
    f"witness w{i} {key.vkey(name, 4)}\n"
    for i, (key, name) in enumerate(zip(WITNESSES, WITNESS_NAMES))
) + "group g 2 w0 w1 w2\nquorum g\n"


def note(size: int, root: bytes, cosigned_at: tuple[int | None, ...] = (), key: Key = LOG) -> str:
    """A checkpoint, signed by the log and at these times by the witnesses (None: not)."""
    text = f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n"
    signed = text + "\n" + key.line(ORIGIN, key.private.sign(text.encode()))
    for witness, name, at in zip(WITNESSES, WITNESS_NAMES, cosigned_at):
        if at is not None:
            message = f"cosignature/v1\ntime {at}\n{text}".encode()
            signature = at.to_bytes(8, "big") + witness.private.sign(message)
            signed += witness.line(name, signature, 4)
    return signed


def issuer_id(keys: list[Key], threshold: int = 1) -> bytes:
    listed = b"".join(sorted(key.public for key in keys))
    signing = threshold.to_bytes(4, "big") + len(keys).to_bytes(4, "big") + listed
    return hashlib.sha256(b"assay.issuer.v2\n" + signing + bytes(8)).digest()


def pae(payload: bytes) -> bytes:
    kind = b"application/vnd.in-toto+json"
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def claim_id(statement: dict) -> str:
    return hashlib.sha256(pae(json.dumps(statement).encode())).hexdigest()


def entry(statement: dict, signers: list[tuple[bytes, Key]], at: int = NOW_MS) -> bytes:
    """A claim as it is logged, with real signatures."""
    payload = json.dumps(statement).encode()
    claim = make.bytes_field(1, payload) + make.bytes_field(2, b"application/vnd.in-toto+json")
    for issuer, key in signers:
        parts = (key.private.sign(pae(payload)), key.public, issuer)
        body = b"".join(make.bytes_field(1 + i, part) for i, part in enumerate(parts))
        claim += make.bytes_field(3, body)
    return make.number_field(1, at) + make.bytes_field(2, claim)


def statement(subjects: list[dict], predicate_type: str, predicate: dict | None = None) -> dict:
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": predicate or {},
    }


def record(
    issuer: bytes,
    keys: list[Key],
    sequence: int = 0,
    previous: str | None = None,
    threshold: int = 1,
) -> dict:
    predicate = {
        "name": "Example",
        "keys": [key.public.hex() for key in keys],
        "threshold": threshold,
        "sequence": sequence,
        **({"previous": previous} if previous else {}),
    }
    subject = {"name": "Example", "digest": {"sha256": issuer.hex()}}
    return statement([subject], "urn:assay:issuer:v1", predicate)


def package(purl: str, predicate_type: str = "urn:x", **predicate: object) -> dict:
    return statement([make.package(purl)], predicate_type, predicate)


def withdrawal(target: str) -> dict:
    subject = {"digest": {"sha256": target}}
    return statement([subject], "urn:assay:withdrawal:v1", {"target": target})


ALICE, BOB = Key(21), Key(22)
ALICE_ID, BOB_ID = issuer_id([ALICE]), issuer_id([BOB])
RAND, LEFT = package("pkg:cargo/rand@0.9.0", says=1), package("pkg:npm/left-pad@1.3.0", says=2)


def log() -> list[bytes]:
    """A log of seven claims and as many commitments."""
    said = [
        entry(record(ALICE_ID, [ALICE]), [(ALICE_ID, ALICE)]),
        entry(record(BOB_ID, [BOB]), [(BOB_ID, BOB)]),
        entry(RAND, [(ALICE_ID, ALICE)]),
        entry(RAND, [(BOB_ID, BOB)]),
        entry(LEFT, [(BOB_ID, BOB)]),
        entry(withdrawal(claim_id(LEFT)), [(BOB_ID, BOB)]),
        entry(package("pkg:cargo/rand@0.8.5", says=3), [(ALICE_ID, BOB)]),  # not Alice's key
    ]
    leaves = [make.commitment_over([], NOW_MS)]
    for one in said:
        leaves.append(one)
        leaves.append(make.commitment_over(leaves, NOW_MS))
    return leaves


def root_of(leaves: list[bytes]) -> bytes:
    return index.tree_root([index.leaf_hash(leaf) for leaf in leaves])


def answer_bytes(leaves: list[bytes], question: object, checkpoint: str) -> bytes:
    """The protobuf message of the complete answer to a question."""
    answer = index.make_answer(leaves, question)
    return message(answer, checkpoint)


def message(answer: object, checkpoint: str) -> bytes:
    field, varint = make.bytes_field, make.varint
    out = field(1, checkpoint.encode()) + field(2, answer.commitment) + field(3, answer.cut)
    for label, indices in answer.lists:
        out += field(4, field(1, label) + field(2, b"".join(map(varint, indices))))
    out += field(5, b"".join(varint(leaf) for leaf, _ in answer.entries))
    out += b"".join(field(6, data) for _, data in answer.entries)
    return out + field(7, b"".join(answer.proof)) + field(8, b"".join(answer.range))


def answer_json(answer: object, checkpoint: str) -> bytes:
    """The same in JSON."""
    value = {
        "checkpoint": checkpoint,
        "commitment": make.b64(answer.commitment),
        "cut": make.b64(answer.cut),
        "lists": [
            {"label": make.b64(label), "leaves": [str(leaf) for leaf in indices]}
            for label, indices in answer.lists
        ],
        "leaves": [str(leaf) for leaf, _ in answer.entries],
        "entries": [make.b64(data) for _, data in answer.entries],
        "inclusion": make.b64(b"".join(answer.proof)),
    }
    return json.dumps(value).encode()


def receipt(leaves: list[bytes], leaf: int, checkpoint: str) -> tuple[bytes, bytes]:
    """The two files of the receipt of a leaf: written here once more, from docs/design.md 3.6."""
    fields = index.message(leaves[leaf], numbers={1}, texts={2, 3})
    claim = index.message(fields[2][0], numbers=(), texts={1, 2, 3}, repeated={3})
    payload = claim[1][0]
    signatures = []
    for one in claim[3]:
        parts = index.message(one, numbers=(), texts={1, 2, 3})
        keyid = hashlib.sha256(parts[2][0]).hexdigest()
        signatures.append({"keyid": keyid, "sig": make.b64(parts[1][0])})
    envelope = {
        "payload": make.b64(payload),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": signatures,
    }
    at = leaves[leaf].index(payload)
    rest = leaves[leaf][:at] + leaves[leaf][at + len(payload) :]
    extra = make.b64(at.to_bytes(4, "big") + rest)
    lines = ["c2sp.org/tlog-proof@v1", "extra " + extra, f"index {leaf}"]
    lines += [make.b64(one) for one in path(leaves, leaf)]
    proof = "\n".join(lines) + "\n\n" + checkpoint
    compact = json.dumps(envelope, separators=(",", ":")) + "\n"
    return compact.encode(), proof.encode()


def path(leaves: list[bytes], leaf: int) -> list[bytes]:
    """The inclusion proof of a leaf (RFC 6962, section 2.1.1)."""
    hashes = [index.leaf_hash(one) for one in leaves]

    def prove(low: int, high: int) -> list[bytes]:
        if high - low == 1:
            return []
        middle = low + index.split(high - low)
        if leaf < middle:
            return [*prove(low, middle), index.tree_root(hashes[middle:high])]
        return [*prove(middle, high), index.tree_root(hashes[low:middle])]

    return prove(0, len(hashes))
