//! How much a mirrored log may take: of the disk, for good, and of memory, while it is copied.
//!
//! A log decides how much it writes. One that is over its limit is not copied any further, and what
//! was cosigned of it stays; the other logs go on. The memory is one budget for all of them, of
//! which a part is for uploads, so that strangers who send do not keep the mirror from fetching.

use crate::config::MirrorConfig;
use assay_tlog::tree::TreeSize;
use assay_tlog::tree::bundle::BUNDLE_BYTES;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest bundle that is fetched beside others, in bytes. A longer one is fetched by itself.
pub const BESIDE_OTHERS: usize = 2 << 20;

/// What a fetch is charged, in MiB: what comes, and the same unpacked.
const CHARGE_MIB: u32 = 2 * (BESIDE_OTHERS >> 20) as u32;

/// What is kept for the one long bundle, in MiB.
const LONG_MIB: u32 = (2 * BUNDLE_BYTES).div_ceil(1 << 20) as u32;

/// What is kept for uploads, in MiB: two packages of the greatest length, and many of the usual
/// one.
const UPLOADS_MIB: u32 = 48;

/// How long an upload waits for room.
const UPLOAD_WAIT: Duration = Duration::from_secs(10);

/// What an entry takes beside its bytes: its hash, and what is above it in the tree.
const HASHES_BYTES: u64 = 33;

/// A log, or the disk, has no more room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// The log has too many entries.
    #[error(
        "it has {size} entries, and {most} of it are copied at most: raise mirror.max_entries, or \
         give it a [[mirror.limit]]"
    )]
    Entries {
        /// How many it has.
        size: TreeSize,
        /// How many it may have.
        most: u64,
    },
    /// The copy has too many bytes.
    #[error(
        "its copy has {mib} MiB, and {most_gib} GiB are kept at most: raise mirror.max_gib, or \
         give it a [[mirror.limit]]"
    )]
    Bytes {
        /// How much it takes.
        mib: u64,
        /// How much it may take.
        most_gib: u64,
    },
    /// The disk keeps what is left.
    #[error(
        "{free_mib} MiB are free on the disk of the copies, of which {reserve_mib} are kept free \
         (mirror.reserve_mib)"
    )]
    Disk {
        /// What is free.
        free_mib: u64,
        /// What is kept free.
        reserve_mib: u64,
    },
}

/// How much of one log is copied. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// Entries.
    pub entries: u64,
    /// GiB.
    pub gib: u64,
}

impl LogLimits {
    /// What the configuration says of a log.
    pub fn of(config: &MirrorConfig, origin: &str) -> Self {
        let own = config.limit.iter().find(|limit| limit.origin == origin);
        LogLimits {
            entries: own
                .and_then(|it| it.max_entries)
                .unwrap_or(config.max_entries),
            gib: own.and_then(|it| it.max_gib).unwrap_or(config.max_gib),
        }
    }

    /// Fails if a tree has more entries than are copied.
    pub fn check_size(&self, size: TreeSize) -> Result<(), NoRoom> {
        if self.entries > 0 && size.get() > self.entries {
            return Err(NoRoom::Entries {
                size,
                most: self.entries,
            });
        }
        Ok(())
    }

    /// Fails if a copy has more bytes than are kept.
    pub fn check_bytes(&self, bytes: u64) -> Result<(), NoRoom> {
        if self.gib > 0 && bytes > self.gib.saturating_mul(1 << 30) {
            return Err(NoRoom::Bytes {
                mib: bytes >> 20,
                most_gib: self.gib,
            });
        }
        Ok(())
    }
}

/// What so many entries take, of so many bytes in bundles.
pub fn taken(entries: u64, bytes: u64) -> u64 {
    bytes.saturating_add(entries.saturating_mul(HASHES_BYTES))
}

/// Memory for what was fetched and is not stored yet, of all logs together, beside one fetch of
/// each. So a log that is slow keeps no other one from being copied.
#[derive(Debug, Clone)]
pub struct Memory {
    window: Arc<Semaphore>,
    long: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

/// Room of one upload. Dropping it gives the room back.
#[derive(Debug)]
pub struct UploadRoom {
    uploads: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
}

impl UploadRoom {
    /// Makes it room for so many bytes, and what may come with the next piece. Returns false, and
    /// changes nothing, if there is none in time.
    pub async fn resize(&mut self, bytes: usize) -> bool {
        let mib = (bytes >> 20) + 2;
        let has = self.permit.num_permits();
        if mib < has {
            drop(self.permit.split(has - mib));
        } else if mib > has {
            let Some(more) = upload_room(&self.uploads, (mib - has) as u32).await else {
                return false;
            };
            self.permit.merge(more);
        }
        true
    }
}

async fn upload_room(uploads: &Arc<Semaphore>, mib: u32) -> Option<OwnedSemaphorePermit> {
    let taking = uploads.clone().acquire_many_owned(mib);
    tokio::time::timeout(UPLOAD_WAIT, taking).await.ok()?.ok()
}

/// Room that was taken. Dropping it gives the room back.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

impl Memory {
    /// A budget of so many MiB.
    pub fn new(mib: u32) -> Self {
        let fetches = mib.saturating_sub(LONG_MIB + UPLOADS_MIB) / CHARGE_MIB;
        Memory {
            window: Arc::new(Semaphore::new(fetches.max(1) as usize)),
            long: Arc::new(Semaphore::new(1)),
            uploads: Arc::new(Semaphore::new(UPLOADS_MIB as usize)),
        }
    }

    /// Room for an upload, of 1 MiB at first. `None` if there is none in time.
    pub async fn upload_room(&self) -> Option<UploadRoom> {
        let permit = upload_room(&self.uploads, 1).await?;
        let uploads = self.uploads.clone();
        Some(UploadRoom { uploads, permit })
    }

    /// The room that a log has by itself, for one thing of at most [`BESIDE_OTHERS`] bytes at a
    /// time.
    pub fn own_room() -> Room {
        Room(None)
    }

    /// Waits for room for one thing of at most [`BESIDE_OTHERS`] bytes.
    pub async fn room(&self) -> Room {
        // Nobody closes the semaphore.
        Room(self.window.clone().acquire_owned().await.ok())
    }

    /// Room for one thing more of at most [`BESIDE_OTHERS`] bytes, if there is some.
    pub fn try_room(&self) -> Option<Room> {
        let room = self.window.clone().try_acquire_owned();
        room.ok().map(|room| Room(Some(room)))
    }

    /// Waits for the room of the one long bundle.
    pub async fn long_room(&self) -> Room {
        Room(self.long.clone().acquire_owned().await.ok())
    }
}
