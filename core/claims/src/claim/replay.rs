//! Verifying the claims of a log's replay: many signatures by one equation.
//!
//! A batch and a strict check disagree about signatures that somebody crafted for it: a batch lets
//! pass what differs by a point of small order (docs/design.md 3.1). So it serves only a replay of
//! a whole log, which asks whether the log admitted what it should not have. Its result has a type
//! of its own, and nothing makes a
//! [`VerifiedClaim`](super::VerifiedClaim) of it.

use super::content::Content;
use super::error::{ClaimError, SignatureFault};
use super::examine::{Examined, KeyCache, Sealed, check_bounds, read, seal};
use super::id::{ClaimId, SignatureId};
use super::key::PublicKey;
use super::verify::check_strictly;
use crate::entry::wire;
use crate::issuer::IssuerId;
use crate::kind::Body;
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

/// A claim whose signatures passed together with others in the replay of a log. Only
/// [`verify_for_replay`] makes one.
///
/// It may be counted and indexed. It must not be admitted or relied on: for that,
/// [`verify`](super::verify) the claim.
#[derive(Debug, Clone)]
pub struct ReplayedClaim(Replayed);

#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every claim of a log is read, and is not moved about"
)]
enum Replayed {
    Read(Content),
    Unread {
        id: ClaimId,
        signers: Vec<(IssuerId, PublicKey)>,
        why: ClaimError,
    },
}

impl ReplayedClaim {
    /// See [`Content::id`].
    pub fn id(&self) -> ClaimId {
        match &self.0 {
            Replayed::Read(content) => content.id(),
            Replayed::Unread { id, .. } => *id,
        }
    }

    /// See [`Content::signers`].
    pub fn signers(&self) -> &[(IssuerId, PublicKey)] {
        match &self.0 {
            Replayed::Read(content) => content.signers(),
            Replayed::Unread { signers, .. } => signers,
        }
    }

    /// See [`Content::signature_ids`].
    pub fn signature_ids(&self) -> impl Iterator<Item = SignatureId> {
        let (id, signers) = (self.id(), self.signers());
        signers
            .iter()
            .map(move |signer| SignatureId::new(id, signer))
    }

    /// What it says and who signed.
    ///
    /// # Errors
    ///
    /// Why it has no effect for this reader: its payload is no statement, its predicate is not what
    /// its type asks for here, or it is a record or a key compromise whose signatures fail the
    /// strict check. That is nobody's fault (docs/design.md 3.5): the checks of predicates change,
    /// and a log that took a claim before must not be called broken for it.
    pub fn content(&self) -> Result<&Content, &ClaimError> {
        match &self.0 {
            Replayed::Read(content) => Ok(content),
            Replayed::Unread { why, .. } => Err(why),
        }
    }
}

/// Checks claims for a replay: bounds, the spelling of the signatures, and their equations
/// together, in cofactored form; if they do not hold together, those of each claim by themselves,
/// in the same form.
///
/// It returns a result for each claim, in order. What a claim says is read too, and may have no
/// effect ([`ReplayedClaim::content`]). Of a signer with several signatures the key is multiplied
/// once, so that a batch of many claims by few issuers costs about a quarter of checking each.
///
/// # Errors
///
/// What no log may take, whoever reads it.
pub fn verify_for_replay(
    claims: &[&wire::Claim],
    cache: &impl KeyCache,
    coefficients: Coefficients<'_>,
) -> Vec<Result<ReplayedClaim, ClaimError>> {
    let sealed: Vec<Result<Sealed, ClaimError>> = claims
        .iter()
        .map(|claim| check_bounds(claim).and_then(|()| seal(claim, cache)))
        .collect();
    let together = hold_together(sealed.iter().flatten().flat_map(signed), coefficients);
    let mut replayed = Vec::with_capacity(claims.len());
    for (claim, sealed) in claims.iter().zip(sealed) {
        replayed.push(sealed.and_then(|sealed| {
            if !together {
                check_each(&sealed)?;
            }
            Ok(ReplayedClaim(reread(claim, sealed)))
        }));
    }
    replayed
}

fn signed(sealed: &Sealed) -> impl Iterator<Item = (&PublicKey, &Signature, &[u8])> {
    let pae = &sealed.pae[..];
    let signatures = sealed.signatures.iter();
    signatures.map(move |signed| (&signed.key, &signed.signature, pae))
}

/// Checks the signatures of a claim one by one, as [`hold_together`] does.
fn check_each(sealed: &Sealed) -> Result<(), ClaimError> {
    for (i, one) in signed(sealed).enumerate() {
        // Alone, a signature needs no coefficient that nobody can foresee.
        if !hold_together(std::iter::once(one), &mut |bytes| *bytes = [1; 16]) {
            return Err(ClaimError::Signature {
                number: i + 1,
                fault: SignatureFault::Wrong,
            });
        }
    }
    Ok(())
}

/// Reads what a claim says. What changes who may sign is checked strictly, as whoever relies on it
/// will: else the two would tell different keys in force.
fn reread(claim: &wire::Claim, sealed: Sealed) -> Replayed {
    let said = read(claim).and_then(|said| match said.body {
        Body::Issuer(_) | Body::KeyCompromise(_) => check_strictly(&sealed).map(|()| said),
        _ => Ok(said),
    });
    match said {
        Ok(said) => Replayed::Read(Examined { said, sealed }.into_content(claim)),
        Err(why) => Replayed::Unread {
            id: sealed.id(),
            signers: sealed.into_signers(),
            why,
        },
    }
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
            .or_insert_with(|| (Scalar::ZERO, key.to_edwards()));
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
    use crate::claim::{SigningKey, sign, verify};

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
                let replayed = replayed.content().unwrap();
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
        claims[5].payload_type = "text/plain".into();
        let verified = run(&claims);
        assert!(matches!(verified[3], Err(ClaimError::Signature { .. })));
        assert!(matches!(verified[5], Err(ClaimError::PayloadType(_))));
        assert_eq!(verified.iter().filter(|one| one.is_ok()).count(), 7);
    }

    fn signed(payload: &str) -> wire::Claim {
        let key = SigningKey::from_bytes(&[1; 32]);
        sign(
            payload.as_bytes(),
            &[(IssuerId::of_key(&PublicKey::from(&key)), &key)],
        )
    }

    #[test]
    fn what_this_reader_cannot_read_blames_nobody() {
        let statement = |kind: &str| {
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"x":"1"}}}}],"predicateType":"{kind}","predicate":{{}}}}"#
            )
        };
        let claims = [
            signed("no statement"),
            signed(&statement("urn:assay:issuer:v1")),
            signed(&statement("https://example.org/x")),
        ];
        let verified: Vec<_> = run(&claims).into_iter().map(Result::unwrap).collect();
        let why = |at: usize| verified[at].content().unwrap_err();
        assert!(matches!(why(0), ClaimError::Statement(_)));
        assert!(matches!(why(1), ClaimError::Predicate { .. }));
        assert!(verified[2].content().is_ok());
        for (claim, replayed) in claims.iter().zip(&verified) {
            assert_eq!(replayed.id(), ClaimId::of_payload(&claim.payload));
            assert_eq!(replayed.signers().len(), 1);
            assert_eq!(replayed.signature_ids().count(), 1);
        }
        // A wrong signature over it is wrong all the same.
        let mut wrong = signed("no statement");
        wrong.payload = b"another".to_vec().into();
        assert!(matches!(
            run(&[wrong])[0],
            Err(ClaimError::Signature { .. })
        ));
    }

    /// Adds a point of small order to R: it passes in cofactored form only.
    fn lenient(payload: &str) -> wire::Claim {
        use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
        let key = SigningKey::from_bytes(&[1; 32]);
        let mut claim = signed(payload);
        let nonce = Scalar::from(77_u8);
        let r = ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[1];
        let public = PublicKey::from(&key);
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(r.compress().as_bytes());
        let pae = crate::dsse::pae(crate::claim::PAYLOAD_TYPE, payload.as_bytes());
        let h = challenge(&Signature::from_bytes(&bytes), &public, &pae);
        bytes[32..].copy_from_slice((nonce + h * key.to_scalar()).as_bytes());
        claim.signatures[0].signature = bytes.to_vec().into();
        claim
    }

    #[test]
    fn what_fails_only_the_strict_check_blames_nobody_whatever_stands_beside_it() {
        let payload = String::from_utf8(claims(1)[0].payload.to_vec()).unwrap();
        let mut both = vec![lenient(&payload)];
        assert!(verify(&both[0], &()).is_err(), "not strict");
        assert!(
            run(&both)[0]
                .as_ref()
                .is_ok_and(|one| one.content().is_ok())
        );
        // Beside a wrong one each is checked by itself.
        both.push(signed(&payload));
        both[1].payload = b"{}".to_vec().into();
        let verified = run(&both);
        assert!(verified[0].is_ok() && verified[1].is_err());
        // A key compromise of that kind has no effect.
        let said = crate::kind::key_compromise::KeyCompromise {
            issuer: IssuerId::from_hex(&"ab".repeat(32)).unwrap(),
            key: PublicKey::from(&SigningKey::from_bytes(&[1; 32])),
            origin: "log.example".into(),
            from_index: 0,
            from_time: crate::time::Timestamp::parse("2026-11-22T18:41:48Z").unwrap(),
            reason: None,
        };
        let claim = lenient(&said.statement().unwrap().to_json());
        assert!(
            run(&[claim])[0]
                .as_ref()
                .is_ok_and(|one| one.content().is_err())
        );
    }
}
