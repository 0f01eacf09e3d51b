//! How the calls of an HTTP/2 connection run.

use hyper::rt::Executor;
use std::task::{Context, Waker};

/// Begins a call where it comes, and makes a task of it only if it has to wait.
///
/// Were each a task from the start, a connection would begin the hundred calls that it may have
/// before one of them ran, and so would all others: calls that are refused at once would lie in
/// memory together, with what they came with and with their answers.
#[derive(Clone)]
pub(super) struct AtOnce;

impl<F> Executor<F> for AtOnce
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, call: F) {
        let mut call = Box::pin(call);
        // A task asks it again, and is woken then.
        let mut nobody = Context::from_waker(Waker::noop());
        if call.as_mut().poll(&mut nobody).is_pending() {
            tokio::spawn(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::sync::Notify;

    #[tokio::test]
    async fn what_need_not_wait_is_done_at_once_and_what_waits_is_done_later() {
        let done = Arc::new(AtomicUsize::new(0));
        let (go, went) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (count, first) = (done.clone(), async {});
        AtOnce.execute(async move {
            first.await;
            count.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
        let (count, wait, end) = (done.clone(), go.clone(), went.clone());
        AtOnce.execute(async move {
            wait.notified().await;
            count.fetch_add(1, Ordering::SeqCst);
            end.notify_one();
        });
        assert_eq!(done.load(Ordering::SeqCst), 1);
        go.notify_one();
        went.notified().await;
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }
}
