//! Where a node keeps its log: three traits, each a list of duties (docs/design.md 5, "Storage
//! traits").
//!
//! - [`Head`]: the one value that says how far the log has come. It is moved by compare-and-swap
//!   inside a commit.
//! - [`Tables`]: ordered maps from bytes to bytes. A [`Batch`] is written whole and durably, or not
//!   at all.
//! - [`Blobs`]: immutable content under its own SHA-256, for attachments.
//!
//! [`Rocks`](rocks::Rocks) is the store of a node, unless its operator chose
//! [`Redb`](redb::Redb). [`Memory`](memory::Memory) has a crash model and serves tests. All pass
//! [`suite`]. [`backend`] is where one of them is chosen. All calls block, so callers use threads
//! of their own.
//!
//! Left out on purpose: what the keys and values mean (see [`records`](crate::records)), and any
//! judgment of whether the log may be signed (see [`log`](crate::log)). A store that was copied
//! back whole from an older day looks healthy from here. Only the checkpoint file can tell.

pub mod backend;
pub(crate) mod disk;
pub mod files;
pub mod memory;
pub mod open;
pub mod part;
pub mod redb;
pub mod rocks;
pub mod suite;

use assay_tlog::Hash;
use bytes::Bytes;
use std::io::{self, Read};
use std::path::PathBuf;

/// One ordered map of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Runs of up to eight entries, about 8 KiB a value.
    Segments,
    /// Tiles of the tree, full and partial.
    Tiles,
    /// From a claim by a set of signers to its leaf.
    Claims,
    /// From a leaf hash to its leaf.
    LeafHashes,
    /// From an issuer and a sequence to the leaf of the record.
    Issuers,
    /// Digests that a logged claim names as attachments.
    Attachments,
    /// Who is endorsed and what is withdrawn, and by whom.
    Vouching,
    /// Pages of the index.
    IndexPages,
    /// Parts of the index: where its pages are.
    IndexParts,
    /// Lists of the index that are too long for a page.
    IndexLists,
    /// What a witness cosigned, and the floor of its clock.
    Witness,
    /// Single values, one row each.
    Meta,
}

impl Table {
    /// Every table, in the order of their numbers.
    pub const ALL: [Table; 12] = [
        Table::Segments,
        Table::Tiles,
        Table::Claims,
        Table::LeafHashes,
        Table::Issuers,
        Table::Attachments,
        Table::Vouching,
        Table::IndexPages,
        Table::IndexParts,
        Table::IndexLists,
        Table::Witness,
        Table::Meta,
    ];

    /// The name under which a store keeps this table. It is part of the format on disk and never
    /// changes.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Segments => "segments",
            Table::Tiles => "tiles",
            Table::Claims => "claims",
            Table::LeafHashes => "leaf_hashes",
            Table::Issuers => "issuers",
            Table::Attachments => "attachments",
            Table::Vouching => "vouching",
            Table::IndexPages => "index_pages",
            Table::IndexParts => "index_parts",
            Table::IndexLists => "index_lists",
            Table::Witness => "witness",
            Table::Meta => "meta",
        }
    }
}

/// Changes that are committed together.
///
/// Later changes to a key win over earlier ones in the same batch.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    changes: Vec<Change>,
    head: Option<HeadChange>,
}

#[derive(Clone, Debug)]
struct Change {
    table: Table,
    key: Vec<u8>,
    /// `None` deletes.
    value: Option<Bytes>,
}

#[derive(Clone, Debug)]
struct HeadChange {
    expected: Option<Vec<u8>>,
    new: Vec<u8>,
}

impl Batch {
    /// Returns a batch that changes nothing.
    pub fn new() -> Self {
        Batch::default()
    }

    /// Sets `key` of `table` to `value`, whatever was there.
    pub fn put(
        &mut self,
        table: Table,
        key: impl Into<Vec<u8>>,
        value: impl Into<Bytes>,
    ) -> &mut Self {
        self.changes.push(Change {
            table,
            key: key.into(),
            value: Some(value.into()),
        });
        self
    }

    /// Removes `key` from `table`. An absent key is no error.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) -> &mut Self {
        self.changes.push(Change {
            table,
            key: key.into(),
            value: None,
        });
        self
    }

    /// Moves the head to `new` if it is `expected` when the batch is committed (`None`: there is no
    /// head yet); otherwise the whole batch is refused with [`StorageError::HeadMoved`]. A second
    /// call replaces the first.
    pub fn with_head(&mut self, expected: Option<Vec<u8>>, new: Vec<u8>) -> &mut Self {
        self.head = Some(HeadChange { expected, new });
        self
    }

    /// Whether the batch may be committed where this is the head.
    fn fits(&self, head: Option<&[u8]>) -> bool {
        let mut change = self.head.iter();
        change.all(|change| change.expected.as_deref() == head)
    }

    /// Whether the batch changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.head.is_none()
    }
}

/// How far the log has come. The bytes are the committer's own.
pub trait Head: Send + Sync {
    /// Returns the head that the last successful commit left, or `None` before the first.
    ///
    /// It is durable. It moves together with the rest of its batch: a caller that sees a head sees
    /// everything that was committed with it and before it.
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError>;
}

/// Look-ups in tables. Keys are ordered by their bytes.
///
/// After an error the caller knows nothing, least of all that a key is absent.
pub trait Reads: Send + Sync {
    /// Returns the value of `key`, or `None` if there is none.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError>;

    /// Returns the values of `keys`, in the order asked for and exactly as many, all of one moment.
    ///
    /// Keys given in ascending order are found faster.
    fn multi_get(&self, table: Table, keys: &[Vec<u8>])
    -> Result<Vec<Option<Bytes>>, StorageError>;

    /// Returns the greatest key that is `key` or below it, with its value.
    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError>;

    /// Returns the first `limit` keys of `[from, to)` in ascending order, with their values, all of
    /// one moment.
    ///
    /// Nothing is reserved for `limit` beforehand. `from >= to` is an empty range.
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError>;
}

/// Ordered maps that change by whole batches.
pub trait Tables: Head + Reads {
    /// Writes `batch` whole.
    ///
    /// - On `Ok`, everything in it is durable (it survives power loss, as far as the disk keeps its
    ///   word) and visible to every read that starts afterward. No read ever sees a part of it.
    /// - On [`StorageError::HeadMoved`] nothing was written. There is another writer, or the
    ///   caller's plan is stale. The caller must plan again from the stored head.
    /// - On [`StorageError::Poisoned`] nothing of this batch was written.
    /// - On any other error it is **unknown** whether the batch will be there after a restart.
    ///   Reads go on as if it were not, and every later commit is refused with `Poisoned`. The
    ///   caller must acknowledge nothing of the batch and must not try it again. Only the head of
    ///   the reopened store says what happened.
    ///
    /// Commits from several threads are written one after the other.
    fn commit(&self, batch: Batch) -> Result<(), StorageError>;
}

/// Immutable content, each under its own SHA-256.
pub trait Blobs: Send + Sync {
    /// Stores the next `size` bytes of `bytes`, which must be all of them, under their SHA-256
    /// `key`. Returns whether the blob was there already.
    ///
    /// - On `Ok` the blob is durable, and whole whenever [`open`](Blobs::open) finds it. A blob
    ///   that was there already is left alone and `bytes` is not read.
    /// - On [`StorageError::WrongDigest`], [`StorageError::WrongSize`] and [`StorageError::Source`]
    ///   the caller's bytes are at fault and nothing was stored.
    /// - On any other error nothing can be opened under `key` that was not there before. Trying
    ///   again is safe.
    ///
    /// `bytes` is read in pieces, so memory does not grow with `size`. The caller limits `size`.
    fn put(&self, key: &Hash, bytes: &mut dyn Read, size: u64) -> Result<bool, StorageError>;

    /// Returns the blob under `key` for reading, or `None`.
    ///
    /// The content was checked against `key` when it was stored, not now. A disk may have damaged
    /// it since, so a caller that relies on it hashes it again.
    fn open(&self, key: &Hash) -> Result<Option<BlobReader>, StorageError>;

    /// Returns the size of the blob under `key`, in bytes, or `None` if [`open`](Blobs::open) would
    /// not find it.
    fn size(&self, key: &Hash) -> Result<Option<u64>, StorageError>;

    /// Calls `visit` with the key and the size of every blob, each once, in any order. Blobs that
    /// are stored meanwhile may be among them or not.
    fn each(&self, visit: &mut dyn FnMut(Hash, u64)) -> Result<(), StorageError>;

    /// Returns how many bytes are free where blobs are written: that much can be stored before the
    /// disk, or the quota of this user, is full.
    fn free(&self) -> Result<u64, StorageError>;
}

/// A store that a node can run on: one with all three duties.
pub trait Store: Tables + Blobs {}

impl<S: Tables + Blobs> Store for S {}

/// An open blob, to be read once from its start.
pub struct BlobReader {
    size: u64,
    bytes: Box<dyn Read + Send>,
}

impl BlobReader {
    /// Returns a reader over `bytes`, which has `size` bytes.
    pub(crate) fn new(size: u64, bytes: impl Read + Send + 'static) -> Self {
        BlobReader {
            size,
            bytes: Box::new(bytes),
        }
    }

    /// The size of the whole blob, in bytes, whatever was read of it.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Why a store failed. The text says what an operator can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The head is not what the batch expected. Nothing was written.
    #[error(
        "the stored head is not the one this batch was planned on; nothing was written. Plan \
         again from the stored head"
    )]
    HeadMoved,
    /// An earlier commit failed, so this store takes no more. Nothing was written.
    #[error(
        "an earlier write to the store failed, so nothing more is written; reads go on. Repair \
         what that failure named and restart the node"
    )]
    Poisoned,
    /// There is no room left on the disk or in the quota.
    #[error(
        "no room left on the disk that holds {path}; free some space there, then restart the node"
    )]
    DiskFull {
        /// The file or folder that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the store open.
    #[error(
        "{0} is locked: another process has this data folder open. Two nodes on one folder would \
         sign a fork; stop the other one, or give this one a folder and a key of its own"
    )]
    Locked(PathBuf),
    /// There is no store here.
    #[error(
        "{0} holds no store. If this log is new, create it with `assay-node init`; if it is not, \
         mount or restore its data folder, and never run `init` in its place"
    )]
    Missing(PathBuf),
    /// A rebuild was interrupted while it put tables in the place of the old ones.
    #[error(
        "{0} holds what a rebuild made, and not all of it is in its place, because it was \
         interrupted. Run `assay-node rebuild` again, which finishes it; leave the folder as it is \
         until then"
    )]
    Unfinished(PathBuf),
    /// There is a store here already.
    #[error(
        "{0} holds a store already and is left as it is. If it is the remains of an `init` that \
         was interrupted and never ran, remove the folder by hand; otherwise start the node \
         without `init`"
    )]
    Exists(PathBuf),
    /// There is a store of another backend here.
    #[error(
        "{path} holds a store of {kind}: write `backend = \"{kind}\"` into [storage] of the \
         configuration. What one backend wrote, another cannot read"
    )]
    OtherKind {
        /// The folder.
        path: PathBuf,
        /// The backend, as the configuration names it.
        kind: String,
    },
    /// What is stored is damaged or incomplete. The store was left as it was found.
    #[error(
        "the store in {path} is damaged: {reason}. Acknowledged entries may be missing, so the \
         node does not go on from here. Keep the folder as it is, check the disk, and restore a \
         copy that holds everything up to the last signed checkpoint"
    )]
    Corrupt {
        /// The file or folder at fault.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system or the embedded store refused.
    #[error(
        "could not {doing} {path}; the cause below says why. Check the disk and the permissions, \
         then restart the node"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes given for a blob are not those that its key names. Nothing was stored.
    #[error("the content has SHA-256 {found}, not {expected}; nothing was stored")]
    WrongDigest {
        /// The key.
        expected: Hash,
        /// The digest of what was given.
        found: Hash,
    },
    /// More or fewer bytes were given for a blob than announced. Nothing was stored.
    #[error(
        "{expected} bytes were announced, and {} came; nothing was stored",
        if *.more { "more" } else { "fewer" }
    )]
    WrongSize {
        /// The size announced, in bytes.
        expected: u64,
        /// Whether there were more rather than fewer.
        more: bool,
    },
    /// The reader that a blob was to come from failed. Nothing was stored.
    #[error("the content could not be read to its end; nothing was stored")]
    Source(#[source] io::Error),
}
