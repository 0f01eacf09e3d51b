//! A log of which no more is to be had than its checkpoint and tiles (C2SP tlog-tiles): one that
//! holds no Assay entries has no node of ours.
//!
//! Whether one head extends another is computed from the log's own tiles or, where it has none of
//! the larger tree, from the copies that mirrors have. Left out: what its entries say.

use crate::audit::{AuditError, Site};
use crate::door::{self, Link, Links, NoExtension, NoLink, check_extension};
use crate::{ClientError, Config, HeadStore, copy_url, one_line};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{self, Fetched, prove_consistency};

/// Most tiles of one link: two in each of eight levels, and as many for the root at the older size.
/// Each has 8 KiB.
const TILES: usize = 32;

/// A log that is read over HTTP.
pub(crate) struct TiledLog {
    site: Site,
    /// Copies of it.
    copies: Vec<Site>,
    log_key: VerifierKey,
    heads: HeadStore,
}

impl TiledLog {
    /// The log at `config.url`, and its copies at these mirrors. Nothing is fetched yet. Fails with
    /// [`ClientError::Usage`] for an address or TLS file that cannot be used.
    pub fn new(config: Config, mirrors: &[String]) -> Result<Self, ClientError> {
        let site = |url: &str| Site::new(url, &config.tls, 1).map_err(failed);
        let origin = config.log_key.name();
        let copies = mirrors.iter().map(|mirror| site(&copy_url(mirror, origin)));
        Ok(TiledLog {
            site: site(&config.url)?,
            copies: copies.collect::<Result<_, _>>()?,
            heads: HeadStore::new(&config.state_dir, &config.log_key).signed_by(&config.older),
            log_key: config.log_key,
        })
    }

    /// Returns the checkpoint that is published now, as [`Client`](crate::Client) does: signed by
    /// the log and proven consistent with the last head seen.
    pub async fn checkpoint(&self) -> Result<VerifiedCheckpoint, ClientError> {
        let head = self.site.checkpoint(&self.log_key).await;
        self.accept(head.map_err(failed)?.note()).await
    }

    /// Verifies a checkpoint's signature, proves it consistent with the last head seen, and stores
    /// it if it is newer.
    pub async fn accept(&self, note: &str) -> Result<VerifiedCheckpoint, ClientError> {
        self.accept_by(note, &self.log_key).await
    }

    /// The same of a checkpoint that the log signed with another key of it.
    pub(crate) async fn accept_by(
        &self,
        note: &str,
        key: &VerifierKey,
    ) -> Result<VerifiedCheckpoint, ClientError> {
        door::accept(self, &self.heads, key, note).await
    }
}

impl Links for TiledLog {
    async fn link(
        &self,
        older: &VerifiedCheckpoint,
        newer: &VerifiedCheckpoint,
    ) -> Result<Link, NoLink> {
        let own = link(&self.site, older, newer).await;
        let shows = |link: &Link| {
            let checked = check_extension(older, newer, link);
            !matches!(checked, Err(NoExtension::WrongProof(_)))
        };
        if own.as_ref().is_ok_and(shows) {
            return own;
        }
        // What a mirror has counts if it shows something, and else blames nobody.
        for copy in &self.copies {
            match link(copy, older, newer).await {
                Ok(link) if shows(&link) => return Ok(link),
                _ => {}
            }
        }
        own
    }
}

/// What the tiles at one place show.
async fn link(
    site: &Site,
    older: &VerifiedCheckpoint,
    newer: &VerifiedCheckpoint,
) -> Result<Link, NoLink> {
    let mut fetched = Fetched::default();
    // What is wanted is known after the first attempt; nothing more is in the second.
    for _ in 0..2 {
        if let Some(link) = prove(&fetched, older, newer) {
            return Ok(link);
        }
        for at in fetched.missing().into_iter().take(TILES) {
            let tile = site.tile(at, at.width_at(newer.size())).await;
            let Some(tile) = tile.map_err(|error| NoLink::Failed(failed(error)))? else {
                let what = format!("no tiles of a tree of size {} are served", newer.size());
                return Err(NoLink::Lacks(ClientError::Unavailable {
                    what,
                    retry_after: None,
                    source: None,
                }));
            };
            fetched.insert(at, tile);
        }
    }
    prove(&fetched, older, newer).ok_or_else(|| {
        let what = "what is served are not the tiles of such a tree";
        NoLink::Failed(ClientError::unverified(what))
    })
}

fn prove(
    fetched: &Fetched,
    older: &VerifiedCheckpoint,
    newer: &VerifiedCheckpoint,
) -> Option<Link> {
    let path = prove_consistency(fetched, older.size(), newer.size()).ok();
    // Both are tried, so that all that is wanted is known at once.
    let actual = tree::root(fetched, older.size()).ok();
    let hashes = path?.iter().flat_map(Hash::as_bytes).copied().collect();
    Some(Link {
        path: hashes,
        actual: Some(actual?),
    })
}

/// What a fetch that failed is to whoever asks a log.
fn failed(error: AuditError) -> ClientError {
    match error {
        AuditError::Usage(error) => error,
        AuditError::Unavailable { .. } => ClientError::Unavailable {
            what: one_line(&error),
            retry_after: None,
            source: None,
        },
        AuditError::Checkpoint(source) => {
            ClientError::unverified_by("the checkpoint is not one of this log", source)
        }
        error => ClientError::unverified(one_line(&error)),
    }
}
