//! `urn:assay:registry-status:v1`: what the registry that serves a package has marked it as
//! (docs/design.md 3.3).
//!
//! | field | |
//! | --- | --- |
//! | `status` | required: one of [`STATUSES`] |
//! | `reason` | optional: what whoever marked it says of that, in plain text of at most 8 KiB |
//!
//! Subjects are what is marked: a release, files of one, or a package without a version for a whole
//! project. It says no more than that there is such a mark: no end of support has a date in it, no
//! review failed, and no vulnerability is named. So it can count against what it is about, and
//! clears nothing.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use crate::json::{Value, object};

/// The predicate type's URI.
pub const URI: &str = "urn:assay:registry-status:v1";

/// What can be marked: that something else is to be used (npm, PEP 792), that a release was taken
/// back and stays where it is named exactly (PEP 592), that a project does not go on (PEP 792), or
/// that a project is held to be unsafe and is not served any more (PEP 792).
pub const STATUSES: &[&str] = &["deprecated", "yanked", "archived", "quarantined"];

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryStatus {
    /// Of [`STATUSES`].
    pub status: String,
    /// Why, in the words of whoever marked it.
    pub reason: Option<String>,
}

impl Predicate for RegistryStatus {
    const NAME: &'static str = "registry-status";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("registry-status", &[URI], Self::read)];
}

impl RegistryStatus {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let reason = node.get("reason");
        let reason = reason.map(|reason| reason.prose().map(str::to_owned));
        Ok(RegistryStatus {
            status: node.need("status")?.one_of(STATUSES)?.to_owned(),
            reason: reason.transpose()?,
        })
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        object([
            ("status", Some(self.status.as_str().into())),
            ("reason", self.reason.as_deref().map(Into::into)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_with_and_without_a_reason() {
        for status in STATUSES {
            for reason in [None, Some("Use b.\nIt is faster.".to_owned())] {
                let said = RegistryStatus {
                    status: (*status).to_owned(),
                    reason,
                };
                assert_eq!(RegistryStatus::parse(&said.to_value()), Ok(said));
            }
        }
    }

    #[test]
    fn every_field_is_checked_and_named() {
        for (text, path) in [
            (r#"{"reason":"a"}"#, "$.predicate.status"),
            (r#"{"status":"active"}"#, "$.predicate.status"),
            (r#"{"status":true}"#, "$.predicate.status"),
            (r#"{"status":"yanked","reason":""}"#, "$.predicate.reason"),
            (r#"{"status":"yanked","reason":true}"#, "$.predicate.reason"),
            (
                r#"{"status":"yanked","reason":"\u001b[2J"}"#,
                "$.predicate.reason",
            ),
        ] {
            let value = crate::json::parse(text.as_bytes()).unwrap();
            let refused = RegistryStatus::parse(&value).unwrap_err();
            assert_eq!(refused.path, path, "{text}");
        }
    }
}
