//! The short form of `make siege`: a few seconds of each kind of hostile traffic. What is asserted
//! holds on any machine, however busy: how much memory the node takes, and that honest callers are
//! answered. How fast they are is for `make siege` to measure.

use assay_tests::siege::{ROWS, Siege};
use std::time::Duration;

/// Claims in the log.
const CLAIMS: u64 = 20_000;

/// How long each kind of traffic goes on.
const LASTING: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn strangers_take_little_memory_and_keep_nobody_out() -> anyhow::Result<()> {
    let mut siege = Siege::new(CLAIMS).await?;
    siege.idle(LASTING).await?;
    let mut failed = Vec::new();
    for row in ROWS {
        let row = siege.row(row, LASTING).await?;
        println!("{row}");
        failed.extend(row.passed().err().map(|error| format!("{error:#}")));
    }
    siege.end().await?;
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}
