//! Numbers at places of a file, and pages of which each is read once.

use crate::components::fault::Fault;

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Order {
    /// The number of two bytes at `at`.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<usize> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(usize::from(match self {
            Order::Big => u16::from_be_bytes(bytes),
            Order::Little => u16::from_le_bytes(bytes),
        }))
    }

    /// The number of four bytes at `at`.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<usize> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        let number = match self {
            Order::Big => u32::from_be_bytes(bytes),
            Order::Little => u32::from_le_bytes(bytes),
        };
        usize::try_from(number).ok()
    }
}

/// The pages of a file. In a database that is whole, nothing is part of two things: each page is
/// read once, and each byte belongs to one header. That bounds what a damaged one can cost.
pub(super) struct Pages<'a> {
    bytes: &'a [u8],
    size: usize,
    pages_left: usize,
    bytes_left: usize,
}

impl<'a> Pages<'a> {
    /// The pages of `bytes`, of `size` bytes each.
    pub(super) fn of(bytes: &'a [u8], size: usize) -> Self {
        Pages {
            bytes,
            size,
            pages_left: bytes.len() / size.max(1),
            bytes_left: bytes.len(),
        }
    }

    /// The page of a number, counted from 0.
    pub(super) fn page(&mut self, number: usize) -> Result<&'a [u8], Fault> {
        let left = self.pages_left.checked_sub(1);
        self.pages_left = left.ok_or_else(|| damaged("its pages are linked in a circle"))?;
        let at = number.checked_mul(self.size);
        let rest = at.and_then(|at| self.bytes.get(at..));
        let page = rest.and_then(|rest| rest.get(..self.size));
        page.ok_or_else(|| damaged(&format!("page {number} is not there")))
    }

    /// Counts the bytes of a header that is to be read.
    pub(super) fn spend(&mut self, length: usize) -> Result<(), Fault> {
        let left = self.bytes_left.checked_sub(length);
        self.bytes_left = left.ok_or_else(|| damaged("its headers are longer than the file"))?;
        Ok(())
    }
}

/// That a database is not as its program writes it.
pub(super) fn damaged(reason: &str) -> Fault {
    Fault::new(
        None,
        format!("the database is damaged or cut off: {reason}"),
    )
}
