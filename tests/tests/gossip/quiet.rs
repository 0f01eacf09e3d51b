//! What gossip costs when nothing happens.

use anyhow::ensure;
use assay_tests::gossip::quiet;

/// Most bytes that a node says and hears in a round, on average.
const BYTES: f64 = 16.0 * 1024.0;

#[tokio::test]
async fn a_round_without_news_takes_few_bytes_however_many_logs_there_are() -> anyhow::Result<()> {
    let bytes = quiet(1000).await?;
    ensure!(bytes <= BYTES, "{bytes} bytes a round");
    // There is something to say.
    ensure!(bytes > 1024.0, "{bytes} bytes a round");
    Ok(())
}
