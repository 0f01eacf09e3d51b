//! What one log answers: question by question, each a complete answer, and all of them together
//! complete as of the oldest of their checkpoints.
//!
//! A question names what is spoken of and who is listened to, so that its answer costs what those
//! said, and nobody else can make it longer.

use super::keys::Keys;
use crate::error::BoxError;
use crate::{Allowance, AnswerCache, Client, ClientError, Head, Looked};
use assay_claims::claim::ClaimError;
use assay_claims::index::answer::ProvenEntries;
use assay_claims::index::{By, Kind, Label, Name, Prefix, Query, VerifiedAnswer};
use assay_claims::limits;
use assay_claims::logged::LoggedClaim;
use assay_policy::trust::HeardTo;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::{JoinHandle, spawn_blocking};

/// Names that a private question shall hide among, at least, where the log has as many.
const HIDE_AMONG: u64 = 64;

/// Most bits of a name that a private question tells. It is a constant, because whatever a log says
/// of itself must not lead anybody to tell it more.
const PRIVATE_BITS: u16 = 12;

/// Places at which it is measured how many names begin alike.
const SAMPLES: usize = 4;

/// What is kept are whole answers: what one of them says of a part of its question cannot be
/// verified by itself.
pub(super) const NOT_KEPT: &str = "no answer to this very question was kept; offline, ask only \
    for what was asked before (the same thing, or the same files), or ask once without --offline";

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

impl Source {
    /// The same, of which an answer takes at most so many bytes of memory.
    pub(super) fn with_answers_of(self, bytes: usize) -> Self {
        match self {
            Source::Node(client, cache) => Source::Node(client.with_answers_of(bytes), cache),
            Source::Private(client) => Source::Private(client.with_answers_of(bytes)),
            Source::Kept(cache) => Source::Kept(cache),
        }
    }
}

/// How much private questions gave away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privacy {
    /// Prefixes that the node was told.
    pub prefixes: usize,
    /// The bits of each. All that a log is told of one thing, under several names, has together no
    /// more bits than one name of a package.
    pub bits: u16,
    /// The fewest names that one of them stood for, which the answers prove.
    pub fewest: u64,
}

/// All that bears on what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The claims, by leaf.
    pub claims: Vec<LoggedClaim>,
    /// Entries whose claim does not verify: the log should never have taken them.
    pub broken: Vec<(LeafIndex, ClaimError)>,
    /// How many have spoken of each name that was asked about, whoever they are: the log's word,
    /// but for what was asked. Only of names that somebody spoke of.
    pub speakers: BTreeMap<Name, u64>,
    /// The oldest checkpoint of all questions: the answer is complete as of it.
    pub checkpoint: Option<VerifiedCheckpoint>,
    /// Every head that one of the questions was answered under, each once.
    pub heads: Vec<Head>,
    /// Labels under which more is said than is listened to, so that none of it came, or only the
    /// beginning: how far, if parts of a list could be asked for. That is for the policy to weigh:
    /// it concerns whoever said so much, and nobody else.
    pub overlong: BTreeMap<Label, Option<HeardTo>>,
    /// Why the answer is not complete after all, if it is not.
    pub missing: Option<String>,
    /// What a private question gave away.
    pub privacy: Option<Privacy>,
}

/// Most rounds of claims about claims. Only those who are listened to can make them go on, and they
/// have no reason to.
const ROUNDS: usize = 12;

/// Rounds of questions about what was said of claims, and of what was said of that.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    asked: BTreeSet<Name>,
    taken: usize,
}

impl Rounds {
    /// What to ask about next: those of the claims that were not asked about yet. None at the end;
    /// an error says that it goes on beyond [`ROUNDS`].
    pub(super) fn next(&mut self, found: &[LoggedClaim]) -> Result<Vec<Name>, String> {
        let mut about = names_of(found);
        about.retain(|name| self.asked.insert(*name));
        self.taken += 1;
        if !about.is_empty() && self.taken > ROUNDS {
            return Err(format!(
                "claims about claims go on beyond {ROUNDS} rounds of questions"
            ));
        }
        Ok(about)
    }
}

/// The names under which others speak of these claims, each once, sorted.
pub(super) fn names_of(claims: &[LoggedClaim]) -> Vec<Name> {
    let ids = claims.iter().map(|logged| logged.claim().id().to_hex());
    distinct(ids.map(|id| Name::new(Kind::Claim, &id)))
}

/// Each once, sorted.
pub(super) fn distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let set: BTreeSet<T> = items.into_iter().collect();
    set.into_iter().collect()
}

/// Gathers what `by` said about `names` in one log, and what they said about that: every round is a
/// complete answer, and the last one brings nothing new.
///
/// Whom to listen to is the caller's to know; [`Asker`](super::Asker) has it from a policy. An
/// answer that does not verify ends it; one that is lacking is said to be.
pub async fn gather(source: &Source, names: &[Name], by: &[By]) -> Result<Gathered, ClientError> {
    let mut gathering = Gathering::default();
    let mut found = if let Source::Private(_) = source {
        let (found, crowd) = gathering.ask_privately(source, names, by).await?;
        [found, crowd].concat()
    } else {
        gathering.ask(source, names, by).await?
    };
    let mut rounds = Rounds::default();
    loop {
        match rounds.next(&found) {
            Ok(about) if about.is_empty() => break,
            Ok(about) => found = gathering.ask(source, &about, by).await?,
            Err(why) => {
                gathering.lack(why);
                break;
            }
        }
    }
    Ok(gathering.finish())
}

/// An answer that is being kept for later.
struct Keeping(Option<JoinHandle<Result<(), ClientError>>>);

impl Keeping {
    /// Waits until it is kept.
    async fn done(self) -> Result<(), ClientError> {
        match self.0 {
            None => Ok(()),
            Some(keeping) => keeping.await.unwrap_or_else(|error| {
                Err(ClientError::unavailable(
                    "the answer was not kept",
                    BoxError::from(error),
                ))
            }),
        }
    }
}

/// What was gathered of one log so far.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) gathered: Gathered,
    claims: BTreeMap<LeafIndex, LoggedClaim>,
    /// What lists that come in pages may still take, all of them together.
    pub(super) paged: Option<Allowance>,
    /// The same for the beginnings of lists that are too long.
    pub(super) beginnings: Option<Allowance>,
    /// Of how many names of one thing a log is told, which it can join; 1 if of things apart.
    joint: u16,
    /// The log that is so small that this one is told less.
    smaller: Option<String>,
}

impl Gathering {
    /// Asks what `by` said about `names`. Returns the claims that are new.
    ///
    /// Fails if an answer does not verify; one that is lacking is said to be
    /// ([`Gathered::missing`]).
    pub(super) async fn ask(
        &mut self,
        source: &Source,
        names: &[Name],
        by: &[By],
    ) -> Result<Vec<LoggedClaim>, ClientError> {
        let mut found = Vec::new();
        for names in names.chunks(limits::LOOKUP_NAMES) {
            for by in by.chunks(limits::LOOKUP_BY) {
                let query = Query::names(names.iter().copied(), by.iter().copied());
                if let (Some(answer), keeping) = self.answer_kept_beside(source, &query).await? {
                    self.count(names, &answer)?;
                    let new = self.take(source, answer, |_| true).await;
                    keeping.done().await?;
                    found.extend(new?);
                }
            }
        }
        Ok(found)
    }

    /// Asks what `by` said about `names`, telling the log no more than the first bits of each.
    /// Returns the claims about `names` that are new, and all claims about the names that they hide
    /// among.
    pub(super) async fn ask_privately(
        &mut self,
        source: &Source,
        names: &[Name],
        by: &[By],
    ) -> Result<(Vec<LoggedClaim>, Vec<LoggedClaim>), ClientError> {
        self.private_bits(source).await?;
        let bits = self.told_bits();
        let mut prefixes: BTreeMap<Prefix, BTreeSet<Name>> = BTreeMap::new();
        for name in names {
            let prefix = Prefix::of(name.prefix().first(), bits);
            prefixes.entry(prefix).or_default().insert(*name);
        }
        let (mut found, mut crowd) = (Vec::new(), Vec::new());
        for (prefix, names) in &prefixes {
            let names: Vec<Name> = names.iter().copied().collect();
            for by in by.chunks(limits::LOOKUP_BY) {
                let query = Query::crowd(*prefix, by.iter().copied());
                let answer = self.answer(source, &query).await;
                let Some(answer) = answer.map_err(|error| self.too_short(error))? else {
                    continue;
                };
                let hidden = answer.crowd_names(prefix).map_err(left_out)?;
                self.hidden_among(hidden.len() as u64);
                self.count(&names, &answer)?;
                crowd.extend(claims_in(&answer));
                let taken = self.take(source, answer, |label| names.contains(&label.name()));
                found.extend(taken.await?);
            }
            if let Some(privacy) = &mut self.gathered.privacy {
                privacy.prefixes += 1;
            }
        }
        Ok((found, crowd))
    }

    /// How many bits of a name can be told. It is measured on names that nobody asks about: at
    /// prefixes drawn at random, of which the smallest crowd counts. A single place, which all can
    /// know beforehand, could be filled with names that somebody makes up.
    pub(super) async fn private_bits(&mut self, source: &Source) -> Result<(), ClientError> {
        if self.gathered.privacy.is_some() {
            return Ok(());
        }
        let mut bits = PRIVATE_BITS;
        loop {
            let mut names = u64::MAX;
            for _ in 0..SAMPLES {
                names = names.min(self.crowd_anywhere(source, bits).await?);
                if names < 2 * HIDE_AMONG {
                    break;
                }
            }
            // A crowd twice as large on average, because crowds vary.
            if names >= 2 * HIDE_AMONG || bits == 0 {
                break;
            }
            let short = (2 * HIDE_AMONG).div_ceil(names.max(1));
            bits = bits.saturating_sub(short.next_power_of_two().ilog2().max(1) as u16);
        }
        self.gathered.privacy = Some(Privacy {
            prefixes: 0,
            bits,
            fewest: u64::MAX,
        });
        Ok(())
    }

    /// How many names begin with some prefix of so many bits.
    async fn crowd_anywhere(&mut self, source: &Source, bits: u16) -> Result<u64, ClientError> {
        let mut label = [0; 32];
        getrandom::fill(&mut label).map_err(|error| {
            ClientError::unavailable("there is no randomness", BoxError::from(error))
        })?;
        let somewhere = Prefix::of(&Label::from_bytes(label), bits);
        let query = Query::crowd(somewhere, [By::predicate_type("")]);
        Ok(match self.answer(source, &query).await? {
            Some(answer) => answer.crowd_names(&somewhere).map_err(left_out)?.len() as u64,
            None => 0,
        })
    }

    /// Tells this log no more bits than so many, which are those of a smaller log.
    pub(super) fn tell_at_most(&mut self, bits: u16, log: &str) {
        if let Some(privacy) = &mut self.gathered.privacy
            && bits < privacy.bits
        {
            privacy.bits = bits;
            self.smaller = Some(log.to_owned());
        }
    }

    /// All names that are asked about privately are so many names of one thing. A log that knows
    /// what there is can tell which of it has all of the prefixes, so that they share the bits of
    /// one.
    pub(super) fn join(&mut self, names: usize) {
        self.joint = u16::try_from(names).unwrap_or(u16::MAX);
    }

    /// How many bits of each name are told.
    pub(super) fn told_bits(&self) -> u16 {
        let bits = self.gathered.privacy.map_or(0, |privacy| privacy.bits);
        bits / self.joint.max(1)
    }

    /// What to do about a prefix that a log refuses because too many names begin so.
    pub(super) fn too_short(&self, error: ClientError) -> ClientError {
        let ClientError::Refused { code, message } = error else {
            return error;
        };
        let (bits, joint) = (self.told_bits(), self.joint.max(1));
        let what = match &self.smaller {
            Some(log) => format!(
                "no more is told, because so few names are in the log {log}; ask under a policy \
                 without that log"
            ),
            None if joint > 1 => "no more is told, because it has so many names, which can be \
                joined; ask about one of its names, such as one digest"
                .to_owned(),
            None => "no more is told".to_owned(),
        };
        ClientError::Refused {
            code,
            message: format!(
                "it does not say what begins with {bits} bits of a name ({message}), and {what}, \
                 or keep a copy of the log, or ask without --private, which tells it what you ask \
                 about"
            ),
        }
    }

    /// One prefix stands for so many names.
    fn hidden_among(&mut self, names: u64) {
        if let Some(privacy) = &mut self.gathered.privacy {
            privacy.fewest = privacy.fewest.min(names);
        }
    }

    pub(super) async fn answer(
        &mut self,
        source: &Source,
        query: &Query,
    ) -> Result<Option<VerifiedAnswer>, ClientError> {
        let (answer, keeping) = self.answer_kept_beside(source, query).await?;
        keeping.done().await?;
        Ok(answer)
    }

    /// An answer, while it is still being kept for later: to write it takes one core a while, in
    /// which others can be busy with what it says.
    async fn answer_kept_beside(
        &mut self,
        source: &Source,
        query: &Query,
    ) -> Result<(Option<VerifiedAnswer>, Keeping), ClientError> {
        match source {
            Source::Node(client, cache) => {
                let Looked { answer, bytes } = client.lookup(query).await?;
                let keeping = cache.clone().map(|cache| {
                    let query = query.clone();
                    spawn_blocking(move || cache.store(&query, &bytes))
                });
                Ok((Some(answer), Keeping(keeping)))
            }
            Source::Private(client) => {
                Ok((Some(client.lookup(query).await?.answer), Keeping(None)))
            }
            Source::Kept(cache) => {
                let kept = cache.load(query)?;
                if kept.is_none() {
                    self.lack(NOT_KEPT.into());
                }
                Ok((kept, Keeping(None)))
            }
        }
    }

    pub(super) fn count(
        &mut self,
        names: &[Name],
        answer: &VerifiedAnswer,
    ) -> Result<(), ClientError> {
        for name in names {
            let speakers = answer.speakers(name).map_err(left_out)?;
            if speakers > 0 {
                self.gathered.speakers.insert(*name, speakers);
            }
        }
        Ok(())
    }

    pub(super) fn complete_as_of(&mut self, answer: &ProvenEntries) {
        let gathered = &mut self.gathered;
        Head::add(&mut gathered.heads, answer);
        let checkpoint = answer.checkpoint();
        let oldest = gathered.checkpoint.as_ref();
        if oldest.is_none_or(|oldest| checkpoint.size() < oldest.size()) {
            gathered.checkpoint = Some(checkpoint.clone());
        }
    }

    pub(super) fn keep(
        &mut self,
        answer: &ProvenEntries,
        wanted: &BTreeSet<LeafIndex>,
    ) -> Vec<LoggedClaim> {
        let mut new = Vec::new();
        let unknown: Vec<LeafIndex> = wanted
            .iter()
            .filter(|leaf| !self.claims.contains_key(leaf))
            .copied()
            .collect();
        // Signatures are most of the work of an answer, and each is checked by itself: so on all
        // cores.
        let keys = Keys::of(answer, &unknown);
        let verified: Vec<_> = unknown
            .into_par_iter()
            .filter_map(|leaf| Some((leaf, answer.claim(&keys, leaf)?)))
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

    /// Whether an answer to one of the questions was not kept.
    pub(super) fn is_unkept(&self) -> bool {
        self.gathered.missing.as_deref() == Some(NOT_KEPT)
    }

    /// Says why the answer is not complete, unless something was said before.
    pub(super) fn lack(&mut self, why: String) {
        self.gathered.missing.get_or_insert(why);
    }

    /// All that was gathered.
    pub(super) fn finish(mut self) -> Gathered {
        let bits = self.told_bits();
        if let Some(privacy) = &mut self.gathered.privacy {
            privacy.bits = bits;
        }
        self.gathered.claims = self.claims.into_values().collect();
        self.gathered
    }
}

/// The claims in an answer that verify, whatever they are about. What does not verify is found when
/// it is asked for.
fn claims_in(answer: &VerifiedAnswer) -> Vec<LoggedClaim> {
    let claims = answer.proven().claims(&(), |_| true);
    claims
        .into_iter()
        .filter_map(|(_, claim)| claim.ok())
        .collect()
}

fn left_out(error: assay_claims::index::CutError) -> ClientError {
    ClientError::unverified_by("the answer leaves out what was asked for", error)
}
