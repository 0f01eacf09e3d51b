//! The key `vkey` of tables about keys that somebody else holds.

use assay_tlog::note::{Algorithm, VerifierKey};
use serde::Deserialize;

/// Reads the verifier key of a log whose key somebody else holds.
pub(super) fn read_vkey<'de, D: serde::Deserializer<'de>>(
    value: D,
) -> Result<VerifierKey, D::Error> {
    let text = String::deserialize(value)?;
    let key = VerifierKey::parse_log(&text);
    let key = key.map_err(|e| serde::de::Error::custom(format!("vkey: {e}")))?;
    if key.algorithm() == Algorithm::Ed25519 {
        return Ok(key);
    }
    Err(serde::de::Error::custom(
        "vkey is no Ed25519 key (type 0x01), which ssh-agents and tokens sign with",
    ))
}
