//! Room that was taken.

use super::{Account, Kind, lock};
use std::{sync::Arc, time::Instant};

/// Room that was taken. Dropping it gives the room back.
#[derive(Debug)]
pub struct Hold {
    account: Arc<Account>,
    kind: Kind,
    pub(super) taken: [u32; 3],
    /// Whether the last of it is of what is kept for those who hold little.
    pub(super) of_kept: bool,
    /// Its number among what is unread of its connection, if the caller is the one who frees it, by
    /// reading.
    unread: Option<u64>,
}

impl Hold {
    pub(super) fn nothing(account: &Arc<Account>, kind: Kind) -> Self {
        Hold {
            account: account.clone(),
            kind,
            taken: [0; 3],
            of_kept: false,
            unread: None,
        }
    }

    /// All room was taken: from now on it is up to the caller to read.
    pub(super) fn begin(&mut self) {
        if matches!(self.kind, Kind::Short | Kind::Long) {
            let mut unread = lock(&self.account.connection.unread);
            let number = unread.next;
            unread.next += 1;
            unread.since.insert(number, Instant::now());
            self.unread = Some(number);
        }
    }

    /// Makes it room for at least so many bytes, and keeps what is more: who gives back what is
    /// needed again in a moment gives it to those who wait. Returns false, and changes nothing, if
    /// there is no room for it at once.
    pub fn cover(&mut self, bytes: usize) -> bool {
        let levels = self.account.levels(self.of_kept);
        let has_all = self.taken.iter().zip(levels).all(|(taken, level)| {
            level.is_none_or(|level| level.charge(self.kind, bytes) <= *taken)
        });
        has_all || self.resize(bytes)
    }

    /// Makes it room for so many bytes. Returns false, and changes nothing, if that is more than
    /// before and there is no room for it at once.
    pub fn resize(&mut self, bytes: usize) -> bool {
        // Dropped before the end, this gives back what it took.
        let mut more = Hold::nothing(&self.account, self.kind);
        more.of_kept = self.of_kept;
        let levels = self.account.levels(self.of_kept);
        for ((more, taken), level) in more.taken.iter_mut().zip(self.taken).zip(levels) {
            let Some(level) = level else { continue };
            let wanted = level.charge(self.kind, bytes).saturating_sub(taken);
            if wanted > 0 && !level.try_take(self.kind, wanted) {
                return false;
            }
            *more = wanted;
        }
        for ((taken, more), level) in self.taken.iter_mut().zip(&mut more.taken).zip(levels) {
            let Some(level) = level else { continue };
            *taken += std::mem::take(more);
            let less = taken.saturating_sub(level.charge(self.kind, bytes));
            level.give_back(self.kind, less);
            *taken -= less;
        }
        true
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(number) = self.unread {
            lock(&self.account.connection.unread).since.remove(&number);
        }
        for (taken, level) in self
            .taken
            .into_iter()
            .zip(self.account.levels(self.of_kept))
        {
            if let (1.., Some(level)) = (taken, level) {
                level.give_back(self.kind, taken);
            }
        }
    }
}
