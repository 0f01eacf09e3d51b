//! The short form of `make torture`.

use assay_tests::torture::bits::{Damage, Files};

/// Cycles of a row.
const CYCLES: usize = 24;

const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_of_a_node_is_refused_or_said_and_never_served_wrong() -> anyhow::Result<()> {
    let files = Files::new().await?;
    files.each(Damage::Flip, CYCLES, SEED).await?.passed()
}
