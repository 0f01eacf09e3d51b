//! One round over one log.

use super::alert::{Alert, Kind, Level, Phase};
use super::own::Own;
use super::replay::{Replayed, replay};
use super::source::Source;
use super::state::{Standing, State};
use crate::ask::LogAddress;
use crate::audit::Mode;
use crate::misbehavior::Keys;
use crate::{BoxError, Client, ClientError, Convictions, HeadStore, Tls, one_line, plain};
use assay_policy::rules::Policy;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tlog_policy::TlogPolicy;
use assay_tlog::tree::LeafIndex;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

/// What goes on is told by where it was noticed: what one finds does not end what another found.
const ANSWER: &str = "answer";
const REPLAY: &str = "replay";

/// How long a round over one log may take: other logs are looked at after it. A first replay of ten
/// million entries takes some minutes.
const ROUND: Duration = Duration::from_secs(30 * 60);

/// What the monitors of all logs share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Logs, witnesses and their quorum, and how old heads may be.
    pub policy: Policy,
    /// Whose names and keys are watched for.
    pub own: Own,
    /// What is told: alerts of this level and above.
    pub level: Level,
    /// Whether to begin with the first entry of a log, and not behind its last one.
    pub from_start: bool,
    /// How long after a replay of a log the next one waits, in milliseconds.
    pub replay_ms: u64,
    /// How long a node may be silent before that is told, in milliseconds.
    pub silence_ms: u64,
    /// Where heads seen and the monitor's own state are kept.
    pub state_dir: PathBuf,
    /// TLS settings.
    pub tls: Tls,
}

/// A log to watch.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its key and its node.
    pub log: LogAddress,
    /// Where its tiles are, if not at the node's address.
    pub tiles: Option<String>,
    /// Whether it holds no Assay entries: nothing but its checkpoint and tiles is to be had, below
    /// its address.
    pub is_foreign: bool,
}

/// Where alerts go. They are kept, whatever happens, when `tell` returns.
pub trait Sink {
    /// Takes alerts, some of which it may have taken before. On an error they are told again.
    fn tell(&mut self, alerts: &[Alert]) -> Result<(), BoxError>;
}

/// Why nothing more can be monitored. What is wrong with a log is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The settings, or the state folder.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Alerts cannot be kept.
    #[error("alerts cannot be kept")]
    Sink(#[source] BoxError),
}

/// What a round showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The log's origin.
    pub log: String,
    /// The size of its head, if it answered.
    pub size: Option<u64>,
    /// Since when the head is fresh, in milliseconds since 1970.
    pub fresh_at_ms: Option<u64>,
    /// Entries that are done.
    pub done: u64,
    /// The size of the log when it was last replayed.
    pub replayed: u64,
    /// How much goes on that was told.
    pub standing: usize,
    /// Why it, or its tiles, could not be reached.
    pub unreached: Option<String>,
    /// What was told in this round, and what goes on that was.
    pub kinds: BTreeSet<Kind>,
}

/// Watches one log.
#[derive(Debug)]
pub struct LogMonitor {
    pub(super) settings: Arc<Settings>,
    pub(super) watched: Watched,
    pub(super) url: String,
    pub(super) keys: Keys,
    pub(super) convictions: Convictions,
    pub(super) state: State,
    /// What is still to be told, in order.
    pub(super) pending: Vec<Alert>,
}

impl LogMonitor {
    /// Takes the place for the monitor of a log. Fails with [`ClientError::State`] if another
    /// process monitors it with this state folder, and with [`ClientError::Usage`] if the log has
    /// no address or the keys of the policy cannot be used.
    pub fn open(settings: Arc<Settings>, watched: Watched) -> Result<Self, ClientError> {
        let origin = watched.log.key.name();
        let url = watched.log.url.clone().ok_or_else(|| {
            ClientError::Usage(format!("nothing says where the log {} is", plain(origin)))
        })?;
        let tlog = settings.policy.tlog();
        let logs = tlog.into_iter().flat_map(TlogPolicy::logs);
        let witnesses = tlog.into_iter().flat_map(TlogPolicy::witnesses);
        let keys = Keys::new(
            logs.map(|log| &log.key).chain([&watched.log.key]),
            witnesses.map(|witness| &witness.key),
        )?;
        let own = [&watched.log.key];
        let convictions = Convictions::remembered(tlog, own, &settings.state_dir)?;
        let state = State::open(&settings.state_dir, &watched.log.key)?;
        Ok(LogMonitor {
            settings,
            watched,
            url,
            keys,
            convictions,
            state,
            pending: Vec::new(),
        })
    }

    /// The heads of the log that were seen.
    pub(super) fn heads(&self) -> HeadStore {
        let log = &self.watched.log;
        HeadStore::new(&self.settings.state_dir, &log.key).signed_by(&log.older)
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        self.watched.log.key.name()
    }

    /// Looks at the log once, at this time in milliseconds since 1970: its head and times, the
    /// entries behind those that are done, the whole log if a replay is due, and what its node and
    /// others tell of misbehavior.
    ///
    /// What is found goes to the sink before the log's state is written. Fails with
    /// [`MonitorError`]; the next round goes on where this one stopped.
    pub async fn round(&mut self, now_ms: u64, sink: &mut impl Sink) -> Result<Seen, MonitorError> {
        let mut seen = Seen {
            log: self.origin().to_owned(),
            ..Seen::default()
        };
        self.state.kept.forget_the_future(now_ms);
        let looked = tokio::time::timeout(ROUND, self.look(now_ms, &mut seen, sink)).await;
        match looked.unwrap_or_else(|_| Err(too_slow().into())) {
            Ok(()) => {
                self.state.kept.silent_since_ms = None;
                for kind in [Kind::Unreachable, Kind::FalseAnswer, Kind::Unsupported] {
                    self.over(ANSWER, kind, now_ms);
                }
            }
            Err(MonitorError::Client(error)) if is_of_log(&error) => {
                self.failed(&error, now_ms, &mut seen);
            }
            Err(error) => return Err(error),
        }
        self.flush(&mut seen, sink)?;
        let kept = &self.state.kept;
        (seen.done, seen.replayed) = (kept.done, kept.replayed);
        seen.standing = kept.standing.len();
        let standing = kept.standing.values().map(|standing| standing.kind);
        let level = self.settings.level;
        if self.convictions.is_somebody() {
            seen.kinds.insert(Kind::Convicted);
        }
        seen.kinds
            .extend(standing.filter(|kind| kind.level() >= level));
        Ok(seen)
    }

    async fn look(
        &mut self,
        now_ms: u64,
        seen: &mut Seen,
        sink: &mut impl Sink,
    ) -> Result<(), MonitorError> {
        let source = self.source().await;
        let (source, head) = match source {
            Ok(source) => {
                let head = source.checkpoint().await;
                (Some(source), head)
            }
            Err(error) => (None, Err(error)),
        };
        let links = source.as_ref();
        let links = links.filter(|source| head.is_ok() || source.links_alone());
        // Before others are asked, who may have a newer one by then.
        if let Ok(head) = &head {
            self.look_back(head, now_ms)?;
        }
        // Also of a log that does not answer.
        self.ask_others(links, now_ms).await?;
        let head = head?;
        seen.size = Some(head.size().get());
        let committed_at_ms = match &source {
            Some(Source::Node(client)) => Some(client.committed_at_ms(&head).await?),
            _ => None,
        };
        self.look_at_head(&head, committed_at_ms, now_ms, seen);
        self.flush(seen, sink)?;
        match &source {
            Some(Source::Node(client)) => self.entries(client, &head, now_ms, seen, sink).await?,
            _ => self.state.kept.done = self.state.kept.done.max(head.size().get()),
        }
        self.replay(&head, now_ms).await
    }

    /// Looks at the entries that are not done, a page at a time.
    async fn entries(
        &mut self,
        client: &Client,
        head: &VerifiedCheckpoint,
        now_ms: u64,
        seen: &mut Seen,
        sink: &mut impl Sink,
    ) -> Result<(), MonitorError> {
        let size = head.size().get();
        let begins = !self.state.kept.begun && !self.settings.from_start;
        if begins || self.settings.own.is_empty() {
            self.state.kept.done = self.state.kept.done.max(size);
        }
        self.state.kept.begun = true;
        while self.state.kept.done < size {
            let (start, end) = (LeafIndex::new(self.state.kept.done), LeafIndex::new(size));
            let page = client.entries(start, end).await?;
            let Some(last) = page.entries.last() else {
                // Nobody may keep entries from us by an older head for this one call.
                return Err(shown_older(head).into());
            };
            let done = last.index.get() + 1;
            for entry in &page.entries {
                let Some(Ok(claim)) = &entry.claim else {
                    continue;
                };
                for used in self.settings.own.uses(claim) {
                    let leaf = entry.index.to_string();
                    let mut alert =
                        Alert::event(used.kind, self.origin(), now_ms, &leaf, used.words);
                    alert.leaf_index = Some(entry.index.get());
                    alert.claim_id = Some(claim.id().to_hex());
                    self.pending.push(alert);
                }
            }
            self.state.kept.done = done;
            self.flush(seen, sink)?;
        }
        Ok(())
    }

    /// Replays the log whole, if it grew and the last replay is long enough ago.
    async fn replay(&mut self, head: &VerifiedCheckpoint, now_ms: u64) -> Result<(), MonitorError> {
        let kept = &self.state.kept;
        let next_ms = kept.replayed_at_ms.saturating_add(self.settings.replay_ms);
        let is_due = kept.replayed_at_ms == 0 || now_ms >= next_ms;
        if head.size().get() <= kept.replayed || !is_due {
            return Ok(());
        }
        let url = self.watched.tiles.as_ref().unwrap_or(&self.url);
        let key = &self.watched.log.key;
        let mode = if self.watched.is_foreign {
            Mode::HashesOnly
        } else {
            Mode::Full
        };
        match replay(url, key, mode, head, &self.settings.tls, now_ms).await {
            Replayed::Through(size) => {
                self.state.kept.replayed = size;
                for kind in [
                    Kind::BrokenRule,
                    Kind::FalseAnswer,
                    Kind::Clock,
                    Kind::Unsupported,
                ] {
                    self.over(REPLAY, kind, now_ms);
                }
            }
            Replayed::Forked { first, second } => {
                return Err(self.heads().split(&first, &second).into());
            }
            Replayed::Broken { kind, words } => self.goes_on(REPLAY, kind, now_ms, words),
            Replayed::Unavailable(what) => {
                let what = format!("the log cannot be replayed: {what}");
                return Err(MonitorError::Client(ClientError::Unavailable {
                    what,
                    retry_after: None,
                    source: None,
                }));
            }
        }
        self.state.kept.replayed_at_ms = now_ms;
        Ok(())
    }

    /// What follows from a log that did not answer, or not rightly.
    fn failed(&mut self, error: &ClientError, now_ms: u64, seen: &mut Seen) {
        let words = one_line(error);
        match error {
            ClientError::Misbehavior(found) => {
                self.convict(found, now_ms);
                self.goes_on(ANSWER, Kind::TwoHistories, now_ms, words);
            }
            ClientError::Unverified { .. } => {
                self.goes_on(ANSWER, Kind::FalseAnswer, now_ms, words);
            }
            ClientError::Unsupported(_) => {
                self.goes_on(ANSWER, Kind::Unsupported, now_ms, words);
            }
            _ => {
                let since_ms = *self.state.kept.silent_since_ms.get_or_insert(now_ms);
                if now_ms.saturating_sub(since_ms) >= self.settings.silence_ms {
                    self.goes_on(ANSWER, Kind::Unreachable, now_ms, words.clone());
                }
                seen.unreached = Some(words);
            }
        }
    }

    /// Tells that something began, unless it goes on already.
    pub(super) fn goes_on(&mut self, source: &str, kind: Kind, now_ms: u64, words: String) {
        let kept = &mut self.state.kept;
        let what = format!("{source} {}", kind.name());
        if kept.standing.contains_key(&what) {
            return;
        }
        let number = kept.ended;
        kept.standing
            .insert(what.clone(), Standing { kind, number });
        self.add(
            kind,
            Phase::Began,
            now_ms,
            &format!("{what} {number}"),
            words,
        );
    }

    /// Tells that something ended, if it went on.
    pub(super) fn over(&mut self, source: &str, kind: Kind, now_ms: u64) {
        let kept = &mut self.state.kept;
        let what = format!("{source} {}", kind.name());
        if let Some(Standing { number, .. }) = kept.standing.remove(&what) {
            kept.ended += 1;
            let words = "it is over".to_owned();
            self.add(
                kind,
                Phase::Ended,
                now_ms,
                &format!("{what} {number}"),
                words,
            );
        }
    }

    fn add(&mut self, kind: Kind, phase: Phase, now_ms: u64, what: &str, words: String) {
        let alert = Alert::new(kind, phase, self.origin(), now_ms, what, words);
        self.pending.push(alert);
    }

    /// Tells what is to be told, and then writes how far the monitor is.
    fn flush(&mut self, seen: &mut Seen, sink: &mut impl Sink) -> Result<(), MonitorError> {
        self.pending
            .retain(|alert| alert.level >= self.settings.level);
        if !self.pending.is_empty() {
            sink.tell(&self.pending).map_err(MonitorError::Sink)?;
            let told = self.pending.iter();
            let told = told.filter(|alert| alert.phase != Phase::Ended);
            seen.kinds.extend(told.map(|alert| alert.kind));
            self.pending.clear();
        }
        self.state.save()?;
        Ok(())
    }
}

/// A log whose answers do not end.
fn too_slow() -> ClientError {
    ClientError::Unavailable {
        what: format!(
            "its answers did not end within {} minutes",
            ROUND.as_secs() / 60
        ),
        retry_after: None,
        source: None,
    }
}

/// A node that showed a head shows none of its entries.
fn shown_older(head: &VerifiedCheckpoint) -> ClientError {
    ClientError::Unavailable {
        what: format!(
            "its node showed a head of size {}, and has an older one for its entries",
            head.size()
        ),
        retry_after: None,
        source: None,
    }
}

/// Whether an error is about the log or its node, and not about this machine.
fn is_of_log(error: &ClientError) -> bool {
    match error {
        ClientError::Unavailable { .. }
        | ClientError::Refused { .. }
        | ClientError::Unverified { .. }
        | ClientError::Unsupported(_)
        | ClientError::Misbehavior(_) => true,
        ClientError::Usage(_) | ClientError::State { .. } => false,
    }
}
