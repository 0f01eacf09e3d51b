//! Where heads go that a log signed and that some part of the node does not follow.

use assay_tlog::head::VerifiedHead;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

type Told = Box<dyn Fn(VerifiedHead) + Send + Sync>;

/// Takes such heads, once somebody wants them. All clones are one.
#[derive(Clone, Default)]
pub struct Seen(Arc<OnceLock<Told>>);

impl Seen {
    /// Calls `told` with the heads, from now on. It must not block.
    pub fn tell(&self, told: impl Fn(VerifiedHead) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(told));
    }

    /// Hands on a head. Does not block.
    pub fn saw(&self, head: &VerifiedHead) {
        if let Some(told) = self.0.get() {
            told(head.clone());
        }
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seen")
    }
}
