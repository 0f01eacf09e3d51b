//! What a log answered, and what it proved.

use crate::ask::AskedLog;
use crate::ask::gather::Privacy;
use assay_policy::verdict::Answer;
use assay_tlog::Hash;

/// What a log answered.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its name.
    pub origin: String,
    /// Where it was asked.
    pub url: Option<String>,
    /// How much of an answer there is.
    pub completeness: Completeness,
    /// What is missing, or why there is no answer, as a sentence without its full stop.
    pub missing: Option<String>,
    /// Whether it could not be reached, or nothing was kept of it.
    pub unreachable: bool,
    /// What the answer is as of; nothing if there is none.
    pub head: Option<Head>,
    /// The policy's names of the witnesses that confirmed the head.
    pub witnesses: Vec<String>,
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
    /// Describes what a log answered.
    pub(super) fn new(asked: &AskedLog) -> Self {
        let (completeness, missing) = match &asked.answer {
            Answer::Complete { .. } => (Completeness::Complete, None),
            Answer::Partial { missing, .. } => (Completeness::Partial, Some(missing.clone())),
            Answer::None { why } => (Completeness::Nothing, Some(why.clone())),
        };
        Log {
            origin: asked.origin().to_owned(),
            url: asked.log.url.clone(),
            completeness,
            missing,
            unreachable: asked.unreachable,
            head: Head::of(asked),
            witnesses: asked.witnesses.clone(),
            privacy: asked.gathered.privacy,
        }
    }

    /// Whether nothing was left out of its answer.
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
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
