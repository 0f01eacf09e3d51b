//! Every log of a policy, being asked the same questions at the same time.
//!
//! What a question brings in one log can lead to the next question in all of them: whom an issuer
//! vouches for, and what was withdrawn, counts across logs.

use super::connection::{Connection, How};
use super::gather::{Gathered, Gathering, NOT_KEPT, Source};
use super::logs::LogAddress;
use crate::{AnswerCache, ClientError};
use assay_claims::index::{By, Name};
use assay_claims::logged::LoggedClaim;
use futures::future::join_all;

/// A question to every log.
#[derive(Debug, Clone, Copy)]
enum Question<'q> {
    /// What these said about these names.
    Names(&'q [Name], &'q [By]),
    /// The same, of which the logs learn only the first bits of each name.
    Hidden(&'q [Name], &'q [By]),
    /// Who spoke of a name at all.
    Census(&'q Name),
    /// Who spoke of anything that begins like a name.
    HiddenCensus(&'q Name),
}

/// What a log told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// New claims that were asked for.
    pub claims: Vec<LoggedClaim>,
    /// Claims about what the names hide among.
    pub crowd: Vec<LoggedClaim>,
    /// Who spoke.
    by: Vec<By>,
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
        self.put(Question::Hidden(names, by)).await
    }

    /// Asks who spoke of a name at all.
    pub(super) async fn census(&mut self, name: &Name) -> Vec<By> {
        self.put(Question::Census(name)).await.by
    }

    /// Asks who spoke of anything that begins like a name, of which the logs learn only the first
    /// bits.
    pub(super) async fn census_hidden(&mut self, name: &Name) -> Vec<By> {
        self.put(Question::HiddenCensus(name)).await.by
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
            told.by.extend(answer.by);
        }
        told
    }
}

impl Member {
    async fn put(&mut self, question: Question<'_>) -> Told {
        if self.failed.is_some() {
            return Told::default();
        }
        match self.try_put(question).await {
            Ok(told) => told,
            Err(error) => {
                self.failed = Some(error);
                Told::default()
            }
        }
    }

    async fn try_put(&mut self, question: Question<'_>) -> Result<Told, ClientError> {
        let source = match &self.source {
            Some(source) => source.clone(),
            None => self
                .source
                .insert(self.connection.source(self.how).await?)
                .clone(),
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
            Question::Census(name) => told.by = gathering.census(&source, name).await?,
            Question::HiddenCensus(name) => {
                told.by = gathering.census_privately(&source, name).await?;
            }
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
        let cache = AnswerCache::new(&self.state_dir, &self.log.key);
        Ok(match (client, how) {
            (None, _) => Source::Kept(cache),
            (Some(client), How::Privately) => Source::Private(client),
            (Some(client), _) => Source::Node(client, Some(cache)),
        })
    }
}
