//! The format of the file.
//!
//! ```text
//! file    = magic record*
//! magic   = "assay-anchor v1\n"
//! record  = length u32be ‖ crc32c(length) u32be ‖ note ‖ crc32c(length ‖ note) u32be
//! ```
//!
//! The length has a checksum of its own, so that a damaged length is never taken for the torn tail
//! of a crash.

/// Longest note of a record, in bytes.
pub(super) const NOTE_BYTES: usize = assay_tlog::limits::NOTE_BYTES;

pub(super) const MAGIC: &[u8; 16] = b"assay-anchor v1\n";

const WORD: usize = 4;

/// Bytes of a record around its note.
pub(super) const FRAME: usize = 3 * WORD;

/// The record of `note`, which has at most [`NOTE_BYTES`] bytes.
pub(super) fn write(note: &str) -> Vec<u8> {
    // Bounded by NOTE_BYTES, so the cast keeps it.
    let length = (note.len() as u32).to_be_bytes();
    let length_crc = crc32c::crc32c(&length);
    let crc = crc32c::crc32c_append(length_crc, note.as_bytes());
    [
        &length[..],
        &length_crc.to_be_bytes(),
        note.as_bytes(),
        &crc.to_be_bytes(),
    ]
    .concat()
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Records<'a> {
    /// The last whole note.
    pub(super) last: Option<&'a str>,
    /// Where the whole records end. Behind it is the unfinished record of a crash, or nothing.
    pub(super) end: usize,
}

/// Reads a whole file. The error says what is wrong with it.
pub(super) fn read_all(bytes: &[u8]) -> Result<Records<'_>, String> {
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        return Err("it does not start as a checkpoint file does".into());
    };
    let mut last = None;
    loop {
        let end = bytes.len() - rest.len();
        match split_record(rest) {
            Ok(Some((note, behind))) => {
                last = Some(note);
                rest = behind;
            }
            Ok(None) => return Ok(Records { last, end }),
            Err(what) => return Err(format!("{what} (record at byte {end})")),
        }
    }
}

/// Splits off the first record of `bytes`. Returns `None` if the file ends before the record does.
fn split_record(bytes: &[u8]) -> Result<Option<(&str, &[u8])>, &'static str> {
    let Some((length, rest)) = bytes.split_first_chunk::<WORD>() else {
        return Ok(None);
    };
    let Some((length_crc, rest)) = rest.split_first_chunk::<WORD>() else {
        return Ok(None);
    };
    let expected = crc32c::crc32c(length);
    if u32::from_be_bytes(*length_crc) != expected {
        return Err("the checksum of a length is wrong");
    }
    let length = u32::from_be_bytes(*length) as usize;
    if length == 0 || length > NOTE_BYTES {
        return Err("a length is out of bounds");
    }
    let Some((note, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let Some((crc, rest)) = rest.split_first_chunk::<WORD>() else {
        return Ok(None);
    };
    if u32::from_be_bytes(*crc) != crc32c::crc32c_append(expected, note) {
        return Err("the checksum of a note is wrong");
    }
    let note = str::from_utf8(note).map_err(|_| "a note is not text")?;
    Ok(Some((note, rest)))
}
