//! Asking witnesses to cosign what this log signs (C2SP tlog-witness, from the log's side).
//!
//! `assay_tlog::cosigning` decides. The task here sends its questions, all at once, and tells the
//! sequencer when a quorum stands. The sequencer never waits for it: claims become durable
//! meanwhile, and only what is shown waits.
//!
//! What a quorum cosigned last is kept in a file beside the checkpoint file, so that a node that
//! starts has something to show. It is no memory of what was signed, so it is not synced.

mod ask;
mod file;
mod states;
mod task;

pub use file::CosignedFile;

use self::states::SharedQuorum;
use crate::{
    config::{LogConfig, QuorumConfig},
    misbehavior::Evidence,
    peers::page::Part,
    rotation::SharedLogKeys,
    storage::Reads,
};
use assay_host::files;
use assay_proto::federation_page::QuorumPart;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::cosigning::{Cosigning, CosigningError, Settings};
use assay_tlog::tlog_policy::{QuorumError, TlogPolicy, TlogPolicyError};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Handle, sync::mpsc};

/// Why the witnesses cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum WitnessesError {
    /// The policy cannot be read.
    #[error(
        "cannot read {path}, which quorum.policy in the configuration names",
        path = path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The policy is none.
    #[error("{path} is not a C2SP tlog-policy", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: TlogPolicyError,
    },
    /// The policy cannot be asked.
    #[error("{path} cannot be used", path = path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: CosigningError,
    },
    /// The system's TLS cannot be used.
    #[error("cannot make connections to witnesses")]
    Client(#[from] reqwest::Error),
}

/// The witnesses of this log, not asked yet.
pub struct Witnesses {
    cosigning: Cosigning,
    policy: TlogPolicy,
    keys: SharedLogKeys,
    http: reqwest::Client,
    file: CosignedFile,
    states: SharedQuorum,
}

/// What the sequencer is told.
#[derive(Debug)]
pub enum Told {
    /// A quorum cosigned this. It comes again with more cosignatures, or newer ones.
    Witnessed(VerifiedCheckpoint),
    /// No witness is left that may cosign at once, and there is no quorum yet.
    NoQuorum,
    /// This log must not sign any more.
    Stop(String),
}

/// The witnesses of this log, who are being asked.
pub struct Asking {
    heads: mpsc::UnboundedSender<VerifiedCheckpoint>,
    told: mpsc::UnboundedReceiver<Told>,
}

impl Witnesses {
    /// Reads the policy that the configuration names.
    pub fn load(
        config: &QuorumConfig,
        log: &LogConfig,
        keys: SharedLogKeys,
    ) -> Result<Self, WitnessesError> {
        let path = || config.policy.clone();
        let policy = read_policy(&config.policy)?;
        let key = keys.load().verifier();
        let settings = Settings {
            extra_wait_ms: config.extra_wait_ms,
            refresh_ms: config.refresh_ms,
        };
        let cosigning =
            Cosigning::new(&key, &policy, settings).map_err(|source| WitnessesError::Policy {
                path: path(),
                source,
            })?;
        warn_if_unsafe(&policy, &config.policy);
        warn_if_open(&policy);
        Ok(Witnesses {
            states: states::of(&policy),
            cosigning,
            policy,
            keys,
            http: ask::client(Duration::from_millis(config.candidate_timeout_ms))?,
            file: CosignedFile::beside(&log.checkpoint_file),
        })
    }

    /// What is public of the witnesses. It changes while they are asked.
    pub fn states(&self) -> Part<QuorumPart> {
        states::part(self.states.clone())
    }

    /// The policy.
    pub fn policy(&self) -> &TlogPolicy {
        &self.policy
    }

    /// What a quorum of the policy cosigned last, as far as this node remembers.
    pub fn last_witnessed(&self) -> Option<VerifiedCheckpoint> {
        self.verify(&self.file.read()?).ok()
    }

    /// The checkpoint of this log in a note that a quorum of the policy cosigned.
    fn verify(&self, note: &str) -> Result<VerifiedCheckpoint, QuorumError> {
        let key = self.keys.load().verifier();
        self.policy.with_log(&key).verify(note)?;
        Ok(VerifiedCheckpoint::verify(note, &key)?)
    }

    /// Starts asking, on `runtime`. Proofs are made from what `store` holds. Witnesses that
    /// `evidence` convicts do not count.
    pub fn start<S: Reads + 'static>(
        self,
        store: Arc<S>,
        evidence: Arc<Evidence>,
        runtime: &Handle,
    ) -> Asking {
        let (heads, proposed) = mpsc::unbounded_channel();
        let (tell, told) = mpsc::unbounded_channel();
        runtime.spawn(task::Task::new(self, store, evidence, tell).run(proposed));
        Asking { heads, told }
    }
}

impl Asking {
    /// Has a checkpoint cosigned that was signed and is in the checkpoint file.
    pub fn propose(&self, head: VerifiedCheckpoint) {
        // Without a task there is nobody to tell; `told` says so.
        let _ = self.heads.send(head);
    }

    /// Waits for news. Safe to be cancelled.
    pub async fn told(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            None => Told::Stop("the task that asks witnesses failed; report it".into()),
        }
    }

    /// News that is there already.
    pub fn try_told(&mut self) -> Option<Told> {
        self.told.try_recv().ok()
    }
}

/// Reads the policy of a quorum.
pub fn read_policy(path: &Path) -> Result<TlogPolicy, WitnessesError> {
    let text = files::read_text(path).map_err(|source| WitnessesError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    TlogPolicy::parse(&text).map_err(|source| WitnessesError::Malformed {
        path: path.to_owned(),
        source,
    })
}

fn warn_if_unsafe(policy: &TlogPolicy, path: &Path) {
    if let Some(quorum) = policy.quorum_size()
        && !quorum.is_safe()
    {
        tracing::warn!(
            path = %path.display(),
            "a quorum of {} of {} witnesses can be met twice, for two histories, even if fewer \
             than a third of them lie; {} are safe",
            quorum.least,
            quorum.operators,
            quorum.safe(),
        );
    }
}

/// Whoever is on the way to a witness without TLS can stop this log, by the size of an answer.
fn warn_if_open(policy: &TlogPolicy) {
    for witness in policy.witnesses() {
        let Some(rest) = witness
            .url
            .as_ref()
            .and_then(|url| url.strip_prefix("http://"))
        else {
            continue;
        };
        let host = rest.split('/').next().unwrap_or_default();
        let address: Option<SocketAddr> = host.parse().ok();
        let near = address.is_some_and(|address| address.ip().is_loopback());
        if !near && !host.starts_with("localhost") {
            tracing::warn!(
                witness = witness.name,
                "a witness is asked without TLS; whoever is on the way can stop this log by a \
                 wrong answer. Use https"
            );
        }
    }
}
