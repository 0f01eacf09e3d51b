//! What others say of a claim, and whether that has effect for those who signed it.
//!
//! Two issuers can sign the same statement, each for itself: that is one claim id at two leaves.
//! Whoever answers or withdraws names the id; a withdrawal has effect only for the issuers that
//! signed it and the claim.

use super::line::{Line, Voice};
use serde::Serialize;
use std::collections::BTreeMap;

/// What others say of a claim at its place in a log.
#[derive(Debug, Clone, Serialize)]
pub struct Reply {
    /// What is said.
    pub says: String,
    /// Who says it.
    pub issuers: Vec<Voice>,
    /// Whether it has effect here: another issuer's withdrawal of the same statement has none.
    pub effect: bool,
    /// Why not, if not.
    pub why_not: Option<String>,
    /// The claim that says it.
    pub claim_id: String,
    /// The log.
    pub log: String,
    /// Its place there.
    pub leaf_index: u64,
}

/// The lines, each once, that are about another claim.
pub fn among<'l>(lines: impl Iterator<Item = &'l Line>) -> Vec<Line> {
    let replies = lines.filter(|line| line.target.is_some());
    let by_place: BTreeMap<_, _> = replies
        .map(|line| ((&line.log, line.leaf_index), line))
        .collect();
    by_place.into_values().cloned().collect()
}

/// Writes down with every line what others say of it, who are among `said`.
pub fn attach<'l>(lines: impl Iterator<Item = &'l mut Line>, said: &[Line]) {
    for line in lines {
        let of_it = said
            .iter()
            .filter(|reply| reply.target.as_ref() == Some(&line.claim_id));
        line.replies = of_it.map(|reply| Reply::new(reply, line)).collect();
    }
}

impl Reply {
    fn new(reply: &Line, line: &Line) -> Self {
        let effect = has_effect(reply, line);

        Reply {
            says: reply.says.clone(),
            issuers: reply.issuers.clone(),
            effect,
            why_not: (!effect).then(|| {
                reply.why_not.clone().unwrap_or_else(|| {
                    "without effect for this issuer: only who said it can take it back".to_owned()
                })
            }),
            claim_id: reply.claim_id.clone(),
            log: reply.log.clone(),
            leaf_index: reply.leaf_index,
        }
    }

    /// Whether it has effect for anybody, here or elsewhere.
    pub fn counts_somewhere(&self) -> bool {
        self.issuers.iter().any(|voice| voice.effect)
    }
}

/// Whether a reply has effect for a line: anybody may answer; to take something back is for those
/// who said it.
pub fn has_effect(reply: &Line, line: &Line) -> bool {
    let said_it = |issuer: &str| line.issuers.iter().any(|voice| voice.issuer_id == issuer);
    let takes_back = reply.kind == Some("withdrawal");
    reply
        .issuers
        .iter()
        .any(|voice| voice.effect && (!takes_back || said_it(&voice.issuer_id)))
}
