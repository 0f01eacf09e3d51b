//! A clock that jumped dates nothing, until its operator says that it is right.

use crate::{AT_ONCE, Fixture, assert_all_there};
use assay_claims::entry::Entry;
use assay_proto::v1::Wait;
use assay_tests::{
    clock,
    process::{binaries, poll},
};
use std::{
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

const DAY_S: i64 = 86_400;

/// The time of the log's last entry, in seconds from now.
async fn last_from_now(fixture: &Fixture) -> anyhow::Result<i64> {
    let entries = fixture.log.entries(0, 0).await?;
    let last = Entry::parse(entries.last().cloned().unwrap_or_default())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64;
    Ok((last.logged_at_ms() / 1000) as i64 - now)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_years_ahead_dates_nothing() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let acknowledged = fixture.publish(1..4, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    let folder = fixture.node.folder().to_owned();
    fixture.node.environment = vec![clock::off_by(&folder, 3_650 * DAY_S)?];
    fixture.run().await?;
    let claim = fixture.issuer.claim(9);
    let refused = fixture.log.publish(claim.clone(), Wait::Integrated).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    let (code, text) = fixture.log.admin("/readyz").await?;
    assert!(code == 503 && text.contains("clock-ok"), "{code} {text}");
    assert_eq!(fixture.log.checkpoint().await?, signed, "reads go on");
    fixture.node.stop()?;

    // The clock is set right, and that is all.
    fixture.node.environment.clear();
    fixture.run().await?;
    fixture.log.publish(claim, Wait::Integrated).await?;
    assert_all_there(&fixture.log, &acknowledged).await?;
    assert!(last_from_now(&fixture).await?.abs() < 60);
    Ok(())
}

/// As after three days without the node.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_says_that_a_clock_is_right() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    fixture.node.stop()?;
    let folder = fixture.node.folder().to_owned();
    let ahead = clock::off_by(&folder, 3 * DAY_S)?;
    fixture.node.environment = vec![ahead.clone()];
    fixture.run().await?;
    // Its first line is of the start, its second of the first write, which may come later.
    let said = poll(|| {
        let said = fixture.node.stderr();
        Ok(said.contains("stopped writing").then_some(said))
    })?;
    assert!(said.contains("clock-ok"), "{said}");
    fixture.node.stop()?;

    let agreed = Command::new(binaries().join("assay-node"))
        .arg("clock-ok")
        .arg("--config")
        .arg(folder.join("node.toml"))
        .envs([ahead])
        .output()?;
    let said = String::from_utf8_lossy(&agreed.stderr);
    assert!(
        agreed.status.success() && said.contains("The clock is right"),
        "{said}"
    );
    fixture.run().await?;
    fixture
        .log
        .publish(fixture.issuer.claim(9), Wait::Integrated)
        .await?;
    assert!((last_from_now(&fixture).await? - 3 * DAY_S).abs() < 60);
    Ok(())
}
