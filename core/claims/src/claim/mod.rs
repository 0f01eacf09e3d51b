//! Claims: an in-toto statement and the signatures over it (DESIGN 3.2 and 3.3).
//!
//! Scope: whether a claim is well made and its signatures are good. Whether those who signed may
//! speak for the issuers that they name is [`crate::issuer`]'s; whether the claim is logged,
//! [`crate::receipt`]'s.

mod batch;
mod key;

pub use crate::entry::wire;
pub use batch::{Coefficients, hold_together, verify_for_replay};
pub use ed25519_dalek::SigningKey;
pub use key::{KeyFault, PublicKey};

use crate::issuer::IssuerId;
use crate::kind::{Body, PredicateError};
use crate::statement::{Statement, StatementError};
use crate::{dsse, limits};
use assay_tlog::Hash;
use ed25519_dalek::{Signature, Signer};
use std::fmt;

/// The DSSE payload type of a claim.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Names a claim: `SHA-256(PAE(payload_type, payload))`. It does not depend on the signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(Hash);

impl ClaimId {
    /// The id of a claim with this payload.
    pub fn of_payload(payload: &[u8]) -> Self {
        Self::of_pae(&dsse::pae(PAYLOAD_TYPE, payload))
    }

    fn of_pae(pae: &[u8]) -> Self {
        ClaimId(Hash::of(pae))
    }

    /// Takes the hash as it is.
    pub const fn new(hash: Hash) -> Self {
        ClaimId(hash)
    }

    /// The id in 64 lower-case hex digits, or `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        Hash::from_hex(text).map(ClaimId)
    }

    /// The id in 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Hash::from_slice(bytes).map(ClaimId)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Hash::LEN] {
        self.0.as_bytes()
    }

    /// Lower-case hex, 64 digits.
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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

/// Why a claim is refused. All of it is the fault of whoever made the claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The payload has more than [`limits::PAYLOAD_BYTES`].
    #[error(
        "the payload has {0} bytes; at most {max} are taken. Store the document as an attachment \
         and name it by its SHA-256 in the predicate",
        max = limits::PAYLOAD_BYTES
    )]
    PayloadTooLong(usize),
    /// The payload is of another type than [`PAYLOAD_TYPE`].
    #[error("the payload type is {0:?}; only {PAYLOAD_TYPE:?} is taken")]
    PayloadType(String),
    /// No signature, or more than [`limits::SIGNATURES`].
    #[error("the claim has {0} signatures; it must have from 1 to {max}", max = limits::SIGNATURES)]
    Signatures(usize),
    /// The payload is no statement.
    #[error("the statement is refused: {0}")]
    Statement(StatementError),
    /// The predicate is not what its type says.
    #[error("the predicate is no {uri}: {error}")]
    Predicate {
        /// The predicate's type.
        uri: String,
        /// What is wrong with it.
        error: PredicateError,
    },
    /// One of the signatures is no good.
    #[error("signature {number}: {fault}")]
    Signature {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        fault: SignatureFault,
    },
}

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// Its public key is malformed or weak.
    #[error("{0}")]
    Key(KeyFault),
    /// Its issuer id does not have 32 bytes.
    #[error("the issuer id does not have 32 bytes")]
    IssuerLength,
    /// It does not have 64 bytes.
    #[error("the signature does not have 64 bytes")]
    Length,
    /// Its scalar is not reduced: a second spelling of another signature (RFC 8032, section 5.1.7,
    /// step 1).
    #[error("the signature is not in canonical form")]
    NotCanonical,
    /// It does not fit the payload and the key.
    #[error("the signature does not fit this payload and this key")]
    Wrong,
}

/// A claim that is well made, every signature of which is good. Only [`verify`] makes one, and, for
/// whoever replays a whole log, [`verify_for_replay`].
#[derive(Debug, Clone)]
pub struct VerifiedClaim {
    id: ClaimId,
    statement: Statement,
    body: Body,
    claim: wire::Claim,
    signers: Vec<(IssuerId, PublicKey)>,
    strictly: bool,
}

impl VerifiedClaim {
    /// The claim's id.
    pub fn id(&self) -> ClaimId {
        self.id
    }

    /// Whether each signature was verified strictly and by itself, and not together with others in
    /// a replay. Only such a claim may be admitted or relied on (DESIGN 3.1).
    pub fn is_strict(&self) -> bool {
        self.strictly
    }

    /// What is claimed.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What the statement's predicate says, read once.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The claim, as it was given.
    pub fn claim(&self) -> &wire::Claim {
        &self.claim
    }

    /// Gives the claim back, as it was given.
    pub fn into_claim(self) -> wire::Claim {
        self.claim
    }

    /// Who signed, and for which issuer: distinct, in the order of the first signature of each. At
    /// least one. That a key is the issuer's is not verified: see
    /// [`issuer::authorize`](crate::issuer::authorize).
    pub fn signers(&self) -> &[(IssuerId, PublicKey)] {
        &self.signers
    }

    /// Names the set of signers, whatever the order: SHA-256 of `issuer id ‖ key`, 64 bytes each,
    /// sorted. Two claims with the same id and the same signer set are the same publication.
    pub fn signer_set(&self) -> Hash {
        let mut pairs: Vec<[u8; 64]> = self.signers.iter().map(pair).collect();
        pairs.sort_unstable();
        Hash::of(pairs.as_flattened())
    }
}

fn pair((issuer, key): &(IssuerId, PublicKey)) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(issuer.as_bytes());
    bytes[32..].copy_from_slice(key.as_bytes());
    bytes
}

/// Verifies a claim by itself.
///
/// It guarantees the limits, the payload type, a strict statement whose predicate is what its type
/// says, and that every signature verifies strictly (`verify_strict`, DESIGN 3.1) under a strong
/// key. The same key for the same issuer counts once. Costs one signature check for each signature,
/// but for those of a key that was seen already.
pub fn verify(claim: &wire::Claim, cache: &impl KeyCache) -> Result<VerifiedClaim, ClaimError> {
    let Examined {
        statement,
        body,
        pae,
        signatures,
    } = examine(claim, cache)?;
    let mut signers = Vec::with_capacity(signatures.len());
    for (
        i,
        Signed {
            issuer,
            key,
            signature,
        },
    ) in signatures.into_iter().enumerate()
    {
        let verified = key.verifying_key().verify_strict(&pae, &signature);
        verified.map_err(|_| ClaimError::Signature {
            number: i + 1,
            fault: SignatureFault::Wrong,
        })?;
        push_signer(&mut signers, (issuer, key));
    }
    Ok(VerifiedClaim {
        id: ClaimId::of_pae(&pae),
        statement,
        body,
        claim: claim.clone(),
        signers,
        strictly: true,
    })
}

fn push_signer(signers: &mut Vec<(IssuerId, PublicKey)>, signer: (IssuerId, PublicKey)) {
    if !signers.contains(&signer) {
        signers.push(signer);
    }
}

/// A claim of which everything holds but its signatures' equations, which are still to be checked.
struct Examined {
    statement: Statement,
    body: Body,
    pae: Vec<u8>,
    signatures: Vec<Signed>,
}

/// A signature in its one spelling, and whose it says that it is.
struct Signed {
    issuer: IssuerId,
    key: PublicKey,
    signature: Signature,
}

fn examine(claim: &wire::Claim, cache: &impl KeyCache) -> Result<Examined, ClaimError> {
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
    let statement = Statement::parse(&claim.payload).map_err(ClaimError::Statement)?;
    let body = Body::of(&statement).map_err(|error| ClaimError::Predicate {
        uri: statement.predicate_type().to_owned(),
        error,
    })?;
    let pae = dsse::pae(PAYLOAD_TYPE, &claim.payload);

    let signatures = claim
        .signatures
        .iter()
        .enumerate()
        .map(|(i, signature)| {
            read_signature(signature, cache).map_err(|fault| ClaimError::Signature {
                number: i + 1,
                fault,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Examined {
        statement,
        body,
        pae,
        signatures,
    })
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

/// Whether the second half of a signature is below the group's order L, as `verify_strict` also
/// demands: asked here only to tell a second spelling from a wrong signature.
fn scalar_is_reduced(signature: &[u8; 64]) -> bool {
    const ORDER: [u8; 32] = [
        0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7,
        0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
    ];
    signature[32..].iter().rev().lt(ORDER.iter())
}

/// Signs a payload. The claim is not checked: [`verify`] it before it is sent anywhere.
pub fn sign(payload: &[u8], signers: &[(IssuerId, &SigningKey)]) -> wire::Claim {
    let pae = dsse::pae(PAYLOAD_TYPE, payload);
    let signatures = signers.iter().map(|(issuer, key)| wire::ClaimSignature {
        signature: key.sign(&pae).to_bytes().to_vec().into(),
        public_key: key.verifying_key().to_bytes().to_vec().into(),
        issuer_id: issuer.as_bytes().to_vec().into(),
    });
    wire::Claim {
        payload: payload.to_vec().into(),
        payload_type: PAYLOAD_TYPE.into(),
        signatures: signatures.collect(),
    }
}

#[cfg(test)]
mod tests;
