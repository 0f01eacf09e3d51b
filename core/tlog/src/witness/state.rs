//! What a witness knows of one log, and the record that it stores of it.
//!
//! ```text
//! "asw1" ‖ kind, 1 ‖ 0, 3 ‖ u64be(size) ‖ root, 32 ‖ u64be(time) ‖ check, 32       88 bytes
//! kind  = 1 pinned, with the time 0; 2 held
//! check = SHA-256("assay.witness-state.v1\n" ‖ origin ‖ "\n" ‖ the 56 bytes before it)
//! ```

use crate::hash::{Hash, empty_root};
use crate::tree::TreeSize;

const MAGIC: &[u8; 4] = b"asw1";
const CHECKED: usize = 56;
const PINNED: u8 = 1;
const HELD: u8 = 2;

/// Why a record cannot be relied on. The witness must not cosign the log: it does not know what it
/// signed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Not [`LogState::RECORD_BYTES`] long, or of another version.
    #[error("this is no record of a witness's state that this version can read")]
    Version,
    /// Damaged, or of another log.
    #[error("the record of the witness's state is damaged, or another log's")]
    Damaged,
    /// Something that was never written: an unknown kind, a time out of range, or a root that an
    /// empty tree does not have.
    #[error("the record of the witness's state says what cannot be")]
    Impossible,
}

/// What a witness knows of one log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogState {
    /// Nothing: it never cosigned a checkpoint of it. There is no record.
    #[default]
    Never,
    /// What the operator says about a log that existed before: it is checked like a head that was
    /// cosigned, and the log has not been cosigned since.
    Pinned {
        /// The size.
        size: TreeSize,
        /// The root at that size.
        root: Hash,
    },
    /// The latest checkpoint that it cosigned, or was about to.
    Held {
        /// The size.
        size: TreeSize,
        /// The root at that size.
        root: Hash,
        /// The time that the cosignature states, in seconds since 1970 (UTC).
        at: u64,
    },
}

impl LogState {
    /// Bytes of a record.
    pub const RECORD_BYTES: usize = CHECKED + Hash::LEN;

    /// The size from which the log has to prove consistency: zero if nothing was cosigned.
    pub fn size(&self) -> TreeSize {
        match self {
            LogState::Never => TreeSize::EMPTY,
            LogState::Pinned { size, .. } | LogState::Held { size, .. } => *size,
        }
    }

    /// The root at that size.
    pub fn root(&self) -> Hash {
        match self {
            LogState::Never => empty_root(),
            LogState::Pinned { root, .. } | LogState::Held { root, .. } => *root,
        }
    }

    /// The time of the latest cosignature, in seconds since 1970 (UTC), or 0 if there is none.
    pub fn at(&self) -> u64 {
        match self {
            LogState::Never | LogState::Pinned { .. } => 0,
            LogState::Held { at, .. } => *at,
        }
    }

    /// The record to be stored of the log of this origin, or `None` for [`LogState::Never`], which
    /// has none.
    pub fn record(&self, origin: &str) -> Option<[u8; LogState::RECORD_BYTES]> {
        let kind = match self {
            LogState::Never => return None,
            LogState::Pinned { .. } => PINNED,
            LogState::Held { .. } => HELD,
        };
        let mut record = [0; LogState::RECORD_BYTES];
        record[..4].copy_from_slice(MAGIC);
        record[4] = kind;
        record[8..16].copy_from_slice(&self.size().get().to_be_bytes());
        record[16..48].copy_from_slice(self.root().as_bytes());
        record[48..CHECKED].copy_from_slice(&self.at().to_be_bytes());
        let check = check(origin, &record[..CHECKED]);
        record[CHECKED..].copy_from_slice(check.as_bytes());
        Some(record)
    }

    /// Reads the record of the log of this origin. Fails with [`StateError`].
    pub fn from_record(origin: &str, record: &[u8]) -> Result<Self, StateError> {
        let record: &[u8; LogState::RECORD_BYTES] =
            record.try_into().map_err(|_| StateError::Version)?;
        let (checked, stated) = record
            .split_first_chunk::<CHECKED>()
            .ok_or(StateError::Version)?;
        if &checked[..4] != MAGIC {
            return Err(StateError::Version);
        }
        if check(origin, checked).as_bytes() != stated {
            return Err(StateError::Damaged);
        }
        let state = read(checked).ok_or(StateError::Impossible)?;
        if state.record(origin).as_ref() == Some(record) {
            Ok(state)
        } else {
            Err(StateError::Impossible)
        }
    }
}

fn read(checked: &[u8; CHECKED]) -> Option<LogState> {
    let number = |at: usize| Some(u64::from_be_bytes(*checked.get(at..)?.first_chunk()?));
    let size = TreeSize::new(number(8)?);
    let root = Hash::from_slice(checked.get(16..48)?)?;
    let at = number(48)?;
    if size == TreeSize::EMPTY && root != empty_root() {
        return None;
    }
    match checked[4] {
        PINNED => Some(LogState::Pinned { size, root }),
        HELD if at > 0 && i64::try_from(at).is_ok() => Some(LogState::Held { size, root, at }),
        _ => None,
    }
}

fn check(origin: &str, checked: &[u8]) -> Hash {
    Hash::of_parts(&[
        b"assay.witness-state.v1\n",
        origin.as_bytes(),
        b"\n",
        checked,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "example.com/log";

    fn states() -> [LogState; 3] {
        let (size, root) = (TreeSize::new(0x0102_0304_0506_0708), Hash::of(b"root"));
        [
            LogState::Pinned { size, root },
            LogState::Held {
                size,
                root,
                at: 1_800_000_000,
            },
            LogState::Held {
                size: TreeSize::EMPTY,
                root: empty_root(),
                at: i64::MAX as u64,
            },
        ]
    }

    #[test]
    fn records_read_back_and_no_changed_one_does() {
        assert_eq!(LogState::Never.record(ORIGIN), None);
        for state in states() {
            let record = state.record(ORIGIN).unwrap();
            assert_eq!(LogState::from_record(ORIGIN, &record), Ok(state));
            assert!(LogState::from_record("example.com/lof", &record).is_err());
            for i in 0..record.len() {
                for bit in 0..8 {
                    let mut changed = record;
                    changed[i] ^= 1 << bit;
                    let read = LogState::from_record(ORIGIN, &changed);
                    let fault = match i {
                        0..4 => StateError::Version,
                        _ => StateError::Damaged,
                    };
                    assert_eq!(read, Err(fault), "byte {i}, bit {bit}");
                }
                assert!(LogState::from_record(ORIGIN, &record[..i]).is_err());
            }
            let longer = [&record[..], &[0]].concat();
            assert!(LogState::from_record(ORIGIN, &longer).is_err());
        }
    }

    /// The bytes never change: a witness that cannot read its own state has to retire its key.
    #[test]
    fn a_record_has_these_bytes() {
        let record = states()[1].record(ORIGIN).unwrap();
        let expected = "61737731020000000102030405060708\
            4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2\
            000000006b49d200";
        assert_eq!(hex::encode(&record[..CHECKED]), expected);
    }

    /// With a right check, so that only what is said is wrong.
    #[test]
    fn what_was_never_written_is_refused() {
        let record = states()[1].record(ORIGIN).unwrap();
        let cases: [(usize, &[u8]); 8] = [
            (4, &[0]),
            (4, &[3]),
            (4, &[PINNED]),
            (5, &[1]),
            (7, &[1]),
            (8, &[0; 8]),
            (48, &[0; 8]),
            (48, &[0x80]),
        ];
        for (at, bytes) in cases {
            let mut changed = record;
            changed[at..at + bytes.len()].copy_from_slice(bytes);
            let right = check(ORIGIN, &changed[..CHECKED]);
            changed[CHECKED..].copy_from_slice(right.as_bytes());
            let read = LogState::from_record(ORIGIN, &changed);
            assert_eq!(read, Err(StateError::Impossible), "{bytes:?} at {at}");
        }
    }
}
