//! The way to one log: a connection that is made when it is first needed, or the answers that were
//! kept of it.

use super::logs::LogAddress;
use crate::{Client, ClientError, Config, Tls};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// How the logs are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum How {
    /// By the names themselves. The answers are kept for those who ask again offline.
    #[default]
    Openly,
    /// By the first bits of packages' names only, so that the logs do not learn what is asked for.
    /// Single entries and long lists cannot be had, and nothing is kept.
    Privately,
    /// Not at all: answers that were kept are verified again.
    Offline,
}

/// The way to one log.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) log: LogAddress,
    pub(super) state_dir: PathBuf,
    tls: Tls,
    client: Arc<OnceCell<Client>>,
}

impl Connection {
    pub(super) fn new(log: LogAddress, state_dir: PathBuf, tls: Tls) -> Self {
        Connection {
            log,
            state_dir,
            tls,
            client: Arc::default(),
        }
    }

    /// How its node is reached.
    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// A connection to the log, or `None` if its address is unknown. Fails as
    /// [`Client::connect`] does; the next call tries again.
    pub(super) async fn client(&self) -> Result<Option<Client>, ClientError> {
        let Some(url) = &self.log.url else {
            return Ok(None);
        };
        let config = Config {
            url: url.clone(),
            log_key: self.log.key.clone(),
            state_dir: self.state_dir.clone(),
            tls: self.tls.clone(),
        };
        let client = self
            .client
            .get_or_try_init(|| Client::connect(config))
            .await?;
        Ok(Some(client.clone()))
    }
}
