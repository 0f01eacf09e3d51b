//! What is stored of the index, read at a start.

use super::pages::stored;
use super::{Held, SHARDS};
use crate::{
    records::{self, RecordError},
    storage::{Batch, Table, Tables},
};
use assay_claims::index::Map;
use assay_claims::index::map::{MapError, PageBytes, Part, Place, Slot, StoredPage, StoredPart};
use assay_claims::index::{Label, Prefix};
use assay_tlog::tree::TreeSize;
use bytes::Bytes;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use std::sync::Arc;

/// Pages or parts of one read.
const ROWS: usize = 2048;

/// Bytes of rows in one commit.
const COMMIT_BYTES: usize = 8 << 20;

/// What is stored.
pub(super) struct Loaded {
    pub map: Map<Held>,
    /// For each shard, the leaf below which its pages are current.
    pub through: [u64; SHARDS],
    /// How many pages and parts are not in memory.
    pub evicted: u64,
    /// The size below which pages were not read.
    pub opened: TreeSize,
}

type Row = (Vec<u8>, Bytes);

/// The memory that is left for what is read.
struct Budget {
    left: u64,
    /// Rows that found no room.
    evicted: u64,
}

impl Budget {
    fn new(left: u64) -> Self {
        Budget { left, evicted: 0 }
    }

    /// Whether there is room for these rows, each `times` as large in memory. Takes it.
    fn keeps(&mut self, rows: &[Row], times: u64) -> bool {
        let read: u64 = rows.iter().map(|(_, row)| times * row.len() as u64).sum();
        let keep = read <= self.left;
        if keep {
            self.left -= read;
        } else {
            self.evicted += rows.len() as u64;
        }
        keep
    }
}

/// Calls `visit` with the rows of a table, in order, some at a time.
fn each<E: From<RecordError>>(
    store: &impl Tables,
    table: Table,
    mut visit: impl FnMut(Vec<Row>) -> Result<bool, E>,
) -> Result<(), E> {
    let mut from = Vec::new();
    loop {
        let rows = store.range(table, &from, &[0xff; 40], ROWS);
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

/// Whether a node was stopped and nothing was written since: the leaf below which every page is
/// current. From now on the store does not say so any more.
pub(super) fn take_whole(store: &impl Tables) -> Result<Option<u64>, RecordError> {
    let Some(row) = store.get(Table::Meta, records::INDEX_WHOLE)? else {
        return Ok(None);
    };
    let mut batch = Batch::new();
    batch.delete(Table::Meta, records::INDEX_WHOLE);
    store.commit(batch)?;
    Ok(row.first_chunk().map(|whole| u64::from_be_bytes(*whole)))
}

/// Returns, for each shard, the leaf below which its stored pages are current.
fn through(store: &impl Tables) -> Result<[u64; SHARDS], RecordError> {
    let Some(row) = store.get(Table::Meta, records::INDEX_THROUGH)? else {
        return Ok([0; SHARDS]);
    };
    let (numbers, rest) = row.as_chunks::<8>();
    let numbers = <[[u8; 8]; SHARDS]>::try_from(numbers)
        .ok()
        .filter(|_| rest.is_empty());
    let numbers = numbers
        .ok_or_else(|| RecordError::Damaged("the row on the index's pages is malformed".into()))?;
    Ok(numbers.map(u64::from_be_bytes))
}

/// Reads every part, and as many pages as there is room for in `budget` bytes. All pages are
/// current for all leaves below `whole`.
pub(super) fn parts(
    store: &impl Tables,
    whole: u64,
    budget: u64,
) -> Result<Loaded, MapError<RecordError>> {
    let through = through(store).map_err(MapError::Read)?;
    if through != [whole; SHARDS] {
        let wrong = "the row on the index's pages does not say what it said when the node stopped";
        return Err(MapError::Read(RecordError::Damaged(wrong.into())));
    }
    let (mut loaded, mut budget) = (Vec::new(), Budget::new(budget));
    each(store, Table::IndexParts, |rows| {
        let keep = budget.keeps(&rows, 1);
        let parts: Vec<_> = rows
            .into_par_iter()
            .map(|(key, row)| stored_part(&key, &row, keep)?.load())
            .collect();
        loaded.extend(parts);
        Ok::<_, Failed>(true)
    })
    .map_err(|Failed(error)| error)?;
    let map = Map::load_parts(loaded)?;
    let evicted = budget.evicted + warm(store, &map, budget.left).map_err(MapError::Read)?;
    Ok(Loaded {
        map,
        through,
        evicted,
        opened: TreeSize::new(whole),
    })
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

/// Reads pages of the parts in memory, in order, up to `budget` bytes. Returns how many are left
/// out. One that is not as its part says is left out, too: whoever needs it finds that.
fn warm(store: &impl Tables, map: &Map<Held>, mut budget: u64) -> Result<u64, RecordError> {
    let mut parts = Vec::new();
    let (first, last) = (Prefix::EMPTY.first(), Prefix::EMPTY.last());
    map.each_part(first, &last, &mut |part| parts.push(part));
    let mut left = 0;
    let at = parts.into_iter().flat_map(|part: &Arc<Part<Held>>| {
        let places = part.slot().places().map(|bytes| part.places(&bytes));
        let places = places.and_then(Result::ok).unwrap_or_default();
        let places = places.into_iter().enumerate();
        places.map(move |(at, place)| At { part, at, place })
    });
    let mut at = at.peekable();
    each(store, Table::IndexPages, |rows| {
        let read: u64 = rows.iter().map(|(_, row)| row.len() as u64).sum();
        if read > budget {
            return Ok::<_, RecordError>(false);
        }
        budget -= read;
        let mut pages: Vec<(At<'_>, Bytes)> = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            while at.next_if(|at| at.key() < key).is_some() {
                left += 1;
            }
            let same = at.next_if(|at| at.key() == key);
            pages.extend(same.map(|at| (at, row)));
        }
        let read: Vec<_> = pages
            .par_iter()
            .map(|(at, row)| stored(&at.place, Some(row.clone()), true))
            .collect();
        for ((at, _), bytes) in pages.into_iter().zip(read) {
            match bytes {
                Ok(Some(bytes)) => at.part.slot().fill_page(at.at, bytes),
                _ => left += 1,
            }
        }
        Ok(true)
    })?;
    Ok(left + at.count() as u64)
}

/// Reads every page, and makes the parts of them. Pages are kept in memory up to `budget` bytes.
/// Stored parts that are not what follows from the pages are written anew.
pub(super) fn pages(store: &impl Tables, budget: u64) -> Result<Loaded, MapError<RecordError>> {
    let through = through(store).map_err(MapError::Read)?;
    let (mut loaded, mut budget) = (Vec::new(), Budget::new(budget));
    each(store, Table::IndexPages, |rows| {
        // A page in memory is at most about twice what its row is.
        let keep = budget.keeps(&rows, 2);
        let pages: Vec<_> = rows
            .into_par_iter()
            .map(|(key, row)| stored_page(&key, &row, keep)?.load())
            .collect();
        loaded.extend(pages);
        Ok::<_, Failed>(true)
    })
    .map_err(|Failed(error)| error)?;
    let map = Map::load(loaded)?;
    mend(store, &map).map_err(MapError::Read)?;
    Ok(Loaded {
        map,
        through,
        evicted: budget.evicted,
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

/// Makes the stored parts those of this map, all of which are in memory.
fn mend(store: &impl Tables, map: &Map<Held>) -> Result<(), RecordError> {
    let mut parts = Vec::new();
    let (first, last) = (Label::from_bytes([0; 32]), Prefix::EMPTY.last());
    map.each_part(&first, &last, &mut |part| {
        let places = part.slot().places().unwrap_or_default();
        parts.push((records::page_key(part.key()), places));
    });
    let mut parts = parts.into_iter().peekable();
    let mut writer = Writer::new(store);
    each(store, Table::IndexParts, |rows| {
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
    writer.finish()
}

/// Removes every page and part.
pub(super) fn clear(store: &impl Tables) -> Result<(), RecordError> {
    let mut writer = Writer::new(store);
    writer.delete(Table::Meta, records::INDEX_THROUGH.to_vec())?;
    for table in [Table::IndexPages, Table::IndexParts] {
        each(store, table, |rows| {
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
