//! What an issuer signed, in lines.

use super::line::Line;
use super::words::Reader;
use crate::ask::Signed;
use assay_claims::logged::LoggedClaim;
use assay_policy::posture;
use assay_policy::rules::Policy;
use serde::Serialize;
use std::collections::BTreeSet;

/// What an issuer signed.
#[derive(Debug, Default, Serialize)]
pub struct SignedLines {
    /// How many claims; `None` if that was not asked.
    pub count: Option<u64>,
    /// Whether it signed more, of so many types that not all were counted.
    pub uncounted: bool,
    /// How many of these are of types in which the newest were not looked for.
    pub unlisted: u64,
    /// The newest of the others.
    pub newest: Vec<Line>,
}

impl SignedLines {
    /// Describes what was signed, the newest first, and returns also the lines of what is said of
    /// it.
    pub(super) fn new(
        signed: &Signed,
        claims: &[LoggedClaim],
        policy: &Policy,
        now_ms: u64,
        reader: Reader,
    ) -> (Self, Vec<Line>) {
        // Not by the claim's id: another issuer may have signed the same statement, at a leaf of
        // its own.
        let places: BTreeSet<_> = signed
            .newest
            .iter()
            .map(|one| (one.origin(), one.leaf()))
            .collect();
        let mut listed = posture::listing(
            policy,
            claims,
            |logged| places.contains(&(logged.origin(), logged.leaf())),
            now_ms,
        )
        .lines;
        listed.sort_by_key(|line| std::cmp::Reverse((line.logged_at_ms(), line.leaf())));
        let (mut newest, mut said) = (Vec::new(), Vec::new());
        for line in &listed {
            let view = Line::new(line, reader);
            if places.contains(&(line.origin(), line.leaf())) {
                newest.push(view);
            } else {
                said.push(view);
            }
        }
        let lines = SignedLines {
            count: signed.count,
            uncounted: signed.uncounted,
            unlisted: signed.unlisted,
            newest,
        };
        (lines, said)
    }
}
