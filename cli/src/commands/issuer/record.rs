//! A record of an issuer, as it is shown.

use crate::time;
use assay_claims::claim::PublicKey;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::issuer::Issuer;
use assay_client::{plain, report::keys::Compromised};
use serde::Serialize;

/// A record in the log.
#[derive(Debug, Serialize)]
pub struct RecordView {
    issuer_id: String,
    name: String,
    sequence: u32,
    threshold: u32,
    keys: Vec<String>,
    rotation_threshold: u32,
    rotation_keys: Vec<String>,
    contacts: Vec<String>,
    namespaces: Vec<String>,
    roles: Vec<String>,
    /// Keys of this record that are declared compromised. A record that was just published has
    /// none.
    compromised: Vec<Compromised>,
    claim_id: String,
    leaf_index: u64,
    logged_at: String,
}

impl RecordView {
    /// The record `body` of the issuer `id`, none of its keys compromised.
    pub fn new(
        id: &IssuerId,
        body: &Issuer,
        claim_id: String,
        leaf_index: u64,
        logged_at_ms: u64,
    ) -> Self {
        let rotation = body.rotation.as_ref().map(|root| &root.keys[..]);
        let rotation = rotation.unwrap_or_default();
        RecordView {
            issuer_id: id.to_string(),
            name: body.name.clone(),
            sequence: body.sequence,
            threshold: body.threshold,
            keys: body.keys.iter().map(PublicKey::to_hex).collect(),
            rotation_threshold: body.rotation.as_ref().map_or(0, |root| root.threshold),
            rotation_keys: rotation.iter().map(PublicKey::to_hex).collect(),
            contacts: body.contacts.clone(),
            namespaces: body.namespaces.clone(),
            roles: body.roles.clone(),
            compromised: Vec::new(),
            claim_id,
            leaf_index,
            logged_at: time::rfc3339_of_ms(logged_at_ms),
        }
    }

    /// Notes which of its keys are among the compromised ones.
    pub fn with_compromised(mut self, compromised: &[Compromised]) -> Self {
        let of_record = compromised.iter().filter(|one| {
            self.keys
                .iter()
                .chain(&self.rotation_keys)
                .any(|key| *key == one.key)
        });
        self.compromised = of_record.cloned().collect();
        self
    }

    /// The record for people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("issuer      {}", self.issuer_id),
            format!("name        {} (self-declared)", plain(&self.name)),
            format!("sequence    {}", self.sequence),
            format!(
                "keys        {} of {} must sign:",
                self.threshold,
                self.keys.len()
            ),
        ];
        lines.extend(self.keys.iter().map(|key| format!("            {key}")));
        if !self.rotation_keys.is_empty() {
            let (threshold, of) = (self.rotation_threshold, self.rotation_keys.len());
            lines.push(format!(
                "rotation    {threshold} of {of} must sign a change of keys:"
            ));
            lines.extend(
                self.rotation_keys
                    .iter()
                    .map(|key| format!("            {key}")),
            );
        }
        for one in &self.compromised {
            let (claim, leaf) = (&one.claim_id, one.leaf_index);
            lines.push(format!("compromised {}", one.key));
            lines.push(format!(
                "            from leaf {} on, declared by claim {claim} at leaf {leaf}",
                one.from_leaf
            ));
        }
        for (label, values) in [
            ("contacts    ", &self.contacts),
            ("namespaces  ", &self.namespaces),
            ("roles       ", &self.roles),
        ] {
            if !values.is_empty() {
                lines.push(format!("{label}{}", plain(&values.join(", "))));
            }
        }
        lines.push(format!("record      claim {}", self.claim_id));
        lines.push(format!(
            "logged      leaf {} at {}",
            self.leaf_index, self.logged_at
        ));
        lines.join("\n")
    }
}
