//! The runtime of a process, and what ends it.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The runtime that accepts connections and keeps time; the serving threads have runtimes of their
/// own.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// What the system tells the process. Made before anything starts, so that no signal is missed.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens to SIGTERM, SIGINT and SIGHUP.
    pub fn new() -> io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the process is to stop. Calls `reload` for each SIGHUP before that.
    pub async fn until_stopped(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => reload(),
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
            }
        }
        tracing::info!("stopping: calls in flight may end");
    }
}
