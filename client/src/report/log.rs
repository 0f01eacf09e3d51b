//! What a log answered, and what it proved.

use crate::ask::gather::Privacy;
use crate::ask::{AskedLog, LogState};
use crate::plain;
use assay_policy::rules::Policy;
use assay_policy::verdict::Answer;
use assay_tlog::Hash;
use assay_tlog::tlog_policy::Voices;
use std::collections::BTreeSet;

/// What a log answered.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its name.
    pub origin: String,
    /// Where it is.
    pub url: Option<String>,
    /// The mirror that answered in its place.
    pub mirror: Option<String>,
    /// How much of an answer there is.
    pub completeness: Completeness,
    /// What is missing, or why there is no answer, as a sentence without its full stop.
    pub missing: Option<String>,
    /// What became of the question.
    pub state: LogState,
    /// Whether the policy can do without it, because enough other logs answered in full.
    pub spare: bool,
    /// What the answer is as of; nothing if there is none.
    pub head: Option<Head>,
    /// The policy's witnesses that confirmed the head, and those that did not.
    pub voices: Voices,
    /// When a quorum of them had, in milliseconds since 1970; `None` if none has to.
    pub quorum_at_ms: Option<u64>,
    /// What a private question gave away.
    pub privacy: Option<Privacy>,
}

/// How much of an answer there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// All that was asked, proven to be all that there is.
    Complete,
    /// Some of it, or not proven to be all.
    Partial,
    /// Nothing to rely on.
    Nothing,
}

impl Completeness {
    /// Its name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Completeness::Complete => "complete",
            Completeness::Partial => "partial",
            Completeness::Nothing => "none",
        }
    }
}

/// The head of a log.
#[derive(Debug, Clone)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// When it was made, or a quorum of witnesses had confirmed it, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// The signed note, verbatim.
    pub checkpoint: String,
}

impl Log {
    /// Describes what a log answered, at `now_ms`.
    fn new(asked: &AskedLog, policy: &Policy, now_ms: u64) -> Self {
        let most_ms = policy.max_head_age_ms(asked.origin());
        let is_old = |at_ms: u64| now_ms.saturating_sub(at_ms) > most_ms;
        let state = match asked.state {
            LogState::Answered if asked.head_at_ms().is_some_and(is_old) => LogState::Stale,
            state => state,
        };
        let (completeness, missing) = match &asked.answer {
            Answer::Complete { .. } => (Completeness::Complete, None),
            Answer::Partial { missing, .. } => (Completeness::Partial, Some(missing.clone())),
            Answer::None { why } => (Completeness::Nothing, Some(why.clone())),
        };
        Log {
            origin: asked.origin().to_owned(),
            url: asked.log.url.clone(),
            mirror: asked.mirror.clone(),
            completeness,
            missing,
            state,
            spare: false,
            head: Head::of(asked),
            voices: asked.voices.clone(),
            quorum_at_ms: asked.quorum_at_ms,
            privacy: asked.gathered.privacy,
        }
    }

    /// Makes the policy's names of witnesses plain.
    pub(super) fn make_voices_plain(&mut self) {
        let voices = &mut self.voices;
        for voice in voices.counted.iter_mut().chain(&mut voices.besides) {
            voice.name = plain(&voice.name);
        }
        for name in voices.missing.iter_mut().chain(&mut voices.convicted) {
            *name = plain(name);
        }
    }

    /// Whether nothing was left out of its answer.
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
    }

    /// Whether its answer is all that a policy could ask for.
    pub fn is_good(&self) -> bool {
        self.is_complete() && self.state == LogState::Answered
    }

    /// What the logs of a policy answered, at `now_ms`.
    pub(super) fn all(asked: &[AskedLog], policy: &Policy, now_ms: u64) -> Vec<Self> {
        let mut logs = Vec::with_capacity(asked.len());
        for one in asked {
            logs.push(Log::new(one, policy, now_ms));
        }
        let good = asked.iter().zip(&logs).filter(|(_, log)| log.is_good());
        let answered: BTreeSet<&str> = good.map(|(one, _)| one.origin()).collect();
        for log in &mut logs {
            let is_false = log.state >= LogState::UnsupportedMapping;
            log.spare = !log.is_good() && !is_false && policy.can_lack(&log.origin, &answered);
        }
        logs
    }
}

impl Head {
    fn of(asked: &AskedLog) -> Option<Self> {
        let checkpoint = asked.gathered.checkpoint.as_ref()?;
        Some(Head {
            size: checkpoint.size().get(),
            root: checkpoint.root(),
            made_at_ms: asked.head_at_ms()?,
            checkpoint: checkpoint.note().to_owned(),
        })
    }
}
