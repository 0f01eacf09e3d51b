//! What gossip costs when nothing happens.

use super::report::Report;
use assay_tests::gossip::quiet;

/// Logs that both processes know.
const LOGS: usize = 1000;

/// Bytes of messages that a node says and hears in a round without news.
pub fn bench(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("gossiping about nothing…");
    let runtime = tokio::runtime::Runtime::new()?;
    let bytes = runtime.block_on(quiet(LOGS))?;
    report.less(
        "gossip_idle_kib",
        bytes / 1024.0,
        16.0,
        format!("a round, {LOGS} logs, six exchanges, both directions"),
    );
    Ok(())
}
