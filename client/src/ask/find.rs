//! Finding all that is known about one thing: what the logs answer about it, and about the claim or
//! the issuer that it is.

use super::about::{About, Artifact};
use super::asker::{Asked, AskedLog, Asker};
use super::connection::{Connection, How};
use super::error::AskError;
use super::signed::{Signed, signed};
use super::topdown::{Audience, Inquiry, of_issuer};
use crate::{ClientError, LeafRef, VerifiedEntry, plain};
use assay_claims::claim::{ClaimId, VerifiedClaim};
use assay_claims::index::{self, By, Kind, Label, Name};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{self, Body};
use assay_claims::logged::LoggedClaim;
use assay_policy::verdict::Answer;
use assay_tlog::Hash;
use std::collections::{BTreeMap, BTreeSet};

/// Packages that an artifact is said to be, of which [`Hint::Named`] names each.
const NAMED: usize = 3;

/// What was found out about one thing.
#[derive(Debug)]
pub struct Found {
    /// What was asked about. Bare hex digits have become what they are.
    pub about: About,
    /// What the logs answered.
    pub asked: Asked,
    /// The claims of all answers.
    pub claims: Vec<LoggedClaim>,
    /// What the issuer signed, if it is one.
    pub signed: Option<Signed>,
    /// What could not be found out.
    pub lacking: Option<Lacking>,
    /// What else there is to know.
    pub hints: Vec<Hint>,
}

/// What could not be found out. The index has labels of what claims speak of, and none of a claim
/// itself, so that its absence cannot be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// The claim itself cannot be asked for this way.
    ClaimNotAsked(How),
    /// No log shows the claim itself.
    ClaimNotShown,
    /// Whether a claim has this id cannot be asked this way.
    IdNotAsked(How),
}

/// What else there is to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// What bare hex digits turned out to be.
    Resolved(Resolved),
    /// The file is a list of software, in a format of this name.
    ListOfSoftware {
        /// The file.
        file: String,
        /// The format.
        format: &'static str,
    },
    /// The artifact is said to be the package of this purl.
    Named(String),
    /// So many others have spoken of it in one log, who were not listened to. It is the log's word.
    Others(u64),
    /// More others have spoken of it than the page of them that was listened to.
    MoreOthers {
        /// How many were listened to.
        heard: usize,
        /// How many spoke in all, by the log's word.
        spoke: u64,
        /// What the next page is asked with.
        next: By,
    },
    /// So many others said more than is shown of each.
    Talkative(usize),
    /// Of so many claims and issuers it was not asked what others say of them, or not all of it.
    Unasked(usize),
    /// Some of those who are listened to said more than is listened to, or vouch for more: so many.
    TooMuch(usize),
    /// Some of what others say could not be had.
    OthersFailed(String),
}

/// What 64 hex digits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// An issuer.
    Issuer,
    /// A claim.
    Claim,
    /// A SHA-256.
    Sha256,
    /// Nothing that is known.
    Nothing,
    /// Nothing that anybody speaks of. Whether there is such a claim is open.
    Open,
}

/// The meaning of 64 hex digits, and what could not be found out of it.
struct Meaning {
    about: About,
    resolved: Resolved,
    lacking: Option<Lacking>,
}

impl Asker {
    /// Asks every log about one thing, and finds all that is known.
    ///
    /// Fails as [`Asker::ask`] does, and with [`AskError::Unanswered`] if no log can be reached.
    pub async fn find(&self, about: About, audience: Audience) -> Result<Found, AskError> {
        let mut inquiry = self.inquiry(&about, audience);
        let mut asked = self.ask_any(&inquiry).await?;
        let (mut hints, mut lacking) = (Vec::new(), None);
        let about = match about {
            About::Hex(hash) => {
                let meaning = self.resolve(hash, &claims_of(&asked)).await?;
                hints.push(Hint::Resolved(meaning.resolved));
                lacking = meaning.lacking;
                meaning.about
            }
            about => about,
        };
        let mut signed_by = None;
        match &about {
            About::Claim(id) => {
                if let Some(claim) = self.claim(id).await? {
                    inquiry.places.extend(subjects_of(&claim));
                    let signers = claim.signers().iter();
                    inquiry.also.extend(signers.map(|(issuer, _)| *issuer));
                    asked = self.ask_any(&inquiry).await?;
                }
            }
            About::Issuer(id) => {
                let (signed, lists) = signed(self, id).await?;
                if !signed.newest.is_empty() {
                    inquiry.names.extend(withdrawing(&signed.newest));
                    asked = self.ask_any(&inquiry).await?;
                }
                asked.count(lists, "what it has signed");
                signed_by = Some(signed);
            }
            _ => {}
        }
        let mut claims = claims_of(&asked);
        claims.extend(signed_by.iter().flat_map(|signed| signed.newest.clone()));
        if let About::Claim(id) = &about
            && claims.iter().all(|logged| logged.claim().id() != *id)
        {
            lacking = Some(match self.how() {
                How::Openly => Lacking::ClaimNotShown,
                how => Lacking::ClaimNotAsked(how),
            });
        }
        hints.extend(hints_of(&about, &claims));
        hints.extend(hints_of_others(&asked, &about.names()));
        Ok(Found {
            about,
            asked,
            claims,
            signed: signed_by,
            lacking,
            hints,
        })
    }

    /// What is asked about something. Whoever signed it, or is it, is listened to, too.
    fn inquiry(&self, about: &About, audience: Audience) -> Inquiry {
        Inquiry {
            names: about.names(),
            places: Vec::new(),
            also: about.issuer().into_iter().collect(),
            audience,
            hidden: self.how() == How::Privately,
            of_one: true,
        }
    }

    /// Asks every log. Fails if none of them can be reached.
    async fn ask_any(&self, inquiry: &Inquiry) -> Result<Asked, AskError> {
        let asked = self.ask(inquiry).await?;
        if asked.unreachable().count() < asked.logs.len() {
            return Ok(asked);
        }
        let why: Vec<String> = asked.logs.iter().map(why_silent).collect();
        Err(AskError::Unanswered(plain(&why.join("; "))))
    }

    /// What 64 hex digits are. What nobody has spoken of is taken for a SHA-256.
    async fn resolve(&self, hash: Hash, claims: &[LoggedClaim]) -> Result<Meaning, AskError> {
        let (hex, claim) = (hash.to_hex(), ClaimId::new(hash));
        if let Some(id) = IssuerId::from_hex(&hex)
            && claims.iter().any(|logged| is_record_of(logged, &hex))
        {
            return Ok(Meaning {
                about: About::Issuer(id),
                resolved: Resolved::Issuer,
                lacking: None,
            });
        }
        let mut statements = claims.iter().map(|logged| logged.claim().statement());
        if statements
            .any(|said| kind::target(said.predicate_type(), said.predicate()) == Some(claim))
            || self.claim(&claim).await?.is_some()
        {
            return Ok(Meaning {
                about: About::Claim(claim),
                resolved: Resolved::Claim,
                lacking: None,
            });
        }
        let (resolved, lacking) = if claims.iter().any(|logged| is_about(logged, &hex)) {
            (Resolved::Sha256, None)
        } else {
            match self.how() {
                How::Openly => (Resolved::Nothing, None),
                how => (Resolved::Open, Some(Lacking::IdNotAsked(how))),
            }
        };
        Ok(Meaning {
            about: About::Artifact(Artifact {
                digests: vec![("sha256".to_owned(), hex)],
                ..Artifact::default()
            }),
            resolved,
            lacking,
        })
    }

    /// A claim itself. `None` if no log that can be asked for a single claim has it.
    async fn claim(&self, id: &ClaimId) -> Result<Option<VerifiedClaim>, AskError> {
        for connection in self.askable().await? {
            match connection.entry(LeafRef::Claim(*id)).await {
                Ok(Some(entry)) => return Ok(Some(entry.claim().clone())),
                Ok(None) => {}
                // It did not answer the question either, and that is said.
                Err(ClientError::Refused { .. } | ClientError::Unavailable { .. }) => {}
                Err(source) => {
                    let origin = connection.log.key.name().to_owned();
                    return Err(AskError::OfLog { origin, source });
                }
            }
        }
        Ok(None)
    }
}

impl Connection {
    /// A single entry, from the log or a mirror whose answer holds; `None` if it has no address.
    /// That somebody does not have the entry proves nothing, and ends it.
    async fn entry(&self, leaf: LeafRef) -> Result<Option<VerifiedEntry>, ClientError> {
        loop {
            let asking = async {
                match self.client().await? {
                    None => Ok(None),
                    Some(client) => client.entry(leaf).await.map(Some),
                }
            };
            match self.time.bound(asking).await {
                Ok(entry) => return Ok(entry),
                Err(error @ ClientError::Refused { .. }) => return Err(error),
                Err(mut error) => {
                    if !self.leave(&mut error).await {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// The names of what a claim is about, under which it stands itself.
fn subjects_of(claim: &VerifiedClaim) -> BTreeSet<Name> {
    let labels = index::labels_of_claim(claim);
    let mut names: BTreeSet<Name> = labels.iter().map(Label::name).collect();
    // Its signers may have signed any number of others.
    for (signer, _) in claim.signers() {
        names.remove(&of_issuer(signer));
    }
    names
}

fn claims_of(asked: &Asked) -> Vec<LoggedClaim> {
    asked.claims().cloned().collect()
}

/// A log that did not answer, and why.
fn why_silent(asked: &AskedLog) -> String {
    match &asked.answer {
        Answer::None { why } => format!("{}: {why}", asked.origin()),
        Answer::Complete { .. } | Answer::Partial { .. } => asked.origin().to_owned(),
    }
}

/// The names of what takes claims back. What an issuer signed is found without them.
fn withdrawing(claims: &[LoggedClaim]) -> Vec<Name> {
    let ids = claims.iter().map(|logged| logged.claim().id().to_hex());
    ids.map(|id| Name::new(Kind::Claim, &id)).collect()
}

/// Whether a claim is about the SHA-256 `hex`.
fn is_about(logged: &LoggedClaim, hex: &str) -> bool {
    let subjects = logged.claim().statement().subjects();
    subjects.iter().any(|one| one.digest("sha256") == Some(hex))
}

/// Whether a claim is a record of the issuer `hex`.
fn is_record_of(logged: &LoggedClaim, hex: &str) -> bool {
    matches!(logged.claim().body(), Body::Issuer(_)) && is_about(logged, hex)
}

/// What there is to know about what was left out: that somebody said too much, that there are
/// others who were not listened to, or what was left out of what those of a page say.
fn hints_of_others(asked: &Asked, names: &[Name]) -> Vec<Hint> {
    let mut hints = Vec::new();
    let too_much = asked.limits.len() + asked.overlong().count();
    hints.extend((too_much > 0).then_some(Hint::TooMuch(too_much)));
    let Some(page) = &asked.others else {
        let others = others(asked, names);
        hints.extend((others > 0).then_some(Hint::Others(others)));
        return hints;
    };
    let (talkative, unasked) = (page.talkative, page.unasked);
    hints.extend((talkative > 0).then_some(Hint::Talkative(talkative)));
    hints.extend((unasked > 0).then_some(Hint::Unasked(unasked)));
    hints.extend(page.failed.clone().map(Hint::OthersFailed));
    hints.extend(page.next.map(|next| Hint::MoreOthers {
        heard: page.heard,
        spoke: page.spoke,
        next,
    }));
    hints
}

/// How many spoke of these names in one log who were not listened to.
fn others(asked: &Asked, names: &[Name]) -> u64 {
    let mut most = 0;
    for log in &asked.logs {
        let mut heard: BTreeMap<Name, BTreeSet<By>> = BTreeMap::new();
        for logged in &log.gathered.claims {
            for label in index::labels_of_claim(logged.claim()) {
                heard.entry(label.name()).or_default().insert(label.by());
            }
        }
        for name in names {
            let spoke = log.gathered.speakers.get(name).copied().unwrap_or(0);
            let heard = heard.get(name).map_or(0, BTreeSet::len) as u64;
            most = most.max(spoke.saturating_sub(heard));
        }
    }
    most
}

/// What else there is to know about something.
fn hints_of(about: &About, claims: &[LoggedClaim]) -> Vec<Hint> {
    let About::Artifact(artifact) = about else {
        return Vec::new();
    };
    if let (Some(file), Some(format)) = (&artifact.file, artifact.lists) {
        return vec![Hint::ListOfSoftware {
            file: file.clone(),
            format,
        }];
    }
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for logged in claims {
        for subject in logged.claim().statement().subjects() {
            let mut digests = artifact.digests.iter();
            if digests.any(|(name, hex)| subject.digest(name) == Some(hex)) {
                named.extend(subject.purl().map(|purl| purl.as_str()));
            }
        }
    }
    let named = named.into_iter().take(NAMED);
    named.map(|purl| Hint::Named(purl.to_owned())).collect()
}
