//! When callers are told that a node which stops cannot answer them any more.

use crate::config::ServerConfig;
use std::{future::Future, time::Duration};
use tokio::sync::watch;

/// Comes to its end some time before the connections of a process that stops are closed, so that
/// whoever still waits, for a slow disk, reads why.
#[derive(Debug, Clone)]
pub struct Leaving {
    stop: watch::Receiver<bool>,
    after: Duration,
}

impl Leaving {
    /// For a process that stops when `stop` says so, and whose server is of this configuration.
    pub fn new(stop: &watch::Receiver<bool>, server: &ServerConfig) -> Self {
        Leaving {
            stop: stop.clone(),
            after: Duration::from_secs(server.drain_s) * 3 / 4,
        }
    }

    /// What `answer` comes to; none if the process is about to close the connection before that.
    pub async fn before<F: Future>(&self, answer: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = self.comes() => None,
        }
    }

    async fn comes(&self) {
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
        tokio::time::sleep(self.after).await;
    }
}
