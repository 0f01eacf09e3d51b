//! The key `vkey` of tables about keys that somebody else holds.

use assay_tlog::note::VerifierKey;
use serde::Deserialize;

/// Reads the verifier key of a key that somebody else holds. Whether it is one that this part signs
/// with is seen when its table is known.
pub(super) fn read_vkey<'de, D: serde::Deserializer<'de>>(
    value: D,
) -> Result<VerifierKey, D::Error> {
    let text = String::deserialize(value)?;
    let key = VerifierKey::parse(&text);
    key.map_err(|e| serde::de::Error::custom(format!("vkey: {e}")))
}
