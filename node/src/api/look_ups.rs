//! The threads that compute what the index says.

use crate::held::Hold;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::{sync::Arc, thread};
use tokio::sync::oneshot;
use tonic::Status;

/// Threads of their own, so that look-ups neither keep claims from being verified nor calls from
/// being served.
#[derive(Clone)]
pub struct LookUps(Arc<ThreadPool>);

impl LookUps {
    /// Returns as many threads as half of the cores, so that the other half is left to claims
    /// however many questions there are. Fails if the system gives none.
    pub fn new() -> Result<Self, ThreadPoolBuildError> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = ThreadPoolBuilder::new()
            .num_threads((cores / 2).max(1))
            .thread_name(|number| format!("look-up-{number}"))
            .build()?;
        Ok(LookUps(Arc::new(threads)))
    }

    /// Computes `job` after those that came before. `turn` is given back when it is done, also if
    /// the caller has gone away meanwhile. If the caller went away before, nothing is computed.
    pub async fn run<T: Send + 'static>(
        &self,
        turn: Hold,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Status> {
        let (done, made) = oneshot::channel();
        self.0.spawn_fifo(move || {
            if !done.is_closed() {
                let _ = done.send(job());
            }
            drop(turn);
        });
        made.await
            .map_err(|_| Status::internal("the look-up failed to run; see the node's trace"))
    }
}
