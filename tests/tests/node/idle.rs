//! A log to which nothing happens: it commits again from time to time, so that its age says how
//! fresh it is.

use crate::{Fixture, STARTED};
use assay_claims::entry::{Entry, wire::Body};
use assay_tests::index::Rebuilt;

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_log_commits_again() -> anyhow::Result<()> {
    let fixture = Fixture::start("log.publish_interval_ms = 1\nlog.heartbeat_s = 1").await?;
    fixture.log.published(STARTED + 2).await?;
    let mut rebuilt = Rebuilt::default();
    let mut committed = Vec::new();
    for bytes in fixture.log.entries(0, STARTED + 2).await? {
        let entry = Entry::parse(bytes)?;
        rebuilt.add(&entry)?;
        if let Body::IndexCommitment(said) = entry.body() {
            committed.push((said.root.clone(), entry.logged_at_ms()));
        }
    }
    // The last three say the same, each a second after the one before.
    let last: Vec<_> = committed.iter().rev().take(3).collect();
    assert!(last.windows(2).all(|pair| pair[0].0 == pair[1].0));
    assert!(last.windows(2).all(|pair| pair[0].1 >= pair[1].1 + 1000));
    Ok(())
}
