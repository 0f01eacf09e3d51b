//! How a log is stored: the key and the value of every row, and the batch that a step of the
//! sequencer becomes.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | segments | index of the first entry, u64be | entries, each u16be length ‖ bytes |
//! | tiles | level, u8 ‖ tile index, u64be | its hashes, 32 bytes each, as many as there are |
//! | claims | claim id ‖ SHA-256(issuer id ‖ key) | first leaf with that signature, u64be |
//! | leaf hashes | leaf hash | leaf index, u64be |
//! | issuers | issuer id ‖ sequence, u32be | leaf index of the record, u64be |
//! | attachments | SHA-256 ‖ leaf index of a claim that names it, u64be | nothing |
//! | vouching | endorsed issuer, or withdrawn claim ‖ who says so ‖ leaf index, u64be | nothing |
//! | index pages | prefix, 32 bytes ‖ bits, u16be | leaf below which it is current, u64be ‖ page |
//! | index parts | prefix, 32 bytes ‖ bits, u16be | the places of its pages |
//! | index lists | label ‖ position in the list, u64be | leaf indices from there to the next row |
//! | meta | `invitation/` ‖ SHA-256 of a token | leaf of the issuer that came by it, u64be |
//! | meta | [`INDEX_THROUGH`] | for each shard, the leaf below which its pages are current, u64be |
//! | meta | `owner/` ‖ key | issuer in whose record it stands; of a mirrored log only |
//! | meta | [`SIGNED`] | leaves of the last checkpoint before the last commit, u64be |
//! | meta | [`CLOCK_OK`] | a time that an operator found right, in milliseconds since 1970, u64be |
//! | meta | [`INDEX_DOUBTED`] | nothing; there once something of the index was wrong |
//!
//! A segment is what one commit added to a thirty-second part of a bundle. It is large enough that
//! a row costs little, and small enough that an entry is read without its whole bundle. No entry is
//! written twice: bundles and entries are served from the same bytes.

mod entries;

pub use entries::read_entries;

use crate::storage::{Batch, Reads, StorageError, Table};
use assay_claims::claim::{self, PublicKey, SignatureId, VerifiedClaim};
use assay_claims::entry::Entry;
use assay_claims::index::map::PageBytes;
use assay_claims::index::{Label, Prefix, list};
use assay_claims::issuer::{IssuerId, IssuerRecord};
use assay_claims::sequencer::{Leaf, Step};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TileIndex, bundle};
use bytes::{Bytes, BytesMut};

/// Entries of a full bundle, and hashes of a full tile (C2SP tlog-tiles).
pub const WIDTH: u64 = 256;

/// Most entries of a segment, which never crosses a multiple of it.
pub(crate) const SEGMENT: u64 = 8;

/// The row of `Meta` that says how far the index is stored. The digests of the shards' parts follow
/// in it.
pub const INDEX_THROUGH: &[u8] = b"index_through";

/// The row of `Meta` that a node leaves that found a page or a part which is not the one that was
/// written. The next start reads every page and takes it away.
pub const INDEX_DOUBTED: &[u8] = b"index_doubted";

/// The row of `Meta` that says how many leaves were signed before the last commit.
pub const SIGNED: &[u8] = b"signed";

/// The row of `Meta` that says which time an operator found right, in milliseconds since 1970.
pub const CLOCK_OK: &[u8] = b"clock_ok";

/// What the rows of `Meta` begin with that say which invitations were used.
pub(crate) const INVITATION: &[u8] = b"invitation/";

/// What the rows of `Meta` begin with that say whose a key is.
pub(crate) const OWNER: &[u8] = b"owner/";

/// Why stored rows cannot be read as a log.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A row is missing or malformed.
    #[error("the store is damaged: {0}. Restore the data folder from a copy")]
    Damaged(String),
}

/// What was read, or `None` if it is damaged or missing.
pub(crate) fn readable<T, E: Into<RecordError>>(
    read: Result<T, E>,
) -> Result<Option<T>, StorageError> {
    match read.map_err(Into::into) {
        Ok(row) => Ok(Some(row)),
        Err(RecordError::Damaged(_) | RecordError::Storage(StorageError::Corrupt { .. })) => {
            Ok(None)
        }
        Err(RecordError::Storage(error)) => Err(error),
    }
}

/// The key of a tile.
pub fn tile_key(tile: TileIndex) -> Vec<u8> {
    let mut key = Vec::with_capacity(9);
    key.push(tile.level);
    key.extend_from_slice(&tile.index.to_be_bytes());
    key
}

/// The key of an issuer's record.
fn issuer_key(id: &IssuerId, sequence: u32) -> Vec<u8> {
    [&id.as_bytes()[..], &sequence.to_be_bytes()].concat()
}

fn index_value(index: LeafIndex) -> Vec<u8> {
    index.get().to_be_bytes().to_vec()
}

/// Reads a row that holds a leaf index.
pub fn parse_index(value: &[u8]) -> Result<LeafIndex, RecordError> {
    let bytes = value
        .try_into()
        .map_err(|_| RecordError::Damaged("a leaf index does not have 8 bytes".into()))?;
    Ok(LeafIndex::new(u64::from_be_bytes(bytes)))
}

/// Returns the one batch that makes a step durable: entries, tiles, look-up rows and head.
pub fn batch(step: &Step) -> Result<Batch, RecordError> {
    let mut batch = Batch::new();
    for (first, segment) in segments(step)? {
        batch.put(Table::Segments, first.to_be_bytes().to_vec(), segment);
    }
    for (tile, hashes) in &step.tiles {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        batch.put(Table::Tiles, tile_key(*tile), bytes);
    }
    for (offset, leaf) in step.leaves.iter().enumerate() {
        put_leaf(
            &mut batch,
            LeafIndex::new(step.first.get() + offset as u64),
            leaf,
        );
    }
    batch.with_head(Some(step.expected.to_bytes()), step.next.head().to_bytes());
    Ok(batch)
}

/// Adds the rows that find a leaf again.
pub fn put_leaf(batch: &mut Batch, index: LeafIndex, leaf: &Leaf) {
    for signature in &leaf.signatures {
        let key = signature.to_bytes().to_vec();
        batch.put(Table::Claims, key, index_value(index));
    }
    batch.put(
        Table::LeafHashes,
        leaf.hash.as_bytes().to_vec(),
        index_value(index),
    );
    if let Some(record) = &leaf.change {
        batch.put(
            Table::Issuers,
            issuer_key(&record.id, record.body.sequence),
            index_value(index),
        );
    }
    if let Some(invitation) = &leaf.invitation {
        let key = [INVITATION, invitation.as_bytes()].concat();
        batch.put(Table::Meta, key, index_value(index));
    }
    for attachment in &leaf.attachments {
        let key = [&attachment.as_bytes()[..], &index.get().to_be_bytes()].concat();
        batch.put(Table::Attachments, key, Bytes::new());
    }
    if let Some((what, who)) = &leaf.vouching {
        for issuer in who {
            let key = [vouching_key(what, issuer), index_value(index)].concat();
            batch.put(Table::Vouching, key, Bytes::new());
        }
    }
}

/// The key of a page of the index, or of a part.
pub fn page_key(key: &Prefix) -> Vec<u8> {
    [&key.first().as_bytes()[..], &key.bits().to_be_bytes()].concat()
}

/// Parses what [`page_key`] made.
pub fn parse_page_key(key: &[u8]) -> Result<Prefix, RecordError> {
    let parsed = key.split_last_chunk::<2>().and_then(|(first, bits)| {
        let bits = u16::from_be_bytes(*bits);
        Prefix::from_wire(first, bits)
    });
    parsed.ok_or_else(|| RecordError::Damaged("a page of the index has a malformed key".into()))
}

/// The value of a page of the index that is current for all leaves below `through`.
pub fn page_value(through: u64, page: &[u8]) -> Bytes {
    [&through.to_be_bytes()[..], page].concat().into()
}

/// Parses what [`page_value`] made: the leaf below which the page is current, and the page.
pub fn parse_page(row: &[u8]) -> Result<(u64, PageBytes), RecordError> {
    let (through, page) = row
        .split_first_chunk::<8>()
        .ok_or_else(|| RecordError::Damaged("a page of the index is cut off".into()))?;
    Ok((u64::from_be_bytes(*through), page.into()))
}

/// The key of what a label's list grew by.
pub fn list_key(label: &Label, position: u64) -> Vec<u8> {
    [&label.as_bytes()[..], &position.to_be_bytes()].concat()
}

/// The value of what a list grew by.
pub fn list_value(leaves: &[LeafIndex]) -> Bytes {
    let mut bytes = Vec::with_capacity(leaves.len() * 2 + 8);
    list::write(&mut bytes, leaves);
    bytes.into()
}

/// Returns the leaves of a long list at the positions `from..to`. Fails if any is not stored.
pub fn read_list(
    tables: &impl Reads,
    label: &Label,
    from: u64,
    to: u64,
) -> Result<Vec<LeafIndex>, RecordError> {
    let damaged = || {
        RecordError::Damaged(format!(
            "the list of label {label} is not stored as it was written"
        ))
    };
    let mut leaves: Vec<LeafIndex> = Vec::new();
    if from >= to {
        return Ok(leaves);
    }
    let (key, value) = tables
        .at_or_before(Table::IndexLists, &list_key(label, from))?
        .ok_or_else(damaged)?;
    let mut row = Some((key, value));
    while from + (leaves.len() as u64) < to {
        let (key, value) = row.take().ok_or_else(damaged)?;
        let (at, position) = key.split_last_chunk::<8>().ok_or_else(damaged)?;
        let next = from + leaves.len() as u64;
        let skip = next
            .checked_sub(u64::from_be_bytes(*position))
            .filter(|_| at == label.as_bytes());
        let read = list::read(&value).ok_or_else(damaged)?;
        let end = u64::from_be_bytes(*position) + read.len() as u64;
        let skip = skip.filter(|_| end > next).ok_or_else(damaged)? as usize;
        leaves.extend(read[skip..].iter().take((to - next) as usize));
        if end < to {
            // After a rebuild rows may be longer than they were and overlap. Each is right by
            // itself.
            row = tables.at_or_before(Table::IndexLists, &list_key(label, end))?;
        }
    }
    Ok(leaves)
}

fn segments(step: &Step) -> Result<Vec<(u64, Vec<u8>)>, RecordError> {
    let mut segments: Vec<(u64, Vec<u8>)> = Vec::new();
    for (offset, leaf) in step.leaves.iter().enumerate() {
        let index = step.first.get() + offset as u64;
        if offset == 0 || index.is_multiple_of(SEGMENT) {
            segments.push((index, Vec::new()));
        }
        if let Some((_, segment)) = segments.last_mut() {
            bundle::push(segment, &leaf.entry).map_err(|e| RecordError::Damaged(e.to_string()))?;
        }
    }
    Ok(segments)
}

/// Returns the first `width` entries of a bundle, as C2SP tlog-tiles serves them.
pub fn read_bundle(tables: &impl Reads, number: u64, width: u64) -> Result<Bytes, RecordError> {
    let start = number * WIDTH;
    let rows = tables.range(
        Table::Segments,
        &start.to_be_bytes(),
        &(start + width).to_be_bytes(),
        WIDTH as usize,
    )?;
    let length = rows.iter().map(|(_, segment)| segment.len()).sum();
    let whole = match <[_; 1]>::try_from(rows) {
        Ok([(_, only)]) => only,
        Err(rows) => {
            let mut joined = BytesMut::with_capacity(length);
            for (_, segment) in &rows {
                joined.extend_from_slice(segment);
            }
            joined.freeze()
        }
    };
    // The last segment may reach beyond the width that was asked for.
    let mut end = 0;
    let mut seen = 0;
    for entry in bundle::entries(&whole).take(width as usize) {
        let entry = entry.map_err(|e| RecordError::Damaged(format!("bundle {number}: {e}")))?;
        end += 2 + entry.len();
        seen += 1;
    }
    if seen < width {
        return Err(RecordError::Damaged(format!(
            "bundle {number} holds {seen} entries of {width}"
        )));
    }
    Ok(whole.slice(..end))
}

/// Returns one entry's bytes, verbatim.
pub fn read_entry(tables: &impl Reads, index: LeafIndex) -> Result<Bytes, RecordError> {
    let missing = || RecordError::Damaged(format!("entry {index} is missing"));
    // Under load most segments are whole. Then the key is known, and a look-up is cheaper than a
    // search.
    let whole = index.get() / SEGMENT * SEGMENT;
    if let Some(segment) = tables.get(Table::Segments, &whole.to_be_bytes())? {
        let entry = bundle::entries(&segment).nth((index.get() - whole) as usize);
        if let Some(entry) = entry {
            let entry = entry.map_err(|e| RecordError::Damaged(format!("entry {index}: {e}")))?;
            return Ok(segment.slice_ref(entry));
        }
    }
    let (key, segment) = tables
        .at_or_before(Table::Segments, &index.get().to_be_bytes())?
        .ok_or_else(missing)?;
    let first = parse_index(&key)?.get();
    let skip = usize::try_from(index.get() - first).map_err(|_| missing())?;
    let entry = bundle::entries(&segment)
        .nth(skip)
        .ok_or_else(missing)?
        .map_err(|e| RecordError::Damaged(format!("entry {index}: {e}")))?;
    Ok(segment.slice_ref(entry))
}

/// Returns the claim at a leaf, with its signatures verified once more. `should` says in an error
/// what it is there for.
pub fn read_claim(
    tables: &impl Reads,
    index: LeafIndex,
    should: &str,
) -> Result<VerifiedClaim, RecordError> {
    let damaged =
        |why: String| RecordError::Damaged(format!("entry {index} should {should}: {why}"));
    let entry = Entry::parse(read_entry(tables, index)?).map_err(|e| damaged(e.to_string()))?;
    let claim = entry.claim().map_err(|e| damaged(e.to_string()))?;
    claim::verify(claim, &()).map_err(|e| damaged(e.to_string()))
}

/// Returns, for each signature of a claim, the first leaf that has it.
pub fn find_signatures(
    tables: &impl Reads,
    signatures: impl Iterator<Item = SignatureId>,
) -> Result<Vec<Option<LeafIndex>>, RecordError> {
    let keys: Vec<_> = signatures.map(|one| one.to_bytes().to_vec()).collect();
    let rows = tables.multi_get(Table::Claims, &keys)?;
    rows.into_iter()
        .map(|row| row.map(|value| parse_index(&value)).transpose())
        .collect()
}

/// Returns the first leaf with a claim, whoever signed it, if it is logged.
pub fn find_claim(tables: &impl Reads, id: &Hash) -> Result<Option<LeafIndex>, RecordError> {
    let from = [&id.as_bytes()[..], &[0; 32]].concat();
    let to = [&id.as_bytes()[..], &[0xff; 33]].concat();
    let rows = tables.range(Table::Claims, &from, &to, assay_claims::limits::PAGE)?;
    let found: Result<Vec<_>, _> = rows.iter().map(|(_, value)| parse_index(value)).collect();
    Ok(found?.into_iter().min())
}

/// Returns the leaf that has a leaf hash, if there is one.
pub fn find_leaf_hash(tables: &impl Reads, hash: &Hash) -> Result<Option<LeafIndex>, RecordError> {
    tables
        .get(Table::LeafHashes, hash.as_bytes())?
        .map(|value| parse_index(&value))
        .transpose()
}

/// Returns the first `most` leaves with a claim that names an attachment, in order.
pub fn attachment_leaves(
    tables: &impl Reads,
    sha256: &Hash,
    most: usize,
) -> Result<Vec<LeafIndex>, RecordError> {
    let to = [&sha256.as_bytes()[..], &[0xff; 9]].concat();
    let rows = tables.range(Table::Attachments, sha256.as_bytes(), &to, most)?;
    rows.iter()
        .map(|(key, _)| parse_index(key.get(Hash::LEN..).unwrap_or_default()))
        .collect()
}

fn vouching_key(what: &Hash, issuer: &IssuerId) -> Vec<u8> {
    [&what.as_bytes()[..], issuer.as_bytes()].concat()
}

/// Returns the first `most` leaves from `from` on, in order, with an endorsement of an issuer, or a
/// withdrawal of a claim, by `issuer`.
pub fn vouching_leaves(
    tables: &impl Reads,
    what: &Hash,
    issuer: &IssuerId,
    from: u64,
    most: usize,
) -> Result<Vec<LeafIndex>, RecordError> {
    let key = vouching_key(what, issuer);
    let to = [&key[..], &[0xff; 9]].concat();
    let from = [&key[..], &from.to_be_bytes()].concat();
    let rows = tables.range(Table::Vouching, &from, &to, most)?;
    rows.iter()
        .map(|(row, _)| parse_index(row.get(key.len()..).unwrap_or_default()))
        .collect()
}

/// Returns the SHA-256 of every invitation that was used.
pub fn invitations(tables: &impl Reads) -> Result<Vec<Hash>, RecordError> {
    let to = [INVITATION, &[0xff; 33]].concat();
    let mut from = INVITATION.to_vec();
    let mut used = Vec::new();
    loop {
        let rows = tables.range(Table::Meta, &from, &to, WIDTH as usize)?;
        let Some((last, _)) = rows.last() else {
            return Ok(used);
        };
        from = [&last[..], &[0]].concat();
        for (key, _) in &rows {
            let digest = key.get(INVITATION.len()..).and_then(Hash::from_slice);
            used.push(digest.ok_or_else(|| {
                RecordError::Damaged("an invitation that was used has a malformed key".into())
            })?);
        }
    }
}

/// Adds the rows that say that each key of a record is its issuer's.
pub fn put_owners(batch: &mut Batch, record: &IssuerRecord) {
    for key in record.all_keys() {
        let key = [OWNER, key.as_bytes()].concat();
        batch.put(Table::Meta, key, record.id.as_bytes().to_vec());
    }
}

/// Returns the issuer in one of whose records a key stands.
pub fn owner(tables: &impl Reads, key: &PublicKey) -> Result<Option<IssuerId>, RecordError> {
    let row = tables.get(Table::Meta, &[OWNER, key.as_bytes()].concat())?;
    row.map(|row| issuer_id(&row)).transpose()
}

/// Returns the first registered issuer whose id is `from` or comes after it.
pub fn issuer_from(tables: &impl Reads, from: &IssuerId) -> Result<Option<IssuerId>, RecordError> {
    let rows = tables.range(Table::Issuers, from.as_bytes(), &[0xff; 40], 1)?;
    rows.first().map(|(key, _)| issuer_id(key)).transpose()
}

/// Returns the leaf of the record of an issuer that is in force.
pub fn issuer_in_force(
    tables: &impl Reads,
    id: &IssuerId,
) -> Result<Option<LeafIndex>, RecordError> {
    let found = tables.at_or_before(Table::Issuers, &issuer_key(id, u32::MAX))?;
    let own = found.filter(|(key, _)| key.starts_with(id.as_bytes()));
    own.map(|(_, value)| parse_index(&value)).transpose()
}

fn issuer_id(bytes: &[u8]) -> Result<IssuerId, RecordError> {
    let id = bytes.get(..Hash::LEN).and_then(IssuerId::from_slice);
    id.ok_or_else(|| RecordError::Damaged("a row with an issuer's id is too short".into()))
}

/// Returns the leaves of an issuer's records with their sequence, oldest first.
pub fn issuer_leaves(tables: &impl Reads, id: &[u8]) -> Result<Vec<(u32, LeafIndex)>, RecordError> {
    let to = [id, &[0xff; 5]].concat();
    tables
        .range(Table::Issuers, id, &to, assay_claims::limits::PAGE)?
        .iter()
        .map(|(key, value)| {
            let sequence = key
                .last_chunk::<4>()
                .ok_or_else(|| RecordError::Damaged("an issuer row is short".into()))?;
            Ok((u32::from_be_bytes(*sequence), parse_index(value)?))
        })
        .collect()
}
