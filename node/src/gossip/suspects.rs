//! Which logs are suspect, said once when that begins and once when it ends.

use arc_swap::ArcSwap;
use assay_tlog::tree::TreeSize;
use std::sync::Arc;

/// A log that signed a head which nobody links to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) origin: String,
    pub(super) size: TreeSize,
}

/// The logs that were suspect when they were last looked at.
#[derive(Debug, Default)]
pub(super) struct Suspects(ArcSwap<Vec<Suspect>>);

impl Suspects {
    /// These are suspect now, and no others.
    pub(super) fn are(&self, suspects: Vec<Suspect>) {
        metrics::gauge!("assay_gossip_suspects").set(suspects.len() as f64);
        let suspects = Arc::new(suspects);
        let before = self.0.swap(suspects.clone());
        for Suspect { origin, size } in suspects.iter() {
            if !before.iter().any(|suspect| suspect.origin == *origin) {
                tracing::warn!(
                    origin,
                    %size,
                    "this log signed a head that nobody links to its other heads: it may show two \
                     histories, or it and its mirrors are down"
                );
            }
        }
        for Suspect { origin, .. } in before.iter() {
            if !suspects.iter().any(|suspect| suspect.origin == *origin) {
                tracing::info!(origin, "this log is not suspect any more");
            }
        }
    }
}
