//! What the node says on standard error goes nowhere, or to somebody who does not read it. That is
//! no reason to stop.

use crate::{Fixture, strangers::metric};
use assay_proto::v1::Wait;
use std::{
    fs::{File, OpenOptions},
    path::Path,
    process::Command,
};

/// A node whose standard error is what `to` says, and which has much to say.
async fn start(to: &str) -> anyhow::Result<Fixture> {
    let mut fixture = Fixture::start("").await?;
    fixture.node.stop()?;
    let script = format!("exec \"$@\" 2> '{to}'");
    fixture.node.wrapper = ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
    fixture.node.environment = vec![("RUST_LOG".into(), "trace".into())];
    fixture.run().await?;
    Ok(fixture)
}

/// It takes claims, publishes them, and ends well.
async fn assert_well(mut fixture: Fixture) -> anyhow::Result<()> {
    fixture.publish(1..200, Wait::Integrated).await?;
    fixture.node.stop()
}

/// A pipe of which `reader` is the only reader.
fn pipe(path: &Path) -> anyhow::Result<File> {
    anyhow::ensure!(Command::new("mkfifo").arg(path).status()?.success());
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_lines_stops_nothing() -> anyhow::Result<()> {
    assert_well(start("/dev/full").await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_lines_who_goes_away_stops_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lines");
    let reader = pipe(&path)?;
    let fixture = start(&path.to_string_lossy()).await?;
    drop(reader);
    assert_well(fixture).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_lines_who_does_not_read_stops_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lines");
    let _reader = pipe(&path)?;
    let fixture = start(&path.to_string_lossy()).await?;
    // Until it has said more than the pipe takes and than waits.
    while metric(&fixture, "assay_log_lines_lost_total").await? == 0.0 {
        fixture.publish(1..10, Wait::Sequenced).await?;
    }
    assert_well(fixture).await
}
