//! The short form of `kill -9` under load, of which `make torture` has the long one.
//!
//! The seed of the moments is printed; `ASSAY_KILL_SEED` sets another one.

use assay_tests::torture::kill;

const KILLS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_an_acknowledged_claim_or_shows_two_roots_for_a_size() -> anyhow::Result<()> {
    let seed = std::env::var("ASSAY_KILL_SEED").map_or(Ok(1), |seed| seed.parse())?;
    println!("ASSAY_KILL_SEED={seed}");
    let row = kill::run(KILLS, seed).await?;
    println!("{row}");
    row.passed()
}
