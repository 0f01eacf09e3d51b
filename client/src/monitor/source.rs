//! Where a log is read from: its node or, if it holds no Assay entries, its tiles.

use super::log::LogMonitor;
use crate::tiled::TiledLog;
use crate::{Client, ClientError, Config};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;

/// A log that can be asked.
pub(super) enum Source {
    Node(Box<Client>),
    Tiles(Box<TiledLog>),
}

impl Source {
    /// Its latest checkpoint, proven consistent with the last one seen.
    pub async fn checkpoint(&self) -> Result<VerifiedCheckpoint, ClientError> {
        match self {
            Source::Node(client) => client.checkpoint().await,
            Source::Tiles(log) => log.checkpoint().await,
        }
    }

    /// Proves a checkpoint that somebody has, and that the log signed with this key of it,
    /// consistent with the last one seen.
    pub async fn accept(
        &self,
        note: &str,
        key: &VerifierKey,
    ) -> Result<VerifiedCheckpoint, ClientError> {
        match self {
            Source::Node(client) => client.accept_by(note, key).await,
            Source::Tiles(log) => log.accept_by(note, key).await,
        }
    }

    /// Whether heads can be linked although the log shows none: mirrors have its tiles.
    pub fn links_alone(&self) -> bool {
        matches!(self, Source::Tiles(_))
    }
}

impl LogMonitor {
    /// Where the log is read from. Fails if its node cannot be reached.
    pub(super) async fn source(&self) -> Result<Source, ClientError> {
        let config = Config {
            url: self.url.clone(),
            log_key: self.watched.log.key.clone(),
            older: self.watched.log.older.clone(),
            state_dir: self.settings.state_dir.clone(),
            tls: self.settings.tls.clone(),
        };
        if self.watched.is_foreign {
            let log = TiledLog::new(config, &self.watched.log.mirrors)?;
            Ok(Source::Tiles(Box::new(log)))
        } else {
            let client = Client::connect(config).await?;
            Ok(Source::Node(Box::new(client)))
        }
    }
}
