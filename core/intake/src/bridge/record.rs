//! What a source says under one name, and the claims that republish it.

use super::sources::Bridge;
use super::verifier::NotVerified;
use crate::documents::Prepared;
use assay_claims::json::{Value, object};
use assay_claims::kind::Kind;
use assay_tlog::Hash;
use std::borrow::Cow;

/// Members of a predicate that say when something was looked at or where it came from, and not what
/// is so: a source that changes only these has said nothing new.
const PASSING: [&str; 4] = ["attachments", "date", "last_updated", "timestamp"];

/// The same of what was found when an attestation was verified: Sigstore hands out new trusted
/// roots, with which the same is found.
const VERIFIED: (&str, &str) = ("sigstore", "trustedRoot");

/// What a source says under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The name, which the source keeps from one version of its data to the next.
    pub key: String,
    /// What it says.
    pub says: Says,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// What becomes claims: at least one.
    Claims(Vec<Prepared>),
    /// That the source takes it back.
    Withdrawn,
    /// Nothing that can be claimed here, and why.
    Nothing(String),
    /// Something that could not be verified this time. Whether it still stands is not known.
    NotVerified(NotVerified),
}

impl Record {
    /// SHA-256 over what the claims say, which is the same for as long as the source says the same;
    /// `None` if there are none.
    pub fn print(&self) -> Option<Hash> {
        let Says::Claims(claims) = &self.says else {
            return None;
        };
        let mut text = String::new();
        for claim in claims {
            text.push_str(&claim.predicate_type);
            let looked_at = claim.predicate.get("last_updated");
            for (key, value) in claim.predicate.as_object().unwrap_or_default() {
                if !PASSING.contains(&key.as_str()) {
                    text.push_str(key);
                    // What had ended when somebody looked, has ended for whoever looks again.
                    if Some(value) == looked_at {
                        text.push_str("past");
                        continue;
                    }
                    lasting(key, value).write(&mut text);
                }
            }
            for subject in &claim.subjects {
                subject.to_value().write(&mut text);
            }
        }
        Some(Hash::of(text.as_bytes()))
    }

    /// The claims as a bridge signs them: `document` is the SHA-256 of what they were read from,
    /// `revision` how often the record was published, with this time. What it says does not depend
    /// on the time or on who runs the bridge. Nothing but attestations goes beside the log.
    pub fn republished(self, bridge: &Bridge, document: &Hash, revision: u64) -> Vec<Prepared> {
        let Says::Claims(mut claims) = self.says else {
            return Vec::new();
        };
        for claim in &mut claims {
            let origin = object([
                ("from", Some(bridge.source.into())),
                ("record", Some(self.key.as_str().into())),
                ("sha256", Some(document.to_hex().into())),
                ("license", Some(bridge.license.into())),
                ("revision", Some(revision.into())),
                ("note", Some(NOTE.into())),
            ]);
            let kind = Kind::of(&claim.predicate_type);
            if let Value::Object(members) = &mut claim.predicate {
                members.retain(|(key, _)| key != "republished");
                if !bridge.is_attested {
                    claim.attachment = None;
                    members.retain(|(key, _)| key != "attachments");
                }
                match kind {
                    Kind::Vex => {
                        for (key, value) in members.iter_mut() {
                            match key.as_str() {
                                "author" => *value = author(bridge).into(),
                                "version" if value.as_u64().is_some() => {
                                    *value = revision.into();
                                }
                                _ => {}
                            }
                        }
                    }
                    Kind::Lifecycle => {
                        members.retain(|(key, _)| key != "role");
                        members.push(("role".into(), author(bridge).into()));
                    }
                    // What others signed stays as they signed it.
                    _ => {}
                }
                members.push(("republished".into(), origin));
            }
        }
        claims
    }
}

/// What every claim of a bridge says of itself.
const NOTE: &str = "Republished by a bridge: not the author's own words.";

fn author(bridge: &Bridge) -> String {
    format!("a bridge of {}, not its own words", bridge.source)
}

/// A member of a predicate, without what of it says when or how it was looked at.
fn lasting<'v>(key: &str, value: &'v Value) -> Cow<'v, Value> {
    match value {
        Value::Object(members) if key == VERIFIED.0 => {
            let mut members = members.clone();
            members.retain(|(key, _)| key != VERIFIED.1);
            Cow::Owned(Value::Object(members))
        }
        _ => Cow::Borrowed(value),
    }
}
