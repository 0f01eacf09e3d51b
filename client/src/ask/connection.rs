//! The way to one log: a connection that is made when it is first needed, or the answers that were
//! kept of it.

use super::logs::LogAddress;
use crate::{Client, ClientError, Config, Tls, copy_url, one_line};
use std::{mem, path::PathBuf, sync::Arc};
use tokio::sync::Mutex;

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

/// The way to one log: to its own node, or, while that does not answer, to one of its mirrors.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) log: LogAddress,
    pub(super) state_dir: PathBuf,
    tls: Tls,
    way: Arc<Mutex<Way>>,
}

/// Whom the log is asked of now.
#[derive(Debug, Default)]
struct Way {
    /// 0 is its own node, and the first mirror is 1.
    place: usize,
    client: Option<Client>,
    /// Why those before this one did not do.
    failures: Vec<String>,
}

impl Connection {
    pub(super) fn new(log: LogAddress, state_dir: PathBuf, tls: Tls) -> Self {
        Connection {
            log,
            state_dir,
            tls,
            way: Arc::default(),
        }
    }

    /// How its node is reached.
    pub(super) fn tls(&self) -> &Tls {
        &self.tls
    }

    /// The mirror that is asked in place of the log's own node, if one is.
    pub(super) async fn mirror(&self) -> Option<String> {
        let place = self.way.lock().await.place;
        self.log.mirrors.get(place.checked_sub(1)?).cloned()
    }

    /// A connection to the log or to the mirror that is asked, or `None` if its address is unknown.
    /// Fails as [`Client::connect`] does; the next call tries again.
    pub(super) async fn client(&self) -> Result<Option<Client>, ClientError> {
        let Some(own) = &self.log.url else {
            return Ok(None);
        };
        let mut way = self.way.lock().await;
        if let Some(client) = &way.client {
            return Ok(Some(client.clone()));
        }
        let mirror = way
            .place
            .checked_sub(1)
            .and_then(|at| self.log.mirrors.get(at));
        let config = Config {
            url: mirror.map_or_else(|| own.clone(), |at| copy_url(at, self.log.key.name())),
            log_key: self.log.key.clone(),
            state_dir: self.state_dir.clone(),
            tls: self.tls.clone(),
        };
        let client = Client::connect(config).await?;
        way.client = Some(client.clone());
        Ok(Some(client))
    }

    /// Leaves whoever was asked, because of this error. Returns whether somebody else is asked now:
    /// not if the log is to blame, and not if all were asked. Then the next question begins with
    /// the log's own node, and the error says why each of them did not do.
    ///
    /// Whatever a mirror answers that does not hold, it is the mirror's: only two heads that the
    /// log signed are held against the log.
    pub(super) async fn leave(&self, error: &mut ClientError) -> bool {
        let mut way = self.way.lock().await;
        let is_over = match error {
            ClientError::Unavailable { .. } => false,
            ClientError::Misbehavior(_) | ClientError::State { .. } => true,
            _ => way.place == 0,
        };
        if is_over || self.log.mirrors.is_empty() {
            return false;
        }
        let why = one_line(error);
        let mirror = way
            .place
            .checked_sub(1)
            .and_then(|at| self.log.mirrors.get(at));
        way.failures.push(match mirror {
            None => why,
            Some(mirror) => format!("its mirror {mirror}: {why}"),
        });
        way.client = None;
        if way.place < self.log.mirrors.len() {
            way.place += 1;
            return true;
        }
        let Way { failures, .. } = mem::take(&mut *way);
        *error = ClientError::Unavailable {
            what: failures.join("; "),
            retry_after: None,
            source: None,
        };
        false
    }
}
