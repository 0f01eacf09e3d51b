//! Whether issuers are endorsed for what they say: admission `endorsed` (docs/design.md 5).
//!
//! The anchors of the configuration endorse by claims in this log, and take an endorsement back by
//! a withdrawal there. Nothing is kept in memory: what counts is what is stored when a claim comes.
//!
//! Followed are endorsements by anchors and no further ones: an anchor who may delegate endorses
//! by itself whom this log is to take claims from.

use crate::{
    records::{self, RecordError},
    storage::Reads,
};
use assay_claims::claim::VerifiedClaim;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_tlog::Hash;

/// An endorsement whose only role is this one counts for less.
const BUILDER: &str = "builder";

/// Why a claim is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unendorsed {
    /// Nobody endorses a signer for claims of this type.
    #[error(
        "this log takes claims of issuers that it endorses, and issuer {0} has no endorsement that \
         holds now, for a role that may make such a claim. Ask the log's operator for one"
    )]
    Issuer(IssuerId),
    /// A signer is endorsed for other packages.
    #[error(
        "this log takes claims of issuers that it endorses, and issuer {issuer} is endorsed, but \
         not for {purl}. Ask the log's operator to endorse it for this package, too"
    )]
    Scope {
        /// The signer.
        issuer: IssuerId,
        /// A subject that no endorsement covers.
        purl: String,
    },
    /// The endorsements cannot be read.
    #[error(transparent)]
    Store(#[from] RecordError),
}

/// Checks that each signer of a claim is an anchor, or that anchors endorse it now for a role that
/// may make such a claim, and for each package that the claim is about. A subject without a purl is
/// in every scope. Records, key compromises and withdrawals are not asked for: they are about what
/// is the signer's own.
pub fn check(
    tables: &impl Reads,
    anchors: &[IssuerId],
    claim: &VerifiedClaim,
    now_ms: u64,
) -> Result<(), Unendorsed> {
    let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let body = claim.body();
    if let Body::Issuer(_) | Body::KeyCompromise(_) | Body::Withdrawal(_) = body {
        return Ok(());
    }
    for (issuer, _) in claim.signers() {
        if anchors.contains(issuer) {
            continue;
        }
        let subjects = claim.statement().subjects().iter();
        let mut wanted: Vec<&Purl> = subjects.filter_map(|subject| subject.purl()).collect();
        let mut endorsed = false;
        each_endorsement(tables, issuer, anchors, |endorsement| {
            if let Body::Endorsement(of) = endorsement
                && of.holds_at(now)
                && (of.role != BUILDER || body.is_of_builders())
            {
                endorsed = true;
                wanted.retain(|purl| !of.covers(purl));
            }
            endorsed && wanted.is_empty()
        })?;
        if !endorsed {
            return Err(Unendorsed::Issuer(*issuer));
        }
        if let Some(purl) = wanted.first() {
            return Err(Unendorsed::Scope {
                issuer: *issuer,
                purl: purl.to_string(),
            });
        }
    }
    Ok(())
}

/// Goes through the endorsements of `issuer` by `anchors` that were not withdrawn, until `enough`
/// says so.
fn each_endorsement(
    tables: &impl Reads,
    issuer: &IssuerId,
    anchors: &[IssuerId],
    mut enough: impl FnMut(&Body) -> bool,
) -> Result<(), RecordError> {
    let what = Hash::new(*issuer.as_bytes());
    for anchor in anchors {
        let mut from = 0;
        loop {
            let leaves = records::vouching_leaves(tables, &what, anchor, from, limits::PAGE)?;
            let Some(last) = leaves.last() else { break };
            from = last.get() + 1;
            for leaf in leaves {
                let claim = records::read_claim(tables, leaf, "endorse somebody")?;
                let withdrawn = Hash::new(*claim.id().as_bytes());
                if records::vouching_leaves(tables, &withdrawn, anchor, 0, 1)?.is_empty()
                    && enough(claim.body())
                {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}
