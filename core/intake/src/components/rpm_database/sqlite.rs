//! Databases of SQLite (<https://sqlite.org/fileformat2.html>), as far as rpm uses them: the rows
//! of the table `Packages`, whose second column is the header of a package.

use super::numbers::{Order, Pages, damaged};
use crate::components::fault::Fault;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Bytes before the tree on the first page.
const FIRST_PAGE: usize = 100;

/// Kinds of pages of a table.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// Most pages from the root to a leaf. Eight of the smallest hold more than a file that is read.
const DEPTH: usize = 16;

pub(super) fn is_one(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Calls `each` with the header of every package.
pub(super) fn headers(
    bytes: &[u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let size = match Order::Big.u16(bytes, 16) {
        // 65,536 has no place in two bytes.
        Some(1) => 65_536,
        Some(size) if size >= 512 && size.is_power_of_two() => size,
        _ => return Err(damaged("SQLite has no pages of such a size")),
    };
    let reserved = usize::from(bytes.get(20).copied().unwrap_or_default());
    let mut file = File {
        pages: Pages::of(bytes, size),
        usable: size - reserved,
    };
    let mut root = None;
    file.rows(1, DEPTH, &mut |row| {
        let malformed = || damaged("a row that names a table is malformed");
        let named = [0, 1, 3].map(|number| column(row, number));
        let [Some(kind), Some(name), Some(page)] = named else {
            return Err(malformed());
        };
        if (kind, name) == (b"table", b"Packages") {
            root = Some(integer(page).ok_or_else(malformed)?);
        }
        Ok(())
    })?;
    let Some(root) = root else {
        return Err(
            Fault::new(None, "it is a database of SQLite, and not rpm's")
                .advise("check the lock file or the SBOM of what it belongs to"),
        );
    };
    file.rows(root, DEPTH, &mut |row| {
        each(column(row, 1).ok_or_else(|| damaged("the row of a package is malformed"))?)
    })
}

struct File<'a> {
    pages: Pages<'a>,
    /// Bytes of a page that hold something.
    usable: usize,
}

impl<'a> File<'a> {
    /// Calls `each` with every row below the page of a number, counted from 1.
    fn rows(
        &mut self,
        number: usize,
        depth: usize,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let malformed = || damaged(&format!("page {number} is not one of a table"));
        let (Some(above), Some(depth)) = (number.checked_sub(1), depth.checked_sub(1)) else {
            return Err(malformed());
        };
        let page = self.pages.page(above)?;
        let start = if number == 1 { FIRST_PAGE } else { 0 };
        let kind = *page.get(start).ok_or_else(malformed)?;
        // One without rows is one all the same, and not zeros.
        if ![INTERIOR, LEAF].contains(&kind) {
            return Err(malformed());
        }
        let cells = Order::Big.u16(page, start + 3).ok_or_else(malformed)?;
        let places = start + if kind == INTERIOR { 12 } else { 8 };
        for cell in 0..cells {
            let place = Order::Big
                .u16(page, places + 2 * cell)
                .ok_or_else(malformed)?;
            if kind == INTERIOR {
                let below = Order::Big.u32(page, place).ok_or_else(malformed)?;
                self.rows(below, depth, each)?;
            } else {
                self.row(page, place, each)?;
            }
        }
        if kind == INTERIOR {
            let last = Order::Big.u32(page, start + 8).ok_or_else(malformed)?;
            self.rows(last, depth, each)?;
        }
        Ok(())
    }

    /// Calls `each` with the row whose cell is at `place` of a page.
    fn row(
        &mut self,
        page: &'a [u8],
        place: usize,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let cut = || damaged("a row is cut off");
        let (length, after) = varint(page, place).ok_or_else(cut)?;
        let (_, start) = varint(page, after).ok_or_else(cut)?;
        self.pages.spend(length)?;
        let here = self.here(length);
        let first = page.get(start..).and_then(|rest| rest.get(..here));
        let first = first.ok_or_else(cut)?;
        if here == length {
            return each(first);
        }
        let mut row = Vec::with_capacity(length);
        row.extend_from_slice(first);
        let mut next = Order::Big.u32(page, start + here).ok_or_else(cut)?;
        while row.len() < length {
            let more = self.pages.page(next.checked_sub(1).ok_or_else(cut)?)?;
            let part = (length - row.len()).min(self.usable.saturating_sub(4));
            let part = more.get(4..).and_then(|rest| rest.get(..part));
            row.extend_from_slice(part.ok_or_else(cut)?);
            next = Order::Big.u32(more, 0).ok_or_else(cut)?;
        }
        each(&row)
    }

    /// Bytes of a row of `length` that stand on its own page; the rest is on others (section 1.6,
    /// "Cell Payload Overflow Pages").
    fn here(&self, length: usize) -> usize {
        let usable = self.usable;
        let most = usable - 35;
        if length <= most {
            return length;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let some = least + (length - least) % (usable - 4);
        if some <= most { some } else { least }
    }
}

/// The bytes of a column of a row, counted from 0 (section 2.1, "Record Format").
fn column(row: &[u8], wanted: usize) -> Option<&[u8]> {
    let (types_end, mut at) = varint(row, 0)?;
    let mut place = types_end;
    for number in 0.. {
        let (ty, after) = varint(row.get(..types_end)?, at)?;
        let length = match ty {
            0 | 8 | 9 => 0,
            1..=4 => ty,
            5 => 6,
            6 | 7 => 8,
            _ => ty.checked_sub(12)? / 2,
        };
        if number == wanted {
            return row.get(place..)?.get(..length);
        }
        place = place.checked_add(length)?;
        at = after;
    }
    None
}

/// The number in a column.
fn integer(bytes: &[u8]) -> Option<usize> {
    let whole = bytes.iter().try_fold(0u64, |whole, byte| {
        Some(whole.checked_mul(256)? + u64::from(*byte))
    });
    usize::try_from(whole?).ok()
}

/// The number at `at`, and where it ends: seven bits a byte, of a ninth one all.
fn varint(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut whole = 0u64;
    for (read, byte) in (1..).zip(bytes.get(at..)?.iter().take(9)) {
        if read == 9 {
            whole = whole << 8 | u64::from(*byte);
        } else {
            whole = whole << 7 | u64::from(byte & 0x7f);
        }
        if byte & 0x80 == 0 || read == 9 {
            return Some((usize::try_from(whole).ok()?, at + read));
        }
    }
    None
}
