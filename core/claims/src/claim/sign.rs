//! Signing a claim.

use super::id::PAYLOAD_TYPE;
use crate::dsse;
use crate::entry::wire;
use crate::issuer::IssuerId;
use ed25519_dalek::{Signer, SigningKey};

/// Returns the claim with this payload, signed by each key for its issuer. The claim is not
/// checked: [`verify`](super::verify) it before it is sent anywhere.
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
