//! The way to one log: a connection that is made when it is first needed, or the answers that were
//! kept of it.

use super::logs::LogAddress;
use super::time::Time;
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
    /// How long it is asked.
    pub(super) time: Time,
    /// Whether answers are kept.
    pub(super) keeps: bool,
    /// The memory that an answer may take, in bytes, if not as much as any.
    pub(super) answer_bytes: Option<usize>,
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
            time: Time::new(),
            keeps: true,
            answer_bytes: None,
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
            older: self.log.older.clone(),
            state_dir: self.state_dir.clone(),
            tls: self.tls.clone(),
        };
        let mut client = Client::connect(config).await?;
        if let Some(bytes) = self.answer_bytes {
            client = client.with_answers_of(bytes);
        }
        way.client = Some(client.clone());
        Ok(Some(client))
    }

    /// Leaves whoever was asked, because of this error. Returns whether somebody else is asked now:
    /// not if the log is to blame, and not if all were asked. Then the next question begins with
    /// the log's own node, and the error says why each of them did not do.
    ///
    /// An error of a mirror becomes [`ClientError::of_mirror`], whoever is asked next.
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
        let mirror = way
            .place
            .checked_sub(1)
            .and_then(|at| self.log.mirrors.get(at));
        if let Some(mirror) = mirror {
            let unknown = ClientError::unverified("");
            *error = mem::replace(error, unknown).of_mirror(mirror);
        }
        way.failures.push(one_line(error));
        way.client = None;
        if way.place < self.log.mirrors.len() {
            way.place += 1;
            self.time.begin_again();
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

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::note::SignerKey;

    /// Who is asked next, and whether anybody is, has nothing to do with whose an error is.
    #[tokio::test]
    async fn an_error_of_a_mirror_is_never_the_logs() {
        let key = SignerKey::from_seed("log.example", &[7; 32]).unwrap();
        let log = LogAddress {
            key: key.verifier(),
            url: Some("http://127.0.0.1:1".into()),
            older: Vec::new(),
            mirrors: vec!["http://m1".into(), "http://m2".into()],
        };
        let connection = Connection::new(log, PathBuf::new(), Tls::default());
        let mut error = ClientError::unverified("own");
        assert!(!connection.leave(&mut error).await);
        assert!(matches!(error, ClientError::Unverified { .. }));
        let mut error = ClientError::unavailable("own", "gone");
        assert!(connection.leave(&mut error).await);
        for (mirror, is_next) in [("http://m1", true), ("http://m2", false)] {
            let mut error = ClientError::unverified("false");
            assert_eq!(connection.leave(&mut error).await, is_next);
            assert!(
                matches!(error, ClientError::Unavailable { .. }),
                "{error:?}"
            );
            let named = format!("its mirror {mirror}: ");
            assert!(error.to_string().contains(&named), "{error}");
        }
    }
}
