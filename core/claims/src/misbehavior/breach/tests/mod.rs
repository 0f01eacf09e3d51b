//! Breaches of logs that are made for it, and of honest ones, which have none.

mod broken;
mod honest;
mod index;
mod log;
mod texts;
mod versions;

use super::*;
use crate::claim::{self, SigningKey, wire};
use crate::index::{Label, MAPPING_VERSION, labels_of_entry};
use crate::issuer::{self, IssuerId, genesis_id};
use crate::json::Value;
use crate::kind::issuer as predicate;
use crate::misbehavior::{Culprit, MisbehaviorError};
use crate::purl::Purl;
use crate::statement::{Statement, Subject};
use assay_tlog::tree::LeafIndex;
use log::{AUDITOR, KEYS, Log, ORIGIN, verify};

fn at(index: u64) -> LeafIndex {
    LeafIndex::new(index)
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The issuer that this key alone makes.
fn issuer(seed: u8) -> IssuerId {
    IssuerId::derive(1, &[key(seed).verifying_key().to_bytes()])
}

/// A statement about a package, by number.
fn about(package: u8) -> Statement {
    let purl = Purl::parse_canonical(&format!("pkg:cargo/p{package}")).unwrap();
    let predicate = Value::Object(vec![("n".into(), Value::String(package.to_string()))]);
    Statement::new(vec![Subject::package(purl)], "urn:example:note", predicate).unwrap()
}

fn signed(statement: &Statement, signers: &[(IssuerId, u8)]) -> wire::Claim {
    let keys: Vec<SigningKey> = signers.iter().map(|(_, seed)| key(*seed)).collect();
    let signers: Vec<_> = signers
        .iter()
        .zip(&keys)
        .map(|((issuer, _), key)| (*issuer, key))
        .collect();
    claim::sign(statement.to_json().as_bytes(), &signers)
}

/// A claim about a package, by keys that are issuers of their own.
fn note(package: u8, seeds: &[u8]) -> wire::Claim {
    let signers: Vec<_> = seeds.iter().map(|seed| (issuer(*seed), *seed)).collect();
    signed(&about(package), &signers)
}

/// A record with these keys, of which one must sign.
fn body(seeds: &[u8]) -> predicate::Issuer {
    predicate::Issuer {
        name: "Example".into(),
        contacts: vec![],
        keys: seeds.iter().map(|seed| (&key(*seed)).into()).collect(),
        threshold: 1,
        rotation: None,
        sequence: 0,
        previous: None,
        namespaces: vec![],
        roles: vec![],
    }
}

/// The record of an issuer, signed by these keys.
fn record(id: IssuerId, body: &predicate::Issuer, seeds: &[u8]) -> wire::Claim {
    let signers: Vec<_> = seeds.iter().map(|seed| (id, *seed)).collect();
    signed(&issuer::statement(&id, body).unwrap(), &signers)
}

/// The record after this one, with these keys.
fn next(previous: &wire::Claim, seeds: &[u8]) -> predicate::Issuer {
    predicate::Issuer {
        sequence: 1,
        previous: Some(claim::ClaimId::of_payload(&previous.payload)),
        ..body(seeds)
    }
}

/// The first label of an entry.
fn label_of(log: &Log, leaf: u64) -> Label {
    labels_of_entry(&log.entry(leaf))[0]
}

/// Checks that there is nothing to show.
fn nothing(built: Built<Log, Log>) {
    match built {
        Err(BuildError::Breach(_)) => {}
        other => panic!("{other:?}"),
    }
}

/// Checks that this is shown, to whoever has the keys, and by [`Accuser::at_leaf`], too.
fn shown(log: &Log, built: Built<Log, Log>, broken: &Broken) -> VerifiedBreach {
    let found = built.unwrap();
    assert_eq!(found.broken(), broken);
    assert_eq!(found.culprit(), &Culprit::Log(ORIGIN.into()));
    assert_eq!((found.origin(), found.size()), (ORIGIN, log.size()));
    assert_eq!(verify(found.text()), Ok(found.clone()));
    found
}

/// Checks that the leaf at which an audit stops is enough to find this.
fn found(log: &Log, broken: &Broken) -> VerifiedBreach {
    let head = log.head();
    let accuser = Accuser::of_log(&head, log, log);
    let found = accuser.at_leaf(broken.leaf()).unwrap().expect("a breach");
    shown(log, Ok(found), broken)
}
