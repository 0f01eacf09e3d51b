"""Verifying claims: the statement, and every signature strictly (docs/design.md 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from . import ed25519
from .entry import Claim
from .statement import Statement, odd


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed: a key, and the issuer that the signature is said to be for. A signature does not
    cover the issuer: the issuer's records say whether the key is its (`issuer`)."""

    issuer: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class VerifiedClaim:
    """A claim whose signatures all verify. That it is true, and that its signers may speak for the
    issuers, is not said."""

    id: bytes
    statement: Statement
    payload: bytes
    # Distinct, in the order of the first signature of each; at least one.
    signers: tuple[Signer, ...]


def verify_claim(claim: Claim) -> VerifiedClaim:
    """Verifies a logged claim by itself. Fails with `IssuerError` of kind `claim`."""
    statement = Statement.parse(claim.payload)
    for number, one in enumerate(claim.signatures, 1):
        if not ed25519.is_sound_key(one.public_key):
            raise odd(f"signature {number}: the public key is malformed or weak")
    pae = claim.pae
    for number, one in enumerate(claim.signatures, 1):
        if not ed25519.verifies(one.public_key, pae, one.signature):
            raise odd(f"signature {number} does not fit this payload and this key")
    signers = dict.fromkeys(Signer(one.issuer_id, one.public_key) for one in claim.signatures)
    return VerifiedClaim(claim.id, statement, claim.payload, tuple(signers))
