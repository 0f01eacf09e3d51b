//! The order in which a decision asks: first whom it listens to, then what these said, then what
//! became of it (docs/design.md 7).
//!
//! Whom a policy listens to follows from its anchors and those they vouch for, before any package
//! is asked about. So what strangers say never makes an answer longer, incomplete or different.
//! They are heard only by who asks for everyone, and even then nothing hangs on it whether their
//! claims about claims end.

use super::names;
use super::panel::{Panel, distinct};
use assay_claims::index::{By, Kind, Name, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::kind;
use assay_claims::logged::LoggedClaim;
use assay_policy::rules::Policy;
use assay_policy::trust::{Limit, Speakers, Walk};
use std::collections::BTreeSet;

/// Most rounds of claims about claims. Only those whom the policy trusts can make them go on, and
/// they have no reason to.
const ROUNDS: usize = 12;

/// Most claims of which it is asked who replied to them at all, where everyone is listened to.
const REPLIED_TO: usize = 256;

/// Whom to listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Those whose word counts by the policy.
    #[default]
    Trusted,
    /// Everyone who spoke.
    Everyone,
}

/// What is asked, and of whom.
#[derive(Debug, Clone, Default)]
pub struct Inquiry {
    /// What is asked about.
    pub names: Vec<Name>,
    /// Issuers to listen to besides, such as one that is asked about.
    pub also: Vec<IssuerId>,
    /// Whom else to listen to.
    pub audience: Audience,
    /// Whether the logs are not to learn the names.
    pub hidden: bool,
}

/// Asks every log of the panel, in the order of this module.
pub(super) async fn inquire(panel: &mut Panel, policy: &Policy, now_ms: u64, inquiry: &Inquiry) {
    let speakers = walk(panel, policy, now_ms).await;
    let trusted: BTreeSet<IssuerId> = speakers.issuers().chain(&inquiry.also).copied().collect();
    let mut by: Vec<By> = trusted.iter().map(By::issuer).collect();
    let mut found: Vec<LoggedClaim> = speakers.claims().to_vec();
    records(panel, trusted.iter().copied()).await;
    let trusted = by.clone();
    if inquiry.audience == Audience::Everyone {
        for name in &inquiry.names {
            by.extend(panel.census(name).await);
        }
        by = distinct(by);
    }
    if by.is_empty() {
        // Nobody is listened to. The answer still says as of when, and how many spoke.
        by.push(By::predicate_type(""));
    }
    if inquiry.hidden {
        let told = panel.ask_hidden(&inquiry.names, &by).await;
        found.extend(told.claims);
        found.extend(told.crowd);
    } else {
        found.extend(panel.ask(&inquiry.names, &by).await);
    }
    panel.leave_unkept();
    if inquiry.audience == Audience::Everyone {
        let about = claims_about(&found, &mut BTreeSet::new());
        for name in about.iter().take(REPLIED_TO) {
            by.extend(panel.census(name).await);
        }
        found.extend(panel.ask(&about, &distinct(by)).await);
        let vouched = vouched(panel, &found).await;
        found.extend(vouched);
        let signers = found.iter().flat_map(|logged| logged.claim().signers());
        records(panel, signers.map(|(issuer, _)| *issuer)).await;
    }
    follow(panel, found, &trusted).await;
}

/// Asks what it takes to judge claims that are there already.
pub(super) async fn judge(
    panel: &mut Panel,
    policy: &Policy,
    now_ms: u64,
    claims: Vec<LoggedClaim>,
) {
    let speakers = walk(panel, policy, now_ms).await;
    let mut issuers: BTreeSet<IssuerId> = speakers.issuers().copied().collect();
    for logged in &claims {
        issuers.extend(logged.claim().signers().iter().map(|(issuer, _)| *issuer));
    }
    records(panel, issuers.iter().copied()).await;
    let by: Vec<By> = issuers.iter().map(By::issuer).collect();
    let mut about = speakers.claims().to_vec();
    about.extend(claims);
    // One round: somebody whom nobody trusts can go on about itself for ever.
    let names = claims_about(&about, &mut BTreeSet::new());
    panel.ask(&names, &by).await;
}

/// Finds whom the policy listens to.
async fn walk(panel: &mut Panel, policy: &Policy, now_ms: u64) -> Speakers {
    let types = types(&[
        kind::Kind::Endorsement,
        kind::Kind::Issuer,
        kind::Kind::KeyCompromise,
    ]);
    let mut walk = Walk::start(policy, now_ms);
    loop {
        let issuers = walk.to_ask();
        if issuers.is_empty() {
            break;
        }
        let names: Vec<Name> = issuers.iter().map(of_issuer).collect();
        walk.take(panel.ask(&names, &types).await);
    }
    let speakers = walk.finish();
    for limit in speakers.limits() {
        panel.lack(&why(limit));
    }
    speakers
}

/// What anyone says of those who signed these claims: whoever vouches for them is among it.
async fn vouched(panel: &mut Panel, claims: &[LoggedClaim]) -> Vec<LoggedClaim> {
    let signers = claims.iter().flat_map(|logged| logged.claim().signers());
    let mut about = distinct(signers.map(|(issuer, _)| names::of_sha256(&issuer.to_hex())));
    about.truncate(REPLIED_TO);
    let mut by = Vec::new();
    for name in &about {
        by.extend(panel.census(name).await);
    }
    panel.ask(&about, &distinct(by)).await
}

/// Asks for the records of issuers, and which of their keys were compromised.
async fn records(panel: &mut Panel, issuers: impl Iterator<Item = IssuerId>) {
    let names = distinct(issuers.map(|issuer| of_issuer(&issuer)));
    let types = types(&[kind::Kind::Issuer, kind::Kind::KeyCompromise]);
    panel.ask(&names, &types).await;
}

/// Asks what `by` said about claims, and about what they said.
async fn follow(panel: &mut Panel, claims: Vec<LoggedClaim>, by: &[By]) {
    let mut asked = BTreeSet::new();
    let mut about = claims_about(&claims, &mut asked);
    for _ in 0..ROUNDS {
        if about.is_empty() {
            return;
        }
        let found = panel.ask(&about, by).await;
        about = claims_about(&found, &mut asked);
    }
    if !about.is_empty() {
        panel.lack(&format!(
            "claims about claims go on beyond {ROUNDS} rounds of questions"
        ));
    }
}

/// The names of these claims that were not asked about yet.
fn claims_about(claims: &[LoggedClaim], asked: &mut BTreeSet<Name>) -> Vec<Name> {
    let ids = claims.iter().map(|logged| logged.claim().id().to_hex());
    let names = distinct(ids.map(|id| Name::new(Kind::Claim, &id)));
    let mut new = Vec::with_capacity(names.len());
    for name in names {
        if asked.insert(name) {
            new.push(name);
        }
    }
    new
}

/// The halves of what an issuer says in predicates of these kinds.
fn types(kinds: &[kind::Kind]) -> Vec<By> {
    let uris = kinds.iter().flat_map(|kind| kind.uris());
    distinct(uris.map(By::predicate_type))
}

/// The question for an issuer's records, and which of its keys are declared compromised.
pub fn records_of(issuer: &IssuerId) -> Query {
    let types = types(&[kind::Kind::Issuer, kind::Kind::KeyCompromise]);
    Query::names([of_issuer(issuer)], types)
}

/// The name of what an issuer signs.
pub(super) fn of_issuer(issuer: &IssuerId) -> Name {
    Name::new(Kind::Issuer, &issuer.to_hex())
}

fn why(limit: &Limit) -> String {
    match limit {
        Limit::Endorsements(issuer) => format!(
            "issuer {issuer} has signed more endorsements than are followed, so that none of them \
             counts"
        ),
        Limit::Issuers { scope, steps } => format!(
            "more issuers than are followed are vouched for in {scope}; only {steps} steps of \
             endorsements were followed there"
        ),
        Limit::Unasked(issuer) => {
            format!("endorsements go on beyond what is followed, at issuer {issuer}")
        }
    }
}
