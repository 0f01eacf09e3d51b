//! Entries that somebody reads as they come.

use super::{RecordError, parse_index};
use crate::storage::{Reads, Table};
use assay_tlog::tree::{LeafIndex, bundle};
use bytes::Bytes;
use std::ops::ControlFlow;

/// Segments that are read at once.
const SEGMENTS: usize = 4;

/// Hands entries from `start` up to `end` to `take`, verbatim, until it breaks off. They are read a
/// few segments at a time. Fails with [`RecordError::Damaged`] if one of them is missing.
pub fn read_entries(
    tables: &impl Reads,
    (start, end): (u64, u64),
    take: &mut dyn FnMut(Bytes) -> ControlFlow<()>,
) -> Result<(), RecordError> {
    // The segments of a copy are longer than those of a log, and begin elsewhere.
    let first = tables.at_or_before(Table::Segments, &start.to_be_bytes())?;
    let first = first.map(|(key, _)| parse_index(&key)).transpose()?;
    let mut next = first.map_or(start, LeafIndex::get);
    while next < end {
        let (from, missing) = (next, format!("entry {next} is missing"));
        let to = end.to_be_bytes();
        for (key, segment) in tables.range(Table::Segments, &from.to_be_bytes(), &to, SEGMENTS)? {
            if parse_index(&key)?.get() != next {
                break;
            }
            for entry in bundle::entries(&segment) {
                let entry =
                    entry.map_err(|e| RecordError::Damaged(format!("entry {next}: {e}")))?;
                let entry = segment.slice_ref(entry);
                if (start..end).contains(&next) && take(entry).is_break() {
                    return Ok(());
                }
                next += 1;
            }
        }
        if next == from {
            return Err(RecordError::Damaged(missing));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Batch, Tables as _, memory::Memory};

    /// A store of so many entries, each of which holds its number, in segments that begin at
    /// multiples of `length`, and where a commit did.
    fn store(entries: u64, length: u64, commits: &[u64]) -> Memory {
        let mut batch = Batch::new();
        let mut segments: Vec<(u64, Vec<u8>)> = Vec::new();
        for index in 0..entries {
            if index.is_multiple_of(length) || commits.contains(&index) {
                segments.push((index, Vec::new()));
            }
            let (_, segment) = segments.last_mut().unwrap();
            bundle::push(segment, &index.to_be_bytes()).unwrap();
        }
        for (first, segment) in segments {
            batch.put(Table::Segments, first.to_be_bytes(), segment);
        }
        let store = Memory::new();
        store.commit(batch).unwrap();
        store
    }

    /// The numbers of at most so many of the entries.
    fn read(store: &Memory, range: (u64, u64), most: usize) -> Result<Vec<u64>, RecordError> {
        let mut read = Vec::new();
        read_entries(store, range, &mut |entry| {
            if read.len() == most {
                return ControlFlow::Break(());
            }
            read.push(u64::from_be_bytes(entry[..].try_into().unwrap()));
            ControlFlow::Continue(())
        })?;
        Ok(read)
    }

    #[test]
    fn entries_are_read_from_any_place_to_any_other() {
        const ENTRIES: u64 = 75;
        // As a log has them, and a copy.
        for length in [8, 64] {
            let store = store(ENTRIES, length, &[3, 20, 21, 47]);
            for start in 0..ENTRIES {
                for end in start..=ENTRIES {
                    let expected: Vec<u64> = (start..end).collect();
                    assert_eq!(read(&store, (start, end), 100).unwrap(), expected);
                    let few = &expected[..expected.len().min(5)];
                    assert_eq!(read(&store, (start, end), 5).unwrap(), few);
                }
            }
        }
    }

    #[test]
    fn a_missing_entry_is_damage() {
        let store = store(40, 8, &[3, 20]);
        let is_damaged = |range| matches!(read(&store, range, 100), Err(RecordError::Damaged(_)));
        assert!(is_damaged((30, 41)) && !is_damaged((30, 40)));
        let mut batch = Batch::new();
        batch.delete(Table::Segments, 20_u64.to_be_bytes());
        batch.put(Table::Segments, 32_u64.to_be_bytes(), Vec::new());
        store.commit(batch).unwrap();
        for (range, expected) in [
            ((0, 20), false),
            ((0, 21), true),
            ((20, 21), true),
            ((20, 26), true),
            ((24, 32), false),
            ((32, 33), true),
        ] {
            assert_eq!(is_damaged(range), expected, "{range:?}");
        }
    }
}
