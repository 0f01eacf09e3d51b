//! Room that a body waits for.

use super::{Account, Hold, Kind};
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Room that is taken where one polls, and not awaits.
#[derive(Default)]
pub struct Wanted(Option<Pin<Box<dyn Future<Output = Hold> + Send>>>);

impl Wanted {
    /// Takes room for so many bytes, and waits for it as long as it takes. What is polled for again
    /// is the same room, until it was taken.
    pub fn poll(
        &mut self,
        account: &Arc<Account>,
        kind: Kind,
        bytes: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Hold> {
        if self.0.is_none()
            && let Some(hold) = account.try_hold(kind, bytes)
        {
            return Poll::Ready(hold);
        }
        let wait = || Box::pin(account.clone().wait(kind, bytes)) as _;
        let hold = ready!(self.0.get_or_insert_with(wait).as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(hold)
    }

    /// Waits no longer.
    pub fn give_up(&mut self) {
        self.0 = None;
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.0.is_some();
        f.debug_struct("Wanted").field("waits", &waits).finish()
    }
}
