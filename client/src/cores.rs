//! Work that is divided over all cores.

use assay_claims::index::map::Join;

/// All cores of the machine.
pub(crate) struct Cores;

impl Join for Cores {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        rayon::join(a, b)
    }
}
