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

    /// Bytes of everybody's room.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.taken[2] as usize
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
        if !more.try_take_own(bytes, self.taken) {
            return false;
        }
        let Some(of_all) = self.more_of_all(bytes) else {
            return false;
        };
        (more.taken[2], more.of_kept) = of_all;
        self.of_kept = more.of_kept;
        let levels = self.account.levels(self.of_kept);
        for ((taken, more), level) in self.taken.iter_mut().zip(&mut more.taken).zip(levels) {
            let Some(level) = level else { continue };
            *taken += std::mem::take(more);
            let less = taken.saturating_sub(level.charge(self.kind, bytes));
            level.give_back(self.kind, less);
            *taken -= less;
        }
        true
    }

    /// Takes, of the caller's own room and of that of his network, what so many bytes are charged
    /// there and was not taken `before`. Returns false if there is no room for it at once; what was
    /// taken until then is given back with this.
    pub(super) fn try_take_own(&mut self, bytes: usize, before: [u32; 3]) -> bool {
        let own = self.account.own();
        for ((taken, before), level) in self.taken.iter_mut().zip(before).zip(own) {
            let Some(level) = level else { continue };
            let lacks = level.charge(self.kind, bytes).saturating_sub(before);
            if !level.try_take(self.kind, lacks) {
                return false;
            }
            *taken = lacks;
        }
        true
    }

    /// Takes what it lacks of everybody's room, from where it has it, once its own was taken.
    /// Returns what was taken, and whether that is of what is kept for those who hold little.
    fn more_of_all(&self, bytes: usize) -> Option<(u32, bool)> {
        let (account, kind) = (&self.account, self.kind);
        if self.taken[2] == 0 {
            return account.try_take_of_all(kind, bytes);
        }
        let [_, _, level] = account.levels(self.of_kept);
        let level = level?;
        let wanted = level.charge(kind, bytes).saturating_sub(self.taken[2]);
        let may = wanted == 0 || !self.of_kept || account.has_little(kind);
        (may && level.try_take(kind, wanted)).then_some((wanted, self.of_kept))
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
