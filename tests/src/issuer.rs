//! Issuers for tests: their keys and their registrations.

use anyhow::Context;
use assay_core::{
    claim::{self, PublicKey},
    entry::wire,
    issuer::{IssuerId, genesis_id, statement},
    predicate::issuer::Issuer,
};
use ed25519_dalek::SigningKey;

/// What a registration says.
pub fn record(name: &str, threshold: u32, keys: &[&SigningKey]) -> Issuer {
    Issuer {
        name: name.to_owned(),
        contacts: vec!["mailto:security@assay.example".to_owned()],
        keys: keys.iter().map(|key| PublicKey::from(*key)).collect(),
        threshold,
        sequence: 0,
        previous: None,
        namespaces: Vec::new(),
        roles: Vec::new(),
    }
}

/// A registration, signed by all of its keys.
pub fn registration(name: &str, threshold: u32, keys: &[&SigningKey]) -> anyhow::Result<wire::Claim> {
    let record = record(name, threshold, keys);
    signed(&genesis_id(&record), &record, keys)
}

/// A record of an issuer, signed by some keys.
pub fn signed(id: &IssuerId, record: &Issuer, keys: &[&SigningKey]) -> anyhow::Result<wire::Claim> {
    let statement = statement(id, record).context("the record makes no statement")?;
    let signers: Vec<_> = keys.iter().map(|key| (*id, *key)).collect();
    Ok(claim::sign(statement.to_json().as_bytes(), &signers))
}
