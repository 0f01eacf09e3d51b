//! Asking the logs that a policy names, all at the same time.

use super::confirmed::confirmed;
use super::connection::{Connection, How};
use super::convicted::convicted;
use super::error::AskError;
use super::everyone::Others;
use super::gather::Gathered;
use super::inventory::Inventory;
use super::logs::LogAddress;
use super::names::is_of_keys;
use super::panel::Panel;
use super::state::LogState;
use super::topdown::{Inquired, Inquiry, inquire};
use crate::{ClientError, Convictions, Tls, one_line};
use assay_claims::logged::LoggedClaim;
use assay_policy::rules::Policy;
use assay_policy::trust::Limit;
use assay_policy::verdict::{Answer, LogAnswer, Overlong};
use assay_tlog::tlog_policy::{TlogPolicy, Voices};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::OnceCell;

/// Whom to ask, and how.
#[derive(Debug, Clone)]
pub struct Asker {
    policy: Policy,
    how: How,
    now_ms: u64,
    connections: Vec<Connection>,
    /// Who misbehaved. Nodes are asked once.
    convicted: Arc<OnceCell<Option<Convictions>>>,
}

/// What one log answered.
#[derive(Debug)]
pub struct AskedLog {
    /// Which.
    pub log: LogAddress,
    /// Its answer, for the policy to weigh.
    pub answer: Answer,
    /// What came of it; nothing if there was no answer.
    pub gathered: Gathered,
    /// The witnesses of the policy that confirmed the answer's heads, and those that did not.
    pub voices: Voices,
    /// When a quorum of them had, in milliseconds since 1970; `None` if none has to.
    pub quorum_at_ms: Option<u64>,
    /// What became of the question. That an answer is too old is the policy's to say.
    pub state: LogState,
    /// The mirror that answered in place of the log's own node.
    pub mirror: Option<String>,
}

/// What all logs answered.
#[derive(Debug, Default)]
pub struct Asked {
    /// How they were asked.
    pub how: How,
    /// Each log, in the policy's order.
    pub logs: Vec<AskedLog>,
    /// Which others were listened to, if everyone was to be.
    pub others: Option<Others>,
    /// What was left out of the search for whom to listen to.
    pub limits: Vec<Limit>,
}

impl Asked {
    /// The answers, as a policy weighs them.
    pub fn answers(&self) -> Vec<LogAnswer> {
        let mut answers = Vec::with_capacity(self.logs.len());
        for asked in &self.logs {
            answers.push(LogAnswer {
                origin: asked.origin().to_owned(),
                answer: asked.answer.clone(),
            });
        }
        answers
    }

    /// The claims of all logs.
    pub fn claims(&self) -> impl Iterator<Item = &LoggedClaim> {
        self.logs.iter().flat_map(|asked| &asked.gathered.claims)
    }

    /// The lists that are longer than is listened to, each with its log and how far it was heard.
    pub fn overlong(&self) -> impl Iterator<Item = Overlong> {
        self.logs.iter().flat_map(|asked| {
            let labels = asked.gathered.overlong.iter();
            labels.map(|(label, heard)| Overlong {
                origin: asked.origin().to_owned(),
                label: *label,
                of_keys: is_of_keys(label),
                heard: *heard,
            })
        })
    }

    /// Counts what the same logs answered to another question, which asked for `what`: an answer is
    /// as complete, as fresh and as confirmed as the worse of the two.
    pub(super) fn count(&mut self, other: Asked, what: &str) {
        self.limits.extend(other.limits);
        for (asked, other) in self.logs.iter_mut().zip(other.logs) {
            asked.count(other, what);
        }
    }

    /// The logs that could not be reached, or of which nothing was kept.
    pub fn unreachable(&self) -> impl Iterator<Item = &AskedLog> {
        let logs = self.logs.iter();
        logs.filter(|asked| asked.state == LogState::Unreachable)
    }
}

impl AskedLog {
    /// The log's origin.
    pub fn origin(&self) -> &str {
        self.log.key.name()
    }

    /// When the answer's head was made, in milliseconds since 1970.
    pub fn head_at_ms(&self) -> Option<u64> {
        match &self.answer {
            Answer::Complete { head_at_ms } | Answer::Partial { head_at_ms, .. } => {
                Some(*head_at_ms)
            }
            Answer::None { .. } => None,
        }
    }

    /// As [`Asked::count`].
    fn count(&mut self, other: AskedLog, what: &str) {
        let Some(head_at_ms) = self.head_at_ms() else {
            return;
        };
        let missing = match (&self.answer, &other.answer) {
            (Answer::Partial { missing, .. }, _) => Some(missing.clone()),
            (_, Answer::Partial { missing: why, .. } | Answer::None { why }) => {
                Some(format!("{what} is not known ({why})"))
            }
            _ => None,
        };
        let head_at_ms = head_at_ms.min(other.head_at_ms().unwrap_or(head_at_ms));
        self.answer = match missing {
            Some(missing) => Answer::Partial {
                head_at_ms,
                missing,
            },
            None => Answer::Complete { head_at_ms },
        };
        self.state = self.state.max(other.state);
        self.mirror = self.mirror.take().or(other.mirror);
        for (label, heard) in other.gathered.overlong {
            let known = self.gathered.overlong.entry(label).or_insert(heard);
            *known = heard.min(*known);
        }
        if let Some(head) = &other.gathered.checkpoint {
            self.voices = self.voices.both(&other.voices);
            self.quorum_at_ms = self.quorum_at_ms.min(other.quorum_at_ms);
            let own = &mut self.gathered.checkpoint;
            if own.as_ref().is_none_or(|own| head.size() < own.size()) {
                *own = Some(head.clone());
            }
        }
    }

    /// A log without an answer.
    fn silent(log: LogAddress, why: String, state: LogState) -> Self {
        AskedLog {
            log,
            answer: Answer::None { why },
            gathered: Gathered::default(),
            voices: Voices::default(),
            quorum_at_ms: None,
            state,
            mirror: None,
        }
    }
}

impl Asker {
    /// Asks these logs, which [`required_logs`](super::required_logs) names, on behalf of a policy.
    /// What is remembered of them is in `state_dir`. Nothing is connected yet. Whom the policy
    /// listens to is decided as of `now_ms`, in milliseconds since 1970.
    pub fn new(
        policy: Policy,
        logs: Vec<LogAddress>,
        how: How,
        now_ms: u64,
        state_dir: &Path,
        tls: &Tls,
    ) -> Self {
        let mut connections = Vec::with_capacity(logs.len());
        for log in logs {
            connections.push(Connection::new(log, state_dir.to_owned(), tls.clone()));
        }
        Asker {
            policy,
            how,
            now_ms,
            connections,
            convicted: Arc::default(),
        }
    }

    /// The same, which asks each log for so long in all, its mirrors included, and 15 minutes if
    /// nothing is said. A log that takes longer is as good as unreachable.
    pub fn within(mut self, time: Duration) -> Self {
        for connection in &mut self.connections {
            connection.time.end_in(time);
        }
        self
    }

    /// The same, of which no log makes the others wait longer than so long in all, nor does any of
    /// its mirrors. Who takes longer is as good as unreachable, and there is time left for what the
    /// others say. A log that is the only one has the whole time.
    pub fn waiting_for_each(mut self, time: Duration) -> Self {
        if self.connections.len() > 1 {
            for connection in &mut self.connections {
                connection.time.take_at_most(time);
            }
        }
        self
    }

    /// The same, which keeps no answers to be read offline: for who asks what strangers choose.
    pub fn keeping_no_answers(mut self) -> Self {
        for connection in &mut self.connections {
            connection.keeps = false;
        }
        self
    }

    /// The same, of which no answer takes more than about so many bytes of memory. A log whose
    /// answer would is as good as unreachable.
    pub fn with_answers_of(mut self, bytes: usize) -> Self {
        for connection in &mut self.connections {
            connection.answer_bytes = Some(bytes);
        }
        self
    }

    /// Who is convicted; `None` if nothing is asked. Fails if what is remembered of it cannot be
    /// read.
    pub(super) async fn convicted(&self) -> Result<Option<&Convictions>, ClientError> {
        let found = self
            .convicted
            .get_or_try_init(|| convicted(&self.policy, &self.connections, self.how));
        found.await.map(Option::as_ref)
    }

    /// The policy's logs and witnesses, but for the witnesses that are convicted.
    pub(super) async fn tlog(&self) -> Result<Option<TlogPolicy>, ClientError> {
        let Some(tlog) = self.policy.tlog() else {
            return Ok(None);
        };
        let convicted = self.convicted().await?;
        Ok(Some(convicted.map_or_else(
            || tlog.clone(),
            |convicted| convicted.apply(tlog),
        )))
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The time as of which it asks, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    pub(super) fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// How the logs are asked.
    pub fn how(&self) -> How {
        self.how
    }

    /// Asks every log what those whom the policy trusts said (docs/design.md 7), or, if the inquiry
    /// says so, everyone: about what is asked, and about what was said of it.
    ///
    /// It guarantees that every answer is verified, and that its heads are confirmed by as many
    /// witnesses as the policy asks for, of whom none is convicted of misbehavior. A log that
    /// cannot be reached, or is convicted, is no failure: its [`Answer`] says so. Fails with
    /// [`AskError::OfLog`] if an answer does not verify or answers cannot be kept or read, and with
    /// [`AskError::BrokenClaim`] if a claim does not.
    pub async fn ask(&self, inquiry: &Inquiry) -> Result<Asked, AskError> {
        let inquire = async {
            let mut tries = self.tries();
            loop {
                let mut panel = tries.panel();
                let inquired = inquire(&mut panel, &self.policy, self.now_ms, inquiry).await;
                if tries.are_over(&mut panel).await {
                    return (panel, inquired);
                }
            }
        };
        let ((panel, inquired), _) = tokio::join!(inquire, self.convicted());
        let Inquired { others, limits } = inquired;
        let asked = self.answers(panel).await?;
        Ok(Asked {
            others,
            limits,
            ..asked
        })
    }

    /// Tries to ask every log, and a mirror of each that does not answer. All questions are put to
    /// a panel, and again to the next one until there is nobody else to ask.
    pub(super) fn tries(&self) -> Tries<'_> {
        let mirrors = self.connections.iter().map(|it| it.log.mirrors.len());
        Tries {
            asker: self,
            left: mirrors.sum(),
        }
    }

    /// What the logs of a panel answered.
    pub(super) async fn answers(&self, panel: Panel) -> Result<Asked, AskError> {
        let mut asked = Asked {
            how: self.how,
            logs: Vec::with_capacity(self.connections.len()),
            others: None,
            limits: Vec::new(),
        };
        let (convicted, tlog) = (self.convicted().await?, self.tlog().await?);
        for (connection, (log, gathered)) in self.connections.iter().zip(panel.finish()) {
            // Whatever it answers: it cannot end the question about the others either.
            if let Some(why) = convicted.and_then(|it| it.of_log(log.key.name())) {
                let silent = AskedLog::silent(log, why, LogState::Convicted);
                asked.logs.push(silent);
                continue;
            }
            let mut answered = answered(tlog.as_ref(), log, gathered, self.how)?;
            answered.mirror = connection.mirror().await;
            asked.logs.push(answered);
        }
        Ok(asked)
    }

    /// Asks every log about all components of an inventory, in one question each. About an empty
    /// one nobody is asked. It fails as [`Asker::ask`] does.
    pub async fn components(&self, inventory: &Inventory) -> Result<Asked, AskError> {
        let hidden = self.how == How::Privately;
        let names = inventory.names(hidden);
        if names.is_empty() {
            return Ok(Asked {
                how: self.how,
                ..Asked::default()
            });
        }
        self.ask(&Inquiry {
            names,
            hidden,
            ..Inquiry::default()
        })
        .await
    }

    /// The logs that can be asked for single entries: those that are not convicted, if they are
    /// asked openly.
    pub(super) async fn askable(&self) -> Result<Vec<&Connection>, ClientError> {
        if self.how != How::Openly {
            return Ok(Vec::new());
        }
        let convicted = self.convicted().await?;
        let is_convicted = |connection: &&Connection| {
            let name = connection.log.key.name();
            convicted.is_some_and(|it| it.of_log(name).is_some())
        };
        let connections = self.connections.iter();
        Ok(connections.filter(|it| !is_convicted(it)).collect())
    }
}

/// Asking again elsewhere.
pub(super) struct Tries<'a> {
    asker: &'a Asker,
    /// How often, at most: a mirror that failed is not asked twice.
    left: usize,
}

impl Tries<'_> {
    /// Every log, of which nothing was asked.
    pub fn panel(&self) -> Panel {
        Panel::new(&self.asker.connections, self.asker.how)
    }

    /// Whether what a panel was told is what there is. If not, the logs that failed are asked
    /// elsewhere, and all is to be asked again: an answer is of one node. So are those of which a
    /// mirror has an answer that too few witnesses confirm: another one may have all cosignatures.
    pub async fn are_over(&mut self, panel: &mut Panel) -> bool {
        if self.asker.how == How::Offline {
            return true;
        }
        if panel.has_mirrors().await {
            // If it cannot be said who is convicted, that is said where it is answered.
            let tlog = self.asker.tlog().await.ok().flatten();
            panel.confirm(tlog.as_ref()).await;
        }
        if !panel.go_elsewhere().await || self.left == 0 {
            return true;
        }
        self.left -= 1;
        false
    }
}

/// That there is no answer. Fails if there is one that does not verify.
fn unanswered(log: LogAddress, error: ClientError) -> Result<AskedLog, AskError> {
    match error {
        ClientError::Unavailable { .. } | ClientError::Refused { .. } => {
            let why = one_line(&error);
            Ok(AskedLog::silent(log, why, LogState::Unreachable))
        }
        ClientError::Unsupported(why) => {
            Ok(AskedLog::silent(log, why, LogState::UnsupportedMapping))
        }
        source => {
            let origin = log.key.name().to_owned();
            Err(AskError::OfLog { origin, source })
        }
    }
}

/// What an answer is worth: verified, and confirmed by as many witnesses as the policy asks for.
fn answered(
    tlog: Option<&TlogPolicy>,
    log: LogAddress,
    gathered: Result<Gathered, ClientError>,
    how: How,
) -> Result<AskedLog, AskError> {
    let gathered = match gathered {
        Ok(gathered) => gathered,
        Err(error) => return unanswered(log, error),
    };
    if let Some((leaf, error)) = gathered.broken.first() {
        return Err(AskError::BrokenClaim {
            origin: log.key.name().to_owned(),
            leaf: *leaf,
            error: error.clone(),
        });
    }
    if gathered.heads.is_empty() {
        let nothing = "no answer to this question was kept; ask once without --offline";
        let why = gathered
            .missing
            .clone()
            .unwrap_or_else(|| nothing.to_owned());
        let state = if how == How::Offline {
            LogState::Unreachable
        } else {
            LogState::Answered
        };
        return Ok(AskedLog::silent(log, why, state));
    }
    let confirmed = match confirmed(tlog, &log.key, &gathered.heads) {
        Ok(confirmed) => confirmed,
        Err(unconfirmed) => {
            let why = unconfirmed.error.to_string();
            let mut silent = AskedLog::silent(log, why, LogState::Unconfirmed);
            silent.voices.convicted = unconfirmed.error.convicted();
            return Ok(silent);
        }
    };
    let head_at_ms = confirmed.fresh_at_ms;
    let answer = match gathered.missing.clone() {
        None => Answer::Complete { head_at_ms },
        Some(missing) => Answer::Partial {
            head_at_ms,
            missing,
        },
    };
    Ok(AskedLog {
        log,
        answer,
        gathered,
        voices: confirmed.voices,
        quorum_at_ms: confirmed.quorum_at_ms,
        state: LogState::Answered,
        mirror: None,
    })
}
