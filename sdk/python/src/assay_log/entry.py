"""Entries: the bytes of a leaf (docs/index.md 1.1), read in their one spelling."""

from __future__ import annotations

from dataclasses import dataclass

from . import limits
from .encoding import sha256
from .errors import AssayError, ServerError
from .merkle import leaf_hash
from .protobuf import Value, canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class ClaimSignature:
    """A signature of a claim. Nothing of it is verified."""

    signature: bytes
    public_key: bytes
    issuer_id: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it is logged: DSSE, losslessly. Nothing of it is verified."""

    payload: bytes
    signatures: tuple[ClaimSignature, ...]

    @property
    def pae(self) -> bytes:
        """What is signed (DSSE protocol, "Signature Definition")."""
        head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(self.payload)} "
        return head.encode() + self.payload

    @property
    def id(self) -> bytes:
        """The claim's id (docs/design.md 3.2); it does not depend on the signatures."""
        return sha256(self.pae)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an index commitment says (docs/index.md 1.2)."""

    root: bytes
    labels: int
    mapping_version: int
    admission_version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf's bytes and what is in them."""

    data: bytes
    logged_at_ms: int
    body: Claim | Commitment

    @property
    def leaf_hash(self) -> bytes:
        """Its hash as a leaf of the log."""
        return leaf_hash(self.data)


def parse_entry(data: bytes) -> Entry:
    """Reads the bytes of a leaf. Fails with `ServerError` of kind `entry`: who served bytes that
    are not proven to be in a log is to blame, and where they are proven the caller knows better."""
    if len(data) > limits.ENTRY_BYTES:
        raise _odd("the entry is too long")
    try:
        entry = canonical(data, numbers={1}, texts={2, 3})
        if (2 in entry) == (3 in entry):
            raise _odd("the entry must hold a claim or an index commitment")
        at = _number(entry, 1)
        if 3 in entry:
            return Entry(data, at, _commitment(_bytes(entry, 3)))
        return Entry(data, at, _claim(_bytes(entry, 2)))
    except ServerError as error:
        raise _odd(error.reason) from None


def _commitment(data: bytes) -> Commitment:
    body = canonical(data, numbers={2, 3, 4}, texts={1})
    labels, mapping, admission = (_number(body, field) for field in (2, 3, 4))
    if max(mapping, admission) >= 1 << 32:
        raise _odd("a version is too large")
    return Commitment(_text(body, 1), labels, mapping, admission)


def _claim(data: bytes) -> Claim:
    body = canonical(data, numbers=(), texts={1, 2, 3}, repeated={3})
    payload = _text(body, 1)
    if len(payload) > limits.PAYLOAD_BYTES:
        raise _odd("the payload has more than 32 KiB")
    if _text(body, 2) != PAYLOAD_TYPE.encode():
        raise _odd("the payload type is another one")
    if not 1 <= len(body.get(3, [])) <= limits.SIGNATURES:
        raise _odd("there must be from 1 to 16 signatures")
    return Claim(payload, tuple(_signature(one) for one in body[3]))


def _signature(data: Value) -> ClaimSignature:
    assert isinstance(data, bytes)  # `canonical` gives bytes for texts
    body = canonical(data, numbers=(), texts={1, 2, 3})
    signature, key, issuer = (_text(body, field) for field in (1, 2, 3))
    if (len(signature), len(key), len(issuer)) != (64, 32, 32):
        raise _odd("a signature, its key or its issuer id has another length")
    return ClaimSignature(signature, key, issuer)


def _number(found: dict[int, list[Value]], field: int) -> int:
    value = found.get(field, [0])[0]
    assert isinstance(value, int)
    return value


def _bytes(found: dict[int, list[Value]], field: int) -> bytes:
    value = found.get(field, [b""])[0]
    assert isinstance(value, bytes)
    return value


def _text(found: dict[int, list[Value]], field: int) -> bytes:
    """The bytes of a field that is left out if it is empty."""
    value = _bytes(found, field)
    if field in found and not value:
        raise _odd("an empty field is spelled out")
    return value


def _odd(reason: str) -> AssayError:
    return ServerError("entry", reason)
