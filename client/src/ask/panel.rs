//! Every log of a policy, being asked the same questions at the same time.
//!
//! What a question brings in one log can lead to the next question in all of them: whom an issuer
//! vouches for, and what was withdrawn, counts across logs.

use super::census::Window;
use super::confirmed::{Unconfirmed, confirmed};
use super::connection::{Connection, How};
use super::gather::{Gathered, Gathering, NOT_KEPT, Source};
use super::logs::LogAddress;
use super::newest::SignedThere;
use super::share::Heard;
use crate::{AnswerCache, ClientError, one_line};
use assay_claims::index::{By, Found, Label, Name};
use assay_claims::logged::LoggedClaim;
use assay_tlog::tlog_policy::TlogPolicy;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Memory for one answer that is asked for aside, in bytes, about.
const ASIDE_BYTES: usize = 64 << 20;

/// A question to every log.
#[derive(Debug, Clone, Copy)]
enum Question<'q> {
    /// What these said about these names.
    Names(&'q [Name], &'q [By]),
    /// The same, of which the logs learn only the first bits of each name.
    Hidden(&'q [Name], &'q [By]),
    /// How many bits of a name may be told.
    Density,
    /// Who spoke of a name, of those who are wanted.
    Speakers(&'q Name, Window<'q>),
    /// Who spoke of anything that begins like a name.
    HiddenSpeakers(&'q Name),
    /// What these said about these names, within so many bytes in all.
    Shared(&'q [Name], &'q [By], usize),
    /// The newest so many leaves of these labels, whose lists were found before, within so many
    /// bytes in all.
    Newest(&'q BTreeSet<Label>, u64, usize),
    /// What the issuer of this name signed.
    Signed(&'q Name),
}

/// What a log told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// New claims that were asked for.
    pub claims: Vec<LoggedClaim>,
    /// Claims about what the names hide among.
    pub crowd: Vec<LoggedClaim>,
    /// Those who said more than their share.
    unheard: BTreeSet<By>,
    /// Who spoke.
    lists: Vec<Found>,
    /// What an issuer signed.
    signed: Option<SignedThere>,
}

/// One log.
#[derive(Debug)]
struct Member {
    connection: Connection,
    how: How,
    source: Option<Source>,
    gathering: Gathering,
    /// Why it is asked no more.
    failed: Option<ClientError>,
    /// Whether what is asked now touches nothing that was asked before.
    aside: bool,
    /// Why something that was asked aside could not be had.
    failed_aside: Option<String>,
    /// How long the lists are that were found last of each label.
    lengths: BTreeMap<Label, u64>,
}

/// Every log.
#[derive(Debug)]
pub(super) struct Panel {
    members: Vec<Member>,
}

impl Panel {
    pub(super) fn new(connections: &[Connection], how: How) -> Self {
        let mut members = Vec::with_capacity(connections.len());
        for connection in connections {
            members.push(Member {
                connection: connection.clone(),
                how,
                source: None,
                gathering: Gathering::default(),
                failed: None,
                aside: false,
                failed_aside: None,
                lengths: BTreeMap::new(),
            });
        }
        Panel { members }
    }

    /// Asks what `by` said about `names`. Returns the claims that are new.
    pub(super) async fn ask(&mut self, names: &[Name], by: &[By]) -> Vec<LoggedClaim> {
        if names.is_empty() || by.is_empty() {
            return Vec::new();
        }
        self.put(Question::Names(names, by)).await.claims
    }

    /// Asks what `by` said about `names`, of which the logs learn only the first bits of each.
    pub(super) async fn ask_hidden(&mut self, names: &[Name], by: &[By]) -> Told {
        if names.is_empty() || by.is_empty() {
            return Told::default();
        }
        self.level().await;
        self.put(Question::Hidden(names, by)).await
    }

    /// Has every log told as few bits as the one in which the fewest names hide each other: whoever
    /// runs that one may run another, or hear of what it was asked.
    async fn level(&mut self) {
        self.put(Question::Density).await;
        let mut told = Vec::new();
        for member in &self.members {
            if let Some(privacy) = member.gathering.gathered.privacy {
                told.push((privacy.bits, member.connection.log.key.name().to_owned()));
            }
        }
        let Some((fewest, log)) = told.into_iter().min() else {
            return;
        };
        for member in &mut self.members {
            member.gathering.tell_at_most(fewest, &log);
        }
    }

    /// Has every log told of so many names of one thing, from now on.
    pub(super) fn join(&mut self, names: usize) {
        for member in &mut self.members {
            member.gathering.join(names);
        }
    }

    /// Asks who spoke of a name, of those who are wanted, with the lengths of their lists in each
    /// log.
    pub(super) async fn speakers(&mut self, name: &Name, window: Window<'_>) -> Vec<Found> {
        self.put(Question::Speakers(name, window)).await.lists
    }

    /// Asks who spoke of anything that begins like a name, of which the logs learn only the first
    /// bits.
    pub(super) async fn speakers_hidden(&mut self, name: &Name) -> Vec<Found> {
        self.level().await;
        self.put(Question::HiddenSpeakers(name)).await.lists
    }

    /// Asks what `by` said about `names`, of which no log brings more than so many bytes, and none
    /// of them more than a share ([`Gathering::ask_shared`]).
    pub(super) async fn ask_shared(&mut self, names: &[Name], by: &[By], bytes: usize) -> Heard {
        if names.is_empty() || by.is_empty() {
            return Heard::default();
        }
        let told = self.put(Question::Shared(names, by, bytes)).await;
        Heard {
            claims: told.claims,
            unheard: told.unheard,
        }
    }

    /// Asks for the newest so many leaves of labels that [`Panel::speakers`] found, which are the
    /// newest as of then, within so many bytes in all.
    pub(super) async fn newest(
        &mut self,
        labels: &BTreeSet<Label>,
        most: u64,
        bytes: usize,
    ) -> Vec<LoggedClaim> {
        if labels.is_empty() {
            return Vec::new();
        }
        self.put(Question::Newest(labels, most, bytes)).await.claims
    }

    /// Asks what the issuer of this name signed, in each log.
    pub(super) async fn signed(&mut self, issuer: &Name) -> Vec<Option<SignedThere>> {
        let members = self.members.iter_mut();
        let told = join_all(members.map(|member| member.put(Question::Signed(issuer)))).await;
        told.into_iter().map(|told| told.signed).collect()
    }

    /// How many have spoken of a name that was asked about, in the log in which most did.
    pub(super) fn spoke(&self, name: &Name) -> u64 {
        let members = self.members.iter();
        let counts = members.filter_map(|member| member.gathering.gathered.speakers.get(name));
        counts.copied().max().unwrap_or(0)
    }

    /// Begins, or ends, to ask aside: what a log refuses, does not answer or does not answer in
    /// full leaves its answer to what was asked before as it is, and no answer takes much memory.
    /// What does not verify ends it all the same.
    pub(super) fn aside(&mut self, aside: bool) {
        for member in &mut self.members {
            member.aside = aside;
        }
    }

    /// Why something that was asked aside could not be had.
    pub(super) fn failed_aside(&self) -> Option<String> {
        let mut members = self.members.iter();
        members.find_map(|member| member.failed_aside.clone())
    }

    /// Asks those logs no more of which a part of the answers so far was not kept: offline, there
    /// is no answer without what was asked first.
    pub(super) fn leave_unkept(&mut self) {
        for member in &mut self.members {
            if member.failed.is_none() && member.gathering.is_unkept() {
                member.failed = Some(ClientError::Unavailable {
                    what: NOT_KEPT.to_owned(),
                    retry_after: None,
                    source: None,
                });
            }
        }
    }

    /// Says of every log why its answer is not complete.
    pub(super) fn lack(&mut self, why: &str) {
        for member in &mut self.members {
            member.gathering.lack(why.to_owned());
        }
    }

    /// Whether a mirror is asked in place of a log.
    pub(super) async fn has_mirrors(&self) -> bool {
        for member in &self.members {
            if member.connection.mirror().await.is_some() {
                return true;
            }
        }
        false
    }

    /// Fails those logs of which a mirror answered with heads that cannot be relied on.
    pub(super) async fn confirm(&mut self, tlog: Option<&TlogPolicy>) {
        for member in &mut self.members {
            if member.failed.is_some() || member.connection.mirror().await.is_none() {
                continue;
            }
            let heads = &member.gathering.gathered.heads;
            if let Err(Unconfirmed { error, .. }) =
                confirmed(tlog, &member.connection.log.key, heads)
            {
                let what = "its head cannot be relied on";
                member.failed = Some(ClientError::unavailable(what, error));
            }
        }
    }

    /// Has those logs asked elsewhere that failed. Returns whether there is somebody else to ask.
    pub(super) async fn go_elsewhere(&mut self) -> bool {
        let mut elsewhere = false;
        for member in &mut self.members {
            if let Some(error) = &mut member.failed {
                elsewhere |= member.connection.leave(error).await;
            }
        }
        elsewhere
    }

    /// What came of each log, or why it was asked no more.
    pub(super) fn finish(self) -> Vec<(LogAddress, Result<Gathered, ClientError>)> {
        let mut gathered = Vec::with_capacity(self.members.len());
        for member in self.members {
            let outcome = match member.failed {
                Some(error) => Err(error),
                None => Ok(member.gathering.finish()),
            };
            gathered.push((member.connection.log, outcome));
        }
        gathered
    }

    async fn put(&mut self, question: Question<'_>) -> Told {
        let members = self.members.iter_mut();
        let answers = join_all(members.map(|member| member.put(question))).await;
        let mut told = Told::default();
        for answer in answers {
            told.claims.extend(answer.claims);
            told.crowd.extend(answer.crowd);
            told.lists.extend(answer.lists);
            told.unheard.extend(answer.unheard);
        }
        told
    }
}

impl Member {
    async fn put(&mut self, question: Question<'_>) -> Told {
        if self.failed.is_some() {
            return Told::default();
        }
        let time = self.connection.time.clone();
        let put = time.bound(self.try_put_beside(question)).await;
        match put {
            Ok(told) => told,
            Err(error @ (ClientError::Unavailable { .. } | ClientError::Refused { .. }))
                if self.aside =>
            {
                self.failed_aside.get_or_insert_with(|| one_line(&error));
                Told::default()
            }
            Err(error) => {
                self.failed = Some(error);
                Told::default()
            }
        }
    }

    /// Asks; if that is aside, what the answer lacks is noted apart. A prefix that is told again
    /// tells nothing.
    async fn try_put_beside(&mut self, question: Question<'_>) -> Result<Told, ClientError> {
        if !self.aside {
            return self.try_put(question).await;
        }
        let missing = self.gathering.gathered.missing.take();
        let privacy = self.gathering.gathered.privacy;
        let outcome = self.try_put(question).await;
        let gathered = &mut self.gathering.gathered;
        let lacking = std::mem::replace(&mut gathered.missing, missing);
        self.failed_aside = self.failed_aside.take().or(lacking);
        if let (Some(before), Some(now)) = (privacy, &mut gathered.privacy) {
            now.prefixes = before.prefixes;
        }
        outcome
    }

    async fn try_put(&mut self, question: Question<'_>) -> Result<Told, ClientError> {
        let source = match &self.source {
            Some(source) => source.clone(),
            None => self
                .source
                .insert(self.connection.source(self.how).await?)
                .clone(),
        };
        let source = if self.aside {
            source.with_answers_of(ASIDE_BYTES)
        } else {
            source
        };
        let gathering = &mut self.gathering;
        let mut told = Told::default();
        match question {
            Question::Names(names, by) => {
                told.claims = gathering.ask(&source, names, by).await?;
            }
            Question::Hidden(names, by) => {
                (told.claims, told.crowd) = gathering.ask_privately(&source, names, by).await?;
            }
            Question::Density => {
                gathering.private_bits(&source).await?;
            }
            Question::Speakers(name, window) => {
                told.lists = gathering.speakers(&source, name, window).await?;
                let lists = told.lists.iter();
                self.lengths
                    .extend(lists.map(|list| (list.label, list.length)));
            }
            Question::HiddenSpeakers(name) => {
                told.lists = gathering.speakers_privately(&source, name).await?;
            }
            Question::Shared(names, by, bytes) => {
                let heard = gathering.ask_shared(&source, names, by, bytes).await?;
                (told.claims, told.unheard) = (heard.claims, heard.unheard);
            }
            Question::Newest(labels, most, bytes) => {
                let length = |label| self.lengths.get(label).copied().unwrap_or(0);
                let lists = labels.iter().map(|label| (*label, length(label))).collect();
                told.claims = gathering
                    .newest_shared(&source, &lists, most, bytes)
                    .await?;
            }
            Question::Signed(issuer) => told.signed = gathering.signed(&source, issuer).await?,
        }
        Ok(told)
    }
}

impl Connection {
    /// Where answers of the log come from. Connects if they come from a node.
    pub(super) async fn source(&self, how: How) -> Result<Source, ClientError> {
        let client = match how {
            How::Offline => None,
            How::Openly | How::Privately => self.client().await?,
        };
        let cache = AnswerCache::new(&self.state_dir, &self.log.key).signed_by(&self.log.older);
        Ok(match (client, how) {
            (None, _) => Source::Kept(cache),
            (Some(client), How::Privately) => Source::Private(client),
            (Some(client), _) => Source::Node(client, self.keeps.then_some(cache)),
        })
    }
}
