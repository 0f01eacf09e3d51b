//! The connection to a node. Every checkpoint passes through the one door (`door`) before anything
//! rests on it.

use crate::{
    ClientError, Config, HeadStore, call,
    channel::{NodeChannel, below},
    door::{self, Link, Links, NoLink},
    lookup::ANSWER_BYTES,
};
use assay_proto::v1::{
    GetCheckpointRequest, GetConsistencyProofRequest,
    attachment_service_client::AttachmentServiceClient, index_service_client::IndexServiceClient,
    log_service_client::LogServiceClient,
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::TreeSize;
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
    /// The same, by a connection on which an answer may begin at any time.
    pub(crate) uploads: AttachmentServiceClient<NodeChannel>,
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
        let uploads = NodeChannel::unhurried(&config.url, &config.tls)?;
        let below = below(&config.url)?;
        Ok(Client {
            log: LogServiceClient::with_origin(channel.clone(), below.clone())
                .max_decoding_message_size(MESSAGE_BYTES),
            index: IndexServiceClient::with_origin(channel.clone(), below.clone())
                .max_decoding_message_size(MESSAGE_BYTES),
            attachments: AttachmentServiceClient::with_origin(channel, below.clone())
                .max_decoding_message_size(MESSAGE_BYTES),
            uploads: AttachmentServiceClient::with_origin(uploads, below)
                .max_decoding_message_size(MESSAGE_BYTES),
            heads: HeadStore::new(&config.state_dir, &config.log_key).signed_by(&config.older),
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
            Err(door::older(&head, seen))
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
        let new = door::accept(self, &self.heads, &self.log_key, note).await?;
        *accepted = Some(new.clone());
        Ok(new)
    }

    /// The same of a checkpoint that the log signed with another key of it.
    pub(crate) async fn accept_by(
        &self,
        note: &str,
        key: &VerifierKey,
    ) -> Result<VerifiedCheckpoint, ClientError> {
        door::accept(self, &self.heads, key, note).await
    }

    async fn stored_head(&self) -> Result<Option<VerifiedCheckpoint>, ClientError> {
        door::stored(&self.heads).await
    }
}

impl Links for Client {
    async fn link(
        &self,
        older: &VerifiedCheckpoint,
        newer: &VerifiedCheckpoint,
    ) -> Result<Link, NoLink> {
        let request = GetConsistencyProofRequest {
            old_size: older.size().get(),
            new_size: newer.size().get(),
        };
        let doing = "proving the head consistent with the last one seen";
        let answer = call::short(doing, self.log.clone().get_consistency_proof(request)).await;
        let answer = answer.map_err(|error| match error {
            ClientError::Refused {
                code: tonic::Code::OutOfRange,
                ..
            } => NoLink::Lacks(error),
            error => NoLink::Failed(error),
        })?;
        if (answer.old_size, answer.new_size) != (request.old_size, request.new_size) {
            return Err(NoLink::Failed(ClientError::unverified(
                "the consistency proof is for other sizes than those asked for",
            )));
        }
        Ok(Link {
            path: answer.hashes.to_vec(),
            actual: None,
        })
    }
}
