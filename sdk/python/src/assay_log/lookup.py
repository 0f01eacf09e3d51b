"""What a complete answer says, claim by claim: which verify, who signed, what was withdrawn.

Nothing here is a verdict on software: whom to believe is the caller's. A claim that does not verify
has no effect and is listed under `refused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .claim import VerifiedClaim, verify_claim
from .encoding import hex_bytes
from .entry import Claim, Entry
from .errors import AssayError, IssuerError
from .issuer import (
    ISSUER,
    KEY_COMPROMISE,
    IssuerRecord,
    NotRegistered,
    Quorum,
    Registry,
    issuer_id,
)
from .labels import Name, named_labels
from .policy import VerifiedHead

WITHDRAWAL = "urn:assay:withdrawal:v1"
RESPONSE = "urn:assay:response:v1"


@dataclass(frozen=True, slots=True)
class LoggedClaim:
    """A claim of an answer whose signatures verify and satisfy its issuers' records."""

    leaf: int
    logged_at_ms: int
    claim: VerifiedClaim
    # The records of its issuers that were in force at its leaf. In a log that admits anybody, an
    # issuer that is not registered is one key, and has none.
    issuers: tuple[IssuerRecord, ...]
    # Withdrawals of it by its own issuers, and responses to it by issuers of the answer's claims.
    withdrawals: tuple[VerifiedClaim, ...] = ()
    responses: tuple[VerifiedClaim, ...] = ()
    # Its keys that a record's issuer declared compromised at any time: from when on they are not to
    # be trusted is in `key_compromises` of the answer.
    compromised_keys: tuple[bytes, ...] = ()

    @property
    def is_withdrawn(self) -> bool:
        """Whether its issuer withdrew it."""
        return bool(self.withdrawals)


@dataclass(frozen=True, slots=True)
class RefusedClaim:
    """A claim that is listed and has no effect, and why."""

    leaf: int
    error: AssayError


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was said of what was asked about, by those who were asked for, as of a head.

    If `is_complete`, nothing was left out of what the index covers. That the index was built right
    is what auditors check, and nothing is said of other logs.
    """

    head: VerifiedHead
    committed_at_ms: int
    claims: tuple[LoggedClaim, ...]
    refused: tuple[RefusedClaim, ...]
    key_compromises: tuple[VerifiedClaim, ...]
    is_complete: bool

    @property
    def as_of_ms(self) -> int:
        """Since when it is fresh, in milliseconds since 1970: the older of the commitment's time
        and the quorum's."""
        quorum = self.head.cosigned_at
        return self.committed_at_ms if quorum is None else min(self.committed_at_ms, quorum * 1000)


def about(entries: Mapping[int, Entry], names: Iterable[Name]) -> dict[int, Entry]:
    """The entries that have one of these names in full: halves only select (docs/index.md 10)."""
    wanted = set(names)
    found = {}
    for leaf, entry in entries.items():
        if wanted & {(kind, value) for kind, value, _ in named_labels(entry)}:
            found[leaf] = entry
    return found


def assemble(
    head: VerifiedHead,
    committed_at_ms: int,
    said: Mapping[int, Entry],
    behind: Mapping[int, Entry],
    is_complete: bool,
) -> Lookup:
    """Judges claims (`said`) by what was logged of their issuers and of themselves (`behind`)."""
    read: dict[int, VerifiedClaim] = {}
    refused: dict[int, AssayError] = {}
    for leaf, entry in sorted({**behind, **said}.items()):
        if isinstance(entry.body, Claim):
            try:
                read[leaf] = verify_claim(entry.body)
            except IssuerError as error:
                refused[leaf] = error
    registry = Registry()
    standing: dict[int, tuple[IssuerRecord, ...]] = {}
    for leaf, claim in read.items():
        try:
            standing[leaf] = tuple(record for _, record in registry.take(claim, leaf))
        except NotRegistered:
            if not _is_itself(claim):
                refused[leaf] = IssuerError("issuers", "an issuer that it names is not registered")
            else:
                standing[leaf] = ()
        except IssuerError as error:
            refused[leaf] = error
    sound = {leaf: claim for leaf, claim in read.items() if leaf in standing}
    compromises = [one for one in sound.values() if _type(one) == KEY_COMPROMISE]
    claims = []
    for leaf, entry in sorted(said.items()):
        if leaf in sound:
            one = LoggedClaim(leaf, entry.logged_at_ms, sound[leaf], standing[leaf])
            claims.append(_with_what_is_said_of_it(one, sound.values(), compromises))
    return Lookup(
        head,
        committed_at_ms,
        tuple(claims),
        tuple(RefusedClaim(leaf, refused[leaf]) for leaf in sorted(refused) if leaf in said),
        tuple(compromises),
        is_complete,
    )


def _is_itself(claim: VerifiedClaim) -> bool:
    """Whether each issuer that a claim names is the one that its key alone makes."""
    is_record = _type(claim) in (ISSUER, KEY_COMPROMISE)
    return not is_record and all(
        signer.issuer == issuer_id(Quorum((signer.key,), 1)) for signer in claim.signers
    )


def _type(claim: VerifiedClaim) -> str:
    return claim.statement.predicate_type


def _member(claim: VerifiedClaim, key: str) -> bytes | None:
    """A member of the predicate that is 32 bytes in hex."""
    value = (claim.statement.predicate or {}).get(key)
    return hex_bytes(value, 32) if isinstance(value, str) else None


def _with_what_is_said_of_it(
    one: LoggedClaim, sound: Iterable[VerifiedClaim], compromises: Iterable[VerifiedClaim]
) -> LoggedClaim:
    issuers = {signer.issuer for signer in one.claim.signers}
    of_it = [other for other in sound if _member(other, "target") == one.claim.id]
    own = [other for other in of_it if {signer.issuer for signer in other.signers} & issuers]
    declared = {
        _member(other, "key") for other in compromises if _member(other, "issuer") in issuers
    }
    keys = {signer.key for signer in one.claim.signers}
    return LoggedClaim(
        one.leaf,
        one.logged_at_ms,
        one.claim,
        one.issuers,
        tuple(other for other in own if _type(other) == WITHDRAWAL),
        tuple(other for other in of_it if _type(other) == RESPONSE),
        tuple(sorted(keys & declared)),
    )
