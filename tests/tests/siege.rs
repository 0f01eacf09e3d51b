//! The short form of `make siege`: a few seconds of each kind of hostile traffic. What is asserted
//! holds on any machine, however busy: about how much memory the node takes, and that honest
//! callers are answered, beside strangers and after them. How fast they are, and whether memory
//! stays within its bound, is for `make siege` to measure.

use assay_tests::siege::{MOST_MIB, ROWS, Siege};
use std::time::Duration;

/// Claims in the log.
const CLAIMS: u64 = 20_000;

/// What takes more memory than it should yet (docs/reliability.md).
const OPEN: [&str; 1] = ["all of them together"];

/// How long each kind of traffic goes on.
const LASTING: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn strangers_take_little_memory_and_keep_nobody_out() -> anyhow::Result<()> {
    let mut siege = Siege::new(CLAIMS).await?;
    siege.idle(LASTING).await?;
    let mut failed = Vec::new();
    for row in ROWS.iter().filter(|(name, _)| !OPEN.contains(name)) {
        let row = siege.row(*row, LASTING).await?;
        println!("{row}");
        let misses = row.misses(2.0 * MOST_MIB).into_iter();
        failed.extend(misses.map(|it| format!("{}: {it}", row.traffic)));
    }
    siege.end().await?;
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}
