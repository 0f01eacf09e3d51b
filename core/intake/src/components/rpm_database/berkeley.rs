//! Berkeley DB (its `db_page.h`), which rpm used before 4.16, as a table of hashes: the pages of
//! each bucket with keys and values, and headers that have no place there on pages of their own.

use super::numbers::{Order, Pages, damaged};
use crate::components::fault::Fault;

const MAGIC: usize = 0x0006_1561;
const MAGIC_AT: usize = 12;

/// Kinds of pages: with keys and values, unsorted or sorted, and of what is too long.
const UNSORTED: u8 = 2;
const LONG: u8 = 7;
const OLD: u8 = 8;
const SORTED: u8 = 13;

/// Kinds of values: one that stands there, and one on pages of its own.
const HERE: u8 = 1;
const ELSEWHERE: u8 = 3;

/// Places in a page: the next one of its chain, how many keys and values, how many bytes of what is
/// too long, its kind, where what it holds begins.
const NEXT: usize = 16;
const ENTRIES: usize = 20;
const LENGTH: usize = 22;
const KIND: usize = 25;
const PAGE_HEAD: usize = 26;

pub(super) fn is_one(head: &[u8]) -> bool {
    order(head).is_some()
}

/// The order of the bytes of the machine that wrote it.
fn order(head: &[u8]) -> Option<Order> {
    let mut orders = [Order::Little, Order::Big].into_iter();
    orders.find(|order| order.u32(head, MAGIC_AT) == Some(MAGIC))
}

/// Calls `each` with the header of every package.
pub(super) fn headers(
    bytes: &[u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let malformed = || damaged("its first page is malformed");
    let order = order(bytes).ok_or_else(malformed)?;
    let number = |at| order.u32(bytes, at).ok_or_else(malformed);
    let size = number(20)?;
    if !(512..=65_536).contains(&size) || !size.is_power_of_two() {
        return Err(malformed());
    }
    let most = number(72)?;
    let mut file = File {
        pages: Pages::of(bytes, size),
        order,
    };
    for bucket in 0..=most {
        // Buckets are made in powers of two, each time after the pages that there were.
        let power = usize::try_from(usize::BITS - bucket.leading_zeros()).unwrap_or(usize::MAX);
        let before = power.checked_mul(4).filter(|_| power < 32);
        let before = number(96 + before.ok_or_else(malformed)?)?;
        let mut next = bucket + before;
        while next != 0 {
            next = file.bucket(next, each)?;
        }
    }
    Ok(())
}

struct File<'a> {
    pages: Pages<'a>,
    order: Order,
}

impl File<'_> {
    /// Calls `each` with the headers of a page of a bucket, and returns the next of its chain; 0 if
    /// there is none.
    fn bucket(
        &mut self,
        number: usize,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        let malformed = || damaged(&format!("page {number} is malformed"));
        let page = self.pages.page(number)?;
        if ![UNSORTED, OLD, SORTED].contains(page.get(KIND).unwrap_or(&0)) {
            return Err(malformed());
        }
        let order = self.order;
        let place = |entry: usize| order.u16(page, PAGE_HEAD + 2 * entry).ok_or_else(malformed);
        let entries = order.u16(page, ENTRIES).ok_or_else(malformed)?;
        // A key, and the value before it: what comes first stands last.
        for value in (1..entries).step_by(2) {
            let (at, end) = (place(value)?, place(value - 1)?);
            let entry = page.get(at..end).ok_or_else(malformed)?;
            let key_end = if value == 1 {
                page.len()
            } else {
                place(value - 2)?
            };
            let key = page.get(end..key_end).ok_or_else(malformed)?;
            // Behind the key 0 stands how many packages there have been.
            if key.first() == Some(&HERE) && key.iter().skip(1).all(|byte| *byte == 0) {
                continue;
            }
            match *entry.first().ok_or_else(malformed)? {
                HERE => {
                    self.pages.spend(entry.len())?;
                    each(entry.get(1..).unwrap_or_default())?;
                }
                ELSEWHERE => {
                    let first = order.u32(entry, 4).ok_or_else(malformed)?;
                    let length = order.u32(entry, 8).ok_or_else(malformed)?;
                    each(&self.long(first, length)?)?;
                }
                _ => return Err(malformed()),
            }
        }
        order.u32(page, NEXT).ok_or_else(malformed)
    }

    /// What is on the pages of a chain.
    fn long(&mut self, first: usize, length: usize) -> Result<Vec<u8>, Fault> {
        self.pages.spend(length)?;
        let (mut whole, mut next) = (Vec::with_capacity(length), first);
        while whole.len() < length {
            let malformed = || damaged(&format!("page {next} is malformed"));
            let page = self.pages.page(next)?;
            let here = self.order.u16(page, LENGTH).ok_or_else(malformed)?;
            let part = page.get(PAGE_HEAD..).and_then(|rest| rest.get(..here));
            let fits = page.get(KIND) == Some(&LONG) && here > 0 && here <= length - whole.len();
            whole.extend_from_slice(part.filter(|_| fits).ok_or_else(malformed)?);
            next = self.order.u32(page, NEXT).ok_or_else(malformed)?;
        }
        Ok(whole)
    }
}
