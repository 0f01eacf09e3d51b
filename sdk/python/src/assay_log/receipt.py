"""Receipts: a claim, and the proof that it is logged, checkable offline (docs/design.md 3.6).

A receipt is two files: the claim as one line of DSSE JSON (`.intoto.jsonl`), and a C2SP tlog-proof
(`.tlog-proof`) whose `extra` data is the log entry without the payload. Each has one spelling.
Receipts prove what is in the log, never what is not: that no later rotation or withdrawal exists
needs a complete answer (`client`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from . import limits
from .answer import check_ahead
from .checkpoint import log_keys
from .claim import VerifiedClaim, verify_claim
from .dsse import Envelope, envelope_file
from .entry import Claim, Entry, parse_entry
from .errors import AssayError, CallerError, IssuerError, LogError, ServerError, WitnessError
from .issuer import IssuerRecord, NotRegistered, Registry, record_of
from .merkle import check_inclusion
from .note import VerifierKey
from .policy import TlogPolicy, VerifiedHead, verify_head
from .protobuf import write_varint
from .tlog_proof import TlogProof

# The two files of a receipt.
Files = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """A claim that is valid by itself and is in the log. `verify_receipt` makes one."""

    claim: VerifiedClaim
    logged_at_ms: int
    index: int
    head: VerifiedHead
    leaf_hash: bytes = field(repr=False)
    # The keys of its log.
    log: Sequence[VerifierKey] = field(repr=False)
    # The records, among those that were given, that its signers satisfy. That they were still in
    # force is not proven: a rotation that was not given would have ended them.
    issuers: tuple[IssuerRecord, ...] = ()
    # The issuers that it names and of which no record was given that decides: *unproven*.
    unproven_issuers: tuple[bytes, ...] = ()

    @property
    def origin(self) -> str:
        """The log that it is in."""
        return self.head.checkpoint.origin


def verify_receipt(
    envelope: bytes,
    proof: bytes,
    keys: Sequence[VerifierKey | str] = (),
    policy: TlogPolicy | str | None = None,
    records: Iterable[Files] = (),
) -> VerifiedReceipt:
    """Verifies a receipt by the keys of its log (or by those that the policy states of it), and by
    the policy's quorum of witnesses if one is given.

    `records` are receipts of issuers' records: with them it says who signed (`issuers`), and
    without them all issuers are in `unproven_issuers`. Fails with `AssayError`, whose kind is the
    check that failed: `envelope`, `proof`, `entry`, `checkpoint`, `inclusion`, `match`, `claim`,
    `log`, `time`, `witnesses` or `issuers`.
    """
    read = TlogPolicy.parse(policy) if isinstance(policy, str) else policy
    log = log_keys(keys) if keys else ()
    receipt = _genuine(envelope, proof, log, read)
    missing: WitnessError | None = None
    if read is not None:
        try:
            receipt = _cosigned(receipt, read)
        except WitnessError as error:
            missing = error  # what is wrong is worse than what is missing
    others = []
    for files in records:
        try:
            others.append(_genuine(*files, log, read))
        except AssayError:
            continue  # it decides nothing
    receipt = _standing(receipt, others)
    if missing is not None:
        raise missing
    return receipt


def _genuine(
    envelope: bytes, proof: bytes, log: Sequence[VerifierKey], policy: TlogPolicy | None
) -> VerifiedReceipt:
    if len(envelope) > limits.RECEIPT_BYTES:
        raise ServerError("proof", f"the envelope has {len(envelope)} bytes")
    payload = Envelope.parse(envelope).payload
    read = TlogProof.parse(proof)
    entry = attach(read.extra or b"", payload)
    known = _keys_for(read.stated_origin, log, policy)
    head = verify_head(read.checkpoint, known)
    size, root = head.checkpoint.size, head.checkpoint.root
    check_inclusion(entry.leaf_hash, read.index, size, read.path, root)
    logged = entry.body
    assert isinstance(logged, Claim)  # `attach` gives no others
    if envelope_file(logged) != envelope:
        raise ServerError("match", "the envelope is not exactly the claim that is in the log")
    claim = verify_claim(logged)
    return VerifiedReceipt(claim, entry.logged_at_ms, read.index, head, entry.leaf_hash, known)


def _cosigned(receipt: VerifiedReceipt, policy: TlogPolicy) -> VerifiedReceipt:
    """The receipt with those of the policy's witnesses who cosigned its checkpoint."""
    head = policy.verify(receipt.head.note, receipt.log)
    if head.cosigned_at is not None:
        check_ahead(receipt.logged_at_ms, head.cosigned_at)
    return replace(receipt, head=head)


def _keys_for(
    origin: str, log: Sequence[VerifierKey], policy: TlogPolicy | None
) -> Sequence[VerifierKey]:
    """The keys of the log that a receipt says it is of. With a single log and no policy, what is
    wrong with its checkpoint is said by the verifier."""
    stated = policy.keys_of(origin) if policy else ()
    if log and (policy is None or log[0].name == origin):
        if stated and not set(log) <= set(stated):
            raise CallerError("log", f"two different keys are stated of the log {origin}")
        return stated or log
    if not stated:
        raise CallerError("log", f"nobody stated the key of the log {origin}")
    return stated


def attach(extra: bytes, payload: bytes) -> Entry:
    """Puts the payload back into an entry that it was cut out of: `extra` is the offset in 4 bytes,
    the most significant first, and the rest. Fails with `ServerError` of kind `entry`."""
    offset, rest = int.from_bytes(extra[:4], "big"), extra[4:]
    if len(extra) < 4 or offset > len(rest):
        raise _odd("the detached entry is cut off")
    if len(rest) + len(payload) > limits.ENTRY_BYTES:
        raise _odd("the entry is too long")
    before, after = rest[:offset], rest[offset:]
    if not before.endswith(b"\x0a" + write_varint(len(payload))):
        raise _odd("what was logged has a payload of another length: this is another claim")
    entry = parse_entry(before + payload + after)
    if not isinstance(entry.body, Claim) or entry.body.payload != payload or not payload:
        raise _odd("the payload does not belong where the detached entry says")
    if _payload_offset(entry) != offset:
        raise _odd("the payload does not belong where the detached entry says")
    return entry


def _payload_offset(entry: Entry) -> int:
    """Where the payload begins in the one spelling of an entry: after the time (if it is not 0),
    the head of the claim, and its own head."""
    assert isinstance(entry.body, Claim)
    at = 1 + len(write_varint(entry.logged_at_ms)) if entry.logged_at_ms else 0
    at += 1
    while entry.data[at] >= 0x80:  # the claim's length
        at += 1
    return at + 2 + len(write_varint(len(entry.body.payload)))


def _standing(receipt: VerifiedReceipt, others: Sequence[VerifiedReceipt]) -> VerifiedReceipt:
    """Judges who signed by the records that stand before the receipt in its log, which are taken
    from the receipts given, in the order of their leaves (docs/design.md 3.4)."""
    place = (receipt.origin, receipt.index)
    leaves: dict[int, VerifiedReceipt] = {}
    contradicted: dict[int, VerifiedReceipt] = {}
    for one in (receipt, *others):
        if one.origin != receipt.origin:
            continue
        if leaves.setdefault(one.index, one).leaf_hash != one.leaf_hash:
            contradicted[one.index] = one
    if receipt.index in contradicted:
        both = (receipt, contradicted[receipt.index])
        notes = tuple(one.head.note.signed_by(one.log) for one in both)
        raise LogError("log", f"the log {place[0]} shows two entries at leaf {place[1]}", notes)
    registry = Registry()
    for index in sorted(leaves):
        if index < receipt.index and index not in contradicted:
            _put_in_force(registry, leaves[index])
    try:
        relied_on = registry.take(receipt.claim, receipt.index)
    except NotRegistered as error:
        later = (one for index, one in leaves.items() if index > receipt.index)
        if registry.in_force(error.issuer) is None and any(
            _registers(one.claim, receipt.claim) for one in later
        ):
            raise IssuerError("issuers", "the issuer was not registered yet") from None
        signers = {signer.issuer for signer in receipt.claim.signers}
        unknown = {one for one in signers if registry.in_force(one) is None} or {error.issuer}
        return replace(receipt, unproven_issuers=tuple(sorted(unknown)))
    return replace(receipt, issuers=tuple(record for _, record in relied_on))


def _put_in_force(registry: Registry, receipt: VerifiedReceipt) -> None:
    try:
        registry.take(receipt.claim, receipt.index)
    except (IssuerError, NotRegistered):
        pass  # it was not in force


def _registers(claim: VerifiedClaim, signed: VerifiedClaim) -> bool:
    """Whether a claim registers one of the issuers that another claim is signed for."""
    try:
        record = record_of(claim)
    except IssuerError:
        return False
    if record is None or record.sequence != 0:
        return False
    return any(signer.issuer == record.id for signer in signed.signers)


def _odd(reason: str) -> ServerError:
    return ServerError("entry", reason)
