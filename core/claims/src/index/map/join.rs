//! Computing several things at the same time: both sides of a node, or what is made of many items.

/// Computes two things, at the same time if it can.
pub trait Join: Sync {
    /// Returns the results of both.
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B);
}

/// Things that are worked off one after the other: what it takes to begin elsewhere is less.
const PIECE: usize = 64;

/// What the work makes of each item, in their order.
pub(in crate::index) fn map<T: Send, R: Send>(
    join: &impl Join,
    mut items: Vec<T>,
    work: &(impl Fn(T) -> R + Sync),
) -> Vec<R> {
    if items.len() <= PIECE {
        return items.into_iter().map(work).collect();
    }
    let second = items.split_off(items.len() / 2);
    let (mut all, more) = join.join(|| map(join, items, work), || map(join, second, work));
    all.extend(more);
    all
}

/// One after the other.
#[derive(Debug, Clone, Copy)]
pub struct Serial;

impl Join for Serial {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        (a(), b())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_many_items_is_in_their_order() {
        for count in [0, 1, PIECE, PIECE + 1, 10 * PIECE + 3] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = map(&Serial, items, &|item| 2 * item);
            assert!(doubled.into_iter().eq((0..count).map(|item| 2 * item)));
        }
    }
}
