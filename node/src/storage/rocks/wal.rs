//! Reads RocksDB's write-ahead log and its manifest before RocksDB does, and judges them more
//! strictly.
//!
//! RocksDB replays the log when it opens, and every mode it has forgives something that a
//! transparency log cannot afford. `PointInTime`, its default, stops at the first damaged record
//! and drops what follows. The strictest one that still starts after a power cut,
//! `TolerateCorruptedTailRecords`, takes a record whose length was damaged for a torn tail, skips
//! the rest of a block whose next header was zeroed, and never asks whether the batches it found
//! are all there. What was dropped is then gone: the log file is deleted once it has been replayed.
//!
//! So this reads all log files first and changes nothing. It demands that every record is whole,
//! that the sequence numbers of the batches follow one another without a gap, within a file and
//! from file to file, and that an unfinished record has nothing behind it. It returns the last
//! sequence number, which [`recovery`](super::recovery) compares with the one it noted when the
//! last batch was acknowledged.
//!
//! The manifest, which says of which files the tables are made, has the same format. RocksDB goes
//! round for ever in one with a damaged header, and never starts.
//!
//! The format (RocksDB's `db/log_format.h`, `db/write_batch.cc`; unchanged since LevelDB): blocks
//! of 32 KiB hold records `crc32c u32 ‖ length u16 ‖ type u8 ‖ payload`, little-endian. A record
//! never crosses a block; a batch that does is cut into first, middle and last ones. Fewer than
//! seven bytes at a block's end are filler. A batch starts with its sequence number (u64) and how
//! many numbers it takes (u32). Log compression and recycling change the format and stay switched
//! off.

use crate::storage::{StorageError, disk::failure};
use assay_host::files;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const BLOCK: usize = 32 * 1024;
const HEADER: usize = 7;
/// The part of a batch that is looked at: sequence number and count.
const BATCH_HEADER: usize = 12;

const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;
/// Set in the types of records that a reader may skip when it does not know them.
const MAY_BE_SKIPPED: u8 = 0x80;

/// Checks every log file in `folder`, oldest first. Returns the sequence number of the last change
/// in them, or `None` if there is none.
///
/// Fails with [`StorageError::Corrupt`] if something is damaged or missing in the middle.
pub(super) fn last_sequence(folder: &Path) -> Result<Option<u64>, StorageError> {
    let mut next = None;
    for path in log_files(folder)? {
        let found = LogFile {
            path: &path,
            holds: Holds::Batches,
            next,
            batch: None,
        };
        next = found.check()?;
    }
    Ok(next.map(|next| next.saturating_sub(1)))
}

/// Checks the manifest at `path`.
///
/// Fails with [`StorageError::Corrupt`] if something in it is damaged, or missing in the middle.
pub(super) fn demand_manifest(path: &Path) -> Result<(), StorageError> {
    let manifest = LogFile {
        path,
        holds: Holds::Edits,
        next: None,
        batch: None,
    };
    manifest.check().map(|_| ())
}

/// The log files in `folder`, by ascending number.
fn log_files(folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let listing = fs::read_dir(folder).map_err(|e| failure("list", folder, e))?;
    let mut found = Vec::new();
    for file in listing {
        let path = file.map_err(|e| failure("list", folder, e))?.path();
        if path.extension().is_some_and(|extension| extension == "log")
            && let Some(number) = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| stem.parse::<u64>().ok())
        {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// What the records of a file are.
#[derive(Clone, Copy)]
enum Holds {
    /// Batches of changes, which are numbered.
    Batches,
    /// Edits of the list of tables, which are not.
    Edits,
}

struct LogFile<'a> {
    path: &'a Path,
    holds: Holds,
    /// The sequence number that the next batch must have; `None` before the first batch of all.
    next: Option<u64>,
    /// The start of a batch whose last part has not come yet.
    batch: Option<Vec<u8>>,
}

/// What stands at one place of a block.
enum Found<'a> {
    Record {
        kind: u8,
        payload: &'a [u8],
    },
    /// The file ends before the record does.
    CutOff,
    /// A header of zeros: space that was never written.
    Unwritten,
    Damaged(&'static str),
}

impl LogFile<'_> {
    /// Reads the file to its end and returns the sequence number that must come next.
    fn check(mut self) -> Result<Option<u64>, StorageError> {
        let mut file = files::open(self.path).map_err(|e| failure("open", self.path, e))?;
        let mut block = Vec::with_capacity(BLOCK);
        let mut start = 0;
        // Where the written part ends, once that has been seen.
        let mut end = None;
        while read_block(&mut file, &mut block).map_err(|e| failure("read", self.path, e))? {
            match end {
                None => end = self.check_block(&block, start)?,
                Some(end) => self.demand_unwritten(&block, end)?,
            }
            start += block.len() as u64;
        }
        Ok(self.next)
    }

    /// Takes in the records of `block`, which starts at `start` of the file. Returns where they end
    /// if that is before the end of the block.
    fn check_block(&mut self, block: &[u8], start: u64) -> Result<Option<u64>, StorageError> {
        let mut at = 0;
        while let Some(rest) = block.get(at..).filter(|rest| rest.len() >= HEADER) {
            let place = start + at as u64;
            match record_at(rest, BLOCK - at) {
                Found::Record { kind, payload } => {
                    self.take(kind, payload, place)?;
                    at += HEADER + payload.len();
                }
                Found::CutOff => {
                    if holds_record(rest, BLOCK - at) {
                        return Err(self.damaged(
                            place,
                            "the length of a record is wrong, and records follow it",
                        ));
                    }
                    return Ok(Some(place));
                }
                Found::Unwritten => {
                    self.demand_unwritten(rest, place)?;
                    return Ok(Some(place));
                }
                Found::Damaged(what) => return Err(self.damaged(place, what)),
            }
        }
        Ok(None)
    }

    /// Takes in one record: puts batches together and follows their sequence numbers.
    fn take(&mut self, kind: u8, payload: &[u8], place: u64) -> Result<(), StorageError> {
        match (kind, self.batch.take()) {
            (FULL, None) => self.follow(payload, place),
            (FIRST, None) => {
                self.batch = Some(batch_header(Vec::new(), payload));
                Ok(())
            }
            (MIDDLE, Some(batch)) => {
                self.batch = Some(batch_header(batch, payload));
                Ok(())
            }
            (LAST, Some(batch)) => self.follow(&batch_header(batch, payload), place),
            (FULL | FIRST, Some(_)) => Err(self.damaged(place, "the end of a batch is missing")),
            (MIDDLE | LAST, None) => Err(self.damaged(place, "the start of a batch is missing")),
            (kind, batch) if kind & MAY_BE_SKIPPED != 0 => {
                self.batch = batch;
                Ok(())
            }
            _ => Err(self.damaged(
                place,
                "a record is of a kind that this version does not know",
            )),
        }
    }

    fn follow(&mut self, batch: &[u8], place: u64) -> Result<(), StorageError> {
        if let Holds::Edits = self.holds {
            return Ok(());
        }
        let Some((sequence, count)) =
            batch.split_first_chunk::<8>().and_then(|(sequence, rest)| {
                let (count, _) = rest.split_first_chunk::<4>()?;
                Some((u64::from_le_bytes(*sequence), u32::from_le_bytes(*count)))
            })
        else {
            return Err(self.damaged(place, "a batch is too short"));
        };
        if self.next.is_some_and(|next| next != sequence) {
            return Err(self.damaged(place, "the batches before this one are missing"));
        }
        self.next = Some(sequence.saturating_add(count.into()));
        Ok(())
    }

    fn demand_unwritten(&self, bytes: &[u8], end: u64) -> Result<(), StorageError> {
        if bytes.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(self.damaged(
                end,
                "a part was overwritten or never written, and data follows it",
            ))
        }
    }

    fn damaged(&self, place: u64, what: &str) -> StorageError {
        let file = match self.holds {
            Holds::Batches => "write-ahead log",
            Holds::Edits => "manifest",
        };
        let reason = format!("in the {file}, at byte {place}, {what}");
        StorageError::Corrupt {
            path: self.path.to_owned(),
            reason,
        }
    }
}

/// Fills `block` from `file`; returns whether there was anything. Only the last block is short.
fn read_block(file: &mut File, block: &mut Vec<u8>) -> io::Result<bool> {
    block.clear();
    Ok(file.take(BLOCK as u64).read_to_end(block)? > 0)
}

/// Judges what stands at the start of `rest`, at least a header, in a block that has `room` bytes
/// from there on.
fn record_at(rest: &[u8], room: usize) -> Found<'_> {
    let Some(([c0, c1, c2, c3, l0, l1, kind], body)) = rest.split_first_chunk::<HEADER>() else {
        return Found::CutOff;
    };
    let length = usize::from(u16::from_le_bytes([*l0, *l1]));
    if *kind == 0 && length == 0 {
        return Found::Unwritten;
    }
    if HEADER + length > room {
        return Found::Damaged("a record is longer than its block");
    }
    let Some(payload) = body.get(..length) else {
        return Found::CutOff;
    };
    let crc = crc32c::crc32c_append(crc32c::crc32c(&[*kind]), payload);
    if u32::from_le_bytes([*c0, *c1, *c2, *c3]) != masked(crc) {
        return Found::Damaged("the checksum of a record is wrong");
    }
    Found::Record {
        kind: *kind,
        payload,
    }
}

/// A checksum as RocksDB stores it (`util/crc32c.h`, `Mask`).
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Whether a whole record starts anywhere behind the first byte of `rest`. A tail that was really
/// torn holds none.
fn holds_record(rest: &[u8], room: usize) -> bool {
    (1..rest.len().saturating_sub(HEADER)).any(|at| {
        let known = rest
            .get(at + HEADER - 1)
            .is_some_and(|kind| (FULL..=LAST).contains(kind));
        known
            && rest
                .get(at..)
                .is_some_and(|rest| matches!(record_at(rest, room - at), Found::Record { .. }))
    })
}

/// `start` continued with `part`, as far as it is looked at.
fn batch_header(mut start: Vec<u8>, part: &[u8]) -> Vec<u8> {
    let wanted = BATCH_HEADER.saturating_sub(start.len()).min(part.len());
    start.extend_from_slice(part.get(..wanted).unwrap_or_default());
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with a batch of one change, which has this number.
    fn record(sequence: u64) -> Vec<u8> {
        let mut payload = [&sequence.to_le_bytes()[..], &1_u32.to_le_bytes()].concat();
        payload.extend([7; 20]);
        let crc = masked(crc32c::crc32c_append(crc32c::crc32c(&[FULL]), &payload));
        let length = (payload.len() as u16).to_le_bytes();
        [&crc.to_le_bytes()[..], &length, &[FULL], &payload].concat()
    }

    /// The last number in a log of these bytes, or what is wrong with it.
    fn last(bytes: &[u8]) -> Result<Option<u64>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("000001.log"), bytes).unwrap();
        last_sequence(folder.path()).map_err(|error| error.to_string())
    }

    fn assert_damaged(bytes: &[u8], why: &str) {
        let said = last(bytes).unwrap_err();
        assert!(said.contains(why), "{said}");
    }

    /// Who loses what was acknowledged last could lose its note of that with it.
    #[test]
    fn a_tail_is_torn_only_if_nothing_follows_it() {
        let mut log = [record(1), record(2), record(3)].concat();
        assert_eq!(last(&log), Ok(Some(3)));
        assert_eq!(last(&log[..log.len() - 5]), Ok(Some(2)));
        log[4] = 200;
        assert_damaged(&log, "records follow it");
    }

    #[test]
    fn nothing_follows_what_was_never_written() {
        let mut log = record(1);
        log.resize(2 * BLOCK, 0);
        assert_eq!(last(&log), Ok(Some(1)));
        let end = record(1).len();
        log[end + 300] = 1;
        assert_damaged(&log, "data follows it");
        log[end + 300] = 0;
        // In the next block.
        log[BLOCK..][..end].copy_from_slice(&record(2));
        assert_damaged(&log, "data follows it");
    }

    /// RocksDB would read some of these for ever.
    #[test]
    fn a_manifest_of_which_a_bit_is_wrong_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("MANIFEST-000001");
        let judged = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            demand_manifest(&path).map_err(|error| error.to_string())
        };
        // Edits have no numbers.
        let good = [record(7), record(3), record(7)].concat();
        assert_eq!(judged(&good), Ok(()));
        let last = good.len() - record(7).len();
        assert_eq!(judged(&good[..last + 10]), Ok(()), "a crash left this");
        for bit in 0..last * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let said = judged(&bad).unwrap_err();
            assert!(said.contains("in the manifest"), "bit {bit}: {said}");
        }
    }

    #[test]
    fn a_batch_that_is_missing_is_noticed() {
        assert_damaged(&[record(1), record(3)].concat(), "are missing");
    }
}
