//! How the calls of an HTTP/2 connection run.

use hyper::rt::Executor;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

/// Runs each call as a task, and answers at once what is refused.
///
/// Were that a task, too, a connection would begin the hundred calls that it may have before one of
/// them was answered, and so would all others: what is refused would lie in memory together, with
/// what it came with and with its answers.
#[derive(Debug, Clone, Default)]
pub(super) struct AtOnce(Arc<AtomicBool>);

impl AtOnce {
    /// The call that is run next waits for nothing.
    pub(super) fn next(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<F> Executor<F> for AtOnce
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, call: F) {
        if !self.0.swap(false, Ordering::Relaxed) {
            tokio::spawn(call);
            return;
        }
        let mut call = Box::pin(call);
        // If it waits all the same, the task polls it again, and is woken then.
        let mut nobody = Context::from_waker(Waker::noop());
        if call.as_mut().poll(&mut nobody).is_pending() {
            tokio::spawn(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn what_is_refused_is_answered_at_once_and_all_else_is_a_task() {
        let done = Arc::new(AtomicUsize::new(0));
        let (go, went) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let call = |waits: bool| {
            let (done, go, went) = (done.clone(), go.clone(), went.clone());
            async move {
                if waits {
                    go.notified().await;
                }
                done.fetch_add(1, Ordering::SeqCst);
                went.notify_one();
            }
        };
        let so_far = || done.load(Ordering::SeqCst);
        let calls = AtOnce::default();
        calls.execute(call(false));
        assert_eq!(so_far(), 0);
        went.notified().await;
        calls.next();
        calls.execute(call(false));
        assert_eq!(so_far(), 2);
        went.notified().await;
        // What waits nevertheless is not lost, and the next one is a task again.
        calls.next();
        calls.execute(call(true));
        calls.execute(call(false));
        assert_eq!(so_far(), 2);
        went.notified().await;
        assert_eq!(so_far(), 3);
        go.notify_one();
        went.notified().await;
        assert_eq!(so_far(), 4);
    }
}
