"""Issuers: what names them, their records, and who may sign for them (docs/design.md 3.4).

    issuer id = SHA-256("assay.issuer.v2\\n" ‖ u32be(threshold) ‖ u32be(n) ‖ n keys, sorted
                        ‖ u32be(rotation threshold) ‖ u32be(m) ‖ m rotation keys, sorted)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import ed25519, limits
from .claim import Signer, VerifiedClaim
from .encoding import has_control, hex_bytes, sha256
from .errors import IssuerError
from .jsontext import Json
from .statement import odd

ISSUER = "urn:assay:issuer:v1"
KEY_COMPROMISE = "urn:assay:key-compromise:v1"
_ROLES = frozenset(
    ("maintainer", "auditor", "scanner", "supplier", "finder", "coordinator", "builder")
)
_TEXT_BYTES, _LIST = 512, 64


class NotRegistered(Exception):
    """No record that is known decides about an issuer: `issuer`, 32 bytes."""

    def __init__(self, issuer: bytes) -> None:
        super().__init__(issuer.hex())
        self.issuer = issuer


@dataclass(frozen=True, slots=True)
class Quorum:
    """Keys, and how many of them must sign."""

    keys: tuple[bytes, ...] = ()
    threshold: int = 0

    def written(self) -> bytes:
        """As an issuer id covers it."""
        counts = self.threshold.to_bytes(4, "big") + len(self.keys).to_bytes(4, "big")
        return counts + b"".join(sorted(self.keys))


def issuer_id(signing: Quorum, rotation: Quorum = Quorum()) -> bytes:
    """The id of an issuer whose first record has these keys."""
    return sha256(b"assay.issuer.v2\n" + signing.written() + rotation.written())


@dataclass(frozen=True, slots=True)
class IssuerRecord:
    """What a record of an issuer says."""

    id: bytes
    claim_id: bytes
    # What it calls itself. It proves nothing.
    name: str
    signing: Quorum
    # Without keys if there are none: then the signing keys change the record.
    rotation: Quorum
    sequence: int
    previous: bytes | None

    @property
    def all_keys(self) -> tuple[bytes, ...]:
        """Every key that stands in it."""
        return self.signing.keys + self.rotation.keys

    @property
    def root(self) -> Quorum:
        """Who may replace the record or declare a key compromised."""
        return self.rotation if self.rotation.keys else self.signing


def record_of(claim: VerifiedClaim) -> IssuerRecord | None:
    """The record that a claim is; None if it is of another type. A registration's id is that of
    its keys. Fails with `IssuerError`: of kind `claim` if the predicate is malformed, of kind
    `issuers` if it is not about the issuer."""
    if claim.statement.predicate_type != ISSUER:
        return None
    predicate = claim.statement.predicate
    if predicate is None:
        raise odd("$.predicate must be an object")
    name = _text(predicate.get("name"))
    for member in ("contacts", "namespaces", "roles"):
        listed = _texts(predicate.get(member))
        if member == "roles" and not _ROLES.issuperset(listed):
            raise odd("$.predicate.roles has a role that there is not")
    signing = _quorum(predicate, "keys", "threshold")
    rotation = Quorum()
    if not (predicate.get("rotationKeys") is None and predicate.get("rotationThreshold") is None):
        rotation = _quorum(predicate, "rotationKeys", "rotationThreshold")
    if set(rotation.keys) & set(signing.keys):
        raise odd("$.predicate.rotationKeys has a key that signs claims, too")
    sequence, previous = _number(predicate.get("sequence")), predicate.get("previous")
    before = hex_bytes(previous, 32) if isinstance(previous, str) else None
    if (previous is not None and before is None) or (sequence == 0) != (before is None):
        raise odd("$.predicate.previous must be the claim id of the record before, if there is one")
    stated = _subject(claim)
    if stated is None or (sequence == 0 and issuer_id(signing, rotation) != stated):
        raise _refuted("a record has one subject, whose sha256 is the id that its keys make")
    return IssuerRecord(stated, claim.id, name, signing, rotation, sequence, before)


def _subject(claim: VerifiedClaim) -> bytes | None:
    """The issuer that a claim is about, if it has one subject, with its id."""
    subjects = claim.statement.subjects
    return hex_bytes(subjects[0].digests.get("sha256", ""), 32) if len(subjects) == 1 else None


def _text(value: Json) -> str:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= _TEXT_BYTES:
        raise odd(f"a text of a record must have from 1 to {_TEXT_BYTES} bytes")
    if has_control(value):
        raise odd("a text of a record must have no control character")
    return value


def _texts(value: Json) -> list[str]:
    listed = [] if value is None else value
    if not isinstance(listed, list) or len(listed) > _LIST:
        raise odd(f"a list of a record must be an array of at most {_LIST} strings")
    return [_text(one) for one in listed]


def _number(value: Json) -> int:
    if type(value) is not int or not 0 <= value < 1 << 32:
        raise odd("a number of a record must be a whole one of 32 bits")
    return value


def _quorum(predicate: dict[str, Json], keys: str, threshold: str) -> Quorum:
    listed = predicate.get(keys)
    if not isinstance(listed, list) or not 1 <= len(listed) <= limits.ISSUER_KEYS:
        raise odd(f"$.predicate.{keys} must be an array of 1 to {limits.ISSUER_KEYS} keys")
    read = tuple(hex_bytes(one, 32) if isinstance(one, str) else None for one in listed)
    sound = tuple(key for key in read if key is not None and ed25519.is_sound_key(key))
    if len(set(sound)) != len(listed):
        raise odd(f"$.predicate.{keys} must be distinct, strong keys in lower-case hex")
    needed = _number(predicate.get(threshold))
    if not 1 <= needed <= len(sound):
        raise odd(f"$.predicate.{threshold} must be from 1 to the number of keys")
    return Quorum(sound, needed)


class Registry:
    """Who is registered in one log, fed with claims in the order of their leaves."""

    def __init__(self) -> None:
        self._records: dict[bytes, list[tuple[int, IssuerRecord]]] = {}
        self._owners: dict[bytes, bytes] = {}

    def in_force(self, issuer: bytes) -> tuple[int, IssuerRecord] | None:
        """The latest record of an issuer, and its leaf."""
        records = self._records.get(issuer)
        return records[-1] if records else None

    def take(self, claim: VerifiedClaim, leaf: int) -> list[tuple[int, IssuerRecord]]:
        """Decides whether a claim's signers satisfy the records in force, for every issuer that
        they sign for, and puts it in force if it is a record itself. Returns the records that this
        stands on, with their leaves.

        Fails with `NotRegistered` if no record is known that decides, and with `IssuerError` of
        kind `issuers` if the signers do not satisfy those that are.
        """
        record = record_of(claim)
        if record is not None:
            self._authorize(claim.signers, record)
            self._records.setdefault(record.id, []).append((leaf, record))
            self._owners.update(dict.fromkeys(record.all_keys, record.id))
            return [(leaf, record)]
        if claim.statement.predicate_type == KEY_COMPROMISE:
            return [self._compromise(claim)]
        relied_on = []
        for issuer in dict.fromkeys(signer.issuer for signer in claim.signers):
            found = self._need(issuer)
            keys = _keys_for(claim.signers, issuer)
            if not keys <= set(found[1].signing.keys):
                raise _refuted("a signature is by a key that does not sign claims for its issuer")
            _enough(keys, found[1].signing)
            relied_on.append(found)
        return relied_on

    def _need(self, issuer: bytes) -> tuple[int, IssuerRecord]:
        found = self.in_force(issuer)
        if found is None:
            raise NotRegistered(issuer)
        return found

    def _compromise(self, claim: VerifiedClaim) -> tuple[int, IssuerRecord]:
        stated = (claim.statement.predicate or {}).get("issuer")
        issuer = hex_bytes(stated, 32) if isinstance(stated, str) else None
        if issuer is None:
            raise odd("$.predicate.issuer must be an issuer id")
        # Who looks the issuer up by its subject must find what is said of its keys.
        if _subject(claim) != issuer:
            raise odd("$.subject must be one subject whose sha256 is $.predicate.issuer")
        _own_signers(claim.signers, issuer)
        found = self._need(issuer)
        keys = _keys_for(claim.signers, issuer)
        if not keys <= set(found[1].all_keys):
            raise _refuted("a signature is by a key that is not the issuer's")
        _enough(keys, found[1].root)
        return found

    def _authorize(self, signers: Sequence[Signer], record: IssuerRecord) -> None:
        _own_signers(signers, record.id)
        keys, before = _keys_for(signers, record.id), self.in_force(record.id)
        if record.sequence == 0:
            if before is not None:
                raise _refuted("the issuer is registered already")
            if any(other != record.id and other[:16] == record.id[:16] for other in self._records):
                raise _refuted("another issuer's id begins with the same 16 bytes")
            self._own_keys(record)
            if keys != set(record.all_keys):
                raise _refuted("a registration is signed by all of its keys and by no others")
            return
        if before is None:
            raise NotRegistered(record.id)
        old = before[1]
        if record.sequence > old.sequence + 1:
            raise NotRegistered(record.id)  # a record between the two is missing
        if record.sequence != old.sequence + 1 or record.previous != old.claim_id:
            raise _refuted("the record does not follow the one in force")
        self._own_keys(record)
        if not keys <= {*record.all_keys, *old.all_keys}:
            raise _refuted("a signature is by a key that is not the issuer's")
        _enough(keys, old.root)
        _enough(keys, record.signing)
        if not set(record.all_keys) - set(old.all_keys) <= keys:
            raise _refuted("a key that the record brings did not sign it")

    def _own_keys(self, record: IssuerRecord) -> None:
        if any(self._owners.get(key, record.id) != record.id for key in record.all_keys):
            raise _refuted("a key of the record stands in a record of another issuer")


def _own_signers(signers: Sequence[Signer], issuer: bytes) -> None:
    if any(signer.issuer != issuer for signer in signers):
        raise _refuted("a record or a key compromise is signed for its own issuer only")


def _keys_for(signers: Sequence[Signer], issuer: bytes) -> set[bytes]:
    return {signer.key for signer in signers if signer.issuer == issuer}


def _enough(keys: set[bytes], quorum: Quorum) -> None:
    signed = len(keys & set(quorum.keys))
    if signed < quorum.threshold:
        raise _refuted(f"{signed} of the keys signed where {quorum.threshold} are needed")


def _refuted(reason: str) -> IssuerError:
    return IssuerError("issuers", reason)
