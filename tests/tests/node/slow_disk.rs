//! A disk that takes seconds for a sync: the node says so, ends all the same, and loses nothing.

use crate::{AT_ONCE, Fixture, assert_all_there};
use anyhow::ensure;
use assay_proto::v1::{PublishResponse, Wait};
use assay_tests::{faults::Faults, process::poll_async};
use std::time::{Duration, Instant};
use tonic::{Code, Status};

/// A node's calls in flight get this long, in seconds. Whoever waits is told after three quarters.
const DRAIN_S: u64 = 4;

/// How long a node takes to end at most, with room for a machine that does much else: `DRAIN_S` and
/// a quarter of a minute are promised.
const END: Duration = Duration::from_secs(DRAIN_S + 15 + 10);

/// A node on a disk with faults, and a claim that was acknowledged before there were any.
async fn start(folder: &tempfile::TempDir) -> anyhow::Result<(Fixture, Faults, PublishResponse)> {
    let mut fixture = Fixture::start(&format!("{AT_ONCE}\nserver.drain_s = {DRAIN_S}")).await?;
    fixture.node.stop()?;
    let faults = Faults::new(folder.path(), fixture.node.folder())?;
    fixture.node.environment = faults.environment();
    fixture.run().await?;
    let first = fixture.publish(0..1, Wait::Integrated).await?.remove(0);
    let (code, text) = fixture.log.admin("/readyz").await?;
    ensure!(code == 200, "{text}");
    Ok((fixture, faults, first))
}

/// Publishes claims on a disk whose syncs take `sync`, has the node say that it is slow, and stops
/// it. Returns what was answered to each claim, in the end.
async fn stopped(
    fixture: &mut Fixture,
    faults: &Faults,
    sync: Duration,
) -> anyhow::Result<Vec<Result<PublishResponse, Status>>> {
    faults.slow(sync)?;
    let calls = (1..9).map(|number| {
        let wait = [Wait::Sequenced, Wait::Integrated][number as usize % 2];
        let (log, claim) = (fixture.log.clone(), fixture.issuer.claim(number));
        tokio::spawn(async move { log.publish(claim, wait).await })
    });
    let calls: Vec<_> = calls.collect();
    let said = poll_async(async || {
        let (code, text) = fixture.log.admin("/readyz").await?;
        Ok((code == 503).then_some(text))
    });
    let said = said.await?;
    for words in ["the disk is slow", "to be durable", "nothing acknowledged"] {
        ensure!(said.contains(words), "{said}");
    }
    let (_, metrics) = fixture.log.admin("/metrics").await?;
    for name in ["assay_sync_seconds", "assay_sync_waiting_seconds"] {
        ensure!(metrics.contains(name), "{name}");
    }
    let began = Instant::now();
    fixture.node.signal("TERM")?;
    let answers = futures::future::try_join_all(calls).await?;
    fixture.node.wait()?;
    ensure!(began.elapsed() < END, "{:?}", began.elapsed());
    Ok(answers)
}

/// The node runs on a disk that is quick again. All that was acknowledged is there, and whatever
/// was not is logged once when it is sent again.
async fn assert_whole(
    fixture: &mut Fixture,
    faults: &Faults,
    first: PublishResponse,
    answers: Vec<Result<PublishResponse, Status>>,
) -> anyhow::Result<()> {
    faults.slow(Duration::ZERO)?;
    fixture.run().await?;
    let mut acknowledged = vec![first];
    acknowledged.extend(answers.into_iter().flatten());
    assert_all_there(&fixture.log, &acknowledged).await?;
    let again = fixture.publish(1..9, Wait::Integrated).await?;
    assert_all_there(&fixture.log, &again).await?;
    // The registration among them.
    let claims = fixture.log.rederive().await?.index.claims();
    ensure!(claims == 1 + 9, "{claims}");
    let (code, text) = fixture.log.admin("/readyz").await?;
    ensure!(code == 200, "{text}");
    fixture.node.stop()
}

/// Most of them are answered in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_ends_on_a_slow_disk() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut fixture, faults, first) = start(&folder).await?;
    let answers = stopped(&mut fixture, &faults, Duration::from_secs(2)).await?;
    for answer in &answers {
        if let Err(status) = answer {
            ensure!(status.code() == Code::Unavailable, "{status:?}");
        }
    }
    let said = fixture.node.stderr();
    ensure!(
        said.contains("everything acknowledged is published"),
        "{said}"
    );
    assert_whole(&mut fixture, &faults, first, answers).await
}

/// None can be answered, and all are told.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_ends_on_a_disk_that_hardly_answers() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut fixture, faults, first) = start(&folder).await?;
    let answers = stopped(&mut fixture, &faults, Duration::from_secs(60)).await?;
    for answer in &answers {
        let status = answer.as_ref().unwrap_err();
        let said = status.message();
        ensure!(status.code() == Code::Unavailable, "{status:?}");
        ensure!(
            said.contains("stopping") && said.contains("Send it again"),
            "{said}"
        );
    }
    let said = fixture.node.stderr();
    ensure!(said.contains("verything acknowledged is durable"), "{said}");
    assert_whole(&mut fixture, &faults, first, answers).await
}
