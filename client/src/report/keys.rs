//! Which keys an issuer declared compromised, and whether those that are left are enough to sign
//! with.

use assay_claims::issuer::{IssuerId, IssuerRecord};
use assay_claims::kind::Body;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::logged::LoggedClaim;
use assay_policy::trust::Trust;
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
        let mut in_force: BTreeMap<&str, InForce> = BTreeMap::new();
        let mut declared: Vec<(&LoggedClaim, &KeyCompromise)> = Vec::new();
        let claims = trust.claims().iter();
        for judged in claims.filter(|judged| judged.is_good_for(id)) {
            let logged = judged.logged();
            match logged.claim().body() {
                Body::Issuer(_) => {
                    if let Ok(Some(record)) = IssuerRecord::from_claim(logged.claim())
                        && record.id == *id
                    {
                        let since = logged.leaf().get();
                        in_force.insert(logged.origin(), InForce { record, since });
                    }
                }
                Body::KeyCompromise(said) if said.issuer == *id => declared.push((logged, said)),
                _ => {}
            }
        }
        let mut compromised = Vec::with_capacity(declared.len());
        for (logged, said) in declared {
            let record = in_force.get(logged.origin());
            compromised.push(Compromised {
                key: said.key.to_hex(),
                from_leaf: said.from_index,
                in_force: record.is_some_and(|last| last.record.body.keys.contains(&said.key)),
                log: logged.origin().to_owned(),
                claim_id: logged.claim().id().to_string(),
                leaf_index: logged.leaf().get(),
            });
        }
        let mut powerless = Vec::new();
        for (log, last) in &in_force {
            let lost = last.lost(log, &compromised);
            if let Some(from_leaf) = last.powerless_from(lost) {
                powerless.push(Powerless {
                    log: (*log).to_owned(),
                    from_leaf,
                    keys: last.record.body.keys.len(),
                });
            }
        }
        Keys {
            compromised,
            powerless,
        }
    }
}

/// The record in force of an issuer in one log.
struct InForce {
    record: IssuerRecord,
    /// Its leaf.
    since: u64,
}

impl InForce {
    /// For each of its keys that is declared compromised, the first leaf at which that is not
    /// trusted.
    fn lost(&self, log: &str, compromised: &[Compromised]) -> Vec<u64> {
        let mut lost = Vec::new();
        for key in &self.record.body.keys {
            let hex = key.to_hex();
            let of_key = compromised
                .iter()
                .filter(|one| one.log == log && one.key == hex);
            lost.extend(of_key.map(|one| one.from_leaf).min());
        }
        lost
    }

    /// The leaf from which on fewer keys are sound than must sign, given the leaves from which on
    /// keys are lost; `None` if there always are enough. What was signed under an earlier record is
    /// judged by that one.
    fn powerless_from(&self, mut lost: Vec<u64>) -> Option<u64> {
        lost.sort_unstable();
        let body = &self.record.body;
        let threshold = usize::try_from(body.threshold).unwrap_or(usize::MAX);
        // With this many lost, as many are left as must sign.
        let spare = body.keys.len().saturating_sub(threshold);
        lost.get(spare).map(|from| (*from).max(self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::{ClaimId, PublicKey, SigningKey};
    use assay_claims::kind::issuer::Issuer;

    fn public(seed: u8) -> PublicKey {
        PublicKey::from(&SigningKey::from_bytes(&[seed; 32]))
    }

    fn in_force(keys: &[u8], threshold: u32) -> InForce {
        let keys = keys.iter().map(|seed| public(*seed)).collect();
        let body = Issuer {
            name: "x".into(),
            contacts: vec![],
            keys,
            threshold,
            rotation: None,
            sequence: 0,
            previous: None,
            namespaces: vec![],
            roles: vec![],
        };
        let id = IssuerId::derive(1, &[[0; 32]]);
        InForce {
            record: IssuerRecord {
                id,
                claim_id: ClaimId::from_hex(&"ab".repeat(32)).unwrap(),
                body,
            },
            since: 2,
        }
    }

    /// From when on an issuer is powerless that lost each key of `lost` at a leaf.
    fn powerless_from(keys: &[u8], threshold: u32, lost: &[(u8, u64)]) -> Option<u64> {
        let compromised: Vec<Compromised> = lost
            .iter()
            .map(|(seed, leaf)| Compromised {
                key: public(*seed).to_hex(),
                from_leaf: *leaf,
                in_force: true,
                log: "log".into(),
                claim_id: String::new(),
                leaf_index: 9,
            })
            .collect();
        let last = in_force(keys, threshold);
        last.powerless_from(last.lost("log", &compromised))
    }

    #[test]
    fn an_issuer_is_powerless_once_fewer_keys_are_sound_than_must_sign() {
        let of_another = powerless_from(&[1], 1, &[(2, 3)]);
        assert_eq!(of_another, None, "a key that it no longer uses");
        assert_eq!(powerless_from(&[1], 1, &[]), None);
        assert_eq!(powerless_from(&[1], 1, &[(1, 3)]), Some(3));
        assert_eq!(powerless_from(&[1], 1, &[(1, 1)]), Some(2), "not before");
        assert_eq!(powerless_from(&[1, 2, 3], 2, &[(1, 3)]), None);
        assert_eq!(powerless_from(&[1, 2, 3], 2, &[(1, 9), (3, 4)]), Some(9));
        assert_eq!(powerless_from(&[1, 2, 3], 1, &[(1, 9), (3, 4)]), None);
    }
}
