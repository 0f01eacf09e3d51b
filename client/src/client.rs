//! The connection, and the one door through which every checkpoint passes before anything rests on
//! it.

use crate::{
    BoxError, ClientError, Config, HeadStore, MisbehaviorKind, call,
    channel::{NodeChannel, below},
    heads::{Relation, relate},
    lookup::ANSWER_BYTES,
};
use assay_proto::v1::{
    GetCheckpointRequest, GetConsistencyProofRequest,
    attachment_service_client::AttachmentServiceClient, index_service_client::IndexServiceClient,
    log_service_client::LogServiceClient,
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{self, ProofError, TreeSize};
use assay_tlog::{Hash, hash};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Largest gRPC message taken: docs/design.md 5 gives nodes 1 MiB; the rest is room for framing.
const MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// A connection to one node, for one log. Cheap to clone; clones share the connection and the last
/// head.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) log: LogServiceClient<NodeChannel>,
    pub(crate) index: IndexServiceClient<NodeChannel>,
    pub(crate) attachments: AttachmentServiceClient<NodeChannel>,
    pub(crate) log_key: VerifierKey,
    heads: HeadStore,
    /// The note that was accepted last, so that the same one is proven once.
    accepted: Arc<Mutex<Option<VerifiedCheckpoint>>>,
    /// Most memory that an answer of the index may take, in bytes.
    pub(crate) answer_bytes: usize,
}

impl Client {
    /// Connects to the node at `config.url`.
    ///
    /// Fails with [`ClientError::Usage`] for an address or TLS file that cannot be used and with
    /// [`ClientError::Unavailable`] if nobody answers.
    pub async fn connect(config: Config) -> Result<Self, ClientError> {
        let channel = NodeChannel::connect(&config.url, &config.tls).await?;
        let below = below(&config.url)?;
        Ok(Client {
            log: LogServiceClient::with_origin(channel.clone(), below.clone())
                .max_decoding_message_size(MESSAGE_BYTES),
            index: IndexServiceClient::with_origin(channel.clone(), below.clone())
                .max_decoding_message_size(MESSAGE_BYTES),
            attachments: AttachmentServiceClient::with_origin(channel, below)
                .max_decoding_message_size(MESSAGE_BYTES),
            heads: HeadStore::new(&config.state_dir, &config.log_key),
            log_key: config.log_key,
            accepted: Arc::default(),
            answer_bytes: ANSWER_BYTES,
        })
    }

    /// The same connection, through which an answer of the index takes at most so many bytes of
    /// memory, about. What is longer fails with [`ClientError::Unavailable`].
    pub fn with_answers_of(self, answer_bytes: usize) -> Self {
        Client {
            answer_bytes,
            ..self
        }
    }

    /// The key that every checkpoint must be signed with.
    pub fn log_key(&self) -> &VerifierKey {
        &self.log_key
    }

    /// Returns the node's latest checkpoint: signed by the log and proven consistent with the last
    /// head seen.
    ///
    /// An older head than the last one seen is returned too, if it is proven to be a prefix of it:
    /// a node may lag.
    pub async fn checkpoint(&self) -> Result<VerifiedCheckpoint, ClientError> {
        let mut log = self.log.clone();
        let answer = call::short(
            "fetching the checkpoint",
            log.get_checkpoint(GetCheckpointRequest {}),
        )
        .await?;
        self.accept(&answer.checkpoint).await
    }

    /// The size of the newest head that was seen of the log; 0 if none was.
    pub(crate) async fn seen(&self) -> Result<TreeSize, ClientError> {
        Ok(self
            .stored_head()
            .await?
            .map_or(TreeSize::EMPTY, |head| head.size()))
    }

    /// [`Client::accept`] for an answer that shall leave nothing out: a head older than one that
    /// had been `seen` when the question was sent is refused. It proves a lie of nobody, because
    /// mirrors lag; but by it a node could hide, from somebody who saw more, what was logged since.
    pub(crate) async fn accept_since(
        &self,
        note: &str,
        seen: TreeSize,
    ) -> Result<VerifiedCheckpoint, ClientError> {
        let head = self.accept(note).await?;
        if head.size() < seen {
            Err(older(&head, seen))
        } else {
            Ok(head)
        }
    }

    /// Verifies a checkpoint's signature, proves it consistent with the last head seen, and stores
    /// it if it is newer.
    pub(crate) async fn accept(&self, note: &str) -> Result<VerifiedCheckpoint, ClientError> {
        let mut accepted = self.accepted.lock().await;
        if let Some(last) = accepted.as_ref().filter(|last| last.note() == note) {
            return Ok(last.clone());
        }
        let new = VerifiedCheckpoint::verify(note, &self.log_key)
            .map_err(|e| ClientError::unverified_by("the checkpoint is not one of this log", e))?;
        check_empty(&new)?;
        loop {
            let known = self.stored_head().await?;
            match known.as_ref().map(|known| (relate(known, &new), known)) {
                None => {}
                Some((Relation::Same, _)) => break,
                Some((Relation::Fork, known)) => {
                    return Err(self.heads.misbehavior(
                        MisbehaviorKind::SameSize,
                        known,
                        &new,
                        &[],
                    ));
                }
                Some((Relation::Newer, known)) => self.prove_extension(known, &new).await?,
                Some((Relation::Older, known)) => {
                    let proven = self.prove_extension(&new, known).await;
                    proven.map_err(|error| match error {
                        // It has nothing of what was seen since.
                        ClientError::Refused {
                            code: tonic::Code::OutOfRange,
                            ..
                        } => older(&new, known.size()),
                        error => error,
                    })?;
                    break;
                }
            }
            // Another process may have stored a head meanwhile; then the new one is compared with
            // that.
            if self.advance(known, &new).await? {
                break;
            }
        }
        *accepted = Some(new.clone());
        Ok(new)
    }

    /// Asks the node to prove that `newer` extends `older`, and checks it. A proof that proves
    /// another history is held against the log, which signed both; one that proves nothing is held
    /// against nobody, because it may have been damaged on the way (docs/design.md 3.6).
    async fn prove_extension(
        &self,
        older: &VerifiedCheckpoint,
        newer: &VerifiedCheckpoint,
    ) -> Result<(), ClientError> {
        if older.size() == TreeSize::EMPTY {
            // Every tree extends the empty one; there is nothing to prove but that it was empty.
            return check_empty(older);
        }
        let request = GetConsistencyProofRequest {
            old_size: older.size().get(),
            new_size: newer.size().get(),
        };
        let doing = "proving the head consistent with the last one seen";
        let answer = call::short(doing, self.log.clone().get_consistency_proof(request)).await?;
        if (answer.old_size, answer.new_size) != (request.old_size, request.new_size) {
            return Err(ClientError::unverified(
                "the consistency proof is for other sizes than those asked for",
            ));
        }
        match check_extension(older, newer, &answer.hashes) {
            Ok(()) => Ok(()),
            Err(NoExtension::Rewritten) => Err(self.heads.misbehavior(
                MisbehaviorKind::Rewritten,
                older,
                newer,
                &answer.hashes,
            )),
            Err(NoExtension::WrongProof(error)) => Err(ClientError::unverified_by(
                "the proof that its head extends the one seen before is wrong; it may have been \
                 damaged on the way",
                error,
            )),
        }
    }

    async fn stored_head(&self) -> Result<Option<VerifiedCheckpoint>, ClientError> {
        let heads = self.heads.clone();
        blocking(move || heads.load()).await
    }

    async fn advance(
        &self,
        from: Option<VerifiedCheckpoint>,
        to: &VerifiedCheckpoint,
    ) -> Result<bool, ClientError> {
        let (heads, to) = (self.heads.clone(), to.clone());
        blocking(move || heads.advance(from.as_ref(), &to)).await
    }
}

/// Makes sure that the root of a head without entries is that of the empty tree.
fn check_empty(head: &VerifiedCheckpoint) -> Result<(), ClientError> {
    if head.size() == TreeSize::EMPTY && head.root() != hash::empty_root() {
        return Err(ClientError::unverified(
            "a checkpoint of size 0 whose root is not that of the empty tree",
        ));
    }
    Ok(())
}

/// That a node answers as of an older head than was seen.
fn older(head: &VerifiedCheckpoint, seen: TreeSize) -> ClientError {
    ClientError::Unavailable {
        what: format!(
            "the node answers as of an older head, of size {}, than was seen before, of size \
             {seen}: what was logged since is not in its answer; try again later, or ask another \
             node",
            head.size()
        ),
        retry_after: None,
        source: None,
    }
}

/// What a consistency path that is none shows.
enum NoExtension {
    /// The later tree extends another earlier one: both heads are signed, and both cannot be.
    Rewritten,
    /// Nothing.
    WrongProof(ProofError),
}

/// Checks a consistency path, and says what a wrong one shows.
fn check_extension(
    older: &VerifiedCheckpoint,
    newer: &VerifiedCheckpoint,
    hashes: &[u8],
) -> Result<(), NoExtension> {
    let path = tree::split_hashes(hashes).map_err(NoExtension::WrongProof)?;
    let verify = |old_root: &Hash| {
        tree::verify_consistency(older.size(), old_root, newer.size(), &newer.root(), &path)
    };
    match verify(&older.root()) {
        Ok(()) => Ok(()),
        // The path ties the later head to another earlier tree: both cannot be (docs/design.md
        // 3.6).
        Err(ProofError::OldRoot { computed, .. }) if verify(&computed).is_ok() => {
            Err(NoExtension::Rewritten)
        }
        Err(error) => Err(NoExtension::WrongProof(error)),
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        Err(ClientError::unavailable(
            "the client is shutting down",
            BoxError::from(e),
        ))
    })
}
