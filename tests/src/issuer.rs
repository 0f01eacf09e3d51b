//! Issuers for tests: their keys, their registrations, and claims that they sign.

use anyhow::Context;
use assay_claims::claim::{self, ClaimId, PublicKey};
use assay_claims::entry::wire;
use assay_claims::index::{Kind, Name};
use assay_claims::issuer::{IssuerId, genesis_id, statement};
use assay_claims::kind::issuer::{Issuer, Rotation};
use ed25519_dalek::SigningKey;
use std::ops::Range;

/// What a registration says.
pub fn record(name: &str, threshold: u32, keys: &[&SigningKey]) -> Issuer {
    Issuer {
        name: name.to_owned(),
        contacts: vec!["mailto:security@assay.example".to_owned()],
        keys: keys.iter().map(|key| PublicKey::from(*key)).collect(),
        threshold,
        rotation: None,
        sequence: 0,
        previous: None,
        namespaces: Vec::new(),
        roles: Vec::new(),
    }
}

/// A registration, signed by all of its keys.
pub fn registration(
    name: &str,
    threshold: u32,
    keys: &[&SigningKey],
) -> anyhow::Result<wire::Claim> {
    let record = record(name, threshold, keys);
    signed(&genesis_id(&record), &record, keys)
}

/// A record of an issuer, signed by some keys.
pub fn signed(id: &IssuerId, record: &Issuer, keys: &[&SigningKey]) -> anyhow::Result<wire::Claim> {
    let statement = statement(id, record).context("the record makes no statement")?;
    let signers: Vec<_> = keys.iter().map(|key| (*id, *key)).collect();
    Ok(claim::sign(statement.to_json().as_bytes(), &signers))
}

/// The signing key with a number, the same at every run.
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// An issuer with its keys.
pub struct Actor {
    /// Its id, for as long as it lives.
    pub id: IssuerId,
    /// Its keys in force.
    pub keys: Vec<SigningKey>,
    /// Its record in force.
    pub record: Issuer,
}

impl Actor {
    /// An issuer whose keys have these numbers, `threshold` of which must sign.
    pub fn new(keys: &[u8], threshold: u32) -> Self {
        let keys: Vec<_> = keys.iter().map(|number| key(*number)).collect();
        let record = record("test issuer", threshold, &keys.iter().collect::<Vec<_>>());
        Actor {
            id: genesis_id(&record),
            keys,
            record,
        }
    }

    /// The issuer with the same keys and these rotation keys from its first record on.
    pub fn with_rotation(self, keys: &[u8], threshold: u32) -> Self {
        let keys: Vec<_> = keys.iter().map(|number| key(*number)).collect();
        let keys = keys.iter().map(PublicKey::from).collect();
        let record = Issuer {
            rotation: Some(Rotation { keys, threshold }),
            ..self.record
        };
        Actor {
            id: genesis_id(&record),
            record,
            ..self
        }
    }

    /// Its registration, signed by all of its keys.
    pub fn registration(&self) -> anyhow::Result<wire::Claim> {
        signed(
            &self.id,
            &self.record,
            &self.keys.iter().collect::<Vec<_>>(),
        )
    }

    /// The record that follows the one in force, with other keys. It is in force once it is logged.
    pub fn next(&self, keys: &[u8], threshold: u32) -> anyhow::Result<Actor> {
        let previous =
            statement(&self.id, &self.record).context("the record makes no statement")?;
        let keys: Vec<_> = keys.iter().map(|number| key(*number)).collect();
        let record = Issuer {
            keys: keys.iter().map(PublicKey::from).collect(),
            threshold,
            sequence: self.record.sequence + 1,
            previous: Some(ClaimId::of_payload(previous.to_json().as_bytes())),
            ..self.record.clone()
        };
        Ok(Actor {
            id: self.id,
            keys,
            record,
        })
    }

    /// A claim with this payload, signed by all of its keys.
    pub fn sign(&self, payload: &[u8]) -> wire::Claim {
        self.sign_by(payload, &self.keys.iter().collect::<Vec<_>>())
    }

    /// A claim with this payload, signed in its name by some keys.
    pub fn sign_by(&self, payload: &[u8], keys: &[&SigningKey]) -> wire::Claim {
        let signers: Vec<_> = keys.iter().map(|key| (self.id, *key)).collect();
        claim::sign(payload, &signers)
    }

    /// The claim with a number, signed by all of its keys.
    pub fn claim(&self, number: u64) -> wire::Claim {
        self.sign(&payload(number))
    }
}

/// The name of the artifact that the claim with a number is about.
pub fn artifact(number: u64) -> Name {
    Name::new(Kind::Digest, &format!("sha256:{number:064x}"))
}

/// A statement with a number: test results of an artifact.
pub fn payload(number: u64) -> Vec<u8> {
    payload_about(number..number + 1)
}

/// The same of the artifacts with these numbers.
pub fn payload_about(numbers: Range<u64>) -> Vec<u8> {
    let subjects = numbers.map(|number| {
        format!(r#"{{"name":"artifact-{number}","digest":{{"sha256":"{number:064x}"}}}}"#)
    });
    let subjects: Vec<String> = subjects.collect();
    format!(
        concat!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"#,
            r#""predicateType":"https://in-toto.io/attestation/test-result/v0.1","#,
            r#""predicate":{{"result":"PASSED","configuration":[]}}}}"#
        ),
        subjects.join(",")
    )
    .into_bytes()
}
