//! What is shown of mirrored logs that were replayed.

use super::CopyView;
use super::clear::Cleared;
use crate::mirror::store::Rows;
use crate::misbehavior::Listed;
use arc_swap::{ArcSwap, ArcSwapOption};
use assay_claims::audit::{Finding, Rule};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Notify, oneshot};

/// How a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing of it is mirrored yet.
    Waiting,
    /// It holds no Assay entries: it is mirrored only.
    Foreign,
    /// It is being replayed.
    Replaying,
    /// All of the mirrored head was replayed, and it is cosigned.
    Audited,
    /// All was replayed, but its last leaf is dated in the future of this machine's clock.
    Ahead,
    /// It did not keep a rule.
    Broken,
    /// It commits to another index than its entries give.
    Disputed,
    /// It states versions that this program does not know.
    Unsupported,
    /// It signed two histories.
    Convicted,
    /// This machine is at fault; it is tried again.
    Failed,
}

impl State {
    /// Every one.
    pub const ALL: [State; 10] = [
        State::Waiting,
        State::Foreign,
        State::Replaying,
        State::Audited,
        State::Ahead,
        State::Broken,
        State::Disputed,
        State::Unsupported,
        State::Convicted,
        State::Failed,
    ];

    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Foreign => "foreign",
            State::Replaying => "replaying",
            State::Audited => "audited",
            State::Ahead => "ahead",
            State::Broken => "broken",
            State::Disputed => "disputed",
            State::Unsupported => "unsupported",
            State::Convicted => "convicted",
            State::Failed => "failed",
        }
    }

    /// The state of a log of which this was found.
    pub fn of_finding(finding: &Finding) -> Self {
        match finding.rule {
            Rule::Index => State::Disputed,
            Rule::Unsupported => State::Unsupported,
            _ => State::Broken,
        }
    }
}

/// How a log is, and how far.
#[derive(Debug, Clone)]
pub struct Status {
    /// How.
    pub state: State,
    /// Leaves that were replayed.
    pub replayed: u64,
    /// The size of the head that was cosigned last; 0 if none was.
    pub audited: u64,
    /// The rule that was not kept.
    pub finding: Option<Finding>,
    /// A breach that is kept, found here or by others.
    pub breach: Option<Listed>,
}

/// A log.
pub struct CopiedLog {
    /// Which.
    pub origin: String,
    /// What those who ask are answered from.
    pub view: Arc<CopyView>,
    /// How it is.
    pub status: ArcSwap<Status>,
    /// The note of the head that was cosigned last: the log's signatures and the auditor's.
    pub audited: ArcSwapOption<String>,
    /// The auditor's signed note on an index that is another.
    pub dispute: ArcSwapOption<String>,
    /// The text that shows to others which rule the log did not keep.
    pub breach: ArcSwapOption<String>,
    /// Who wants cleared what was found.
    asked: Mutex<Vec<oneshot::Sender<Cleared>>>,
    /// Told when somebody does.
    pub(super) clear: Notify,
}

impl CopiedLog {
    /// A log of which nothing is shown yet.
    pub fn new(origin: &str, view: Arc<CopyView>) -> Self {
        let status = Status {
            state: State::Waiting,
            replayed: 0,
            audited: 0,
            finding: None,
            breach: None,
        };
        CopiedLog {
            origin: origin.to_owned(),
            view,
            status: ArcSwap::from_pointee(status),
            audited: ArcSwapOption::empty(),
            dispute: ArcSwapOption::empty(),
            breach: ArcSwapOption::empty(),
            asked: Mutex::default(),
            clear: Notify::new(),
        }
    }

    /// Has the auditor clear what was found. Returns what that was; `None` if the auditor failed.
    pub async fn ask_to_clear(&self) -> Option<Cleared> {
        let (ask, cleared) = oneshot::channel();
        {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(ask);
        }
        self.clear.notify_one();
        cleared.await.ok()
    }

    /// Who wants cleared what was found; each is told once.
    pub(super) fn asked(&self) -> Vec<oneshot::Sender<Cleared>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked)
    }
}

/// The mirrored logs that are replayed here, from which questions about them are answered. Clones
/// are the same.
#[derive(Clone, Default)]
pub struct Copies(Arc<Logs>);

#[derive(Default)]
struct Logs {
    /// By the SHA-256 of their origins, in lower-case hex.
    logs: ArcSwap<HashMap<String, Arc<CopiedLog>>>,
    changing: Mutex<()>,
}

impl Copies {
    /// What is shown of the log of this origin: the latest head that was replayed, with its index.
    /// `None` if no such log is replayed here. Nothing may be published in it yet.
    ///
    /// A log that did not keep a rule is shown as of the last head before that.
    pub fn view(&self, origin: &str) -> Option<Arc<CopyView>> {
        let digest = Rows::of(origin).digest().to_hex();
        Some(self.log(&digest)?.view.clone())
    }

    /// The log whose origin has this SHA-256.
    pub fn log(&self, digest: &str) -> Option<Arc<CopiedLog>> {
        self.0.logs.load().get(digest).cloned()
    }

    /// All logs, in no order.
    pub fn all(&self) -> Vec<Arc<CopiedLog>> {
        self.0.logs.load().values().cloned().collect()
    }

    /// Shows a log, in place of what was shown of it.
    pub(crate) fn put(&self, log: Arc<CopiedLog>) {
        let digest = Rows::of(&log.origin).digest().to_hex();
        self.change(|logs| _ = logs.insert(digest, log));
    }

    /// Shows a log no more.
    pub(crate) fn remove(&self, origin: &str) {
        let digest = Rows::of(origin).digest().to_hex();
        self.change(|logs| _ = logs.remove(&digest));
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<String, Arc<CopiedLog>>)) {
        let changing = &self.0.changing;
        let _alone = changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut logs = HashMap::clone(&self.0.logs.load());
        change(&mut logs);
        self.0.logs.store(Arc::new(logs));
    }
}
