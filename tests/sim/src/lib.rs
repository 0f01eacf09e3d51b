//! Simulated federations, with the decisions of `core` and nothing else: no network, no clock. With
//! the feature `network`, also federations on a simulated network. A run follows from its seed.
//!
//! `cargo test --package assay-sim` runs a few hundred seeds, `make sim SEEDS=10000` as many as one
//! likes. A seed that breaks an invariant is printed; it belongs into [`rounds::ONCE_FAILED`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a simulation stops at what cannot be"
)]

pub mod busy;
pub mod idle;
pub mod log;
#[cfg(feature = "network")]
pub mod network;
pub mod node;
pub mod rounds;
pub mod words;

/// The value that 99 of 100 do not exceed.
pub fn p99(values: &[usize]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() * 99).div_ceil(100) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_hundred_may_exceed_it() {
        let mut values = vec![1; 98];
        values.extend([5, 9]);
        assert_eq!(p99(&values), 5);
        assert_eq!(p99(&[3]), 3);
    }
}
