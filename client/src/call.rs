//! Waiting for a node, and not for ever. The transport's own limit ends when an answer begins; a
//! node that then falls silent, or drips, would hold whoever asks as long as it likes.

use crate::ClientError;
use std::time::Duration;
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
}
