//! Everything that is asked of a claim before its signatures' equations.

use super::content::Content;
use super::error::{ClaimError, SignatureFault};
use super::id::{ClaimId, PAYLOAD_TYPE};
use super::key::PublicKey;
use crate::entry::wire;
use crate::issuer::IssuerId;
use crate::kind::Body;
use crate::statement::Statement;
use crate::{dsse, limits};
use ed25519_dalek::Signature;

/// Keys that were parsed before. A cache may always answer `None`; what it answers must have the
/// bytes asked for.
pub trait KeyCache {
    /// The key with these bytes, if it is at hand.
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey>;
}

/// No cache.
impl KeyCache for () {
    fn key(&self, _: &[u8; 32]) -> Option<PublicKey> {
        None
    }
}

/// A claim that is well made. The equations of its signatures are still to be checked.
pub(super) struct Examined {
    pub said: Said,
    pub sealed: Sealed,
}

/// What the payload of a claim says.
pub(super) struct Said {
    pub statement: Statement,
    pub body: Body,
}

/// What the signatures of a claim are over, and whose they are said to be.
pub(super) struct Sealed {
    pub pae: Vec<u8>,
    pub signatures: Vec<Signed>,
}

/// A signature in its one spelling, its key, and the issuer that it is said to be for.
pub(super) struct Signed {
    pub issuer: IssuerId,
    pub key: PublicKey,
    pub signature: Signature,
}

impl Examined {
    /// The content of the claim. Whoever calls says with its type how the signatures were checked.
    pub fn into_content(self, claim: &wire::Claim) -> Content {
        Content {
            id: self.sealed.id(),
            signers: self.sealed.into_signers(),
            statement: self.said.statement,
            body: self.said.body,
            claim: claim.clone(),
        }
    }
}

impl Sealed {
    pub fn id(&self) -> ClaimId {
        ClaimId::of_pae(&self.pae)
    }

    /// The signers, each once, in the order of the first signature of each.
    pub fn into_signers(self) -> Vec<(IssuerId, PublicKey)> {
        let mut signers = Vec::with_capacity(self.signatures.len());
        for Signed { issuer, key, .. } in self.signatures {
            if !signers.contains(&(issuer, key)) {
                signers.push((issuer, key));
            }
        }
        signers
    }
}

/// Checks everything about a claim but the equations of its signatures.
pub(super) fn examine(claim: &wire::Claim, cache: &impl KeyCache) -> Result<Examined, ClaimError> {
    check_bounds(claim)?;
    let said = read(claim)?;
    let sealed = seal(claim, cache)?;
    Ok(Examined { said, sealed })
}

/// The bounds of a claim, and that its payload is of the one type.
pub(super) fn check_bounds(claim: &wire::Claim) -> Result<(), ClaimError> {
    if claim.payload.len() > limits::PAYLOAD_BYTES {
        return Err(ClaimError::PayloadTooLong(claim.payload.len()));
    }
    if claim.payload_type != PAYLOAD_TYPE {
        return Err(ClaimError::PayloadType(
            claim.payload_type.chars().take(100).collect(),
        ));
    }
    if claim.signatures.is_empty() || claim.signatures.len() > limits::SIGNATURES {
        return Err(ClaimError::Signatures(claim.signatures.len()));
    }
    Ok(())
}

/// Reads what a claim says: a strict statement, whose predicate is what its type asks for.
pub(super) fn read(claim: &wire::Claim) -> Result<Said, ClaimError> {
    let statement = Statement::parse(&claim.payload).map_err(ClaimError::Statement)?;
    let body = Body::of(&statement).map_err(|error| ClaimError::Predicate {
        uri: statement.predicate_type().to_owned(),
        error,
    })?;
    Ok(Said { statement, body })
}

/// Reads the signatures of a claim, of 64, 32 and 32 bytes, each in its one spelling.
pub(super) fn seal(claim: &wire::Claim, cache: &impl KeyCache) -> Result<Sealed, ClaimError> {
    let pae = dsse::pae(PAYLOAD_TYPE, &claim.payload);
    let mut signatures = Vec::with_capacity(claim.signatures.len());
    for (i, signature) in claim.signatures.iter().enumerate() {
        let read = read_signature(signature, cache);
        signatures.push(read.map_err(|fault| ClaimError::Signature {
            number: i + 1,
            fault,
        })?);
    }
    Ok(Sealed { pae, signatures })
}

fn read_signature(
    signed: &wire::ClaimSignature,
    cache: &impl KeyCache,
) -> Result<Signed, SignatureFault> {
    let issuer = IssuerId::from_slice(&signed.issuer_id).ok_or(SignatureFault::IssuerLength)?;
    let known = <&[u8; 32]>::try_from(&signed.public_key[..])
        .ok()
        .and_then(|bytes| cache.key(bytes));
    let known = known.filter(|key| key.as_bytes()[..] == signed.public_key[..]);
    let key = known
        .map_or_else(|| PublicKey::parse(&signed.public_key), Ok)
        .map_err(SignatureFault::Key)?;
    let bytes: &[u8; 64] = signed.signature[..]
        .try_into()
        .map_err(|_| SignatureFault::Length)?;
    if !scalar_is_reduced(bytes) {
        return Err(SignatureFault::NotCanonical);
    }
    Ok(Signed {
        issuer,
        key,
        signature: Signature::from_bytes(bytes),
    })
}

/// Whether the second half of a signature is below the group's order L. `verify_strict` demands it
/// too; it is asked here only to tell a second spelling from a wrong signature.
pub(super) fn scalar_is_reduced(signature: &[u8; 64]) -> bool {
    const ORDER: [u8; 32] = [
        0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7,
        0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
    ];
    signature[32..].iter().rev().lt(ORDER.iter())
}
