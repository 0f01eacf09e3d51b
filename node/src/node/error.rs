//! Why a node does not start.

use crate::{
    api::tls::TlsError, config::ConfigError, cosigner::WitnessesError, descriptors::TooFew,
    keyfile::KeyFileError, listen::ListenError, log::OpenError, mirror::run::MirrorStartError,
    misbehavior::EvidenceError, page::PageError, peers::PeersError, storage::StorageError,
    witness::run::WitnessStartError,
};
use std::{io, path::PathBuf};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key is another log's.
    #[error(
        "the key in {path} is for the origin {key}, but the configuration says {origin}",
        path = path.display()
    )]
    OtherKey {
        /// The key file.
        path: PathBuf,
        /// The name in the key.
        key: String,
        /// The name in the configuration.
        origin: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log cannot be opened, or must not be signed.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The witnesses cannot be asked.
    #[error(transparent)]
    Witnesses(#[from] WitnessesError),
    /// The witness that this node is, too, cannot be opened.
    #[error("this node's own witness does not start")]
    Witness(#[from] Box<WitnessStartError>),
    /// The mirror that this node is, too, cannot be opened.
    #[error("this node's own mirror does not start")]
    Mirror(#[from] Box<MirrorStartError>),
    /// The pages cannot be made.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The peers cannot be used.
    #[error(transparent)]
    Peers(#[from] PeersError),
    /// What was kept of misbehavior cannot be read.
    #[error(transparent)]
    Misbehavior(#[from] EvidenceError),
    /// The TLS files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Too few files may be open.
    #[error(transparent)]
    Descriptors(#[from] TooFew),
    /// The system refused a thread or a socket.
    #[error("cannot start")]
    System(#[from] io::Error),
}
