//! Which keys an issuer declared compromised, and whether those that are left are enough to sign
//! with.

use assay_claims::claim::PublicKey;
use assay_claims::issuer::{IssuerId, IssuerRecord};
use assay_claims::kind::key_compromise::{self, KeyCompromise};
use assay_policy::trust::{JudgedClaim, Trust};
use serde::Serialize;
use std::collections::BTreeMap;

/// What became of an issuer's keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Keys {
    /// Declared compromised, with effect: by log and leaf.
    pub compromised: Vec<Compromised>,
    /// Logs in which too few of the keys in force are left: nothing that the issuer signs there
    /// counts.
    pub powerless: Vec<Powerless>,
}

/// A key that is declared compromised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compromised {
    /// The key, hex.
    pub key: String,
    /// First leaf at which it is not trusted.
    pub from_leaf: u64,
    /// Whether it is a key of the record in force.
    pub in_force: bool,
    /// The log that this is of.
    pub log: String,
    /// The claim that says so.
    pub claim_id: String,
    /// Its place.
    pub leaf_index: u64,
}

/// A log in which an issuer cannot sign any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Powerless {
    /// The log.
    pub log: String,
    /// First leaf at which nothing counts that it signs.
    pub from_leaf: u64,
    /// How many keys its record in force has.
    pub keys: usize,
}

impl Keys {
    /// Sums up what the claims say of an issuer's keys; they must be all that stand under the
    /// issuer's id.
    pub fn of(id: &IssuerId, trust: &Trust<'_>) -> Self {
        let good = || {
            trust
                .claims()
                .iter()
                .filter(|judged| judged.is_good_for(id))
        };
        let mut records: BTreeMap<&str, (u64, IssuerRecord)> = BTreeMap::new();
        for judged in good() {
            let logged = judged.logged();
            if let Ok(Some(record)) = IssuerRecord::from_claim(logged.claim())
                && record.id == *id
            {
                records.insert(logged.origin(), (logged.leaf().get(), record));
            }
        }
        let declared = good().filter_map(|judged| Some((judged, declaration(judged, id)?)));
        let compromised = declared.map(|(judged, said)| {
            let logged = judged.logged();
            let record = records.get(logged.origin());
            Compromised {
                key: said.key.to_hex(),
                from_leaf: said.from_index,
                in_force: record.is_some_and(|(_, record)| record.body.keys.contains(&said.key)),
                log: logged.origin().to_owned(),
                claim_id: logged.claim().id().to_string(),
                leaf_index: logged.leaf().get(),
            }
        });
        let compromised: Vec<Compromised> = compromised.collect();
        let powerless = records.iter().filter_map(|(log, (leaf, record))| {
            let from = powerless_from(record, |key| first_declared(&compromised, log, key))?;
            // What was signed under an earlier record is judged by that one.
            Some(Powerless {
                log: (*log).to_owned(),
                from_leaf: from.max(*leaf),
                keys: record.body.keys.len(),
            })
        });
        Keys {
            powerless: powerless.collect(),
            compromised,
        }
    }
}

fn declaration(judged: &JudgedClaim<'_>, id: &IssuerId) -> Option<KeyCompromise> {
    let statement = judged.logged().claim().statement();
    let said = (statement.predicate_type() == key_compromise::URI)
        .then(|| KeyCompromise::parse(statement.predicate()));
    said?.ok().filter(|said| said.issuer == *id)
}

/// The first leaf at which a key is not trusted.
fn first_declared(compromised: &[Compromised], log: &str, key: &PublicKey) -> Option<u64> {
    let key = key.to_hex();
    compromised
        .iter()
        .filter(|one| one.log == log && one.key == key)
        .map(|one| one.from_leaf)
        .min()
}

/// The leaf from which on fewer keys are sound than must sign; `None` if there always are enough.
fn powerless_from(
    record: &IssuerRecord,
    declared: impl Fn(&PublicKey) -> Option<u64>,
) -> Option<u64> {
    let mut lost: Vec<u64> = record.body.keys.iter().filter_map(declared).collect();
    lost.sort_unstable();
    let threshold = usize::try_from(record.body.threshold).unwrap_or(usize::MAX);
    // With this many lost, as many are left as must sign.
    let spare = record.body.keys.len().saturating_sub(threshold);
    lost.get(spare).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::{ClaimId, SigningKey};
    use assay_claims::kind::issuer::Issuer;

    fn record(keys: &[u8], threshold: u32) -> IssuerRecord {
        let keys: Vec<PublicKey> = keys
            .iter()
            .map(|n| PublicKey::from(&SigningKey::from_bytes(&[*n; 32])))
            .collect();
        let body = Issuer {
            name: "x".into(),
            contacts: vec![],
            keys,
            threshold,
            sequence: 0,
            previous: None,
            namespaces: vec![],
            roles: vec![],
        };
        let id = IssuerId::derive(1, &[[0; 32]]);
        IssuerRecord {
            id,
            claim_id: ClaimId::from_hex(&"ab".repeat(32)).unwrap(),
            body,
        }
    }

    #[test]
    fn an_issuer_is_powerless_once_fewer_keys_are_sound_than_must_sign() {
        let from = |keys: &[u8], threshold, lost: &[(u8, u64)]| {
            let lost: Vec<(PublicKey, u64)> = lost
                .iter()
                .map(|(n, leaf)| (PublicKey::from(&SigningKey::from_bytes(&[*n; 32])), *leaf))
                .collect();
            powerless_from(&record(keys, threshold), |key| {
                lost.iter()
                    .find(|(lost, _)| lost == key)
                    .map(|(_, leaf)| *leaf)
            })
        };
        assert_eq!(from(&[1], 1, &[]), None);
        assert_eq!(
            from(&[1], 1, &[(2, 3)]),
            None,
            "a key that it no longer uses"
        );
        assert_eq!(from(&[1], 1, &[(1, 3)]), Some(3));
        assert_eq!(from(&[1, 2, 3], 2, &[(1, 3)]), None);
        assert_eq!(from(&[1, 2, 3], 2, &[(1, 9), (3, 4)]), Some(9));
        assert_eq!(from(&[1, 2, 3], 1, &[(1, 9), (3, 4)]), None);
    }
}
