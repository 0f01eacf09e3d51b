//! The bytes of a cut (docs/index.md), to lie about what it leaves out.

use bytes::Bytes;

/// A stub: what is below it is left out.
const STUB: u8 = 0;
const LEAF: u8 = 1;
const INNER: u8 = 2;
const BARE: u8 = 3;

/// Bytes of a count, a hash and a label.
const COUNT: usize = 8;
const HASH: usize = 32;

/// Where numbers stand in a cut.
#[derive(Debug, Default)]
pub struct Numbers {
    /// How many labels each stub stands for.
    pub stubs: Vec<usize>,
    /// How long the list of each leaf is.
    pub leaves: Vec<usize>,
}

/// Where the numbers of a cut stand. `None` if it cannot be read.
pub fn numbers(cut: &[u8]) -> Option<Numbers> {
    let mut numbers = Numbers::default();
    let mut at = 0;
    while at < cut.len() {
        let kind = cut[at];
        at += 1;
        match kind {
            STUB => {
                numbers.stubs.push(at);
                at += COUNT + HASH;
            }
            LEAF => {
                numbers.leaves.push(at + HASH);
                at += HASH + COUNT + HASH;
            }
            INNER => at += 1,
            BARE => at += 1 + usize::from(cut.get(at)?.div_ceil(8)),
            _ => return None,
        }
    }
    (at == cut.len()).then_some(numbers)
}

/// The number that stands at a place.
pub fn number(cut: &[u8], at: usize) -> u64 {
    let (bytes, _) = cut[at..].split_first_chunk().expect("a number");
    u64::from_be_bytes(*bytes)
}

/// Writes a number over the one at a place.
pub fn put(cut: &mut [u8], at: usize, number: u64) {
    cut[at..at + COUNT].copy_from_slice(&number.to_be_bytes());
}

/// The cut with another count in every stub.
pub fn recounted(cut: &[u8], count: impl Fn(u64) -> u64) -> Bytes {
    let mut changed = cut.to_vec();
    let numbers = numbers(cut).expect("a proof of a node can be read");
    for at in numbers.stubs {
        let now = count(number(cut, at));
        put(&mut changed, at, now);
    }
    changed.into()
}
