//! How much of the disk attachments take, and whose they are.
//!
//! An attachment is paid for by a claim that names it: its bytes count for the claim, for every
//! issuer that signed it, and in all. Nothing is stored of this. A start counts what is there, so
//! that files that an operator deletes are free again after a restart.
//!
//! Anybody may upload what a claim names, and may be slow or send something else. So an issuer pays
//! only once all bytes have come ([`Room::settle`]), and gets it back at once if they are not those
//! that the digest names. Until then an upload takes a part of the disk, and of what the address
//! that it comes from may upload.
//!
//! The disk keeps a reserve for the log and its checkpoint file. What would eat into it is refused
//! before a byte is written.

use crate::{
    config::AttachmentConfig,
    records::{self, RecordError},
    storage::{StorageError, Store},
};
use assay_claims::entry::Entry;
use assay_claims::issuer::IssuerId;
use assay_claims::kind;
use assay_claims::statement::Statement;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// What an attachment is charged at least, and the unit of every charge, in bytes: a block and its
/// entry in a folder, so that many small files cost what they take.
const BLOCK: u64 = 4096;

/// Most claims, from the oldest on, that are tried for one that can pay for an attachment.
const NAMING: usize = 16;

/// Why an attachment is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No logged claim names it.
    #[error("no logged claim names the attachment {0}; publish the claim that names it first")]
    Unnamed(Hash),
    /// The claim states another size.
    #[error("the claim says that the attachment has {stated} bytes, and the header says {size}")]
    OtherSize {
        /// What the claim says.
        stated: u64,
        /// What the header says.
        size: u64,
    },
    /// A quota is used up.
    #[error("{what} may have {limit} MiB of attachments here, and this one does not fit")]
    Quota {
        /// Which one, as metrics name it.
        name: &'static str,
        /// Which one, for people.
        what: String,
        /// How much it is.
        limit: u64,
    },
    /// The disk keeps what is left for the log.
    #[error(
        "this node takes no attachment of this size now: what is left of its disk is kept for the \
         log"
    )]
    Reserve,
    /// The store cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Refused::Record(error.into())
    }
}

/// A claim that names attachments.
#[derive(Debug)]
struct Naming {
    leaf: LeafIndex,
    issuers: Vec<IssuerId>,
    attachments: Vec<kind::AttachmentRef>,
}

fn read_claim<S: Store>(store: &S, leaf: LeafIndex) -> Result<Naming, RecordError> {
    let damaged = |error: String| RecordError::Damaged(format!("entry {leaf}: {error}"));
    let entry = Entry::parse(records::read_entry(store, leaf)?);
    let entry = entry.map_err(|e| damaged(e.to_string()))?;
    let claim = entry.claim().map_err(|e| damaged(e.to_string()))?;
    // What cannot be read as a statement names nothing.
    let statement = Statement::parse(&claim.payload).ok();
    let issuers = claim.signatures.iter();
    let mut issuers: Vec<IssuerId> = issuers
        .filter_map(|signature| IssuerId::from_slice(&signature.issuer_id))
        .collect();
    issuers.sort_unstable();
    issuers.dedup();
    Ok(Naming {
        leaf,
        issuers,
        attachments: statement.as_ref().map_or_else(Vec::new, kind::attachments),
    })
}

#[derive(Debug, Default)]
struct Used {
    all: u64,
    issuers: HashMap<IssuerId, u64>,
    /// What has come for each claim and is not in its place yet. What is there is looked up.
    settling: HashMap<LeafIndex, u64>,
    /// The same by attachment.
    racing: HashMap<Hash, Race>,
    /// What is being written, in all.
    coming: u64,
}

/// Uploads of one attachment that came to their end at once.
#[derive(Debug, Default)]
struct Race {
    uploads: usize,
    /// One of them is in its place, and paid for.
    won: bool,
}

/// What attachments take.
#[derive(Debug)]
pub struct Ledger {
    config: AttachmentConfig,
    used: Mutex<Used>,
    counted: watch::Sender<bool>,
}

/// Room on the disk for one attachment while it is written.
#[derive(Debug)]
pub struct Room {
    ledger: Arc<Ledger>,
    claim: Naming,
    sha256: Hash,
    size: u64,
    paid: Paid,
}

/// What a claim and its issuers have paid for an upload.
#[derive(Debug, PartialEq, Eq)]
enum Paid {
    /// Nothing yet.
    Nothing,
    /// All of it. It is given back unless the attachment comes to its place.
    Settled,
    /// All of it, for good.
    Stored,
}

/// Whether an attachment is to be written.
#[derive(Debug)]
pub enum Place {
    /// It is there.
    Stored,
    /// It may be written.
    Free(Room),
}

fn charge(size: u64) -> u64 {
    size.max(1).next_multiple_of(BLOCK)
}

impl Ledger {
    /// Returns a ledger that knows nothing yet ([`count`](Ledger::count)).
    pub fn new(config: AttachmentConfig) -> Arc<Self> {
        Arc::new(Ledger {
            config,
            used: Mutex::default(),
            counted: watch::Sender::new(false),
        })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // A panic elsewhere can leave a charge too many, which a restart mends.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what is stored. It reads an entry for each attachment, so it runs beside the node,
    /// and uploads wait for it. Nothing is counted once `ends` says so.
    pub fn count<S: Store>(&self, store: &S, ends: impl Fn() -> bool) -> Result<(), RecordError> {
        let mut stored = Vec::new();
        store.each(&mut |sha256, size| stored.push((sha256, size)))?;
        for (sha256, size) in stored {
            if ends() {
                return Ok(());
            }
            // A file that no claim names was put there by hand. It takes room and is nobody's.
            let naming = records::attachment_leaves(store, &sha256, 1)?;
            let issuers = match naming.first() {
                Some(leaf) => read_claim(store, *leaf)?.issuers,
                None => Vec::new(),
            };
            self.used().add(&issuers, charge(size));
        }
        self.report();
        self.counted.send_replace(true);
        Ok(())
    }

    /// Ends when everything is counted.
    pub async fn counted(&self) {
        let _ = self.counted.subscribe().wait_for(|counted| *counted).await;
    }

    fn report(&self) {
        metrics::gauge!("assay_attachment_bytes").set(self.used().all as f64);
    }

    /// Decides whether an attachment of `size` bytes may be written, and takes room on the disk for
    /// it. It is to be paid for by the oldest claim that names it and has room.
    pub fn place<S: Store>(
        self: &Arc<Self>,
        store: &S,
        sha256: &Hash,
        size: u64,
    ) -> Result<Place, Refused> {
        let leaves = records::attachment_leaves(store, sha256, NAMING)?;
        if store.size(sha256)? == Some(size) {
            return Ok(Place::Stored);
        }
        let mut refused = None;
        for leaf in leaves {
            let claim = read_claim(store, leaf)?;
            match self.place_for(store, claim, sha256, size) {
                Ok(room) => return Ok(Place::Free(room)),
                Err(Refused::Record(error)) => return Err(error.into()),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or(Refused::Unnamed(*sha256)))
    }

    fn place_for<S: Store>(
        self: &Arc<Self>,
        store: &S,
        claim: Naming,
        sha256: &Hash,
        size: u64,
    ) -> Result<Room, Refused> {
        let named = claim.attachments.iter().find(|one| one.sha256 == *sha256);
        let named = named.ok_or(Refused::Unnamed(*sha256))?;
        if let Some(stated) = named.size.filter(|stated| *stated != size) {
            return Err(Refused::OtherSize { stated, size });
        }
        let mut used = self.used();
        self.fits_quotas(store, &used, &claim, size)?;
        let bytes = charge(size);
        let needed = (self.config.reserve_mib << 20) + used.coming + bytes;
        if store.free()? < needed {
            return Err(Refused::Reserve);
        }
        used.coming += bytes;
        Ok(Room {
            ledger: self.clone(),
            claim,
            sha256: *sha256,
            size,
            paid: Paid::Nothing,
        })
    }

    /// Fails if so many more bytes are more than a claim, its issuers or the node may have.
    fn fits_quotas<S: Store>(
        &self,
        store: &S,
        used: &Used,
        claim: &Naming,
        size: u64,
    ) -> Result<(), Refused> {
        let bytes = charge(size);
        let mut of_claim = used.settling.get(&claim.leaf).copied().unwrap_or(0);
        for attachment in &claim.attachments {
            of_claim += store.size(&attachment.sha256)?.map_or(0, charge);
        }
        fits(
            "attachment_claim",
            self.config.claim_mib,
            of_claim + bytes,
            || "a claim".into(),
        )?;
        for issuer in &claim.issuers {
            let has = used.issuers.get(issuer).copied().unwrap_or(0);
            let what = || format!("issuer {issuer}");
            fits(
                "attachment_issuer",
                self.config.issuer_mib,
                has + bytes,
                what,
            )?;
        }
        let all = used.all + bytes;
        fits("attachment_all", self.config.total_mib, all, || {
            "this node".into()
        })
    }
}

fn fits(
    name: &'static str,
    limit: u64,
    would_have: u64,
    what: impl Fn() -> String,
) -> Result<(), Refused> {
    if limit == 0 || would_have <= limit << 20 {
        return Ok(());
    }
    let what = what();
    Err(Refused::Quota { name, what, limit })
}

impl Used {
    fn add(&mut self, issuers: &[IssuerId], bytes: u64) {
        self.all += bytes;
        for issuer in issuers {
            *self.issuers.entry(*issuer).or_default() += bytes;
        }
    }

    /// An upload that was settled is over.
    fn unsettle(&mut self, leaf: LeafIndex, sha256: &Hash, bytes: u64) {
        if let Some(settling) = self.settling.get_mut(&leaf) {
            *settling = settling.saturating_sub(bytes);
            if *settling == 0 {
                self.settling.remove(&leaf);
            }
        }
        if let Some(race) = self.racing.get_mut(sha256) {
            race.uploads -= 1;
            if race.uploads == 0 {
                self.racing.remove(sha256);
            }
        }
    }

    fn remove(&mut self, issuers: &[IssuerId], bytes: u64) {
        self.all = self.all.saturating_sub(bytes);
        for issuer in issuers {
            let left = self
                .issuers
                .get(issuer)
                .map_or(0, |has| has.saturating_sub(bytes));
            if left == 0 {
                self.issuers.remove(issuer);
            } else {
                self.issuers.insert(*issuer, left);
            }
        }
    }
}

impl Room {
    /// All bytes have come: the claim and its issuers pay for them. Fails if others were faster and
    /// there is no room left.
    pub fn settle<S: Store>(&mut self, store: &S) -> Result<(), Refused> {
        if self.paid != Paid::Nothing {
            return Ok(());
        }
        let mut used = self.ledger.used();
        let there = store.size(&self.sha256)? == Some(self.size);
        if !there {
            self.ledger
                .fits_quotas(store, &used, &self.claim, self.size)?;
        }
        let bytes = charge(self.size);
        used.add(&self.claim.issuers, bytes);
        *used.settling.entry(self.claim.leaf).or_default() += bytes;
        let race = used.racing.entry(self.sha256).or_default();
        race.uploads += 1;
        race.won |= there;
        self.paid = Paid::Settled;
        Ok(())
    }

    /// The attachment is in its place: it goes on being charged, unless another upload of it was
    /// faster.
    pub fn stored(mut self) {
        let mut used = self.ledger.used();
        if let Some(race) = used.racing.get_mut(&self.sha256)
            && !race.won
        {
            race.won = true;
            self.paid = Paid::Stored;
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut used = self.ledger.used();
        let bytes = charge(self.size);
        used.coming = used.coming.saturating_sub(bytes);
        if self.paid != Paid::Nothing {
            used.unsettle(self.claim.leaf, &self.sha256, bytes);
        }
        if self.paid == Paid::Settled {
            used.remove(&self.claim.issuers, bytes);
        }
        drop(used);
        self.ledger.report();
    }
}
