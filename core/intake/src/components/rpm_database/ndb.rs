//! rpm's own format (`lib/backend/ndb/rpmpkg.c`), which SUSE uses: a head, slots that say where
//! each package is, in blocks of 16 bytes, and the packages.

use super::numbers::{Order, Pages, damaged};
use crate::components::fault::Fault;

const MAGIC: &[u8] = b"RpmP";
const SLOT: &[u8] = b"Slot";
const BEGINS: &[u8] = b"BlbS";
const ENDS: &[u8] = b"BlbE";

const PAGE: usize = 4096;
const BLOCK: usize = 16;
/// Bytes before the slots, and of a slot.
const HEAD: usize = 32;
const SLOT_BYTES: usize = 16;
/// Bytes before a package, and behind it: there the sum of what is before, its length, and a mark.
const BLOB_HEAD: usize = 16;
const BLOB_TAIL: usize = 12;

pub(super) fn is_one(head: &[u8]) -> bool {
    // A text may begin so, too; behind it stands a small number in four bytes.
    head.starts_with(MAGIC) && head.get(5..8) == Some(&[0; 3])
}

/// Calls `each` with the header of every package.
pub(super) fn headers(
    bytes: &[u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let number = |at| Order::Little.u32(bytes, at);
    if number(4) != Some(0) {
        return Err(Fault::new(
            None,
            "the database is of a version that is not known",
        ));
    }
    let end = number(12).and_then(|pages| pages.checked_mul(PAGE));
    let slots = end.and_then(|end| bytes.get(HEAD..end));
    let slots = slots.ok_or_else(|| damaged("its slots are cut off"))?;
    let mut pages = Pages::of(bytes, PAGE);
    for slot in slots.chunks_exact(SLOT_BYTES) {
        let number = |at| Order::Little.u32(slot, at).unwrap_or_default();
        let (package, first, blocks) = (number(4), number(8), number(12));
        if !slot.starts_with(SLOT) {
            return Err(damaged("a slot is malformed"));
        }
        // Room for more.
        if package == 0 {
            continue;
        }
        let astray = || damaged(&format!("package {package} is not where its slot says"));
        let length = blocks.checked_mul(BLOCK).ok_or_else(astray)?;
        pages.spend(length)?;
        let rest = first.checked_mul(BLOCK).and_then(|at| bytes.get(at..));
        let blob = rest.and_then(|rest| rest.get(..length));
        each(
            blob.and_then(|blob| header(blob, package))
                .ok_or_else(astray)?,
        )?;
    }
    Ok(())
}

/// The header of the package that stands in these blocks.
fn header(blob: &[u8], package: usize) -> Option<&[u8]> {
    let number = |at| Order::Little.u32(blob, at);
    let length = number(12)?;
    let tail = blob.len().checked_sub(BLOB_TAIL)?;
    let is_whole = blob.starts_with(BEGINS)
        && number(4)? == package
        && number(tail)? == sum(blob.get(..tail)?)
        && number(tail + 4)? == length
        && blob.ends_with(ENDS);
    let header = blob.get(BLOB_HEAD..tail)?.get(..length);
    header.filter(|_| is_whole)
}

/// Adler-32 (RFC 1950, section 8.2).
fn sum(bytes: &[u8]) -> usize {
    const BASE: u32 = 65_521;
    let (mut low, mut high) = (1u32, 0u32);
    // So many can be added before one of the sums has no place.
    for some in bytes.chunks(5_552) {
        for byte in some {
            low += u32::from(*byte);
            high += low;
        }
        low %= BASE;
        high %= BASE;
    }
    usize::try_from(high << 16 | low).unwrap_or_default()
}
