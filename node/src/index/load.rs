//! What is stored of the index, read at a start: each shard by itself, on all cores.

use super::pages::stored;
use super::shard::{self, Shard, ends};
use super::{Held, SHARDS};
use crate::{
    records::{self, RecordError},
    storage::{Batch, Reads, StorageError, Table, Tables},
};
use assay_claims::index::Map;
use assay_claims::index::map::{
    LoadedPart, MapError, PageBytes, Part, Place, Slot, StoredPage, StoredPart,
};
use assay_claims::index::{Label, Prefix};
use assay_tlog::tree::TreeSize;
use bytes::Bytes;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Pages or parts of one read.
const ROWS: usize = 2048;

/// Bytes of rows in one commit.
const COMMIT_BYTES: usize = 8 << 20;

/// What is stored.
pub(super) struct Loaded {
    pub map: Map<Held>,
    /// What is stored of each shard.
    pub shards: [Shard; SHARDS],
    /// How many pages and parts are not in memory.
    pub evicted: u64,
    /// The size below which pages were not read.
    pub opened: TreeSize,
}

type Row = (Vec<u8>, Bytes);

/// The memory that is left for what is read.
struct Budget {
    left: AtomicU64,
    /// Rows that found no room.
    evicted: AtomicU64,
}

impl Budget {
    fn new(left: u64) -> Self {
        Budget {
            left: AtomicU64::new(left),
            evicted: AtomicU64::new(0),
        }
    }

    /// Whether there is room for these rows, each `times` as large in memory. Takes it.
    fn keeps(&self, rows: &[Row], times: u64) -> bool {
        let read = times * bytes_of(rows);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(read)
            });
        if taken.is_err() {
            self.evicted.fetch_add(rows.len() as u64, Ordering::Relaxed);
        }
        taken.is_ok()
    }
}

fn bytes_of(rows: &[Row]) -> u64 {
    rows.iter().map(|(_, row)| row.len() as u64).sum()
}

/// Keys from one to another.
struct Keys {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Keys {
    fn all() -> Self {
        Keys {
            from: Vec::new(),
            to: vec![0xff; 40],
        }
    }

    /// Those of the pages or parts of a shard.
    fn of(shard: usize) -> Self {
        let (first, last) = ends(shard);
        Keys::between(&first, &last)
    }

    /// Those of pages or parts that begin with these labels or ones between them.
    fn between(first: &Label, last: &Label) -> Self {
        Keys {
            from: first.as_bytes().to_vec(),
            to: [&last.as_bytes()[..], &[0xff; 2]].concat(),
        }
    }
}

/// Calls `visit` with the rows of a table that have these keys, in order, some at a time, for as
/// long as it says so.
fn each<E: From<RecordError>>(
    store: &impl Reads,
    table: Table,
    Keys { mut from, to }: Keys,
    mut visit: impl FnMut(Vec<Row>) -> Result<bool, E>,
) -> Result<(), E> {
    loop {
        let rows = store.range(table, &from, &to, ROWS);
        let rows = rows.map_err(RecordError::from)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        from = [&last[..], &[0]].concat();
        if !visit(rows)? {
            return Ok(());
        }
    }
}

/// Why pages or parts cannot be read.
struct Failed(MapError<RecordError>);

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Self {
        Failed(MapError::Read(error))
    }
}

impl From<MapError<RecordError>> for Failed {
    fn from(error: MapError<RecordError>) -> Self {
        Failed(error)
    }
}

/// Whether something that is stored was found to be wrong.
pub(super) fn is_doubted(store: &impl Reads) -> Result<bool, StorageError> {
    Ok(store.get(Table::Meta, records::INDEX_DOUBTED)?.is_some())
}

/// Says that something that is stored is wrong: the next start reads all pages, and makes what is
/// wrong anew from the entries.
pub fn doubt(store: &impl Tables) -> Result<(), StorageError> {
    if !is_doubted(store)? {
        let mut batch = Batch::new();
        batch.put(Table::Meta, records::INDEX_DOUBTED, Bytes::new());
        store.commit(batch)?;
    }
    Ok(())
}

/// Says that all that is stored was read and is right.
pub(super) fn end_doubt(store: &impl Tables) -> Result<(), StorageError> {
    if is_doubted(store)? {
        let mut batch = Batch::new();
        batch.delete(Table::Meta, records::INDEX_DOUBTED);
        store.commit(batch)?;
    }
    Ok(())
}

/// What the store says of each shard.
fn shards(store: &impl Reads) -> Result<[Shard; SHARDS], RecordError> {
    let Some(row) = store.get(Table::Meta, records::INDEX_THROUGH)? else {
        return Ok(Default::default());
    };
    shard::parse(&row)
        .ok_or_else(|| RecordError::Damaged("the row on the index's pages is malformed".into()))
}

/// Reads every part, and as many pages as there is room for in `budget` bytes. The pages are of
/// leaves below `opened`.
pub(super) fn parts(
    store: &impl Reads,
    budget: u64,
    opened: TreeSize,
) -> Result<Loaded, MapError<RecordError>> {
    let shards = shards(store).map_err(MapError::Read)?;
    let budget = Budget::new(budget);
    let loaded = by_shard(store, Table::IndexParts, |rows| {
        let keep = budget.keeps(&rows, 1);
        rows.into_iter()
            .map(|(key, row)| stored_part(&key, &row, keep)?.load())
            .collect()
    })?;
    for (shard, parts) in shards.iter().zip(&loaded) {
        let found = shard::digest(parts.iter().map(LoadedPart::part));
        if shard.digest != Some(found) {
            return Err(damaged(
                "the stored parts are not all those that were written",
            ));
        }
        for part in parts {
            demand_within(part.part().through(), opened)?;
        }
    }
    let map = Map::load_parts::<RecordError>(loaded.into_iter().flatten().map(Ok))?;
    let left = budget.left.into_inner() / SHARDS as u64;
    let cold = (0..SHARDS).into_par_iter();
    let cold = cold.map(|shard| warm(store, &map, shard, left)).sum();
    let cold: Result<u64, _> = cold;
    let evicted = budget.evicted.into_inner() + cold.map_err(MapError::Read)?;
    Ok(Loaded {
        map,
        shards,
        evicted,
        opened,
    })
}

/// Fails if a page, or a part, is said to be current for leaves that the index does not have.
/// Nothing that is hashed says so, and such leaves would be passed over when they come.
fn demand_within(through: TreeSize, size: TreeSize) -> Result<(), MapError<RecordError>> {
    if through > size {
        return Err(damaged(
            "a stored page is said to have leaves that are not indexed yet",
        ));
    }
    Ok(())
}

fn damaged(what: &str) -> MapError<RecordError> {
    MapError::Read(RecordError::Damaged(what.into()))
}

/// Calls `load` with the rows of a table, some at a time, and returns what came of those of each
/// shard, in order.
fn by_shard<T: Send>(
    store: &impl Reads,
    table: Table,
    load: impl Fn(Vec<Row>) -> Result<Vec<T>, MapError<RecordError>> + Sync,
) -> Result<Vec<Vec<T>>, MapError<RecordError>> {
    let shards = (0..SHARDS).into_par_iter().map(|shard| {
        let mut loaded = Vec::new();
        let read = each(store, table, Keys::of(shard), |rows| {
            loaded.append(&mut load(rows)?);
            Ok::<_, Failed>(true)
        });
        read.map(|()| loaded).map_err(|Failed(error)| error)
    });
    shards.collect()
}

fn stored_part(
    key: &[u8],
    row: &[u8],
    keep: bool,
) -> Result<StoredPart<Held>, MapError<RecordError>> {
    let key = records::parse_page_key(key).map_err(MapError::Read)?;
    let places = PageBytes::from(row);
    let slot = Held::of(keep.then(|| places.clone()));
    Ok(StoredPart { key, places, slot })
}

/// A page's place in its part.
struct At<'m> {
    part: &'m Part<Held>,
    at: usize,
    place: Place,
}

impl At<'_> {
    fn key(&self) -> Vec<u8> {
        records::page_key(self.place.key())
    }
}

/// Reads pages of a shard's parts in memory, in order, up to `budget` bytes. Returns how many are
/// left out. One that is not as its part says is left out, too: whoever needs it finds that.
fn warm(
    store: &impl Reads,
    map: &Map<Held>,
    shard: usize,
    mut budget: u64,
) -> Result<u64, RecordError> {
    let parts = shard::parts(shard, map);
    let keys = match (parts.first(), parts.last()) {
        (Some(first), Some(last)) => Keys::between(first.key().first(), &last.key().last()),
        _ => return Ok(0),
    };
    let mut left = 0;
    let at = parts.into_iter().flat_map(|part: &Arc<Part<Held>>| {
        let places = part.slot().places().map(|bytes| part.places(&bytes));
        let places = places.and_then(Result::ok).unwrap_or_default();
        let places = places.into_iter().enumerate();
        places.map(move |(at, place)| At { part, at, place })
    });
    let mut at = at.peekable();
    each(store, Table::IndexPages, keys, |rows| {
        let Some(after) = budget.checked_sub(bytes_of(&rows)) else {
            return Ok::<_, RecordError>(false);
        };
        budget = after;
        for (key, row) in rows {
            while at.next_if(|at| at.key() < key).is_some() {
                left += 1;
            }
            let Some(at) = at.next_if(|at| at.key() == key) else {
                continue;
            };
            match stored(&at.place, Some(row), true) {
                Some(bytes) => at.part.slot().fill_page(at.at, bytes),
                None => left += 1,
            }
        }
        Ok(true)
    })?;
    Ok(left + at.count() as u64)
}

/// Reads every page, and makes the parts of them. They are of leaves below `size`, and are kept in
/// memory up to `budget` bytes. Stored parts that are not what follows from the pages are written
/// anew.
pub(super) fn pages(
    store: &impl Tables,
    budget: u64,
    size: TreeSize,
) -> Result<Loaded, MapError<RecordError>> {
    let mut shards = shards(store).map_err(MapError::Read)?;
    let budget = Budget::new(budget);
    let loaded = by_shard(store, Table::IndexPages, |rows| {
        // A page in memory is at most about twice what its row is.
        let keep = budget.keeps(&rows, 2);
        rows.into_iter()
            .map(|(key, row)| {
                let page = stored_page(&key, &row, keep)?;
                demand_within(page.through, size)?;
                page.load()
            })
            .collect()
    })?;
    let map = Map::load::<RecordError>(loaded.into_iter().flatten().map(Ok))?;
    for (at, shard) in shards.iter_mut().enumerate() {
        shard.digest = Some(shard::digest_of(at, &map));
    }
    mend(store, &map, &shards).map_err(MapError::Read)?;
    Ok(Loaded {
        map,
        shards,
        evicted: budget.evicted.into_inner(),
        opened: TreeSize::EMPTY,
    })
}

fn stored_page(key: &[u8], row: &[u8], keep: bool) -> Result<StoredPage, MapError<RecordError>> {
    let key = records::parse_page_key(key).map_err(MapError::Read)?;
    let (through, bytes) = records::parse_page(row).map_err(MapError::Read)?;
    Ok(StoredPage {
        key,
        through: TreeSize::new(through),
        bytes,
        keep,
    })
}

/// Makes the stored parts those of this map, all of which are in memory, and the digests those of
/// `shards`.
fn mend(store: &impl Tables, map: &Map<Held>, shards: &[Shard; SHARDS]) -> Result<(), RecordError> {
    let mut parts = Vec::new();
    let (first, last) = (Label::from_bytes([0; 32]), Prefix::EMPTY.last());
    map.each_part(&first, &last, &mut |part| {
        let places = part.slot().places().unwrap_or_default();
        parts.push((records::page_key(part.key()), places));
    });
    let mut parts = parts.into_iter().peekable();
    let mut writer = Writer::new(store);
    each(store, Table::IndexParts, Keys::all(), |rows| {
        for (key, row) in rows {
            while let Some((missing, places)) = parts.next_if(|(at, _)| *at < key) {
                writer.put(missing, &places)?;
            }
            match parts.next_if(|(at, _)| *at == key) {
                Some((_, places)) if places[..] == row[..] => {}
                Some((key, places)) => writer.put(key, &places)?,
                None => writer.delete(Table::IndexParts, key)?,
            }
        }
        Ok::<_, RecordError>(true)
    })?;
    for (missing, places) in parts {
        writer.put(missing, &places)?;
    }
    let row = shard::row(shards);
    writer
        .batch
        .put(Table::Meta, records::INDEX_THROUGH.to_vec(), row);
    writer.bytes += 1;
    writer.finish()
}

/// Removes every page, part and list.
pub(super) fn clear(store: &impl Tables) -> Result<(), RecordError> {
    let mut writer = Writer::new(store);
    writer.delete(Table::Meta, records::INDEX_THROUGH.to_vec())?;
    for table in [Table::IndexPages, Table::IndexParts, Table::IndexLists] {
        each(store, table, Keys::all(), |rows| {
            for (key, _) in rows {
                writer.delete(table, key)?;
            }
            Ok::<_, RecordError>(true)
        })?;
    }
    writer.finish()
}

/// Writes rows in batches of some MiB.
struct Writer<'a, S> {
    store: &'a S,
    batch: Batch,
    bytes: usize,
}

impl<'a, S: Tables> Writer<'a, S> {
    fn new(store: &'a S) -> Self {
        Writer {
            store,
            batch: Batch::new(),
            bytes: 0,
        }
    }

    fn put(&mut self, part: Vec<u8>, places: &[u8]) -> Result<(), RecordError> {
        self.bytes += part.len() + places.len();
        self.batch.put(Table::IndexParts, part, places.to_vec());
        self.commit(COMMIT_BYTES)
    }

    fn delete(&mut self, table: Table, key: Vec<u8>) -> Result<(), RecordError> {
        self.bytes += key.len();
        self.batch.delete(table, key);
        self.commit(COMMIT_BYTES)
    }

    fn commit(&mut self, from: usize) -> Result<(), RecordError> {
        if self.bytes > from {
            self.bytes = 0;
            self.store.commit(std::mem::take(&mut self.batch))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), RecordError> {
        self.commit(0)
    }
}
