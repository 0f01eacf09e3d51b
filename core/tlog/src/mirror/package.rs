//! The body of an `add-entries` request (C2SP tlog-mirror, "Request Body"), read as it comes.
//!
//! ```text
//! u16be length ‖ origin ‖ u64be start ‖ u64be end ‖ u16be length ‖ ticket ‖ package*
//! package = (u16be length ‖ entry)* ‖ u8 number ‖ hash*
//! ```
//!
//! How many entries a package has follows from its place. Nothing here is verified.

use crate::hash::Hash;
use crate::limits;
use crate::tree::tile::TILE_WIDTH;
use std::ops::Range;

/// Most hashes of a package (C2SP tlog-mirror).
const PACKAGE_HASHES: u8 = 63;

/// Why bytes are no request, whatever comes after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedUpload {
    /// It starts after its end.
    #[error("the upload starts at {start}, which is after its end, {end}")]
    StartAfterEnd {
        /// The first entry.
        start: u64,
        /// The entry after the last one.
        end: u64,
    },
    /// Too many hashes in a package.
    #[error("the proof of a package has {0} hashes, and at most {PACKAGE_HASHES} are allowed")]
    Hashes(u8),
}

/// What stands before the packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadHeader {
    origin: Vec<u8>,
    start: u64,
    end: u64,
    ticket: Vec<u8>,
}

impl UploadHeader {
    /// The header of an upload of the entries in `range`, with a ticket that the mirror gave, which
    /// may be empty. `None` if origin or ticket are longer than 65,535 bytes.
    pub fn new(origin: &str, range: Range<u64>, ticket: &[u8]) -> Option<Self> {
        let fits = |bytes: &[u8]| u16::try_from(bytes.len()).is_ok();
        let header = UploadHeader {
            origin: origin.as_bytes().to_vec(),
            start: range.start,
            end: range.end,
            ticket: ticket.to_vec(),
        };
        (fits(&header.origin) && fits(ticket)).then_some(header)
    }

    /// Reads a header from the beginning of `bytes`, and returns it with its length, or `None`
    /// while bytes are missing. Fails with [`MalformedUpload::StartAfterEnd`].
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, MalformedUpload> {
        let mut rest = bytes;
        let Some(header) = fields(&mut rest) else {
            return Ok(None);
        };
        let UploadHeader { start, end, .. } = header;
        if start > end {
            return Err(MalformedUpload::StartAfterEnd { start, end });
        }
        Ok(Some((header, bytes.len() - rest.len())))
    }

    /// Reads the origin from the beginning of a header: `None` while bytes are missing that could
    /// be a log's, and else the origin, or `None` for one that is no log's: no text, or longer than
    /// [`limits::ORIGIN_BYTES`], which shows before it has come.
    pub fn read_origin(bytes: &[u8]) -> Option<Option<&str>> {
        let (length, rest) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > limits::ORIGIN_BYTES {
            return Some(None);
        }
        Some(std::str::from_utf8(rest.get(..length)?).ok())
    }

    /// The bytes of the header.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
        bytes.extend(length(&self.origin));
        bytes.extend(&self.origin);
        bytes.extend(self.start.to_be_bytes());
        bytes.extend(self.end.to_be_bytes());
        bytes.extend(length(&self.ticket));
        bytes.extend(&self.ticket);
        bytes
    }

    /// The log's origin, or `None` for bytes that are no text, which is no log's.
    pub fn origin(&self) -> Option<&str> {
        std::str::from_utf8(&self.origin).ok()
    }

    /// The entries that are to come.
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// What the mirror gave to come back with.
    pub fn ticket(&self) -> &[u8] {
        &self.ticket
    }

    /// The entries of package `i` of the canonical sequence, or `None` after the last one.
    pub fn package(&self, i: u64) -> Option<Range<u64>> {
        let width = TILE_WIDTH as u64;
        let bundle = (self.start / width).checked_add(i)?;
        let first = bundle.checked_mul(width)?;
        let package = first.max(self.start)..first.saturating_add(width).min(self.end);
        (!package.is_empty()).then_some(package)
    }
}

fn fields(rest: &mut &[u8]) -> Option<UploadHeader> {
    Some(UploadHeader {
        origin: counted(rest)?.to_vec(),
        start: u64::from_be_bytes(array(rest)?),
        end: u64::from_be_bytes(array(rest)?),
        ticket: counted(rest)?.to_vec(),
    })
}

/// Takes bytes after their number, which is 16 bits long.
fn counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(u16::from_be_bytes(array(rest)?));
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

/// Entries, with the proof that they are the tree's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The entries, as in a bundle: each after its length.
    pub(super) entries: Vec<u8>,
    /// The subtree consistency proof.
    pub(super) proof: Vec<Hash>,
}

impl Package {
    /// A package of these entries, each after its length (C2SP tlog-tiles), and at most 63 hashes.
    pub fn new(entries: Vec<u8>, proof: Vec<Hash>) -> Option<Self> {
        let fits = proof.len() <= usize::from(PACKAGE_HASHES);
        fits.then_some(Package { entries, proof })
    }

    /// Reads a package of `count` entries from the beginning of `bytes`, and returns it with its
    /// length, or `None` while bytes are missing. Fails with [`MalformedUpload::Hashes`].
    pub fn read(bytes: &[u8], count: u64) -> Result<Option<(Self, usize)>, MalformedUpload> {
        let mut rest = bytes;
        for _ in 0..count {
            if counted(&mut rest).is_none() {
                return Ok(None);
            }
        }
        let length = bytes.len() - rest.len();
        let Some((number, hashes)) = rest.split_first() else {
            return Ok(None);
        };
        if *number > PACKAGE_HASHES {
            return Err(MalformedUpload::Hashes(*number));
        }
        let proof_length = usize::from(*number) * Hash::LEN;
        let Some(hashes) = hashes.get(..proof_length) else {
            return Ok(None);
        };
        let package = Package {
            entries: bytes[..length].to_vec(),
            proof: hashes
                .chunks(Hash::LEN)
                .filter_map(Hash::from_slice)
                .collect(),
        };
        Ok(Some((package, length + 1 + proof_length)))
    }

    /// The bytes of the package.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.entries.clone();
        bytes.push(self.proof.len() as u8);
        for hash in &self.proof {
            bytes.extend(hash.as_bytes());
        }
        bytes
    }
}
