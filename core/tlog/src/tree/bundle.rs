//! Entry bundles: entries one after the other, each preceded by its length as a 16-bit big-endian
//! number (C2SP tlog-tiles, "Log entries").
//!
//! Left out: whether the entries are the log's. Their leaf hashes must be those of the level 0
//! tile.

use super::tile::TILE_WIDTH;
use crate::limits;

/// Longest full bundle, in bytes: 256 entries of the greatest length, each with its own length in
/// front.
pub const BUNDLE_BYTES: usize = TILE_WIDTH * (2 + limits::ENTRY_BYTES);

/// Why bytes are not an entry bundle, or an entry cannot be put in one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The entry has more bytes than a 16-bit number can state.
    #[error(
        "an entry of {0} bytes does not fit a bundle; at most {max} do",
        max = limits::ENTRY_BYTES
    )]
    EntryTooLong(usize),
    /// The bundle ends within an entry or its length.
    #[error("the entry bundle ends within its entry {0}")]
    Truncated(usize),
    /// There are more than 256 entries.
    #[error("the entry bundle has more than {TILE_WIDTH} entries")]
    TooMany,
}

/// Appends `entry` to `bundle`. Fails with [`BundleError::EntryTooLong`] above 65,535 bytes,
/// changing nothing.
pub fn push(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), BundleError> {
    let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Returns the entries of a bundle, in order. After an error there is nothing more.
///
/// The error is [`BundleError::Truncated`] with the zero-based number of the entry within the
/// bundle, or [`BundleError::TooMany`] in place of a 257th entry.
pub fn entries(bundle: &[u8]) -> impl Iterator<Item = Result<&[u8], BundleError>> {
    let mut rest = Some(bundle);
    let mut count = 0;
    std::iter::from_fn(move || {
        let bytes = rest.take().filter(|bytes| !bytes.is_empty())?;
        if count == TILE_WIDTH {
            return Some(Err(BundleError::TooMany));
        }
        let Some((entry, after)) = split_entry(bytes) else {
            return Some(Err(BundleError::Truncated(count)));
        };
        count += 1;
        rest = Some(after);
        Some(Ok(entry))
    })
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_back_verbatim() {
        let long = vec![7; limits::ENTRY_BYTES];
        let written: [&[u8]; 4] = [b"one", b"", &long, b"\x00\x01"];
        let mut bundle = Vec::new();
        for entry in written {
            push(&mut bundle, entry).unwrap();
        }
        assert_eq!(&bundle[..5], b"\x00\x03one");
        assert_eq!(
            entries(&bundle).collect::<Result<Vec<_>, _>>().unwrap(),
            written
        );
        assert_eq!(entries(b"").count(), 0);
    }

    #[test]
    fn a_bundle_cut_anywhere_within_an_entry_is_refused() {
        let mut bundle = Vec::new();
        push(&mut bundle, b"one").unwrap();
        push(&mut bundle, b"two").unwrap();
        for cut in (1..bundle.len()).filter(|cut| *cut != 5) {
            let read: Vec<_> = entries(&bundle[..cut]).collect();
            assert_eq!(
                read.last(),
                Some(&Err(BundleError::Truncated(cut / 5))),
                "cut at {cut}"
            );
            assert_eq!(read.len(), cut / 5 + 1);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut bundle = Vec::new();
        let refused = push(&mut bundle, &vec![0; limits::ENTRY_BYTES + 1]);
        assert_eq!(
            (refused, bundle.len()),
            (Err(BundleError::EntryTooLong(65_536)), 0)
        );
        for _ in 0..TILE_WIDTH {
            push(&mut bundle, b"").unwrap();
        }
        assert!(entries(&bundle).all(|entry| entry.is_ok()));
        push(&mut bundle, b"").unwrap();
        assert_eq!(entries(&bundle).last(), Some(Err(BundleError::TooMany)));
    }
}
