//! Gathering all that bears on some components: the claims about them, what others say of those
//! claims, and the records, endorsements and compromises of everybody who signed any of it.
//!
//! It asks in rounds, each one batch, or several if it is large: every claim found adds the labels
//! by which it can be withdrawn, answered or disputed, and those of its signers. A round that finds
//! no new claim is the last. So that a withdrawal cannot be hidden, every round is a complete
//! answer; the claims of all of them are complete as of the oldest of their checkpoints.

use crate::{AnswerCache, Client, ClientError, Looked};
use assay_claims::claim::ClaimError;
use assay_claims::index::answer::ProvenEntries;
use assay_claims::index::{Kind, Label, Prefix, VerifiedAnswer};
use assay_claims::issuer::IssuerId;
use assay_claims::limits::LOOKUP_LABELS;
use assay_claims::logged::LoggedClaim;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Most rounds: claims about claims, and endorsers of endorsers, end long before, but for somebody
/// who wants them not to.
const ROUNDS: usize = 12;

/// Labels that a private question shall hide among, at least.
const HIDE_AMONG: u64 = 16;

/// What is kept are whole answers: what one of them says of a part of its question cannot be
/// verified by itself.
const NOT_KEPT: &str = "no answer to this very question was kept; offline, ask only for what was \
    asked before (the same thing, or the same files), or ask once without --offline";

/// Where answers come from.
#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each log, and it is never moved about"
)]
pub enum Source {
    /// A node. What it answers is kept for later, if there is a cache.
    Node(Client, Option<AnswerCache>),
    /// A node, asked by prefixes only. Nothing is kept.
    Private(Client),
    /// What was kept.
    Kept(AnswerCache),
}

/// How much a private question gave away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privacy {
    /// Prefixes that the node was told.
    pub prefixes: usize,
    /// The fewest labels that one of them stood for.
    pub fewest: u64,
}

/// All that bears on what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The claims, by leaf.
    pub claims: Vec<LoggedClaim>,
    /// Entries whose claim does not verify: the log should never have taken them.
    pub broken: Vec<(LeafIndex, ClaimError)>,
    /// The leaves under each label that was asked for.
    pub leaves: BTreeMap<Label, Vec<LeafIndex>>,
    /// The oldest checkpoint of all rounds: the answer is complete as of it.
    pub checkpoint: Option<VerifiedCheckpoint>,
    /// Every checkpoint that one of the rounds was answered under, each once.
    pub checkpoints: Vec<VerifiedCheckpoint>,
    /// When the oldest checkpoint's commitment was made, by the log's clock, in milliseconds since
    /// 1970 (UTC).
    pub head_at_ms: u64,
    /// Why the answer is not complete after all, if it is not.
    pub missing: Option<String>,
    /// What a private question gave away.
    pub privacy: Option<Privacy>,
}

/// What was gathered so far.
#[derive(Default)]
struct Gathering {
    gathered: Gathered,
    claims: BTreeMap<LeafIndex, LoggedClaim>,
    asked: BTreeSet<Label>,
}

/// Gathers all that bears on `labels`. An answer that does not verify ends it; one that is lacking
/// is said to be.
pub async fn gather(
    source: &Source,
    labels: impl IntoIterator<Item = Label>,
) -> Result<Gathered, ClientError> {
    let mut gathering = Gathering::default();
    let mut next: BTreeSet<Label> = labels.into_iter().collect();
    for _ in 0..ROUNDS {
        if next.is_empty() {
            break;
        }
        let labels: Vec<Label> = next.iter().copied().collect();
        gathering.asked.extend(&labels);
        let mut found = Vec::new();
        for labels in labels.chunks(LOOKUP_LABELS) {
            for answer in gathering.ask(source, labels).await? {
                found.extend(gathering.take(source, answer, labels).await?);
            }
        }
        next = found
            .iter()
            .flat_map(related)
            .filter(|label| !gathering.asked.contains(label))
            .collect();
    }
    if !next.is_empty() {
        gathering.lack(format!(
            "claims about claims go on beyond {ROUNDS} rounds of questions"
        ));
    }
    Ok(gathering.finish())
}

/// The labels under which a claim is spoken of: itself, and those who signed it.
fn related(claim: &LoggedClaim) -> Vec<Label> {
    let issuer = |id: &IssuerId| Label::new(Kind::Digest, &format!("sha256:{id}"));
    let mut labels = vec![Label::new(Kind::Claim, &claim.claim().id().to_hex())];
    labels.extend(claim.claim().signers().iter().map(|(id, _)| issuer(id)));
    labels
}

impl Gathering {
    async fn ask(
        &mut self,
        source: &Source,
        labels: &[Label],
    ) -> Result<Vec<VerifiedAnswer>, ClientError> {
        match source {
            Source::Node(client, cache) => {
                let Looked { answer, bytes } = client.lookup(labels).await?;
                if let Some(cache) = cache {
                    cache.store(labels, &bytes)?;
                }
                Ok(vec![answer])
            }
            Source::Kept(cache) => match cache.load(labels)? {
                Some(answer) => Ok(vec![answer]),
                None => {
                    self.lack(NOT_KEPT.into());
                    Ok(Vec::new())
                }
            },
            Source::Private(client) => self.ask_privately(client, labels).await,
        }
    }

    async fn ask_privately(
        &mut self,
        client: &Client,
        labels: &[Label],
    ) -> Result<Vec<VerifiedAnswer>, ClientError> {
        let (_, commitment) = client.commitment().await?;
        // One bit less than would do on average: how many labels share a prefix varies.
        let bits = (commitment.labels / HIDE_AMONG)
            .checked_ilog2()
            .unwrap_or(0)
            .saturating_sub(1);
        let prefixes: BTreeSet<Prefix> = labels
            .iter()
            .map(|label| Prefix::of(label, bits as u16))
            .collect();
        let mut answers = Vec::with_capacity(prefixes.len());
        for prefix in &prefixes {
            answers.push(client.lookup_prefix(prefix).await?.answer);
        }
        let privacy = self.gathered.privacy.get_or_insert(Privacy {
            prefixes: 0,
            fewest: u64::MAX,
        });
        privacy.prefixes += prefixes.len();
        let fewest = answers
            .iter()
            .map(|answer| answer.lists().len() as u64)
            .min();
        privacy.fewest = privacy.fewest.min(fewest.unwrap_or(u64::MAX));
        Ok(answers)
    }

    /// Takes what an answer says under `labels`, which are sorted. Returns the claims that are new.
    async fn take(
        &mut self,
        source: &Source,
        answer: VerifiedAnswer,
        labels: &[Label],
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        self.complete_as_of(answer.proven());
        let mut wanted = BTreeSet::new();
        let mut long = Vec::new();
        // An answer to one prefix of many holds few of the labels, and many others.
        for (label, list) in answer
            .lists()
            .iter()
            .filter(|(label, _)| labels.binary_search(label).is_ok())
        {
            self.gathered.leaves.insert(*label, list.leaves.clone());
            wanted.extend(list.leaves.iter().copied());
            if list
                .leaves
                .iter()
                .any(|leaf| !answer.entries().contains_key(leaf))
            {
                long.push(*label);
            }
        }
        let mut new = self.keep(answer.proven(), &wanted);
        for label in long {
            match source {
                Source::Node(client, _) => new.extend(self.take_whole(client, &label).await?),
                Source::Private(_) => self.lack(
                    "more is said than can be asked for privately; ask without --private".into(),
                ),
                Source::Kept(_) => {
                    self.lack("more is said than was kept; ask without --offline".into())
                }
            }
        }
        Ok(new)
    }

    /// Takes a list that is too long for an answer to many labels. It may have grown since.
    async fn take_whole(
        &mut self,
        client: &Client,
        label: &Label,
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        let (mut new, mut leaves) = (Vec::new(), Vec::new());
        for page in client.list(label).await?.pages() {
            self.complete_as_of(page.proven());
            let listed = page.leaves();
            new.extend(self.keep(page.proven(), &listed.iter().copied().collect()));
            leaves.extend_from_slice(listed);
        }
        self.gathered.leaves.insert(*label, leaves);
        Ok(new)
    }

    fn complete_as_of(&mut self, answer: &ProvenEntries) {
        if self
            .gathered
            .checkpoints
            .iter()
            .all(|known| known.note() != answer.checkpoint().note())
        {
            self.gathered.checkpoints.push(answer.checkpoint().clone());
        }

        if self
            .gathered
            .checkpoint
            .as_ref()
            .is_none_or(|known: &VerifiedCheckpoint| answer.checkpoint().size() < known.size())
        {
            self.gathered.checkpoint = Some(answer.checkpoint().clone());
            self.gathered.head_at_ms = answer.made_at_ms();
        }
    }

    fn keep(&mut self, answer: &ProvenEntries, wanted: &BTreeSet<LeafIndex>) -> Vec<LoggedClaim> {
        let mut new = Vec::new();
        let unknown: Vec<LeafIndex> = wanted
            .iter()
            .filter(|leaf| !self.claims.contains_key(leaf))
            .copied()
            .collect();
        // Signatures are most of the work of an answer, and each is checked by itself: so on all
        // cores.
        let verified: Vec<_> = unknown
            .into_par_iter()
            .filter_map(|leaf| Some((leaf, answer.claim(&(), leaf)?)))
            .collect();
        for (leaf, claim) in verified {
            match claim {
                Ok(claim) => new.push(claim),
                Err(error) if self.gathered.broken.iter().all(|(at, _)| *at != leaf) => {
                    self.gathered.broken.push((leaf, error));
                }
                Err(_) => {}
            }
        }
        self.claims
            .extend(new.iter().map(|claim| (claim.leaf(), claim.clone())));
        new
    }

    fn lack(&mut self, why: String) {
        self.gathered.missing.get_or_insert(why);
    }

    fn finish(mut self) -> Gathered {
        self.gathered.claims = self.claims.into_values().collect();
        self.gathered
    }
}
