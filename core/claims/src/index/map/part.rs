//! Parts: up to sixteen neighboring pages under one node of the directory.
//!
//! ```text
//! places  = place*, ascending by key
//! place   = bits of the page's key, varint ‖ the key's bytes after those that are whole in the
//!           part's key ‖ hash, 32 bytes ‖ labels, u8 ‖ names, u8
//!         ‖ tree size through which it is current, varint
//! ```
//!
//! The hashes of the trie's nodes between the pages are not kept: to hash them again costs less
//! than what twice the memory does. Which pages are in one part follows from the pages alone: it is
//! the largest subtree with no more than a part's pages. This is a format of ours alone; nothing
//! outside of the store ever sees it.

use super::slot::{Kept, PageBytes, Slot};
use crate::index::label::{Label, Name, Prefix};
use crate::index::list;
use crate::index::page::{self, PAGE_LABELS, PageError, Record};
use crate::index::trie::{self, Leaf, Sum, subtree};
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use prost::encoding::encode_varint;

/// Most pages in a part. More would make the directory smaller and each change of a page dearer,
/// because the places of a part are written anew.
pub const PART_PAGES: usize = 16;

/// What a part says of one of its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    key: Prefix,
    hash: Hash,
    labels: u8,
    /// Distinct names among its labels.
    names: u8,
    through: TreeSize,
}

impl Place {
    /// The place of a page with these records, at least one and at most a page's.
    pub(super) fn new<L: Leaf>(key: Prefix, records: &[L], through: TreeSize) -> Self {
        let names = records.chunk_by(|a, b| a.label().name() == b.label().name());
        // Neither is cut: a page has at most sixteen labels.
        Place {
            key,
            hash: subtree(records).hash,
            labels: records.len() as u8,
            names: names.count() as u8,
            through,
        }
    }

    /// The prefix that leads to the page, by which it is stored.
    pub fn key(&self) -> &Prefix {
        &self.key
    }

    /// The size of the tree whose leaves have all been applied to the page. Later ones have not.
    pub fn through(&self) -> TreeSize {
        self.through
    }

    /// Whether these bytes are the page's: they lead to its hash, and hold as much as it says. It
    /// takes about two hashes a label, and as many a leaf of a list that stands in the page.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        page::records(bytes).is_ok_and(|records| {
            proven(&records) && Place::new(self.key, &records, self.through) == *self
        })
    }

    fn total(&self) -> Total {
        Total {
            sum: Sum {
                hash: self.hash,
                labels: self.labels.into(),
            },
            names: self.names.into(),
        }
    }
}

/// Whether the hash of each record is that of its list. One that has one leaf states no other.
pub(super) fn proven(records: &[Record<'_>]) -> bool {
    let mut lists = records.iter().filter(|record| record.length != 1);
    lists.all(|record| {
        let root = record.frontier().map(|frontier| frontier.root());
        root.is_ok_and(|root| trie::leaf(&record.label, record.length, &root) == record.hash)
    })
}

/// What is below a node of the directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Total {
    pub sum: Sum,
    /// Distinct names.
    pub names: u64,
}

impl Total {
    /// What is below a node over two others.
    pub fn join(prefix: &Prefix, left: &Total, right: &Total) -> Self {
        let names = if prefix.bits() < Name::BITS {
            left.names + right.names
        } else {
            1
        };
        Total {
            sum: Sum {
                hash: trie::inner(prefix, &left.sum, &right.sum),
                labels: left.sum.labels + right.sum.labels,
            },
            names,
        }
    }
}

/// What stands in the order of keys of pages.
pub(super) trait Keyed {
    fn key(&self) -> &Prefix;
}

impl Keyed for Place {
    fn key(&self) -> &Prefix {
        &self.key
    }
}

impl AsRef<Place> for Place {
    fn as_ref(&self) -> &Place {
        self
    }
}

/// The prefix of the node over these pages, of which there are two or more, and where those on its
/// right begin.
pub(super) fn fork<K: Keyed>(pages: &[K]) -> (Prefix, usize) {
    let (first, last) = (pages[0].key(), pages[pages.len() - 1].key());
    let bits = first.first().common(last.first());
    let at = bits.min(255) as u8;
    let middle = pages.partition_point(|page| !page.key().first().bit(at));
    (Prefix::of(first.first(), bits), middle)
}

/// What is below the node over these pages, of which there is at least one.
pub(super) fn total<P: AsRef<Place> + Keyed>(places: &[P]) -> Total {
    if let [one] = places {
        return one.as_ref().total();
    }
    let (prefix, middle) = fork(places);
    let (left, right) = places.split_at(middle);
    Total::join(&prefix, &total(left), &total(right))
}

/// A node of the directory over the pages of a part. There is one for each hundred labels or so,
/// and an inner node for each of these.
#[derive(Debug)]
pub struct Part<S> {
    key: Prefix,
    /// Labels and distinct names: at most a part's pages full of them.
    labels: u16,
    names: u16,
    hash: Hash,
    through: TreeSize,
    slot: S,
}

impl<S> Part<S> {
    /// The part of these pages, at least one and at most a part's.
    pub(super) fn new<P: AsRef<Place> + Keyed>(
        key: Prefix,
        places: &[P],
        through: TreeSize,
        slot: S,
    ) -> Self {
        let total = total(places);
        // Nothing is cut: a part has at most 256 labels.
        Part {
            key,
            labels: total.sum.labels as u16,
            names: total.names as u16,
            hash: total.sum.hash,
            through,
            slot,
        }
    }

    /// The prefix that leads to it. It stays the same until the part has too many pages and is
    /// divided. Then the keys of the new ones are longer.
    pub fn key(&self) -> &Prefix {
        &self.key
    }

    /// The hash of the trie's node over its pages.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The size of the tree when it was made. No page of it was changed after that.
    pub fn through(&self) -> TreeSize {
        self.through
    }

    /// What is in memory of it.
    pub fn slot(&self) -> &S {
        &self.slot
    }

    pub(super) fn total(&self) -> Total {
        Total {
            sum: Sum {
                hash: self.hash,
                labels: self.labels.into(),
            },
            names: self.names.into(),
        }
    }

    /// Reads the places of this part.
    pub fn places(&self, bytes: &[u8]) -> Result<Vec<Place>, PageError> {
        read(&self.key, bytes)
    }

    /// Whether these bytes are its places: they lead to its hash. It takes a hash for each page.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let places = read(&self.key, bytes);
        places.is_ok_and(|places| total(&places).sum.hash == self.hash)
    }
}

/// Writes the places of a part.
pub(super) fn write<'p>(key: &Prefix, places: impl IntoIterator<Item = &'p Place>) -> Vec<u8> {
    let whole = usize::from(key.bits() / 8);
    let mut bytes = Vec::with_capacity(48 * PART_PAGES);
    for place in places {
        encode_varint(place.key.bits().into(), &mut bytes);
        bytes.extend_from_slice(place.key.bytes().get(whole..).unwrap_or_default());
        bytes.extend_from_slice(place.hash.as_bytes());
        bytes.extend_from_slice(&[place.labels, place.names]);
        encode_varint(place.through.get(), &mut bytes);
    }
    bytes
}

/// Reads what [`write`] wrote for a part with this key: from one to [`PART_PAGES`] places, in order
/// and below the key.
pub(super) fn read(key: &Prefix, bytes: &[u8]) -> Result<Vec<Place>, PageError> {
    let mut rest = bytes;
    let mut places: Vec<Place> = Vec::with_capacity(PART_PAGES);
    while !rest.is_empty() {
        let place = take(key, &mut rest).ok_or(PageError::Malformed)?;
        if places
            .last()
            .is_some_and(|last| last.key.last() >= *place.key.first())
        {
            return Err(PageError::Order);
        }
        places.push(place);
    }
    match places.len() {
        0 => Err(PageError::Empty),
        1..=PART_PAGES => Ok(places),
        _ => Err(PageError::Malformed),
    }
}

fn take(part: &Prefix, rest: &mut &[u8]) -> Option<Place> {
    let bits = u16::try_from(list::varint(rest)?).ok()?;
    let whole = usize::from(part.bits() / 8);
    let end = usize::from(bits.min(Label::BITS).div_ceil(8));
    let (tail, after) = rest.split_at_checked(end.checked_sub(whole)?)?;
    let mut key = *part.first().as_bytes();
    key[whole..end].copy_from_slice(tail);
    let key = Prefix::from_wire(&key[..end], bits)?;
    let (hash, after) = after.split_first_chunk()?;
    let ([labels, names], after) = after.split_first_chunk()?;
    *rest = after;
    let through = TreeSize::new(list::varint(rest)?);
    let counted =
        (1..=PAGE_LABELS).contains(&usize::from(*labels)) && (1..=*labels).contains(names);
    (part.covers(&key) && counted).then(|| Place {
        key,
        hash: Hash::new(*hash),
        labels: *labels,
        names: *names,
        through,
    })
}

/// A page of a part that is being made.
#[derive(Debug)]
pub(super) struct Draw {
    pub place: Place,
    /// Its bytes, if they are in memory.
    pub kept: Option<Kept>,
}

impl AsRef<Place> for Draw {
    fn as_ref(&self) -> &Place {
        &self.place
    }
}

impl Keyed for Draw {
    fn key(&self) -> &Prefix {
        &self.place.key
    }
}

/// Makes the part of these pages, at least one and at most a part's.
pub(super) fn make<S: Slot>(key: Prefix, pages: &mut [Draw], through: TreeSize) -> Part<S> {
    let bytes: PageBytes = write(&key, pages.iter().map(|page| &page.place)).into();
    let kept = pages.iter_mut().map(|page| page.kept.take()).collect();
    Part::new(key, pages, through, S::filled(bytes, kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::naive::label;

    fn place(n: u64, bits: u16) -> Place {
        Place {
            key: Prefix::of(&label(n), bits),
            hash: Hash::of(&n.to_be_bytes()),
            labels: 1 + (n % 16) as u8,
            names: 1,
            through: TreeSize::new(n * n * n),
        }
    }

    #[test]
    fn places_are_written_and_read() {
        for bits in [0, 1, 7, 8, 9, 64, 128, 200, 256] {
            let key = Prefix::of(&label(3), bits);
            let one = place(3, bits);
            let bytes = write(&key, [&one]);
            assert_eq!(read(&key, &bytes), Ok(vec![one]), "{bits} bits");
            for end in 1..bytes.len() {
                assert_eq!(read(&key, &bytes[..end]), Err(PageError::Malformed));
            }
        }
        assert_eq!(read(&Prefix::EMPTY, &[]), Err(PageError::Empty));
        let mut places: Vec<_> = (0..17).map(|n| place(n, 20 + n as u16)).collect();
        places.sort_by_key(|place| place.key);
        let bytes = write(&Prefix::EMPTY, &places[..16]);
        assert_eq!(read(&Prefix::EMPTY, &bytes).as_deref(), Ok(&places[..16]));
        let many = write(&Prefix::EMPTY, &places);
        assert_eq!(read(&Prefix::EMPTY, &many), Err(PageError::Malformed));
        places.swap(3, 4);
        let swapped = write(&Prefix::EMPTY, &places[..16]);
        assert_eq!(read(&Prefix::EMPTY, &swapped), Err(PageError::Order));
        let twice = write(&Prefix::EMPTY, [&places[0], &places[0]]);
        assert_eq!(read(&Prefix::EMPTY, &twice), Err(PageError::Order));
    }

    #[test]
    fn a_place_outside_of_its_part_is_malformed() {
        let key = Prefix::of(&label(3), 12);
        let other = place(4, 20);
        assert!(!key.covers(other.key()));
        assert!(read(&key, &write(&key, [&other])).is_err());
        let above = place(3, 11);
        assert!(read(&key, &write(&key, [&above])).is_err());
    }
}
