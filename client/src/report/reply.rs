//! What others say of a claim, and whether that has effect for those who signed it.
//!
//! Two issuers can sign the same statement, each for itself: that is one claim id at two leaves.
//! Whoever answers or withdraws names the id; a withdrawal has effect only for the issuers that
//! signed it and the claim.

use super::line::{Line, Voice};
use super::words::reply_why_not as why_not;
use assay_claims::kind::Kind;
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
pub(super) fn among<'l>(lines: impl Iterator<Item = &'l Line>) -> Vec<Line> {
    let replies = lines.filter(|line| line.target.is_some());
    let by_place: BTreeMap<_, _> = replies
        .map(|line| ((&line.log, line.leaf_index), line))
        .collect();
    by_place.into_values().cloned().collect()
}

/// Writes down with every line what others say of it, who are among `said`.
pub(super) fn attach<'l>(lines: impl Iterator<Item = &'l mut Line>, said: &[Line]) {
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
            why_not: if effect {
                None
            } else {
                Some(why_not(reply.why_not.as_deref()))
            },
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
    let mut voices = reply.issuers.iter().filter(|voice| voice.effect);
    if reply.of != Kind::Withdrawal {
        return voices.next().is_some();
    }
    voices.any(|voice| {
        let mut signers = line.issuers.iter();
        signers.any(|signer| signer.issuer_id == voice.issuer_id)
    })
}
