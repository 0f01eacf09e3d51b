//! Waiting for a node, and not for ever. The transport's own limit ends when an answer begins; a
//! node that then falls silent, or drips, would hold whoever asks as long as it likes.

use crate::ClientError;
use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tonic::{Response, Status, Streaming};

/// Longest wait for an answer to begin, and between two messages of it. A node gives up after 15 s
/// itself.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);

/// Longest time that a short answer may take as a whole: one message of 2 MiB over a slow line.
const SHORT: Duration = Duration::from_secs(60);

/// Longest time that an answer of many messages may take as a whole, and all answers of a log to
/// one command: a gigabyte over a line of 10 Mbit/s.
pub(crate) const LONG: Duration = Duration::from_secs(15 * 60);

/// Waits for the whole answer to a call that is answered by one message.
pub(crate) async fn short<T>(
    doing: &str,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, ClientError> {
    within(SHORT, doing, call).await.map(Response::into_inner)
}

/// Gives every message of an answer to `take`, up to the end.
pub(crate) async fn each<T>(
    doing: &str,
    call: impl Future<Output = Result<Response<Streaming<T>>, Status>>,
    mut take: impl FnMut(T) -> Result<(), ClientError>,
) -> Result<(), ClientError> {
    let all = async {
        let mut messages = within(SILENCE, doing, call).await?.into_inner();
        while let Some(message) = within(SILENCE, doing, messages.message()).await? {
            take(message)?;
        }
        Ok(())
    };
    tokio::time::timeout(LONG, all)
        .await
        .unwrap_or_else(|_| Err(late(doing, LONG)))
}

/// When something went on last.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    pub fn begin() -> Self {
        Progress(Arc::new(Mutex::new(Instant::now())))
    }

    pub fn goes_on(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Since when nothing went on.
    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the answer to a call that takes long, and no longer than `limit` once nothing of it
/// goes on.
pub(crate) async fn while_it_goes_on<T>(
    (limit, doing): (Duration, &str),
    progress: &Progress,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, ClientError> {
    let mut call = pin!(call);
    loop {
        let last = progress.last();
        let answered = tokio::time::timeout_at(last + limit, call.as_mut()).await;
        match answered {
            Ok(Ok(answer)) => return Ok(answer.into_inner()),
            Ok(Err(status)) => return Err(ClientError::from_status(doing, status)),
            Err(_) if progress.last() > last => {}
            Err(_) => return Err(stalled(doing, limit)),
        }
    }
}

fn stalled(doing: &str, limit: Duration) -> ClientError {
    let what = format!(
        "{doing} failed: nothing of it went on for {} s",
        limit.as_secs()
    );
    ClientError::Unavailable {
        what,
        retry_after: None,
        source: None,
    }
}

async fn within<T>(
    limit: Duration,
    doing: &str,
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, ClientError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|status| ClientError::from_status(doing, status)),
        Err(_) => Err(late(doing, limit)),
    }
}

fn late(doing: &str, limit: Duration) -> ClientError {
    let what = format!(
        "{doing} failed: the node did not answer to the end within {} s",
        limit.as_secs()
    );
    ClientError::Unavailable {
        what,
        retry_after: None,
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_never_answers_is_not_waited_for() {
        let never = std::future::pending::<Result<(), Status>>();
        let error = within(Duration::from_millis(1), "looking up", never)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, ClientError::Unavailable { what, .. } if what.starts_with("looking \
                up")),
            "{error:?}"
        );
        assert!(
            within(SHORT, "looking up", std::future::ready(Ok(())))
                .await
                .is_ok()
        );
    }

    /// It takes longer in all than nothing may go on.
    #[tokio::test]
    async fn what_goes_on_is_waited_for_and_what_stalls_is_not() {
        const LIMIT: Duration = Duration::from_millis(200);
        let going = |steps: u32| {
            let progress = Progress::begin();
            let taken = progress.clone();
            async move {
                let call = async {
                    for _ in 0..steps {
                        tokio::time::sleep(LIMIT / 4).await;
                        taken.goes_on();
                    }
                    if steps < 12 {
                        std::future::pending::<()>().await;
                    }
                    Ok(Response::new(7))
                };
                while_it_goes_on((LIMIT, "uploading"), &progress, call).await
            }
        };
        assert_eq!(going(12).await.unwrap(), 7);
        for steps in [0, 6] {
            let error = going(steps).await.unwrap_err();
            assert!(
                matches!(error, ClientError::Unavailable { .. }),
                "{error:?}"
            );
        }
    }
}
