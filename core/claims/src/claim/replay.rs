//! Verifying the claims of a log's replay: many signatures by one equation.
//!
//! A batch and a strict check disagree about signatures that somebody crafted for it: a batch lets
//! pass what differs by a point of small order (docs/design.md 3.1). So it serves only a replay of
//! a whole log, which asks whether the log admitted what it should not have. Its result has a type
//! of its own, and nothing makes a [`VerifiedClaim`] of it.

use super::content::Content;
use super::error::ClaimError;
use super::examine::{KeyCache, examine};
use super::key::PublicKey;
use super::verify::{VerifiedClaim, verify};
use crate::entry::wire;
use curve25519_dalek::{
    edwards::{CompressedEdwardsY, EdwardsPoint},
    scalar::Scalar,
    traits::{IsIdentity, VartimeMultiscalarMul},
};
use ed25519_dalek::Signature;
use sha2::{Digest, Sha512};
use std::collections::HashMap;

/// Fills in random bytes, 16 for each signature, of a generator that nobody can foresee. Whoever
/// knew them could craft wrong signatures that pass together.
pub type Coefficients<'a> = &'a mut dyn FnMut(&mut [u8; 16]);

/// A claim that is well made and whose signatures passed together with others in the replay of a
/// log. Only [`verify_for_replay`] makes one.
///
/// It may be counted and indexed. It must not be admitted or relied on: for that,
/// [`verify`](super::verify) its [`Content::claim`].
#[derive(Debug, Clone)]
pub struct ReplayedClaim(Content);

impl ReplayedClaim {
    /// What it says and who signed.
    pub fn content(&self) -> &Content {
        &self.0
    }
}

impl AsRef<Content> for ReplayedClaim {
    fn as_ref(&self) -> &Content {
        &self.0
    }
}

/// A claim that was verified strictly passes in a replay too.
impl From<VerifiedClaim> for ReplayedClaim {
    fn from(claim: VerifiedClaim) -> Self {
        ReplayedClaim(claim.into_content())
    }
}

/// Checks claims as [`verify`](super::verify) does, but their signatures together, in cofactored
/// form; if they do not hold together, each by itself and strictly.
///
/// It returns a result for each claim, in order. Of a signer with several signatures the key is
/// multiplied once, so that a batch of many claims by few issuers costs about a quarter of checking
/// each.
pub fn verify_for_replay(
    claims: &[&wire::Claim],
    cache: &impl KeyCache,
    coefficients: Coefficients<'_>,
) -> Vec<Result<ReplayedClaim, ClaimError>> {
    let examined: Vec<_> = claims.iter().map(|claim| examine(claim, cache)).collect();
    let signed = examined.iter().flatten().flat_map(|one| {
        let pae = &one.pae[..];
        one.signatures
            .iter()
            .map(move |signed| (&signed.key, &signed.signature, pae))
    });
    let mut replayed = Vec::with_capacity(claims.len());
    if hold_together(signed, coefficients) {
        for (claim, examined) in claims.iter().zip(examined) {
            replayed.push(examined.map(|examined| ReplayedClaim(examined.into_content(claim))));
        }
    } else {
        for claim in claims {
            replayed.push(verify(claim, cache).map(ReplayedClaim::from));
        }
    }
    replayed
}

/// Whether signatures, each with its key and its message, hold together: `8 (Σ zᵢ Rᵢ + Σ (Σ zᵢ hᵢ)
/// A − (Σ zᵢ sᵢ) B) = 0`, with hᵢ as in RFC 8032, section 5.1.7, and the inner sum over the
/// signatures of each key. If not, one of them at least is wrong; it does not say which.
pub fn hold_together<'a>(
    signed: impl Iterator<Item = (&'a PublicKey, &'a Signature, &'a [u8])>,
    coefficients: Coefficients<'_>,
) -> bool {
    let mut scalars: Vec<Scalar> = Vec::new();
    let mut points: Vec<Option<EdwardsPoint>> = Vec::new();
    let mut keys: HashMap<[u8; 32], (Scalar, EdwardsPoint)> = HashMap::new();
    let mut base = Scalar::ZERO;
    for (key, signature, message) in signed {
        let mut random = [0; 16];
        coefficients(&mut random);
        let z = Scalar::from(u128::from_le_bytes(random));
        // The scalar was read as reduced before; anything else makes the batch fail, and then each
        // is checked.
        let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(*signature.s_bytes()))
        else {
            return false;
        };
        scalars.push(z);
        points.push(CompressedEdwardsY(*signature.r_bytes()).decompress());
        base += z * s;
        let known = keys
            .entry(*key.as_bytes())
            .or_insert_with(|| (Scalar::ZERO, key.verifying_key().to_edwards()));
        known.0 += z * challenge(signature, key, message);
    }
    scalars.push(-base);
    points.push(Some(curve25519_dalek::constants::ED25519_BASEPOINT_POINT));
    for (scalar, point) in keys.into_values() {
        scalars.push(scalar);
        points.push(Some(point));
    }
    EdwardsPoint::optional_multiscalar_mul(scalars, points)
        .is_some_and(|sum| sum.mul_by_cofactor().is_identity())
}

fn challenge(signature: &Signature, key: &PublicKey, message: &[u8]) -> Scalar {
    let mut hasher = Sha512::new();
    hasher.update(signature.r_bytes());
    hasher.update(key.as_bytes());
    hasher.update(message);
    Scalar::from_bytes_mod_order_wide(&hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{SignatureFault, SigningKey, sign};
    use crate::issuer::IssuerId;

    fn claims(count: u8) -> Vec<wire::Claim> {
        (0..count).map(|n: u8| {
            let key = SigningKey::from_bytes(&[n % 5; 32]);
            let issuer = IssuerId::derive(1, &[key.verifying_key().to_bytes()]);
            let payload = format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"x":"{n}"}}}}],"predicateType":"https://e.org/x","predicate":{{}}}}"#
            );
            sign(payload.as_bytes(), &[(issuer, &key)])
        }).collect()
    }

    fn run(claims: &[wire::Claim]) -> Vec<Result<ReplayedClaim, ClaimError>> {
        let mut state = 1_u64;
        let mut random = |bytes: &mut [u8; 16]| {
            for byte in bytes {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        };
        verify_for_replay(&claims.iter().collect::<Vec<_>>(), &(), &mut random)
    }

    #[test]
    fn good_claims_hold_together_and_say_what_strict_ones_do() {
        for count in [0, 1, 2, 40] {
            let claims = claims(count);
            let verified = run(&claims);
            assert_eq!(verified.len(), claims.len());
            for (claim, verified) in claims.iter().zip(verified) {
                let (replayed, strict) = (verified.unwrap(), verify(claim, &()).unwrap());
                let replayed = replayed.content();
                assert_eq!(
                    (replayed.id(), replayed.signers(), replayed.claim()),
                    (strict.id(), strict.signers(), claim)
                );
            }
        }
    }

    #[test]
    fn one_wrong_signature_among_many_is_found() {
        for at in [0, 7, 39] {
            for byte in [0, 31, 40] {
                let mut claims = claims(40);
                let mut signature = claims[at].signatures[0].signature.to_vec();
                signature[byte] ^= 4;
                claims[at].signatures[0].signature = signature.into();
                let verified = run(&claims);
                let wrong = ClaimError::Signature {
                    number: 1,
                    fault: SignatureFault::Wrong,
                };
                assert_eq!(verified[at].as_ref().err(), Some(&wrong), "{at} {byte}");
                assert_eq!(verified.iter().filter(|one| one.is_err()).count(), 1);
            }
        }
    }

    #[test]
    fn a_payload_of_another_claim_is_found_and_a_malformed_claim_beside_it() {
        let mut claims = claims(9);
        claims[3].payload = claims[4].payload.clone();
        claims[5].payload = b"{".to_vec().into();
        let verified = run(&claims);
        assert!(matches!(verified[3], Err(ClaimError::Signature { .. })));
        assert!(matches!(verified[5], Err(ClaimError::Statement(_))));
        assert_eq!(verified.iter().filter(|one| one.is_ok()).count(), 7);
    }
}
