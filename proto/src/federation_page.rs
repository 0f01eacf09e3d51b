//! What a node says of its federation, as JSON at `GET /federation.json`: its names, its keys, whom
//! it works with, and how its witnesses are (docs/federation.md).
//!
//! It is the node's own word, signed by nobody. Fields that a reader does not know are left out,
//! and fields that a node does not say are empty, so that both may be of different versions.

use serde::{Deserialize, Serialize};

/// Longest page that is read, in bytes: a thousand peers take a tenth of it.
pub const PAGE_BYTES: usize = 4 << 20;

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FederationPage {
    /// Its log, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPart>,
    /// Its witness, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<CosignerPart>,
    /// Its mirror, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<CosignerPart>,
    /// The logs that it copies, in the order of their origins.
    pub copies: Vec<CopyPart>,
    /// The witnesses that must have cosigned what its log shows, if it asks any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumPart>,
    /// Its peers, in the order of its file.
    pub peers: Vec<PeerPart>,
    /// The lists from which it takes logs.
    pub log_lists: Vec<ListPart>,
}

/// A log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogPart {
    /// Its origin.
    pub origin: String,
    /// The keys that it signs with: several while they are rotated.
    pub vkeys: Vec<String>,
    /// The size that it shows. None if it shows nothing yet.
    pub size: Option<u64>,
}

/// A witness or a mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CosignerPart {
    /// The name in its cosignatures.
    pub name: String,
    /// The keys that it signs with: several while they are rotated.
    pub vkeys: Vec<String>,
    /// Path of the submission prefix (C2SP tlog-witness), if logs can submit to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission: Option<String>,
    /// Path of the monitoring prefix.
    pub monitoring: String,
    /// How many logs it takes.
    pub logs: u64,
    /// How many logs it can take.
    pub capacity: u64,
}

/// A quorum of witnesses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuorumPart {
    /// How many operators must cosign, at least.
    pub least: u64,
    /// Of how many.
    pub operators: u64,
    /// How many may be down, at least.
    pub spare: u64,
    /// Whether it takes more than two thirds of them, so that a third may lie.
    pub safe: bool,
    /// When a quorum cosigned last, in seconds since 1970 (UTC).
    pub cosigned_at: Option<u64>,
    /// Each witness, in the order of the policy.
    pub witnesses: Vec<WitnessPart>,
}

/// What a log knows of a witness that it asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WitnessPart {
    /// The name of its keys.
    pub name: String,
    /// Its keys, as far as the log's policy has them.
    pub vkeys: Vec<String>,
    /// Where it is asked.
    pub url: String,
    /// How it is.
    pub state: WitnessState,
    /// Why it does not cosign, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The largest size of the log that it cosigned.
    pub size: u64,
    /// How long its last answer took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// How often it did not answer, or not as it should, since the log's node started.
    pub failures: u64,
}

/// How a witness is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WitnessState {
    /// It cosigns.
    Cosigns,
    /// It did not cosign when it was asked last, and is asked again.
    Fails,
    /// It forgot what it had cosigned, and does not count.
    RolledBack,
    /// It is convicted of misbehavior, and does not count.
    Convicted,
    /// It has not answered yet; or a state that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerPart {
    /// What the node calls it.
    pub name: String,
    /// Its public address.
    pub url: String,
    /// The origin of its log, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The name of its witness, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// What the node does for it: `witness`, `mirror`, `gossip`.
    pub roles: Vec<String>,
}

/// A log that is copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyPart {
    /// The log.
    pub origin: String,
    /// How its audit is: `audited`, `broken`, `disputed` and others, or `not audited` where there
    /// is no auditor.
    pub audit: String,
    /// The size of the head that was cosigned as audited last; 0 if none was.
    pub audited: u64,
    /// The id of a breach that is kept against it, which convicts nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breach: Option<String>,
    /// The version that judged the breach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
}

impl CopyPart {
    /// How it is, in words.
    pub fn words(&self) -> String {
        let mut words = match (self.audit.as_str(), self.audited) {
            ("audited", size) => format!("audited to {size}"),
            (state, 0) => state.to_owned(),
            (state, size) => format!("{state}; audited to {size}"),
        };
        if let (Some(breach), Some(verifier)) = (&self.breach, &self.verifier) {
            words += &format!("; breach {breach}, as {verifier} judged it");
        }
        words
    }
}

/// A list of logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListPart {
    /// Where it comes from: an address, or `file`.
    pub source: String,
    /// What is done with its logs: `witness`.
    pub role: String,
    /// How many of its logs are taken.
    pub logs: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_version_is_read() {
        let text = r#"{"log":{"origin":"o","vkeys":["k"],"size":7,"new":1},"later":{},
            "quorum":{"least":1,"witnesses":[{"name":"w","state":"sleeps"}]}}"#;
        let page: FederationPage = serde_json::from_str(text).unwrap();
        assert_eq!(page.log.unwrap().size, Some(7));
        let witness = &page.quorum.unwrap().witnesses[0];
        assert_eq!(
            (&*witness.name, witness.state),
            ("w", WitnessState::Unknown)
        );
        assert!(page.witness.is_none() && page.peers.is_empty());
    }

    #[test]
    fn the_audit_of_a_copy_is_in_words() {
        let copy = |audit: &str, audited, breach: Option<&str>| CopyPart {
            audit: audit.to_owned(),
            audited,
            breach: breach.map(str::to_owned),
            verifier: breach.map(|_| "v 1".to_owned()),
            ..CopyPart::default()
        };
        assert_eq!(copy("audited", 7, None).words(), "audited to 7");
        assert_eq!(copy("not audited", 0, None).words(), "not audited");
        let broken = "broken; audited to 7; breach ab, as v 1 judged it";
        assert_eq!(copy("broken", 7, Some("ab")).words(), broken);
    }

    #[test]
    fn a_page_comes_back() {
        let page = FederationPage {
            quorum: Some(QuorumPart {
                witnesses: vec![WitnessPart {
                    state: WitnessState::RolledBack,
                    ..WitnessPart::default()
                }],
                ..QuorumPart::default()
            }),
            ..FederationPage::default()
        };
        let text = serde_json::to_string(&page).unwrap();
        assert!(text.contains(r#""state":"rolled_back""#), "{text}");
        assert_eq!(serde_json::from_str::<FederationPage>(&text).unwrap(), page);
    }
}
