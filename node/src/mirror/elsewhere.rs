//! What the log itself does not serve, or serves wrongly, asked of the peers that mirror it.
//!
//! A peer has a head that the log signed, and its entries. Both are checked as if they came from
//! the log. A peer that is behind is no liar, and is not followed back.

use super::fault::RoundError;
use super::follower::{Follower, add, tree};
use super::site::Site;
use super::sources::Source;
use crate::reason::with_causes;
use crate::storage::Tables;
use assay_tlog::head::VerifiedHead;
use assay_tlog::mirror::{Followed, NotYet};
use assay_tlog::tree::TreeSize;
use std::{cmp::Ordering, time::Duration};

/// Longest time that one peer is asked before the log is asked again. What it brought stays.
const TURN: Duration = Duration::from_secs(300);

impl<S: Tables + 'static> Follower<S> {
    /// Asks each peer that mirrors the log for its head and what is missing of that. A peer that
    /// fails is passed over, and named if it lies. Fails with what is not the fault of a peer.
    pub(super) async fn ask_mirrors(&mut self) -> Result<(), RoundError> {
        let mirrors: Vec<Source> = self.copied.mirrors().collect();
        self.useless
            .retain(|url, _| mirrors.iter().any(|peer| peer.site.url() == url));
        for peer in mirrors {
            let before = self.copied.with(|copy| Ok(copy.mirror.entries())).await?;
            let asked = tokio::time::timeout(TURN, self.ask_mirror(&peer.site)).await;
            match asked {
                // It was slow, and has had its time.
                Err(_) => {}
                Ok(Ok(())) => _ = self.useless.remove(peer.site.url()),
                Ok(Err(error)) if error.is_of_source() => self.pass_over(&peer.site, &error),
                Ok(Err(error)) => return Err(error),
            }
            let entries = self.copied.with(|copy| Ok(copy.mirror.entries())).await?;
            if entries > before {
                self.helped(&peer.site, entries);
            }
        }
        Ok(())
    }

    async fn ask_mirror(&mut self, site: &Site) -> Result<(), RoundError> {
        let copied = self.copied.clone();
        let note = site.checkpoint().await?;
        let head = copied.log.verify(&note)?;
        self.saw(&head);
        let compared = head.clone();
        let state = copied.with(move |copy| {
            let order = copy.mirror.compare(&compared)?;
            let mirrored = copy.mirror.mirrored().map(VerifiedHead::size);
            Ok((order, Some(compared.size()) > mirrored))
        });
        match state.await? {
            (Ordering::Less, false) => {
                return copied.with(move |copy| copy.check_fork(&head)).await;
            }
            (Ordering::Equal, false) => return Ok(()),
            (Ordering::Less, true) => {
                if !self.follow_smaller(site, &head).await? {
                    return Ok(());
                }
                let tree = tree(site, &head).await?;
                self.copy_entries(site, tree).await?;
            }
            (Ordering::Equal, true) => {
                let tree = tree(site, &head).await?;
                self.copy_entries(site, tree).await?;
            }
            (Ordering::Greater, _) => self.copy_greater(site, head).await?,
        }
        copied.with(move |copy| copy.finish(&note)).await
    }

    /// Makes a head pending that is smaller than the one held, of which nobody may have the
    /// entries. That one is the beginning of the other is shown by tiles of the larger tree, which
    /// the log has, or the peer. Returns false if it cannot be shown: no fault of the peer.
    async fn follow_smaller(&self, site: &Site, head: &VerifiedHead) -> Result<bool, RoundError> {
        let copied = &self.copied;
        let held = copied.with(|copy| Ok(copy.mirror.held().cloned()));
        let Some(held) = held.await? else {
            return Ok(false);
        };
        let Ok(mut held) = tree(&copied.site, &held).await else {
            return Ok(false);
        };
        loop {
            let head = head.clone();
            let followed = copied.with(move |copy| {
                let followed = copy.follow_smaller(&head, &held)?;
                Ok((followed, held))
            });
            let (followed, back) = followed.await?;
            held = back;
            let Followed::Needs(NotYet(wanted)) = followed else {
                return Ok(true);
            };
            if add(site, &mut held, wanted.clone()).await.is_err()
                && add(&copied.site, &mut held, wanted).await.is_err()
            {
                return Ok(false);
            }
        }
    }

    /// A peer had what the log did not serve: the next round is soon.
    fn helped(&mut self, site: &Site, entries: TreeSize) {
        self.failures = 0;
        let (origin, url) = (self.copied.log.origin(), site.url());
        let labels = [("log", origin.to_owned())];
        metrics::counter!("assay_mirror_helped_total", &labels).increment(1);
        metrics::gauge!("assay_mirror_entries", &labels).set(entries.get() as f64);
        tracing::info!(origin, url, %entries, "another mirror has what the log does not serve");
    }

    /// Says what is wrong with a peer, once for as long as it is the same.
    fn pass_over(&mut self, site: &Site, error: &RoundError) {
        let (origin, url, kind) = (self.copied.log.origin(), site.url(), error.kind());
        let (log, peer) = (origin.to_owned(), url.to_owned());
        let name = "assay_mirror_peer_failures_total";
        metrics::counter!(name, "log" => log, "peer" => peer, "kind" => kind).increment(1);
        let reason = with_causes(error);
        let is_said = self.useless.insert(url.to_owned(), kind) == Some(kind);
        if is_said || matches!(error, RoundError::Fetch(_)) {
            tracing::debug!(origin, url, kind, reason, "another mirror does not help");
        } else {
            tracing::warn!(
                origin,
                url,
                kind,
                reason,
                "another mirror serves what is wrong"
            );
        }
    }
}
