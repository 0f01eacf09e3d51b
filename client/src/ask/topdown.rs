//! The order in which a decision asks: first whom it listens to, then what these said, then what
//! became of it (docs/design.md 7).
//!
//! Whom a policy listens to follows from its anchors and those they vouch for, before any package
//! is asked about. So what strangers say never makes an answer longer, incomplete or different.
//! They are heard only by who asks for everyone, and even then nothing hangs on it whether their
//! claims about claims end.

use super::everyone::{self, Others, OthersPage, ToOthers};
use super::gather::{Rounds, distinct, names_of};
use super::names::{RECORDS, types};
use super::panel::Panel;
use super::withdrawals::{self, Asking};
use assay_claims::index::{By, Kind, Name, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{self, Body};
use assay_claims::logged::LoggedClaim;
use assay_policy::rules::Policy;
use assay_policy::trust::{Limit, Speakers, Walk};
use std::collections::BTreeSet;

/// Whom to listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Those whose word counts by the policy.
    #[default]
    Trusted,
    /// Besides, a page of all others who spoke.
    Everyone(OthersPage),
}

impl Audience {
    /// Those whose word counts, and the first page of the others.
    pub const EVERYONE: Self = Audience::Everyone(OthersPage::FIRST);
}

/// What is asked, and of whom.
#[derive(Debug, Clone, Default)]
pub struct Inquiry {
    /// What is asked about.
    pub names: Vec<Name>,
    /// Names under which what is asked about stands itself. Others are not asked about these.
    pub places: Vec<Name>,
    /// Issuers to listen to besides, such as one that is asked about.
    pub also: Vec<IssuerId>,
    /// Whom else to listen to.
    pub audience: Audience,
    /// Whether the logs are not to learn the names.
    pub hidden: bool,
    /// Whether all of the names are of one thing, so that what a log is told of each can be joined.
    pub of_one: bool,
}

/// What came of asking, beside what the logs answered.
#[derive(Debug, Default)]
pub(super) struct Inquired {
    /// Which others were listened to, if everyone was to be.
    pub others: Option<Others>,
    /// What was left out of the search for whom to listen to.
    pub limits: Vec<Limit>,
}

/// Asks every log of the panel, in the order of this module.
pub(super) async fn inquire(
    panel: &mut Panel,
    policy: &Policy,
    now_ms: u64,
    inquiry: &Inquiry,
) -> Inquired {
    let mut recorded = BTreeSet::new();
    let speakers = walk(panel, policy, now_ms, &mut recorded).await;
    let mut trusted: BTreeSet<IssuerId> = speakers.issuers().copied().collect();
    if !inquiry.hidden {
        trusted.extend(&inquiry.also);
    }
    let mut found: Vec<LoggedClaim> = speakers.claims().to_vec();
    found.extend(records(panel, &mut recorded, trusted.iter().copied()).await);
    let trusted: Vec<By> = distinct(trusted.iter().map(By::issuer));
    let mut by = trusted.clone();
    if by.is_empty() {
        // Nobody is listened to. The answer still says as of when, and how many spoke.
        by.push(By::predicate_type(""));
    }
    if inquiry.hidden {
        found.extend(hidden(panel, inquiry, &by).await);
    } else {
        let names = [&inquiry.names[..], &inquiry.places].concat();
        found.extend(panel.ask(&names, &by).await);
    }
    panel.leave_unkept();
    follow(panel, found.clone(), &trusted).await;
    let mut inquired = Inquired {
        others: None,
        limits: speakers.limits().to_vec(),
    };
    if let Audience::Everyone(page) = inquiry.audience {
        let asked = ToOthers {
            names: &inquiry.names,
            page,
            hidden: inquiry.hidden,
            trusted: &trusted,
        };
        inquired.others = Some(everyone::hear(panel, asked, found, &mut recorded).await);
    }
    inquired
}

/// Asks without naming what is asked about, nor the issuers that are asked about. What follows is
/// asked for all claims of the crowd.
async fn hidden(panel: &mut Panel, inquiry: &Inquiry, by: &[By]) -> Vec<LoggedClaim> {
    let issuers: Vec<Name> = inquiry.also.iter().map(of_issuer).collect();
    if inquiry.of_one {
        panel.join(inquiry.names.len() + issuers.len());
    }
    let mut found = Vec::new();
    for (names, by) in [(&inquiry.names, by), (&issuers, &types(&RECORDS))] {
        let told = panel.ask_hidden(names, by).await;
        found.extend(told.claims);
        found.extend(told.crowd);
    }
    found
}

/// Asks what it takes to judge claims that are there already: of each what those whom the policy
/// listens to say of it, and who signed it. Nobody else can say anything of it that counts, or make
/// an answer longer.
pub(super) async fn judge(
    panel: &mut Panel,
    policy: &Policy,
    now_ms: u64,
    claims: Vec<LoggedClaim>,
) -> Speakers {
    let mut recorded = BTreeSet::new();
    let speakers = walk(panel, policy, now_ms, &mut recorded).await;
    let trusted: Vec<By> = distinct(speakers.issuers().map(By::issuer));
    let mut issuers: BTreeSet<IssuerId> = speakers.issuers().copied().collect();
    issuers.extend(signers_of(&claims));
    let mut about = speakers.claims().to_vec();
    about.extend(records(panel, &mut recorded, issuers.iter().copied()).await);
    about.extend(claims);
    // One round: somebody whom nobody trusts can go on about itself for ever.
    panel.ask(&names_of(&about), &trusted).await;
    let issuers: Vec<IssuerId> = issuers.into_iter().collect();
    for Asking { names, by } in withdrawals::questions(&about, &issuers) {
        panel.ask(&names, &by).await;
    }
    speakers
}

/// Finds whom the policy listens to, and asks for all that they signed of these types, whatever it
/// is about. What became of it, is not asked.
pub(super) async fn listed(
    panel: &mut Panel,
    policy: &Policy,
    now_ms: u64,
    types: &[By],
) -> Vec<LoggedClaim> {
    let speakers = walk(panel, policy, now_ms, &mut BTreeSet::new()).await;
    let names: Vec<Name> = distinct(speakers.issuers().map(of_issuer));
    panel.ask(&names, types).await
}

/// Finds whom the policy listens to. `recorded` are the issuers whose records were asked for.
async fn walk(
    panel: &mut Panel,
    policy: &Policy,
    now_ms: u64,
    recorded: &mut BTreeSet<IssuerId>,
) -> Speakers {
    let types = types(&[&RECORDS[..], &[kind::Kind::Endorsement]].concat());
    let mut walk = Walk::start(policy, now_ms);
    loop {
        let issuers = walk.to_ask();
        if issuers.is_empty() {
            break;
        }
        let names: Vec<Name> = issuers.iter().map(of_issuer).collect();
        let mut found = panel.ask(&names, &types).await;
        // What was taken back is not followed.
        let vouching = found
            .iter()
            .filter(|logged| matches!(logged.claim().body(), Body::Endorsement(_)));
        let vouching: Vec<LoggedClaim> = vouching.cloned().collect();
        for Asking { names, by } in withdrawals::questions(&vouching, &issuers) {
            found.extend(panel.ask(&names, &by).await);
        }
        walk.take(found);
        recorded.extend(issuers);
    }
    walk.finish()
}

/// Asks for the records of issuers, and which of their keys were compromised, unless that was asked
/// before. Returns what is new.
pub(super) async fn records(
    panel: &mut Panel,
    recorded: &mut BTreeSet<IssuerId>,
    issuers: impl IntoIterator<Item = IssuerId>,
) -> Vec<LoggedClaim> {
    let mut names = Vec::new();
    for issuer in issuers {
        if recorded.insert(issuer) {
            names.push(of_issuer(&issuer));
        }
    }
    panel.ask(&names, &types(&RECORDS)).await
}

/// Asks what `by` said about claims, and about what they said.
pub(super) async fn follow(panel: &mut Panel, mut found: Vec<LoggedClaim>, by: &[By]) {
    let mut rounds = Rounds::default();
    loop {
        match rounds.next(&found) {
            Ok(about) if about.is_empty() => return,
            Ok(about) => found = panel.ask(&about, by).await,
            Err(why) => return panel.lack(&why),
        }
    }
}

/// The issuers that signed these claims, some maybe more than once.
pub(super) fn signers_of(claims: &[LoggedClaim]) -> impl Iterator<Item = IssuerId> {
    let signers = claims.iter().flat_map(|logged| logged.claim().signers());
    signers.map(|(issuer, _)| *issuer)
}

/// The question for an issuer's records, and which of its keys are declared compromised.
pub fn records_of(issuer: &IssuerId) -> Query {
    Query::names([of_issuer(issuer)], types(&RECORDS))
}

/// The name of what an issuer signs.
pub(super) fn of_issuer(issuer: &IssuerId) -> Name {
    Name::new(Kind::Issuer, &issuer.to_hex())
}
