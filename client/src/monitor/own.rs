//! Which claims use a name or a key of ours.

use super::alert::Kind;
use crate::{one_word, plain};
use assay_claims::claim::{PublicKey, VerifiedClaim};
use assay_claims::issuer::{IssuerId, IssuerRecord};
use assay_claims::kind::{self, Body};
use assay_claims::purl::{Pattern, Purl};
use std::collections::BTreeSet;

/// Whose names and keys are watched for.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Packages of ours.
    pub packages: Vec<Pattern>,
    /// Issuers of ours.
    pub issuers: BTreeSet<IssuerId>,
    /// Keys of ours. If there are none, no key that speaks for an issuer of ours is a stranger's.
    pub keys: Vec<PublicKey>,
}

/// A use of a name or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub kind: Kind,
    pub words: String,
}

impl Own {
    /// Whether there is nothing to watch for.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.issuers.is_empty() && self.keys.is_empty()
    }

    /// What a claim uses: of each kind once, what matters most first.
    pub(super) fn uses(&self, claim: &VerifiedClaim) -> Vec<Use> {
        let mut uses = Vec::new();
        uses.extend(self.key_used(claim));
        uses.extend(self.issuer_used(claim));
        uses.extend(self.record(claim));
        let is_ours = claim
            .signers()
            .iter()
            .any(|(id, _)| self.issuers.contains(id));
        if !is_ours {
            uses.extend(self.name_used(claim));
        }
        uses
    }

    /// A key of ours signs for another issuer, or stands in its record.
    fn key_used(&self, claim: &VerifiedClaim) -> Option<Use> {
        if self.issuers.is_empty() {
            return None;
        }
        let used = |words| Use {
            kind: Kind::KeyUsed,
            words,
        };
        let mut signers = claim.signers().iter();
        let signer = signers.find(|(id, key)| self.keys.contains(key) && !self.is_own(id, key));
        if let Some((id, key)) = signer {
            let words = format!("your key {key} signs for issuer {id}, which is not yours");
            return Some(used(words));
        }
        let record = IssuerRecord::from_claim(claim).ok()??;
        let mut keys = record.all_keys();
        let key = keys.find(|key| self.keys.contains(key) && !self.is_own(&record.id, key))?;
        let id = record.id;
        Some(used(format!(
            "your key {key} stands in the record of issuer {id}, which is not yours"
        )))
    }

    /// Whether a key may speak for this issuer: it is ours, or the one that the key alone makes.
    fn is_own(&self, id: &IssuerId, key: &PublicKey) -> bool {
        self.issuers.contains(id) || IssuerId::of_key(key) == *id
    }

    /// A key that is not ours signs for an issuer of ours.
    fn issuer_used(&self, claim: &VerifiedClaim) -> Option<Use> {
        if self.keys.is_empty() {
            return None;
        }
        let mut signers = claim.signers().iter();
        let (id, key) =
            signers.find(|(id, key)| self.issuers.contains(id) && !self.keys.contains(key))?;
        Some(Use {
            kind: Kind::IssuerUsed,
            words: format!("key {key}, which is not yours, signs for your issuer {id}"),
        })
    }

    /// A record or a key compromise of an issuer of ours.
    fn record(&self, claim: &VerifiedClaim) -> Option<Use> {
        let words = match claim.body() {
            Body::Issuer(body) => {
                let record = IssuerRecord::from_claim(claim).ok()??;
                let id = Some(record.id).filter(|id| self.issuers.contains(id))?;
                format!("record {} of your issuer {id} is logged", body.sequence)
            }
            Body::KeyCompromise(said) if self.issuers.contains(&said.issuer) => format!(
                "key {} of your issuer {} is declared compromised",
                said.key, said.issuer
            ),
            _ => return None,
        };
        Some(Use {
            kind: Kind::Record,
            words,
        })
    }

    /// Somebody else speaks of a package of ours. None of the signers is ours.
    fn name_used(&self, claim: &VerifiedClaim) -> Option<Use> {
        let by = claim.signers().first().map(|(id, _)| id.to_hex());
        let by = by.unwrap_or_default();
        let (kind, words) = match claim.body() {
            Body::Issuer(body) => {
                let mut named = body.namespaces.iter();
                let name = named.find(|name| self.claims(name))?;
                let words = format!("issuer {by} says that it speaks for {}", one_word(name));
                (Kind::NameUsed, words)
            }
            Body::Endorsement(said) => {
                let mut scope = said.scope.iter();
                let pattern = scope.find(|pattern| self.meets(pattern))?;
                let words = format!(
                    "issuer {by} endorses issuer {} as {} of {pattern}",
                    said.issuer, said.role
                );
                (Kind::NameUsed, words)
            }
            body => {
                let package = self.package(claim)?;
                let kind = if is_of_makers(body) {
                    Kind::NameUsed
                } else {
                    Kind::SpokenOf
                };
                let says = body.kind().short_name().unwrap_or("something else");
                let package = one_word(package.as_str()).into_owned();
                (
                    kind,
                    format!("issuer {by} says about {package}: {}", plain(says)),
                )
            }
        };
        Some(Use { kind, words })
    }

    /// The first subject that is a package of ours.
    fn package<'c>(&self, claim: &'c VerifiedClaim) -> Option<&'c Purl> {
        let subjects = claim.statement().subjects().iter();
        let mut purls = subjects.filter_map(|subject| subject.purl());
        purls.find(|purl| self.packages.iter().any(|own| own.matches(purl)))
    }

    fn meets(&self, pattern: &Pattern) -> bool {
        self.packages.iter().any(|own| own.meet(pattern).is_some())
    }

    /// Whether a namespace, which is a purl or the beginning of one, has a package of ours.
    fn claims(&self, namespace: &str) -> bool {
        let beginning = namespace.trim_end_matches('*');
        self.packages.iter().any(|own| {
            let own = own.as_str().trim_end_matches('*');
            own.starts_with(beginning) || beginning.starts_with(own)
        })
    }
}

/// What whoever makes a package says of it. Anybody may scan or review it.
fn is_of_makers(body: &Body) -> bool {
    match body {
        Body::Sbom(_)
        | Body::Lifecycle(_)
        | Body::Provenance(_)
        | Body::Practice(_)
        | Body::RegistryStatus(_)
        | Body::Other(kind::Unread::Release) => true,
        Body::Scan(_)
        | Body::Vex(_)
        | Body::Scorecard(_)
        | Body::Reference(_)
        | Body::Issuer(_)
        | Body::Endorsement(_)
        | Body::Withdrawal(_)
        | Body::Response(_)
        | Body::KeyCompromise(_)
        | Body::Audit(_)
        | Body::Requirement(_)
        | Body::Other(_) => false,
    }
}
